//! Instances that serve several calls, where the operator wants them to, and all that ends one.

use powerstrip_tests::{FakeEngine, Powerstrip, api_answer, eventually};
use serde_json::{Value, json};

/// A proxy with the guest that counts its calls in its own memory, after each `GET /info`.
async fn with(engine: &FakeEngine, settings: Value) -> Powerstrip {
    engine.on("GET /info", api_answer(200, &json!({})));
    Powerstrip::builder()
        .engine(engine.address())
        .post("GET /*/info", &["hoarder"])
        .component("hoarder")
        .adapter("hoarder", settings)
        .start()
        .await
}

/// Makes one call, and tells how often its instance had been called before, itself included.
async fn uses(powerstrip: &Powerstrip, query: &str) -> Option<u64> {
    let answer = powerstrip.get(&format!("/v1.41/info?{query}")).await;
    answer.header("x-uses").and_then(|uses| uses.parse().ok())
}

async fn three(powerstrip: &Powerstrip) -> [Option<u64>; 3] {
    [uses(powerstrip, "").await, uses(powerstrip, "").await, uses(powerstrip, "").await]
}

#[tokio::test]
async fn by_default_each_call_has_an_instance_of_its_own() {
    let engine = FakeEngine::start();
    let powerstrip = with(&engine, json!({})).await;

    assert_eq!(three(&powerstrip).await, [Some(1); 3]);
}

#[tokio::test]
async fn a_warm_instance_serves_one_call_after_the_other() {
    let engine = FakeEngine::start();
    let powerstrip = with(&engine, json!({"instances": "warm"})).await;

    assert_eq!(three(&powerstrip).await, [Some(1), Some(2), Some(3)]);
}

#[tokio::test]
async fn a_warm_instance_builds_its_adapter_once() {
    let engine = FakeEngine::start();
    let powerstrip = with(&engine, json!({"instances": "warm"})).await;
    assert_eq!(three(&powerstrip).await, [Some(1), Some(2), Some(3)]);

    let answer = powerstrip.get("/v1.41/info").await;

    assert_eq!((answer.header("x-uses"), answer.header("x-builds")), (Some("4"), Some("1")));
}

#[tokio::test]
async fn a_warm_instance_serves_no_more_calls_than_it_may() {
    let engine = FakeEngine::start();
    let powerstrip = with(&engine, json!({"instances": {"warm": {"uses": 2}}})).await;

    assert_eq!(three(&powerstrip).await, [Some(1), Some(2), Some(1)]);
}

macro_rules! thrown_away {
    ($($name:ident: $query:literal, $limits:tt;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let engine = FakeEngine::start();
            let settings = json!({
                "instances": "warm", "grants": {"keyvalue": true}, "limits": $limits,
            });
            let powerstrip = with(&engine, settings).await;
            assert_eq!(three(&powerstrip).await, [Some(1), Some(2), Some(3)]);

            uses(&powerstrip, $query).await;

            assert_eq!(three(&powerstrip).await, [Some(1), Some(2), Some(3)]);
        }
    )*};
}

thrown_away! {
    one_that_crashed_is_thrown_away: "do=trap", {};
    one_that_gave_up_is_thrown_away: "do=fail", {};
    one_that_ran_too_long_is_thrown_away: "do=spin", {"deadline": "2s", "fuel": u64::MAX};
    one_that_ran_out_of_fuel_is_thrown_away: "do=spin", {"fuel": 10_000_000};
    one_that_keeps_a_handle_is_thrown_away: "do=hoard", {};
}

/// Else what is left of the first call's fuel would have to do for all.
#[tokio::test]
async fn each_call_of_a_warm_instance_has_all_of_its_fuel() {
    let engine = FakeEngine::start();
    let settings = json!({"instances": "warm", "limits": {"fuel": 1_000_000}});
    let powerstrip = with(&engine, settings).await;

    for call in 1..=20 {
        assert_eq!(uses(&powerstrip, "").await, Some(call));
    }
}

#[tokio::test]
async fn one_that_is_idle_for_too_long_is_thrown_away() {
    let engine = FakeEngine::start();
    let settings = json!({"instances": {"warm": {"idle": "1ms"}}});
    let powerstrip = with(&engine, settings).await;

    uses(&powerstrip, "").await;

    // Soon enough two calls are further apart than that.
    let is_new = async || (uses(&powerstrip, "").await == Some(1)).then_some(());
    eventually("a new instance", is_new).await;
}

#[tokio::test]
async fn a_new_generation_begins_with_new_instances() {
    let engine = FakeEngine::start();
    let powerstrip = with(&engine, json!({"instances": {"warm": {"uses": 1000}}})).await;
    assert_eq!(three(&powerstrip).await, [Some(1), Some(2), Some(3)]);

    powerstrip.rewrite(|text| text.replace("\"uses\":1000", "\"uses\":999"));

    let is_new = async || (uses(&powerstrip, "").await == Some(1)).then_some(());
    eventually("a new instance", is_new).await;
}

#[tokio::test]
async fn a_reload_that_does_not_concern_it_keeps_it() {
    let engine = FakeEngine::start();
    let powerstrip = with(&engine, json!({"instances": "warm"})).await;
    assert_eq!(three(&powerstrip).await, [Some(1), Some(2), Some(3)]);

    powerstrip.rewrite(|text| text.replace("version: 1\n", "version: 1\nlimits: {body: 1MiB}\n"));
    powerstrip.logged("\"reloaded\"").await;

    assert_eq!(uses(&powerstrip, "").await, Some(4));
}

/// The second call must neither see what the first one carried, nor speak in its name.
#[tokio::test]
async fn nothing_of_a_request_is_left_for_the_next() {
    let engine = FakeEngine::start();
    engine.on("GET /info", api_answer(200, &json!({})));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .endpoint("GET /*/info", &["hoarder"], &["hoarder"])
        .component("hoarder")
        .adapter("hoarder", json!({"instances": "warm"}))
        .start()
        .await;

    let first = powerstrip.get("/v1.41/info?do=carry").await;
    powerstrip.get("/v1.41/info?do=print").await;
    let last = powerstrip.get("/v1.41/info").await;

    assert_eq!((first.header("x-carried"), last.header("x-carried")), (Some("mine"), Some("")));
    assert_eq!(last.header("x-uses"), Some("3"));
    let request = async |text: &str| {
        let line = powerstrip.logged(&format!("\"message\":\"{text}\"")).await;
        let fields: Value = serde_json::from_str(&line).expect("a line of JSON");
        fields["request_id"].clone()
    };
    assert_eq!(request("half a line").await, request("use 2").await);
    assert_ne!(request("use 2").await, request("use 3").await);
}

#[tokio::test]
async fn calls_at_the_same_time_never_share_an_instance() {
    let engine = FakeEngine::start();
    let settings = json!({"instances": {"warm": {"concurrency": 1}}});
    let powerstrip = with(&engine, settings).await;

    let four = async || {
        let call = || Box::pin(uses(&powerstrip, ""));
        tokio::join!(call(), call(), call(), call())
    };
    let (first, second) = (four().await, four().await);
    let after = uses(&powerstrip, "").await;

    // Each was served; how many by the one instance that is kept is a matter of timing.
    for counted in [first, second] {
        assert!(matches!(counted, (Some(_), Some(_), Some(_), Some(_))), "{counted:?}");
    }
    assert!(after.is_some_and(|uses| uses > 1), "{after:?}");
}
