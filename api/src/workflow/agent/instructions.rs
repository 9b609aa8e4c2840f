//! The words that an agent works under: its role's, its specialist's, and its skills'.

use crate::{
    error::Result,
    store::Tx,
    workflow::references::{active, all_of, in_force, roles},
};
use entity::{
    Owned, agent_role, skill,
    skill_package::{self, LibraryStatus},
    subagent_definition, ticket,
};

/// What somebody works under, each as it counts for the workspace, with its long texts.
pub(crate) struct Instructions {
    /// The role; none when there is none of that name any more.
    pub(crate) role: Option<agent_role::Model>,
    /// The specialist that the ticket is meant for.
    pub(crate) subagent: Option<subagent_definition::Model>,
    /// Skills of the library.
    pub(crate) packages: Vec<skill_package::Model>,
    /// The workspace's own playbooks.
    pub(crate) skills: Vec<skill::Model>,
}

/// What whoever works on a ticket works under. Its role is looked up if it is not known.
///
/// # Errors
/// If the database fails.
pub(crate) async fn instructions(
    tx: &mut Tx<'_>,
    of: &ticket::Model,
    role: Option<agent_role::Model>,
) -> Result<Instructions> {
    let ticket = of.clone();
    tx.unseen(|tx| Box::pin(async move { read(tx, &ticket, role).await }))
        .await
}

async fn read(
    tx: &Tx<'_>,
    ticket: &ticket::Model,
    role: Option<agent_role::Model>,
) -> Result<Instructions> {
    let role = match role {
        Some(role) => Some(role),
        None => {
            let known = roles(tx).await?;
            let mut active = active(&known).into_iter();
            active.find(|role| role.slug == ticket.role_slug).cloned()
        }
    };
    let slugs: Vec<&str> = ticket.skills.0.iter().map(String::as_str).collect();
    let subagent = match &ticket.subagent_slug {
        Some(slug) => {
            use subagent_definition::{Column, Entity};
            let found = tx
                .unlocked_rows::<Entity>(|place| all_of(place.is_any_of(Column::Slug, &[slug])))
                .await?;
            let usable = in_force::<Entity>(&found, Column::Slug, |row| {
                row.status == LibraryStatus::Active
            });
            whole::<Entity>(tx, usable).await?.pop()
        }
        None => None,
    };
    let (mut packages, mut skills) = (Vec::new(), Vec::new());
    if !slugs.is_empty() {
        use skill_package::{Column, Entity};
        let found = tx
            .unlocked_rows::<Entity>(|place| all_of(place.is_any_of(Column::Slug, &slugs)))
            .await?;
        let usable = in_force::<Entity>(&found, Column::Slug, |row| {
            row.status == LibraryStatus::Active
        });
        packages = whole::<Entity>(tx, usable).await?;
        let slug = skill::Column::Slug;
        let own = tx
            .unlocked_rows::<skill::Entity>(|place| all_of(place.is_any_of(slug, &slugs)))
            .await?;
        let usable = own.iter().filter(|skill| !skill.disabled).collect();
        skills = whole::<skill::Entity>(tx, usable).await?;
    }
    Ok(Instructions {
        role: match role {
            Some(role) => Some(tx.whole::<agent_role::Entity>(&role).await?),
            None => None,
        },
        subagent,
        packages,
        skills,
    })
}

/// These rows with their large columns. A ticket names few of them.
async fn whole<E: Owned>(tx: &Tx<'_>, rows: Vec<&E::Model>) -> Result<Vec<E::Model>> {
    let mut whole = Vec::with_capacity(rows.len());
    for row in rows {
        whole.push(tx.whole::<E>(row).await?);
    }
    Ok(whole)
}
