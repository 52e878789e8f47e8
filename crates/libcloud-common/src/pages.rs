//! Listings that come in pages, as one stream.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{Error, ErrorKind, Result};

/// One page of a listing and where the next one begins: a token, page number, offset, marker or URL.
#[derive(Clone, Debug)]
pub struct Page<T, C> {
    /// The items. An empty page with a next one is not the end.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// A page.
    pub fn new(items: Vec<T>, next: Option<C>) -> Self {
        Self { items, next }
    }
}

/// All items of a listing, page by page.
///
/// A page is fetched when the stream is polled and the one before is used up, never ahead; memory holds one page. A
/// page that says that it is its own successor is an error instead of an endless listing. After an error the stream ends.
pub fn pages<T, C, F, Fut>(first: C, fetch: F) -> BoxStream<'static, Result<T>>
where
    T: Send + 'static,
    C: Clone + PartialEq + fmt::Debug + Send + 'static,
    F: FnMut(C) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Page<T, C>>> + Send + 'static,
{
    struct State<T, C, F> {
        items: VecDeque<T>,
        next: Option<C>,
        fetch: F,
    }
    let state = State { items: VecDeque::new(), next: Some(first), fetch };
    stream::try_unfold(state, |mut state| async move {
        loop {
            if let Some(item) = state.items.pop_front() {
                return Ok(Some((item, state)));
            }
            let Some(cursor) = state.next.take() else {
                return Ok(None);
            };
            let page = (state.fetch)(cursor.clone()).await?;
            if page.next.as_ref() == Some(&cursor) {
                return Err(Error::new(
                    ErrorKind::MalformedResponse,
                    format!("the page at {cursor:?} names itself as the next one"),
                ));
            }
            state.items = page.items.into();
            state.next = page.next;
        }
    })
    .boxed()
}

/// A listing that comes whole, as a stream that asks when it is first polled.
pub fn once<T, Fut>(fetch: Fut) -> BoxStream<'static, Result<T>>
where
    T: Send + 'static,
    Fut: Future<Output = Result<Vec<T>>> + Send + 'static,
{
    stream::once(fetch).map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten().boxed()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn fetches_as_it_is_read_and_goes_on_after_an_empty_page() {
        let fetched = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&fetched);
        let mut listing = pages(0u32, move |page| {
            count.fetch_add(1, Ordering::Relaxed);
            async move {
                let items = if page == 1 { vec![] } else { vec![page * 10, page * 10 + 1] };
                Ok(Page::new(items, (page < 2).then_some(page + 1)))
            }
        });
        assert_eq!(fetched.load(Ordering::Relaxed), 0);
        assert_eq!(listing.next().await.unwrap().unwrap(), 0);
        assert_eq!(fetched.load(Ordering::Relaxed), 1);
        let rest: Vec<u32> = listing.try_collect().await.unwrap();
        assert_eq!(rest, [1, 20, 21]);
    }

    #[tokio::test]
    async fn a_page_that_names_itself_is_an_error() {
        let listing = pages("a", |_| async { Ok(Page::new(vec![1], Some("a"))) });
        let error = listing.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse);
    }

    #[tokio::test]
    async fn a_failing_second_page_ends_the_listing() {
        let mut listing = pages(1, |page| async move {
            if page == 2 {
                Err(Error::not_found("page", "2"))
            } else {
                Ok(Page::new(vec![page], Some(page + 1)))
            }
        });
        assert_eq!(listing.next().await.unwrap().unwrap(), 1);
        assert!(listing.next().await.unwrap().is_err());
        assert!(listing.next().await.is_none());
    }
}
