//! The sections `listen` and `engine`, and what may not be between the two.

use std::path::{Path, PathBuf};

use super::error::{Problem, Report};
use super::node::Kind;
use super::quantity;
use super::types::{Engine, EngineTls, Identity, ListenTls, Listener};
use super::value::Value;
use super::{DEFAULT_ENGINE, DEFAULT_LISTEN, Surroundings, listener_names};
use crate::addr::{Address, AddressError, PLAIN_PORT, TLS_PORT};

/// The most listeners: each is compared with all others.
const MAX_LISTENERS: usize = 64;

/// The Docker Engine, and who named it.
pub(super) struct NamedEngine {
    pub(super) value: Engine,
    /// For messages; none if what was said is no address, so that the value is a stand-in.
    origin: Option<&'static str>,
}

/// Reads `engine`, else the environment, else the default.
pub(super) fn engine(
    section: Option<&Value<'_>>,
    base: &Path,
    surroundings: Surroundings<'_>,
    report: &mut Report,
) -> NamedEngine {
    let environment = surroundings.environment;
    let docker_host = environment.docker_host.as_deref().filter(|host| !host.is_empty());
    let (value, origin) = match (section, docker_host) {
        (Some(section), _) => (read_engine(section, base, report), "engine"),
        (None, Some(host)) => {
            let read = engine_of_environment(host, surroundings);
            (read.map_err(|problem| report.problem(problem)).ok(), "DOCKER_HOST")
        }
        (None, None) => (Some(default_engine()), "the default"),
    };
    let origin = value.is_some().then_some(origin);
    NamedEngine { value: value.unwrap_or_else(default_engine), origin }
}

fn default_engine() -> Engine {
    let address = Address::parse(DEFAULT_ENGINE, PLAIN_PORT).expect("the default is an address");
    Engine { address, tls: None }
}

fn read_engine(section: &Value<'_>, base: &Path, report: &mut Report) -> Option<Engine> {
    let (address, tls) = match &section.node.kind {
        Kind::Scalar { .. } => (Some(section.clone()), None),
        Kind::Mapping(_) => {
            let [address, tls] = section.fields(["address", "tls"], report)?;
            if address.is_none() {
                report.problem(section.problem("`address` is missing"));
            }
            (address, tls)
        }
        _ => {
            section.expected("an address or a mapping", report);
            return None;
        }
    };
    let port = if tls.is_some() { TLS_PORT } else { PLAIN_PORT };
    let value = address?;
    let address = read_address(&value, port, report);
    if address == Some(Address::Fd) {
        report.problem(value.problem("fd:// is for listening only"));
    }
    if let (Some(tls), Some(Address::Unix(_))) = (&tls, &address) {
        report.problem(tls.problem("TLS is for tcp:// addresses only"));
    }
    let tls = tls.and_then(|tls| {
        let [ca, cert, key] = tls.fields(["ca", "cert", "key"], report)?;
        let ca = file(ca.as_ref(), base, report);
        Some(EngineTls { ca, identity: identity(&tls, [cert, key], base, report) })
    });
    Some(Engine { address: address?, tls })
}

/// As the Docker command line reads `DOCKER_HOST`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`, in which an
/// empty variable is as good as none.
fn engine_of_environment(host: &str, surroundings: Surroundings<'_>) -> Result<Engine, Problem> {
    let environment = surroundings.environment;
    let problem = |message: String| Problem {
        position: None,
        key: "DOCKER_HOST".to_owned(),
        message,
        hint: Some("correct the variable, or name the Docker Engine under `engine`".to_owned()),
    };
    let is_set = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
    let verify = is_set(&environment.docker_tls_verify);
    let port = if verify { TLS_PORT } else { PLAIN_PORT };
    let address = Address::parse(host, port).map_err(|error| problem(error.to_string()))?;
    if address == Address::Fd {
        return Err(problem("fd:// is for listening only".to_owned()));
    }
    let tls = match (&address, verify, &environment.docker_cert_path) {
        (Address::Tcp { .. }, true, Some(folder)) => Some(EngineTls {
            ca: Some(folder.join("ca.pem")),
            identity: identity_in(folder, surroundings),
        }),
        (Address::Tcp { .. }, true, None) => {
            let message = "DOCKER_TLS_VERIFY is set without DOCKER_CERT_PATH";
            return Err(problem(message.to_owned()));
        }
        (Address::Tcp { .. }, false, _) if is_set(&environment.docker_tls) => {
            let message = "DOCKER_TLS without DOCKER_TLS_VERIFY would not look who answers";
            return Err(problem(message.to_owned()));
        }
        _ => None,
    };
    Ok(Engine { address, tls })
}

/// What the client shows; nothing if the folder has neither file.
fn identity_in(folder: &Path, surroundings: Surroundings<'_>) -> Option<Identity> {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    // A folder that cannot be listed will have its error when the files are read.
    let has_none = (surroundings.list_folder)(folder)
        .is_ok_and(|files| !files.iter().any(|file| file == "cert.pem" || file == "key.pem"));
    (!has_none).then_some(Identity { cert, key })
}

/// Reads `listen`, one place or a list of them, and checks each against the Docker Engine.
pub(super) fn listeners(
    section: Option<&Value<'_>>,
    base: &Path,
    engine: &NamedEngine,
    report: &mut Report,
) -> Vec<Listener> {
    let Some(section) = section else {
        let listener = plain(Address::parse(DEFAULT_LISTEN, PLAIN_PORT).expect("an address"));
        if let Some((message, hint)) = collision(&listener.address, engine) {
            let key = "listen".to_owned();
            report.problem(Problem { position: None, key, message, hint: Some(hint) });
        }
        return vec![listener];
    };
    let places = match &section.node.kind {
        Kind::Sequence(_) => section.list("a list", report).unwrap_or_default(),
        _ => vec![section.clone()],
    };
    if places.is_empty() {
        let hint = Some(format!("remove the key to listen at {DEFAULT_LISTEN}"));
        report.problem(Problem { hint, ..section.problem("the list is empty") });
    }
    if let Some(place) = places.get(MAX_LISTENERS) {
        report.problem(place.problem(format!("more than {MAX_LISTENERS} listeners")));
    }
    let mut listeners: Vec<Listener> = Vec::new();
    for place in places.into_iter().take(MAX_LISTENERS) {
        let Some(listener) = read_listener(&place, base, report) else { continue };
        if listeners.iter().any(|other| listener.address.reaches(&other.address)) {
            report.problem(place.problem(format!("{} is listed twice", listener.address)));
        }
        if let Some((message, hint)) = collision(&listener.address, engine) {
            report.problem(Problem { hint: Some(hint), ..place.problem(message) });
        }
        listeners.push(listener);
    }
    listeners
}

/// Users export `DOCKER_HOST` to reach Powerstrip, and then start it with that environment.
fn collision(listener: &Address, engine: &NamedEngine) -> Option<(String, String)> {
    let address = &engine.value.address;
    let origin = engine.origin?;
    let hint = "name the Docker Engine's own address under `engine`".to_owned();
    address
        .reaches(listener)
        .then(|| (format!("{address} is the Docker Engine's address too ({origin})"), hint))
}

fn plain(address: Address) -> Listener {
    let (name, mode, owner, group, tls) = (None, None, None, None, None);
    Listener { address, name, mode, owner, group, tls, insecure: false }
}

fn read_listener(place: &Value<'_>, base: &Path, report: &mut Report) -> Option<Listener> {
    let listener = match &place.node.kind {
        Kind::Scalar { .. } => plain(read_address(place, PLAIN_PORT, report)?),
        Kind::Mapping(_) => read_long(place, base, report)?,
        _ => {
            place.expected("an address or a mapping", report);
            return None;
        }
    };
    check_exposure(place, &listener, report);
    Some(listener)
}

fn read_long(place: &Value<'_>, base: &Path, report: &mut Report) -> Option<Listener> {
    let names = ["address", "name", "mode", "owner", "group", "tls", "insecure"];
    let [address, name, mode, owner, group, tls, insecure] = place.fields(names, report)?;
    if address.is_none() {
        report.problem(place.problem("`address` is missing"));
    }
    let port = if tls.is_some() { TLS_PORT } else { PLAIN_PORT };
    let address = address.and_then(|address| read_address(&address, port, report));
    let misplaced: Vec<&Value<'_>> = match &address {
        None => Vec::new(),
        Some(Address::Unix(_)) => [&tls, &insecure].into_iter().flatten().collect(),
        Some(Address::Tcp { .. }) => [&mode, &owner, &group].into_iter().flatten().collect(),
        Some(Address::Fd) => {
            [&mode, &owner, &group, &tls, &insecure].into_iter().flatten().collect()
        }
    };
    for value in misplaced {
        let kind = match &address {
            Some(Address::Unix(_)) => "unix://",
            Some(Address::Fd) => "fd://",
            _ => "tcp://",
        };
        report.problem(value.problem(format!("this key has no meaning for {kind} addresses")));
    }
    let name =
        name.and_then(|it| it.parse("the name of a listener", report, listener_names::parse));
    let mode = mode.and_then(|value| value.parse("the mode of a file", report, quantity::mode));
    let owner = owner.and_then(|value| value.text("a user", report).map(str::to_owned));
    let group = group.and_then(|value| value.text("a group", report).map(str::to_owned));
    let insecure = insecure.and_then(|value| value.boolean(report)).unwrap_or(false);
    // TLS that was meant counts as TLS, lest its own problem cause a second one.
    let tls = match tls {
        Some(tls) => Some(read_listen_tls(&tls, base, report)?),
        None => None,
    };
    Some(Listener { address: address?, name, mode, owner, group, tls, insecure })
}

fn read_listen_tls(tls: &Value<'_>, base: &Path, report: &mut Report) -> Option<ListenTls> {
    let [cert, key, client_ca] = tls.fields(["cert", "key", "client_ca"], report)?;
    let client_ca = file(client_ca.as_ref(), base, report);
    if cert.is_none() && key.is_none() {
        report.problem(tls.problem("`cert` and `key` are missing"));
    }
    let identity = identity(tls, [cert, key], base, report)?;
    Some(ListenTls { identity, client_ca })
}

/// Whoever reaches a Docker Engine's API is root on its host.
fn check_exposure(place: &Value<'_>, listener: &Listener, report: &mut Report) {
    let address = &listener.address;
    let is_open = listener.tls.as_ref().is_none_or(|tls| tls.client_ca.is_none());
    if address.is_local() || !is_open {
        return;
    }
    let message = match listener.tls {
        None => format!("whoever reaches {address} is root on this host: it has no TLS"),
        Some(_) => {
            format!("whoever reaches {address} is root on this host: it asks for no certificate")
        }
    };
    let problem = place.problem(message);
    match (&listener.tls, listener.insecure) {
        (None, false) => {
            let hint = "give it `tls`, or write `insecure: true` if that is meant";
            report.problem(Problem { hint: Some(hint.to_owned()), ..problem });
        }
        (Some(_), _) => {
            let hint = Some("give `tls` a `client_ca`".to_owned());
            report.warning(Problem { hint, ..problem });
        }
        (None, true) => report.warning(problem),
    }
}

fn read_address(value: &Value<'_>, port: u16, report: &mut Report) -> Option<Address> {
    value.parse("an address", report, |text| -> Result<Address, AddressError> {
        Address::parse(text, port)
    })
}

/// A certificate and its key: both or neither.
fn identity(
    tls: &Value<'_>,
    [cert, key]: [Option<Value<'_>>; 2],
    base: &Path,
    report: &mut Report,
) -> Option<Identity> {
    if cert.is_some() != key.is_some() {
        let missing = if cert.is_some() { "key" } else { "cert" };
        report.problem(tls.problem(format!("`{missing}` is missing")));
    }
    let (cert, key) = (file(cert.as_ref(), base, report), file(key.as_ref(), base, report));
    Some(Identity { cert: cert?, key: key? })
}

fn file(value: Option<&Value<'_>>, base: &Path, report: &mut Report) -> Option<PathBuf> {
    value?.parse("the path of a file", report, |text| match text {
        "" => Err("the path is empty"),
        _ => Ok(base.join(text)),
    })
}
