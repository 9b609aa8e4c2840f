//! A question's states.

use entity::clarification_request::ClarificationStatus;

super::machine! {
    clarification_request: ClarificationStatus {
        /// What a person can do with a question. Each is a mutation.
        ClarificationStep as "ClarificationRequestStep" {
            /// Answer it: `answerClarification`.
            Answer: [Pending] => Answered, by Answer, "clarification.answered";
        }
        /// What becomes of a question by itself.
        ClarificationConsequence as "ClarificationRequestConsequence" {
            /// Nobody answered in time, or what it held up was dropped.
            Expire: [Pending] => Expired, by itself, "clarification.expired";
        }
    }
}
