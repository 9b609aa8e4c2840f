//! Briefs: drafted, asked about, handed in, sent back and decided.

use super::{
    agenda::Who,
    clarifications::{Question, ask_about_brief},
    decisions::{self, Decision, Subject, Verdict},
    drafting,
    plans::{self, Plan},
    usage::Call,
    workspace::{Workspace, count},
};
use crate::{
    error::Result,
    workflow::{ANALYST, ReplySubject, escalate_brief, revise, submit},
};
use entity::{
    Id, Json, Large, Timestamp,
    api_usage::ApiOperation,
    approval::ApprovalDecision,
    prd::{self, PrdStatus, Requirement, Risk},
    prd_symbol_link::{self, SymbolLinkSource},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::Value;

/// An entry of `briefs.yaml`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Brief {
    key: String,
    project: String,
    goal: Option<String>,
    meeting: Option<String>,
    supersedes: Option<String>,
    title: String,
    summary: String,
    status: PrdStatus,
    ago: f64,
    confidence: f64,
    repo: Option<String>,
    timeline: Option<String>,
    /// The key of the Jira project or Linear team in which its tickets are mirrored.
    tracker: Option<String>,
    /// Who wrote it; none when the system did.
    by: Option<UserRole>,
    #[serde(default)]
    page: Page,
    #[serde(default)]
    questions: Vec<String>,
    #[serde(default)]
    objectives: Vec<String>,
    requirements: Vec<Requirement>,
    #[serde(default)]
    acceptance_criteria: Vec<String>,
    #[serde(default)]
    out_of_scope: Vec<String>,
    #[serde(default)]
    assumptions: Vec<String>,
    #[serde(default)]
    risks: Vec<Risk>,
    #[serde(default)]
    architecture: Architecture,
    council: Option<Value>,
    /// Names of symbols in the project's graph.
    #[serde(default)]
    symbols: Vec<String>,
    redirected: Option<Decision>,
    decision: Option<Decision>,
    #[serde(default)]
    asked: Vec<Question>,
    #[serde(default)]
    plans: Vec<Plan>,
}

/// The one-page form.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Page {
    goal: Option<String>,
    users: Option<String>,
    metrics: Option<String>,
    scope: Option<String>,
    non_scope: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Architecture {
    chosen: Option<String>,
    options: Vec<Value>,
    design: Option<Value>,
}

pub(super) fn tell(ws: &mut Workspace<'_>, mut brief: Brief) {
    let plans = std::mem::take(&mut brief.plans);
    plans::tell(ws, &brief.key, brief.tracker.as_deref(), plans);
    let author = brief.by.map_or(Who::Server(ANALYST), Who::Person);
    ws.at(ws.ago(brief.ago), author, |ws| Box::pin(draft(ws, brief)));
}

async fn draft(ws: &mut Workspace<'_>, mut brief: Brief) -> Result<()> {
    for (place, requirement) in brief.requirements.iter_mut().enumerate() {
        requirement.id = format!("REQ-{}", place + 1);
    }
    let first = first(ws, &brief)?;
    let row = match ws.some("brief", brief.supersedes.as_ref())? {
        Some(approved) => revise(&mut ws.tx, &approved, first).await?,
        None => ws.tx.insert(first, "brief.created").await?,
    };
    ws.remember(format!("brief:{}", brief.key), &row.id);
    for operation in [ApiOperation::Brief, ApiOperation::Council] {
        if operation == ApiOperation::Brief || brief.council.is_some() {
            ws.calls.push(Call {
                project: Some(row.project_id.clone()),
                brief: Some(row.id.clone()),
                ..Call::new(ANALYST, operation, ws.moment)
            });
        }
    }
    for question in std::mem::take(&mut brief.asked) {
        let id = row.id.clone();
        ws.at(ws.ago(question.ago), Who::Server(ANALYST), |ws| {
            Box::pin(async move { ask_about_brief(ws, &id, question).await })
        });
    }
    tell_decisions(ws, &row.id, &brief);
    ws.at(ws.soon(0.1), Who::Server(ANALYST), |ws| {
        Box::pin(link(ws, row.id, brief))
    });
    Ok(())
}

/// What the first version says: all of it, unless somebody will ask for more.
fn first(ws: &Workspace<'_>, brief: &Brief) -> Result<prd::ActiveModel> {
    let doc = brief.page.goal.is_some().then(cuid2::create_id);
    let (page, architecture) = (brief.page.clone(), brief.architecture.clone());
    let whole = prd::ActiveModel {
        project_id: Set(ws.id(&format!("project:{}", brief.project))?),
        goal_id: Set(ws.some("goal", brief.goal.as_ref())?),
        meeting_id: Set(ws.some("meeting", brief.meeting.as_ref())?),
        transcript_id: Set(ws.some("transcript", brief.meeting.as_ref())?),
        title: Set(brief.title.clone()),
        summary: Set(brief.summary.clone()),
        goal_text: Set(page.goal),
        target_users: Set(page.users),
        success_metrics: Set(page.metrics),
        scope: Set(page.scope),
        non_scope: Set(page.non_scope),
        open_questions: Set(Json(brief.questions.clone())),
        objectives: Set(Large::new(Json(brief.objectives.clone()))),
        acceptance_criteria: Set(Large::new(Json(brief.acceptance_criteria.clone()))),
        out_of_scope: Set(Large::new(Json(brief.out_of_scope.clone()))),
        assumptions: Set(Large::new(Json(brief.assumptions.clone()))),
        risks: Set(Large::new(Json(brief.risks.clone()))),
        architecture_options: Set(Large::new(Json(architecture.options))),
        architecture_design: Set(Large(architecture.design.map(Json))),
        selected_architecture: Set(Large(architecture.chosen)),
        council: Set(Large(brief.council.clone().map(Json))),
        timeline: Set(brief.timeline.clone()),
        target_repo: Set(brief.repo.clone()),
        google_doc_url: Set(doc
            .as_ref()
            .map(|id| format!("https://docs.example/document/{id}"))),
        google_doc_id: Set(doc),
        created_by_id: Set(brief.by.map(|role| ws.user(role)).transpose()?),
        status: Set(PrdStatus::Draft),
        ..Default::default()
    };
    let number = brief.requirements.len();
    Ok(match brief.redirected {
        Some(_) => requiring(
            whole,
            &brief.requirements[..number - 1],
            brief.confidence - 0.1,
        ),
        None => requiring(whole, &brief.requirements, brief.confidence),
    })
}

/// The same, with these requirements.
fn requiring(
    brief: prd::ActiveModel,
    requirements: &[Requirement],
    confidence: f64,
) -> prd::ActiveModel {
    prd::ActiveModel {
        requirement_count: Set(count(requirements)),
        requirements: Set(Large::new(Json(requirements.to_vec()))),
        confidence: Set((confidence * 100.0).round() / 100.0),
        ..brief
    }
}

/// Tells what people make of a brief that was drafted just now.
fn tell_decisions(ws: &mut Workspace<'_>, id: &Id, brief: &Brief) {
    if matches!(
        brief.status,
        PrdStatus::Draft | PrdStatus::NeedsClarification
    ) {
        return;
    }
    // It may be handed in once more.
    let is_left = brief.status == PrdStatus::PendingApproval && brief.redirected.is_none();
    tell_submitted(ws, id, ws.soon(0.5), is_left);
    if let Some(redirected) = &brief.redirected {
        let (at, verdict) = (ws.soon(redirected.hours), ApprovalDecision::Redirected);
        let (subject, verdict) = (Subject::Brief(id.clone()), Verdict::Given(verdict));
        decisions::tell(ws, at, subject, verdict, redirected);
        let nothing = prd::ActiveModel::default();
        let changes = requiring(nothing, &brief.requirements, brief.confidence);
        let (id, again) = (id.clone(), ws.soon(redirected.hours + 0.1));
        let is_left = brief.status == PrdStatus::PendingApproval;
        ws.at(again, Who::Server(ANALYST), move |ws| {
            Box::pin(drafting::again(ws, id, Some((changes, is_left))))
        });
    }
    if let Some(decision) = &brief.decision {
        let verdict = match brief.status {
            PrdStatus::Rejected => ApprovalDecision::Rejected,
            _ => ApprovalDecision::Approved,
        };
        let (at, subject) = (ws.soon(decision.hours), Subject::Brief(id.clone()));
        decisions::tell(ws, at, subject, Verdict::Given(verdict), decision);
    }
    if brief.status == PrdStatus::PendingApproval {
        decisions::tell_invited(ws, UserRole::Owner, ReplySubject::Brief, id);
    }
}

/// At this moment somebody hands a brief in, which perhaps is left at that.
pub(super) fn tell_submitted(ws: &mut Workspace<'_>, id: &Id, at: Timestamp, is_left: bool) {
    let id = id.clone();
    ws.at(at, Who::Person(UserRole::Member), move |ws| {
        Box::pin(async move {
            let version = ws.row::<prd::Entity>(&id).await?.version;
            let row = submit(&mut ws.tx, &id, version).await?;
            if is_left {
                decisions::tell_overdue(ws, row.approval_due_at, &id, |tx, id| {
                    Box::pin(escalate_brief(tx, id))
                });
            }
            Ok(())
        })
    });
}

/// Ties a brief to the symbols that it touches; the last of several is tied by a person.
async fn link(ws: &mut Workspace<'_>, id: Id, brief: Brief) -> Result<()> {
    for (place, name) in brief.symbols.iter().enumerate() {
        let known = { ws.symbols.iter() }
            .find(|symbol| symbol.project == brief.project && symbol.node.name == *name);
        let node = known.map(|symbol| symbol.node.clone()).unwrap_or_default();
        let by_hand = place == 2;
        if by_hand {
            ws.act(&Who::Person(UserRole::Member))?;
        }
        let row = prd_symbol_link::ActiveModel {
            prd_id: Set(id.clone()),
            symbol_id: Set(node.id),
            symbol_name: Set(node.name),
            file: Set(Some(node.file)),
            line: Set(node.line),
            confidence: Set(match by_hand {
                true => 1.0,
                false => 0.93 - 0.17 * place as f64,
            }),
            source: Set(match by_hand {
                true => SymbolLinkSource::Manual,
                false => SymbolLinkSource::Auto,
            }),
            ..Default::default()
        };
        ws.tx.insert(row, "brief.symbol_linked").await?;
    }
    Ok(())
}
