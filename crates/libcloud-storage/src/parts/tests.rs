use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use libcloud_common::{ErrorKind, ManualClock, cleanup};
use tokio::sync::Notify;

use super::*;

const SIZES: PartSizes = PartSizes { usual: 4, largest: 8, most: 5 };

/// A provider that keeps parts.
#[derive(Clone, Default)]
struct Store(Arc<Inner>);

#[derive(Default)]
struct Inner {
    parts: Mutex<BTreeMap<u32, Vec<u8>>>,
    /// How many are being sent, and the most that ever were.
    now: AtomicUsize,
    most: AtomicUsize,
    aborted: AtomicUsize,
    fail_on: Option<u32>,
    hold_on: Option<u32>,
    reached: Notify,
}

impl PartUpload for Store {
    type Receipt = u32;
    type Done = String;

    async fn send(&self, part: Part) -> Result<u32> {
        let now = self.0.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.most.fetch_max(now, Ordering::Relaxed);
        if self.0.hold_on == Some(part.number()) {
            self.0.reached.notify_one();
            std::future::pending::<()>().await;
        }
        let content = match part.body() {
            Body::Source(source) => source.open().try_collect::<Vec<_>>().await?.concat(),
            other => other.to_bytes().unwrap().to_vec(),
        };
        assert_eq!(part.digests(&[HashType::Sha256]).await?, [Digest::of(HashType::Sha256, &content)]);
        assert_eq!(part.length(), content.len() as u64);
        tokio::task::yield_now().await;
        self.0.now.fetch_sub(1, Ordering::Relaxed);
        if self.0.fail_on == Some(part.number()) {
            return Err(Error::new(ErrorKind::Provider, "refused"));
        }
        self.0.parts.lock().unwrap().insert(part.number(), content);
        Ok(part.number())
    }

    async fn complete(&self, parts: Vec<u32>) -> Result<String> {
        let kept = self.0.parts.lock().unwrap();
        assert_eq!(parts, kept.keys().copied().collect::<Vec<_>>());
        Ok(String::from_utf8(kept.values().flatten().copied().collect()).unwrap())
    }

    async fn abort(&self) -> Result<()> {
        self.0.aborted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn store(inner: Inner) -> Store {
    Store(Arc::new(inner))
}

fn no_limit() -> Deadline {
    Deadline::new(Arc::new(ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap())), None)
}

async fn upload(store: &Store, body: UploadBody, pool: &PartPool) -> Result<(String, u64)> {
    upload_in_parts(store.clone(), body, SIZES, pool, &no_limit()).await
}

fn pieces(pieces: &[&'static str]) -> UploadBody {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from(*piece))).collect();
    UploadBody::new(stream::iter(pieces))
}

#[tokio::test]
async fn parts_arrive_in_their_order_whatever_they_come_in() {
    for (body, parts) in [
        (pieces(&[]), 1),
        (pieces(&["abc"]), 1),
        (pieces(&["ab", "cdefg", "hijklm"]), 4),
        ("abcdefghijklmnopqrst".into(), 5),
    ] {
        let store = Store::default();
        let (done, size) = upload(&store, body, &PartPool::new(2)).await.unwrap();
        assert!("abcdefghijklmnopqrst".starts_with(&done), "{done}");
        assert_eq!(size, done.len() as u64);
        assert_eq!(store.0.parts.lock().unwrap().len(), parts);
        assert_eq!(store.0.aborted.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn all_uploads_of_a_pool_share_its_room() {
    let (store, pool) = (Store::default(), PartPool::new(3));
    let bodies = (0..6).map(|_| upload(&store, "abcdefghijklmnopqrst".into(), &pool));
    futures_util::future::try_join_all(bodies).await.unwrap();
    assert_eq!(store.0.most.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn parts_of_a_file_are_read_where_they_are_and_heard_of() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let content: Vec<u8> = (b'a'..=b'z').cycle().take(700_000).collect();
    file.write_all(&content).unwrap();
    let heard = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&heard);
    let progress = TransferProgress::new(move |done, total| {
        assert_eq!(total, Some(700_000));
        told.fetch_max(done, Ordering::Relaxed);
    });
    let body = UploadBody::from_file(file.path()).await.unwrap().on_progress(progress);
    let store = Store::default();
    let sizes = PartSizes { usual: 300_000, largest: 1 << 30, most: 10 };
    let (done, size) =
        upload_in_parts(store.clone(), body, sizes, &PartPool::default(), &no_limit()).await.unwrap();
    assert!(done.as_bytes() == content && size == 700_000);
    assert_eq!(store.0.parts.lock().unwrap().len(), 3);
    assert_eq!(heard.load(Ordering::Relaxed), 700_000);
}

#[tokio::test]
async fn what_an_attempt_counted_is_taken_back_when_it_breaks_off() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&vec![7; 600_000]).unwrap();
    let last = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&last);
    let progress = TransferProgress::new(move |done, _| told.store(done, Ordering::Relaxed));
    let body = UploadBody::from_file(file.path()).await.unwrap().on_progress(progress);
    let sizes = PartSizes { usual: 600_000, largest: 1 << 30, most: 10 };
    let part = Reader::new(body, sizes, Some(600_000)).next().await.unwrap().unwrap();
    let Body::Source(source) = part.body() else { panic!("it is a file") };
    let mut first = source.open();
    first.try_next().await.unwrap().unwrap();
    drop(first);
    source.open().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(last.load(Ordering::Relaxed), 600_000);
}

#[tokio::test]
async fn what_fails_is_aborted_once() {
    let refused = store(Inner { fail_on: Some(2), ..Inner::default() });
    let error = upload(&refused, "abcdefghij".into(), &PartPool::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Provider);
    assert_eq!(refused.0.aborted.load(Ordering::Relaxed), 1);

    let gone = || Err(Error::new(ErrorKind::Io, "the disk is gone"));
    let broken = UploadBody::new(stream::iter([Ok(Bytes::from("abcdef")), gone()]));
    let store = Store::default();
    assert_eq!(upload(&store, broken, &PartPool::default()).await.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(store.0.aborted.load(Ordering::Relaxed), 1);
    cleanup::settled().await;
    assert_eq!(store.0.aborted.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_aborted() {
    let store = store(Inner { hold_on: Some(2), ..Inner::default() });
    let pool = PartPool::new(2);
    {
        let sending = std::pin::pin!(upload(&store, "abcdefghij".into(), &pool));
        let reached = std::pin::pin!(store.0.reached.notified());
        futures_util::future::select(sending, reached).await;
    }
    cleanup::settled().await;
    assert_eq!(store.0.aborted.load(Ordering::Relaxed), 1);
    // The room of the parts that were on their way is free again.
    upload(&Store::default(), "abcdefghij".into(), &pool).await.unwrap();
}

#[tokio::test]
async fn a_time_limit_ends_and_aborts_it() {
    let store = store(Inner { hold_on: Some(1), ..Inner::default() });
    let clock = ManualClock::at("2024-05-01T08:30:00Z".parse().unwrap());
    let deadline = Deadline::new(Arc::new(clock), Some(Duration::from_secs(5)));
    let sent = upload_in_parts(store.clone(), "abcdef".into(), SIZES, &PartPool::default(), &deadline).await;
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(store.0.aborted.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_no_number_of_parts_can_hold_is_refused() {
    let known = UploadBody::with_length(stream::pending(), 41);
    let unknown = UploadBody::new(stream::iter((0..9).map(|_| Ok(Bytes::from("abcd")))));
    for body in [known, unknown] {
        let store = Store::default();
        let error = upload(&store, body, &PartPool::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert_eq!(store.0.aborted.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn sizes_suffice_for_everything_that_is_allowed() {
    let s3 = PartSizes { usual: 8 * MIB, largest: 5 << 30, most: 10_000 };
    assert_eq!(s3.of(1, Some(100)), 8 * MIB);
    assert_eq!(s3.of(1, Some(80_000 * MIB)), 8 * MIB);
    assert_eq!(s3.of(1, Some(80_000 * MIB + 1)), 9 * MIB);
    assert_eq!((s3.of(1000, None), s3.of(1001, None)), (8 * MIB, 16 * MIB));
    let whole: u64 = (1..=10_000).map(|number| s3.of(number, None)).sum();
    assert!(whole >= 5 << 40, "{whole}");
    assert!(s3.check(5 << 40).is_ok());
}
