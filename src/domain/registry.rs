//! The registry: versions of integrations that workspaces publish, their owners, and their lifecycle.
//!
//! Not here: the content of a version, which is in `definition`.

pub mod action;
pub mod definition;
pub mod emitted;
mod judge;
mod public_id;

use serde::{Deserialize, Serialize};

pub use self::{
    judge::{Around, Known, Newcomer, Successor, judge_new, judge_update, published_before, same_major_before},
    public_id::{PublicId, public_id},
};
use super::{
    ambient::Time,
    ids::{IntegrationId, OrganisationId},
    registry::definition::{
        Definition, DefinitionKind, Matched, Searched, Version, Visibility, search, titled_actions,
    },
};

/// Maximum number of versions of one integration.
pub const MAX_VERSIONS: usize = 200;

/// Maximum number of API keys of one version.
pub const MAX_API_KEYS: usize = 100;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$word_doc])* $word),+ }

        impl $name {
            /// All values.
            pub const ALL: [$name; [$($text),+].len()] = [$($name::$word),+];

            /// Returns its name.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$word => $text),+ }
            }

            /// Returns the value with a name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.as_str() == name)
            }
        }
    };
}

words! {
    /// State of the review by the operator. A version can be published without one.
    Verification {
        /// No review was requested.
        Unapproved = "unapproved",
        /// A review was requested.
        Pending = "pending",
        /// The review approved it.
        Approved = "approved",
        /// The review rejected it.
        Rejected = "rejected",
    }
}

words! {
    /// State of a version with regard to new installations.
    Lifecycle {
        /// It can be installed.
        Published = "published",
        /// It can no longer be installed.
        Deprecated = "deprecated",
    }
}

words! {
    /// Sort key of a list.
    SortBy {
        /// Number of installations and of views.
        Popularity = "popularity",
        /// Its name.
        Name = "name",
        /// Time of creation.
        CreatedAt = "createdAt",
        /// Time of the last change.
        UpdatedAt = "updatedAt",
        /// Number of installations.
        InstallCount = "installCount",
    }
}

/// A name in the registry. Integrations and interfaces do not share theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry<'a> {
    /// Kind of the definitions with this name.
    pub kind: DefinitionKind,
    /// The name.
    pub name: &'a str,
}

/// A version in the registry, without its large or secret parts.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistryVersion {
    /// Its identifier.
    pub id: IntegrationId,
    /// Kind of its definition.
    pub kind: DefinitionKind,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// Name of the integration or interface.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// True if it is under development.
    pub dev: bool,
    /// Visibility to other workspaces.
    pub visibility: Visibility,
    /// State of the review.
    pub verification: Verification,
    /// State with regard to new installations.
    pub lifecycle: Lifecycle,
    /// Display title.
    pub title: String,
    /// Description.
    pub description: String,
    /// Searchable terms.
    pub terms: Terms,
    /// Key of its readme, if it has one.
    pub readme_key: Option<String>,
    /// SHA-256 of its code, if it has any.
    pub code_sha256: Option<Vec<u8>>,
    /// The names of its secrets.
    pub secret_names: Vec<String>,
    /// Time of creation.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
    /// Key of the integration's icon, if it has one.
    pub icon_key: Option<String>,
    /// Number of installations of the integration.
    pub installs: i64,
    /// Number of views of the integration.
    pub views: i64,
}

/// Searchable terms beside the name, the title and the description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The actions, with their titles.
    pub actions: Vec<(String, String)>,
    /// The names of the interfaces.
    pub interfaces: Vec<String>,
}

impl Terms {
    /// Returns the terms of a definition.
    pub fn of(definition: &Definition) -> Self {
        let named = |interface: &serde_json::Value| interface["name"].as_str().map(str::to_owned);
        Self {
            actions: titled_actions(definition),
            interfaces: definition.interfaces.values().filter_map(named).collect(),
        }
    }

    /// Returns all searchable text in lower case, one line each, for the database to search.
    pub fn haystack(&self, definition: &Definition) -> String {
        let Definition { name, title, description, .. } = definition;
        let actions = self.actions.iter().flat_map(|(name, title)| [name.as_str(), title.as_str()]);
        let interfaces = self.interfaces.iter().map(String::as_str);
        let all = [name.as_str(), title.as_str(), description.as_str()].into_iter().chain(actions).chain(interfaces);
        all.map(|line| line.replace('\n', " ").to_lowercase()).collect::<Vec<_>>().join("\n")
    }
}

impl RegistryVersion {
    /// Returns its name, with its kind.
    pub fn entry(&self) -> Entry<'_> {
        Entry { kind: self.kind, name: &self.name }
    }

    /// Returns the fields in which a text occurs.
    pub fn matched_on(&self, text: &str) -> Matched {
        let Self { name, title, description, terms, .. } = self;
        let of = Searched { name, title, description, actions: &terms.actions, interfaces: &terms.interfaces };
        search(of, text).unwrap_or_default()
    }
}
