//! The caps that there are, and how far they are used up.

use super::{Amount, Limited, OnBudget, month_of};
use crate::{
    domain::{budget::Budget, calendar::Calendar},
    error::{Error, Result},
    store::{
        Scope, Tx,
        loaders::{Question, View},
        select::{self, Place},
    },
};
use entity::{BigInt, Id, Timestamp, budget_counter::BudgetKind, tenant};
use sea_orm::{
    ActiveEnum, ConnectionTrait, DbBackend, QueryResult, Statement, StatementBuilder, Value,
    sea_query::ExprTrait,
};
use std::{collections::HashMap, sync::Arc};

/// The most caps that are shown at once.
const MOST: u64 = 200;

/// A cap, and how far it is used up.
#[derive(Clone, Debug)]
pub(crate) struct Cap {
    pub(crate) limited: Limited,
    /// What may be used; without it, as much as anybody likes.
    pub(crate) cap: Option<i64>,
    pub(crate) amount: Amount,
    pub(crate) warned_at: Option<Timestamp>,
    pub(crate) exceeded_at: Option<Timestamp>,
    /// What could be used when people were told last.
    pub(crate) told_cap: Option<i64>,
}

impl Cap {
    /// What was used, held against what may be.
    pub(crate) fn used(&self) -> Budget {
        Budget::new(self.amount.used, self.cap.map(BigInt))
    }

    /// The same with what is set aside: what decides whether anything new begins.
    pub(crate) fn taken(&self) -> Budget {
        let Amount { used, reserved } = self.amount;
        Budget::new(used.saturating_add(reserved), self.cap.map(BigInt))
    }

    /// Whether more is used and set aside than may be.
    pub(crate) fn is_overdrawn(&self) -> bool {
        let taken = self.taken();
        taken.limit.is_some_and(|cap| taken.used > cap)
    }

    fn read(row: &QueryResult) -> Result<Self> {
        let kind: String = row.try_get("", "kind")?;
        Ok(Self {
            limited: Limited {
                kind: BudgetKind::try_from_value(&kind)?,
                key: row.try_get("", "key")?,
                period: row.try_get("", "period")?,
            },
            cap: row.try_get("", "cap")?,
            amount: Amount {
                used: row.try_get("", "used")?,
                reserved: row.try_get("", "reserved")?,
            },
            warned_at: row.try_get("", "warnedAt")?,
            exceeded_at: row.try_get("", "exceededAt")?,
            told_cap: row.try_get("", "toldCap")?,
        })
    }
}

/// Which caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Which {
    /// The workspace's own, also where it has none, and all that roles and projects have.
    All,
    /// Those of which nothing is left.
    Spent,
}

/// The caps of a month and a day, read by one statement.
struct ReadCaps<'r> {
    tenant: &'r Id,
    day: &'r str,
    whose: Whose<'r>,
}

enum Whose<'r> {
    Everyones(Which),
    /// Those that calls for this role and this project count to.
    Of(&'r str, Option<&'r Id>),
}

impl StatementBuilder for ReadCaps<'_> {
    fn build(&self, backend: &DbBackend) -> Statement {
        let mut values: Vec<Value> = vec![
            self.tenant.as_str().into(),
            month_of(self.day).into(),
            self.day.into(),
        ];
        let (role, project, condition, limit) = match self.whose {
            Whose::Everyones(Which::All) => {
                let limit = format!("LIMIT {MOST}");
                ("", "", r#"c."cap" > 0 OR c."key" = ''"#, limit)
            }
            Whose::Everyones(Which::Spent) => {
                let spent = r#"c."cap" > 0 AND coalesce(b."used", 0) + coalesce(b."reserved", 0) >= c."cap""#;
                ("", "", spent, String::new())
            }
            Whose::Of(role, project) => {
                values.push(role.into());
                values.push(project.map(Id::as_str).into());
                let (role, project) = (r#"AND r."slug" = $4"#, r#"AND p."id" = $5"#);
                (role, project, "1 = 1", String::new())
            }
        };
        let sql = format!(
            r#"SELECT c."kind", c."key", c."period", c."cap", coalesce(b."used", 0) AS "used",
  coalesce(b."reserved", 0) AS "reserved", b."warnedAt", b."exceededAt", b."toldCap"
FROM (
  SELECT 1 AS "place", 'tenant_month_cost' AS "kind", '' AS "key", CAST($2 AS text) AS "period", t."monthlySpendCapMicros" AS "cap"
  FROM tenants t WHERE t."id" = $1
  UNION ALL
  SELECT 2, 'tenant_day_tokens', '', CAST($3 AS text), t."dailyTokenBudget" FROM tenants t WHERE t."id" = $1
  UNION ALL
  SELECT 3, 'role_month_tokens', r."slug", CAST($2 AS text), r."monthlyBudgetTokens" FROM agent_roles r
  WHERE (r."tenantId" = $1 OR (r."tenantId" IS NULL
    AND NOT EXISTS (SELECT 1 FROM agent_roles o WHERE o."tenantId" = $1 AND o."slug" = r."slug"))) {role}
  UNION ALL
  SELECT 4, 'project_month_cost', p."id", CAST($2 AS text), p."monthlySpendCapMicros" FROM projects p
  WHERE p."tenantId" = $1 AND p."monthlySpendCapMicros" IS NOT NULL {project}
) c LEFT JOIN budget_counters b
  ON b."tenantId" = $1 AND b."kind" = c."kind" AND b."key" = c."key" AND b."period" = c."period"
WHERE {condition}
ORDER BY c."place", c."key" {limit}"#
        );
        Statement::from_sql_and_values(*backend, sql, values)
    }
}

/// "The caps of this day and its month."
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CapsOn {
    day: String,
    which: Which,
}

impl Question for CapsOn {
    type Answer = Arc<Vec<Cap>>;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out = HashMap::with_capacity(questions.len());
        for question in questions {
            let read = ReadCaps {
                tenant: view.tenant(),
                day: &question.day,
                whose: Whose::Everyones(question.which),
            };
            let rows = view.snapshot.all(&read).await?;
            let caps = rows.iter().map(Cap::read).collect::<Result<_>>()?;
            out.insert(question.clone(), Arc::new(caps));
        }
        Ok(out)
    }
}

impl Scope {
    /// The caps of a day and its month, whoever asks. However often they are asked for, they are read once.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn caps(&self, day: String, which: Which) -> Result<Arc<Vec<Cap>>> {
        self.view().ask(CapsOn { day, which }).await
    }
}

impl Tx<'_> {
    /// The workspace's calendar, and the day it is there.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn today(&self) -> Result<(Calendar, String)> {
        let calendar = self.calendar().await?;
        Ok((calendar, calendar.day(self.now()).to_string()))
    }

    /// The workspace's calendar.
    pub(super) async fn calendar(&self) -> Result<Calendar> {
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope().store().backend());
        let mut select = select::bare::<tenant::Entity>(place);
        select
            .expr_as(place.column(tenant::Column::Timezone), "timezone")
            .and_where(place.column(tenant::Column::Id).eq(self.tenant().as_str()));
        let row = self.transaction().query_one(&select).await?;
        let row = row.ok_or_else(|| Error::internal("a transaction without a workspace"))?;
        Ok(Calendar::of(&row.try_get::<String>("", "timezone")?))
    }

    /// The caps of a day and its month of which nothing is left, whoever asks.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn spent(&self, day: &str) -> Result<Vec<Cap>> {
        self.read_caps(day, Whose::Everyones(Which::Spent)).await
    }

    /// All caps of a day and its month, whoever asks.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn all_caps(&self, day: &str) -> Result<Vec<Cap>> {
        self.read_caps(day, Whose::Everyones(Which::All)).await
    }

    /// The caps that a call counts to, whoever asks, as this transaction sees them.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn caps_on(&self, on: &OnBudget<'_>) -> Result<Vec<Cap>> {
        self.read_caps(on.day, Whose::Of(on.role, on.project)).await
    }

    async fn read_caps(&self, day: &str, whose: Whose<'_>) -> Result<Vec<Cap>> {
        let read = ReadCaps {
            tenant: self.tenant(),
            day,
            whose,
        };
        let rows = self.transaction().query_all(&read).await?;
        rows.iter().map(Cap::read).collect()
    }
}
