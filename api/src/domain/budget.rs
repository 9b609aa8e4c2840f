//! How far a budget is used up.

use entity::BigInt;

/// From this percentage on a budget is nearly used up.
const WARNING_PERCENT: i128 = 80;

/// How far a budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BudgetState {
    /// There is no limit.
    Unlimited,
    /// Less than 80 % is used.
    Ok,
    /// At least 80 % is used.
    Warning,
    /// All of it is used.
    Blocked,
}

/// What was used, held against what may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget {
    /// What was used.
    pub(crate) used: i64,
    /// What may be; `None` when there is no limit.
    pub(crate) limit: Option<i64>,
}

impl Budget {
    /// A limit that is missing, zero or less is none.
    pub(crate) fn new(used: i64, limit: Option<BigInt>) -> Self {
        let limit = limit.map(|BigInt(limit)| limit).filter(|limit| *limit > 0);
        Self { used, limit }
    }

    /// How far it is used up.
    pub(crate) fn state(self) -> BudgetState {
        match self.limit {
            None => BudgetState::Unlimited,
            Some(limit) if self.used >= limit => BudgetState::Blocked,
            Some(limit) if i128::from(self.used) * 100 >= i128::from(limit) * WARNING_PERCENT => {
                BudgetState::Warning
            }
            Some(_) => BudgetState::Ok,
        }
    }

    /// The part that is used, in percent.
    pub(crate) fn percent(self) -> Option<f64> {
        percent(self.used, self.limit?)
    }

    /// What is left; zero when it is overdrawn.
    pub(crate) fn remaining(self) -> Option<i64> {
        Some(self.limit?.saturating_sub(self.used).max(0))
    }
}

/// So much of `whole` in percent, with two decimals; `None` when there is no whole.
pub(crate) fn percent(part: i64, whole: i64) -> Option<f64> {
    (whole != 0).then(|| two_decimals(part as f64 / whole as f64 * 100.0))
}

/// The number with two decimals.
pub(crate) fn two_decimals(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_warns_at_eighty_percent_and_blocks_at_a_hundred() {
        use BudgetState::{Blocked, Ok, Unlimited, Warning};
        for (used, limit, state, left) in [
            (5, None, Unlimited, None),
            (5, Some(0), Unlimited, None),
            (5, Some(-1), Unlimited, None),
            (0, Some(10), Ok, Some(10)),
            (799, Some(1000), Ok, Some(201)),
            (800, Some(1000), Warning, Some(200)),
            (999, Some(1000), Warning, Some(1)),
            (1000, Some(1000), Blocked, Some(0)),
            (i64::MAX, Some(1000), Blocked, Some(0)),
            (i64::MAX - 1, Some(i64::MAX), Warning, Some(1)),
        ] {
            let budget = Budget::new(used, limit.map(BigInt));
            assert_eq!(
                (budget.state(), budget.remaining()),
                (state, left),
                "{used} of {limit:?}"
            );
        }
    }

    #[test]
    fn a_percentage_has_two_decimals_and_needs_a_whole() {
        assert_eq!(
            [percent(1, 3), percent(2, 2), percent(1, 0)],
            [Some(33.33), Some(100.0), None]
        );
    }
}
