//! The types of zones and records.

use libcloud_common::open_enum;

open_enum! {
    /// Whether a zone is edited here or copied from another server.
    pub enum ZoneType {
        /// Its records are kept, and changed, at this provider.
        Master = "master",
        /// The provider copies it from another server.
        Slave = "slave",
    }
    else word
}

open_enum! {
    /// What a record tells.
    ///
    /// ```
    /// use libcloud_dns::RecordType;
    ///
    /// assert_eq!(RecordType::from("aaaa"), RecordType::Aaaa);
    /// assert_eq!(RecordType::from("SMIMEA").as_str(), "SMIMEA");
    /// ```
    pub enum RecordType {
        /// An IPv4 address.
        A = "A",
        /// An IPv6 address.
        Aaaa = "AAAA",
        /// A server of an AFS cell.
        Afsdb = "AFSDB",
        /// The addresses of another name, looked up by the provider. No server but the provider's knows it.
        Alias = "ALIAS",
        /// Who may issue certificates.
        Caa = "CAA",
        /// A certificate.
        Cert = "CERT",
        /// Another name for this one.
        Cname = "CNAME",
        /// Another name for everything below this one.
        Dname = "DNAME",
        /// A key that signs the zone.
        Dnskey = "DNSKEY",
        /// The digest of a key that signs a zone below.
        Ds = "DS",
        /// An answer that depends on where the question comes from. No server but the provider's knows it.
        Geo = "GEO",
        /// The machine's processor and operating system.
        Hinfo = "HINFO",
        /// How a web server is reached, with its protocols and keys.
        Https = "HTTPS",
        /// A key of the old kind.
        Key = "KEY",
        /// A place on Earth.
        Loc = "LOC",
        /// A mail server.
        Mx = "MX",
        /// A rule that makes another name of this one.
        Naptr = "NAPTR",
        /// A name server.
        Ns = "NS",
        /// The next name of a signed zone.
        Nsec = "NSEC",
        /// An OpenPGP key.
        Openpgpkey = "OPENPGPKEY",
        /// The name of an address.
        Ptr = "PTR",
        /// An HTTP redirection that the provider serves. No server but the provider's knows it.
        Redirect = "REDIRECT",
        /// The responsible person.
        Rp = "RP",
        /// A signature.
        Rrsig = "RRSIG",
        /// The start of authority: the zone's serial and times.
        Soa = "SOA",
        /// Who may send mail; TXT took its place.
        Spf = "SPF",
        /// A service's host and port.
        Srv = "SRV",
        /// The fingerprint of an SSH host key.
        Sshfp = "SSHFP",
        /// How a service is reached, with its protocols and keys.
        Svcb = "SVCB",
        /// A certificate for TLS.
        Tlsa = "TLSA",
        /// Text.
        Txt = "TXT",
        /// An HTTP redirection that the provider serves. No server but the provider's knows it.
        Url = "URL",
        /// The well-known services of an address.
        Wks = "WKS",
    }
    else word
}
