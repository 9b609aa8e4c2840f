//! Pages of a transcript: its segments are one JSON column, so a page is cut out of it here.

use super::connection::{Cursor, PageInfo};
use crate::{
    error::Result,
    store::{Scope, page_size},
};
use async_graphql::SimpleObject;
use entity::{Id, Json, transcript::TranscriptSegment};

/// One page of a transcript's segments.
#[derive(SimpleObject)]
#[graphql(name = "TranscriptSegmentConnection")]
pub struct SegmentPage {
    /// The page's segments, each with its cursor.
    edges: Vec<SegmentEdge>,
    /// The page's segments.
    nodes: Vec<TranscriptSegment>,
    /// Where this page begins and ends, and whether there are more.
    page_info: PageInfo,
    /// How many segments the transcript has.
    total_count: i32,
}

/// A segment and its place in the transcript.
#[derive(SimpleObject)]
#[graphql(name = "TranscriptSegmentEdge")]
pub struct SegmentEdge {
    /// The segment.
    node: TranscriptSegment,
    /// The segment's place, for `after`.
    cursor: Cursor,
}

impl SegmentPage {
    /// Cuts a page out of all segments of a transcript.
    ///
    /// # Errors
    /// When the size is negative or too large, or the cursor is not one of this transcript.
    pub(super) fn new(
        scope: &Scope,
        transcript: &Id,
        Json(segments): Json<Vec<TranscriptSegment>>,
        first: Option<i32>,
        after: Option<&Cursor>,
    ) -> Result<Self> {
        let limit = page_size("first", first)?;
        let places = scope.places(&format!("segments {transcript}"));
        let start = match after {
            Some(cursor) => places.position(&cursor.0)?.saturating_add(1),
            None => 0,
        };
        let total = segments.len();
        let edges: Vec<_> = segments
            .into_iter()
            .enumerate()
            .skip(start)
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|(position, node)| SegmentEdge {
                node,
                cursor: Cursor(places.cursor(position)),
            })
            .collect();
        let page_info = PageInfo {
            has_previous_page: start > 0,
            has_next_page: start + edges.len() < total,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        let nodes = edges.iter().map(|edge| edge.node.clone()).collect();
        Ok(Self {
            edges,
            nodes,
            page_info,
            total_count: i32::try_from(total).unwrap_or(i32::MAX),
        })
    }
}
