//! What is sent at each step of a ticket's life. All of it may be sent again.

use serde_json::{Value, json};
use std::fmt;

/// A step of a ticket's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Register,
    Beat,
    Claim,
    Start,
    Report,
    Record,
    Save,
    Reserve,
    Spend,
    Ask,
    /// By a person.
    Answer,
    Complete,
    Fail,
    Release,
}

impl Step {
    pub(super) const ALL: [Self; 14] = [
        Self::Register,
        Self::Beat,
        Self::Claim,
        Self::Start,
        Self::Report,
        Self::Record,
        Self::Save,
        Self::Reserve,
        Self::Spend,
        Self::Ask,
        Self::Answer,
        Self::Complete,
        Self::Fail,
        Self::Release,
    ];

    /// The mutation, and what is read of its answer: nothing that others may have changed when it is asked again.
    fn mutation(self) -> (&'static str, &'static str) {
        match self {
            Self::Register => ("registerAgent", "agentSession { id } feedCursor"),
            Self::Beat => ("agentHeartbeat", "lostJobIds agentSession { id }"),
            Self::Claim => (
                "claimNextTicket",
                "reason ticket { id } job { id attempt action payload } feedCursor",
            ),
            Self::Start => ("startJob", "agentJob { id status attempt } feedCursor"),
            Self::Report => (
                "reportJobProgress",
                "agentJob { id status attempt progressSeq }",
            ),
            Self::Record => ("recordJobEvents", "agentJob { id status attempt }"),
            Self::Save => (
                "saveCheckpoint",
                "agentJob { id status attempt checkpoint }",
            ),
            Self::Reserve => ("reserveBudget", "reservation { id } feedCursor"),
            Self::Spend => ("recordUsage", "apiUsage { id costMicros } feedCursor"),
            Self::Ask => ("askClarification", "clarificationRequest { id } feedCursor"),
            Self::Answer => (
                "answerClarification",
                "clarificationRequest { id response } feedCursor",
            ),
            Self::Complete => (
                "completeJob",
                "agentJob { id status attempt result } feedCursor",
            ),
            Self::Fail => ("failJob", "agentJob { id status attempt error } feedCursor"),
            Self::Release => ("releaseTicket", "agentJob { id } feedCursor"),
        }
    }

    /// Whether it is told of in the ledger, and has a key by which it is done once.
    pub(super) fn has_key(self) -> bool {
        !matches!(self, Self::Beat | Self::Report | Self::Record | Self::Save)
    }

    /// Whether the job is no longer its agent's after it.
    pub(super) fn ends(self) -> bool {
        matches!(
            self,
            Self::Ask | Self::Complete | Self::Fail | Self::Release
        )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.mutation().0)
    }
}

/// Something to send.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) step: Step,
    pub(super) input: Value,
}

impl Operation {
    /// A step, with what is said, under a key of its own if it takes one.
    pub(super) fn new(step: Step, mut input: Value, key: &str) -> Self {
        if step.has_key() {
            input["idempotencyKey"] = json!(key);
        }
        Self { step, input }
    }

    pub(super) fn query(&self) -> String {
        let (name, fields) = self.step.mutation();
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ {fields} }} }}")
    }

    pub(super) fn variables(&self) -> Value {
        json!({ "input": self.input })
    }

    /// The payload in an answer's data.
    pub(super) fn payload<'a>(&self, data: &'a Value) -> &'a Value {
        &data[self.step.mutation().0]
    }
}
