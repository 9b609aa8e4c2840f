//! Mutations that decide over a row: which step each takes, and what whoever sends it must say.

/// Declares mutations that decide: `field(Input) -> Payload: Step, what is said`. What is said is `seen` where the version
/// that was read is named, then `reason` where one must be given, or `note` where one may be.
///
/// ```text
/// decisions! { PRDDecisionMutation of prd: PRD by PRDStep {
///     /// Approves a brief.
///     approve_prd(ApprovePRDInput) -> ApprovePRDPayload: Approve, seen note;
/// } }
/// ```
macro_rules! decisions {
    ($name:ident of $row:ident: $type:ident by $step:ident { $(
        $(#[doc = $doc:literal])*
        $field:ident($input:ident) -> $payload:ident: $variant:ident, $($said:ident)+;
    )* }) => {
        $($crate::graph::decisions::decisions! { @said $input $type $step::$variant, $($said)+ })*

        $crate::graph::as_named_in_rust!($($input),*);

        $crate::graph::write::mutations! { $name { $(
            $(#[doc = $doc])*
            $field($input) -> $payload { $row: $type };
        )* } }
    };
    (@said $input:ident $type:ident $step:ident::$variant:ident, seen $($reason:ident)+) => {
        $crate::graph::decisions::decisions! {
            @reason $input $type $step::$variant,
            [
                /// The version you read: a brief's `version`, a plan's `attempt`, a ticket's `attemptCount`. Another one
                /// means that somebody was faster.
                expected_version: i32,
            ]
            |input| Some(input.expected_version),
            $($reason)+
        }
    };
    (@said $input:ident $type:ident $step:ident::$variant:ident, $reason:ident) => {
        $crate::graph::decisions::decisions! {
            @reason $input $type $step::$variant, [] |_input| None, $reason
        }
    };
    (@reason $input:ident $type:ident $step:ident::$variant:ident, [$($seen:tt)*] |$of:ident| $version:expr, reason) => {
        $crate::graph::decisions::decisions! {
            @input $input $type $step::$variant, [$($seen)*] |$of| $version, String
        }
    };
    (@reason $input:ident $type:ident $step:ident::$variant:ident, [$($seen:tt)*] |$of:ident| $version:expr, note) => {
        $crate::graph::decisions::decisions! {
            @input $input $type $step::$variant, [$($seen)*] |$of| $version, Option<String>
        }
    };
    (@input $input:ident $type:ident $step:ident::$variant:ident, [$($seen:tt)*] |$of:ident| $version:expr, $reason:ty) => {
        /// What is decided on, and why.
        #[derive(async_graphql::InputObject, Clone)]
        #[graphql(name_type)]
        pub struct $input {
            /// What is decided on.
            id: entity::Id,
            $($seen)*
            /// Why, or what to mind, for who has to do with it: 1 to 5,000 characters.
            #[graphql(directive = $crate::graph::constraints::length::apply(1, 5000))]
            reason: $reason,
            #[graphql(flatten)]
            once: $crate::graph::write::Once,
        }

        impl $crate::graph::write::Write for $input {
            type Entity = <$type as $crate::graph::Node>::Entity;
            const ACTION: $crate::auth::Action = $crate::graph::steps::needs($step::$variant.who());

            async fn apply(
                self,
                tx: &mut $crate::store::Tx<'_>,
            ) -> $crate::Result<<Self::Entity as sea_orm::EntityTrait>::Model> {
                let $of = &self;
                let version: Option<i32> = $version;
                let seen = $crate::workflow::Seen::new(self.id, version, self.reason)?;
                $crate::workflow::decide(tx, $step::$variant, seen).await
            }
        }
    };
}
pub(super) use decisions;
