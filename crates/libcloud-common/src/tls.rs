//! Which servers are trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::config::TransportConfig;
use crate::{Error, ErrorKind, Result};

/// TLS by ring, whatever else is compiled in; certificate and name always verified unless switched off.
pub(crate) fn client_config(settings: &TransportConfig) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Tls, error.to_string()))?;
    let builder = if settings.verify_certificates {
        builder.with_root_certificates(roots(settings.ca_file.as_deref())?)
    } else {
        tracing::warn!("certificates are not verified: anyone on the way can read and change what is sent");
        builder.dangerous().with_custom_certificate_verifier(Arc::new(NoVerification(provider)))
    };
    let Some(path) = &settings.client_certificate else { return Ok(builder.with_no_client_auth()) };
    let key_path = settings.client_key.as_ref().unwrap_or(path);
    let key =
        PrivateKeyDer::from_pem_file(key_path).map_err(|error| unreadable("client key", key_path, error))?;
    builder
        .with_client_auth_cert(certificates("client certificate", path)?, key)
        .map_err(|error| unreadable("client certificate", path, error))
}

/// The certificates of a PEM file, of which there must be one at least.
fn certificates(what: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(what, path, error))?;
    if found.is_empty() { Err(unreadable(what, path, "it holds no certificate")) } else { Ok(found) }
}

fn unreadable(what: &str, path: &Path, problem: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Tls, format!("{what} {}: {problem}", path.display()))
}

/// The configured file alone if there is one, else that of `SSL_CERT_FILE` alone, else the platform's store.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    let of_environment =
        || std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let Some(path) = ca_file.map(Path::to_owned).or_else(of_environment) else {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = store.add_parsable_certificates(found.certs);
        if added == 0 {
            let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(Error::new(
                ErrorKind::Tls,
                format!("no certificate authority to trust was found{why}: set SSL_CERT_FILE or the CA file"),
            ));
        }
        return Ok(store);
    };
    for certificate in certificates("CA file", &path)? {
        store.add(certificate).map_err(|error| unreadable("CA file", &path, error))?;
    }
    Ok(store)
}

/// What to tell a person about a refused certificate.
pub(crate) fn explain(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(problem) = error else {
        return format!("the TLS handshake failed: {error}");
    };
    let why = match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it was made for another host name".into()
        }
        CertificateError::UnknownIssuer => {
            "it was signed by nobody trusted (a private CA can be named as CA file)".into()
        }
        CertificateError::Revoked => "it was revoked".into(),
        // The verifier has no name of its own for it.
        CertificateError::Other(problem) if problem.to_string().contains("CaUsedAsEndEntity") => {
            "it is self-signed, an authority's certificate and no server's".into()
        }
        other => other.to_string(),
    };
    format!("the server's certificate is refused: {why}")
}

/// Accepts any certificate; the handshake's own signatures are still checked.
#[derive(Debug)]
struct NoVerification(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
