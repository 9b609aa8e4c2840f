//! Questions about a project's code graph: what calls what, what belongs together, how one symbol comes to need another.
//!
//! Every list is in the same order: the most connected symbol first, and among equals by id. The graph is somebody's
//! data: whatever it holds, a question about it ends, in time that grows with its size.

mod parse;

pub(crate) use self::parse::Unreadable;

use crate::error::{Error, Result};
use chrono::TimeDelta;
use entity::{
    Timestamp,
    project_graph::{GraphEdgeKind, GraphEdgeTag, GraphNode, GraphNodeKind},
};
use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
    visit::EdgeRef,
};
use std::{cmp::Reverse, collections::VecDeque, iter, mem, sync::Arc};

/// A graph older than this may no longer show the code as it is.
const FRESH: TimeDelta = TimeDelta::hours(24);

/// The most steps a path is shown with.
const LONGEST_PATH: usize = 200;

/// Whether a graph that was built then may no longer show the code as it is now, of a repository that was last pushed to
/// then, as far as anybody told.
pub(crate) fn is_stale(built: Timestamp, pushed: Option<Timestamp>, now: Timestamp) -> bool {
    pushed.is_some_and(|pushed| pushed > built) || now.inner() - built.inner() >= FRESH
}

/// A code graph that was read. The indices of its symbols are in the order of their ids.
#[derive(Debug)]
pub(crate) struct CodeGraph {
    graph: DiGraph<Symbol, Edge>,
    /// All symbols, the most connected first.
    ranked: Vec<NodeIndex>,
    communities: Vec<Community>,
}

/// A symbol: a file, or something in one.
#[derive(Debug)]
struct Symbol {
    id: Box<str>,
    name: Box<str>,
    kind: GraphNodeKind,
    file: Arc<str>,
    line: Option<i32>,
    degree: i32,
    community: Option<u32>,
}

/// How a symbol depends on another, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// How it depends on the other.
    pub(crate) kind: GraphEdgeKind,
    /// How that is known.
    pub(crate) tag: GraphEdgeTag,
}

/// Symbols that are more closely related to each other than to the rest, the most connected first.
#[derive(Debug)]
struct Community {
    label: Box<str>,
    members: Vec<NodeIndex>,
}

/// A community, cut to its most connected members.
#[derive(Debug, PartialEq)]
pub(crate) struct CommunityShown {
    /// What it is called.
    pub(crate) label: String,
    /// How many symbols it has.
    pub(crate) size: usize,
    /// The most connected of them.
    pub(crate) members: Vec<GraphNode>,
}

/// A symbol on a path, with the edge that leads to it; none leads to the first.
type Step = (GraphNode, Option<Edge>);

/// A symbol of the graph, found by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found(NodeIndex);

impl CodeGraph {
    /// Reads a graph.
    ///
    /// # Errors
    /// [`Unreadable`] when it is not what a builder writes.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Unreadable> {
        parse::parse(json)
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        // petgraph keeps two links with each node, and two links and two ends with each edge.
        let node = mem::size_of::<Symbol>() + 2 * mem::size_of::<NodeIndex>();
        let edge = mem::size_of::<Edge>() + 4 * mem::size_of::<NodeIndex>();
        let symbols = self.graph.node_weights();
        let texts: usize = symbols
            .map(|symbol| symbol.id.len() + symbol.name.len())
            .sum();
        let files: usize = self.files().map(str::len).sum();
        let communities = self.communities.iter();
        let labels: usize = communities
            .map(|of| mem::size_of::<Community>() + of.label.len())
            .sum();
        let ranks = 2 * self.ranked.len() * mem::size_of::<NodeIndex>();
        self.graph.node_count() * node
            + self.graph.edge_count() * edge
            + texts
            + files
            + labels
            + ranks
    }

    /// The paths of the files; each stands once in memory.
    fn files(&self) -> impl Iterator<Item = &str> {
        let mut last = None;
        self.graph.node_weights().filter_map(move |symbol| {
            let same = last.replace(symbol.file.as_ptr()) == Some(symbol.file.as_ptr());
            (!same).then_some(&*symbol.file)
        })
    }

    /// The symbol with this id, which the caller was given as `argument`.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when there is none.
    pub(crate) fn find(&self, argument: &str, id: &str) -> Result<Found> {
        let (mut low, mut high) = (0, self.graph.node_count());
        while low < high {
            let middle = low.midpoint(high);
            match (*self.graph[NodeIndex::new(middle)].id).cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(Found(NodeIndex::new(middle))),
            }
        }
        Err(Error::bad_input(
            argument,
            "no symbol of this graph has this id. Ids are `path:kind:name`; look one up with `findSymbols(name: …)`",
        ))
    }

    /// The symbol as it is shown.
    pub(crate) fn node(&self, Found(symbol): Found) -> GraphNode {
        self.shown(symbol)
    }

    fn shown(&self, symbol: NodeIndex) -> GraphNode {
        let symbol = &self.graph[symbol];
        GraphNode {
            id: (*symbol.id).to_owned(),
            name: (*symbol.name).to_owned(),
            kind: symbol.kind,
            file: (*symbol.file).to_owned(),
            line: symbol.line,
            degree: symbol.degree,
        }
    }

    /// The most connected symbols.
    pub(crate) fn most_connected(&self, most: usize) -> Vec<GraphNode> {
        let symbols = self.ranked.iter().take(most);
        symbols.map(|symbol| self.shown(*symbol)).collect()
    }

    /// The symbols that have this in their name, capital letters or not; those that are called just so come first.
    pub(crate) fn named(&self, part: &str, most: usize) -> Vec<GraphNode> {
        let folded = part.to_ascii_lowercase();
        let name = |symbol: &&NodeIndex| &*self.graph[**symbol].name;
        let called_so = |symbol: &&NodeIndex| name(symbol).eq_ignore_ascii_case(part);
        let exact = self.ranked.iter().filter(called_so);
        let others = self.ranked.iter().filter(|symbol| {
            !called_so(symbol) && name(symbol).to_ascii_lowercase().contains(&folded)
        });
        let symbols = exact.chain(others).take(most);
        symbols.map(|symbol| self.shown(*symbol)).collect()
    }

    /// What depends on the symbol itself, each with how.
    pub(crate) fn callers(&self, symbol: Found, most: usize) -> Vec<(GraphNode, Edge)> {
        self.neighbours(symbol, Direction::Incoming, most)
    }

    /// What the symbol itself depends on, each with how.
    pub(crate) fn callees(&self, symbol: Found, most: usize) -> Vec<(GraphNode, Edge)> {
        self.neighbours(symbol, Direction::Outgoing, most)
    }

    /// The edges at a symbol, also what contains it and what it contains: where each begins, where it ends and what it is.
    /// Those to the most connected first.
    pub(crate) fn edges(
        &self,
        Found(symbol): Found,
        most: usize,
    ) -> Vec<(GraphNode, GraphNode, Edge)> {
        let edges_of = |way| self.graph.edges_directed(symbol, way);
        let incoming = edges_of(Direction::Incoming).filter(|edge| edge.source() != edge.target());
        let mut found: Vec<_> = incoming
            .chain(edges_of(Direction::Outgoing))
            .map(|edge| (edge.source(), edge.target(), *edge.weight()))
            .collect();
        found.sort_by_key(|&(from, to, edge)| {
            let other = if from == symbol { to } else { from };
            (self.rank(other), from == symbol, edge.kind as u8)
        });
        let shown = found.into_iter().take(most);
        shown
            .map(|(from, to, edge)| (self.shown(from), self.shown(to), edge))
            .collect()
    }

    /// That a file or type contains something is where it stands, and nobody's call.
    fn neighbours(&self, symbol: Found, way: Direction, most: usize) -> Vec<(GraphNode, Edge)> {
        let edges = self.graph.edges_directed(symbol.0, way);
        let mut found: Vec<(NodeIndex, Edge)> = edges
            .filter(|edge| edge.weight().kind != GraphEdgeKind::Contains)
            .map(|edge| match way {
                Direction::Incoming => (edge.source(), *edge.weight()),
                Direction::Outgoing => (edge.target(), *edge.weight()),
            })
            .collect();
        found.sort_by_key(|(symbol, edge)| (self.rank(*symbol), edge.kind as u8));
        let found = found.into_iter().take(most);
        found
            .map(|(symbol, edge)| (self.shown(symbol), edge))
            .collect()
    }

    /// What a list is sorted by: the indices are in the order of the ids.
    fn rank(&self, symbol: NodeIndex) -> (Reverse<i32>, NodeIndex) {
        (Reverse(self.graph[symbol].degree), symbol)
    }

    /// What the symbol's community is called; `None` when it is in none.
    pub(crate) fn community_label(&self, symbol: Found) -> Option<String> {
        self.community_of(symbol)
            .map(|community| (*community.label).to_owned())
    }

    /// The symbol's community; `None` when it is in none.
    pub(crate) fn community(&self, symbol: Found, most: usize) -> Option<CommunityShown> {
        self.community_of(symbol).map(|community| CommunityShown {
            label: (*community.label).to_owned(),
            size: community.members.len(),
            members: community
                .members
                .iter()
                .take(most)
                .map(|member| self.shown(*member))
                .collect(),
        })
    }

    fn community_of(&self, Found(symbol): Found) -> Option<&Community> {
        let community = usize::try_from(self.graph[symbol].community?).ok()?;
        self.communities.get(community)
    }

    /// A shortest way from one symbol to another along the edges, each step with the edge that leads to it. Of several
    /// it is always the same. `None` when there is none.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] when it is too long to be shown.
    pub(crate) fn path(&self, from: Found, to: Found) -> Result<Option<Vec<Step>>> {
        let Some(path) = self.shortest(from.0, to.0) else {
            return Ok(None);
        };
        if path.len() > LONGEST_PATH {
            return Err(Error::LimitExceeded {
                name: "The length of a path",
                limit: LONGEST_PATH as u64,
                actual: path.len() as u64,
            });
        }
        let steps = path.into_iter();
        Ok(Some(
            steps
                .map(|(symbol, edge)| (self.shown(symbol), edge))
                .collect(),
        ))
    }

    /// Breadth first. Edges leave a symbol in the order of their ends, so equal graphs give equal ways.
    fn shortest(&self, from: NodeIndex, to: NodeIndex) -> Option<Vec<(NodeIndex, Option<Edge>)>> {
        let mut reached: Vec<Option<(NodeIndex, Option<Edge>)>> =
            vec![None; self.graph.node_count()];
        reached[from.index()] = Some((from, None));
        let mut next = VecDeque::from([from]);
        while reached[to.index()].is_none() {
            let symbol = next.pop_front()?;
            for edge in self.graph.edges(symbol) {
                let known = &mut reached[edge.target().index()];
                if known.is_none() {
                    *known = Some((symbol, Some(*edge.weight())));
                    next.push_back(edge.target());
                }
            }
        }
        let steps = iter::successors(Some(to), |symbol| {
            let (before, edge) = reached[symbol.index()]?;
            edge.map(|_| before)
        });
        let mut path: Vec<_> = steps
            .map(|symbol| (symbol, reached[symbol.index()].and_then(|(_, edge)| edge)))
            .collect();
        path.reverse();
        Some(path)
    }
}

#[cfg(test)]
mod tests;
