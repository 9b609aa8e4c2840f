//! A provider of identities, as small as one can be, with keys of its own. It says of people what a test wants, also what is not
//! so.

use crate::support::TestApp;
use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::net::TcpListener;
use workgraph::auth::{Newcomers, OidcSettings};
use workgraph::clock::Clock;

/// What the server is called at the provider, and what it proves itself with.
pub const CLIENT: &str = "workgraph";
const CLIENT_SECRET: &str = "a secret of the client's";

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// As it should be.
    Right,
    /// Not at all.
    None,
    /// With the public key, as if it were a secret that both know.
    WithPublicKey,
    /// With the client's secret.
    WithClientSecret,
    /// With another key under the same name.
    ByAnother,
}

/// What the provider does.
pub struct Says {
    /// What it says of whoever comes.
    pub person: Value,
    /// What it says beside what is right, or in place of it; null leaves out.
    pub claims: Value,
    pub signed: Signed,
    /// Which of its keys signs.
    pub key: u8,
    /// Whether it tells of that key.
    pub publishes: bool,
    /// The error that it sends people back with, in place of a code.
    pub refuses: Option<&'static str>,
    /// Whether it hangs when it is asked for a token.
    pub hangs: bool,
    /// How often it was asked what it is.
    pub asked: usize,
    codes: HashMap<String, HashMap<String, String>>,
}

/// A provider on a port of its own.
#[derive(Clone)]
pub struct Provider {
    pub url: String,
    says: Arc<Mutex<Says>>,
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl Provider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let provider = Self {
            url: format!("http://{address}"),
            says: Arc::new(Mutex::new(Says {
                person: json!({}),
                claims: json!({}),
                signed: Signed::Right,
                key: 1,
                publishes: true,
                refuses: None,
                hangs: false,
                asked: 0,
                codes: HashMap::new(),
            })),
            now: Arc::new(|| Clock::system().now().inner().timestamp()),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discover))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// What it does from now on.
    pub fn says(&self) -> MutexGuard<'_, Says> {
        self.says.lock().expect("nobody panicked")
    }

    /// Brings somebody whose address it has verified.
    pub fn brings(&self, subject: &str, email: &str) {
        self.says().person =
            json!({ "sub": subject, "email": email, "email_verified": true, "name": "Ada" });
    }

    /// What a server says of it that lets in whom it knows.
    pub fn settings(&self, workspaces: &[&str]) -> OidcSettings {
        OidcSettings {
            issuer: self.url.clone(),
            client_id: CLIENT.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            workspaces: workspaces.iter().map(ToString::to_string).collect(),
            scopes: vec!["email".to_owned()],
            newcomers: Newcomers::Known,
            default_role: entity::user::UserRole::Viewer,
            role_claim: None,
            roles: vec![],
            callback: "https://dashboard.example/auth/oidc/callback"
                .parse()
                .expect("an address"),
            dashboard: "https://dashboard.example".parse().expect("an address"),
        }
    }

    /// Another server over the same database, whose people come from here.
    pub async fn server(&self, app: &TestApp, workspaces: &[&str]) -> String {
        app.through(self.settings(workspaces)).await
    }

    fn token(&self, nonce: &str) -> String {
        let says = self.says();
        let now = (self.now)();
        let mut claims =
            json!({ "iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce });
        for more in [&says.person, &says.claims] {
            for (name, value) in more.as_object().expect("claims") {
                match value.is_null() {
                    true => claims.as_object_mut().expect("claims").remove(name),
                    false => claims
                        .as_object_mut()
                        .expect("claims")
                        .insert(name.clone(), value.clone()),
                };
            }
        }
        let algorithm = match says.signed {
            Signed::Right | Signed::ByAnother => "ES256",
            Signed::None => "none",
            Signed::WithPublicKey | Signed::WithClientSecret => "HS256",
        };
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": says.key.to_string() });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let said = format!("{}.{}", part(&header), part(&claims));
        let shared = |secret: &[u8]| {
            let key = jsonwebtoken::EncodingKey::from_secret(secret);
            jsonwebtoken::crypto::sign(said.as_bytes(), &key, jsonwebtoken::Algorithm::HS256)
                .expect("signs")
        };
        let by = |key: u8| {
            let signature: Signature = signing_key(key).sign(said.as_bytes());
            BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes())
        };
        let signature = match says.signed {
            Signed::Right => by(says.key),
            Signed::ByAnother => by(says.key + 100),
            Signed::None => String::new(),
            Signed::WithPublicKey => shared(&public_key(says.key)),
            Signed::WithClientSecret => shared(CLIENT_SECRET.as_bytes()),
        };
        format!("{said}.{signature}")
    }
}

fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_slice(&Sha256::digest([number])).expect("a key")
}

fn public_key(number: u8) -> Vec<u8> {
    signing_key(number)
        .verifying_key()
        .to_sec1_point(false)
        .as_bytes()
        .to_vec()
}

async fn discover(State(provider): State<Provider>) -> Json<Value> {
    provider.says().asked += 1;
    let at = |path: &str| format!("{}{path}", provider.url);
    Json(json!({
        "issuer": provider.url,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    }))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    let says = provider.says();
    let number = if says.publishes { says.key } else { 0 };
    let point = public_key(number);
    let part = |range: std::ops::Range<usize>| BASE64_URL_SAFE_NO_PAD.encode(&point[range]);
    Json(json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": number.to_string(), "x": part(1..33), "y": part(33..65),
    }] }))
}

async fn authorize(
    State(provider): State<Provider>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let is_right = of("response_type") == "code"
        && of("client_id") == CLIENT
        && of("code_challenge_method") == "S256"
        && of("scope").split(' ').any(|scope| scope == "openid");
    if !is_right {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let mut says = provider.says();
    let code = format!("code-{}", says.codes.len());
    let answer = match says.refuses {
        Some(error) => format!("error={error}"),
        None => format!("code={code}"),
    };
    let back = format!("{}?{answer}&state={}", of("redirect_uri"), of("state"));
    says.codes.insert(code, asked);
    Redirect::to(&back).into_response()
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(sent): Form<HashMap<String, String>>,
) -> Response {
    if provider.says().hangs {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let of = |name: &str| sent.get(name).cloned().unwrap_or_default();
    // As the protocol has it, both are written as in a form.
    let proof = format!(
        "{CLIENT}:{}",
        CLIENT_SECRET.replace(' ', "+").replace('\'', "%27")
    );
    let proof = format!("Basic {}", BASE64_STANDARD.encode(proof));
    let proves_itself = headers
        .get(AUTHORIZATION)
        .is_some_and(|sent| *sent == proof);
    let asked = provider
        .says()
        .codes
        .get(&of("code"))
        .cloned()
        .unwrap_or_default();
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier")));
    let is_who_asked = asked.get("code_challenge") == Some(&challenge)
        && asked.get("redirect_uri") == Some(&of("redirect_uri"));
    if !proves_itself || !is_who_asked {
        let why = json!({ "error": "invalid_grant", "proves_itself": proves_itself });
        return (StatusCode::BAD_REQUEST, Json(why)).into_response();
    }
    // A code is good more than once here: that is not what keeps an attempt from being used twice.
    let token = provider.token(&asked["nonce"]);
    Json(json!({ "access_token": "opaque", "token_type": "Bearer", "id_token": token }))
        .into_response()
}
