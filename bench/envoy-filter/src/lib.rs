//! Adds one environment variable to every container that is created, in Envoy.
//!
//! It does for its host what `envinject` does for Powerstrip, so that the two can be compared: the
//! head waits until the body is whole, the body is read and written as JSON, and the length is set.

#![cfg(target_arch = "wasm32")]
#![expect(missing_docs, reason = "the macro of proxy-wasm makes a public function")]

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};
use serde_json::{Map, Value};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Settings::default()) });
}}

/// What Envoy's configuration says, once for each of its threads.
#[derive(Default)]
struct Settings {
    /// `NAME=VALUE`, as it shall stand in `Env`.
    variable: String,
}

impl Context for Settings {}

impl RootContext for Settings {
    fn on_configure(&mut self, _: usize) -> bool {
        let configured = self.get_plugin_configuration().unwrap_or_default();
        self.variable = String::from_utf8(configured).unwrap_or_default();
        self.variable.contains('=')
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Create { variable: self.variable.clone(), is_create: false }))
    }
}

/// One request.
struct Create {
    variable: String,
    is_create: bool,
}

impl Context for Create {}

impl HttpContext for Create {
    fn on_http_request_headers(&mut self, _: usize, ends: bool) -> Action {
        let is = |name: &str, wanted: fn(&str) -> bool| {
            self.get_http_request_header(name).is_some_and(|value| wanted(&value))
        };
        self.is_create = !ends
            && is(":method", |method| method == "POST")
            && is(":path", |path| {
                path.split('?').next().is_some_and(|path| path.ends_with("/containers/create"))
            });
        // The length in the head is known once the body is.
        if self.is_create { Action::Pause } else { Action::Continue }
    }

    fn on_http_request_body(&mut self, size: usize, ends: bool) -> Action {
        if !self.is_create {
            return Action::Continue;
        }
        if !ends {
            return Action::Pause;
        }
        let changed = self
            .get_http_request_body(0, size)
            .and_then(|body| with_variable(&body, &self.variable));
        match changed {
            Some(body) => {
                self.set_http_request_header("content-length", Some(&body.len().to_string()));
                self.set_http_request_body(0, size, &body);
            }
            None => self.send_http_response(400, vec![], Some(b"Env is not a list of strings")),
        }
        Action::Continue
    }
}

/// The body with the variable behind those that it has; none if it is not what a create sends.
fn with_variable(body: &[u8], variable: &str) -> Option<Vec<u8>> {
    let mut container: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let env = container.entry("Env").or_insert_with(|| Value::Array(Vec::new()));
    if env.is_null() {
        *env = Value::Array(Vec::new());
    }
    env.as_array_mut()?.push(Value::from(variable));
    serde_json::to_vec(&container).ok()
}
