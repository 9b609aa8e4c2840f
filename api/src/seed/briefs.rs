//! Briefs with what they say, what they touch, and what was asked and decided about them.

use super::{
    access::Reply,
    clarifications::{self, Question},
    decisions::{self, Decision, Subject},
    plans::{self, Plan},
    usage::Call,
    workspace::{Workspace, count, later},
};
use crate::error::Result;
use entity::{
    Json, Large,
    api_usage::ApiOperation,
    approval::ApprovalDecision,
    auth_token::AuthTokenKind,
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
    pub(super) key: String,
    pub(super) project: String,
    goal: Option<String>,
    meeting: Option<String>,
    supersedes: Option<String>,
    title: String,
    summary: String,
    status: PrdStatus,
    ago: f64,
    confidence: f64,
    #[serde(default = "one")]
    version: i32,
    repo: Option<String>,
    timeline: Option<String>,
    /// The key of the Jira project or Linear team in which its tickets are mirrored.
    pub(super) tracker: Option<String>,
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
    pub(super) decision: Option<Decision>,
    #[serde(default)]
    asked: Vec<Question>,
    #[serde(default)]
    pub(super) plans: Vec<Plan>,
}

fn one() -> i32 {
    1
}

/// The one-page form.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Page {
    goal: Option<String>,
    users: Option<String>,
    metrics: Option<String>,
    scope: Option<String>,
    non_scope: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Architecture {
    chosen: Option<String>,
    options: Vec<Value>,
    design: Option<Value>,
}

pub(super) async fn write(ws: &mut Workspace<'_>, mut brief: Brief) -> Result<()> {
    let row = write_row(ws, &mut brief).await?;
    let project = Some(row.project_id.clone());
    for (place, symbol) in brief.symbols.iter().enumerate() {
        write_link(ws, &row, &brief.project, symbol, place).await?;
    }
    for question in &brief.asked {
        clarifications::write(ws, question, Some(&row.id), None).await?;
    }
    if let Some(redirected) = &brief.redirected {
        let (at, subject) = (
            later(row.created_at, redirected.hours),
            Subject::Brief(row.id.clone()),
        );
        decisions::write(
            ws,
            subject,
            project.clone(),
            1,
            ApprovalDecision::Redirected,
            redirected,
            at,
        )
        .await?;
    }
    if let (Some(decision), Some(at)) = (&brief.decision, row.decided_at) {
        let rejected = row.status == PrdStatus::Rejected;
        let kind = if rejected {
            ApprovalDecision::Rejected
        } else {
            ApprovalDecision::Approved
        };
        decisions::write(
            ws,
            Subject::Brief(row.id.clone()),
            project.clone(),
            row.version,
            kind,
            decision,
            at,
        )
        .await?;
    }
    if row.status == PrdStatus::PendingApproval {
        ws.replies.push(Reply {
            kind: AuthTokenKind::ApprovalReply,
            subject_type: "PRD",
            subject: row.id.clone(),
        });
    }
    for operation in [ApiOperation::Brief, ApiOperation::Council] {
        if operation == ApiOperation::Brief || brief.council.is_some() {
            let call = Call::new("ba_agent", operation, row.created_at);
            ws.calls.push(Call {
                project: project.clone(),
                brief: Some(row.id.clone()),
                ..call
            });
        }
    }
    plans::write(ws, &row, brief).await
}

async fn write_row(ws: &mut Workspace<'_>, brief: &mut Brief) -> Result<prd::Model> {
    let created = ws.ago(brief.ago);
    let decided = brief
        .decision
        .as_ref()
        .map(|decision| later(created, decision.hours));
    let redrafted = brief
        .redirected
        .as_ref()
        .map(|redirected| later(created, redirected.hours + 0.2));
    let decider = brief.decision.as_ref().and_then(|decision| decision.by);
    let doc = brief.page.goal.is_some().then(cuid2::create_id);
    for (place, requirement) in brief.requirements.iter_mut().enumerate() {
        requirement.id = format!("REQ-{}", place + 1);
    }
    let page = std::mem::take(&mut brief.page);
    let architecture = std::mem::take(&mut brief.architecture);
    let row = prd::ActiveModel {
        project_id: Set(ws.id(&format!("project:{}", brief.project))?),
        goal_id: Set(ws.some("goal", brief.goal.as_ref())?),
        meeting_id: Set(ws.some("meeting", brief.meeting.as_ref())?),
        transcript_id: Set(ws.some("transcript", brief.meeting.as_ref())?),
        supersedes_id: Set(ws.some("brief", brief.supersedes.as_ref())?),
        title: Set(brief.title.clone()),
        summary: Set(brief.summary.clone()),
        goal_text: Set(page.goal),
        target_users: Set(page.users),
        success_metrics: Set(page.metrics),
        scope: Set(page.scope),
        non_scope: Set(page.non_scope),
        open_questions: Set(Json(brief.questions.clone())),
        objectives: Set(Large::new(Json(brief.objectives.clone()))),
        requirement_count: Set(count(&brief.requirements)),
        requirements: Set(Large::new(Json(brief.requirements.clone()))),
        acceptance_criteria: Set(Large::new(Json(brief.acceptance_criteria.clone()))),
        out_of_scope: Set(Large::new(Json(brief.out_of_scope.clone()))),
        assumptions: Set(Large::new(Json(brief.assumptions.clone()))),
        risks: Set(Large::new(Json(brief.risks.clone()))),
        architecture_options: Set(Large::new(Json(architecture.options))),
        architecture_design: Set(Large(architecture.design.map(Json))),
        selected_architecture: Set(Large(architecture.chosen)),
        council: Set(Large(brief.council.clone().map(Json))),
        timeline: Set(brief.timeline.clone()),
        confidence: Set(brief.confidence),
        version: Set(brief.version),
        status: Set(brief.status),
        target_repo: Set(brief.repo.clone()),
        google_doc_url: Set(doc
            .as_ref()
            .map(|id| format!("https://docs.example/document/{id}"))),
        google_doc_id: Set(doc),
        created_by_id: Set(brief.by.map(|role| ws.user(role)).transpose()?),
        decided_by_id: Set(decider.map(|role| ws.user(role)).transpose()?),
        decided_at: Set(decided),
        created_at: Set(created),
        updated_at: Set(decided.max(redrafted).unwrap_or(created)),
        ..Default::default()
    };
    let row = ws.tx.insert(row, "brief.created").await?;
    ws.remember(format!("brief:{}", brief.key), &row.id);
    Ok(row)
}

/// Ties a brief to a symbol; the last of several was tied by a person.
async fn write_link(
    ws: &mut Workspace<'_>,
    brief: &prd::Model,
    project: &str,
    name: &str,
    place: usize,
) -> Result<()> {
    let known = ws
        .symbols
        .iter()
        .find(|symbol| symbol.project == project && symbol.node.name == name);
    let node = known.map(|symbol| symbol.node.clone()).unwrap_or_default();
    let by_hand = place == 2;
    let row = prd_symbol_link::ActiveModel {
        prd_id: Set(brief.id.clone()),
        symbol_id: Set(node.id),
        symbol_name: Set(node.name),
        file: Set(Some(node.file)),
        line: Set(node.line),
        confidence: Set(if by_hand {
            1.0
        } else {
            0.93 - 0.17 * place as f64
        }),
        source: Set(if by_hand {
            SymbolLinkSource::Manual
        } else {
            SymbolLinkSource::Auto
        }),
        created_at: Set(later(brief.created_at, 0.1)),
        ..Default::default()
    };
    ws.tx.insert(row, "symbol_link.created").await?;
    Ok(())
}
