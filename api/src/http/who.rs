//! Who sends a request.

use super::App;
use crate::{
    auth::Actor,
    error::{Error, Result},
};
use axum::http::{HeaderMap, header::AUTHORIZATION};

/// The actor behind a request's credentials.
///
/// # Errors
/// [`Error::Unauthenticated`] when there are none or they do not hold.
pub(super) async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Actor> {
    let header = headers
        .get(AUTHORIZATION)
        .ok_or(Error::Unauthenticated("This needs a token."))?;
    let token = header.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    });
    let token = token.ok_or(Error::Unauthenticated(
        "The Authorization header holds no bearer token.",
    ))?;
    app.tokens.authenticate(&app.store.system(), token).await
}
