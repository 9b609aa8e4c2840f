//! The states of what stands in the library: packaged skills, and specialists.

use entity::skill_package::LibraryStatus;

super::machine! {
    skill_package: LibraryStatus {
        /// What can be done with a packaged skill.
        SkillPackageStep as "SkillPackageStep" {
            /// Offer it to agents, by `decideSkillPackage`.
            Approve: [PendingApproval] => Active, by ManageLibrary, "skill_package.approved";
            /// Turn it down, by `decideSkillPackage`.
            Reject: [PendingApproval] => Disabled, by ManageLibrary, "skill_package.rejected";
            /// Offer it no longer, by `setSkillPackageStatus`.
            Disable: [Active] => Disabled, by ManageLibrary, "skill_package.disabled";
            /// Offer it again, by `setSkillPackageStatus`.
            Enable: [Disabled] => Active, by ManageLibrary, "skill_package.enabled";
        }
        /// What becomes of a packaged skill by itself.
        SkillPackageConsequence as "SkillPackageConsequence" {
            /// It was imported anew, with another content, which waits for a decision.
            Renew: [PendingApproval, Active, Disabled] => PendingApproval, by itself, "skill_package.imported";
        }
    }
}

super::machine! {
    subagent_definition: LibraryStatus {
        /// What can be done with a specialist.
        SubagentDefinitionStep as "SubagentDefinitionStep" {
            /// Offer it to plans, by `decideSubagent`.
            Approve: [PendingApproval] => Active, by ManageLibrary, "subagent.approved";
            /// Turn it down, by `decideSubagent`.
            Reject: [PendingApproval] => Disabled, by ManageLibrary, "subagent.rejected";
            /// Offer it no longer, by `setSubagentStatus`.
            Disable: [Active] => Disabled, by ManageLibrary, "subagent.disabled";
            /// Offer it again, by `setSubagentStatus`.
            Enable: [Disabled] => Active, by ManageLibrary, "subagent.enabled";
        }
        /// What becomes of a specialist by itself.
        SubagentDefinitionConsequence as "SubagentDefinitionConsequence" {
            /// It was imported anew, with another content, which waits for a decision.
            Renew: [PendingApproval, Active, Disabled] => PendingApproval, by itself, "subagent.imported";
        }
    }
}
