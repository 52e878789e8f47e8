//! Exact prices.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// Hours of a month, as price lists count them: 365 days × 24 hours ÷ 12.
const HOURS_PER_MONTH: u64 = 730;

/// No price list has more decimal places, and up to here two mantissas can be compared in 128 bits.
const MAX_SCALE: u8 = 18;

/// An exact decimal amount of money per unit; the currency and the unit are those of the table it comes from.
///
/// The price of a size is in US dollars an hour unless its provider says otherwise. Values are compared and
/// hashed by amount: `"0.10"` equals `"0.1"`.
///
/// In JSON a price is a plain number. Prices of up to 15 significant digits survive the way through a 64-bit
/// float, as which most programs read JSON numbers; of longer ones with decimal places JSON gets the nearest
/// float. Strings are read as well, and are exact at any length.
///
/// ```
/// use libcloud_common::Price;
///
/// let hourly: Price = "0.115".parse()?;
/// assert_eq!(hourly.per_month(), Some("83.95".parse()?));
/// assert_eq!(hourly.checked_add(Price::from_cents(50)), Some("0.615".parse()?));
/// # Ok::<(), libcloud_common::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Price {
    /// The amount times ten to the power of `scale`. It never ends in a zero while `scale` is above 0, so that
    /// each amount has one form and equality and hashing can be derived.
    mantissa: i64,
    scale: u8,
}

impl Price {
    /// Free of charge.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };

    /// A price in hundredths of the currency.
    pub const fn from_cents(cents: i64) -> Self {
        if cents % 100 == 0 {
            Self { mantissa: cents / 100, scale: 0 }
        } else if cents % 10 == 0 {
            Self { mantissa: cents / 10, scale: 1 }
        } else {
            Self { mantissa: cents, scale: 2 }
        }
    }

    /// The price of `mantissa` × 10^-`scale`: `from_decimal(115, 3)` is 0.115. `None` where there are more than 18
    /// decimal places.
    pub const fn from_decimal(mut mantissa: i64, mut scale: u8) -> Option<Self> {
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        if scale > MAX_SCALE { None } else { Some(Self { mantissa, scale }) }
    }

    /// Whether there is nothing to pay.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The sum, or `None` if it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Self::normalised(self.at_scale(scale) + other.at_scale(scale), scale)
    }

    /// The price of `count` units, or `None` if it does not fit.
    pub fn checked_mul(self, count: u64) -> Option<Self> {
        Self::normalised(i128::from(self.mantissa) * i128::from(count), self.scale)
    }

    /// The price of a month when this is the price of an hour, or `None` if it does not fit.
    ///
    /// A month is 730 hours (365 × 24 ÷ 12), as in the providers' own estimates.
    pub fn per_month(self) -> Option<Self> {
        self.checked_mul(HOURS_PER_MONTH)
    }

    /// The nearest 64-bit float, for arithmetic in which rounding does not matter.
    pub fn to_f64(self) -> f64 {
        // Through the text, because dividing two rounded floats would round twice. It always is a float.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    fn normalised(mut mantissa: i128, mut scale: u8) -> Option<Self> {
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        i64::try_from(mantissa).ok().map(|mantissa| Self { mantissa, scale })
    }

    /// The mantissa at a scale between the own one and [`MAX_SCALE`]; 19 and 18 digits always fit.
    fn at_scale(self, scale: u8) -> i128 {
        i128::from(self.mantissa) * 10_i128.pow(u32::from(scale - self.scale))
    }

    /// Reads `[+-]digits[.digits][e[+-]digits]`; the error completes "… is not a price: ".
    fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "expected a decimal number like 0.115, without currency or spaces";
        const SIZE: &str = "it has more digits than the 18 a price can hold";

        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (number, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || fraction.is_empty() {
            return Err("digits are missing before or after the point");
        }
        let exponent: i32 = exponent.parse().map_err(|_| FORM)?;

        let fraction = fraction.trim_end_matches('0');
        let mut mantissa: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b',' => return Err("use a decimal point and no thousands separators"),
                _ => return Err(FORM),
            };
            mantissa = mantissa.checked_mul(10).and_then(|m| m.checked_add(digit.into())).ok_or(SIZE)?;
        }
        if mantissa == 0 {
            return Ok(Self::ZERO);
        }
        if negative {
            mantissa = -mantissa;
        }

        // The amount is mantissa × 10^-places.
        let mut places = i64::try_from(fraction.len()).map_err(|_| SIZE)? - i64::from(exponent);
        while places < 0 {
            mantissa = mantissa.checked_mul(10).ok_or(SIZE)?;
            places += 1;
        }
        while places > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            places -= 1;
        }
        let scale = u8::try_from(places).ok().filter(|scale| *scale <= MAX_SCALE).ok_or(SIZE)?;
        Self::normalised(mantissa, scale).ok_or(SIZE)
    }
}

impl Ord for Price {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.at_scale(scale).cmp(&other.at_scale(scale))
    }
}

impl PartialOrd for Price {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Price {
    type Err = Error;

    /// Reads a decimal number, with an exponent too (`"1e-3"`), since programs write small floats so.
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
            .map_err(|problem| Error::invalid_argument(format!("`{text}` is not a price: {problem}")))
    }
}

impl fmt::Display for Price {
    /// The plain decimal number, never with an exponent. Width and alignment apply as for numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.mantissa.unsigned_abs();
        let digits = if self.scale == 0 {
            amount.to_string()
        } else {
            let unit = 10_u64.pow(u32::from(self.scale));
            format!("{}.{:0width$}", amount / unit, amount % unit, width = usize::from(self.scale))
        };
        f.pad_integral(self.mantissa >= 0, "", &digits)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Price({self})")
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.scale == 0 {
            serializer.serialize_i64(self.mantissa)
        } else {
            serializer.serialize_f64(self.to_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PriceVisitor)
    }
}

struct PriceVisitor;

impl Visitor<'_> for PriceVisitor {
    type Value = Price;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a price as a number or a string")
    }

    fn visit_i64<E: de::Error>(self, mantissa: i64) -> Result<Price, E> {
        Ok(Price { mantissa, scale: 0 })
    }

    fn visit_u64<E: de::Error>(self, amount: u64) -> Result<Price, E> {
        i64::try_from(amount)
            .map(|mantissa| Price { mantissa, scale: 0 })
            .map_err(|_| E::custom(format_args!("`{amount}` is not a price: it is too large")))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Price, E> {
        // The shortest digits that read back as this float are the ones that were written, up to 15 of them.
        self.visit_str(&value.to_string()).or_else(|error: E| {
            // A price per month divided by the hours of a month has more places than any price list.
            let nearest = format!("{value:.places$}", places = usize::from(MAX_SCALE));
            let nearest =
                nearest.parse().ok().filter(|nearest: &Price| value.abs() < 1.0 && !nearest.is_zero());
            nearest.ok_or(error)
        })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Price, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_of_many_digits_is_written_as_it_was_read() {
        // Found by fuzzing: an inexact reader moves the last digit each time.
        let price: Price = serde_json::from_str("-9.222228422222221222").unwrap();
        let written = serde_json::to_string(&price).unwrap();
        let again: Price = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), written);
    }

    #[test]
    fn text_is_read_and_written_without_loss() {
        for (text, printed) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("1", "1"),
            ("+1.50", "1.5"),
            ("0.115", "0.115"),
            ("-0.05", "-0.05"),
            ("100", "100"),
            ("007.0", "7"),
            ("1e-3", "0.001"),
            ("2.5E2", "250"),
            ("1500e-2", "15"),
            ("0e999999999", "0"),
            ("0.000000000000000001", "0.000000000000000001"),
            ("9223372036854775807", "9223372036854775807"),
            ("-9.223372036854775808", "-9.223372036854775808"),
            ("1.00000000000000000000000000", "1"),
        ] {
            assert_eq!(price(text).to_string(), printed, "{text}");
        }
    }

    #[test]
    fn garbage_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "digits are missing"),
            (".5", "digits are missing"),
            ("5.", "digits are missing"),
            ("-", "digits are missing"),
            ("--1", "expected a decimal number"),
            ("+-1", "expected a decimal number"),
            (" 1", "expected a decimal number"),
            ("$1", "expected a decimal number"),
            ("1.2.3", "expected a decimal number"),
            ("1e", "expected a decimal number"),
            ("1e5.0", "expected a decimal number"),
            ("NaN", "expected a decimal number"),
            ("inf", "expected a decimal number"),
            ("٣", "expected a decimal number"),
            ("1,50", "use a decimal point"),
            ("0.0000000000000000001", "more digits"),
            ("9223372036854775808", "more digits"),
            ("1e2147483647", "more digits"),
            ("1e-2147483648", "more digits"),
        ] {
            let error = text.parse::<Price>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.message().starts_with(&format!("`{text}` is not a price: ")), "{error}");
            assert!(error.message().contains(reason), "{error}");
        }
    }

    #[test]
    fn equal_amounts_are_one_value() {
        let same: HashSet<Price> = ["0.1", "0.10", "1e-1", "00.1"].map(price).into();
        assert_eq!(same.len(), 1);
        assert_eq!(Price::from_cents(10), price("0.1"));
        assert_eq!(Price::from_cents(-1200), price("-12"));
        assert_eq!(Price::from_cents(0), Price::ZERO);
        assert_eq!(Price::from_cents(i64::MIN), price("-92233720368547758.08"));
        assert_eq!(Price::from_decimal(1150, 4), Some(price("0.115")));
        assert_eq!(Price::from_decimal(0, 200), Some(Price::ZERO));
        assert_eq!(Price::from_decimal(i64::MIN, 18), Some(price("-9.223372036854775808")));
        assert_eq!(Price::from_decimal(1, 19), None);
        assert!(Price::default().is_zero() && !price("0.01").is_zero());
    }

    #[test]
    fn prices_sort_by_amount() {
        let mut prices = ["10", "9.99", "-1", "0.1", "0.09", "0"].map(price);
        prices.sort();
        assert_eq!(prices, ["-1", "0", "0.09", "0.1", "9.99", "10"].map(price));
        let (largest, tiniest) = (price("9223372036854775807"), price("0.000000000000000001"));
        assert!(largest > tiniest);
    }

    #[test]
    fn arithmetic_is_exact_or_refuses() {
        assert_eq!(price("0.1").checked_add(price("0.2")), Some(price("0.3")));
        assert_eq!(price("0.95").checked_add(price("0.05")), Some(price("1")));
        assert_eq!(price("0.115").checked_mul(1000), Some(price("115")));
        assert_eq!(price("0.02").per_month(), Some(price("14.6")));
        let largest = price("9223372036854775807");
        assert_eq!(largest.checked_add(price("1")), None);
        assert_eq!(largest.checked_mul(2), None);
        assert_eq!(price("-1").checked_mul(u64::MAX), None);
        assert_eq!(largest.checked_add(price("0.01")), None, "rounding would be needed");
    }

    #[test]
    fn formatting_honours_width_and_alignment() {
        assert_eq!(
            format!("{:>6}|{:<6}|{:06}", price("0.5"), price("0.5"), price("-0.5")),
            "   0.5|0.5   |-000.5"
        );
        assert_eq!(format!("{:?}", price("0.50")), "Price(0.5)");
    }

    #[test]
    fn json_has_plain_numbers() {
        let prices = ["4", "0.115", "0", "-1.5"].map(price);
        let json = serde_json::to_string(&prices).unwrap();
        assert_eq!(json, "[4,0.115,0,-1.5]");
        assert_eq!(serde_json::from_str::<Vec<Price>>(&json).unwrap(), prices);
    }

    #[test]
    fn json_numbers_and_strings_are_read() {
        let read: Vec<Price> =
            serde_json::from_str(r#"[0.0, 4.0, 1e-7, "0.10", "1.234567890123456789"]"#).unwrap();
        assert_eq!(read, ["0", "4", "0.0000001", "0.1", "1.234567890123456789"].map(price));

        // The shortest form of this float has 20 decimal places; the nearest price has 18.
        let divided: Price = serde_json::from_str("0.00012222222222222221").unwrap();
        assert_eq!(divided, price("0.000122222222222222"));

        for (json, reason) in [
            ("1e300", "more digits"),
            ("1e-30", "more digits"),
            ("18446744073709551615", "too large"),
            ("\"free\"", "expected a decimal number"),
            ("null", "expected a price as a number or a string"),
            ("true", "expected a price as a number or a string"),
        ] {
            let error = serde_json::from_str::<Price>(json).unwrap_err().to_string();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }

    #[test]
    fn flattened_structs_can_hold_prices() {
        #[derive(Deserialize)]
        struct Inner {
            price: Price,
        }
        #[derive(Deserialize)]
        struct Outer {
            #[serde(flatten)]
            inner: Inner,
        }
        let outer: Outer = serde_json::from_str(r#"{"price": 0.115}"#).unwrap();
        assert_eq!(outer.inner.price, price("0.115"));
    }

    proptest! {
        #[test]
        fn any_price_survives_its_text(mantissa: i64, scale in 0..=MAX_SCALE) {
            let price = Price::normalised(mantissa.into(), scale).unwrap();
            prop_assert_eq!(price.to_string().parse::<Price>().unwrap(), price);
        }

        #[test]
        fn fifteen_digits_survive_json(mantissa in -999_999_999_999_999_i64..=999_999_999_999_999, scale in 0..=MAX_SCALE) {
            let price = Price::normalised(mantissa.into(), scale).unwrap();
            let json = serde_json::to_string(&price).unwrap();
            prop_assert_eq!(serde_json::from_str::<Price>(&json).unwrap(), price);
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE,]{0,40}|.*") {
            if let Ok(price) = text.parse::<Price>() {
                prop_assert_eq!(price.to_string().parse::<Price>().unwrap(), price);
            }
        }

        #[test]
        fn order_agrees_with_arithmetic(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000) {
            let (left, right) = (Price::from_cents(a), Price::from_cents(b));
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
            prop_assert_eq!(left.checked_add(right), Some(Price::from_cents(a + b)));
        }
    }
}
