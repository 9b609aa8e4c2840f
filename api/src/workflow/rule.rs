//! What the workspace's rules approve without a person.

use super::decision::{Decided, Decision, record, take};
use crate::{domain::machine::Step, error::Result, store::Tx};
use entity::{
    BigInt, Id,
    approval::{self, ApprovalChannel},
    execution_plan, prd,
    tenant::TenantSettings,
};
use sea_orm::{ActiveValue::Set, EntityTrait};

/// The part of the server that acts by rules.
const COMPONENT: &str = "auto_approve";

/// The rule that approves a brief, in words.
pub(super) fn for_brief(settings: &TenantSettings, brief: &prd::Model) -> Option<String> {
    let thresholds = &settings.approval_thresholds;
    let least = thresholds
        .auto_approve_above
        .max(thresholds.require_human_below);
    let holds = applies(settings, &brief.project_id)
        && settings.required_approvals.brief == 1
        // What a person wrote, no model is sure of.
        && brief.confidence > 0.0
        && brief.confidence >= least;
    holds.then(|| format!("The confidence {} is at least {least}.", brief.confidence))
}

/// The rule that approves a plan whose steps all have roles that rules may approve, in words.
pub(super) fn for_plan(
    settings: &TenantSettings,
    plan: &execution_plan::Model,
    roles_may: bool,
) -> Option<String> {
    let most = settings.auto_approval.most_plan_cost_micros?;
    let BigInt(cost) = plan.estimated_cost_micros?;
    let holds = applies(settings, &plan.project_id)
        && settings.required_approvals.plan == 1
        && roles_may
        && cost <= most.0;
    holds.then(|| {
        format!(
            "The estimated cost of {cost} micro-USD is at most {}, and rules may approve for all of its roles.",
            most.0
        )
    })
}

fn applies(settings: &TenantSettings, project: &Id) -> bool {
    let rules = &settings.auto_approval;
    let everywhere = rules.project_ids.is_none();
    rules.enabled && (everywhere || rules.project_ids.iter().flatten().any(|id| id == project))
}

/// Decides as a rule says.
pub(super) async fn decide<T: Decision>(
    tx: &mut Tx<'_>,
    step: T,
    row: <<T as Step>::Entity as EntityTrait>::Model,
    rule: String,
) -> Result<<<T as Step>::Entity as EntityTrait>::Model> {
    tx.begin_by_itself(COMPONENT);
    let decided = Decided {
        user: None,
        at: tx.now(),
        reason: None,
    };
    let made = approval::ActiveModel {
        channel: Set(ApprovalChannel::Api),
        rule_matched: Set(Some(rule)),
        ..Default::default()
    };
    record(tx, step, &row, &decided, made).await?;
    let row = take(tx, step, row, decided).await;
    tx.end_by_itself();
    row
}
