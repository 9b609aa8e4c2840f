//! How often something may happen for each key, such as an actor or an address.

use crate::error::{Error, Result};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

/// After so many checks, keys that have their whole allowance again are forgotten.
const SWEEP: u32 = 1024;
/// Beyond so many keys, all keys share one allowance: memory is bounded, whoever asks.
const MOST_KEYS: usize = 100_000;
/// The key they share.
const SHARED: &str = "";

/// An allowance for each key that refills evenly; all of it can be spent at once.
pub struct Limiter {
    keys: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
    checks: AtomicU32,
    full: AtomicBool,
}

impl Limiter {
    /// So many a minute for each key.
    pub fn per_minute(most: u64) -> Self {
        let most = u32::try_from(most).ok().and_then(NonZeroU32::new);
        Self {
            keys: RateLimiter::keyed(Quota::per_minute(most.unwrap_or(NonZeroU32::MAX))),
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
            full: AtomicBool::new(false),
        }
    }

    /// Takes one from a key's allowance.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when there is none left, with the time until there is.
    pub fn check(&self, key: &str) -> Result<()> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.keys.retain_recent();
            self.full
                .store(self.keys.len() > MOST_KEYS, Ordering::Relaxed);
        }
        let key = if self.full.load(Ordering::Relaxed) {
            SHARED
        } else {
            key
        };
        self.keys.check_key(&key.to_owned()).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            let retry_after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            // Rounded up: whoever waits this long is let in.
            Error::RateLimited {
                retry_after_ms: retry_after_ms.saturating_add(1),
            }
        })
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
    fn keys_are_bounded() {
        let limiter = Limiter::per_minute(1);
        for number in 0..MOST_KEYS + 3 * SWEEP as usize {
            // Once there are too many, those that come share one allowance, which is soon spent.
            let _ = limiter.check(&format!("key {number}"));
        }
        assert!(limiter.keys.len() <= MOST_KEYS + 2 * SWEEP as usize);
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
