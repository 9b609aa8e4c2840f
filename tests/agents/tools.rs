//! What a coding agent does with the tools at `/mcp`, through the protocol's own client.

use super::{LONG, cleared, must_be_counted_right, tend, ticket, tickets};
use crate::support::TestApp;
use rmcp::{
    RoleClient, ServiceExt,
    model::{CallToolRequestParams, CallToolResult},
    service::RunningService,
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};
use std::time::Duration;

/// A coding agent.
struct Coder(RunningService<RoleClient, ()>);

impl Coder {
    async fn connect(url: &str, token: &str) -> Result<Self, String> {
        let to = StreamableHttpClientTransportConfig::with_uri(url.replace("/graphql", "/mcp"))
            .auth_header(token);
        let client = ().serve(StreamableHttpClientTransport::from_config(to)).await;
        client.map(Self).map_err(|error| error.to_string())
    }

    async fn call(&self, tool: &'static str, arguments: Value) -> CallToolResult {
        let arguments = arguments.as_object().expect("an object").clone();
        let call = CallToolRequestParams::new(tool).with_arguments(arguments);
        self.0.call_tool(call).await.expect("is answered")
    }

    /// What a tool answers with.
    async fn run(&self, tool: &'static str, arguments: Value) -> Value {
        let answer = self.call(tool, arguments).await;
        assert_eq!(answer.is_error, Some(false), "{tool}: {answer:?}");
        answer.structured_content.expect("has an answer")
    }

    /// What a tool says went wrong.
    async fn told(&self, tool: &'static str, arguments: Value) -> String {
        let answer = self.call(tool, arguments).await;
        assert_eq!(answer.is_error, Some(true), "{tool}: {answer:?}");
        answer.content[0].as_text().expect("a text").text.clone()
    }

    async fn claim(&self) -> Value {
        self.run("claim_next_ticket", json!({})).await["claimNextTicket"].clone()
    }
}

/// Which job and which try of it, as tools are told.
fn of(claimed: &Value, more: Value) -> Value {
    let mut arguments =
        json!({ "job_id": claimed["job"]["id"], "attempt": claimed["job"]["attempt"] });
    let fields = more.as_object().expect("an object").clone();
    arguments.as_object_mut().expect("an object").extend(fields);
    arguments
}

async fn token(app: &TestApp, roles: &[&str]) -> String {
    let create = "mutation($roles: [String!]!) { createAgentToken(input: { name: \"Coder\", roleSlugs: $roles }) { token } }";
    let made = app
        .owner()
        .await
        .data(create, json!({ "roles": roles }))
        .await;
    made["createAgentToken"]["token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

on_both_databases! {
    async fn a_coding_agent_works_on_a_ticket_without_any_code(app) {
        let owner = cleared(&app).await;
        let (project, made) = tickets(&owner, "Shop", 1).await;
        let elsewhere = ticket(&owner, &project, "Elsewhere", json!({ "targetRepo": "acme/shop" })).await;
        let coder = Coder::connect(&app.url, &token(&app, &["dev_agent"]).await).await.expect("connects");
        let info = coder.0.peer_info().expect("says who it is");
        assert!(info.instructions.as_ref().is_some_and(|about| about.contains("claim_next_ticket")));
        let tools = coder.0.list_all_tools().await.expect("tools");
        let names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(names, ["claim_next_ticket", "read_ticket", "read_brief", "search", "report_progress", "ask_question", "complete", "fail", "release_ticket"]);
        assert!(tools.iter().all(|tool| tool.description.is_some() && tool.input_schema["additionalProperties"] == false));

        let claimed = coder.claim().await;
        assert_eq!((&claimed["ticket"]["id"], &claimed["job"]["payload"]["title"]), (&made[0], &json!("Shop 0")));
        assert!(claimed["instructions"]["rolePrompt"].as_str().is_some_and(|prompt| !prompt.is_empty()));
        // Whoever has lost sight of it gets it again.
        assert_eq!(coder.claim().await["job"]["id"], claimed["job"]["id"]);
        let read = coder.run("read_ticket", json!({ "job_id": claimed["job"]["id"] })).await;
        assert_eq!((&read["agentJob"]["status"], &read["agentJob"]["ticket"]["title"]), (&json!("IN_PROGRESS"), &json!("Shop 0")));
        let found = coder.run("search", json!({ "query": "shop" })).await;
        assert_eq!(found["search"]["nodes"][0]["node"]["id"], made[0]);
        assert_eq!(found["search"]["nodes"].as_array().map(Vec::len), Some(1), "only what it has: {found}");
        for percent in [10, 20] {
            coder.run("report_progress", of(&claimed, json!({ "percent": percent, "message": "Building" }))).await;
        }
        let seen = "query($id: ID!) { ticket(id: $id) { status latestJob { progressPercent session { capabilities patienceSeconds activeJobs } } } }";
        let owner = app.owner().await;
        let now = owner.data(seen, json!({ "id": made[0] })).await["ticket"]["latestJob"].clone();
        assert_eq!(now, json!({ "progressPercent": 20, "session": { "capabilities": ["mcp"], "patienceSeconds": 1800, "activeJobs": 1 } }));

        let question = json!({ "question": "Which colour?", "route_to": "DESIGN", "options": ["Red", "Blue"] });
        let asked = coder.run("ask_question", of(&claimed, question)).await;
        let answer = "mutation($id: ID!) { answerClarification(input: { id: $id, response: \"Blue\" }) { feedCursor } }";
        owner.data(answer, json!({ "id": asked["askClarification"]["clarificationRequest"]["id"] })).await;
        let again = coder.claim().await;
        assert_eq!((&again["ticket"]["id"], &again["job"]["attempt"]), (&made[0], &json!(2)));
        let brief = coder.run("read_brief", json!({ "job_id": again["job"]["id"] })).await;
        assert_eq!(brief["agentJob"]["payload"]["answers"], json!([{ "question": "Which colour?", "answer": "Blue" }]));
        let stale = coder.told("complete", of(&claimed, json!({}))).await;
        assert!(stale.contains("this job no longer"), "{stale}");
        let done = coder.run("complete", of(&again, json!({ "result": { "testsRun": 3 }, "pr_url": "https://git.example/acme/shop/pull/7", "confidence": 0.9 }))).await;
        assert_eq!(done["completeJob"]["agentJob"]["ticket"]["status"], "DONE");
        assert_eq!(coder.claim().await["reason"], "REPOSITORY", "it has none");

        let claimed = coder.run("claim_next_ticket", json!({ "repositories": ["acme/shop"], "role": "dev_agent" })).await["claimNextTicket"].clone();
        assert_eq!(claimed["ticket"]["id"], elsewhere);
        coder.run("release_ticket", of(&claimed, json!({ "reason": "Later" }))).await;
        app.wait(Duration::from_secs(6));
        let claimed = coder.claim().await;
        assert_eq!(claimed["ticket"]["id"], elsewhere, "it still has the repository");
        let failed = coder.run("fail", of(&claimed, json!({ "error": "It cannot be built." }))).await;
        assert_eq!(failed["failJob"]["agentJob"]["ticket"]["status"], "FAILED");
        must_be_counted_right(&app).await;
    }

    async fn who_thinks_for_long_keeps_a_ticket_and_who_is_gone_does_not(app) {
        let owner = cleared(&app).await;
        tickets(&owner, "Shop", 1).await;
        app.execute("UPDATE agent_roles SET \"timeoutSeconds\" = 36000").await;
        let coder = Coder::connect(&app.url, &token(&app, &["dev_agent"]).await).await.expect("connects");
        let claimed = coder.claim().await;
        for _ in 0..2 {
            app.wait(Duration::from_secs(19 * 60));
            tend(&app).await;
            // Any tool is a sign of life.
            coder.run("read_ticket", json!({ "job_id": claimed["job"]["id"] })).await;
        }
        app.wait(LONG);
        tend(&app).await;
        let other = Coder::connect(&app.url, &token(&app, &["dev_agent"]).await).await.expect("connects");
        app.wait(Duration::from_secs(31 * 60));
        tend(&app).await;
        app.wait(Duration::from_secs(10));
        tend(&app).await;
        let again = other.claim().await;
        assert_eq!(again["ticket"]["id"], claimed["ticket"]["id"], "{again}");
        let late = coder.told("report_progress", of(&claimed, json!({ "percent": 50 }))).await;
        assert!(late.contains("this job no longer"), "{late}");
        must_be_counted_right(&app).await;
    }

    async fn the_tools_are_for_agents_and_say_what_is_wrong(app) {
        let owner = cleared(&app).await;
        tickets(&owner, "Shop", 1).await;
        let http = reqwest::Client::new();
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
        let post = async |token: Option<&str>, body: Vec<u8>| {
            let request = http.post(app.url.replace("/graphql", "/mcp")).header("content-type", "application/json")
                .header("accept", "application/json, text/event-stream").body(body);
            let request = match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            };
            request.send().await.expect("is answered").status().as_u16()
        };
        let listed = list.to_string().into_bytes();
        let agent = token(&app, &["dev_agent"]).await;
        assert_eq!(post(Some(&agent), listed.clone()).await, 200);
        assert_eq!(post(None, listed.clone()).await, 401);
        assert_eq!(post(Some("wga_wrong"), listed.clone()).await, 401);
        assert_eq!(post(Some(&app.token(crate::support::DEMO, "owner").await), listed).await, 403);
        for wrong in ["{", "[]", "{}", "\"text\"", "{\"jsonrpc\":\"2.0\",\"id\":\"a\\ud800b\",\"method\":\"ping\"}"] {
            assert_eq!(post(Some(&agent), wrong.as_bytes().to_vec()).await, 400, "{wrong}");
        }
        assert_eq!(post(Some(&agent), vec![b' '; 20 << 20]).await, 413);
        let coder = Coder::connect(&app.url, &agent).await.expect("connects");
        let other = Coder::connect(&app.url, &token(&app, &["dev_agent"]).await).await.expect("connects");
        let claimed = coder.claim().await;
        for (told, tool, arguments) in [
            ("There is no AgentJob", "complete", of(&claimed, json!({}))),
            ("job_id is needed", "complete", json!({})),
            ("no argument colour", "claim_next_ticket", json!({ "colour": "red" })),
            ("attempt", "report_progress", json!({ "job_id": claimed["job"]["id"], "attempt": "one" })),
            ("You have no job", "read_brief", json!({ "job_id": claimed["job"]["id"] })),
            ("You have no job", "read_ticket", json!({ "job_id": "nobody" })),
            ("`pr_url`", "complete", json!({ "job_id": claimed["job"]["id"], "attempt": 1, "pr_url": "" })),
            ("NUL", "report_progress", json!({ "job_id": claimed["job"]["id"], "attempt": 1, "message": "a\u{0}b" })),
            ("owner/name", "claim_next_ticket", json!({ "repositories": ["nowhere"] })),
        ] {
            let said = other.told(tool, arguments.clone()).await;
            assert!(said.contains(told), "{tool} {arguments}: {said}");
        }
        let unknown = other.0.call_tool(CallToolRequestParams::new("delete_everything")).await;
        assert!(unknown.is_err_and(|error| error.to_string().contains("claim_next_ticket")));
        // Where only named documents run, the tools are the server's own.
        let strict = Coder::connect(&app.trusting_only().await, &agent).await.expect("connects");
        assert_eq!(strict.run("read_ticket", json!({ "job_id": claimed["job"]["id"] })).await["agentJob"]["id"], claimed["job"]["id"]);
        must_be_counted_right(&app).await;
    }

    async fn a_token_has_one_session_however_often_it_begins(app) {
        let owner = cleared(&app).await;
        tickets(&owner, "Shop", 2).await;
        let token = token(&app, &["dev_agent"]).await;
        let coders = futures_util::future::join_all((0..4).map(|_| Coder::connect(&app.url, &token))).await;
        let coders: Vec<_> = coders.into_iter().map(|coder| coder.expect("connects")).collect();
        let claimed = futures_util::future::join_all(coders.iter().map(Coder::claim)).await;
        assert!(claimed.iter().all(|claim| claim["job"]["id"].is_string() && claim["job"]["id"] == claimed[0]["job"]["id"]), "{claimed:?}");
        let sessions = "{ agentSessions(first: 50, filter: { disconnectedAt: { isNull: true } }) { nodes { id capabilities } } }";
        let ours = async || {
            let owner = app.owner().await;
            let sessions = owner.data(sessions, json!({})).await["agentSessions"]["nodes"].clone();
            let sessions = sessions.as_array().expect("sessions").clone().into_iter();
            sessions.filter(|session| session["capabilities"] == json!(["mcp"])).map(|session| session["id"].clone()).collect::<Vec<_>>()
        };
        let before = ours().await;
        assert_eq!(before.len(), 1);
        // Lost, and taken up again.
        app.wait(Duration::from_secs(32 * 60));
        tend(&app).await;
        assert!(ours().await.is_empty());
        coders[0].claim().await;
        assert_eq!(ours().await, before);
        // Asked to leave, it does when it has nothing to do any more.
        let claimed = coders[0].claim().await;
        let drain = "mutation($id: ID!) { drainAgent(input: { sessionId: $id }) { feedCursor } }";
        app.owner().await.data(drain, json!({ "id": before[0] })).await;
        if claimed["job"].is_object() {
            coders[0].run("complete", of(&claimed, json!({}))).await;
        }
        for _ in 0..3 {
            assert_eq!(coders[0].claim().await["reason"], "DRAINING");
            assert!(ours().await.is_empty());
        }
    }
}
