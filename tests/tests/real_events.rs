//! Events of a real Docker Engine, through its restart.

use std::path::PathBuf;
use std::sync::Arc;

use powerstrip_tests::private::{ENGINE_PROGRAMS, PrivateEngine, skip};
use powerstrip_tests::{Docker, Powerstrip, RealEngine, Reply, Webhook, connect, eventually};
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The actions, and resyncs, that `herald` was told of a container with this name.
fn told(powerstrip: &Powerstrip, name: &str) -> Vec<Value> {
    let seen = powerstrip.seen_by("herald");
    let own = seen.iter().filter(|seen| seen["name"] == name || seen["resync"].is_string());
    own.map(|seen| if seen["resync"].is_string() { &seen["resync"] } else { &seen["action"] })
        .cloned()
        .collect()
}

async fn told_up_to(powerstrip: &Powerstrip, name: &str, last: &str) -> Vec<Value> {
    let look = async || {
        let told = told(powerstrip, name);
        (told.last().is_some_and(|told| told == last)).then_some(told)
    };
    eventually(&format!("{last} of {name}"), look).await
}

async fn start(engine: &str, webhook: Option<&Webhook>) -> Powerstrip {
    let builder = Powerstrip::builder().engine(engine).component("herald");
    let rules = "filters: {type: [container], event: [start, die]}";
    match webhook {
        None => builder.line(&format!("events: [{{adapters: [herald], {rules}}}]")),
        Some(webhook) => builder
            .adapter("registrator", webhook.url())
            .line(&format!("events: [{{adapters: [herald, registrator], {rules}}}]")),
    }
    .start()
    .await
}

#[tokio::test]
async fn containers_that_start_and_die_anywhere_are_told_to_components_and_webhooks() {
    let Some(engine) = RealEngine::find().await else { return };
    let webhook = Webhook::start(|_| Reply::json(&json!({})));
    let powerstrip = start(engine.address(), Some(&webhook)).await;
    told_up_to(&powerstrip, "", "began").await;

    let run = async |docker: Docker, name: &str| {
        docker.output(&["run", "--rm", "--name", name, "busybox", "true"]).await;
    };
    run(Docker::at(powerstrip.address()), "events-through").await;
    run(engine.docker(), "events-straight").await;

    for name in ["events-through", "events-straight"] {
        let told = told_up_to(&powerstrip, name, "die").await;
        assert_eq!(told, ["began", "start", "die"], "{name}");
    }
    let of = |name: &'static str| {
        let calls = webhook.calls();
        let own = calls.into_iter().map(|call| call["Event"].clone());
        own.filter(move |event| event["Actor"]["Attributes"]["name"] == name)
    };
    let look = async || Some(of("events-straight").collect::<Vec<_>>()).filter(|it| it.len() == 2);
    let calls = eventually("the webhook to be told", look).await;
    assert_eq!(json!([calls[0]["Action"], calls[1]["Action"]]), json!(["start", "die"]));
    assert_eq!(calls[1]["Actor"]["Attributes"]["exitCode"], "0");
}

#[tokio::test]
async fn a_restarted_engine_is_followed_again_after_a_resync() {
    let programs = std::env::var_os(ENGINE_PROGRAMS).map(PathBuf::from);
    let mut engine = match PrivateEngine::start(programs.as_deref()).await {
        Ok(engine) => engine,
        Err(why) => return skip(&format!("{why:#}")),
    };
    let docker = Docker::at(engine.address());
    let powerstrip = start(engine.address(), None).await;
    told_up_to(&powerstrip, "", "began").await;
    docker.output(&["run", "--name", "before", "busybox", "true"]).await;
    told_up_to(&powerstrip, "before", "die").await;

    engine.restart(programs.as_deref()).await.expect("the engine starts again");
    told_up_to(&powerstrip, "", "history-lost").await;
    docker.output(&["run", "--name", "after", "busybox", "true"]).await;

    let told = told_up_to(&powerstrip, "after", "die").await;
    assert_eq!(told, ["began", "history-lost", "start", "die"]);
    engine.stop().await;
}

#[tokio::test]
async fn what_happens_while_the_stream_is_broken_is_told_afterwards_and_once() {
    let Some(engine) = RealEngine::find().await else { return };
    let mut relay = Relay::before(engine.address()).await;
    let powerstrip = start(&relay.address, None).await;
    told_up_to(&powerstrip, "", "began").await;
    let run = async |name: &str| {
        engine.docker().output(&["run", "--rm", "--name", name, "busybox", "true"]).await;
    };

    run("events-before").await;
    told_up_to(&powerstrip, "events-before", "die").await;
    relay.cut().await;
    powerstrip.logged("no events of the Docker Engine").await;
    run("events-meanwhile").await;
    relay.go_on();
    let meanwhile = told_up_to(&powerstrip, "events-meanwhile", "die").await;

    assert_eq!(meanwhile, ["began", "start", "die"]);
    assert_eq!(told(&powerstrip, "events-before"), ["began", "start", "die"]);
}

/// A way to an engine that can be cut.
struct Relay {
    address: String,
    engine: String,
    listener: Arc<TcpListener>,
    connections: JoinSet<()>,
}

impl Relay {
    async fn before(engine: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let (address, engine) = (format!("tcp://127.0.0.1:{port}"), engine.to_owned());
        let (listener, connections) = (Arc::new(listener), JoinSet::new());
        let mut relay = Self { address, engine, listener, connections };
        relay.go_on();
        relay
    }

    /// Ends all connections; new ones wait.
    async fn cut(&mut self) {
        self.connections.shutdown().await;
    }

    fn go_on(&mut self) {
        let (listener, engine) = (Arc::clone(&self.listener), self.engine.clone());
        self.connections.spawn(async move {
            let mut own = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                own.spawn(join(near, engine.clone()));
            }
        });
    }
}

/// Passes bytes until a side breaks off.
async fn join(mut near: TcpStream, engine: String) {
    let mut far = connect(&engine).await.expect("the engine listens");
    let _ = copy_bidirectional(&mut near, &mut far).await;
}
