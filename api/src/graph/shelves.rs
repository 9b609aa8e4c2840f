//! What is done alike with packaged skills and with specialists: reading what is imported, deciding over it, offering it or
//! not, and taking it back.

use crate::{
    Error,
    domain::{check, digest::sha256},
    import::{self, Definition},
};
use async_graphql::Enum;
use entity::{approval::ApprovalDecision, skill_package::LibrarySource};
use serde_json::Value;

/// The most characters of a text that is imported, and of what an entry says.
pub(super) const LONGEST_TEXT: usize = 100_000;

/// The most characters of what a definition's frontmatter holds besides what has a column.
const LONGEST_REST: usize = 20_000;

/// How deep that may be nested.
const DEEPEST_REST: usize = 10;

/// The most tools that an entry names.
const MOST_TOOLS: usize = 50;

/// What becomes of what was imported.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LibraryDecision {
    /// It is offered to agents.
    Approve,
    /// It is turned down.
    Reject,
}

impl From<LibraryDecision> for ApprovalDecision {
    fn from(decision: LibraryDecision) -> Self {
        match decision {
            LibraryDecision::Approve => Self::Approved,
            LibraryDecision::Reject => Self::Rejected,
        }
    }
}

/// A definition that was sent, and what it is known by.
#[derive(Clone)]
pub(super) struct Imported {
    pub(super) slug: String,
    pub(super) content_hash: String,
    pub(super) definition: Definition,
}

impl Imported {
    /// Reads a text with YAML frontmatter.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] with the line at which it is none, or what is too much of it.
    pub(super) fn read(text: &str) -> crate::Result<Self> {
        let refused = |reason: String| Error::bad_input("text", reason);
        check::text("text", text, 1, LONGEST_TEXT)?;
        let definition = import::definition(text).map_err(|error| refused(error.to_string()))?;
        if definition.body.is_empty() {
            let reason = "expected instructions below the frontmatter's closing `---`";
            return Err(refused(reason.to_owned()));
        }
        check::texts("text.tools", &definition.tools, MOST_TOOLS, 200)?;
        if let Some(model) = &definition.model {
            check::line("text.model", model, 1, 200)?;
        }
        let rest = Value::Object(definition.extra.clone());
        if is_deeper(&rest, DEEPEST_REST) || rest.to_string().len() > LONGEST_REST {
            return Err(refused(format!(
                "the frontmatter holds more than it may besides name, description, tools and model: {LONGEST_REST} characters, \
                 nested {DEEPEST_REST} deep. Put it below the frontmatter"
            )));
        }
        Ok(Self {
            slug: import::slug(&definition),
            content_hash: sha256(text),
            definition,
        })
    }
}

fn is_deeper(value: &Value, most: usize) -> bool {
    let mut within: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Object(fields) => Box::new(fields.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => return false,
    };
    match most.checked_sub(1) {
        Some(most) => within.any(|value| is_deeper(value, most)),
        None => true,
    }
}

/// Where an entry says it comes from.
///
/// # Errors
/// [`Error::BadUserInput`] when it cannot.
pub(super) fn source(source: LibrarySource) -> crate::Result<LibrarySource> {
    match source {
        LibrarySource::Vendor => Err(Error::bad_input(
            "source",
            "must be USER or COMMUNITY: VENDOR is what comes with the product",
        )),
        source => Ok(source),
    }
}

/// The tools that an entry names.
///
/// # Errors
/// [`Error::BadUserInput`] naming the field and the limit.
pub(super) fn tools(field: &str, tools: &[String]) -> crate::Result<entity::Json<Vec<String>>> {
    check::texts(field, tools, MOST_TOOLS, 200).map(entity::Json)
}

/// Why something was decided; a rejection says so.
///
/// # Errors
/// [`Error::BadUserInput`] when it is missing or too long.
pub(super) fn reason(
    decision: LibraryDecision,
    reason: Option<String>,
) -> crate::Result<Option<String>> {
    match (decision, &reason) {
        (LibraryDecision::Reject, None) => Err(Error::bad_input(
            "reason",
            "is needed: say why it is turned down",
        )),
        _ => super::shared::said(reason),
    }
}

/// Declares the inputs of what is done alike with the entries of a shelf, by their names.
macro_rules! shelf {
    ($entity:ident: $decide:ident, $set:ident, $reset:ident) => {
        /// What is decided over what was imported.
        #[derive(async_graphql::InputObject, Clone)]
        pub struct $decide {
            /// What was imported.
            id: entity::Id,
            /// The `contentHash` that you read; another one means that it was imported anew.
            #[graphql(directive = $crate::graph::constraints::length::apply(1, 64))]
            expected_content_hash: String,
            /// What becomes of it.
            decision: $crate::graph::shelves::LibraryDecision,
            /// Why, 1 to 5,000 characters; needed to turn it down.
            #[graphql(directive = $crate::graph::constraints::length::apply(1, 5000))]
            reason: Option<String>,
            #[graphql(flatten)]
            once: $crate::graph::write::Once,
        }

        impl $crate::graph::write::Write for $decide {
            type Entity = entity::$entity::Entity;
            const ACTION: $crate::auth::Action = $crate::auth::Action::ManageLibrary;

            async fn apply(
                self,
                tx: &mut $crate::store::Tx<'_>,
            ) -> $crate::Result<entity::$entity::Model> {
                let reason = $crate::graph::shelves::reason(self.decision, self.reason)?;
                let (seen, decision) = (&self.expected_content_hash, self.decision.into());
                $crate::workflow::decide_entry::<Self::Entity>(tx, &self.id, seen, decision, reason)
                    .await
            }
        }

        /// Whether something of the workspace's own is offered.
        #[derive(async_graphql::InputObject, Clone)]
        pub struct $set {
            /// What is the workspace's own.
            id: entity::Id,
            /// `ACTIVE` or `DISABLED`.
            status: entity::skill_package::LibraryStatus,
            #[graphql(flatten)]
            once: $crate::graph::write::Once,
        }

        impl $crate::graph::write::Write for $set {
            type Entity = entity::$entity::Entity;
            const ACTION: $crate::auth::Action = $crate::auth::Action::ManageLibrary;

            async fn apply(
                self,
                tx: &mut $crate::store::Tx<'_>,
            ) -> $crate::Result<entity::$entity::Model> {
                $crate::workflow::set_entry_status::<Self::Entity>(tx, &self.id, self.status).await
            }
        }

        /// What is taken away.
        #[derive(async_graphql::InputObject, Clone)]
        pub struct $reset {
            /// What is the workspace's own.
            id: entity::Id,
            #[graphql(flatten)]
            once: $crate::graph::write::Once,
        }

        impl $crate::graph::write::Delete for $reset {
            const ACTION: $crate::auth::Action = $crate::auth::Action::ManageLibrary;

            fn id(&self) -> &entity::Id {
                &self.id
            }

            async fn apply(self, tx: &mut $crate::store::Tx<'_>) -> $crate::Result<()> {
                $crate::workflow::reset_entry::<entity::$entity::Entity>(tx, &self.id).await
            }
        }
    };
}
pub(super) use shelf;
