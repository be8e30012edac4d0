//! The client against real sockets: who is called, over which connection, and who is not.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{Empty, StreamBody};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::grants::HostPattern;

/// Answers each request with its own `Host`, until the client hangs up.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut head = Vec::new();
    while stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
        if head.ends_with(b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
            let host = text.lines().find(|line| line.starts_with("host:")).unwrap_or_default();
            let size = host.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n{host}");
            stream.write_all(answer.as_bytes()).await.expect("the client listens");
            head.clear();
        }
    }
}

/// A server, its port, and how many connections it has had.
async fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(answer(stream));
        }
    });
    (port, connections)
}

/// A server with a certificate for `localhost`, and who trusts it.
async fn secure_server() -> (u16, Tls) {
    let names = vec!["localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.clone()], key).expect("they fit");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(answer(stream));
            }
        }
    });
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a certificate");
    let trusting = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (port, Tls::trusting(trusting))
}

#[tokio::test]
async fn a_certificate_must_be_for_the_name_that_was_granted() {
    let (port, tls) = secure_server().await;
    let patterns = ["localhost", "127.0.0.1"].map(|host| format!("{host}:{port}"));
    let client = client_with(&patterns.each_ref().map(String::as_str), None, tls);

    let named = get(&client, &format!("https://localhost:{port}/")).await;
    let other = get(&client, &format!("https://127.0.0.1:{port}/")).await;

    assert_eq!(named.expect("it answers"), format!("host: localhost:{port}"));
    assert!(matches!(other, Err(Error::TlsCertificateError)), "{other:?}");
}

#[tokio::test]
async fn numbers_that_are_addresses_are_judged_as_such() {
    let (port, connections) = server().await;
    let by_wildcard = client(&["*"], None);
    let by_name = client(&["0xa9fea9fe:80", "2852039166:80", "169.254.43518:80"], None);

    for host in ["0x7f000001", "2130706433", "127.1", "0177.0.0.1", "0.0.0.0", "[::]"] {
        let answer = get(&by_wildcard, &format!("http://{host}:{port}/")).await;
        assert!(answer.is_err(), "{host}: {answer:?}");
    }
    for host in ["0xa9fea9fe", "2852039166", "169.254.43518"] {
        let answer = get(&by_name, &format!("http://{host}/")).await;
        let is_refused = matches!(answer, Err(Error::DestinationIpProhibited));
        assert!(is_refused || matches!(answer, Err(Error::DnsError { .. })), "{host}: {answer:?}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

fn client(patterns: &[&str], socket: Option<PathBuf>) -> Client {
    client_with(patterns, socket, Tls::default())
}

fn client_with(patterns: &[&str], socket: Option<PathBuf>, tls: Tls) -> Client {
    let patterns = patterns.iter().map(|text| HostPattern::parse(text).expect("a pattern"));
    let grants = Grants { http: patterns.collect(), ..Grants::default() };
    Client::new(&grants, socket, None, tls)
}

async fn get(client: &Client, url: &str) -> Result<Bytes> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = Request::get(url).body(body).expect("a request");
    let deadline = Instant::now() + Duration::from_secs(10);
    let request = client.admit(request).await.map_err(|denial| denial.error)?;
    let answer = client.clone().send(request, RequestOptions::default(), deadline).await?;
    Ok(answer.into_body().collect().await?.to_bytes())
}

#[tokio::test]
async fn a_granted_host_is_called_over_one_connection() {
    let (port, connections) = server().await;
    let client = client(&[&format!("127.0.0.1:{port}")], None);

    let url = format!("http://127.0.0.1:{port}/");
    let answers = [get(&client, &url).await, get(&client, &url).await];

    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// Reads until what was read ends with this.
async fn read_to(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(end) && stream.read_buf(&mut read).await.is_ok_and(|read| read > 0) {}
    read
}

#[tokio::test]
async fn a_request_goes_on_while_nobody_reads_its_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        read_to(&mut stream, b"\r\n\r\n").await;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno";
        stream.write_all(answer).await.expect("the client listens");
        read_to(&mut stream, b"0\r\n\r\n").await
    });
    let client = client(&["127.0.0.1"], None);
    let (pieces, mut coming) = mpsc::channel::<Bytes>(1);
    let next = stream::poll_fn(move |cx| coming.poll_recv(cx).map(|p| p.map(Frame::data).map(Ok)));
    let request = Request::post(format!("http://127.0.0.1:{port}/"));
    let request = request.body(StreamBody::new(next).boxed_unsync()).expect("a request");
    let deadline = Instant::now() + Duration::from_secs(10);

    let answer = client.send(request, RequestOptions::default(), deadline).await;
    pieces.send(Bytes::from_static(b"late")).await.expect("somebody reads");
    drop(pieces);
    let sent = tokio::time::timeout(Duration::from_secs(5), server).await;

    assert_eq!(answer.expect("it answers").status(), 200);
    let sent = sent.expect("it is sent to its end").expect("no panic");
    assert_eq!(String::from_utf8_lossy(&sent), "4\r\nlate\r\n0\r\n\r\n");
}

#[tokio::test]
async fn a_guest_is_not_told_of_the_end_of_its_own_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let client = client(&["127.0.0.1"], None);
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = Request::get(format!("http://127.0.0.1:{port}/")).body(body);
    let deadline = Instant::now() + Duration::from_millis(50);

    let sent = client.send(request.expect("a request"), RequestOptions::default(), deadline);
    let told = tokio::time::timeout(Duration::from_millis(250), sent).await;

    assert!(told.is_err(), "the call ends first");
}

#[tokio::test]
async fn other_ports_and_credentials_in_the_authority_are_refused() {
    let (port, connections) = server().await;
    let client = client(&[&format!("127.0.0.1:{port}")], None);

    let other = get(&client, "http://127.0.0.1:1/").await;
    let user = get(&client, &format!("http://user@127.0.0.1:{port}/")).await;

    assert!(matches!(other, Err(Error::HttpRequestDenied)), "{other:?}");
    assert!(matches!(user, Err(Error::HttpRequestDenied)), "{user:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_wildcard_does_not_lead_to_this_host() {
    let (port, connections) = server().await;
    let client = client(&["*"], None);

    let answer = get(&client, &format!("http://localhost:{port}/")).await;

    assert!(matches!(answer, Err(Error::DestinationIpProhibited)), "{answer:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nobody_listening_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    drop(listener);
    let client = client(&["127.0.0.1"], None);

    let answer = get(&client, &format!("http://127.0.0.1:{port}/")).await;

    let refused = std::io::ErrorKind::ConnectionRefused;
    assert!(matches!(answer, Err(Error::Connect(ref e)) if e.kind() == refused), "{answer:?}");
}

#[tokio::test]
async fn a_webhook_is_called_at_its_socket_and_nowhere_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hook.sock");
    let listener = UnixListener::bind(&path).expect("a free path");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    let client = client(&[], Some(path));

    let own = get(&client, &format!("http://{SOCKET_HOST}/")).await;
    let other = get(&client, "http://127.0.0.1/").await;

    assert_eq!(own.expect("it answers"), format!("host: {SOCKET_HOST}"));
    assert!(matches!(other, Err(Error::HttpRequestDenied)), "{other:?}");
}
