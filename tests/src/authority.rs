//! Certificates for tests that speak TLS, and both of its ends.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::within;

/// An authority of the test's own that has signed one certificate, for `127.0.0.1` and for either end.
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    /// Draws keys and signs.
    ///
    /// # Panics
    /// When there is no temporary folder to be had.
    #[must_use]
    pub fn new() -> Self {
        let key = || KeyPair::generate().expect("a key can be drawn");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let (ca_key, own_key) = (key(), key());
        let ca = params.self_signed(&ca_key).expect("a well-formed certificate");
        let own = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a well-formed name");
        let own = own.signed_by(&own_key, &Issuer::new(params, ca_key)).expect("it is well-formed");
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in
            [("ca.pem", ca.pem()), ("cert.pem", own.pem()), ("key.pem", own_key.serialize_pem())]
        {
            std::fs::write(folder.path().join(name), text).expect("a folder of ours");
        }
        Self { folder }
    }

    /// The file `ca.pem`, `cert.pem` or `key.pem`.
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
