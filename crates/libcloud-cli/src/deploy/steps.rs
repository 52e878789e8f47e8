//! The steps of a deployment on the command line, in the order in which they stand there.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use libcloud::common::Secret;
use libcloud::deploy::{
    Deployment, FileDeployment, MultiStepDeployment, SSHKeyDeployment, ScriptDeployment, ScriptFileDeployment,
};
use libcloud::{Error, Result};

const KEY: &str = "install_key";
const COPY: &str = "copy";
const SCRIPT: &str = "script";
const ARG: &str = "script_arg";
const RUN: &str = "run";

/// The steps as they were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepArgs(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(PathBuf),
    Copy(PathBuf, String),
    Script(PathBuf, Vec<String>),
    Run(String),
}

/// What is true of every script.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScriptSettings {
    pub(crate) env: Vec<(String, String)>,
    pub(crate) secret_env: Vec<(String, Secret)>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) ignore_status: bool,
}

impl ScriptSettings {
    fn apply(&self, script: ScriptDeployment) -> ScriptDeployment {
        let mut script = script.delete();
        for (name, value) in &self.env {
            script = script.env(name, value);
        }
        for (name, value) in &self.secret_env {
            script = script.secret_env(name, value.clone());
        }
        if let Some(timeout) = self.timeout {
            script = script.timeout(timeout);
        }
        if self.ignore_status { script } else { script.must_succeed() }
    }
}

impl clap::Args for StepArgs {
    fn augment_args(command: Command) -> Command {
        let step = |id: &'static str, long: &'static str, value: &'static str, help: &'static str| {
            Arg::new(id)
                .long(long)
                .value_name(value)
                .help(help)
                .action(ArgAction::Append)
                .help_heading("Steps, in the order in which they are given")
        };
        command
            .arg(
                step(KEY, "install-key", "FILE", "Let the owner of this public key in")
                    .value_hint(ValueHint::FilePath),
            )
            .arg(step(COPY, "copy", "FROM:TO", "Copy a file or a folder, with its permissions"))
            .arg(step(SCRIPT, "script", "FILE", "Run this script").value_hint(ValueHint::FilePath))
            .arg(
                step(ARG, "script-arg", "TEXT", "An argument of the script before it")
                    .allow_hyphen_values(true),
            )
            .arg(step(RUN, "run", "COMMAND", "Run this command"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for StepArgs {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut given: Vec<(usize, &str, &String)> = Vec::new();
        for id in [KEY, COPY, SCRIPT, ARG, RUN] {
            let values = matches.get_many::<String>(id).into_iter().flatten();
            let places = matches.indices_of(id).into_iter().flatten();
            given.extend(places.zip(values).map(|(place, value)| (place, id, value)));
        }
        given.sort_by_key(|(place, ..)| *place);
        let mut steps: Vec<Step> = Vec::new();
        let wrong = |text: String| clap::Error::raw(clap::error::ErrorKind::ValueValidation, text + "\n");
        for (_, id, value) in given {
            let step = match id {
                KEY => Step::Key(value.into()),
                SCRIPT => Step::Script(value.into(), Vec::new()),
                RUN => Step::Run(value.clone()),
                ARG => {
                    let Some(Step::Script(_, args)) = steps.last_mut() else {
                        return Err(wrong(format!(
                            "--script-arg {value}: it follows the --script that it is for"
                        )));
                    };
                    args.push(value.clone());
                    continue;
                }
                _ => match value.rsplit_once(':') {
                    Some((from, to)) if !from.is_empty() && !to.is_empty() => {
                        Step::Copy(from.into(), to.into())
                    }
                    _ => return Err(wrong(format!("--copy {value}: it is FROM:TO"))),
                },
            };
            steps.push(step);
        }
        Ok(Self(steps))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl StepArgs {
    /// The steps, to be run on one server.
    pub(crate) fn deployment(&self, settings: &ScriptSettings) -> Result<MultiStepDeployment> {
        if self.0.is_empty() {
            return Err(Error::invalid_argument(
                "there is nothing to do: give --install-key, --copy, --script or --run",
            ));
        }
        let steps = self.0.iter().map(|step| match step {
            Step::Key(file) => {
                let file = std::fs::File::open(file).map_err(|error| {
                    Error::io(format_args!("read the public key {}", file.display()), error)
                })?;
                Ok(Box::new(SSHKeyDeployment::from_reader(file)?) as Box<dyn Deployment>)
            }
            Step::Copy(from, to) => Ok(Box::new(FileDeployment::new(from, to)) as Box<dyn Deployment>),
            Step::Script(file, args) => {
                let script = settings.apply(ScriptDeployment::new("")).args(args);
                Ok(Box::new(ScriptFileDeployment::new(file).settings_of(script)) as Box<dyn Deployment>)
            }
            // Of a line with several commands, each is to have the environment.
            Step::Run(command) => {
                let script = ScriptDeployment::new(format!("#!/bin/sh\n{command}\n"));
                Ok(Box::new(settings.apply(script)) as Box<dyn Deployment>)
            }
        });
        let steps: Vec<Box<dyn Deployment>> = steps.collect::<Result<_>>()?;
        let steps = MultiStepDeployment::from(steps);
        steps.check()?;
        Ok(steps)
    }

    /// What they are, for a dry run.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = |step: &Step| match step {
            Step::Key(file) => format!("install the key {}", file.display()),
            Step::Copy(from, to) => format!("copy {} to {to}", from.display()),
            Step::Script(file, args) => {
                format!("script {} {}", file.display(), args.join(" ")).trim_end().to_owned()
            }
            Step::Run(command) => format!("run {command}"),
        };
        self.0.iter().map(told).collect()
    }
}
