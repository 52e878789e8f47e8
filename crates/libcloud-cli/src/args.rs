//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use libcloud::common::Proxy;

use crate::{call, compute, config, deploy, dns, lb, manual, pricing, providers, storage};

const EXAMPLES: &str = "\
Examples:
  libcloud demo                                          all of it, without an account
  libcloud --provider dummy compute nodes list
  libcloud --profile work storage cp -r ./site s3:my-bucket/site
  libcloud deploy run web1 web2 --script setup.sh
  libcloud --provider ec2 --region eu-west-1 call compute ex_list_regions
  libcloud config init                                   a file for profiles

Exit status: 0 done, 1 this machine, 2 usage, 3 credentials, 4 not found, 5 refused by the provider,
6 connection, 7 not supported, 8 some of several failed.";

/// One command line for many clouds: servers, volumes, object storage, load balancers, DNS, prices and deployment.
#[derive(Debug, Parser)]
#[command(name = "libcloud", version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is true of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Provider and credentials")]
pub(crate) struct Global {
    /// The provider: an id from `libcloud providers list`
    #[arg(long, global = true, env = "LIBCLOUD_PROVIDER", value_name = "ID")]
    pub(crate) provider: Option<String>,
    /// A profile of the configuration file
    #[arg(long, global = true, env = "LIBCLOUD_PROFILE", value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The account: access key id, user name or API key
    #[arg(long, global = true, env = "LIBCLOUD_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// Its secret key or password; a profile, the environment or --secret-file keep it out of the process list
    #[arg(long, global = true, env = "LIBCLOUD_SECRET", hide_env_values = true)]
    pub(crate) secret: Option<String>,
    /// A file whose first line is the secret; goes before what --secret and the environment say
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// The region or data centre
    #[arg(long, global = true, env = "LIBCLOUD_REGION")]
    pub(crate) region: Option<String>,
    /// Where every host of the provider is to be found instead
    #[arg(long, global = true, env = "LIBCLOUD_ENDPOINT", value_name = "URL")]
    pub(crate) endpoint: Option<libcloud::common::Url>,
    /// The authentication service, if it is apart
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) auth_url: Option<libcloud::common::Url>,
    /// The version of the provider's API to speak
    #[arg(long, global = true, value_name = "VERSION")]
    pub(crate) api_version: Option<String>,
    /// An option that only this driver knows; JSON or text
    #[arg(long = "option", global = true, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) options: Vec<(String, serde_json::Value)>,
    /// The only certificate authorities to trust
    #[arg(long, global = true, value_name = "FILE", help_heading = "Connections")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The proxy that connections go through: `http://…`, `socks5://…` or `none`; without, what the environment says
    #[arg(long, global = true, value_name = "URL", help_heading = "Connections")]
    pub(crate) proxy: Option<Proxy>,
    /// The longest that a call may take, in seconds
    #[arg(long, global = true, value_name = "SECONDS", help_heading = "Connections")]
    pub(crate) timeout: Option<f64>,
    /// How often a call that may be repeated is repeated
    #[arg(long, global = true, value_name = "N", help_heading = "Connections")]
    pub(crate) retries: Option<u32>,
    /// Write each request as a curl command, with its answer, to this file; secrets are hidden
    #[arg(long, global = true, value_name = "FILE", help_heading = "Connections")]
    pub(crate) debug: Option<PathBuf>,
    /// How results are written: table, json, jsonl or csv
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, hide_possible_values = true, hide_default_value = true, help_heading = "Output")]
    pub(crate) format: Format,
    /// Show what would be called, and call nothing that changes anything
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) dry_run: bool,
    /// Do not ask before something is destroyed
    #[arg(long, short = 'y', global = true, help_heading = "Output")]
    pub(crate) yes: bool,
    /// No progress, no notes
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Tell what is done; twice for more
    #[arg(long, short, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // Comments, not documentation: clap would turn every `--help` into its long form for it.
    // A table for people.
    Table,
    // One JSON document.
    Json,
    // One JSON document a line, as they arrive.
    Jsonl,
    // Comma-separated values with a header.
    Csv,
}

impl Global {
    pub(crate) fn has_secret(&self) -> bool {
        self.secret.is_some() || self.secret_file.is_some()
    }

    /// Whether the command line or the environment says anything of an account, as opposed to a provider.
    pub(crate) fn names_account(&self) -> bool {
        self.key.is_some()
            || self.has_secret()
            || self.region.is_some()
            || self.endpoint.is_some()
            || self.auth_url.is_some()
            || self.api_version.is_some()
            || !self.options.is_empty()
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Servers and their volumes, images and keys
    Compute(compute::ComputeCommand),
    /// Containers and objects
    Storage(storage::StorageCommand),
    /// Load balancers and their members
    #[command(visible_alias = "loadbalancer")]
    Lb(lb::LbCommand),
    /// Zones and records
    Dns(dns::DnsCommand),
    /// Keys, files and scripts on new servers, or on those that are there
    Deploy(Box<deploy::DeployCommand>),
    /// What sizes and running servers cost
    Pricing(pricing::PricingCommand),
    /// Any method of any driver by its name, with JSON in and out
    Call(call::CallCommand),
    /// The providers and what they can do
    Providers(providers::ProvidersCommand),
    /// The configuration file and its profiles
    Config(config::ConfigCommand),
    /// See it work: servers, storage, DNS and load balancers, without an account or a network
    Demo,
    /// Write what a shell needs to complete commands to standard output
    #[command(hide = true)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    #[command(hide = true)]
    Man(manual::ManCommand),
}

/// Extension arguments of a command.
#[derive(Debug, Args)]
pub(crate) struct ExArgs {
    /// An argument that only this provider knows; JSON or text
    #[arg(long = "ex", value_name = "NAME=VALUE", value_parser = pair)]
    ex: Vec<(String, serde_json::Value)>,
}

impl ExArgs {
    /// Adds them to the arguments of a call, with the prefix `ex_` where it was left out.
    pub(crate) fn add_to(self, args: &mut serde_json::Value) {
        if let Some(map) = args.as_object_mut() {
            for (name, value) in self.ex {
                let name = if name.starts_with("ex_") { name } else { format!("ex_{name}") };
                map.insert(name, value);
            }
        }
    }
}

/// `NAME=VALUE`, where the value is JSON if it can be read as such, and text otherwise.
pub(crate) fn pair(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
    if name.is_empty() {
        return Err("the name before `=` is empty".into());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}
