//! A private Docker Engine and image registry: own sockets, own folders, nothing shared with an
//! engine that the machine may run already.

use std::ffi::OsString;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::{env, fs, io};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::Command;

use crate::docker::{Docker, in_path};
use crate::eventually;
use crate::process::Process;

/// Names a running engine to test against; `none` says that none can be had.
pub const ENGINE: &str = "POWERSTRIP_TEST_ENGINE";

/// Names where that engine listens over TCP without TLS, if it does.
pub const ENGINE_NETWORK: &str = "POWERSTRIP_TEST_ENGINE_NETWORK";

/// Names a registry, `host:port`, that holds `busybox` and that the engine may pull from.
pub const REGISTRY: &str = "POWERSTRIP_TEST_REGISTRY";

/// Names a registry, `host:port`, that wants the user `user` with the password `password`.
pub const LOCKED_REGISTRY: &str = "POWERSTRIP_TEST_LOCKED_REGISTRY";

/// Names a folder, as `scripts/newer-engine` makes one, whose `bin` holds the programs of the engine
/// to start in place of the machine's own.
pub const ENGINE_PROGRAMS: &str = "POWERSTRIP_TEST_ENGINE_PROGRAMS";

/// Set to 1, makes a skipped test a failure.
pub const REQUIRE_ENGINE: &str = "POWERSTRIP_TEST_REQUIRE_ENGINE";

/// The user `user` with the password `password`, as bcrypt hashes it.
const USERS: &str = "user:$2b$04$5gyXzx6i3CUlJQ1BoywTquSHhaP.Q8/r1nPAzEkpvpJJ4yB47Oo/6\n";

/// How the folders of private engines begin.
const FOLDER: &str = "powerstrip-engine-";

/// Says loudly that a test is skipped.
///
/// # Panics
/// When [`REQUIRE_ENGINE`] forbids it.
#[expect(clippy::print_stderr, reason = "a skip must be seen by whoever runs the tests")]
pub fn skip(reason: &str) {
    let is_required = env::var_os(REQUIRE_ENGINE).is_some_and(|value| value == "1");
    assert!(!is_required, "{REQUIRE_ENGINE}=1 forbids to skip this: {reason}");
    eprintln!("skipped: {reason}");
}

/// A running private engine with its registries.
pub struct PrivateEngine {
    address: String,
    network: String,
    registry: Option<Registry>,
    locked_registry: Option<Registry>,
    dockerd: Process,
    folder: TempDir,
}

impl PrivateEngine {
    /// Starts them and puts `busybox:latest` into the engine and the open registry. The engine is
    /// the machine's own, or that of a folder as `scripts/newer-engine` makes one.
    ///
    /// # Errors
    /// When the machine lacks a program or the rights to run one.
    pub async fn start(programs: Option<&Path>) -> Result<Self> {
        for program in ["docker", "busybox"] {
            ensure!(in_path(program).is_some(), "{program} is not installed");
        }
        ensure!(rustix::process::geteuid().is_root(), "only root can run a private dockerd");
        sweep().await;

        let folder = tempfile::Builder::new().prefix(FOLDER).tempdir()?;
        fs::write(folder.path().join("owner"), std::process::id().to_string())?;
        let address = format!("unix://{}", folder.path().join("docker.sock").display());
        let (dockerd, network) = serve(folder.path(), &address, programs).await?;
        import_busybox(&Docker::at(&address)).await?;
        let registry = Registry::start(folder.path(), "registry", "").await?;
        if let Some(registry) = &registry {
            push_busybox(&Docker::at(&address), &registry.host).await;
        }
        let locked_registry = Registry::start_locked(folder.path()).await?;
        Ok(Self { address, network, registry, locked_registry, dockerd, folder })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it listens over TCP.
    #[must_use]
    pub fn network(&self) -> &str {
        &self.network
    }

    /// The registry's `host:port`; none where Debian's `docker-registry` is not installed.
    #[must_use]
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_ref().map(|registry| registry.host.as_str())
    }

    /// The `host:port` of a registry that wants the user `user` with the password `password`.
    #[must_use]
    pub fn locked_registry(&self) -> Option<&str> {
        self.locked_registry.as_ref().map(|registry| registry.host.as_str())
    }

    /// Stops it with its containers, and starts it again at the same address.
    ///
    /// # Errors
    /// When there is no port for it.
    pub async fn restart(&mut self, programs: Option<&Path>) -> Result<()> {
        self.dockerd.signal(Signal::TERM);
        self.dockerd.ended().await;
        self.dockerd = serve(self.folder.path(), &self.address, programs).await?.0;
        Ok(())
    }

    /// Stops it with its containers, and removes all that it made.
    pub async fn stop(mut self) {
        self.dockerd.signal(Signal::TERM);
        self.dockerd.ended().await;
        unmount_below(self.folder.path());
    }
}

/// Starts an engine and waits until it serves; where it listens over TCP.
async fn serve(folder: &Path, address: &str, programs: Option<&Path>) -> Result<(Process, String)> {
    let path = engine_path(programs)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let network = format!("tcp://{}", listener.local_addr()?);
    let mut dockerd = dockerd(folder, address);
    dockerd.stdin(OwnedFd::from(listener)).stdout(Stdio::piped());
    let dockerd = Process::watch(dockerd.env("PATH", path));
    dockerd.line("that it serves", |line| line.contains("API listen on").then_some(())).await;
    Ok((dockerd, network))
}

/// Where the engine, and what it starts itself, are looked for.
fn engine_path(programs: Option<&Path>) -> Result<OsString> {
    let own = programs.map(|folder| folder.join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        own.into_iter().chain(env::split_paths(&path)).chain(["/usr/sbin".into()]).collect();
    let has_it = |folder: &PathBuf| folder.join("dockerd").is_file();
    ensure!(folders.iter().any(has_it), "dockerd is not installed");
    Ok(env::join_paths(folders)?)
}

fn dockerd(folder: &Path, address: &str) -> Command {
    // A network of its own: rules, bridges and `docker0` of another engine must not change. Of ours it
    // has the listening socket that is its input, handed on as systemd would.
    // A swarm wants an address that is not the loopback's.
    let in_namespace = "busybox ip link set lo up && busybox ip addr add 10.9.8.7/24 dev lo && exec 3<&0 </dev/null && \
                        LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", in_namespace]);
    command.args(["dockerd", "--data-root"]).arg(folder.join("data"));
    command.arg("--exec-root").arg(folder.join("exec"));
    command.arg("--pidfile").arg(folder.join("dockerd.pid"));
    command.args(["--host", address, "--host", "fd://", "--iptables=false", "--ip6tables=false"]);
    command.args(["--shutdown-timeout", "1"]);
    command
}

/// Makes `busybox:latest` from the machine's own static busybox.
///
/// # Errors
/// When busybox is missing or the engine refuses the import.
pub async fn import_busybox(docker: &Docker) -> Result<()> {
    let root = tempfile::tempdir()?;
    let bin = root.path().join("bin");
    fs::create_dir(&bin)?;
    fs::create_dir(root.path().join("tmp"))?;
    let busybox = in_path("busybox").context("busybox is not installed")?;
    fs::copy(&busybox, bin.join("busybox"))?;
    let applets = Blocking::new(&busybox).arg("--list").output()?.stdout;
    for applet in String::from_utf8(applets)?.lines().filter(|name| *name != "busybox") {
        std::os::unix::fs::symlink("busybox", bin.join(applet))?;
    }
    let line = format!("tar -C {} -c . | docker import - busybox:latest", root.path().display());
    let imported = docker.shell(&line).await;
    ensure!(imported.code == Some(0), "cannot import an image: {}", imported.stderr);
    Ok(())
}

/// A running registry of images.
struct Registry {
    host: String,
    _process: Process,
}

impl Registry {
    /// Starts one where the engine can reach it: in the network of its process.
    async fn start(folder: &Path, name: &str, settings: &str) -> Result<Option<Self>> {
        if in_path("docker-registry").is_none() {
            return Ok(None);
        }
        let config = folder.join(format!("{name}.yml"));
        let storage = folder.join(name);
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nhttp: {{addr: \"127.0.0.1:0\"}}\n\
             storage: {{filesystem: {{rootdirectory: \"{}\"}}}}\n{settings}",
            storage.display()
        );
        fs::write(&config, text)?;
        let pidfile = fs::read_to_string(folder.join("dockerd.pid"))?;
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/proc/{}/ns/net", pidfile.trim()))
            .args(["docker-registry", "serve"]);
        let process = Process::start(command.arg(&config));
        let host = process.line("its address", listening_on).await;
        Ok(Some(Self { host, _process: process }))
    }

    /// Starts one with a single user.
    async fn start_locked(folder: &Path) -> Result<Option<Self>> {
        let users = folder.join("users");
        fs::write(&users, USERS)?;
        let settings = format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", users.display());
        Self::start(folder, "locked-registry", &settings).await
    }
}

/// The address in `… msg="listening on 127.0.0.1:43215" …`.
fn listening_on(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("listening on ")?;
    rest.split(['"', ' ', ',']).next().map(str::to_owned)
}

async fn push_busybox(docker: &Docker, host: &str) {
    let name = format!("{host}/busybox:latest");
    docker.output(&["tag", "busybox:latest", &name]).await;
    docker.output(&["push", &name]).await;
    docker.output(&["rmi", &name]).await;
}

/// Ends and removes what engines left behind whose owner was killed.
async fn sweep() {
    let Ok(entries) = fs::read_dir(env::temp_dir()) else { return };
    let folders = entries.flatten().map(|entry| entry.path()).filter(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FOLDER))
    });
    for folder in folders {
        if is_alive(&folder.join("owner")) {
            continue;
        }
        end_processes_of(&folder).await;
        unmount_below(&folder);
        // What cannot be removed is tried again the next time.
        let _ = fs::remove_dir_all(&folder);
    }
}

/// Whether the process runs whose number stands in this file; one that nobody has awaited has no
/// command line any more.
fn is_alive(file: &Path) -> bool {
    let pid = fs::read_to_string(file).unwrap_or_default();
    let line = fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
    !line.is_empty()
}

/// Asks the servers of a private engine to end, which takes their children with them.
async fn end_processes_of(folder: &Path) {
    for pid in servers_of(folder) {
        // One that has just ended by itself is no matter.
        let _ = kill_process(pid, Signal::TERM);
    }
    let are_gone = async || servers_of(folder).is_empty().then_some(());
    eventually("the end of a forgotten engine", are_gone).await;
}

/// The processes whose command line names a file in this folder.
fn servers_of(folder: &Path) -> Vec<Pid> {
    let names_it = |entry: &fs::DirEntry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        let is_server = line.contains("dockerd\0") || line.starts_with("docker-registry\0");
        is_server && line.contains(&*folder.to_string_lossy())
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().filter(names_it);
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    processes.filter_map(number).filter_map(Pid::from_raw).collect()
}

/// Detaches the file systems that an engine has left mounted in its folder.
fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    for point in points.filter(|point| Path::new(point).starts_with(folder)) {
        let _: io::Result<_> = Blocking::new("umount").args(["--lazy", point]).status();
    }
}
