//! Audit logs: one JSON object a line, read one at a time, so that a log of any length fits.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use guard::learn::{Certificate, Client, Recorded};
use powerstrip::docker::catalogue::{self, RequestBody};
use serde::Deserialize;
use serde_json::Value;

/// The longest line that is read; no log of ours has one that is half as long.
const MAX_LINE: u64 = 16 * 1024 * 1024;

/// Why a line is left out.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    /// The file cannot be read any further.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// It has no end in sight.
    #[error("it is longer than 16 MiB")]
    TooLong,
    /// It is not JSON, or not a line of an audit log.
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
    /// It says something that no audit says.
    #[error("{0}")]
    Senseless(String),
}

/// A line of an audit log, as far as it counts here.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    time: Option<String>,
    #[serde(default)]
    client: Who,
    method: String,
    endpoint: Option<String>,
    path: String,
    #[serde(default)]
    query: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    body: Option<Value>,
    body_omitted: Option<String>,
    verdict: Option<String>,
    /// What did not fit into the line.
    #[serde(default)]
    cut: Vec<String>,
    /// Lines that were lost before this one.
    #[serde(default)]
    pub(super) dropped: u64,
}

#[derive(Debug, Default, Deserialize)]
struct Who {
    unix: Option<Process>,
    tls: Option<Proof>,
}

#[derive(Debug, Deserialize)]
struct Process {
    #[serde(default)]
    pid: u32,
    uid: u32,
    #[serde(default)]
    gid: u32,
}

#[derive(Debug, Deserialize)]
struct Proof {
    #[serde(default)]
    subject: String,
    #[serde(default)]
    names: Vec<String>,
}

impl Line {
    /// Reads a line.
    fn read(bytes: &[u8]) -> Result<Self, LineError> {
        let line: Self = serde_json::from_slice(bytes)?;
        if !line.was_invalid() {
            line.check().map_err(LineError::Senseless)?;
        }
        Ok(line)
    }

    /// What is read here becomes a rule: it has to be something that a rule can say.
    fn check(&self) -> Result<(), String> {
        let is_known = |name: &String| catalogue::all().iter().any(|it| it.name == *name);
        if let Some(name) = self.endpoint.as_ref().filter(|name| !is_known(name)) {
            return Err(format!("no endpoint is named \"{name}\""));
        }
        if self.method.is_empty() || !self.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(format!("\"{}\" is no method", self.method));
        }
        if !self.path.starts_with('/') {
            return Err(format!("\"{}\" is no path", self.path));
        }
        let time = self.time.as_deref().map(humantime::parse_rfc3339_weak);
        if let Some(Err(error)) = time {
            return Err(format!("its time: {error}"));
        }
        // Without its query a pull looks like an import.
        match self.is_cut("query") && self.endpoint.as_deref() == Some("image-create") {
            true => Err("its query did not fit into the log".to_owned()),
            false => Ok(()),
        }
    }

    /// When it was, if it says so.
    pub(super) fn time(&self) -> Option<SystemTime> {
        humantime::parse_rfc3339_weak(self.time.as_deref()?).ok()
    }

    /// Whether it was before a time; what has no time was not.
    pub(super) fn is_before(&self, since: Option<SystemTime>) -> bool {
        self.time().zip(since).is_some_and(|(time, since)| time < since)
    }

    /// Whether the call was refused, by whomever, before it got to the Docker Engine.
    pub(super) fn was_refused(&self) -> bool {
        self.verdict.as_deref() == Some("refused")
    }

    /// Whether it was no call that Powerstrip could have passed on.
    pub(super) fn was_invalid(&self) -> bool {
        self.verdict.as_deref() == Some("invalid")
    }

    /// Whether it had a body, or may have had one, that is not in the log.
    pub(super) fn lost_body(&self) -> bool {
        let has_body = |name: &String| {
            let mut rows = catalogue::all().iter().filter(|row| row.name == *name);
            rows.any(|row| row.request == RequestBody::Json)
        };
        let never = self.body.is_none() && self.endpoint.as_ref().is_some_and(has_body);
        never || self.body_omitted.is_some() || self.is_cut("body") || self.is_cut("query")
    }

    fn is_cut(&self, part: &str) -> bool {
        self.cut.iter().any(|cut| cut == part)
    }

    /// The endpoint's name, or the line of a call that has none.
    pub(super) fn name(&self) -> String {
        self.endpoint.clone().unwrap_or_else(|| format!("{} {}", self.method, self.path))
    }

    /// Who called, in the guard's terms.
    pub(super) fn client(&self) -> Client {
        match (&self.client.unix, &self.client.tls) {
            (Some(Process { pid, uid, gid }), _) => {
                Client::Unix { pid: *pid, uid: *uid, gid: *gid }
            }
            (None, Some(Proof { subject, names })) => {
                Client::Tls(Certificate { subject: subject.clone(), names: names.clone() })
            }
            (None, None) => Client::Unknown,
        }
    }

    /// The call.
    pub(super) fn into_call(self) -> Recorded {
        let client = self.client();
        let flat = |(name, values): (String, Vec<String>)| {
            values.into_iter().map(move |value| (name.clone(), value))
        };
        Recorded {
            client,
            method: self.method,
            endpoint: self.endpoint,
            path: self.path,
            query: self.query.into_iter().flat_map(flat).collect(),
            variables: self.variables.into_iter().collect(),
            body: self.body.unwrap_or_default(),
        }
    }
}

/// The lines of a log, each with its number; empty ones are none.
pub(super) struct Lines {
    from: Box<dyn BufRead>,
    number: u64,
    buffer: Vec<u8>,
}

/// Opens a log.
pub(super) fn open(path: &Path) -> anyhow::Result<Lines> {
    let from: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        Box::new(BufReader::new(file))
    };
    Ok(Lines { from, number: 0, buffer: Vec::new() })
}

/// That a log cannot be read any further.
pub(super) fn unreadable(path: &Path, error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("cannot read {}", path.display()))
}

impl Lines {
    /// The next line, without its end; none at the end of the log.
    fn next_bytes(&mut self) -> Result<Option<&[u8]>, LineError> {
        self.number += 1;
        self.buffer.clear();
        let mut limited = (&mut self.from).take(MAX_LINE);
        let read = limited.read_until(b'\n', &mut self.buffer).map_err(LineError::Read)?;
        if read as u64 == MAX_LINE && !self.buffer.ends_with(b"\n") {
            self.buffer = Vec::new();
            self.from.skip_until(b'\n').map_err(LineError::Read)?;
            return Err(LineError::TooLong);
        }
        Ok((read > 0).then(|| self.buffer.trim_ascii()))
    }
}

impl Iterator for Lines {
    type Item = (u64, Result<Line, LineError>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match self.next_bytes() {
                Ok(None) => return None,
                Ok(Some([])) => continue,
                Ok(Some(bytes)) => Line::read(bytes),
                Err(error) => Err(error),
            };
            return Some((self.number, line));
        }
    }
}
