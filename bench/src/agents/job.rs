//! A job that an agent has, as the agent knows it.

use super::operation::{Operation, Step};
use serde_json::{Value, json};

/// A job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) attempt: i64,
    pub(super) ticket: String,
    action: String,
    /// How many questions about it were answered.
    pub(super) answers: usize,
    /// How many entries of the journal are there.
    pub(super) written: i64,
    reported: i64,
    pub(super) reservation: Option<String>,
    /// Whether something may still come of what was sent in its name.
    pub(super) is_uncertain: bool,
}

impl Job {
    /// The job in an answer, and its ticket.
    pub(super) fn of(job: &Value, ticket: &Value) -> Option<Self> {
        let answers = job["payload"]["answers"].as_array();
        Some(Self {
            id: job["id"].as_str()?.to_owned(),
            attempt: job["attempt"].as_i64()?,
            ticket: ticket["id"].as_str()?.to_owned(),
            action: job["action"].as_str()?.to_owned(),
            answers: answers.map_or(0, Vec::len),
            written: 0,
            reported: 0,
            reservation: None,
            is_uncertain: false,
        })
    }

    /// What a step about it says. `number` tells apart what is said from all else.
    pub(super) fn input(&mut self, step: Step, number: &str) -> Value {
        let mut input = json!({ "jobId": self.id, "attempt": self.attempt });
        let more = match step {
            Step::Report => {
                self.reported += 1;
                json!({ "seq": self.reported, "percent": (self.reported * 10).min(100), "message": number })
            }
            Step::Record => {
                let some = rand::random_range(1..=4);
                let events = (self.written + 1..=self.written + some)
                    .map(|seq| json!({ "seq": seq, "kind": "ACTION", "text": self.entry(seq) }));
                json!({ "events": events.collect::<Value>() })
            }
            Step::Save => json!({ "checkpoint": { "at": number } }),
            Step::Reserve | Step::Spend => {
                input = json!({ "jobId": self.id });
                let mut call = json!({ "provider": "ANTHROPIC", "model": "claude-sonnet-4-5", "inputTokens": 1200, "outputTokens": 340 });
                if step == Step::Spend {
                    call["operation"] = json!("SPECIALIST");
                    call["requestId"] = json!(number);
                    call["reservationId"] = json!(self.reservation);
                }
                call
            }
            Step::Ask => {
                json!({ "question": number, "routeTo": "TECH_LEAD" })
            }
            Step::Complete => self.result(number),
            Step::Fail => {
                let transient = rand::random_bool(0.7);
                json!({ "error": format!("It ended: {number}"), "transient": transient })
            }
            Step::Release => json!({ "reason": number }),
            _ => json!({}),
        };
        if let (Some(input), Some(more)) = (input.as_object_mut(), more.as_object()) {
            input.extend(more.clone());
        }
        input
    }

    /// What an entry of its journal says.
    pub(super) fn entry(&self, seq: i64) -> String {
        format!("{}/{}/{seq}", self.id, self.attempt)
    }

    fn result(&self, number: &str) -> Value {
        let result = json!({ "by": number });
        if self.action != "plan_brief" {
            return json!({ "result": result, "confidence": 0.9 });
        }
        json!({ "result": result, "confidence": 0.9, "plan": { "channelSummary": number, "steps": steps() } })
    }

    /// What those say who lost it, and do not know.
    pub(super) fn late(&self) -> Vec<Operation> {
        let at = |more: Value| {
            let mut input = json!({ "jobId": self.id, "attempt": self.attempt });
            if let (Some(input), Some(more)) = (input.as_object_mut(), more.as_object()) {
                input.extend(more.clone());
            }
            input
        };
        let seq = self.written + 1;
        let event = json!({ "seq": seq, "kind": "ACTION", "text": "late" });
        let said = [
            (Step::Start, json!({})),
            (Step::Report, json!({ "percent": 99, "message": "late" })),
            (Step::Record, json!({ "events": [event] })),
            (Step::Save, json!({ "checkpoint": { "at": "late" } })),
            (
                Step::Ask,
                json!({ "question": "late", "routeTo": "TECH_LEAD" }),
            ),
            (Step::Release, json!({ "reason": "late" })),
            (Step::Fail, json!({ "error": "late" })),
            (Step::Complete, self.result("late")),
        ];
        said.into_iter()
            .map(|(step, more)| Operation {
                step,
                input: at(more),
            })
            .collect()
    }
}

/// The steps of a plan, of which some wait for others.
fn steps() -> Value {
    let step = |title: &str, role: &str, after: &[i32]| json!({ "title": title, "roleSlug": role, "dependsOn": after });
    json!([
        step("Begin here", "dev_agent", &[]),
        step("And here", "qa_agent", &[]),
        step("Join them", "dev_agent", &[0, 1]),
        step("Look at it", "qa_agent", &[2]),
        step("Polish it", "dev_agent", &[2]),
        step("Hand it over", "qa_agent", &[3, 4]),
    ])
}
