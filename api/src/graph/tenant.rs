//! The companies that use the product, each with its settings and budgets.

use super::prelude::*;
use super::{
    shared::{at_least_one, within},
    write::{Once, Write, given, mutations, patch},
};
use crate::{
    Error,
    auth::Action,
    store::Tx,
    workflow::{self, all_of},
};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{
    BigInt, Id, Json, Timestamp, project,
    tenant::{self, Delegation, TenantSettings},
    tenant_feed,
    user::{self, UserRole},
};
use sea_orm::{ActiveValue::Set, sea_query::ExprTrait};
use std::collections::BTreeSet;

node! {
    /// A company and everything it owns; nothing of one tenant can be seen by another.
    Tenant in tenant (tenant, tenants) {
        columns {
            id: IdFilter,
            name: StringFilter,
            slug: StringFilter,
            monthly_spend_cap_micros: BigIntFilter,
            daily_token_budget: BigIntFilter,
            timezone: StringFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
        many {
            /// The workspace's people.
            users: User by tenant_id,
            /// The workspace's projects.
            projects: Project by tenant_id,
            /// The workspace's goals, over all projects.
            goals: Goal by tenant_id,
            /// The tokens of the workspace's agents.
            agent_tokens: AgentToken by tenant_id,
            /// The tokens of the company's own programs.
            service_tokens: ServiceToken by tenant_id,
            /// What the workspace is connected to.
            integration_connections: IntegrationConnection by tenant_id,
            /// Calls of providers, over all projects.
            api_usages: ApiUsage by tenant_id,
        }
    }
    fields {

        /// How far the workspace's ledger has come; null before its first entry.
        async fn feed(&self, ctx: &Context<'_>) -> Nullable<Arc<tenant_feed::Model>> {
            Ok(ctx.scope().find::<tenant_feed::Entity>(&self.id()?).await?)
        }
    }
}

/// What may be used of models. What is left out stays.
#[derive(InputObject, Clone)]
pub struct UpdateBudgetsInput {
    /// What model calls may cost in a month, in millionths of a US dollar, at least 1; null takes the cap away.
    monthly_spend_cap_micros: MaybeUndefined<BigInt>,
    /// How many tokens model calls may send and receive on a day, at least 1; null takes the budget away.
    daily_token_budget: MaybeUndefined<BigInt>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for UpdateBudgetsInput {
    type Entity = tenant::Entity;
    const ACTION: Action = Action::SetBudgets;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<tenant::Model> {
        let before = workspace(tx).await?;
        let changes = tenant::ActiveModel {
            monthly_spend_cap_micros: patch(self.monthly_spend_cap_micros, |cap| {
                at_least_one("monthlySpendCapMicros", cap)
            })?,
            daily_token_budget: patch(self.daily_token_budget, |budget| {
                at_least_one("dailyTokenBudget", budget)
            })?,
            ..Default::default()
        };
        let after = tx.update(&before, changes, "settings.updated").await?;
        workflow::tell_all(tx).await?;
        Ok(after)
    }
}

/// How many people must approve, and what a rule approves. What is left out stays.
#[derive(InputObject, Clone)]
pub struct UpdateApprovalRulesInput {
    /// How many different people must approve the same version of a brief, 1 to 5.
    required_brief_approvals: MaybeUndefined<i32>,
    /// How many different people must approve a plan, 1 to 5.
    required_plan_approvals: MaybeUndefined<i32>,
    /// How many different people must approve a ticket's result, 1 to 5.
    required_ticket_approvals: MaybeUndefined<i32>,
    /// Hours after which those who decide are told of what still waits for them, 1 to 720; null means that they never are.
    approval_due_hours: MaybeUndefined<i32>,
    /// Whether anything is approved by a rule.
    auto_approval: MaybeUndefined<bool>,
    /// A brief that is handed in with this confidence or more is approved by a rule, from 0 to 1.
    auto_approve_above: MaybeUndefined<f64>,
    /// A brief below this confidence always waits for a person, from 0 to 1.
    require_human_below: MaybeUndefined<f64>,
    /// The projects in which rules approve, at most 100; null means all.
    auto_approval_project_ids: MaybeUndefined<Vec<Id>>,
    /// A plan that is estimated to cost at most so much is approved by a rule, in millionths of a US dollar, if rules may
    /// approve for each role in it; null means that none is.
    most_plan_cost_micros: MaybeUndefined<BigInt>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for UpdateApprovalRulesInput {
    type Entity = tenant::Entity;
    const ACTION: Action = Action::SetApprovals;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<tenant::Model> {
        let before = workspace(tx).await?;
        let mut settings = before.settings.0.clone();
        let people = [
            (
                "requiredBriefApprovals",
                self.required_brief_approvals,
                &mut settings.required_approvals.brief,
            ),
            (
                "requiredPlanApprovals",
                self.required_plan_approvals,
                &mut settings.required_approvals.plan,
            ),
            (
                "requiredTicketApprovals",
                self.required_ticket_approvals,
                &mut settings.required_approvals.ticket,
            ),
        ];
        for (field, wanted, place) in people {
            if let Some(wanted) = given(field, wanted)? {
                *place = within(field, wanted, 1, 5)?;
            }
        }
        let thresholds = &mut settings.approval_thresholds;
        let shares = [
            (
                "autoApproveAbove",
                self.auto_approve_above,
                &mut thresholds.auto_approve_above,
            ),
            (
                "requireHumanBelow",
                self.require_human_below,
                &mut thresholds.require_human_below,
            ),
        ];
        for (field, wanted, place) in shares {
            if let Some(wanted) = given(field, wanted)? {
                // So that nothing has no sign: the databases differ in what they keep of it.
                *place = within(field, wanted, 0.0, 1.0)? + 0.0;
            }
        }
        match self.approval_due_hours {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => settings.approval_due_hours = None,
            MaybeUndefined::Value(hours) => {
                settings.approval_due_hours = Some(within("approvalDueHours", hours, 1, 720)?);
            }
        }
        let rules = &mut settings.auto_approval;
        if let Some(enabled) = given("autoApproval", self.auto_approval)? {
            rules.enabled = enabled;
        }
        match self.auto_approval_project_ids {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => rules.project_ids = None,
            MaybeUndefined::Value(ids) => {
                if ids.len() > 100 {
                    return Err(Error::bad_input(
                        "autoApprovalProjectIds",
                        "names more than 100",
                    ));
                }
                let distinct: BTreeSet<&str> = ids.iter().map(Id::as_str).collect();
                let number = distinct.len();
                let found = tx
                    .unlocked_rows::<project::Entity>(|place| {
                        all_of(place.column(project::Column::Id).is_in(distinct))
                    })
                    .await?;
                if found.len() != number {
                    return Err(Error::NotFound { kind: "Project" });
                }
                rules.project_ids = Some(ids);
            }
        }
        match self.most_plan_cost_micros {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => rules.most_plan_cost_micros = None,
            MaybeUndefined::Value(BigInt(most)) if most < 0 => {
                return Err(Error::bad_input("mostPlanCostMicros", "cannot be negative"));
            }
            MaybeUndefined::Value(most) => rules.most_plan_cost_micros = Some(most),
        }
        set(tx, &before, settings).await
    }
}

/// Who decides in place of whoever sends this.
#[derive(InputObject, Clone)]
pub struct SetDelegateInput {
    /// The member who decides in your place; null ends whatever delegation there is, also somebody else's.
    user_id: MaybeUndefined<Id>,
    /// When that ends; needed with a member, and in the future.
    until: Option<Timestamp>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for SetDelegateInput {
    type Entity = tenant::Entity;
    const ACTION: Action = Action::SetApprovals;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<tenant::Model> {
        let before = workspace(tx).await?;
        let admin = tx.scope().actor().user_id().cloned();
        let delegation = match (self.user_id, admin) {
            (MaybeUndefined::Null, _) => None,
            (MaybeUndefined::Value(user), Some(admin)) => {
                let until = self.until.filter(|until| tx.now() < *until);
                let until = until.ok_or_else(|| {
                    Error::bad_input("until", "is needed: a moment in the future")
                })?;
                if tx.keep::<user::Entity>(&user).await?.role != UserRole::Member {
                    return Err(Error::bad_input(
                        "userId",
                        "must be a member's: admins decide anyway, and viewers never",
                    ));
                }
                let other = before.settings.0.delegation.as_ref();
                let other = other.filter(|other| tx.now() < other.until);
                if other.is_some_and(|other| other.for_user_id != admin) {
                    return Err(Error::Conflict(
                        "Somebody else has a delegate, and a workspace has one at a time. End that delegation first, by \
                         `userId: null`."
                            .to_owned(),
                    ));
                }
                Some(Delegation {
                    user_id: user,
                    for_user_id: admin,
                    until,
                })
            }
            (MaybeUndefined::Undefined, _) | (_, None) => {
                return Err(Error::bad_input("userId", "is needed, or null"));
            }
        };
        let settings = TenantSettings {
            delegation,
            ..before.settings.0.clone()
        };
        set(tx, &before, settings).await
    }
}

/// The actor's workspace. Others that change its settings wait, those that decide by them, and who looks for a free slug.
///
/// # Errors
/// If the database fails.
pub(super) async fn workspace(tx: &Tx<'_>) -> crate::Result<tenant::Model> {
    tx.lock_workspace().await?;
    let id = tx.scope().actor().tenant();
    let found = tx.find::<tenant::Entity>(id).await?;
    found.ok_or(Error::NotFound { kind: "Tenant" })
}

/// Changes the workspace's settings.
///
/// # Errors
/// If the database fails.
pub(super) async fn set(
    tx: &mut Tx<'_>,
    before: &tenant::Model,
    settings: TenantSettings,
) -> crate::Result<tenant::Model> {
    let changes = tenant::ActiveModel {
        settings: Set(Json(settings)),
        ..Default::default()
    };
    tx.update(before, changes, "settings.updated").await
}

mutations! { TenantMutation {
    /// Says what may be used of models in a month and on a day. When it is used up, agents begin no new work; what they have
    /// they finish. See `budgets`.
    update_budgets(UpdateBudgetsInput) -> UpdateBudgetsPayload { tenant: Tenant };
    /// Says how many people must approve what, and what a rule approves without one.
    update_approval_rules(UpdateApprovalRulesInput) -> UpdateApprovalRulesPayload { tenant: Tenant };
    /// Lets a member decide in your place until a day you name, or ends that.
    set_delegate(SetDelegateInput) -> SetDelegatePayload { tenant: Tenant };
} }
