//! The people of a tenant, what they may do and how they are reached.

use super::{
    prelude::*,
    write::{Delete, Once, Write, change, deletions, given, mutations, patch},
};
use crate::{
    auth::{Action, LONGEST_NAME},
    domain::check,
    error::Error,
    store::Tx,
    workflow,
};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{
    Id, Json,
    user::{self, ChannelIds},
};
use sea_orm::ActiveValue::{NotSet, Set};

node! {
    /// A person who belongs to a tenant.
    User in user (user, users) {
        columns {
            id: IdFilter,
            email: StringFilter,
            name: StringFilter,
            role: EnumFilter<user::UserRole>,
            preferred_channel: EnumFilter<user::PreferredChannel>,
            persona: EnumFilter<user::UserPersona>,
            has_seen_tour: BooleanFilter,
            last_login_at: DateTimeFilter,
            token_version: IntFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        single {
            /// The person's connected Google account; null when none is.
            google_oauth_token: GoogleOAuthToken by user_id,
        }
        many {
            /// Invitations this person sent.
            sent_invitations: Invitation by invited_by_id,
            /// Invitations this account came from.
            accepted_invitations: Invitation by accepted_by_id,
            /// Agent tokens this person made.
            created_agent_tokens: AgentToken by created_by_id,
            /// Service tokens that they made.
            created_service_tokens: ServiceToken by created_by_id,
            /// Sessions and one-time tokens of this person, without their values.
            auth_tokens: AuthToken by user_id,
            /// What this person did.
            activity: AuditLog by user_id,
            /// Projects this person made.
            created_projects: Project by created_by_id,
            /// Goals this person wrote.
            created_goals: Goal by created_by_id,
            /// Meetings this person brought in.
            uploaded_meetings: Meeting by uploaded_by_id,
            /// Transcript versions this person edited.
            edited_transcripts: Transcript by edited_by_id,
            /// Transcription jobs this person asked for.
            requested_transcriptions: WhisperTranscription by requested_by_id,
            /// Playbooks this person wrote.
            created_skills: Skill by created_by_id,
            /// Versions of roles this person made.
            created_agent_role_versions: AgentRoleVersion by created_by_id,
            /// Briefs this person paused.
            paused_prds: PRD by paused_by_id,
            /// Briefs this person wrote.
            created_prds: PRD by created_by_id,
            /// Briefs this person decided last.
            decided_prds: PRD by decided_by_id,
            /// Plans this person paused.
            paused_execution_plans: ExecutionPlan by paused_by_id,
            /// Tickets whose results this person approved.
            approved_tickets: Ticket by approved_by_id,
            /// What this person decided, newest first.
            approvals: Approval by user_id,
            /// What delegates decided on this person's behalf.
            approvals_by_delegates: Approval by on_behalf_of_user_id,
            /// Questions this person answered.
            answered_clarifications: ClarificationRequest by responded_by_id,
            /// Services this person connected.
            connected_integrations: IntegrationConnection by connected_by_id,
            /// What this person was told, newest first.
            notifications: Notification by user_id,
            /// What this person wants to be told, and how.
            notification_subscriptions: NotificationSubscription by user_id,
            /// Schedules this person set up.
            created_scheduled_jobs: ScheduledJob by created_by_id,
            /// Model calls made on this person's behalf.
            api_usages: ApiUsage by user_id,
        }
    }
    fields {

        /// How to reach the person on each channel; for admins and the person alone, null for others.
        async fn channel_ids(&self, ctx: &Context<'_>) -> Nullable<Json<user::ChannelIds>> {
            let (row, actor) = (self.row()?, ctx.scope().actor());
            let own = actor.user_id() == Some(&row.id);
            Ok((own || ctx.may(Action::ReadAudit)).then_some(row.channel_ids))
        }

        /// Who the person is at the provider that they sign in through; for admins and the person alone, null for others and for
        /// who never signed in through one.
        async fn identity(&self, ctx: &Context<'_>) -> Nullable<user::UserIdentity> {
            let (row, actor) = (self.row()?, ctx.scope().actor());
            let sees = actor.user_id() == Some(&row.id) || ctx.may(Action::ReadAudit);
            let known = row.identity_issuer.zip(row.identity_subject);
            Ok(known.filter(|_| sees).map(|(issuer, subject)| user::UserIdentity { issuer, subject }))
        }
    }
}

/// What a person is called on the channels that reach them. What is left out stays, null takes it away.
#[derive(InputObject, Clone)]
pub struct ChannelIdsInput {
    /// Their Slack user id, such as `U024BE7LH`, 1 to 100 characters.
    slack: MaybeUndefined<String>,
    /// An e-mail address other than the one they sign in with.
    email: MaybeUndefined<String>,
    /// Their WhatsApp number in international form, such as `+4915112345678`.
    whatsapp: MaybeUndefined<String>,
    /// Their Microsoft Teams user id, 1 to 320 characters.
    teams: MaybeUndefined<String>,
    /// The number for text messages in international form.
    sms: MaybeUndefined<String>,
    /// Their Google Chat user id, 1 to 320 characters.
    gchat: MaybeUndefined<String>,
}

impl ChannelIdsInput {
    /// The ids after these changes.
    fn over(self, mut ids: ChannelIds) -> crate::Result<ChannelIds> {
        type Checked = fn(&str, &str) -> crate::Result<String>;
        let name: Checked = |field, value| check::line(field, value, 1, 320);
        let changes: [(_, _, &mut Option<String>, Checked); 6] = [
            ("slack", self.slack, &mut ids.slack, |field, value| {
                check::line(field, value, 1, 100)
            }),
            ("email", self.email, &mut ids.email, check::email),
            ("whatsapp", self.whatsapp, &mut ids.whatsapp, check::phone),
            ("teams", self.teams, &mut ids.teams, name),
            ("sms", self.sms, &mut ids.sms, check::phone),
            ("gchat", self.gchat, &mut ids.gchat, name),
        ];
        for (channel, change, id, checked) in changes {
            match change {
                MaybeUndefined::Undefined => {}
                MaybeUndefined::Null => *id = None,
                MaybeUndefined::Value(value) => {
                    *id = Some(checked(&format!("channelIds.{channel}"), &value)?);
                }
            }
        }
        Ok(ids)
    }
}

/// Changes to your own account. What is left out stays.
#[derive(InputObject, Clone)]
pub struct UpdateProfileInput {
    /// What you are called, 1 to 100 characters.
    name: MaybeUndefined<String>,
    /// Where you want to be reached first.
    preferred_channel: MaybeUndefined<user::PreferredChannel>,
    /// What you are called on the channels that reach you.
    channel_ids: MaybeUndefined<ChannelIdsInput>,
    /// What you do in the company, which decides the questions you are asked; null when that is nobody's business.
    persona: MaybeUndefined<user::UserPersona>,
    /// Whether you were shown around the product.
    has_seen_tour: MaybeUndefined<bool>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for UpdateProfileInput {
    type Entity = user::Entity;
    const ACTION: Action = Action::EditAccount;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<user::Model> {
        let id = tx.scope().actor().user_id().cloned();
        let id = id.ok_or_else(|| Error::Forbidden("Only people have profiles.".to_owned()))?;
        let before = tx.get_gently::<user::Entity>(&id).await?;
        let changes = user::ActiveModel {
            name: change("name", self.name, |name| {
                check::line("name", &name, 1, LONGEST_NAME)
            })?,
            preferred_channel: change("preferredChannel", self.preferred_channel, Ok)?,
            channel_ids: match given("channelIds", self.channel_ids)? {
                Some(ids) => Set(Json(ids.over(before.channel_ids.0.clone())?)),
                None => NotSet,
            },
            persona: patch(self.persona, Ok)?,
            has_seen_tour: change("hasSeenTour", self.has_seen_tour, Ok)?,
            ..Default::default()
        };
        tx.update(&before, changes, "user.updated").await
    }
}

/// Who gets which role.
#[derive(InputObject, Clone)]
pub struct ChangeUserRoleInput {
    /// The person.
    user_id: Id,
    /// What they may do from now on. Only owners make owners, and only owners take that from them.
    role: user::UserRole,
    #[graphql(flatten)]
    once: Once,
}

impl Write for ChangeUserRoleInput {
    type Entity = user::Entity;
    const ACTION: Action = Action::ManagePeople;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<user::Model> {
        workflow::change_role(tx, &self.user_id, self.role).await
    }
}

/// To whom you hand the workspace over.
#[derive(InputObject, Clone)]
pub struct TransferOwnershipInput {
    /// The person who becomes an owner.
    user_id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Write for TransferOwnershipInput {
    type Entity = user::Entity;
    // Whoever did it is an owner no more, and is answered again.
    const ACTION: Action = Action::ManagePeople;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<user::Model> {
        workflow::transfer(tx, &self.user_id).await
    }
}

mutations! { UserMutation {
    /// Changes your own account.
    update_profile(UpdateProfileInput) -> UpdateProfilePayload { user: User };
    /// Gives a person another role. Their sessions end, so that they sign in again. Refused with the reason `LAST_OWNER` where
    /// the workspace would have no owner.
    change_user_role(ChangeUserRoleInput) -> ChangeUserRolePayload { user: User };
    /// Makes somebody an owner in your place, and you an admin. For owners.
    transfer_ownership(TransferOwnershipInput) -> TransferOwnershipPayload { user: User };
} }

/// Who is removed.
#[derive(InputObject, Clone)]
pub struct RemoveUserInput {
    /// The person; an owner only by owners.
    user_id: Id,
    #[graphql(flatten)]
    once: Once,
}

impl Delete for RemoveUserInput {
    const ACTION: Action = Action::ManagePeople;

    fn id(&self) -> &Id {
        &self.user_id
    }

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<()> {
        workflow::remove_user(tx, &self.user_id).await
    }
}

deletions! { UserDeletionMutation {
    /// Removes a person from the workspace: their sessions and streams end, and their notifications go. What they wrote and
    /// decided stays, under their address in the ledger. Agents go on with the tokens that they made. Refused with the reason
    /// `LAST_OWNER` for the last owner.
    remove_user(RemoveUserInput) -> RemoveUserPayload;
} }
