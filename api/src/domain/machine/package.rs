//! The states of a packaged skill.

use entity::skill_package::LibraryStatus;

super::machine! {
    skill_package: LibraryStatus {
        /// What becomes of a packaged skill.
        PackageStep as "PackageStep" {
            /// Offer it to agents.
            Approve: [PendingApproval] => Active, by itself, "skill_package.approved";
            /// Offer it no longer.
            Disable: [Active] => Disabled, by itself, "skill_package.disabled";
            /// Offer it again.
            Enable: [Disabled] => Active, by itself, "skill_package.enabled";
        }
    }
}
