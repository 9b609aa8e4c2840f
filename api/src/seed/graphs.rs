//! The code graphs of projects: files, symbols, and what depends on what, as first built and as it is now.

use super::{
    agenda::Who,
    workspace::{Workspace, count},
};
use crate::{
    domain::digest,
    error::{Error, Result},
};
use entity::{
    Json, Large, Secret,
    project_graph::{self, GraphNode, GraphNodeKind},
    user::UserRole,
};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many of the most connected symbols a graph's row names.
const GOD_NODES: usize = 10;

/// So many days before a graph was built its repository was pushed to.
const PUSHED: f64 = 0.02;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Graph {
    project: String,
    repo: String,
    languages: Vec<String>,
    /// Days since it was built.
    ago: f64,
    /// Symbols such as `class Cart 12` by file.
    files: BTreeMap<String, Vec<String>>,
    /// Edges such as `Cart.total calls priceOf`.
    links: Vec<String>,
}

/// A symbol of a project's graph.
pub(super) struct Symbol {
    pub(super) project: String,
    pub(super) node: GraphNode,
}

pub(super) fn tell(ws: &mut Workspace<'_>, graph: Graph) -> Result<()> {
    let mut nodes = nodes(&graph.files)?;
    // At first nothing was known of what depends on what.
    let before = built(&nodes, &edges(&[], &mut nodes.clone())?);
    let edges = edges(&graph.links, &mut nodes)?;
    let after = built(&nodes, &edges);
    ws.symbols.extend(nodes.into_iter().map(|node| Symbol {
        project: graph.project.clone(),
        node,
    }));
    let ago = graph.ago;
    ws.at(
        ws.ago(ago + 70.0),
        Who::Person(UserRole::Admin),
        move |ws| {
            Box::pin(async move {
                let row = project_graph::ActiveModel {
                    project_id: Set(ws.id(&format!("project:{}", graph.project))?),
                    languages: Set(Json(graph.languages)),
                    repo_path: Set(Secret::new(format!("/srv/graphs/{}", graph.repo))),
                    repo_label: Set(Some(graph.repo)),
                    built_at: Set(Some(ws.moment)),
                    ..before
                };
                let row = ws.tx.insert(row, "graph.created").await?;
                let id = row.id.clone();
                ws.at(
                    ws.ago(ago + PUSHED),
                    Who::Server("webhook:github"),
                    move |ws| {
                        Box::pin(async move {
                            let row = ws.row::<project_graph::Entity>(&id).await?;
                            let changes = project_graph::ActiveModel {
                                pushed_at: Set(Some(ws.moment)),
                                ..Default::default()
                            };
                            ws.tx.update(&row, changes, "graph.pushed").await.map(drop)
                        })
                    },
                );
                ws.at(ws.ago(ago), Who::Server("graph"), move |ws| {
                    Box::pin(async move {
                        let row = ws.row::<project_graph::Entity>(&row.id).await?;
                        let changes = project_graph::ActiveModel {
                            built_at: Set(Some(ws.moment)),
                            ..after
                        };
                        ws.tx.update(&row, changes, "graph.built").await.map(drop)
                    })
                });
                Ok(())
            })
        },
    );
    Ok(())
}

/// What a graph's row says of these nodes and edges.
fn built(nodes: &[GraphNode], edges: &[Value]) -> project_graph::ActiveModel {
    let communities: Vec<Value> = folders(nodes)
        .into_iter()
        .map(|(folder, members)| json!({ "id": folder, "label": folder, "nodeIds": members }))
        .collect();
    let whole = json!({ "nodes": nodes, "edges": edges, "communities": communities });
    let mut gods: Vec<&GraphNode> = nodes.iter().collect();
    gods.sort_by(|one, other| (-one.degree, &one.id).cmp(&(-other.degree, &other.id)));
    project_graph::ActiveModel {
        content_hash: Set(digest::sha256(whole.to_string().as_bytes())),
        node_count: Set(count(nodes)),
        edge_count: Set(count(edges)),
        community_count: Set(count(&communities)),
        god_node_slugs: Set(Json(gods.into_iter().take(GOD_NODES).cloned().collect())),
        graph_json: Set(Large::new(Json(whole))),
        ..Default::default()
    }
}

fn nodes(files: &BTreeMap<String, Vec<String>>) -> Result<Vec<GraphNode>> {
    let mut nodes = Vec::new();
    for (file, symbols) in files {
        let name = file.rsplit('/').next().unwrap_or(file);
        nodes.push(node(
            file,
            GraphNodeKind::File,
            "file",
            name,
            None,
            count(symbols),
        ));
        for symbol in symbols {
            let parts: Vec<&str> = symbol.split_whitespace().collect();
            let [word, name, line] = parts[..] else {
                return Err(unclear(symbol));
            };
            let kind = serde_json::from_value(word.into()).map_err(Error::internal)?;
            nodes.push(node(
                file,
                kind,
                word,
                name,
                Some(line.parse().map_err(Error::internal)?),
                1,
            ));
        }
    }
    Ok(nodes)
}

fn node(
    file: &str,
    kind: GraphNodeKind,
    word: &str,
    name: &str,
    line: Option<i32>,
    degree: i32,
) -> GraphNode {
    let (id, name, file) = (
        format!("{file}:{word}:{name}"),
        name.to_owned(),
        file.to_owned(),
    );
    GraphNode {
        id,
        name,
        kind,
        file,
        line,
        degree,
    }
}

/// The edges that are written down, after those from each file to what it contains.
fn edges(links: &[String], nodes: &mut [GraphNode]) -> Result<Vec<Value>> {
    let mut edges = Vec::new();
    for file in nodes.iter().filter(|node| node.kind == GraphNodeKind::File) {
        for inner in nodes
            .iter()
            .filter(|node| node.file == file.file && node.id != file.id)
        {
            edges.push(
                json!({ "from": file.id, "to": inner.id, "kind": "contains", "tag": "extracted" }),
            );
        }
    }
    for link in links {
        let parts: Vec<&str> = link.split_whitespace().collect();
        let [from, kind, to] = parts[..] else {
            return Err(unclear(link));
        };
        let mut ends = [from, to].map(|name| nodes.iter().position(|node| node.name == name));
        let [Some(from), Some(to)] = ends else {
            return Err(unclear(link));
        };
        for end in ends.iter_mut().flatten() {
            nodes[*end].degree += 1;
        }
        // A call through an interface is found by its name only.
        let tag = if kind == "calls" && nodes[from].file != nodes[to].file {
            "inferred"
        } else {
            "extracted"
        };
        edges.push(json!({ "from": nodes[from].id, "to": nodes[to].id, "kind": kind, "tag": tag }));
    }
    Ok(edges)
}

/// The nodes by their folder.
fn folders(nodes: &[GraphNode]) -> BTreeMap<&str, Vec<&str>> {
    let mut folders = BTreeMap::<&str, Vec<&str>>::new();
    for node in nodes {
        let folder = node.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder).or_default().push(&node.id);
    }
    folders
}

fn unclear(text: &str) -> Error {
    Error::internal(format!("the demo's graph says `{text}`"))
}
