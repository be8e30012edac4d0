//! What may stand in place of a webhook, or come in place of a reply: the client never hangs.

use std::time::Duration;

use powerstrip_tests::{FakeEngine, Powerstrip, Reply, Request, Script, Step, Webhook};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::case::Case;
use crate::fixtures::Raw;
use crate::rule::Rule::Answered;
use crate::site::{BODY, Before, PATTERN, Site, create, is_error};

/// In place of five minutes.
const DEADLINE: &str = "700ms";
/// What the original did.
const WAITS: &str = "the client waits for ever";
/// What we say where no reply can be had or read.
const TOLD: &str = "502 that names the adapter";
/// What we say where time ran out.
const LATE: &str = "504 at the deadline";

pub(crate) const CONNECTING: &[Case] = &[
    Case::differs(
        "nobody takes the connection",
        WAITS,
        (Answered, LATE),
        || Box::pin(black_hole()),
    ),
    Case::differs("TLS is expected and something else comes", WAITS, (Answered, TOLD), || {
        Box::pin(tls_junk())
    }),
    Case::differs("the connection is accepted and closed", WAITS, (Answered, TOLD), || {
        Box::pin(raw(|_| async {}, 502, "connection closed"))
    }),
    Case::differs("the connection is accepted and reset", WAITS, (Answered, TOLD), || {
        Box::pin(raw(reset, 502, "connection closed"))
    }),
    Case::differs(
        "the connection is accepted, and nothing is read",
        WAITS,
        (Answered, LATE),
        || Box::pin(raw(hold, 504, "ran longer")),
    ),
    Case::differs("the URL is an HTTPS server's, called as HTTP", WAITS, (Answered, TOLD), || {
        Box::pin(raw(tls_alert, 502, "not HTTP"))
    }),
];

pub(crate) const ANSWERING: &[Case] = &[
    Case::differs("bytes that are not HTTP", WAITS, (Answered, TOLD), || {
        Box::pin(told(Reply::garbage(b"hello there\r\n\r\n"), 502, "not HTTP"))
    }),
    Case::differs("half a status line, then the end", WAITS, (Answered, TOLD), || {
        Box::pin(told(whole("HTTP/1.1 20").then_close(), 502, "connection closed"))
    }),
    Case::differs("a head, then nothing", WAITS, (Answered, LATE), || {
        Box::pin(told(
            whole("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n").then_hold(),
            504,
            "ran",
        ))
    }),
    Case::differs("half a head, then nothing", WAITS, (Answered, LATE), || {
        Box::pin(told(whole("HTTP/1.1 200 OK\r\nContent-Le").then_hold(), 504, "ran"))
    }),
    Case::differs("a body cut short", WAITS, (Answered, TOLD), || {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"Modified";
        Box::pin(told(whole(answer).then_close(), 502, "incomplete"))
    }),
    Case::differs("chunks cut short", WAITS, (Answered, TOLD), || {
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"Modi";
        Box::pin(told(whole(answer).then_close(), 502, "incomplete"))
    }),
    Case::differs("chunks that are none", WAITS, (Answered, TOLD), || {
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        Box::pin(told(whole(answer).then_close(), 502, "hook"))
    }),
    Case::differs("two lengths that differ", WAITS, (Answered, TOLD), || {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}";
        Box::pin(told(whole(answer).then_close(), 502, "not HTTP"))
    }),
    Case::differs("a byte now and then", WAITS, (Answered, LATE), || Box::pin(drip())),
    Case::differs(
        "a body without an end",
        WAITS,
        (Answered, "an error at the deadline or before"),
        || Box::pin(endless()),
    ),
    Case::differs("a head without an end", WAITS, (Answered, TOLD), || Box::pin(endless_head())),
    Case::differs(
        "100 over and over",
        WAITS,
        (Answered, "an error at the deadline or before"),
        || Box::pin(informational_for_ever()),
    ),
    Case::same("100 and 103 before the answer", "the answer counts", || Box::pin(informational())),
    Case::differs("101", WAITS, (Answered, TOLD), || {
        let answer =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
        Box::pin(told(whole(answer).then_close(), 502, "hook"))
    }),
];

pub(crate) const REPLYING: &[Case] = &[
    Case::differs("204, which has no body", WAITS, (Answered, TOLD), || {
        Box::pin(told(whole("HTTP/1.1 204 No Content\r\n\r\n"), 502, "empty"))
    }),
    Case::differs("304", WAITS, (Answered, TOLD), || {
        Box::pin(told(whole("HTTP/1.1 304 Not Modified\r\n\r\n"), 502, "304"))
    }),
    Case::differs("301, 303 and 308", WAITS, (Answered, TOLD), || Box::pin(redirects())),
    Case::differs("the statuses 600 and 999", WAITS, (Answered, TOLD), || {
        Box::pin(told(whole("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"), 502, "hook"))
    }),
    Case::differs(
        "407, with a page of 1 MiB",
        WAITS,
        (Answered, "its status, the page's beginning"),
        || Box::pin(long_refusal()),
    ),
    Case::differs(
        "a reply of gzip, which was not asked for",
        "decoded: it was asked for then",
        (Answered, TOLD),
        || Box::pin(gzip()),
    ),
    Case::same("`Content-Type: image/png`", "read as JSON", || Box::pin(png())),
    Case::differs("a byte order mark", WAITS, (Answered, TOLD), || {
        Box::pin(replied("\u{feff}{\"ModifiedClientRequest\":{}}", "not JSON"))
    }),
    Case::differs("NaN", WAITS, (Answered, TOLD), || {
        Box::pin(replied("{\"ModifiedClientRequest\":{\"Body\":NaN}}", "hook"))
    }),
    Case::same("a key that stands twice", "the last one counts", || Box::pin(twice())),
    Case::differs("an array of replies", WAITS, (Answered, TOLD), || {
        Box::pin(replied("[{\"ModifiedClientRequest\":{}}]", "not an object"))
    }),
    Case::differs("JSON, and more behind it", WAITS, (Answered, TOLD), || {
        Box::pin(replied("{\"ModifiedClientRequest\":{}} {}", "not JSON"))
    }),
    Case::differs("a hundred thousand brackets", WAITS, (Answered, TOLD), || Box::pin(deep())),
    Case::differs("half of a surrogate pair in `Body`", WAITS, (Answered, TOLD), || {
        Box::pin(replied("{\"ModifiedClientRequest\":{\"Body\":\"\\ud800\"}}", "hook"))
    }),
    Case::same("a `Request` that is a number", "ignored", || Box::pin(odd_request())),
    Case::differs(
        "a `Code` that is no status",
        "ignored",
        (Answered, "an error that names the adapter"),
        || Box::pin(odd_code()),
    ),
];

/// A script that may go on.
struct Whole(Script);

fn whole(bytes: &str) -> Whole {
    Whole(Script::whole(bytes))
}

impl Whole {
    fn then_close(self) -> Reply {
        Reply::script(self.0.then(Step::Close))
    }

    fn then_hold(self) -> Reply {
        Reply::script(self.0.then(Step::Listen))
    }
}

impl From<Whole> for Reply {
    fn from(whole: Whole) -> Self {
        Self::script(whole.0)
    }
}

/// A Powerstrip whose webhook is at this URL.
async fn before(engine: &FakeEngine, url: &str) -> Powerstrip {
    let settings = json!({"url": url, "limits": {"deadline": DEADLINE}});
    let builder = Powerstrip::builder().engine(engine.address()).pre(PATTERN, &["hook"]);
    builder.adapter("hook", settings).start().await
}

async fn told(reply: impl Into<Reply>, status: u16, words: &str) {
    let reply = reply.into();
    let (engine, webhook) = (FakeEngine::start(), Webhook::start(move |_| reply.clone()));
    let powerstrip = before(&engine, &webhook.url()).await;

    let answer = create(&powerstrip).await;

    is_error(&answer, status, Before, words);
    assert!(engine.calls("POST /create").is_empty());
}

async fn replied(body: &str, words: &str) {
    told(Reply::status(200, "application/json", body), 502, words).await;
}

async fn raw<F>(serve: fn(TcpStream) -> F, status: u16, words: &str)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (engine, server) = (FakeEngine::start(), Raw::start(serve));
    let powerstrip = before(&engine, &server.url()).await;

    let answer = create(&powerstrip).await;

    is_error(&answer, status, Before, words);
}

async fn reset(mut stream: TcpStream) {
    let _ = stream.read_u8().await;
    let _ = stream.set_zero_linger();
}

async fn hold(stream: TcpStream) {
    // Until the test ends.
    std::future::pending::<()>().await;
    drop(stream);
}

/// What a TLS server says to somebody who speaks HTTP.
async fn tls_alert(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer).await;
    let _ = stream.write_all(&[21, 3, 1, 0, 2, 2, 70]).await;
}

/// A listener whose queue is full: the next connection is never taken, nor refused.
async fn black_hole() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = socket.listen(0).expect("a listener");
    let address = listener.local_addr().expect("it is bound");
    let mut taken = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        taken.push(stream);
    }
    let engine = FakeEngine::start();
    let powerstrip = before(&engine, &format!("http://{address}/hook")).await;

    let answer = create(&powerstrip).await;

    is_error(&answer, 504, Before, "ran longer");
}

async fn tls_junk() {
    let engine = FakeEngine::start();
    let server = Raw::start(|mut stream| async move {
        let _ = stream.write_all(b"220 mail.example.org ESMTP\r\n").await;
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    });
    let powerstrip = before(&engine, &server.url().replace("http:", "https:")).await;

    let answer = create(&powerstrip).await;

    is_error(&answer, 502, Before, "cannot reach");
}

async fn drip() {
    let engine = FakeEngine::start();
    let server = Raw::start(|mut stream| async move {
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{").await;
        let mut pause = tokio::time::interval(Duration::from_millis(50));
        while stream.write_all(b" ").await.is_ok() {
            pause.tick().await;
        }
    });
    let powerstrip = before(&engine, &server.url()).await;

    let answer = create(&powerstrip).await;

    is_error(&answer, 504, Before, "ran longer");
}

async fn endless() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":\"";
    let spaces = Step::Repeat(vec![b' '; 64 * 1024]);
    never_ends(Script::whole(head).then(spaces)).await;
}

async fn endless_head() {
    let script = Script::whole("HTTP/1.1 200 OK\r\n");
    let line = format!("X-Again: {}\r\n", "x".repeat(1000));
    told(Reply::script(script.then(Step::Repeat(line.into_bytes()))), 502, "too long").await;
}

async fn informational_for_ever() {
    let script = Script::new().then(Step::ReadBody);
    never_ends(script.then(Step::Repeat(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()))).await;
}

async fn never_ends(script: Script) {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(move |_| Reply::script(script.clone()));
    let powerstrip = before(&engine, &webhook.url()).await;

    let answer = create(&powerstrip).await;

    assert!(matches!(answer.status(), 500 | 502 | 504), "{}", answer.show());
    is_error(&answer, answer.status(), Before, "");
    assert!(engine.calls("POST /create").is_empty());
}

async fn informational() {
    let site = Site::with(
        Before,
        Webhook::start(|_| {
            let body = "{\"ModifiedClientRequest\":{\"Body\":\"{}\"}}";
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
            whole(&format!("{hints}{answer}")).into()
        }),
    )
    .await;

    assert_eq!(site.create().await.status(), 201);
    assert_eq!(site.created().await.text(), "{}");
}

async fn redirects() {
    for status in [301, 303, 308] {
        let location = "Location: http://127.0.0.1:1/\r\nContent-Length: 0";
        let answer = format!("HTTP/1.1 {status} Moved\r\n{location}\r\n\r\n");
        told(whole(&answer), 502, &format!("answered {status}")).await;
    }
}

async fn long_refusal() {
    let page = "x".repeat(1024 * 1024);
    let site = Site::replying(Before, Reply::status(407, "text/html", &page)).await;

    let answer = site.create().await;

    assert_eq!(answer.status(), 407);
    assert!(answer.message().starts_with("xxx") && answer.message().len() < 65 * 1024);
}

async fn gzip() {
    // `gzip` of `{}`.
    let body = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 171, 174, 5, 0, 67, 191, 166, 163, 2, 0, 0, 0];
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let bytes = [head.as_bytes(), &body].concat();
    told(Reply::script(Script::whole(bytes)), 502, "not JSON").await;
}

async fn png() {
    let reply = "{\"ModifiedClientRequest\":{\"Body\":\"{}\"}}";
    let site = Site::replying(Before, Reply::status(200, "image/png", reply)).await;

    assert_eq!(site.create().await.status(), 201);
    assert_eq!(site.created().await.text(), "{}");
}

async fn twice() {
    let reply = "{\"ModifiedClientRequest\":{\"Body\":\"1\"},\
                 \"ModifiedClientRequest\":{\"Body\":\"2\",\"Body\":\"{}\"}}";
    let site = Site::replying(Before, Reply::status(200, "application/json", reply)).await;

    assert_eq!(site.create().await.status(), 201);
    assert_eq!(site.created().await.text(), "{}");
}

async fn deep() {
    let body = format!("{{\"ModifiedClientRequest\":{}", "[".repeat(100_000));
    replied(&body, "hook").await;
}

async fn odd_request() {
    let reply = json!({"ModifiedClientRequest": {"Request": 7, "Body": BODY}});
    let site = Site::replying(Before, Reply::json(&reply)).await;

    assert_eq!(site.create().await.status(), 201);
}

async fn odd_code() {
    for code in [json!(99), json!(1000), json!("200"), json!(-1)] {
        let reply = json!({"ModifiedServerResponse": {"Code": code, "Body": "{}"}});
        let site = Site::replying(crate::site::After, Reply::json(&reply)).await;

        let answer = site.powerstrip.call(Request::post("/v1.41/containers/create", &json!({})));
        let answer = answer.await;

        assert!(matches!(answer.status(), 500 | 502), "{code}: {}", answer.show());
        is_error(&answer, answer.status(), crate::site::After, "");
    }
}
