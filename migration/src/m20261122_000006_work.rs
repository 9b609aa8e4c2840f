//! The work itself: briefs, the plans that carry them out, and the tickets that agents claim.

use crate::table::{
    OnDelete::{Cascade, Refuse, SetNull},
    Table,
};

pub(crate) fn tables() -> Vec<Table> {
    vec![
        prds(),
        prd_symbol_links(),
        execution_plans(),
        tickets(),
        ticket_dependencies(),
    ]
}

fn prds() -> Table {
    let brief = Table::standard("prds")
        .parent("projectId", "projects", Refuse)
        .parent("goalId", "goals", SetNull)
        .parent("meetingId", "meetings", SetNull)
        .parent("transcriptId", "transcripts", SetNull)
        .parent("supersedesId", "prds", SetNull)
        .word(
            "status",
            &[
                "draft",
                "needs_clarification",
                "pending_approval",
                "approved",
                "rejected",
                "superseded",
            ],
        )
        .default("'draft'")
        .integer("version")
        .default("1")
        .float("confidence")
        .default("0")
        .between(0, 1)
        .timestamp("pausedAt")
        .nullable()
        .parent("pausedById", "users", SetNull)
        .text("targetRepo")
        .nullable()
        .text("googleDocId")
        .nullable()
        .text("googleDocUrl")
        .nullable()
        .parent("createdById", "users", SetNull)
        .parent("decidedById", "users", SetNull)
        .timestamp("decidedAt")
        .nullable()
        .index(&["tenantId", "projectId", "status", "createdAt DESC"])
        .index(&["tenantId", "status", "createdAt"]);
    prd_content(brief)
}

/// What a brief says, as opposed to where it stands.
fn prd_content(brief: Table) -> Table {
    brief
        .text("title")
        .text("summary")
        .text("goalText")
        .nullable()
        .text("targetUsers")
        .nullable()
        .text("successMetrics")
        .nullable()
        .text("scope")
        .nullable()
        .text("nonScope")
        .nullable()
        .json("openQuestions")
        .default("'[]'")
        .json("objectives")
        .default("'[]'")
        .json("requirements")
        .default("'[]'")
        .json("acceptanceCriteria")
        .default("'[]'")
        .json("outOfScope")
        .default("'[]'")
        .json("assumptions")
        .default("'[]'")
        .json("risks")
        .default("'[]'")
        .integer("requirementCount")
        .default("0")
        .json("architectureOptions")
        .default("'[]'")
        .json("architectureDesign")
        .nullable()
        .text("selectedArchitecture")
        .nullable()
        .json("council")
        .nullable()
        .text("timeline")
        .nullable()
}

fn prd_symbol_links() -> Table {
    Table::append_only("prd_symbol_links")
        .parent("prdId", "prds", Cascade)
        .text("symbolId")
        .text("symbolName")
        .text("file")
        .nullable()
        .integer("line")
        .nullable()
        .float("confidence")
        .default("0.5")
        .between(0, 1)
        .word("source", &["auto", "manual"])
        .default("'auto'")
        .unique(&["prdId", "symbolId"])
        .index(&["tenantId", "symbolId"])
}

fn execution_plans() -> Table {
    Table::standard("execution_plans")
        .parent("prdId", "prds", Cascade)
        .parent("projectId", "projects", Refuse)
        .parent("parentTicketId", "tickets", Cascade)
        .integer("attempt")
        .default("1")
        .check(r#""attempt" >= 1"#)
        .integer("cycle")
        .default("1")
        .word(
            "status",
            &[
                "pending_approval",
                "active",
                "superseded",
                "done",
                "failed",
                "cancelled",
            ],
        )
        .default("'pending_approval'")
        .timestamp("pausedAt")
        .nullable()
        .parent("pausedById", "users", SetNull)
        .text("model")
        .nullable()
        .json("steps")
        .integer("stepCount")
        .between(1, 6)
        .text("channelSummary")
        .text("replanReason")
        .nullable()
        .text("errorSignature")
        .max(200)
        .nullable()
        .integer("critiqueScore")
        .between(0, 25)
        .nullable()
        .boolean("revised")
        .default("false")
        .integer("candidateCount")
        .default("1")
        .json("councilVotes")
        .nullable()
        .text("graphContentHash")
        .nullable()
        .boolean("budgetExceeded")
        .default("false")
        .boolean("isFallback")
        .default("false")
        .big_integer("estimatedTokens")
        .nullable()
        .big_integer("estimatedCostMicros")
        .nullable()
        .unique(&["parentTicketId", "attempt"])
        // Two tickets that fail together must not both start the next attempt.
        .unique_where(
            &["parentTicketId"],
            r#""status" IN ('pending_approval', 'active')"#,
        )
        .index(&["tenantId", "prdId", "attempt DESC"])
}

fn tickets() -> Table {
    let ticket = Table::standard("tickets")
        .parent("projectId", "projects", Refuse)
        .parent("goalId", "goals", SetNull)
        .parent("meetingId", "meetings", SetNull)
        .parent("prdId", "prds", Cascade)
        .nullable()
        .parent("planId", "execution_plans", Cascade)
        .nullable()
        .integer("stepIndex")
        .nullable()
        .parent("parentTicketId", "tickets", Cascade)
        .nullable()
        .text("roleSlug")
        .max(64)
        .text("subagentSlug")
        .nullable()
        .json("skills")
        .default("'[]'")
        .text("title")
        .max(200)
        .text("description")
        .default("''")
        .max(10_000)
        .integer("priority")
        .default("100")
        .between(0, 1000)
        .text("targetRepo")
        .nullable()
        .json("payload")
        .default("'{}'")
        .word("externalSystem", &["jira", "linear"])
        .nullable()
        .text("externalKey")
        .nullable()
        .text("externalStatus")
        .nullable()
        .timestamp("externalSyncedAt")
        .nullable()
        .text("createdBy")
        .index(&["planId", "stepIndex"])
        .unique(&["tenantId", "externalSystem", "externalKey"]);
    ticket_progress(ticket)
}

/// Where a ticket stands and who works on it, as opposed to what it asks for.
fn ticket_progress(ticket: Table) -> Table {
    ticket
        .word(
            "status",
            &[
                "ready",
                "blocked",
                "claimed",
                "waiting",
                "done",
                "failed",
                "cancelled",
                "superseded",
            ],
        )
        .default("'ready'")
        .word("waitingReason", &["approval", "clarification", "paused"])
        .nullable()
        .row_check(r#"("status" = 'waiting') = ("waitingReason" IS NOT NULL)"#)
        .parent("claimedByTokenId", "agent_tokens", SetNull)
        .text("claimedBy")
        .nullable()
        .timestamp("claimedAt")
        .nullable()
        .timestamp("leaseExpiresAt")
        .nullable()
        .timestamp("heartbeatAt")
        .nullable()
        .integer("attemptCount")
        .default("0")
        .integer("maxAttempts")
        .default("3")
        .timestamp("nextAttemptAt")
        .nullable()
        .integer("timeoutSeconds")
        .nullable()
        .json("result")
        .nullable()
        .text("error")
        .max(5000)
        .nullable()
        .text("errorSignature")
        .max(200)
        .nullable()
        .float("confidence")
        .default("0")
        .between(0, 1)
        .boolean("requiresApproval")
        .default("false")
        .parent("approvedById", "users", SetNull)
        .timestamp("approvedAt")
        .nullable()
        // Counting a finished dependency twice would release the ticket too early.
        .integer("openDependencyCount")
        .default("0")
        .check(r#""openDependencyCount" >= 0"#)
        .timestamp("completedAt")
        .nullable()
        .index(&["tenantId", "status"])
        // What "claim the next ticket" walks along.
        .index_where(
            &[
                "tenantId",
                "roleSlug",
                "status",
                "priority DESC",
                "createdAt",
            ],
            r#""status" = 'ready'"#,
        )
        .index_where(&["leaseExpiresAt"], r#""status" = 'claimed'"#)
}

fn ticket_dependencies() -> Table {
    Table::standard("ticket_dependencies")
        .parent("ticketId", "tickets", Cascade)
        .parent("dependsOnTicketId", "tickets", Cascade)
        .unique(&["ticketId", "dependsOnTicketId"])
        .row_check(r#""ticketId" <> "dependsOnTicketId""#)
}
