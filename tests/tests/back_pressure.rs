//! Whoever does not read holds up whoever writes, and nothing piles up in between.

use powerstrip_tests::{
    Client, FakeEngine, Gate, Powerstrip, Request, Script, Step, eventually, resident,
};

/// Far more than sockets hold.
const FLOOD: usize = 48 * 1024 * 1024;
/// What the program may take for sockets, buffers and a thread's stack: far less than a flood.
const LEEWAY: u64 = 12 * 1024;
const UPGRADED: &str = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const ATTACH: &str = "POST /v1.41/containers/a/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n\
                      Host: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

/// The most memory that is taken over a while in which nothing else happens.
async fn most_memory(powerstrip: &Powerstrip) -> u64 {
    let (mut looks, mut most) = (0, 0);
    eventually("the end of a while", || {
        looks += 1;
        most = most.max(resident(powerstrip));
        std::future::ready((looks == 40).then_some(()))
    })
    .await;
    most
}

#[track_caller]
fn is_flat(before: u64, most: u64) {
    assert!(most < before + LEEWAY, "{before} KiB before, {most} KiB at most");
}

#[tokio::test]
async fn a_client_that_does_not_read_an_answer_holds_up_the_engine() {
    let engine = FakeEngine::start();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {FLOOD}\r\n\r\n");
    engine.on("GET /images/get", Script::whole(head).send(vec![b'a'; FLOOD]));
    let powerstrip = Powerstrip::before(engine.address()).await;
    powerstrip.get("/v1.41/info").await;
    let before = resident(&powerstrip);

    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/images/get?names=a").to_bytes()).await;
    let head = client.head().await;
    let most = most_memory(&powerstrip).await;
    let body = client.body(&head).await.expect("the whole body");

    is_flat(before, most);
    assert!(body.len() == FLOOD && body.iter().all(|byte| *byte == b'a'));
}

#[tokio::test]
async fn a_client_that_does_not_read_a_tunnel_holds_up_the_engine() {
    let engine = FakeEngine::start();
    let flood = Script::whole(UPGRADED).send(vec![b'a'; FLOOD]).then(Step::Close);
    engine.on("POST /attach", flood);
    let powerstrip = Powerstrip::before(engine.address()).await;
    powerstrip.get("/v1.41/info").await;
    let before = resident(&powerstrip);

    let mut client = powerstrip.connect().await;
    client.send(ATTACH).await;
    client.head().await;
    let most = most_memory(&powerstrip).await;

    is_flat(before, most);
    assert_eq!(client.rest().await.len(), FLOOD);
}

#[tokio::test]
async fn tunnels_that_are_quiet_after_a_burst_give_their_room_back() {
    const BURST: usize = 2 * 1024 * 1024;
    let engine = FakeEngine::start();
    let burst = Script::whole(UPGRADED).send(vec![b'a'; BURST]).then(Step::UntilEnd);
    engine.on("POST /attach", burst);
    let powerstrip = Powerstrip::before(engine.address()).await;
    powerstrip.get("/v1.41/info").await;
    let before = resident(&powerstrip);

    let mut quiet = Vec::new();
    for _ in 0..160 {
        let mut client = powerstrip.connect().await;
        client.send(ATTACH).await;
        client.head().await;
        client.exact(BURST).await;
        quiet.push(client);
    }

    is_flat(before, resident(&powerstrip));
}

#[tokio::test]
async fn an_engine_that_does_not_read_a_body_holds_up_the_client() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let script = Script::answer(200, "application/json", "{}").held_by(&gate);
    engine.on("POST /images/load", script);
    let powerstrip = Powerstrip::before(engine.address()).await;
    powerstrip.get("/v1.41/info").await;
    let before = resident(&powerstrip);

    let mut client = powerstrip.connect().await;
    let sending = tokio::spawn(async move {
        let load = Request::new("POST", "/v1.41/images/load");
        let load = load.body("application/x-tar", vec![b'a'; FLOOD]);
        client.call(&load).await
    });
    engine.seen("POST /images/load", |_| true).await;
    let most = most_memory(&powerstrip).await;
    let is_held_up = !sending.is_finished();
    gate.open();
    let answer = sending.await.expect("the call ends");

    is_flat(before, most);
    assert!(is_held_up);
    assert_eq!(answer.status(), 200);
    let loaded = engine.called("POST /images/load").await;
    assert_eq!(loaded.body.len(), FLOOD);
}

#[tokio::test]
async fn an_engine_that_does_not_read_a_tunnel_holds_up_the_client() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let script = Script::whole(UPGRADED).wait(&gate).then(Step::UntilEnd).then(Step::Close);
    engine.on("POST /attach", script);
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;
    client.send(ATTACH).await;
    client.head().await;
    let before = resident(&powerstrip);

    let sending = tokio::spawn(async move {
        client.send(vec![b'a'; FLOOD]).await;
        client.half_close().await;
        client.rest().await
    });
    let most = most_memory(&powerstrip).await;
    let is_held_up = !sending.is_finished();
    gate.open();
    sending.await.expect("the client ends");

    is_flat(before, most);
    assert!(is_held_up);
    let attached = engine.seen("POST /attach", |request| request.is_over).await;
    assert_eq!(attached.after.len(), FLOOD);
}

/// It writes all before it reads, as a shell's pipe does; the engine has ended long before.
#[tokio::test]
async fn a_client_that_floods_a_tunnel_whose_engine_has_ended_gets_all_output() {
    let output = 512 * 1024;
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let script = Script::whole(UPGRADED).wait(&gate).send(vec![b'o'; output]).then(Step::Close);
    engine.on("POST /attach", script);
    let powerstrip = Powerstrip::builder().engine(engine.address()).tcp().start().await;
    let mut client = Client::connect(powerstrip.tcp_address()).await;
    client.send(ATTACH).await;
    client.head().await;

    client.send("the beginning").await;
    gate.open();
    for _ in 0..80 {
        client.send(vec![b'i'; 1024 * 1024]).await;
    }
    client.half_close().await;

    assert_eq!(client.rest().await.len(), output);
}
