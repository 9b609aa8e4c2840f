//! The demo has lived: its ledger tells of a company, at the times when things happened, by those who did them.

use crate::{
    decisions::walk::moves,
    lists::all,
    support::{ACME, Client, DEMO, Schema, TestApp},
};
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use workgraph::clock::Clock;

on_both_databases! {
    async fn its_feed_is_in_the_order_of_time_and_in_working_hours(app) {
        must_have_lived(&app, app.now()).await;
    }

    async fn it_has_lived_whenever_it_is_written(app) {
        // At night, at the weekend, early on a Monday on which the clocks have just changed.
        for now in ["2026-03-25T01:10:00Z", "2026-03-28T15:40:00Z", "2026-03-30T04:55:00Z"] {
            let now: DateTime<Utc> = now.parse().expect("a moment");
            let app = TestApp::start_at(app.database, Clock::new(move || now)).await;
            must_have_lived(&app, now).await;
        }
    }

    async fn its_feed_is_of_people_and_agents_with_names(app) {
        for workspace in [DEMO, ACME] {
            let entries = entries(&app.client(workspace, "owner").await).await;
            let mut by = BTreeMap::<&str, usize>::new();
            for entry in &entries {
                *by.entry(entry["actor"].as_str().expect("a name")).or_default() += 1;
            }
            let of = |named: &dyn Fn(&str) -> bool| -> usize {
                by.iter().filter(|(name, _)| named(name)).map(|(_, entries)| entries).sum()
            };
            let (people, agents) = (of(&|name| name.starts_with("user:")), of(&|name| name.starts_with("agent:")));
            assert!(2 * (people + agents) > entries.len(), "{workspace}: {by:?}");
            assert!(people > 100 && agents > 50, "{workspace}: {by:?}");
            assert_eq!(of(&|name| name == "system:seed"), 1, "{workspace}: {by:?}");
            for role in ["owner", "admin", "member", "viewer"] {
                let name = format!("user:{}", app.email(workspace, role).await);
                assert!(by.contains_key(name.as_str()), "{name} did nothing");
            }
            for part in ["chief_of_staff", "auto_approve", "planner", "clarifications"] {
                assert!(by.contains_key(format!("system:{part}").as_str()), "{part} did nothing");
            }
        }
    }

    async fn its_statuses_are_what_the_ledger_says_last(app) {
        for workspace in [DEMO, ACME] {
            let client = app.client(workspace, "owner").await;
            let mut told = BTreeMap::new();
            for entry in entries(&client).await {
                if let Some(status) = entry["statusTo"].as_str() {
                    told.insert(entry["targetId"].as_str().expect("an id").to_owned(), status.to_owned());
                }
            }
            let (schema, mut kinds) = (Schema::of(&client).await, 0);
            for (list, row) in schema.lists() {
                if !row.leaves().any(|field| field.name == "status") {
                    continue;
                }
                // What all workspaces share stands in another ledger.
                let is_shared = ["SkillPackage", "SubagentDefinition"].contains(&row.name.as_str());
                for row in all(&client, list, "id status", &json!({})).await {
                    let last = told.get(row["id"].as_str().expect("an id"));
                    let is_told = last.map(String::as_str) == row["status"].as_str();
                    assert!(is_told || is_shared && last.is_none(), "{workspace} {}: {row}, and {last:?} is told", list.name);
                }
                kinds += 1;
            }
            assert!(kinds > 8, "only {kinds} kinds have a status");
        }
    }

    async fn its_statuses_moved_by_steps_that_there_are(app) {
        let known = moves();
        let first = BTreeMap::from([
            ("PRD", &["DRAFT"][..]), ("ExecutionPlan", &["PENDING_APPROVAL"]), ("Ticket", &["READY", "BLOCKED"]),
            ("ClarificationRequest", &["PENDING"]), ("Goal", &["ACTIVE"]), ("AgentJob", &["PENDING"]),
            ("Invitation", &["PENDING"]), ("WhisperTranscription", &["QUEUED"]), ("SkillPackage", &["PENDING_APPROVAL"]),
            ("IntegrationConnection", &["CONNECTED", "DISCONNECTED"]),
        ]);
        let machines: BTreeSet<_> = known.iter().map(|(kind, ..)| kind.clone()).collect();
        let mut taken = BTreeSet::new();
        for workspace in [DEMO, ACME] {
            for entry in entries(&app.client(workspace, "owner").await).await {
                let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
                let (kind, from, to) = (text("targetType"), text("statusFrom"), text("statusTo"));
                if to.is_empty() {
                    continue;
                }
                if from.is_empty() {
                    let begins = first.get(kind.as_str());
                    assert!(begins.is_none_or(|begins| begins.contains(&to.as_str())), "{workspace}: {entry}");
                } else if machines.contains(&kind) {
                    let step = (kind, text("action"), from, to);
                    assert!(known.contains(&step), "{workspace}: no machine has {step:?}");
                    taken.insert(step);
                }
            }
        }
        assert!(taken.len() > 25, "the demo shows only {taken:?}");
    }

    async fn what_a_brief_went_through_can_be_read_from_its_life(app) {
        let client = app.owner().await;
        let query = "query($title: String!) { prds(filter: { title: { eq: $title } }) { nodes {
            activity(first: 200, orderBy: [{ field: SEQ }]) { nodes { action actor targetType statusTo message } } } } }";
        for (title, wanted) in [
            ("A countdown in the basket", vec![
                "system:ba_agent brief.created", "user:member@demo.example brief.submitted",
                "user:owner@demo.example approval.created", "user:owner@demo.example brief.rejected",
            ]),
            ("Delivery date in the basket", vec![
                "system:ba_agent brief.created", "user:member@demo.example brief.submitted",
                "user:owner@demo.example approval.created", "user:owner@demo.example brief.redirected", "user:owner@demo.example ticket.created",
                "system:ba_agent ticket.claimed", "system:ba_agent brief.drafted", "system:ba_agent ticket.done",
                "user:member@demo.example brief.submitted",
            ]),
        ] {
            let found = client.data(query, json!({ "title": title })).await;
            let life = found["prds"]["nodes"][0]["activity"]["nodes"].as_array().expect("entries").clone();
            let steps: Vec<_> = { life.iter() }
                // How often people were reminded depends on the day of the week.
                .filter(|entry| entry["action"] != "brief.escalated" && !["Notification", "AuthToken"].contains(&entry["targetType"].as_str().expect("a kind")))
                .map(|entry| format!("{} {}", entry["actor"].as_str().expect("a name"), entry["action"].as_str().expect("an action")))
                .collect();
            assert_eq!(steps, wanted, "{title}");
        }
    }
}

/// Fails when the feed of either workspace is not a company's, as of this moment.
async fn must_have_lived(app: &TestApp, now: DateTime<Utc>) {
    for workspace in [DEMO, ACME] {
        let client = app.client(workspace, "owner").await;
        let zone = "{ viewer { tenant { timezone } } }";
        let zone = client.data(zone, json!({})).await["viewer"]["tenant"]["timezone"].clone();
        let zone: Tz = zone.as_str().expect("a name").parse().expect("a timezone");
        let entries = entries(&client).await;
        let times: Vec<_> = entries.iter().map(happened).collect();
        assert!(times.is_sorted(), "{workspace} goes back in time");
        let (first, last) = (times[0], times[times.len() - 1]);
        assert!(last <= now, "{workspace} knows the future");
        assert!(
            now - last < TimeDelta::days(1) && last - first > TimeDelta::days(90),
            "{first} to {last}"
        );
        let days: BTreeSet<_> = times.iter().map(DateTime::date_naive).collect();
        assert!(days.len() > 30, "all happened on {} days", days.len());
        // What is younger than a day may have happened at any time; the demo may be older than a moment.
        let is_old = |at: &DateTime<Utc>| now - *at > TimeDelta::hours(26);
        for (entry, at) in entries.iter().zip(&times).filter(|(_, at)| is_old(at)) {
            let local = at.with_timezone(&zone);
            let minutes = 60 * local.hour() + local.minute();
            let is_weekend = matches!(local.weekday(), Weekday::Sat | Weekday::Sun);
            let is_work = !is_weekend && (8 * 60 + 30..=18 * 60).contains(&minutes);
            assert!(is_work, "{workspace} {local}: {entry}");
        }
        app.verify_ledger(workspace).await;
    }
}

/// The whole ledger, as far as this client sees it.
async fn entries(client: &Client) -> Vec<Value> {
    let query =
        "query($after: Cursor) { activity(first: 200, after: $after, orderBy: [{ field: SEQ }]) {
        nodes { seq createdAt actor action targetType targetId targetTitle statusFrom statusTo }
        pageInfo { hasNextPage endCursor } } }";
    let (mut read, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = client.data(query, json!({ "after": after })).await["activity"].clone();
        read.extend(page["nodes"].as_array().expect("entries").iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            return read;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn happened(entry: &Value) -> DateTime<Utc> {
    let at = entry["createdAt"].as_str().expect("a moment");
    at.parse().expect("a moment")
}
