//! Where clients connect: several places at once, sockets with an owner, sockets from systemd; and what
//! happens when there are very many clients, or no descriptor is left for the next.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;

use powerstrip_tests::{Client, FakeEngine, Gate, Powerstrip, Request, Script, Step};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use serde_json::json;

/// As many quiet streams as a busy host has.
const STREAMS: usize = 1000;

#[tokio::test]
async fn several_listeners_serve_at_once() {
    let engine = FakeEngine::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let second = folder.path().join("second.sock");
    let text = format!(
        "listen: [tcp://127.0.0.1:0, 'unix://[FOLDER]/p.sock', unix://{}]\nengine: {}\n",
        second.display(),
        engine.address()
    );

    let powerstrip = Powerstrip::builder().text(&text).start().await;
    let first = format!("unix://{}", powerstrip.folder().join("p.sock").display());
    powerstrip.logged(&format!("unix://{}", second.display())).await;

    for address in [powerstrip.address(), &first, &format!("unix://{}", second.display())] {
        let answer = Client::connect(address).await.call(&Request::get("/info")).await;
        assert_eq!(answer.status(), 200, "{address}");
    }
}

#[tokio::test]
async fn a_socket_has_the_mode_and_the_owner_that_the_file_names() {
    let engine = FakeEngine::start();
    let own = rustix::process::getuid();
    // Only root may give a socket away.
    let (owner, group) = if own.is_root() { (1234, 2345) } else { (own.as_raw(), own.as_raw()) };
    let text = format!(
        "listen: {{address: 'unix://[FOLDER]/p.sock', mode: \"0640\", owner: {owner}, group: {group}}}\n\
         engine: {}\n",
        engine.address()
    );

    let powerstrip = Powerstrip::builder().text(&text).start().await;

    let found = fs::metadata(powerstrip.folder().join("p.sock")).expect("a socket");
    assert_eq!((found.permissions().mode() & 0o7777, found.uid()), (0o640, owner));
    assert_eq!(found.gid(), group);
}

#[tokio::test]
async fn a_socket_without_a_mode_is_closed_to_strangers() {
    let engine = FakeEngine::start();

    let powerstrip = Powerstrip::before(engine.address()).await;

    let found = fs::metadata(powerstrip.folder().join("powerstrip.sock")).expect("a socket");
    assert_eq!(found.permissions().mode() & 0o7777, 0o660);
}

#[tokio::test]
async fn a_socket_that_somebody_serves_is_left_alone() {
    let engine = FakeEngine::start();
    let other = FakeEngine::start();
    let text = format!("listen: {}\nengine: {}\n", other.address(), engine.address());

    let finished = Powerstrip::builder().text(&text).start_in_vain().await;

    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("another process listens there"), "{}", finished.stderr);
    let answer = Client::connect(other.address()).await.call(&Request::get("/info")).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_never_removed() {
    let engine = FakeEngine::start();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), "precious").expect("a file of ours");
    let text = format!("listen: unix://{}\nengine: {}\n", file.path().display(), engine.address());

    let finished = Powerstrip::builder().text(&text).start_in_vain().await;

    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("a file that is not a socket"), "{}", finished.stderr);
    assert_eq!(fs::read_to_string(file.path()).ok().as_deref(), Some("precious"));
}

#[tokio::test]
async fn sockets_from_systemd_are_served_and_left_behind() {
    let engine = FakeEngine::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("activated.sock");
    let unix = UnixListener::bind(&path).expect("a folder of ours");
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addresses = [
        format!("unix://{}", path.display()),
        format!("tcp://{}", tcp.local_addr().expect("a bound listener")),
    ];
    let text = format!("listen: fd://\nengine: {}\n", engine.address());

    let builder = Powerstrip::builder().text(&text);
    let sockets = [OwnedFd::from(unix), OwnedFd::from(tcp)];
    let mut powerstrip = builder.sockets(sockets).start().await;
    let mut statuses = Vec::new();
    for address in &addresses {
        let answer = Client::connect(address).await.call(&Request::get("/info")).await;
        statuses.push(answer.status());
    }
    powerstrip.terminate();
    let end = powerstrip.ended().await;

    assert_eq!((statuses, end.code()), (vec![200, 200], Some(0)));
    assert!(path.exists(), "the socket is systemd's");
}

#[tokio::test]
async fn without_a_socket_from_systemd_the_program_says_so() {
    let text = "listen: fd://\nengine: unix:///nowhere\n";

    let finished = Powerstrip::builder().text(text).start_in_vain().await;

    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("LISTEN_FDS"), "{}", finished.stderr);
}

#[tokio::test]
async fn a_name_behind_fd_is_refused_with_the_reason() {
    let text = "listen: fd://docker.socket\nengine: unix:///nowhere\n";

    let finished = Powerstrip::builder().text(text).start_in_vain().await;

    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("`fd://` takes no name"), "{}", finished.stderr);
}

#[tokio::test]
async fn who_a_client_is_stays_known_over_a_kept_connection() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .tcp()
        .pre("GET *", &["a"])
        .witness("a", &json!({}))
        .start()
        .await;
    let mut unix = powerstrip.connect().await;
    let mut tcp = Client::connect(powerstrip.tcp_address()).await;

    for _ in 0..2 {
        unix.call(&Request::get("/v1.41/info")).await;
        tcp.call(&Request::get("/v1.41/info")).await;
    }

    let pids: Vec<_> = powerstrip
        .seen_by("a")
        .iter()
        .map(|seen| seen["context"]["client"]["pid"].as_u64())
        .collect();
    let own = Some(u64::from(std::process::id()));
    assert_eq!(pids, [own, None, own, None]);
}

/// A thousand quiet streams need two descriptors each here, and two there.
fn allow_many_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    setrlimit(Resource::Nofile, raised).expect("the soft limit may be as high as the hard one");
}

#[tokio::test]
async fn a_thousand_quiet_streams_leave_room_for_more() {
    allow_many_descriptors();
    let engine = FakeEngine::start();
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let gate = Gate::new();
    let events = Script::new().send(head).wait(&gate).send("2\r\nhi\r\n0\r\n\r\n");
    engine.on("GET /events", events);
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut clients = Vec::new();
    for _ in 0..STREAMS {
        let mut client = powerstrip.connect().await;
        client.send(Request::get("/v1.41/events").to_bytes()).await;
        client.head().await;
        clients.push(client);
    }
    let meanwhile = powerstrip.get("/v1.41/info").await;
    gate.open();

    assert_eq!(meanwhile.status(), 200);
    for client in &mut clients {
        assert_eq!(client.chunk().await, b"hi");
    }
}

/// Processor time that a process has used, in clock ticks of a hundredth of a second.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the program runs");
    let (_, after_name) = stat.rsplit_once(')').expect("a name in brackets");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    [11, 12].iter().filter_map(|index| fields[*index].parse::<u64>().ok()).sum()
}

#[tokio::test]
async fn without_descriptors_nobody_is_accepted_and_nothing_spins_until_one_is_free() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;
    client.call(&Request::get("/v1.41/info")).await;
    let pid = powerstrip.process().pid();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("the program runs").count();
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let limit = |most| Rlimit { current: Some(most), maximum: getrlimit(Resource::Nofile).maximum };

    prlimit(process, Resource::Nofile, limit(open as u64)).expect("a process of ours");
    let mut waiting = powerstrip.connect().await;
    waiting.send(Request::get("/v1.41/info").to_bytes()).await;
    powerstrip.logged("cannot accept a client").await;
    let before = ticks(pid);
    // Not to wait for anything, but to measure what a second costs.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let spent = ticks(pid) - before;
    let served = client.call(&Request::get("/v1.41/info")).await;
    prlimit(process, Resource::Nofile, limit(open as u64 + 64)).expect("a process of ours");
    let accepted = waiting.answer().await;

    assert!(spent < 20, "{spent} hundredths of a second of processor time in one second");
    assert_eq!([served.status(), accepted.status()], [200, 200]);
    let lines = powerstrip.process().lines();
    let complaints = lines.iter().filter(|line| line.contains("cannot accept a client")).count();
    assert_eq!(complaints, 1);
}

#[tokio::test]
async fn a_client_is_accepted_when_another_one_leaves() {
    let engine = FakeEngine::start();
    engine.on("GET /events", Script::new().then(Step::Listen));
    let powerstrip = Powerstrip::before(engine.address()).await;
    powerstrip.get("/v1.41/info").await;
    let mut leaving = powerstrip.connect().await;
    leaving.call(&Request::get("/v1.41/info")).await;
    let pid = powerstrip.process().pid();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("the program runs").count();
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let most = Rlimit { current: Some(open as u64), maximum: getrlimit(Resource::Nofile).maximum };

    prlimit(process, Resource::Nofile, most).expect("a process of ours");
    let mut waiting = powerstrip.connect().await;
    waiting.send(Request::get("/v1.41/info").to_bytes()).await;
    powerstrip.logged("cannot accept a client").await;
    drop(leaving);

    assert_eq!(waiting.answer().await.status(), 200);
}
