//! The command line. Each command gives a report, which `main` prints.

mod check;
mod compile;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod inspect;
mod limits;
mod policy;
mod report;
mod serve;
mod suggest;
mod version;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use powerstrip::config::{DEFAULT_PATH, Environment};
use powerstrip::wasm::RuntimeSettings;

pub(crate) use report::{Report, describe};

/// How long a thread that read or compiled waits for more of that: a start needs many, and later
/// their stacks would idle.
const IDLE_THREAD: Duration = Duration::from_secs(1);

/// A proxy for the Docker Engine API that runs adapters before and after each call.
#[derive(Debug, Parser)]
#[command(name = "powerstrip", disable_version_flag = true)]
pub(crate) struct Arguments {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(subcommand)]
    command: Command,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen, and pass calls to the Docker Engine through the adapters.
    Serve {
        #[command(flatten)]
        file: File,
    },
    /// Check a configuration and load its adapters, without listening.
    Check {
        /// The configuration file.
        #[arg(value_name = "FILE")]
        positional: Option<PathBuf>,
        #[command(flatten)]
        file: File,
    },
    /// Tell which endpoints match a call, which hooks would run, and what they would see.
    Explain {
        /// The call, for example 'POST /v1.43/containers/create'; or 'event container start'.
        call: String,
        /// The listener that it comes through: its name, or its address; the first one by default.
        #[arg(long)]
        listener: Option<String>,
        #[command(flatten)]
        file: File,
    },
    /// Describe a component: its hooks, what it imports, the grants that it needs.
    Inspect {
        /// The component's file.
        component: PathBuf,
        /// A configuration file: tells what its adapters of this component may use, too.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Suggest a configuration of the adapter `guard` that allows what audit logs tell of.
    Suggest(suggest::Options),
    /// Show what adapters do, on a Docker Engine or on what can stand in for one.
    #[cfg(feature = "demo")]
    Demo,
    /// Print the versions of Powerstrip and of its WebAssembly engine.
    Version,
    /// Compile a component for a `serve` that waits for it.
    #[command(hide = true)]
    Compile {
        /// The folder of the cache.
        folder: PathBuf,
        /// What the cache is to call it.
        #[arg(allow_hyphen_values = true)]
        key: String,
    },
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
struct File {
    /// The configuration file.
    #[arg(long, env = "POWERSTRIP_CONFIG", default_value = DEFAULT_PATH)]
    config: PathBuf,
}

/// Does what was asked.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    match &arguments.command {
        Command::Serve { file } => wait(serve::run(&file.config)),
        Command::Check { positional, file } => {
            wait(check::run(positional.as_ref().unwrap_or(&file.config)))
        }
        Command::Explain { call, listener, file } => {
            wait(explain::run(call, listener.as_deref(), &file.config))
        }
        Command::Inspect { component, config } => wait(inspect::run(component, config.as_deref())),
        Command::Suggest(options) => suggest::run(options),
        #[cfg(feature = "demo")]
        Command::Demo => wait(demo::run(arguments.format)),
        Command::Version => Ok(version::run()),
        Command::Compile { folder, key } => compile::run(folder, key),
    }
}

/// Does what takes more than one thread.
fn wait(command: impl Future<Output = anyhow::Result<Report>>) -> anyhow::Result<Report> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().thread_keep_alive(IDLE_THREAD).build()?;
    runtime.block_on(command)
}

/// The variables that count besides the flags.
fn environment() -> Environment {
    let text = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let folder = |name| text(name).map(PathBuf::from);
    let home = || folder("HOME").map(|home| home.join(".docker"));
    Environment {
        docker_host: text("DOCKER_HOST"),
        docker_tls_verify: text("DOCKER_TLS_VERIFY"),
        docker_tls: text("DOCKER_TLS"),
        docker_cert_path: folder("DOCKER_CERT_PATH")
            .or_else(|| folder("DOCKER_CONFIG"))
            .or_else(home),
        socket_names: socket_names(),
    }
}

/// What systemd calls the sockets that it hands over to this process, if it does: sd_listen_fds(3).
fn socket_names() -> Option<Vec<String>> {
    let text = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    text("LISTEN_FDS")?;
    let is_ours = text("LISTEN_PID").is_none_or(|pid| pid.parse() == Ok(std::process::id()));
    let name = |name: &str| if name == "unknown" { String::new() } else { name.to_owned() };
    let names = text("LISTEN_FDNAMES").unwrap_or_default();
    is_ours.then(|| names.split(':').map(name).collect())
}

/// Compiled components are kept, so that the next start is quick.
fn runtime_settings() -> RuntimeSettings {
    RuntimeSettings { cache_dir: Some(cache_dir()), ..RuntimeSettings::default() }
}

/// `$XDG_CACHE_HOME` or `~/.cache`, as everybody; a service without a home has the system's cache.
fn cache_dir() -> PathBuf {
    let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || folder("HOME").map(|home| home.join(".cache"));
    let base = folder("XDG_CACHE_HOME").or_else(home).unwrap_or_else(|| "/var/cache".into());
    base.join("powerstrip").join("components")
}
