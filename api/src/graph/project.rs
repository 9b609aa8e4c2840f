//! What a tenant's work is sorted into.

use super::prelude::*;

node! {
    /// A body of work with its own goals, meetings, briefs and tickets. Every tenant has one called `default`.
    Project in project (project, projects) {
        columns {
            id: IdFilter,
            name: StringFilter,
            slug: StringFilter,
            description: StringFilter,
            color: StringFilter,
            is_archived: BooleanFilter,
            brief_guidance: StringFilter,
            created_by_id: IdFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        one {
            /// The workspace the project belongs to.
            tenant: Tenant by tenant_id,
            /// Who made it; null when the system did or the person is gone.
            created_by: User by created_by_id,
        }
        single {
            /// The map of the project's code; null until one is built.
            graph: ProjectGraph by project_id,
        }
        many {
            /// What happened in this project.
            activity: AuditLog by project_id,
            /// What the project is for.
            goals: Goal by project_id,
            /// Meetings about the project.
            meetings: Meeting by project_id,
            /// Briefs for the project.
            prds: PRD by project_id,
            /// Plans made in the project.
            execution_plans: ExecutionPlan by project_id,
            /// Work in the project.
            tickets: Ticket by project_id,
            /// Runs of agents in the project.
            agent_jobs: AgentJob by project_id,
            /// Tasks of the first generation.
            #[graphql(deprecation = "Use `agentJobs`: tasks of the first generation are no longer made.")]
            agent_tasks: AgentTask by project_id,
            /// Decisions in the project, newest first.
            approvals: Approval by project_id,
            /// Where messages about the project go.
            channel_routes: ChannelRoute by project_id,
            /// What people were told about the project.
            notifications: Notification by project_id,
            /// Who wants to be told about the project.
            notification_subscriptions: NotificationSubscription by project_id,
            /// Model calls spent on the project.
            api_usages: ApiUsage by project_id,
        }
    }
}
