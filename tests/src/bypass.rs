//! Ways to write a request so that a proxy and the Docker Engine may read it differently.
//!
//! Each [`Spelling`] asks for something that an adapter denies, and that an engine can be seen to
//! have understood although it changes nothing: a create of an image that is not there whose settings
//! contradict each other, a signal that does not exist, a list. So the same bytes can be sent
//! straight to an engine and through Powerstrip, and what the engine says tells how it read them.

mod bodies;
mod mutate;
mod paths;
mod queries;
mod read;
mod transport;

pub use mutate::mutate;
pub use read::{Reading, read};

/// What the engine says where it understood a create that the component `doorman` denies, a signal,
/// a filter, a start with settings; or gave a list, or its variables, or another protocol.
const EXECUTED: &[&str] = &[
    "conflicting options",
    "nvalid signal: BOGUS",
    "BOGUSSTATE",
    "HostConfig.Privileged",
    PROBE,
    "\"memstats\"",
    "HTTP/1.1 101",
];

/// The name of a container that only a list of all containers has.
pub const PROBE: &str = "powerstrip-bypass-probe";

/// What the component `doorman` says.
pub const DENIED: &str = "the doorman denies this";

/// The calls that `doorman` judges, as patterns of endpoints.
pub const JUDGED: &[&str] = &[
    "POST /*/containers/create",
    "POST /*/containers/*/kill",
    "POST /*/containers/*/start",
    "GET /*/containers/json",
    "* /debug/*",
    "POST /grpc",
];

/// What is to become of a spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It asks for what is denied, should anybody understand it.
    Evil,
    /// It asks for nothing special, and is answered as without Powerstrip.
    Plain,
}

/// One way to write a request.
#[derive(Debug, Clone)]
pub struct Spelling {
    /// The row of the list of tricks: `P26`.
    pub row: String,
    /// What is odd about it.
    pub name: String,
    /// All that is sent.
    pub bytes: Vec<u8>,
    /// What is to become of it.
    pub kind: Kind,
}

impl Spelling {
    fn evil(row: &str, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { row: row.to_owned(), name: name.into(), bytes: bytes.into(), kind: Kind::Evil }
    }

    fn plain(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { kind: Kind::Plain, ..Self::evil("plain", name, bytes) }
    }

    /// One that somebody wrote into a file.
    #[must_use]
    pub fn of_file(name: &str, bytes: Vec<u8>) -> Self {
        Self::evil("file", name, bytes)
    }
}

/// All spellings, in the order of their rows.
#[must_use]
pub fn spellings() -> Vec<Spelling> {
    [plain(), paths::spellings(), queries::spellings(), bodies::spellings(), transport::spellings()]
        .concat()
}

/// What must go on working.
fn plain() -> Vec<Spelling> {
    let create = create("/v1.41/containers/create", r#"{"Image":"nosuch:none"}"#);
    let start = "POST /v1.41/containers/none/start HTTP/1.1\r\nHost: docker\r\n\
                 Content-Length: 0\r\n\r\n";
    vec![
        Spelling::plain("a create", create),
        Spelling::plain("a kill", post("/v1.41/containers/none/kill?signal=KILL", "", "")),
        Spelling::plain("a start", start),
        Spelling::plain("a version", "GET /v1.41/version HTTP/1.1\r\nHost: docker\r\n\r\n"),
        Spelling::plain("a list", get("/v1.41/containers/json?all=0&filters={}")),
    ]
}

/// A create that the engine refuses in its own words if it understands it.
const EVIL: &str =
    r#"{"Image":"nosuch:none","Hostname":"h","HostConfig":{"NetworkMode":"container:x"}}"#;

/// A target that kills a container which is not there, with this query.
fn kill(query: &str) -> String {
    format!("/v1.41/containers/none/kill?{query}")
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: docker\r\n\r\n")
}

fn create(target: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    post(target, "Content-Type: application/json\r\n", body)
}

fn post(target: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let length = format!("{headers}Content-Length: {}\r\n", body.as_ref().len());
    request(target, &length, body)
}

fn request(target: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("POST {target} HTTP/1.1\r\nHost: docker\r\n{headers}\r\n");
    [head.as_bytes(), body.as_ref()].concat()
}
