//! No role sees what it may not, through whatever door: everything that the schema offers is asked by everybody, with the
//! ids, values, words and cursors of what the one who asks does not see.

use super::{
    asks::{Effort, Walker},
    callers::{Caller, furnish},
    narrowed::cursors,
    oracle::Oracle,
    policy::{Policy, See},
    streams,
    walk::{Leak, send},
};
use crate::support::{ACME, DEMO, Schema, TestApp};
use serde_json::json;
use std::sync::Arc;

/// What is tried of everything.
const ALL: Effort = Effort {
    kinds: &[],
    rows: 6,
    values: 1,
    words: 30,
};
/// So many operations are sent at least.
const LEAST: usize = 20_000;

/// What finds a leak of these kinds.
const fn only(kinds: &'static [&'static str]) -> Effort {
    Effort {
        kinds,
        rows: 4,
        values: 1,
        words: 30,
    }
}

on_both_databases! {
    async fn no_role_is_shown_what_it_does_not_see(app) {
        let callers = furnish(&app).await;
        let (sent, leaks) = walk(&app, &callers, Policy::default(), ALL).await;
        assert!(leaks.is_empty(), "{} leaks:\n{:#?}", leaks.len(), &leaks[..leaks.len().min(30)]);
        assert!(sent >= LEAST, "only {sent} operations");
    }

    async fn no_stream_tells_a_role_of_what_it_does_not_see(app) {
        let before = app.owner().await.data("{ feedCursor }", json!({})).await["feedCursor"].clone();
        let callers = furnish(&app).await;
        let schema = Schema::of(&callers[0].client).await;
        let oracle = Oracle::read(&app, &callers, Policy::default()).await;
        let leaks = streams::follow_all(&app, &schema, &oracle, &callers, &before).await;
        assert!(leaks.is_empty(), "{} leaks:\n{:#?}", leaks.len(), &leaks[..leaks.len().min(30)]);
    }

    async fn the_walk_finds_a_role_that_sees_too_much(app) {
        let callers = furnish(&app).await;
        let (_, leaks) = walk(&app, &callers, Policy::but("Goal", "viewer", See::None), only(&["Goal", "AuditLog", "Project"])).await;
        let strangers: Vec<_> = leaks.iter().filter(|leak| !leak.caller.contains("viewer")).collect();
        assert!(strangers.is_empty(), "others are blamed: {strangers:#?}");
        for door in ["goals(", "goal(", "node(", "nodes(", "activity(", "search("] {
            assert!(leaks.iter().any(|leak| leak.asked.contains(door)), "{door} is not found open");
        }
    }

    async fn the_walk_finds_a_row_of_another_tenant(app) {
        let callers = furnish(&app).await;
        let foreign = app.tenant(ACME).await;
        let oracle = Oracle::read(&app, &callers, Policy::default()).await;
        let planted = oracle.of("Notification", &foreign).find(|row| {
            row.text("userId").is_none() && row.text("projectId").is_none()
        });
        let id = planted.expect("a notification for everyone").id.clone();
        let tenant = app.tenant(DEMO).await;
        app.execute(&format!("UPDATE notifications SET \"tenantId\" = '{tenant}' WHERE id = '{id}'")).await;
        let (_, leaks) = ask(&app, &callers, oracle, only(&["Notification"])).await;
        assert!(leaks.iter().any(|leak| leak.found == id), "{id} is not found");
    }

    async fn a_scoped_agent_learns_nothing_of_other_projects(app) {
        let callers = furnish(&app).await;
        let agent = callers.iter().find(|caller| caller.name == "scoped agent").expect("one");
        let oracle = Oracle::read(&app, &callers, Policy::default()).await;
        let token = oracle.of("AgentToken", &agent.tenant).find(|row| Some(&row.id) == agent.agent.as_ref());
        let named = token.expect("its token").value("projectIds").to_string();
        let (mut within, mut without) = (0, Vec::new());
        let projects = oracle.rows["Project"].iter().map(|row| row.id.as_str());
        for project in projects.chain(["nowhere", ""]) {
            let mut answer = agent.client.in_project(project).send("{ feedCursor }", json!({})).await;
            if !project.is_empty() && named.contains(project) {
                within += 1;
                answer.data("{ feedCursor }");
                continue;
            }
            answer.body["errors"][0]["extensions"]["requestId"] = json!(null);
            without.push((answer.status, answer.body));
        }
        assert_eq!(within, 1);
        assert!(without.len() > 4, "there are other projects");
        assert!(without.iter().all(|answer| *answer == without[0]), "{without:#?}");
    }
}

async fn walk(
    app: &TestApp,
    callers: &[Caller],
    policy: Policy,
    effort: Effort,
) -> (usize, Vec<Leak>) {
    let oracle = Oracle::read(app, callers, policy).await;
    ask(app, callers, oracle, effort).await
}

async fn ask(
    app: &TestApp,
    callers: &[Caller],
    oracle: Oracle,
    effort: Effort,
) -> (usize, Vec<Leak>) {
    let owner = app.owner().await;
    let schema = Schema::of(&owner).await;
    let (oracle, cursors) = (Arc::new(oracle), cursors(&owner, &schema, effort).await);
    let walker = Walker {
        schema: &schema,
        oracle: &oracle,
        callers,
        effort,
        cursors: &cursors,
    };
    let asks = walker.asks();
    let sent = asks.len();
    let mut leaks = send(asks, callers, &oracle).await;
    leaks.sort();
    leaks.dedup();
    (sent, leaks)
}
