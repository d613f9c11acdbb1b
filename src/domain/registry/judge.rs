//! Whether a version may come into the registry, or be changed there, given what is there already.

use super::MAX_VERSIONS;
use super::definition::{
    Definition, DefinitionName, Enclosures, Issue, MAX_SECRETS, Rule, Version, Visibility, breaking_changes,
};
use crate::domain::ids::{IntegrationId, OrganisationId};

/// A version that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its identifier.
    pub id: IntegrationId,
    /// Its version.
    pub version: Version,
    /// Whether it is under development.
    pub dev: bool,
    /// Who may see it.
    pub visibility: Visibility,
}

/// What is around a name in a workspace.
#[derive(Clone, Debug)]
pub struct Around {
    /// The workspace.
    pub organisation_id: OrganisationId,
    /// Its handle.
    pub handle: String,
    /// Whose name it is, where somebody used it.
    pub owner: Option<OrganisationId>,
    /// How many names the workspace keeps.
    pub names: u64,
    /// How many it may keep.
    pub most_names: u64,
    /// The versions of the integration, where it is the workspace's.
    pub versions: Vec<Known>,
    /// The published version before the new one, which others may rely on.
    pub before: Option<Definition>,
    /// The version whose secrets the new one goes on with, and their names.
    pub secrets_of: Option<(IntegrationId, Vec<String>)>,
}

impl Around {
    /// The names of the secrets that are copied: those of the version before that the new one does not speak of.
    pub fn carried(&self, enclosures: &Enclosures) -> Vec<String> {
        let names = self.secrets_of.iter().flat_map(|(_, names)| names);
        names.filter(|name| !enclosures.secrets.contains_key(*name)).cloned().collect()
    }
}

/// What wants to come in: what could be read of it, for there may be something wrong with the rest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Newcomer<'a> {
    /// All that it says, where nothing is wrong with that.
    pub definition: Option<(&'a Definition, &'a Enclosures)>,
    /// Whether nobody asked to pass over what breaks.
    pub may_not_break: bool,
    /// Its name.
    pub name: Option<&'a DefinitionName>,
    /// Its version.
    pub version: Option<&'a Version>,
    /// Whether it is under development.
    pub dev: bool,
}

/// Why a version may not come in, beside what is wrong with it itself.
pub fn judge_new(new: Newcomer<'_>, around: &Around) -> Vec<Issue> {
    let mut issues = Vec::new();
    let Some(name) = new.name else { return issues };
    if name.handle().is_some_and(|handle| handle != around.handle) {
        let says = format_args!("must begin with the workspace's own handle: {:?}", name.under(&around.handle));
        issues.push(Issue::new(Rule::Handle, "/name", says).found(name.as_str()));
    } else if around.owner.is_some_and(|owner| owner != around.organisation_id) {
        let says = format_args!(
            "is already reserved by another workspace; choose another one, such as {:?}",
            name.under(&around.handle)
        );
        issues.push(Issue::new(Rule::Reserved, "/name", says).found(name.as_str()));
    } else if around.owner.is_none() && around.names >= around.most_names {
        let says = format_args!("would be one integration too many: the workspace may keep {}", around.most_names);
        issues.push(Issue::new(Rule::Quota, "/name", says));
    }
    let there = |version: &Version| around.versions.iter().any(|known| !known.dev && known.version == *version);
    if let Some(version) = new.version.filter(|version| !new.dev && there(version)) {
        let says = format_args!("{version} of {name} exists already; update it, or choose another version");
        issues.push(Issue::new(Rule::Taken, "/version", says).found(&version.to_string()));
    } else if around.versions.len() >= MAX_VERSIONS {
        let says = format_args!("would be one too many: {name} has {MAX_VERSIONS} versions; delete one first");
        issues.push(Issue::new(Rule::Limit, "/version", says));
    }
    let Some((definition, enclosures)) = new.definition else { return issues };
    issues.extend(unknown_interfaces(definition));
    let given = enclosures.secrets.values().flatten().count();
    issues.extend(too_many_secrets(given + around.carried(enclosures).len()));
    if let Some(before) = around.before.as_ref().filter(|_| new.may_not_break && !new.dev) {
        issues.extend(breaking_changes(before, definition));
    }
    issues
}

/// No interface is kept here, so there is none with any id.
fn unknown_interfaces(definition: &Definition) -> impl Iterator<Item = Issue> {
    definition.interface_ids().map(|(alias, id)| {
        let alias = alias.replace('~', "~0").replace('/', "~1");
        let says = "must be the id of an interface; this service has no interfaces";
        Issue::new(Rule::Interface, format!("/interfaces/{alias}/id"), says).found(id)
    })
}

fn too_many_secrets(count: usize) -> Option<Issue> {
    let says = || format!("would be {count} together with those of the version before; there may be {MAX_SECRETS}");
    (count > MAX_SECRETS).then(|| Issue::new(Rule::Limit, "/secrets", says()))
}

/// The highest published version below one within which nothing may break.
pub fn published_before<'a>(version: &Version, versions: &'a [Known]) -> Option<&'a Known> {
    let fits = |known: &&Known| {
        !known.dev && known.visibility.is_published() && known.version < *version && known.version.same_line(version)
    };
    versions.iter().filter(fits).max_by(|one, other| one.version.cmp(&other.version))
}

/// The highest version below one with the same major version.
pub fn same_major_before<'a>(version: &Version, versions: &'a [Known]) -> Option<&'a Known> {
    let fits = |known: &&Known| !known.dev && known.version < *version && known.version.major() == version.major();
    versions.iter().filter(fits).max_by(|one, other| one.version.cmp(&other.version))
}

/// A version and what is to become of it.
#[derive(Clone, Copy, Debug)]
pub struct Successor<'a> {
    /// As it is.
    pub former: &'a Definition,
    /// As it is to be.
    pub next: &'a Definition,
    /// Whether its code or its readme is to change.
    pub files_change: bool,
    /// How many secrets it is to have.
    pub secrets: usize,
    /// The published version before it, where others rely on one and nobody said to pass over that.
    pub before: Option<&'a Definition>,
}

/// Why a version may not become another one. A published one keeps what it is; its visibility may change among the
/// published ones, and its secrets.
pub fn judge_update(change: Successor<'_>) -> Vec<Issue> {
    let Successor { former, next, files_change, secrets, before } = change;
    let mut issues: Vec<Issue> = too_many_secrets(secrets).into_iter().collect();
    if !former.visibility.is_published() {
        issues.extend(unknown_interfaces(next));
        if let Some(before) = before.filter(|_| next.visibility.is_published()) {
            issues.extend(breaking_changes(before, next));
        }
        return issues;
    }
    let word = former.visibility.as_str();
    if !next.visibility.is_published() {
        let says = format_args!("cannot become private again: others may rely on this {word} version");
        issues.push(Issue::new(Rule::Published, "/visibility", says));
    }
    let kept = Definition { visibility: former.visibility, ..next.clone() };
    if kept != *former || files_change {
        let says = format_args!(
            "would change {} {}, which is {word} and stays as it is; create a new version",
            former.name, former.version
        );
        issues.push(Issue::new(Rule::Published, "", says));
    }
    issues
}
