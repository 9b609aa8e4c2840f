//! What reservations hold back, what is told of them, and that nothing is counted wrong while others count anew.

use super::{
    Daemon, claims_page, cleared,
    costs::{
        COST, RECORD, RESERVE, budget, call, caps, must_be_counted_right, number, record, reserve,
        told, wanted,
    },
    tickets,
};
use crate::{support::DEMO, writes::Made};
use futures_util::future::{join, join_all};
use serde_json::json;

on_both_databases! {
    async fn a_call_that_is_too_large_is_refused_and_nobody_is_told(app) {
        let owner = cleared(&app).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let used = number(&budget(&owner, "TENANT_MONTH_COST").await["used"]);
        let cap = used * 10 + 100 * COST;
        caps(&owner, json!({ "monthlySpendCapMicros": cap.to_string(), "dailyTokenBudget": null })).await;
        let before = told(&owner, "budget.exceeded").await.len();
        let refused = reserve(&daemon.client, json!({ "roleSlug": "dev_agent", "inputTokens": 1_000_000_000, "provider": "OPENAI", "model": "nobody-knows" })).await;
        assert_eq!(refused["refusedBy"]["kind"], "TENANT_MONTH_COST");
        assert!(refused["refusedBy"]["endsAt"].is_string());
        assert_eq!(told(&owner, "budget.exceeded").await.len(), before, "hardly anything is used");
        let now = budget(&owner, "TENANT_MONTH_COST").await;
        assert_eq!((&now["state"], &now["exceededAt"], number(&now["used"])), (&json!("OK"), &json!(null), used));
        for input in [json!({ "inputTokens": 0, "outputTokens": 0 }), json!({ "inputTokens": 1_000_000_001 }), json!({ "audioSeconds": -1 })] {
            let mut input = wanted(input);
            input["roleSlug"] = json!("dev_agent");
            assert_eq!(daemon.client.code(RESERVE, json!({ "input": input })).await, "BAD_USER_INPUT", "{input}");
        }
        let speech = reserve(&daemon.client, json!({ "roleSlug": "dev_agent", "provider": "WHISPER", "model": "whisper-1", "inputTokens": 0, "outputTokens": 0, "audioSeconds": 60 })).await;
        assert_eq!(speech["reservation"]["costMicros"], "6000");
    }

    async fn what_is_set_aside_holds_back_and_is_shown(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let now = budget(&owner, "TENANT_MONTH_COST").await;
        let cap = number(&now["used"]) + number(&now["reserved"]) + COST;
        caps(&owner, json!({ "monthlySpendCapMicros": cap.to_string() })).await;
        reserve(&daemon.client, json!({ "roleSlug": "dev_agent" })).await;
        let now = budget(&owner, "TENANT_MONTH_COST").await;
        assert_eq!((&now["state"], &now["remaining"]), (&json!("BLOCKED"), &json!("0")));
        assert_eq!(daemon.claim().await["reason"], "BUDGET");
        let why = owner.data("query($id: ID!) { ticket(id: $id) { whyUnclaimed } }", json!({ "id": made[0] })).await;
        assert_eq!(why["ticket"]["whyUnclaimed"], "BUDGET");
        // Whatever the number of tickets, it is asked once.
        let few = claims_page(&owner, 5).await;
        tickets(&owner, "More", 20).await;
        assert_eq!(claims_page(&owner, 20).await, few);
    }

    async fn those_who_change_caps_at_once_tell_of_a_cap_once(app) {
        let owner = cleared(&app).await;
        let mut projects = Vec::new();
        for place in 0..8 {
            projects.push(tickets(&owner, &format!("Project {place}"), 0).await.0);
        }
        let set = "mutation($id: ID!, $cap: BigInt) { updateProject(input: { id: $id, monthlySpendCapMicros: $cap }) { feedCursor } }";
        for round in 1..=20 {
            let before = told(&owner, "budget.exceeded").await.len();
            app.execute(&format!("UPDATE tenants SET \"monthlySpendCapMicros\" = {round}, \"dailyTokenBudget\" = NULL")).await;
            let cap = (1_000_000 + round).to_string();
            join_all(projects.iter().map(|id| owner.data(set, json!({ "id": id, "cap": cap })))).await;
            assert_eq!(told(&owner, "budget.exceeded").await.len() - before, 1, "round {round}");
        }
    }

    async fn what_is_done_for_some_projects_counts_to_one_of_them(app) {
        let owner = cleared(&app).await;
        let (one, _) = tickets(&owner, "One", 0).await;
        let (two, _) = tickets(&owner, "Two", 0).await;
        let create = "mutation($projects: [ID!]!) { createAgentToken(input: { name: \"Some\", roleSlugs: [\"dev_agent\"], projectIds: $projects }) { token } }";
        let agent = async |projects: serde_json::Value| {
            let made = owner.data(create, json!({ "projects": projects })).await;
            crate::support::Client::new(&app.url, made["createAgentToken"]["token"].as_str().expect("a token"))
        };
        let of_one = record(&agent(json!([one])).await, json!({ "roleSlug": "dev_agent" })).await;
        assert_eq!(of_one["projectId"], one);
        let both = agent(json!([one, two])).await;
        let unnamed = json!({ "input": call(json!({ "roleSlug": "dev_agent" })) });
        assert_eq!(both.code(RECORD, unnamed).await, "BAD_USER_INPUT");
        assert_eq!(record(&both, json!({ "roleSlug": "dev_agent", "projectId": two })).await["projectId"], two);
    }

    async fn a_call_for_a_job_that_is_gone_is_recorded_for_its_role(app) {
        let owner = cleared(&app).await;
        let made = Made { app: &app, client: &owner };
        let daemon = Daemon::connect(&app, &owner, &["dev_agent", "qa_agent"], 1).await;
        let plan = made.plan().await;
        let approve = "mutation($id: ID!) { approvePlan(input: { id: $id, expectedVersion: 1 }) { executionPlan { prdId } } }";
        let brief = owner.data(approve, json!({ "id": plan })).await["approvePlan"]["executionPlan"]["prdId"].clone();
        let claimed = daemon.claim().await;
        owner.data("mutation($id: ID!) { cancelPlan(input: { id: $id }) { feedCursor } }", json!({ "id": plan })).await;
        owner.data("mutation($id: ID!) { deletePrd(input: { id: $id }) { feedCursor } }", json!({ "id": brief })).await;
        let input = json!({ "input": call(json!({ "jobId": claimed["job"]["id"] })) });
        let gone = daemon.client.send(RECORD, input).await;
        assert_eq!(gone.code(), "CONFLICT");
        assert!(gone.body["errors"][0]["message"].as_str().is_some_and(|told| told.contains("`roleSlug`")));
        record(&daemon.client, json!({ "roleSlug": "dev_agent", "projectId": claimed["ticket"]["projectId"] })).await;
    }

    async fn nothing_is_counted_wrong_while_it_is_counted_anew(app) {
        let owner = cleared(&app).await;
        let daemons = join_all((0..4).map(|_| Daemon::connect(&app, &owner, &["dev_agent"], 1))).await;
        // All are passed, so that people are told while it goes on.
        caps(&owner, json!({ "monthlySpendCapMicros": null, "dailyTokenBudget": "1" })).await;
        app.execute("UPDATE agent_roles SET \"monthlyBudgetTokens\" = 1").await;
        let from = (app.now() - chrono::TimeDelta::days(40)).to_rfc3339();
        let reprice = "mutation($from: DateTime!) { repriceUsage(input: { from: $from }) { calls } }";
        for round in 0..20 {
            if round % 5 == 4 {
                app.wait(std::time::Duration::from_secs(86_400));
            }
            let owner = app.owner().await;
            // Counters that begin in this round: those of a project, and now and then of another day.
            let (project, _) = tickets(&owner, &format!("Round {round}"), 0).await;
            let calls = join_all((0..16).map(|place| {
                let (client, project) = (&daemons[place % 4].client, &project);
                async move {
                    let free = json!({ "roleSlug": "dev_agent", "projectId": project, "inputTokens": 0, "outputTokens": 0, "audioSeconds": 60, "provider": "WHISPER", "model": "whisper-1" });
                    let kept = reserve(client, free).await;
                    let id = &kept["reservation"]["id"];
                    record(client, json!({ "roleSlug": "dev_agent", "projectId": project, "reservationId": id })).await;
                }
            }));
            let anew = async {
                for cap in ["1", "2"] {
                    owner.data(reprice, json!({ "from": from })).await;
                    caps(&owner, json!({ "dailyTokenBudget": cap })).await;
                    workgraph::server::recount_budgets(&app.store, DEMO).await.expect("counts");
                }
            };
            join(calls, anew).await;
            must_be_counted_right(&app, &owner).await;
        }
        app.verify_ledger(DEMO).await;
    }
}
