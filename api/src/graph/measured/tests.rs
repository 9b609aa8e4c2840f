//! The answer as it is measured.

use super::*;
use crate::store::Commits;
use async_graphql::value;
use futures_util::FutureExt;

#[test]
fn a_value_is_as_long_as_its_json() {
    let values = [
        value!(null),
        value!("plain"),
        value!("\"quoted\" \\ \n \u{1} \u{7f} ß 漢"),
        value!(-12.5),
        value!(1234567890),
    ];
    for value in values {
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(length(&value), json.len() as u64, "{json}");
    }
    let nested = value!({ "a": [1, { "b": "c" }], "d": "e" });
    let json = serde_json::to_string(&nested).unwrap().len() as u64;
    assert!(
        (json..json + 6).contains(&length(&nested)),
        "but for a comma or two"
    );
}

struct Query;

#[async_graphql::Object]
impl Query {
    async fn fails(&self) -> crate::graph::Nullable<i32> {
        Err(Error::Contended.into())
    }

    async fn takes(
        &self,
        #[graphql(validator(maximum = 3))] at_most_three: i32,
    ) -> crate::graph::Nullable<i32> {
        Ok(Some(at_most_three))
    }

    async fn below(&self) -> crate::graph::Nullable<Below> {
        Ok(Some(Below))
    }

    async fn is_there(&self) -> bool {
        true
    }
}

struct Below;

#[async_graphql::Object]
impl Below {
    async fn fails(&self) -> crate::graph::Nullable<i32> {
        Err(Error::Contended.into())
    }

    async fn required(&self) -> async_graphql::Result<i32> {
        Err(Error::Unavailable.into())
    }
}

async fn answer(document: &str) -> Response {
    use async_graphql::{EmptyMutation, EmptySubscription, Schema};
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription);
    schema.extension(Measured).finish().execute(document).await
}

#[tokio::test]
async fn a_nullable_field_that_fails_keeps_what_is_around_it() {
    let answer = answer("{ fails takes(atMostThree: 4) below { required } isThere }").await;
    let kept = value!({ "fails": null, "takes": null, "below": null, "isThere": true });
    assert_eq!(answer.data, kept);
    let paths = answer.errors.iter().map(|error| {
        let names = error.path.iter().map(|segment| match segment {
            PathSegment::Field(name) => name.clone(),
            PathSegment::Index(index) => index.to_string(),
        });
        names.collect::<Vec<_>>().join(".")
    });
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    assert_eq!(paths, ["below.required", "fails", "takes"]);
}

#[tokio::test]
async fn of_many_errors_a_few_are_told_and_how_many_more_there_are() {
    let often: String = (0..150).map(|n| format!("a{n}: fails ")).collect();
    let often = format!("below {{ {often} }} other: below {{ fails }} last: below {{ required }}");
    let answer = answer(&format!("{{ {often} }}")).await;
    let codes: Vec<_> = { answer.errors.iter() }
        .filter_map(crate::answer::code)
        .collect();
    // There is one of each root field and of each kind, though it may be the last.
    assert_eq!((answer.errors.len(), &*codes[0]), (23, "CONFLICT"));
    assert_eq!((&*codes[20], &*codes[21]), ("CONFLICT", "UNAVAILABLE"));
    assert_eq!(answer.errors[22].message, "And 130 more errors like these.");
}

#[tokio::test]
async fn a_mutation_whose_turn_comes_too_late_is_not_begun_and_waits_for_nothing() {
    // What an earlier one was asked to commit is not settled.
    let meter = Arc::new(Meter::too_late(Commits::of(&[], &["earlier"])));
    let at = QueryPathNode {
        parent: None,
        segment: QueryPathSegment::Name("late"),
    };
    let late = in_time(&meter, &at, async { panic!("begun") }).now_or_never();
    let refused = late
        .and_then(Result::err)
        .as_ref()
        .and_then(crate::answer::code);
    assert_eq!(refused.as_deref(), Some("DEADLINE_EXCEEDED"), "at once");
}
