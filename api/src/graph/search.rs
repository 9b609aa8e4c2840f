//! Full-text search over all that people write.

use super::{connection::PageInfo, found::one, prelude::*};
use crate::store::{Findable, FoundIn, Hit, Search};
use async_graphql::{Enum, Object, SimpleObject};
use entity::{Id, Timestamp};

/// A type that search looks through.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Findable")]
pub enum SearchType {
    /// Projects, by their names and descriptions.
    Project,
    /// Goals, by their titles, descriptions and outcomes.
    Goal,
    /// Meetings, by their titles, their contexts and what was said in them. Only the current version of a transcript
    /// counts.
    Meeting,
    /// Briefs, by their titles and summaries.
    Prd,
    /// Tickets, by their titles and descriptions.
    Ticket,
}

/// Where a search found its words.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "FoundIn")]
pub enum SearchPlace {
    /// All of them in the title, or in a project's name.
    Title,
    /// All of them in the title and the summary: the description, a goal's outcome, a meeting's context.
    Summary,
    /// Some of them only in the meeting's transcript.
    Transcript,
}

/// Searches the workspace's texts.
#[derive(Default)]
pub struct SearchQuery;

#[Object]
impl SearchQuery {
    /// Finds projects, goals, meetings, briefs and tickets by the words of their titles, summaries and transcripts.
    ///
    /// A word is a run of letters and digits. Capitals do not matter, nor does how a letter was typed: `ß` is `ss`, an
    /// accent may be a character of its own, letters may be wide. Accents do matter, and all other signs only separate
    /// words. In Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese a word is found wherever it stands in a run.
    /// All words must be in the same row's texts, in any order; the last one also matches as the beginning of a longer
    /// word, so that a search can be sent while it is typed. Hits in a title come first, then those in a summary, then
    /// those in a transcript; within each the newest first, and by id among those of the same moment. Of very long
    /// texts the beginning is searched: 1,000 characters of a title, 20,000 of a summary, and of a transcript all up to
    /// 500,000 bytes, of a longer one 125,000 characters.
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "What to look for: 1 to 16 words, in at most 200 characters. There are no operators."
        )]
        query: String,
        #[graphql(desc = "Only these types; all if not given.")] types: Option<Vec<SearchType>>,
        #[graphql(
            desc = "Only what belongs to this project, and the project itself; if not given, the one of X-Project-Id. Another workspace's has nothing."
        )]
        project_id: Option<Id>,
        #[graphql(
            desc = "So many hits from the start, at most 200.",
            default_with = "Some(20)"
        )]
        first: Option<i32>,
        #[graphql(desc = "Start after this cursor, which must be of the same search.")]
        after: Option<Cursor>,
    ) -> Nullable<SearchConnection> {
        let kinds: Option<Vec<Findable>> =
            types.map(|types| types.into_iter().map(Findable::from).collect());
        let after = after.map(|cursor| cursor.0);
        let project = project_id.or_else(|| ctx.scope().actor().project().cloned());
        let search = Search::new(&query, kinds.as_deref(), project, first, after)?;
        let selection = ctx.look_ahead();
        let hit = [
            selection.field("nodes"),
            selection.field("edges").field("node"),
        ];
        let windows = hit.iter().any(|hit| {
            ["snippet", "snippetParts"]
                .iter()
                .any(|field| hit.field(field).exists())
        });
        let hits = ctx.scope().search(&search, windows).await?;
        let search = Arc::new(search);
        let cursor = |hit: Option<&SearchEdge>| hit.map(|edge| edge.cursor.clone());
        let edges: Vec<_> = hits
            .rows
            .into_iter()
            .map(|hit| SearchEdge {
                cursor: Cursor(hit.cursor.clone()),
                node: SearchHit {
                    hit: Arc::new(hit),
                    search: search.clone(),
                },
            })
            .collect();
        Ok(Some(SearchConnection {
            page_info: PageInfo {
                has_previous_page: hits.has_previous,
                has_next_page: hits.has_next,
                start_cursor: cursor(edges.first()),
                end_cursor: cursor(edges.last()),
            },
            nodes: edges.iter().map(|edge| edge.node.clone()).collect(),
            edges,
        }))
    }
}

/// One page of what a search found, as in the Relay specification.
#[derive(SimpleObject)]
pub struct SearchConnection {
    /// The page's hits, each with its cursor.
    edges: Vec<SearchEdge>,
    /// The page's hits.
    nodes: Vec<SearchHit>,
    /// Where this page begins and ends, and whether there are more.
    page_info: PageInfo,
}

/// A hit and its place among the hits.
#[derive(SimpleObject)]
pub struct SearchEdge {
    /// The hit.
    node: SearchHit,
    /// The hit's place, for `after`.
    cursor: Cursor,
}

/// Something that a search found.
#[derive(Clone)]
pub struct SearchHit {
    hit: Arc<Hit>,
    search: Arc<Search>,
}

/// A piece of a snippet.
#[derive(SimpleObject)]
pub struct SearchSnippetPart {
    /// The text, with its spaces.
    text: String,
    /// Whether it is a word that was looked for, to be shown in bold.
    is_match: bool,
}

/// Something that a search found.
#[Object]
impl SearchHit {
    /// The row that was found; a transcript's words find its meeting.
    async fn node(&self, ctx: &Context<'_>) -> Nullable<AnyNode> {
        Ok(AnyNode::load(ctx, self.hit.kind.name(), &self.hit.id).await?)
    }

    /// The row's type.
    #[graphql(name = "type")]
    async fn of_type(&self) -> SearchType {
        self.hit.kind.into()
    }

    /// The row's title, or the project's name.
    async fn title(&self) -> &str {
        &self.hit.title
    }

    /// Where the words were found.
    #[graphql(name = "where")]
    async fn found_in(&self) -> SearchPlace {
        self.hit.found_in.into()
    }

    /// The text around the first match, in plain text on one line: some 240 characters of the title, the summary or the
    /// transcript, whichever `where` says. `…` stands where it was cut.
    async fn snippet(&self) -> String {
        self.parts().into_iter().map(|part| part.text).collect()
    }

    /// The snippet in pieces, so that the matches can be shown in bold. Together they are `snippet`.
    async fn snippet_parts(&self) -> Vec<SearchSnippetPart> {
        self.parts()
    }

    /// The project that the row belongs to, or is.
    async fn project(&self, ctx: &Context<'_>) -> Nullable<Project> {
        Ok(one(ctx, Some(&self.hit.project_id)).await?)
    }

    /// When the row was created.
    async fn created_at(&self) -> Timestamp {
        self.hit.created_at
    }
}

impl SearchHit {
    fn parts(&self) -> Vec<SearchSnippetPart> {
        let window = self.hit.window.as_ref();
        let parts = window.map(|window| window.parts(&self.search.sought));
        let parts = parts.into_iter().flatten();
        parts
            .map(|part| SearchSnippetPart {
                text: part.text,
                is_match: part.is_match,
            })
            .collect()
    }
}
