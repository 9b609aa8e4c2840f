//! What a decision brings about, in the transaction that makes it: whatever door it comes through.
//!
//! A mutation says which step is taken; what follows in other tables stands here. Rows are locked in one order everywhere:
//! the workspace's settings, people, project, brief, plan, tickets by id, jobs, questions, notices, tokens, what is set aside for calls, the counters of budgets, and
//! last the sessions whose jobs are counted. Whoever has locked a brief
//! may lock what is below it in any order: everybody locks or holds the brief before.

mod agent;
mod brief;
mod clarification;
mod cost;
mod decider;
mod decision;
mod notice;
mod plan;
mod references;
mod reply;
mod rule;
mod step;
mod ticket;
mod workspace;

pub(crate) use self::{
    agent::{
        Completed, Drafted, Event, Failure, Instructions, Progress, Registration, Unclaimed,
        Wanted, cancel as cancel_job, checkpoint, claim, complete, disconnect, drain, end_of_token,
        end_silent_session, fail, heard, instructions, overdue_jobs, overdue_tickets, patience,
        record, register, release, report, silent_sessions, start, tend_job, tend_ticket,
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
    decider::delegation,
    decision::{Decision, Seen, decide, subject_column},
    plan::{
        NewPlan, create_plan, escalate as escalate_plan, goes_on, overdue as overdue_plans,
        ticket_done, ticket_failed,
    },
    references::{
        active_role, active_roles, all_of, default_project, goal_of_project, open_project,
    },
    reply::{Addressee, Reply, ReplySubject, decide_by_reply, invite},
    step::step,
    ticket::{loose_for, may_be_retried},
    workspace::delete_workspace,
};
