//! What daemons and people do about the work: runs of jobs, decisions, and answers to questions.

use crate::table::{
    OnDelete::{Cascade, Refuse, SetNull},
    Table,
};

pub(crate) fn tables() -> Vec<Table> {
    vec![
        agent_jobs(),
        agent_tasks(),
        approvals(),
        clarification_requests(),
    ]
}

fn agent_jobs() -> Table {
    Table::standard("agent_jobs")
        .parent("ticketId", "tickets", Cascade)
        .parent("projectId", "projects", Refuse)
        .parent("agentTokenId", "agent_tokens", SetNull)
        .text("sessionId")
        .nullable()
        .text("action")
        .word(
            "status",
            &[
                "pending",
                "dispatched",
                "in_progress",
                "done",
                "failed",
                "cancelled",
            ],
        )
        .default("'pending'")
        .text("targetRepo")
        .json("payload")
        .json("result")
        .nullable()
        .text("prUrl")
        .nullable()
        .integer("progressPercent")
        .between(0, 100)
        .nullable()
        .text("progressMessage")
        .nullable()
        .text("error")
        .max(5000)
        .nullable()
        .integer("attempt")
        .default("1")
        .timestamp("dispatchedAt")
        .nullable()
        .timestamp("ackedAt")
        .nullable()
        .timestamp("startedAt")
        .nullable()
        .timestamp("completedAt")
        .nullable()
        .timestamp("leaseExpiresAt")
        .nullable()
        .index(&["tenantId", "status", "createdAt DESC"])
        .index(&["tenantId", "targetRepo", "status"])
        .index(&["agentTokenId", "status"])
}

fn agent_tasks() -> Table {
    Table::standard("agent_tasks")
        .parent("ticketId", "tickets", SetNull)
        .parent("meetingId", "meetings", SetNull)
        .parent("projectId", "projects", SetNull)
        .parent("goalId", "goals", SetNull)
        .text("agentType")
        .word(
            "status",
            &[
                "pending",
                "processing",
                "awaiting_clarification",
                "awaiting_approval",
                "approved",
                "rejected",
                "completed",
                "failed",
            ],
        )
        .default("'pending'")
        .json("input")
        .json("output")
        .nullable()
        .float("confidence")
        .default("0")
        .boolean("requiresApproval")
        .default("false")
        .text("approvedBy")
        .nullable()
        .timestamp("approvedAt")
        .nullable()
        .text("error")
        .nullable()
        .integer("retryCount")
        .default("0")
        .timestamp("completedAt")
        .nullable()
        .index(&["tenantId", "status", "agentType"])
}

fn approvals() -> Table {
    Table::append_only("approvals")
        .word("subjectType", &["brief", "plan", "ticket", "skill_package"])
        .parent("prdId", "prds", Cascade)
        .nullable()
        .parent("planId", "execution_plans", Cascade)
        .nullable()
        .parent("ticketId", "tickets", Cascade)
        .nullable()
        .parent("skillPackageId", "skill_packages", Cascade)
        .nullable()
        // Exactly one is set, and it is the one that the type names.
        .row_check(
            r#"("subjectType" = 'brief') = ("prdId" IS NOT NULL)
    AND ("subjectType" = 'plan') = ("planId" IS NOT NULL)
    AND ("subjectType" = 'ticket') = ("ticketId" IS NOT NULL)
    AND ("subjectType" = 'skill_package') = ("skillPackageId" IS NOT NULL)"#,
        )
        .parent("projectId", "projects", Refuse)
        .nullable()
        .word(
            "decision",
            &["approved", "rejected", "redirected", "paused", "resumed"],
        )
        .text("reason")
        .nullable()
        .row_check(r#""decision" <> 'redirected' OR "reason" IS NOT NULL"#)
        .parent("userId", "users", SetNull)
        .text("actor")
        .text("actorEmail")
        .nullable()
        .parent("onBehalfOfUserId", "users", SetNull)
        .word(
            "channel",
            &[
                "web", "slack", "teams", "whatsapp", "email", "gchat", "sms", "api",
            ],
        )
        .default("'web'")
        .text("messageLink")
        .nullable()
        .text("externalActorRef")
        .nullable()
        .integer("subjectVersion")
        .json("diff")
        .default("'{}'")
        .text("ruleMatched")
        .nullable()
        .text("idempotencyKey")
        .nullable()
        .unique(&["tenantId", "idempotencyKey"])
}

fn clarification_requests() -> Table {
    Table::standard("clarification_requests")
        .parent("ticketId", "tickets", Cascade)
        .nullable()
        .parent("prdId", "prds", Cascade)
        .nullable()
        .row_check(r#""ticketId" IS NOT NULL OR "prdId" IS NOT NULL"#)
        .text("question")
        .text("context")
        .nullable()
        .json("options")
        .default("'[]'")
        .word(
            "routeTo",
            &[
                "product_lead",
                "tech_lead",
                "engineering",
                "design",
                "qa",
                "executive",
                "stakeholder",
            ],
        )
        .word("urgency", &["medium", "low", "high", "critical"])
        .default("'medium'")
        .word("status", &["pending", "answered", "expired"])
        .default("'pending'")
        .text("response")
        .nullable()
        .parent("respondedById", "users", SetNull)
        .timestamp("respondedAt")
        .nullable()
        .timestamp("expiresAt")
        .integer("remindersSent")
        .default("0")
        .index(&["tenantId", "status", "expiresAt"])
}
