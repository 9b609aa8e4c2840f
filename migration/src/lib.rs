//! The database's schema, one forward-only step a file, for SQLite and PostgreSQL alike.
//!
//! A landed step is never edited: the next step changes what it made. Steps are named by the moment they were written.

mod m20261122_000001_people;
mod m20261122_000002_ledger;
mod m20261122_000003_projects;
mod m20261122_000004_meetings;
mod m20261122_000005_library;
mod m20261122_000006_work;
mod m20261122_000007_operations;
mod m20261122_000008_decisions;
mod m20261122_000009_search;
mod m20261129_000001_ledger_targets;
mod m20261129_000002_append_only;
mod m20261129_000003_search_words;
mod m20261129_000004_entries_by_target;
mod m20261130_000001_briefs_lives;
mod m20261130_000002_background;
mod m20261130_000003_links;
mod m20261130_000004_credential_health;
mod m20261201_000001_agents;
mod m20261201_000002_costs;
mod m20261201_000003_patience;
mod m20261202_000001_claims;
mod m20261202_000002_people;
mod m20261202_000003_vault;
mod m20261202_000004_library;
mod m20261202_000005_workspace;
mod m20261202_000006_identities;
mod m20261203_000001_webhooks;
mod table;

pub use sea_orm_migration::prelude::MigratorTrait;
use sea_orm_migration::prelude::*;
use table::Table;

/// All steps, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(CreateTables {
                name: "m20261122_000001_people",
                tables: m20261122_000001_people::tables,
            }),
            Box::new(CreateTables {
                name: "m20261122_000002_ledger",
                tables: m20261122_000002_ledger::tables,
            }),
            Box::new(CreateTables {
                name: "m20261122_000003_projects",
                tables: m20261122_000003_projects::tables,
            }),
            Box::new(CreateTables {
                name: "m20261122_000004_meetings",
                tables: m20261122_000004_meetings::tables,
            }),
            Box::new(CreateTables {
                name: "m20261122_000005_library",
                tables: m20261122_000005_library::tables,
            }),
            Box::new(CreateTables {
                name: "m20261122_000006_work",
                tables: m20261122_000006_work::tables,
            }),
            Box::new(CreateTables {
                name: "m20261122_000007_operations",
                tables: m20261122_000007_operations::tables,
            }),
            Box::new(CreateTables {
                name: "m20261122_000008_decisions",
                tables: m20261122_000008_decisions::tables,
            }),
            Box::new(m20261122_000009_search::CreateSearch),
            Box::new(m20261129_000001_ledger_targets::AddTargetUser),
            Box::new(m20261129_000002_append_only::KeepRows),
            Box::new(m20261129_000003_search_words::MakeWordsInTheProgram),
            Box::new(m20261129_000004_entries_by_target::IndexTargets),
            Box::new(m20261130_000001_briefs_lives::FollowBriefs),
            Box::new(m20261130_000002_background::TendByItself),
            Box::new(m20261130_000003_links::UnlinkSymbols),
            Box::new(m20261130_000004_credential_health::KeepHealth),
            Box::new(m20261201_000001_agents::LetAgentsWork),
            Box::new(m20261201_000002_costs::CountCosts),
            Box::new(m20261201_000003_patience::BePatient),
            Box::new(m20261202_000001_claims::FindTicketsFast),
            Box::new(m20261202_000002_people::MailLinks),
            Box::new(m20261202_000003_vault::SealSecrets),
            Box::new(m20261202_000004_library::KeepVersions),
            Box::new(m20261202_000005_workspace::RunWorkspaces),
            Box::new(m20261202_000006_identities::RememberIdentities),
            Box::new(m20261203_000001_webhooks::HearOfPushes),
        ]
    }
}

/// A step that only creates tables.
struct CreateTables {
    name: &'static str,
    tables: fn() -> Vec<Table>,
}

impl MigrationName for CreateTables {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::create(manager, &(self.tables)()).await
    }
}
