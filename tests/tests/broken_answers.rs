//! Answers that the engine never finishes: the client must be able to tell, in whatever framing.

use std::io::ErrorKind;

use powerstrip_tests::{Client, FakeEngine, Gate, Powerstrip, Request, Script, Step};
use serde_json::json;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn an_engine_that_dies_behind_the_head_of_a_message_is_a_502() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    engine.on("GET /info", Script::whole(head).wait(&gate).then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    client.send(Request::get("/v1.41/info").to_bytes()).await;
    engine.called("GET /info").await;
    gate.open();
    let answer = client.answer().await;
    let next = client.call(&Request::get("/v1.41/images/json")).await;

    let message = "powerstrip: the Docker Engine closed the connection";
    assert_eq!((answer.status(), answer.json()), (502, json!({"message": message})));
    assert_eq!(next.status(), 200);
}

/// Nobody has read anything yet, and an empty reply would tell nothing.
#[tokio::test]
async fn chunks_that_make_no_sense_from_the_start_are_a_502() {
    let engine = FakeEngine::start();
    engine.on("GET /events", Script::whole(format!("{CHUNKED}zz\r\n")).then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    let answer = client.call(&Request::get("/v1.41/events")).await;
    let next = client.call(&Request::get("/v1.41/info")).await;

    assert_eq!((answer.status(), next.status()), (502, 200), "{}", answer.show());
}

/// The head is then all that can be given; a connection that ends without a byte tells nothing.
#[tokio::test]
async fn an_answer_whose_trailers_break_off_has_its_head_and_no_end() {
    let engine = FakeEngine::start();
    let broken = format!("{CHUNKED}0\r\nX-Sum");
    engine.on("GET /events", Script::whole(broken).then(Step::Close));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    client.send(Request::get("/v1.41/events").to_bytes()).await;
    let head = client.head().await;
    let body = client.body(&head).await;

    assert_eq!(head.status(), 200);
    assert!(body.is_err());
}

#[tokio::test]
async fn the_head_of_a_stream_does_not_wait_for_its_body_even_with_a_length() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nContent-Length: 3\r\n\r\n";
    engine.on("GET /images/get", Script::whole(head).wait(&gate).send("tar"));
    let powerstrip = Powerstrip::before(engine.address()).await;
    let mut client = powerstrip.connect().await;

    client.send(Request::get("/v1.41/images/get?names=a").to_bytes()).await;
    let head = client.head().await;
    gate.open();

    assert_eq!(head.status(), 200);
    assert_eq!(client.body(&head).await.ok().as_deref(), Some(&b"tar"[..]));
}

/// A client of HTTP/1.0 knows the end of chunks only by the end of the connection.
#[tokio::test]
async fn an_answer_that_breaks_off_resets_a_client_that_cannot_tell_otherwise() {
    let engine = FakeEngine::start();
    let gate = Gate::new();
    let cut = Script::whole(CHUNKED).send("5\r\nfirst\r\n").wait(&gate).then(Step::Close);
    engine.on("GET /logs", cut);
    let powerstrip = Powerstrip::builder().engine(engine.address()).tcp().start().await;
    let mut client = Client::connect(powerstrip.tcp_address()).await;

    client.send("GET /v1.41/containers/a/logs?follow=1 HTTP/1.0\r\nHost: d\r\n\r\n").await;
    let head = client.head().await;
    let first = client.exact(5).await;
    gate.open();
    let end = client.body(&head).await;

    assert_eq!((head.header("transfer-encoding"), first.as_slice()), (None, &b"first"[..]));
    assert_eq!(end.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn an_answer_that_ends_well_does_not_reset_anybody() {
    let engine = FakeEngine::start();
    engine.on("GET /logs", Script::whole(CHUNKED).send("5\r\nfirst\r\n0\r\n\r\n"));
    let powerstrip = Powerstrip::builder().engine(engine.address()).tcp().start().await;
    let mut client = Client::connect(powerstrip.tcp_address()).await;

    client.send("GET /v1.41/containers/a/logs?follow=1 HTTP/1.0\r\nHost: d\r\n\r\n").await;
    let head = client.head().await;

    assert_eq!(client.body(&head).await.ok().as_deref(), Some(&b"first"[..]));
}
