//! The registry: versions of integrations that workspaces publish, whose they are, and what may be done with them. What a
//! version says of itself is in `definition`.

pub mod definition;
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
    registry::definition::{Definition, Matched, Searched, Version, Visibility, search, titled_actions},
};

/// The versions of one integration.
pub const MAX_VERSIONS: usize = 200;

/// The keys of one version.
pub const MAX_API_KEYS: usize = 100;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$word_doc])* $word),+ }

        impl $name {
            /// Every one.
            pub const ALL: [$name; [$($text),+].len()] = [$($name::$word),+];

            /// Its name.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$word => $text),+ }
            }

            /// The one with a name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.as_str() == name)
            }
        }
    };
}

words! {
    /// Whether whoever runs the service has looked at a version. It can be published without.
    Verification {
        /// Nobody asked.
        Unapproved = "unapproved",
        /// Somebody asked.
        Pending = "pending",
        /// It was found good.
        Approved = "approved",
        /// It was not.
        Rejected = "rejected",
    }
}

words! {
    /// Whether a version can be installed.
    Lifecycle {
        /// It can.
        Published = "published",
        /// It cannot any more.
        Deprecated = "deprecated",
    }
}

words! {
    /// By what a list is sorted.
    SortBy {
        /// How often it is installed and looked at.
        Popularity = "popularity",
        /// Its name.
        Name = "name",
        /// When it was created.
        CreatedAt = "createdAt",
        /// When it was changed.
        UpdatedAt = "updatedAt",
        /// How often it is installed.
        InstallCount = "installCount",
    }
}

/// A version in the registry, without what is long or secret.
#[derive(Clone, Debug, PartialEq)]
pub struct BotVersion {
    /// Its identifier.
    pub id: IntegrationId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// The name of its integration.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Whether it is under development.
    pub dev: bool,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether somebody looked at it.
    pub verification: Verification,
    /// Whether it can be installed.
    pub lifecycle: Lifecycle,
    /// What people read.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What is looked at when somebody looks for a text.
    pub terms: Terms,
    /// By what its readme is found, where it has one.
    pub readme_key: Option<String>,
    /// The SHA-256 of its code, where it has any.
    pub code_sha256: Option<Vec<u8>>,
    /// The names of its secrets.
    pub secret_names: Vec<String>,
    /// When it was created.
    pub created_at: Time,
    /// When it was changed.
    pub updated_at: Time,
    /// By what the integration's icon is found, where it has one.
    pub icon_key: Option<String>,
    /// How often the integration is installed.
    pub installs: i64,
    /// How often the integration was looked at.
    pub views: i64,
}

/// What is looked at when somebody looks for a text, beside the name, the title and the description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The actions, with their titles.
    pub actions: Vec<(String, String)>,
    /// The names of the interfaces.
    pub interfaces: Vec<String>,
}

impl Terms {
    /// Those of a definition.
    pub fn of(definition: &Definition) -> Self {
        Self { actions: titled_actions(definition), interfaces: Vec::new() }
    }

    /// Everything in small letters, a line each, for a database to look through.
    pub fn haystack(&self, definition: &Definition) -> String {
        let Definition { name, title, description, .. } = definition;
        let actions = self.actions.iter().flat_map(|(name, title)| [name.as_str(), title.as_str()]);
        let all = [name.as_str(), title.as_str(), description.as_str()].into_iter().chain(actions);
        all.map(|line| line.replace('\n', " ").to_lowercase()).collect::<Vec<_>>().join("\n")
    }
}

impl BotVersion {
    /// Where a text stands in it.
    pub fn matched_on(&self, text: &str) -> Matched {
        let Self { name, title, description, terms, .. } = self;
        let of = Searched { name, title, description, actions: &terms.actions, interfaces: &terms.interfaces };
        search(of, text).unwrap_or_default()
    }
}
