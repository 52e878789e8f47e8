//! Listings that come in pages, as one stream.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
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
    Pages { items: Vec::new().into_iter(), next: Some(first), fetch, fetching: None }.boxed()
}

/// A stream of its own, since listings have a million items: one that is unfolded moves all of its state for each of them.
struct Pages<T, C, F, Fut> {
    items: vec::IntoIter<T>,
    next: Option<C>,
    fetch: F,
    /// The page that is under way, and where it begins.
    fetching: Option<(C, Pin<Box<Fut>>)>,
}

/// Only the page under way must not be moved, and it is in a box.
impl<T, C, F, Fut> Unpin for Pages<T, C, F, Fut> {}

impl<T, C, F, Fut> Stream for Pages<T, C, F, Fut>
where
    C: Clone + PartialEq + fmt::Debug,
    F: FnMut(C) -> Fut,
    Fut: Future<Output = Result<Page<T, C>>>,
{
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.items.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            let (cursor, page) = match (&mut this.fetching, this.next.take()) {
                (Some(fetching), _) => fetching,
                (fetching, Some(cursor)) => {
                    // The page before is used up: its memory serves for the next.
                    this.items = Vec::new().into_iter();
                    let page = Box::pin((this.fetch)(cursor.clone()));
                    fetching.insert((cursor, page))
                }
                (None, None) => return Poll::Ready(None),
            };
            let page = ready!(page.as_mut().poll(cx)).and_then(|page| {
                if page.next.as_ref() == Some(cursor) {
                    return Err(Error::new(
                        ErrorKind::MalformedResponse,
                        format!("the page at {cursor:?} names itself as the next one"),
                    ));
                }
                Ok(page)
            });
            this.fetching = None;
            let page = page?;
            this.items = page.items.into_iter();
            this.next = page.next;
        }
    }
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

    use futures_util::FutureExt as _;

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
        assert!(listing.next().await.is_none());
    }

    #[tokio::test]
    async fn a_page_that_takes_its_time_is_asked_for_once() {
        let mut listing = pages(1, |page| async move {
            tokio::task::yield_now().await;
            Ok(Page::new(vec![page], (page < 3).then_some(page + 1)))
        });
        assert!(listing.next().now_or_never().is_none());
        let rest: Vec<u32> = listing.try_collect().await.unwrap();
        assert_eq!(rest, [1, 2, 3]);
    }
}
