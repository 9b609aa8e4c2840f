//! The ledger: one append-only list of what happened per tenant, and the head of each list.
//!
//! Neither table points to another, so that the trail survives what it speaks of, the tenant included.

use crate::table::Table;

pub(crate) fn tables() -> Vec<Table> {
    vec![tenant_feeds(), audit_logs()]
}

fn tenant_feeds() -> Table {
    Table::bare("tenant_feeds", "tenantId")
        .big_integer("headSeq")
        .text("headHash")
}

fn audit_logs() -> Table {
    Table::bare("audit_logs", "id")
        .text("tenantId")
        .timestamp("createdAt")
        .big_integer("seq")
        .text("actor")
        .word("actorType", &["user", "agent", "system"])
        .text("userId")
        .nullable()
        .text("agentTokenId")
        .nullable()
        .text("action")
        .text("targetType")
        .text("targetId")
        .nullable()
        .text("targetTitle")
        .nullable()
        .text("projectId")
        .nullable()
        .json("diff")
        .nullable()
        .text("message")
        .nullable()
        .max(5000)
        .json("metadata")
        .default("'{}'")
        .text("prevHash")
        .text("hash")
        .unique(&["tenantId", "seq"])
        .index(&["tenantId", "createdAt DESC", "id"])
        .index(&["tenantId", "actor", "createdAt"])
        .index(&["tenantId", "action", "seq"])
        .index(&["tenantId", "targetType", "targetId", "seq"])
        .index(&["tenantId", "projectId", "seq"])
}
