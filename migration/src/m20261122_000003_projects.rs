//! Projects, their goals and their code graphs.

use crate::table::{
    OnDelete::{Cascade, Refuse, SetNull},
    Table,
};

pub(crate) fn tables() -> Vec<Table> {
    vec![projects(), project_graphs(), goals()]
}

fn projects() -> Table {
    Table::standard("projects")
        .text("name")
        .check(r#"length("name") BETWEEN 1 AND 64"#)
        .text("slug")
        .check(
            r#"length("slug") BETWEEN 1 AND 40 AND "slug" NOT IN ('new', 'all', 'archived', 'settings')"#,
        )
        .text("description")
        .nullable()
        .max(5000)
        .text("color")
        .nullable()
        .check(r##""color" LIKE '#______'"##)
        .boolean("isArchived")
        .default("false")
        .json("briefTemplate")
        .nullable()
        .text("briefGuidance")
        .nullable()
        .parent("createdById", "users", SetNull)
        .unique(&["tenantId", "slug"])
        .index(&["tenantId", "isArchived", "name"])
}

fn project_graphs() -> Table {
    Table::standard("project_graphs")
        .parent("projectId", "projects", Cascade)
        .text("contentHash")
        .json("graphJson")
        .integer("nodeCount")
        .default("0")
        .integer("edgeCount")
        .default("0")
        .integer("communityCount")
        .default("0")
        .json("godNodeSlugs")
        .default("'[]'")
        .json("languages")
        .default("'[]'")
        .text("repoLabel")
        .nullable()
        .text("repoPath")
        .nullable()
        .word("buildStatus", &["idle", "building", "failed"])
        .default("'idle'")
        .text("lastError")
        .nullable()
        .timestamp("builtAt")
        .nullable()
        .unique(&["projectId"])
        .index(&["repoLabel"])
}

fn goals() -> Table {
    Table::standard("goals")
        .parent("projectId", "projects", Refuse)
        .text("title")
        .max(200)
        .text("description")
        .default("''")
        .max(5000)
        .text("outcome")
        .default("''")
        .max(2000)
        .parent("parentGoalId", "goals", SetNull)
        .word("status", &["active", "achieved", "abandoned"])
        .default("'active'")
        .timestamp("targetDate")
        .nullable()
        .parent("createdById", "users", SetNull)
        .index(&["tenantId", "projectId", "status"])
}
