//! What a decision brings about, in the transaction that makes it: whatever door it comes through.
//!
//! A mutation says which step is taken; what follows in other tables stands here. Rows are locked in one order everywhere:
//! the workspace's settings, people, project, brief, plan, tickets by id, jobs, questions, notices, tokens, what is set aside for calls, the counters of budgets, and
//! last the sessions whose jobs are counted. Whoever has locked a brief
//! may lock what is below it in any order: everybody locks or holds the brief before.

mod agent;
mod ai_provider;
mod brief;
mod clarification;
mod cost;
mod credential;
mod decider;
mod decision;
mod identity;
mod integration;
mod invitation;
mod letter;
mod library;
mod notice;
mod own;
mod people;
mod plan;
mod references;
mod reply;
mod role;
mod rule;
mod step;
mod ticket;
mod webhook;
mod workspace;

pub(crate) use self::{
    agent::{
        Completed, Drafted, Event, Failure, Instructions, Progress, Registration, Taken, Unclaimed,
        Wanted, cancel as cancel_job, checkpoint, claim, complete, disconnect, drain, end_of_token,
        end_silent_session, fail, heard, instructions, overdue_jobs, overdue_tickets, patience,
        record, register, release, report, silent_sessions, start, tend_job, tend_ticket,
    },
    ai_provider::{
        add_provider, failing_providers, known_provider, note_probe, probe, remove_provider,
        rotate_provider,
    },
    brief::{
        ANALYST, delete_brief, edit, escalate as escalate_brief, link_symbol, may_be_replaced,
        overdue as overdue_briefs, revise, submit, unlink_symbol,
    },
    clarification::{
        Asked, REMINDERS, answer, ask, ask_about_job, ask_about_ticket, may_ask,
        overdue as overdue_questions, tend as tend_question,
    },
    cost::{
        Made, ModelCall, Purpose, Refused, count_in_new_days, count_older, overdue_reservations,
        own_reservation, record_usage, recount, reprice, repriced_then, reserve, tell_all,
        tend_reservation,
    },
    credential::{
        AI_PROVIDER, CREDENTIAL, Kept, create_credential, credential_named, delete_credential,
        forget_credential, is_loose, replace_credential,
    },
    decider::delegation,
    decision::{Decision, Seen, decide, subject_column},
    identity::{Vouched, recognise},
    integration::{
        Revocation, Tested, accepted, connect, disconnect as disconnect_integration, note_test,
        revoke, test as test_values, test_again,
    },
    invitation::{
        accept, invite_user, may_be_accepted, overdue_invitations, resend, revoke_invitation,
        tend_invitation,
    },
    letter::mail_links,
    library::{decide_entry, import_entry, override_entry, reset_entry, set_entry_status},
    own::must_have_room,
    people::{change_role, remove as remove_user, transfer},
    plan::{
        NewPlan, create_plan, escalate as escalate_plan, goes_on, overdue as overdue_plans,
        ticket_done, ticket_failed,
    },
    references::{
        active_role, active_roles, all_of, default_project, goal_of_project, hold_roles,
        open_project,
    },
    reply::{Addressee, Reply, ReplySubject, decide_by_reply, invite},
    role::{create_role, keep_first_version, override_role, reset_role, restore_role},
    step::step,
    ticket::{loose_for, may_be_retried},
    webhook::{Line, Received, not_genuine, receive, set_webhook_secret},
    workspace::delete_workspace,
};
