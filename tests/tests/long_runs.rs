//! Long bodies, whose bytes pass through the kernel: they arrive whole and in order, and what comes
//! behind them does too.

use powerstrip_tests::{Client, FakeEngine, Powerstrip, Request, Script, Step};
use serde_json::json;

const MIB: usize = 1024 * 1024;

/// Bytes of which no two stretches are the same, so that one that is lost or comes twice shows.
fn many(count: usize) -> Vec<u8> {
    (0..count as u32 / 4).flat_map(u32::to_be_bytes).collect()
}

/// A body as chunks of this size.
fn in_chunks(body: &[u8], size: usize) -> Vec<u8> {
    let chunks = body.chunks(size);
    let mut wire: Vec<u8> = chunks
        .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
        .collect();
    wire.extend(b"0\r\n\r\n");
    wire
}

/// Ways to send a long body: its framing, and how it stands on the wire.
fn framings(body: &[u8]) -> [(String, Vec<u8>); 3] {
    let chunked = "Transfer-Encoding: chunked".to_owned();
    [
        (format!("Content-Length: {}", body.len()), body.to_vec()),
        (chunked.clone(), in_chunks(body, 3 * MIB + 1)),
        (chunked, in_chunks(body, 300_000)),
    ]
}

async fn clients(powerstrip: &Powerstrip) -> [Client; 2] {
    [powerstrip.connect().await, Client::connect(powerstrip.tcp_address()).await]
}

#[tokio::test]
async fn a_long_answer_arrives_whole_and_the_connections_serve_on() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder().engine(engine.address()).tcp().start().await;
    let body = many(8 * MIB);
    for (framing, wire) in framings(&body) {
        let head = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n");
        engine.on("GET /images/get", Script::whole(head).send(wire));
        for mut client in clients(&powerstrip).await {
            let answer = client.call(&Request::get("/v1.41/images/get?names=a")).await;
            let next = client.call(&Request::get("/v1.41/info")).await;

            assert!(answer.body == body, "{framing}: {} bytes", answer.body.len());
            assert_eq!(next.status(), 200, "{framing}");
        }
    }
}

#[tokio::test]
async fn a_long_request_arrives_whole_and_the_connections_serve_on() {
    let engine = FakeEngine::start();
    engine.on("POST /images/load", Script::json(200, &json!({})));
    let powerstrip = Powerstrip::builder().engine(engine.address()).tcp().start().await;
    let body = many(8 * MIB);
    for (framing, wire) in framings(&body) {
        for mut client in clients(&powerstrip).await {
            let head = format!("POST /v1.41/images/load HTTP/1.1\r\nHost: d\r\n{framing}\r\n\r\n");
            client.send([head.as_bytes(), &wire].concat()).await;
            let answer = client.answer().await;
            let next = client.call(&Request::get("/v1.41/info")).await;

            let loaded = engine.calls("POST /images/load").pop().expect("a request");
            assert!(loaded.body == body, "{framing}: {} bytes", loaded.body.len());
            assert_eq!((answer.status(), next.status()), (200, 200), "{framing}");
        }
    }
}

#[tokio::test]
async fn a_long_answer_that_is_cut_off_does_not_look_whole() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 8 * MIB);
    let script = Script::whole(cut).send(many(5 * MIB)).then(Step::Close);
    engine.on("GET /images/get", script);

    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/images/get?names=a").to_bytes()).await;
    let head = client.head().await;
    let body = client.body(&head).await;

    assert!(body.is_err());
}
