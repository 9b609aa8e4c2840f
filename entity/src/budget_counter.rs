//! `budget_counters`: what was used in a month or on a day of what may be.

use crate::prelude::*;

text_enum! {
    /// What is limited.
    BudgetKind {
        /// What a workspace's calls cost in a month, in millionths of a US dollar.
        TenantMonthCost,
        /// How many tokens a workspace's calls send and receive on a day.
        TenantDayTokens,
        /// How many tokens the calls of a role send and receive in a month.
        RoleMonthTokens,
        /// What the calls for a project cost in a month, in millionths of a US dollar.
        ProjectMonthCost,
    }
}

/// What was used, and is set aside, in a month or on a day. It is kept by the transactions that record calls and set aside
/// for them.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, SimpleObject)]
#[sea_orm(table_name = "budget_counters", rename_all = "camelCase")]
#[graphql(name = "BudgetCounterRow")]
pub struct Model {
    /// The counter's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// Whose row it is.
    #[graphql(skip)]
    pub tenant_id: Id,
    /// What it counts.
    pub kind: BudgetKind,
    /// Of which role, by its slug, or of which project, by its id; empty for the whole workspace.
    pub key: String,
    /// In which month, such as `2026-05`, or on which day, such as `2026-05-04`, in the workspace's timezone.
    pub period: String,
    /// What was used, in tokens or in millionths of a US dollar.
    pub used: BigInt,
    /// What is set aside for calls that are not recorded yet, in the same unit.
    pub reserved: BigInt,
    /// When people were told that most of what may be used is; null as long as they were not.
    pub warned_at: Option<Timestamp>,
    /// When people were told that all of what may be used is; null as long as they were not.
    pub exceeded_at: Option<Timestamp>,
    /// What could be used when people were told last; null as long as they were not.
    pub told_cap: Option<BigInt>,
    /// When something was counted first.
    pub created_at: Timestamp,
    /// When something was counted last.
    pub updated_at: Timestamp,
}

owned!(BudgetCounter);
