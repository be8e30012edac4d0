//! Names of clients.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::*;

/// Its organisation is called `Team, CN=fake`, and its holder `client`.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBlTCCATygAwIBAgIUFZ+yyySdvWtIe1j8xqK3tJx5U6wwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCY2EwHhcNMjYxMTIxMDYwMjM4WhcNMzYxMTE4MDYwMjM4WjAp
MRYwFAYDVQQKDA1UZWFtLCBDTj1mYWtlMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAASFBkZMB09HO1OBHaiihLbC6Zir9o18VhguLTOz
p0rSYJ2LO5IzwXhRUTiAQuW6uicdK7zljO5wLZBTH1beFBZNo14wXDAaBgNVHREE
EzARgglsb2NhbGhvc3SHBH8AAAEwHQYDVR0OBBYEFMuP7JiA0au8oJBaddEreI/P
mDz2MB8GA1UdIwQYMBaAFGYnVdHwrRSQE8b+HWtJW2P2A1k9MAoGCCqGSM49BAMC
A0cAMEQCIFUzGF9xvJWdUtbSlwrsT+Mu6Z/JNhmLdRghGW5G7O3lAiBaJ+Xupy3T
bGgmk0rcU6+IlGZtpbiUdotWPrzeM2z7DA==
-----END CERTIFICATE-----
";

#[test]
fn a_subject_cannot_pass_for_two_names() {
    let certificate =
        CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("it is a certificate");

    assert_eq!(subject(&certificate).as_deref(), Some("CN=client,O=Team\\, CN=fake"));
}

#[test]
fn what_is_no_certificate_has_no_subject() {
    assert_eq!(subject(b"nonsense"), None);
}
