//! What a call of a model costs, in whole millionths of a US dollar.

use entity::{BigInt, model_price};

/// What a call took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Tokens sent, those in the provider's cache included.
    pub(crate) input: i64,
    /// Tokens received.
    pub(crate) output: i64,
    /// Tokens sent that the provider had in its cache.
    pub(crate) cached: i64,
    /// Seconds of speech.
    pub(crate) seconds: i64,
}

/// What a million tokens and a minute of speech cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rates {
    pub(crate) input: i64,
    pub(crate) output: i64,
    pub(crate) cached: i64,
    pub(crate) minute: i64,
}

impl Rates {
    /// For a model of which nobody has said what it costs.
    pub(crate) const UNKNOWN: Self = Self {
        input: 1_000_000,
        output: 3_000_000,
        cached: 1_000_000,
        minute: 10_000,
    };

    /// For a model of one's own of which nobody has said what it costs.
    pub(crate) const NOTHING: Self = Self {
        input: 0,
        output: 0,
        cached: 0,
        minute: 0,
    };

    /// What the call costs: each of what tokens and what speech cost is rounded to the nearest millionth of a dollar.
    pub(crate) fn cost(self, taken: Taken) -> i64 {
        let sum = |parts: &[(i64, i64)]| {
            let products = parts
                .iter()
                .map(|(count, rate)| i128::from(*count) * i128::from(*rate));
            products.sum::<i128>()
        };
        let tokens = sum(&[
            (taken.input - taken.cached, self.input),
            (taken.cached, self.cached),
            (taken.output, self.output),
        ]);
        let speech = sum(&[(taken.seconds, self.minute)]);
        let cost = (tokens + 500_000) / 1_000_000 + (speech + 30) / 60;
        i64::try_from(cost).unwrap_or(i64::MAX)
    }
}

impl From<&model_price::Model> for Rates {
    fn from(price: &model_price::Model) -> Self {
        let BigInt(input) = price.input_micros_per_million;
        let BigInt(output) = price.output_micros_per_million;
        let BigInt(cached) = price.cached_micros_per_million;
        let BigInt(minute) = price.audio_micros_per_minute;
        Self {
            input,
            output,
            cached,
            minute,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_costs_what_its_tokens_and_its_speech_cost() {
        let rates = Rates {
            input: 3_000_000,
            output: 15_000_000,
            cached: 300_000,
            minute: 6000,
        };
        for (input, output, cached, seconds, cost) in [
            (0, 0, 0, 0, 0),
            (1, 0, 0, 0, 3),
            (1000, 100, 0, 0, 4500),
            (1000, 100, 1000, 0, 1800),
            (0, 0, 0, 60, 6000),
            (0, 0, 0, 1, 100),
            (1_000_000_000, 1_000_000_000, 0, 0, 18_000_000_000),
        ] {
            let taken = Taken {
                input,
                output,
                cached,
                seconds,
            };
            assert_eq!(rates.cost(taken), cost, "{taken:?}");
        }
    }

    #[test]
    fn what_costs_less_than_a_millionth_is_rounded() {
        let rates = Rates {
            input: 400_000,
            ..Rates::NOTHING
        };
        let cost = |input| {
            rates.cost(Taken {
                input,
                ..Taken::default()
            })
        };
        assert_eq!([1, 2, 3, 4].map(cost), [0, 1, 1, 2]);
    }
}
