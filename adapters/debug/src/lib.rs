//! Prints what passes, for those who write adapters. It changes nothing.
//!
//! Put it before and after another adapter in one list, and see what that one does.

mod body;
mod config;

use powerstrip_sdk::{
    Adapter, Certificate, Client, Context, Event, News, Post, Pre, Reason, Request, Response,
    Result, log,
};

use config::{Config, Part};

/// The adapter.
#[derive(Debug)]
pub struct Debug {
    config: Config,
}

impl Adapter for Debug {
    type Config = Config;

    const CONFIG_SCHEMA: Option<&'static str> = Some(include_str!("config.schema.json"));

    fn new(config: Config) -> Result<Self> {
        config.check().map_err(powerstrip_sdk::Error::other)?;
        Ok(Self { config })
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        self.print_request("pre-hook", request);
        Ok(Pre::Pass)
    }

    fn post(&self, request: &Request, response: &mut Response) -> Result<Post> {
        self.print_request("post-hook", request);
        log::info!("<- {}", response.status());
        self.print_headers(response.headers());
        if self.config.shows(Part::Answer) {
            self.print_body("answer", response.body());
        }
        Ok(Post::Pass)
    }

    fn unwind(&self, request: &Request, reason: &Reason) -> Result<()> {
        log::info!("unwind {} {}: {reason:?}", request.method(), request.path_with_query());
        Ok(())
    }

    fn event(&self, event: &Event) -> Result<()> {
        match &event.news {
            News::Engine(news) => {
                log::info!("event {} {} {}", news.kind, news.action, news.actor_id);
                if self.config.shows(Part::Event) {
                    self.print_body("event", Some(news.json.as_bytes()));
                }
            }
            News::Resync(reason) => log::info!("event resync: {}", reason.as_str()),
        }
        Ok(())
    }
}

impl Debug {
    fn print_request(&self, hook: &str, request: &Request) {
        log::info!("{hook} {} {}", request.method(), request.path_with_query());
        if self.config.shows(Part::Context) {
            print_context(request.context());
        }
        self.print_headers(request.headers());
        if self.config.shows(Part::Request) {
            self.print_body("request", request.body());
        }
    }

    fn print_headers<'a>(&self, headers: impl Iterator<Item = (&'a str, &'a [u8])>) {
        if self.config.shows(Part::Headers) {
            for (name, value) in headers {
                log::info!("   {name}: {}", String::from_utf8_lossy(value));
            }
        }
    }

    /// One line of a body is one line of the log, which escapes what would break a line.
    fn print_body(&self, of: &str, body: Option<&[u8]>) {
        let lines = body::lines(body, &self.config);
        match &*lines {
            [] => {}
            [line] => log::info!("   body of the {of}: {line}"),
            lines => {
                log::info!("   body of the {of}:");
                for line in lines {
                    log::info!("   {line}");
                }
            }
        }
    }
}

fn print_context(context: &Context) {
    let endpoint = context.endpoint.as_deref().unwrap_or("not in the catalogue");
    let variables: Vec<String> =
        context.variables.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    log::info!("   endpoint: {endpoint}{}, by pattern {}", variables.concat(), context.pattern);
    let client = match &context.client {
        Client::Unix { pid, uid, gid } => format!("process {pid} of user {uid}, group {gid}"),
        Client::Tls(Certificate { subject, names }) => {
            format!("certificate of \"{subject}\", {}", names.join(", "))
        }
        Client::Unknown => "unknown".to_owned(),
    };
    let left = context.deadline_left;
    let (api, listener) = (&context.api_version, &context.listener);
    log::info!("   client: {client}, through {listener}; API {api}; {left:?} left");
}

powerstrip_sdk::export!(Debug: pre, post, unwind, events);

#[cfg(test)]
mod tests;
