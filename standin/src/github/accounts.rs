//! People, organisations and their repositories, with roles and access.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Kind of an account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    User,
    Organization,
}

impl Kind {
    /// Returns GitHub's name of the kind.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Organization => "Organization",
        }
    }
}

/// Role of a member in an organisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Admin,
    Member,
}

impl Role {
    /// Returns GitHub's name of the role.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }
}

/// A person or an organisation.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) login: String,
    pub(crate) kind: Kind,
    /// Roles of an organisation's members, by the user's id.
    pub(crate) members: BTreeMap<u64, Role>,
}

impl Account {
    pub(crate) fn is_organization(&self) -> bool {
        self.kind == Kind::Organization
    }
}

/// A repository.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) owner: u64,
    pub(crate) private: bool,
    pub(crate) description: String,
    /// Outside collaborators with push access.
    pub(crate) collaborators: BTreeSet<u64>,
}

/// Level of a user's access to a repository.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) enum Access {
    Read,
    Write,
    Admin,
}

/// All accounts and repositories.
#[derive(Default)]
pub(crate) struct Directory {
    accounts: BTreeMap<u64, Account>,
    by_login: HashMap<String, u64>,
    repositories: BTreeMap<u64, Repository>,
    owned: HashMap<u64, Vec<u64>>,
    last_user: u64,
    last_organization: u64,
}

/// Range of the repository ids of an account: they begin with its own id.
const ID_RANGE: u64 = 1_000_000;

impl Directory {
    /// Adds an account. Without an id it gets the next one of its kind.
    pub(crate) fn add_account(&mut self, login: &str, kind: Kind, id: Option<u64>) -> u64 {
        let last = match kind {
            Kind::User => &mut self.last_user,
            Kind::Organization => &mut self.last_organization,
        };
        let mut id = id.unwrap_or(*last + 1);
        while self.accounts.contains_key(&id) {
            id += 1;
        }
        *last = id.max(*last);
        let account = Account { id, login: login.to_owned(), kind, members: BTreeMap::new() };
        self.accounts.insert(id, account);
        self.by_login.insert(login.to_lowercase(), id);
        id
    }

    /// Sets a user's role in an organisation.
    pub(crate) fn set_member(&mut self, organization: u64, user: u64, role: Role) {
        if let Some(account) = self.accounts.get_mut(&organization) {
            account.members.insert(user, role);
        }
    }

    /// Adds a repository, or finds the existing one of that name.
    pub(crate) fn add_repository(&mut self, owner: u64, name: &str, private: bool, description: &str) -> u64 {
        if let Some(known) = self.repositories_of(owner).find(|repository| repository.name == name) {
            return known.id;
        }
        let owned = self.owned.entry(owner).or_default();
        let id = owner * ID_RANGE + owned.len() as u64 + 1;
        owned.push(id);
        let repository = Repository {
            id,
            name: name.to_owned(),
            owner,
            private,
            description: description.to_owned(),
            collaborators: BTreeSet::new(),
        };
        self.repositories.insert(id, repository);
        id
    }

    /// Grants a user push access to a repository.
    pub(crate) fn add_collaborator(&mut self, repository: u64, user: u64) {
        if let Some(repository) = self.repositories.get_mut(&repository) {
            repository.collaborators.insert(user);
        }
    }

    /// Renames an account and returns the previous name. A name that is taken changes nothing.
    pub(crate) fn rename(&mut self, id: u64, login: &str) -> Option<String> {
        let new = login.to_lowercase();
        if self.by_login.get(&new).is_some_and(|holder| *holder != id) {
            return None;
        }
        let account = self.accounts.get_mut(&id)?;
        let old = std::mem::replace(&mut account.login, login.to_owned());
        self.by_login.remove(&old.to_lowercase());
        self.by_login.insert(new, id);
        Some(old)
    }

    pub(crate) fn account(&self, id: u64) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// Finds an account by its name, ignoring case.
    pub(crate) fn by_login(&self, login: &str) -> Option<&Account> {
        self.account(*self.by_login.get(&login.to_lowercase())?)
    }

    /// Finds a person by name.
    pub(crate) fn user(&self, login: &str) -> Option<&Account> {
        self.by_login(login).filter(|account| account.kind == Kind::User)
    }

    /// Returns all accounts, people first.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// Returns all people.
    pub(crate) fn users(&self) -> impl Iterator<Item = &Account> {
        self.accounts().filter(|account| account.kind == Kind::User)
    }

    pub(crate) fn repository(&self, id: u64) -> Option<&Repository> {
        self.repositories.get(&id)
    }

    /// Returns the repositories of an account, in the order of their creation.
    pub(crate) fn repositories_of(&self, owner: u64) -> impl Iterator<Item = &Repository> {
        self.owned.get(&owner).into_iter().flatten().filter_map(|id| self.repository(*id))
    }

    /// Finds a repository of an account by name.
    pub(crate) fn repository_named(&self, owner: u64, name: &str) -> Option<&Repository> {
        self.repositories_of(owner).find(|repository| repository.name.eq_ignore_ascii_case(name))
    }

    /// Finds a repository by `owner/name`.
    pub(crate) fn repository_at(&self, full_name: &str) -> Option<&Repository> {
        let (owner, name) = full_name.split_once('/')?;
        self.repository_named(self.by_login(owner)?.id, name)
    }

    /// Returns a user's role in an account: admin in their own, otherwise their role in the organisation.
    pub(crate) fn role(&self, user: u64, account: u64) -> Option<Role> {
        if user == account {
            return Some(Role::Admin);
        }
        self.account(account)?.members.get(&user).copied()
    }

    /// Returns the level of a user's access to a repository, if any.
    pub(crate) fn access(&self, user: u64, repository: &Repository) -> Option<Access> {
        match self.role(user, repository.owner) {
            Some(Role::Admin) => Some(Access::Admin),
            _ if repository.collaborators.contains(&user) => Some(Access::Write),
            // What GitHub calls the base permission of an organisation.
            Some(Role::Member) => Some(Access::Read),
            None => None,
        }
    }
}
