//! Bodies in every framing, fed in pieces of every size.

use super::*;

/// Reads a body from bytes that arrive `at_a_time`, and what is left behind it.
async fn read(
    framing: Framing,
    wire: &[u8],
    at_a_time: usize,
) -> Result<(Vec<u8>, Vec<u8>), BodyError> {
    let (client, server) = tokio::io::duplex(at_a_time);
    let sent = wire.to_vec();
    let sending = tokio::spawn(async move {
        let mut client = client;
        tokio::io::AsyncWriteExt::write_all(&mut client, &sent).await
    });
    let mut source = Source::new(server);
    let mut body = Body::new(framing);
    let mut whole = Vec::new();
    while let Some(piece) = body.next(&mut source).await? {
        whole.extend_from_slice(&piece);
    }
    while source.fill().await.is_ok_and(|read| read > 0) {}
    let _ = sending.await;
    Ok((whole, source.buffered().to_vec()))
}

macro_rules! reads {
    ($name:ident, $framing:expr, $wire:literal => $body:literal, $rest:literal) => {
        #[tokio::test]
        async fn $name() {
            for at_a_time in 1..40 {
                let (body, rest) = read($framing, $wire, at_a_time).await.expect("it is a body");

                assert_eq!(
                    (&body[..], &rest[..]),
                    (&$body[..], &$rest[..]),
                    "{at_a_time} at a time"
                );
            }
        }
    };
}

macro_rules! refuses {
    ($name:ident, $framing:expr, $wire:literal => $error:pat) => {
        #[tokio::test]
        async fn $name() {
            for at_a_time in 1..40 {
                let error = read($framing, $wire, at_a_time).await.expect_err("it is no body");

                assert!(matches!(error, $error), "{at_a_time} at a time: {error}");
            }
        }
    };
}

reads!(a_length_ends_where_it_says, Framing::Length(5), b"helloGET /" => b"hello", b"GET /");
reads!(no_body_reads_nothing, Framing::None, b"GET /" => b"", b"GET /");
reads!(until_close_reads_all, Framing::UntilClose, b"all of it" => b"all of it", b"");
reads!(chunks_are_joined, Framing::Chunked, b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET" => b"hello!", b"GET");
reads!(an_empty_chunked_body_ends_at_once, Framing::Chunked, b"0\r\n\r\nGET" => b"", b"GET");
reads!(extensions_and_trailers_are_dropped, Framing::Chunked,
    b"5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\nGET" => b"hello", b"GET");

refuses!(a_short_length_is_truncated, Framing::Length(5), b"hell" => BodyError::Truncated);
refuses!(chunks_without_an_end_are_truncated, Framing::Chunked, b"5\r\nhello\r\n" => BodyError::Truncated);
refuses!(a_size_that_is_no_number_is_refused, Framing::Chunked, b"xyz\r\nhello\r\n" => BodyError::Chunks);
refuses!(a_chunk_that_is_longer_than_it_says_is_refused, Framing::Chunked,
    b"4\r\nhello\r\n0\r\n\r\n" => BodyError::Chunks);
refuses!(a_size_without_a_digit_is_not_the_last_chunk, Framing::Chunked,
    b"5\r\nhello\r\n\r\n\r\n" => BodyError::Chunks);
refuses!(an_extension_without_a_size_is_not_the_last_chunk, Framing::Chunked,
    b"5\r\nhello\r\n;a=b\r\n\r\n" => BodyError::Chunks);
refuses!(a_blank_is_not_the_last_chunk, Framing::Chunked,
    b"5\r\nhello\r\n \r\n\r\n" => BodyError::Chunks);
refuses!(a_bare_line_feed_in_an_extension_is_refused, Framing::Chunked,
    b"5;a\nb\r\nhello\r\n0\r\n\r\n" => BodyError::Chunks);
refuses!(a_bare_line_feed_ends_no_chunk, Framing::Chunked, b"5\r\nhello\n0\r\n\r\n" => BodyError::Chunks);

/// What a body in chunks is sent on as, from bytes that arrive `at_a_time`.
async fn sent_on(wire: &'static [u8], at_a_time: usize) -> (Vec<u8>, Option<BodyError>) {
    let (mut client, server) = tokio::io::duplex(at_a_time);
    tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut client, wire).await });
    let (mut source, mut body) = (Source::new(server), Body::new(Framing::Chunked));
    let mut sent = Vec::new();
    while !body.is_done() {
        match body.pieces(&mut source, true).await {
            Ok(mut pieces) => bytes::BufMut::put(&mut sent, &mut pieces),
            Err(error) => return (sent, Some(error)),
        }
    }
    (sent, None)
}

#[tokio::test]
async fn chunks_stay_the_chunks_that_they_were() {
    let wire = b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
    for at_a_time in 1..40 {
        let (sent, error) = sent_on(wire, at_a_time).await;

        assert!(error.is_none());
        assert_eq!(sent, wire, "{at_a_time} at a time");
    }
}

#[tokio::test]
async fn every_way_of_arriving_gives_the_same_body() {
    for at_a_time in 1..30 {
        let (sent, error) =
            sent_on(b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n", at_a_time).await;

        let mut again = Source::new(&sent[..]);
        let whole = collect(&mut Body::new(Framing::Chunked), &mut again, 100).await;
        assert!(error.is_none());
        assert_eq!(whole.ok().flatten().as_deref(), Some(&b"hello!"[..]), "{at_a_time} at a time");
    }
}

#[tokio::test]
async fn what_came_before_nonsense_is_sent_on() {
    for at_a_time in 1..30 {
        let (sent, error) = sent_on(b"1\r\na\r\n1\r\nb\r\nnonsense\r\n", at_a_time).await;

        assert_eq!(sent, b"1\r\na\r\n1\r\nb\r\n", "{at_a_time} at a time");
        assert!(matches!(error, Some(BodyError::Chunks)));
    }
}

#[tokio::test]
async fn chunks_that_are_written_otherwise_are_written_anew() {
    let wire = b"05\r\nhello\r\nA\r\n0123456789\r\n3;x=y\r\nabc\r\n0\r\n\r\n";
    for at_a_time in 1..60 {
        let (sent, error) = sent_on(wire, at_a_time).await;

        assert!(error.is_none());
        let plain = b"5\r\nhello\r\na\r\n0123456789\r\n3\r\nabc\r\n0\r\n\r\n";
        assert_eq!(sent, plain, "{at_a_time} at a time");
    }
}
