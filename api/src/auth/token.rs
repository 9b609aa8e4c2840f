//! Bearer tokens: signed, short statements of which user is asking, and the tokens of agents and services.

use super::{
    Actor,
    opaque::{self, AGENT, SERVICE},
};
use crate::{
    clock::Clock,
    error::{Error, Result},
    store::System,
};
use chrono::DateTime;
use entity::{Id, Timestamp, user};
use hmac::{Hmac, KeyInit, Mac, digest::Key};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr, time::Duration};

const ISSUER: &str = "workgraph";
const AUDIENCE: &str = "workgraph-api";
const INVALID: Error =
    Error::Unauthenticated("This token is not valid or has expired. Sign in again.");

/// The key that signs tokens. At least 32 bytes.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes a key of at least 32 bytes.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn new(secret: impl Into<Vec<u8>>) -> Result<Self, String> {
        let secret = secret.into();
        if secret.len() < 32 {
            return Err(
                "must have at least 32 characters; `openssl rand -hex 32` makes one".to_owned(),
            );
        }
        Ok(Self(secret))
    }

    /// A key that nobody has or keeps, for who signs nothing.
    pub fn unkept() -> Self {
        Self(rand::random::<[u8; 32]>().to_vec())
    }

    /// A key of its own for one purpose, which tells nothing of the secret or of other purposes' keys.
    pub(crate) fn keyed(&self, purpose: &str) -> Hmac<Sha256> {
        let keyed = |digest: &[u8]| {
            let mut key = Key::<Hmac<Sha256>>::default();
            key[..digest.len()].copy_from_slice(digest);
            Hmac::<Sha256>::new(&key)
        };
        let mut derived = keyed(&Sha256::digest(&self.0));
        derived.update(b"workgraph ");
        derived.update(purpose.as_bytes());
        keyed(&derived.finalize().into_bytes())
    }
}

impl FromStr for Secret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a token says. A token without one of these, or with anything else, is refused.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    sub: Id,
    tid: Id,
    tv: i32,
    jti: String,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
}

/// Makes and checks tokens.
#[derive(Clone)]
pub struct Tokens {
    secret: Secret,
    clock: Clock,
}

impl Tokens {
    /// Signs with this key.
    pub fn new(secret: Secret, clock: Clock) -> Self {
        Self { secret, clock }
    }

    /// The clock that decides whether a token has expired.
    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// A key of its own for one purpose: see [`Secret::keyed`].
    pub(super) fn keyed(&self, purpose: &str) -> Hmac<Sha256> {
        self.secret.keyed(purpose)
    }

    /// A token that speaks for this user.
    ///
    /// # Errors
    /// If signing fails.
    pub fn issue(&self, user: &user::Model, lifetime: Duration) -> Result<String> {
        let now = self.clock.now().inner();
        let claims = Claims {
            sub: user.id.clone(),
            tid: user.tenant_id.clone(),
            tv: user.token_version,
            jti: cuid2::create_id(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: now.timestamp(),
            exp: (now + lifetime).timestamp(),
        };
        jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            &claims,
            &EncodingKey::from_secret(&self.secret.0),
        )
        .map_err(Error::internal)
    }

    /// Who a bearer token speaks for, as the database knows them now.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the token is forged, expired or revoked, or its holder is gone.
    pub async fn authenticate(&self, system: &System, token: &str) -> Result<Actor> {
        Ok(self.authenticate_until(system, token).await?.0)
    }

    /// The same, and when the token stops being valid; none if it never does.
    ///
    /// # Errors
    /// As [`Tokens::authenticate`].
    pub(crate) async fn authenticate_until(
        &self,
        system: &System,
        token: &str,
    ) -> Result<(Actor, Option<Timestamp>)> {
        if token.starts_with(AGENT) {
            return self.authenticate_agent(system, token).await;
        }
        if token.starts_with(SERVICE) {
            return self.authenticate_service(system, token).await;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The clock is ours to ask, so that tests can turn it.
        validation.validate_exp = false;
        let token = jsonwebtoken::decode::<Claims>(
            token,
            &DecodingKey::from_secret(&self.secret.0),
            &validation,
        )
        .map_err(|_| INVALID)?;
        let (header, claims) = (token.header, token.claims);
        if header.typ.as_deref() != Some("JWT")
            || claims.exp <= self.clock.now().inner().timestamp()
        {
            return Err(INVALID);
        }
        let user = system
            .user(&claims.tid, &claims.sub)
            .await?
            .ok_or(INVALID)?;
        if user.token_version != claims.tv {
            return Err(INVALID);
        }
        let until = DateTime::from_timestamp(claims.exp, 0).map(Timestamp::new);
        Ok((Actor::user(user), until))
    }

    /// How long it is until a moment; nothing when it has passed.
    pub(crate) fn remaining(&self, until: Timestamp) -> Duration {
        let left = until.inner() - self.clock.now().inner();
        left.to_std().unwrap_or_default()
    }

    async fn authenticate_agent(
        &self,
        system: &System,
        token: &str,
    ) -> Result<(Actor, Option<Timestamp>)> {
        if !opaque::is_one(AGENT, token) {
            return Err(INVALID);
        }
        let now = self.clock.now();
        let token = system.agent_token(&opaque::hash(token)).await?;
        let token = token.ok_or(INVALID)?;
        let expired = token.expires_at.is_some_and(|at| at <= now);
        if expired || token.revoked_at.is_some() {
            return Err(INVALID);
        }
        system.touch(&token, now);
        let until = token.expires_at;
        Ok((Actor::agent(token), until))
    }

    async fn authenticate_service(
        &self,
        system: &System,
        token: &str,
    ) -> Result<(Actor, Option<Timestamp>)> {
        if !opaque::is_one(SERVICE, token) {
            return Err(INVALID);
        }
        let now = self.clock.now();
        let token = system.service_token(&opaque::hash(token)).await?;
        let token = token.ok_or(INVALID)?;
        if token.expires_at <= now || token.revoked_at.is_some() {
            return Err(INVALID);
        }
        system.touch(&token, now);
        let until = token.expires_at;
        Ok((Actor::service(token), Some(until)))
    }
}
