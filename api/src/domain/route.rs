//! Where a routed message may go.

use super::check;
use crate::error::{Error, Result};
use entity::{
    channel_route::{RouteChannel, RouteMessageType},
    integration_connection::IntegrationName,
};

/// The service that a channel's messages go through; none where they may go without.
pub(crate) fn service(channel: RouteChannel) -> Option<IntegrationName> {
    match channel {
        RouteChannel::Slack => Some(IntegrationName::Slack),
        RouteChannel::Gchat => Some(IntegrationName::Gchat),
        RouteChannel::Teams => Some(IntegrationName::Teams),
        RouteChannel::Email | RouteChannel::Whatsapp | RouteChannel::Sms => None,
    }
}

/// Whether messages of a type go to a person where nothing else is said: what somebody must answer does.
pub(crate) fn is_for_a_person(takes: Option<RouteMessageType>) -> bool {
    matches!(
        takes,
        Some(RouteMessageType::Clarification | RouteMessageType::Escalation)
    )
}

/// A target as its channel has them.
///
/// # Errors
/// [`Error::BadUserInput`] when it can be none.
pub(crate) fn target(channel: RouteChannel, target: &str) -> Result<String> {
    let target = check::line("target", target, 1, 200)?;
    let is_number = |text: &str| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        (6..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_address = |text: &str| {
        let parts = text.rsplit_once('@');
        parts.is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !text.contains(' ')
        })
    };
    let (is_right, expected) = match channel {
        RouteChannel::Email => (is_address(&target), "an address such as team@example.com"),
        RouteChannel::Whatsapp | RouteChannel::Sms => {
            (is_number(&target), "a telephone number such as +353000001")
        }
        RouteChannel::Slack | RouteChannel::Gchat | RouteChannel::Teams => (true, ""),
    };
    match is_right {
        true => Ok(target),
        false => Err(Error::bad_input("target", format!("expected {expected}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_its_channel_has() {
        for (channel, right) in [
            (RouteChannel::Slack, "C0DELIVERIES"),
            (RouteChannel::Email, "stock@brackenford.example"),
            (RouteChannel::Sms, "+353000001"),
        ] {
            assert!(target(channel, right).is_ok(), "{right}");
        }
        for (channel, wrong) in [
            (RouteChannel::Slack, " "),
            (RouteChannel::Slack, "a\nb"),
            (RouteChannel::Email, "C0DELIVERIES"),
            (RouteChannel::Email, "@brackenford.example"),
            (RouteChannel::Sms, "353000001"),
            (RouteChannel::Whatsapp, "+35300O001"),
        ] {
            assert!(target(channel, wrong).is_err(), "{wrong}");
        }
    }
}
