//! Founding a workspace from the command line, and finding one.

use crate::{
    domain::{
        check,
        slug::{is_slug, slugify},
    },
    error::{Error, Result},
    store::Store,
};
use entity::{Id, project, tenant, user};
use sea_orm::ActiveValue::Set;

/// The longest slug, in characters.
const LONGEST_SLUG: usize = 40;
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
    let name = check::line("name", name, 1, 200)?;
    let slug = match slug {
        Some(slug) if is_slug(slug) && slug.len() <= LONGEST_SLUG && slug != RESERVED => {
            slug.to_owned()
        }
        Some(slug) => return Err(no_slug(slug)),
        None => slugify(&name, LONGEST_SLUG)
            .filter(|slug| slug != RESERVED)
            .ok_or_else(|| {
                let reason = "no slug can be made of it; choose one with --slug, for example --slug hill-dale";
                Error::bad_input("name", reason)
            })?,
    };
    let email = check::text("owner-email", owner_email, 3, 254)?.to_lowercase();
    let Some((owner, _)) = email
        .split_once('@')
        .filter(|(user, host)| !user.is_empty() && !host.is_empty())
    else {
        return Err(Error::bad_input(
            "owner-email",
            "expected an address such as ada@example.com",
        ));
    };
    if store.system().workspace(&slug).await?.is_some() {
        return Err(Error::Conflict(format!(
            "There is a workspace {slug} already. If this is another one, choose its slug with --slug."
        )));
    }
    let scope = store
        .system()
        .tenant(Id(cuid2::create_id()), "command_line");
    let mut tx = scope.begin().await?;
    let workspace = tenant::ActiveModel {
        name: Set(name),
        slug: Set(slug.clone()),
        ..Default::default()
    };
    tx.insert(workspace, "tenant.created").await?;
    let person = user::ActiveModel {
        name: Set(owner.to_owned()),
        email: Set(email.clone()),
        role: Set(user::UserRole::Owner),
        ..Default::default()
    };
    let person = tx.insert(person, "user.signup").await?;
    let project = project::ActiveModel {
        name: Set("Default".to_owned()),
        slug: Set(DEFAULT_PROJECT.to_owned()),
        created_by_id: Set(Some(person.id)),
        ..Default::default()
    };
    tx.insert(project, "project.created").await?;
    tx.commit().await?;
    Ok(slug)
}

/// What a slug is, and one that is much like what was given.
fn no_slug(given: &str) -> Error {
    let like = slugify(given, LONGEST_SLUG).filter(|slug| slug != RESERVED);
    let like = like.unwrap_or_else(|| "hill-dale".to_owned());
    Error::bad_input(
        "slug",
        format!(
            "a slug has at most {LONGEST_SLUG} small letters and digits, with single dashes between them, and is not \
             `{RESERVED}`; for example --slug {like}"
        ),
    )
}
