//! Failures of the client in the words of `wasi:http`.

use std::error::Error as StdError;
use std::io;

use rustls::Error as TlsError;
use thiserror::Error;
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

/// Why no connection was made.
#[derive(Debug, Error)]
pub(super) enum DialError {
    /// The adapter may not call this host.
    #[error("the host is not granted")]
    Denied,
    /// It may call the host, but not where its name leads.
    #[error(transparent)]
    Prohibited(#[from] crate::grants::Denied),
    /// The name leads nowhere.
    #[error("the name cannot be resolved")]
    Resolve(#[source] io::Error),
    /// Nobody answers there.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// No secure connection.
    #[error("the TLS handshake failed")]
    Tls(#[source] io::Error),
    /// All of it took too long.
    #[error("connecting took too long")]
    Timeout,
}

/// Why a request has no answer.
#[derive(Debug, Error)]
pub(super) enum SendError {
    /// No connection was made.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The exchange failed.
    #[error(transparent)]
    Exchange(#[from] hyper::Error),
}

/// The failure of a request before its answer's head was there.
pub(super) fn of_sending(error: &SendError) -> Error {
    match error {
        SendError::Dial(error) => of_dial(error),
        // The guest's own body failed, or the peer hung up.
        SendError::Exchange(error) => match error {
            _ if error.is_incomplete_message() || error.is_canceled() || error.is_closed() => {
                Error::ConnectionTerminated
            }
            _ if error.is_parse_too_large() => Error::HttpResponseHeaderSectionSize(None),
            _ if find::<io::Error>(error).is_some() => Error::ConnectionTerminated,
            _ => Error::HttpProtocolError,
        },
    }
}

fn of_dial(error: &DialError) -> Error {
    match error {
        DialError::Denied => Error::HttpRequestDenied,
        DialError::Prohibited(_) => Error::DestinationIpProhibited,
        DialError::Resolve(error) => {
            Error::DnsError { rcode: Some(error.to_string()), info_code: None }
        }
        DialError::Connect(error) => Error::Connect(io::Error::from(error.kind())),
        DialError::Tls(error) => of_tls(error),
        DialError::Timeout => Error::ConnectionTimeout,
    }
}

fn of_tls(error: &io::Error) -> Error {
    match error.get_ref().and_then(|error| error.downcast_ref::<TlsError>()) {
        Some(TlsError::InvalidCertificate(_) | TlsError::NoCertificatesPresented) => {
            Error::TlsCertificateError
        }
        Some(TlsError::AlertReceived(alert)) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        Some(_) => Error::TlsProtocolError,
        None => Error::ConnectionTerminated,
    }
}

/// A failure to connect.
pub(super) fn of_connect(error: &io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
        io::ErrorKind::TimedOut => ErrorCode::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            ErrorCode::DestinationIpUnroutable
        }
        io::ErrorKind::NotFound => ErrorCode::DestinationNotFound,
        _ => ErrorCode::DestinationUnavailable,
    }
}

/// A failure while the answer's body was read, in words that a guest can tell apart.
pub(super) fn of_body(error: &hyper::Error) -> Error {
    match error {
        _ if error.is_timeout() => Error::HttpResponseTimeout,
        _ if error.is_parse() => Error::HttpProtocolError,
        _ => Error::HttpResponseIncomplete,
    }
}

/// The same, where wasi-http itself asks.
pub(super) fn of_hyper(error: &hyper::Error) -> ErrorCode {
    match error {
        _ if error.is_timeout() => ErrorCode::HttpResponseTimeout,
        _ if error.is_incomplete_message() => ErrorCode::HttpResponseIncomplete,
        _ if find::<io::Error>(error).is_some() => ErrorCode::ConnectionTerminated,
        _ => ErrorCode::HttpProtocolError,
    }
}

/// The first error of this type in a chain of causes.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

impl From<DialError> for Error {
    fn from(error: DialError) -> Self {
        of_dial(&error)
    }
}
