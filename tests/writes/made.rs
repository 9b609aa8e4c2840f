//! What mutations are about, made through the API as its users make it.

use super::{definition, sample};
use crate::support::{Client, DEMO, TestApp};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes things as this client, for tests.
pub struct Made<'t> {
    pub app: &'t TestApp,
    pub client: &'t Client,
}

impl Made<'_> {
    /// A brief that nobody handed in.
    pub async fn draft(&self) -> Value {
        let input = Box::pin(sample(self.app, self.client, "createPrd")).await;
        self.run("createPrd", input).await
    }

    /// A brief that waits for approval, at version 1.
    pub async fn submitted(&self) -> Value {
        let id = self.draft().await;
        self.submit(&id, 1).await;
        id
    }

    /// Hands a brief in.
    pub async fn submit(&self, id: &Value, version: i32) {
        self.run("submitPrd", json!({ "id": id, "expectedVersion": version }))
            .await;
    }

    /// An approved brief.
    pub async fn approved(&self) -> Value {
        let id = self.submitted().await;
        self.run("approvePrd", json!({ "id": id, "expectedVersion": 1 }))
            .await;
        id
    }

    /// A draft, and the id of a symbol in the map of its project's code.
    pub async fn brief_and_symbol(&self) -> (Value, Value) {
        let maps = "{ projectGraphs(first: 1) { nodes { projectId godNodes(first: 1) { id } } } }";
        let map = self.client.data(maps, json!({})).await["projectGraphs"]["nodes"][0].clone();
        let input = json!({ "projectId": map["projectId"], "title": "In the code" });
        (
            self.run("createPrd", input).await,
            map["godNodes"][0]["id"].clone(),
        )
    }

    /// A plan of two steps, the second after the first, that waits for approval.
    pub async fn plan(&self) -> Value {
        let input = Box::pin(sample(self.app, self.client, "createExecutionPlan")).await;
        self.run("createExecutionPlan", input).await
    }

    /// An open question about a draft.
    pub async fn question(&self) -> Value {
        let input = Box::pin(sample(self.app, self.client, "askClarification")).await;
        self.run("askClarification", input).await
    }

    /// A ticket that is ready.
    pub async fn ticket(&self) -> Value {
        let input = Box::pin(sample(self.app, self.client, "createTicket")).await;
        self.run("createTicket", input).await
    }

    /// A new session of the agent that tests send agents' mutations as. What its others had is done by now.
    pub async fn session(&self) -> Value {
        let over = "UPDATE tickets SET status = 'done', \"leaseExpiresAt\" = NULL WHERE status = 'claimed'";
        self.app.execute(over).await;
        let worker = self.app.worker(self.client).await;
        let register =
            "mutation { registerAgent(input: { repos: [\"acme/shop\"] }) { agentSession { id } } }";
        let made = worker.data(register, json!({})).await;
        made["registerAgent"]["agentSession"]["id"].clone()
    }

    /// A project with nothing in it.
    pub async fn project(&self) -> Value {
        let name = format!("Empty {}", super::number());
        self.run("createProject", json!({ "name": name })).await
    }

    /// A playbook.
    pub async fn skill(&self) -> Value {
        let input = Box::pin(sample(self.app, self.client, "createSkill")).await;
        self.run("createSkill", input).await
    }

    /// A role of the workspace's own.
    pub async fn role(&self) -> Value {
        let input = Box::pin(sample(self.app, self.client, "createAgentRole")).await;
        self.run("createAgentRole", input).await
    }

    /// The slug of a row.
    pub async fn slug_of(&self, field: &str, id: &Value) -> Value {
        let query = format!("query($id: ID!) {{ {field}(id: $id) {{ slug }} }}");
        self.client.data(&query, json!({ "id": id })).await[field]["slug"].clone()
    }

    /// Something that was imported, and the hash of what it says.
    pub async fn imported(&self, mutation: &str) -> (Value, Value) {
        let id = self.run(mutation, json!({ "text": definition() })).await;
        let field = row_of(mutation);
        let query = format!("query($id: ID!) {{ {field}(id: $id) {{ contentHash }} }}");
        let read = self.client.data(&query, json!({ "id": id })).await;
        (id, read[field]["contentHash"].clone())
    }

    /// Something of the library that was imported and approved, for a mutation that is about such a thing.
    pub async fn offered(&self, mutation: &str) -> Value {
        let kind = match mutation.contains("Subagent") {
            true => "Subagent",
            false => "SkillPackage",
        };
        let (id, hash) = self.imported(&format!("import{kind}")).await;
        let approve = json!({ "id": id, "expectedContentHash": hash, "decision": "APPROVE" });
        self.run(&format!("decide{kind}"), approve).await
    }

    /// The slug of something that all workspaces share, for a mutation that is about such a thing.
    pub async fn shared(&self, mutation: &str) -> Value {
        let (list, row) = match mutation.contains("Subagent") {
            true => ("effectiveSubagents", "subagent"),
            false => ("effectiveSkillPackages", "skillPackage"),
        };
        // What the other workspace has not replaced and this one sees too is everybody's.
        let query = format!("{{ {list} {{ isOverride {row} {{ slug source }} }} }}");
        let read = self.client.data(&query, json!({})).await;
        let rows = read[list].as_array().expect("rows").clone();
        let is_shared =
            |found: &&Value| found["isOverride"] == false && found[row]["source"] == "VENDOR";
        rows.iter().find(is_shared).expect("a shared one")[row]["slug"].clone()
    }

    /// A ticket that this agent works on, and its job.
    pub async fn claimed(&self) -> Value {
        self.ticket().await;
        let worker = self.app.worker(self.client).await;
        let claim = "mutation($id: ID!) { claimNextTicket(input: { sessionId: $id }) { ticket { id } job { id attempt } reason } }";
        let claimed = worker
            .data(claim, json!({ "id": self.session().await }))
            .await;
        claimed["claimNextTicket"].clone()
    }

    /// The job, as the agent names it.
    pub async fn job(&self) -> Value {
        let job = self.claimed().await["job"].clone();
        json!({ "jobId": job["id"], "attempt": job["attempt"] })
    }

    /// A token with which the client decides by reply, from `U1` on Slack.
    pub async fn reply_token(&self, of: &str, id: &Value) -> String {
        let input = json!({ "subjectType": of, "subjectId": id, "channel": "SLACK", "channelIdentity": "U1" });
        let create = "mutation($input: CreateReplyTokenInput!) { createReplyToken(input: $input) { token } }";
        let made = self.client.data(create, json!({ "input": input })).await;
        made["createReplyToken"]["token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// Somebody of the demo with this role, who has everybody's password and signed in nowhere yet.
    pub async fn person(&self, role: &str) -> entity::user::Model {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = format!("person{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let tenant = self.app.tenant(DEMO).await;
        let now = self.app.now().format("%Y-%m-%dT%H:%M:%S%.3f+00:00");
        self.app
            .execute(&format!(
                "INSERT INTO users (id, \"tenantId\", email, \"passwordHash\", name, role, \"preferredChannel\", \"channelIds\", \
                 \"hasSeenTour\", \"tokenVersion\", \"createdAt\", \"updatedAt\") SELECT '{id}', \"tenantId\", '{id}@demo.example', \
                 \"passwordHash\", 'Somebody', '{role}', \"preferredChannel\", \"channelIds\", \"hasSeenTour\", 0, '{now}', '{now}' FROM \
                 users WHERE \"tenantId\" = '{tenant}' AND email LIKE '%@%' ORDER BY \"createdAt\", id LIMIT 1"
            ))
            .await;
        let user = self
            .app
            .store
            .system()
            .user(&tenant.into(), &id.into())
            .await;
        user.expect("reads").expect("was made")
    }

    /// An invitation that waits to be accepted, and the token in its link.
    pub async fn invitation(&self) -> (Value, String) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let email = format!(
            "invited{}@demo.example",
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let invite = "mutation($email: String!) { inviteUser(input: { email: $email }) { link invitation { id } } }";
        let made = self.client.data(invite, json!({ "email": email })).await["inviteUser"].clone();
        let link = made["link"].as_str().expect("a link");
        let (_, token) = link.split_once('#').expect("a token");
        (made["invitation"]["id"].clone(), token.to_owned())
    }

    /// Puts a ticket beside the server where an agent puts it that hands a result in: agents cannot do that here yet.
    pub async fn hand_in(&self, id: &Value) {
        let waits = "status = 'waiting', \"waitingReason\" = 'approval', \"attemptCount\" = \"attemptCount\" + 1";
        self.set("tickets", id, waits).await;
    }

    /// Changes a row beside the server.
    pub async fn set(&self, table: &str, id: &Value, change: &str) {
        let id = id.as_str().expect("an id");
        self.app
            .execute(&format!("UPDATE {table} SET {change} WHERE id = '{id}'"))
            .await;
    }

    /// Sends a mutation, and returns its row's id.
    pub async fn run(&self, mutation: &str, input: Value) -> Value {
        let data = self
            .client
            .data(&document(mutation), json!({ "input": input }))
            .await;
        let answer = data[mutation].as_object().expect("an answer");
        let row = { answer.values() }.find_map(|row| row.get("id"));
        let row = row.or_else(|| answer.get("deletedId"));
        row.expect("a row").clone()
    }

    /// The code with which a mutation is refused; empty when it is not.
    pub async fn code(&self, mutation: &str, input: Value) -> String {
        let answer = self
            .client
            .send(&document(mutation), json!({ "input": input }))
            .await;
        match answer.body.get("errors") {
            Some(_) => answer.code(),
            None => String::new(),
        }
    }
}

/// The root field of the rows that a mutation is about.
fn row_of(mutation: &str) -> &'static str {
    match mutation.contains("Subagent") {
        true => "subagentDefinition",
        false => "skillPackage",
    }
}

/// A mutation that answers with its row's id.
fn document(mutation: &str) -> String {
    let (kind, row) = names(mutation);
    let shown = match row {
        "deletedId" => row.to_owned(),
        row => format!("{row} {{ id }}"),
    };
    format!("mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {shown} }} }}")
}

/// What a mutation's input is called, and the row in its answer.
fn names(mutation: &str) -> (String, &'static str) {
    let row = match mutation {
        "setDelegate"
        | "updateApprovalRules"
        | "updateBudgets"
        | "updateWorkspace"
        | "completeSetupStep" => "tenant",
        "createServiceToken" => "serviceToken",
        "setModelPrice" => "modelPrice",
        "setCredential" | "rotateCredential" => "credential",
        "addAiProvider" | "rotateAiProvider" | "probeAiProvider" => "credential",
        "removeAiProvider" => "deletedId",
        "setChannelRoute" => "channelRoute",
        "connectIntegration"
        | "retestIntegration"
        | "disconnectIntegration"
        | "setWebhookSecret" => "integrationConnection",
        "createProject" | "updateProject" | "archiveProject" | "restoreProject"
        | "setBriefTemplate" => "project",
        "createGoal" => "goal",
        "linkSymbol" => "prdSymbolLink",
        "unlinkSymbol" => "deletedId",
        name if name.starts_with("delete") || name.starts_with("reset") => "deletedId",
        "createSkill" | "updateSkill" => "skill",
        name if name.contains("AgentRole") => "agentRole",
        name if name.contains("SkillPackage") => "skillPackage",
        name if name.ends_with("Subagent") || name == "setSubagentStatus" => "subagent",
        name if name.ends_with("Prd") => "prd",
        name if name.ends_with("Plan") || name == "replan" => "executionPlan",
        name if name.ends_with("Clarification") => "clarificationRequest",
        "releaseTicket" => "agentJob",
        name if name.ends_with("Ticket") => "ticket",
        name if name.ends_with("Job") => "agentJob",
        "registerAgent" | "disconnectAgent" | "drainAgent" => "agentSession",
        "removeUser" => "deletedId",
        "changeUserRole" | "updateProfile" | "transferOwnership" => "user",
        name if name.ends_with("Invitation") || name == "inviteUser" => "invitation",
        other => panic!("what does {other} answer with?"),
    };
    let (first, rest) = mutation.split_at(1);
    let kind = format!("{}{rest}Input", first.to_uppercase()).replace("Prd", "PRD");
    (kind, row)
}
