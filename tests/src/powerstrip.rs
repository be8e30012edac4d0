//! Powerstrip as a process: configured by a builder, awaited by its log, ended with the test.

use std::fmt::Write as _;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::client::{Answer, Client, Request};
use crate::process::Process;
use crate::{binary, component, within};

/// What the program logs: its own affairs in detail, those of its libraries not.
const LOG: &str = "info,powerstrip=debug,adapter=debug";

/// Moves the sockets that come as standard input and output to where a service finds them, and becomes
/// the program, so that its process id is the one that was announced.
const ACTIVATE: &str = "exec 3<&0 4<&1 </dev/null >&2; LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\"";

/// Collects what a Powerstrip is started with.
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    folder: TempDir,
    /// Endpoint pattern, pre-hooks, post-hooks; in the order of the file.
    endpoints: Vec<(String, Vec<String>, Vec<String>)>,
    adapters: Vec<(String, Value)>,
    /// Further lines of the file, as they are.
    lines: Vec<String>,
    engine: String,
    has_tcp: bool,
    variables: Vec<(String, String)>,
    /// Listening sockets that it is handed, as systemd would.
    sockets: Option<[OwnedFd; 2]>,
    /// In place of all that is above.
    text: Option<String>,
}

impl Builder {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("adapters")).expect("a folder of ours is writable");
        let engine = format!("unix://{}", folder.path().join("no-engine.sock").display());
        Self {
            folder,
            endpoints: Vec::new(),
            adapters: Vec::new(),
            lines: Vec::new(),
            engine,
            has_tcp: false,
            variables: Vec::new(),
            sockets: None,
            text: None,
        }
    }

    /// Forwards to the engine at this address.
    pub fn engine(mut self, address: &str) -> Self {
        address.clone_into(&mut self.engine);
        self
    }

    /// Hooks these adapters to the calls that match a pattern.
    pub fn endpoint(mut self, pattern: &str, pre: &[&str], post: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        self.endpoints.push((pattern.to_owned(), owned(pre), owned(post)));
        self
    }

    /// Hooks these adapters before the calls that match a pattern.
    pub fn pre(self, pattern: &str, names: &[&str]) -> Self {
        self.endpoint(pattern, names, &[])
    }

    /// Hooks these adapters after the calls that match a pattern.
    pub fn post(self, pattern: &str, names: &[&str]) -> Self {
        self.endpoint(pattern, &[], names)
    }

    /// Hooks a component that passes before and after every call.
    pub fn with_identity(self) -> Self {
        self.component("identity").endpoint("* *", &["identity"], &["identity"])
    }

    /// Drops the component `witness` under this name; each hook does what the configuration says,
    /// and [`Powerstrip::seen_by`] tells what it was shown.
    pub fn witness(self, name: &str, config: &Value) -> Self {
        self.component_as("witness", name).adapter(name, json!({"config": config}))
    }

    /// Drops a built component into the adapters folder, under its own name.
    pub fn component(self, name: &str) -> Self {
        self.component_as(name, name)
    }

    /// Drops a built component into the adapters folder, under another name.
    pub fn component_as(self, package: &str, name: &str) -> Self {
        let to = self.adapters_folder().join(format!("{name}.wasm"));
        fs::copy(component(package), to).expect("a component can be copied");
        self
    }

    /// Drops any bytes into the adapters folder as `NAME.wasm`.
    pub fn wasm_file(self, name: &str, bytes: &[u8]) -> Self {
        let to = self.adapters_folder().join(format!("{name}.wasm"));
        fs::write(to, bytes).expect("a folder of ours is writable");
        self
    }

    /// Writes an entry under `adapters:`: settings, or a URL for a webhook.
    pub fn adapter(mut self, name: &str, settings: impl Into<Value>) -> Self {
        self.adapters.push((name.to_owned(), settings.into()));
        self
    }

    /// Drops a component and writes its `config`.
    pub fn configured(self, name: &str, config: &Value) -> Self {
        self.component(name).adapter(name, json!({"config": config}))
    }

    /// Writes a line of the file as it is, for example `limits: {body: 1KiB}`.
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Listens on a free port of the loopback interface too.
    pub fn tcp(mut self) -> Self {
        self.has_tcp = true;
        self
    }

    /// Sets a variable of the program's environment.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Hands it two listening sockets, as systemd would: descriptors 3 and 4, counted in `LISTEN_FDS`.
    pub fn sockets(mut self, sockets: [OwnedFd; 2]) -> Self {
        self.sockets = Some(sockets);
        self
    }

    /// Writes this file in place of the one that the builder would write.
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    fn write(&self) -> PathBuf {
        let path = self.folder.path().join("adapters.yml");
        fs::write(&path, self.yaml()).expect("a folder of ours is writable");
        path
    }

    /// Writes the file without starting anything.
    #[must_use]
    pub fn written(self) -> Written {
        let path = self.write();
        Written { path, _folder: self.folder }
    }

    /// Starts the program and waits until it listens and all adapters that can be loaded are.
    pub async fn start(self) -> Powerstrip {
        let powerstrip = self.start_early().await;
        powerstrip.logged("\"ready\"").await;
        powerstrip
    }

    /// Starts the program and waits until it listens; adapters may be loading still.
    pub async fn start_early(mut self) -> Powerstrip {
        let config = self.write();
        let sockets = self.sockets.take();
        let mut command = match sockets {
            None => Command::new(binary::powerstrip()),
            Some(_) => Command::new("sh"),
        };
        if sockets.is_some() {
            command.args(["-c", ACTIVATE, "sh"]).arg(binary::powerstrip());
        }
        command.arg("serve").arg("--config").arg(&config).current_dir(self.folder.path());
        command.env_remove("DOCKER_HOST").env_remove("POWERSTRIP_CONFIG").env("RUST_LOG", LOG);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let process = match sockets {
            None => Process::start(&mut command),
            Some([first, second]) => Process::watch(command.stdin(first).stdout(second)),
        };
        let listening = |scheme: &'static str| move |line: &str| address_in(line, scheme);
        let tcp = match self.has_tcp {
            true => process.line("its TCP address", listening("tcp://")).await,
            false => String::new(),
        };
        let address = match self.text {
            Some(_) => process.line("its address", listening("")).await,
            None => process.line("its address", listening("unix://")).await,
        };
        Powerstrip { process, address, tcp, folder: self.folder }
    }

    /// Starts the program where it is expected to refuse, and waits for its end.
    pub async fn start_in_vain(self) -> binary::Finished {
        let config = self.write();
        let mut command = Command::new(binary::powerstrip());
        command.arg("serve").arg("--config").arg(&config).env_remove("DOCKER_HOST");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        binary::finish(&mut command, binary::Input::Piped(&[])).await
    }

    fn adapters_folder(&self) -> PathBuf {
        self.folder.path().join("adapters")
    }

    fn yaml(&self) -> String {
        match &self.text {
            Some(text) => text.replace("[FOLDER]", &self.folder.path().display().to_string()),
            None => self.yaml_of_parts(),
        }
    }

    /// JSON is YAML too, so that what a test gives as a value needs no writer of its own.
    fn yaml_of_parts(&self) -> String {
        let mut yaml = String::from("version: 1\nendpoints:\n");
        for (pattern, pre, post) in &self.endpoints {
            let hooks = json!({"pre": pre, "post": post});
            let _ = writeln!(yaml, "  {}: {hooks}", json!(pattern));
        }
        if self.endpoints.is_empty() {
            yaml = String::from("version: 1\n");
        }
        if !self.adapters.is_empty() {
            yaml.push_str("adapters:\n");
        }
        for (name, settings) in &self.adapters {
            let _ = writeln!(yaml, "  {}: {settings}", json!(name));
        }
        let socket = self.folder.path().join("powerstrip.sock");
        let _ = writeln!(yaml, "listen:\n  - unix://{}", socket.display());
        if self.has_tcp {
            yaml.push_str("  - tcp://127.0.0.1:0\n");
        }
        let _ = writeln!(yaml, "engine: {}", self.engine);
        for line in &self.lines {
            let _ = writeln!(yaml, "{line}");
        }
        yaml
    }
}

/// A configuration file, with its folder of adapters beside it; gone when this is dropped.
pub struct Written {
    path: PathBuf,
    _folder: TempDir,
}

impl Written {
    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> String {
        self.path.display().to_string()
    }
}

/// A running Powerstrip; killed when it is dropped.
pub struct Powerstrip {
    process: Process,
    address: String,
    tcp: String,
    folder: TempDir,
}

impl Powerstrip {
    /// Collects what to start with.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// One that only forwards to the engine at this address.
    pub async fn before(engine: &str) -> Self {
        Self::builder().engine(engine).start().await
    }

    /// Where it listens; the unix socket unless the test wrote the file itself.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it listens besides, after [`Builder::tcp`].
    #[must_use]
    pub fn tcp_address(&self) -> &str {
        &self.tcp
    }

    /// The folder of its configuration.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process itself: its log, its signals, its end.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// A new connection to it.
    pub async fn connect(&self) -> Client {
        Client::connect(&self.address).await
    }

    /// Makes one call on a connection of its own.
    pub async fn call(&self, request: Request) -> Answer {
        self.connect().await.call(&request).await
    }

    /// `GET` on a connection of its own.
    pub async fn get(&self, target: &str) -> Answer {
        self.call(Request::get(target)).await
    }

    /// `POST` of JSON on a connection of its own.
    pub async fn post(&self, target: &str, body: &Value) -> Answer {
        self.call(Request::post(target, body)).await
    }

    /// Replaces its configuration file, as an editor would.
    ///
    /// # Panics
    /// When the temporary folder cannot be written to.
    pub fn rewrite(&self, change: impl FnOnce(&str) -> String) {
        let path = self.folder.path().join("adapters.yml");
        let text = fs::read_to_string(&path).expect("the file that we wrote");
        let new = self.folder.path().join("adapters.yml.new");
        fs::write(&new, change(&text)).expect("a folder of ours is writable");
        fs::rename(new, path).expect("a folder of ours is writable");
    }

    /// Drops a component into its adapters folder while it runs.
    ///
    /// # Panics
    /// When the component cannot be copied.
    pub fn drop_component(&self, package: &str, name: &str) {
        let to = self.folder.path().join("adapters").join(format!("{name}.wasm"));
        fs::copy(component(package), to).expect("a component can be copied");
    }

    /// Waits for a line of its log that holds this text.
    pub async fn logged(&self, text: &str) -> String {
        self.process.line(text, |line| line.contains(text).then(|| line.to_owned())).await
    }

    /// What the hooks of a witness were shown so far, in the order of the calls.
    #[must_use]
    pub fn seen_by(&self, name: &str) -> Vec<Value> {
        let lines = self.process.lines();
        lines.iter().filter_map(|line| seen_in(line, name)).collect()
    }

    /// Waits until a hook of a witness has been called, and tells what it was shown.
    pub async fn seen(&self, name: &str, hook: &str) -> Value {
        let wanted = |line: &str| seen_in(line, name).filter(|seen| seen["hook"] == hook);
        self.process.line(&format!("the {hook} of {name}"), wanted).await
    }

    /// Asks it by signal to read its configuration again.
    pub fn reload(&self) {
        self.process.signal(Signal::HUP);
    }

    /// Asks it by signal to stop.
    pub fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        within("the end of Powerstrip", self.process.ended()).await
    }
}

/// The address in the log line that says where the program listens.
fn address_in(line: &str, scheme: &str) -> Option<String> {
    let fields: Value = serde_json::from_str(line).ok()?;
    if fields["message"] != "listening" {
        return None;
    }
    let address = fields["address"].as_str()?;
    address.starts_with(scheme).then(|| address.to_owned())
}

/// What a witness said in this line of the log.
fn seen_in(line: &str, name: &str) -> Option<Value> {
    let fields: Value = serde_json::from_str(line).ok()?;
    if fields["target"] != "adapter" || fields["adapter"] != name {
        return None;
    }
    let seen: Value = serde_json::from_str(fields["message"].as_str()?).ok()?;
    seen.is_object().then_some(seen)
}
