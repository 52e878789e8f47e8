//! The cloud behind the dummy drivers: its state, the calls that were made, and the faults that were asked for.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use libcloud_common::{Clock, Config, Error, ErrorKind, Result, Retry, SystemClock, Value, json};
use serde::{Deserialize, Serialize};

use crate::{compute, dns, loadbalancer, storage};

/// A cloud in memory, or in a file: shared by the four dummy drivers that are made of it.
///
/// For the tests of programs that use libcloud: make one, hand its drivers to the code under test, let calls fail on
/// demand, and look at what was called.
///
/// ```
/// use libcloud_common::ErrorKind;
/// use libcloud_compute::ComputeDriverExt;
/// use libcloud_dummy::DummyCloud;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let cloud = DummyCloud::new();
/// let driver = cloud.compute();
/// cloud.fail("list_nodes", ErrorKind::RateLimited, "slow down", 1);
/// assert_eq!(driver.list_nodes().await.unwrap_err().kind(), ErrorKind::RateLimited);
/// assert_eq!(driver.list_nodes().await?.len(), 2);
/// assert_eq!(cloud.calls().len(), 2);
/// # Ok::<(), libcloud_common::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct DummyCloud(Arc<Inner>);

struct Inner {
    memory: Mutex<Memory>,
    file: Option<PathBuf>,
    boot_polls: u32,
    clock: Arc<dyn Clock>,
}

struct Memory {
    state: State,
    calls: Vec<Call>,
    faults: VecDeque<Fault>,
}

/// Everything that the cloud holds.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct State {
    #[serde(default)]
    pub(crate) compute: compute::State,
    #[serde(default)]
    pub(crate) storage: storage::State,
    #[serde(default)]
    pub(crate) dns: dns::State,
    #[serde(default)]
    pub(crate) loadbalancer: loadbalancer::State,
}

/// One call that a driver of the cloud got.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// The method: `create_node`.
    pub method: &'static str,
    /// What it was called with, as JSON.
    pub args: Value,
}

struct Fault {
    method: String,
    kind: ErrorKind,
    message: String,
    times: u32,
}

impl DummyCloud {
    /// A cloud in memory with the two nodes that the seed's has.
    pub fn new() -> Self {
        Self::with_clock(SystemClock::shared())
    }

    /// The same by another clock, so that tests that wait do not take their time.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self::with_state(State::default(), None, 0, clock)
    }

    /// The cloud of a configuration: `key` is the number of nodes to begin with (two without), the option
    /// `state_file` makes it last, `boot_polls` makes new nodes take their time.
    ///
    /// # Errors
    /// `InvalidArgument` for an option that does not exist.
    pub fn from_config(config: &Config) -> Result<Self> {
        let options: crate::DummyOptions = config.driver_options("dummy")?;
        let nodes = config.key.as_ref().and_then(|key| key.expose().parse().ok());
        let state = State { compute: compute::State::new(nodes.unwrap_or(0)), ..State::default() };
        Ok(Self::with_state(
            state,
            options.state_file.map(Into::into),
            options.boot_polls.unwrap_or(0),
            Arc::clone(&config.clock),
        ))
    }

    fn with_state(state: State, file: Option<PathBuf>, boot_polls: u32, clock: Arc<dyn Clock>) -> Self {
        let memory = Memory { state, calls: Vec::new(), faults: VecDeque::new() };
        Self(Arc::new(Inner { memory: Mutex::new(memory), file, boot_polls, clock }))
    }

    /// Lets the next `times` calls of this method fail so, and then work again.
    pub fn fail(&self, method: impl Into<String>, kind: ErrorKind, message: impl Into<String>, times: u32) {
        // `list_…` and `iterate_…` are one method.
        let method: String = method.into();
        let method = method.strip_prefix("iterate_").map_or(method.clone(), |what| format!("list_{what}"));
        let fault = Fault { method, kind, message: message.into(), times };
        self.memory(|memory| memory.faults.push_back(fault));
    }

    /// Every call so far, those that failed too, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.memory(|memory| memory.calls.clone())
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.memory(|memory| memory.calls.clear());
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    /// How many listings a new node is pending for.
    pub(crate) fn boot_polls(&self) -> u32 {
        self.0.boot_polls
    }

    fn memory<T>(&self, f: impl FnOnce(&mut Memory) -> T) -> T {
        f(&mut self.0.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes the call, fails if that was asked for, and otherwise lets `act` see and change the state. What `act`
    /// changes before it fails is not kept in a file; it must not change anything in memory either.
    pub(crate) async fn act<T: Send + 'static>(
        &self,
        method: &'static str,
        args: Value,
        act: impl FnOnce(&mut State) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.memory(|memory| {
            memory.calls.push(Call { method, args });
            memory.take_fault(method)
        })?;
        let Some(path) = self.0.file.clone() else {
            return self.memory(|memory| act(&mut memory.state));
        };
        let cloud = self.clone();
        let in_file = move || {
            let _lock = lock(&path)?;
            if let Some(state) = load(&path)? {
                cloud.memory(|memory| memory.state = state);
            }
            let result = cloud.memory(|memory| act(&mut memory.state))?;
            let text = cloud.memory(|memory| serde_json::to_vec_pretty(&memory.state));
            save(&path, &text.map_err(|error| Error::malformed("state", error))?)?;
            Ok(result)
        };
        tokio::task::spawn_blocking(in_file)
            .await
            .map_err(|error| Error::new(ErrorKind::Io, format!("the dummy cloud was interrupted: {error}")))?
    }
}

impl Memory {
    fn take_fault(&mut self, method: &str) -> Result<()> {
        let Some(at) = self.faults.iter().position(|fault| fault.method == method && fault.times > 0) else {
            return Ok(());
        };
        let Some(fault) = self.faults.get_mut(at) else {
            return Ok(());
        };
        fault.times -= 1;
        let passing =
            matches!(fault.kind, ErrorKind::RateLimited | ErrorKind::Timeout | ErrorKind::Transport);
        let retry = if passing { Retry::Retryable(None) } else { Retry::Permanent };
        Err(Error::new(fault.kind, fault.message.clone())
            .with_retry(retry)
            .in_operation("dummy", method.to_owned()))
    }
}

impl Default for DummyCloud {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for DummyCloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DummyCloud").field("file", &self.0.file).finish_non_exhaustive()
    }
}

/// The resource as it is noted in the list of calls.
pub(crate) fn arg<T: Serialize>(name: &str, value: T) -> Value {
    json!({ name: value })
}

/// Keeps other processes out while this file is open.
fn lock(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::io(format_args!("make the folder {}", folder.display()), error))?;
    }
    let lock_path = path.with_extension("lock");
    let fail = |error| Error::io(format_args!("lock {}", lock_path.display()), error);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path).map_err(fail)?;
    file.lock().map_err(fail)?;
    Ok(file)
}

fn load(path: &Path) -> Result<Option<State>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(format_args!("read {}", path.display()), error)),
    };
    libcloud_common::json::decode(&text).map(Some).map_err(|error| {
        error.context(format_args!("{} is not a state of the dummy cloud; delete or mend it", path.display()))
    })
}

/// Writes beside and renames, so that a reader sees the old state or the new, never half of one.
fn save(path: &Path, text: &[u8]) -> Result<()> {
    let fail = |error| Error::io(format_args!("write {}", path.display()), error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    file.write_all(text).map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}
