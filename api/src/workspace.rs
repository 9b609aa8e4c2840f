//! Founding a workspace, and finding one from the command line.

use crate::{
    domain::{
        check,
        slug::{is_slug, slugify},
    },
    error::{Error, Result},
    store::{Store, Tx},
};
use entity::{Id, project, tenant, user};
use sea_orm::ActiveValue::Set;

/// The longest name, in characters.
pub(crate) const LONGEST_NAME: usize = 200;
/// The longest slug, in characters.
pub(crate) const LONGEST_SLUG: usize = 40;
/// `verify-ledger` means something else by it.
const RESERVED: &str = "system";

/// The project that takes what names none; every workspace has it.
pub(crate) const DEFAULT_PROJECT: &str = "default";

/// How many workspaces are named to who asked for another one.
const MOST_NAMED: u64 = 20;

/// The workspace that somebody at the command line means.
///
/// # Errors
/// [`Error::BadUserInput`], which says what workspaces there are, when there is none with this slug.
pub async fn named(store: &Store, slug: &str) -> Result<tenant::Model> {
    let system = store.system();
    if let Some(found) = system.workspace(slug).await? {
        return Ok(found);
    }
    let known = system.workspace_slugs(MOST_NAMED).await?.join(", ");
    let instead = match known.is_empty() {
        true => "there is none yet: `workgraph create-workspace` founds one".to_owned(),
        false => format!("there are: {known}"),
    };
    let reason = format!("there is no workspace `{slug}`; {instead}");
    Err(Error::bad_input("workspace", reason))
}

/// Makes a workspace with its owner and its default project. Returns its slug.
///
/// # Errors
/// [`Error::BadUserInput`] naming what cannot be accepted, or [`Error::Conflict`] when the slug is taken.
pub async fn found(
    store: &Store,
    name: &str,
    slug: Option<&str>,
    owner_email: &str,
) -> Result<String> {
    let name = check::line("name", name, 1, LONGEST_NAME)?;
    let slug = match slug {
        Some(slug) => chosen_slug(slug).ok_or_else(|| no_slug(slug))?,
        None => slug_of(&name, LONGEST_SLUG).ok_or_else(|| {
            let reason =
                "no slug can be made of it; choose one with --slug, for example --slug hill-dale";
            Error::bad_input("name", reason)
        })?,
    };
    let email = check::email("owner-email", owner_email)?;
    let owner = email.split('@').next().unwrap_or_default().to_owned();
    if store.system().workspace(&slug).await?.is_some() {
        return Err(Error::Conflict(format!(
            "There is a workspace {slug} already. If this is another one, choose its slug with --slug."
        )));
    }
    let scope = store
        .system()
        .tenant(Id(cuid2::create_id()), "command_line");
    let mut tx = scope.begin().await?;
    let owner = user::ActiveModel {
        name: Set(owner),
        email: Set(email),
        ..Default::default()
    };
    write(&mut tx, name, slug.clone(), owner).await?;
    tx.commit().await?;
    Ok(slug)
}

/// Writes a new workspace, whose transaction this is, with its owner and its default project. Returns the owner.
///
/// # Errors
/// [`Error::Conflict`] when the slug is taken.
pub(crate) async fn write(
    tx: &mut Tx<'_>,
    name: String,
    slug: String,
    owner: user::ActiveModel,
) -> Result<user::Model> {
    let workspace = tenant::ActiveModel {
        name: Set(name),
        slug: Set(slug),
        ..Default::default()
    };
    tx.insert(workspace, "tenant.created").await?;
    let owner = user::ActiveModel {
        role: Set(user::UserRole::Owner),
        ..owner
    };
    let owner = tx.insert(owner, "user.signup").await?;
    let project = project::ActiveModel {
        name: Set("Default".to_owned()),
        slug: Set(DEFAULT_PROJECT.to_owned()),
        created_by_id: Set(Some(owner.id.clone())),
        ..Default::default()
    };
    tx.insert(project, "project.created").await?;
    Ok(owner)
}

/// The slug that somebody chose, if it can be one.
pub(crate) fn chosen_slug(slug: &str) -> Option<String> {
    let can_be = is_slug(slug) && slug.len() <= LONGEST_SLUG && slug != RESERVED;
    can_be.then(|| slug.to_owned())
}

/// A slug of at most so many letters that is made of a name.
pub(crate) fn slug_of(name: &str, longest: usize) -> Option<String> {
    slugify(name, longest).filter(|slug| slug != RESERVED)
}

/// What a slug is, and one that is much like what was given.
fn no_slug(given: &str) -> Error {
    let like = slug_of(given, LONGEST_SLUG).unwrap_or_else(|| "hill-dale".to_owned());
    Error::bad_input(
        "slug",
        format!(
            "a slug has at most {LONGEST_SLUG} small letters and digits, with single dashes between them, and is not \
             `{RESERVED}`; for example --slug {like}"
        ),
    )
}
