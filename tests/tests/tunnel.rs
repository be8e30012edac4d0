//! BuildKit's tunnel where an adapter asks for the calls inside it: each is judged by itself, and
//! what goes on streams through.

use powerstrip_tests::tunnel::{self, Ended, Tunnel, TunnelEngine, framed};
use powerstrip_tests::{
    AuditLog, Client, FakeEngine, Powerstrip, Request, Script, Step, resident, within,
};
use serde_json::{Value, json};

const SOLVE: &str = "/moby.buildkit.v1.Control/Solve";
const SESSION: &str = "/moby.buildkit.v1.Control/Session";
const STATUS: &str = "/moby.buildkit.v1.Control/Status";

/// A Powerstrip with a witness that asks for calls in tunnels, hooked to everything.
async fn with_witness(engine: &TunnelEngine, pre: Value) -> Powerstrip {
    with_settings(engine, json!({"config": {"pre": pre}})).await
}

async fn with_settings(engine: &TunnelEngine, settings: Value) -> Powerstrip {
    Powerstrip::builder()
        .engine(engine.address())
        .endpoint("* */grpc/*", &["a"], &["a"])
        .component_as("witness", "a")
        .adapter("a", settings)
        .line("limits: {body: 64KiB, request_timeout: 1s}")
        .start()
        .await
}

#[tokio::test]
async fn a_call_that_passes_goes_up_as_it_came_and_comes_back_with_its_trailers() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;

    let tunnel = Tunnel::open(powerstrip.address()).await;
    let (answer, mut sending) = tunnel.begin_with(SOLVE, &[("buildid", "b1")]).await;
    sending.send_data(framed(b"\x0a\x03ref").into(), true).expect("an open call");
    let ended = tunnel::ended(answer).await;

    assert_eq!((ended.status, ended.body), (0, framed(b"\x0a\x03ref")));
    let call = engine.called(SOLVE, |call| !call.body.is_empty()).await;
    assert_eq!(call.body, framed(b"\x0a\x03ref"));
    assert_eq!(call.headers["buildid"], "b1");
    assert_eq!(call.headers["te"], "trailers");
    let seen = powerstrip.seen("a", "pre").await;
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["path"], format!("/v1.41/grpc{SOLVE}"));
    assert_eq!(seen["body"], "\n\u{3}ref");
    assert_eq!(seen["headers"]["buildid"], "b1");
    assert_eq!(seen["context"]["endpoint"], "buildkit-solve");
    assert_eq!(seen["context"]["api_version"], "1.41");
    assert!(seen["context"]["client"]["uid"].is_number(), "{seen}");
    let hooks: Vec<_> = powerstrip.seen_by("a").iter().map(|it| it["hook"].clone()).collect();
    assert_eq!(hooks, ["pre"]);
}

#[tokio::test]
async fn streams_pass_both_ways_while_they_go_on() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;

    let (answer, mut sending) = tunnel.begin(SESSION).await;
    let mut body = within("a head", answer).await.expect("a head").into_body();
    for piece in ["one", "two", "three"] {
        sending.send_data(piece.into(), false).expect("an open call");
        let back = within("the piece", body.data()).await.expect("a piece").expect("a piece");
        assert_eq!(back, piece);
    }
    sending.send_data("".into(), true).expect("an open call");

    assert!(within("the end", body.data()).await.is_none());
    let trailers = within("trailers", body.trailers()).await.expect("trailers");
    assert_eq!(trailers.expect("trailers")["grpc-status"], "0");
    assert_eq!(powerstrip.seen("a", "pre").await["body"], Value::Null);
}

macro_rules! judged {
    ($($name:ident: $settings:tt => $status:literal, $words:literal, $reaches:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let engine = TunnelEngine::start();
            let powerstrip = with_settings(&engine, json!($settings)).await;

            let tunnel = Tunnel::open(powerstrip.address()).await;
            let ended = tunnel.call(SOLVE, b"").await;

            assert_eq!((ended.status, &*ended.message), ($status, $words));
            assert_eq!(engine.calls().len(), $reaches);
        }
    )*};
}

judged! {
    a_refusal: {"config": {"pre": {"reject": {"status": 403, "message": "no: 100%\n\u{e9}"}}}}
        => 7, "no: 100%25%0A%C3%A9", 0;
    giving_up: {"config": {"pre": {"fail": "no idea"}}}
        => 13, "powerstrip: adapter a failed in its pre-hook: no idea", 0;
    a_crash: {"config": {"pre": "trap"}}
        => 13, "powerstrip: adapter a failed in its pre-hook: it crashed", 0;
    being_late: {"config": {"pre": {"sleep": 60000}}, "limits": {"deadline": "200ms"}}
        => 14, "powerstrip: adapter a failed in its pre-hook: it ran longer than 200ms", 0;
    a_change: {"config": {"pre": {"modify": {"body": "x"}}}}
        => 13, "powerstrip: adapter a failed in its pre-hook: a call inside a tunnel can only pass \
                or be rejected", 0;
    an_answer_of_its_own: {"config": {"pre": {"respond": {"status": 200}}}}
        => 13, "powerstrip: adapter a failed in its pre-hook: a call inside a tunnel can only pass \
                or be rejected", 0;
    a_failure_that_is_ignored: {"config": {"pre": "trap"}, "on_failure": "ignore"} => 0, "", 1;
    a_refusal_that_is_only_recorded:
        {"config": {"pre": {"reject": {"status": 403, "message": "no"}}}, "mode": "monitor"}
        => 0, "", 1;
}

#[tokio::test]
async fn each_judged_call_has_a_line_in_the_audit_log() {
    let engine = TunnelEngine::start();
    let refusal = json!({"config": {"pre": {"reject": {"status": 403, "message": "no builds"}}}});
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint("* */grpc/*", &["a"], &[])
        .component_as("witness", "a")
        .adapter("a", refusal)
        .line("audit: {to: audit.jsonl, bodies: true}")
        .start()
        .await;

    let tunnel = Tunnel::open(powerstrip.address()).await;
    tunnel.call(SOLVE, b"").await;

    let lines = AuditLog::of(&powerstrip).has(1).await;
    let line = lines.iter().find(|line| line["endpoint"] == "buildkit-solve").expect("its line");
    assert_eq!(line["path"], format!("/grpc{SOLVE}"));
    assert_eq!([&line["verdict"], &line["message"]], ["refused", "no builds"]);
    assert_eq!(line["status"], 403);
    assert_eq!(line["hooks"][0]["outcome"], "reject");
    assert_eq!(line["body_omitted"], "it is not JSON");
    assert!(line["client"]["unix"]["uid"].is_number(), "{line:#}");
}

macro_rules! unread {
    ($($name:ident: $body:expr => $status:literal, $words:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let engine = TunnelEngine::start();
            let powerstrip = with_witness(&engine, Value::Null).await;

            let tunnel = Tunnel::open(powerstrip.address()).await;
            let refused = tunnel.call_raw(SOLVE, &$body).await;
            let next = tunnel.call(SOLVE, b"next").await;

            assert_eq!((refused.status, &*refused.message), ($status, $words));
            assert_eq!((next.status, engine.calls().len()), (0, 1));
        }
    )*};
}

unread! {
    a_compressed_message: [&b"\x01\0\0\0\x02"[..], b"xx"].concat() => 12,
        "powerstrip: bad call: its message is compressed, which adapters cannot read; send it as it is";
    a_flag_that_nobody_knows: [&b"\x02\0\0\0\x02"[..], b"xx"].concat() => 3,
        "powerstrip: bad call: its body is not a message";
    two_messages: [framed(b"a"), framed(b"b")].concat() => 3,
        "powerstrip: bad call: it has more than one message";
    a_message_that_breaks_off: framed(b"abc")[..6] => 3,
        "powerstrip: bad call: its body is not a message";
    no_message: b""[..] => 3, "powerstrip: bad call: its body is not a message";
    a_message_over_the_limit: framed(&vec![0; 64 * 1024 + 1]) => 8,
        "powerstrip: request body is too large for adapters: more than 64 KiB";
    a_message_that_claims_to_be_endless: b"\0\xff\xff\xff\xff"[..] => 8,
        "powerstrip: request body is too large for adapters: more than 64 KiB";
}

#[tokio::test]
async fn a_message_that_does_not_come_is_not_waited_for_longer_than_a_body() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;

    let (answer, mut sending) = tunnel.begin(SOLVE).await;
    // All of it but the end, which keeps it from being the only one.
    sending.send_data(framed(b"abc").into(), false).expect("an open call");
    let ended = tunnel::ended(answer).await;

    assert_eq!(ended.status, 4, "{ended:?}");
    assert!(engine.calls().is_empty());
}

#[tokio::test]
async fn a_path_that_is_no_method_does_not_go_up() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;
    let paths = [
        "/",
        "/moby.buildkit.v1.Control",
        "//moby.buildkit.v1.Control/Solve",
        "/moby.buildkit.v1.Control//Solve",
        "/moby.buildkit.v1.Control/Solve/",
        "/moby.buildkit.v1.Control/%53olve",
        "/x/../moby.buildkit.v1.Control/Solve",
        "/moby.buildkit.v1.Control/Solve?x=1",
    ];

    for path in paths {
        let ended = tunnel.call(path, b"").await;

        assert_eq!(ended.status, 12, "{path}: {ended:?}");
    }
    assert!(engine.calls().is_empty());
    assert!(powerstrip.seen_by("a").is_empty());
}

#[tokio::test]
async fn a_call_that_is_cancelled_ends_at_the_engine() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;

    let (answer, mut sending) = tunnel.begin(STATUS).await;
    sending.send_data(framed(b"").into(), true).expect("an open call");
    let body = within("a head", answer).await.expect("a head").into_body();
    engine.called(STATUS, |call| !call.cancelled).await;
    sending.send_reset(h2::Reason::CANCEL);
    drop(body);

    engine.called(STATUS, |call| call.cancelled).await;
    assert_eq!(tunnel.call(SOLVE, b"").await.status, 0);
}

#[tokio::test]
async fn calls_end_at_the_engine_when_the_client_hangs_up() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;
    let (answer, mut sending) = tunnel.begin(STATUS).await;
    sending.send_data(framed(b"").into(), true).expect("an open call");
    within("a head", answer).await.expect("a head");

    tunnel.hang_up();

    engine.called(STATUS, |call| call.cancelled).await;
}

#[tokio::test]
async fn calls_and_the_tunnel_end_when_the_engine_dies() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;
    let (answer, mut sending) = tunnel.begin(STATUS).await;
    sending.send_data(framed(b"").into(), true).expect("an open call");
    let mut body = within("a head", answer).await.expect("a head").into_body();

    engine.kill();

    let end = within("the end", body.data()).await;
    assert!(end.is_some_and(|data| data.is_err()));
    tunnel.ended().await;
}

#[tokio::test]
async fn an_engine_that_takes_no_more_calls_ends_the_tunnel_behind_its_last_answer() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;

    let last = tunnel.call("/a.B/Goodbye", b"x").await;

    assert_eq!((last.status, last.body), (0, framed(b"x")));
    tunnel.ended().await;
}

#[tokio::test]
async fn only_adapters_that_ask_are_shown_a_call() {
    let engine = TunnelEngine::start();
    let refuse = json!({"pre": {"reject": {"status": 403, "message": "no"}}});
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("* */grpc/*", &["scripted", "a"])
        .configured("scripted", &refuse)
        .witness("a", &json!({}))
        .start()
        .await;

    let tunnel = Tunnel::open(powerstrip.address()).await;
    let ended = tunnel.call(SOLVE, b"").await;

    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(powerstrip.seen_by("a").len(), 1);
}

#[tokio::test]
async fn a_hundred_calls_at_a_time_get_each_their_own_answer() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;

    let call = async |number: u8| {
        let message = vec![number; 1000 * usize::from(number)];
        (tunnel.call(SOLVE, &message[..message.len().min(60_000)]).await, message)
    };
    let calls = (0..100).map(call);
    let ended = futures_util::future::join_all(calls).await;

    let right = |(ended, message): &(Ended, Vec<u8>)| {
        ended.status == 0 && ended.body == framed(&message[..message.len().min(60_000)])
    };
    assert!(ended.iter().all(right));
    assert_eq!(engine.calls().len(), 100);
}

#[tokio::test]
async fn calls_that_nobody_reads_hold_up_no_others_and_fill_no_memory() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;
    assert_eq!(tunnel.call(SOLVE, b"").await.status, 0);
    let before = resident(&powerstrip);

    let mut stalled = Vec::new();
    for _ in 0..50 {
        // The client's own window for all calls is 64 KiB: each of these takes its part of it.
        let (answer, mut sending) = tunnel.begin("/a.B/Flood").await;
        sending.send_data(framed(b"").into(), true).expect("an open call");
        stalled.push(within("a head", answer).await.expect("a head").into_body());
    }
    let (answer, mut sending) = tunnel.begin(SOLVE).await;
    sending.send_data(framed(b"x").into(), true).expect("an open call");
    within("a head", answer).await.expect("a head");

    engine.called(SOLVE, |call| call.body == framed(b"x")).await;
    let grown = resident(&powerstrip).saturating_sub(before);
    assert!(grown < 48 * 1024 * 1024, "{grown} bytes");
    drop(stalled);
}

#[tokio::test]
async fn a_flood_of_headers_does_not_go_up() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;
    let long = "x".repeat(1000);
    let names: Vec<String> = (0..200).map(|number| format!("x-{number}")).collect();
    let lines: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &*long)).collect();

    let (answer, _sending) = tunnel.begin_with(SOLVE, &lines).await;
    let answer = within("an answer", answer).await;

    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 431));
    assert!(engine.calls().is_empty());
    let fresh = Tunnel::open(powerstrip.address()).await;
    assert_eq!(fresh.call(SOLVE, b"").await.status, 0);
}

#[tokio::test]
async fn a_tunnel_that_does_not_speak_http_2_is_closed() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let mut client = powerstrip.connect().await;
    let upgrade = Request::new("POST", "/v1.41/grpc");
    let upgrade = upgrade.header("Connection", "Upgrade").header("Upgrade", "h2c");
    client.send(upgrade.to_bytes()).await;
    assert_eq!(client.head().await.status(), 101);

    client.send("GET /containers/json HTTP/1.1\r\nHost: d\r\n\r\n").await;
    client.rest().await;

    assert!(engine.calls().is_empty());
}

#[tokio::test]
async fn where_no_adapter_asks_the_tunnel_stays_raw() {
    let engine = FakeEngine::start();
    let switched = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    engine.on("POST /grpc", Script::whole(switched).then(Step::Echo));
    let powerstrip = Powerstrip::builder().engine(engine.address()).with_identity().start().await;
    let mut client: Client = powerstrip.connect().await;
    let upgrade = Request::new("POST", "/grpc").header("Upgrade", "h2c");

    client.send(upgrade.to_bytes()).await;
    assert_eq!(client.head().await.status(), 101);
    client.send(b"\0anything\xff").await;

    assert_eq!(client.exact(10).await, b"\0anything\xff");
}

#[tokio::test]
async fn a_change_of_the_configuration_counts_for_the_next_call() {
    let engine = TunnelEngine::start();
    let powerstrip = with_witness(&engine, Value::Null).await;
    let tunnel = Tunnel::open(powerstrip.address()).await;
    assert_eq!(tunnel.call(SOLVE, b"").await.status, 0);

    let file = powerstrip.folder().join("adapters.yml");
    let text = std::fs::read_to_string(&file).expect("it was written");
    let text =
        text.replace("\"pre\":null", "\"pre\":{\"reject\":{\"status\":403,\"message\":\"no\"}}");
    std::fs::write(&file, text).expect("a folder of ours");
    powerstrip.reload();

    powerstrip_tests::eventually("a refusal", async || {
        (tunnel.call(SOLVE, b"").await.status == 7).then_some(())
    })
    .await;
}
