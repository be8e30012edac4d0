//! Known ways around an adapter, before an engine that records what it is sent: it gets the requests
//! that the hooks were shown, as many and the same ones. What a real engine makes of them is shown
//! by `just bypass`.

use powerstrip_tests::bypass::{Spelling, spellings};
use powerstrip_tests::{Client, FakeEngine, Powerstrip, Recorded, Request, eventually};
use serde_json::{Value, json};

macro_rules! rows {
    ($($row:ident;)*) => {
        $(#[tokio::test]
        async fn $row() {
            reaches_the_engine_as_it_was_judged(stringify!($row)).await;
        })*

        #[test]
        fn every_row_is_tested() {
            let tested = [$(stringify!($row)),*];

            let all = spellings();

            for spelling in all {
                let row = spelling.row.to_lowercase();
                assert!(tested.contains(&row.as_str()), "nobody tests {row}");
            }
        }
    };
}

rows! {
    plain;
    p1;
    p2;
    p3;
    p4;
    p5;
    p6;
    p7;
    p8;
    p9;
    p10;
    p11;
    p12;
    p13;
    p14;
    p15;
    p16;
    p17;
    p18;
    p19;
    p20;
    p21;
    p22;
    p23;
    p24;
    p25;
    p26;
    p27;
    p28;
    p29;
    p30;
    p30b;
    p30c;
    p30d;
    p30e;
    p30f;
    p30g;
    p30h;
    p30i;
    p30j;
    p31a;
    p31b;
    p31c;
    p31e;
    p31f;
    p31g;
    p32;
    p33;
    p34;
    p35;
    p36;
    p37;
    p38;
    p39;
    p40;
    p41;
}

async fn reaches_the_engine_as_it_was_judged(row: &str) {
    let of_row: Vec<_> =
        spellings().into_iter().filter(|it| it.row.eq_ignore_ascii_case(row)).collect();
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("* *", &["a"])
        .witness("a", &json!({}))
        .start()
        .await;

    let mut judged = 0;
    for spelling in of_row {
        let before = sent(&engine).len();
        let mut client = Client::connect(powerstrip.address()).await;
        // Who refuses a request need not read all of it.
        let _ = client.try_send(&spelling.bytes).await;
        client.half_close().await;
        client.hung_up().await;

        let reached = sent(&engine).split_off(before);
        let total = judged + reached.len();
        let seen = eventually("what the hooks saw", || async {
            Some(seen(&powerstrip)).filter(|seen| seen.len() >= total)
        })
        .await;
        is_the_same(&spelling, &reached, &seen[judged..]);
        judged = seen.len();
    }
}

/// What clients sent, without what Powerstrip asks on its own.
fn sent(engine: &FakeEngine) -> Vec<Recorded> {
    engine.requests().into_iter().filter(|it| it.head.header("via").is_some()).collect()
}

fn seen(powerstrip: &Powerstrip) -> Vec<Value> {
    powerstrip.seen_by("a").into_iter().filter(|seen| seen["hook"] == "pre").collect()
}

fn is_the_same(spelling: &Spelling, reached: &[Recorded], seen: &[Value]) {
    let context = format!("{} {}: {seen:?}", spelling.row, spelling.name);
    assert_eq!(reached.len(), seen.len(), "{context}");
    for (request, seen) in reached.iter().zip(seen) {
        assert_eq!(json!(request.head.method()), seen["method"], "{context}");
        assert_eq!(json!(request.head.target()), seen["path"], "{context}");
        assert!(request.head.header("transfer-encoding").is_none(), "{context}");
        if let Some(body) = seen["body"].as_str() {
            assert!(request.text().starts_with(body), "{context}");
        }
        let content_type = request.head.header("content-type");
        assert_eq!(content_type, seen["headers"]["content-type"].as_str(), "{context}");
    }
}

/// A proxy whose witness is asked about all calls, before an engine.
async fn witnessed(engine: &FakeEngine) -> Powerstrip {
    let builder = Powerstrip::builder().engine(engine.address());
    builder.pre("* *", &["a"]).witness("a", &json!({})).start().await
}

#[tokio::test]
async fn a_parameter_that_stands_twice_is_refused_where_hooks_run() {
    let engine = FakeEngine::start();
    let (hooked, plain) = (witnessed(&engine).await, Powerstrip::before(engine.address()).await);
    let target = "/v1.41/containers/a/kill?signal=TERM&s%69gnal=KILL";
    let list = "/v1.41/images/get?names=a&names=b";

    let refused = hooked.call(Request::new("POST", target)).await;
    let forwarded = plain.call(Request::new("POST", target)).await;
    let listed = hooked.get(list).await;

    let message = "powerstrip: bad request: the query has the parameter \"signal\" twice";
    assert_eq!((refused.status(), refused.message().as_str()), (400, message));
    assert_eq!([forwarded.status(), listed.status()], [404, 404]);
    assert_eq!(engine.calls("POST /kill").len(), 1);
    assert_eq!(engine.calls("GET /images/get")[0].head.target(), list);
}

#[tokio::test]
async fn a_filter_that_can_be_read_in_two_ways_is_refused_where_hooks_run() {
    let engine = FakeEngine::start();
    let powerstrip = witnessed(&engine).await;
    let list = "/v1.41/containers/json?filters=";

    let once = powerstrip.get(&format!("{list}{{\"status\":[\"a\"]}}")).await;
    let twice = powerstrip.get(&format!("{list}{{\"status\":[],\"status\":[]}}")).await;

    assert_eq!([once.status(), twice.status()], [200, 400]);
    assert_eq!(engine.calls("GET /containers/json").len(), 1);
}

#[tokio::test]
async fn a_form_is_refused_however_its_type_is_spelled() {
    let engine = FakeEngine::start();
    let powerstrip = witnessed(&engine).await;
    let types: [&[u8]; 3] = [
        b"application/x-www-form-urlencoded; x=\xff",
        "appl\u{130}cation/x-www-form-urlencoded".as_bytes(),
        b"application/x-www-form-urlencoded; =",
    ];

    for content_type in types {
        let head = b"POST /v1.41/containers/a/kill HTTP/1.1\r\nHost: docker\r\nContent-Type: ";
        let mut client = powerstrip.connect().await;
        client.send([head, content_type, b"\r\nContent-Length: 3\r\n\r\na=b"].concat()).await;

        assert_eq!(client.answer().await.status(), 415, "{content_type:?}");
    }
    assert!(engine.calls("POST /kill").is_empty());
}

#[tokio::test]
async fn a_start_of_old_shows_its_settings_in_canonical_spelling() {
    let engine = FakeEngine::start();
    let powerstrip = witnessed(&engine).await;

    let start = "/v1.23/containers/a/start";
    let answer = powerstrip.post(start, &json!({"privileged": true, "BINDS": ["/:/x"]})).await;

    let body = r#"{"Binds":["/:/x"],"Privileged":true}"#;
    let seen = powerstrip.seen("a", "pre").await;
    let canonical: Value =
        serde_json::from_str(seen["body"].as_str().expect("it is shown")).expect("JSON is shown");
    assert_eq!(answer.status(), 204);
    assert_eq!(canonical, serde_json::from_str::<Value>(body).expect("JSON"));
    assert_eq!(engine.called("POST /start").await.json(), canonical);
}

/// A proxy in which the first hook puts in a body and the second one judges.
async fn judged_after(body: &str, engine: &FakeEngine) -> Powerstrip {
    Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["a", "b"])
        .witness("a", &json!({"pre": {"modify": {"body": body}}}))
        .witness("b", &json!({}))
        .start()
        .await
}

#[tokio::test]
async fn a_body_that_a_hook_makes_is_read_as_the_engine_reads_it() {
    let engine = FakeEngine::start();
    let made = r#"{"Image":"a","hostconfig":{"privileged":true}}"#;
    let powerstrip = judged_after(made, &engine).await;

    powerstrip.post("/v1.41/containers/create", &json!({"Image": "a"})).await;

    let canonical = r#"{"Image":"a","HostConfig":{"Privileged":true}}"#;
    assert_eq!(powerstrip.seen("b", "pre").await["body"], canonical);
    assert_eq!(engine.called("POST /create").await.text(), canonical);
}

#[tokio::test]
async fn a_body_of_a_hook_that_can_be_read_in_two_ways_is_refused() {
    let engine = FakeEngine::start();
    let made = r#"{"HostConfig":{"Privileged":true},"HostConfig":{}}"#;
    let powerstrip = judged_after(made, &engine).await;

    let answer = powerstrip.post("/v1.41/containers/create", &json!({"Image": "a"})).await;

    assert_eq!(answer.status(), 500, "{}", answer.show());
    assert!(answer.message().contains("the Docker Engine could read it otherwise"));
    assert!(engine.calls("POST /create").is_empty());
}
