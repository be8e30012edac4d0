//! Heads that two readers could understand in two ways.

use bytes::Bytes;

use super::*;

fn request(lines: &str) -> Result<Framing, FramingError> {
    let head = Bytes::from(format!("POST / HTTP/1.1\r\n{lines}\r\n"));
    Framing::of_request(&RequestHead::parse(&head).expect("it is a head"))
}

macro_rules! framed {
    ($name:ident, $lines:literal => $expected:expr) => {
        #[test]
        fn $name() {
            let framing = request($lines);

            assert_eq!(framing, $expected);
        }
    };
}

framed!(nothing_said_is_no_body, "Host: x\r\n" => Ok(Framing::None));
framed!(length_zero_is_no_body, "Content-Length: 0\r\n" => Ok(Framing::None));
framed!(a_length_counts, "content-length: 12\r\n" => Ok(Framing::Length(12)));
framed!(chunks_in_any_case, "Transfer-Encoding: Chunked\r\n" => Ok(Framing::Chunked));
framed!(length_beside_chunks, "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"
    => Err(FramingError::LengthAndEncoding));
framed!(two_equal_lengths, "Content-Length: 3\r\nContent-Length: 3\r\n" => Err(FramingError::Length));
framed!(a_list_of_lengths, "Content-Length: 3, 3\r\n" => Err(FramingError::Length));
framed!(a_signed_length, "Content-Length: +3\r\n" => Err(FramingError::Length));
framed!(a_negative_length, "Content-Length: -1\r\n" => Err(FramingError::Length));
framed!(an_empty_length, "Content-Length: \r\n" => Err(FramingError::Length));
framed!(another_coding_first, "Transfer-Encoding: gzip, chunked\r\n" => Err(FramingError::Encoding));
framed!(a_coding_that_looks_like_it, "Transfer-Encoding: xchunked\r\n" => Err(FramingError::Encoding));
framed!(identity, "Transfer-Encoding: identity\r\n" => Err(FramingError::Encoding));
framed!(chunked_twice, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
    => Err(FramingError::Encoding));

#[test]
fn there_are_no_chunks_in_http_1_0() {
    let head = Bytes::from_static(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
    let head = RequestHead::parse(&head).expect("it is a head");

    assert_eq!(Framing::of_request(&head), Err(FramingError::EncodingInHttp10));
}

macro_rules! answers {
    ($name:ident, $method:literal, $head:literal => $expected:expr) => {
        #[test]
        fn $name() {
            let head = Bytes::from_static(concat!($head, "\r\n\r\n").as_bytes());
            let head = ResponseHead::parse(&head).expect("it is a head");

            assert_eq!(Framing::of_response(&head, $method), $expected);
        }
    };
}

answers!(head_has_no_body, b"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 29" => Ok(Framing::None));
answers!(no_content_has_no_body, b"POST", "HTTP/1.1 204 No Content" => Ok(Framing::None));
answers!(not_modified_has_no_body, b"POST", "HTTP/1.1 304 Not Modified" => Ok(Framing::None));
answers!(without_a_length_it_ends_with_the_connection, b"GET", "HTTP/1.1 200 OK"
    => Ok(Framing::UntilClose));
answers!(an_answer_that_contradicts_itself, b"GET",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"
    => Err(FramingError::LengthAndEncoding));
