//! Both directions of an exchange get their turn.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

use super::*;
use crate::http1::Framing;
use crate::stream::from_unix;

#[tokio::test]
async fn an_answer_that_never_pauses_does_not_hold_up_the_request() {
    let (mut client, near) = UnixStream::pair().expect("a pair of sockets");
    let (far, mut engine) = UnixStream::pair().expect("a pair of sockets");
    let (mut source, mut writer) = (Source::new(from_unix(near).0), from_unix(far).1);
    client.write_all(b"request").await.expect("room for a few bytes");
    let mut upload = Upload::streaming(Body::new(Framing::Length(7)), false);
    let flood = async {
        loop {
            tokio::task::consume_budget().await;
        }
    };

    let mut arrived = [0; 7];
    let arrival = async {
        tokio::select! {
            read = engine.read_exact(&mut arrived) => read.map(|_| ()).expect("the engine lives"),
            _ = upload.beside::<()>(&mut source, &mut writer, flood) => {}
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), arrival).await;

    assert!(waited.is_ok());
    assert_eq!(&arrived, b"request");
}
