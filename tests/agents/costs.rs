//! What calls of models cost: recorded, reserved, and held against what may be used.

use super::{Daemon, LONG, cleared, tend, ticket, tickets};
use crate::{
    support::{ACME, Client, DEMO, TestApp},
    writes::{Made, head},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const RECORD: &str = "mutation($input: RecordUsageInput!) { recordUsage(input: $input) { apiUsage {
    id roleSlug projectId ticketId planId prdId model inputTokens outputTokens costMicros priceId success errorCode } feedCursor } }";
pub(super) const RESERVE: &str =
    "mutation($input: ReserveBudgetInput!) { reserveBudget(input: $input) {
    reservation { id tokens costMicros settledAt } refusedBy { kind period endsAt } } }";
const BUDGETS: &str = "{ budgets { kind role { slug } project { id } period used reserved cap remaining percent state forecast endsAt
    warnedAt exceededAt } }";
const COUNTERS: &str = "{ budgetCounters(first: 200, orderBy: [{ field: PERIOD }, { field: KIND }, { field: KEY }]) { nodes { kind key period used reserved } } }";

/// A call of a model that costs 3 and 15 dollars a million tokens.
pub(super) fn call(more: Value) -> Value {
    let mut input = json!({
        "provider": "ANTHROPIC", "model": "claude-sonnet-4-5", "operation": "SPECIALIST", "inputTokens": 10_000, "outputTokens": 1000,
    });
    let fields = more.as_object().expect("an object").clone();
    input.as_object_mut().expect("an object").extend(fields);
    input
}

/// What it costs, in millionths of a dollar.
pub(super) const COST: i64 = 45_000;

pub(super) async fn record(client: &Client, more: Value) -> Value {
    let data = client.data(RECORD, json!({ "input": call(more) })).await;
    data["recordUsage"]["apiUsage"].clone()
}

pub(super) fn wanted(more: Value) -> Value {
    let mut input = call(more);
    input
        .as_object_mut()
        .expect("an object")
        .remove("operation");
    input
}

pub(super) async fn reserve(client: &Client, more: Value) -> Value {
    let data = client.data(RESERVE, json!({ "input": wanted(more) })).await;
    data["reserveBudget"].clone()
}

pub(super) async fn caps(owner: &Client, input: Value) {
    let set =
        "mutation($input: UpdateBudgetsInput!) { updateBudgets(input: $input) { tenant { id } } }";
    owner.data(set, json!({ "input": input })).await;
}

pub(super) async fn budget(owner: &Client, kind: &str) -> Value {
    let budgets = owner.data(BUDGETS, json!({})).await["budgets"].clone();
    let mut budgets = budgets.as_array().expect("budgets").clone().into_iter();
    budgets
        .find(|budget| budget["kind"] == kind)
        .expect("a budget of the kind")
}

pub(super) fn number(value: &Value) -> i64 {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a number")
}

/// Counters are what the calls and the reservations themselves say.
pub(super) async fn must_be_counted_right(app: &TestApp, owner: &Client) {
    let before = owner.data(COUNTERS, json!({})).await;
    workgraph::server::recount_budgets(&app.store, DEMO)
        .await
        .expect("counts");
    assert_eq!(before, owner.data(COUNTERS, json!({})).await);
}

pub(super) async fn told(owner: &Client, action: &str) -> Vec<Value> {
    let query = "query($action: String!) { activity(first: 100, filter: { action: { eq: $action } }) { nodes { targetType actor projectId } } }";
    let told = owner.data(query, json!({ "action": action })).await;
    told["activity"]["nodes"]
        .as_array()
        .expect("entries")
        .clone()
}

on_both_databases! {
    async fn a_call_is_recorded_at_the_price_of_its_moment_and_counted(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 3).await;
        let claimed = daemon.claim().await;
        let before = (budget(&owner, "TENANT_MONTH_COST").await, budget(&owner, "TENANT_DAY_TOKENS").await, budget(&owner, "ROLE_MONTH_TOKENS").await);
        assert_eq!(before.2["role"]["slug"], "architect", "roles come by their slugs");
        let at = head(&owner).await;
        let row = record(&daemon.client, json!({ "jobId": claimed["job"]["id"], "idempotencyKey": "one" })).await;
        assert_eq!((&row["roleSlug"], &row["ticketId"], &row["projectId"]), (&json!("dev_agent"), &made[0], &claimed["ticket"]["projectId"]));
        assert_eq!((number(&row["costMicros"]), &row["success"]), (COST, &json!(true)));
        // Sent again it is the same call, and counts once.
        assert_eq!(record(&daemon.client, json!({ "jobId": claimed["job"]["id"], "idempotencyKey": "one" })).await, row);
        assert_eq!(head(&owner).await, at, "calls are counted, not told of");
        let (cost, tokens) = (budget(&owner, "TENANT_MONTH_COST").await, budget(&owner, "TENANT_DAY_TOKENS").await);
        assert_eq!(number(&cost["used"]) - number(&before.0["used"]), COST);
        assert_eq!(number(&tokens["used"]) - number(&before.1["used"]), 11_000);
        let seen = "query($id: ID!) { apiUsage(id: $id) { price { provider modelPrefix isOwn } ticket { id } } spending { costMicros tokensToday } }";
        let seen = owner.data(seen, json!({ "id": row["id"] })).await;
        assert_eq!(seen["apiUsage"]["price"], json!({ "provider": "ANTHROPIC", "modelPrefix": "claude-sonnet", "isOwn": false }));
        assert_eq!((&seen["spending"]["costMicros"], &seen["spending"]["tokensToday"]), (&cost["used"], &tokens["used"]), "what is counted is what is summed");
        // Cached tokens cost less, a failed call what it took, and one of a model nobody knows 1 and 3 dollars.
        for (more, cost) in [
            (json!({ "cachedTokens": 10_000 }), 18_000),
            (json!({ "inputTokens": 0, "outputTokens": 0, "errorCode": "overloaded" }), 0),
            (json!({ "model": "nobody-knows" }), 13_000),
            (json!({ "provider": "CUSTOM", "model": "my-own" }), 0),
            (json!({ "provider": "WHISPER", "model": "whisper-1", "operation": "TRANSCRIBE", "inputTokens": 0, "outputTokens": 0, "audioSeconds": 90 }), 9000),
        ] {
            let row = record(&daemon.client, {
                let mut more = more.clone();
                more["roleSlug"] = json!("dev_agent");
                more
            }).await;
            assert_eq!(number(&row["costMicros"]), cost, "{more}");
            assert_eq!(row["priceId"].is_null(), more["model"] == "nobody-knows" || more["model"] == "my-own", "{more}");
            assert_eq!(row["success"], json!(more.get("errorCode").is_none()));
        }
        must_be_counted_right(&app, &owner).await;
    }

    async fn what_a_call_is_for_must_be_the_agents(app) {
        let owner = cleared(&app).await;
        let (project, _) = tickets(&owner, "Shop", 1).await;
        let mine = Daemon::connect(&app, &owner, &["dev_agent"], 3).await;
        let other = Daemon::connect(&app, &owner, &["dev_agent"], 3).await;
        let job = mine.claim().await["job"]["id"].clone();
        let foreign = app.client(ACME, "owner").await.data("{ projects(first: 1) { nodes { id } } }", json!({})).await;
        for (client, more, code) in [
            (&other.client, json!({ "jobId": job }), "NOT_FOUND"),
            (&mine.client, json!({ "jobId": "nobody" }), "NOT_FOUND"),
            (&mine.client, json!({ "jobId": job, "roleSlug": "dev_agent" }), "BAD_USER_INPUT"),
            (&mine.client, json!({ "roleSlug": "qa_agent" }), "BAD_USER_INPUT"),
            (&mine.client, json!({}), "BAD_USER_INPUT"),
            (&mine.client, json!({ "roleSlug": "dev_agent", "projectId": foreign["projects"]["nodes"][0]["id"] }), "NOT_FOUND"),
            (&mine.client, json!({ "roleSlug": "dev_agent", "cachedTokens": 10_001 }), "BAD_USER_INPUT"),
            (&mine.client, json!({ "roleSlug": "dev_agent", "inputTokens": -1 }), "BAD_USER_INPUT"),
            (&mine.client, json!({ "roleSlug": "dev_agent", "inputTokens": 1_000_000_001 }), "BAD_USER_INPUT"),
            (&mine.client, json!({ "roleSlug": "dev_agent", "reservationId": "nobody" }), "NOT_FOUND"),
            (&owner, json!({ "roleSlug": "dev_agent" }), "FORBIDDEN"),
        ] {
            assert_eq!(client.code(RECORD, json!({ "input": call(more.clone()) })).await, code, "{more}");
            if ["cachedTokens", "reservationId"].iter().all(|field| more.get(field).is_none()) {
                assert_eq!(client.code(RESERVE, json!({ "input": wanted(more.clone()) })).await, code, "{more}");
            }
        }
        let reservation = reserve(&mine.client, json!({ "jobId": job })).await["reservation"]["id"].clone();
        let stolen = json!({ "input": call(json!({ "roleSlug": "dev_agent", "reservationId": reservation })) });
        assert_eq!(other.client.code(RECORD, stolen).await, "NOT_FOUND");
        record(&mine.client, json!({ "roleSlug": "dev_agent", "projectId": project })).await;
        // Who lost a job still pays for the calls it made; nothing new is set aside for it.
        app.wait(LONG);
        tend(&app).await;
        let owner = app.owner().await;
        let again = Daemon::connect(&app, &owner, &["dev_agent"], 3).await;
        assert_eq!(again.claim().await["job"]["id"], job);
        let late = record(&mine.client, json!({ "jobId": job })).await;
        assert!(late["ticketId"].is_string());
        let refused = mine.client.send(RESERVE, json!({ "input": wanted(json!({ "jobId": job })) })).await;
        assert_eq!(refused.body["errors"][0]["extensions"]["reason"], "STALE_LEASE", "{}", refused.body);
        must_be_counted_right(&app, &owner).await;
    }

    async fn a_workspaces_own_price_counts_first_then_the_longest_prefix_then_the_newest(app) {
        let owner = cleared(&app).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let set = "mutation($input: SetModelPriceInput!) { setModelPrice(input: $input) { modelPrice { id cachedMicrosPerMillion isOwn } } }";
        let price = async |prefix: &str, dollars: i64, from: &str| {
            let input = json!({ "provider": "ANTHROPIC", "modelPrefix": prefix, "inputMicrosPerMillion": dollars * 1_000_000, "outputMicrosPerMillion": 0, "validFrom": from });
            owner.data(set, json!({ "input": input })).await["setModelPrice"]["modelPrice"].clone()
        };
        let cost = async |model: &str| {
            let row = record(&daemon.client, json!({ "roleSlug": "dev_agent", "model": model, "outputTokens": 0 })).await;
            number(&row["costMicros"])
        };
        assert_eq!(cost("claude-sonnet-4-5").await, 30_000);
        let all = price("", 7, "2024-01-01T00:00:00Z").await;
        assert_eq!((&all["cachedMicrosPerMillion"], &all["isOwn"]), (&json!("7000000"), &json!(true)));
        assert_eq!(cost("claude-sonnet-4-5").await, 70_000, "the own one, though it says less");
        price("claude-s", 8, "2024-01-01T00:00:00Z").await;
        price("claude-sonnet", 9, "2024-01-01T00:00:00Z").await;
        assert_eq!(cost("claude-sonnet-4-5").await, 90_000, "the longest");
        assert_eq!(cost("claude-s").await, 80_000);
        assert_eq!(cost("claude-opus").await, 70_000);
        price("claude-sonnet", 10, "2025-01-01T00:00:00Z").await;
        price("claude-sonnet", 11, "2100-01-01T00:00:00Z").await;
        assert_eq!(cost("claude-sonnet-4-5").await, 100_000, "the newest that is not later");
        let same = price("claude-sonnet", 12, "2025-01-01T00:00:00Z").await;
        assert_eq!(cost("claude-sonnet-4-5").await, 120_000, "one price of a moment");
        assert_eq!(cost("Claude-Sonnet").await, 70_000, "names are compared by case");
        let delete = "mutation($id: ID!) { deleteModelPrice(input: { id: $id }) { deletedId } }";
        owner.data(delete, json!({ "id": same["id"] })).await;
        assert_eq!(cost("claude-sonnet-4-5").await, 90_000);
        let global = owner.data("{ modelPrices(first: 100) { nodes { id isOwn } } }", json!({})).await;
        let global = global["modelPrices"]["nodes"].as_array().expect("prices").iter().find(|price| price["isOwn"] == false).expect("one that all share").clone();
        assert_eq!(owner.code(delete, json!({ "id": global["id"] })).await, "BAD_USER_INPUT", "it is everybody's");
        let member = app.client(DEMO, "member").await;
        assert_eq!(member.code(delete, json!({ "id": all["id"] })).await, "FORBIDDEN");
    }

    async fn when_a_budget_is_used_up_nothing_new_begins_and_what_began_ends(app) {
        let owner = cleared(&app).await;
        let (project, made) = tickets(&owner, "Shop", 3).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 5).await;
        let first = daemon.claim().await;
        record(&daemon.client, json!({ "jobId": first["job"]["id"] })).await;
        let why = async |owner: &Client| {
            let data = owner.data("query($id: ID!) { ticket(id: $id) { whyUnclaimed } }", json!({ "id": made[2] })).await;
            data["ticket"]["whyUnclaimed"].clone()
        };
        let project_cap = async |owner: &Client, cap: Value| {
            let set = "mutation($id: ID!, $cap: BigInt) { updateProject(input: { id: $id, monthlySpendCapMicros: $cap }) { project { monthlySpendCapMicros } } }";
            owner.data(set, json!({ "id": project, "cap": cap })).await;
        };
        let role_cap = async |cap: &str| app.execute(&format!("UPDATE agent_roles SET \"monthlyBudgetTokens\" = {cap} WHERE slug = 'dev_agent'")).await;
        for cap in ["month", "day", "role", "project"] {
            match cap {
                "month" => caps(&owner, json!({ "monthlySpendCapMicros": "1" })).await,
                "day" => caps(&owner, json!({ "dailyTokenBudget": "11000" })).await,
                "role" => role_cap("11000").await,
                _ => project_cap(&owner, json!("45000")).await,
            }
            let refused = daemon.claim().await;
            assert_eq!(refused["reason"], "BUDGET", "{cap}: {refused}");
            let viewer = app.client(DEMO, "viewer").await;
            assert_eq!((why(&owner).await, why(&viewer).await), (json!("BUDGET"), json!("BUDGET")), "{cap}");
            let answer = reserve(&daemon.client, json!({ "jobId": first["job"]["id"] })).await;
            assert!(answer["refusedBy"]["kind"].is_string() && answer["reservation"].is_null(), "{cap}: {answer}");
            daemon.run("saveCheckpoint", &first, json!({ "checkpoint": 1 })).await;
            // A model of one's own that costs nothing is no matter of money.
            let free = reserve(&daemon.client, json!({ "jobId": first["job"]["id"], "provider": "CUSTOM", "model": "own" })).await;
            assert_eq!(free["reservation"].is_null(), cap == "day" || cap == "role", "{cap}");
            match cap {
                "month" => caps(&owner, json!({ "monthlySpendCapMicros": null })).await,
                "day" => caps(&owner, json!({ "dailyTokenBudget": null })).await,
                "role" => role_cap("NULL").await,
                _ => project_cap(&owner, Value::Null).await,
            }
        }
        assert_eq!(why(&owner).await, "NOTHING");
        // Other projects go on where one has nothing left.
        project_cap(&owner, json!("1")).await;
        let (other, elsewhere) = tickets(&owner, "Other", 1).await;
        let claimed = daemon.claim().await;
        assert_eq!((&claimed["ticket"]["id"], &claimed["ticket"]["projectId"]), (&elsewhere[0], &other));
        assert_eq!(daemon.claim().await["reason"], "BUDGET");
        daemon.work(&first).await;
        let member = app.client(DEMO, "member").await;
        let set = "mutation($id: ID!) { updateProject(input: { id: $id, monthlySpendCapMicros: \"5\" }) { feedCursor } }";
        assert_eq!(member.code(set, json!({ "id": project })).await, "FORBIDDEN");
        let zero = "mutation { updateBudgets(input: { dailyTokenBudget: \"0\" }) { feedCursor } }";
        assert_eq!(owner.code(zero, json!({})).await, "BAD_USER_INPUT");
    }

    async fn people_are_told_once_at_eighty_and_at_a_hundred_percent(app) {
        let owner = cleared(&app).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let used = number(&budget(&owner, "TENANT_MONTH_COST").await["used"]);
        let counts = async |owner: &Client| (told(owner, "budget.warned").await.len(), told(owner, "budget.exceeded").await.len());
        let before = counts(&owner).await;
        let more = async |owner: &Client| {
            let now = counts(owner).await;
            (now.0 - before.0, now.1 - before.1)
        };
        let cap = (used + 10 * COST).max(2 * used);
        caps(&owner, json!({ "monthlySpendCapMicros": cap.to_string(), "dailyTokenBudget": null })).await;
        let mut total = used;
        while total + COST < cap {
            record(&daemon.client, json!({ "roleSlug": "dev_agent", "inputTokens": 10_000 })).await;
            total += COST;
            let warned = usize::from(total * 100 >= cap * 80);
            assert_eq!(more(&owner).await, (warned, 0), "{total} of {cap}");
        }
        for _ in 0..3 {
            record(&daemon.client, json!({ "roleSlug": "dev_agent" })).await;
            assert_eq!(more(&owner).await, (1, 1));
        }
        let now = budget(&owner, "TENANT_MONTH_COST").await;
        assert_eq!((&now["state"], &now["remaining"]), (&json!("BLOCKED"), &json!("0")));
        assert!(now["warnedAt"].is_string() && now["exceededAt"].is_string() && now["percent"].as_f64() > Some(100.0));
        let entry = told(&owner, "budget.exceeded").await[0].clone();
        assert_eq!((&entry["targetType"], &entry["actor"]), (&json!("BudgetCounter"), &json!("system:budgets")));
        // It is told to those who can raise it, and to nobody else.
        let bell = "{ notifications(first: 100, filter: { targetType: { eq: \"BudgetCounter\" } }) { nodes { kind title message } } }";
        let (admin, member) = (app.client(DEMO, "admin").await, app.client(DEMO, "member").await);
        let notices = admin.data(bell, json!({})).await["notifications"]["nodes"].clone();
        assert_eq!(notices.as_array().map(Vec::len), Some(2), "{notices}");
        assert_eq!(notices[0]["title"], "The workspace has used up its budget for the month");
        assert_eq!(member.data(bell, json!({})).await["notifications"]["nodes"], json!([]));
        assert!(told(&member, "budget.exceeded").await.is_empty());
        // Changed, it is told of anew, and at once.
        caps(&owner, json!({ "monthlySpendCapMicros": (total * 2).to_string() })).await;
        assert_eq!(more(&owner).await, (1, 1));
        caps(&owner, json!({ "monthlySpendCapMicros": total.to_string() })).await;
        assert_eq!(more(&owner).await, (1, 2), "what was lowered below what is used");
        let notices = admin.data(bell, json!({})).await["notifications"]["nodes"].clone();
        assert_eq!(notices.as_array().map(Vec::len), Some(3), "as often as the ledger says");
        // Another month begins with nothing.
        app.wait(Duration::from_secs(32 * 86_400));
        let owner = app.owner().await;
        let fresh = budget(&owner, "TENANT_MONTH_COST").await;
        assert_eq!((&fresh["used"], &fresh["state"], &fresh["exceededAt"]), (&json!("0"), &json!("OK"), &Value::Null));
        assert_ne!(fresh["period"], now["period"]);
        app.verify_ledger(DEMO).await;
    }

    async fn of_calls_at_once_no_more_are_allowed_than_there_is_room_for(app) {
        let owner = cleared(&app).await;
        let daemons = join_all((0..4).map(|_| Daemon::connect(&app, &owner, &["dev_agent"], 1))).await;
        caps(&owner, json!({ "dailyTokenBudget": null })).await;
        let before = told(&owner, "budget.exceeded").await.len();
        for round in 1..=8 {
            let now = budget(&owner, "TENANT_MONTH_COST").await;
            let taken = number(&now["used"]) + number(&now["reserved"]);
            let cap = taken + 10 * COST + round;
            caps(&owner, json!({ "monthlySpendCapMicros": cap.to_string() })).await;
            let calls = (0..64).map(|place| reserve(&daemons[place % 4].client, json!({ "roleSlug": "dev_agent" })));
            let answers = join_all(calls).await;
            let allowed: Vec<_> = answers.iter().filter(|answer| answer["reservation"].is_object()).collect();
            assert_eq!(allowed.len(), 10, "round {round}");
            assert!(answers.iter().all(|answer| answer["reservation"].is_object() || answer["refusedBy"]["kind"] == "TENANT_MONTH_COST"));
            assert_eq!(told(&owner, "budget.exceeded").await.len() - before, round as usize, "once for each cap");
            // Half of them are recorded, by whoever made them, at once.
            let records = answers.iter().enumerate().filter(|(_, answer)| answer["reservation"].is_object()).step_by(2);
            join_all(records.map(|(place, answer)| {
                let more = json!({ "roleSlug": "dev_agent", "reservationId": answer["reservation"]["id"] });
                let client = &daemons[place % 4].client;
                async move { record(client, more).await }
            })).await;
            let now = budget(&owner, "TENANT_MONTH_COST").await;
            assert_eq!(number(&now["used"]) + number(&now["reserved"]), taken + 10 * COST);
        }
        must_be_counted_right(&app, &owner).await;
        app.verify_ledger(DEMO).await;
    }

    async fn what_is_not_recorded_is_given_back(app) {
        let owner = cleared(&app).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let before = budget(&owner, "TENANT_MONTH_COST").await;
        let kept = reserve(&daemon.client, json!({ "roleSlug": "dev_agent", "idempotencyKey": "r" })).await;
        assert_eq!(reserve(&daemon.client, json!({ "roleSlug": "dev_agent", "idempotencyKey": "r" })).await, kept);
        let id = &kept["reservation"]["id"];
        reserve(&daemon.client, json!({ "roleSlug": "dev_agent" })).await;
        let reserved = async |owner: &Client| number(&budget(owner, "TENANT_MONTH_COST").await["reserved"]) - number(&before["reserved"]);
        assert_eq!(reserved(&owner).await, 2 * COST);
        record(&daemon.client, json!({ "roleSlug": "dev_agent", "reservationId": id, "outputTokens": 10 })).await;
        assert_eq!(reserved(&owner).await, COST);
        // Named again it was given back already.
        record(&daemon.client, json!({ "roleSlug": "dev_agent", "reservationId": id })).await;
        assert_eq!(reserved(&owner).await, COST);
        must_be_counted_right(&app, &owner).await;
        app.wait(Duration::from_secs(16 * 60));
        tend(&app).await;
        let owner = app.owner().await;
        assert_eq!(reserved(&owner).await, 0);
        let open = "{ budgetReservations(filter: { settledAt: { isNull: true } }) { nodes { id } } }";
        assert_eq!(owner.data(open, json!({})).await["budgetReservations"]["nodes"], json!([]));
        assert_eq!(daemon.client.data(open, json!({})).await["budgetReservations"]["nodes"], json!([]));
        must_be_counted_right(&app, &owner).await;
        app.wait(Duration::from_secs(31 * 86_400));
        tend(&app).await;
        let owner = app.owner().await;
        assert_eq!(owner.data("{ budgetReservations { totalCount } }", json!({})).await["budgetReservations"]["totalCount"], 0);
    }

    async fn what_calls_cost_can_be_said_anew(app) {
        let owner = cleared(&app).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let acme = app.client(ACME, "owner").await;
        let costs = "{ usageSummary(groupBy: [MODEL]) { total { costMicros } rows { model costMicros } } }";
        let foreign = acme.data(costs, json!({})).await;
        for _ in 0..3 {
            record(&daemon.client, json!({ "roleSlug": "dev_agent", "model": "brand-new-1" })).await;
        }
        // Whatever is priced anew without another price costs what it cost.
        for more in [json!({ "cachedTokens": 3333 }), json!({ "model": "nobody-knows", "inputTokens": 12_345 }), json!({ "provider": "CUSTOM", "model": "own" }),
            json!({ "provider": "WHISPER", "model": "whisper-1", "audioSeconds": 61 }), json!({ "provider": "TWILIO", "model": "nobody-knows", "audioSeconds": 59 })] {
            let mut more = more;
            more["roleSlug"] = json!("dev_agent");
            record(&daemon.client, more).await;
        }
        app.wait(Duration::from_secs(1));
        let set = "mutation { setModelPrice(input: { provider: ANTHROPIC, modelPrefix: \"brand-new\", inputMicrosPerMillion: 10000000, outputMicrosPerMillion: 20000000, validFrom: \"2024-01-01T00:00:00Z\" }) { feedCursor } }";
        owner.data(set, json!({})).await;
        let reprice = "mutation($from: DateTime!, $key: String) { repriceUsage(input: { from: $from, idempotencyKey: $key }) { calls costMicrosBefore costMicros } }";
        let from = (app.now() - chrono::TimeDelta::days(40)).to_rfc3339();
        let done = owner.data(reprice, json!({ "from": from, "key": "once" })).await["repriceUsage"].clone();
        assert_eq!(number(&done["costMicros"]) - number(&done["costMicrosBefore"]), 3 * (120_000 - 13_000), "all else cost what it costs: {done}");
        // The answer was lost, and others recorded meanwhile.
        record(&daemon.client, json!({ "roleSlug": "dev_agent" })).await;
        assert_eq!(owner.data(reprice, json!({ "from": from, "key": "once" })).await["repriceUsage"], done);
        let nothing = "mutation { repriceUsage(input: { from: \"0001-01-01T00:00:00Z\", to: \"0001-02-01T00:00:00Z\" }) { calls } }";
        assert_eq!(owner.data(nothing, json!({})).await["repriceUsage"]["calls"], 0);
        let later = "mutation { repriceUsage(input: { from: \"9999-12-31T23:00:00Z\", to: \"9999-12-31T23:30:00Z\" }) { calls } }";
        assert_eq!(owner.data(later, json!({})).await["repriceUsage"]["calls"], 0);
        assert_eq!(told(&owner, "price.repriced").await.len(), 3);
        let diff = owner.data("{ activity(first: 1, orderBy: [{ field: SEQ }], filter: { action: { eq: \"price.repriced\" } }) { nodes { diff { after } message } } }", json!({})).await;
        assert_eq!(diff["activity"]["nodes"][0]["diff"]["after"]["costMicros"], done["costMicros"]);
        must_be_counted_right(&app, &owner).await;
        assert_eq!(acme.data(costs, json!({})).await, foreign, "another workspace's calls cost what they did");
        // The door is shut again.
        let connection = app.connection.across_tenants().await;
        let change = "UPDATE api_usage SET \"costMicros\" = 0";
        assert!(sea_orm::ConnectionTrait::execute_unprepared(&connection, change).await.is_err());
        let other = app.connection.through("repricing", "UPDATE api_usage SET \"inputTokens\" = 0").await;
        assert!(other.is_err(), "nothing else changes through it");
        assert_eq!(app.client(DEMO, "member").await.code(reprice, json!({ "from": from })).await, "FORBIDDEN");
        assert_eq!(owner.code(reprice, json!({ "from": "2020-01-01T00:00:00Z" })).await, "LIMIT_EXCEEDED");
    }

    async fn counters_that_went_wrong_are_counted_anew(app) {
        let owner = cleared(&app).await;
        let right = owner.data(COUNTERS, json!({})).await;
        assert!(right["budgetCounters"]["nodes"].as_array().is_some_and(|counters| counters.len() > 10), "the demo has counters");
        app.execute("UPDATE budget_counters SET used = used + 7, reserved = 3").await;
        app.execute("DELETE FROM budget_counters WHERE kind = 'tenant_day_tokens'").await;
        must_not_be(&owner, &right).await;
        workgraph::server::recount_budgets(&app.store, DEMO).await.expect("counts");
        assert_eq!(owner.data(COUNTERS, json!({})).await, right);
    }

    async fn what_is_paid_for_again_and_again_shows_by_attempt(app) {
        let owner = cleared(&app).await;
        let made = Made { app: &app, client: &owner };
        let daemon = Daemon::connect(&app, &owner, &["dev_agent", "chief_of_staff", "qa_agent"], 9).await;
        let plan = made.plan().await;
        let approve = "mutation($id: ID!) { approvePlan(input: { id: $id, expectedVersion: 1 }) { executionPlan { id prdId attempt } } }";
        let plan = owner.data(approve, json!({ "id": plan })).await["approvePlan"]["executionPlan"].clone();
        let claimed = daemon.claim().await;
        let row = record(&daemon.client, json!({ "jobId": claimed["job"]["id"] })).await;
        assert_eq!((&row["planId"], &row["prdId"]), (&plan["id"], &plan["prdId"]));
        let summary = "{ usageSummary(groupBy: [PLAN, ATTEMPT], first: 1000) { rows { keys plan { id attempt } attempt costMicros } } }";
        let rows = owner.data(summary, json!({})).await["usageSummary"]["rows"].clone();
        let rows = rows.as_array().expect("rows");
        let it = rows.iter().find(|row| row["plan"]["id"] == plan["id"]).expect("the plan's row");
        assert_eq!((number(&it["costMicros"]), &it["attempt"]), (COST, &plan["attempt"]));
        for row in rows {
            assert_eq!(row["plan"]["attempt"], row["attempt"], "{row}");
        }
        assert!(rows.iter().any(|row| row["attempt"] == 2), "the demo planned something twice");
    }

    async fn what_will_be_used_is_foretold(app) {
        let owner = cleared(&app).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let (project, _) = tickets(&owner, "Shop", 0).await;
        ticket(&owner, &project, "One", json!({})).await;
        record(&daemon.client, json!({ "roleSlug": "dev_agent", "projectId": project })).await;
        let set = "mutation($id: ID!) { updateProject(input: { id: $id, monthlySpendCapMicros: \"90000\" }) { feedCursor } }";
        owner.data(set, json!({ "id": project })).await;
        let it = budget(&owner, "PROJECT_MONTH_COST").await;
        assert_eq!((&it["project"]["id"], &it["used"], &it["percent"]), (&project, &json!("45000"), &json!(50.0)));
        assert!(number(&it["forecast"]) >= COST, "{it}");
        let ends: chrono::DateTime<chrono::Utc> = it["endsAt"].as_str().and_then(|at| at.parse().ok()).expect("a moment");
        assert!(ends > app.now() && ends - app.now() < chrono::TimeDelta::days(32));
        for role in ["member", "viewer"] {
            assert_eq!(app.client(DEMO, role).await.code(BUDGETS, json!({})).await, "FORBIDDEN");
        }
    }
}

async fn must_not_be(owner: &Client, right: &Value) {
    assert_ne!(owner.data(COUNTERS, json!({})).await, *right);
}
