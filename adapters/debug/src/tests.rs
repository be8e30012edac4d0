use powerstrip_sdk::{Resync, testing};
use serde_json::{Value, json};

use super::*;

/// What the pre-hook prints of a create with this body.
fn printed(config: Value, body: Value) -> Vec<String> {
    assert_eq!(testing::logs(), Vec::<String>::new());
    let adapter: Debug = testing::adapter(config);
    let mut request = testing::request("POST", "/v1.47/containers/create?name=web", body);
    adapter.pre(&mut request).expect("printing cannot fail");
    assert!(!testing::is_modified(&request));
    testing::logs()
}

#[test]
fn a_request_is_printed_with_its_context_its_headers_and_its_body() {
    let lines = printed(json!(null), json!({"Image": "alpine", "Env": ["A=1"]}));

    let expected = [
        "info: pre-hook POST /v1.47/containers/create?name=web",
        "info:    endpoint: not in the catalogue, by pattern ",
        "info:    client: unknown, through ; API ; 0ns left",
        "info:    content-type: application/json",
        "info:    body of the request:",
        "info:    {",
        "info:      \"Env\": [",
        "info:        \"A=1\"",
        "info:      ],",
        "info:      \"Image\": \"alpine\"",
        "info:    }",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn what_is_not_asked_for_is_left_out() {
    let config = json!({"show": ["request"], "fields": ["/HostConfig/Binds", "/None"]});

    let lines = printed(config, json!({"Image": "alpine", "HostConfig": {"Binds": []}}));

    let body = "info:    body of the request: /HostConfig/Binds: []";
    assert_eq!(lines, ["info: pre-hook POST /v1.47/containers/create?name=web", body]);
}

#[test]
fn a_long_body_is_cut_and_says_so() {
    let lines = printed(json!({"show": ["request"], "lines": 2}), json!([1, 2, 3]));

    assert_eq!(lines[2..], ["info:    [", "info:      1,", "info:    … and 3 more lines"]);
}

#[test]
fn an_answer_is_printed_behind_its_request() {
    assert_eq!(testing::logs(), Vec::<String>::new());
    let adapter: Debug = testing::adapter(json!({"show": ["answer"]}));
    let request = testing::request("GET", "/_ping", Value::Null);
    let mut answers = [testing::response(200, Value::Null), testing::response(404, Value::Null)];
    answers[0].set_body("OK");
    answers[1].set_body([0xff]);

    for answer in &mut answers {
        adapter.post(&request, answer).expect("printing cannot fail");
    }

    let expected = [
        "info: post-hook GET /_ping",
        "info: <- 200",
        "info:    body of the answer: OK",
        "info: post-hook GET /_ping",
        "info: <- 404",
        "info:    body of the answer: 1 bytes that are no text",
    ];
    assert_eq!(testing::logs(), expected);
}

#[test]
fn an_event_is_printed() {
    assert_eq!(testing::logs(), Vec::<String>::new());
    let adapter: Debug = testing::adapter(json!({"fields": ["/Actor/Attributes"]}));
    let died = json!({
        "Type": "container", "Action": "die",
        "Actor": {"ID": "c0ffee", "Attributes": {"exitCode": "3"}},
    });

    adapter.event(&testing::event(died)).expect("printing cannot fail");
    adapter.event(&testing::resync(Resync::TooSlow)).expect("printing cannot fail");

    let expected = [
        "info: event container die c0ffee",
        "info:    body of the event:",
        "info:    /Actor/Attributes: {",
        "info:      \"exitCode\": \"3\"",
        "info:    }",
        "info: event resync: too-slow",
    ];
    assert_eq!(testing::logs(), expected);
}

macro_rules! refuses {
    ($($name:ident: $config:tt => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let config = json!($config);

            let refused = testing::try_adapter::<Debug>(config);

            assert_eq!(refused.expect_err("the configuration is wrong"), $expected);
        }
    )+};
}

refuses! {
    a_part_that_there_is_not: {"show": ["cookies"]} =>
        "show[0]: unknown variant `cookies`, expected one of `context`, `headers`, `request`, `answer`, \
        `event`";
    a_field_that_is_no_pointer: {"fields": ["HostConfig"]} =>
        "fields: \"HostConfig\" is no JSON pointer: those begin with /";
    more_lines_than_the_log_takes: {"lines": 81} => "lines: must be a number from 1 to 80";
}
