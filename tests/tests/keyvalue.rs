//! Values that adapters keep between calls: in memory, and in a Redis that several Powerstrips share.

use std::time::{Duration, Instant};

use powerstrip_tests::{Builder, Powerstrip, Redis, command_line, eventually};
use serde_json::{Value, json};

const ENDPOINT: &str = "GET /*/info";
const INFO: &str = "/v1.41/info";

/// A proxy whose adapter of this name takes these steps.
#[expect(clippy::needless_pass_by_value, reason = "json!(…) reads better than &json!(…)")]
fn keeping(name: &str, grant: Value, steps: &Value) -> Builder {
    let settings = json!({"config": steps, "grants": {"keyvalue": grant}});
    Powerstrip::builder()
        .component_as("grantee", name)
        .adapter(name, settings)
        .pre(ENDPOINT, &[name])
}

async fn outcomes(powerstrip: &Powerstrip) -> Value {
    powerstrip.get(INFO).await.json()
}

/// All that the interface has, once.
fn everything() -> Value {
    json!([
        {"get": "a"}, {"set": ["a", "1"]}, {"get": "a"}, {"exists": "a"}, {"exists": "b"},
        {"increment": "n"}, {"add": ["n", 41]}, {"get": "n"},
        {"set_many": {"x": "1", "y": "2"}}, {"get_many": ["y", "none", "x", "x"]},
        {"keys": ""}, {"delete": "a"}, {"delete": "a"}, {"delete_many": ["x", "y"]},
        {"keys": "default"}, {"set": ["w", "word"]}, {"increment": "w"}, {"keys": "other"},
        {"get": "k".repeat(1025)}, {"set": ["k".repeat(1025), ""]}, {"delete_many": []},
    ])
}

fn everything_came_of_it(outcomes: &Value) {
    let no_number = "the value is not a number, or would be too large";
    let too_long = "a key of more than 1024 bytes";
    let expected = json!([
        {"ok": null}, {"ok": null}, {"ok": "1"}, {"ok": true}, {"ok": false},
        {"ok": 1}, {"ok": 42}, {"ok": "42"},
        {"ok": null}, {"ok": ["2", null, "1", "1"]},
        {"ok": ["a", "n", "x", "y"]}, {"ok": null}, {"ok": null}, {"ok": null},
        {"ok": ["n"]}, {"ok": null}, {"error": no_number}, {"error": "there is no such store"},
        {"error": too_long}, {"error": too_long}, {"ok": null},
    ]);
    assert_eq!(*outcomes, expected);
}

#[tokio::test]
async fn memory_does_all_that_the_interface_has() {
    let powerstrip = keeping("a", json!(true), &everything()).start().await;

    let outcomes = outcomes(&powerstrip).await;

    everything_came_of_it(&outcomes);
}

#[tokio::test]
async fn redis_does_all_that_the_interface_has() {
    let Some(redis) = Redis::start().await else { return };
    let builder = keeping("a", json!(true), &everything());
    let powerstrip = builder.line(&format!("keyvalue: {}", redis.url())).start().await;

    let outcomes = outcomes(&powerstrip).await;

    everything_came_of_it(&outcomes);
}

#[tokio::test]
async fn without_the_grant_each_use_is_denied() {
    let powerstrip = keeping("a", json!(false), &json!([{"get": "a"}])).start().await;

    let outcomes = outcomes(&powerstrip).await;

    assert_eq!(outcomes, json!([{"error": "keeping values is not granted to this adapter"}]));
}

/// Counts, and looks at the count with other settings.
async fn survives_reloads(builder: Builder) {
    let powerstrip = builder.start().await;
    let first = outcomes(&powerstrip).await;
    powerstrip.rewrite(|text| text.replace("{\"increment\":\"n\"}", "{\"get\":\"n\"}"));
    let second = eventually("the new settings", async || {
        let outcomes = outcomes(&powerstrip).await;
        outcomes[0]["ok"].as_str().map(|count| count.parse::<u64>().expect("a number"))
    })
    .await;

    assert_eq!(first, json!([{"ok": 1}]));
    assert!(second >= 1, "{second}");
}

#[tokio::test]
async fn values_in_memory_survive_a_reload() {
    survives_reloads(keeping("a", json!(true), &json!([{"increment": "n"}]))).await;
}

#[tokio::test]
async fn values_in_redis_survive_a_reload() {
    let Some(redis) = Redis::start().await else { return };
    let builder = keeping("a", json!(true), &json!([{"increment": "n"}]));
    survives_reloads(builder.line(&format!("keyvalue: {}", redis.url()))).await;
}

#[tokio::test]
async fn values_survive_another_component_and_not_another_name() {
    let powerstrip = keeping("a", json!(true), &json!([{"increment": "n"}])).start().await;
    outcomes(&powerstrip).await;
    powerstrip.drop_component("counter", "a");
    powerstrip.logged("refuses its config").await;
    powerstrip.drop_component("grantee", "a");
    powerstrip.reload();
    let same = eventually("the component to be back", async || {
        let outcomes = outcomes(&powerstrip).await;
        (outcomes[0]["ok"] == 2 || outcomes[0]["ok"] == 3).then_some(outcomes)
    })
    .await;

    powerstrip.drop_component("grantee", "b");
    powerstrip.rewrite(|text| text.replace("\"a\"", "\"b\""));
    let renamed = eventually("the new name", async || {
        let outcomes = outcomes(&powerstrip).await;
        (outcomes == json!([{"ok": 1}])).then_some(outcomes)
    })
    .await;

    assert!(same[0]["ok"].is_u64());
    assert_eq!(renamed, json!([{"ok": 1}]));
}

#[tokio::test]
async fn adapters_do_not_see_each_others_values() {
    let Some(redis) = Redis::start().await else { return };
    let line = format!("keyvalue: {}", redis.url());
    let names = ["a", "a:default", "a:default:n", "*", "[a]", "%2A"];
    let mut keys = Vec::new();
    for name in names {
        let steps = json!([{"set": [format!("{name}:k"), "1"]}, {"keys": ""}]);
        let powerstrip = keeping(name, json!(true), &steps).line(&line).start().await;
        keys.push(outcomes(&powerstrip).await[1]["ok"].clone());
    }

    let expected: Vec<Value> = names.iter().map(|name| json!([format!("{name}:k")])).collect();
    assert_eq!(keys, expected);
    let all = redis.cli(&["KEYS", "powerstrip:*"]).await;
    assert_eq!(all.lines().count(), names.len(), "{all}");
    assert!(all.lines().any(|key| key == "powerstrip:a:default:a:k"), "{all}");
}

#[tokio::test]
async fn two_powerstrips_on_one_redis_lose_no_count() {
    let Some(redis) = Redis::with_password("a secret").await else { return };
    let url = redis.url().replace(' ', "%20");
    let start = || {
        let builder = keeping("limiter", json!(true), &json!([{"increment": "n"}]));
        Box::pin(builder.line(&format!("keyvalue: {url}")).start())
    };
    let (one, other) = (start().await, start().await);

    let mut counts = Vec::new();
    for _ in 0..20 {
        // Boxed, since all of them at once are more than a test's stack holds.
        let ask = |powerstrip| Box::pin(outcomes(powerstrip));
        let all = tokio::join!(ask(&one), ask(&other), ask(&one), ask(&other), ask(&one));
        counts.extend([all.0, all.1, all.2, all.3, all.4].map(|it| it[0]["ok"].as_u64()));
    }

    counts.sort_unstable();
    let expected: Vec<Option<u64>> = (1..=100).map(Some).collect();
    assert_eq!(counts, expected);
    assert_eq!(redis.cli(&["GET", "powerstrip:limiter:default:n"]).await, "100");
    for process in [one.process(), other.process()] {
        assert!(!process.output().contains("secret"), "the log shows the password");
    }
}

#[tokio::test]
async fn redis_is_reached_by_its_socket_too() {
    let Some(redis) = Redis::start().await else { return };
    let line = format!("keyvalue: redis+unix://{}", redis.socket().display());
    let powerstrip =
        keeping("a", json!(true), &json!([{"increment": "n"}])).line(&line).start().await;

    let outcomes = outcomes(&powerstrip).await;

    assert_eq!(outcomes, json!([{"ok": 1}]));
}

#[tokio::test]
async fn values_live_as_long_as_the_operator_says() {
    let Some(redis) = Redis::start().await else { return };
    let steps = json!([{"set": ["a", "1"]}, {"increment": "n"}, {"set_many": {"b": "1"}}]);
    let line = format!("keyvalue: {{store: \"{}\", ttl: 1h}}", redis.url());
    let default = keeping("default", json!(true), &steps).line(&line).start().await;
    let own = keeping("own", json!({"ttl": "2h"}), &steps).line(&line).start().await;
    let endless = keeping("endless", json!({"ttl": "never"}), &steps).line(&line).start().await;

    for powerstrip in [&default, &own, &endless] {
        assert_eq!(outcomes(powerstrip).await[1], json!({"ok": 1}));
    }

    for key in ["a", "n", "b"] {
        let mut left = Vec::new();
        for name in ["default", "own", "endless"] {
            let key = format!("powerstrip:{name}:default:{key}");
            left.push(redis.cli(&["TTL", &key]).await.parse::<i64>().expect("a number"));
        }
        assert!((3590..=3600).contains(&left[0]) && (7190..=7200).contains(&left[1]), "{left:?}");
        assert_eq!(left[2], -1);
    }
}

#[tokio::test]
async fn a_counter_lives_from_its_first_increment() {
    let Some(redis) = Redis::start().await else { return };
    let line = format!("keyvalue: {}", redis.url());
    let steps = json!([{"increment": "n"}]);
    let powerstrip = keeping("a", json!({"ttl": "1h"}), &steps).line(&line).start().await;
    outcomes(&powerstrip).await;
    redis.cli(&["PEXPIRE", "powerstrip:a:default:n", "100000"]).await;

    let second = outcomes(&powerstrip).await;

    assert_eq!(second, json!([{"ok": 2}]));
    let left: i64 = redis.cli(&["TTL", "powerstrip:a:default:n"]).await.parse().expect("a number");
    assert!(left <= 100, "{left}");
}

#[tokio::test]
async fn a_value_in_memory_is_gone_when_its_life_is_over() {
    let steps = json!([{"exists": "a"}, {"set": ["a", "1"]}]);
    let powerstrip = keeping("a", json!({"ttl": "1ms"}), &steps).start().await;
    outcomes(&powerstrip).await;

    let later = eventually("the end of its life", async || {
        let outcomes = outcomes(&powerstrip).await;
        (outcomes[0] == json!({"ok": false})).then_some(outcomes)
    })
    .await;

    assert_eq!(later[1], json!({"ok": null}));
}

#[tokio::test]
async fn quotas_hold_in_memory() {
    let steps = json!([
        {"set": ["a", "1"]}, {"set": ["b", "2"]}, {"set": ["c", "3"]}, {"set": ["a", "4"]},
        {"fill": ["a", 2000]}, {"delete": "b"}, {"set": ["c", "3"]},
    ]);
    let powerstrip = keeping("a", json!({"keys": 2, "bytes": "1KiB"}), &steps).start().await;

    let outcomes = outcomes(&powerstrip).await;

    assert_eq!(outcomes[2], json!({"error": "more than 2 keys"}));
    assert_eq!(outcomes[3], json!({"ok": null}));
    assert_eq!(outcomes[4], json!({"error": "more than 1 KiB of keys and values"}));
    assert_eq!(outcomes[6], json!({"ok": null}));
}

#[tokio::test]
async fn a_value_beyond_the_quota_never_reaches_redis() {
    let Some(redis) = Redis::start().await else { return };
    let line = format!("keyvalue: {{store: \"{}\", bytes: 1KiB}}", redis.url());
    let steps = json!([{"fill": ["a", 2000]}, {"fill": ["b", 1000]}, {"get_many": ["b", "b"]}]);
    let powerstrip = keeping("a", json!(true), &steps).line(&line).start().await;

    let outcomes = outcomes(&powerstrip).await;

    let too_much = json!({"error": "more than 1 KiB of keys and values"});
    assert_eq!(outcomes, json!([too_much, {"ok": null}, too_much]));
    assert_eq!(redis.cli(&["KEYS", "*"]).await, "powerstrip:a:default:b");
}

#[tokio::test]
async fn a_value_that_others_made_too_large_is_not_fetched_from_redis() {
    let Some(redis) = Redis::start().await else { return };
    let line = format!("keyvalue: {{store: \"{}\", bytes: 1KiB}}", redis.url());
    let steps = json!([{"get": "large"}, {"get": "empty"}, {"get": "none"}]);
    let powerstrip = keeping("a", json!(true), &steps).line(&line).start().await;
    redis.cli(&["SET", "powerstrip:a:default:large", &"x".repeat(2000)]).await;
    redis.cli(&["SET", "powerstrip:a:default:empty", ""]).await;

    let outcomes = outcomes(&powerstrip).await;

    let too_much = json!({"error": "more than 1 KiB of keys and values"});
    assert_eq!(outcomes, json!([too_much, {"ok": ""}, {"ok": null}]));
}

#[tokio::test]
async fn many_keys_are_listed_page_by_page_among_those_of_others() {
    let Some(redis) = Redis::start().await else { return };
    redis.cli(&["EVAL", "for i=1,5000 do redis.call('SET','other:'..i,i) end return 1", "0"]).await;
    let pairs: serde_json::Map<String, Value> =
        (0..3000).map(|number| (format!("{number:04}"), json!("x"))).collect();
    let steps = json!([{"set_many": pairs}, {"keys": ""}]);
    let line = format!("keyvalue: {}", redis.url());
    let powerstrip = keeping("a", json!(true), &steps).line(&line).start().await;

    let outcomes = outcomes(&powerstrip).await;

    let expected: Vec<String> = (0..3000).map(|number| format!("{number:04}")).collect();
    assert_eq!(outcomes[1]["ok"], json!(expected));
}

#[tokio::test]
async fn a_redis_that_is_gone_is_an_error_and_one_that_is_back_serves() {
    let Some(mut redis) = Redis::start().await else { return };
    let line = format!("keyvalue: {}", redis.url());
    let steps = json!([{"increment": "n"}, {"get": "n"}]);
    redis.stop().await;
    // Neither the start nor the adapter's loading waits for it.
    let powerstrip = keeping("a", json!(true), &steps).line(&line).start().await;
    let never_there = outcomes(&powerstrip).await;
    redis.resume().await;
    let there = outcomes(&powerstrip).await;
    redis.stop().await;
    let gone = outcomes(&powerstrip).await;
    redis.resume().await;
    let back = outcomes(&powerstrip).await;

    let unreachable = json!({"error": "the store of values cannot be reached"});
    let down = json!([unreachable, unreachable]);
    assert_eq!([&never_there, &gone], [&down, &down]);
    let serves = json!([{"ok": 1}, {"ok": "1"}]);
    assert_eq!([&there, &back], [&serves, &serves]);
    powerstrip.logged("the store of values is not reachable").await;
    powerstrip.logged("the store of values answers again").await;
}

#[tokio::test]
async fn a_redis_that_hangs_costs_half_of_what_is_left_of_the_deadline() {
    let Some(redis) = Redis::start().await else { return };
    let settings = json!({
        "config": [{"get": "n"}], "grants": {"keyvalue": true}, "limits": {"deadline": "1s"},
    });
    let builder = Powerstrip::builder().component("grantee").adapter("grantee", settings);
    let builder = builder.pre(ENDPOINT, &["grantee"]);
    let powerstrip = builder.line(&format!("keyvalue: {}", redis.url())).start().await;
    outcomes(&powerstrip).await;
    redis.freeze();

    let start = Instant::now();
    let frozen = outcomes(&powerstrip).await;
    let took = start.elapsed();
    redis.thaw();

    assert_eq!(frozen, json!([{"error": "the store of values cannot be reached"}]));
    assert!(took < Duration::from_millis(900), "{took:?}");
    let thawed = outcomes(&powerstrip).await;
    assert_eq!(thawed, json!([{"ok": null}]));
}

#[tokio::test]
async fn check_warns_of_a_redis_that_is_not_there_and_hides_its_password() {
    let file = Powerstrip::builder().line("keyvalue: redis://:secret@127.0.0.1:1/3").written();

    let finished = command_line(&["check", &file.path()]).await;

    let said = format!("{}{}", finished.stdout, finished.stderr);
    assert_eq!(finished.code, Some(0), "{said}");
    assert!(
        said.contains("warning: keyvalue: the store of values at redis://127.0.0.1:1"),
        "{said}"
    );
    assert!(!said.contains("secret"), "{said}");
}

#[tokio::test]
async fn a_changed_store_takes_effect_with_the_reload() {
    let Some(redis) = Redis::start().await else { return };
    let builder = keeping("a", json!(true), &json!([{"increment": "n"}]));
    let powerstrip = builder.line("keyvalue: memory").start().await;
    outcomes(&powerstrip).await;

    let line = format!("keyvalue: {}", redis.url());
    powerstrip.rewrite(|text| text.replace("keyvalue: memory", &line));
    let first = eventually("the new store", async || {
        let outcomes = outcomes(&powerstrip).await;
        (outcomes == json!([{"ok": 1}])).then_some(outcomes)
    })
    .await;

    assert_eq!(first, json!([{"ok": 1}]));
    assert_eq!(redis.cli(&["GET", "powerstrip:a:default:n"]).await, "1");
}
