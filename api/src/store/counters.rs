//! How many rows there are of each status: all the numbers of a dashboard in one statement.

use super::{
    Scope,
    loaders::{Question, View},
    questions::grouped,
    select::{self, Place},
};
use crate::error::Result;
use entity::{
    Column, Id, Owned, agent_job, credential, integration_connection, meeting, prd, ticket,
};
use sea_orm::{
    ActiveEnum, QueryResult,
    sea_query::{Expr, SelectStatement, UnionType},
};
use std::collections::{BTreeMap, HashMap};

/// Rows that are counted by a word they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// Meetings by status; of a project, if one is named.
    Meetings,
    /// Briefs by status; of a project, if one is named.
    Briefs,
    /// Tickets by status; of a project, if one is named.
    Tickets,
    /// Jobs of agents by status; of a project, if one is named.
    Jobs,
    /// Credentials by kind; they have no parent.
    Credentials,
    /// Integrations by status; they have no parent.
    Integrations,
}

/// How many rows hold each word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, i64>);

impl Counts {
    /// How many rows hold this word.
    pub fn of(&self, word: impl ActiveEnum<Value = String>) -> i64 {
        self.0.get(&word.into_value()).copied().unwrap_or_default()
    }

    fn add(&mut self, row: &QueryResult) -> Result<()> {
        let word = row.try_get("", "word")?;
        self.0.insert(word, row.try_get("", "count")?);
        Ok(())
    }

    /// How many rows there are.
    pub fn total(&self) -> i64 {
        self.0.values().sum()
    }
}

/// "How many of these rows, of this parent or of all, hold each word?"
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CountBy {
    counted: Counted,
    parent: Option<Id>,
}

impl Question for CountBy {
    type Answer = Counts;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut groups: BTreeMap<(Counted, bool), Vec<&str>> = BTreeMap::new();
        for question in questions {
            let group = groups
                .entry((question.counted, question.parent.is_some()))
                .or_default();
            group.extend(question.parent.as_ref().map(Id::as_str));
        }
        let mut parts = groups.into_iter().map(|((counted, has_parent), parents)| {
            part(counted, has_parent.then_some(parents), view.place())
        });
        let Some(mut union) = parts.next() else {
            return Ok(HashMap::new());
        };
        union.unions(parts.map(|part| (UnionType::All, part)));
        let mut found: HashMap<(String, String), Counts> = HashMap::new();
        for row in view.snapshot.all(&union).await? {
            let of = (row.try_get("", "counted")?, row.try_get("", "parent")?);
            let counts = found.entry(of).or_default();
            counts.add(&row)?;
        }
        let answers = questions.iter().map(|question| {
            let parent = question.parent.as_ref().map_or("", Id::as_str);
            let of = (question.counted.label(), parent.to_owned());
            (
                question.clone(),
                found.get(&of).cloned().unwrap_or_default(),
            )
        });
        Ok(answers.collect())
    }
}

impl Counted {
    fn label(self) -> String {
        format!("{self:?}")
    }
}

/// One table's numbers, for each of these parents or for the whole tenant.
fn part(counted: Counted, parents: Option<Vec<&str>>, place: Place<'_>) -> SelectStatement {
    match counted {
        Counted::Meetings => {
            let by = meeting::Column::ProjectId;
            numbers::<meeting::Entity>(counted, meeting::Column::Status, by, parents, place)
        }
        Counted::Briefs => {
            let by = prd::Column::ProjectId;
            numbers::<prd::Entity>(counted, prd::Column::Status, by, parents, place)
        }
        Counted::Tickets => {
            let by = ticket::Column::ProjectId;
            numbers::<ticket::Entity>(counted, ticket::Column::Status, by, parents, place)
        }
        Counted::Jobs => {
            let by = agent_job::Column::ProjectId;
            numbers::<agent_job::Entity>(counted, agent_job::Column::Status, by, parents, place)
        }
        Counted::Credentials => {
            let (word, by) = (credential::Column::Kind, credential::Column::Id);
            numbers::<credential::Entity>(counted, word, by, parents, place)
        }
        Counted::Integrations => {
            let word = integration_connection::Column::Status;
            let by = integration_connection::Column::Id;
            numbers::<integration_connection::Entity>(counted, word, by, parents, place)
        }
    }
}

fn numbers<E: Owned>(
    counted: Counted,
    word: E::Column,
    by: E::Column,
    parents: Option<Vec<&str>>,
    place: Place<'_>,
) -> SelectStatement {
    let mut select = select::bare::<E>(place);
    select.expr_as(Expr::cust(format!("'{}'", counted.label())), "counted");
    by_word(&mut select, E::column(word), place);
    match parents {
        Some(parents) => of_parents(&mut select, E::column(by), parents.into_iter(), place),
        None => {
            select.expr_as(Expr::cust("''"), "parent");
        }
    }
    select
}

/// Counts rows by a word they hold.
fn by_word(select: &mut SelectStatement, word: &'static Column, place: Place<'_>) {
    let word = place.named(word.name);
    select
        .expr_as(word.clone(), "word")
        .expr_as(Expr::cust("COUNT(*)"), "count")
        .add_group_by([word]);
}

/// Counts for each of these parents apart.
fn of_parents<'k>(
    select: &mut SelectStatement,
    by: &'static Column,
    parents: impl Iterator<Item = &'k str>,
    place: Place<'_>,
) {
    let by = place.named(by.name);
    select
        .expr_as(by.clone(), "parent")
        .and_where(select::is_any_of(by.clone(), parents, place.backend()))
        .add_group_by([by]);
}

/// "How many of the rows that point to this parent hold each word of this column?"
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct WordsOf {
    word: &'static Column,
    by: &'static Column,
    parent: Id,
}

impl Question for WordsOf {
    type Answer = Counts;

    async fn answer(questions: &[Self], view: &View) -> Result<HashMap<Self, Self::Answer>> {
        let mut out: HashMap<Self, Counts> = HashMap::with_capacity(questions.len());
        for ((word, by), group) in grouped(questions, |question| (question.word, question.by)) {
            let parents = group.iter().map(|question| question.parent.as_str());
            let mut select = select::of(word.shape(), view.place());
            by_word(&mut select, word, view.place());
            of_parents(&mut select, by, parents, view.place());
            for row in view.snapshot.all(&select).await? {
                let parent: Id = row.try_get("", "parent")?;
                let counts = out.entry(Self { word, by, parent }).or_default();
                counts.add(&row)?;
            }
        }
        Ok(out)
    }
}

impl Scope {
    /// How many of these rows hold each word: those of a parent, or all of the tenant's.
    ///
    /// What one level of an operation asks is one statement, whatever it counts and of however many parents.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn count_by(&self, counted: Counted, parent: Option<&Id>) -> Result<Counts> {
        let parent = parent.cloned();
        self.view().ask(CountBy { counted, parent }).await
    }

    /// How many of the rows whose column `by` holds this parent hold each word in the column `word`.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn count_words<E: Owned>(
        &self,
        word: E::Column,
        by: E::Column,
        parent: &Id,
    ) -> Result<Counts> {
        let question = WordsOf {
            word: E::column(word),
            by: E::column(by),
            parent: parent.clone(),
        };
        self.view().ask(question).await
    }
}
