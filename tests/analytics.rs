//! Analytics: every figure is the one that the lists themselves give.

use crate::{
    lists::all,
    support::{ACME, Client, DEMO, Database, Schema, TestApp},
    usage::{array, days_from_now, moment, number},
};
use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::{cmp::Reverse, collections::BTreeMap};

const ANALYTICS: &str = "query($from: DateTime, $to: DateTime, $projectId: ID) {
    analytics(from: $from, to: $to, projectId: $projectId) {
        meetings { total completed failed completionRate averageDurationSeconds words actionItems decisions }
        meetingsByStatus { status count }
        meetingsByWeekday { weekday count }
        sentiments { sentiment count }
        topTopics { topic count }
        roi { hoursSaved meetings briefs approvalRate weekOverWeekPercent }
        shippedCount
    }
}";

const WEEK: [&str; 7] = [
    "MONDAY",
    "TUESDAY",
    "WEDNESDAY",
    "THURSDAY",
    "FRIDAY",
    "SATURDAY",
    "SUNDAY",
];

on_both_databases! {
    async fn analytics_are_those_of_the_lists(app) {
        let tenant = app.tenant(DEMO).await;
        // Where it is often another day than in Europe.
        app.execute(&format!("UPDATE tenants SET timezone = 'Pacific/Auckland' WHERE id = '{tenant}'")).await;
        let (from, to) = (days_from_now(-200), days_from_now(100));
        for (workspace, zone) in [(DEMO, "Pacific/Auckland"), (ACME, "Europe/Dublin")] {
            let client = app.client(workspace, "viewer").await;
            let lists = Lists::read(&client).await;
            let mut projects: Vec<_> = lists.projects.iter().map(|project| project["id"].clone()).collect();
            projects.push(Value::Null);
            for project in projects {
                let variables = json!({ "from": from, "to": to, "projectId": project });
                let shown = client.data(ANALYTICS, variables).await["analytics"].take();
                let expected = lists.figures(&project, from, to, zone.parse().expect("a timezone"));
                assert_eq!(shown, expected, "{workspace} {project}");
            }
        }
    }

    async fn the_demo_has_something_to_analyse(app) {
        let client = app.owner().await;
        let variables = json!({ "from": days_from_now(-200), "to": days_from_now(1) });
        let shown = client.data(ANALYTICS, variables).await["analytics"].take();
        for figure in ["/meetings/completed", "/meetings/actionItems", "/meetings/decisions", "/meetings/words",
            "/topTopics/0/count", "/roi/briefs", "/shippedCount"] {
            let value = shown.pointer(figure).expect("a figure");
            assert!(number(value) > 0, "{figure} of {shown:#}");
        }
        assert!(!shown["roi"]["approvalRate"].is_null() && shown["roi"]["hoursSaved"].as_f64() > Some(0.0));
    }

    async fn analytics_survive_whatever_insights_hold(app) {
        let client = app.owner().await;
        let (tenant, project) = (app.tenant(DEMO).await, project(&client).await);
        let mut shapes = vec![
            "NULL", "'null'", "'[]'", "'7'", "'\"text\"'", "'{}'",
            r#"'{"topics": "x", "actionItems": {"a": 1}, "decisions": 3, "sentiment": 7}'"#,
            r#"'{"topics": null, "actionItems": null, "decisions": null, "sentiment": null}'"#,
            r#"'{"topics": [1, null, "zebra", ["x"], {"a": "b"}, "Zebra"], "actionItems": [{}, 1], "decisions": ["a"]}'"#,
            r#"'{"topics": ["zebra", "äpfel"], "sentiment": "concerned"}'"#,
            r#"'{"topics": [], "sentiment": "unheard of"}'"#,
        ];
        if app.database == Database::Sqlite {
            shapes.push("'not JSON'");
        }
        insert(&app, &tenant, &project, &shapes).await;
        let variables = json!({ "from": "2024-01-01T00:00:00Z", "to": "2024-02-01T00:00:00Z" });
        let shown = client.data(ANALYTICS, variables).await["analytics"].take();
        assert_eq!(shown["meetings"]["total"], shapes.len());
        assert_eq!((&shown["meetings"]["actionItems"], &shown["meetings"]["decisions"]), (&json!(2), &json!(1)));
        assert_eq!(shown["sentiments"], json!([
            { "sentiment": "NEUTRAL", "count": 2 }, { "sentiment": "POSITIVE", "count": 0 },
            { "sentiment": "CONCERNED", "count": 1 },
        ]));
        assert_eq!(shown["topTopics"], json!([
            { "topic": "zebra", "count": 2 }, { "topic": "Zebra", "count": 1 }, { "topic": "äpfel", "count": 1 },
        ]));
        assert_eq!(shown["meetings"]["completionRate"], 0.0);
        assert_eq!(shown["meetings"]["averageDurationSeconds"], Value::Null);
    }

    async fn what_is_not_selected_of_analytics_takes_no_statement(app) {
        let client = app.owner().await;
        let variables = json!({ "from": days_from_now(-200) });
        let parts = [
            ("from", 0), ("meetings { total words }", 1), ("meetings { actionItems }", 1), ("meetingsByStatus { count }", 1),
            ("meetingsByWeekday { count }", 2), ("sentiments { count }", 1), ("topTopics(first: 3) { topic }", 1),
            ("roi { hoursSaved }", 1), ("roi { meetings briefs }", 2), ("shippedCount", 1),
        ];
        let statements = async || {
            let mut out = Vec::new();
            for (part, _) in parts {
                let query = format!("query($from: DateTime) {{ analytics(from: $from) {{ {part} }} }}");
                out.push((part, client.send(&query, variables.clone()).await.statements()));
            }
            out
        };
        assert_eq!(statements().await, parts);
        let (tenant, project) = (app.tenant(DEMO).await, project(&client).await);
        insert(&app, &tenant, &project, &[r#"'{"topics": ["a"]}'"#; 300]).await;
        assert_eq!(statements().await, parts);
    }

    async fn what_is_asked_of_analytics_has_its_limits(app) {
        let client = app.owner().await;
        for (arguments, code) in [
            ("(projectId: \"nobody\") { from }", "NOT_FOUND"),
            ("(from: \"2020-01-01T00:00:00Z\") { from }", "LIMIT_EXCEEDED"),
            ("{ topTopics(first: 101) { topic } }", "LIMIT_EXCEEDED"),
            ("{ topTopics(first: -1) { topic } }", "BAD_USER_INPUT"),
        ] {
            assert_eq!(client.code(&format!("{{ analytics{arguments} }}"), json!({})).await, code, "{arguments}");
        }
    }
}

/// What the figures are made of, read through the API.
struct Lists {
    projects: Vec<Value>,
    meetings: Vec<Value>,
    briefs: Vec<Value>,
    approvals: Vec<Value>,
    jobs: Vec<Value>,
}

impl Lists {
    async fn read(client: &Client) -> Self {
        let schema = Schema::of(client).await;
        let read = async |name: &str, selection: &str| {
            let list = schema.queries().iter().find(|field| field.name == name);
            all(client, list.expect("a list"), selection, &json!({})).await
        };
        let insights = "insights { actionItems { text } decisions sentiment topics }";
        Self {
            projects: read("projects", "id").await,
            meetings: read(
                "meetings",
                &format!("projectId startTime status durationSeconds wordCount {insights}"),
            )
            .await,
            briefs: read("prds", "projectId createdAt").await,
            approvals: read("approvals", "projectId createdAt subjectType decision").await,
            jobs: read("agentJobs", "projectId completedAt action status").await,
        }
    }

    fn figures(&self, project: &Value, from: DateTime<Utc>, to: DateTime<Utc>, zone: Tz) -> Value {
        let chosen = |rows: &[Value], at: &str, from: DateTime<Utc>| -> Vec<Value> {
            let within = |row: &&Value| {
                let here = project.is_null() || row["projectId"] == *project;
                here && !row[at].is_null() && (from..to).contains(&moment(&row[at]))
            };
            rows.iter().filter(within).cloned().collect()
        };
        let meetings = chosen(&self.meetings, "startTime", from);
        let completed: Vec<_> = meetings
            .iter()
            .filter(|row| row["status"] == "COMPLETED")
            .collect();
        let sum = |name: &str| {
            meetings
                .iter()
                .filter_map(|row| row[name].as_i64())
                .sum::<i64>()
        };
        let inside = |name: &str| -> usize {
            let lists = meetings
                .iter()
                .filter_map(|row| row["insights"][name].as_array());
            lists.map(Vec::len).sum()
        };
        let timed = meetings
            .iter()
            .filter(|row| !row["durationSeconds"].is_null())
            .count();
        let count = |field: &dyn Fn(&Value) -> Value, value: &str| {
            meetings.iter().filter(|row| field(row) == value).count()
        };
        let statuses = [
            "SCHEDULED",
            "JOINING",
            "IN_PROGRESS",
            "UPLOADING",
            "TRANSCRIBING",
            "PROCESSING",
            "COMPLETED",
            "FAILED",
            "CANCELLED",
        ];
        let weekday = |row: &Value| {
            let day = moment(&row["startTime"]).with_timezone(&zone).weekday();
            json!(WEEK[day.num_days_from_monday() as usize])
        };
        let mut topics: BTreeMap<String, i64> = BTreeMap::new();
        for topic in meetings
            .iter()
            .filter_map(|row| row["insights"]["topics"].as_array())
            .flatten()
        {
            *topics
                .entry(topic.as_str().expect("a text").to_owned())
                .or_default() += 1;
        }
        let mut topics: Vec<_> = topics.into_iter().collect();
        topics.sort_by_key(|(topic, count)| (Reverse(*count), topic.clone()));
        topics.truncate(10);
        let seconds: i64 = completed
            .iter()
            .filter_map(|row| row["durationSeconds"].as_i64())
            .sum();
        let decided = |decision: &str| {
            let approvals = chosen(&self.approvals, "createdAt", from);
            let on_brief =
                |row: &&Value| row["subjectType"] == "BRIEF" && row["decision"] == decision;
            approvals.iter().filter(on_brief).count()
        };
        let (approved, rejected) = (decided("APPROVED"), decided("REJECTED"));
        let since = |days: i64| {
            let rows = chosen(
                &self.meetings,
                "startTime",
                to - chrono::TimeDelta::days(days),
            );
            rows.iter()
                .filter(|row| row["status"] == "COMPLETED")
                .count() as f64
        };
        let (week, before) = (since(7), since(14) - since(7));
        let shipped = |row: &&Value| row["action"] == "implement_prd" && row["status"] == "DONE";
        let topics: Vec<_> = topics
            .iter()
            .map(|(topic, count)| json!({ "topic": topic, "count": count }))
            .collect();
        let sentiments = ["NEUTRAL", "POSITIVE", "CONCERNED"].map(|mood| {
                json!({ "sentiment": mood, "count": count(&|row| row["insights"]["sentiment"].clone(), mood) })
            });
        json!({
            "meetings": {
                "total": meetings.len(),
                "completed": completed.len(),
                "failed": count(&|row| row["status"].clone(), "FAILED"),
                "completionRate": percent(completed.len() as f64, meetings.len() as f64),
                "averageDurationSeconds": (timed > 0).then(|| two_decimals(sum("durationSeconds") as f64 / timed as f64)),
                "words": sum("wordCount"),
                "actionItems": inside("actionItems"),
                "decisions": inside("decisions"),
            },
            "meetingsByStatus": statuses.map(|status| {
                json!({ "status": status, "count": count(&|row| row["status"].clone(), status) })
            }),
            "meetingsByWeekday": WEEK.map(|day| json!({ "weekday": day, "count": count(&weekday, day) })),
            "sentiments": sentiments,
            "topTopics": topics,
            "roi": {
                "hoursSaved": two_decimals(seconds as f64 / 3600.0 * 2.0),
                "meetings": completed.len(),
                "briefs": chosen(&self.briefs, "createdAt", from).len(),
                "approvalRate": percent(approved as f64, (approved + rejected) as f64),
                "weekOverWeekPercent": percent(week - before, before),
            },
            "shippedCount": chosen(&self.jobs, "completedAt", from).iter().filter(shipped).count(),
        })
    }
}

fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| two_decimals(part / whole * 100.0))
}

fn two_decimals(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

async fn project(client: &Client) -> String {
    let data = client
        .data("{ projects(first: 1) { nodes { id } } }", json!({}))
        .await;
    array(&data["projects"]["nodes"])[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// Adds meetings of January 2024 with these insights, which are SQL.
async fn insert(app: &TestApp, tenant: &str, project: &str, insights: &[&str]) {
    let rows: Vec<_> = insights
        .iter()
        .enumerate()
        .map(|(n, insights)| {
            let at = "'2024-01-15T10:00:00+00:00'";
            format!("('odd{n}', '{tenant}', {at}, {at}, {at}, '{project}', 'odd', {insights})")
        })
        .collect();
    app.execute(&format!(
        "INSERT INTO meetings (id, \"tenantId\", \"createdAt\", \"updatedAt\", \"startTime\", \"projectId\", title, insights) \
         VALUES {}",
        rows.join(", ")
    ))
    .await;
}
