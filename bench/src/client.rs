//! GraphQL over HTTP.

use crate::Result;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

/// No operation takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client with somebody's token. Its connections are its own.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, token: &str) -> Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .tcp_nodelay(true)
                .build()?,
            url: url(address),
            token: token.to_owned(),
        })
    }

    /// The answer, with whatever errors are in it.
    ///
    /// # Errors
    /// When none came.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Result<Value> {
        self.send(query, variables, |request| request).await
    }

    /// The same, with what it cost.
    ///
    /// # Errors
    /// When none came.
    pub(crate) async fn explained(&self, query: &str, variables: Value) -> Result<Value> {
        let explain = |request: RequestBuilder| request.header("x-workgraph-explain", "1");
        self.send(query, variables, explain).await
    }

    async fn send(
        &self,
        query: &str,
        variables: Value,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        let request = with(self.http.post(&self.url).bearer_auth(&self.token));
        let response = request.timeout(PATIENCE).json(&body).send().await?;
        Ok(response.json().await?)
    }

    /// The answer's data.
    ///
    /// # Errors
    /// When none came, or it has errors.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> Result<Value> {
        let mut answer = self.ask(query, variables).await?;
        match answer.get("errors") {
            Some(errors) => Err(format!("{query}: {errors}").into()),
            None => Ok(answer["data"].take()),
        }
    }

    /// A stream of events, which goes on after the cursor.
    pub(crate) async fn stream(
        &self,
        query: &str,
        variables: Value,
        last: Option<&str>,
    ) -> Result<reqwest::Response> {
        let body = json!({ "query": query, "variables": variables });
        let request = self.http.post(&self.url).bearer_auth(&self.token);
        let mut request = request.header("accept", "text/event-stream").json(&body);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        Ok(request.send().await?)
    }
}

pub(crate) fn url(address: SocketAddr) -> String {
    format!("http://{address}/graphql")
}
