//! The people of the workspace: they make work, approve plans, and answer questions.

use super::wire::{Said, Wire};
use crate::{Result, installation::Workspace};
use serde_json::{Value, json};
use std::{fmt::Write as _, sync::Arc, time::Duration};
use tokio::sync::watch;

/// How often somebody looks whether there is something to decide.
const LOOK: Duration = Duration::from_millis(100);

const ROLES: [&str; 3] = ["chief_of_staff", "dev_agent", "qa_agent"];
const WAITING: &str = "{ executionPlans(first: 50, filter: { status: { eq: PENDING_APPROVAL } }) { nodes { id attempt } } \
    clarificationRequests(first: 50, filter: { status: { eq: PENDING } }) { nodes { id } } }";
const APPROVE: &str =
    "mutation($input: ApprovePlanInput!) { approvePlan(input: $input) { feedCursor } }";
const ANSWER: &str = "mutation($input: AnswerClarificationInput!) { answerClarification(input: $input) { feedCursor } }";

/// The people of a workspace.
pub(super) struct Company {
    pub(super) workspace: Workspace,
    pub(super) wire: Arc<Wire>,
    project: String,
}

impl Company {
    pub(super) async fn new(workspace: Workspace, wire: Arc<Wire>) -> Result<Self> {
        let query = "{ projects(first: 1, filter: {slug: {eq: \"default\"}}) { nodes { id } } }";
        let data = wire.data(query, &json!({})).await?;
        let project = data["projects"]["nodes"][0]["id"].as_str();
        let project = project.ok_or("a workspace has no project")?.to_owned();
        Ok(Self {
            workspace,
            wire,
            project,
        })
    }

    /// A token for an agent.
    pub(super) async fn token(&self, name: &str) -> Result<String> {
        // What is shown once is not shown again, so that it takes no key.
        let create = "mutation($input: CreateAgentTokenInput!) { createAgentToken(input: $input) { token } }";
        let input = json!({ "name": name, "roleSlugs": ROLES });
        let data = self.wire.data(create, &json!({ "input": input })).await?;
        let token = data["createAgentToken"]["token"].as_str();
        Ok(token.ok_or("a token is not shown")?.to_owned())
    }

    /// Tickets of no plan.
    pub(super) async fn loose(&self, name: &str, count: usize) -> Result<()> {
        for from in (0..count).step_by(40) {
            let mut document = "mutation {".to_owned();
            for number in from..count.min(from + 40) {
                let (project, title) = (&self.project, format!("{name} {number}"));
                let _ = write!(
                    document,
                    " m{number}: createTicket(input: {{projectId: \"{project}\", title: \"{title}\", roleSlug: \"dev_agent\", \
                     idempotencyKey: \"{title}\"}}) {{ feedCursor }}"
                );
            }
            document.push_str(" }");
            self.wire.data(&document, &json!({})).await?;
        }
        Ok(())
    }

    /// An approved brief, for which the chief of staff makes a plan.
    pub(super) async fn brief(&self, number: usize) -> Result<()> {
        let title = format!("Brief {number}");
        let input = json!({ "projectId": self.project, "title": title });
        let made = self.run("createPrd", "CreatePRDInput", "prd { id }", &title, input);
        let id = made.await?["prd"]["id"].clone();
        let decided = json!({ "id": id, "expectedVersion": 1 });
        for (mutation, kind) in [
            ("submitPrd", "SubmitPRDInput"),
            ("approvePrd", "ApprovePRDInput"),
        ] {
            self.run(mutation, kind, "feedCursor", &title, decided.clone())
                .await?;
        }
        Ok(())
    }

    async fn run(
        &self,
        mutation: &str,
        kind: &str,
        fields: &str,
        of: &str,
        mut input: Value,
    ) -> Result<Value> {
        input["idempotencyKey"] = json!(format!("{mutation} {of}"));
        let query =
            format!("mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {fields} }} }}");
        let mut data = self.wire.data(&query, &json!({ "input": input })).await?;
        Ok(data[mutation].take())
    }

    /// Decides whatever there is to decide, until told to stop.
    pub(super) async fn decide(&self, mut stopping: watch::Receiver<bool>) -> Result<()> {
        loop {
            let over = tokio::time::timeout(LOOK, stopping.wait_for(|stopping| *stopping));
            if over.await.is_ok() {
                return Ok(());
            }
            let waiting = self.wire.data(WAITING, &json!({})).await?;
            let nodes = |name: &str| waiting[name]["nodes"].as_array().cloned();
            for plan in nodes("executionPlans").unwrap_or_default() {
                let input = json!({ "id": plan["id"], "expectedVersion": plan["attempt"] });
                self.decide_on(APPROVE, input).await?;
            }
            for question in nodes("clarificationRequests").unwrap_or_default() {
                let input = json!({ "id": question["id"], "response": "Yes." });
                self.decide_on(ANSWER, input).await?;
            }
        }
    }

    /// Something may have become of it since it was looked at.
    async fn decide_on(&self, mutation: &str, input: Value) -> Result<()> {
        let said = self.wire.ask(mutation, &json!({ "input": input })).await?;
        match said.said {
            Said::Refused { code, .. }
                if ["CONFLICT", "ILLEGAL_TRANSITION"].contains(&code.as_str()) =>
            {
                Ok(())
            }
            Said::Refused { message, .. } => Err(format!("{mutation}: {message}").into()),
            Said::Done(_) => Ok(()),
        }
    }
}
