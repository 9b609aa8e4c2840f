//! Many agents at once: each ticket is done once, in order, and nobody is idle while there is work.

use super::{Daemon, cleared, concurrency, must_be_counted_right, tickets};
use crate::{support::DEMO, writes::Made};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How many rounds a race has; more of them with `WORKGRAPH_RACE_ROUNDS`.
fn rounds(usual: usize) -> usize {
    let more = std::env::var("WORKGRAPH_RACE_ROUNDS").ok();
    more.and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

on_both_databases! {
    async fn of_fifty_agents_one_gets_a_ticket(app) {
        let owner = cleared(&app).await;
        concurrency(&app, 32).await;
        let daemons = join_all((0..50).map(|_| Daemon::connect(&app, &owner, &["dev_agent"], 1))).await;
        for round in 0..rounds(10) {
            let (_, made) = tickets(&owner, &format!("Round {round}"), 1).await;
            let answers = join_all(daemons.iter().map(|daemon| daemon.claim())).await;
            let won: Vec<_> = daemons.iter().zip(&answers).filter(|(_, answer)| answer["ticket"]["id"] == made[0]).collect();
            assert_eq!(won.len(), 1, "round {round}");
            let lost = answers.iter().filter(|answer| answer["reason"] == "NONE_READY").count();
            assert_eq!(lost, 49, "round {round}: {answers:?}");
            let (winner, claimed) = won[0];
            winner.work(claimed).await;
        }
        must_be_counted_right(&app).await;
        app.verify_ledger(DEMO).await;
    }

    async fn many_agents_do_what_depends_on_each_other_once_and_in_order(app) {
        let owner = cleared(&app).await;
        app.execute("UPDATE agent_roles SET \"defaultConcurrency\" = 5").await;
        let made = Made { app: &app, client: &owner };
        let approve = "mutation($id: ID!) { approvePlan(input: { id: $id, expectedVersion: 1 }) { executionPlan { id } } }";
        let mut plans = Vec::new();
        for _ in 0..rounds(8) {
            let brief = made.approved().await;
            let steps: Value = (0..6).map(|place| json!({ "title": format!("Step {place}"), "roleSlug": if place % 2 == 0 { "dev_agent" } else { "qa_agent" },
                "dependsOn": match place { 0 | 1 => vec![], 2 => vec![0, 1], place => vec![place - 1] } })).collect();
            let plan = made.run("createExecutionPlan", json!({ "prdId": brief, "channelSummary": "Six", "steps": steps })).await;
            owner.data(approve, json!({ "id": plan })).await;
            plans.push(plan);
        }
        let daemons = join_all((0..rounds(12).min(50)).map(|_| Daemon::connect(&app, &owner, &["dev_agent", "qa_agent"], 2))).await;
        let work = daemons.iter().map(|daemon| async move {
            let (mut done, mut idle) = (Vec::new(), 0);
            while idle < 40 {
                let claimed = daemon.claim().await;
                match claimed["ticket"]["id"].as_str() {
                    Some(id) => {
                        daemon.work(&claimed).await;
                        done.push(id.to_owned());
                        idle = 0;
                    }
                    None => {
                        let reason = &claimed["reason"];
                        assert!(["NONE_READY", "CONCURRENCY"].iter().any(|allowed| reason == allowed), "{reason}");
                        idle += 1;
                    }
                }
            }
            done
        });
        let done: Vec<_> = join_all(work).await.into_iter().flatten().collect();
        assert_eq!(done.len(), 6 * plans.len());
        assert_eq!(done.iter().collect::<BTreeSet<_>>().len(), done.len(), "each is done once");
        let of = "query($id: ID!) { executionPlan(id: $id) { status tickets { nodes { id attemptCount dependencies { nodes { dependsOnTicketId } } } } } }";
        let entries = "query($after: Cursor) { activity(first: 200, after: $after, orderBy: [{ field: SEQ }], filter: { action: { in: [\"ticket.claimed\", \"ticket.done\"] } }) {
            nodes { action targetId seq } pageInfo { hasNextPage endCursor } } }";
        let (mut places, mut after) = (std::collections::HashMap::new(), Value::Null);
        loop {
            let page = owner.data(entries, json!({ "after": after })).await["activity"].clone();
            for entry in page["nodes"].as_array().expect("entries") {
                let seq: i64 = entry["seq"].as_str().and_then(|seq| seq.parse().ok()).expect("a number");
                places.insert((entry["action"].to_string(), entry["targetId"].to_string()), seq);
            }
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        let place = |action: &str, id: &Value| places[&(json!(action).to_string(), id.to_string())];
        for plan in &plans {
            let plan = owner.data(of, json!({ "id": plan })).await["executionPlan"].clone();
            assert_eq!(plan["status"], "DONE");
            for ticket in plan["tickets"]["nodes"].as_array().expect("tickets") {
                assert_eq!(ticket["attemptCount"], 1);
                for before in ticket["dependencies"]["nodes"].as_array().expect("dependencies") {
                    let ended = place("ticket.done", &before["dependsOnTicketId"]);
                    assert!(ended < place("ticket.claimed", &ticket["id"]), "{ticket}");
                }
            }
        }
        must_be_counted_right(&app).await;
        app.verify_ledger(DEMO).await;
    }

    async fn a_result_and_its_loss_at_the_same_moment_are_one_of_both(app) {
        let owner = cleared(&app).await;
        let (mut done, mut stopped) = (0, 0);
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let cancel = "mutation($id: ID!) { cancelTicket(input: { id: $id }) { ticket { status } } }";
        for round in 0..rounds(60) {
            let (_, made) = tickets(&owner, &format!("Round {round}"), 1).await;
            let claimed = daemon.claim().await;
            daemon.run("startJob", &claimed, json!({})).await;
            let handed = async {
                if round % 2 == 0 { tokio::task::yield_now().await; }
                daemon.send("completeJob", &claimed, json!({ "result": { "round": round } })).await
            };
            let (handed, stop) = tokio::join!(handed, owner.send(cancel, json!({ "id": made[0] })));
            let of = "query($id: ID!) { ticket(id: $id) { status result latestJob { status } } }";
            let now = owner.data(of, json!({ "id": made[0] })).await["ticket"].clone();
            match handed {
                Ok(_) => {
                    assert_eq!(now, json!({ "status": "DONE", "result": { "round": round }, "latestJob": { "status": "DONE" } }));
                    assert_eq!(stop.code(), "ILLEGAL_TRANSITION");
                    done += 1;
                }
                Err(error) => {
                    assert_eq!(error["extensions"]["reason"], "STALE_LEASE");
                    assert_eq!(now, json!({ "status": "CANCELLED", "result": null, "latestJob": { "status": "CANCELLED" } }));
                    stopped += 1;
                }
            }
        }
        assert!(done + stopped == rounds(60), "{done} done and {stopped} stopped");
        must_be_counted_right(&app).await;
    }
}
