//! Upgrades in all the shapes that clients give them, and the HTTP/2 that must not slip through.

use powerstrip_tests::{
    Client, FakeEngine, Gate, Powerstrip, Request, Script, Step, descriptors, eventually,
};

const ATTACH: &str = "/v1.41/containers/a/attach?stream=1&stdin=1&stdout=1";
const UPGRADED: &str = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
/// What an HTTP/2 client says first; in a session that is the engine.
const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame: what an HTTP/2 server says first.
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// An attach whose upgrade is asked for by these headers becomes a tunnel, and the engine reads
/// the very `Upgrade` that the client wrote.
macro_rules! attaches {
    ($($name:ident: $headers:literal => $connection:expr, $upgrade:literal;)*) => {
        $(#[tokio::test]
        async fn $name() {
            let engine = FakeEngine::start();
            engine.on("POST /attach", Script::whole(UPGRADED).then(Step::Echo));
            let powerstrip = Powerstrip::before(engine.address()).await;

            let mut client = powerstrip.connect().await;
            client.send(format!("POST {ATTACH} HTTP/1.1\r\nHost: d\r\n{}\r\n", $headers)).await;
            let head = client.head().await;
            client.send("hello").await;

            assert_eq!(head.status(), 101);
            assert_eq!(client.exact(5).await, b"hello");
            let recorded = engine.called("POST /attach").await.head;
            assert_eq!(recorded.header("connection"), $connection);
            assert_eq!(recorded.header("upgrade"), Some($upgrade));
            assert_eq!(recorded.header("content-length"), Some("0"));
            assert!(!recorded.is_chunked());
        })*
    };
}

attaches! {
    an_upgrade_without_a_connection_header: "Upgrade: tcp\r\n" => None, "tcp";
    an_upgrade_to_anything: "Connection: Upgrade\r\nUpgrade: foo\r\n" => Some("Upgrade"), "foo";
    an_upgrade_whose_chunks_never_end:
        "Connection: Upgrade\r\nUpgrade: tcp\r\nTransfer-Encoding: chunked\r\n"
        => Some("Upgrade"), "tcp";
    an_upgrade_in_lower_case: "connection: keep-alive, upgrade\r\nupgrade: tcp\r\n"
        => Some("Upgrade"), "tcp";
}

#[tokio::test]
async fn a_connection_header_alone_gets_the_raw_stream_of_old() {
    let engine = FakeEngine::start();
    let raw = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";
    engine.on("POST /attach", Script::whole(raw).then(Step::Echo));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    // A client of HTTP/1.0 gets the same line of HTTP/1.1, as from the engine itself.
    client.send(format!("POST {ATTACH} HTTP/1.0\r\nConnection: Upgrade\r\n\r\n")).await;
    let head = client.head().await;
    client.send("hello").await;
    client.half_close().await;

    assert_eq!(head.start, "HTTP/1.1 200 OK");
    assert_eq!(client.rest().await, b"hello");
}

#[tokio::test]
async fn a_failure_within_the_tunnel_stays_within_it() {
    let engine = FakeEngine::start();
    let failed = Script::whole(UPGRADED).send("Error: Exec command e is already running\r\n");
    engine.on("POST /exec/e/start", failed.then(Step::Close));
    let powerstrip = Powerstrip::builder().engine(engine.address()).with_identity().start().await;

    let mut client = powerstrip.connect().await;
    let start = Request::new("POST", "/v1.41/exec/e/start").body("application/json", "{}");
    let start = start.header("Connection", "Upgrade").header("Upgrade", "tcp");
    client.send(start.to_bytes()).await;

    assert_eq!(client.head().await.status(), 101);
    assert_eq!(client.rest().await, b"Error: Exec command e is already running\r\n");
}

#[tokio::test]
async fn a_refused_exec_leaves_the_connection_to_other_requests() {
    let engine = FakeEngine::start();
    let missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}";
    engine.on("POST /exec/e/start", Script::whole(missing));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let start = Request::new("POST", "/v1.41/exec/e/start").body("application/json", "{}");
    let start = start.header("Connection", "Upgrade").header("Upgrade", "tcp");
    let refused = client.call(&start).await;
    let next = client.call(&Request::get("/v1.41/info")).await;

    assert_eq!([refused.status(), next.status()], [404, 200]);
}

#[tokio::test]
async fn frames_of_a_websocket_pass_as_they_are() {
    let engine = FakeEngine::start();
    let switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                    Connection: Upgrade\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    engine.on("GET /attach/ws", Script::whole(switched).then(Step::Echo));
    let powerstrip = Powerstrip::builder().engine(engine.address()).with_identity().start().await;

    let mut client = powerstrip.connect().await;
    let handshake = Request::get("/v1.41/containers/a/attach/ws?stream=1&stdin=1&stdout=1")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    client.send(handshake.to_bytes()).await;
    let head = client.head().await;
    client.send(b"\x82\x85\0\0\0\0hello").await;

    assert_eq!(head.status(), 101);
    assert_eq!(head.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(client.exact(11).await, b"\x82\x85\0\0\0\0hello");
    let recorded = engine.called("GET /attach/ws").await.head;
    assert_eq!(recorded.header("sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
}

/// BuildKit's two doors: HTTP/2 after an upgrade, in which the engine speaks first.
macro_rules! buildkit {
    ($($name:ident: $target:literal => $first:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            let engine = FakeEngine::start();
            let switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                            Upgrade: h2c\r\n\r\n";
            let with_first = [switched.as_bytes(), $first].concat();
            engine.on(concat!("POST ", $target), Script::whole(with_first).then(Step::Echo));
            let powerstrip = Powerstrip::before(engine.address()).await;

            let mut client = powerstrip.connect().await;
            let upgrade = Request::new("POST", $target)
                .header("Connection", "Upgrade")
                .header("Upgrade", "h2c")
                .header("X-Docker-Expose-Session-Grpc-Method", "/moby.filesync.v1.FileSync/Diff")
                .header("X-Docker-Expose-Session-Grpc-Method", "/moby.sshforward.v1.SSH/Check");
            client.send(upgrade.to_bytes()).await;
            let head = client.head().await;
            let first = client.exact($first.len()).await;
            client.send(SETTINGS).await;

            assert_eq!((head.status(), head.header("upgrade")), (101, Some("h2c")));
            assert_eq!(first, $first);
            assert_eq!(client.exact(SETTINGS.len()).await, SETTINGS);
            let recorded = engine.called(concat!("POST ", $target)).await.head;
            assert_eq!(recorded.header("upgrade"), Some("h2c"));
            assert_eq!(
                recorded.all("x-docker-expose-session-grpc-method"),
                ["/moby.filesync.v1.FileSync/Diff", "/moby.sshforward.v1.SSH/Check"]
            );
        })*
    };
}

buildkit! {
    a_session_in_which_the_engine_is_the_client: "/session" => PREFACE.as_bytes();
    a_grpc_connection_in_which_the_engine_is_the_server: "/grpc" => SETTINGS;
}

#[tokio::test]
async fn http_2_elsewhere_is_not_asked_for() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let request = Request::get("/v1.41/info")
        .header("Connection", "Upgrade, HTTP2-Settings")
        .header("Upgrade", "h2c")
        .header("HTTP2-Settings", "AAMAAABkAAQAAP__");
    let answer = powerstrip.call(request).await;

    assert_eq!((answer.status(), answer.json()["Name"].as_str()), (200, Some("fake")));
    let recorded = engine.called("GET /info").await.head;
    for name in ["connection", "upgrade", "http2-settings"] {
        assert_eq!(recorded.header(name), None);
    }
}

/// Clients that know HTTP/2 fall back to 1.1 when the preface is answered in 1.1.
#[tokio::test]
async fn http_2_without_asking_is_refused_in_http_1() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send([PREFACE.as_bytes(), SETTINGS].concat()).await;
    let answer = client.answer().await;

    assert_eq!(answer.head.start, "HTTP/1.1 400 Bad Request");
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(answer.message().contains("HTTP/2"), "{}", answer.show());
    assert_eq!(client.rest().await, b"");
    assert!(engine.requests().is_empty());
}

#[tokio::test]
async fn a_flood_both_ways_arrives_whole() {
    const FLOOD: usize = 16 * 1024 * 1024;
    let engine = FakeEngine::start();
    engine.on("POST /attach", Script::whole(UPGRADED).then(Step::Echo));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let socket = powerstrip.address().trim_start_matches("unix://");
    let stream = tokio::net::UnixStream::connect(socket).await.expect("it listens");
    let (reader, writer) = tokio::io::split(stream);
    let flood: Vec<u8> = (0..FLOOD).map(|number| (number % 251) as u8).collect();

    let mut sender = Client::over(Box::new(tokio::io::join(tokio::io::empty(), writer)));
    let mut receiver = Client::over(Box::new(tokio::io::join(reader, tokio::io::sink())));
    let head = format!("POST {ATTACH} HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\n\r\n");
    sender.send(head).await;
    receiver.head().await;
    let sending = async {
        sender.send(&flood).await;
        sender.half_close().await;
    };
    let (_, echoed) = tokio::join!(sending, receiver.rest());

    assert!(echoed == flood, "{} bytes came back", echoed.len());
}

#[tokio::test]
async fn no_socket_outlives_a_tunnel_whose_client_never_ends() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    engine.on("POST /attach", Script::whole(UPGRADED).wait(&gate).send("bye").then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let descriptors = || descriptors(powerstrip.process().pid());

    let mut client = powerstrip.connect().await;
    client.send(format!("POST {ATTACH} HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\n\r\n")).await;
    client.head().await;
    let during = descriptors();
    gate.open();
    let output = client.rest().await;

    assert_eq!(output, b"bye");
    let both = async || (descriptors() + 2 <= during).then_some(());
    eventually("both sockets to be closed", both).await;
}

/// No event of an idle tunnel ends it; what keeps it alive over TCP is the kernel.
#[tokio::test]
async fn the_kernel_keeps_an_idle_tunnel_alive() {
    let engine = FakeEngine::start();
    engine.on("POST /attach", Script::whole(UPGRADED).then(Step::Echo));
    let powerstrip = Powerstrip::builder().engine(engine.address()).tcp().start().await;
    let port = powerstrip.tcp_address().rsplit(':').next().and_then(|port| port.parse().ok());
    let port: u16 = port.expect("an address ends with its port");

    let mut client = Client::connect(powerstrip.tcp_address()).await;
    client.send(format!("POST {ATTACH} HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\n\r\n")).await;
    client.head().await;

    // The columns: number, local address, remote address, state (01: established), queues, timer
    // (02: keep-alive) and when it is due.
    eventually("the timer of the connection", async || {
        let table = std::fs::read_to_string("/proc/net/tcp").expect("linux");
        let is_ours = |line: &&str| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let local =
                columns.get(1).is_some_and(|local| local.ends_with(&format!(":{port:04X}")));
            local && columns[3] == "01" && columns[5].starts_with("02:")
        };
        table.lines().find(is_ours).map(|_| ())
    })
    .await;
}
