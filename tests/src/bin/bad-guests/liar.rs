//! Guests that hand over what nobody can take.

use powerstrip_tests::WatGuest;
use serde_json::{Value, json};

use crate::guest::Guest;

/// All of them.
pub(crate) fn guests() -> Vec<Guest> {
    let mut guests = malformed();
    guests.extend(crashing());
    guests.extend(illegal());
    guests
}

/// Results that are no values of the interface; 1280 is where they lie.
fn malformed() -> Vec<Guest> {
    let result = |name: &str, bytes: &str| {
        let guest = WatGuest::result(bytes).pages(1100);
        Guest::wat(name, &guest).limits(json!({"memory": "128MiB"})).ends(500, "malformed data")
    };
    // Of a rejection: ok, the fourth case, the status, where its message is and how long.
    let message = |place: &str| format!("\\00\\00\\00\\00\\03\\00\\00\\00\\93\\01\\00\\00{place}");
    // Of a modification: ok, the second case, no query, no variables, where its headers are.
    let headers = |place: &str| {
        let empty = "\\00\\00\\00\\00".repeat(5);
        format!("\\00\\00\\00\\00\\01\\00\\00\\00{empty}{place}")
    };
    let many = "(memory.fill (i32.const 65536) (i32.const 0) (i32.const 60000000))";
    vec![
        result(
            "text-that-is-none",
            &(message("\\20\\05\\00\\00\\02\\00\\00\\00")
                + "\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\ff\\fe\\00\\00\\00\\00\\00\\00\\ff\\fe\\ff\\fe"),
        ),
        result("text-from-nowhere", &message("\\00\\00\\00\\f0\\09\\00\\00\\00")),
        result("text-of-4-gib", &message("\\00\\00\\01\\00\\ff\\ff\\ff\\ff")),
        result("headers-from-nowhere", &headers("\\00\\00\\00\\f0\\09\\00\\00\\00")),
        result("headers-off-the-mark", &headers("\\01\\00\\01\\00\\09\\00\\00\\00")),
        result("header-flood", &headers("\\00\\00\\10\\00\\40\\42\\0f\\00"))
            .ends(500, "more than 4096 headers"),
        result("a-billion-headers", &headers("\\00\\00\\01\\00\\00\\00\\00\\10")),
        result("an-outcome-that-is-none", "\\00\\00\\00\\00\\09"),
        result("a-result-that-is-none", "\\07"),
        Guest::wat("result-from-nowhere", &WatGuest::pre("(return (i32.const -4))"))
            .ends(500, "malformed data"),
        Guest::wat("result-off-the-mark", &WatGuest::pre("(return (i32.const 1283))"))
            .ends(500, "malformed data"),
        Guest::wat("memory-from-nowhere", &WatGuest::default().allocate("(i32.const -16)"))
            .ends(503, "malformed data"),
        Guest::wat("memory-off-the-mark", &WatGuest::default().allocate("(i32.const 65537)"))
            .ends(500, ""),
        Guest::wat("body-over-the-limit", &big_body(many))
            .limits(json!({"memory": "128MiB"}))
            .ends(500, ""),
    ]
}

/// Hands over a body of 70 MB.
fn big_body(fill: &str) -> WatGuest {
    let field = |at: u32, value: u32| format!("(i32.store (i32.const {at}) (i32.const {value}))");
    // The second case; a body, where it lies, and how long it is.
    let fields = [(1284, 1), (1324, 1), (1328, 65536), (1332, 70_000_000)];
    let stores: String = fields.into_iter().map(|(at, value)| field(at, value)).collect();
    WatGuest::pre(&format!("{fill} {stores} (return (i32.const 1280))")).pages(1200)
}

fn crashing() -> Vec<Guest> {
    let trap = "(unreachable)";
    vec![
        Guest::wat("traps", &WatGuest::pre(trap)).ends(500, "it crashed"),
        Guest::built("panics", "trap").ends(500, "it crashed"),
        Guest::wat("traps-while-allocating", &WatGuest::default().allocate(trap))
            .ends(503, "it crashed"),
        Guest::wat("traps-after-its-result", &WatGuest::default().post_return(trap))
            .ends(500, "it crashed"),
    ]
}

/// Well-formed outcomes that no adapter may have.
fn illegal() -> Vec<Guest> {
    // All of them stand in one configuration file, which may have 1 MiB.
    let acts = |name: &str, act: Value, text: &str| Guest::acts(name, &act).ends(500, text);
    let sets = |name: &str, header: &str, value: &str, text: &str| {
        acts(name, json!({"modify": {"set_headers": {header: value}}}), text)
    };
    let responds = |name: &str, status: u16| {
        acts(name, json!({"respond": {"status": status}}), "is not one of 200 to 599")
    };
    vec![
        responds("responds-with-99", 99),
        responds("responds-with-101", 101),
        responds("responds-with-103", 103),
        responds("responds-with-600", 600),
        acts("rejects-with-200", json!({"reject": {"status": 200, "message": "no"}}), "200"),
        sets("line-break-in-a-header", "x-a", "b\r\nx-c: d", "is not legal"),
        sets("nul-in-a-header", "x-a", "b\0", "is not legal"),
        sets("blank-in-a-name", "x a", "b", "is not a header name"),
        sets("sets-content-length", "content-length", "3", "may not change the header"),
        sets("sets-transfer-encoding", "transfer-encoding", "chunked", "may not change the header"),
        sets("sets-connection", "connection", "close", "may not change the header"),
        sets("sets-authorization", "x-registry-auth", "e30=", "may not change the header"),
        sets("header-of-200-kb", "x-a", &"x".repeat(200_000), "larger than 128 KiB"),
        acts("body-that-is-not-json", json!({"modify": {"body": "{"}}), "is not JSON"),
        acts("body-of-5-mb", json!({"modify": {"body_size": 5_000_000}}), "larger than 4 MiB"),
        acts(
            "leaves-the-endpoint",
            json!({"modify": {"variables": {"name": "a/../../info?"}}}),
            "",
        ),
        acts("unknown-variable", json!({"modify": {"variables": {"nobody": "x"}}}), ""),
        acts("query-that-ends-the-line", json!({"modify": {"query": "a HTTP/1.1\r\n"}}), ""),
        acts("query-of-200-kb", json!({"modify": {"query": "x".repeat(200_000)}}), ""),
        acts(
            "gives-up-with-a-terminal",
            json!({"fail": "\u{1b}[2J\r\n\0\u{2028}"}),
            "\\u{1b}[2J\\r\\n\\u{0}\\u{2028}",
        ),
        acts("gives-up-at-length", json!({"fail": "x".repeat(200_000)}), "x…"),
    ]
}
