//! Answers that do not end, or end late: what is there already must not wait for the rest.

use powerstrip_tests::{Builder, FakeEngine, Gate, Powerstrip, Request, Script, Webhook};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                    Transfer-Encoding: chunked\r\n\r\n";

/// Runs a scenario without adapters, with a pass-through component before and after every call,
/// and with a webhook that is only ever skipped.
macro_rules! whoever_is_hooked {
    ($($name:ident: $method:literal $target:literal;)*) => {
        $(mod $name {
            use super::*;

            #[tokio::test]
            async fn without_adapters() {
                first_before_last(Powerstrip::builder(), $method, $target).await;
            }

            #[tokio::test]
            async fn with_a_pass_through_adapter() {
                let builder = Powerstrip::builder().with_identity();
                first_before_last(builder, $method, $target).await;
            }

            #[tokio::test]
            async fn with_a_webhook_after_it() {
                let webhook = Webhook::echo();
                let builder = Powerstrip::builder()
                    .post("* *", &["echo"])
                    .adapter("echo", webhook.url());
                first_before_last(builder, $method, $target).await;
                assert!(webhook.calls().is_empty());
            }
        })*
    };
}

whoever_is_hooked! {
    events: "GET" "/v1.41/events";
    followed_logs: "GET" "/v1.41/containers/a/logs?follow=1&stdout=1";
    stats: "GET" "/v1.41/containers/a/stats?stream=1";
    wait: "POST" "/v1.41/containers/a/wait?condition=next-exit";
    archive: "GET" "/v1.41/containers/a/archive?path=/";
    export: "GET" "/v1.41/containers/a/export";
}

async fn first_before_last(builder: Builder, method: &str, target: &str) {
    let engine = FakeEngine::start();
    let (before_first, before_last) = (Gate::new(), Gate::new());
    let script = Script::whole(HEAD)
        .wait(&before_first)
        .send("5\r\nfirst\r\n")
        .wait(&before_last)
        .send("4\r\nlast\r\n0\r\n\r\n");
    let path = target.split('?').next().unwrap_or_default();
    engine.on(&format!("{method} {path}"), script);
    let powerstrip = builder.engine(engine.address()).start().await;

    let mut client = powerstrip.connect().await;
    client.send(Request::new(method, target).to_bytes()).await;
    let head = client.head().await;
    before_first.open();
    let first = client.chunk().await;
    before_last.open();
    let last = client.chunk().await;

    assert_eq!(head.status(), 200);
    assert_eq!((first.as_slice(), last.as_slice()), (&b"first"[..], &b"last"[..]));
    assert_eq!(client.chunk().await, b"");
}

/// Clients of the event stream in Ruby and JavaScript parse each chunk as one event.
#[tokio::test]
async fn chunks_of_a_burst_stay_the_chunks_that_they_were() {
    let engine = FakeEngine::start();
    let events: Vec<String> = (1..600).map(|size| "e".repeat(size * 37 % 2000 + 1)).collect();
    let chunks = events.iter().map(|event| format!("{:x}\r\n{event}\r\n", event.len()));
    let burst: String = chunks.collect();
    engine.on("GET /events", Script::whole(format!("{HEAD}{burst}0\r\n\r\n")));
    let powerstrip = Powerstrip::before(engine.address()).await;

    let mut client = powerstrip.connect().await;
    client.send(Request::get("/v1.41/events?since=1").to_bytes()).await;
    client.head().await;
    let mut received = Vec::new();
    for _ in &events {
        received.push(String::from_utf8(client.chunk().await).expect("they are letters"));
    }

    assert!(received == events, "the chunks have other borders");
    assert_eq!(client.chunk().await, b"");
}

#[tokio::test]
async fn progress_flows_where_no_hook_wants_it() {
    let builder = Powerstrip::builder().with_identity();

    first_before_last(builder, "POST", "/v1.41/images/create?fromImage=a").await;
}

#[tokio::test]
async fn progress_is_buffered_for_a_webhook_as_in_2015() {
    let engine = FakeEngine::start();
    let progress =
        format!("{HEAD}e\r\n{{\"status\":1}}\r\n\r\ne\r\n{{\"status\":2}}\r\n\r\n0\r\n\r\n");
    engine.on("POST /images/create", Script::whole(progress));
    let webhook = Webhook::echo();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .post("POST /*/images/create", &["echo"])
        .adapter("echo", webhook.url())
        .start()
        .await;

    let answer = powerstrip.call(Request::new("POST", "/v1.41/images/create?fromImage=a")).await;

    let body = "{\"status\":1}\r\n{\"status\":2}\r\n";
    assert_eq!(webhook.calls()[0]["ServerResponse"]["Body"], body);
    assert_eq!((answer.status(), answer.text().as_str()), (200, body));
}

#[tokio::test]
async fn a_skipped_webhook_is_said_in_the_log() {
    let engine = FakeEngine::start();
    engine.on("GET /events", Script::whole(format!("{HEAD}0\r\n\r\n")));
    let webhook = Webhook::echo();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .post("GET /*/events", &["skipped-one"])
        .adapter("skipped-one", webhook.url())
        .start()
        .await;

    powerstrip.get("/v1.41/events").await;

    let line = powerstrip.logged("skip").await;
    assert!(line.contains("skipped-one"), "{line}");
}
