//! `approvals`: what was decided, by whom and through which channel. Rows are added, never changed.

use crate::prelude::*;

text_enum! {
    /// What a decision is about.
    ApprovalSubject {
        /// A brief.
        Brief,
        /// An execution plan.
        Plan,
        /// A ticket's result.
        Ticket,
        /// A package of the skill library.
        SkillPackage,
    }
}

text_enum! {
    /// What was decided.
    ApprovalDecision {
        /// To go ahead.
        Approved,
        /// Not to go ahead.
        Rejected,
        /// To do it again, differently; the reason says how.
        Redirected,
        /// To hold it for now.
        Paused,
        /// To go on with what was held.
        Resumed,
    }
}

text_enum! {
    /// Through what a decision arrived.
    ApprovalChannel {
        /// The web dashboard.
        Web,
        /// A button or a reply in Slack.
        Slack,
        /// A card in Microsoft Teams.
        Teams,
        /// A reply in WhatsApp.
        Whatsapp,
        /// A reply to an e-mail or a link in it.
        Email,
        /// A card in Google Chat.
        Gchat,
        /// A reply by SMS.
        Sms,
        /// A program that calls the API, or a rule of the tenant.
        Api,
    }
}

/// A decision on exactly one brief, plan, ticket or skill package. It is never changed; a new one follows it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "approvals", rename_all = "camelCase")]
#[graphql(name = "ApprovalRow")]
pub struct Model {
    /// The decision's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// What it is about; the id of that kind is set and the other three are null.
    pub subject_type: ApprovalSubject,
    /// The brief it is about; null when it is about something else.
    pub prd_id: Option<Id>,
    /// The plan it is about; null when it is about something else.
    pub plan_id: Option<Id>,
    /// The ticket it is about; null when it is about something else.
    pub ticket_id: Option<Id>,
    /// The skill package it is about; null when it is about something else.
    pub skill_package_id: Option<Id>,
    /// The project of what it is about; null for a skill package, which has none.
    pub project_id: Option<Id>,
    /// What was decided.
    pub decision: ApprovalDecision,
    /// Why; always given when the subject is redirected, else null when the person did not say.
    pub reason: Option<String>,
    /// Who decided; null when a rule did, when the channel's user is unknown here, or when the person is gone.
    pub user_id: Option<Id>,
    /// Who decided as written down then, such as `user:ada@example.com`; it outlives the person's account.
    pub actor: String,
    /// The e-mail address of who decided, as it was then; null when not known.
    pub actor_email: Option<String>,
    /// The person for whom a delegate decided; null when nobody was stood in for or the person is gone.
    pub on_behalf_of_user_id: Option<Id>,
    /// Through what the decision arrived.
    pub channel: ApprovalChannel,
    /// A link to the message that was answered; null for decisions made in the dashboard.
    #[graphql(skip)]
    pub message_link: Option<String>,
    /// Who decided in the channel's own terms, such as a Slack user id; null for the dashboard and the API.
    #[graphql(skip)]
    pub external_actor_ref: Option<String>,
    /// The version of the subject that was seen; 1 for subjects without versions.
    pub subject_version: i32,
    /// SHA-256, in hex, of the subject as it was seen; null for a decision of before digests were kept.
    pub subject_digest: Option<String>,
    /// What the decision changed, as `before` and `after`; empty when nothing but the status.
    #[graphql(skip)]
    pub diff: Large<Json<serde_json::Value>>,
    /// The tenant's rule that approved it without a person; null when a person decided.
    pub rule_matched: Option<String>,
    /// The key that makes a second click find this decision, unique within the tenant; null when none was sent.
    pub idempotency_key: Option<String>,
    /// When it was decided.
    pub created_at: Timestamp,
}

impl Model {
    /// Whether it was this person's decision, or made in this person's place: nobody's word counts twice.
    pub fn is_of(&self, person: &Id) -> bool {
        [&self.user_id, &self.on_behalf_of_user_id]
            .into_iter()
            .flatten()
            .any(|id| id == person)
    }
}

owned!(Approval, large[Diff]);
