//! Certificates for mutual TLS over loopback, made anew for each who wants some.

use std::fs;
use std::path::Path;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

/// A folder with an authority, `ca.pem`, and what it has signed: for a server `server.pem` and
/// `server-key.pem`, for a client `cert.pem` and `key.pem`, as `DOCKER_CERT_PATH` wants them.
pub struct Certificates(TempDir);

impl Certificates {
    /// Makes them.
    ///
    /// # Errors
    /// When they cannot be made or written.
    pub fn make() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        fs::write(folder.path().join("ca.pem"), authority.pem())?;
        for (cert, key) in [("server.pem", "server-key.pem"), ("cert.pem", "key.pem")] {
            let pair = KeyPair::generate()?;
            let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
            let signed = CertificateParams::new(names)?.signed_by(&pair, &authority)?;
            fs::write(folder.path().join(cert), signed.pem())?;
            fs::write(folder.path().join(key), pair.serialize_pem())?;
        }
        Ok(Self(folder))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}
