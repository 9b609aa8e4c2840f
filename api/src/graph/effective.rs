//! The library as it counts for the workspace: its own rows in place of the global ones with the same slug.

use super::{Node, figures::calendar, found, prelude::*, shared::count, spending::BudgetState};
use crate::{
    auth::Action,
    domain::budget::Budget,
    store::{Effective, Filter, Scope, at_most},
};
use async_graphql::{ComplexObject, Object, SimpleObject};
use entity::{BigInt, Id, agent_role, api_usage, skill_package, subagent_definition};
use sea_orm::{EntityTrait, sea_query::ExprTrait};
use std::collections::HashMap;
use tokio::sync::OnceCell;

/// How many rows come when the query does not say, and how many can.
const MOST_ROWS: u64 = 500;

/// Declares the type of a row that counts: `Type { field: NodeType } fields { … }`.
macro_rules! effective {
    (
        $(#[$doc:meta])*
        $name:ident { $(#[$field_doc:meta])* $field:ident: $node:ident $(, $more:ident: $more_type:ty)? }
        $(fields { $($fields:tt)* })?
    ) => {
        $(#[$doc])*
        #[derive(SimpleObject)]
        #[graphql(complex)]
        pub struct $name {
            $(#[$field_doc])*
            $field: $node,
            /// Whether it is the workspace's own and replaces a global one with the same slug.
            is_override: bool,
            #[graphql(skip)]
            replaces: Option<Id>,
            $(#[graphql(skip)] $more: $more_type,)?
        }

        #[ComplexObject]
        impl $name {
            /// The global one that it replaces; null when it replaces none.
            async fn overrides(&self, ctx: &Context<'_>) -> Nullable<$node> {
                Ok(found::one(ctx, self.replaces.as_ref()).await?)
            }
            $($($fields)*)?
        }
    };
}

effective! {
    /// A role as it counts for the workspace: its own, or a global one that it has not replaced.
    EffectiveAgentRole {
        /// The role.
        role: AgentRole,
        use_of: UseOf
    }
    fields {
        /// What the role has used this month, by whichever row it counted then, held against its budget. For admins;
        /// null for others.
        async fn used_this_month(&self, ctx: &Context<'_>) -> Nullable<RoleUsage> {
            if !ctx.may(Action::ReadAllCosts) {
                return Ok(None);
            }
            let UseOf { role, month } = &self.use_of;
            Ok(Some(month.of(ctx.scope(), role).await?))
        }
    }
}

effective! {
    /// A skill of the library as it counts for the workspace: its own, or a global one that it has not replaced.
    EffectiveSkillPackage {
        /// The skill.
        skill_package: SkillPackage
    }
}

effective! {
    /// A specialist as it counts for the workspace: its own, or a global one that it has not replaced.
    EffectiveSubagent {
        /// The specialist.
        subagent: SubagentDefinition
    }
}

/// What a role has used this month, held against its budget.
#[derive(SimpleObject, Clone, Debug)]
pub struct RoleUsage {
    /// How many tokens its calls sent and received.
    tokens: BigInt,
    /// What they cost, in millionths of a US dollar.
    cost_micros: BigInt,
    /// How many calls there were, successful or not.
    calls: i32,
    /// How much of the role's monthly budget is used, in percent, with two decimals; null when it has none.
    percent: Option<f64>,
    /// How many tokens are left of it, and 0 when it is overdrawn; null when there is no budget.
    remaining_tokens: Option<BigInt>,
    /// How far it is used up.
    state: BudgetState,
}

/// What the roles of a list have used this month: one statement for all of them, when the first one is asked about.
struct RoleMonth {
    slugs: Vec<String>,
    used: OnceCell<HashMap<String, Used>>,
}

/// Where to find what a role has used.
struct UseOf {
    role: Arc<agent_role::Model>,
    month: Arc<RoleMonth>,
}

#[derive(Clone, Copy, Default)]
struct Used {
    tokens: i64,
    cost_micros: i64,
    calls: i64,
}

impl RoleMonth {
    async fn of(&self, scope: &Scope, role: &agent_role::Model) -> crate::Result<RoleUsage> {
        let used = self.used.get_or_try_init(|| self.fetch(scope)).await?;
        let used = used.get(&role.slug).copied().unwrap_or_default();
        let budget = Budget::new(used.tokens, role.monthly_budget_tokens);
        Ok(RoleUsage {
            tokens: BigInt(used.tokens),
            cost_micros: BigInt(used.cost_micros),
            calls: count(used.calls),
            percent: budget.percent(),
            remaining_tokens: budget.remaining().map(BigInt),
            state: budget.state().into(),
        })
    }

    async fn fetch(&self, scope: &Scope) -> crate::Result<HashMap<String, Used>> {
        use api_usage::Column;
        let month = calendar(scope).await?.month_around(scope.now());
        let groups = scope
            .figures::<api_usage::Entity>(|ask| {
                ask.within(Column::CreatedAt, month);
                ask.any_of(Column::RoleSlug, self.slugs.iter().map(String::as_str));
                ask.group("role", ask.column(Column::RoleSlug));
                let sent = ask.column(Column::InputTokens);
                ask.sum("tokens", sent.add(ask.column(Column::OutputTokens)));
                ask.sum("costMicros", ask.column(Column::CostMicros));
                ask.count("calls");
            })
            .await?;
        let mut out = HashMap::with_capacity(groups.len());
        for group in groups {
            let used = Used {
                tokens: group.number("tokens")?,
                cost_micros: group.number("costMicros")?,
                calls: group.number("calls")?,
            };
            out.extend(group.text("role")?.map(|role| (role, used)));
        }
        Ok(out)
    }
}

/// The root fields for the library as it counts.
#[derive(Default)]
pub struct EffectiveQuery;

#[Object]
impl EffectiveQuery {
    /// The roles that count for the workspace, by slug: its own, and the global ones it has no role of that slug for.
    async fn effective_agent_roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many roles: 500 if not given, which is the most.")] first: Option<i32>,
        #[graphql(desc = "Only roles after this slug.")] after_slug: Option<String>,
        #[graphql(desc = "Only roles that satisfy this, among those that count.")]
        filter: FilterArgument<FilterOf<AgentRole>>,
    ) -> Nullable<Vec<EffectiveAgentRole>> {
        let slug = agent_role::Column::Slug;
        let rows = rows(ctx, slug, first, after_slug, filter).await?;
        let month = Arc::new(RoleMonth {
            slugs: rows.iter().map(|found| found.row.slug.clone()).collect(),
            used: OnceCell::new(),
        });
        let role = |found: Effective<agent_role::Entity>| EffectiveAgentRole {
            use_of: UseOf {
                role: found.row.clone(),
                month: month.clone(),
            },
            role: AgentRole::of(&found.row),
            is_override: found.replaces.is_some(),
            replaces: found.replaces,
        };
        Ok(Some(rows.into_iter().map(role).collect()))
    }

    /// The skills of the library that count for the workspace, by slug: its own, and the global ones it has no skill of
    /// that slug for.
    async fn effective_skill_packages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many skills: 500 if not given, which is the most.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only skills after this slug.")] after_slug: Option<String>,
        #[graphql(desc = "Only skills that satisfy this, among those that count.")]
        filter: FilterArgument<FilterOf<SkillPackage>>,
    ) -> Nullable<Vec<EffectiveSkillPackage>> {
        let slug = skill_package::Column::Slug;
        let rows = rows(ctx, slug, first, after_slug, filter).await?;
        let skill = |found: Effective<skill_package::Entity>| EffectiveSkillPackage {
            skill_package: SkillPackage::of(&found.row),
            is_override: found.replaces.is_some(),
            replaces: found.replaces,
        };
        Ok(Some(rows.into_iter().map(skill).collect()))
    }

    /// The specialists that count for the workspace, by slug: its own, and the global ones it has no specialist of that
    /// slug for.
    async fn effective_subagents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many specialists: 500 if not given, which is the most.")]
        first: Option<i32>,
        #[graphql(desc = "Only specialists after this slug.")] after_slug: Option<String>,
        #[graphql(desc = "Only specialists that satisfy this, among those that count.")]
        filter: FilterArgument<FilterOf<SubagentDefinition>>,
    ) -> Nullable<Vec<EffectiveSubagent>> {
        let slug = subagent_definition::Column::Slug;
        let rows = rows(ctx, slug, first, after_slug, filter).await?;
        let subagent = |found: Effective<subagent_definition::Entity>| EffectiveSubagent {
            subagent: SubagentDefinition::of(&found.row),
            is_override: found.replaces.is_some(),
            replaces: found.replaces,
        };
        Ok(Some(rows.into_iter().map(subagent).collect()))
    }
}

async fn rows<N: Node>(
    ctx: &Context<'_>,
    slug: <N::Entity as EntityTrait>::Column,
    first: Option<i32>,
    after: Option<String>,
    filter: FilterArgument<FilterOf<N>>,
) -> crate::Result<Vec<Effective<N::Entity>>> {
    let first = at_most("The number of rows", "first", first, MOST_ROWS, MOST_ROWS)?;
    let scope = ctx.scope();
    let filter = filter.given()?;
    let filter = filter.as_ref().map(|filter| filter.get() as &dyn Filter);
    scope.effective(slug, filter, after.as_deref(), first).await
}
