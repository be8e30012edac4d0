use std::cell::RefCell;
use std::rc::Rc;

use powerstrip_sdk::{Context, testing};
use serde_json::{Value, json};

use super::*;

mod older;

const CREATE: &str = "/v1.16/containers/create?name=web";

fn webhook(protocol: impl Into<Value>) -> HttpAdapter {
    let protocol = protocol.into();
    testing::adapter(json!({
        "url": "http://private/hook", "protocol": protocol, "shown": "unix:///hook.sock:/hook",
    }))
}

/// Answers each call with this, and keeps the messages.
fn replies(status: u16, body: impl Into<Vec<u8>>) -> Rc<RefCell<Vec<Value>>> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (messages, body) = (Rc::clone(&seen), body.into());
    testing::http(move |request| {
        assert_eq!((&*request.method, &*request.url), ("POST", "http://private/hook"));
        let message = serde_json::from_slice(&request.body).expect("a message is JSON");
        messages.borrow_mut().push(message);
        Ok(http::Response { status, headers: vec![], body: body.clone() })
    });
    seen
}

fn request(body: Value) -> Request {
    testing::request("POST", CREATE, body)
}

fn text(body: Option<&[u8]>) -> Option<String> {
    body.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

#[test]
fn a_pre_hook_is_told_in_the_words_of_2015() {
    let seen = replies(200, r#"{"ModifiedClientRequest":{}}"#);

    webhook(1).pre(&mut request(json!({"Image": "a"}))).expect("the webhook replies");

    let expected = json!({
        "PowerstripProtocolVersion": 1, "Type": "pre-hook",
        "ClientRequest": {"Method": "POST", "Request": CREATE, "Body": "{\"Image\":\"a\"}"},
    });
    assert_eq!(*seen.borrow(), [expected]);
}

#[test]
fn a_post_hook_is_told_in_the_words_of_2015() {
    let seen = replies(200, r#"{"ModifiedServerResponse":{}}"#);
    let request = testing::request("POST", "/v1.16/containers/a/start", json!(null));
    let mut response = testing::response(204, json!(null));

    webhook(1).post(&request, &mut response).expect("the webhook replies");

    let expected = json!({
        "PowerstripProtocolVersion": 1, "Type": "post-hook",
        "ClientRequest":
            {"Method": "POST", "Request": "/v1.16/containers/a/start", "Body": null},
        "ServerResponse": {"ContentType": null, "Body": "", "Code": 204},
    });
    assert_eq!(*seen.borrow(), [expected]);
    assert!(!testing::is_modified_response(&response));
}

#[test]
fn an_empty_body_is_text_exactly_where_json_was_announced() {
    let seen = replies(200, r#"{"ModifiedClientRequest":{}}"#);
    let announced = ["application/json", "application/json; charset=utf-8"];

    for content_type in announced {
        let mut request = testing::request("POST", CREATE, json!(null));
        request.set_header("content-type", content_type);
        webhook(1).pre(&mut request).expect("the webhook replies");
    }

    let bodies: Vec<Value> =
        seen.borrow().iter().map(|message| message["ClientRequest"]["Body"].clone()).collect();
    assert_eq!(bodies, [json!(""), json!(null)]);
}

/// What a pre-hook's reply makes of the body `{"A":1}`; none: it stays.
macro_rules! body_becomes {
    ($($name:ident: $reply:expr => $expected:expr;)+) => {$(
        #[test]
        fn $name() {
            replies(200, $reply);
            let mut request = request(json!({"A": 1}));

            let outcome = webhook(1).pre(&mut request).expect("the reply is tolerated");

            let expected: Option<&str> = $expected;
            assert!(matches!(outcome, Pre::Pass));
            assert_eq!(testing::is_modified(&request), expected.is_some());
            assert_eq!(text(request.body()).as_deref(), expected.or(Some("{\"A\":1}")));
        }
    )+};
}

body_becomes! {
    a_string_replaces: r#"{"ModifiedClientRequest":{"Body":"{}"}}"# => Some("{}");
    an_empty_string_clears: r#"{"ModifiedClientRequest":{"Body":""}}"# => Some("");
    an_echo_changes_nothing: r#"{"ModifiedClientRequest":{"Body":"{\"A\":1}"}}"# => None;
    null_keeps: r#"{"ModifiedClientRequest":{"Body":null}}"# => None;
    a_missing_body_keeps: r#"{"ModifiedClientRequest":{}}"# => None;
    the_last_of_two_halves_counts: r#"{"ModifiedClientRequest":{},
        "ModifiedClientRequest":{"Body":"{}"}}"# => Some("{}");
    another_method_is_ignored: r#"{"ModifiedClientRequest":{"Method":"GET"}}"# => None;
    the_adapters_own_uri_is_ignored:
        r#"{"ModifiedClientRequest":{"Method":"POST","Request":"/flocker-adapter"}}"# => None;
    both_halves_may_be_there: r#"{"PowerstripProtocolVersion":2,"Type":"x",
        "ModifiedServerResponse":{"ContentType":"","Body":{},"Code":"none"},
        "ModifiedClientRequest":{"Body":"{}"}}"# => Some("{}");
}

#[test]
fn what_was_not_shown_cannot_be_erased() {
    replies(200, r#"{"ModifiedClientRequest":{"Body":""}}"#);
    let mut request = testing::request("GET", "/info", json!(null));

    webhook(1).pre(&mut request).expect("the webhook replies");

    assert!(!testing::is_modified(&request));
}

#[test]
fn a_new_query_is_applied_and_a_new_path_is_not() {
    let paths = ["/v1.16/containers/create?name=api", "/other?name=api"];

    let targets = paths.map(|target| {
        replies(200, json!({"ModifiedClientRequest": {"Request": target}}).to_string());
        let mut request = request(json!({}));
        webhook(1).pre(&mut request).expect("the webhook replies");
        request.path_with_query().to_owned()
    });

    assert_eq!(targets, ["/v1.16/containers/create?name=api", CREATE]);
}

#[test]
fn code_content_type_and_body_are_all_applied() {
    let modified = json!({"Code": 201, "ContentType": "text/plain", "Body": "fine"});
    replies(200, json!({"ModifiedServerResponse": modified}).to_string());
    let mut response = testing::response(500, json!({"message": "sad"}));

    webhook(1).post(&request(json!({})), &mut response).expect("the webhook replies");

    assert_eq!((response.status(), response.header("content-type")), (201, Some("text/plain")));
    assert_eq!(text(response.body()).as_deref(), Some("fine"));
}

#[test]
fn empty_fields_of_an_answer_keep_what_was_there() {
    let modified = json!({"Code": 0, "ContentType": "", "Body": null});
    replies(200, json!({"ModifiedServerResponse": modified}).to_string());
    let mut response = testing::response(200, json!({}));

    webhook(1).post(&request(json!({})), &mut response).expect("the webhook replies");

    assert!(!testing::is_modified_response(&response));
}

macro_rules! refuses {
    ($($name:ident: $status:literal $reply:literal => $message:literal, $body:expr;)+) => {$(
        #[test]
        fn $name() {
            replies($status, $reply);

            let outcome = webhook(1).pre(&mut request(json!({}))).expect("it is an outcome");

            let Pre::Reject(rejection) = outcome else { panic!("{outcome:?}") };
            let body: Option<&str> = $body;
            assert_eq!((rejection.status, &*rejection.message), ($status, $message));
            assert_eq!(text(rejection.body.as_deref()).as_deref(), body);
        }
    )+};
}

refuses! {
    with_its_own_json: 403 r#"{"message":"no","why":7}"# => "no", Some(r#"{"message":"no","why":7}"#);
    with_its_text: 500 " sadness for you, today.\n" => "sadness for you, today.", None;
    with_nothing: 403 "" => "webhook unix:///hook.sock:/hook answered 403", None;
    with_a_protocol_body: 500 r#"{"ModifiedClientRequest":{}}"# =>
        r#"{"ModifiedClientRequest":{}}"#, None;
}

macro_rules! bad {
    ($($name:ident: $reply:expr => $message:literal;)+) => {$(
        #[test]
        fn $name() {
            replies(200, $reply);

            let error = webhook(1).pre(&mut request(json!({}))).expect_err("it makes no sense");

            assert_eq!(error, Error::bad_message($message));
        }
    )+};
}

bad! {
    an_empty_reply: "" => "its reply is empty";
    a_reply_of_html: "<html>" => "its reply is not JSON (line 1, column 1)";
    a_reply_that_breaks_off: "{\"a\":" => "its reply is not JSON (line 1, column 5)";
    a_list: "[1]" => "its reply is JSON, but not an object";
    a_list_of_halves: " [{\"Body\":\"{}\"}]" => "its reply is JSON, but not an object";
    null: "null" => "its reply is JSON, but not an object";
    a_reply_without_its_half: "{\"ModifiedServerResponse\":{}}" =>
        "its reply has no ModifiedClientRequest";
    a_body_that_is_no_string: "{\"ModifiedClientRequest\":{\"Body\":{}}}" =>
        "its reply's ModifiedClientRequest: invalid type: map, expected a string";
}

#[test]
fn a_long_page_of_an_error_is_cut_and_keeps_its_status() {
    replies(403, "ü".repeat(100_000));

    let refused = webhook(1).pre(&mut request(json!({}))).expect("a refusal is an outcome");

    let Pre::Reject(rejection) = refused else { panic!("{refused:?}") };
    assert_eq!(rejection.status, 403);
    assert!(rejection.message.len() <= 64 * 1024 && rejection.message.ends_with("ü…"));
}

#[test]
fn a_status_that_no_client_takes_for_an_error_is_none_to_pass_on() {
    let statuses = [302, 304, 600];

    let errors = statuses.map(|status| {
        replies(status, "");
        webhook(1).pre(&mut request(json!({}))).expect_err("it is no reply")
    });

    let said = |status| Error::bad_message(format!("unix:///hook.sock:/hook answered {status}"));
    assert_eq!(errors, statuses.map(said));
}

#[test]
fn an_unreachable_webhook_is_named_as_the_operator_wrote_it() {
    testing::http(|_| Err(http::Error::Unreachable("connection refused".to_owned())));

    let error = webhook(1).pre(&mut request(json!({}))).expect_err("nobody listens");

    let text = "cannot reach unix:///hook.sock:/hook: connection refused";
    assert_eq!(error, Error::unavailable(text));
}

#[test]
fn version_1_is_never_asked_to_unwind() {
    let seen = replies(500, "");

    webhook(1).unwind(&request(json!({})), &Reason::ClientGone).expect("there is nothing to do");

    assert!(seen.borrow().is_empty());
}

#[test]
fn version_2_sees_headers_and_context_and_may_answer_the_client() {
    let modified = json!({"Code": 202, "Body": "{}", "Headers": {"X-Mine": ["1", "2"]}});
    let reply = json!({"Continue": false, "ModifiedServerResponse": modified});
    let seen = replies(200, reply.to_string());
    let context = Context { pattern: "POST /*".to_owned(), ..Context::default() };
    let mut request = testing::request_in(context, "POST", CREATE, json!({}));

    let outcome = webhook(2).pre(&mut request).expect("the webhook replies");

    let Pre::Respond(response) = outcome else { panic!("{outcome:?}") };
    assert_eq!((response.status(), response.header("x-mine")), (202, Some("1")));
    let message = &seen.borrow()[0];
    assert_eq!(message["Context"]["Pattern"], "POST /*");
    assert_eq!(message["ClientRequest"]["Headers"]["content-type"], json!(["application/json"]));
}

#[test]
fn version_2_may_end_the_chain_of_post_hooks_and_version_1_may_not() {
    let reply = json!({"Continue": false, "ModifiedServerResponse": {"Code": 299}});
    let _seen = replies(200, reply.to_string());

    let outcomes = [1, 2].map(|version| {
        let mut response = testing::response(200, json!({}));
        let outcome = webhook(version).post(&request(json!({})), &mut response);
        (outcome.expect("the webhook replies"), response.status())
    });

    assert!(matches!(outcomes, [(Post::Pass, 299), (Post::Finish, 299)]), "{outcomes:?}");
}

#[test]
fn version_2_may_echo_all_headers() {
    let headers = json!({"Content-Type": ["application/json"], "Host": null});
    let reply = json!({"ModifiedClientRequest": {"Headers": headers}});
    let _seen = replies(200, reply.to_string());
    let mut request = request(json!({}));

    webhook(2).pre(&mut request).expect("the webhook replies");

    assert!(!testing::is_modified(&request));
}

#[test]
fn version_2_is_told_why_to_unwind() {
    let seen = replies(200, "");

    webhook(2).unwind(&request(json!({})), &Reason::Answered(409)).expect("the webhook agrees");

    let message = &seen.borrow()[0];
    assert_eq!(message["Type"], "unwind");
    assert_eq!(message["Reason"], json!({"Kind": "answered", "Code": 409}));
}

#[test]
fn another_version_is_refused() {
    let refused = testing::try_adapter::<HttpAdapter>(json!({"url": "http://a/", "protocol": 3}));

    assert_eq!(
        refused.expect_err("there is no 3"),
        "protocol: expected 0, 1, 2 or \"seed\", found 3"
    );
}
