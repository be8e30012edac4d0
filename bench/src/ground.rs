//! What all proxies stand on: the upstream, the webhook, files, and the body that is sent.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use powerstrip_tests::FakeEngine;
use serde_json::Value;
use tempfile::TempDir;

use crate::running::{Running, free_port, program};
use crate::way::Way;

/// What a docker client sends to create a container.
const BODY: &str = include_str!("../create.json");
/// What nginx answers.
const CREATED: &str =
    r#"{"Id":"c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00","Warnings":[]}"#;
const VERSION: &str = r#"{"Version":"28.2.2","ApiVersion":"1.50","MinAPIVersion":"1.24"}"#;

/// The upstream, the webhook, and a folder for all.
pub(crate) struct Ground {
    folder: TempDir,
    nginx: Running,
    webhook: Running,
}

impl Ground {
    /// Starts the upstream and the webhook.
    pub(crate) async fn lay() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("create.json"), BODY.trim_end())?;
        let nginx = nginx(folder.path()).await.context("the upstream")?;
        let port = free_port()?;
        let mut own = Command::new(std::env::current_exe()?);
        own.arg("webhook").arg(port.to_string());
        let webhook = Running::start(&mut own, port, &folder.path().join("webhook.log")).await?;
        Ok(Self { folder, nginx, webhook })
    }

    /// A folder for files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file with the body of a create.
    pub(crate) fn body(&self) -> PathBuf {
        self.folder.path().join("create.json")
    }

    /// The socket that proxies connect to: nginx's, or that of an engine which looks at what it gets.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    /// Where the webhook listens.
    pub(crate) fn webhook_port(&self) -> u16 {
        self.webhook.port()
    }

    /// Where nginx listens for those who come without a proxy.
    pub(crate) fn nginx_port(&self) -> u16 {
        self.nginx.port()
    }

    /// Puts an engine behind the proxies that remembers what it was sent.
    pub(crate) fn look(&self) -> Result<FakeEngine> {
        let engine = FakeEngine::start();
        self.link(&engine.socket())?;
        Ok(engine)
    }

    /// Puts nginx behind the proxies.
    pub(crate) fn load(&self) -> Result<()> {
        self.link(&self.folder.path().join("nginx.sock"))
    }

    fn link(&self, to: &Path) -> Result<()> {
        let new = self.folder.path().join("new.sock");
        symlink(to, &new)?;
        Ok(fs::rename(new, self.socket())?)
    }
}

/// What an engine was sent must be the body with as many variables more as the way adds.
pub(crate) fn check(way: Way, sent: &[u8]) -> Result<()> {
    let mut expected: Value = serde_json::from_str(BODY)?;
    let got: Value = serde_json::from_slice(sent).context("what the engine got")?;
    let count = |body: &Value| body["Env"].as_array().map_or(0, Vec::len);
    let wanted = count(&expected) + way.adds();
    ensure!(count(&got) == wanted, "{}: {} variables, not {wanted}", way.name(), count(&got));
    expected["Env"] = got["Env"].clone();
    ensure!(expected == got, "{}: something else was changed", way.name());
    Ok(())
}

/// One process of nginx on a socket, and on a port for comparison, that keeps all connections.
async fn nginx(folder: &Path) -> Result<Running> {
    let port = free_port()?;
    let here = folder.display();
    let config = format!(
        "daemon off; master_process off; pid {here}/nginx.pid; error_log stderr error;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n\
         access_log off; keepalive_timeout 1h; keepalive_requests 1000000000;\n\
         default_type application/json; server_tokens off;\n\
         client_body_temp_path {here}/nginx-body; proxy_temp_path {here}/nginx-proxy;\n\
         fastcgi_temp_path {here}/nginx-fastcgi; uwsgi_temp_path {here}/nginx-uwsgi;\n\
         scgi_temp_path {here}/nginx-scgi;\n\
         server {{\n\
         listen unix:{here}/nginx.sock; listen 127.0.0.1:{port};\n\
         add_header Api-Version 1.50 always; add_header Ostype linux always;\n\
         location = /_ping {{ default_type text/plain; return 200 OK; }}\n\
         location = /version {{ return 200 '{VERSION}'; }}\n\
         location ~ /containers/create$ {{ return 201 '{CREATED}'; }}\n\
         }}\n}}\n"
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, config)?;
    let mut command = Command::new(program("nginx")?);
    command.arg("-p").arg(folder).arg("-c").arg(path).arg("-e").arg("stderr");
    Running::start(&mut command, port, &folder.join("nginx.log")).await
}
