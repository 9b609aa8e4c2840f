//! What was used in a month or on a day of what may be.

use super::prelude::*;
use entity::budget_counter;

node! {
    /// What was used, and is set aside, of models in a month or on a day. `budgets` shows the present ones with their caps.
    BudgetCounter in budget_counter (budget_counter, budget_counters) {
        columns {
            id: IdFilter,
            kind: EnumFilter<budget_counter::BudgetKind>,
            key: StringFilter,
            period: StringFilter,
            used: BigIntFilter,
            reserved: BigIntFilter,
            warned_at: DateTimeFilter,
            exceeded_at: DateTimeFilter,
            told_cap: BigIntFilter,
            created_at: DateTimeFilter,
            updated_at: DateTimeFilter,
        }
    }
}
