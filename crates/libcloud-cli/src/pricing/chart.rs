//! Prices as bars in the terminal.

use comfy_table::Table;
use libcloud::Price;

use crate::output::harmless;

/// The width where none is known.
const WIDTH: usize = 80;
/// No name takes more room than this.
const LONGEST_NAME: usize = 32;

/// A line for each price: name, bar, price. The highest price has the longest bar.
pub(super) fn bars(prices: &[(String, Price)]) -> String {
    bars_within(Table::new().width().map_or(WIDTH, usize::from), prices)
}

fn bars_within(width: usize, prices: &[(String, Price)]) -> String {
    let shown: Vec<(String, String)> =
        prices.iter().map(|(name, price)| (shortened(&harmless(name)), price.to_string())).collect();
    let longest = |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| text.chars().count()).max();
    let names = longest(&mut shown.iter().map(|(name, _)| name)).unwrap_or(0);
    let amounts = longest(&mut shown.iter().map(|(_, amount)| amount)).unwrap_or(0);
    // A space on both sides of the bar.
    let room = width.saturating_sub(names + amounts + 2).max(10);
    let highest = prices.iter().map(|(_, price)| price.to_f64()).fold(0.0, f64::max);
    let line = |((name, amount), (_, price)): (&(String, String), &(String, Price))| {
        let part = if highest > 0.0 { price.to_f64() / highest } else { 0.0 };
        let bar = bar(part.max(0.0), room);
        format!("{name:names$} {bar} {amount}").trim_end().to_owned()
    };
    shown.iter().zip(prices).map(line).collect::<Vec<_>>().join("\n")
}

/// A bar of this part of the room, to an eighth of a letter.
fn bar(part: f64, room: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few hundred eighths of letters, not below zero"
    )]
    let eighths = (part * (room * 8) as f64).round() as usize;
    // What costs something is seen.
    let eighths = if part > 0.0 { eighths.max(1) } else { 0 };
    let rest = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{rest}", "█".repeat(eighths / 8))
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(prices: &[(&str, &str)]) -> Vec<(String, Price)> {
        prices.iter().map(|(name, price)| ((*name).to_owned(), price.parse().unwrap())).collect()
    }

    #[test]
    fn the_highest_price_has_the_longest_bar() {
        let chart =
            bars_within(25, &prices(&[("small", "0.5"), ("large", "1"), ("tiny", "0.001"), ("free", "0")]));
        assert_eq!(
            chart,
            "small ██████▌ 0.5\n\
             large █████████████ 1\n\
             tiny  ▏ 0.001\n\
             free   0"
        );
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        let name = "a size with a name that goes on and on";
        let chart = bars_within(60, &prices(&[(name, "123.456"), ("b\u{7}", "1")]));
        assert!(chart.lines().all(|line| line.chars().count() <= 60), "{chart}");
        assert!(chart.starts_with("a size with a name that goes on…"), "{chart}");
        assert!(chart.contains("b\\u{7}"), "{chart}");
        assert_eq!(bars_within(20, &[]), "");
        // There is always room for a bar.
        assert!(bars_within(5, &prices(&[("a", "1")])).contains("██████████"));
    }
}
