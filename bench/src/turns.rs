//! Ways are measured in turns: A B C, A B C, …

use std::fs::read;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use powerstrip_tests::{Client, FakeEngine, Request};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::ground::{Ground, check};
use crate::load::{Counted, Load};
use crate::plan::{Part, Plan};
use crate::proxies;
use crate::results::Results;
use crate::running::Running;
use crate::sample::{Figures, Sample};
use crate::way::{WAYS, Way};

/// How an engine that looks calls a create.
const CREATE: &str = "POST /containers/create";
/// How long a proxy may take to answer its first calls; adapters are compiled meanwhile.
const PATIENCE: Duration = Duration::from_secs(50);
/// Seconds of load before anything is counted.
const WARM_UP: u64 = 1;

/// A way that can be taken.
struct Contender {
    way: Way,
    proxy: Option<Running>,
}

/// One that is under one of the loads, and what it has shown.
struct Row {
    load: Load,
    contender: usize,
    samples: Vec<Sample>,
}

/// Measures all ways that the plan has.
pub(crate) async fn measure(plan: &Plan, results: &mut Results) -> Result<()> {
    let ground = Ground::lay().await?;
    let contenders = start(&ground, plan, results).await?;
    ground.load()?;
    let mut rows = rows(plan, &contenders);
    for row in &rows {
        let contender = &contenders[row.contender];
        contender.turn(&ground, row.load, WARM_UP).await.with_context(|| contender.way.name())?;
    }
    for round in 1..=plan.rounds() {
        for row in &mut rows {
            let contender = &contenders[row.contender];
            tell(round, plan.rounds(), row.load, contender.way);
            let turn = contender.turn(&ground, row.load, plan.seconds()).await;
            row.samples.push(turn.with_context(|| contender.way.name())?);
        }
    }
    for row in rows {
        let figures = Figures::of(&row.samples).context("there is a round")?;
        results.requests.push((row.load, contenders[row.contender].way, figures));
    }
    Ok(())
}

/// Starts all proxies. Powerstrip must be there; the others may not be to be had.
async fn start(ground: &Ground, plan: &Plan, results: &mut Results) -> Result<Vec<Contender>> {
    let engine = ground.look()?;
    let mut contenders = Vec::new();
    for way in WAYS.into_iter().filter(|way| has(plan, *way)) {
        match start_one(ground, way, &engine).await {
            Ok(proxy) => contenders.push(Contender { way, proxy }),
            Err(error) if is_peer(way) => {
                results.left_out.push(format!("{}: {error:#}", way.name()));
            }
            Err(error) => return Err(error.context(way.name())),
        }
    }
    Ok(contenders)
}

/// Starts one, and sees that it does what it is said to do.
async fn start_one(ground: &Ground, way: Way, engine: &FakeEngine) -> Result<Option<Running>> {
    let Some(proxy) = proxies::start(ground, way).await? else { return Ok(None) };
    let already = engine.calls(CREATE).len();
    for load in Load::ALL {
        let call = timeout(PATIENCE, call(ground, proxy.port(), load)).await;
        call.with_context(|| format!("no answer to {}", load.name()))??;
    }
    let calls = engine.calls(CREATE);
    ensure!(calls.len() == already + 1, "the engine was not called");
    check(way, &calls[already].body)?;
    proxy.pause();
    Ok(Some(proxy))
}

fn is_peer(way: Way) -> bool {
    matches!(way, Way::HaProxy | Way::HaProxyClosing | Way::Envoy | Way::EnvoyFilter)
}

fn has(plan: &Plan, way: Way) -> bool {
    Load::ALL.into_iter().any(|load| has_under(plan, way, load))
}

fn has_under(plan: &Plan, way: Way, load: Load) -> bool {
    Part::OF_REQUESTS.into_iter().any(|part| plan.has(part) && way.belongs_to(part, load))
}

fn rows(plan: &Plan, contenders: &[Contender]) -> Vec<Row> {
    let all = Load::ALL.into_iter().flat_map(|load| {
        let under = contenders.iter().enumerate();
        under
            .filter(move |(_, contender)| has_under(plan, contender.way, load))
            .map(move |(contender, _)| Row { load, contender, samples: Vec::new() })
    });
    all.collect()
}

/// One call, as a client makes it.
async fn call(ground: &Ground, port: u16, load: Load) -> Result<()> {
    let mut client = Client::connect(&format!("tcp://127.0.0.1:{port}")).await;
    let request = match load {
        Load::Ping => Request::get(load.target()),
        Load::Create => {
            let body = read(ground.body())?;
            Request::new("POST", load.target()).body("application/json", body)
        }
    };
    let answer = client.call(&request).await;
    ensure!(answer.status() < 300, "it answered {}", answer.show());
    Ok(())
}

impl Contender {
    /// One turn: only this proxy runs.
    async fn turn(&self, ground: &Ground, load: Load, seconds: u64) -> Result<Sample> {
        let Some(proxy) = &self.proxy else {
            return match self.way {
                Way::NativePost => posts(ground, seconds).await,
                _ => Ok(load.run(ground, ground.nginx_port(), seconds).await?.sample(None)),
            };
        };
        proxy.resume();
        let before = proxy.processor_time()?;
        let counted = load.run(ground, proxy.port(), seconds).await;
        let worked = proxy.processor_time()? - before;
        proxy.pause();
        Ok(counted?.sample(Some(worked)))
    }
}

/// The posts of a native client, which tells its own processor time.
async fn posts(ground: &Ground, seconds: u64) -> Result<Sample> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["post", &ground.webhook_port().to_string()]).arg(ground.body());
    let output = command.arg(seconds.to_string()).kill_on_drop(true).output().await?;
    let told: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let cpu = told["cpu"].as_u64().context("the client gave no processor time")?;
    Ok(Counted::parse(&told)?.sample(Some(Duration::from_micros(cpu))))
}

#[expect(clippy::print_stderr, reason = "who waits wants to see that it goes on")]
fn tell(round: usize, rounds: usize, load: Load, way: Way) {
    eprintln!("round {round} of {rounds}: {}, {}", load.name(), way.name());
}
