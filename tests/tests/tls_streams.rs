//! Ends, half ends and broken ends over mutual TLS on both sides, where `close_notify` is the only end
//! that counts.

use powerstrip_tests::{Authority, Client, Powerstrip, Wire, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;

const UPGRADED: &str = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const ATTACH: &str = "POST /v1.41/containers/a/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n\
                      Host: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const EVENTS: &str = "GET /v1.41/events HTTP/1.1\r\nHost: d\r\n\r\n";
const INFO: &str = "GET /v1.41/info HTTP/1.1\r\nHost: d\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A Powerstrip between a client and an engine who both want certificates.
struct Between {
    authority: Authority,
    listener: TcpListener,
    powerstrip: Powerstrip,
}

impl Between {
    async fn start() -> Self {
        let authority = Authority::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let engine = listener.local_addr().expect("it is bound");
        let file = |name| authority.file(name).display().to_string();
        let (ca, cert, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
        let text = format!(
            "listen: {{address: tcp://127.0.0.1:0, \
             tls: {{cert: {cert}, key: {key}, client_ca: {ca}}}}}\n\
             engine: {{address: tcp://{engine}, tls: {{ca: {ca}, cert: {cert}, key: {key}}}}}\n"
        );
        let powerstrip = Powerstrip::builder().text(&text).start().await;
        Self { authority, listener, powerstrip }
    }

    /// A client whose request has arrived, and the engine that it has arrived at.
    async fn exchange(&self, request: &str) -> (TlsStream<TcpStream>, Wire) {
        let (client, engine) = self.raw_exchange(request).await;
        (client, Wire::new(Box::new(engine)))
    }

    async fn raw_exchange(
        &self,
        request: &str,
    ) -> (TlsStream<TcpStream>, tokio_rustls::server::TlsStream<TcpStream>) {
        let mut client = self.authority.connect(self.powerstrip.address()).await;
        client.write_all(request.as_bytes()).await.expect("room to write");
        client.flush().await.expect("room to write");
        let (tcp, _) = within("a call", self.listener.accept()).await.expect("it is bound");
        let mut engine = self.authority.accept(tcp).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within("a head", engine.read_u8()).await.expect("the call is whole"));
        }
        (client, engine)
    }
}

#[tokio::test]
async fn a_client_that_ends_its_half_of_a_tunnel_still_gets_the_output() {
    let between = Between::start().await;
    let (client, mut engine) = between.exchange(ATTACH).await;
    let mut client = Client::over(Box::new(client));

    engine.send(UPGRADED.as_bytes()).await.expect("the client waits");
    client.head().await;
    client.send("input").await;
    client.half_close().await;
    let input = within("the end of the input", engine.rest()).await;
    engine.send(b"output").await.expect("the client waits");
    engine.half_close().await.expect("the client waits");

    assert_eq!(input.ok().as_deref(), Some(&b"input"[..]));
    assert_eq!(client.rest().await, b"output");
}

/// Go's `CloseWrite` leaves the socket's own half open.
#[tokio::test]
async fn a_close_notify_alone_ends_a_half_of_a_tunnel() {
    let between = Between::start().await;
    let (mut client, mut engine) = between.exchange(ATTACH).await;

    engine.send(UPGRADED.as_bytes()).await.expect("the client waits");
    let mut head = vec![0; UPGRADED.len()];
    client.read_exact(&mut head).await.expect("the head");
    client.get_mut().1.send_close_notify();
    client.flush().await.expect("room to write");
    let input = within("the end of the input", engine.rest()).await;
    engine.send(b"output").await.expect("the client waits");
    engine.half_close().await.expect("the client waits");
    let mut output = Vec::new();
    within("the end", client.read_to_end(&mut output)).await.expect("a clean end");

    assert_eq!(input.ok().as_deref(), Some(&b""[..]));
    assert_eq!(output, b"output");
}

#[tokio::test]
async fn a_client_that_ends_its_half_gets_its_answer() {
    let between = Between::start().await;
    let (client, mut engine) = between.exchange(INFO).await;
    let mut client = Client::over(Box::new(client));

    client.half_close().await;
    let end = within("the half-close", engine.rest()).await;
    engine.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.expect("it waits");

    assert_eq!(end.ok().as_deref(), Some(&b""[..]));
    assert_eq!(client.answer().await.text(), "{}");
}

/// A client that vanishes without `close_notify` has not ended: the engine's side breaks off at once.
macro_rules! vanishing {
    ($($name:ident: $request:expr, $answer:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            let between = Between::start().await;
            let (mut client, mut engine) = between.exchange($request).await;
            engine.send($answer.as_bytes()).await.expect("the client waits");
            let mut head = vec![0; 12];
            client.read_exact(&mut head).await.expect("the head");

            drop(client);
            let end = within("the end", engine.rest()).await;

            assert!(end.is_err(), "the engine read a clean end");
        })*
    };
}

vanishing! {
    a_client_that_vanishes_ends_its_tunnel: ATTACH, UPGRADED;
    a_client_that_vanishes_ends_its_stream: EVENTS, CHUNKED;
}

#[tokio::test]
async fn an_engine_that_vanishes_is_no_end_of_an_answer() {
    let between = Between::start().await;
    let (mut client, mut engine) = between.raw_exchange(EVENTS).await;

    engine.write_all(b"HTTP/1.1 200 OK\r\n\r\npart").await.expect("the client waits");
    engine.flush().await.expect("the client waits");
    drop(engine.into_inner().0);
    let mut read = Vec::new();
    let end = within("the end", client.read_to_end(&mut read)).await;

    assert!(end.is_err(), "{:?}", String::from_utf8_lossy(&read));
}

#[tokio::test]
async fn an_engine_that_ends_well_ends_its_answer() {
    let between = Between::start().await;
    let (mut client, mut engine) = between.exchange(EVENTS).await;

    engine.send(b"HTTP/1.1 200 OK\r\n\r\nall of it").await.expect("the client waits");
    engine.half_close().await.expect("the client waits");
    let mut read = Vec::new();
    let end = within("the end", client.read_to_end(&mut read)).await;

    assert!(end.is_ok());
    assert!(read.ends_with(b"all of it"));
}

#[tokio::test]
async fn many_bytes_both_ways_arrive_whole() {
    let between = Between::start().await;
    let (client, mut engine) = between.exchange(ATTACH).await;
    let (reader, writer) = tokio::io::split(client);
    let mut receiver = Client::over(Box::new(tokio::io::join(reader, tokio::io::sink())));
    let mut sender = Client::over(Box::new(tokio::io::join(tokio::io::empty(), writer)));
    let flood: Vec<u8> = (0..4_000_000_u32).map(|number| (number % 251) as u8).collect();

    engine.send(UPGRADED.as_bytes()).await.expect("the client waits");
    receiver.head().await;
    let serving = async {
        let input = engine.exact(flood.len()).await.expect("all of it");
        engine.send(&input).await.expect("the client reads");
        engine.half_close().await.expect("the client reads");
    };
    let (_, (), echoed) = tokio::join!(sender.send(&flood), serving, receiver.rest());

    assert!(echoed == flood);
}
