//! The agent on a running server, which WORKGRAPH_URL and WORKGRAPH_TOKEN (of the demo's owner) name.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

mod support;

use serde_json::{Value, json};
use std::fs;
use support::{Lost, Place, Wire, ask, journal, url};

/// A script that goes on for long, and begins another process that does not end when it is asked to.
const LONG: &str = "(trap '' TERM; exec sleep 600 >alive) & echo begun; wait";

#[tokio::test]
async fn it_does_what_there_is_and_what_comes_and_leaves_when_it_is_told_to() {
    let here = Place::new("work").await;
    let first = here.ticket("First").await;
    let script = "grep -o First | head -n 1; echo \"token: $WORKGRAPH_AGENT_TOKEN\"";
    let agent = here.agent(script);
    let done = first.until_status("DONE").await;
    assert_eq!(
        done["result"],
        json!({ "exitCode": 0, "output": "First\ntoken:" })
    );
    assert_eq!(journal(&done), ["First\ntoken:\n"]);
    // It hears of what comes.
    let second = here.ticket("Second").await;
    second.until_status("DONE").await;
    agent.leave().await;
}

#[tokio::test]
async fn what_fails_is_handed_in_as_such_and_tried_again_if_it_was_in_passing() {
    let here = Place::new("failure").await;
    let ticket = here.ticket("Broken").await;
    let agent =
        here.agent("test -e tried && { echo it is broken >&2; exit 3; }; touch tried; exit 75");
    let failed = ticket.until_status("FAILED").await;
    assert_eq!(failed["error"], "The command ended with 3.\nit is broken");
    let jobs = failed["jobs"]["nodes"].as_array().unwrap();
    let tries: i64 = jobs
        .iter()
        .map(|job| job["attempt"].as_i64().unwrap())
        .sum();
    assert_eq!(tries, 2, "{failed:#}");
    agent.leave().await;
}

#[tokio::test]
async fn killed_in_the_middle_it_goes_on_when_it_is_started_again() {
    let here = Place::new("kill").await;
    let ticket = here.ticket("Long").await;
    for life in 1..=2 {
        let agent = here.agent("echo begun; sleep 60");
        ticket.until_told(life).await;
        agent.kill().await;
    }
    let agent = here.agent("echo ended");
    let done = ticket.until_status("DONE").await;
    assert_eq!(journal(&done), ["begun\n", "begun\n", "ended\n"]);
    agent.leave().await;
}

#[tokio::test]
async fn what_came_of_its_work_is_handed_in_again_even_by_its_next_life() {
    for (name, lost, is_killed) in [
        ("unsaid", Lost::Request("Complete"), true),
        ("unheard", Lost::Answer("Complete"), true),
        ("again", Lost::Answer("Complete"), false),
    ] {
        let here = Place::new(name).await;
        let ticket = here.ticket("Once").await;
        let wire = Wire::to(&url()).await;
        wire.lose(lost);
        let script = "echo done; echo ran >>runs";
        let mut agent = here.agent_with(&wire.url, "session", &[], script);
        wire.has_lost_it().await;
        let status = ticket.now().await["status"].clone();
        let before = if lost == Lost::Request("Complete") {
            "CLAIMED"
        } else {
            "DONE"
        };
        assert_eq!(status, before, "{name}");
        if is_killed {
            agent.kill().await;
            agent = here.agent("echo ran >>runs");
        } else {
            wire.lose(Lost::Nothing);
        }
        let done = ticket.until_status("DONE").await;
        assert_eq!(done["result"]["output"], "done", "{name}");
        assert_eq!(done["jobs"]["nodes"][0]["attempt"], 1, "{name}");
        // The result was taken, and so it works on.
        here.ticket("Next").await.until_status("DONE").await;
        assert_eq!(here.read("runs"), "ran\nran\n", "{name}");
        agent.leave().await;
    }
}

#[tokio::test]
async fn it_works_on_while_the_server_is_out_of_reach() {
    let here = Place::new("outage").await;
    let ticket = here.ticket("Patient").await;
    let wire = Wire::to(&url()).await;
    let script = "echo 1; until test -e cut; do sleep 0.1; done; echo 2; echo 3; touch printed; \
        until test -e mended; do sleep 0.1; done; echo 4";
    let agent = here.agent_with(&wire.url, "session", &[], script);
    ticket.until_told(1).await;
    wire.lose(Lost::All);
    fs::write(here.path("cut"), "").unwrap();
    while !here.path("printed").exists() {
        tokio::task::yield_now().await;
    }
    wire.lose(Lost::Nothing);
    fs::write(here.path("mended"), "").unwrap();
    let done = ticket.until_status("DONE").await;
    assert_eq!(journal(&done), ["1\n2\n3\n4\n"]);
    // It is told of work again.
    here.ticket("Next").await.until_status("DONE").await;
    agent.leave().await;
}

#[tokio::test]
async fn a_job_that_is_cancelled_ends_its_command_with_all_that_it_began() {
    let here = Place::new("cancel").await;
    let ticket = here.ticket("Cancelled").await;
    let alive = here.alive();
    let agent = here.agent(&format!("test -e begun && exit; touch begun; {LONG}"));
    let now = ticket.until_told(1).await;
    let job = &now["jobs"]["nodes"][0]["id"];
    let cancel = "mutation($job: ID!) { cancelJob(input: { id: $job }) { __typename } }";
    ask(cancel, json!({ "job": job })).await;
    alive.await;
    // It is free for what comes: the same ticket, which waits again.
    ticket.until_status("DONE").await;
    agent.leave().await;
}

#[tokio::test]
async fn stopped_it_gives_back_what_takes_too_long() {
    let here = Place::new("grace").await;
    let ticket = here.ticket("Long").await;
    let alive = here.alive();
    let agent = here.agent_with(&url(), "session", &["--grace", "1"], LONG);
    ticket.until_told(1).await;
    agent.leave().await;
    alive.await;
    let now = ticket.now().await;
    assert_eq!(
        (&now["status"], &now["error"]),
        (&json!("READY"), &Value::Null)
    );
}

#[tokio::test]
async fn asked_by_an_admin_it_ends_what_it_does_and_leaves() {
    let here = Place::new("drain").await;
    let ticket = here.ticket("Last").await;
    let agent = here.agent("echo begun; until test -e drained; do sleep 0.1; done");
    let now = ticket.until_told(1).await;
    let session = &now["jobs"]["nodes"][0]["sessionId"];
    let drain = "mutation($id: ID!) { drainAgent(input: { sessionId: $id }) { __typename } }";
    ask(drain, json!({ "id": session })).await;
    let next = here.ticket("Not any more").await;
    fs::write(here.path("drained"), "").unwrap();
    assert!(agent.end().await.success());
    ticket.until_status("DONE").await;
    assert_eq!(next.now().await["status"], "READY");
}

#[tokio::test]
async fn without_its_token_it_ends_and_its_command_with_it() {
    let here = Place::new("revoked").await;
    let ticket = here.ticket("Long").await;
    let alive = here.alive();
    let agent = here.agent(LONG);
    ticket.until_told(1).await;
    let revoke = "mutation($id: ID!) { revokeAgentToken(input: { id: $id }) { __typename } }";
    ask(revoke, json!({ "id": here.token_id })).await;
    alive.await;
    assert!(!agent.end().await.success());
}

#[tokio::test]
async fn of_endless_output_the_journal_has_the_beginning_and_the_result_the_end() {
    let here = Place::new("output").await;
    let ticket = here.ticket("Loud").await;
    // One line of nine million letters, which are more than 2,000 entries take, and something that is no text.
    let agent = here.agent("head -c 9000000 /dev/zero | tr '\\0' x; printf '\\n\\377\\033 end'");
    let done = ticket.until_status("DONE").await;
    let events = &done["jobs"]["nodes"][0]["events"];
    assert_eq!(events["totalCount"], 2000);
    assert_eq!(events["nodes"][0]["text"], "x".repeat(4000));
    let output = done["result"]["output"].as_str().unwrap();
    assert!(output.ends_with("xxx\n\u{fffd} end"), "{output}");
    assert!(output.len() <= 4000, "{}", output.len());
    agent.leave().await;
}

#[tokio::test]
async fn two_agents_do_each_of_many_tickets_once_though_one_is_killed() {
    let here = Place::new("two").await;
    let mut tickets = Vec::new();
    for number in 10..30 {
        tickets.push(here.ticket(&format!("Number {number}")).await);
    }
    let script = "grep -o 'Number [0-9]*' | head -n 1 >>runs; sleep 0.2";
    let start = |session| here.agent_with(&url(), session, &[], script);
    let (one, two) = (start("one"), start("two"));
    tickets[7].until_status("DONE").await;
    one.kill().await;
    let one = start("one");
    let mut attempts = 0;
    for ticket in &tickets {
        let done = ticket.until_status("DONE").await;
        let jobs = done["jobs"]["nodes"].as_array().unwrap();
        assert_eq!(jobs.len(), 1, "{done:#}");
        attempts += jobs[0]["attempt"].as_u64().unwrap();
    }
    let runs = here.read("runs");
    for number in 10..30 {
        assert!(runs.contains(&format!("Number {number}\n")), "{runs}");
    }
    // Nothing was run that was not claimed for it, and only what was killed was claimed twice.
    let ran = u64::try_from(runs.lines().count()).unwrap();
    assert!(ran <= attempts && attempts <= 21, "{attempts} {runs}");
    one.leave().await;
    two.leave().await;
}
