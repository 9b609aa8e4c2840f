//! What a project's briefs have beyond the usual fields, and what whoever drafts them is told.

use super::{
    constraints::size,
    prelude::*,
    write::{Once, Write, mutations, patch},
};
use crate::{Error, auth::Action, domain::check, store::Tx};
use async_graphql::{InputObject, MaybeUndefined};
use entity::{
    Id, Json,
    project::{self, BriefTemplateField},
};

fn checked(at: &str, field: BriefTemplateField) -> crate::Result<BriefTemplateField> {
    let within = |name: &str| format!("{at}.{name}");
    let guidance = field.guidance.as_deref();
    let guidance = guidance.map(|text| check::text(&within("guidance"), text, 1, 2000));
    Ok(BriefTemplateField {
        key: check::key(&within("key"), &field.key)?,
        label: check::line(&within("label"), &field.label, 1, 100)?,
        guidance: guidance.transpose()?,
        required: field.required,
    })
}

fn template(fields: Vec<BriefTemplateField>) -> crate::Result<Json<Vec<BriefTemplateField>>> {
    let mut template: Vec<BriefTemplateField> = Vec::with_capacity(fields.len());
    for (place, field) in fields.into_iter().enumerate() {
        let at = format!("fields[{place}]");
        let field = checked(&at, field)?;
        if template.iter().any(|other| other.key == field.key) {
            let reason = format!("`{}` is the key of another field already", field.key);
            return Err(Error::bad_input(format!("{at}.key"), reason));
        }
        template.push(field);
    }
    Ok(Json(template))
}

/// What a project's briefs are like. What is left out stays.
#[derive(InputObject, Clone)]
pub struct SetBriefTemplateInput {
    /// The project.
    project_id: Id,
    /// The fields its briefs have beyond the usual ones, 1 to 50, in their order; null when they have none.
    #[graphql(directive = size::apply(1, 50))]
    fields: MaybeUndefined<Vec<BriefTemplateField>>,
    /// What agents are told whenever they draft one of its briefs, 1 to 10,000 characters; null when nothing.
    guidance: MaybeUndefined<String>,
    #[graphql(flatten)]
    once: Once,
}

impl Write for SetBriefTemplateInput {
    type Entity = project::Entity;
    const ACTION: Action = Action::EditProject;

    async fn apply(self, tx: &mut Tx<'_>) -> crate::Result<project::Model> {
        // Whoever begins something in it meanwhile need not wait.
        let project = tx.get_gently::<project::Entity>(&self.project_id).await?;
        let changes = project::ActiveModel {
            brief_template: patch(self.fields, template)?,
            brief_guidance: patch(self.guidance, |text| {
                check::text("guidance", &text, 1, 10_000)
            })?,
            ..Default::default()
        };
        tx.update(&project, changes, "project.edited").await
    }
}

mutations! { BriefTemplateMutation {
    /// Says which fields a project's briefs have beyond the usual ones, and what agents are told when they draft them. Briefs
    /// that there are stay as they are.
    set_brief_template(SetBriefTemplateInput) -> SetBriefTemplatePayload { project: Project };
} }
