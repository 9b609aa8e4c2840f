//! The wall behind the store's own predicates: PostgreSQL's row-level security.
//!
//! Policies (see the migrations) compare each row's tenant with the setting made here. A connection that belongs to a
//! superuser or a role with BYPASSRLS is not held back by them.

use entity::Id;

/// The tenant of work that belongs to no tenant: sign-in, seeding, the global library.
pub(super) const EVERY_TENANT: &str = "*";

/// What tells PostgreSQL, until the transaction ends, whose rows it may touch.
///
/// Behind a pooler every transaction may come to a connection that others have used, so it first forgets the statements
/// that they prepared under the same names.
pub(super) fn arm(tenant: &Id, pooled: bool) -> String {
    let tenant = tenant.as_str().replace('\'', "''");
    let forget = if pooled { "DEALLOCATE ALL; " } else { "" };
    format!("{forget}SELECT set_config('workgraph.tenant', '{tenant}', true)")
}
