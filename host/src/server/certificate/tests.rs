//! Names of clients.

use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, KeyPair, SanType};

use super::*;

/// The kind of extension that holds a subject's alternative names.
const ALTERNATIVE_NAMES: &[u64] = &[2, 5, 29, 17];

fn der(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    change(&mut params);
    let key = KeyPair::generate().expect("a key can be drawn");
    params.self_signed(&key).expect("it is well-formed").der().to_vec()
}

/// With these bytes as the list of alternative names.
fn with_extension(names: &[u8]) -> Vec<u8> {
    let length = u8::try_from(names.len()).expect("a short list");
    let list = [&[0x30, length], names].concat();
    let extension = CustomExtension::from_oid_content(ALTERNATIVE_NAMES, list);
    der(|params| params.custom_extensions.push(extension))
}

fn text(text: &str) -> rcgen::string::Ia5String {
    text.try_into().expect("ASCII")
}

#[test]
fn a_subject_cannot_pass_for_two_names() {
    let der = der(|params| {
        params.distinguished_name.push(DnType::OrganizationName, "Team, CN=fake");
        params.distinguished_name.push(DnType::CommonName, "client");
    });

    let read = Certificate::read(&der).expect("it can be read");

    assert_eq!(read.subject, "CN=client,O=Team\\, CN=fake");
    assert!(read.names.is_empty());
}

#[test]
fn every_name_says_of_which_kind_it_is() {
    let der = der(|params| {
        params.subject_alt_names = vec![
            SanType::DnsName(text("CI.Example.org")),
            SanType::URI(text("spiffe://example.org/ci/Runner")),
            SanType::Rfc822Name(text("CI@example.org")),
            SanType::IpAddress("192.0.2.7".parse().expect("an address")),
            SanType::IpAddress("2001:DB8:0:0::7".parse().expect("an address")),
            SanType::DnsName(text("uri:spiffe://example.org/root")),
            SanType::OtherName((vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3], "ci@corp".into())),
        ];
    });

    let read = Certificate::read(&der).expect("it can be read");

    assert_eq!(read.subject, "");
    let expected = [
        "DNS:ci.example.org",
        "URI:spiffe://example.org/ci/Runner",
        "email:CI@example.org",
        "IP:192.0.2.7",
        "IP:2001:db8::7",
        "DNS:uri:spiffe://example.org/root",
        "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:ci@corp",
    ];
    assert_eq!(read.names, expected);
}

#[test]
fn a_registered_identifier_is_written_with_dots() {
    let read = Certificate::read(&with_extension(&[0x88, 3, 0x2a, 3, 4]));

    assert_eq!(read.expect("it can be read").names, ["RID:1.2.3.4"]);
}

#[test]
fn ten_thousand_names_are_too_many() {
    let der = der(|params| {
        let name = |number| SanType::DnsName(text(&format!("n{number}")));
        params.subject_alt_names = (0..10_000).map(name).collect();
    });

    assert_eq!(Certificate::read(&der), Err(CertificateError::TooManyNames(10_000)));
}

#[test]
fn the_log_shows_the_beginning_of_what_is_long() {
    let names = vec!["DNS:é".to_owned(), "DNS:b".repeat(100)];
    let certificate = Certificate { subject: "CN=ci".to_owned(), names };

    let [subject, names] = certificate.shown();

    assert_eq!((subject.as_str(), names.chars().count()), ("CN=ci", MAX_SHOWN + 1));
    assert!(names.starts_with("DNS:é, DNS:b") && names.ends_with('…'));
}

macro_rules! unreadable {
    ($($name:ident: $der:expr;)+) => {$(
        #[test]
        fn $name() {
            let read = Certificate::read(&$der);

            assert!(matches!(read, Err(CertificateError::Unreadable(_))), "{read:?}");
        }
    )+};
}

unreadable! {
    what_is_no_certificate: *b"nonsense";
    an_address_of_five_bytes: with_extension(&[0x87, 5, 1, 2, 3, 4, 5]);
    a_host_that_is_not_ascii: with_extension(&[0x82, 2, 0xc3, 0xa9]);
    a_list_that_ends_early: with_extension(&[0x82, 9, b'a']);
    a_kind_that_nobody_knows: with_extension(&[0x89, 1, b'a']);
}
