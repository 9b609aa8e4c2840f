//! What calls cost and may cost: dated prices, counters of what is used, and what is set aside for calls.

mod revisable;

use crate::table::{self, OnDelete::SetNull, Table};
use sea_orm_migration::{prelude::*, sea_orm::ConnectionTrait};

/// The step.
pub(crate) struct CountCosts;

impl MigrationName for CountCosts {
    fn name(&self) -> &str {
        "m20261201_000002_costs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CountCosts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [model_prices(), budget_counters(), budget_reservations()];
        table::create(manager, &tables).await?;
        let mut statements = vec![
            r#"ALTER TABLE api_usage ADD COLUMN "priceId" text"#.to_owned(),
            r#"ALTER TABLE projects ADD COLUMN "monthlySpendCapMicros" bigint"#.to_owned(),
            r#"CREATE INDEX "projects_capped_idx" ON projects ("tenantId") WHERE "monthlySpendCapMicros" IS NOT NULL"#
                .to_owned(),
        ];
        statements.extend(revisable::statements(manager.get_database_backend()));
        let connection = manager.get_connection();
        for statement in statements {
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

/// Who can be called, as in `api_usage`.
const PROVIDERS: [&str; 6] = [
    "anthropic",
    "openai",
    "google",
    "custom",
    "whisper",
    "twilio",
];

fn model_prices() -> Table {
    let price = |table: Table, name| {
        table
            .big_integer(name)
            .default("0")
            .between(0, 1_000_000_000)
    };
    let table = Table::shared("model_prices")
        .word("provider", &PROVIDERS)
        .text("modelPrefix")
        .max(200);
    let amounts = [
        "inputMicrosPerMillion",
        "outputMicrosPerMillion",
        "cachedMicrosPerMillion",
        "audioMicrosPerMinute",
    ];
    { amounts.into_iter().fold(table, price) }
        .timestamp("validFrom")
        .unique_nulls_equal(&["tenantId", "provider", "modelPrefix", "validFrom"])
}

fn budget_counters() -> Table {
    Table::standard("budget_counters")
        .word(
            "kind",
            &[
                "tenant_month_cost",
                "tenant_day_tokens",
                "role_month_tokens",
                "project_month_cost",
            ],
        )
        .text("key")
        .text("period")
        .big_integer("used")
        .default("0")
        .big_integer("reserved")
        .default("0")
        .timestamp("warnedAt")
        .nullable()
        .timestamp("exceededAt")
        .nullable()
        .big_integer("toldCap")
        .nullable()
        .unique(&["tenantId", "kind", "key", "period"])
}

fn budget_reservations() -> Table {
    Table::standard("budget_reservations")
        .parent("agentTokenId", "agent_tokens", SetNull)
        .text("roleSlug")
        .parent("projectId", "projects", SetNull)
        .parent("ticketId", "tickets", SetNull)
        .big_integer("tokens")
        .big_integer("costMicros")
        .text("day")
        .timestamp("expiresAt")
        .timestamp("settledAt")
        .nullable()
        // What is given back, and what is still set aside.
        .index_where(&["expiresAt"], r#""settledAt" IS NULL"#)
        // What is forgotten.
        .index_where(&["settledAt"], r#""settledAt" IS NOT NULL"#)
        .index_where(&["tenantId", "day"], r#""settledAt" IS NULL"#)
}
