//! The wall behind the store's own predicates: PostgreSQL's row-level security.
//!
//! Policies (see the migrations) compare each row's tenant with the setting made here. A connection that belongs to a
//! superuser or a role with BYPASSRLS is not held back by them.

use entity::Id;

/// The tenant of work that belongs to no tenant: sign-in, seeding, the global library.
pub(super) const EVERY_TENANT: &str = "*";

/// The statement that tells PostgreSQL, until the transaction ends, whose rows it may touch.
pub(super) fn arm(tenant: &Id) -> String {
    let tenant = tenant.as_str().replace('\'', "''");
    format!("SELECT set_config('workgraph.tenant', '{tenant}', true)")
}
