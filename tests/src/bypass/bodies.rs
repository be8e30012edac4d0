//! P26 to P31: JSON bodies, their types, and where they stand.

use super::{EVIL, Spelling, create, post, request};

const CREATE: &str = "/v1.41/containers/create";

/// Bodies of a create, by row; `I` stands for an image, `H` for a host's name, `@` for the settings of
/// which the engine says that they contradict the name.
const BODIES: &[(&str, &[&str])] = &[
    (
        "P26",
        &[
            r#"{I,H,"hostconfig":{"networkmode":"container:x"}}"#,
            r#"{I,H,"HOSTCONFIG":{"NETWORKMODE":"container:x"}}"#,
            r#"{I,H,"HostConfig":{"\u004eetworkMode":"container:x"}}"#,
            r#"{I,H,"\u0068ost\u0043onfig":{@}}"#,
            r#"{I,H,"HostConfig":{"NetworkMode":"\u0063ontainer:x"}}"#,
        ],
    ),
    (
        "P27",
        &[
            r#"{I,H,"HoſtConfig":{@}}"#,
            r#"{I,H,"HostConfig":{"NetworKMode":"container:x"}}"#,
            r#"{I,H,"Ho\u017ftConfig":{"Networ\u212aMode":"container:x"}}"#,
            r#"{I,H,"HostConfig":{},"HoſtConfig":{@}}"#,
            r#"{I,H,"HostConﬁg":{@}}"#,
            r#"{I,H,"HostConfıg":{@}}"#,
        ],
    ),
    (
        "P28",
        &[
            r#"{I,H,"HostConfig":{@,"NetworkMode":"none"}}"#,
            r#"{I,H,"HostConfig":{"NetworkMode":"none",@}}"#,
            r#"{I,H,"HostConfig":{"NetworkMode":"none","networkmode":"container:x"}}"#,
            r#"{I,H,"HostConfig":{"networkmode":"container:x","NetworkMode":null}}"#,
            r#"{I,H,"HostConfig":{@,"NetworkMode":null}}"#,
        ],
    ),
    (
        "P29",
        &[
            r#"{I,H,"HostConfig":{@},"HostConfig":{}}"#,
            r#"{I,H,"HostConfig":{},"HostConfig":{@}}"#,
            r#"{I,H,"HostConfig":{@},"hostCONFIG":{}}"#,
            r#"{I,H,"HostConfig":{@},"HostConfig":null}"#,
            r#"{I,H,"HostConfig":null,"HostConfig":{@}}"#,
            r#"{I,H,"HostConfig":{"Memory":0},"hostConfig":{"networkMode":"container:x"}}"#,
        ],
    ),
    (
        "P30",
        &[
            r"{I,H,@}",
            r#"{I,H,@,"HostConfig":null}"#,
            r#"{I,H,@,"HostConfig":{}}"#,
            r#"{I,H,"networkmode":"container:x"}"#,
            r#"{I,H,"NetworKMode":"container:x"}"#,
            r#"{I,H,@,"hostconfig":null,"Memory":7}"#,
        ],
    ),
    ("P30b", &[r#"{I,H,"HostConfig":{@}}{}"#, r#"{I,H,"HostConfig":{@}} junk"#, r"{I}{I,H,@}"]),
    (
        "P30c",
        &[
            r#"{I,H,"HostConfig":{@}}}"#,
            r#"{I,H,"HostConfig":{@}}]"#,
            r#"{I,H,"HostConfig":{@}}} junk"#,
            r#"{I,H,"HostConfig":{@}}],{}"#,
        ],
    ),
    (
        "P30d",
        &[
            "\u{feff}{I,H,\"HostConfig\":{@}}",
            r#"{I,H,/* */"HostConfig":{@}}"#,
            r#"{I,H,"HostConfig":{@,"Memory":NaN}}"#,
            r#"{I,H,"HostConfig":{@,"Memory":1e9}}"#,
            r#"{I,H,"HostConfig":{@,"Memory":01}}"#,
            r#"{I,H,'HostConfig':{@}}"#,
            r#"{I,H,"HostConfig":{@},}"#,
            "{I,H,\"Domainname\":\"\t\",\"HostConfig\":{@}}",
        ],
    ),
    (
        "P30e",
        &[
            r#"{I,H,"Domainname":"\ud800","HostConfig":{@}}"#,
            r#"{I,H,"HostConfig":{@,"\udc00":1}}"#,
            r#"{I,H,"HostConfig":{@,"\ud83d\ude00":1}}"#,
        ],
    ),
    (
        "P30g",
        &[
            r#"{I,H,"X":1e999,"HostConfig":{@}}"#,
            r#"{I,H,"HostConfig":{@,"Memory":9007199254740993}}"#,
        ],
    ),
    ("P30h", &["null", "[]", " ", "{}", "[{I,H,@}]", r#""{}""#, "1"]),
    (
        "P30i",
        &[
            r#"{I,H,"HostConfig":{@},"Hostconfig2":{}}"#,
            r#"{I,H,"New":{"HostConfig":{}},"HostConfig":{@}}"#,
            r#"{I,H,"HostConfig ":{},"HostConfig":{@}}"#,
            r#"{I,H,"":{"HostConfig":{}},"HostConfig":{@,"":1}}"#,
        ],
    ),
    (
        "P30j",
        &[
            r#"{I,H,"HostConfig":{"NetworkMode":"CONTAINER:x"}}"#,
            r#"{I,H,"HostConfig":{"NetworkMode":" container:x"}}"#,
        ],
    ),
];

/// The lines of a head that say what a body is, by row.
const TYPES: &[(&str, &[&str])] = &[
    (
        "P31a",
        &[
            "Content-Type: application/json; charset=utf-8\r\n",
            "Content-Type: Application/JSON\r\n",
            "Content-Type: application/json;\r\n",
            "Content-Type: application/json ; x=y\r\n",
            "content-TYPE:application/json\r\n",
        ],
    ),
    (
        "P31b",
        &[
            "",
            "Content-Type: text/plain\r\n",
            "Content-Type: \r\n",
            "Content-Type: application/x-tar\r\n",
            "Content-Type: multipart/form-data; boundary=x\r\n",
            "Content-Type: application/jſon\r\n",
        ],
    ),
    (
        "P31c",
        &[
            "Content-Type: application/json\r\nContent-Type: text/plain\r\n",
            "Content-Type: text/plain\r\nContent-Type: application/json\r\n",
        ],
    ),
    ("P31f", &["Content-Type: application/json\r\nContent-Encoding: gzip\r\n"]),
    (
        "P40",
        &[
            "Content-Type: application/json\r\nConnection: Content-Type\r\n",
            "Content-Type: application/json\r\nConnection: close, Content-Length\r\n",
            "Content-Type: application/json\r\nConnection: Host, X-Registry-Auth\r\n",
        ],
    ),
    (
        "P41",
        &[
            "Content-Type: application/json\r\nX-Powerstrip-User: root\r\n",
            "Content-Type: application/json\r\nVia: 1.1 powerstrip\r\n",
            "Content-Type: application/json\r\ntraceparent: 00-1-1-01\r\n",
            "Content-Type: application/json\r\nX-HTTP-Method-Override: GET\r\n",
            "Content-Type: application/json\r\nX-Original-URL: /_ping\r\n",
        ],
    ),
];

/// Settings that a start of old brings; the wrong type makes the engine tell that it read them.
const STARTS: &[&str] =
    &[r#"{"Privileged":"x"}"#, r#"{"privileged":"x"}"#, r#"{"Privileged":"x","Binds":["/:/x"]}{}"#];

pub(super) fn spellings() -> Vec<Spelling> {
    let of_body = |(row, bodies): &(&'static str, &'static [&str])| {
        let row = *row;
        bodies.iter().map(move |body| {
            let body = expand(body);
            Spelling::evil(row, body.clone(), create(CREATE, body))
        })
    };
    let of_type = |(row, types): &(&'static str, &'static [&str])| {
        let row = *row;
        types.iter().map(move |lines| {
            let name = lines.trim_end().replace("\r\n", ", ");
            Spelling::evil(row, name, post(CREATE, lines, EVIL))
        })
    };
    let mut all: Vec<_> = BODIES.iter().flat_map(of_body).collect();
    all.extend(not_text());
    all.extend([119, 129, 512, 9_000].map(nested));
    all.extend(TYPES.iter().flat_map(of_type));
    all.extend(framed());
    all.extend(
        STARTS.iter().flat_map(|body| ["v1.23", "v1.22", "v1.41"].map(|it| start(it, body))),
    );
    all
}

fn expand(body: &str) -> String {
    body.replace("I,", "\"Image\":\"nosuch:none\",")
        .replace("{I}", "{\"Image\":\"nosuch:none\"}")
        .replace("H,", "\"Hostname\":\"h\",")
        .replace('@', "\"NetworkMode\":\"container:x\"")
}

fn not_text() -> Vec<Spelling> {
    let wide = |order: fn(u16) -> [u8; 2]| EVIL.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let broken = EVIL.replacen("\"h\"", "\"h?\"", 1).replace('?', "\u{1}").into_bytes();
    let broken: Vec<u8> =
        broken.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let key = [b"{\"\xc0\xafx\":1,", &EVIL.as_bytes()[1..]].concat();
    vec![
        Spelling::evil("P30d", "UTF-16, little", create(CREATE, wide(u16::to_le_bytes))),
        Spelling::evil("P30d", "UTF-16, big", create(CREATE, wide(u16::to_be_bytes))),
        Spelling::evil("P30e", "a byte that is no text", create(CREATE, broken)),
        Spelling::evil("P30e", "a key that is no text", create(CREATE, key)),
    ]
}

fn nested(depth: usize) -> Spelling {
    let deep = format!("{{\"X\":{}{},", "[".repeat(depth), "]".repeat(depth));
    let body = EVIL.replacen('{', &deep, 1);
    Spelling::evil("P30f", format!("{depth} levels"), create(CREATE, body))
}

fn framed() -> Vec<Spelling> {
    let json = "Content-Type: application/json\r\n";
    let chunked = format!("{json}Transfer-Encoding: chunked\r\n");
    let whole = format!("{:x}\r\n{EVIL}\r\n0\r\n\r\n", EVIL.len());
    let bytes: String = EVIL.chars().map(|byte| format!("1;x=y\r\n{byte}\r\n")).collect();
    let large = EVIL.replacen('{', &format!("{{\"X\":\"{}\",", "x".repeat(70_000)), 1);
    vec![
        Spelling::evil("P31e", "in one chunk", request(CREATE, &chunked, whole)),
        Spelling::evil("P31e", "in many chunks", request(CREATE, &chunked, bytes + "0\r\n\r\n")),
        Spelling::evil("P31e", "more than a buffer", create(CREATE, large)),
        Spelling::evil("P31e", "no length", request(CREATE, json, EVIL)),
        Spelling::evil(
            "P31e",
            "too short",
            request(CREATE, &format!("{json}Content-Length: 9\r\n"), EVIL),
        ),
    ]
}

fn start(version: &str, body: &str) -> Spelling {
    let target = format!("/{version}/containers/none/start");
    Spelling::evil("P31g", format!("{version} {body}"), create(&target, body))
}
