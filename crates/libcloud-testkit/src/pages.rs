//! Whether a listing is complete, however many pages it has.

use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt as _;
use libcloud_common::{BoxStream, Error, ErrorKind, Result, Value};
use serde::Serialize;

use crate::breaking::{Breaking, Fault};
use crate::http::{Answer, Received};
use crate::subject::{Service, Subject};

/// Requests after which an endless listing is given up.
const TOO_MANY: usize = 10;

/// One page of a listing, to be written as the provider sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListingPage {
    /// Its number, from 1.
    pub number: u32,
    /// How many pages there are.
    pub of: u32,
    /// The ids of the items on it; may be none.
    pub ids: Vec<String>,
    /// The number of the page that it names as the next; `None` on the last.
    pub next: Option<u32>,
}

type Items<D> = dyn Fn(&D) -> BoxStream<'static, Result<Value>> + Send + Sync;
type Render = dyn Fn(&ListingPage) -> Answer + Send + Sync;
type Asks = dyn Fn(u32) -> String + Send + Sync;

/// A listing of a driver, and how the provider writes its pages.
///
/// The page *Testing a driver* of the book has a whole example, which is compiled and run.
pub struct Listing<D: Service + ?Sized> {
    items: Box<Items<D>>,
    render: Arc<Render>,
    asks: Box<Asks>,
    key: &'static str,
    per_page: u32,
    ends_when_empty: bool,
    counts_itself: bool,
}

impl<D: Service + ?Sized> Listing<D> {
    /// The listing, and a page of it as the provider answers it.
    pub fn new<T: Serialize + Send + 'static>(
        items: impl Fn(&D) -> BoxStream<'static, Result<T>> + Send + Sync + 'static,
        render: impl Fn(&ListingPage) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let json = move |driver: &D| {
            let values = items(driver)
                .map(|item| serde_json::to_value(item?).map_err(|error| Error::malformed("item", error)));
            values.boxed()
        };
        Self {
            items: Box::new(json),
            render: Arc::new(render),
            asks: Box::new(|_| String::new()),
            key: "id",
            per_page: 2,
            ends_when_empty: false,
            counts_itself: false,
        }
    }

    /// What the target or body of the request for a later page contains, as it is sent: `page=2`.
    pub fn asks(mut self, text: impl Fn(u32) -> String + Send + Sync + 'static) -> Self {
        self.asks = Box::new(text);
        self
    }

    /// The field of an item that has the id of the page (`id`).
    pub fn key(mut self, field: &'static str) -> Self {
        self.key = field;
        self
    }

    /// How many items a full page has (2), where the driver takes a shorter one for the last.
    pub fn per_page(mut self, items: u32) -> Self {
        self.per_page = items;
        self
    }

    /// An answer never names the next page: the driver goes on until a page is empty.
    pub fn ends_when_empty(mut self) -> Self {
        self.ends_when_empty = true;
        self
    }

    /// The driver counts the pages itself, so that none can name itself as the next.
    pub fn counts_itself(mut self) -> Self {
        self.counts_itself = true;
        self
    }

    /// Fails unless: nothing is fetched before the listing is polled; no, one and three pages are complete; a page is
    /// fetched only when the one before is used up, and asked for as it must be; an empty page that names a next one is not
    /// the end; a page that names itself as the next is an error; a failing second page gives the items of the first,
    /// then the error, then the end.
    pub async fn prove(&self, subject: &Subject<D>) {
        for pages in [0, 1, 3] {
            self.is_complete(subject, pages).await;
        }
        self.fails_in_the_middle(subject).await;
        if !self.ends_when_empty {
            self.goes_on_after_an_empty_page(subject).await;
        }
        if !self.counts_itself && !self.ends_when_empty {
            self.notices_a_circle(subject).await;
        }
    }

    fn ids(&self, pages: impl IntoIterator<Item = u32>) -> Vec<String> {
        let page = self.page_maker();
        pages.into_iter().flat_map(|number| page(number, number).ids).collect()
    }

    /// A server that answers the requests in turn with what this makes of their number; `None` is a refusal.
    fn serve(
        &self,
        subject: &Subject<D>,
        page: impl Fn(u32) -> Option<ListingPage> + Send + 'static,
    ) -> Breaking {
        let prelude = Arc::clone(&subject.prelude);
        let render = Arc::clone(&self.render);
        let mut number = 0;
        Breaking::reacting(
            move |request| prelude(request),
            move |_| {
                number += 1;
                Fault::Answer(page(number).map_or_else(|| Answer::new(400), |page| render(&page)))
            },
        )
    }

    fn id(&self, item: &Value) -> String {
        let id = item.get(self.key).and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("an item has no text `{}`: {item}", self.key)).to_owned()
    }

    /// The ids up to the end or an error.
    async fn read(&self, mut items: BoxStream<'static, Result<Value>>) -> (Vec<String>, Option<Error>) {
        let mut ids = Vec::new();
        loop {
            match items.next().await {
                None => return (ids, None),
                Some(Ok(item)) => ids.push(self.id(&item)),
                Some(Err(error)) => {
                    assert!(items.next().await.is_none(), "the listing goes on after {error}");
                    return (ids, Some(error));
                }
            }
        }
    }

    async fn is_complete(&self, subject: &Subject<D>, pages: u32) {
        let page = self.page_maker();
        let server = self.serve(subject, move |number| Some(page(number, pages)));
        let driver = subject.driver(&server.url());
        let mut items = (self.items)(&driver);
        // Whatever it had started by itself would have a turn here.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.received(), [], "fetched ahead: something was sent before the listing was polled");
        let mut ids = Vec::new();
        while let Some(item) = items.next().await {
            let item =
                item.unwrap_or_else(|error| panic!("page {} of {pages}: {error:#}", server.received().len()));
            ids.push(self.id(&item));
            let needed = (ids.len() - 1) / self.per_page as usize + 1;
            assert_eq!(
                server.received().len(),
                needed,
                "fetched ahead: requests for the first {} items",
                ids.len()
            );
        }
        assert_eq!(ids, self.ids(1..=pages), "the items of {pages} pages");
        let requests = server.received();
        let last = if self.ends_when_empty { pages + 1 } else { pages.max(1) };
        assert_eq!(requests.len(), last as usize, "requests for {pages} pages: {requests:#?}");
        for (request, number) in requests.iter().zip(1..).skip(1) {
            self.asks_for(request, number);
        }
    }

    /// Makes a page of a listing of so many.
    fn page_maker(&self) -> impl Fn(u32, u32) -> ListingPage + Send + 'static {
        let per_page = self.per_page;
        move |number, of| ListingPage {
            number,
            of,
            ids: if number > of {
                vec![]
            } else {
                (1..=per_page).map(|item| format!("{number}-{item}")).collect()
            },
            next: (number < of).then_some(number + 1),
        }
    }

    fn asks_for(&self, request: &Received, number: u32) {
        let text = (self.asks)(number);
        assert!(
            request.target().contains(&text) || request.text().contains(&text),
            "the request for page {number} does not contain `{text}`: {request}"
        );
    }

    async fn fails_in_the_middle(&self, subject: &Subject<D>) {
        let page = self.page_maker();
        let server = self.serve(subject, move |number| (number == 1).then(|| page(1, 2)));
        let (ids, error) = self.read((self.items)(&subject.driver(&server.url()))).await;
        assert_eq!(ids, self.ids([1]), "the items before the page that failed");
        let error = error.expect("a page that failed is taken for the end");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{error:#}");
    }

    async fn goes_on_after_an_empty_page(&self, subject: &Subject<D>) {
        let page = self.page_maker();
        let server = self.serve(subject, move |number| {
            let mut page = page(number, 3);
            if number == 2 {
                page.ids.clear();
            }
            Some(page)
        });
        let (ids, error) = self.read((self.items)(&subject.driver(&server.url()))).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(ids, self.ids([1, 3]), "the second page is empty and names a third");
    }

    /// Every answer is the first page, which names the second.
    async fn notices_a_circle(&self, subject: &Subject<D>) {
        let page = self.page_maker();
        let server = self.serve(subject, move |number| (number as usize <= TOO_MANY).then(|| page(1, 2)));
        let (_, error) = self.read((self.items)(&subject.driver(&server.url()))).await;
        let error = error.expect("a page that names itself as the next is taken for the end");
        let requests = server.received().len();
        assert!(
            error.kind() == ErrorKind::MalformedResponse && requests <= TOO_MANY,
            "a page that names itself as the next is to be a malformed response; after {requests} requests: {error}"
        );
    }
}

impl<D: Service + ?Sized> fmt::Debug for Listing<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").field("key", &self.key).finish_non_exhaustive()
    }
}
