//! A fake Docker Engine on a unix socket: reasonable answers, until the test scripts others.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::scripted::{Script, Server};

/// The identity of the container that the fake engine says it has created.
const CONTAINER: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";

/// A fake engine; a [`Server`] that already knows the calls which every client makes.
pub struct FakeEngine {
    server: Server,
}

impl FakeEngine {
    /// Starts one on a socket in a folder of its own.
    #[must_use]
    pub fn start() -> Self {
        Self::with_defaults(Server::on_unix_socket())
    }

    /// Starts one on a socket at this path, for tests in which engines come and go.
    #[must_use]
    pub fn start_at(path: &Path) -> Self {
        Self::with_defaults(Server::at_unix_socket(path))
    }

    /// Starts one on a free port of the loopback interface, whose connections all end by a reset.
    #[must_use]
    pub fn start_with_resets() -> Self {
        Self::with_defaults(Server::on_tcp_with_resets())
    }

    fn with_defaults(server: Server) -> Self {
        server.on("GET /version", api_answer(200, &version()));
        server.on("GET /_ping", Script::whole(ping("\r\nOK")));
        server.on("HEAD /_ping", Script::whole(ping("\r\n")));
        server.on("GET /info", api_answer(200, &json!({"Name": "fake", "Containers": 0})));
        server.on("GET /images/json", api_answer(200, &json!([])));
        server.on("GET /containers/json", api_answer(200, &json!([])));
        let created = json!({"Id": CONTAINER, "Warnings": []});
        server.on("POST /containers/create", api_answer(201, &created));
        server.on("POST /start", Script::whole("HTTP/1.1 204 No Content\r\n\r\n"));
        Self { server }
    }

    /// The path of its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        PathBuf::from(self.address().trim_start_matches("unix://"))
    }
}

impl FakeEngine {
    /// Ends it with all of its connections, and waits until they are closed.
    pub async fn stop(mut self) {
        self.server.stop().await;
    }
}

impl Deref for FakeEngine {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn version() -> Value {
    json!({
        "Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12",
        "Os": "linux", "Arch": "amd64",
    })
}

fn ping(end: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nDocker-Experimental: false\r\nOstype: linux\r\n\
         Server: Docker/20.10.24 (linux)\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: 2\r\n{end}"
    )
}

/// An answer with the headers that the Docker Engine puts on all of them.
#[must_use]
pub fn api_answer(status: u16, body: &Value) -> Script {
    let body = body.to_string();
    Script::whole(format!(
        "HTTP/1.1 {status} Scripted\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n\
         Docker-Experimental: false\r\nOstype: linux\r\nServer: Docker/20.10.24 (linux)\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}
