//! Certificates for tests that speak TLS, and both of its ends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer};
use rcgen::{KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::within;

/// An authority of the test's own, and a folder with its certificate, `ca.pem`, and what it has signed.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    /// With `cert.pem` and `key.pem` of `somebody`, for either end: a folder as `DOCKER_CERT_PATH`
    /// names one.
    ///
    /// # Panics
    /// When there is no temporary folder to be had.
    #[must_use]
    pub fn new() -> Self {
        let authority = Self::alone();
        authority.sign("somebody", "cert.pem", "key.pem");
        authority
    }

    /// With nothing but `ca.pem`.
    ///
    /// # Panics
    /// When there is no temporary folder to be had.
    #[must_use]
    pub fn alone() -> Self {
        let key = KeyPair::generate().expect("a key can be drawn");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "the authority");
        let certificate = params.self_signed(&key).expect("a well-formed certificate");
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("ca.pem"), certificate.pem()).expect("a folder of ours");
        Self { issuer: Issuer::new(params, key), folder }
    }

    /// Signs a certificate of this name, for this host, and writes it and its key into these files.
    ///
    /// # Panics
    /// When the folder is gone.
    pub fn sign(&self, name: &str, cert: &str, key: &str) {
        self.sign_names(Some(name), &["IP:127.0.0.1", "DNS:localhost"], [cert, key]);
    }

    /// Signs a certificate with this common name, if any, and with these names of its subject, each
    /// behind its kind: `DNS:`, `IP:`, `URI:` or `email:`.
    ///
    /// # Panics
    /// When a name is malformed, or the folder is gone.
    pub fn sign_names(&self, common: Option<&str>, names: &[&str], [cert, key]: [&str; 2]) {
        let pair = KeyPair::generate().expect("a key can be drawn");
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        if let Some(common) = common {
            params.distinguished_name.push(DnType::CommonName, common);
        }
        params.subject_alt_names = names.iter().map(|name| alternative(name)).collect();
        let certificate = params.signed_by(&pair, &self.issuer).expect("it is well-formed");
        fs::write(self.file(cert), certificate.pem()).expect("a folder of ours");
        fs::write(self.file(key), pair.serialize_pem()).expect("a folder of ours");
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder as text, for configuration and environment.
    #[must_use]
    pub fn shown(&self) -> String {
        self.folder().display().to_string()
    }

    /// One of its files.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Connects to `tcp://127.0.0.1:port` and shows the certificate.
    ///
    /// # Panics
    /// When nobody there shakes hands.
    pub async fn connect(&self, address: &str) -> client::TlsStream<TcpStream> {
        let connected = self.connect_as(address, ["cert.pem", "key.pem"]).await;
        connected.expect("they trust each other")
    }

    /// Connects to `tcp://127.0.0.1:port` and shows the certificate in these files.
    ///
    /// # Errors
    /// When the other side does not shake hands.
    ///
    /// # Panics
    /// When nobody listens there.
    pub async fn connect_as(
        &self,
        address: &str,
        files: [&str; 2],
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let (chain, key) = self.identity(files);
        let config = ClientConfig::builder().with_root_certificates(self.roots());
        let config = config.with_client_auth_cert(chain, key).expect("they belong together");
        let tcp = TcpStream::connect(address.trim_start_matches("tcp://")).await;
        let name = ServerName::try_from("127.0.0.1").expect("an address");
        let connector = TlsConnector::from(Arc::new(config));
        let shaken = connector.connect(name, tcp.expect("somebody listens"));
        within("a handshake", shaken).await
    }

    /// Shakes hands with a client, who must show a certificate.
    ///
    /// # Panics
    /// When the client does not.
    pub async fn accept(&self, tcp: TcpStream) -> server::TlsStream<TcpStream> {
        let (chain, key) = self.identity(["cert.pem", "key.pem"]);
        let verifier = WebPkiClientVerifier::builder(Arc::new(self.roots())).build();
        let config = ServerConfig::builder()
            .with_client_cert_verifier(verifier.expect("there is an authority"))
            .with_single_cert(chain, key)
            .expect("they belong together");
        let shaken = TlsAcceptor::from(Arc::new(config)).accept(tcp);
        within("a handshake", shaken).await.expect("they trust each other")
    }

    fn roots(&self) -> RootCertStore {
        let ca = CertificateDer::from_pem_file(self.file("ca.pem")).expect("we wrote it");
        let mut roots = RootCertStore::empty();
        roots.add(ca).expect("it is an authority's");
        roots
    }

    fn identity(
        &self,
        [cert, key]: [&str; 2],
    ) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let certificate = CertificateDer::from_pem_file(self.file(cert));
        let key = PrivateKeyDer::from_pem_file(self.file(key));
        (vec![certificate.expect("we wrote it")], key.expect("we wrote it"))
    }
}

fn alternative(name: &str) -> SanType {
    let (kind, name) = name.split_once(':').expect("a kind and a name");
    let text = || name.try_into().expect("ASCII");
    match kind {
        "DNS" => SanType::DnsName(text()),
        "URI" => SanType::URI(text()),
        "email" => SanType::Rfc822Name(text()),
        "IP" => SanType::IpAddress(name.parse().expect("an address")),
        _ => panic!("there is no kind {kind} here"),
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
