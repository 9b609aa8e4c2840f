//! The machines as people read them, and what holds for all of them.

use super::*;
use entity::{
    agent_job, clarification_request, execution_plan, goal, integration_connection, invitation,
    meeting, notification, prd, skill_package, subagent_definition, ticket, whisper_transcription,
};
use std::{collections::HashSet, env, fmt::Write, fs, path::Path};

/// A machine as a page shows it.
fn page<E: Machine>(out: &mut String) {
    writeln!(out, "\n## {}\n", E::KIND).unwrap();
    writeln!(
        out,
        "| step | from | to | who | ledger |\n|---|---|---|---|---|"
    )
    .unwrap();
    for (name, rule) in E::rules() {
        let from: Vec<_> = rule.from.iter().copied().map(named).collect();
        let to = match rule.to {
            To::State(to) => named(to),
            To::Same => "stays".to_owned(),
            To::Paused => "stays, paused".to_owned(),
            To::Resumed => "stays, no longer paused".to_owned(),
            To::Gone => "gone".to_owned(),
        };
        let waiting = rule.waiting.map(|word| format!(" for {word}"));
        let who = rule
            .who
            .map_or("by itself".to_owned(), |action| format!("{action:?}"));
        let open = if rule.needs_open_project {
            ", in a project that is not archived"
        } else {
            ""
        };
        writeln!(
            out,
            "| `{name}` | {}{} | {to} | {who}{open} | `{}` |",
            from.join(", "),
            waiting.unwrap_or_default(),
            rule.entry
        )
        .unwrap();
    }
}

#[test]
fn the_page_of_all_machines_is_this() {
    let mut text = "# State machines\n\nThese statuses move by these steps and by no others. *Who* is an action of \
                    `api/src/auth/policy.rs`; what no person takes follows by itself, from other steps or from what \
                    agents and the server do. This page is written from `api/src/domain/machine/`: after a change there, \
                    `UPDATE_DOCS=1 cargo test -p workgraph the_page_of_all_machines`.\n"
        .to_owned();
    page::<prd::Entity>(&mut text);
    page::<clarification_request::Entity>(&mut text);
    page::<execution_plan::Entity>(&mut text);
    page::<ticket::Entity>(&mut text);
    page::<goal::Entity>(&mut text);
    page::<meeting::Entity>(&mut text);
    page::<invitation::Entity>(&mut text);
    page::<agent_job::Entity>(&mut text);
    page::<whisper_transcription::Entity>(&mut text);
    page::<integration_connection::Entity>(&mut text);
    page::<skill_package::Entity>(&mut text);
    page::<subagent_definition::Entity>(&mut text);
    page::<notification::Entity>(&mut text);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/STATE_MACHINES.md");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(file).unwrap_or_default(), text);
}

/// Each state that something leads from can be come to, or is one that rows begin with.
fn check<E: Machine>(begins: &[E::State]) {
    let mut reached: Vec<E::State> = begins.to_vec();
    let mut names = HashSet::new();
    loop {
        let before = reached.len();
        for (_, rule) in E::rules() {
            if let To::State(to) = rule.to
                && rule.from.iter().any(|from| reached.contains(from))
                && !reached.contains(&to)
            {
                reached.push(to);
            }
        }
        if reached.len() == before {
            break;
        }
    }
    for (name, rule) in E::rules() {
        for from in rule.from {
            assert!(
                reached.contains(from),
                "{}.{name}: nothing leads to {}",
                E::KIND,
                named(*from)
            );
        }
        assert!(!rule.from.is_empty(), "{}.{name}", E::KIND);
        names.insert(name);
    }
    assert_eq!(names.len(), E::rules().count(), "{}: a step twice", E::KIND);
}

#[test]
fn every_state_can_be_come_to() {
    use entity::{
        agent_job::AgentJobStatus, clarification_request::ClarificationStatus,
        execution_plan::ExecutionPlanStatus, goal::GoalStatus,
        integration_connection::IntegrationStatus, invitation::InvitationStatus,
        meeting::MeetingStatus, notification::DeliveryStatus, prd::PrdStatus,
        skill_package::LibraryStatus, ticket::TicketStatus,
        whisper_transcription::WhisperTranscriptionStatus,
    };
    check::<prd::Entity>(&[PrdStatus::Draft]);
    check::<clarification_request::Entity>(&[ClarificationStatus::Pending]);
    check::<execution_plan::Entity>(&[ExecutionPlanStatus::PendingApproval]);
    check::<ticket::Entity>(&[TicketStatus::Blocked]);
    check::<goal::Entity>(&[GoalStatus::Active]);
    check::<meeting::Entity>(&[MeetingStatus::Scheduled, MeetingStatus::Uploading]);
    check::<invitation::Entity>(&[InvitationStatus::Pending]);
    check::<agent_job::Entity>(&[AgentJobStatus::Pending]);
    check::<whisper_transcription::Entity>(&[WhisperTranscriptionStatus::Queued]);
    check::<integration_connection::Entity>(&[IntegrationStatus::Disconnected]);
    check::<skill_package::Entity>(&[LibraryStatus::PendingApproval]);
    check::<subagent_definition::Entity>(&[LibraryStatus::PendingApproval]);
    check::<notification::Entity>(&[DeliveryStatus::Pending]);
}

#[test]
fn a_step_is_refused_with_the_states_that_can_follow() {
    use entity::ticket::TicketStatus;
    let waiting = |reason: &str| Standing {
        state: TicketStatus::Waiting,
        is_paused: false,
        waiting: Some(reason.to_owned()),
    };
    assert!(TicketStep::Approve.rule().is_open(&waiting("approval")));
    assert!(
        !TicketStep::Approve
            .rule()
            .is_open(&waiting("clarification"))
    );
    let refused = refusal(TicketStep::Approve, &waiting("clarification"));
    let Error::IllegalTransition(refused) = refused else {
        panic!("another error");
    };
    let Refusal {
        from, to, allowed, ..
    } = *refused;
    assert_eq!((from.as_str(), to.as_str()), ("WAITING", "DONE"));
    assert!(!allowed.contains(&"FAILED".to_owned()), "{allowed:?}");
}
