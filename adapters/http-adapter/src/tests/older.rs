//! The forms from before version 1: flat messages with decoded bodies.

use super::*;

const TARGET: &str = "/v1.16/containers/create?name=web";

#[test]
fn version_0_tells_a_pre_hook_flatly() {
    let seen = replies(200, "{}");

    webhook(0).pre(&mut request(json!({"Image": "a"}))).expect("the webhook replies");

    let expected =
        json!({"Type": "pre-hook", "Method": "POST", "Request": TARGET, "Body": {"Image": "a"}});
    assert_eq!(*seen.borrow(), [expected]);
}

#[test]
fn version_0_tells_a_post_hook_flatly() {
    let seen = replies(200, "{}");
    let mut response = testing::response(201, json!({"Id": "b"}));

    webhook(0).post(&request(json!({"Image": "a"})), &mut response).expect("the webhook replies");

    let expected = json!({
        "Type": "post-hook",
        "OriginalClientMethod": "POST",
        "OriginalClientRequest": TARGET,
        "OriginalClientBody": {"Image": "a"},
        "DockerResponseContentType": "application/json",
        "DockerResponseBody": {"Id": "b"},
        "DockerResponseCode": 201,
    });
    assert_eq!(*seen.borrow(), [expected]);
    assert!(!testing::is_modified_response(&response));
}

#[test]
fn the_seed_tells_method_request_and_body() {
    let seen = replies(200, r#"{"responsecode":200}"#);

    webhook("seed").pre(&mut request(json!({"Image": "a"}))).expect("the webhook replies");

    let expected = json!({"method": "POST", "request": TARGET, "body": {"Image": "a"}});
    assert_eq!(*seen.borrow(), [expected]);
}

#[test]
fn the_seed_tells_a_post_hook_the_answer_besides() {
    let seen = replies(200, r#"{"responsecode":201}"#);
    let mut response = testing::response(201, json!({"Id": "b"}));

    webhook("seed").post(&request(json!({})), &mut response).expect("the webhook replies");

    let expected = json!({
        "method": "POST", "request": TARGET, "body": {},
        "responsecode": 201, "responsebody": {"Id": "b"},
    });
    assert_eq!(*seen.borrow(), [expected]);
    assert!(!testing::is_modified_response(&response));
}

#[test]
fn a_number_keeps_its_digits_and_an_object_its_order() {
    let texts = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&texts);
    testing::http(move |request| {
        seen.borrow_mut().push(String::from_utf8_lossy(&request.body).into_owned());
        Ok(http::Response { status: 200, headers: vec![], body: br#"{"responsecode":200}"#.into() })
    });
    let body = r#"{"z":1.50,"a":12345678901234567890123}"#;
    let mut request = request(json!({}));
    request.set_body(body);

    for protocol in [json!(0), json!("seed")] {
        webhook(protocol).pre(&mut request).expect("the webhook replies");
    }

    assert!(texts.borrow().iter().all(|text| text.contains(body)), "{texts:?}");
}

#[test]
fn what_is_not_there_is_null_and_what_is_no_json_is_text() {
    let seen = replies(200, r#"{"responsecode":404}"#);
    let get = testing::request("GET", "/v1.16/containers/x/json", json!(null));
    let mut response = testing::response(404, json!(null));
    response.set_header("content-type", "text/plain");
    response.set_body("404");

    for protocol in [json!(0), json!("seed")] {
        webhook(protocol).post(&get, &mut response).expect("the webhook replies");
    }

    let [flat, seed] = &seen.borrow()[..] else { panic!("two calls") };
    let bodies = [&flat["OriginalClientBody"], &seed["body"]];
    assert_eq!(bodies, [&json!(null), &json!(null)]);
    assert_eq!(
        [&flat["DockerResponseBody"], &seed["responsebody"]],
        [&json!("404"), &json!("404")]
    );
}

/// What a pre-hook's reply makes of the body `{"A":1}`; none: it stays.
macro_rules! body_becomes {
    ($($name:ident: $protocol:expr, $reply:expr => $expected:expr;)+) => {$(
        #[test]
        fn $name() {
            replies(200, $reply);
            let mut request = request(json!({"A": 1}));

            let outcome = webhook($protocol).pre(&mut request).expect("the reply is tolerated");

            let expected: Option<&str> = $expected;
            assert!(matches!(outcome, Pre::Pass));
            assert_eq!(testing::is_modified(&request), expected.is_some());
            assert_eq!(text(request.body()).as_deref(), expected.or(Some("{\"A\":1}")));
        }
    )+};
}

body_becomes! {
    flat_an_object_replaces: 0, r#"{"Body": {"B": [1.0]}}"# => Some(r#"{"B": [1.0]}"#);
    flat_another_spelling_is_an_echo: 0, r#"{"Body": { "A" : 1 }}"# => None;
    flat_a_string_replaces: 0, r#"{"Body": "{\"B\":2}"}"# => Some(r#"{"B":2}"#);
    flat_null_keeps: 0, r#"{"Body": null}"# => None;
    flat_a_missing_body_keeps: 0, r#"{"Method": "GET"}"# => None;
    flat_the_whole_message_may_come_back: 0,
        r#"{"Type":"pre-hook","Method":"POST","Request":"/something","Body":{"B":2}}"#
        => Some(r#"{"B":2}"#);
    seed_an_object_replaces: "seed", r#"{"responsecode": 200, "body": {"B": 2}}"#
        => Some(r#"{"B": 2}"#);
    seed_an_echo_changes_nothing: "seed", r#"{"responsecode": 204, "body": {"A": 1}}"# => None;
    seed_null_keeps: "seed", r#"{"responsecode": 200, "body": null}"# => None;
}

#[test]
fn version_0_may_change_the_query() {
    replies(200, r#"{"Request": "/v1.16/containers/create?name=api"}"#);
    let mut request = request(json!({}));

    webhook(0).pre(&mut request).expect("the webhook replies");

    assert_eq!(request.path_with_query(), "/v1.16/containers/create?name=api");
}

#[test]
fn what_was_not_shown_is_not_erased() {
    for (protocol, reply) in
        [(json!(0), r#"{"Body":""}"#), (json!("seed"), r#"{"responsecode":200,"body":""}"#)]
    {
        replies(200, reply);
        let mut request = testing::request("GET", "/info", json!(null));

        webhook(protocol).pre(&mut request).expect("the webhook replies");

        assert!(!testing::is_modified(&request));
    }
}

/// What a post-hook's reply makes of 404 `{"message":"sad"}`.
macro_rules! answer_becomes {
    ($($name:ident: $protocol:expr, $reply:expr => $status:literal, $type:literal, $body:expr;)+) => {$(
        #[test]
        fn $name() {
            replies(200, $reply);
            let mut response = testing::response(404, json!({"message": "sad"}));

            let outcome = webhook($protocol).post(&request(json!({})), &mut response);

            assert!(matches!(outcome, Ok(Post::Pass)), "{outcome:?}");
            let body = text(response.body()).unwrap_or_default();
            let told = (response.status(), response.header("content-type").unwrap_or_default(), &*body);
            assert_eq!(told, ($status, $type, $body));
        }
    )+};
}

answer_becomes! {
    flat_all_three_are_applied: 0, r#"{"ContentType":"text/plain","Body":"fine","Code":200}"#
        => 200, "text/plain", "fine";
    flat_a_body_alone: 0, r#"{"Body":{"a":1}}"# => 404, "application/json", r#"{"a":1}"#;
    flat_nothing: 0, "{}" => 404, "application/json", r#"{"message":"sad"}"#;
    seed_a_success: "seed", r#"{"responsecode":200,"body":{"a":1}}"#
        => 200, "application/json", r#"{"a":1}"#;
    seed_an_error: "seed", r#"{"responsecode":500}"#
        => 500, "application/json", r#"{"message":"sad"}"#;
    seed_a_text_is_no_json: "seed", r#"{"responsecode":200,"body":"fine"}"#
        => 200, "text/plain; charset=utf-8", "fine";
}

/// The seed's own example: the webhook answers 200, and refuses within.
macro_rules! seed_refuses {
    ($($name:ident: $reply:expr => $message:literal, $body:expr;)+) => {$(
        #[test]
        fn $name() {
            replies(200, $reply);

            let outcome = webhook("seed").pre(&mut request(json!({}))).expect("it is an outcome");

            let Pre::Reject(rejection) = outcome else { panic!("{outcome:?}") };
            let body: Option<&str> = $body;
            assert_eq!((rejection.status, &*rejection.message), (404, $message));
            assert_eq!(text(rejection.body.as_deref()).as_deref(), body);
        }
    )+};
}

seed_refuses! {
    in_the_shape_of_docker: r#"{"responsecode":404,"body":{"message":"no"}}"#
        => "no", Some(r#"{"message":"no"}"#);
    in_words: r#"{"responsecode":404,"body":"no such thing"}"# => "no such thing", None;
    in_json_of_its_own: r#"{"responsecode":404,"body":{"why":1}}"# => r#"{"why":1}"#, None;
    without_words: r#"{"responsecode":404}"#
        => "webhook unix:///hook.sock:/hook answered 404", None;
}

macro_rules! bad {
    ($($name:ident: $protocol:expr, $reply:expr => $message:literal;)+) => {$(
        #[test]
        fn $name() {
            replies(200, $reply);

            let error = webhook($protocol).pre(&mut request(json!({}))).expect_err("no sense");

            assert_eq!(error, Error::bad_message($message));
        }
    )+};
}

bad! {
    a_list: 0, "[]" => "its reply is JSON, but not an object";
    no_code: "seed", r#"{"body":{}}"# => "its reply has no responsecode";
    a_code_that_says_nothing: "seed", r#"{"responsecode":302}"#
        => "its responsecode 302 is neither a success nor an error";
    a_code_in_words: "seed", r#"{"responsecode":"200"}"#
        => "its reply's responsecode: invalid type: string \"200\", expected u16";
}

#[test]
fn an_http_error_refuses_in_every_form() {
    for protocol in [json!(0), json!("seed")] {
        replies(403, "no");

        let refused = webhook(protocol).pre(&mut request(json!({}))).expect("it is an outcome");

        let Pre::Reject(rejection) = refused else { panic!("{refused:?}") };
        assert_eq!((rejection.status, &*rejection.message), (403, "no"));
    }
}

#[test]
fn nobody_is_asked_to_unwind() {
    let seen = replies(500, "");

    for protocol in [json!(0), json!("seed")] {
        let unwound = webhook(protocol).unwind(&request(json!({})), &Reason::ClientGone);
        unwound.expect("there is nothing to do");
    }

    assert!(seen.borrow().is_empty());
}
