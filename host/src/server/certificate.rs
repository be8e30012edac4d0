//! What a client's certificate says of its holder.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;
use x509_cert::Certificate as X509;
use x509_cert::der::asn1::Utf8StringRef;
use x509_cert::der::{self, Decode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::{GeneralName, OtherName};

/// The most names of one certificate. Each hook is handed all of them; real ones have a few, and public
/// authorities stop at a hundred.
const MAX_NAMES: usize = 256;
/// Characters of a subject, and of names, that the log shows.
const MAX_SHOWN: usize = 256;

/// What a certificate says of its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject as RFC 4514 writes it: escaped, so that one name cannot pass for two.
    pub subject: String,
    /// Its subject's alternative names as x509v3_config(5) of OpenSSL writes them, each with its kind
    /// before it, so that a name of one kind cannot pass for one of another.
    pub names: Vec<String>,
}

/// Why nobody can say who a client is. It is turned away: a rule that denies it could not be followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The certificate was verified, and is made of something that is not understood.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is too large to be shown to each hook.
    #[error("it has {0} names, and {MAX_NAMES} are the most")]
    TooManyNames(usize),
}

impl Certificate {
    /// Reads a certificate that the client has proved to hold.
    pub(super) fn read(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = X509::from_der(der).map_err(unreadable)?.tbs_certificate;
        let names = certificate.get::<SubjectAltName>().map_err(unreadable)?;
        let names = names.map(|(_, names)| names.0).unwrap_or_default();
        if names.len() > MAX_NAMES {
            return Err(CertificateError::TooManyNames(names.len()));
        }
        let names: Result<Vec<_>, _> = names.iter().filter_map(|it| name(it).transpose()).collect();
        Ok(Self { subject: certificate.subject.to_string(), names: names? })
    }

    /// Subject and names as every line of the log about the client has them: not all of what may be
    /// some sixty kilobytes.
    pub(super) fn shown(&self) -> [String; 2] {
        [cut(&self.subject), cut(&self.names.join(", "))]
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// One name; none for kinds that have no text.
fn name(name: &GeneralName) -> Result<Option<String>, CertificateError> {
    Ok(Some(match name {
        // Upper and lower case are one in a host's name, and adapters compare texts.
        GeneralName::DnsName(host) => format!("DNS:{}", host.as_str().to_ascii_lowercase()),
        GeneralName::UniformResourceIdentifier(uri) => format!("URI:{uri}"),
        GeneralName::Rfc822Name(mailbox) => format!("email:{mailbox}"),
        GeneralName::IpAddress(bytes) => format!("IP:{}", address(bytes.as_bytes())?),
        GeneralName::DirectoryName(subject) => format!("dirName:{subject}"),
        GeneralName::RegisteredId(id) => format!("RID:{id}"),
        GeneralName::OtherName(OtherName { type_id, value }) => {
            let text = Utf8StringRef::try_from(value).ok();
            return Ok(text.map(|text| format!("otherName:{type_id};UTF8:{text}")));
        }
        GeneralName::EdiPartyName(_) => return Ok(None),
    }))
}

fn address(bytes: &[u8]) -> Result<String, CertificateError> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Ok(Ipv4Addr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes);
    let odd = |_| CertificateError::Unreadable(format!("an IP address of {} bytes", bytes.len()));
    sixteen.map(|sixteen| Ipv6Addr::from(sixteen).to_string()).map_err(odd)
}

fn unreadable(error: der::Error) -> CertificateError {
    CertificateError::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests;
