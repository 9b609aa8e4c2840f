//! The tools as data: what each is called, what it is told, and the document that it runs.

use rmcp::model::{Tool as Described, ToolAnnotations};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    about: &'static str,
    pub(super) arguments: &'static [Argument],
    /// Whether it changes nothing.
    only_reads: bool,
    pub(super) document: &'static str,
}

/// What a tool is told.
pub(super) struct Argument {
    pub(super) name: &'static str,
    /// What the document calls it.
    pub(super) variable: &'static str,
    kind: Kind,
    pub(super) is_required: bool,
    about: &'static str,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Texts,
    Whole,
    Number,
    Truth,
    Object,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Self::Whole => json!({ "type": "integer" }),
            Self::Number => json!({ "type": "number" }),
            Self::Truth => json!({ "type": "boolean" }),
            Self::Object => json!({ "type": "object" }),
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
        }
    }
}

impl Tool {
    /// As the protocol describes a tool.
    pub(super) fn described(&self) -> Described {
        let property = |argument: &Argument| {
            let mut schema = argument.kind.schema();
            schema["description"] = argument.about.into();
            (argument.name.to_owned(), schema)
        };
        let properties: Map<_, _> = self.arguments.iter().map(property).collect();
        let required = self
            .arguments
            .iter()
            .filter(|argument| argument.is_required);
        let required: Vec<&str> = required.map(|argument| argument.name).collect();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("required".to_owned(), json!(required));
        schema.insert("additionalProperties".to_owned(), json!(false));
        let annotations = ToolAnnotations::new()
            .read_only(self.only_reads)
            .destructive(false)
            .open_world(false);
        Described::new(self.name, self.about, Arc::new(schema)).with_annotations(annotations)
    }
}

const fn needed(
    name: &'static str,
    variable: &'static str,
    kind: Kind,
    about: &'static str,
) -> Argument {
    Argument {
        name,
        variable,
        kind,
        is_required: true,
        about,
    }
}

const fn optional(
    name: &'static str,
    variable: &'static str,
    kind: Kind,
    about: &'static str,
) -> Argument {
    Argument {
        is_required: false,
        ..needed(name, variable, kind, about)
    }
}

const JOB: Argument = needed(
    "job_id",
    "job",
    Kind::Text,
    "The job, from claim_next_ticket.",
);
const ATTEMPT: Argument = needed(
    "attempt",
    "attempt",
    Kind::Whole,
    "The job's attempt, from claim_next_ticket.",
);

/// The tool that hands out work.
pub(super) const CLAIM: &str = "claim_next_ticket";

/// What the tools do beside their own documents.
pub(super) const SESSIONS: &str = "query ToolSessions {
  agentSessions(first: 50) {
    nodes {
      id capabilities repos disconnectedAt drainingAt
      jobs(first: 32, filter: { status: { in: [DISPATCHED, IN_PROGRESS] } }) { nodes { id } }
    }
  }
}";
pub(super) const REGISTER: &str = "mutation ToolRegister($session: ID, $repos: [String!]!, $capabilities: [String!]!, $patience: Int!, $key: String) {
  registerAgent(input: {
    sessionId: $session, repos: $repos, capabilities: $capabilities, maxActiveJobs: 1, patienceSeconds: $patience, idempotencyKey: $key
  }) { agentSession { id } }
}";
pub(super) const HEARTBEAT: &str = "mutation ToolHeartbeat($session: ID!, $jobs: [ID!]!) {
  agentHeartbeat(input: { sessionId: $session, activeJobIds: $jobs }) { lostJobIds }
}";
pub(super) const START: &str = "mutation ToolStart($job: ID!, $attempt: Int!) {
  startJob(input: { jobId: $job, attempt: $attempt }) { agentJob { status } }
}";

pub(super) const HELD: &str = "query ToolHeld($job: ID!) {
  agentJob(id: $job) {
    id attempt action deadlineAt payload checkpoint
    ticket { id title priority targetRepo roleSlug requiresApproval }
  }
}";
pub(super) const LEAVE: &str = "mutation ToolLeave($session: ID!) {
  disconnectAgent(input: { sessionId: $session }) { feedCursor }
}";

/// All tools.
pub(super) const TOOLS: [Tool; 9] = [
    Tool {
        name: CLAIM,
        about: "Takes the ticket that is next for you: the most urgent, then the oldest. Answers with the ticket, the job (its id and \
            attempt, until when it must be handed in, and in its payload the description, the brief and the answers to earlier \
            questions), and the words to work under; or with the reason why there is none now. While you have a job you get \
            that one again, without the words. In these, {{ticket.title}} and the like stand for what they name.",
        arguments: &[
            optional(
                "repositories",
                "repos",
                Kind::Texts,
                "The repositories that you have checked out, as owner/name, for tickets that name one; left out, those that you named \
                before.",
            ),
            optional("role", "role", Kind::Text, "Only a ticket of this role, such as dev_agent."),
        ],
        only_reads: false,
        document: "mutation ToolClaim($session: ID!, $role: String, $repos: [String!]) {
  claimNextTicket(input: { sessionId: $session, roleSlug: $role, repos: $repos }) {
    reason
    ticket { id title priority targetRepo roleSlug requiresApproval }
    job { id attempt action deadlineAt payload checkpoint }
    instructions {
      rolePrompt allowedTools model subagent { slug prompt allowedTools } skills { slug description body }
    }
  }
}",
    },
    Tool {
        name: "read_ticket",
        about: "The ticket of a job that you have, where it stands, and what was kept at its last checkpoint.",
        arguments: &[JOB],
        only_reads: true,
        document: "query ToolTicket($job: ID!) {
  agentJob(id: $job) {
    id attempt status action deadlineAt progressPercent progressMessage checkpoint
    ticket { id title description priority status targetRepo roleSlug attemptCount maxAttempts error }
  }
}",
    },
    Tool {
        name: "read_brief",
        about: "All that you were given with a job: the description, the brief it is part of, the project, the goal, and the \
            answers to earlier questions.",
        arguments: &[JOB],
        only_reads: true,
        document: "query ToolBrief($job: ID!) { agentJob(id: $job) { id attempt payload } }",
    },
    Tool {
        name: "search",
        about: "Searches the tickets that you have by the words of their titles and descriptions.",
        arguments: &[needed("query", "query", Kind::Text, "The words.")],
        only_reads: true,
        document: "query ToolSearch($query: String!) {
  search(query: $query, first: 20) { nodes { type title snippet node { id } } }
}",
    },
    Tool {
        name: "report_progress",
        about: "Says how far you have come, and keeps the ticket yours. People see it live.",
        arguments: &[
            JOB,
            ATTEMPT,
            optional("percent", "percent", Kind::Whole, "How far, from 0 to 100."),
            optional("message", "message", Kind::Text, "What you do now, at most 500 characters."),
        ],
        only_reads: false,
        document: "mutation ToolProgress($job: ID!, $attempt: Int!, $percent: Int, $message: String) {
  reportJobProgress(input: { jobId: $job, attempt: $attempt, percent: $percent, message: $message }) {
    agentJob { status leaseExpiresAt deadlineAt }
  }
}",
    },
    Tool {
        name: "ask_question",
        about: "Asks people something that you cannot go on without. The ticket waits for the answer and is not yours any more; \
            claimed again, its payload has the answer.",
        arguments: &[
            JOB,
            ATTEMPT,
            needed("question", "question", Kind::Text, "The question, at most 2,000 characters."),
            needed(
                "route_to",
                "route",
                Kind::OneOf(&[
                    "PRODUCT_LEAD",
                    "TECH_LEAD",
                    "ENGINEERING",
                    "DESIGN",
                    "QA",
                    "EXECUTIVE",
                    "STAKEHOLDER",
                ]),
                "Whom it is put to.",
            ),
            optional(
                "context",
                "context",
                Kind::Text,
                "What one must know to answer it, at most 5,000 characters.",
            ),
            optional("options", "options", Kind::Texts, "The answers to choose from, at most 10."),
        ],
        only_reads: false,
        document: "mutation ToolAsk($job: ID!, $attempt: Int!, $question: String!, $route: ClarificationRoute!, $context: String, $options: [String!]! = []) {
  askClarification(input: {
    jobId: $job, attempt: $attempt, question: $question, routeTo: $route, context: $context, options: $options
  }) { clarificationRequest { id status } }
}",
    },
    Tool {
        name: "complete",
        about: "Hands in what came of a job. Its ticket is done, or waits for somebody who approves it.",
        arguments: &[
            JOB,
            ATTEMPT,
            optional(
                "result",
                "result",
                Kind::Object,
                "What came of it, such as the changed files and the counts of tests.",
            ),
            optional("pr_url", "prUrl", Kind::Text, "The address of the pull request that you opened."),
            optional("confidence", "confidence", Kind::Number, "How sure you are of it, from 0 to 1."),
            optional(
                "brief",
                "brief",
                Kind::Object,
                "The brief, where the job's action is draft_brief: {title, summary, content: {goalText, targetUsers, successMetrics, \
                 scope, nonScope, timeline, targetRepo, objectives, acceptanceCriteria, outOfScope, assumptions}}; the first \
                 seven of content are texts, the others lists of texts.",
            ),
            optional(
                "plan",
                "plan",
                Kind::Object,
                "The plan, where the job's action is plan_brief: {channelSummary, steps: [{title, description, roleSlug, dependsOn}]}, \
                 with 1 to 6 steps; dependsOn lists the numbers of earlier steps, from 0, that must be done before.",
            ),
        ],
        only_reads: false,
        document: "mutation ToolComplete($job: ID!, $attempt: Int!, $result: JSON, $prUrl: String, $confidence: Float! = 0, $brief: BriefDraft, $plan: PlanContent) {
  completeJob(input: {
    jobId: $job, attempt: $attempt, result: $result, prUrl: $prUrl, confidence: $confidence, brief: $brief, plan: $plan
  }) { agentJob { id status ticket { id status waitingReason } } }
}",
    },
    Tool {
        name: "fail",
        about: "Says that a job could not be done. With transient it is tried again a little later; else its plan is made anew, or \
            a person is told.",
        arguments: &[
            JOB,
            ATTEMPT,
            needed("error", "error", Kind::Text, "What went wrong, at most 5,000 characters."),
            optional(
                "transient",
                "transient",
                Kind::Truth,
                "Whether it went wrong in passing, such as a network that was down.",
            ),
        ],
        only_reads: false,
        document: "mutation ToolFail($job: ID!, $attempt: Int!, $error: String!, $transient: Boolean! = false) {
  failJob(input: { jobId: $job, attempt: $attempt, error: $error, transient: $transient }) {
    agentJob { id status ticket { id status } }
  }
}",
    },
    Tool {
        name: "release_ticket",
        about: "Gives a ticket back that you cannot work on now, without a failed try.",
        arguments: &[
            JOB,
            ATTEMPT,
            optional("reason", "reason", Kind::Text, "Why, at most 5,000 characters."),
        ],
        only_reads: false,
        document: "mutation ToolRelease($job: ID!, $attempt: Int!, $reason: String) {
  releaseTicket(input: { jobId: $job, attempt: $attempt, reason: $reason }) { agentJob { id status } }
}",
    },
];
