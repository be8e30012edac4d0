use std::cell::Cell;

use powerstrip_sdk::{http, testing};
use serde_json::{Value, json};

use super::*;

/// The engine tells of each look the next of these healths, and the last one ever after.
fn engine_tells(healths: &'static [&'static str]) {
    let looks = Cell::new(0);
    testing::http(move |request| {
        assert_eq!(request.url, "http://engine.internal/containers/web%2Done/json");
        let health = healths[looks.get().min(healths.len() - 1)];
        looks.set(looks.get() + 1);
        let body = json!({"State": {"Running": true, "Health": {"Status": health}}});
        Ok(http::Response { status: 200, body: body.to_string().into(), ..Default::default() })
    });
}

fn started(config: Value, status: u16) -> Post {
    let adapter: WaitReady = testing::adapter(config);
    let context = Context {
        endpoint: Some("container-start".to_owned()),
        variables: vec![("name".to_owned(), "web-one".to_owned())],
        deadline_left: Duration::from_secs(30),
        ..Context::default()
    };
    let request = testing::request_in(context, "POST", "/containers/web-one/start", Value::Null);
    adapter.post(&request, &mut testing::response(status, Value::Null)).expect("the hook works")
}

#[test]
fn a_start_is_answered_when_the_container_is_healthy() {
    engine_tells(&["starting", "starting", "healthy"]);

    let outcome = started(json!({"interval": "1ms"}), 204);

    assert!(matches!(outcome, Post::Pass), "{outcome:?}");
}

#[test]
fn one_that_is_not_ready_in_time_fails_the_start() {
    engine_tells(&["starting"]);

    let outcome = started(json!({"interval": "1ms", "timeout": "5ms"}), 204);

    let Post::Reject(rejection) = outcome else { panic!("{outcome:?}") };
    let message =
        "container web-one was started and is not ready: its health is \"starting\"".to_owned();
    assert_eq!((rejection.status, rejection.message), (504, message));
}

#[test]
fn one_that_is_unhealthy_fails_the_start_at_once() {
    engine_tells(&["unhealthy"]);

    let outcome = started(json!({"timeout": "20s"}), 204);

    assert!(matches!(outcome, Post::Reject(_)), "{outcome:?}");
}

#[test]
fn one_that_is_not_ready_may_pass_with_a_warning() {
    assert_eq!(testing::logs(), Vec::<String>::new());
    engine_tells(&["unhealthy"]);

    let outcome = started(json!({"on_timeout": "pass"}), 204);

    assert!(matches!(outcome, Post::Pass), "{outcome:?}");
    assert!(testing::logs()[0].starts_with("warn: container web-one"));
}

#[test]
fn a_start_that_failed_is_not_waited_for() {
    engine_tells(&["starting"]);

    let outcomes = [304, 404, 500].map(|status| started(json!({}), status));

    assert!(outcomes.iter().all(|outcome| matches!(outcome, Post::Pass)), "{outcomes:?}");
}

#[test]
fn one_that_is_gone_is_not_waited_for() {
    testing::http(|_| Ok(http::Response { status: 404, ..Default::default() }));

    let outcome = started(json!({}), 204);

    assert!(matches!(outcome, Post::Pass), "{outcome:?}");
}

#[test]
fn a_container_names_its_own_probe() {
    testing::http(|_| {
        let labels = json!({"waitready": "none"});
        let state = json!({"Running": true, "Health": {"Status": "starting"}});
        let body = json!({"State": state, "Config": {"Labels": labels}}).to_string();
        Ok(http::Response { status: 200, body: body.into(), ..Default::default() })
    });

    let outcome = started(json!({"timeout": "5ms"}), 204);

    assert!(matches!(outcome, Post::Pass), "{outcome:?}");
}

macro_rules! refuses {
    ($($name:ident: $config:tt => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let config = json!($config);

            let refused = testing::try_adapter::<WaitReady>(config);

            assert_eq!(refused.expect_err("the configuration is wrong"), $expected);
        }
    )+};
}

refuses! {
    a_probe_that_there_is_not: {"probe": "exec:true"} =>
        "probe: \"exec:true\" is none of health, http:PORT/PATH, tcp:PORT, none";
    no_pause: {"interval": "0s"} =>
        "interval: without a pause the engine is asked all the time";
}
