//! Calls through `wasi:http/outgoing-handler`.

use std::mem::ManuallyDrop;
use std::time::Duration;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{self as wasi, ErrorCode, IncomingBody, Scheme};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use super::{Body, Error, Open, Request, Response, Url};

/// The most that is read at a time.
const CHUNK: u64 = 64 * 1024;

/// A header line.
type Line = (String, Vec<u8>);

pub(super) fn open(request: &Request, lines: Vec<Line>, url: &Url<'_>) -> Result<Open, Error> {
    let Exchange { answer, .. } = exchange(request, lines, url)?;
    let status = answer.status();
    let headers = answer.headers().entries();
    let (stream, body) = body_of(&answer)?;
    let body = Body::new(Incoming { stream, _body: body, _answer: answer });
    Ok(Open { status, headers, body })
}

/// The same with the whole answer, but for its headers. Its handles are not let go of, each of which
/// would take a call of the host.
pub(super) fn send_last(
    request: &Request,
    lines: Vec<Line>,
    url: &Url<'_>,
) -> Result<Response, Error> {
    let exchange = ManuallyDrop::new(exchange(request, lines, url)?);
    let incoming = ManuallyDrop::new(body_of(&exchange.answer)?);
    let mut body = Vec::new();
    loop {
        let piece = next(&incoming.0)?;
        match body.is_empty() {
            _ if piece.is_empty() => break,
            true => body = piece,
            false => body.extend_from_slice(&piece),
        }
    }
    Ok(Response { status: exchange.answer.status(), headers: Vec::new(), body })
}

/// A call that was answered. The fields are dropped in this order: what waits before what it waits
/// for.
struct Exchange {
    answer: wasi::IncomingResponse,
    _waiting: Pollable,
    _pending: wasi::FutureIncomingResponse,
}

fn exchange(request: &Request, lines: Vec<Line>, url: &Url<'_>) -> Result<Exchange, Error> {
    let outgoing = head(request, lines, url)?;
    let body = outgoing.body().map_err(|()| broken("the request has no body to write"))?;
    // What is short is there before the call is made, so that it leaves together with the head.
    let left = write_short(body, &request.body);
    let pending = outgoing_handler::handle(outgoing, options(request.timeout))?;
    if let Some((stream, body)) = left {
        write(stream, body, &request.body);
    }
    let waiting = pending.subscribe();
    waiting.block();
    let answer = pending.get().and_then(Result::ok);
    let answer = answer.ok_or_else(|| broken("the answer was taken already"))??;
    Ok(Exchange { answer, _waiting: waiting, _pending: pending })
}

/// A stream, and what it belongs to.
fn body_of(answer: &wasi::IncomingResponse) -> Result<(InputStream, IncomingBody), Error> {
    let nothing = |()| broken("the answer has no body to read");
    let body = answer.consume().map_err(nothing)?;
    Ok((body.stream().map_err(nothing)?, body))
}

/// The request without its body.
fn head(
    request: &Request,
    lines: Vec<Line>,
    url: &Url<'_>,
) -> Result<wasi::OutgoingRequest, Error> {
    let outgoing = wasi::OutgoingRequest::new(fields(request, lines)?);
    let bad_url = |()| Error::BadUrl(request.url.clone());
    let scheme = if url.secure { Scheme::Https } else { Scheme::Http };
    outgoing.set_scheme(Some(&scheme)).map_err(bad_url)?;
    outgoing.set_authority(Some(url.authority)).map_err(bad_url)?;
    outgoing.set_path_with_query(Some(&url.path_with_query)).map_err(bad_url)?;
    outgoing
        .set_method(&method(&request.method))
        .map_err(|()| Error::Broken(format!("{} is not a method", request.method)))?;
    Ok(outgoing)
}

/// The header lines, handed over at once.
fn fields(request: &Request, mut lines: Vec<Line>) -> Result<wasi::Fields, Error> {
    let own = lines.len();
    if !request.body.is_empty() || request.method == "POST" {
        lines.push(("content-length".to_owned(), request.body.len().to_string().into_bytes()));
    }
    wasi::Fields::from_list(&lines).or_else(|_| fields_in_turn(lines, own))
}

/// The same one after the other, for the one that is refused.
fn fields_in_turn(mut lines: Vec<Line>, own: usize) -> Result<wasi::Fields, Error> {
    let fields = wasi::Fields::new();
    let length = lines.split_off(own);
    for (name, value) in lines {
        let set = fields.append(&name, &value);
        set.map_err(|error| Error::Broken(format!("header {name} cannot be sent: {error}")))?;
    }
    for (name, value) in length {
        // A host may insist on setting the length by itself; then it knows better.
        let _ = fields.set(&name, &[value]);
    }
    Ok(fields)
}

fn method(name: &str) -> wasi::Method {
    match name {
        "GET" => wasi::Method::Get,
        "POST" => wasi::Method::Post,
        "PUT" => wasi::Method::Put,
        "DELETE" => wasi::Method::Delete,
        "HEAD" => wasi::Method::Head,
        "PATCH" => wasi::Method::Patch,
        other => wasi::Method::Other(other.to_owned()),
    }
}

fn options(timeout: Option<Duration>) -> Option<wasi::RequestOptions> {
    let nanos = u64::try_from(timeout?.as_nanos()).ok();
    let options = wasi::RequestOptions::new();
    // A host that cannot keep one of them still keeps the hook's deadline.
    let _ = options.set_connect_timeout(nanos);
    let _ = options.set_first_byte_timeout(nanos);
    let _ = options.set_between_bytes_timeout(nanos);
    Some(options)
}

/// Writes a body for which there is room at once; what it takes to write others comes back.
fn write_short(
    body: wasi::OutgoingBody,
    bytes: &[u8],
) -> Option<(OutputStream, wasi::OutgoingBody)> {
    if !bytes.is_empty() {
        let stream = body.write().ok()?;
        let room = stream.check_write().unwrap_or(0);
        if room < bytes.len() as u64 {
            return Some((stream, body));
        }
        stream.write(bytes).ok()?;
    }
    let _ = wasi::OutgoingBody::finish(body, None);
    None
}

/// Writes the body. Errors are left to the answer, which says why the connection broke.
fn write(stream: OutputStream, body: wasi::OutgoingBody, bytes: &[u8]) {
    let written = write_all(&stream, bytes).is_ok();
    drop(stream);
    if written {
        let _ = wasi::OutgoingBody::finish(body, None);
    }
}

fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    stream.blocking_flush()
}

/// What is left of an answer's body. The fields are dropped in this order: a stream before what it
/// belongs to.
pub(crate) struct Incoming {
    stream: InputStream,
    _body: IncomingBody,
    _answer: wasi::IncomingResponse,
}

impl Incoming {
    /// The next piece; empty at the end.
    pub(crate) fn next(&mut self) -> Result<Vec<u8>, Error> {
        next(&self.stream)
    }
}

fn next(stream: &InputStream) -> Result<Vec<u8>, Error> {
    loop {
        match stream.blocking_read(CHUNK) {
            Ok(chunk) if chunk.is_empty() => {}
            Ok(chunk) => return Ok(chunk),
            Err(StreamError::Closed) => return Ok(Vec::new()),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(wasi::http_error_code(&error)
                    .map_or_else(|| Error::Broken(error.to_debug_string()), Error::from));
            }
        }
    }
}

fn broken(why: &str) -> Error {
    Error::Broken(why.to_owned())
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        let unreachable = |why: &str| Self::Unreachable(why.to_owned());
        let timed_out = |what: &str| Self::TimedOut(what.to_owned());
        match code {
            ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Self::Denied,
            ErrorCode::DnsTimeout => timed_out("resolving the name"),
            ErrorCode::ConnectionTimeout => timed_out("connecting"),
            ErrorCode::ConnectionReadTimeout => timed_out("reading"),
            ErrorCode::ConnectionWriteTimeout => timed_out("writing"),
            ErrorCode::HttpResponseTimeout => timed_out("waiting for the answer"),
            ErrorCode::DnsError(dns) => {
                let why = dns.rcode.map(|code| format!(": {code}")).unwrap_or_default();
                Self::Unreachable(format!("the name does not resolve{why}"))
            }
            ErrorCode::ConnectionRefused => unreachable("connection refused"),
            ErrorCode::DestinationNotFound => unreachable("no such host"),
            ErrorCode::DestinationUnavailable => unreachable("the host is unavailable"),
            ErrorCode::DestinationIpUnroutable => unreachable("no route to the host"),
            ErrorCode::ConnectionLimitReached => unreachable("too many connections"),
            ErrorCode::ConnectionTerminated => unreachable("connection closed"),
            ErrorCode::TlsProtocolError => unreachable("the TLS handshake failed"),
            ErrorCode::TlsCertificateError => unreachable("its certificate is not trusted"),
            ErrorCode::TlsAlertReceived(_) => unreachable("it refused the TLS handshake"),
            ErrorCode::HttpRequestUriInvalid => broken("the path cannot be sent as it is"),
            ErrorCode::HttpUpgradeFailed => broken("the connection would leave HTTP"),
            ErrorCode::HttpResponseIncomplete => broken("the answer is incomplete"),
            ErrorCode::HttpProtocolError => broken("the answer is not HTTP"),
            ErrorCode::HttpResponseHeaderSectionSize(_) => broken("the answer's head is too long"),
            ErrorCode::InternalError(Some(why)) => Self::Broken(why),
            other => Self::Broken(format!("{other:?}")),
        }
    }
}
