//! How far a piece of work has come, told from the states of its brief, of the latest plan and of that plan's tickets.

use entity::{execution_plan::ExecutionPlanStatus, prd::PrdStatus};

/// A phase, in the order in which work passes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The brief is a draft.
    Listen,
    /// Its author asked something.
    Clarify,
    /// The brief waits for a decision.
    Decide,
    /// The brief is approved, and no plan for it is open.
    Plan,
    /// The plan waits for a decision.
    Commit,
    /// The plan's tickets are worked on.
    Build,
    /// What is left of the plan waits for people.
    Verify,
    /// All is done.
    Learn,
}

/// What is open of a plan's tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenTickets {
    /// Those that agents can work on or do work on.
    pub(crate) at_work: i64,
    /// Those that wait for a person.
    pub(crate) waiting: i64,
}

/// The phase of a brief with its latest plan, if there is one; none for a brief that will not be carried out.
pub(crate) fn phase(
    brief: PrdStatus,
    plan: Option<ExecutionPlanStatus>,
    open: OpenTickets,
) -> Option<Phase> {
    use ExecutionPlanStatus::{Active, Cancelled, Done, Failed, PendingApproval, Superseded};
    Some(match brief {
        PrdStatus::Draft => Phase::Listen,
        PrdStatus::NeedsClarification => Phase::Clarify,
        PrdStatus::PendingApproval => Phase::Decide,
        PrdStatus::Approved => match plan {
            None | Some(Superseded | Failed | Cancelled) => Phase::Plan,
            Some(PendingApproval) => Phase::Commit,
            // Blocked tickets wait for these, so they do not count.
            Some(Active) if open.waiting > 0 && open.at_work == 0 => Phase::Verify,
            Some(Active) => Phase::Build,
            Some(Done) => Phase::Learn,
        },
        PrdStatus::Rejected | PrdStatus::Superseded => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ExecutionPlanStatus as Plan;

    const NOTHING: OpenTickets = OpenTickets {
        at_work: 0,
        waiting: 0,
    };

    #[test]
    fn before_its_approval_a_brief_alone_tells_the_phase() {
        for plan in [None, Some(Plan::Superseded), Some(Plan::Active)] {
            let of = |brief| phase(brief, plan, NOTHING);
            assert_eq!(of(PrdStatus::Draft), Some(Phase::Listen));
            assert_eq!(of(PrdStatus::NeedsClarification), Some(Phase::Clarify));
            assert_eq!(of(PrdStatus::PendingApproval), Some(Phase::Decide));
            assert_eq!(of(PrdStatus::Rejected), None);
            assert_eq!(of(PrdStatus::Superseded), None);
        }
    }

    #[test]
    fn after_it_the_latest_plan_does() {
        let of = |plan| phase(PrdStatus::Approved, plan, NOTHING);
        for closed in [Plan::Superseded, Plan::Failed, Plan::Cancelled] {
            assert_eq!(of(Some(closed)), Some(Phase::Plan));
        }
        assert_eq!(of(None), Some(Phase::Plan));
        assert_eq!(of(Some(Plan::PendingApproval)), Some(Phase::Commit));
        assert_eq!(of(Some(Plan::Done)), Some(Phase::Learn));
    }

    #[test]
    fn an_active_plan_is_verified_when_only_people_can_go_on() {
        let of = |at_work, waiting| {
            let open = OpenTickets { at_work, waiting };
            phase(PrdStatus::Approved, Some(Plan::Active), open)
        };
        assert_eq!(of(1, 0), Some(Phase::Build));
        assert_eq!(of(1, 2), Some(Phase::Build));
        assert_eq!(of(0, 1), Some(Phase::Verify));
        assert_eq!(of(0, 0), Some(Phase::Build));
    }
}
