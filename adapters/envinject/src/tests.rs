use powerstrip_sdk::{http, testing};
use serde_json::{Value, json};

use super::*;

const CREATE: &str = "/v1.47/containers/create?name=web";

fn body_after(adapter: &EnvInject, body: Value) -> Value {
    let mut request = testing::request("POST", CREATE, body);
    let outcome = adapter.pre(&mut request).expect("the hook works");
    assert!(matches!(outcome, Pre::Pass), "{outcome:?}");
    request.json().expect("the body is JSON")
}

fn consul(entries: &'static str) {
    testing::http(move |request| {
        assert_eq!(request.url, "http://consul:8500/v1/kv/app/?recurse");
        Ok(http::Response { status: 200, headers: vec![], body: entries.into() })
    });
}

#[test]
fn variables_of_the_configuration_are_added() {
    let adapter = testing::adapter(json!({"env": {"TEAM": "blue"}}));

    let body = body_after(&adapter, json!({"Image": "alpine", "Env": ["A=1"]}));

    assert_eq!(body, json!({"Image": "alpine", "Env": ["A=1", "TEAM=blue"]}));
}

#[test]
fn what_has_no_env_yet_gets_one_and_keeps_its_numbers() {
    let adapter: EnvInject = testing::adapter(json!({"env": {"TEAM": "blue"}}));
    let mut request = testing::request("POST", "/containers/create", json!(null));
    request.set_body(r#"{"Image":"alpine","Memory":9007199254740993,"X":1.10}"#);

    adapter.pre(&mut request).expect("the hook works");

    let text = String::from_utf8_lossy(request.body().expect("there is a body"));
    let expected = r#"{"Image":"alpine","Memory":9007199254740993,"X":1.10,"Env":["TEAM=blue"]}"#;
    assert_eq!(text, expected);
}

#[test]
fn another_call_passes() {
    let adapter: EnvInject = testing::adapter(json!({"env": {"TEAM": "blue"}}));
    let paths = ["/v1.47/containers/abc/start", "/v5.0.0/libpod/containers/create"];

    for path in paths {
        let mut request = testing::request("POST", path, json!({}));
        adapter.pre(&mut request).expect("the hook works");

        assert!(!testing::is_modified(&request), "{path}");
    }
}

#[test]
fn a_container_that_has_all_of_them_passes_unchanged() {
    let adapter: EnvInject = testing::adapter(json!({"env": {"TEAM": "blue"}}));
    let mut request = testing::request("POST", CREATE, json!({"Env": ["TEAM=red"]}));

    adapter.pre(&mut request).expect("the hook works");

    assert!(!testing::is_modified(&request));
}

#[test]
fn an_env_of_the_wrong_shape_is_the_clients_fault() {
    let adapter: EnvInject = testing::adapter(json!(null));
    let mut request = testing::request("POST", CREATE, json!({"Env": "A=1"}));

    let outcome = adapter.pre(&mut request).expect("the hook works");

    assert!(matches!(outcome, Pre::Reject(rejection) if rejection.status == 400));
}

#[test]
fn keys_of_consul_are_named_by_their_last_part() {
    consul(
        r#"[{"Key":"app/","Value":null},{"Key":"app/DB_HOST","Value":"ZGIx"},
            {"Key":"app/sub/EMPTY","Value":null}]"#,
    );
    let place = json!({"url": "http://consul:8500/", "prefix": "app/"});
    let adapter = testing::adapter(json!({"consul": place}));

    let body = body_after(&adapter, json!({}));

    assert_eq!(body, json!({"Env": ["DB_HOST=db1", "EMPTY="]}));
}

#[test]
fn keys_of_etcd_are_read_by_range() {
    testing::http(|request| {
        assert_eq!(request.url, "http://etcd:2379/v3/kv/range");
        let range: Value = serde_json::from_slice(&request.body).expect("a range is JSON");
        assert_eq!(range, json!({"key": "YXBwLw==", "range_end": "YXBwMA=="}));
        let body = r#"{"kvs":[{"key":"YXBwL0RC","value":"ZGIx"}],"count":"1"}"#;
        Ok(http::Response { status: 200, headers: vec![], body: body.into() })
    });
    let place = json!({"url": "http://etcd:2379", "prefix": "app/"});
    let adapter = testing::adapter(json!({"etcd": place}));

    let body = body_after(&adapter, json!({}));

    assert_eq!(body, json!({"Env": ["DB=db1"]}));
}

#[test]
fn a_source_is_asked_once_while_its_answer_counts() {
    let mut asked = 0;
    testing::http(move |_| {
        asked += 1;
        let body = format!(r#"[{{"Key":"N{asked}","Value":"MQ=="}}]"#);
        Ok(http::Response { status: 200, headers: vec![], body: body.into_bytes() })
    });
    let config = |cache| json!({"consul": {"url": "http://c"}, "cache": cache});
    let (caching, asking) =
        (testing::adapter(config("1h")), testing::adapter::<EnvInject>(config("0s")));

    let bodies = [
        body_after(&caching, json!({})),
        body_after(&caching, json!({})),
        body_after(&asking, json!({})),
    ];

    assert_eq!(
        bodies,
        [json!({"Env": ["N1=1"]}), json!({"Env": ["N1=1"]}), json!({"Env": ["N2=1"]})]
    );
}

#[test]
fn without_the_grant_it_works_without_its_cache() {
    testing::deny_keyvalue();
    assert_eq!(testing::logs(), Vec::<String>::new());
    consul(r#"[{"Key":"app/A","Value":"MQ=="}]"#);
    let place = json!({"url": "http://consul:8500", "prefix": "app/"});
    let adapter = testing::adapter(json!({"consul": place}));

    let body = body_after(&adapter, json!({}));

    assert_eq!(body, json!({"Env": ["A=1"]}));
    let expected = "debug: works without its cache: keeping values is not granted to this adapter";
    assert_eq!(testing::logs(), [expected]);
}

#[test]
fn a_source_that_is_down_fails_the_create_in_its_name() {
    testing::http(|_| Err(http::Error::Unreachable("connection refused".to_owned())));
    let adapter: EnvInject = testing::adapter(json!({"consul": {"url": "http://consul:8500"}}));
    let mut request = testing::request("POST", CREATE, json!({}));

    let error = adapter.pre(&mut request).expect_err("its source is down");

    let text = "cannot read Consul at http://consul:8500 under \"\": connection refused";
    assert_eq!(error, Error::unavailable(text));
}

#[test]
fn an_optional_source_that_is_down_is_left_out_with_a_warning() {
    assert_eq!(testing::logs(), Vec::<String>::new());
    testing::http(|_| Ok(http::Response { status: 500, ..http::Response::default() }));
    let etcd = json!({"url": "http://etcd:2379", "optional": true});
    let adapter = testing::adapter(json!({"env": {"A": "1"}, "etcd": etcd}));

    let body = body_after(&adapter, json!({}));

    assert_eq!(body, json!({"Env": ["A=1"]}));
    let expected =
        "warn: left out: cannot read etcd at http://etcd:2379 under \"\": it answered 500";
    assert_eq!(testing::logs(), [expected]);
}

macro_rules! refuses {
    ($($name:ident: $config:tt => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let config = json!($config);

            let refused = testing::try_adapter::<EnvInject>(config);

            assert_eq!(refused.expect_err("the configuration is wrong"), $expected);
        }
    )+};
}

refuses! {
    an_unknown_key_in_a_source: {"consul": {"url": "http://c", "token": "x"}} =>
        "consul.token: unknown field `token`, expected one of `url`, `prefix`, `optional`";
    a_source_without_url: {"etcd": {"prefix": "app/"}} => "etcd: missing field `url`";
    a_url_that_is_none: {"consul": {"url": "consul:8500"}} =>
        "consul.url: \"consul:8500\" is not an http:// or https:// URL";
    a_name_that_no_environment_holds: {"env": {"A=B": "1"}} =>
        "env: \"A=B\" cannot be an environment variable";
    a_timeout_of_nothing: {"timeout": "0s"} => "timeout: no service answers in no time";
}
