//! The configuration: one YAML file and a folder of components become one [`Config`].
//!
//! Everything that can be judged without loading a component is judged here, and every problem is
//! reported at once. The file's shape is that of Powerstrip 2015, whose files work unchanged.
//!
//! ```text
//! text ─ yaml ─► Node, with positions ─ resolve, adapters, listen ─► Config or ConfigError
//! ```

mod adapters;
mod audit;
mod error;
mod events;
mod grants;
mod keyvalue;
mod listen;
mod listener_names;
mod name;
mod node;
mod policy;
mod quantity;
mod resolve;
mod types;
mod value;
mod webhook;
mod yaml;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use error::{ConfigError, Position, Problem};
pub use name::{AdapterName, NameError};
pub use types::{AdapterConfig, Config, Digest, Endpoint, Engine, EngineTls, EventRule, Identity};
pub use types::{ListenTls, Listener, Named, Source};
pub use webhook::{Protocol, WebhookTarget, WebhookUrl, WebhookUrlError};

/// Where the configuration is looked for if nothing else is said.
pub const DEFAULT_PATH: &str = "/etc/powerstrip/adapters.yml";
/// The folder of components, beside the file.
pub const DEFAULT_ADAPTERS_DIR: &str = "adapters";
/// Where Powerstrip listens if nothing else is said: Docker's port, for this host alone.
pub const DEFAULT_LISTEN: &str = "tcp://127.0.0.1:2375";
/// Where the Docker Engine is if nothing else is said.
pub const DEFAULT_ENGINE: &str = "unix:///var/run/docker.sock";

/// The largest file that is read; real ones have a few kilobytes.
const MAX_FILE: u64 = 1024 * 1024;

/// The environment variables that count, read by the caller once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `DOCKER_HOST`: the Docker Engine's address if the file names none.
    pub docker_host: Option<String>,
    /// `DOCKER_TLS_VERIFY`: whether that address is reached by TLS; any value but none means yes.
    pub docker_tls_verify: Option<String>,
    /// `DOCKER_TLS`: whether that address is reached by TLS; alone it means not to look who answers.
    pub docker_tls: Option<String>,
    /// `DOCKER_CERT_PATH`: the folder of `ca.pem`, `cert.pem` and `key.pem` for it; by default the
    /// Docker command line's own folder.
    pub docker_cert_path: Option<PathBuf>,
    /// `LISTEN_FDNAMES`: what systemd calls the sockets that it hands over, in their order, empty for
    /// those that it did not name; none where it hands over none.
    pub socket_names: Option<Vec<String>>,
}

/// What a configuration depends on besides its text, so that reading the text does no I/O.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The environment variables.
    pub environment: &'a Environment,
    /// Lists the names of the files in the folder of components.
    pub list_folder: &'a dyn Fn(&Path) -> io::Result<Vec<OsString>>,
}

impl Config {
    /// Reads the file at `path` and the folder of components.
    ///
    /// # Errors
    /// When the file cannot be read or anything in it is wrong.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let text = read_text(path)?;
        Self::parse(&text, path, Surroundings { environment, list_folder: &list_folder })
    }

    /// Reads a configuration from its text; `path` is what relative paths start from.
    ///
    /// # Errors
    /// When anything in it is wrong: everything that is, in file order.
    pub fn parse(
        text: &str,
        path: &Path,
        surroundings: Surroundings<'_>,
    ) -> Result<Self, ConfigError> {
        let fail = |problems| ConfigError { path: path.to_owned(), problems, source: None };
        resolve::config(text, path, surroundings).map_err(fail)
    }
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let fail = |message: String, hint: Option<&str>, source| ConfigError {
        path: path.to_owned(),
        problems: vec![Problem {
            position: None,
            key: String::new(),
            message,
            hint: hint.map(str::to_owned),
        }],
        source,
    };
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|f| f.take(MAX_FILE + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let hint = "create it, or name another with --config or POWERSTRIP_CONFIG";
        return Err(match missing {
            true => fail("there is no such file".to_owned(), Some(hint), Some(error)),
            false => fail("the file cannot be read".to_owned(), None, Some(error)),
        });
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err(fail("the file is larger than 1 MiB".to_owned(), None, None));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        fail(format!("the file is not UTF-8 (line {line})"), None, None)
    })
}

fn list_folder(folder: &Path) -> io::Result<Vec<OsString>> {
    std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}
