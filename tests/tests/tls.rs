//! TLS on both sides: for clients, with and without certificates, and towards the Docker Engine.

use powerstrip_tests::{Authority, Client, Docker, FakeEngine, Powerstrip, RealEngine, Request};
use serde_json::json;

/// A listener that shows this authority's certificate; `more` is the rest of its `tls`.
fn listener(authority: &Authority, more: &str) -> String {
    let path = authority.shown();
    format!(
        "listen: {{address: 'tcp://127.0.0.1:0', tls: {{cert: {path}/cert.pem, key: {path}/key.pem\
         {more}}}}}\n"
    )
}

fn client_ca(authority: &Authority) -> String {
    format!(", client_ca: {}/ca.pem", authority.shown())
}

/// A Powerstrip that speaks TLS to its clients, as an engine behind `--tlsverify` does.
async fn behind_tls(authority: &Authority, more: &str, engine: &str) -> Powerstrip {
    let text = format!("{}engine: {engine}\n", listener(authority, more));
    Powerstrip::builder().text(&text).start().await
}

/// A Powerstrip whose engine is the one that these variables name.
async fn by_environment(host: &str, variables: &[(&str, &str)]) -> Powerstrip {
    let builder = Powerstrip::builder().text("listen: 'unix://[FOLDER]/p.sock'\n");
    let builder = builder.variable("DOCKER_HOST", host);
    let add = |builder: powerstrip_tests::Builder, (name, value): &(&str, &str)| {
        builder.variable(name, value)
    };
    variables.iter().fold(builder, add).start().await
}

async fn info(powerstrip: &Powerstrip) -> u16 {
    let mut client = Client::connect(powerstrip.address()).await;
    client.call(&Request::get("/v1.41/info")).await.status()
}

#[tokio::test]
async fn the_environment_leads_to_an_engine_with_mutual_tls() {
    let authority = Authority::new();
    let engine = FakeEngine::start();
    let far = behind_tls(&authority, &client_ca(&authority), engine.address()).await;
    let verify = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", &authority.shown())];

    let powerstrip = by_environment(far.address(), &verify).await;

    assert_eq!(info(&powerstrip).await, 200);
    assert_eq!(engine.calls("GET /info").len(), 1);
}

#[tokio::test]
async fn the_certificates_are_those_of_the_docker_client_by_default() {
    let authority = Authority::new();
    let engine = FakeEngine::start();
    let far = behind_tls(&authority, &client_ca(&authority), engine.address()).await;
    let home = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(authority.folder(), home.path().join(".docker")).expect("a link");
    let home = home.path().display().to_string();
    let verify = ("DOCKER_TLS_VERIFY", "1");

    let at_home = [verify, ("HOME", &home), ("DOCKER_CONFIG", ""), ("DOCKER_CERT_PATH", "")];
    let at_home = by_environment(far.address(), &at_home).await;
    let elsewhere = [verify, ("HOME", "/nowhere"), ("DOCKER_CONFIG", &authority.shown())];
    let elsewhere = by_environment(far.address(), &elsewhere).await;

    assert_eq!([info(&at_home).await, info(&elsewhere).await], [200, 200]);
}

#[tokio::test]
async fn without_a_certificate_of_ours_the_engine_is_trusted_by_its_authority_alone() {
    let authority = Authority::alone();
    authority.sign("the engine", "server.pem", "server-key.pem");
    let engine = FakeEngine::start();
    let path = authority.shown();
    let text = format!(
        "listen: {{address: 'tcp://127.0.0.1:0', tls: {{cert: {path}/server.pem, \
         key: {path}/server-key.pem}}}}\nengine: {}\n",
        engine.address()
    );
    let far = Powerstrip::builder().text(&text).start().await;
    let verify = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", path.as_str())];

    let powerstrip = by_environment(far.address(), &verify).await;

    assert_eq!(info(&powerstrip).await, 200);
}

#[tokio::test]
async fn an_empty_docker_tls_verify_is_as_good_as_none() {
    let engine = FakeEngine::start();
    let far = Powerstrip::builder().engine(engine.address()).tcp().start().await;
    let variables = [("DOCKER_TLS_VERIFY", ""), ("DOCKER_CERT_PATH", "/nowhere")];

    let powerstrip = by_environment(far.tcp_address(), &variables).await;

    assert_eq!(info(&powerstrip).await, 200);
}

#[tokio::test]
async fn tls_that_would_trust_anybody_is_refused() {
    let builder = Powerstrip::builder().text("listen: 'unix://[FOLDER]/p.sock'\n");
    let builder = builder.variable("DOCKER_HOST", "tcp://127.0.0.1").variable("DOCKER_TLS", "1");

    let finished = builder.start_in_vain().await;

    assert_eq!(finished.code, Some(1));
    let problem = "DOCKER_TLS without DOCKER_TLS_VERIFY";
    assert!(finished.stderr.contains(problem), "{}", finished.stderr);
}

#[tokio::test]
async fn an_engine_of_another_authority_is_not_connected_to() {
    let (authority, other) = (Authority::new(), Authority::new());
    let engine = FakeEngine::start();
    let far = behind_tls(&authority, "", engine.address()).await;
    let verify = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", &other.shown())];

    let powerstrip = by_environment(far.address(), &verify).await;

    assert_eq!(info(&powerstrip).await, 502);
    assert!(engine.requests().is_empty());
}

#[tokio::test]
async fn a_client_without_a_certificate_does_not_get_in() {
    let authority = Authority::new();
    let engine = FakeEngine::start();
    let far = behind_tls(&authority, &client_ca(&authority), engine.address()).await;
    let text = format!(
        "listen: 'unix://[FOLDER]/p.sock'\nengine: {{address: '{}', tls: {{ca: {}/ca.pem}}}}\n",
        far.address(),
        authority.shown()
    );

    let powerstrip = Powerstrip::builder().text(&text).start().await;

    assert_eq!(info(&powerstrip).await, 502);
    far.logged("a client's TLS handshake failed").await;
    assert!(engine.requests().is_empty());
}

#[tokio::test]
async fn a_client_that_speaks_no_tls_gets_nothing() {
    let authority = Authority::new();
    let engine = FakeEngine::start();
    let powerstrip = behind_tls(&authority, "", engine.address()).await;

    let mut client = Client::connect(powerstrip.address()).await;
    client.send(Request::get("/v1.41/info").to_bytes()).await;
    client.hung_up().await;

    assert!(engine.requests().is_empty());
}

#[tokio::test]
async fn adapters_are_told_the_subject_of_a_clients_certificate_on_every_request() {
    let authority = Authority::new();
    let engine = FakeEngine::start();
    let text = format!(
        "{}engine: {}\nendpoints: {{'GET *': {{pre: [a]}}}}\n",
        listener(&authority, &client_ca(&authority)),
        engine.address()
    );
    let far = Powerstrip::builder().component_as("witness", "a").text(&text).start().await;
    let verify = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", &authority.shown())];
    let powerstrip = by_environment(far.address(), &verify).await;

    let statuses = [info(&powerstrip).await, info(&powerstrip).await];

    assert_eq!(statuses, [200, 200]);
    let clients: Vec<_> =
        far.seen_by("a").iter().map(|seen| seen["context"]["client"].to_string()).collect();
    assert_eq!(clients.len(), 2);
    assert!(clients.iter().all(|client| client.contains("CN=somebody")), "{clients:?}");
}

#[tokio::test]
async fn the_docker_client_speaks_mutual_tls_to_a_real_engine_through_powerstrip() {
    let Some(engine) = RealEngine::find().await else { return };
    let authority = Authority::new();
    let powerstrip = behind_tls(&authority, &client_ca(&authority), engine.address()).await;

    let docker = Docker::at(powerstrip.address())
        .variable("DOCKER_TLS_VERIFY", "1")
        .variable("DOCKER_CERT_PATH", &authority.shown());
    let run = docker.run_with_input(&["run", "--rm", "-i", "busybox", "cat"], b"over TLS").await;

    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "over TLS"), "{}", run.stderr);
    assert_eq!(json!(run.stderr), json!(""));
}
