//! What can be found: which tables, and which of their columns.

use crate::{
    error::Result,
    store::select::{self, Place},
};
use entity::{Id, Owned, goal, meeting, prd, project, ticket, transcript};
use sea_orm::{
    Condition, IdenStatic,
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

/// What is found of each type: its table, the title, the summary's texts, the project's id, and the row that has the text
/// in which a hit may also be.
macro_rules! of_kind {
    ($kind:expr, $what:ident) => {
        match $kind {
            Findable::Project => $what!(project, Name, [Description], Id, Id),
            Findable::Goal => $what!(goal, Title, [Description, Outcome], ProjectId, Id),
            Findable::Meeting => $what!(meeting, Title, [Context], ProjectId, CurrentTranscriptId),
            Findable::Prd => $what!(prd, Title, [Summary], ProjectId, Id),
            Findable::Ticket => $what!(ticket, Title, [Description], ProjectId, Id),
        }
    };
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
        macro_rules! name {
            ($table:ident, $($rest:tt)*) => {
                $table::Entity::KIND
            };
        }
        of_kind!(self, name)
    }

    /// Whether a change of this column changes what is found.
    pub(in crate::store) fn is_searched(self, column: &str) -> bool {
        macro_rules! is_searched {
            ($table:ident, $title:ident, [$($text:ident),+], $project:ident, $transcript:ident) => {{
                use $table::Column as C;
                [C::$title, $(C::$text,)+ C::$transcript].iter().any(|searched| searched.as_str() == column)
            }};
        }
        of_kind!(self, is_searched)
    }

    pub(in crate::store) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The tenant's rows among the documents that were found.
    pub(super) fn hits(self, place: Place<'_>, within: Option<&Id>) -> Result<SelectStatement> {
        macro_rules! hits {
            ($table:ident, $title:ident, $summary:tt, $project:ident, $text:ident) => {{
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
        let mut select = of_kind!(self, hits);
        if self == Self::Meeting {
            // The words of a transcript are told only to those who see the transcript.
            let transcript = transcript::Entity::shape().id();
            let current = meeting::Entity::column(meeting::Column::CurrentTranscriptId);
            let any = |_| Ok(Condition::all());
            let seen = place.exists(transcript, current, any)?;
            let found_outside = Expr::col(("d", "place")).lt(Expr::cust("3"));
            select.cond_where(Condition::any().add(found_outside).add(seen));
        }
        Ok(select)
    }

    /// The texts in which the page's hits were found; titles are at hand.
    pub(super) fn texts(self, place: Place<'_>) -> Vec<SelectStatement> {
        macro_rules! summary {
            ($table:ident, $title:ident, [$($column:ident),+], $project:ident, $text:ident) => {{
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
        let mut texts = vec![of_kind!(self, summary)];
        if self == Self::Meeting {
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
            texts.push(spoken);
        }
        texts
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
