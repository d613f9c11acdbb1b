//! Checks a new version, or a change of one, against the existing state of the registry.
//!
//! Not here: the definition itself (`definition`).

use serde_json::{Map, Value};

use super::MAX_VERSIONS;
use super::definition::{
    Definition, DefinitionName, Enclosures, Issue, MAX_SECRETS, Rule, Version, Visibility, breaking_changes,
};
use crate::domain::ids::{IntegrationId, OrganisationId};

/// An existing version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its identifier.
    pub id: IntegrationId,
    /// Its version.
    pub version: Version,
    /// True if it is under development.
    pub dev: bool,
    /// Visibility to other workspaces.
    pub visibility: Visibility,
}

/// State of the registry for a name in a workspace.
#[derive(Clone, Debug)]
pub struct Around {
    /// The workspace.
    pub organisation_id: OrganisationId,
    /// Its handle.
    pub handle: String,
    /// Owner of the name, if it is in use.
    pub owner: Option<OrganisationId>,
    /// Number of names of the workspace.
    pub names: u64,
    /// Maximum number of names of the workspace.
    pub most_names: u64,
    /// The versions of the integration, if the workspace owns it.
    pub versions: Vec<Known>,
    /// The published version before the new one, with possible dependents.
    pub before: Option<Definition>,
    /// The version from which the new one inherits secrets, and their names.
    pub secrets_of: Option<(IntegrationId, Vec<String>)>,
}

impl Around {
    /// Returns the names of the secrets to copy: those of the version before that the new one does not mention.
    pub fn carried(&self, enclosures: &Enclosures) -> Vec<String> {
        let names = self.secrets_of.iter().flat_map(|(_, names)| names);
        names.filter(|name| !enclosures.secrets.contains_key(*name)).cloned().collect()
    }
}

/// A proposed version: its readable parts, as the others may have issues.
#[derive(Clone, Copy, Debug, Default)]
pub struct Newcomer<'a> {
    /// Its whole content, if that is free of issues.
    pub definition: Option<(&'a Definition, &'a Enclosures)>,
    /// False if the caller asked to ignore breaking changes.
    pub may_not_break: bool,
    /// Its name.
    pub name: Option<&'a DefinitionName>,
    /// Its version.
    pub version: Option<&'a Version>,
    /// True if it is under development.
    pub dev: bool,
}

/// Returns the reasons to refuse a new version, beside the issues of its own content.
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
    let given = enclosures.secrets.values().flatten().count();
    issues.extend(too_many_secrets(given + around.carried(enclosures).len()));
    if let Some(before) = around.before.as_ref().filter(|_| new.may_not_break && !new.dev) {
        issues.extend(breaking_changes(before, definition));
    }
    issues
}

fn too_many_secrets(count: usize) -> Option<Issue> {
    let says = || format!("would be {count} together with those of the version before; there may be {MAX_SECRETS}");
    (count > MAX_SECRETS).then(|| Issue::new(Rule::Limit, "/secrets", says()))
}

/// Returns the highest published version below one within which nothing may break.
pub fn published_before<'a>(version: &Version, versions: &'a [Known]) -> Option<&'a Known> {
    let fits = |known: &&Known| {
        !known.dev && known.visibility.is_published() && known.version < *version && known.version.same_line(version)
    };
    versions.iter().filter(fits).max_by(|one, other| one.version.cmp(&other.version))
}

/// Returns the highest version below one with the same major version.
pub fn same_major_before<'a>(version: &Version, versions: &'a [Known]) -> Option<&'a Known> {
    let fits = |known: &&Known| !known.dev && known.version < *version && known.version.major() == version.major();
    versions.iter().filter(fits).max_by(|one, other| one.version.cmp(&other.version))
}

/// A proposed change of a version.
#[derive(Clone, Copy, Debug)]
pub struct Successor<'a> {
    /// Its current definition.
    pub former: &'a Definition,
    /// Its new definition.
    pub next: &'a Definition,
    /// True if its code or its readme changes.
    pub files_change: bool,
    /// Its new number of secrets.
    pub secrets: usize,
    /// The published version before it, if there are dependents and the caller did not ask to ignore breaking changes.
    pub before: Option<&'a Definition>,
    /// Number of versions that implement it, if it is an interface and the caller did not ask to ignore breaking changes.
    pub implementations: u64,
}

/// Returns what an interface asks of an implementation.
fn contract(definition: &Definition) -> [&Map<String, Value>; 4] {
    [&definition.entities, &definition.actions, &definition.events, &definition.channels]
}

/// Returns the reasons to refuse a change of a version. A published one is immutable, but for its secrets and a change
/// of visibility among the published ones.
pub fn judge_update(change: Successor<'_>) -> Vec<Issue> {
    let Successor { former, next, files_change, secrets, before, implementations } = change;
    let mut issues: Vec<Issue> = too_many_secrets(secrets).into_iter().collect();
    if !former.visibility.is_published() {
        if implementations > 0 && contract(former) != contract(next) {
            let says = format_args!(
                "would change what {} {} asks for, and versions implement it ({implementations}); create a new version",
                former.name, former.version
            );
            issues.push(Issue::new(Rule::BreakingChange, "", says));
        }
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
