//! The provider, as this server asks it: where its doors are and with which keys it signs, read once in an hour; a code for what
//! it says of somebody; and whether that holds.

use super::{Trouble, attempt::Attempt, settings::OidcSettings};
use crate::{
    auth::Limiter,
    integrations::{Call, Outside},
};
use entity::Timestamp;
use futures_util::future::BoxFuture;
use hyper::header::ACCEPT;
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AsyncHttpClient, AuthType, AuthenticationFlow,
    AuthorizationCode, ClaimsVerificationError, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IdToken, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, StandardErrorResponse, StandardTokenResponse, TokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType,
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};
use url::Url;

/// How long what the provider says of itself counts.
const COUNTS_FOR: Duration = Duration::from_secs(60 * 60);
/// So often a minute it is asked for that, however many people come with keys that are not known.
const READS_PER_MINUTE: u64 = 6;
/// How long all that is asked for one person may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many people wait for it at once: each is a request that is held.
const AT_ONCE: usize = 64;
/// What it may sign with: keys that only it has. With the others whoever knows the client's secret, or nothing, could sign.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The claims that OpenID Connect gives no meaning to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Others(Map<String, Value>);

impl AdditionalClaims for Others {}

impl Others {
    /// The texts that a claim holds: one, or a list. A name that begins with a slash leads into objects.
    pub(super) fn texts(&self, claim: &str) -> Vec<&str> {
        let mut found = match claim.strip_prefix('/') {
            None => self.0.get(claim),
            Some(path) => {
                let (first, rest) = path.split_once('/').unwrap_or((path, ""));
                let inner = self.0.get(first);
                match rest {
                    "" => inner,
                    rest => inner.and_then(|inner| inner.pointer(&format!("/{rest}"))),
                }
            }
        };
        match found.take() {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// What the provider says of somebody, and holds.
pub(super) type Claims = IdTokenClaims<Others, CoreGenderClaim>;

type Token =
    IdToken<Others, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

type Tokens = StandardTokenResponse<
    IdTokenFields<
        Others,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type Asking = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider.
pub(super) struct Provider {
    outside: Outside,
    known: Mutex<Option<(Instant, Arc<CoreProviderMetadata>)>>,
    reads: Limiter,
    turns: Semaphore,
}

/// That it gave no answer.
#[derive(Debug)]
pub(super) struct Unanswered;

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it gave no answer")
    }
}

impl std::error::Error for Unanswered {}

impl Provider {
    pub(super) fn new() -> Self {
        Self {
            outside: Outside::default(),
            known: Mutex::default(),
            reads: Limiter::per_minute(READS_PER_MINUTE),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// Where a browser goes to sign in there.
    ///
    /// # Errors
    /// [`Trouble::Provider`] when it is out of reach.
    pub(super) async fn door(
        &self,
        settings: &OidcSettings,
        attempt: &Attempt,
    ) -> Result<Url, Trouble> {
        let (_, metadata) = self.in_time(self.metadata(settings, None)).await?;
        let asking = asking(settings, &metadata)?;
        let (state, nonce) = (attempt.state(), attempt.nonce());
        let verifier = PkceCodeVerifier::new(attempt.verifier());
        let request = asking.authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            || CsrfToken::new(state),
            || Nonce::new(nonce),
        );
        let scopes = settings.scopes.iter().cloned().map(Scope::new);
        let (url, ..) = request
            .add_scopes(scopes)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    /// What it says of whoever came back with this code.
    ///
    /// # Errors
    /// [`Trouble::Provider`] when it is out of reach, [`Trouble::NotProven`] when what it says does not hold.
    pub(super) async fn vouch(
        &self,
        settings: &OidcSettings,
        attempt: &Attempt,
        code: String,
        now: Timestamp,
    ) -> Result<Claims, Trouble> {
        self.in_time(self.exchange(settings, attempt, code, now))
            .await
    }

    async fn exchange(
        &self,
        settings: &OidcSettings,
        attempt: &Attempt,
        code: String,
        now: Timestamp,
    ) -> Result<Claims, Trouble> {
        let (read, metadata) = self.metadata(settings, None).await?;
        let client = asking(settings, &metadata)?;
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| garbled(&error))?
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier()));
        let tokens = request
            .request_async(self)
            .await
            .map_err(|error| match error {
                RequestTokenError::Request(_) => Trouble::Provider,
                refused => not_proven(refused),
            })?;
        let token = tokens
            .id_token()
            .ok_or_else(|| not_proven("there is no ID token"))?;
        let verified = |client: &Asking| verified(settings, client, &tokens, token, attempt, now);
        let held = match verified(&client) {
            // It may have begun to sign with another key since its keys were read.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let (_, metadata) = self.metadata(settings, Some(read)).await?;
                verified(&asking(settings, &metadata)?)
            }
            held => held,
        };
        held.map_err(not_proven)
    }

    /// What it says of itself: what is known, unless it was read at this moment or before.
    async fn metadata(
        &self,
        settings: &OidcSettings,
        unless: Option<Instant>,
    ) -> Result<(Instant, Arc<CoreProviderMetadata>), Trouble> {
        // Whoever comes meanwhile waits for what is being read.
        let mut known = self.known.lock().await;
        if let Some((read, metadata)) = &*known
            && read.elapsed() < COUNTS_FOR
            && unless.is_none_or(|unless| *read > unless)
        {
            return Ok((*read, metadata.clone()));
        }
        if self.reads.check("").is_err() {
            tracing::warn!(
                "the identity provider is asked too often what it is, so it is not asked"
            );
            return Err(Trouble::Provider);
        }
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|error| garbled(&error))?;
        match CoreProviderMetadata::discover_async(issuer, self).await {
            Ok(metadata) => Ok(known.insert((Instant::now(), Arc::new(metadata))).clone()),
            Err(error) => {
                let trouble = garbled(&error);
                // What it said before is better than that nobody signs in.
                let before = known.clone().filter(|_| unless.is_none());
                before.ok_or(trouble)
            }
        }
    }

    /// The server's way out, for the library.
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| Unanswered)?;
        let headers = { parts.headers.into_iter() }
            .filter_map(|(name, value)| Some((name.filter(|name| name != ACCEPT)?, value)))
            .collect();
        let call = Call {
            method: if parts.method == "POST" {
                "POST"
            } else {
                "GET"
            },
            url,
            headers,
            body,
        };
        // The operator says where it is, also within their own network.
        let heard = self.outside.ask(call, false).await.map_err(|why| {
            tracing::warn!(?why, "the identity provider does not answer");
            Unanswered
        })?;
        let mut response = HttpResponse::new(heard.body.ok_or(Unanswered)?.into());
        *response.status_mut() = heard.status.try_into().map_err(|_| Unanswered)?;
        Ok(response)
    }

    async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let _turn = self.turns.try_acquire().map_err(|_| Trouble::Provider)?;
        timeout(PATIENCE, asked)
            .await
            .unwrap_or(Err(Trouble::Provider))
    }
}

impl<'c> AsyncHttpClient<'c> for Provider {
    type Error = Unanswered;
    type Future = BoxFuture<'c, Result<HttpResponse, Unanswered>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// What asks the provider for something.
fn asking(settings: &OidcSettings, metadata: &CoreProviderMetadata) -> Result<Asking, Trouble> {
    let is_safe = |url: &Url| url.scheme() == "https" || !settings.issuer.starts_with("https:");
    let token = metadata.token_endpoint().map(|endpoint| endpoint.url());
    let doors = [Some(metadata.authorization_endpoint().url()), token];
    if !doors.into_iter().flatten().all(is_safe) || !is_safe(metadata.jwks_uri().url()) {
        return Err(garbled(&"not all of its addresses begin with https"));
    }
    let client = Asking::from_provider_metadata(
        metadata.clone(),
        ClientId::new(settings.client_id.clone()),
        Some(ClientSecret::new(settings.client_secret.clone())),
    );
    let takes = |method| match metadata.token_endpoint_auth_methods_supported() {
        Some(methods) => methods.contains(&method),
        None => method == CoreClientAuthMethod::ClientSecretBasic,
    };
    let auth_type = match takes(CoreClientAuthMethod::ClientSecretPost)
        && !takes(CoreClientAuthMethod::ClientSecretBasic)
    {
        true => AuthType::RequestBody,
        false => AuthType::BasicAuth,
    };
    let callback = RedirectUrl::from_url(settings.callback.clone());
    Ok(client.set_redirect_uri(callback).set_auth_type(auth_type))
}

/// What a token says, if it is the provider's, for this server, of this attempt, and not over.
fn verified(
    settings: &OidcSettings,
    client: &Asking,
    tokens: &Tokens,
    token: &Token,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<Claims, ClaimsVerificationError> {
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now.inner());
    let claims = token.claims(&verifier, &Nonce::new(attempt.nonce()))?;
    let is_ours = |party: &ClientId| party.as_str() == settings.client_id;
    if !claims.authorized_party().is_none_or(is_ours) {
        let why = "it was issued to another client".to_owned();
        return Err(ClaimsVerificationError::Other(why));
    }
    if let Some(told) = claims.access_token_hash() {
        let key = token.signing_key(&verifier);
        let key = key.map_err(ClaimsVerificationError::SignatureVerification)?;
        let algorithm = token.signing_alg();
        let algorithm = algorithm.map_err(ClaimsVerificationError::SignatureVerification)?;
        let of_it = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
        if of_it.ok().as_ref() != Some(told) {
            let why = "it was issued with another access token".to_owned();
            return Err(ClaimsVerificationError::Other(why));
        }
    }
    Ok(claims.clone())
}

fn garbled(why: &dyn fmt::Display) -> Trouble {
    tracing::warn!(%why, "the identity provider makes no sense");
    Trouble::Provider
}

fn not_proven(why: impl fmt::Display) -> Trouble {
    tracing::warn!(%why, "what the identity provider says of somebody does not hold");
    Trouble::NotProven
}
