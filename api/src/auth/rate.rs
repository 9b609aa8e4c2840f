//! How often something may happen for each key, such as an actor or an address.

use super::recent::Recent;
use crate::error::{Error, Result};
use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long it takes for an allowance that was spent to be whole again.
const WHOLE: Duration = Duration::from_secs(60);
/// So many keys are remembered, whoever asks; beyond them those that were asked for longest ago have their whole
/// allowance again. Sharing one among all would let a stranger with many addresses lock everyone out.
const MOST_KEYS: usize = 100_000;

/// An allowance for each key that refills evenly; all of it can be spent at once.
pub struct Limiter {
    /// How long it takes to get one back.
    one: Duration,
    /// When each key's allowance is whole again.
    keys: Mutex<Recent<Instant>>,
}

impl Limiter {
    /// So many a minute for each key.
    pub fn per_minute(most: u64) -> Self {
        let nanoseconds = WHOLE.as_nanos() / u128::from(most.max(1));
        Self {
            one: Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)),
            keys: Mutex::new(Recent::new(MOST_KEYS, WHOLE)),
        }
    }

    /// Takes one from a key's allowance.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when there is none left, with the time until there is.
    pub fn check(&self, key: &str) -> Result<()> {
        self.take(key, Instant::now()).map_err(|wait| {
            let retry_after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            // Rounded up: whoever waits this long is let in.
            Error::RateLimited {
                retry_after_ms: retry_after_ms.saturating_add(1),
            }
        })
    }

    fn take(&self, key: &str, now: Instant) -> Result<(), Duration> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = keys.get(key).unwrap_or(now).max(now) + self.one;
        let wait = (whole - now).saturating_sub(WHOLE);
        if wait.is_zero() {
            keys.keep(key, whole, now);
            return Ok(());
        }
        Err(wait)
    }
}

/// The key of an address. Whoever has one address of IPv6 has its whole /64.
pub fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("address {address}"),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("address {a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The key of the network that an address is in. Whoever has a few addresses of IPv6 often has a whole /48; of IPv4 an
/// address is what a network has.
pub(crate) fn network_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(_) => address_key(address),
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("network {a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// The key of an address that may be unknown. Whoever comes from nowhere, comes from one place.
pub(crate) fn whence_key(address: Option<IpAddr>) -> String {
    address.map(address_key).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_an_allowance_of_its_own() {
        let limiter = Limiter::per_minute(2);
        assert!(limiter.check("a").is_ok() && limiter.check("a").is_ok());
        let refused = limiter.check("a");
        assert!(
            matches!(refused, Err(Error::RateLimited { retry_after_ms }) if (1..=30_001).contains(&retry_after_ms))
        );
        assert!(limiter.check("b").is_ok());
    }

    #[test]
    fn an_allowance_refills_evenly_and_never_beyond_itself() {
        let (limiter, start) = (Limiter::per_minute(4), Instant::now());
        let taken = |seconds| {
            let now = start + Duration::from_secs(seconds);
            (0..9)
                .take_while(|_| limiter.take("a", now).is_ok())
                .count()
        };
        assert_eq!(taken(0), 4);
        assert_eq!(taken(14), 0);
        assert_eq!(taken(15), 1);
        assert_eq!(taken(60), 3);
        assert_eq!(taken(600), 4);
    }

    #[test]
    fn a_key_is_remembered_until_its_allowance_is_whole() {
        let (limiter, start) = (Limiter::per_minute(1), Instant::now());
        let taken = |seconds, key| {
            limiter
                .take(key, start + Duration::from_secs(seconds))
                .is_ok()
        };
        assert!(taken(59, "a"));
        for seconds in [60, 61, 118] {
            taken(seconds, "whoever makes it forget");
            assert!(!taken(seconds, "a"), "{seconds}");
        }
        assert!(taken(119, "a"));
    }

    #[test]
    fn strangers_with_many_keys_lock_nobody_out() {
        let limiter = Limiter::per_minute(1);
        for number in 0..3 * MOST_KEYS {
            let _ = limiter.check(&format!("key {number}"));
        }
        assert!(limiter.check("another").is_ok());
        assert!(limiter.check("another").is_err());
    }

    #[test]
    fn neighbours_on_ipv6_share_a_key() {
        let key = |text: &str| text.parse().map(address_key).unwrap_or_default();
        assert_eq!(key("2001:db8::1"), key("2001:db8::2:3"));
        assert_ne!(key("2001:db8:0:1::1"), key("2001:db8::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
    }
}
