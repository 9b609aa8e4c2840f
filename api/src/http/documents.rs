//! Documents that are named and not sent: those that the operator trusts, and those that somebody sent before.

use super::parameters::holds_nul_or_its_escape;
use crate::{
    domain::digest::sha256,
    error::{Error, Result},
};
use quick_cache::{Weighter, sync::Cache};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// What an id begins with that is the document's own hash.
const HASH: &str = "sha256:";

/// About so many documents are remembered by their hash.
const ABOUT: usize = 2_000;

/// The longest id of a document, in bytes.
const LONGEST_ID: usize = 200;

/// The document of a request, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Its text.
    Text(String),
    /// Its id: one of the manifest's, or its hash after `sha256:`.
    Id(String),
    /// Its hash alone, in the hope that it is known.
    Hash(String),
    /// Its text, to be known by its hash from now on.
    Both(String, String),
    /// One of the server's own.
    Own(&'static str),
}

/// A document that may be judged.
pub(super) struct Found {
    pub(super) text: String,
    /// The hash that it is asked for by, if the client told it.
    pub(super) hash: Option<String>,
}

/// The documents that clients can name.
pub(super) struct Documents {
    trusted: TrustedDocuments,
    told: Cache<String, Arc<str>, Bytes>,
}

/// The documents that the operator trusts.
#[derive(Clone, Debug, Default)]
pub struct TrustedDocuments {
    by_id: HashMap<String, Arc<str>>,
    by_hash: HashMap<String, Arc<str>>,
    only: bool,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<String, Arc<str>> for Bytes {
    fn weight(&self, hash: &String, text: &Arc<str>) -> u64 {
        (hash.len() + text.len()) as u64
    }
}

impl Documents {
    /// The trusted ones, and up to so many bytes of others.
    pub(super) fn new(trusted: TrustedDocuments, bytes: u64) -> Self {
        Self {
            trusted,
            told: Cache::with_weighter(ABOUT, bytes, Bytes),
        }
    }

    /// The document that was asked for.
    ///
    /// # Errors
    /// [`Error::UnknownDocument`], [`Error::UntrustedDocument`] where only trusted ones run, [`Error::BadUserInput`] when
    /// a hash is another document's.
    pub(super) fn find(&self, sent: Sent) -> Result<Found> {
        let unknown = |by_hash| Error::UnknownDocument {
            by_hash,
            only: self.trusted.only,
        };
        match sent {
            Sent::Own(text) => Ok(Found {
                text: text.to_owned(),
                hash: None,
            }),
            Sent::Text(text) => {
                self.must_trust(|| sha256(&text))?;
                Ok(Found { text, hash: None })
            }
            Sent::Both(text, hash) if sha256(&text) == hash => {
                self.must_trust(|| hash.clone())?;
                let hash = Some(hash);
                Ok(Found { text, hash })
            }
            Sent::Both(..) => Err(Error::bad_input(
                "extensions.persistedQuery.sha256Hash",
                "is not the hash of this document",
            )),
            Sent::Id(id) => {
                let id = id.strip_prefix(HASH).unwrap_or(&id);
                let found = self.trusted.by_id.get(id).cloned();
                let found = found.or_else(|| self.by_hash(id));
                found.map(Found::known).ok_or_else(|| unknown(false))
            }
            Sent::Hash(hash) => {
                let found = self.by_hash(&hash);
                found.map(Found::known).ok_or_else(|| unknown(true))
            }
        }
    }

    /// Refuses a document that is not trusted, where only trusted ones run.
    fn must_trust(&self, hash: impl FnOnce() -> String) -> Result<()> {
        match self.trusted.only && !self.trusted.by_hash.contains_key(&hash()) {
            true => Err(Error::UntrustedDocument),
            false => Ok(()),
        }
    }

    fn by_hash(&self, hash: &str) -> Option<Arc<str>> {
        let trusted = self.trusted.by_hash.get(hash).cloned();
        trusted.or_else(|| self.told.get(hash))
    }

    /// Remembers a document by the hash that was told with it.
    pub(super) fn remember(&self, hash: &str, text: &str) {
        if self.told.get(hash).is_none() {
            self.told.insert(hash.to_owned(), text.into());
        }
    }

    /// Every trusted document with its id.
    pub(super) fn all_trusted(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.trusted.by_id.iter();
        all.map(|(id, text)| (id.as_str(), text.as_ref()))
    }
}

impl Sent {
    /// How many bytes of the document were sent.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Text(text) | Self::Both(text, _) => text.len() as u64,
            Self::Own(text) => text.len() as u64,
            Self::Id(_) | Self::Hash(_) => 0,
        }
    }
}

impl Found {
    fn known(text: Arc<str>) -> Self {
        Self {
            text: text.as_ref().to_owned(),
            hash: None,
        }
    }
}

impl TrustedDocuments {
    /// Reads a manifest: a JSON object of documents by their ids, as Relay and GraphQL Code Generator write it, or Apollo's
    /// with a list of `operations`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(manifest: &str) -> Result<Self, String> {
        let manifest: Value =
            serde_json::from_str(manifest).map_err(|error| format!("is not JSON: {error}"))?;
        let Value::Object(mut documents) = manifest else {
            return Err("is no JSON object".to_owned());
        };
        let operations = match documents.remove("operations") {
            Some(Value::Array(operations)) => operations.iter().map(operation).collect(),
            Some(_) => return Err("has `operations` that are no list".to_owned()),
            None => documents.into_iter().collect::<Vec<_>>(),
        };
        let (mut by_id, mut by_hash) = (HashMap::new(), HashMap::new());
        for (id, text) in operations {
            let Value::String(text) = text else {
                return Err(format!("has no document under the id {id:?}"));
            };
            let id = id.strip_prefix(HASH).unwrap_or(&id);
            if id.is_empty() || id.len() > LONGEST_ID {
                return Err(format!("has an id that is empty or too long: {id:?}"));
            }
            if holds_nul_or_its_escape(&text) {
                return Err(format!("has a NUL character in the document {id:?}"));
            }
            let (hash, text) = (sha256(&text), Arc::<str>::from(text));
            let is_hash = id.len() == hash.len() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_hash && id != hash {
                return Err(format!("has another document than it says under {id}"));
            }
            by_id.insert(id.to_owned(), text.clone());
            by_hash.insert(hash, text);
        }
        Ok(Self {
            by_id,
            by_hash,
            only: false,
        })
    }

    /// The same; whether nothing else runs is as said.
    #[must_use]
    pub fn only(self, only: bool) -> Self {
        Self { only, ..self }
    }
}

/// An operation of Apollo's manifest: its id and its body.
fn operation(operation: &Value) -> (String, Value) {
    let id = operation["id"].as_str().unwrap_or_default();
    (id.to_owned(), operation["body"].clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXT: &str = "{ __typename }";

    fn code(found: Result<Found>) -> Option<&'static str> {
        found.err().map(|error| error.code())
    }

    #[test]
    fn manifests_of_several_tools_are_read() {
        let hash = sha256(TEXT);
        for manifest in [
            json!({ "page": TEXT }),
            json!({ &hash: TEXT }),
            json!({ format!("sha256:{hash}"): TEXT }),
            json!({ "format": "apollo-persisted-query-manifest", "version": 1,
                    "operations": [{ "id": hash, "name": "Q", "type": "query", "body": TEXT }] }),
        ] {
            let trusted = TrustedDocuments::read(&manifest.to_string()).unwrap();
            let documents = Documents::new(trusted, 1_000);
            for sent in [Sent::Id(format!("sha256:{hash}")), Sent::Hash(hash.clone())] {
                assert_eq!(documents.find(sent).unwrap().text, TEXT, "{manifest}");
            }
        }
    }

    #[test]
    fn a_manifest_that_is_none_is_refused() {
        let hash = sha256("another");
        for manifest in [
            "".to_owned(),
            "[]".to_owned(),
            json!({ "page": 1 }).to_string(),
            json!({ "": TEXT }).to_string(),
            json!({ hash: TEXT }).to_string(),
            json!({ "operations": [{ "id": "a" }] }).to_string(),
            json!({ "operations": "a" }).to_string(),
            json!({ "nul": "{ search(text: \"\\u0000\") { totalCount } }" }).to_string(),
        ] {
            assert!(TrustedDocuments::read(&manifest).is_err(), "{manifest}");
        }
    }

    #[test]
    fn where_only_trusted_documents_run_no_other_is_found() {
        let manifest = json!({ "page": TEXT }).to_string();
        let trusted = TrustedDocuments::read(&manifest).unwrap().only(true);
        let documents = Documents::new(trusted, 1_000);
        for sent in [
            Sent::Text(TEXT.to_owned()),
            Sent::Id("page".to_owned()),
            Sent::Both(TEXT.to_owned(), sha256(TEXT)),
        ] {
            assert_eq!(documents.find(sent).unwrap().text, TEXT);
        }
        let other = "{ feedCursor }".to_owned();
        let both = Sent::Both(other.clone(), sha256(&other));
        for sent in [Sent::Text(other), both] {
            assert_eq!(code(documents.find(sent)), Some("DOCUMENT_NOT_TRUSTED"));
        }
    }

    #[test]
    fn what_was_told_is_known_by_its_hash_and_bounded_in_bytes() {
        let documents = Documents::new(TrustedDocuments::default(), 1_000);
        let hash = sha256(TEXT);
        let unknown = documents.find(Sent::Hash(hash.clone()));
        assert_eq!(code(unknown), Some("PERSISTED_QUERY_NOT_FOUND"));
        documents.remember(&hash, TEXT);
        assert_eq!(documents.find(Sent::Hash(hash.clone())).unwrap().text, TEXT);
        let lie = Sent::Both("{ feedCursor }".to_owned(), hash);
        assert_eq!(code(documents.find(lie)), Some("BAD_USER_INPUT"));
        for number in 0..1_000 {
            let text = format!("{{ a{number}: __typename }}");
            documents.remember(&sha256(&text), &text);
        }
        assert!(documents.told.weight() <= 1_000);
    }
}
