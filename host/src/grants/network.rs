//! Which addresses a granted host may resolve to.
//!
//! A name is a promise of whoever runs its DNS. So a wildcard never leads into the operator's own
//! network, and nothing but the very address leads to a cloud's metadata, which hands out keys.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::GrantedBy;

/// Why a granted host may not be called at an address that it resolved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Denied {
    /// Loopback or a private network, reached by a wildcard.
    #[error("{0} is a private address: a wildcard does not grant it, the host's own name does")]
    Private(IpAddr),
    /// Link-local, or where clouds serve metadata and keys.
    #[error("{0} is link-local or serves a cloud's metadata: only that very address grants it")]
    LinkLocal(IpAddr),
    /// Not the address of one host.
    #[error("{0} is not the address of a host")]
    NoHost(IpAddr),
}

/// Metadata services outside the link-local ranges: Alibaba, Azure and Oracle.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// Metadata services within the unique local range: Amazon and Google.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// Whether a host that was granted so may be called at this address.
///
/// # Errors
/// When it may not, with the reason.
pub fn address_allowed(address: IpAddr, granted: GrantedBy) -> Result<(), Denied> {
    match (reach(unwrapped(address)), granted) {
        (Reach::Nobody, _) => Err(Denied::NoHost(address)),
        (Reach::Public, _) | (_, GrantedBy::Address) | (Reach::Private, GrantedBy::Name) => Ok(()),
        (Reach::Private, GrantedBy::Wildcard) => Err(Denied::Private(address)),
        (Reach::LinkLocal, _) => Err(Denied::LinkLocal(address)),
    }
}

/// From where an address can be reached.
enum Reach {
    Public,
    Private,
    LinkLocal,
    Nobody,
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [169, 254, ..] => Reach::LinkLocal,
        _ if METADATA_V4.contains(&address) => Reach::LinkLocal,
        [255, 255, 255, 255] | [224..=239, ..] => Reach::Nobody,
        // "This host", shared (RFC 6598), protocol, documentation, benchmark and reserved ranges.
        [0 | 10 | 127 | 240..=255, ..]
        | [100, 64..=127, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        | [192, 0, 0 | 2, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Reach::Private,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    match address.segments() {
        _ if METADATA_V6.contains(&address) => Reach::LinkLocal,
        [0xfe80..=0xfebf, ..] => Reach::LinkLocal,
        [0xff00..=0xffff, ..] => Reach::Nobody,
        // Only 2000::/3 is given out; of it, protocols have their own prefixes, among them Teredo,
        // which tunnels to any IPv4 address, and those of documentation lead nowhere.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Reach::Private,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Private,
    }
}

/// The IPv4 address that an IPv6 address stands for, where a gateway would take it out.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        // Unspecified and loopback are IPv6's own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        // Mapped, compatible (RFC 4291) and translated (RFC 2765).
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => {
            v4(high, low)
        }
        // NAT64 (RFC 6052, RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 1, _, _, _, high, low] => v4(high, low),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By wildcard, by name, by address: `y` where it is allowed.
    fn answers(address: &str) -> String {
        let address: IpAddr = address.parse().expect("an address");
        let ways = [GrantedBy::Wildcard, GrantedBy::Name, GrantedBy::Address];
        ways.map(|way| if address_allowed(address, way).is_ok() { 'y' } else { 'n' })
            .iter()
            .collect()
    }

    macro_rules! allowed {
        ($($name:ident: $address:expr => $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let address = $address;

                let answers = answers(address);

                assert_eq!(answers, $expected);
            }
        )*};
    }

    allowed! {
        a_public_address_is_free: "93.184.216.34" => "yyy";
        a_public_ipv6_address_is_free: "2606:2800:220:1::1" => "yyy";
        loopback_needs_a_name: "127.0.0.1" => "nyy";
        ipv6_loopback_needs_a_name: "::1" => "nyy";
        mapped_loopback_needs_a_name: "::ffff:127.0.0.1" => "nyy";
        this_host_needs_a_name: "0.0.0.0" => "nyy";
        ten_needs_a_name: "10.1.2.3" => "nyy";
        docker_s_bridge_needs_a_name: "172.17.0.1" => "nyy";
        the_shared_range_needs_a_name: "100.64.0.1" => "nyy";
        unique_local_needs_a_name: "fd12::1" => "nyy";
        metadata_needs_its_address: "169.254.169.254" => "nny";
        mapped_metadata_needs_its_address: "::ffff:169.254.169.254" => "nny";
        compatible_metadata_needs_its_address: "::169.254.169.254" => "nny";
        translated_metadata_needs_its_address: "64:ff9b::a9fe:a9fe" => "nny";
        metadata_in_6to4_needs_its_address: "2002:a9fe:a9fe::1" => "nny";
        amazon_s_ipv6_metadata_needs_its_address: "fd00:ec2::254" => "nny";
        alibaba_s_metadata_needs_its_address: "100.100.100.200" => "nny";
        metadata_behind_teredo_is_not_public: "2001:0:a9fe:a9fe::1" => "nyy";
        link_local_needs_its_address: "fe80::1" => "nny";
        multicast_is_no_host: "224.0.0.1" => "nnn";
        broadcast_is_no_host: "255.255.255.255" => "nnn";
        ipv6_multicast_is_no_host: "ff02::1" => "nnn";
    }
}
