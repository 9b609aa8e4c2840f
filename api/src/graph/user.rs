//! The people of a tenant, what they may do and how they are reached.

use super::prelude::*;
use crate::auth::Action;
use entity::{Json, user};

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
    }
}
