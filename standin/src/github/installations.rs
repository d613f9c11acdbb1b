//! Installations of the app, and the requests of members without the right to install it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::accounts::{Directory, Repository};
use super::app::Permissions;

/// Id of the first installation; the others follow.
const FIRST: u64 = 50_000_001;

/// Repositories of its account that an installation reaches.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum Selection {
    All,
    Selected(BTreeSet<u64>),
}

impl Selection {
    /// Returns GitHub's name of the selection.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Selected(_) => "selected",
        }
    }

    pub(crate) fn contains(&self, repository: u64) -> bool {
        match self {
            Self::All => true,
            Self::Selected(ids) => ids.contains(&repository),
        }
    }
}

/// The app in one account.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Installation {
    pub(crate) id: u64,
    pub(crate) account: u64,
    pub(crate) selection: Selection,
    pub(crate) permissions: Permissions,
    pub(crate) events: Vec<String>,
    /// Seconds since 1970.
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    /// Time of the suspension, and the acting user.
    pub(crate) suspended: Option<(i64, u64)>,
}

impl Installation {
    /// Returns the repositories it reaches, in the order of their creation.
    pub(crate) fn repositories<'a>(&'a self, directory: &'a Directory) -> impl Iterator<Item = &'a Repository> {
        directory.repositories_of(self.account).filter(|repository| self.selection.contains(repository.id))
    }

    /// Reports that GitHub lists it for a user. Membership, or access to one repository, is enough: that a user sees an
    /// installation does not mean that the user may give it away.
    pub(crate) fn is_visible_to(&self, user: u64, directory: &Directory) -> bool {
        directory.role(user, self.account).is_some()
            || self.repositories(directory).any(|repository| directory.access(user, repository).is_some())
    }
}

/// A member's request for an installation, which an owner has to grant.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) account: u64,
    pub(crate) requester: u64,
    pub(crate) created_at: i64,
}

/// All installations and requests.
pub(crate) struct Installations {
    next: u64,
    by_id: BTreeMap<u64, Installation>,
    requests: Vec<Request>,
}

/// Installations as they are kept over a restart.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct KeptInstallations {
    next: u64,
    all: Vec<Installation>,
}

impl From<KeptInstallations> for Installations {
    fn from(kept: KeptInstallations) -> Self {
        let by_id = kept.all.into_iter().map(|installation| (installation.id, installation)).collect();
        Self { next: kept.next.max(FIRST), by_id, requests: Vec::new() }
    }
}

impl Default for Installations {
    fn default() -> Self {
        Self { next: FIRST, by_id: BTreeMap::new(), requests: Vec::new() }
    }
}

impl Installations {
    /// Returns them as they are kept over a restart.
    pub(crate) fn kept(&self) -> KeptInstallations {
        KeptInstallations { next: self.next, all: self.by_id.values().cloned().collect() }
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Installation> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Installation> {
        self.by_id.get_mut(&id)
    }

    /// Returns the installation in an account: there is one at most.
    pub(crate) fn of_account(&self, account: u64) -> Option<&Installation> {
        self.iter().find(|installation| installation.account == account)
    }

    /// Returns all of them, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Installation> {
        self.by_id.values()
    }

    pub(crate) fn count(&self) -> usize {
        self.by_id.len()
    }

    /// Adds one; its id is replaced by the next.
    pub(crate) fn add(&mut self, installation: Installation) -> Installation {
        let installation = Installation { id: self.next, ..installation };
        self.next += 1;
        self.by_id.insert(installation.id, installation.clone());
        installation
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Installation> {
        self.by_id.remove(&id)
    }

    /// Stores a request; a second one for the same account changes nothing.
    pub(crate) fn request(&mut self, request: Request) {
        if !self.requests.iter().any(|known| known.account == request.account) {
            self.requests.push(request);
        }
    }

    /// Takes the request for an account, because it is being granted.
    pub(crate) fn take_request(&mut self, account: u64) -> Option<Request> {
        let index = self.requests.iter().position(|request| request.account == account)?;
        Some(self.requests.remove(index))
    }

    pub(crate) fn requests(&self) -> &[Request] {
        &self.requests
    }
}
