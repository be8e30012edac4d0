//! The client against real sockets: who is called, over which connection, and who is not.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::Empty;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

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

fn client(patterns: &[&str], socket: Option<PathBuf>) -> Client {
    let patterns = patterns.iter().map(|text| HostPattern::parse(text).expect("a pattern"));
    let grants = Grants { http: patterns.collect(), ..Grants::default() };
    Client::new(&grants, socket, None, Tls::default())
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
