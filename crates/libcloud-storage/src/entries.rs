//! Containers level by level, as if they were folders.

use std::collections::HashSet;

use futures_util::{StreamExt as _, future};
use libcloud_common::{BoxStream, Ex, Result, call_options};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::options::ListObjects;
use crate::resources::Object;

/// One item of a level: an object, or what the names of several begin with.
///
/// ```
/// use libcloud_storage::{Entry, Object};
///
/// let entry = Entry::Object(Object::from_names("photos", "2013/cat.jpg"));
/// assert_eq!(entry.name(), "2013/cat.jpg");
/// assert_eq!(Entry::Prefix("2013/".into()).name(), "2013/");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// What the names of further objects begin with, up to the delimiter and with it.
    Prefix(String),
    /// An object.
    Object(Object),
}

impl Entry {
    /// The name, or what the names begin with.
    pub fn name(&self) -> &str {
        match self {
            Self::Prefix(prefix) => prefix,
            Self::Object(object) => &object.name,
        }
    }
}

/// Arguments of [`iterate_container_entries_with`](crate::StorageDriver::iterate_container_entries_with).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListEntries {
    /// Only what begins so.
    pub prefix: Option<String>,
    /// What ends a level, such as `/`. Objects in whose names it follows the prefix come together as one
    /// [`Entry::Prefix`]; without it every object comes by itself.
    pub delimiter: Option<String>,
    /// Only objects whose names come after this one, in the order of their bytes.
    pub start_after: Option<String>,
    /// The longest that the whole call may take.
    pub timeout: Option<Duration>,
    /// Extension arguments.
    pub ex: Ex,
}

impl ListEntries {
    /// All objects, each by itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only what begins so.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// What ends a level.
    pub fn delimiter(mut self, delimiter: impl Into<String>) -> Self {
        self.delimiter = Some(delimiter.into());
        self
    }

    /// Only objects whose names come after this one.
    pub fn start_after(mut self, name: impl Into<String>) -> Self {
        self.start_after = Some(name.into());
        self
    }

    /// The same for all objects one by one, for a provider that knows no levels.
    pub(crate) fn flat(&self) -> ListObjects {
        let mut options = ListObjects::new();
        options.prefix.clone_from(&self.prefix);
        options.timeout = self.timeout;
        options.ex = self.ex.clone();
        options
    }
}

call_options!(ListEntries);

/// A level of these objects.
pub(crate) fn level(
    objects: BoxStream<'static, Result<Object>>,
    options: ListEntries,
) -> BoxStream<'static, Result<Entry>> {
    let ListEntries { prefix, delimiter, start_after, .. } = options;
    let length = prefix.map_or(0, |prefix| prefix.len());
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty());
    let mut told: HashSet<String> = HashSet::new();
    let entries = objects.filter_map(move |found| {
        let entry = match found {
            Err(error) => Some(Err(error)),
            Ok(object) if start_after.as_ref().is_some_and(|after| object.name <= *after) => None,
            Ok(object) => match shared(&object.name, length, delimiter.as_deref()) {
                None => Some(Ok(Entry::Object(object))),
                Some(prefix) if told.contains(prefix) => None,
                Some(prefix) => {
                    told.insert(prefix.to_owned());
                    Some(Ok(Entry::Prefix(prefix.to_owned())))
                }
            },
        };
        future::ready(entry)
    });
    entries.boxed()
}

/// What a name shares with others of its level, which begins after so many bytes.
fn shared<'a>(name: &'a str, length: usize, delimiter: Option<&str>) -> Option<&'a str> {
    let delimiter = delimiter?;
    let at = name.get(length..)?.find(delimiter)?;
    name.get(..length + at + delimiter.len())
}

#[cfg(test)]
mod tests {
    use futures_util::{TryStreamExt as _, stream};
    use libcloud_common::{Error, ErrorKind};

    use super::*;

    async fn names(options: ListEntries) -> Vec<String> {
        let all = ["a", "b/1", "b/2/3", "b/2/4", "b//5", "c/", "b/6"];
        let all = all.map(|name| Ok(Object::from_names("photos", name)));
        let entries: Vec<Entry> = level(stream::iter(all).boxed(), options).try_collect().await.unwrap();
        entries.iter().map(|entry| entry.name().to_owned()).collect()
    }

    #[tokio::test]
    async fn a_level_is_objects_and_what_others_share() {
        let slash = || ListEntries::new().delimiter("/");
        assert_eq!(names(slash()).await, ["a", "b/", "c/"]);
        assert_eq!(names(ListEntries::new()).await.len(), 7);
        assert_eq!(names(ListEntries::new().delimiter("")).await.len(), 7);
        assert_eq!(names(slash().start_after("b/1")).await, ["b/", "c/"]);
        assert_eq!(names(slash().start_after("b/~")).await, ["c/"]);
    }

    #[tokio::test]
    async fn a_prefix_is_left_where_the_level_begins() {
        let below = ListEntries::new().delimiter("/").prefix("b/");
        let all = ["b/1", "b/2/3", "b/2/4", "b//5"].map(|name| Ok(Object::from_names("photos", name)));
        let entries: Vec<Entry> = level(stream::iter(all).boxed(), below).try_collect().await.unwrap();
        assert_eq!(entries.iter().map(Entry::name).collect::<Vec<_>>(), ["b/1", "b/2/", "b//"]);
        assert_eq!(serde_json::to_value(&entries[1]).unwrap(), serde_json::json!({"prefix": "b/2/"}));
    }

    #[tokio::test]
    async fn an_error_stays_one() {
        let broken = stream::iter([Err(Error::new(ErrorKind::Transport, "gone"))]).boxed();
        let error = level(broken, ListEntries::new()).try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
    }
}
