//! What a deployment step needs of a connection to a server.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use libcloud_common::{ByteStream, Result};

use crate::command::{CommandOutput, ExitStatus, KEEP, OutputStream, RemoteCommand, Tail};
use crate::observe::StepEvent;

/// How a file is opened for writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// What was there before is gone.
    #[default]
    Replace,
    /// What was there before stays; the new content follows it.
    Append,
}

/// What hears the output of a command as it comes. It is not read faster than this returns.
pub type OutputSink<'a> = &'a mut (dyn FnMut(OutputStream, &[u8]) + Send);

/// A connection to one server. One call at a time is under way on it.
///
/// A path is absolute, or below the user's home, with or without `~/` before it.
#[async_trait]
pub trait SshClient: Send {
    /// Connects and authenticates.
    async fn connect(&mut self) -> Result<()>;

    /// Writes a file, and makes the folders that are missing. The permissions are set before the content is there. Gives the
    /// absolute path of the file.
    async fn put_stream(
        &mut self,
        path: &str,
        contents: ByteStream,
        permissions: Option<u32>,
        mode: WriteMode,
    ) -> Result<String>;

    /// Reads a file that fits in memory.
    ///
    /// # Errors
    /// `NotFound` if it does not exist.
    async fn read(&mut self, path: &str) -> Result<Vec<u8>>;

    /// Deletes a file.
    ///
    /// # Errors
    /// `NotFound` if it does not exist.
    async fn delete(&mut self, path: &str) -> Result<()>;

    /// Makes a folder and those above it that are missing, and sets its permissions. One that is there already is left
    /// where it is. Gives its absolute path.
    async fn make_dir(&mut self, path: &str, permissions: Option<u32>) -> Result<String>;

    /// Runs a command in the user's shell, in the user's home, with nothing on its standard input. A status other than 0 is
    /// no error: it is the answer.
    ///
    /// # Errors
    /// `Timeout` if its time limit passed: the command was told to end. `Transport` if the connection broke: nobody knows
    /// how it ended.
    async fn run_with(&mut self, command: &RemoteCommand, output: OutputSink<'_>) -> Result<ExitStatus>;

    /// Ends the connection.
    async fn close(&mut self) -> Result<()>;

    /// Hears where a deployment of several steps is.
    fn report(&mut self, _event: StepEvent<'_>) {}

    /// Writes a file with this content.
    async fn put(
        &mut self,
        path: &str,
        contents: &[u8],
        permissions: Option<u32>,
        mode: WriteMode,
    ) -> Result<String> {
        let contents = Bytes::copy_from_slice(contents);
        self.put_stream(path, stream::iter([Ok(contents)]).boxed(), permissions, mode).await
    }

    /// Runs a command line and keeps what it writes; of very much, the last mebibyte of each stream.
    async fn run(&mut self, command: &str) -> Result<CommandOutput> {
        let mut tail = Tail::new(KEEP);
        let command = RemoteCommand::shell(command);
        let status = self.run_with(&command, &mut |stream, bytes| tail.write(stream, bytes)).await?;
        Ok(tail.finish(status))
    }
}

/// The path below the user's home that this means, or the absolute one.
pub(crate) fn without_tilde(path: &str) -> &str {
    match path {
        "~" | "" => ".",
        path => path.strip_prefix("~/").unwrap_or(path),
    }
}
