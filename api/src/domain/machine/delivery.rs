//! The states of a notification on its way to somebody. Whether it was read is another matter.

use entity::notification::DeliveryStatus;

super::machine! {
    notification: DeliveryStatus in "deliveryStatus" {
        /// What becomes of a notification that is to be sent.
        DeliveryStep as "DeliveryStep" {
            /// It was sent.
            Send: [Pending] => Sent, by itself, "notification.sent";
            /// It could not be sent, however often that was tried.
            Fail: [Pending] => Failed, by itself, "notification.failed";
            /// It came in quiet hours, and is part of a digest.
            Suppress: [Pending] => Suppressed, by itself, "notification.suppressed";
        }
    }
}
