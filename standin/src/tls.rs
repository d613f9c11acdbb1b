//! TLS settings of the clients. A process reads the machine's certificates once: that takes longer than all else about a
//! stand-in, and tests start hundreds.

use std::io;
use std::sync::{Arc, LazyLock};

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;

static OF_PROCESS: LazyLock<Result<ClientConfig, rustls::Error>> = LazyLock::new(read);

/// The settings.
///
/// # Errors
///
/// When the TLS library cannot be set up.
pub(crate) fn config() -> io::Result<ClientConfig> {
    OF_PROCESS.clone().map_err(io::Error::other)
}

fn read() -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let verified = builder.with_safe_default_protocol_versions()?.with_platform_verifier()?;
    let mut config = verified.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
