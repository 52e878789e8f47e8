//! placeholder until merged
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
const S: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const K: &AsciiSet = &S.remove(b'/');
/// x
pub fn segment(s: &str) -> String {
    utf8_percent_encode(s, S).to_string()
}
/// x
pub fn key(s: &str) -> String {
    utf8_percent_encode(s, K).to_string()
}
/// x
pub fn query<K2: AsRef<str>, V: AsRef<str>>(p: impl IntoIterator<Item = (K2, V)>) -> String {
    p.into_iter()
        .map(|(k, v)| format!("{}={}", segment(k.as_ref()), segment(v.as_ref())))
        .collect::<Vec<_>>()
        .join("&")
}
/// x
pub fn form<K2: AsRef<str>, V: AsRef<str>>(p: impl IntoIterator<Item = (K2, V)>) -> String {
    query(p).replace("%20", "+")
}
