//! What calls of models cost, by the prices that a workspace and all share.

use super::{background::door, tx::Tx};
use crate::{
    domain::{calendar::Period, price::Rates},
    error::Result,
};
use entity::{
    Owned as _,
    api_usage::{self, ApiProvider},
    model_price,
};
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult, Statement, Value};

impl Tx<'_> {
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

    /// How many calls there were in a period, and what they cost.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn usage_of(&self, period: Period) -> Result<(i64, i64)> {
        use api_usage::Column::{CostMicros, CreatedAt};
        let groups = self
            .figures::<api_usage::Entity>(|ask| {
                ask.within(CreatedAt, period);
                ask.count("calls");
                ask.sum("cost", ask.column(CostMicros));
            })
            .await?;
        match groups.first() {
            Some(all) => Ok((all.number("calls")?, all.number("cost")?)),
            None => Ok((0, 0)),
        }
    }

    /// Says anew what the calls of a period cost, by the prices that there are now.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn reprice(&self, period: Period) -> Result<()> {
        let transaction = self.transaction();
        let backend = self.scope().store().backend();
        let [open, close] = door(backend, "repricing");
        let own = ApiProvider::Custom.to_value();
        // As `Rates::cost` has it.
        let sql = format!(
            r#"UPDATE api_usage SET "priceId" = n."price", "costMicros" = n."cost" FROM (
  SELECT x."id", x."price", CASE WHEN p."id" IS NULL AND x."provider" = '{own}' THEN 0 ELSE
    ((x."inputTokens" - x."cachedTokens") * coalesce(p."inputMicrosPerMillion", {input})
      + x."cachedTokens" * coalesce(p."cachedMicrosPerMillion", {cached})
      + x."outputTokens" * coalesce(p."outputMicrosPerMillion", {output}) + 500000) / 1000000
    + (x."audioSeconds" * coalesce(p."audioMicrosPerMinute", {minute}) + 30) / 60 END AS "cost"
  FROM (
    SELECT u.*, (SELECT p."id" FROM model_prices p WHERE {price}) AS "price" FROM api_usage u
    WHERE u."tenantId" = $1 AND u."createdAt" >= $2 AND u."createdAt" < $3
  ) x LEFT JOIN model_prices p ON p."id" = x."price"
) n
WHERE api_usage."tenantId" = $1 AND api_usage."id" = n."id"
  AND (api_usage."priceId" IS DISTINCT FROM n."price" OR api_usage."costMicros" <> n."cost")"#,
            input = Rates::UNKNOWN.input,
            cached = Rates::UNKNOWN.cached,
            output = Rates::UNKNOWN.output,
            minute = Rates::UNKNOWN.minute,
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
