//! P20 to P25: the query, and bodies that take its place.

use super::{Spelling, get, kill, post, request};

/// Queries of a kill, by row.
const QUERIES: &[(&str, &[&str])] = &[
    (
        "P20",
        &[
            "signal=BOGUS",
            "%73ignal=BOGUS",
            "signal=%42OGUS",
            "SIGNAL=BOGUS",
            "signal%3dBOGUS",
            "&&signal=BOGUS",
            "x&signal=BOGUS",
            "?signal=BOGUS",
            "signal==BOGUS",
            "signal=BOGUS%00",
            "sign%61l=BOGU%53&x=%zz",
        ],
    ),
    (
        "P21",
        &[
            "signal=BOGUS&signal=KILL",
            "signal=KILL&signal=BOGUS",
            "s%69gnal=BOGUS&signal=KILL",
            "signal=&signal=BOGUS",
            "signal&signal=BOGUS",
            "signal=BOGUS&signal",
        ],
    ),
    (
        "P22",
        &[
            "x=1;signal=BOGUS",
            "signal=BOGUS;",
            "signal=BOGUS;signal=KILL",
            "signal=KILL;&signal=BOGUS",
            "signal=BOGUS&x=%3B",
        ],
    ),
];

/// Types of a body whose fields might stand before those of the query.
const FORMS: &[&[u8]] = &[
    b"application/x-www-form-urlencoded",
    b"Application/X-WWW-Form-URLencoded",
    b" application/x-www-form-urlencoded ; charset=utf-8",
    b"application/x-www-form-urlencoded;",
    b"application/x-www-form-urlencoded; =",
    b"application/x-www-form-urlencoded; x=\xff",
    b"application/x-www-form-urlencoded\xc2\xa0",
    b"appl\xc4\xb0cat\xc4\xb0on/x-www-form-urlencoded",
    b"application/x-www-form-urlencoded\r\nContent-Type: application/json",
    b"application/json\r\nContent-Type: application/x-www-form-urlencoded",
    b"application/x-www-form-urlencoded, application/json",
    b"text/plain; application/x-www-form-urlencoded",
];

/// Spellings of the flag that lists all containers.
const FLAGS: &[&str] =
    &["1", "true", "True", "yes", "off", "2", "%20x%20", "on", "0", "False", "%20NO+", "none", ""];

/// Filters, of which one is refused by name.
const FILTERS: &[&str] = &[
    r#"{"status":["BOGUSSTATE"]}"#,
    r#"{"status":{"BOGUSSTATE":true}}"#,
    r#"{"status":["BOGUSSTATE"],"status":["running"]}"#,
    r#"{"status":["running"],"status":["BOGUSSTATE"]}"#,
    r#"{"status":{"BOGUSSTATE":true},"status":{"running":true}}"#,
    r#"{"st\u0061tus":["BOGUSSTATE"]}"#,
    r#"{"st\u0061tus":["BOGUSSTATE"],"status":["running"]}"#,
    r#"{"status":["BOGUSSTATE"]}{}"#,
    r#"{"status":["BOGUSSTATE"]}} junk"#,
    r#"{"status":{"BOGUSSTATE":true,"BOGUSSTATE":false}}"#,
    r#"{"STATUS":["BOGUSSTATE"]}"#,
    "%7B%22status%22%3A%5B%22BOGUSSTATE%22%5D%7D",
];

pub(super) fn spellings() -> Vec<Spelling> {
    let of_query = |(row, queries): &(&'static str, &'static [&str])| {
        let row = *row;
        let kill = |query: &str| post(&kill(query), "", "");
        queries.iter().map(move |it| Spelling::evil(row, *it, kill(it)))
    };
    let mut all: Vec<_> = QUERIES.iter().flat_map(of_query).collect();
    all.extend(FORMS.iter().map(|it| form(it)));
    all.push(chunked_form());
    let list = |query: String| get(&format!("/v1.41/containers/json?{query}"));
    all.extend(
        FLAGS
            .iter()
            .map(|flag| Spelling::evil("P24", format!("all={flag}"), list(format!("all={flag}")))),
    );
    let filters = FILTERS.iter().map(|it| it.replace(' ', "%20"));
    all.extend(filters.map(|it| Spelling::evil("P25", it.clone(), list(format!("filters={it}")))));
    all
}

fn form(content_type: &[u8]) -> Spelling {
    let body = "signal=BOGUS";
    let line = [b"Content-Type: ", content_type, b"\r\n"].concat();
    let plain = post(&kill("signal=KILL"), "", body);
    let at = plain.windows(2).position(|pair| pair == b"\r\n").map_or(0, |at| at + 2);
    let bytes = [&plain[..at], &line, &plain[at..]].concat();
    Spelling::evil("P23", String::from_utf8_lossy(content_type), bytes)
}

fn chunked_form() -> Spelling {
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n\
                   Transfer-Encoding: chunked\r\n";
    let body = "c\r\nsignal=BOGUS\r\n0\r\n\r\n";
    Spelling::evil("P23", "in chunks", request(&kill("signal=KILL"), headers, body))
}
