//! `docs/src/providers/matrix.md`, from what the drivers say of themselves.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{Result, run};

const FILE: &str = "docs/src/providers/matrix.md";

/// Writes the page.
pub(crate) fn write() -> Result {
    run::run(&mut run::cargo_with(["build", "--quiet", "-p", "libcloud-cli"]))?;
    let path = run::root().join(FILE);
    std::fs::write(&path, page()?).map_err(|error| format!("{}: {error}", path.display()))
}

/// Fails if the page is not what would be written by the program as it was built last.
pub(crate) fn check() -> Result {
    let path = run::root().join(FILE);
    let there = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    if there == page()? { Ok(()) } else { Err(format!("{FILE} is out of date: run `cargo xtask matrix`")) }
}

fn page() -> Result<String> {
    let mut page = String::from(
        "# What each driver can do\n\n<!-- Written by `cargo xtask matrix`: change the drivers' capabilities instead. -->\n",
    );
    for service in ["compute", "storage", "loadbalancer", "dns"] {
        let text = run::read(run::program()?.args(["--format=json", "providers", "matrix", service]))?;
        let answer: Value =
            serde_json::from_str(&text).map_err(|error| format!("providers matrix: {error}"))?;
        let drivers = answer
            .get("drivers")
            .and_then(Value::as_object)
            .filter(|drivers| !drivers.is_empty())
            .ok_or_else(|| format!("providers matrix: no drivers for {service}"))?;
        section(&mut page, service, drivers);
    }
    Ok(page)
}

fn section(page: &mut String, service: &str, drivers: &serde_json::Map<String, Value>) {
    let mut notes = Vec::new();
    let names: Vec<&str> = drivers.keys().map(String::as_str).collect();
    let _ = write!(
        page,
        "\n## {service}\n\n| method | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    let methods = drivers.values().find_map(Value::as_object).into_iter().flat_map(|methods| methods.keys());
    for method in methods {
        let cells: Vec<String> = drivers
            .iter()
            .map(|(driver, methods)| {
                let support = methods.get(method).unwrap_or(&Value::Null);
                let text = |key: &str| support.get(key).and_then(Value::as_str).unwrap_or_default();
                match text("support") {
                    "supported" => "yes".into(),
                    "provider_cannot" => {
                        notes.push(format!(
                            "`{driver}` `{method}`: {} ([source]({}))",
                            text("reason"),
                            text("link")
                        ));
                        format!("cannot[^{service}-{}]", notes.len())
                    }
                    _ => "–".into(),
                }
            })
            .collect();
        let _ = writeln!(page, "| `{method}` | {} |", cells.join(" | "));
    }
    for (index, note) in notes.iter().enumerate() {
        let _ = write!(page, "\n[^{service}-{}]: {note}\n", index + 1);
    }
}
