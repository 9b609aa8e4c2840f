//! What keeps a tenant running: credentials, connections, messages, schedules and the record of what calls cost.

use crate::table::{
    OnDelete::{Cascade, SetNull},
    Table,
};

pub(crate) fn tables() -> Vec<Table> {
    vec![
        credential_vault(),
        integration_connections(),
        channel_routes(),
        notifications(),
        notification_subscriptions(),
        scheduled_jobs(),
        api_usage(),
    ]
}

/// How people are reached; the dashboard's bell first.
const NOTIFICATION_CHANNELS: [&str; 7] = [
    "in_app", "slack", "email", "gchat", "teams", "whatsapp", "sms",
];

fn credential_vault() -> Table {
    Table::standard("credential_vault")
        .word(
            "kind",
            &[
                "integration",
                "ai_provider",
                "webhook_secret",
                "oauth",
                "other",
            ],
        )
        .text("name")
        .bytes("ciphertext")
        .bytes("nonce")
        .text("keyId")
        .text("algorithm")
        .default("'aes-256-gcm'")
        .text("hint")
        .max(4)
        .nullable()
        .timestamp("lastUsedAt")
        .nullable()
        .timestamp("rotatedAt")
        .nullable()
        .timestamp("expiresAt")
        .nullable()
        .parent("createdById", "users", SetNull)
        .unique(&["tenantId", "kind", "name"])
}

fn integration_connections() -> Table {
    Table::standard("integration_connections")
        .word(
            "name",
            &[
                "jira", "slack", "github", "linear", "notion", "gchat", "gdocs", "gdrive",
                "twilio", "teams", "email",
            ],
        )
        .text("label")
        .default("''")
        .word(
            "status",
            &["disconnected", "connected", "action_needed", "error"],
        )
        .default("'disconnected'")
        .parent("credentialId", "credential_vault", SetNull)
        .json("metadata")
        .default("'{}'")
        .timestamp("lastTestedAt")
        .nullable()
        .text("lastError")
        .nullable()
        .parent("connectedById", "users", SetNull)
        .timestamp("connectedAt")
        .nullable()
        .unique(&["tenantId", "name", "label"])
        .index(&["tenantId", "status"])
}

fn channel_routes() -> Table {
    Table::standard("channel_routes")
        .parent("projectId", "projects", Cascade)
        .nullable()
        .text("roleSlug")
        .nullable()
        .word(
            "messageType",
            &[
                "approval_request",
                "clarification",
                "escalation",
                "plan_summary",
                "progress_update",
                "notification",
                "digest",
            ],
        )
        .nullable()
        .parent("connectionId", "integration_connections", Cascade)
        .nullable()
        .word(
            "channel",
            &["slack", "gchat", "teams", "email", "whatsapp", "sms"],
        )
        .text("target")
        .boolean("isDm")
        .default("false")
        .boolean("enabled")
        .default("true")
        .unique_nulls_equal(&[
            "tenantId",
            "projectId",
            "roleSlug",
            "messageType",
            "channel",
        ])
}

fn notifications() -> Table {
    Table::standard("notifications")
        .parent("userId", "users", Cascade)
        .nullable()
        .parent("projectId", "projects", Cascade)
        .nullable()
        .word("channel", &NOTIFICATION_CHANNELS)
        .default("'in_app'")
        .word(
            "type",
            &[
                "info",
                "success",
                "warning",
                "error",
                "approval_request",
                "clarification",
                "escalation",
                "digest",
            ],
        )
        .default("'info'")
        .text("title")
        .text("message")
        .json("metadata")
        .nullable()
        .text("targetType")
        .nullable()
        .text("targetId")
        .nullable()
        .word(
            "deliveryStatus",
            &["pending", "sent", "failed", "suppressed"],
        )
        .default("'pending'")
        .integer("attempts")
        .default("0")
        .text("lastError")
        .nullable()
        .timestamp("sentAt")
        .nullable()
        .timestamp("readAt")
        .nullable()
        .timestamp("dismissedAt")
        .nullable()
        .text("dedupeKey")
        .nullable()
        // What the badge counts.
        .index_where(
            &["tenantId", "userId"],
            r#""readAt" IS NULL AND "dismissedAt" IS NULL"#,
        )
        .index(&["deliveryStatus", "createdAt"])
        .unique(&["tenantId", "dedupeKey"])
}

fn notification_subscriptions() -> Table {
    Table::standard("notification_subscriptions")
        .parent("userId", "users", Cascade)
        .parent("projectId", "projects", Cascade)
        .nullable()
        .word(
            "event",
            &[
                "meeting_ended",
                "brief_generated",
                "approval_needed",
                "tickets_created",
                "agent_error",
                "clarification",
                "escalation",
                "plan_updates",
                "daily_digest",
                "weekly_digest",
            ],
        )
        .word("channel", &NOTIFICATION_CHANNELS)
        .default("'in_app'")
        .boolean("enabled")
        .default("true")
        .word("mode", &["realtime", "digest"])
        .default("'realtime'")
        .text("quietHoursStart")
        .check(r#""quietHoursStart" LIKE '__:__'"#)
        .nullable()
        .text("quietHoursEnd")
        .check(r#""quietHoursEnd" LIKE '__:__'"#)
        .nullable()
        .text("timezone")
        .nullable()
        .unique_nulls_equal(&["tenantId", "userId", "projectId", "event", "channel"])
}

fn scheduled_jobs() -> Table {
    Table::standard("scheduled_jobs")
        .text("name")
        .check(r#"length("name") BETWEEN 1 AND 200"#)
        .text("cronExpression")
        .text("timezone")
        .default("'UTC'")
        .text("jobType")
        .json("payload")
        .default("'{}'")
        .boolean("enabled")
        .default("true")
        .timestamp("lastRunAt")
        .nullable()
        .timestamp("nextRunAt")
        .nullable()
        .word("lastStatus", &["success", "error"])
        .nullable()
        .text("lastError")
        .max(500)
        .nullable()
        .parent("createdById", "users", SetNull)
        .timestamp("lockedUntil")
        .nullable()
        .text("lockedBy")
        .nullable()
        .integer("consecutiveFailures")
        .default("0")
        .unique(&["tenantId", "name"])
        .index(&["tenantId", "enabled"])
        .index_where(&["nextRunAt"], r#""enabled""#)
}

fn api_usage() -> Table {
    Table::append_only("api_usage")
        .parent("userId", "users", SetNull)
        .parent("projectId", "projects", SetNull)
        .parent("prdId", "prds", SetNull)
        .parent("planId", "execution_plans", SetNull)
        .parent("ticketId", "tickets", SetNull)
        .text("roleSlug")
        .word(
            "provider",
            &[
                "anthropic",
                "openai",
                "google",
                "custom",
                "whisper",
                "twilio",
            ],
        )
        .text("model")
        .word(
            "operation",
            &[
                "draft",
                "critique",
                "revise",
                "council",
                "brief",
                "specialist",
                "transcribe",
                "voice",
                "embed",
            ],
        )
        .big_integer("inputTokens")
        .default("0")
        .big_integer("outputTokens")
        .default("0")
        .big_integer("cachedTokens")
        .default("0")
        .integer("audioSeconds")
        .default("0")
        .big_integer("costMicros")
        .default("0")
        .integer("latencyMs")
        .nullable()
        .boolean("success")
        .default("true")
        .text("errorCode")
        .nullable()
        .text("requestId")
        .nullable()
        .index(&["tenantId", "roleSlug", "createdAt"])
        .index(&["tenantId", "model", "createdAt"])
}
