//! Who calls, and through which listener: what hooks are told of it, and which of them run.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

use powerstrip_tests::{
    Authority, Client, FakeEngine, Powerstrip, Reply, Request, Webhook, check_message,
    command_line, eventually,
};
use serde_json::{Value, json};

const TWO_SOCKETS: &str = "listen: [{address: 'unix://[FOLDER]/ci.sock', name: ci}, \
                           {address: 'unix://[FOLDER]/ops.sock', name: ops}, tcp://127.0.0.1:0]\n";

/// Asks for this through a socket in the folder of a Powerstrip.
async fn through(powerstrip: &Powerstrip, socket: &str, target: &str) -> u16 {
    let address = format!("unix://{}", powerstrip.folder().join(socket).display());
    Client::connect(&address).await.call(&Request::get(target)).await.status()
}

/// With an adapter that notes what it sees of each `GET`, and these further lines.
async fn witnessed(engine: &FakeEngine, lines: &str, endpoint: &str) -> Powerstrip {
    let text = format!("{lines}engine: {}\nendpoints: {{{endpoint}}}\n", engine.address());
    Powerstrip::builder().component_as("witness", "a").text(&text).start().await
}

/// What its adapter was shown, once it was asked so often.
async fn seen(powerstrip: &Powerstrip, times: usize) -> Vec<Value> {
    eventually("what the hooks saw", async || {
        Some(powerstrip.seen_by("a")).filter(|seen| seen.len() >= times)
    })
    .await
}

#[tokio::test]
async fn hooks_are_told_through_which_listener_a_client_came() {
    let engine = FakeEngine::start();
    let powerstrip = witnessed(&engine, TWO_SOCKETS, "'GET *': {pre: [a], post: [a]}").await;
    let tcp = powerstrip.logged("tcp://127.0.0.1:").await;
    let tcp: Value = serde_json::from_str(&tcp).expect("a line of the log");
    let tcp = tcp["address"].as_str().expect("an address");

    through(&powerstrip, "ops.sock", "/v1.41/info").await;
    through(&powerstrip, "ci.sock", "/v1.41/info").await;
    Client::connect(tcp).await.call(&Request::get("/v1.41/info")).await;

    let seen = seen(&powerstrip, 6).await;
    let listeners: Vec<_> = seen.iter().map(|seen| &seen["context"]["listener"]).collect();
    let unnamed = "tcp://127.0.0.1:0";
    assert_eq!(listeners, ["ops", "ops", "ci", "ci", unnamed, unnamed]);
}

#[tokio::test]
async fn a_hook_that_is_limited_to_a_listener_runs_there_and_nowhere_else() {
    let engine = FakeEngine::start();
    let endpoint = "'GET *': {pre: [a], listeners: [ci]}";
    let powerstrip = witnessed(&engine, TWO_SOCKETS, endpoint).await;

    let ops = through(&powerstrip, "ops.sock", "/v1.41/info").await;
    let ci = through(&powerstrip, "ci.sock", "/info").await;

    assert_eq!((ops, ci), (200, 200));
    let seen = seen(&powerstrip, 1).await;
    let listeners: Vec<_> = seen.iter().map(|seen| &seen["context"]["listener"]).collect();
    assert_eq!(listeners, ["ci"]);
    assert_eq!(engine.calls("GET /info").len(), 2);
}

#[tokio::test]
async fn each_listener_has_a_guard_of_its_own() {
    let engine = FakeEngine::start();
    let text = format!(
        "{TWO_SOCKETS}engine: {}\nendpoints:\n  '* *': {{pre: [guard-ci], listeners: [ci]}}\n  \
         'GET *': {{pre: [guard-ops], listeners: [ops]}}\nadapters:\n  \
         guard-ci: {{source: guard.wasm, config: {{preset: traefik}}}}\n  \
         guard-ops: {{source: guard.wasm, config: {{preset: read-only}}}}\n",
        engine.address()
    );
    let powerstrip = Powerstrip::builder().component("guard").text(&text).start().await;

    let mut statuses = Vec::new();
    for socket in ["ci.sock", "ops.sock"] {
        for target in ["/v1.41/containers/json", "/v1.41/images/json"] {
            statuses.push(through(&powerstrip, socket, target).await);
        }
    }

    assert_eq!(statuses, [200, 403, 200, 200]);
}

#[tokio::test]
async fn a_guard_tells_listeners_apart() {
    let engine = FakeEngine::start();
    let text = format!(
        "{TWO_SOCKETS}engine: {}\nendpoints: {{'* *': {{pre: [guard]}}}}\nadapters:\n  \
         guard: {{config: {{rules: [{{allow: system-info, client: {{listener: ci}}}}]}}}}\n",
        engine.address()
    );
    let powerstrip = Powerstrip::builder().component("guard").text(&text).start().await;

    let ci = through(&powerstrip, "ci.sock", "/v1.41/info").await;
    let ops = through(&powerstrip, "ops.sock", "/v1.41/info").await;

    assert_eq!((ci, ops), (200, 403));
}

#[tokio::test]
async fn sockets_of_systemd_are_told_apart_by_its_names() {
    let engine = FakeEngine::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let paths = ["ci.sock", "ops.sock"].map(|name| folder.path().join(name));
    let sockets = paths
        .each_ref()
        .map(|path| OwnedFd::from(UnixListener::bind(path).expect("a folder of ours")));
    let text = format!(
        "listen: fd://\nengine: {}\nendpoints: {{'GET *': {{pre: [a], listeners: [ci]}}, \
         'GET /v1.41/info': {{post: [a]}}}}\n",
        engine.address()
    );
    let builder = Powerstrip::builder().component_as("witness", "a").text(&text).sockets(sockets);
    let powerstrip = builder.variable("LISTEN_FDNAMES", "ci:unknown").start().await;

    for path in &paths {
        let mut client = Client::connect(&format!("unix://{}", path.display())).await;
        client.call(&Request::get("/v1.41/info")).await;
    }

    let seen = seen(&powerstrip, 3).await;
    let seen: Vec<_> =
        seen.iter().map(|it| json!([it["hook"], it["context"]["listener"]])).collect();
    let unnamed = format!("unix://{}", paths[1].display());
    assert_eq!(seen, [json!(["pre", "ci"]), json!(["post", "ci"]), json!(["post", unnamed])]);
}

#[tokio::test]
async fn listeners_keep_what_they_are_called_until_the_next_start() {
    let engine = FakeEngine::start();
    let endpoint = "'GET *': {pre: [a], listeners: [ci]}";
    let powerstrip = witnessed(&engine, TWO_SOCKETS, endpoint).await;

    powerstrip.rewrite(|text| text.replace("name: ci", "name: build").replace("[ci]", "[build]"));
    powerstrip.logged("endpoints are limited to listeners, and these have changed").await;
    through(&powerstrip, "ci.sock", "/v1.41/info").await;

    assert_eq!(seen(&powerstrip, 1).await[0]["context"]["listener"], "ci");
}

#[tokio::test]
async fn explain_tells_what_counts_through_which_listener() {
    let text = format!(
        "{TWO_SOCKETS}endpoints: {{'GET *': {{pre: [slowreq], listeners: [ops]}}, \
         '* *': {{log: {{bodies: true}}}}}}\n"
    );
    let file = Powerstrip::builder().component("slowreq").text(&text).written();
    let path = file.path();
    let explain = async |more: &[&str]| {
        let call = ["explain", "GET /v1.41/info", "--config", &path];
        command_line(&[&call[..], more].concat()).await
    };

    let (first, ops) = (explain(&[]).await.stdout, explain(&["--listener", "ops"]).await.stdout);
    let json = explain(&["--listener", "ops", "--format", "json"]).await.stdout;
    let unknown = explain(&["--listener", "cj"]).await;
    let checked = command_line(&["check", &path]).await.stdout;

    assert!(first.contains("listener       ci") && first.contains("1 of 2 match"), "{first}");
    assert!(
        first.contains("but only through ops") && first.contains("pre-hooks      none"),
        "{first}"
    );
    assert!(ops.contains("2 of 2 match") && ops.contains("    slowreq"), "{ops}");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&json["listener"], &json["matches"][0]["listeners"]),
        (&json!("ops"), &json!(["ops"]))
    );
    assert_eq!(unknown.code, Some(1));
    let said = "no listener is named \"cj\"; known: ci, ops, tcp://127.0.0.1:0";
    assert!(unknown.stderr.contains(said), "{}", unknown.stderr);
    assert!(checked.contains("ci.sock (ci)") && checked.contains("only through ops"), "{checked}");
}

/// Listens with mutual TLS, and has a name.
fn mutual(authority: &Authority) -> String {
    let path = authority.shown();
    format!(
        "listen: {{address: 'tcp://127.0.0.1:0', name: far, tls: {{cert: {path}/cert.pem, \
         key: {path}/key.pem, client_ca: {path}/ca.pem}}}}\n"
    )
}

#[tokio::test]
async fn hooks_are_told_subject_and_names_of_a_clients_certificate() {
    let (authority, engine) = (Authority::new(), FakeEngine::start());
    let names =
        ["URI:spiffe://example.org/ci/7", "DNS:CI.example.org", "IP:2001:db8::7", "email:a@b"];
    authority.sign_names(None, &names, ["workload.pem", "workload-key.pem"]);
    let powerstrip = witnessed(&engine, &mutual(&authority), "'GET *': {pre: [a]}").await;

    for files in [["cert.pem", "key.pem"], ["workload.pem", "workload-key.pem"]] {
        let stream = authority.connect_as(powerstrip.address(), files).await.expect("a handshake");
        Client::over(Box::new(stream)).call(&Request::get("/v1.41/info")).await;
    }

    let seen = seen(&powerstrip, 2).await;
    let somebody = json!({"subject": "CN=somebody", "names": ["IP:127.0.0.1", "DNS:localhost"]});
    let names =
        ["URI:spiffe://example.org/ci/7", "DNS:ci.example.org", "IP:2001:db8::7", "email:a@b"];
    assert_eq!(seen[0]["context"]["client"], somebody);
    assert_eq!(seen[1]["context"]["client"], json!({"subject": "", "names": names}));
    let line = powerstrip.logged("spiffe://example.org/ci/7, DNS:ci").await;
    assert!(line.contains("\"powerstrip.listener\":\"far\""), "{line}");
}

#[tokio::test]
async fn webhooks_of_protocol_2_are_told_too() {
    let (authority, engine) = (Authority::new(), FakeEngine::start());
    let webhook = Webhook::start(|_| Reply::json(&json!({"ModifiedClientRequest": {}})));
    let adapters = format!("adapters: {{a: {{url: '{}', protocol: 2}}}}\n", webhook.url());
    let lines = mutual(&authority) + &adapters;
    let text =
        format!("{lines}engine: {}\nendpoints: {{'GET *': {{pre: [a]}}}}\n", engine.address());
    let powerstrip = Powerstrip::builder().text(&text).start().await;

    let stream = authority.connect(powerstrip.address()).await;
    Client::over(Box::new(stream)).call(&Request::get("/v1.41/info")).await;

    let message = &webhook.calls()[0];
    check_message(message).expect("it fits the schema");
    let names = json!(["IP:127.0.0.1", "DNS:localhost"]);
    assert_eq!(message["Context"]["Client"], json!({"Subject": "CN=somebody", "Names": names}));
    assert_eq!(message["Context"]["Listener"], "far");
}

#[tokio::test]
async fn who_cannot_be_told_by_a_certificate_is_turned_away_with_the_reason() {
    let (authority, engine) = (Authority::new(), FakeEngine::start());
    let names: Vec<String> = (0..300).map(|number| format!("DNS:n{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    authority.sign_names(Some("many"), &names, ["many.pem", "many-key.pem"]);
    let powerstrip = witnessed(&engine, &mutual(&authority), "'POST *': {pre: [a]}").await;

    let many = authority.connect_as(powerstrip.address(), ["many.pem", "many-key.pem"]).await;
    let mut many = Client::over(Box::new(many.expect("a handshake")));
    let answer = many.call(&Request::get("/v1.41/info")).await;
    let stream = authority.connect(powerstrip.address()).await;
    let served = Client::over(Box::new(stream)).call(&Request::get("/v1.41/info")).await;

    assert_eq!((answer.status(), served.status()), (403, 200));
    let expected = "powerstrip: nobody can tell from your certificate who you are: it has 300 names, \
                    and 256 are the most";
    assert_eq!(answer.message(), expected);
    assert_eq!(engine.calls("GET /info").len(), 1);
}
