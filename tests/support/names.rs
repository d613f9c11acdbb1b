//! A name server with answers that a test changes.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Mutex, MutexGuard},
};

use tieline::provider::guard::Resolve;

/// Names with their addresses.
#[derive(Default)]
pub struct Names(Mutex<HashMap<String, Vec<IpAddr>>>);

impl Names {
    /// Sets the addresses of a name.
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
