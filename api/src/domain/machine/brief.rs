//! A brief's states: from a draft to an approved brief, and what can be done on the way.

use entity::prd::PrdStatus;

super::machine! {
    prd: PrdStatus {
        /// What a person can do with a brief. Each is a mutation.
        PRDStep as "PRDStep" {
            /// Change what it says: `updatePrd`.
            Update: [Draft, NeedsClarification, PendingApproval] => same, by EditBrief, "brief.edited";
            /// Ask a question that must be answered before it goes on: `askClarification`.
            Ask: [Draft, NeedsClarification] => NeedsClarification, by EditBrief, "brief.questioned";
            /// Hand it in for approval: `submitPrd`.
            Submit: [Draft] => PendingApproval, by EditBrief, in open_project, "brief.submitted";
            /// Approve it, so that it is planned: `approvePrd`.
            Approve: [Draft, PendingApproval] => Approved, by Decide, in open_project, "brief.approved";
            /// Turn it down for good: `rejectPrd`.
            Reject: [PendingApproval] => Rejected, by Decide, "brief.rejected";
            /// Send it back to be changed as you say: `redirectPrd`.
            Redirect: [PendingApproval] => Draft, by Decide, in open_project, "brief.redirected";
            /// Have it drafted anew: `regeneratePrd`.
            Regenerate: [Draft, PendingApproval] => Draft, by Decide, in open_project, "brief.regenerated";
            /// Hold back all that would newly begin for it: `pausePrd`.
            Pause: [Draft, NeedsClarification, PendingApproval, Approved] => paused, by Decide, "brief.paused";
            /// Let its work go on: `resumePrd`.
            Resume: [Draft, NeedsClarification, PendingApproval, Approved] => resumed, by Decide, in open_project, "brief.resumed";
            /// Write a brief that takes its place once that one is approved: `revisePrd`.
            Revise: [Approved] => same, by EditBrief, in open_project, "brief.revised";
            /// Delete it with all that belongs to it: `deletePrd`.
            Delete: [Draft, NeedsClarification, PendingApproval, Approved, Rejected, Superseded] => gone, by DeleteBrief, "brief.deleted";
        }
        /// What becomes of a brief by itself.
        PRDConsequence as "PRDConsequence" {
            /// The last open question was answered or has expired.
            Redraft: [NeedsClarification] => Draft, by itself, "brief.redrafted";
            /// The brief that revises it was approved.
            Supersede: [Approved] => Superseded, by itself, "brief.superseded";
        }
    }
}
