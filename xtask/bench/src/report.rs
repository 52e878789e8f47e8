//! The tables.

use serde_json::{Map, Value, json};

use crate::jobs::Job;
use crate::measure::{Run, Table};

/// Below this, a run is over within a few ticks of the clock, and a ratio says nothing.
const SHORTEST: f64 = 0.02;

/// Medians, with the ratio to the first row.
pub(crate) fn print(job: &Job, table: &Table, rounds: usize) {
    println!("\n### {} ({} {}, {rounds} rounds)\n", job.name, job.count, job.unit);
    println!("| client | wall s (min–max) | × limit | CPU s (user + system) | × limit | resident MiB |");
    println!("|---|---|---|---|---|---|");
    let mut limit = None;
    for (row, (name, runs)) in job.rows.iter().zip(&table.0) {
        let Ok(runs) = runs else {
            println!("| {name} | failed | | | | |");
            continue;
        };
        let median = |value: fn(&Run) -> f64| median(runs.iter().map(value).collect());
        let (wall, cpu) = (median(|run| run.wall), median(|run| run.user + run.system));
        let (limit_wall, limit_cpu) = *limit.get_or_insert((wall, cpu));
        let least = runs.iter().map(|run| run.wall).fold(f64::INFINITY, f64::min);
        let most = runs.iter().map(|run| run.wall).fold(0.0, f64::max);
        let ratio = if limit_cpu < SHORTEST { "–".to_owned() } else { format!("{:.2}", cpu / limit_cpu) };
        let share = if row.share < 1.0 { format!(" (×{:.0})", 1.0 / row.share) } else { String::new() };
        println!(
            "| {name}{share} | {wall:.3} ({least:.3}–{most:.3}) | {:.2} | {cpu:.3} ({:.2} + {:.2}) | {ratio} | {:.1} |",
            wall / limit_wall,
            median(|run| run.user),
            median(|run| run.system),
            median(|run| run.resident),
        );
    }
}

/// Every figure of every run.
pub(crate) fn json(tables: &[(&str, Table)]) -> Value {
    let run = |run: &Run| json!({"wall": run.wall, "user": run.user, "system": run.system, "resident_mib": run.resident});
    let table = |table: &Table| -> Map<String, Value> {
        let rows = table.0.iter().map(|(name, runs)| {
            let value = match runs {
                Ok(runs) => runs.iter().map(run).collect(),
                Err(problem) => json!({"failed": problem}),
            };
            ((*name).to_owned(), value)
        });
        rows.collect()
    };
    tables
        .iter()
        .map(|(job, each)| ((*job).to_owned(), Value::Object(table(each))))
        .collect::<Map<_, _>>()
        .into()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (Some(above), 0) => (above + values[middle - 1]) / 2.0,
        (Some(value), _) => *value,
        (None, _) => f64::NAN,
    }
}
