//! What a new workspace still has to do before people can work in it.

use entity::tenant::SetupStep;

/// What of it is done, by what the workspace has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// It has a name of its own.
    pub(crate) name: bool,
    /// It has the key of a provider of language models.
    pub(crate) provider: bool,
    /// It is connected to an outside service.
    pub(crate) integration: bool,
}

/// The first step that is neither done nor passed over. Finishing is a person's word, so it is never done by itself.
pub(crate) fn next_step(done: Done, skipped: &[SetupStep]) -> SetupStep {
    let steps = [
        (done.name, SetupStep::WorkspaceName),
        (done.provider, SetupStep::AiProvider),
        (done.integration, SetupStep::FirstIntegration),
    ];
    let is_open = |(done, step): &(bool, SetupStep)| !done && !skipped.contains(step);
    let open = steps.into_iter().find(is_open);
    open.map_or(SetupStep::Finish, |(_, step)| step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_open_step_is_next_whatever_came_later() {
        use SetupStep::{AiProvider, Finish, FirstIntegration, WorkspaceName};
        let next = |[name, provider, integration]: [bool; 3], skipped: &[SetupStep]| {
            let done = Done {
                name,
                provider,
                integration,
            };
            next_step(done, skipped)
        };
        assert_eq!(next([false, true, true], &[]), WorkspaceName);
        assert_eq!(next([true, false, true], &[]), AiProvider);
        assert_eq!(next([true, true, false], &[]), FirstIntegration);
        assert_eq!(next([true, true, true], &[]), Finish);
        assert_eq!(next([false, false, true], &[WorkspaceName]), AiProvider);
        assert_eq!(
            next([true, false, false], &[AiProvider, FirstIntegration]),
            Finish
        );
    }
}
