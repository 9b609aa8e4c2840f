//! The operations, one statement each.

#![expect(
    clippy::disallowed_methods,
    reason = "its clock is the machine's, and nobody sets it"
)]

use crate::{
    Caller, Failure,
    pool::Pool,
    text::{
        As::{Big, Bool, Float, Int, Json, Text, Time, Word},
        Field, key, object,
    },
};
use chrono::Utc;
use serde_json::Value;
use tokio_postgres::Row;

const READ: &str = "BEGIN READ ONLY";
const WRITE: &str = "BEGIN";

/// What a page shows: the statement, and the fields of its rows.
struct List {
    root: &'static str,
    sql: &'static str,
    fields: &'static [Field],
}

const NEWEST_TICKETS: &str = r#"SELECT t."id", t."title", t."status", t."priority", t."createdAt",
    p."id", p."name", u."id", u."title", u."status"
    FROM (SELECT * FROM tickets WHERE "tenantId" = $1 ORDER BY "createdAt" DESC, "id" DESC LIMIT 50) t
    JOIN projects p ON p."tenantId" = $1 AND p."id" = t."projectId"
    LEFT JOIN tickets u ON u."tenantId" = $1 AND u."id" = t."parentTicketId"
    ORDER BY t."createdAt" DESC, t."id" DESC"#;

const PROJECTS_AND_GOALS: &str = r#"SELECT p."id", p."name", g."id", g."title", g."status", g."createdAt"
    FROM (SELECT * FROM projects WHERE "tenantId" = $1 ORDER BY "createdAt" DESC, "id" DESC LIMIT 20) p
    LEFT JOIN LATERAL (SELECT * FROM goals WHERE "tenantId" = $1 AND "projectId" = p."id"
        ORDER BY "createdAt" DESC, "id" DESC LIMIT 10) g ON true
    ORDER BY p."createdAt" DESC, p."id" DESC, g."createdAt" DESC, g."id" DESC"#;

const BRIEFS_PLANS_TICKETS: &str = r#"SELECT b."id", b."title", b."status", p."id", p."status", p."stepCount",
    t."id", t."title", t."status", t."roleSlug", t."priority"
    FROM (SELECT * FROM prds WHERE "tenantId" = $1 ORDER BY "createdAt" DESC, "id" DESC LIMIT 10) b
    LEFT JOIN LATERAL (SELECT * FROM execution_plans WHERE "tenantId" = $1 AND "prdId" = b."id"
        ORDER BY "createdAt" DESC, "id" DESC LIMIT 5) p ON true
    LEFT JOIN LATERAL (SELECT * FROM tickets WHERE "tenantId" = $1 AND "planId" = p."id"
        ORDER BY "createdAt" DESC, "id" DESC LIMIT 20) t ON true
    ORDER BY b."createdAt" DESC, b."id" DESC, p."createdAt" DESC, p."id" DESC, t."createdAt" DESC, t."id" DESC"#;

const LEDGER_PAGE: List = List {
    root: "activity",
    sql: r#"SELECT "id", "seq", "actor", "actorType", "action", "targetType", "targetId", "targetTitle", "message",
        "createdAt" FROM audit_logs WHERE "tenantId" = $1 AND "seq" > $2 ORDER BY "seq" LIMIT 50"#,
    fields: &[
        ("id", Text),
        ("seq", Big),
        ("actor", Text),
        ("actorType", Word),
        ("action", Text),
        ("targetType", Text),
        ("targetId", Text),
        ("targetTitle", Text),
        ("message", Text),
        ("createdAt", Time),
    ],
};

const LARGE_BRIEFS: List = List {
    root: "prds",
    sql: r#"SELECT "id", "title", "objectives"::text, "acceptanceCriteria"::text, "assumptions"::text, "outOfScope"::text
        FROM prds WHERE "tenantId" = $1 ORDER BY "createdAt" DESC, "id" DESC LIMIT 50"#,
    fields: &[
        ("id", Text),
        ("title", Text),
        ("objectives", Json),
        ("acceptanceCriteria", Json),
        ("assumptions", Json),
        ("outOfScope", Json),
    ],
};

const WIDE_TICKETS: List = List {
    root: "tickets",
    sql: r#"SELECT "id", "projectId", "goalId", "meetingId", "prdId", "planId", "stepIndex", "parentTicketId", "roleSlug",
        "subagentSlug", "skills"::text, "title", "status", "waitingReason", "priority", "targetRepo", "claimedByTokenId",
        "claimedBy", "claimedAt", "leaseExpiresAt", "heartbeatAt", "attemptCount", "maxAttempts", "nextAttemptAt",
        "timeoutSeconds", "error", "errorSignature", "confidence", "requiresApproval", "approvedById", "approvedAt",
        "openDependencyCount", "externalSystem", "externalKey", "externalStatus", "externalSyncedAt", "createdBy",
        "completedAt", "createdAt", "updatedAt"
        FROM tickets WHERE "tenantId" = $1 ORDER BY "createdAt" DESC, "id" DESC LIMIT 200"#,
    fields: &[
        ("id", Text),
        ("projectId", Text),
        ("goalId", Text),
        ("meetingId", Text),
        ("prdId", Text),
        ("planId", Text),
        ("stepIndex", Int),
        ("parentTicketId", Text),
        ("roleSlug", Text),
        ("subagentSlug", Text),
        ("skills", Json),
        ("title", Text),
        ("status", Word),
        ("waitingReason", Word),
        ("priority", Int),
        ("targetRepo", Text),
        ("claimedByTokenId", Text),
        ("claimedBy", Text),
        ("claimedAt", Time),
        ("leaseExpiresAt", Time),
        ("heartbeatAt", Time),
        ("attemptCount", Int),
        ("maxAttempts", Int),
        ("nextAttemptAt", Time),
        ("timeoutSeconds", Int),
        ("error", Text),
        ("errorSignature", Text),
        ("confidence", Float),
        ("requiresApproval", Bool),
        ("approvedById", Text),
        ("approvedAt", Time),
        ("openDependencyCount", Int),
        ("externalSystem", Word),
        ("externalKey", Text),
        ("externalStatus", Text),
        ("externalSyncedAt", Time),
        ("createdBy", Text),
        ("completedAt", Time),
        ("createdAt", Time),
        ("updatedAt", Time),
    ],
};

const ONE_TICKET: &str = r#"SELECT "id", "title", "description", "status", "priority", "roleSlug", "createdAt",
    "updatedAt" FROM tickets WHERE "tenantId" = $1 AND "id" = $2"#;
const TICKET: &[Field] = &[
    ("id", Text),
    ("title", Text),
    ("description", Text),
    ("status", Word),
    ("priority", Int),
    ("roleSlug", Text),
    ("createdAt", Time),
    ("updatedAt", Time),
];

const VIEWER: &str = r#"SELECT u."id", u."name", u."email", n."id", n."name", n."slug",
    p."id", p."name", p."slug", p."description", p."isArchived", p."createdAt"
    FROM users u JOIN tenants n ON n."id" = u."tenantId"
    LEFT JOIN LATERAL (SELECT * FROM projects WHERE "tenantId" = $1
        ORDER BY "createdAt" DESC, "id" DESC LIMIT 20) p ON true
    WHERE u."tenantId" = $1 AND u."id" = $2 ORDER BY p."createdAt" DESC, p."id" DESC"#;
const USER: &[Field] = &[("id", Text), ("name", Text), ("email", Text)];
const TENANT: &[Field] = &[("id", Text), ("name", Text), ("slug", Text)];
const PROJECT: &[Field] = &[
    ("id", Text),
    ("name", Text),
    ("slug", Text),
    ("description", Text),
    ("isArchived", Bool),
    ("createdAt", Time),
];

/// A ticket, its ledger entry and the ledger's head in one statement. The hash is not computed: it is the price of being
/// tamper-evident, not of writing.
const CREATE_TICKET: &str = r#"WITH head AS (
        UPDATE tenant_feeds SET "headSeq" = "headSeq" + 1 WHERE "tenantId" = $1 RETURNING "headSeq", "headHash"
    ), made AS (
        INSERT INTO tickets ("id", "tenantId", "projectId", "title", "roleSlug", "status", "createdBy", "createdAt",
            "updatedAt")
        SELECT $2, $1, "id", $4, $5, 'ready', 'user:limit', $6, $6 FROM projects WHERE "tenantId" = $1 AND "id" = $3
        RETURNING "id", "title", "status", "priority", "createdAt"
    ), told AS (
        INSERT INTO audit_logs ("id", "tenantId", "createdAt", "seq", "actor", "actorType", "action", "targetType",
            "targetId", "targetTitle", "projectId", "prevHash", "hash")
        SELECT $2, $1, $6, head."headSeq", 'user:limit', 'user', 'ticket.created', 'Ticket', $2, $4, $3,
            head."headHash", head."headHash" FROM head
    )
    SELECT * FROM made"#;
const CREATED: &[Field] = &[
    ("id", Text),
    ("title", Text),
    ("status", Word),
    ("priority", Int),
    ("createdAt", Time),
];

/// The answer of the operation with this name.
pub(crate) async fn answer(
    pool: &Pool,
    caller: &Caller,
    name: &str,
    variables: &Value,
) -> Result<String, Failure> {
    let tenant = caller.tenant.as_str();
    let mut out = String::with_capacity(4096);
    out.push_str(r#"{"data":{"#);
    match name {
        "ViewerAndProjects" => {
            let rows = pool
                .rows(tenant, READ, VIEWER, &[&tenant, &caller.user])
                .await?;
            let first = rows.first().ok_or("no such user")?;
            out.push_str(r#""viewer":{"user":"#);
            object(&mut out, first, 0, USER);
            out.push_str(r#","tenant":"#);
            object(&mut out, first, 3, TENANT);
            out.push_str(r#"},"projects":"#);
            nodes(&mut out, &rows, 6, |out, rows| {
                object(out, &rows[0], 6, PROJECT)
            });
        }
        "ProjectsAndGoals" => {
            let rows = pool
                .rows(tenant, READ, PROJECTS_AND_GOALS, &[&tenant])
                .await?;
            key(&mut out, "projects");
            nodes(&mut out, &rows, 0, |out, rows| {
                open(out, &rows[0], 0, &[("id", Text), ("name", Text)], "goals");
                let fields = [
                    ("id", Text),
                    ("title", Text),
                    ("status", Word),
                    ("createdAt", Time),
                ];
                nodes(out, rows, 2, |out, rows| object(out, &rows[0], 2, &fields));
                out.push('}');
            });
        }
        "BriefsPlansTickets" => {
            let rows = pool
                .rows(tenant, READ, BRIEFS_PLANS_TICKETS, &[&tenant])
                .await?;
            key(&mut out, "prds");
            nodes(&mut out, &rows, 0, |out, rows| {
                let fields = [("id", Text), ("title", Text), ("status", Word)];
                open(out, &rows[0], 0, &fields, "executionPlans");
                nodes(out, rows, 3, |out, rows| {
                    let fields = [("id", Text), ("status", Word), ("stepCount", Int)];
                    open(out, &rows[0], 3, &fields, "tickets");
                    let fields = [
                        ("id", Text),
                        ("title", Text),
                        ("status", Word),
                        ("roleSlug", Text),
                        ("priority", Int),
                    ];
                    nodes(out, rows, 6, |out, rows| object(out, &rows[0], 6, &fields));
                    out.push('}');
                });
                out.push('}');
            });
        }
        "NewestTickets" => {
            let rows = pool.rows(tenant, READ, NEWEST_TICKETS, &[&tenant]).await?;
            key(&mut out, "tickets");
            nodes(&mut out, &rows, 0, |out, rows| {
                let row = &rows[0];
                let fields = [
                    ("id", Text),
                    ("title", Text),
                    ("status", Word),
                    ("priority", Int),
                    ("createdAt", Time),
                ];
                open(out, row, 0, &fields, "project");
                object(out, row, 5, &[("id", Text), ("name", Text)]);
                out.push(',');
                key(out, "parentTicket");
                match row.try_get::<_, Option<&str>>(7) {
                    Ok(Some(_)) => {
                        object(
                            out,
                            row,
                            7,
                            &[("id", Text), ("title", Text), ("status", Word)],
                        );
                    }
                    _ => out.push_str("null"),
                }
                out.push('}');
            });
        }
        "LedgerPage" => {
            let after: i64 = variables["after"].as_str().unwrap_or("0").parse()?;
            let rows = pool
                .rows(tenant, READ, LEDGER_PAGE.sql, &[&tenant, &after])
                .await?;
            list(&mut out, &rows, &LEDGER_PAGE);
        }
        "OneTicket" => {
            let id = variables["id"].as_str();
            let rows = pool.rows(tenant, READ, ONE_TICKET, &[&tenant, &id]).await?;
            key(&mut out, "ticket");
            match rows.first() {
                Some(row) => object(&mut out, row, 0, TICKET),
                None => out.push_str("null"),
            }
        }
        "LargeBriefs" => {
            let rows = pool
                .rows(tenant, READ, LARGE_BRIEFS.sql, &[&tenant])
                .await?;
            list(&mut out, &rows, &LARGE_BRIEFS);
        }
        "WideTickets" => {
            let rows = pool
                .rows(tenant, READ, WIDE_TICKETS.sql, &[&tenant])
                .await?;
            list(&mut out, &rows, &WIDE_TICKETS);
        }
        "CreateTicket" => {
            let input = &variables["input"];
            let (project, title) = (input["projectId"].as_str(), input["title"].as_str());
            let (role, now) = (input["roleSlug"].as_str(), Utc::now());
            // As long and as random as a cuid.
            let id = format!("l{:023x}", now.timestamp_nanos_opt().unwrap_or_default());
            let rows = pool
                .rows(
                    tenant,
                    WRITE,
                    CREATE_TICKET,
                    &[&tenant, &id, &project, &title, &role, &now],
                )
                .await?;
            out.push_str(r#""createTicket":{"ticket":"#);
            object(&mut out, rows.first().ok_or("no such project")?, 0, CREATED);
            out.push('}');
        }
        _ => return Err(format!("the limit does not know the operation {name:?}").into()),
    }
    out.push_str("}}");
    Ok(out)
}

fn list(out: &mut String, rows: &[Row], list: &List) {
    key(out, list.root);
    nodes(out, rows, 0, |out, rows| {
        object(out, &rows[0], 0, list.fields)
    });
}

/// Begins an object and leaves it open for the value of one more field.
fn open(out: &mut String, row: &Row, first: usize, fields: &[Field], more: &str) {
    object(out, row, first, fields);
    out.pop();
    out.push(',');
    key(out, more);
}

/// Writes a connection's nodes: rows with the same id in this column, which follow each other, are one node.
fn nodes(out: &mut String, rows: &[Row], id: usize, mut node: impl FnMut(&mut String, &[Row])) {
    out.push_str(r#"{"nodes":["#);
    let of = |row: &Row| row.try_get::<_, Option<String>>(id).ok().flatten();
    let mut is_first = true;
    for rows in rows.chunk_by(|a, b| of(a) == of(b)) {
        if of(&rows[0]).is_none() {
            continue;
        }
        if !is_first {
            out.push(',');
        }
        is_first = false;
        node(out, rows);
    }
    out.push_str("]}");
}
