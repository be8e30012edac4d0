//! `powerstrip explain`: what would happen to this call?

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, anyhow};
use powerstrip::config::Config;
use powerstrip::docker::traffic::{
    self, AnswerHead, AnswerView, Framing, RequestHead, RequestView,
};
use powerstrip::docker::{Call, Query, Refusal, normalise};
use powerstrip::endpoint::Match;
use powerstrip::generation::{Builder, Generation};
use powerstrip::hook::{Chain, Link, State};
use powerstrip::limits::show_bytes;
use powerstrip::upstream::Upstream;
use powerstrip::wasm::Runtime;
use serde_json::{Value, json};

use super::Report;

/// All that is told about a call.
struct Explanation {
    call: Call,
    version: Option<String>,
    patterns: usize,
    matches: Vec<Match>,
    chain: Chain,
    request_body: String,
    answer_body: String,
}

/// Explains a call such as `POST /v1.43/containers/create`.
pub(super) async fn run(call: &str, path: &Path) -> anyhow::Result<Report> {
    let (method, target) = call.trim().split_once(char::is_whitespace).ok_or_else(|| {
        anyhow!("a call is a method and a path, for example 'POST /v1.43/containers/create'")
    })?;
    let config = Config::load(path, &super::environment())?;
    let call = match normalise::read(method.as_bytes(), target.trim().as_bytes()) {
        Err(Refusal::Redirect { location }) => {
            return Err(anyhow!(
                "the Docker Engine redirects this path to {location}; explain that"
            ));
        }
        read => {
            read.with_context(|| format!("the Docker Engine would refuse \"{method} {target}\""))?
        }
    };
    let runtime = Runtime::new(&super::runtime_settings())?;
    let generation = Builder::new(runtime).build(&config).await?.generation;
    let version = match call.version {
        Some(version) => Some(version.to_string()),
        None => engine_version(&config).await,
    };
    let explanation = explain(call, version, &generation, &config);
    Ok(Report::new(text(&explanation), json(&explanation)))
}

/// What an unversioned call is served under; unknown where no engine answers.
async fn engine_version(config: &Config) -> Option<String> {
    let upstream = Upstream::new(config.engine.address.clone(), None);
    upstream.api_version().await.map(|version| version.to_string())
}

fn explain(
    call: Call,
    version: Option<String>,
    generation: &Generation,
    config: &Config,
) -> Explanation {
    let (matches, chain) = (
        generation.explain(&call, version.as_deref()),
        generation.chain(&call, version.as_deref()),
    );
    let query = call.query.as_deref().and_then(|raw| Query::parse(raw).ok()).unwrap_or_default();
    let head = RequestHead { content_type: Some("application/json"), has_body: true };
    let request_body = match traffic::of_request(call.endpoint, &query, head) {
        RequestView::Json => format!("shown to hooks, up to {}", show_bytes(config.limits.body)),
        RequestView::Hidden(why) => format!("not shown to hooks: {}", why.as_str()),
        RequestView::NoBody | RequestView::Form => "none".to_owned(),
    };
    let head = AnswerHead {
        status: 200,
        content_type: call.endpoint.is_none().then_some("application/json"),
        framing: Framing::Framed,
    };
    let limit = show_bytes(config.limits.answer);
    let answer_body = match traffic::of_answer(call.endpoint, &query, head) {
        AnswerView::Whole => format!("shown to post-hooks, up to {limit}"),
        AnswerView::Progress => format!("shown to post-hooks that ask for progress, up to {limit}"),
        AnswerView::HeadOnly => "streamed; post-hooks see the head".to_owned(),
        AnswerView::Tunnel => "raw; post-hooks are skipped".to_owned(),
    };
    let patterns = config.endpoints.len();
    Explanation { call, version, patterns, matches, chain, request_body, answer_body }
}

fn text(explanation: &Explanation) -> String {
    let Explanation { call, version, patterns, matches, chain, request_body, answer_body } =
        explanation;
    let mut text = format!("{} {}\n", call.method, call.forward_target());
    let endpoint = call.endpoint.map_or("not in the catalogue", |endpoint| endpoint.name);
    let version = version.as_deref().unwrap_or("not known");
    let _ = writeln!(text, "  endpoint       {endpoint}");
    let _ = writeln!(text, "  API version    {version}");
    let _ = writeln!(text, "  patterns       {} of {patterns} match", matches.len());
    for found in matches {
        let how = if found.as_sent { "as sent" } else { &found.spelling };
        let _ = writeln!(text, "    {}    ({how})", found.pattern);
    }
    for (title, links) in [("pre-hooks", &chain.pre), ("post-hooks", &chain.post)] {
        let _ = writeln!(text, "  {title:<14} {}", if links.is_empty() { "none" } else { "" });
        for link in links {
            let _ = writeln!(
                text,
                "    {}    ({}; for {})",
                link.member.name,
                state(link),
                link.pattern
            );
        }
    }
    let _ = writeln!(text, "  request body   {request_body}");
    let _ = writeln!(text, "  answer         {answer_body}");
    text
}

fn json(explanation: &Explanation) -> Value {
    let Explanation { call, version, matches, chain, request_body, answer_body, .. } = explanation;
    let matched = |found: &Match| json!({ "pattern": &*found.pattern, "spelling": found.spelling, "as_sent": found.as_sent });
    let hook = |link: &Link| json!({ "adapter": link.member.name, "pattern": &*link.pattern, "state": state(link) });
    json!({
        "method": call.method,
        "target": call.forward_target(),
        "endpoint": call.endpoint.map(|endpoint| endpoint.name),
        "api_version": version,
        "matches": matches.iter().map(matched).collect::<Vec<_>>(),
        "pre": chain.pre.iter().map(hook).collect::<Vec<_>>(),
        "post": chain.post.iter().map(hook).collect::<Vec<_>>(),
        "request_body": request_body,
        "answer_body": answer_body,
    })
}

fn state(link: &Link) -> String {
    match &link.member.state {
        State::Ready(_) => "ready".to_owned(),
        State::NotReady(why) => format!("NOT READY: {why}"),
    }
}
