//! The yardstick for webhooks: hyper's own client makes the POST that `http-adapter` makes, over kept
//! connections, and does nothing else.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::load::{CONNECTIONS, Load};

/// Before anything is counted: connections are opened, and code is read in.
const WARM_UP: Duration = Duration::from_millis(500);

type Http = Client<HttpConnector, Full<Bytes>>;

/// Posts what the webhook of a create gets, from as many tasks as wrk has connections, and prints
/// what that took.
#[expect(clippy::print_stdout, reason = "who has started it reads the line")]
pub(crate) async fn run(port: u16, body: &Path, seconds: u64) -> Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Http = Client::builder(TokioExecutor::new()).build(connector);
    let target: Uri = format!("http://127.0.0.1:{port}/hook").parse()?;
    let message = Bytes::from(message(&fs::read_to_string(body)?));
    for_a_while(&client, &target, &message, WARM_UP).await?;
    let (cpu, began) = (processor_time(), Instant::now());
    let mut times = for_a_while(&client, &target, &message, Duration::from_secs(seconds)).await?;
    let (cpu, took) = (processor_time() - cpu, began.elapsed());
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_micros();
    let summary = json!({
        "requests": times.len(), "took": took.as_micros(), "cpu": cpu.as_micros(),
        "p50": at(50), "p99": at(99),
    });
    println!("{summary}");
    Ok(())
}

/// What all threads of this process have worked.
fn processor_time() -> Duration {
    // It does not run backwards from zero.
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// The message of the protocol's first version.
fn message(body: &str) -> String {
    let request = json!({"Method": "POST", "Request": Load::Create.target(), "Body": body});
    let message = json!({
        "PowerstripProtocolVersion": 1, "Type": "pre-hook", "ClientRequest": request,
    });
    message.to_string()
}

async fn for_a_while(
    client: &Http,
    target: &Uri,
    message: &Bytes,
    duration: Duration,
) -> Result<Vec<Duration>> {
    let over = Arc::new(AtomicBool::new(false));
    let tasks = (0..CONNECTIONS).map(|_| {
        let (client, target, message, over) =
            (client.clone(), target.clone(), message.clone(), Arc::clone(&over));
        tokio::spawn(async move {
            let mut times = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let began = Instant::now();
                post(&client, &target, &message).await?;
                times.push(began.elapsed());
            }
            anyhow::Ok(times)
        })
    });
    let tasks: Vec<_> = tasks.collect();
    tokio::time::sleep(duration).await;
    over.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await??);
    }
    ensure!(!all.is_empty(), "no post was answered");
    Ok(all)
}

async fn post(client: &Http, target: &Uri, message: &Bytes) -> Result<()> {
    let request = Request::post(target.clone())
        .header("Content-Type", "application/json")
        .body(Full::new(message.clone()))?;
    let answer = client.request(request).await?;
    ensure!(answer.status() == 200, "the webhook answered with {}", answer.status());
    answer.into_body().collect().await?;
    Ok(())
}
