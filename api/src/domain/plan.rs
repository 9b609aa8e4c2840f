//! What makes a plan a plan: few steps, roles and means that there are, and dependencies that end somewhere.

use super::check;
use crate::error::{Error, Result};
use entity::execution_plan::PlanStep;

/// The role that plans.
pub(crate) const CHIEF_OF_STAFF: &str = "chief_of_staff";
/// How many attempts a cycle has: the first, and two after failures.
pub(crate) const ATTEMPTS: usize = 3;
/// The role that carries out a brief of which nobody made steps.
const FALLBACK_ROLE: &str = "dev_agent";
/// The most steps a plan has.
const MOST_STEPS: usize = 6;

/// What steps can name, by slug.
#[derive(Default)]
pub(crate) struct Means {
    /// Roles that can be given work.
    pub(crate) roles: Vec<String>,
    /// Specialists that can be sent.
    pub(crate) subagents: Vec<String>,
    /// Skills that can be used.
    pub(crate) skills: Vec<String>,
}

/// The one step of a plan that nobody could make steps for: the brief as a whole.
pub(crate) fn fallback(title: &str, summary: &str) -> PlanStep {
    PlanStep {
        title: title.chars().take(200).collect(),
        description: summary.to_owned(),
        role_slug: FALLBACK_ROLE.to_owned(),
        subagent_slug: None,
        skills: Vec::new(),
        depends_on: Vec::new(),
    }
}

/// The steps of a plan as they are kept: not too many, and each without more than it may say. This looks at what a client
/// sent before anything is asked about it.
///
/// # Errors
/// [`Error::BadUserInput`] naming the first step that is wrong, and why.
pub(crate) fn trimmed(steps: Vec<PlanStep>) -> Result<Vec<PlanStep>> {
    if steps.is_empty() || steps.len() > MOST_STEPS {
        return Err(Error::bad_input(
            "steps",
            format!("a plan has 1 to {MOST_STEPS} steps"),
        ));
    }
    let trim = |(position, step): (usize, PlanStep)| {
        let field = |name: &str| format!("steps[{position}].{name}");
        if step.depends_on.len() >= MOST_STEPS {
            let reason = "has more entries than a plan has other steps";
            return Err(Error::bad_input(field("dependsOn"), reason));
        }
        // Names of rows are taken to the letter.
        check::text(&field("roleSlug"), &step.role_slug, 0, 64)?;
        if let Some(slug) = &step.subagent_slug {
            check::text(&field("subagentSlug"), slug, 0, 100)?;
        }
        Ok(PlanStep {
            title: check::line(&field("title"), &step.title, 1, 200)?,
            description: check::text(&field("description"), &step.description, 0, 10_000)?,
            skills: check::texts(&field("skills"), &step.skills, 20, 100)?,
            ..step
        })
    };
    steps.into_iter().enumerate().map(trim).collect()
}

/// Checks the steps of a plan against each other and against what they can name.
///
/// # Errors
/// [`Error::BadUserInput`] naming the first step that is wrong, and why.
pub(crate) fn check_steps(steps: &[PlanStep], means: &Means) -> Result<()> {
    for (position, step) in steps.iter().enumerate() {
        let field = |name: &str| format!("steps[{position}].{name}");
        check_role(&field("roleSlug"), &step.role_slug, &means.roles)?;
        if let Some(slug) = &step.subagent_slug
            && !means.subagents.contains(slug)
        {
            let reason = format!("there is no active subagent {slug}");
            return Err(Error::bad_input(field("subagentSlug"), reason));
        }
        if let Some(slug) = step
            .skills
            .iter()
            .find(|slug| !means.skills.contains(*slug))
        {
            let reason = format!("there is no active skill {slug}");
            return Err(Error::bad_input(field("skills"), reason));
        }
        for dependency in &step.depends_on {
            let known = usize::try_from(*dependency)
                .is_ok_and(|other| other < steps.len() && other != position);
            if !known {
                let reason = format!("{dependency} is no other step; steps are counted from 0");
                return Err(Error::bad_input(field("dependsOn"), reason));
            }
        }
        let mut distinct = step.depends_on.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() != step.depends_on.len() {
            return Err(Error::bad_input(field("dependsOn"), "names a step twice"));
        }
    }
    if has_cycle(steps) {
        return Err(Error::bad_input(
            "steps",
            "the dependencies form a circle, so none of its steps could begin",
        ));
    }
    Ok(())
}

/// Checks that a role can be given work.
///
/// # Errors
/// [`Error::BadUserInput`] naming the roles there are.
pub(crate) fn check_role(field: &str, slug: &str, roles: &[String]) -> Result<()> {
    if roles.iter().any(|role| role == slug) {
        return Ok(());
    }
    // Each database returns them in an order of its own.
    let mut known: Vec<&str> = roles.iter().map(String::as_str).collect();
    known.sort_unstable();
    let reason = format!("is no active role; the roles are {}", known.join(", "));
    Err(Error::bad_input(field, reason))
}

/// Takes away steps whose dependencies are all gone until none can be taken; what is left is in a circle.
fn has_cycle(steps: &[PlanStep]) -> bool {
    let mut done = vec![false; steps.len()];
    for _ in steps {
        for (position, step) in steps.iter().enumerate() {
            let is_done = |other: &i32| usize::try_from(*other).is_ok_and(|other| done[other]);
            if step.depends_on.iter().all(is_done) {
                done[position] = true;
            }
        }
    }
    done.contains(&false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(depends_on: &[i32]) -> PlanStep {
        let (title, role_slug) = ("do it".to_owned(), "dev_agent".to_owned());
        PlanStep {
            title,
            role_slug,
            depends_on: depends_on.to_vec(),
            ..Default::default()
        }
    }

    fn holds(dependencies: &[&[i32]]) -> bool {
        let steps: Vec<_> = dependencies
            .iter()
            .map(|depends_on| step(depends_on))
            .collect();
        trimmed(steps).is_ok_and(|steps| check_steps(&steps, &means()).is_ok())
    }

    fn means() -> Means {
        Means {
            roles: vec!["dev_agent".to_owned()],
            subagents: vec!["reviewer".to_owned()],
            skills: vec!["rust".to_owned()],
        }
    }

    #[test]
    fn dependencies_must_end_somewhere() {
        assert!(holds(&[&[]]));
        assert!(holds(&[&[1, 2], &[2], &[]]));
        for refused in [
            &[&[0][..]][..],
            &[&[1], &[0]],
            &[&[1], &[2], &[0]],
            &[&[7]],
            &[&[-1]],
            &[&[1, 1], &[]],
            &[],
        ] {
            assert!(!holds(refused), "{refused:?}");
        }
    }

    #[test]
    fn a_step_names_what_there_is() {
        let named = |change: fn(&mut PlanStep)| {
            let mut step = step(&[]);
            change(&mut step);
            check_steps(&[step], &means()).is_ok()
        };
        assert!(named(
            |step| step.subagent_slug = Some("reviewer".to_owned())
        ));
        assert!(named(|step| step.skills = vec!["rust".to_owned()]));
        assert!(!named(|step| step.role_slug = "qa_agent".to_owned()));
        assert!(!named(|step| step.subagent_slug = Some("nobody".to_owned())));
        assert!(!named(
            |step| step.skills = vec!["rust".to_owned(), "nothing".to_owned()]
        ));
    }
}
