//! Connections to webhooks: kept, counted, and given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use powerstrip_tests::{FakeEngine, Gate, Powerstrip, Reply, Script, Step, Webhook, Wire};
use powerstrip_tests::{api_answer, eventually};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::case::Case;
use crate::fixtures::Raw;
use crate::programs::Program;
use crate::rule::Rule::Connections;
use crate::site::{Before, PATTERN, Site, create, creation, is_error};

/// What the original did.
const EACH: &str = "a connection for each";

pub(crate) const CASES: &[Case] = &[
    Case::differs("1,000 hooks one after the other", EACH, (Connections, "one for all"), || {
        Box::pin(a_thousand())
    }),
    Case::differs("1,000 hooks of a Python server", EACH, (Connections, "one for all"), || {
        Box::pin(a_thousand_of("readme.py"))
    }),
    Case::differs("1,000 hooks of a Node server", EACH, (Connections, "one for all"), || {
        Box::pin(a_thousand_of("readme.js"))
    }),
    Case::differs(
        "64 hooks at a time, three times over",
        EACH,
        (Connections, "64 at most"),
        || Box::pin(sixty_four()),
    ),
    Case::differs(
        "64 clients at a time, each at its own pace",
        EACH,
        (Connections, "64 at most"),
        || Box::pin(at_their_own_pace()),
    ),
    Case::same("a webhook that speaks HTTP/1.0", "a connection for each", || {
        Box::pin(not_kept("HTTP/1.0 200 OK\r\n"))
    }),
    Case::same("a webhook that says `Connection: close`", "a connection for each", || {
        Box::pin(not_kept("HTTP/1.1 200 OK\r\nConnection: close\r\n"))
    }),
    Case::same("a webhook that closes after each reply without a word", "no call fails", || {
        Box::pin(closes_behind_replies())
    }),
    Case::same("a webhook that closes as the next message comes", "no call fails", || {
        Box::pin(closes_on_messages())
    }),
    Case::same("the same with a message of 3 MB", "no call fails", || Box::pin(big_messages())),
    Case::same(
        "a webhook that reads a message and hangs up",
        "the message is not sent again",
        || Box::pin(never_twice()),
    ),
    Case::same(
        "a webhook that reads a message, works, and resets the connection",
        "the message is not sent again",
        || Box::pin(never_twice_after_work()),
    ),
    Case::differs(
        "messages of 300 KB, one after the other",
        EACH,
        (Connections, "a connection for each, one at a time"),
        || Box::pin(long_messages()),
    ),
    Case::differs(
        "an idle connection",
        "there are none",
        (Connections, "closed after 4 seconds; Node closes after 5"),
        || Box::pin(idle()),
    ),
    Case::differs(
        "a webhook that is started anew",
        "called over a new connection",
        (Connections, "called over a new connection, the old one is forgotten"),
        || Box::pin(started_anew()),
    ),
];

/// A Powerstrip whose pre-hook is at this URL.
async fn before(engine: &FakeEngine, url: &str) -> Powerstrip {
    let builder = Powerstrip::builder().engine(engine.address()).pre(PATTERN, &["hook"]);
    builder.adapter("hook", url).start().await
}

/// Makes so many calls, none of which may fail.
async fn all_succeed(powerstrip: &Powerstrip, calls: usize) {
    let mut client = powerstrip.connect().await;
    for number in 0..calls {
        let answer = client.call(&creation()).await;
        assert_eq!(answer.status(), 201, "call {number}: {}", answer.show());
    }
}

async fn a_thousand() {
    let site = Site::with(Before, Webhook::echo()).await;

    all_succeed(&site.powerstrip, 1000).await;

    assert_eq!((site.webhook.calls().len(), site.webhook.server().connections()), (1000, 1));
}

async fn a_thousand_of(file: &str) {
    let Some(program) = Program::start(file).await else { return };
    let engine = FakeEngine::start();
    let powerstrip = before(&engine, &program.url("/hook")).await;

    all_succeed(&powerstrip, 1000).await;

    assert_eq!((program.count("called"), program.count("connected")), (1000, 1));
}

async fn sixty_four() {
    let gate = Arc::new(std::sync::Mutex::new(Gate::new()));
    let held = Arc::clone(&gate);
    let webhook = Webhook::start(move |call| {
        let gate = held.lock().expect("nobody panics with it").clone();
        Reply::echo(call).after(&gate)
    });
    let site = Site::with(Before, webhook).await;
    let mut clients = Vec::new();
    for _ in 0..64 {
        clients.push(site.powerstrip.connect().await);
    }

    for round in 1..=3 {
        let closed = Gate::new();
        *gate.lock().expect("nobody panics with it") = closed.clone();
        for client in &mut clients {
            client.send(creation().to_bytes()).await;
        }
        let are_there = async || (site.webhook.calls().len() == 64 * round).then_some(());
        eventually("64 calls at a time", are_there).await;
        closed.open();
        for client in &mut clients {
            assert_eq!(client.answer().await.status(), 201);
        }
    }

    let connections = site.webhook.server().connections();
    assert!(connections <= 64, "{connections} connections");
}

async fn at_their_own_pace() {
    let site = Arc::new(Site::with(Before, Webhook::echo()).await);
    let mut clients = JoinSet::new();

    for _ in 0..64 {
        let site = Arc::clone(&site);
        clients.spawn(async move { all_succeed(&site.powerstrip, 20).await });
    }
    clients.join_all().await;

    let connections = site.webhook.server().connections();
    assert_eq!(site.webhook.calls().len(), 64 * 20);
    assert!(connections <= 64, "{connections} connections");
}

async fn not_kept(head: &'static str) {
    let webhook = Webhook::start(move |call| {
        let reply = json!({"ModifiedClientRequest": call["ClientRequest"]}).to_string();
        let answer = format!("{head}Content-Length: {}\r\n\r\n{reply}", reply.len());
        Reply::script(Script::whole(answer).then(Step::Close))
    });
    let site = Site::with(Before, webhook).await;

    all_succeed(&site.powerstrip, 20).await;

    assert_eq!((site.webhook.calls().len(), site.webhook.server().connections()), (20, 20));
}

/// The head and the body of a message, or none at the end of a connection.
async fn message(wire: &mut Wire) -> Option<usize> {
    let head = wire.head().await.ok()??;
    wire.body(&head, false).await.ok().map(|body| body.len())
}

/// A reply that changes nothing, and keeps the connection.
async fn reply(wire: &mut Wire) {
    let reply = "{\"ModifiedClientRequest\":{},\"ModifiedServerResponse\":{}}";
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{reply}", reply.len());
    // Who has hung up has what it wanted.
    let _ = wire.send(answer.as_bytes()).await;
}

/// A server, and the number of messages that it has read, which it counts itself.
fn counting<F: Future<Output = ()> + Send + 'static>(
    serve: fn(TcpStream, Arc<AtomicUsize>) -> F,
) -> (Raw, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    (Raw::start(move |stream| serve(stream, Arc::clone(&counter))), read)
}

/// A second hand on a connection, for what the first does not know of.
fn shared(stream: TcpStream) -> (Wire, TcpStream) {
    let stream = stream.into_std().expect("it is a socket");
    let same = stream.try_clone().and_then(TcpStream::from_std).expect("it can be shared");
    let stream = TcpStream::from_std(stream).expect("it was one before");
    (Wire::new(Box::new(stream)), same)
}

/// Answers one message, and hangs up.
async fn hang_up_behind_it(stream: TcpStream, read: Arc<AtomicUsize>) {
    let mut wire = Wire::new(Box::new(stream));
    if message(&mut wire).await.is_some() {
        read.fetch_add(1, Ordering::Relaxed);
        reply(&mut wire).await;
    }
}

async fn closes_behind_replies() {
    let (server, read) = counting(hang_up_behind_it);
    let engine = FakeEngine::start();
    let powerstrip = before(&engine, &server.url()).await;

    all_succeed(&powerstrip, 300).await;

    assert_eq!(read.load(Ordering::Relaxed), 300, "each message is read once");
}

/// Answers one message, waits until the next one has begun, and ends without having read it.
async fn serve_one(stream: TcpStream, read: Arc<AtomicUsize>) {
    let (mut wire, same) = shared(stream);
    if message(&mut wire).await.is_some() {
        read.fetch_add(1, Ordering::Relaxed);
        reply(&mut wire).await;
        let _ = same.peek(&mut [0]).await;
    }
}

async fn closes_on_messages() {
    let (server, read) = counting(serve_one);
    let engine = FakeEngine::start();
    let powerstrip = before(&engine, &server.url()).await;

    all_succeed(&powerstrip, 50).await;

    assert_eq!(read.load(Ordering::Relaxed), 50, "each message is read once");
}

async fn big_messages() {
    let (server, read) = counting(serve_one);
    let engine = FakeEngine::start();
    let long = "x".repeat(3_000_000);
    engine.on("GET /json", api_answer(200, &json!({"Id": long})));
    let builder = Powerstrip::builder().engine(engine.address()).adapter("hook", server.url());
    let powerstrip = builder.post("GET /*/containers/*/json", &["hook"]).start().await;

    for _ in 0..5 {
        let answer = powerstrip.get("/v1.41/containers/a/json").await;
        assert_eq!(answer.status(), 200, "{}", answer.message());
    }

    assert_eq!(read.load(Ordering::Relaxed), 5);
}

/// Answers one message, reads the next one to its end, and hangs up.
async fn answer_once(stream: TcpStream, read: Arc<AtomicUsize>) {
    let mut wire = Wire::new(Box::new(stream));
    if message(&mut wire).await.is_some() {
        read.fetch_add(1, Ordering::Relaxed);
        reply(&mut wire).await;
    }
    if message(&mut wire).await.is_some() {
        read.fetch_add(1, Ordering::Relaxed);
    }
}

async fn never_twice() {
    let (server, read) = counting(answer_once);

    is_sent_once(&server, &read).await;
}

/// Sends two messages over one connection, which ends with the second.
async fn is_sent_once(server: &Raw, read: &AtomicUsize) {
    let engine = FakeEngine::start();
    let powerstrip = before(&engine, &server.url()).await;

    let first = create(&powerstrip).await;
    let second = create(&powerstrip).await;

    assert_eq!(first.status(), 201);
    is_error(&second, 502, Before, "connection closed");
    assert_eq!(read.load(Ordering::Relaxed), 2, "the second message is not sent again");
}

/// Answers one message, and resets the connection a while after it has read the next one.
async fn break_off_at_work(stream: TcpStream, read: Arc<AtomicUsize>) {
    let (mut wire, same) = shared(stream);
    if message(&mut wire).await.is_some() {
        read.fetch_add(1, Ordering::Relaxed);
        reply(&mut wire).await;
    }
    if message(&mut wire).await.is_some() {
        read.fetch_add(1, Ordering::Relaxed);
        // The time that its work takes.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let _ = same.set_zero_linger();
    }
}

async fn never_twice_after_work() {
    let (server, read) = counting(break_off_at_work);

    is_sent_once(&server, &read).await;
}

async fn long_messages() {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (Arc::clone(&open), Arc::clone(&most));
    let server = Raw::start(move |stream| {
        let (open, most) = counters.clone();
        async move {
            most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let mut wire = Wire::new(Box::new(stream));
            while message(&mut wire).await.is_some() {
                reply(&mut wire).await;
            }
            open.fetch_sub(1, Ordering::SeqCst);
        }
    });
    let engine = FakeEngine::start();
    engine.on("GET /json", api_answer(200, &json!({"Id": "x".repeat(300_000)})));
    let builder = Powerstrip::builder().engine(engine.address()).adapter("hook", server.url());
    let powerstrip = builder.post("GET /*/containers/*/json", &["hook"]).start().await;

    for _ in 0..10 {
        let answer = powerstrip.get("/v1.41/containers/a/json").await;
        assert_eq!(answer.status(), 200, "{}", answer.message());
    }

    // One may still be closing when the next one is there.
    let most = most.load(Ordering::SeqCst);
    assert!(most <= 2, "{most} connections at a time");
}

async fn idle() {
    let (sender, mut closed) = tokio::sync::watch::channel(None);
    let sender = Arc::new(sender);
    let server = Raw::start(move |stream| {
        let sender = Arc::clone(&sender);
        async move {
            let mut wire = Wire::new(Box::new(stream));
            message(&mut wire).await;
            reply(&mut wire).await;
            let start = Instant::now();
            assert!(wire.head().await.is_ok_and(|head| head.is_none()), "it is just closed");
            sender.send_replace(Some(start.elapsed()));
        }
    });
    let engine = FakeEngine::start();
    let powerstrip = before(&engine, &server.url()).await;

    create(&powerstrip).await;
    let closed =
        powerstrip_tests::within("the connection to be closed", closed.wait_for(Option::is_some));
    let after = closed.await.expect("the server lives").expect("it was waited for");

    let limits = Duration::from_secs(3)..Duration::from_millis(9500);
    assert!(limits.contains(&after), "closed after {after:?}");
}

async fn started_anew() {
    let Some(program) = Program::start("readme.py").await else { return };
    let engine = FakeEngine::start();
    let powerstrip = before(&engine, &program.url("/hook")).await;
    all_succeed(&powerstrip, 3).await;

    let port = program.port();
    program.end().await;
    let Some(program) = Program::start_at("readme.py", port).await else { return };
    all_succeed(&powerstrip, 3).await;

    assert_eq!(program.count("called"), 3);
}
