//! Calls by `wasi:http`, to other services and to the Docker Engine.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use powerstrip_sdk::{Result, http};
use serde::Deserialize;
use serde_json::{Value, json};

/// Redirects that are followed.
const MAX_HOPS: usize = 5;

/// A call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    url: String,
    #[serde(default = "get")]
    method: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    /// Whether redirects are followed.
    #[serde(default)]
    follow: bool,
    /// Lines to read.
    #[serde(default)]
    count: usize,
}

fn get() -> String {
    "GET".to_owned()
}

impl Call {
    fn request(&self, url: &str) -> http::Request {
        let request = http::Request::new(&*self.method, url).body(self.body.as_bytes());
        let headers = self.headers.iter();
        headers.fold(request, |request, (name, value)| request.header(name, value.as_bytes()))
    }

    /// Status and text.
    pub(crate) fn answer(&self) -> Result<Value> {
        let mut url = self.url.clone();
        for _ in 0..MAX_HOPS {
            let answer = self.request(&url).send()?;
            match answer.header("location") {
                Some(next) if self.follow => url = next.to_owned(),
                _ => return Ok(json!({"status": answer.status, "text": answer.text()})),
            }
        }
        Ok(json!("too many redirects"))
    }

    /// The first lines of an answer that may have no end.
    pub(crate) fn read_lines(&self) -> Result<Value> {
        let answer = self.request(&self.url).open()?;
        let lines = BufReader::new(answer.body).lines().take(self.count);
        Ok(json!(lines.collect::<std::io::Result<Vec<String>>>()?))
    }
}
