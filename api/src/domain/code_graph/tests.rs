use super::*;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

fn symbol(id: &str) -> Value {
    json!({ "id": id, "name": id.rsplit(':').next(), "kind": "function", "file": "a.rs", "line": 1 })
}

fn calls(from: &str, to: &str) -> Value {
    json!({ "from": from, "to": to, "kind": "calls", "tag": "extracted" })
}

fn read(nodes: &[Value], edges: &[Value], communities: &Value) -> CodeGraph {
    let whole = json!({ "nodes": nodes, "edges": edges, "communities": communities });
    CodeGraph::parse(whole.to_string().as_bytes()).unwrap()
}

fn ids(nodes: &[GraphNode]) -> Vec<&str> {
    nodes.iter().map(|node| node.id.as_str()).collect()
}

#[test]
fn the_most_connected_come_first_and_equals_by_id() {
    let nodes = ["d", "c", "b", "a"].map(symbol);
    let edges = [calls("c", "d"), calls("a", "d"), calls("a", "d")];
    let communities = json!([{ "id": "x", "label": "X", "nodeIds": ["a", "d", "nowhere"] }, { "label": "Y", "nodeIds": ["a"] }]);
    let graph = read(&nodes, &edges, &communities);
    assert_eq!(ids(&graph.most_connected(10)), ["d", "a", "c", "b"]);
    assert_eq!(ids(&graph.most_connected(2)), ["d", "a"]);
    let find = |id| graph.find("symbol", id).unwrap();
    let callers: Vec<_> = graph
        .callers(find("d"), 10)
        .into_iter()
        .map(|(node, _)| node.id)
        .collect();
    assert_eq!(callers, ["a", "c"], "an edge that is written twice is one");
    assert_eq!(graph.callees(find("a"), 10).len(), 1);
    let community = graph.community(find("d"), 1).unwrap();
    assert_eq!(
        (
            community.label.as_str(),
            community.size,
            ids(&community.members)
        ),
        ("X", 2, vec!["d"])
    );
    assert_eq!(graph.community(find("b"), 1), None);
    assert!(
        matches!(graph.find("from", "e"), Err(Error::BadUserInput { field, .. }) if field == "from")
    );
}

#[test]
fn names_are_found_whole_before_in_part() {
    let graph = read(
        &["a:PriceList", "b:price", "c:Surprice", "d:cost"].map(symbol),
        &[calls("a:PriceList", "d:cost")],
        &json!([]),
    );
    assert_eq!(
        ids(&graph.named("Price", 10)),
        ["b:price", "a:PriceList", "c:Surprice"]
    );
    assert_eq!(ids(&graph.named("Price", 2)), ["b:price", "a:PriceList"]);
    assert!(graph.named("nothing", 10).is_empty());
}

#[test]
fn a_path_is_as_short_as_a_naive_search_finds() {
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..40 {
        let names: Vec<String> = (0..30).map(|number| format!("s{number:02}")).collect();
        let nodes: Vec<_> = names.iter().map(|name| symbol(name)).collect();
        let links: HashSet<_> = (0..45).map(|_| (random(30), random(30))).collect();
        let edges: Vec<_> = links
            .iter()
            .map(|(from, to)| calls(&names[*from], &names[*to]))
            .collect();
        let graph = read(&nodes, &edges, &json!([]));
        for from in 0..30 {
            let mut far = HashMap::from([(from, 0)]);
            let mut changed = true;
            while changed {
                changed = false;
                for (one, other) in &links {
                    if let Some(steps) = far.get(one).map(|steps| steps + 1)
                        && far.get(other).is_none_or(|known| *known > steps)
                    {
                        far.insert(*other, steps);
                        changed = true;
                    }
                }
            }
            for (to, name) in names.iter().enumerate() {
                let find = |name: &str| graph.find("symbol", name).unwrap();
                let path = graph.path(find(&names[from]), find(name)).unwrap();
                assert_eq!(
                    path.as_ref().map(|path| path.len() - 1),
                    far.get(&to).copied()
                );
                for pair in path.iter().flat_map(|path| path.windows(2)) {
                    assert!(edges.contains(&calls(&pair[0].0.id, &pair[1].0.id)));
                }
            }
        }
    }
}

#[test]
fn a_path_too_long_to_show_is_refused() {
    let names: Vec<String> = (0..300).map(|number| format!("s{number:03}")).collect();
    let nodes: Vec<_> = names.iter().map(|name| symbol(name)).collect();
    let edges: Vec<_> = names
        .windows(2)
        .map(|pair| calls(&pair[0], &pair[1]))
        .collect();
    let graph = read(&nodes, &edges, &json!([]));
    let find = |name: &str| graph.find("symbol", name).unwrap();
    assert!(matches!(
        graph.path(find("s000"), find("s299")),
        Err(Error::LimitExceeded { actual: 300, .. })
    ));
    assert_eq!(
        graph
            .path(find("s000"), find("s199"))
            .unwrap()
            .unwrap()
            .len(),
        200
    );
}

#[test]
fn nonsense_is_unreadable_and_what_dangles_is_left_out() {
    for nonsense in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"nodes\":1,\"edges\":[]}",
        "{\"nodes\":[{}],\"edges\":[]}",
    ] {
        assert!(CodeGraph::parse(nonsense.as_bytes()).is_err(), "{nonsense}");
    }
    let deep = "[".repeat(100_000);
    assert!(CodeGraph::parse(deep.as_bytes()).is_err());
    assert!(CodeGraph::parse(b"\xff\xfe").is_err());
    let twice = [symbol("a"), symbol("a"), symbol("b")];
    let graph = read(
        &twice,
        &[
            calls("a", "library"),
            calls("nowhere", "b"),
            calls("a", "a"),
        ],
        &json!([]),
    );
    assert_eq!(ids(&graph.most_connected(10)), ["a", "b"]);
    assert_eq!(graph.most_connected(10)[1].degree, 0);
}
