//! A database that is gone is said to be, at once, and nothing need be done when it is back.

use super::readiness::asked;
use crate::{
    hostile::deadlines::{hold, release},
    support::{Door, Events, PATIENCE, Reply, TestApp, Waiting},
};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use workgraph::http::Limits;

const READ: &str = "{ goals(first: 1) { nodes { title } } }";
const WRITE: &str = "mutation { createProject(input: { name: \"Through\" }) { project { name } } }";

fn body(query: &str) -> String {
    json!({ "query": query }).to_string()
}

/// Asks until there is an answer.
async fn until_answered(door: &Door) {
    let waiting = Waiting::until("the database is back");
    loop {
        let reply = door.ask(READ, json!({})).await;
        if reply.status == 200 {
            return;
        }
        reply.refused(503, "UNAVAILABLE", READ);
        waiting.a_moment().await;
    }
}

/// Many at once are told that the database is gone, each before whoever waits at the pool loses patience: that would take
/// twice as long as a reply is waited for.
async fn gone(door: &Door) {
    let asked = (0..30).map(|number| {
        let request = door.post(body(if number % 3 == 0 { WRITE } else { READ }));
        tokio::spawn(Reply::to(request))
    });
    for reply in asked.collect::<Vec<_>>() {
        let reply = reply.await.expect("is answered");
        let error = reply.refused(503, "UNAVAILABLE", "while the database is gone");
        assert!(error["retryAfterMs"].is_null(), "nobody is too busy");
        assert_eq!(
            reply.errors()[0]["message"],
            "The database is out of reach; try again."
        );
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_not_told_as_nothing() {
    crate::support::run(async {
        let (app, proxy) = TestApp::start_behind_proxy(crate::support::limits()).await;
        let door = app.door().await;
        proxy.lose_commits(true);
        let reply = door.ask(WRITE, json!({})).await;
        proxy.lose_commits(false);
        assert_eq!(reply.body["data"], json!({ "createProject": null }));
        let [error] = reply.errors() else {
            panic!("{:#}", reply.body)
        };
        let extensions = error["extensions"].as_object().expect("an object");
        assert_eq!(extensions["code"], "UNAVAILABLE");
        assert_eq!(extensions.get("committed"), Some(&json!(null)), "{error:#}");
        until_answered(&door).await;
        let made = "{ projects(filter: { name: { eq: \"Through\" } }) { totalCount } }";
        assert_eq!(
            door.ask(made, json!({})).await.data()["projects"]["totalCount"],
            1
        );
    });
}

#[test]
fn a_stream_outlives_a_database_that_is_gone_for_longer_than_it_counts_who_follows() {
    crate::support::run(async {
        let limits = Limits {
            vetted_seconds: 1,
            ..crate::support::limits()
        };
        let (app, proxy) = TestApp::start_behind_proxy(limits).await;
        let (door, token) = (app.door().await, app.token("demo", "owner").await);
        let beating = "subscription { activity(heartbeatSeconds: 5) { event { action } } }";
        let mut events = Events::open(&app.url, &token, beating, None).await;
        events.next().await.expect("the first frame");
        proxy.cut().await;
        // It is asked who follows with the heartbeat.
        let beat = timeout(Duration::from_secs(6), events.next()).await;
        if let Ok(beat) = beat {
            let (_, _, frame) = beat.expect("goes on");
            assert!(frame["errors"].is_null(), "{frame:#}");
        }
        proxy.mend().await;
        until_answered(&door).await;
        door.ask(WRITE, json!({})).await.data();
        let told = async {
            loop {
                let (_, _, frame) = events.next().await.expect("goes on");
                assert!(frame["errors"].is_null(), "{frame:#}");
                if frame["data"]["activity"]["event"]["action"] == "project.created" {
                    return;
                }
            }
        };
        timeout(PATIENCE, told).await.expect("is told");
    });
}

#[test]
fn a_database_that_is_gone_is_unavailable_at_once_and_comes_back_by_itself() {
    crate::support::run(async {
        let (app, proxy) = TestApp::start_behind_proxy(crate::support::limits()).await;
        let door = app.door().await;
        for round in 0..5 {
            door.ask(READ, json!({})).await.data();
            proxy.cut().await;
            gone(&door).await;
            assert_eq!(asked(&app.url, "/health").await.0, 200);
            if round == 0 {
                tokio::time::sleep(Duration::from_millis(1100)).await;
                let (status, found) = asked(&app.url, "/readyz").await;
                assert_eq!(
                    (status, &found["ready"], &found["database"]["ok"]),
                    (503, &json!(false), &json!(false))
                );
            }
            proxy.mend().await;
            until_answered(&door).await;
        }
        assert_eq!(asked(&app.url, "/health").await.0, 200);
        let waiting = Waiting::until("it is ready again");
        while asked(&app.url, "/readyz").await.0 != 200 {
            waiting.a_moment().await;
        }
    });
}

#[test]
fn what_is_under_way_when_the_database_goes_is_unavailable_at_once() {
    crate::support::run(async {
        let limits = Limits {
            operation_seconds: 600,
            ..crate::support::limits()
        };
        let (app, proxy) = TestApp::start_behind_proxy(limits).await;
        let door = app.door().await;
        for by_cutting in [true, false] {
            let lock = hold(&app).await;
            let waiting: Vec<_> = [WRITE, "{ projects { totalCount } }"]
                .map(|query| tokio::spawn(Reply::whenever(door.post(body(query)))))
                .into();
            let beside = app.connection.across_tenants().await;
            let locked = Waiting::until("both wait for the table");
            while super::contention::waiting(&beside).await < 2 {
                locked.a_moment().await;
            }
            if by_cutting {
                proxy.cut().await;
            } else {
                let end = "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l USING (pid) \
                           WHERE NOT l.granted AND a.datname = current_database()";
                sea_orm::ConnectionTrait::execute_unprepared(&beside, end)
                    .await
                    .expect("ends them");
            }
            // They would have ten minutes.
            for reply in waiting {
                let reply = timeout(PATIENCE, reply).await.expect("in time");
                reply
                    .expect("is answered")
                    .refused(503, "UNAVAILABLE", "under way");
            }
            release(lock).await;
            if by_cutting {
                proxy.mend().await;
            }
            until_answered(&door).await;
        }
    });
}
