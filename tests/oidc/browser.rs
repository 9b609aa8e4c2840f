//! A browser, as far as signing in needs one: it keeps cookies for their paths, and follows no redirect by itself.

use reqwest::{RequestBuilder, redirect::Policy};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU16, Ordering},
    },
};
use url::Url;

/// Where the dashboard is, behind which the server is found.
const HOST: &str = "dashboard.example";

/// A browser at an address of its own.
pub struct Browser {
    http: reqwest::Client,
    server: String,
    address: String,
    cookies: Mutex<BTreeMap<String, Cookie>>,
}

struct Cookie {
    value: String,
    /// All that the server said of it.
    line: String,
    path: String,
}

impl Browser {
    /// A browser that finds the server here, at `/graphql`.
    pub fn new(server: &str) -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(1);
        let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let http = reqwest::Client::builder().redirect(Policy::none()).build();
        Self {
            http: http.expect("a client"),
            server: server.trim_end_matches("/graphql").to_owned(),
            address: format!("198.19.{high}.{low}"),
            cookies: Mutex::default(),
        }
    }

    /// Where the provider's door is for who wants this.
    pub async fn start(&self, query: &str) -> Url {
        self.goes(&format!("/auth/oidc/start?{query}")).await
    }

    /// Where the provider sends people back to who knock at its door.
    pub async fn knocks(&self, door: &Url) -> String {
        let answer = self.http.get(door.clone()).send().await.expect("an answer");
        let back = answer.headers()["location"].to_str().expect("an address");
        let back = back
            .strip_prefix("https://dashboard.example")
            .expect("the dashboard");
        back.to_owned()
    }

    /// Where the server sends who comes to a path.
    pub async fn goes(&self, path: &str) -> Url {
        let answer = self
            .sent(self.http.get(format!("{}{path}", self.server)), path)
            .await;
        assert_eq!(answer.status(), 303, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        answer.headers()["location"]
            .to_str()
            .expect("an address")
            .parse()
            .expect("an address")
    }

    /// Signs in, and comes to a page.
    pub async fn signs_in(&self, query: &str) -> Url {
        let door = self.start(query).await;
        if door.host_str() == Some(HOST) {
            return door;
        }
        let back = self.knocks(&door).await;
        self.goes(&back).await
    }

    /// Why somebody who signs in is not let in; empty for who is.
    pub async fn is_refused(&self, query: &str) -> String {
        let page = self.signs_in(query).await;
        why(&page)
    }

    /// Asks as the dashboard's page does.
    pub async fn asks(&self, query: &str) -> Value {
        let request = self.http.post(format!("{}/graphql", self.server));
        let request = request
            .header("origin", "https://dashboard.example")
            .json(&json!({ "query": query }));
        self.sent(request, "/graphql")
            .await
            .json()
            .await
            .expect("JSON")
    }

    /// Who is signed in here: their address, or the code of why nobody is.
    pub async fn is(&self) -> String {
        let answer = self.asks("{ viewer { user { email } } }").await;
        let text = match answer["errors"].is_null() {
            true => &answer["data"]["viewer"]["user"]["email"],
            false => &answer["errors"][0]["extensions"]["code"],
        };
        // Who was removed a moment ago is nobody.
        text.as_str().unwrap_or_default().to_owned()
    }

    /// What the server said of a cookie; empty if there is none.
    pub fn cookie(&self, name: &str) -> String {
        let cookies = self.cookies.lock().expect("nobody panicked");
        cookies
            .get(name)
            .map(|cookie| cookie.line.clone())
            .unwrap_or_default()
    }

    /// Takes a cookie that another browser was given.
    pub fn keeps(&self, line: &str) {
        self.takes(line.to_owned());
    }

    fn takes(&self, line: String) {
        let (name, rest) = line.split_once('=').expect("a cookie");
        let name = name.to_owned();
        let mut parts = rest.split("; ");
        let value = parts.next().expect("a value").to_owned();
        let path = parts.find_map(|part| part.strip_prefix("Path="));
        let path = path.expect("a path").to_owned();
        let mut cookies = self.cookies.lock().expect("nobody panicked");
        match value.is_empty() {
            true => drop(cookies.remove(&name)),
            false => drop(cookies.insert(name, Cookie { value, line, path })),
        }
    }

    fn cookies_for(&self, path: &str) -> String {
        let cookies = self.cookies.lock().expect("nobody panicked");
        let cookies: Vec<_> = { cookies.iter() }
            .filter(|(_, cookie)| path.starts_with(&cookie.path))
            .map(|(name, cookie)| format!("{name}={}", cookie.value))
            .collect();
        cookies.join("; ")
    }

    async fn sent(&self, request: RequestBuilder, path: &str) -> reqwest::Response {
        let cookies = self.cookies_for(path);
        let request = request
            .header("host", HOST)
            .header("x-forwarded-for", &self.address)
            .header("cookie", cookies);
        let answer = request.send().await.expect("an answer");
        for line in answer.headers().get_all("set-cookie") {
            self.takes(line.to_str().expect("a cookie").to_owned());
        }
        answer
    }
}

/// The word that the page for signing in is given; empty for other pages.
pub fn why(page: &Url) -> String {
    assert_eq!(page.host_str(), Some(HOST), "{page}");
    let word = page.query_pairs().find(|(name, _)| name == "error");
    let is_page = page.path() == "/sign-in";
    word.filter(|_| is_page)
        .map(|(_, word)| word.into_owned())
        .unwrap_or_default()
}
