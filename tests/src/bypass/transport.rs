//! P32 to P39: where a request ends, and what comes behind it.

use super::{EVIL, Spelling, create, get, request};

const CREATE: &str = "/v1.41/containers/create";

/// How a body may be announced: the row, the lines, and whether it comes in a chunk.
const LINES: &[(&str, &str, bool)] = &[
    ("P32", "Content-Length: LENGTH\r\nTransfer-Encoding: chunked\r\n", true),
    ("P32", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", true),
    ("P32", "Transfer-Encoding: chunked\r\nContent-Length: LENGTH\r\n", false),
    ("P33", "Content-Length: LENGTH\r\nContent-Length: LENGTH\r\n", false),
    ("P33", "Content-Length: LENGTH\r\nContent-Length: 0\r\n", false),
    ("P33", "Content-Length: LENGTH, LENGTH\r\n", false),
    ("P33", "Content-Length: +LENGTH\r\n", false),
    ("P33", "Content-Length: 0LENGTH\r\n", false),
    ("P33", "Content-Length: -1\r\n", false),
    ("P34", "Transfer-Encoding: gzip, chunked\r\n", true),
    ("P34", "Transfer-Encoding: xchunked\r\n", true),
    ("P34", "Transfer-Encoding: identity\r\n", true),
    ("P34", "Transfer-Encoding: chunked, identity\r\n", true),
    ("P34", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", true),
    ("P34", "Transfer-Encoding: CHUNKED\r\n", true),
    ("P34", "Transfer-Encoding: \x0bchunked\r\n", true),
    ("P35", "Transfer-Encoding : chunked\r\n", true),
    ("P35", "Transfer-Encoding:\r\n chunked\r\n", true),
    ("P35", "Content-Length: LENGTH\n", false),
    ("P35", "X: y\r\n folded\r\nContent-Length: LENGTH\r\n", false),
    ("P35", "X: y\rContent-Length: LENGTH\r\n", false),
    ("P35", "X\0: y\r\nContent-Length: LENGTH\r\n", false),
];

/// Chunks, where `EVIL` is the body and `SIZE` its length.
const CHUNKS: &[&str] = &[
    "SIZE\nEVIL\n0\n\n",
    "SIZE\r\nEVIL\r\n0\n\n",
    "SIZE;a=\"b\nc\"\r\nEVIL\r\n0\r\n\r\n",
    "SIZE;\r\nEVIL\r\n0;x\r\n\r\n",
    "000000SIZE\r\nEVIL\r\n000\r\n\r\n",
    "0xSIZE\r\nEVIL\r\n0\r\n\r\n",
    "+SIZE\r\nEVIL\r\n0\r\n\r\n",
    "SIZE \r\nEVIL\r\n0\r\n\r\n",
    " SIZE\r\nEVIL\r\n0\r\n\r\n",
    "SIZE\r\nEVIL0\r\n\r\n",
    "SIZE\r\nEVIL\r\n0\r\nContent-Length: 0\r\n\r\n",
    "10000000000000SIZE\r\nEVIL\r\n0\r\n\r\n",
];

pub(super) fn spellings() -> Vec<Spelling> {
    let mut all: Vec<_> =
        LINES.iter().map(|(row, lines, chunk)| announced(row, lines, *chunk)).collect();
    all.extend(CHUNKS.iter().map(|it| chunked(it)));
    all.extend(behind());
    all.extend(http_2());
    all
}

fn json(lines: &str) -> String {
    format!("Content-Type: application/json\r\n{lines}")
}

fn announced(row: &str, lines: &str, in_a_chunk: bool) -> Spelling {
    let name = lines.trim_end().replace("\r\n", ", ");
    let lines = json(&lines.replace("LENGTH", &EVIL.len().to_string()));
    let body = match in_a_chunk {
        true => format!("{:x}\r\n{EVIL}\r\n0\r\n\r\n", EVIL.len()),
        false => EVIL.to_owned(),
    };
    Spelling::evil(row, name, request(CREATE, &lines, body))
}

fn chunked(chunks: &str) -> Spelling {
    let body = chunks.replace("SIZE", &format!("{:x}", EVIL.len())).replace("EVIL", EVIL);
    let name = format!("{chunks:?}");
    Spelling::evil("P36", name, request(CREATE, &json("Transfer-Encoding: chunked\r\n"), body))
}

/// A request that hides behind another.
fn behind() -> Vec<Spelling> {
    let evil = create(CREATE, EVIL);
    let after = |first: &[u8]| [first, &evil].concat();
    let upgrade = "GET /v1.41/version HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\n";
    let attach = "/v1.41/containers/none/attach?stream=1";
    let tunnel = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
    let exec = "/v1.41/exec/none/start";
    let body = [get("/v1.41/version").as_bytes(), &evil].concat();
    let with_body = |length: usize| {
        let head = "GET /v1.41/version HTTP/1.1\r\nHost: docker\r\nContent-Length: ";
        [format!("{head}{length}\r\n\r\n").as_bytes(), &body].concat()
    };
    let detached = [json(tunnel), "Content-Length: 15\r\n".to_owned()].concat();
    vec![
        Spelling::evil(
            "P37",
            "Upgrade: tcp",
            after(format!("{upgrade}Upgrade: tcp\r\n\r\n").as_bytes()),
        ),
        Spelling::evil(
            "P37",
            "Upgrade: websocket",
            after(format!("{upgrade}Upgrade: websocket\r\n\r\n").as_bytes()),
        ),
        Spelling::evil("P37", "behind an attach to nothing", after(&request(attach, tunnel, ""))),
        Spelling::evil(
            "P37",
            "behind a detached exec",
            after(&request(exec, &detached, r#"{"Detach":true}"#)),
        ),
        Spelling::evil("P38", "behind a version", after(get("/v1.41/version").as_bytes())),
        Spelling::evil("P38", "behind one that is denied", after(&evil)),
        Spelling::evil("P38", "behind an empty line", after(b"\r\n")),
        Spelling::evil(
            "P38",
            "behind a list that is denied",
            after(get("/v1.41/containers/json?all=1").as_bytes()),
        ),
        Spelling::evil("P38", "behind the body of a GET", with_body(get("/v1.41/version").len())),
        Spelling::evil(
            "P38",
            "behind an expectation",
            after(&request(
                "/v1.41/containers/none/kill?signal=BOGUS",
                "Expect: 100-continue\r\nContent-Length: 0\r\n",
                "",
            )),
        ),
    ]
}

fn http_2() -> Vec<Spelling> {
    let upgrade = json(&format!(
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\
         Content-Length: {}\r\n",
        EVIL.len()
    ));
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    vec![
        Spelling::evil("P39", "Upgrade: h2c", request(CREATE, &upgrade, EVIL)),
        Spelling::evil("P39", "the preface of HTTP/2", &preface[..]),
        Spelling::evil("P39", "behind the preface", [&preface[..], &create(CREATE, EVIL)].concat()),
    ]
}
