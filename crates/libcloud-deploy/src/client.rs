//! What a deployment step needs of a connection to a server.

use async_trait::async_trait;
use libcloud_common::Result;

/// How a file is opened for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// What was there before is gone.
    Replace,
    /// What was there before stays; the new content follows it.
    Append,
}

/// What a command wrote and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandOutput {
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// Its exit status; 0 is success.
    pub exit_status: i32,
}

impl CommandOutput {
    /// The output of a command that ended so.
    pub fn new(stdout: impl Into<String>, stderr: impl Into<String>, exit_status: i32) -> Self {
        Self { stdout: stdout.into(), stderr: stderr.into(), exit_status }
    }
}

/// A connection to one server. One call at a time is under way on it.
#[async_trait]
pub trait SshClient: Send {
    /// Connects and authenticates.
    async fn connect(&mut self) -> Result<()>;

    /// Writes a file; a relative path is below the user's home. Makes the folders that are missing. Gives the
    /// absolute path of the file.
    async fn put(
        &mut self,
        path: &str,
        contents: &[u8],
        permissions: Option<u32>,
        mode: WriteMode,
    ) -> Result<String>;

    /// Reads a file.
    async fn read(&mut self, path: &str) -> Result<Vec<u8>>;

    /// Deletes a file.
    async fn delete(&mut self, path: &str) -> Result<()>;

    /// Runs a command in the user's shell. A status other than 0 is no error: it is in the output.
    async fn run(&mut self, command: &str) -> Result<CommandOutput>;

    /// Ends the connection.
    async fn close(&mut self) -> Result<()>;
}
