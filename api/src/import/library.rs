//! Writes skills and subagents into the library that all workspaces share.

use std::collections::{HashMap, HashSet};

use entity::skill_package::{self, LibrarySource, LibraryStatus};
use entity::{Json, Large, subagent_definition};
use sea_orm::{ActiveValue::Set, Condition, sea_query::ExprTrait};
use serde_json::{Map, Value, json};

use super::definition::Definition;
use super::read::{Shelf, Source, problem};
use super::run::Summary;
use crate::domain::parse_error::ParseError;
use crate::domain::slug::slugify;
use crate::error::Result;
use crate::store::{Scope, Tx};

/// The longest slug, in bytes; it is a word in plans and on tickets.
const MAX_SLUG: usize = 64;

/// Writes all definitions in one transaction, so that agents never see half a library.
///
/// # Errors
/// If the database fails; then none was written.
pub(super) async fn write(
    scope: &Scope,
    definitions: Vec<(Source, Shelf, Definition)>,
    summary: &mut Summary,
) -> Result<()> {
    let mut tx = scope.begin().await?;
    let skills = tx
        .rows::<skill_package::Entity>(|place| {
            Condition::all().add(place.column(skill_package::Column::TenantId).is_null())
        })
        .await?;
    let subagents = tx
        .rows::<subagent_definition::Entity>(|place| {
            Condition::all().add(
                place
                    .column(subagent_definition::Column::TenantId)
                    .is_null(),
            )
        })
        .await?;
    let skills: HashMap<_, _> = skills
        .into_iter()
        .map(|row| (row.slug.clone(), row))
        .collect();
    let subagents: HashMap<_, _> = subagents
        .into_iter()
        .map(|row| (row.slug.clone(), row))
        .collect();
    let mut taken = HashSet::new();
    for (source, shelf, definition) in definitions {
        let slug = slug(&definition);
        if !taken.insert((shelf == Shelf::Skills, slug.clone())) {
            let reason = format!(
                "expected a name of its own, found `{}` for the second time",
                definition.name
            );
            summary
                .malformed
                .push(problem(&source.path, &ParseError::new(1, reason)));
            continue;
        }
        let (count, changed) = match shelf {
            Shelf::Skills => {
                let changed =
                    write_skill(&mut tx, skills.get(&slug), slug, &source, definition).await?;
                (&mut summary.skills, changed)
            }
            Shelf::Subagents(category) => {
                let before = subagents.get(&slug);
                let changed =
                    write_subagent(&mut tx, before, slug, &source, category, definition).await?;
                (&mut summary.subagents, changed)
            }
        };
        *if changed {
            count
        } else {
            &mut summary.unchanged
        } += 1;
    }
    tx.commit().await?;
    Ok(())
}

/// Writes a skill; says whether there was anything to write.
async fn write_skill(
    tx: &mut Tx<'_>,
    before: Option<&skill_package::Model>,
    slug: String,
    source: &Source,
    definition: Definition,
) -> Result<bool> {
    if before.is_some_and(|row| row.content_hash == source.hash) {
        return Ok(false);
    }
    let mut row = skill(Some(&source.name), source.hash.clone(), definition);
    match before {
        Some(before) => tx.update(before, row, "skill_package.updated").await?,
        None => {
            row.slug = Set(slug);
            row.source = Set(LibrarySource::Vendor);
            row.status = Set(LibraryStatus::Active);
            tx.insert(row, "skill_package.created").await?
        }
    };
    Ok(true)
}

/// Writes a subagent; says whether there was anything to write.
async fn write_subagent(
    tx: &mut Tx<'_>,
    before: Option<&subagent_definition::Model>,
    slug: String,
    source: &Source,
    category: Option<String>,
    definition: Definition,
) -> Result<bool> {
    if before.is_some_and(|row| row.content_hash == source.hash) {
        return Ok(false);
    }
    let mut row = subagent(Some(&source.name), source.hash.clone(), definition);
    row.category = Set(category);
    match before {
        Some(before) => tx.update(before, row, "subagent.updated").await?,
        None => {
            row.slug = Set(slug);
            row.source = Set(LibrarySource::Vendor);
            row.status = Set(LibraryStatus::Active);
            tx.insert(row, "subagent.created").await?
        }
    };
    Ok(true)
}

/// The columns that a definition of a skill fills.
pub(crate) fn skill(
    path: Option<&str>,
    content_hash: String,
    definition: Definition,
) -> skill_package::ActiveModel {
    let Definition {
        name, model, extra, ..
    } = definition;
    skill_package::ActiveModel {
        content_hash: Set(content_hash),
        // The table has no column for a model, and dropping it would lose what the author wrote.
        metadata: Set(Json(metadata(path, &name, model, extra))),
        description: Set(definition.description),
        body: Set(Large::new(definition.body)),
        required_tools: Set(Json(definition.tools)),
        ..Default::default()
    }
}

/// The columns that a definition of a subagent fills.
pub(crate) fn subagent(
    path: Option<&str>,
    content_hash: String,
    definition: Definition,
) -> subagent_definition::ActiveModel {
    let Definition { name, extra, .. } = definition;
    subagent_definition::ActiveModel {
        content_hash: Set(content_hash),
        metadata: Set(Json(metadata(path, &name, None, extra))),
        description: Set(definition.description),
        system_prompt: Set(Large::new(definition.body)),
        allowed_tools: Set(Json(definition.tools)),
        preferred_model: Set(definition.model),
        ..Default::default()
    }
}

/// What a definition is named by in plans and on tickets.
pub(crate) fn slug(definition: &Definition) -> String {
    // A name has at least one letter or digit.
    slugify(&definition.name, MAX_SLUG).unwrap_or_default()
}

/// What no column holds: the file's path, the name as written, the licence, and the rest of the frontmatter.
fn metadata(
    path: Option<&str>,
    name: &str,
    model: Option<String>,
    mut extra: Map<String, Value>,
) -> Value {
    let mut metadata = Map::new();
    if let Some(path) = path {
        metadata.insert("path".to_owned(), json!(path));
    }
    metadata.insert("name".to_owned(), json!(name));
    if let Some(licence) = extra.remove("license").or_else(|| extra.remove("licence")) {
        metadata.insert("license".to_owned(), licence);
    }
    if let Some(model) = model {
        extra.insert("model".to_owned(), json!(model));
    }
    if !extra.is_empty() {
        metadata.insert("frontmatter".to_owned(), Value::Object(extra));
    }
    Value::Object(metadata)
}
