//! The wall behind the store's own predicates: PostgreSQL's row-level security.
//!
//! Policies (see the migrations) compare each row's tenant with the setting made here. A connection that belongs to a
//! superuser or a role with BYPASSRLS is not held back by them.

use entity::Id;
use std::time::Duration;

/// The tenant of work that belongs to no tenant: sign-in, seeding, the global library.
pub(super) const EVERY_TENANT: &str = "*";

/// The role of a connection that no policy holds back; no row for others.
pub(super) const UNWALLED: &str = "SELECT rolname::text AS role FROM pg_roles \
     WHERE rolname = current_user AND (rolsuper OR rolbypassrls)";

/// What tells PostgreSQL, until the transaction ends, whose rows it may touch.
///
/// Behind a pooler every transaction may come to a connection that others have used, so it first forgets the statements
/// that they prepared under the same names. With `patience`, PostgreSQL itself stops a statement that takes longer: one
/// whose client has gone would run on otherwise.
pub(super) fn arm(tenant: &Id, pooled: bool, patience: Option<Duration>) -> String {
    let tenant = tenant.as_str().replace('\'', "''");
    let forget = if pooled { "DEALLOCATE ALL; " } else { "" };
    let limit = patience.map_or_else(String::new, |patience| {
        format!("SET LOCAL statement_timeout = {}; ", patience.as_millis())
    });
    format!("{forget}{limit}SELECT set_config('workgraph.tenant', '{tenant}', true)")
}
