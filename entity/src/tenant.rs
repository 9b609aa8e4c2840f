//! `tenants`: the companies that use the product, each with its settings and budgets.

use crate::prelude::*;

text_enum! {
    /// How often a tenant's people are sent a summary of what happened.
    TenantDigestMode {
        /// No summary is sent.
        Off,
        /// Once a day.
        Daily,
        /// Once a week.
        Weekly,
    }
}

/// How sure an agent must be of a brief before a person need not look at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct ApprovalThresholds {
    /// A brief at or above this confidence, from 0 to 1, may be approved by a rule.
    pub auto_approve_above: f64,
    /// A brief below this confidence, from 0 to 1, always waits for a person.
    pub require_human_below: f64,
}

impl Default for ApprovalThresholds {
    fn default() -> Self {
        Self {
            auto_approve_above: 0.9,
            require_human_below: 0.7,
        }
    }
}

/// How many different people must approve the same version of something before it goes ahead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct RequiredApprovals {
    /// Of a brief, 1 to 5.
    pub brief: i32,
    /// Of an execution plan, 1 to 5.
    pub plan: i32,
    /// Of a ticket's result, 1 to 5.
    pub ticket: i32,
}

impl Default for RequiredApprovals {
    fn default() -> Self {
        Self {
            brief: 1,
            plan: 1,
            ticket: 1,
        }
    }
}

/// When a rule approves what is handed in, so that no person need look at it. It never replaces one of several people
/// whose approval is required.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct AutoApproval {
    /// Whether anything is approved by a rule.
    pub enabled: bool,
    /// The projects in which it is; null means all.
    pub project_ids: Option<Vec<Id>>,
    /// The most that a plan may be estimated to cost, in micro-USD; null means that no plan is approved by a rule.
    pub most_plan_cost_micros: Option<BigInt>,
}

/// A member who decides in place of an admin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct Delegation {
    /// The member.
    pub user_id: Id,
    /// The admin who is stood in for.
    pub for_user_id: Id,
    /// When it ends.
    pub until: Timestamp,
}

/// The hours of a day in which messages are held back for the next digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct QuietHours {
    /// When they begin, as `HH:MM` in the tenant's timezone.
    pub start: String,
    /// When they end, as `HH:MM` in the tenant's timezone; before `start` when they span midnight.
    pub end: String,
}

text_enum! {
    /// A step of setting a workspace up, in the order in which they are taken.
    SetupStep {
        /// Give the workspace a name of its own; until then it is called like its slug.
        WorkspaceName,
        /// Store the key of a provider of language models.
        AiProvider,
        /// Connect a first outside service.
        FirstIntegration,
        /// Look it over and say that it is finished.
        Finish,
    }
}

/// How far a new tenant has come with setting itself up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct TenantSetup {
    /// Whether the setup steps were finished or skipped.
    pub completed: bool,
    /// When they were; null until then.
    pub completed_at: Option<Timestamp>,
    /// The user who finished them; null until then.
    pub completed_by: Option<Id>,
    /// The steps that somebody passed over.
    pub skipped: Vec<SetupStep>,
}

/// What a tenant's admins may tune. It never holds credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct TenantSettings {
    /// The confidence at which briefs are approved by a rule or wait for a person.
    pub approval_thresholds: ApprovalThresholds,
    /// Hours after which an unanswered clarification expires.
    pub clarification_timeout_hours: i32,
    /// How often a summary is sent.
    pub digest_mode: TenantDigestMode,
    /// When messages are held back; null when they never are.
    pub quiet_hours: Option<QuietHours>,
    /// Hours after which those who decide are told of what still waits for them; null when they never are.
    pub approval_due_hours: Option<i32>,
    /// How many people must approve.
    pub required_approvals: RequiredApprovals,
    /// What a rule approves.
    pub auto_approval: AutoApproval,
    /// The member who may decide in place of an admin; null when nobody may.
    pub delegation: Option<Delegation>,
    /// How far the tenant has come with setting itself up.
    pub setup: TenantSetup,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            approval_thresholds: ApprovalThresholds::default(),
            clarification_timeout_hours: 72,
            digest_mode: TenantDigestMode::Off,
            quiet_hours: None,
            approval_due_hours: Some(48),
            required_approvals: RequiredApprovals::default(),
            auto_approval: AutoApproval::default(),
            delegation: None,
            setup: TenantSetup::default(),
        }
    }
}

/// A company and everything it owns; nothing of one tenant can be seen by another.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "tenants", rename_all = "camelCase")]
#[graphql(name = "TenantRow")]
pub struct Model {
    /// The tenant's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The company's name, in 1 to 200 characters.
    pub name: String,
    /// Its name in sign-in and invitation links, unique among all tenants.
    pub slug: String,
    /// What its admins may tune.
    pub settings: Json<TenantSettings>,
    /// What model calls may cost in a month, in micro-USD; null, zero or less is no cap.
    pub monthly_spend_cap_micros: Option<BigInt>,
    /// How many tokens model calls may use in a day; null is no budget.
    pub daily_token_budget: Option<BigInt>,
    /// The IANA timezone in which its days and months begin, such as `Europe/Berlin`.
    pub timezone: String,
    /// When it signed up.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

owned!(Tenant, id Id, tenant Id);
