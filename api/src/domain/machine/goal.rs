//! A goal's states.

use entity::goal::GoalStatus;

super::machine! {
    goal: GoalStatus {
        /// What a person can do with a goal, by `updateGoal`.
        GoalStep as "GoalStep" {
            /// Count it as achieved.
            Achieve: [Active] => Achieved, by EditProject, "goal.achieved";
            /// Give it up.
            Abandon: [Active] => Abandoned, by EditProject, "goal.abandoned";
            /// Take it up again.
            Reopen: [Achieved, Abandoned] => Active, by EditProject, "goal.reopened";
        }
    }
}
