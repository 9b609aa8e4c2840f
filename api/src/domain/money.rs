//! Money: whole millionths of a US dollar.

use entity::BigInt;

/// The amount in dollars with all six decimals, such as `0.001500`.
pub(crate) fn usd(BigInt(micros): BigInt) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_six_decimals() {
        let shown = [0, 1, 1_500, 12_000_000, -250_000].map(|micros| usd(BigInt(micros)));
        assert_eq!(
            shown,
            ["0.000000", "0.000001", "0.001500", "12.000000", "-0.250000"]
        );
    }
}
