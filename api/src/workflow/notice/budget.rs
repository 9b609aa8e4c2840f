//! What admins are told about budgets.

use super::{About, Notice, people, tell};
use crate::{domain::money, error::Result, store::Tx, workflow::references::all_of};
use entity::{
    BigInt, Owned,
    budget_counter::{self, BudgetKind},
    notification::NotificationType,
    project,
    user::{self, UserRole},
};
use sea_orm::{ActiveEnum, sea_query::ExprTrait};

/// Tells admins that most, or all, of what may be used in a month or on a day is used up.
pub(in crate::workflow) async fn budget(
    tx: &mut Tx<'_>,
    counter: &budget_counter::Model,
    project: Option<&project::Model>,
    is_all: bool,
) -> Result<()> {
    let cap = counter.told_cap.unwrap_or(BigInt(0));
    let amounts = |unit: fn(BigInt) -> String| [counter.used, counter.reserved, cap].map(unit);
    let tokens: fn(BigInt) -> String = |BigInt(tokens)| format!("{tokens} tokens");
    let dollars: fn(BigInt) -> String = |micros| format!("USD {}", money::usd(micros));
    let (whose, [used, reserved, cap], time) = match counter.kind {
        BudgetKind::TenantMonthCost => ("The workspace".to_owned(), amounts(dollars), "month"),
        BudgetKind::TenantDayTokens => ("The workspace".to_owned(), amounts(tokens), "day"),
        BudgetKind::RoleMonthTokens => (
            format!("The role {}", counter.key),
            amounts(tokens),
            "month",
        ),
        BudgetKind::ProjectMonthCost => {
            let name = project.map_or(counter.key.as_str(), |project| project.name.as_str());
            (format!("The project \"{name}\""), amounts(dollars), "month")
        }
    };
    let (kind, title, effect) = match is_all {
        true => (
            NotificationType::Escalation,
            format!("{whose} has used up its budget for the {time}"),
            "Its agents begin no new work until it is raised or the next one begins.",
        ),
        false => (
            NotificationType::Warning,
            format!("{whose} has used most of its budget for the {time}"),
            "When all of it is used, its agents begin no new work.",
        ),
    };
    let notice = Notice {
        kind,
        title,
        message: format!(
            "{used} used and {reserved} set aside of {cap} in {}. {effect}",
            counter.period
        ),
        // As often as the ledger tells of it.
        occasion: format!(
            "{} of {cap} {}",
            if is_all { "all" } else { "most" },
            tx.now()
        ),
        about: About {
            kind: budget_counter::Entity::KIND,
            id: &counter.id,
            project: project.map(|project| &project.id),
            brief: None,
        },
    };
    let admins = people(tx, |place| {
        let roles = [UserRole::Owner, UserRole::Admin].map(|role| role.to_value());
        all_of(place.column(user::Column::Role).is_in(roles))
    })
    .await?;
    let admins = admins.into_iter().map(|user| user.id).collect();
    tell(tx, admins, notice).await
}
