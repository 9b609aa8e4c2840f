//! Tenants, their people, and the tokens by which people, agents and retried requests are known again.

use crate::table::{
    OnDelete::{Cascade, SetNull},
    Table,
};

pub(crate) fn tables() -> Vec<Table> {
    vec![
        tenants(),
        users(),
        invitations(),
        google_oauth_tokens(),
        agent_tokens(),
        auth_tokens(),
        idempotency_keys(),
        agent_sessions(),
    ]
}

fn tenants() -> Table {
    Table::bare("tenants", "id")
        .timestamp("createdAt")
        .timestamp("updatedAt")
        .text("name")
        .check(r#"length("name") BETWEEN 1 AND 200"#)
        .text("slug")
        .json("settings")
        .default("'{}'")
        .big_integer("monthlySpendCapMicros")
        .nullable()
        .big_integer("dailyTokenBudget")
        .nullable()
        .text("timezone")
        .default("'UTC'")
        .unique(&["slug"])
}

fn users() -> Table {
    Table::standard("users")
        .text("email")
        .check(r#""email" = lower("email")"#)
        .text("passwordHash")
        .nullable()
        .text("name")
        .word("role", &["owner", "admin", "member", "viewer"])
        .default("'member'")
        .word(
            "preferredChannel",
            &["slack", "email", "whatsapp", "teams", "sms"],
        )
        .default("'email'")
        .json("channelIds")
        .default("'{}'")
        .word(
            "persona",
            &["founder", "cto", "pm", "developer", "designer", "qa"],
        )
        .nullable()
        .boolean("hasSeenTour")
        .default("false")
        .timestamp("lastLoginAt")
        .nullable()
        .integer("tokenVersion")
        .default("0")
        .unique(&["tenantId", "email"])
        .index(&["tenantId", "role"])
}

fn invitations() -> Table {
    Table::standard("invitations")
        .text("email")
        .check(r#""email" = lower("email")"#)
        .word("role", &["admin", "member", "viewer"])
        .default("'member'")
        .text("tokenHash")
        .word("status", &["pending", "accepted", "expired", "revoked"])
        .default("'pending'")
        .parent("invitedById", "users", SetNull)
        .parent("acceptedById", "users", SetNull)
        .timestamp("expiresAt")
        .timestamp("acceptedAt")
        .nullable()
        .unique(&["tokenHash"])
        .unique_where(&["tenantId", "email"], r#""status" = 'pending'"#)
        .index(&["tenantId", "status", "createdAt"])
}

fn google_oauth_tokens() -> Table {
    Table::standard("google_oauth_tokens")
        .parent("userId", "users", Cascade)
        .text("email")
        .text("accessToken")
        .text("refreshToken")
        .timestamp("expiresAt")
        .json("scopes")
        .default("'[]'")
        .word("status", &["active", "expired", "revoked"])
        .default("'active'")
        .text("driveChannelId")
        .nullable()
        .text("driveChannelTokenHash")
        .nullable()
        .timestamp("channelExpiry")
        .nullable()
        .unique(&["tenantId", "userId"])
        .unique_where(&["driveChannelId"], r#""driveChannelId" IS NOT NULL"#)
        .index(&["channelExpiry"])
}

fn agent_tokens() -> Table {
    Table::standard("agent_tokens")
        .text("name")
        .check(r#"length("name") BETWEEN 1 AND 100"#)
        .text("tokenHash")
        .text("tokenHint")
        .check(r#"length("tokenHint") = 4"#)
        .json("roleSlugs")
        .default("'[]'")
        .json("projectIds")
        .nullable()
        .parent("createdById", "users", SetNull)
        .timestamp("expiresAt")
        .nullable()
        .timestamp("lastUsedAt")
        .nullable()
        .timestamp("revokedAt")
        .nullable()
        .unique(&["tokenHash"])
        .index(&["tenantId", "revokedAt"])
}

fn auth_tokens() -> Table {
    Table::standard("auth_tokens")
        .word(
            "kind",
            &[
                "refresh",
                "password_reset",
                "approval_reply",
                "escalation_reply",
            ],
        )
        .text("tokenHash")
        .parent("userId", "users", Cascade)
        .nullable()
        .text("subjectType")
        .nullable()
        .text("subjectId")
        .nullable()
        .text("familyId")
        .nullable()
        .timestamp("expiresAt")
        .timestamp("consumedAt")
        .nullable()
        .unique(&["tokenHash"])
        .index(&["tenantId", "familyId"])
        .index(&["expiresAt"])
}

fn idempotency_keys() -> Table {
    Table::standard("idempotency_keys")
        .text("actor")
        .text("key")
        .text("requestHash")
        .json("response")
        .timestamp("expiresAt")
        .unique(&["tenantId", "actor", "key"])
        .index(&["expiresAt"])
}

fn agent_sessions() -> Table {
    Table::standard("agent_sessions")
        .parent("agentTokenId", "agent_tokens", Cascade)
        .json("repos")
        .default("'[]'")
        .json("roles")
        .default("'[]'")
        .json("capabilities")
        .default("'[]'")
        .integer("maxActiveJobs")
        .default("3")
        .integer("activeJobs")
        .default("0")
        .timestamp("connectedAt")
        .timestamp("lastPingAt")
        .timestamp("disconnectedAt")
        .nullable()
        .text("instanceId")
        .index_where(&["lastPingAt"], r#""disconnectedAt" IS NULL"#)
}
