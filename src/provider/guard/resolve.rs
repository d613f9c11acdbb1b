//! Name resolution: addresses are checked before any of them is dialled.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve as DialResolve, Resolving};

use super::{
    Refusal,
    address::{AddressClass, Networks},
};

/// Resolver of names. Tests bring one with changing answers.
pub trait Resolve: Send + Sync + 'static {
    /// Returns all addresses of `name`.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The operating system's resolver: `/etc/hosts`, search domains and all. So it finds the same addresses as any other
/// program.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// Resolver that returns checked addresses only; the HTTP client dials them.
#[derive(Clone)]
pub(super) struct CheckedResolver {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) networks: Arc<Networks>,
    /// Accepts only networks that the operator allows.
    pub(super) allowed_only: bool,
}

impl CheckedResolver {
    /// Returns all addresses of `name`, of which every single one is allowed: one that is not is a sign of bad intent
    /// or of a split network, and a client would dial any of them.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NotResolved> {
        let addresses = self.resolver.resolve(name.to_owned()).await.map_err(NotResolved::Lookup)?;
        match addresses.iter().find(|address| !self.may_be_called(**address)) {
            Some(address) => {
                tracing::info!(name, %address, "a tenant's host name resolves to an address that is not allowed");
                Err(NotResolved::Refused(Refusal::LeadsInside))
            }
            None => Ok(addresses),
        }
    }

    pub(super) fn may_be_called(&self, address: IpAddr) -> bool {
        match self.networks.classify(address) {
            AddressClass::Public => !self.allowed_only,
            AddressClass::Allowed => true,
            AddressClass::Denied => false,
        }
    }
}

impl DialResolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            // The client adds the port.
            let addresses = resolver.addresses(name.as_str()).await?.into_iter();
            Ok(Box::new(addresses.map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Reason for missing addresses.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotResolved {
    /// They are not allowed.
    #[error("the address is refused")]
    Refused(Refusal),
    /// There are none, or the lookup failed.
    #[error("the name could not be resolved")]
    Lookup(#[source] io::Error),
}

/// Finds the refusal in an error of an exchange, if that was its cause.
pub(super) fn refusal_in(error: &(dyn std::error::Error + 'static)) -> Option<Refusal> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(NotResolved::Refused(refusal)) = error.downcast_ref() {
            return Some(*refusal);
        }
        next = error.source();
    }
    None
}
