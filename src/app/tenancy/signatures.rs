//! Verification of the signatures of providers' requests while the body is being read: a forged request is refused
//! before, or at the end of, its body, and nothing of it is parsed.
//!
//! Not here: reading bodies (`api::shared::media`), the signature schemes (`provider`).

use crate::domain::{Error, Result, error::AuthFailure};

/// Signature check of a request whose body is still being read.
pub struct SignatureCheck(Box<dyn Check>);

/// Signature scheme of a provider, over the raw bytes of a body.
pub(in crate::app) trait Check: Send {
    /// Adds the next bytes of the body.
    fn update(&mut self, bytes: &[u8]);

    /// Compares the signature once the body has ended.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Proof that a body was signed by its provider. Only [`SignatureCheck::finish`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Verified(());

impl SignatureCheck {
    pub(in crate::app) fn new(check: impl Check + 'static) -> Self {
        Self(Box::new(check))
    }

    /// Adds the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Compares the signature once the body has ended.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub fn finish(self) -> Result<Verified> {
        self.0.finish().map(Verified)
    }
}

pub(in crate::app) fn refused(provider: &'static str, forgery: &dyn std::fmt::Display) -> Error {
    tracing::warn!(provider, %forgery, "a request without its provider's signature was refused");
    Error::Unauthenticated(AuthFailure::NotSigned)
}
