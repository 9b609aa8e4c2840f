//! State machines as tables: which steps there are, where each leads from and to, who may take it, and what the ledger
//! calls it. Nothing changes a status but by a step of its table's machine.

mod brief;
mod clarification;
mod connection;
mod delivery;
mod goal;
mod invitation;
mod job;
mod meeting;
mod package;
mod plan;
mod ticket;
mod transcription;

pub(crate) use self::{
    brief::{PRDConsequence, PRDStep},
    clarification::{ClarificationConsequence, ClarificationStep},
    connection::ConnectionStep,
    delivery::DeliveryStep,
    goal::GoalStep,
    invitation::{InvitationConsequence, InvitationStep},
    job::{AgentJobConsequence, AgentJobStep},
    meeting::{MeetingConsequence, MeetingStep},
    package::{
        SkillPackageConsequence, SkillPackageStep, SubagentDefinitionConsequence,
        SubagentDefinitionStep,
    },
    plan::{ExecutionPlanConsequence, ExecutionPlanStep},
    ticket::{TicketConsequence, TicketStep},
    transcription::TranscriptionStep,
};

use crate::{
    auth::Action,
    error::{Error, Refusal, Result, named},
};
use async_graphql::resolver_utils::EnumType;
use entity::Owned;
use sea_orm::ActiveEnum;

/// A state, as a status column holds it.
pub(crate) trait State: ActiveEnum<Value = String> + EnumType + Copy + PartialEq {}

impl<S: ActiveEnum<Value = String> + EnumType + Copy + PartialEq> State for S {}

/// A table whose rows have a status that moves by steps.
pub(crate) trait Machine: Owned {
    /// What the status may be.
    type State: State + 'static;
    /// The column that holds it.
    const STATUS: &'static str = "status";

    /// The steps that people take, then those that follow by themselves.
    fn rules() -> impl Iterator<Item = (String, &'static Rule<Self::State>)>;

    /// The other states that people can bring a row to from where it stands, in the order of the machine.
    fn next(now: &Standing<Self::State>) -> Vec<Self::State> {
        let mut next = Vec::new();
        let taken = |(_, rule): &(String, &Rule<Self::State>)| rule.who.is_some();
        for (_, rule) in Self::rules()
            .filter(taken)
            .filter(|(_, rule)| rule.is_open(now))
        {
            if let To::State(to) = rule.to
                && to != now.state
                && !next.contains(&to)
            {
                next.push(to);
            }
        }
        next
    }
}

/// A step of a machine: one that people take, or one that follows by itself.
pub(crate) trait Step: EnumType + Copy + PartialEq {
    /// Whose rows take it.
    type Entity: Machine;

    /// What the machine says of it.
    fn rule(self) -> &'static Rule<<Self::Entity as Machine>::State>;

    /// Every such step, in the order of the machine.
    fn all() -> impl Iterator<Item = Self> {
        Self::items().iter().map(|item| item.value)
    }
}

/// What a machine says of a step.
pub(crate) struct Rule<S: 'static> {
    /// The states it can be taken from.
    pub(crate) from: &'static [S],
    /// Where it leads.
    pub(crate) to: To<S>,
    /// What one must be allowed to do; nothing lets no person take it: it follows from other steps, or is for agents.
    pub(crate) who: Option<Action>,
    /// What a waiting row must wait for.
    pub(crate) waiting: Option<&'static str>,
    /// Whether something begins by it, so that the row's project must not be archived.
    pub(crate) needs_open_project: bool,
    /// The ledger's action.
    pub(crate) entry: &'static str,
}

/// Where a step leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To<S> {
    /// To this state.
    State(S),
    /// The state stays.
    Same,
    /// The state stays, and the row is paused.
    Paused,
    /// The state stays, and the row is no longer paused.
    Resumed,
    /// The row is deleted.
    Gone,
}

/// Where a row stands, as far as steps depend on it.
#[derive(Clone, Debug)]
pub(crate) struct Standing<S> {
    /// Its status.
    pub(crate) state: S,
    /// Whether it is paused.
    pub(crate) is_paused: bool,
    /// What it waits for.
    pub(crate) waiting: Option<String>,
}

impl<S: State> Rule<S> {
    /// Whether the step can be taken, whoever takes it.
    pub(crate) fn is_open(&self, now: &Standing<S>) -> bool {
        let pause = match self.to {
            To::Paused => !now.is_paused,
            To::Resumed => now.is_paused,
            To::State(_) | To::Same | To::Gone => true,
        };
        let waiting = self.waiting.is_none() || self.waiting == now.waiting.as_deref();
        pause && waiting && self.from.contains(&now.state)
    }

    /// Whether the step need not be taken: the row stands where it leads to.
    pub(crate) fn is_behind(&self, now: &Standing<S>) -> bool {
        match self.to {
            To::State(to) => to == now.state,
            To::Paused => now.is_paused && self.from.contains(&now.state),
            To::Resumed => !now.is_paused && self.from.contains(&now.state),
            To::Same | To::Gone => false,
        }
    }
}

/// The refusal of a step that a row cannot take where it stands.
pub(crate) fn refusal<T: Step>(step: T, now: &Standing<<T::Entity as Machine>::State>) -> Error {
    let to = match step.rule().to {
        To::State(to) => to,
        To::Same | To::Paused | To::Resumed | To::Gone => now.state,
    };
    let needs = step.rule().from.iter().copied().map(named);
    Error::IllegalTransition(Box::new(Refusal {
        step: named(step),
        from: named(now.state),
        to: named(to),
        needs: needs.collect(),
        allowed: T::Entity::next(now).into_iter().map(named).collect(),
    }))
}

/// The step that people take from a row's state to another; nothing if it has that state already.
///
/// # Errors
/// [`Error::IllegalTransition`] when there is none.
pub(crate) fn step_to<T: Step>(
    now: &Standing<<T::Entity as Machine>::State>,
    wanted: <T::Entity as Machine>::State,
) -> Result<Option<T>> {
    if now.state == wanted {
        return Ok(None);
    }
    let leads = |step: &T| step.rule().to == To::State(wanted);
    let open = T::all().find(|step| leads(step) && step.rule().is_open(now));
    match (open, T::all().find(leads)) {
        (Some(step), _) => Ok(Some(step)),
        (None, Some(step)) => Err(refusal(step, now)),
        (None, None) => Err(Error::internal("a state that no step leads to")),
    }
}

/// Declares a machine: the steps that people take, and those that follow by themselves.
///
/// ```text
/// machine! {
///     goal: GoalStatus {
///         /// What can be done with a goal.
///         GoalStep as "GoalStep" {
///             /// What the step does.
///             Achieve: [Active] => Achieved, by EditProject, "goal.achieved";
///         }
///         /// What becomes of a goal by itself; may be left out.
///         GoalConsequence as "GoalConsequence" { … }
///     }
/// }
/// ```
///
/// The status is the column `status` unless `in "…"` after its type names another. After `=>` stands a state, or `same`, `paused`, `resumed`, `gone`. Before the ledger's action may stand `when "approval"`:
/// what a waiting row must wait for, and `in open_project`: that something begins by it, for which that must not be archived.
macro_rules! machine {
    (
        $entity:ident: $state:ident $(in $column:literal)? {
            $(#[doc = $doc:literal])*
            $step:ident as $name:literal { $($steps:tt)* }
            $(
                $(#[doc = $other_doc:literal])*
                $other:ident as $other_name:literal { $($others:tt)* }
            )?
        }
    ) => {
        $crate::domain::machine::machine! { @steps [$(#[doc = $doc])*] $step $name $entity $state { $($steps)* } }
        $($crate::domain::machine::machine! {
            @steps [$(#[doc = $other_doc])*] $other $other_name $entity $state { $($others)* }
        })?

        impl $crate::domain::machine::Machine for entity::$entity::Entity {
            type State = $state;
            $(const STATUS: &'static str = $column;)?

            fn rules() -> impl Iterator<Item = (String, &'static $crate::domain::machine::Rule<$state>)> {
                use $crate::domain::machine::Step as _;
                let steps = $step::all().map(|step| ($crate::error::named(step), step.rule()));
                $(let steps = steps.chain($other::all().map(|step| ($crate::error::named(step), step.rule())));)?
                steps
            }
        }
    };
    (@steps [$($doc:tt)*] $step:ident $name:literal $entity:ident $state:ident { $(
        $(#[doc = $step_doc:literal])*
        $variant:ident: [$($from:ident),*] => $to:ident, by $who:ident,
        $(when $waiting:literal,)? $(in $open:ident,)? $entry:literal;
    )* }) => {
        $($doc)*
        #[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq)]
        #[graphql(name = $name)]
        pub enum $step { $($(#[doc = $step_doc])* $variant),* }

        impl $step {
            /// What one must be allowed to do to take it; nothing lets no person.
            pub(crate) const fn who(self) -> Option<$crate::auth::Action> {
                match self { $(Self::$variant => $crate::domain::machine::machine!(@who $who),)* }
            }
        }

        impl $crate::domain::machine::Step for $step {
            type Entity = entity::$entity::Entity;

            fn rule(self) -> &'static $crate::domain::machine::Rule<$state> {
                match self { $(
                    Self::$variant => const { &$crate::domain::machine::Rule {
                        from: &[$($state::$from),*],
                        to: $crate::domain::machine::machine!(@to $state $to),
                        who: Self::$variant.who(),
                        waiting: $crate::domain::machine::machine!(@when $($waiting)?),
                        needs_open_project: $crate::domain::machine::machine!(@in $($open)?),
                        entry: $entry,
                    } },
                )* }
            }
        }
    };
    (@to $state:ident same) => { $crate::domain::machine::To::Same };
    (@to $state:ident paused) => { $crate::domain::machine::To::Paused };
    (@to $state:ident resumed) => { $crate::domain::machine::To::Resumed };
    (@to $state:ident gone) => { $crate::domain::machine::To::Gone };
    (@to $state:ident $to:ident) => { $crate::domain::machine::To::State($state::$to) };
    (@who itself) => { None };
    (@who $who:ident) => { Some($crate::auth::Action::$who) };
    (@in) => { false };
    (@in open_project) => { true };
    (@when) => { None };
    (@when $waiting:literal) => { Some($waiting) };
}
use machine;

#[cfg(test)]
mod tests;
