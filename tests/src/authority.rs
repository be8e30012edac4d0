//! Certificates for tests that speak TLS, and both of its ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
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
        let pair = KeyPair::generate().expect("a key can be drawn");
        let hosts = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(hosts).expect("well-formed names");
        params.distinguished_name.push(DnType::CommonName, name);
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
        let (chain, key) = self.identity();
        let config = ClientConfig::builder().with_root_certificates(self.roots());
        let config = config.with_client_auth_cert(chain, key).expect("they belong together");
        let tcp = TcpStream::connect(address.trim_start_matches("tcp://")).await;
        let name = ServerName::try_from("127.0.0.1").expect("an address");
        let connector = TlsConnector::from(Arc::new(config));
        let shaken = connector.connect(name, tcp.expect("somebody listens"));
        within("a handshake", shaken).await.expect("they trust each other")
    }

    /// Shakes hands with a client, who must show a certificate.
    ///
    /// # Panics
    /// When the client does not.
    pub async fn accept(&self, tcp: TcpStream) -> server::TlsStream<TcpStream> {
        let (chain, key) = self.identity();
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

    fn identity(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let certificate = CertificateDer::from_pem_file(self.file("cert.pem"));
        let key = PrivateKeyDer::from_pem_file(self.file("key.pem"));
        (vec![certificate.expect("we wrote it")], key.expect("we wrote it"))
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
