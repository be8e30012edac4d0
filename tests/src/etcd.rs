//! A real etcd of the test's own, on free ports, with its data in a temporary folder.

use std::net::TcpListener;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::client::{Client, Request};
use crate::docker::in_path;
use crate::process::Process;

/// A running etcd; killed when it is dropped.
pub struct Etcd {
    port: u16,
    _process: Process,
    _data: TempDir,
}

impl Etcd {
    /// Starts one and waits until it serves; none where etcd is not installed, which is said.
    ///
    /// # Panics
    /// When it is missing and `POWERSTRIP_TEST_REQUIRE_ENGINE` forbids to skip a test.
    pub async fn start() -> Option<Self> {
        if in_path("etcd").is_none() {
            crate::private::skip("etcd is not installed");
            return None;
        }
        let data = tempfile::tempdir().expect("a temporary folder");
        let (port, peer_port) = free_ports();
        let url = format!("http://127.0.0.1:{port}");
        let peer_url = format!("http://127.0.0.1:{peer_port}");
        let mut command = Command::new("etcd");
        command.arg("--data-dir").arg(data.path());
        command.args(["--listen-client-urls", &url, "--advertise-client-urls", &url]);
        command.args(["--listen-peer-urls", &peer_url]);
        command.args(["--initial-advertise-peer-urls", &peer_url]);
        command.args(["--initial-cluster", &format!("default={peer_url}")]);
        let process = Process::start(&mut command);
        let serves = |line: &str| line.contains("serving insecure client requests").then_some(());
        process.line("that it serves", serves).await;
        Some(Self { port, _process: process, _data: data })
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// Its host and port, as a grant names it.
    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Stores a value.
    ///
    /// # Panics
    /// When etcd refuses it.
    pub async fn put(&self, key: &str, value: &str) {
        let [key, value] = [key, value].map(|text| BASE64_STANDARD.encode(text));
        let request = Request::post("/v3/kv/put", &json!({"key": key, "value": value}));
        let mut client = Client::connect(&format!("tcp://{}", self.host())).await;
        let answer = client.call(&request).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }

    /// All keys under a prefix with their values, in their order.
    ///
    /// # Panics
    /// When etcd refuses to tell.
    pub async fn read(&self, prefix: &str) -> Vec<(String, String)> {
        let [first, end] = [prefix.to_owned(), format!("{prefix}\u{7f}")];
        let [first, end] = [first, end].map(|key| BASE64_STANDARD.encode(key));
        let request = Request::post("/v3/kv/range", &json!({"key": first, "range_end": end}));
        let mut client = Client::connect(&format!("tcp://{}", self.host())).await;
        let answer = client.call(&request).await.json();
        let text = |value: &Value| {
            let bytes = BASE64_STANDARD.decode(value.as_str().unwrap_or_default());
            String::from_utf8(bytes.expect("etcd's base64")).expect("text")
        };
        let all = answer["kvs"].as_array().cloned().unwrap_or_default();
        all.iter().map(|pair| (text(&pair["key"]), text(&pair["value"]))).collect()
    }
}

/// Two ports that were free a moment ago: etcd does not tell which it chose for port 0.
fn free_ports() -> (u16, u16) {
    let bind = || TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
    let both = (bind(), bind());
    (port(&both.0), port(&both.1))
}
