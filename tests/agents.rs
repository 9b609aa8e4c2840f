//! Agents at work: connected, given tickets, heard of, and done without when they fall silent.

mod budgets;
mod claims;
mod costs;
mod failures;
mod lost;
mod races;
mod story;
mod tools;

use crate::{
    support::{Client, TestApp},
    writes::head,
};
use serde_json::{Value, json};
use std::time::Duration;

/// All that a daemon does, as one written with nothing but the schema does it.
#[derive(Clone)]
pub struct Daemon {
    pub client: Client,
    pub session: Value,
}

impl Daemon {
    /// A daemon with a token of its own for these roles, connected, with room for so many jobs.
    pub async fn connect(app: &TestApp, owner: &Client, roles: &[&str], most: i32) -> Self {
        let client = app.agent_for(owner, roles).await;
        Self::register(
            client,
            json!({ "repos": ["acme/shop"], "maxActiveJobs": most }),
        )
        .await
    }

    /// The same with a token that it has, and what it says of itself.
    pub async fn register(client: Client, input: Value) -> Self {
        let register = "mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { agentSession { id } } }";
        let data = client.data(register, json!({ "input": input })).await;
        let session = data["registerAgent"]["agentSession"]["id"].clone();
        Self { client, session }
    }

    /// What a claim is answered with.
    pub async fn claim(&self) -> Value {
        self.claim_of(Value::Null).await
    }

    /// The same, of one role.
    pub async fn claim_of(&self, role: Value) -> Value {
        let claim = "mutation($session: ID!, $role: String) { claimNextTicket(input: { sessionId: $session, roleSlug: $role }) {
            reason ticket { id title status projectId } job { id attempt status action payload checkpoint }
            instructions { rolePrompt subagent { slug prompt } skills { slug body } } } }";
        let claimed = self
            .client
            .data(claim, json!({ "session": self.session, "role": role }));
        claimed.await["claimNextTicket"].clone()
    }

    /// Sends a mutation about a job that was claimed, with more of its input.
    pub async fn send(&self, mutation: &str, claimed: &Value, more: Value) -> Result<Value, Value> {
        let job = &claimed["job"];
        let mut input = json!({ "jobId": job["id"], "attempt": job["attempt"] });
        let fields = more.as_object().expect("an object").clone();
        input.as_object_mut().expect("an object").extend(fields);
        let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ agentJob {{ id status attempt error ticket {{ status }} }} }} }}"
        );
        let answer = self.client.send(&query, json!({ "input": input })).await;
        match answer.body.get("errors") {
            Some(errors) => Err(errors[0].clone()),
            None => Ok(answer.body["data"][mutation]["agentJob"].clone()),
        }
    }

    /// The same, which succeeds.
    pub async fn run(&self, mutation: &str, claimed: &Value, more: Value) -> Value {
        let answer = self.send(mutation, claimed, more).await;
        answer.unwrap_or_else(|error| panic!("{mutation}: {error}"))
    }

    /// Begins with a job and hands it in.
    pub async fn work(&self, claimed: &Value) {
        self.run("startJob", claimed, json!({})).await;
        let done = json!({ "result": { "testsRun": 3 }, "confidence": 0.9 });
        self.run("completeJob", claimed, done).await;
    }

    /// The jobs that it has no longer, of these.
    pub async fn beat(&self, jobs: &[&Value]) -> Value {
        let beat = "mutation($session: ID!, $jobs: [ID!]!) { agentHeartbeat(input: { sessionId: $session, activeJobIds: $jobs }) {
            lostJobIds agentSession { activeJobs isConnected drainingAt } } }";
        let variables = json!({ "session": self.session, "jobs": jobs });
        self.client.data(beat, variables).await["agentHeartbeat"].clone()
    }
}

/// A refusal because the lease is over.
pub fn is_stale(answer: Result<Value, Value>) {
    let error = answer.expect_err("it is refused");
    let told = &error["extensions"];
    assert_eq!(
        (&told["code"], &told["reason"]),
        (&json!("CONFLICT"), &json!("STALE_LEASE")),
        "{error}"
    );
}

/// A project without anything in it, and this many tickets for developers.
pub async fn tickets(owner: &Client, name: &str, number: usize) -> (Value, Vec<Value>) {
    let create =
        "mutation($name: String!) { createProject(input: { name: $name }) { project { id } } }";
    let project =
        owner.data(create, json!({ "name": name })).await["createProject"]["project"]["id"].clone();
    let mut made = Vec::new();
    for place in 0..number {
        made.push(ticket(owner, &project, &format!("{name} {place}"), json!({})).await);
    }
    (project, made)
}

/// A ticket for a developer.
pub async fn ticket(owner: &Client, project: &Value, title: &str, more: Value) -> Value {
    let create =
        "mutation($input: CreateTicketInput!) { createTicket(input: $input) { ticket { id } } }";
    let mut input = json!({ "projectId": project, "title": title, "roleSlug": "dev_agent" });
    let fields = more.as_object().expect("an object").clone();
    input.as_object_mut().expect("an object").extend(fields);
    owner.data(create, json!({ "input": input })).await["createTicket"]["ticket"]["id"].clone()
}

/// Nothing of the demo waits for agents, and nobody holds anything.
pub async fn cleared(app: &TestApp) -> Client {
    for sql in [
        "UPDATE tickets SET status = 'cancelled', \"waitingReason\" = NULL, \"leaseExpiresAt\" = NULL WHERE status IN ('ready', 'blocked', 'claimed', 'waiting')",
        "UPDATE agent_jobs SET status = 'cancelled', \"leaseExpiresAt\" = NULL WHERE status IN ('pending', 'dispatched', 'in_progress')",
        "UPDATE agent_sessions SET \"activeJobs\" = 0",
    ] {
        app.execute(sql).await;
    }
    app.owner().await
}

/// How many of a role's tickets may be worked on at once.
pub async fn concurrency(app: &TestApp, most: i32) {
    app.execute(&format!(
        "UPDATE agent_roles SET \"defaultConcurrency\" = {most}"
    ))
    .await;
}

/// What is kept twice is kept alike: counts of open dependencies and of sessions' jobs.
pub async fn must_be_counted_right(app: &TestApp) {
    let wrong = [
        ("sessions", "SELECT id AS name FROM agent_sessions s WHERE \"activeJobs\" <> (SELECT count(*) FROM agent_jobs j
            WHERE j.\"sessionId\" = s.id AND j.status IN ('dispatched', 'in_progress'))"),
        ("tickets", "SELECT id AS name FROM tickets t WHERE status IN ('blocked', 'ready', 'claimed', 'waiting') AND \"openDependencyCount\" <>
            (SELECT count(*) FROM ticket_dependencies d JOIN tickets o ON o.id = d.\"dependsOnTicketId\" WHERE d.\"ticketId\" = t.id AND o.status <> 'done')"),
        ("jobs", "SELECT j.id AS name FROM agent_jobs j JOIN tickets t ON t.id = j.\"ticketId\" WHERE j.status IN ('dispatched', 'in_progress') AND t.status <> 'claimed'"),
        ("journals", "SELECT \"jobId\" AS name FROM agent_job_events GROUP BY \"jobId\", attempt HAVING count(*) <> max(seq)"),
    ];
    let connection = app.connection.across_tenants().await;
    for (what, sql) in wrong {
        let found = crate::tables::names(&connection, sql).await;
        assert!(found.is_empty(), "{what}: {found:?}");
    }
}

on_both_databases! {
    async fn an_agent_claims_works_and_hands_in(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 3).await;
        let claimed = daemon.claim().await;
        assert_eq!(claimed["ticket"]["id"], made[0]);
        assert_eq!(claimed["ticket"]["status"], "CLAIMED");
        let job = &claimed["job"];
        assert_eq!((&job["status"], &job["attempt"], &job["action"]), (&json!("DISPATCHED"), &json!(1), &json!("implement_prd")));
        assert_eq!(job["payload"]["title"], "Shop 0");
        assert!(claimed["instructions"]["rolePrompt"].as_str().is_some_and(|prompt| !prompt.is_empty()), "{claimed}");
        assert_eq!(daemon.claim().await["reason"], "NONE_READY");

        daemon.run("startJob", &claimed, json!({})).await;
        let before = head(&owner).await;
        daemon.run("reportJobProgress", &claimed, json!({ "seq": 2, "percent": 40, "message": "Building" })).await;
        daemon.run("reportJobProgress", &claimed, json!({ "seq": 1, "percent": 90 })).await;
        let events = json!([{ "seq": 1, "kind": "ACTION", "text": "cargo build" }, { "seq": 2, "kind": "OBSERVATION", "text": "built", "data": { "exit": 0 } }]);
        daemon.run("recordJobEvents", &claimed, json!({ "events": events })).await;
        // Sent again, with what is new.
        let more = json!([{ "seq": 2, "kind": "OBSERVATION", "text": "built" }, { "seq": 3, "kind": "THOUGHT", "text": "Now the tests." }]);
        daemon.run("recordJobEvents", &claimed, json!({ "events": more })).await;
        let gap = daemon.send("recordJobEvents", &claimed, json!({ "events": [{ "seq": 5, "kind": "ACTION", "text": "x" }] })).await;
        assert_eq!(gap.expect_err("a gap")["extensions"]["field"], "events[0].seq");
        daemon.run("saveCheckpoint", &claimed, json!({ "checkpoint": { "step": 2 } })).await;
        assert_eq!(daemon.beat(&[&job["id"]]).await["lostJobIds"], json!([]));
        assert_eq!(head(&owner).await, before, "signs of life are not told of");

        let seen = "query($id: ID!) { ticket(id: $id) { status latestJob { status progressPercent progressMessage checkpoint session { activeJobs }
            events(orderBy: [{ field: SEQ }]) { nodes { seq kind text data } } } } }";
        let now = owner.data(seen, json!({ "id": made[0] })).await["ticket"]["latestJob"].clone();
        assert_eq!((&now["progressPercent"], &now["progressMessage"]), (&json!(40), &json!("Building")));
        assert_eq!((&now["checkpoint"], &now["session"]["activeJobs"]), (&json!({ "step": 2 }), &json!(1)));
        let journal: Vec<_> = now["events"]["nodes"].as_array().expect("entries").iter().map(|entry| entry["text"].clone()).collect();
        assert_eq!(journal, ["cargo build", "built", "Now the tests."]);

        let done = json!({ "result": { "testsRun": 42 }, "prUrl": "https://git.example/acme/shop/pull/7", "confidence": 0.8 });
        let first = daemon.run("completeJob", &claimed, done.clone()).await;
        assert_eq!((&first["status"], &first["ticket"]["status"]), (&json!("DONE"), &json!("DONE")));
        // The answer was lost, and it is sent again.
        let after = head(&owner).await;
        assert_eq!(daemon.run("completeJob", &claimed, done).await, first);
        for wrong in ["javascript:alert(1)", "ftp://git.example/x", "git.example"] {
            let refused = daemon.send("completeJob", &claimed, json!({ "prUrl": wrong })).await.expect_err("no page");
            assert_eq!(refused["extensions"]["field"], "prUrl");
        }
        let otherwise = daemon.send("completeJob", &claimed, json!({ "result": { "testsRun": 1 } })).await;
        assert_eq!(otherwise.expect_err("another result")["extensions"]["code"], "CONFLICT");
        assert_eq!(head(&owner).await, after);
        must_be_counted_right(&app).await;

        let told = "query($id: ID!) { activity(filter: { targetId: { eq: $id } }, orderBy: [{ field: SEQ }]) { nodes { action actorType } } }";
        let told = owner.data(told, json!({ "id": made[0] })).await;
        let told: Vec<_> = told["activity"]["nodes"].as_array().expect("entries").iter().map(|entry| (entry["action"].clone(), entry["actorType"].clone())).collect();
        assert_eq!(told, [(json!("ticket.created"), json!("USER")), (json!("ticket.claimed"), json!("AGENT")), (json!("ticket.done"), json!("AGENT"))]);
    }

    async fn nobody_else_says_anything_about_a_job(app) {
        let owner = cleared(&app).await;
        tickets(&owner, "Shop", 1).await;
        let mine = Daemon::connect(&app, &owner, &["dev_agent"], 3).await;
        let other = Daemon::connect(&app, &owner, &["dev_agent"], 3).await;
        let claimed = mine.claim().await;
        let before = head(&owner).await;
        for (mutation, more) in [
            ("startJob", json!({})), ("completeJob", json!({})), ("failJob", json!({ "error": "x" })), ("releaseTicket", json!({})),
            ("reportJobProgress", json!({ "seq": 1 })), ("recordJobEvents", json!({ "events": [{ "seq": 1, "kind": "ACTION", "text": "x" }] })),
            ("saveCheckpoint", json!({ "checkpoint": 1 })),
        ] {
            let refused = other.send(mutation, &claimed, more.clone()).await.expect_err(mutation);
            assert_eq!(refused["extensions"]["code"], "NOT_FOUND", "{mutation}");
            let mut late = claimed.clone();
            late["job"]["attempt"] = json!(2);
            is_stale(mine.send(mutation, &late, more).await);
        }
        assert_eq!(other.beat(&[&claimed["job"]["id"]]).await["lostJobIds"], json!([claimed["job"]["id"]]));
        assert_eq!(head(&owner).await, before);
        let foreign = Daemon { session: mine.session.clone(), ..other };
        let claim = "mutation($id: ID!) { claimNextTicket(input: { sessionId: $id }) { reason } }";
        assert_eq!(foreign.client.code(claim, json!({ "id": foreign.session })).await, "NOT_FOUND");
    }

    async fn a_result_that_must_be_approved_waits(app) {
        let owner = cleared(&app).await;
        let (project, _) = tickets(&owner, "Shop", 0).await;
        let id = ticket(&owner, &project, "Careful", json!({ "requiresApproval": true })).await;
        let lower = "mutation($id: ID!) { updateTicket(input: { id: $id, requiresApproval: false }) { feedCursor } }";
        let member = app.client(crate::support::DEMO, "member").await;
        assert_eq!(member.code(lower, json!({ "id": id })).await, "FORBIDDEN");
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 3).await;
        let claimed = daemon.claim().await;
        daemon.work(&claimed).await;
        let admin = app.client(crate::support::DEMO, "admin").await;
        let asked = "{ notifications(first: 1, filter: { kind: { eq: APPROVAL_REQUEST }, readAt: { isNull: true } }) { nodes { title targetId } } }";
        let asked = admin.data(asked, json!({})).await["notifications"]["nodes"][0].clone();
        assert_eq!((&asked["title"], &asked["targetId"]), (&json!("Approve the result of \"Careful\"?"), &id));
        let queue = "{ ticket: tickets(filter: { waitingReason: { eq: APPROVAL } }) { nodes { id attemptCount result allowedSteps } } }";
        let queue = admin.data(queue, json!({})).await["ticket"]["nodes"][0].clone();
        assert_eq!((&queue["id"], &queue["result"]), (&id, &json!({ "testsRun": 3 })));
        let approve = "mutation($id: ID!, $v: Int!) { approveTicket(input: { id: $id, expectedVersion: $v }) { ticket { status } } }";
        let approved = admin.data(approve, json!({ "id": id, "v": queue["attemptCount"] })).await;
        assert_eq!(approved["approveTicket"]["ticket"]["status"], "DONE");
        must_be_counted_right(&app).await;
    }

    async fn who_asks_waits_and_goes_on_with_the_answer(app) {
        let owner = cleared(&app).await;
        tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let ask = "mutation($id: ID!, $n: Int!, $key: String) { askClarification(input: { jobId: $id, attempt: $n, question: \"Which colour?\", routeTo: DESIGN, idempotencyKey: $key }) { clarificationRequest { id } } }";
        let answer = "mutation($id: ID!) { answerClarification(input: { id: $id, response: \"Blue\" }) { feedCursor } }";
        // However often it asks, it has not failed.
        for round in 1..=3 {
            let claimed = daemon.claim().await;
            assert_eq!(claimed["job"]["attempt"], round);
            let answers = claimed["job"]["payload"]["answers"].as_array().map_or(0, Vec::len);
            assert_eq!(answers + 1, round, "{claimed}");
            daemon.run("startJob", &claimed, json!({})).await;
            let job = &claimed["job"];
            assert_eq!(owner.code(ask, json!({ "id": job["id"], "n": round })).await, "FORBIDDEN");
            let late = daemon.client.send(ask, json!({ "id": job["id"], "n": round + 1 })).await;
            assert_eq!(late.body["errors"][0]["extensions"]["reason"], "STALE_LEASE");
            let send = async || daemon.client.data(ask, json!({ "id": job["id"], "n": round, "key": format!("ask {round}") })).await["askClarification"]["clarificationRequest"]["id"].clone();
            let asked = send().await;
            // The answer was lost, and it is sent again.
            assert_eq!(send().await, asked);
            assert_eq!(daemon.claim().await["reason"], "NONE_READY");
            is_stale(daemon.send("completeJob", &claimed, json!({})).await);
            owner.data(answer, json!({ "id": asked })).await;
            must_be_counted_right(&app).await;
        }
        let claimed = daemon.claim().await;
        daemon.work(&claimed).await;
    }

    async fn a_journal_ends_somewhere(app) {
        let owner = cleared(&app).await;
        tickets(&owner, "Shop", 1).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let claimed = daemon.claim().await;
        let entries = |from: usize| -> Value { (from..from + 100).map(|seq| json!({ "seq": seq, "kind": "ACTION", "text": "x" })).collect() };
        for page in 0..20 {
            daemon.run("recordJobEvents", &claimed, json!({ "events": entries(page * 100 + 1) })).await;
        }
        let full = daemon.send("recordJobEvents", &claimed, json!({ "events": entries(2001) })).await;
        assert_eq!(full.expect_err("is full")["extensions"]["code"], "LIMIT_EXCEEDED");
        for wrong in [json!([0]), json!([-5]), json!([1, 1]), json!([2, 1])] {
            let events: Value = wrong.as_array().expect("numbers").iter().map(|seq| json!({ "seq": seq, "kind": "ACTION", "text": "x" })).collect();
            let refused = daemon.send("recordJobEvents", &claimed, json!({ "events": events })).await.expect_err("no order");
            assert_eq!(refused["extensions"]["code"], "BAD_USER_INPUT", "{wrong}");
        }
        let long = json!({ "checkpoint": "x".repeat(200_001) });
        let long = daemon.send("saveCheckpoint", &claimed, long).await;
        assert_eq!(long.expect_err("is too long")["extensions"]["field"], "checkpoint");
        // Whoever goes on after it has a journal of its own.
        daemon.run("releaseTicket", &claimed, json!({})).await;
        app.wait(Duration::from_secs(6));
        let claimed = daemon.claim().await;
        daemon.run("recordJobEvents", &claimed, json!({ "events": entries(1) })).await;
        must_be_counted_right(&app).await;
    }
}

/// How many statements a page of tickets takes that says what each waits for.
async fn claims_page(owner: &Client, first: i32) -> u64 {
    let page = "query($first: Int!) { tickets(first: $first, filter: { status: { eq: READY } }) { nodes { whyUnclaimed } } }";
    let answer = owner.send(page, json!({ "first": first })).await;
    answer.statements()
}

/// Longer than a lease, and than an agent may be silent.
const LONG: Duration = Duration::from_secs(180);

/// Does what the server does by itself.
async fn tend(app: &TestApp) {
    workgraph::background::run_due(&app.store)
        .await
        .expect("runs");
}
