//! A code graph as its builder wrote it, to the one that is asked.

use super::{CodeGraph, Community, Edge, Symbol};
use entity::project_graph::{GraphEdgeKind, GraphEdgeTag, GraphNodeKind};
use petgraph::graph::{DiGraph, NodeIndex};
use serde::Deserialize;
use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

/// A graph is not what a builder writes. Says where, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a builder writes, as far as it is asked about.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    nodes: Vec<WrittenNode<'a>>,
    #[serde(borrow)]
    edges: Vec<WrittenEdge<'a>>,
    #[serde(borrow, default)]
    communities: Vec<WrittenCommunity<'a>>,
}

#[derive(Deserialize)]
struct WrittenNode<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    kind: GraphNodeKind,
    #[serde(borrow)]
    file: Cow<'a, str>,
    #[serde(default)]
    line: Option<i32>,
}

#[derive(Deserialize)]
struct WrittenEdge<'a> {
    #[serde(borrow)]
    from: Cow<'a, str>,
    #[serde(borrow)]
    to: Cow<'a, str>,
    kind: GraphEdgeKind,
    #[serde(default)]
    tag: GraphEdgeTag,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenCommunity<'a> {
    #[serde(borrow)]
    label: Cow<'a, str>,
    #[serde(borrow)]
    node_ids: Vec<Cow<'a, str>>,
}

pub(super) fn parse(json: &[u8]) -> Result<CodeGraph, Unreadable> {
    let written: Written =
        serde_json::from_slice(json).map_err(|error| Unreadable(error.to_string()))?;
    let mut nodes = written.nodes;
    // Overloaded functions share an id; the first of them stands for all.
    nodes.sort_by(|one, other| one.id.cmp(&other.id));
    nodes.dedup_by(|later, first| later.id == first.id);
    if nodes.first().is_some_and(|node| node.id.is_empty()) {
        return Err(Unreadable("a node has an empty id".to_owned()));
    }
    let ids = nodes.iter().enumerate();
    let places: HashMap<&str, NodeIndex> = ids
        .map(|(place, node)| (&*node.id, NodeIndex::new(place)))
        .collect();
    let edges = edges(&written.edges, &places);
    let mut graph = DiGraph::with_capacity(nodes.len(), edges.len());
    let communities = communities(&written.communities, &places);
    let mut files: HashSet<Arc<str>> = HashSet::new();
    for node in &nodes {
        let file = files.get(&*node.file).cloned().unwrap_or_else(|| {
            let file: Arc<str> = (*node.file).into();
            files.insert(file.clone());
            file
        });
        graph.add_node(Symbol {
            id: (*node.id).into(),
            name: (*node.name).into(),
            kind: node.kind,
            file,
            line: node.line.filter(|line| *line > 0),
            degree: 0,
            community: None,
        });
    }
    for &(from, to, edge) in &edges {
        graph.add_edge(from, to, edge);
        graph[from].degree = graph[from].degree.saturating_add(1);
        if from != to {
            graph[to].degree = graph[to].degree.saturating_add(1);
        }
    }
    Ok(ranked(graph, communities))
}

/// The edges between known symbols, none twice. Those that lead out of the graph, to a library for example, are left out.
fn edges(
    written: &[WrittenEdge<'_>],
    places: &HashMap<&str, NodeIndex>,
) -> Vec<(NodeIndex, NodeIndex, Edge)> {
    let known = written.iter().filter_map(|edge| {
        let (kind, tag) = (edge.kind, edge.tag);
        Some((
            *places.get(&*edge.from)?,
            *places.get(&*edge.to)?,
            Edge { kind, tag },
        ))
    });
    let mut edges: Vec<_> = known.collect();
    // petgraph gives back the edge that was added last first. Backwards, so that they come out by end and kind.
    edges.sort_by_key(|(from, to, edge)| {
        Reverse((*from, *to, edge.kind as u8, Reverse(edge.tag as u8)))
    });
    edges.dedup_by_key(|(from, to, edge)| (*from, *to, edge.kind));
    edges
}

/// The labels of the communities, and which of them each symbol is in: the first that names it.
fn communities(
    written: &[WrittenCommunity<'_>],
    places: &HashMap<&str, NodeIndex>,
) -> (Vec<Community>, HashMap<NodeIndex, usize>) {
    let mut of = HashMap::new();
    let label = |(place, community): (usize, &WrittenCommunity<'_>)| {
        let members = community.node_ids.iter();
        for symbol in members.filter_map(|id| places.get(&**id)) {
            of.entry(*symbol).or_insert(place);
        }
        Community {
            label: (*community.label).into(),
            members: Vec::new(),
        }
    };
    (written.iter().enumerate().map(label).collect(), of)
}

/// Puts the symbols in order, and with that the members of the communities.
fn ranked(
    mut graph: DiGraph<Symbol, Edge>,
    (mut communities, of): (Vec<Community>, HashMap<NodeIndex, usize>),
) -> CodeGraph {
    let mut ranked: Vec<NodeIndex> = graph.node_indices().collect();
    ranked.sort_by_key(|symbol| (Reverse(graph[*symbol].degree), *symbol));
    for symbol in &ranked {
        if let Some(&place) = of.get(symbol) {
            graph[*symbol].community = u32::try_from(place).ok();
            communities[place].members.push(*symbol);
        }
    }
    CodeGraph {
        graph,
        ranked,
        communities,
    }
}
