//! Getting in: each way that one has and the server takes, in its order.

use std::path::Path;

use libcloud_common::{Error, ErrorKind, Result, Secret};
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::PrivateKeyWithHashAlg;
use russh::{MethodKind, MethodSet};

use super::keys::{Key, Way, Ways};
use super::session::{Handler, Seen, broken, rsa_hash};
use crate::config::SshConfig;
use crate::log::{SshLog, log};

/// How often a server may ask before it is taken for one that never ends.
const MOST_QUESTIONS: usize = 10;

/// Tries every way that the server takes. A server may want several, one after another.
pub(super) async fn authenticate(
    handle: &mut Handle<Handler>,
    config: &SshConfig,
    ways: &Ways,
    log: &SshLog,
    seen: &Seen,
) -> Result<()> {
    let mut attempt = Attempt { handle, user: &config.username, log, seen, tried: Vec::new() };
    // Asks what the server takes, so that no password goes to one that wants none.
    let offered = attempt.handle.authenticate_none(attempt.user).await;
    let Some(mut offered) = attempt.outcome("nothing", offered)? else { return Ok(()) };
    let mut left: Vec<&Way> = ways.ways.iter().collect();
    while let Some(at) = left.iter().position(|way| is_taken(way, &offered)) {
        let way = left.remove(at);
        match attempt.go(way, &offered).await? {
            None => return Ok(()),
            Some(remaining) => offered = remaining,
        }
    }
    Err(attempt.refused(&offered))
}

fn is_taken(way: &Way, offered: &MethodSet) -> bool {
    let kinds: &[MethodKind] = match way {
        Way::Key(_) | Way::Agent(_) => &[MethodKind::PublicKey],
        Way::Password(_) => &[MethodKind::Password, MethodKind::KeyboardInteractive],
        Way::Answers(_) => &[MethodKind::KeyboardInteractive],
    };
    kinds.iter().any(|kind| offered.contains(kind))
}

struct Attempt<'a> {
    handle: &'a mut Handle<Handler>,
    user: &'a str,
    log: &'a SshLog,
    seen: &'a Seen,
    tried: Vec<String>,
}

impl Attempt<'_> {
    /// Goes one way. `None`: one is in; else what the server takes now.
    async fn go(&mut self, way: &Way, offered: &MethodSet) -> Result<Option<MethodSet>> {
        match way {
            Way::Key(key) => self.key(key).await,
            Way::Agent(socket) => self.agent(socket.as_deref(), offered).await,
            Way::Answers(answers) => self.answer(answers).await,
            Way::Password(password) => {
                let mut offered = offered.clone();
                if offered.contains(&MethodKind::Password) {
                    let sent = self.handle.authenticate_password(self.user, password.expose()).await;
                    match self.outcome("the password", sent)? {
                        None => return Ok(None),
                        Some(remaining) => offered = remaining,
                    }
                }
                if offered.contains(&MethodKind::KeyboardInteractive) {
                    return self.answer(std::slice::from_ref(password)).await;
                }
                Ok(Some(offered))
            }
        }
    }

    async fn key(&mut self, key: &Key) -> Result<Option<MethodSet>> {
        let hash = rsa_hash(self.handle, &key.key.algorithm()).await.map_err(|error| self.broke(&error))?;
        let with_hash = PrivateKeyWithHashAlg::new(key.key.clone(), hash);
        let sent = self.handle.authenticate_publickey(self.user, with_hash).await;
        self.outcome(&key.told, sent)
    }

    #[cfg(unix)]
    async fn agent(&mut self, socket: Option<&Path>, offered: &MethodSet) -> Result<Option<MethodSet>> {
        use russh::keys::agent::client::AgentClient;

        let found = async {
            let socket = socket.ok_or(russh::keys::Error::EnvVar("SSH_AUTH_SOCK"))?;
            let mut agent = AgentClient::connect_uds(socket).await?;
            let identities = agent.request_identities().await?;
            Ok::<_, russh::keys::Error>((agent, identities))
        };
        let (mut agent, identities) = match found.await {
            Ok(found) => found,
            Err(error) => {
                log!(self.log, "no agent: {error}");
                self.tried.push(format!("the agent ({error})"));
                return Ok(Some(offered.clone()));
            }
        };
        let mut offered = offered.clone();
        for identity in identities {
            let key = identity.public_key().into_owned();
            let told = format!(
                "the agent's key {} ({})",
                key.fingerprint(russh::keys::HashAlg::Sha256),
                key.algorithm().as_str()
            );
            let hash = rsa_hash(self.handle, &key.algorithm()).await.map_err(|error| self.broke(&error))?;
            let signed = self.handle.authenticate_publickey_with(self.user, key, hash, &mut agent).await;
            let sent = match signed {
                Ok(sent) => sent,
                Err(error) => {
                    // It may be locked, or its owner said no.
                    log!(self.log, "{told}: {error}");
                    self.tried.push(format!("{told}: {error}"));
                    continue;
                }
            };
            match self.outcome(&told, Ok(sent))? {
                None => return Ok(None),
                Some(remaining) => offered = remaining,
            }
        }
        Ok(Some(offered))
    }

    #[cfg(not(unix))]
    async fn agent(&mut self, _: Option<&Path>, offered: &MethodSet) -> Result<Option<MethodSet>> {
        self.tried.push("the agent (not on this system)".into());
        Ok(Some(offered.clone()))
    }

    /// Answers the server's questions, one answer each; the last answer again where there are more questions.
    async fn answer(&mut self, answers: &[Secret]) -> Result<Option<MethodSet>> {
        const TOLD: &str = "answers to the server's questions";
        let mut answers = answers.iter().map(Secret::expose).peekable();
        let mut last = "";
        let mut reply = self.handle.authenticate_keyboard_interactive_start(self.user, None).await;
        for _ in 0..MOST_QUESTIONS {
            match reply.map_err(|error| self.broke(&error))? {
                KeyboardInteractiveAuthResponse::Success => {
                    return self.outcome(TOLD, Ok(AuthResult::Success));
                }
                KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                    return self
                        .outcome(TOLD, Ok(AuthResult::Failure { remaining_methods, partial_success }));
                }
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                    for prompt in &prompts {
                        log!(self.log, "asked: {}", prompt.prompt.escape_debug());
                    }
                    let responses = prompts.iter().map(|_| {
                        last = answers.next().unwrap_or(last);
                        last.to_owned()
                    });
                    let responses = responses.collect();
                    reply = self.handle.authenticate_keyboard_interactive_respond(responses).await;
                }
            }
        }
        Err(Error::new(
            ErrorKind::InvalidCredentials,
            format!("the server asked {} more than {MOST_QUESTIONS} times", self.user),
        ))
    }

    /// What came of one way: `None` if one is in, else what the server takes now.
    fn outcome(&mut self, told: &str, sent: Result<AuthResult, russh::Error>) -> Result<Option<MethodSet>> {
        match sent.map_err(|error| self.broke(&error))? {
            AuthResult::Success => {
                log!(self.log, "in by {told}");
                Ok(None)
            }
            AuthResult::Failure { remaining_methods, partial_success } => {
                let taken = if partial_success { "taken, and more is wanted" } else { "not taken" };
                log!(self.log, "{told}: {taken}; the server takes {}", names(&remaining_methods));
                if told != "nothing" {
                    self.tried.push(told.to_owned());
                }
                // The library says the same of a connection that is gone.
                if self.handle.is_closed() && remaining_methods.is_empty() {
                    return Err(match self.seen.end() {
                        Some(end) if end.contains("oo many authentication failures") => {
                            self.refused(&remaining_methods)
                        }
                        end => broken(format!(
                            "the connection broke during authentication: {}",
                            end.unwrap_or_else(|| "it was closed".into())
                        )),
                    });
                }
                Ok(Some(remaining_methods))
            }
        }
    }

    fn broke(&self, error: &russh::Error) -> Error {
        self.seen.broken("authenticating", error)
    }

    fn refused(&self, offered: &MethodSet) -> Error {
        let tried =
            if self.tried.is_empty() { "nothing that it takes".into() } else { self.tried.join(", ") };
        let ended = self.seen.end().map(|end| format!(" ({end})")).unwrap_or_default();
        Error::new(
            ErrorKind::InvalidCredentials,
            format!(
                "{} is not let in: tried {tried}; the server takes {}{ended}",
                self.user.escape_debug(),
                names(offered)
            ),
        )
    }
}

fn names(offered: &MethodSet) -> String {
    let names: Vec<&str> = offered.iter().map(<&str>::from).collect();
    if names.is_empty() { "nothing more".into() } else { names.join(", ") }
}
