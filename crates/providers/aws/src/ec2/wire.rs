//! How EC2 writes what many of its answers have. An empty element is an absent one.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Types.html>

use std::collections::BTreeMap;

use libcloud_common::Result;
use libcloud_common::xml::Element;

/// Each item of a list.
pub(super) fn items<T>(
    parent: Element<'_, '_>,
    list: &str,
    read: impl Fn(Element<'_, '_>) -> Result<T>,
) -> Result<Vec<T>> {
    let found = || parent.items(list, "item");
    // Most lists have one item: room for four of them, as `collect` makes it, would be most of what a page takes.
    let mut items = Vec::with_capacity(found().count());
    for item in found() {
        items.push(read(item)?);
    }
    Ok(items)
}

/// The same text of each item of a list.
pub(super) fn texts(parent: Element<'_, '_>, list: &str, name: &str) -> Vec<String> {
    parent.items(list, "item").filter_map(|item| item.opt_text(name)).collect()
}

/// A list whose items are texts.
pub(super) fn words(parent: Element<'_, '_>, list: &str) -> Vec<String> {
    let words = parent.items(list, "item").map(|item| item.text().into_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// The tags of a resource, and the answer of `DescribeTags`.
pub(super) fn tags(parent: Element<'_, '_>) -> Result<BTreeMap<String, String>> {
    items(parent, "tagSet", |item| Ok((item.need_text("key")?, item.opt_text("value").unwrap_or_default())))
        .map(BTreeMap::from_iter)
}

/// What its tags call a resource, or its id.
pub(super) fn name(tags: &BTreeMap<String, String>, id: &str) -> String {
    tags.get("Name").map_or(id, String::as_str).to_owned()
}
