//! A client as simple as curl.

use serde_json::{Value, json};
use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU16, Ordering},
};

/// Sends operations with one token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    project: Option<String>,
    address: Option<Ipv4Addr>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Client {
    pub fn new(url: &str, token: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            token: Some(token.to_owned()),
            project: None,
            address: None,
        }
    }

    /// A client without a token, at an address of its own: those who sign in are counted by address.
    pub fn anonymous(url: &str) -> Self {
        let mut client = Self::new(url, "").elsewhere_in_the_world();
        client.token = None;
        client
    }

    /// The same client, at an address of its own.
    pub fn elsewhere_in_the_world(mut self) -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(1);
        let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        self.address = Some(Ipv4Addr::new(198, 18, high, low));
        self
    }

    /// The token it sends.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("it has one")
    }

    /// The same client, at work in a project.
    pub fn in_project(&self, id: &str) -> Self {
        let mut client = self.clone();
        client.project = Some(id.to_owned());
        client
    }

    /// Sends an operation.
    pub async fn send(&self, query: &str, variables: Value) -> Answer {
        let mut request = self.http.post(&self.url).header("x-workgraph-explain", "1");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(address) = self.address {
            request = request.header("x-forwarded-for", address.to_string());
        }
        if let Some(project) = &self.project {
            request = request.header("x-project-id", project);
        }
        let response = request
            .json(&json!({ "query": query, "variables": variables }))
            .send()
            .await
            .expect("an answer");
        let status = response.status().as_u16();
        Answer {
            status,
            body: response.json().await.expect("JSON"),
        }
    }

    /// Sends an operation that must succeed, and returns its data.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        self.send(query, variables).await.data(query)
    }

    /// Sends an operation that must fail, and returns its first error's code.
    pub async fn code(&self, query: &str, variables: Value) -> String {
        self.send(query, variables).await.code()
    }
}

impl Answer {
    /// The data of an answer without errors.
    pub fn data(self, query: &str) -> Value {
        assert!(
            self.body.get("errors").is_none(),
            "{query}\nanswered {:#}",
            self.body["errors"]
        );
        self.body["data"].clone()
    }

    /// The code of the first error.
    pub fn code(&self) -> String {
        let code = self.body["errors"][0]["extensions"]["code"].as_str();
        code.map(str::to_owned)
            .unwrap_or_else(|| panic!("an error was expected, not {:#}", self.body))
    }

    /// How many values the answer could have held.
    pub fn cost(&self) -> u64 {
        self.body["extensions"]["cost"]["requested"]
            .as_u64()
            .expect("the cost was asked for")
    }

    /// How many SQL statements the operation took.
    pub fn statements(&self) -> u64 {
        self.body["extensions"]["cost"]["sqlStatements"]
            .as_u64()
            .expect("the cost was asked for")
    }
}
