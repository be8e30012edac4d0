//! What an adapter may do beyond computing: nothing that its operator did not write, judged when it
//! is loaded and again at each use.

use powerstrip_tests::{Builder, FakeEngine, Powerstrip, Recorded, Script, Server};
use powerstrip_tests::{command_line, eventually};
use serde_json::{Value, json};

const ENDPOINT: &str = "GET /*/info";
const INFO: &str = "/v1.41/info";

/// A proxy whose `grantee` takes these steps with these grants.
fn granting(grants: &Value, steps: &Value) -> Builder {
    let settings = json!({"config": steps, "grants": grants});
    Powerstrip::builder()
        .component("grantee")
        .adapter("grantee", settings)
        .pre(ENDPOINT, &["grantee"])
}

/// What came of the steps.
async fn outcomes(grants: Value, steps: Value) -> Value {
    let powerstrip = granting(&grants, &steps).start().await;
    powerstrip.get(INFO).await.json()
}

fn call(url: &str) -> Value {
    json!([{"call": {"url": url}}])
}

fn service() -> Server {
    let server = Server::on_tcp();
    server.on(
        "* ",
        Script::compute(|call: &Recorded| {
            let host = call.head.header("host").unwrap_or_default();
            Script::answer(200, "text/plain", format!("hello {host}"))
        }),
    );
    server
}

fn host_of(server: &Server) -> String {
    server.address().trim_start_matches("tcp://").to_owned()
}

fn denied() -> Value {
    json!([{"error": "the call is not granted to this adapter"}])
}

#[tokio::test]
async fn a_granted_host_is_called() {
    let server = service();
    let host = host_of(&server);

    let outcomes = outcomes(json!({"http": [host]}), call(&format!("http://{host}/"))).await;

    assert_eq!(outcomes[0]["ok"]["text"], format!("hello {host}"));
}

#[tokio::test]
async fn another_host_is_refused_with_the_line_to_paste() {
    let server = service();
    let host = host_of(&server);
    let steps = call(&format!("http://{host}/"));
    let powerstrip = granting(&json!({"http": ["elsewhere:80"]}), &steps).start().await;

    let answer = powerstrip.get(INFO).await;

    assert_eq!(answer.json(), denied());
    assert!(server.requests().is_empty());
    let line = powerstrip.logged("is not granted").await;
    assert!(line.contains(&format!("grants: {{http: [\\\"{host}\\\"]}}")), "{line}");
}

#[tokio::test]
async fn each_hop_of_a_redirect_is_judged_again() {
    let (first, second, third) = (Server::on_tcp(), Server::on_tcp(), service());
    let to = |server: &Server| {
        Script::whole(format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n",
            host_of(server)
        ))
    };
    first.on("* ", to(&second));
    second.on("* ", to(&third));
    let steps = json!([{"call": {"url": format!("http://{}/", host_of(&first)), "follow": true}}]);
    let (two, three) = (
        json!({"http": [host_of(&first), host_of(&second)]}),
        json!({"http": [host_of(&first), host_of(&second), host_of(&third)]}),
    );

    let outcomes = [outcomes(two, steps.clone()).await, outcomes(three, steps).await];

    assert_eq!(outcomes[0], denied());
    assert_eq!(outcomes[1][0]["ok"]["status"], 200);
    assert_eq!((second.requests().len(), third.requests().len()), (2, 1));
}

#[tokio::test]
async fn a_wildcard_never_leads_to_this_host_in_any_spelling() {
    let server = service();
    let port = host_of(&server).split_once(':').expect("a port").1.to_owned();
    let names = [
        "localhost",
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ];
    let steps: Vec<Value> = names
        .iter()
        .map(|name| json!({"call": {"url": format!("http://{name}:{port}/")}}))
        .collect();

    let outcomes = outcomes(json!({"http": ["*"]}), json!(steps)).await;

    let all = outcomes.as_array().expect("a list");
    assert_eq!(all.len(), names.len());
    for (name, outcome) in names.iter().zip(all) {
        assert!(outcome["error"].is_string(), "{name}: {outcome}");
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests().len());
}

#[tokio::test]
async fn metadata_services_need_their_very_address() {
    let hosts =
        ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "[::ffff:169.254.169.254]"];
    let steps: Vec<Value> =
        hosts.iter().map(|host| json!({"call": {"url": format!("http://{host}/")}})).collect();

    let outcomes = outcomes(json!({"http": ["*", "*:80"]}), json!(steps)).await;

    let refused = json!({"error": "the call is not granted to this adapter"});
    assert_eq!(outcomes, json!(vec![refused; hosts.len()]));
}

#[tokio::test]
async fn the_host_header_is_the_one_that_is_called() {
    let server = service();
    let host = host_of(&server);
    let forged = json!([{"call": {"url": format!("http://{host}/"), "headers": {"Host": "evil"}}}]);

    let outcomes = outcomes(json!({"http": [host]}), forged).await;

    let error = outcomes[0]["error"].as_str().expect("it is refused");
    assert!(error.starts_with("header Host cannot be sent"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn only_variables_that_are_named_are_read() {
    let steps = json!([{"env": "GRANTED"}, {"env": "OTHER"}, {"env": "PATH"}]);
    let builder = granting(&json!({"env": ["GRANTED", "ABSENT"]}), &steps);
    let builder = builder.variable("GRANTED", "yes").variable("OTHER", "no");
    let powerstrip = builder.start().await;

    let answer = powerstrip.get(INFO).await;

    assert_eq!(answer.json(), json!([{"ok": "yes"}, {"ok": null}, {"ok": null}]));
}

/// What `powerstrip check` says of an adapter with these settings.
async fn checked(component: &str, settings: Value) -> (Option<i32>, String) {
    let builder = Powerstrip::builder().component(component).adapter(component, settings);
    let file = builder.written();
    let finished = command_line(&["check", &file.path()]).await;
    (finished.code, format!("{}{}", finished.stdout, finished.stderr))
}

#[tokio::test]
async fn what_is_missing_is_told_with_the_line_to_paste() {
    let engine = checked("team-guard", json!({})).await;
    let keyvalue = checked("counter", json!({})).await;
    let http = checked("http-caller", json!({"config": "http://a/"})).await;

    let lines = [
        (engine, "grants: {engine: [\"GET /containers/*/json\"]}"),
        (keyvalue, "grants: {keyvalue: true}"),
        (http, "grants: {http: [\"HOST:PORT\"]}"),
    ];
    for ((code, said), line) in lines {
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(line), "{said}");
    }
}

#[tokio::test]
async fn the_line_to_paste_is_enough() {
    let (code, said) =
        checked("team-guard", json!({"grants": {"engine": ["GET /containers/*/json"]}})).await;

    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("warning"), "{said}");
}

#[tokio::test]
async fn what_is_granted_in_vain_is_a_warning() {
    let (code, said) =
        checked("identity", json!({"grants": {"keyvalue": true, "engine": ["GET *"]}})).await;

    assert_eq!(code, Some(0), "{said}");
    for key in ["keyvalue", "engine"] {
        assert!(said.contains(&format!("grants.{key} is not needed")), "{said}");
    }
}

#[tokio::test]
async fn inspect_shows_what_an_adapter_asks_for() {
    let path = powerstrip_tests::component("team-guard").display().to_string();

    let finished = command_line(&["inspect", &path]).await;

    let line = finished.stdout.lines().find(|line| line.trim_start().starts_with("grants "));
    let line = line.unwrap_or_default();
    assert!(line.contains("engine: \"GET /containers/*/json\""), "{}", finished.stdout);
}

#[tokio::test]
async fn a_grant_that_is_withdrawn_is_gone_at_once() {
    let server = service();
    let host = host_of(&server);
    let engine = FakeEngine::start();
    let steps = call(&format!("http://{host}/"));
    let builder = granting(&json!({"http": [host]}), &steps).engine(engine.address());
    let powerstrip = builder.start().await;
    assert_eq!(powerstrip.get(INFO).await.json()[0]["ok"]["status"], 200);

    powerstrip.rewrite(|text| text.replace(&format!("[\"{host}\"]"), "[]"));
    let after = eventually("the new grants", async || {
        let outcomes = powerstrip.get(INFO).await.json();
        outcomes[0]["error"].is_string().then_some(outcomes)
    })
    .await;

    assert_eq!(after, denied());
}
