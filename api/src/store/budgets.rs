//! What may be used of models in a month and on a day, and what was.
//!
//! A cap stands where it belongs: with the workspace, the role or the project. What was used of it is counted in
//! `budget_counters` by the transactions that use it. Whoever counts holds the counter's row until the commit, so that of
//! several who use at once each sees what the others used.

use super::{
    Scope,
    aggregate::within,
    background::door,
    select::{self, Place},
    tx::Tx,
};
use crate::{
    domain::{
        budget::Budget,
        calendar::{Calendar, Period},
    },
    error::{Error, Result},
};
use chrono::{Datelike as _, NaiveDate};
use entity::{
    BigInt, Id, Owned as _, Timestamp,
    api_usage::{self, ApiProvider},
    budget_counter::{self, BudgetKind},
    budget_reservation, model_price, tenant,
};
use sea_orm::{
    ActiveEnum, ConnectionTrait, DbBackend, FromQueryResult, QueryResult, Statement,
    StatementBuilder, Value,
    sea_query::{Alias, Expr, ExprTrait, OnConflict, Order, Query},
};
use std::collections::HashMap;

/// The most caps that are shown at once.
const MOST: u64 = 200;

/// Something that is limited: of a role, by its slug, of a project, by its id, or of the whole workspace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Limited {
    pub(crate) kind: BudgetKind,
    pub(crate) key: String,
    pub(crate) period: String,
}

/// How much of it was used, and is set aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) used: i64,
    pub(crate) reserved: i64,
}

/// What some calls took, by what is limited.
#[derive(Clone, Debug, Default)]
pub(crate) struct Amounts(HashMap<Limited, Amount>);

/// For whom calls are made, and on which day of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct OnBudget<'b> {
    pub(crate) day: &'b str,
    pub(crate) role: &'b str,
    pub(crate) project: Option<&'b Id>,
}

impl OnBudget<'_> {
    /// What a call counts to.
    pub(crate) fn limited(&self) -> Vec<Limited> {
        let month = month_of(self.day);
        let of = |kind, key: &str, period: &str| Limited {
            kind,
            key: key.to_owned(),
            period: period.to_owned(),
        };
        let project = self.project.map(Id::as_str);
        let workspace = [
            of(BudgetKind::TenantMonthCost, "", month),
            of(BudgetKind::TenantDayTokens, "", self.day),
            of(BudgetKind::RoleMonthTokens, self.role, month),
        ];
        let project = project.map(|project| of(BudgetKind::ProjectMonthCost, project, month));
        workspace.into_iter().chain(project).collect()
    }
}

/// The month of a day such as `2026-05-04`.
pub(crate) fn month_of(day: &str) -> &str {
    day.get(..7).unwrap_or(day)
}

impl Amounts {
    /// Adds what a call takes, or what is set aside for one, and no longer is.
    pub(crate) fn add(
        &mut self,
        on: &OnBudget<'_>,
        tokens: i64,
        cost_micros: i64,
        how: impl Fn(&mut Amount, i64),
    ) {
        for limited in on.limited() {
            let share = match limited.kind {
                BudgetKind::TenantDayTokens | BudgetKind::RoleMonthTokens => tokens,
                BudgetKind::TenantMonthCost | BudgetKind::ProjectMonthCost => cost_micros,
            };
            // What takes nothing of it need not wait for others that do.
            if share != 0 {
                how(self.0.entry(limited).or_default(), share);
            }
        }
    }

    /// The same, taken back.
    pub(crate) fn reversed(mut self) -> Self {
        for amount in self.0.values_mut() {
            amount.used = -amount.used;
            amount.reserved = -amount.reserved;
        }
        self
    }

    /// In the order in which counters are locked.
    fn in_order(self) -> Vec<(Limited, Amount)> {
        let mut all: Vec<_> = self.0.into_iter().collect();
        all.sort_by_cached_key(|(limited, _)| {
            let Limited { kind, key, period } = limited.clone();
            (kind.to_value(), key, period)
        });
        all
    }
}

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
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.amount.used, self.cap.map(BigInt))
    }

    /// Whether more is used and set aside than may be.
    pub(crate) fn is_overdrawn(&self) -> bool {
        let Amount { used, reserved } = self.amount;
        let limit = self.budget().limit;
        limit.is_some_and(|cap| used.saturating_add(reserved) > cap)
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
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'w> {
    /// All that there are, and the workspace's own even where it has none.
    All,
    /// Those of which nothing is left.
    Spent,
    /// Those of these.
    Of(&'w [Limited]),
}

/// The caps of a month and a day, read by one statement.
struct ReadCaps<'r> {
    tenant: &'r Id,
    day: &'r str,
    which: Which<'r>,
}

impl StatementBuilder for ReadCaps<'_> {
    fn build(&self, backend: &DbBackend) -> Statement {
        let mut values: Vec<Value> = vec![
            self.tenant.as_str().into(),
            month_of(self.day).into(),
            self.day.into(),
        ];
        let condition = match self.which {
            Which::All => r#"c."cap" > 0 OR c."key" = ''"#.to_owned(),
            Which::Spent => {
                r#"c."cap" > 0 AND coalesce(b."used", 0) + coalesce(b."reserved", 0) >= c."cap""#
                    .to_owned()
            }
            Which::Of(limited) => {
                let names: Vec<_> = { limited.iter() }
                    .map(|limited| format!("{} {}", limited.kind.to_value(), limited.key))
                    .collect();
                let names = names.iter().map(String::as_str);
                let (names, list) = match backend {
                    DbBackend::Sqlite => {
                        (select::json_list(names), "SELECT value FROM json_each($4)")
                    }
                    _ => (
                        select::text_array(names),
                        "SELECT unnest(CAST($4 AS text[]))",
                    ),
                };
                values.push(names);
                format!(r#"c."kind" || ' ' || c."key" IN ({list})"#)
            }
        };
        let limit = match self.which {
            Which::All => format!(" LIMIT {MOST}"),
            Which::Spent | Which::Of(_) => String::new(),
        };
        let sql = format!(
            r#"SELECT c."kind", c."key", c."period", c."cap", coalesce(b."used", 0) AS "used",
  coalesce(b."reserved", 0) AS "reserved", b."warnedAt", b."exceededAt", b."toldCap"
FROM (
  SELECT 'tenant_month_cost' AS "kind", '' AS "key", CAST($2 AS text) AS "period", t."monthlySpendCapMicros" AS "cap"
  FROM tenants t WHERE t."id" = $1
  UNION ALL
  SELECT 'tenant_day_tokens', '', CAST($3 AS text), t."dailyTokenBudget" FROM tenants t WHERE t."id" = $1
  UNION ALL
  SELECT 'role_month_tokens', r."slug", CAST($2 AS text), r."monthlyBudgetTokens" FROM agent_roles r
  WHERE r."tenantId" = $1 OR (r."tenantId" IS NULL
    AND NOT EXISTS (SELECT 1 FROM agent_roles o WHERE o."tenantId" = $1 AND o."slug" = r."slug"))
  UNION ALL
  SELECT 'project_month_cost', p."id", CAST($2 AS text), p."monthlySpendCapMicros" FROM projects p
  WHERE p."tenantId" = $1 AND p."monthlySpendCapMicros" IS NOT NULL
) c LEFT JOIN budget_counters b
  ON b."tenantId" = $1 AND b."kind" = c."kind" AND b."key" = c."key" AND b."period" = c."period"
WHERE {condition}
ORDER BY c."key" <> '', c."kind", c."key"{limit}"#
        );
        Statement::from_sql_and_values(*backend, sql, values)
    }
}

impl Scope {
    /// The caps of a day and its month, whoever asks.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn caps(&self, day: &str, which: Which<'_>) -> Result<Vec<Cap>> {
        let tenant = self.actor().tenant();
        let read = ReadCaps { tenant, day, which };
        let rows = self.view().snapshot.all(&read).await?;
        rows.iter().map(Cap::read).collect()
    }
}

impl Tx<'_> {
    /// The workspace's calendar, and the day it is there.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn today(&self) -> Result<(Calendar, String)> {
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope().store().backend());
        let mut select = select::bare::<tenant::Entity>(place);
        select
            .expr_as(place.column(tenant::Column::Timezone), "timezone")
            .and_where(place.column(tenant::Column::Id).eq(self.tenant().as_str()));
        let row = self.transaction().query_one(&select).await?;
        let row = row.ok_or_else(|| Error::internal("a transaction without a workspace"))?;
        let calendar = Calendar::of(&row.try_get::<String>("", "timezone")?);
        Ok((calendar, calendar.day(self.now()).to_string()))
    }

    /// The caps of a day and its month, whoever asks, as this transaction sees them.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn caps(&self, day: &str, which: Which<'_>) -> Result<Vec<Cap>> {
        let read = ReadCaps {
            tenant: self.tenant(),
            day,
            which,
        };
        let rows = self.transaction().query_all(&read).await?;
        rows.iter().map(Cap::read).collect()
    }

    /// Counts what was used, and set aside. The counters are this transaction's until it ends.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn count_usage(&self, amounts: Amounts) -> Result<Vec<budget_counter::Model>> {
        use budget_counter::Column::{
            CreatedAt, Id, Key, Kind, Period, Reserved, TenantId, UpdatedAt, Used,
        };
        let mut insert = Query::insert();
        insert.into_table(budget_counter::Entity).columns([
            Id, TenantId, Kind, Key, Period, Used, Reserved, CreatedAt, UpdatedAt,
        ]);
        let amounts = amounts.in_order();
        if amounts.is_empty() {
            return Ok(Vec::new());
        }
        for (Limited { kind, key, period }, Amount { used, reserved }) in amounts {
            insert.values_panic([
                cuid2::create_id().into(),
                self.tenant().as_str().into(),
                kind.to_value().into(),
                key.into(),
                period.into(),
                used.into(),
                reserved.into(),
                Expr::val(self.now()),
                Expr::val(self.now()),
            ]);
        }
        let more = |column: &str| {
            Expr::cust(format!(
                r#"budget_counters."{column}" + excluded."{column}""#
            ))
        };
        let known = OnConflict::columns([TenantId, Kind, Key, Period])
            .value(Used, more("used"))
            .value(Reserved, more("reserved"))
            .value(UpdatedAt, Expr::val(self.now()))
            .to_owned();
        insert.on_conflict(known);
        insert.returning(Query::returning().columns(select::ordinary::<budget_counter::Entity>()));
        let rows = self.transaction().query_all(&insert).await?;
        rows.iter()
            .map(|row| Ok(budget_counter::Model::from_query_result(row, "")?))
            .collect()
    }

    /// Counts anew, from the rows themselves, what was used in the months from the one of a day to the present one. Nobody
    /// else counts meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn recount_usage(&self, from: NaiveDate) -> Result<()> {
        let (calendar, today) = self.today().await?;
        let first = from.with_day(1).unwrap_or(from);
        let month = month_of(&first.to_string()).to_owned();
        let reset = Query::update()
            .table(budget_counter::Entity)
            .value(budget_counter::Column::Used, 0)
            .value(budget_counter::Column::Reserved, 0)
            .and_where(Expr::col(budget_counter::Column::TenantId).eq(self.tenant().as_str()))
            .and_where(Expr::col(budget_counter::Column::Period).gte(month.as_str()))
            .take();
        self.transaction().execute(&reset).await?;
        let mut amounts = Amounts::default();
        for day in first.iter_days().take_while(|day| day.to_string() <= today) {
            self.add_day(&mut amounts, calendar, day).await?;
        }
        self.add_reservations(&mut amounts, &month).await?;
        self.count_usage(amounts).await.map(drop)
    }

    /// How many calls there were in a period, and what they cost.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn usage_of(&self, period: Period) -> Result<(i64, i64)> {
        use api_usage::Column::{CostMicros, CreatedAt};
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope().store().backend());
        let mut select = select::bare::<api_usage::Entity>(place);
        select
            .cond_where(within(&place.column(CreatedAt), period))
            .expr_as(Expr::cust("COUNT(*)"), "calls")
            .expr_as(sum(place.column(CostMicros)), "cost");
        let row = self.transaction().query_one(&select).await?;
        let row = row.ok_or_else(|| Error::internal("sums of no group are one row"))?;
        let cost: Option<i64> = row.try_get("", "cost")?;
        Ok((row.try_get("", "calls")?, cost.unwrap_or_default()))
    }

    /// Says anew what the calls of a period cost, by the prices that there are now.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn reprice(&self, period: Period) -> Result<()> {
        let transaction = self.transaction();
        let backend = self.scope().store().backend();
        let [open, close] = door(backend, "repricing");
        let sql = format!(
            r#"UPDATE api_usage SET "priceId" = n."price", "costMicros" = n."cost" FROM (
  SELECT x."id", x."price", CASE WHEN p."id" IS NULL AND x."provider" = 'custom' THEN 0 ELSE
    ((x."inputTokens" - x."cachedTokens") * coalesce(p."inputMicrosPerMillion", 1000000)
      + x."cachedTokens" * coalesce(p."cachedMicrosPerMillion", 1000000)
      + x."outputTokens" * coalesce(p."outputMicrosPerMillion", 3000000) + 500000) / 1000000
    + (x."audioSeconds" * coalesce(p."audioMicrosPerMinute", 0) + 30) / 60 END AS "cost"
  FROM (
    SELECT u.*, (SELECT p."id" FROM model_prices p WHERE {price}) AS "price" FROM api_usage u
    WHERE u."tenantId" = $1 AND u."createdAt" >= $2 AND u."createdAt" < $3
  ) x LEFT JOIN model_prices p ON p."id" = x."price"
) n
WHERE api_usage."tenantId" = $1 AND api_usage."id" = n."id"
  AND (api_usage."priceId" IS DISTINCT FROM n."price" OR api_usage."costMicros" <> n."cost")"#,
            price = price_of(r#"u."provider""#, r#"u."model""#, r#"u."createdAt""#),
        );
        let values: [Value; 3] = [
            self.tenant().as_str().into(),
            period.from.into(),
            period.to.into(),
        ];
        transaction.execute_unprepared(&open).await?;
        let update = Statement::from_sql_and_values(backend, sql, values);
        transaction.execute_raw(update).await?;
        transaction.execute_unprepared(&close).await?;
        Ok(())
    }

    /// The day of the workspace's first call; none when there was no call yet.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn first_day_of_usage(&self) -> Result<Option<NaiveDate>> {
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope().store().backend());
        let mut select = select::bare::<api_usage::Entity>(place);
        let at = place.column(api_usage::Column::CreatedAt);
        select
            .expr_as(at.clone(), "at")
            .order_by_expr(at, Order::Asc)
            .limit(1);
        let Some(row) = self.transaction().query_one(&select).await? else {
            return Ok(None);
        };
        let (calendar, _) = self.today().await?;
        Ok(Some(calendar.day(row.try_get("", "at")?)))
    }

    async fn add_day(
        &self,
        amounts: &mut Amounts,
        calendar: Calendar,
        day: NaiveDate,
    ) -> Result<()> {
        use api_usage::Column::{
            CostMicros, CreatedAt, InputTokens, OutputTokens, ProjectId, RoleSlug,
        };
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope().store().backend());
        let period = calendar.day_around(calendar.beginning(day));
        let tokens = { place.column(InputTokens) }.add(place.column(OutputTokens));
        let mut select = select::bare::<api_usage::Entity>(place);
        select
            .cond_where(within(&place.column(CreatedAt), period))
            .expr_as(place.column(RoleSlug), "role")
            .expr_as(place.column(ProjectId), "project")
            .expr_as(sum(tokens), "tokens")
            .expr_as(sum(place.column(CostMicros)), "cost")
            .add_group_by([place.column(RoleSlug), place.column(ProjectId)]);
        let day = day.to_string();
        for row in self.transaction().query_all(&select).await? {
            add_row(amounts, &row, &day, |amount, share| amount.used += share)?;
        }
        Ok(())
    }

    async fn add_reservations(&self, amounts: &mut Amounts, month: &str) -> Result<()> {
        use budget_reservation::Column::{CostMicros, Day, ProjectId, RoleSlug, SettledAt, Tokens};
        let actor = self.all_seeing();
        let place = Place::outermost(&actor, self.scope().store().backend());
        let mut select = select::bare::<budget_reservation::Entity>(place);
        select
            .and_where(place.column(SettledAt).is_null())
            .and_where(place.column(Day).gte(month))
            .expr_as(place.column(Day), "day")
            .expr_as(place.column(RoleSlug), "role")
            .expr_as(place.column(ProjectId), "project")
            .expr_as(sum(place.column(Tokens)), "tokens")
            .expr_as(sum(place.column(CostMicros)), "cost")
            .add_group_by([Day, RoleSlug, ProjectId].map(|column| place.column(column)));
        for row in self.transaction().query_all(&select).await? {
            let day: String = row.try_get("", "day")?;
            add_row(amounts, &row, &day, |amount, share| {
                amount.reserved += share;
            })?;
        }
        Ok(())
    }

    /// What a call of a model costs now: see [`model_price::Model`].
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn price(
        &self,
        provider: ApiProvider,
        model: &str,
    ) -> Result<Option<model_price::Model>> {
        let columns: Vec<_> = { model_price::Entity::shape().columns.iter() }
            .map(|column| format!("p.\"{}\"", column.name))
            .collect();
        let sql = format!(
            "SELECT {} FROM model_prices p WHERE {}",
            columns.join(", "),
            price_of("$2", "$3", "$4")
        );
        let values: [Value; 4] = [
            self.tenant().as_str().into(),
            provider.to_value().into(),
            model.into(),
            self.now().into(),
        ];
        let backend = self.scope().store().backend();
        let read = Statement::from_sql_and_values(backend, sql, values);
        let row = self.transaction().query_one_raw(read).await?;
        Ok(row
            .map(|row| model_price::Model::from_query_result(&row, ""))
            .transpose()?)
    }
}

fn sum(of: Expr) -> Expr {
    of.sum().cast_as(Alias::new("bigint"))
}

fn add_row(
    amounts: &mut Amounts,
    row: &QueryResult,
    day: &str,
    how: impl Fn(&mut Amount, i64),
) -> Result<()> {
    let (role, project): (String, Option<Id>) =
        (row.try_get("", "role")?, row.try_get("", "project")?);
    let on = OnBudget {
        day,
        role: &role,
        project: project.as_ref(),
    };
    amounts.add(
        &on,
        row.try_get("", "tokens")?,
        row.try_get("", "cost")?,
        how,
    );
    Ok(())
}

/// Which price, called `p`, is that of a call of the workspace `$1`: its own before one that all share, the longest prefix
/// before shorter ones, the newest that is not later than the call.
fn price_of(provider: &str, model: &str, at: &str) -> String {
    format!(
        r#"(p."tenantId" = $1 OR p."tenantId" IS NULL) AND p."provider" = {provider}
  AND substr({model}, 1, length(p."modelPrefix")) = p."modelPrefix" AND p."validFrom" <= {at}
ORDER BY p."tenantId" IS NULL, length(p."modelPrefix") DESC, p."validFrom" DESC LIMIT 1"#
    )
}
