//! Placeholder until merged.
/// State.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct State {}
