//! Which servers are trusted.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::config::TransportConfig;
use crate::{Error, ErrorKind, Result};

/// TLS by ring, whatever else is compiled in; certificate and name always verified unless switched off.
pub(crate) fn client_config(settings: &TransportConfig) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Tls, error.to_string()))?;
    if settings.verify_certificates {
        return Ok(builder.with_root_certificates(roots(settings.ca_file.as_deref())?).with_no_client_auth());
    }
    tracing::warn!("certificates are not verified: anyone on the way can read and change what is sent");
    let verifier = Arc::new(NoVerification(provider));
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// The configured file alone if there is one, else `SSL_CERT_FILE` or the platform's store.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    let Some(path) = ca_file else {
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
    let fail = |problem: String| Error::new(ErrorKind::Tls, format!("CA file {}: {problem}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| fail(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| fail(error.to_string()))?;
        store.add(certificate).map_err(|error| fail(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(fail("it holds no certificate".into()));
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
