//! Whose a row is, and which of its columns an ordinary read leaves out.

use crate::{Column, Shape};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, FromQueryResult, IdenStatic, ModelTrait,
    TryIntoModel,
};
use std::fmt::Debug;

/// Whether every row of a table has a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Every row belongs to exactly one tenant.
    Tenant,
    /// A row without a tenant is global: every tenant reads it, none writes it.
    TenantOrGlobal,
}

macro_rules! tables {
    ($($table:ident),* $(,)?) => {
        /// The tables, by the names of their GraphQL types.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is described where it is declared")]
        pub enum Table {
            $($table),*
        }

        impl Table {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$table),*];

            /// The name of its rows' GraphQL type, which is also what the ledger calls them.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$table => stringify!($table)),*
                }
            }

            /// The table with this name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($table) => Some(Self::$table),)*
                    _ => None,
                }
            }
        }
    };
}

tables! {
    Tenant,
    User,
    Invitation,
    GoogleOAuthToken,
    AgentToken,
    ServiceToken,
    AuthToken,
    IdempotencyKey,
    AgentSession,
    TenantFeed,
    AuditLog,
    Project,
    ProjectGraph,
    Goal,
    Meeting,
    Transcript,
    WhisperTranscription,
    Skill,
    SkillPackage,
    SubagentDefinition,
    AgentRole,
    AgentRoleVersion,
    PRD,
    PRDSymbolLink,
    ExecutionPlan,
    Ticket,
    TicketDependency,
    AgentJob,
    AgentJobEvent,
    AgentTask,
    Approval,
    ClarificationRequest,
    CredentialVault,
    IntegrationConnection,
    ChannelRoute,
    Notification,
    NotificationSubscription,
    ScheduledJob,
    ApiUsage,
    ModelPrice,
    BudgetCounter,
    BudgetReservation,
}

/// A table whose rows belong to tenants. Only such tables can be read through a scope.
///
/// Implemented by [`owned!`](crate::owned), never by hand.
pub trait Owned:
    EntityTrait<
        Column: ColumnTrait<EntityName = Self> + Debug + Send + Sync,
        Model: ModelTrait<Entity = Self> + FromQueryResult + Send + Sync,
        ActiveModel: ActiveModelTrait<Entity = Self> + TryIntoModel<Self::Model> + Send,
    > + Send
    + Sync
{
    /// The table, for rules that speak of all of them.
    const TABLE: Table;
    /// The GraphQL type's name, used in messages and in the ledger.
    const KIND: &'static str;
    /// The column that identifies a row.
    const ID: Self::Column;
    /// The column that holds the tenant.
    const TENANT: Self::Column;
    /// Whether rows may be global.
    const OWNERSHIP: Ownership;
    /// Columns read only when asked for by name, because they may hold megabytes.
    const LARGE: &'static [Self::Column];
    /// Columns that no API type carries.
    const SECRET: &'static [Self::Column];
    /// The column with the user a row is for, where some may see only their own.
    const USER: Option<Self::Column>;
    /// The column with the agent token that holds a row, where agents see their own.
    const AGENT: Option<Self::Column>;

    /// The same as data.
    fn shape() -> &'static Shape;

    /// A column as data.
    fn column(column: Self::Column) -> &'static Column {
        let found = Self::shape().column(column.as_str());
        found.unwrap_or_else(|| unreachable!("a shape has every column of its table"))
    }
}

/// Ends a table's file: names its kind, lists its large and secret columns, and says whose a row is within the tenant.
///
/// ```ignore
/// owned!(Goal);
/// owned!(Meeting, large [Metadata, Insights], secret [AudioKey]);
/// owned!(SkillPackage, or global, large [Body]);
/// owned!(Notification, user UserId);
/// owned!(Tenant, id Id, tenant Id);
/// ```
#[macro_export]
macro_rules! owned {
    (
        $kind:ident, or global
        $(, large [$($large:ident),*])? $(, secret [$($secret:ident),*])?
    ) => {
        $crate::owned!(@impl $kind, Id, TenantId, TenantOrGlobal, [$($($large),*)?], [$($($secret),*)?], [], []);
    };
    ($kind:ident, id $id:ident, tenant $tenant:ident $(, secret [$($secret:ident),*])?) => {
        $crate::owned!(@impl $kind, $id, $tenant, Tenant, [], [$($($secret),*)?], [], []);
    };
    (
        $kind:ident
        $(, large [$($large:ident),*])? $(, secret [$($secret:ident),*])? $(, user $user:ident)? $(, agent $agent:ident)?
    ) => {
        $crate::owned!(
            @impl $kind, Id, TenantId, Tenant, [$($($large),*)?], [$($($secret),*)?], [$($user)?], [$($agent)?]
        );
    };
    (
        @impl $kind:ident, $id:ident, $tenant:ident, $ownership:ident, [$($large:ident),*], [$($secret:ident),*],
        [$($user:ident)?], [$($agent:ident)?]
    ) => {
        /// Foreign keys live in the migrations; reads go through the store's loaders.
        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}

        impl $crate::Owned for Entity {
            const TABLE: $crate::Table = $crate::Table::$kind;
            const KIND: &'static str = stringify!($kind);
            const ID: Column = Column::$id;
            const TENANT: Column = Column::$tenant;
            const OWNERSHIP: $crate::Ownership = $crate::Ownership::$ownership;
            const LARGE: &'static [Column] = &[$(Column::$large),*];
            const SECRET: &'static [Column] = &[$(Column::$secret),*];
            const USER: Option<Column> = $crate::owned!(@some $($user)?);
            const AGENT: Option<Column> = $crate::owned!(@some $($agent)?);

            fn shape() -> &'static $crate::Shape {
                static SHAPE: std::sync::LazyLock<$crate::Shape> =
                    std::sync::LazyLock::new($crate::Shape::of::<Entity>);
                &SHAPE
            }
        }
    };
    (@some $column:ident) => { Some(Column::$column) };
    (@some) => { None };
}

/// A set of words kept as lower-case text in the database and shown as an enum in the API.
///
/// The first variant is the default.
#[macro_export]
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $(#[$first_doc:meta])* $first:ident, $($(#[$variant_doc:meta])* $variant:ident),* $(,)? }) => {
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, Hash, $crate::column::EnumIter, $crate::column::DeriveActiveEnum,
            $crate::column::Enum, $crate::column::Serialize, $crate::column::Deserialize,
        )]
        #[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
        #[serde(rename_all = "snake_case")]
        $(#[$doc])*
        pub enum $name {
            $(#[$first_doc])*
            #[default]
            $first,
            $($(#[$variant_doc])* $variant),*
        }
    };
}
