//! Requests that no well-behaved client sends.

use super::Reply;
use reqwest::{Body, Method, RequestBuilder};
use serde_json::{Value, json};

/// A server's one address, and a token for it.
#[derive(Clone)]
pub struct Door {
    http: reqwest::Client,
    pub url: String,
    pub token: String,
}

impl Door {
    pub fn new(url: &str, token: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: url.to_owned(),
            token: token.to_owned(),
        }
    }

    /// A request with the token and nothing else.
    pub fn request(&self, method: Method) -> RequestBuilder {
        self.http
            .request(method, &self.url)
            .bearer_auth(&self.token)
    }

    /// A POST of these bytes as JSON, whatever they are.
    pub fn post(&self, body: impl Into<Body>) -> RequestBuilder {
        self.request(Method::POST)
            .header("content-type", "application/json")
            .body(body)
    }

    /// A GET with these parameters, as they stand in an address.
    pub fn get(&self, parameters: &str) -> RequestBuilder {
        self.http
            .get(format!("{}?{parameters}", self.url))
            .bearer_auth(&self.token)
    }

    /// Sends an operation.
    pub async fn ask(&self, query: &str, variables: Value) -> Reply {
        let body = json!({ "query": query, "variables": variables });
        Reply::to(self.post(body.to_string())).await
    }

    /// Sends a well-formed request that must be refused before it is executed, with this code, in both media types. The
    /// answer is returned in the plain one.
    pub async fn refuses(&self, query: &str, variables: Value, code: &str) -> Reply {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let strict = self.post(body.clone());
        let strict = strict.header("accept", "application/graphql-response+json");
        Reply::to(strict).await.refused(400, code, query);
        let plain = Reply::to(self.post(body)).await;
        plain.refused(200, code, query);
        plain
    }
}
