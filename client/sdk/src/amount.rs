// SPDX-License-Identifier: Apache-2.0

//! Amounts of TOS as people write them. No floats: what is typed is what is paid, to the wei.

use tos_types::{Balance, TOS};

/// Decimal places of one TOS.
const DECIMALS: usize = 18;

/// Reads `1.5`, `1.5 TOS`, `10tos` or `1500000000000000000 wei`.
pub fn parse(text: &str) -> Result<Balance, String> {
    let lower = text.trim().to_ascii_lowercase();
    if let Some(wei) = lower.strip_suffix("wei") {
        return digits(wei.trim_end()).ok_or_else(|| format!("`{text}` is not an amount in wei"));
    }
    let number = lower.strip_suffix("tos").unwrap_or(&lower).trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.len() > DECIMALS {
        return Err(format!("`{text}` has more than {DECIMALS} decimal places"));
    }
    let amount = || {
        let missing = u32::try_from(DECIMALS - fraction.len()).ok()?;
        let fraction = digits(fraction)?.checked_mul(10u128.checked_pow(missing)?)?;
        digits(whole)?.checked_mul(TOS)?.checked_add(fraction)
    };
    amount().ok_or_else(|| format!("`{text}` is not an amount: write 10, 1.5 or 1500 wei"))
}

/// Writes an amount with all its digits and no more: `1.5 TOS`.
pub fn format(amount: Balance) -> String {
    let (whole, fraction) = (amount / TOS, amount % TOS);
    if fraction == 0 {
        return format!("{whole} TOS");
    }
    let fraction = format!("{fraction:018}");
    format!("{whole}.{} TOS", fraction.trim_end_matches('0'))
}

/// Writes an estimate with four decimal places at most: `0.0123 TOS`.
pub fn about(amount: Balance) -> String {
    const GRAIN: Balance = TOS / 10_000;
    match amount {
        0 => format(0),
        amount if amount < GRAIN => format!("less than {}", format(GRAIN)),
        amount => format((amount + GRAIN / 2) / GRAIN * GRAIN),
    }
}

/// Plain digits only: no sign, no separators, not empty.
fn digits(text: &str) -> Option<Balance> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_to_the_wei() {
        assert_eq!(parse("1.5"), Ok(1_500_000_000_000_000_000));
        assert_eq!(parse("0.1 TOS"), Ok(100_000_000_000_000_000));
        assert_eq!(parse("0.000000000000000001"), Ok(1));
        assert_eq!(parse("184000000tos"), Ok(184_000_000 * TOS));
        assert_eq!(
            parse("123456789.123456789123456789"),
            Ok(123456789123456789123456789)
        );
        assert_eq!(parse("42 wei"), Ok(42));
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        let long = "1.0000000000000000001";
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.5.0", "wei", "1.5 wei", long,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("999999999999999999999999999999").is_err());
    }

    #[test]
    fn estimates_have_few_digits() {
        assert_eq!(about(0), "0 TOS");
        assert_eq!(about(1), "less than 0.0001 TOS");
        assert_eq!(about(123_456_789_000_000_000), "0.1235 TOS");
        assert_eq!(about(7 * TOS), "7 TOS");
    }

    #[test]
    fn formatting_round_trips() {
        for wei in [0, 1, TOS, TOS + 1, TOS / 10, 123_456_789_123_456_789_123] {
            assert_eq!(parse(&format(wei)), Ok(wei));
        }
        assert_eq!(format(1_500_000_000_000_000_000), "1.5 TOS");
    }
}
