//! A name server whose answers a test changes.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Mutex, MutexGuard},
};

use tieline::provider::guard::Resolve;

/// Names and where they lead.
#[derive(Default)]
pub struct Names(Mutex<HashMap<String, Vec<IpAddr>>>);

impl Names {
    /// A name leads to these addresses from now on.
    pub fn set(&self, name: &str, addresses: &[&str]) {
        self.table().insert(name.to_owned(), addresses.iter().map(|address| address.parse().unwrap()).collect());
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Vec<IpAddr>>> {
        self.0.lock().unwrap()
    }
}

impl Resolve for Names {
    fn resolve(&self, name: String) -> futures_util::future::BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let found = self.table().get(&name).cloned();
        Box::pin(async move { found.ok_or_else(|| io::Error::other("no such name")) })
    }
}
