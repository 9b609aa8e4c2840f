//! How much work judging is, and what is kept of it.

use super::*;
use std::time::{Duration, Instant};

#[test]
fn what_was_judged_is_kept_within_its_memory() {
    let limits = Limits {
        kept_document_bytes: 1 << 20,
        ..Limits::default()
    };
    let guard = Guard::new(&crate::graph::sdl(), limits, true).unwrap();
    let judge = |document: &str| {
        let body = json!({ "query": document }).to_string();
        guard.judge_body(body.as_bytes()).unwrap()
    };
    assert!(
        judge("{ feedCursor }").new && judge("{ feedCursor }").new,
        "nobody asked to keep it"
    );
    guard.keep(&judge("{ feedCursor }"));
    for _ in 0..5 {
        assert!(!judge("{ feedCursor }").new);
    }
    for n in 0..2_000 {
        let flood = format!("{{ feedCursor }} # {n} {}", "x".repeat(2_000));
        guard.keep(&judge(&flood));
        assert!(guard.kept.bytes() <= 1 << 20);
    }
    assert!(
        !judge("{ feedCursor }").new,
        "a flood pushed out what is in use"
    );
}

/// Documents of a kind that grow with a number.
type Shape = (&'static str, fn(usize) -> String);

const SHAPES: [Shape; 11] = [
    ("fields", |n| format!("{{ {} }}", "feedCursor ".repeat(n))),
    ("fragments in a chain", |n| {
        let chain = (0..90).map(|at| {
            format!(
                "fragment f{at} on Query {{ {} ...f{} }} ",
                "feedCursor ".repeat(n / 90),
                at + 1
            )
        });
        format!(
            "{{ ...f0 }} {} fragment f90 on Query {{ feedCursor }}",
            chain.collect::<String>()
        )
    }),
    ("fragments in a fan", |n| {
        let fan = (0..90).map(|at| {
            format!(
                "fragment f{at} on Query {{ {} }} ",
                "feedCursor ".repeat(n / 90)
            )
        });
        let spreads: String = (0..90).map(|at| format!("...f{at} ")).collect();
        format!("{{ {spreads} }} {}", fan.collect::<String>())
    }),
    ("a bomb of fragments", |n| {
        let chain = (0..(n / 50).min(95))
            .map(|at| format!("fragment f{at} on Query {{ ...f{m} ...f{m} }} ", m = at + 1));
        format!("{{ ...f0 }} {}", chain.collect::<String>())
    }),
    ("operations that share a fragment", |n| {
        let operations: String = (0..n / 2)
            .map(|at| format!("query q{at} {{ ...f }} "))
            .collect();
        format!(
            "{operations} fragment f on Query {{ {} }}",
            "feedCursor ".repeat(n / 2)
        )
    }),
    ("aliases that share a fragment", |n| {
        let aliases: String = (0..n / 8)
            .map(|at| format!("a{at}: projects {{ ...f }} "))
            .collect();
        format!(
            "{{ {aliases} }} fragment f on ProjectConnection {{ nodes {{ {} }} }}",
            "id ".repeat(n / 2)
        )
    }),
    ("directives", |n| {
        format!("{{ feedCursor {} }}", "@skip(if: false) ".repeat(n / 2))
    }),
    ("values in lists", |n| {
        format!(
            "query($a: ID!) {{ nodes(ids: [{}]) {{ id }} }}",
            "$a ".repeat(n)
        )
    }),
    ("deep inputs", |n| {
        let filter = "{ and: ".repeat(25) + "{ id: { in: [\"a\"] } }" + &"}".repeat(25);
        format!(
            "{{ {} }}",
            format!("projects(filter: {filter}) {{ totalCount }} ").repeat(n / 60)
        )
    }),
    ("fields that there are not", |n| {
        let fields = (0..n).map(|at| format!("aprovalQueues{at} "));
        format!("{{ {} }}", fields.collect::<String>())
    }),
    ("values that there are not", |n| {
        let orders = (0..n).map(|at| format!("{{ field: CREATED_TA{at} }} "));
        format!(
            "{{ tickets(orderBy: [{}]) {{ totalCount }} }}",
            orders.collect::<String>()
        )
    }),
];

#[test]
fn the_work_of_judging_grows_with_the_document() {
    let time = |document: &str| {
        let tries = (0..3).map(|_| {
            let begun = Instant::now();
            let _ = asked(document, json!({ "a": "x" }));
            begun.elapsed()
        });
        tries.min().unwrap()
    };
    time("{ feedCursor }");
    for (name, shape) in SHAPES {
        let (small, large) = (shape(1_000), shape(4_000));
        let (short, long) = (time(&small), time(&large));
        // Four times as much may take four times as long; a machine that is busy with other things, some more.
        let allowed = short.max(Duration::from_millis(2)) * 16;
        assert!(
            long < allowed,
            "{name}: {short:?} for {}, {long:?} for {} bytes",
            small.len(),
            large.len()
        );
        assert!(long < Duration::from_secs(2), "{name}: {long:?}");
    }
}
