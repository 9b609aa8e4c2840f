//! A client of Server-Sent Events.

use serde_json::{Value, json};
use std::time::Duration;

/// A stream of events, read as a browser reads it.
pub struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    /// Opens a stream, after the last event seen.
    pub async fn open(url: &str, token: &str, query: &str, last: Option<&str>) -> Self {
        Self::ask(url, token, query, last).await.expect("a stream")
    }

    /// Asks for a stream; what came instead is an error.
    pub async fn ask(
        url: &str,
        token: &str,
        query: &str,
        last: Option<&str>,
    ) -> Result<Self, (u16, Value)> {
        let request = reqwest::Client::new()
            .post(url)
            .bearer_auth(token)
            .header("accept", "text/event-stream");
        let request = match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        };
        let response = request
            .json(&json!({ "query": query }))
            .send()
            .await
            .expect("an answer");
        let kind = response.headers()["content-type"]
            .to_str()
            .expect("text")
            .to_owned();
        if !kind.starts_with("text/event-stream") {
            assert_eq!(kind, "application/json; charset=utf-8");
            return Err((
                response.status().as_u16(),
                response.json().await.expect("JSON"),
            ));
        }
        Ok(Self {
            response,
            text: String::new(),
        })
    }

    /// The next event: its name, its id and its data; none at the end.
    pub async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                    line.map(|value| value.trim().to_owned())
                };
                // A browser hands over no event without a line of data, be it empty.
                let event = field("event").zip(field("data")).map(|(name, data)| {
                    let data = serde_json::from_str(&data).unwrap_or_default();
                    (name, field("id").unwrap_or_default(), data)
                });
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let patience = Duration::from_secs(30);
            let chunk = tokio::time::timeout(patience, self.response.chunk())
                .await
                .expect("comes in time");
            let chunk = chunk.expect("the stream does not break")?;
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    /// Reads on until this project, and no other, was created; returns the event's id.
    pub async fn created(&mut self, project: &Value) -> String {
        loop {
            let (_, id, data) = self.next().await.expect("an event");
            let event = &data["data"]["activity"]["event"];
            if event["action"] == "project.created" {
                assert_eq!(&event["targetId"], project);
                return id;
            }
        }
    }
}
