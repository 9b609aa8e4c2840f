//! What a new workspace still has to do before people can work in it.

/// A step, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Give the workspace a name of its own.
    WorkspaceName,
    /// Store the key of a provider of language models.
    AiProvider,
    /// Connect a first outside service.
    FirstIntegration,
    /// Look it over and say that it is finished.
    Finish,
}

/// The first step that is not done yet. Finishing is a person's word, so it is never done by itself.
pub(crate) fn next_step(has_name: bool, has_provider: bool, has_integration: bool) -> Step {
    let steps = [
        (has_name, Step::WorkspaceName),
        (has_provider, Step::AiProvider),
        (has_integration, Step::FirstIntegration),
    ];
    let open = steps.into_iter().find(|(done, _)| !done);
    open.map_or(Step::Finish, |(_, step)| step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_open_step_is_next_whatever_came_later() {
        assert_eq!(next_step(false, true, true), Step::WorkspaceName);
        assert_eq!(next_step(true, false, true), Step::AiProvider);
        assert_eq!(next_step(true, true, false), Step::FirstIntegration);
        assert_eq!(next_step(true, true, true), Step::Finish);
    }
}
