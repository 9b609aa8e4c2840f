//! What can be found: which tables, and which of their columns.

use crate::{
    error::Result,
    store::select::{self, Place},
};
use entity::{Id, Owned, goal, meeting, prd, project, ticket, transcript};
use sea_orm::{
    Condition,
    sea_query::{BinOper, Expr, ExprTrait, Func, JoinType, SelectStatement},
};

/// A type whose rows can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Findable {
    /// Projects.
    Project,
    /// Goals.
    Goal,
    /// Meetings.
    Meeting,
    /// Briefs.
    Prd,
    /// Tickets.
    Ticket,
}

impl Findable {
    pub(super) const ALL: [Self; 5] = [
        Self::Project,
        Self::Goal,
        Self::Meeting,
        Self::Prd,
        Self::Ticket,
    ];

    /// The GraphQL type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Project => project::Entity::KIND,
            Self::Goal => goal::Entity::KIND,
            Self::Meeting => meeting::Entity::KIND,
            Self::Prd => prd::Entity::KIND,
            Self::Ticket => ticket::Entity::KIND,
        }
    }

    pub(in crate::store) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The tenant's rows among the documents that were found.
    pub(super) fn hits(self, place: Place<'_>, within: Option<&Id>) -> Result<SelectStatement> {
        macro_rules! hits {
            ($table:ident, $title:ident, $project:ident, $text:ident) => {{
                use $table::Column as C;
                let mut select = joined::<$table::Entity>(place, "found");
                select
                    .expr_as(kind::<$table::Entity>(), "kind")
                    .expr_as(place.column(C::Id), "id")
                    .expr_as(Expr::col(("d", "place")), "place")
                    .expr_as(place.column(C::$title), "title")
                    .expr_as(place.column(C::$project), "projectId")
                    .expr_as(place.column(C::CreatedAt), "createdAt")
                    .expr_as(place.column(C::$text), "textId");
                if let Some(project) = within {
                    select.and_where(place.column(C::$project).eq(project.as_str()));
                }
                select
            }};
        }
        Ok(match self {
            Self::Project => hits!(project, Name, Id, Id),
            Self::Goal => hits!(goal, Title, ProjectId, Id),
            Self::Prd => hits!(prd, Title, ProjectId, Id),
            Self::Ticket => hits!(ticket, Title, ProjectId, Id),
            Self::Meeting => {
                let mut select = hits!(meeting, Title, ProjectId, CurrentTranscriptId);
                // The words of a transcript are told only to those who see the transcript.
                let seen = place.exists::<transcript::Entity>(
                    transcript::Column::Id,
                    meeting::Column::CurrentTranscriptId,
                    |_| Ok(Condition::all()),
                )?;
                let found_outside = Expr::col(("d", "place")).lt(Expr::cust("3"));
                select.cond_where(Condition::any().add(found_outside).add(seen));
                select
            }
        })
    }

    /// The texts in which the page's hits were found; titles are at hand.
    pub(super) fn texts(self, place: Place<'_>) -> Vec<SelectStatement> {
        macro_rules! summary {
            ($table:ident, $($column:ident),+) => {{
                let columns = [$(place.column($table::Column::$column)),+];
                let mut select = joined::<$table::Entity>(place, "page");
                select
                    .expr_as(kind::<$table::Entity>(), "kind")
                    .expr_as(place.column($table::Column::Id), "id")
                    .expr_as(one_text(columns), "text")
                    .and_where(Expr::col(("d", "place")).eq(Expr::cust("2")));
                select
            }};
        }
        match self {
            Self::Project => vec![summary!(project, Description)],
            Self::Goal => vec![summary!(goal, Description, Outcome)],
            Self::Prd => vec![summary!(prd, Summary)],
            Self::Ticket => vec![summary!(ticket, Description)],
            Self::Meeting => {
                let on = Condition::all()
                    .add(Expr::col(("d", "kind")).eq(kind::<meeting::Entity>()))
                    .add(Expr::col(("d", "place")).eq(Expr::cust("3")))
                    .add(Expr::col(("d", "textId")).eq(place.column(transcript::Column::Id)));
                let mut spoken = select::bare::<transcript::Entity>(place);
                spoken
                    .expr_as(kind::<meeting::Entity>(), "kind")
                    .expr_as(Expr::col(("d", "id")), "id")
                    .expr_as(place.column(transcript::Column::FullText), "text")
                    .join_as(JoinType::InnerJoin, "page", "d", on);
                vec![summary!(meeting, Context), spoken]
            }
        }
    }
}

/// The tenant's rows that a step of the statement names.
fn joined<E: Owned>(place: Place<'_>, step: &'static str) -> SelectStatement {
    let on = Condition::all()
        .add(Expr::col(("d", "kind")).eq(kind::<E>()))
        .add(Expr::col(("d", "id")).eq(place.column(E::ID)));
    let mut select = select::bare::<E>(place);
    select.join_as(JoinType::InnerJoin, step, "d", on);
    select
}

fn kind<E: Owned>() -> Expr {
    Expr::cust(format!("'{}'", E::KIND))
}

/// Columns as one text, as the search's documents have it.
fn one_text<const N: usize>(columns: [Expr; N]) -> Expr {
    let mut parts = columns
        .into_iter()
        .map(|column| Expr::from(Func::coalesce([column, Expr::cust("''")])));
    let first = parts.next().unwrap_or_else(|| Expr::cust("''"));
    parts.fold(first, |text, part| {
        text.binary(BinOper::Custom("||"), Expr::cust("' '"))
            .binary(BinOper::Custom("||"), part)
    })
}
