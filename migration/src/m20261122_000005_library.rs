//! The library that agents draw from: a tenant's playbooks, packaged skills, specialists and roles.

use crate::table::{OnDelete::SetNull, Table};

pub(crate) fn tables() -> Vec<Table> {
    vec![
        skills(),
        skill_packages(),
        subagent_definitions(),
        agent_roles(),
    ]
}

fn skills() -> Table {
    Table::standard("skills")
        .text("slug")
        .text("name")
        .text("description")
        .default("''")
        .text("body")
        .json("platforms")
        .default("'[]'")
        .boolean("disabled")
        .default("false")
        .json("configSchema")
        .nullable()
        .json("supportingFiles")
        .nullable()
        .parent("createdById", "users", SetNull)
        .unique(&["tenantId", "slug"])
        .index(&["tenantId", "disabled"])
}

/// What skill packages and specialists have in common: an entry of the library, from wherever it came.
fn library(name: &'static str) -> Table {
    Table::standard_or_global(name)
        .word("source", &["vendor", "user", "community"])
        .default("'vendor'")
        .text("contentHash")
        .text("description")
        .word("status", &["active", "pending_approval", "disabled"])
        .default("'active'")
        .json("metadata")
        .default("'{}'")
        .index(&["tenantId", "status"])
}

fn skill_packages() -> Table {
    library("skill_packages")
        .text("body")
        .json("requiredTools")
        .default("'[]'")
}

fn subagent_definitions() -> Table {
    library("subagent_definitions")
        .text("systemPrompt")
        .json("allowedTools")
        .default("'[]'")
        .text("preferredModel")
        .nullable()
        .text("category")
        .nullable()
        .index(&["category"])
}

fn agent_roles() -> Table {
    Table::standard_or_global("agent_roles")
        .text("displayName")
        .max(80)
        .text("description")
        .default("''")
        .max(2000)
        .word("category", &["consultant", "execution", "meta"])
        .text("parentRoleSlug")
        .nullable()
        .text("systemPromptTemplate")
        .max(20_000)
        .json("allowedTools")
        .default("'[]'")
        .text("defaultModel")
        .nullable()
        .big_integer("monthlyBudgetTokens")
        .nullable()
        .integer("defaultConcurrency")
        .default("2")
        .between(1, 32)
        .integer("timeoutSeconds")
        .default("300")
        .check(r#""timeoutSeconds" > 0"#)
        .boolean("autoApprove")
        .default("false")
        .boolean("isBuiltin")
        .default("false")
        .boolean("isActive")
        .default("true")
}
