//! Who sees which rows, written down by hand: what the walk holds the server to.

/// Which of a tenant's rows somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum See {
    /// All of them.
    All,
    /// Those whose `userId` is theirs.
    Own,
    /// Those whose `userId` is theirs or nobody's.
    OwnOrAll,
    /// Those that their agent token holds.
    Held,
    /// Those that belong to a project, one project at a time.
    OfProject,
    /// Entries about rows that they see.
    Target,
    /// None.
    None,
}

use See::{All, Held, None, OfProject, Own, OwnOrAll, Target};

/// What a role is called, in the order of the columns below.
pub const ROLES: [&str; 5] = ["owner", "admin", "member", "viewer", "agent"];

/// Each kind of row, and what owner, admin, member, viewer and agent see of it.
const POLICY: [(&str, [See; 5]); 42] = [
    ("Tenant", [All, All, All, All, None]),
    ("User", [All, All, All, All, None]),
    ("Invitation", [All, All, None, None, None]),
    ("GoogleOAuthToken", [All, All, Own, Own, None]),
    ("AgentToken", [All, All, All, All, Held]),
    ("ServiceToken", [All, All, All, All, None]),
    ("AuthToken", [All, All, Own, Own, None]),
    ("IdempotencyKey", [All, All, None, None, None]),
    ("AgentSession", [All, All, All, All, Held]),
    ("TenantFeed", [All, All, All, All, All]),
    ("AuditLog", [Target, Target, Target, Target, None]),
    ("Project", [All, All, All, All, None]),
    ("ProjectGraph", [All, All, All, All, None]),
    ("Goal", [All, All, All, All, None]),
    ("Meeting", [All, All, All, All, None]),
    ("Transcript", [All, All, All, All, None]),
    ("WhisperTranscription", [All, All, All, All, None]),
    ("Skill", [All, All, All, All, None]),
    ("SkillPackage", [All, All, All, All, None]),
    ("SubagentDefinition", [All, All, All, All, None]),
    ("AgentRole", [All, All, All, All, None]),
    ("AgentRoleVersion", [All, All, All, All, None]),
    ("PRD", [All, All, All, All, None]),
    ("PRDSymbolLink", [All, All, All, All, None]),
    ("ExecutionPlan", [All, All, All, All, None]),
    ("Ticket", [All, All, All, All, Held]),
    ("TicketDependency", [All, All, All, All, None]),
    ("AgentJob", [All, All, All, All, Held]),
    ("AgentJobEvent", [All, All, All, All, Held]),
    ("AgentTask", [All, All, All, All, None]),
    ("Approval", [All, All, All, All, None]),
    ("ClarificationRequest", [All, All, All, All, None]),
    ("CredentialVault", [All, All, None, None, None]),
    ("IntegrationConnection", [All, All, None, None, None]),
    ("ChannelRoute", [All, All, None, None, None]),
    (
        "Notification",
        [OwnOrAll, OwnOrAll, OwnOrAll, OwnOrAll, None],
    ),
    ("NotificationSubscription", [All, All, Own, Own, None]),
    ("ScheduledJob", [All, All, All, All, None]),
    ("ApiUsage", [All, All, OfProject, None, None]),
    ("ModelPrice", [All, All, All, None, None]),
    ("BudgetCounter", [All, All, None, None, None]),
    ("BudgetReservation", [All, All, None, None, Held]),
];

/// The column with the agent token that holds a row.
pub fn holder(kind: &str) -> &'static str {
    match kind {
        "Ticket" => "claimedByTokenId",
        "AgentToken" => "id",
        _ => "agentTokenId",
    }
}

/// Kinds whose rows may belong to nobody; everyone who sees such rows sees those.
pub const WITH_GLOBAL_ROWS: [&str; 4] = [
    "AgentRole",
    "SkillPackage",
    "SubagentDefinition",
    "ModelPrice",
];

/// Columns that nobody is shown.
const SECRET: [&str; 10] = [
    "passwordHash",
    "tokenHash",
    "ciphertext",
    "nonce",
    "accessToken",
    "refreshToken",
    "driveChannelTokenHash",
    "audioKey",
    "repoPath",
    "credentialId",
];

/// Columns of rows that somebody sees, which only admins are shown.
const FOR_ADMINS: [(&str, &str); 5] = [
    ("AuditLog", "diff"),
    ("AuditLog", "metadata"),
    ("User", "channelIds"),
    ("User", "identityIssuer"),
    ("User", "identitySubject"),
];

/// The policy, perhaps with one rule that is deliberately another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    other: Option<(&'static str, &'static str, See)>,
}

impl Policy {
    /// The policy as it would be if a role saw this of a kind.
    pub fn but(kind: &'static str, role: &'static str, see: See) -> Self {
        Self {
            other: Some((kind, role, see)),
        }
    }

    /// What a role sees of a kind of row.
    pub fn see(&self, kind: &str, role: &str) -> See {
        if let Some((of, to, see)) = self.other
            && of == kind
            && to == role
        {
            return see;
        }
        let row = POLICY
            .iter()
            .find(|(of, _)| *of == kind)
            .unwrap_or_else(|| panic!("who sees {kind}?"));
        row.1[ROLES.iter().position(|of| *of == role).expect("a role")]
    }
}

/// Whether a role is shown a column of the rows it sees.
pub fn shows(kind: &str, column: &str, role: &str, own: bool) -> bool {
    let for_admins = FOR_ADMINS.contains(&(kind, column));
    !SECRET.contains(&column) && (!for_admins || own || ["owner", "admin"].contains(&role))
}
