//! Names of listeners, and endpoints that are limited to some of them.

use super::super::{Config, ConfigError, Environment, Listener};
use super::{parse, parse_with, problems, warnings};

const LISTEN: &str = "listen: [{address: /run/ci.sock, name: ci}, {address: /run/ops.sock, name: ops}, \
                      'tcp://localhost:2375']\n";

/// An endpoint that is limited to these listeners, behind those of [`LISTEN`].
fn limited(listeners: &str) -> String {
    format!("{LISTEN}endpoints: {{\"GET *\": {{pre: [slowreq], listeners: {listeners}}}}}")
}

fn names(config: Result<Config, ConfigError>) -> Vec<String> {
    let config = config.expect("a configuration");
    let names = config.endpoints[0].listeners.names().expect("a limit");
    names.iter().map(|name| (**name).to_owned()).collect()
}

#[test]
fn a_listener_is_called_by_its_name_or_by_its_address() {
    let config = parse(LISTEN).expect("a configuration");

    let labels: Vec<_> = config.listeners.iter().map(Listener::label).collect();

    assert_eq!(labels, ["ci", "ops", "tcp://localhost:2375"]);
}

#[test]
fn an_endpoint_without_a_limit_has_none() {
    let config = parse("endpoints: {\"GET *\": {pre: [slowreq]}}").expect("a configuration");

    assert_eq!(config.endpoints[0].listeners.names(), None);
}

macro_rules! limits {
    ($($name:ident: $listeners:literal => $expected:expr;)*) => {$(
        #[test]
        fn $name() {
            assert_eq!(names(parse(&limited($listeners))), $expected);
        }
    )*};
}

limits! {
    one_name: "[ci]" => ["ci"];
    several_names: "[ops, ci]" => ["ops", "ci"];
    an_address: "['tcp://localhost:2375']" => ["tcp://localhost:2375"];
    an_address_without_its_port: "['tcp://localhost']" => ["tcp://localhost:2375"];
}

macro_rules! wrong {
    ($($name:ident: $text:expr => $expected:expr;)*) => {$(
        #[test]
        fn $name() {
            let found = problems(&$text).replace("adapters.yml:", "");

            assert_eq!(found, $expected);
        }
    )*};
}

const KEY: &str = "endpoints.\"GET *\".listeners";

wrong! {
    a_listener_that_is_not_there: limited("[opps]") =>
        format!("2:51: {KEY}[0]: no listener is named \"opps\"; did you mean \"ops\"?");
    a_listener_unlike_any: limited("[quux]") => format!(
        "2:51: {KEY}[0]: no listener is named \"quux\"; known: ci, ops, tcp://localhost:2375"
    );
    the_address_of_one_with_a_name: limited("['unix:///run/ci.sock']") =>
        format!("2:51: {KEY}[0]: the listener unix:///run/ci.sock has a name; write \"ci\"");
    an_address_where_nobody_listens: limited("['tcp://localhost:2376']") => format!(
        "2:51: {KEY}[0]: no listener is named \"tcp://localhost:2376\"; did you mean \
         \"tcp://localhost:2375\"?"
    );
    a_name_in_place_of_a_list: limited("ci") =>
        format!("2:50: {KEY}: expected a list of listeners, found a string; write [ci]");
    a_limit_to_nobody: limited("[]") =>
        format!("2:50: {KEY}: the list is empty; remove the key for all listeners");
    an_endpoint_that_only_has_a_limit: format!("{LISTEN}endpoints: {{\"GET *\": {{listeners: [ci]}}}}") =>
        "2:13: endpoints.\"GET *\": this endpoint does nothing; give it `pre`, `post` or `log`, or \
         remove it";
    an_empty_name: "listen: {address: /a, name: ''}" =>
        "1:29: listen.name: the name of a listener is empty";
    a_name_that_looks_like_an_address: "listen: {address: /a, name: 'tcp://b'}" =>
        "1:29: listen.name: the name of a listener has letters, digits, `-`, `_`, `.` and `@`";
    a_name_that_is_too_long: format!("listen: {{address: /a, name: {}}}", "a".repeat(65)) =>
        "1:29: listen.name: the name of a listener has more than 64 bytes";
    a_listener_that_is_wrong_itself: "listen: [{adress: /a, name: ci}]\nendpoints: {\"GET *\": {pre: \
                                      [slowreq], listeners: [ci]}}" =>
        "1:10: listen[0]: `address` is missing\n1:11: listen[0].adress: this key is unknown; did you \
         mean \"address\"?";
}

/// An endpoint for a socket of systemd's, which calls its sockets like this.
fn by_systemd(listener: &str, sockets: Option<&[&str]>) -> Result<Config, ConfigError> {
    let text = format!(
        "listen: [fd://]\nendpoints: {{\"GET *\": {{pre: [slowreq], listeners: [{listener}]}}}}"
    );
    let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let environment = Environment { socket_names: sockets.map(own), ..Environment::default() };
    parse_with(&text, &environment, &["slowreq.wasm"])
}

#[test]
fn sockets_of_systemd_are_called_as_it_calls_them() {
    assert_eq!(names(by_systemd("ci", Some(&["ops", "ci"]))), ["ci"]);
}

#[test]
fn systemd_has_no_socket_of_this_name() {
    let error = by_systemd("opps", Some(&["ops", "", "ci"])).expect_err("there is none");

    let expected = format!(
        "adapters.yml:2:51: {KEY}[0]: no listener is named \"opps\"; did you mean \"ops\"?"
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn without_systemd_nobody_knows_its_names() {
    let config = by_systemd("ci", None).expect("it may be right");

    let expected = format!(
        "{KEY}[0]: no listener is named \"ci\"; a socket of systemd's must be, by its \
         `FileDescriptorName`"
    );
    assert_eq!(config.warnings[0].to_string(), expected);
    assert_eq!(names(Ok(config)), ["ci"]);
}

#[test]
fn a_name_in_the_file_counts_for_all_sockets_of_systemd() {
    let text = "listen: {address: fd://, name: ci}\n\
                endpoints: {\"GET *\": {pre: [slowreq], listeners: [ci]}}";

    assert!(warnings(text).is_empty());
    assert_eq!(names(parse(text)), ["ci"]);
}
