//! Names and the addresses they lead to, checked before anything is dialled.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve as DialResolve, Resolving};

use super::{
    Refusal,
    address::{Networks, Standing},
};

/// Finds the addresses of a name. Tests bring one that changes its mind.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of `name`.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The operating system's: `/etc/hosts`, search domains and all. So what it finds is what any other program would.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// Names in, checked addresses out. What it gives to the HTTP client is what the client dials.
#[derive(Clone)]
pub(super) struct CheckedResolver {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) networks: Arc<Networks>,
    /// Whether only networks that the operator allows will do.
    pub(super) allowed_only: bool,
}

impl CheckedResolver {
    /// All addresses of `name`, of which every single one may be called: one that may not is a sign of bad intent or of
    /// a split network, and a client would go to any of them.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NotResolved> {
        let addresses = self.resolver.resolve(name.to_owned()).await.map_err(NotResolved::Lookup)?;
        match addresses.iter().find(|address| !self.may_be_called(**address)) {
            Some(address) => {
                tracing::info!(name, %address, "a name that a tenant gave leads to an address that is not called");
                Err(NotResolved::Refused(Refusal::LeadsInside))
            }
            None => Ok(addresses),
        }
    }

    pub(super) fn may_be_called(&self, address: IpAddr) -> bool {
        match self.networks.standing(address) {
            Standing::Public => !self.allowed_only,
            Standing::Allowed => true,
            Standing::Denied => false,
        }
    }
}

impl DialResolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            // The client puts the port in.
            let addresses = resolver.addresses(name.as_str()).await?.into_iter();
            Ok(Box::new(addresses.map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Why there are no addresses.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotResolved {
    /// They are not called.
    #[error("the address is refused")]
    Refused(Refusal),
    /// There are none, or nobody could say.
    #[error("the name could not be resolved")]
    Lookup(#[source] io::Error),
}

/// The refusal for which an exchange did not come about, if it was that.
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
