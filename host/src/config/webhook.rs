//! The URL of a webhook.

use std::fmt;
use std::path::PathBuf;

use http::Uri;
use thiserror::Error;

/// The URL of a webhook, kept exactly as written, since adapters are posted to exactly that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    text: String,
    target: WebhookTarget,
}

/// Where the requests to a webhook go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookTarget {
    /// A host in the network.
    Tcp {
        /// Name or address, without brackets.
        host: String,
        /// The port, the scheme's own if none was written.
        port: u16,
        /// Whether it is `https`.
        tls: bool,
        /// Path and query, at least `/`.
        path: String,
    },
    /// A socket on this host: `unix:///run/adapter.sock:/path`.
    Unix {
        /// The socket.
        socket: PathBuf,
        /// Path and query, at least `/`.
        path: String,
    },
}

/// What a webhook speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The very first form: `{method, request, body}`.
    Seed,
    /// Flat messages, before there was a version.
    Zero,
    /// The protocol of 2015.
    #[default]
    One,
    /// The same with headers, context, `Continue` and unwind.
    Two,
}

impl Protocol {
    /// What the configuration calls each of them.
    pub(super) const WORDS: [(&str, Self); 4] =
        [("0", Self::Zero), ("1", Self::One), ("2", Self::Two), ("seed", Self::Seed)];

    /// Whether it is one of those that know no heads without bodies: their webhooks are not called
    /// where a body cannot be shown, and their post-hooks see the request as the client sent it.
    #[must_use]
    pub fn is_of_2015(self) -> bool {
        self != Self::Two
    }

    /// What the built-in component calls it.
    #[must_use]
    pub fn to_json(self) -> serde_json::Value {
        match self {
            Self::Seed => "seed".into(),
            Self::Zero => 0.into(),
            Self::One => 1.into(),
            Self::Two => 2.into(),
        }
    }
}

/// Why a text is not the URL of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WebhookUrlError {
    /// No scheme.
    #[error("`{0}` is not a URL")]
    NotUrl(String),
    /// A scheme that no webhook has.
    #[error("webhooks are called by http, https or unix, not by `{0}`")]
    Scheme(String),
    /// Components from registries will come; the scheme is kept for them.
    #[error("components from a registry (oci://) are not supported yet")]
    Oci,
    /// No host.
    #[error("the URL has no host")]
    NoHost,
    /// The configuration is readable by many and appears in messages.
    #[error("a URL with credentials is refused: it would appear in logs")]
    Credentials,
    /// Something that no request can carry.
    #[error("the URL has a part behind `#`, which is never sent")]
    Fragment,
    /// A socket's path that depends on the current folder.
    #[error("the URL of a socket is unix:///PATH/OF.sock:/PATH")]
    Socket,
    /// Anything else.
    #[error("the URL is malformed: {0}")]
    Malformed(String),
}

impl WebhookUrl {
    /// Reads `http://`, `https://` and `unix:///path.sock:/path`.
    ///
    /// # Errors
    /// When the text is none of them, with what is wrong about it.
    pub fn parse(text: &str) -> Result<Self, WebhookUrlError> {
        let not_url = || WebhookUrlError::NotUrl(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(not_url)?;
        if text.contains('#') {
            return Err(WebhookUrlError::Fragment);
        }
        let target = match scheme.to_ascii_lowercase().as_str() {
            "http" => tcp(text, rest, false)?,
            "https" => tcp(text, rest, true)?,
            "unix" => unix(rest)?,
            "oci" => return Err(WebhookUrlError::Oci),
            _ => return Err(WebhookUrlError::Scheme(scheme.to_owned())),
        };
        Ok(Self { text: text.to_owned(), target })
    }

    /// The URL as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where its requests go.
    #[must_use]
    pub fn target(&self) -> &WebhookTarget {
        &self.target
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn tcp(text: &str, rest: &str, tls: bool) -> Result<WebhookTarget, WebhookUrlError> {
    let malformed = |reason: &dyn fmt::Display| WebhookUrlError::Malformed(reason.to_string());
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(WebhookUrlError::Credentials);
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Err(WebhookUrlError::NoHost);
    }
    let uri: Uri = text.parse().map_err(|error: http::uri::InvalidUri| malformed(&error))?;
    let (host, port) = crate::addr::split_port(authority).map_err(|error| malformed(&error))?;
    let port = match port {
        Some(digits) => crate::addr::parse_port(digits).map_err(|error| malformed(&error))?,
        None if tls => 443,
        None => 80,
    };
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    // `http://host?query` is legal and means `/?query`.
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok(WebhookTarget::Tcp { host: host.to_owned(), port, tls, path })
}

fn unix(rest: &str) -> Result<WebhookTarget, WebhookUrlError> {
    let (socket, path) = rest.split_once(':').unwrap_or((rest, "/"));
    if !socket.starts_with('/') || socket.len() < 2 || !path.starts_with('/') {
        return Err(WebhookUrlError::Socket);
    }
    let uri: Uri = path
        .parse()
        .map_err(|error: http::uri::InvalidUri| WebhookUrlError::Malformed(error.to_string()))?;
    Ok(WebhookTarget::Unix { socket: socket.into(), path: uri.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(target: &WebhookTarget) -> String {
        match target {
            WebhookTarget::Tcp { host, port, tls, path } => format!("{host} {port} {tls} {path}"),
            WebhookTarget::Unix { socket, path } => format!("{} {path}", socket.display()),
        }
    }

    macro_rules! urls {
        ($($name:ident: $text:expr => $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let url = WebhookUrl::parse($text);

                let shown = url.map_or_else(|error| error.to_string(), |url| show(url.target()));

                assert_eq!(shown, $expected);
            }
        )*};
    }

    urls! {
        http_has_port_80: "http://flocker/flocker-adapter" => "flocker 80 false /flocker-adapter";
        https_has_port_443: "https://flocker" => "flocker 443 true /";
        a_port_is_kept: "http://localhost:6675/adapter" => "localhost 6675 false /adapter";
        ipv6_loses_its_brackets: "http://[::1]:80/x" => "::1 80 false /x";
        a_query_is_kept: "http://a/b?c=d" => "a 80 false /b?c=d";
        a_query_needs_no_path: "http://a?c=d" => "a 80 false /?c=d";
        a_socket_has_a_path_too: "unix:///run/a.sock:/hook" => "/run/a.sock /hook";
        a_socket_s_path_is_the_root: "unix:///run/a.sock" => "/run/a.sock /";
        a_relative_socket_is_refused: "unix://run/a.sock:/hook" =>
            "the URL of a socket is unix:///PATH/OF.sock:/PATH";
        a_word_is_no_url: "flocker" => "`flocker` is not a URL";
        a_host_is_needed: "http:///path" => "the URL has no host";
        a_port_is_no_host: "http://:80/path" => "the URL has no host";
        credentials_are_refused: "http://me:secret@flocker/" =>
            "a URL with credentials is refused: it would appear in logs";
        a_fragment_is_refused: "http://a/b#c" =>
            "the URL has a part behind `#`, which is never sent";
        registries_come_later: "oci://registry/adapter" =>
            "components from a registry (oci://) are not supported yet";
        ftp_is_refused: "ftp://flocker/" =>
            "webhooks are called by http, https or unix, not by `ftp`";
        a_space_is_refused: "http://a/b c" => "the URL is malformed: invalid uri character";
        a_bad_port_is_refused: "http://a:99999/" => "the URL is malformed: `99999` is not a port";
    }
}
