//! Which media type an answer has, by the request's `Accept`.

use axum::http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, ACCEPT_ENCODING},
};

const EVENTS: &str = "text/event-stream";

/// A media type that answers come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/json`: every well-formed request is answered with status 200.
    Json,
    /// `application/graphql-response+json`: the status tells whether the operation ran.
    GraphQL,
    /// `text/event-stream`: an event for each answer.
    Events,
}

impl Media {
    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphQL => "application/graphql-response+json; charset=utf-8",
            Self::Events => "text/event-stream",
        })
    }
}

/// Whether the client takes a stream of events at all, even if it likes another type better.
pub(super) fn takes_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|media| media.trim().eq_ignore_ascii_case(EVENTS))
}

/// Whether the client takes what is compressed with gzip.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter();
    let accepted: Vec<_> = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(read)
        .collect();
    let named = ["gzip", "x-gzip", "*"].iter().find_map(|name| {
        let mut accepted = accepted.iter();
        accepted.find(|(coding, _)| coding == name)
    });
    named.is_some_and(|(_, quality)| *quality > 0.0)
}

/// The media type that the client likes best, JSON if it does not say; none if it takes neither.
pub(super) fn negotiate(headers: &HeaderMap) -> Option<Media> {
    let ranges: Vec<_> = headers
        .get_all(ACCEPT)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .filter(|range| !range.trim().is_empty())
        .map(read)
        .collect();
    if ranges.is_empty() {
        return Some(Media::Json);
    }
    let json_is_refused = ranges.contains(&("application/json".to_owned(), 0.0));
    let mut best: Option<(f32, Media)> = None;
    for (range, quality) in ranges {
        let media = match range.as_str() {
            "application/graphql-response+json" => Media::GraphQL,
            EVENTS => Media::Events,
            // What stands for all types does not stand for one that is refused by name.
            "application/*" | "*/*" if json_is_refused => Media::GraphQL,
            "application/json" | "application/*" | "*/*" => Media::Json,
            _ => continue,
        };
        if quality > 0.0 && best.is_none_or(|(before, _)| quality > before) {
            best = Some((quality, media));
        }
    }
    best.map(|(_, media)| media)
}

/// A range of media types, in small letters, and how much it is liked.
fn read(range: &str) -> (String, f32) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let quality = parts
        .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
        .and_then(|quality| quality.trim().parse().ok());
    (name, quality.unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_by_whatever_name_unless_it_is_refused() {
        for (accept, takes) in [
            ("", false),
            ("br", false),
            ("br, GZIP;q=0.5", true),
            ("x-gzip", true),
            ("*", true),
            ("gzip;q=0, *", false),
            ("*;q=0", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
            assert_eq!(takes_gzip(&headers), takes, "{accept}");
        }
    }

    #[test]
    fn the_best_liked_type_wins() {
        for (accept, media) in [
            ("", Some(Media::Json)),
            ("*/*", Some(Media::Json)),
            ("text/html, application/*;q=0.1", Some(Media::Json)),
            ("application/graphql-response+json", Some(Media::GraphQL)),
            (
                "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
                Some(Media::GraphQL),
            ),
            (
                "application/json;q=0.9, application/graphql-response+json;q=0.3",
                Some(Media::Json),
            ),
            ("application/json;q=0", None),
            ("application/json;q=0, */*", Some(Media::GraphQL)),
            ("text/plain", None),
            ("text/event-stream", Some(Media::Events)),
            (
                "application/json, text/event-stream, multipart/mixed",
                Some(Media::Json),
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(negotiate(&headers), media, "{accept}");
        }
    }
}
