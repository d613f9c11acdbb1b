//! The registry of integrations and interfaces: checks, creates, changes and removes versions. All faults of a version are reported at
//! once, and a dry run takes the same path as the real creation up to the write.
//!
//! Not here: the rules that a version is checked by (`domain::registry`).

mod actions;
mod emitted;
mod files;
mod installations;
mod installed;
mod interfaces;
mod keys;
mod lists;
mod logs;
mod lookup;
mod operator;
mod secrets;
mod slots;
mod updates;
mod views;
mod visible;
mod workspaces;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Caller,
    apps::Apps,
    kernel::{Base, throttle::Throttle},
    pipeline::Pipeline,
    tenancy::{Tenancy, credential::sha256, organisations::Departure, vault::Vault},
};
use crate::{
    domain::{
        Error, Result,
        error::Noun,
        ids::{IntegrationId, OrganisationId},
        rate_limit::RateLimit,
        registry::{
            Around, Entry, Known, Lifecycle, Newcomer, RegistryVersion, Terms, Verification,
            definition::{
                Definition, DefinitionKind, DefinitionName, Enclosures, Issue, Version, VersionQuery, check_create,
            },
            judge_new, public_id,
        },
        secret::Secret,
        tenancy::{member::Permission, organisation::Organisation},
    },
    store::{self, Tx, registry},
};

pub use self::{
    emitted::NamedInstallation,
    installations::{AppSource, CreateApp, WantedVersion},
    installed::InstalledVersions,
    keys::ApiKey,
    lists::{ListQuery, Listed, ListedPage},
    logs::{LogLine, LogPage, LogQuery},
    visible::VersionSearch,
    workspaces::{HandleAvailability, Workspace},
};

/// Service of the registry of integration versions.
#[derive(Clone)]
pub struct Registry {
    base: Base,
    tenancy: Arc<Tenancy>,
    apps: Arc<Apps>,
    pipeline: Arc<Pipeline>,
    vault: Arc<Vault>,
    most_integrations: u64,
    calls: Arc<Throttle>,
    views: Arc<views::Views>,
    slots: Arc<slots::Slots>,
}

impl Registry {
    /// Creates the service. A workspace keeps at most `most_integrations`, and its calls are limited to `calls`.
    pub fn new(
        base: Base,
        (tenancy, apps, pipeline, vault): (Arc<Tenancy>, Arc<Apps>, Arc<Pipeline>, Arc<Vault>),
        most_integrations: u64,
        calls: RateLimit,
    ) -> Self {
        let (calls, views, slots) = (Arc::new(Throttle::new(calls)), Arc::default(), Arc::default());
        Self { base, tenancy, apps, pipeline, vault, most_integrations, calls, views, slots }
    }
}

#[async_trait]
impl Departure for Registry {
    async fn leave(&self, tx: &Tx, id: OrganisationId) -> Result<BoxFuture<'static, ()>> {
        store::registry::uncount_installations(tx, id).await?;
        Ok(Box::pin(async {}))
    }
}

/// A version with everything that a reader may see of it.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The version.
    pub version: RegistryVersion,
    /// Its definition.
    pub definition: Definition,
    /// Owning workspace.
    pub workspace: Organisation,
    /// Secret that signs its calls; only in the response to its creation.
    pub signing_secret: Option<Secret>,
    /// True for a reader outside of the workspace: private fields are left out.
    pub in_public: bool,
}

/// Unparsed body of a creation or of an update, with its options.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Body.
    pub body: Value,
    /// True if changes that break installations are accepted.
    pub allow_breaking_changes: bool,
}

/// Outcome of the check of a body.
type Checked = Result<(Definition, Enclosures), Vec<Issue>>;

impl Registry {
    /// Validates a version as its creation would, without changing anything.
    ///
    /// # Errors
    /// As [`Registry::create_bot_integration`].
    pub async fn validate_integration_creation(&self, caller: &Caller, submission: Submission) -> Result<()> {
        caller.require(Permission::IntegrationsManage)?;
        let workspace = self.workspace_of(caller).await?;
        let mut draft = Draft::check(DefinitionKind::Integration, submission).await?;
        let reader = self.base.store.reader();
        let around = registry::around(reader, &workspace, draft.look_around(), self.most_integrations).await?;
        let unmet = match draft.definition() {
            Some(definition) => registry::implement(reader, workspace.id, definition).await?,
            None => Vec::new(),
        };
        draft.judge(&around, unmet).map(drop)
    }

    /// Creates a version, and with the first one its integration. The version inherits the secrets of the preceding
    /// version of the same major.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::Issues`] with all faults.
    pub async fn create_bot_integration(&self, caller: &Caller, submission: Submission) -> Result<Registered> {
        self.create_version(DefinitionKind::Integration, caller, submission).await
    }

    async fn create_version(
        &self,
        kind: DefinitionKind,
        caller: &Caller,
        submission: Submission,
    ) -> Result<Registered> {
        caller.require(Permission::IntegrationsManage)?;
        let workspace = self.workspace_of(caller).await?;
        let mut draft = Draft::check(kind, submission).await?;
        self.vault.prepare(workspace.id).await?;
        let tx = self.base.store.begin().await?;
        store::tenancy::organisations::lock(&tx, workspace.id).await?;
        let most = self.most_integrations;
        let around = registry::around(&tx, &workspace, draft.look_around(), most).await?;
        let unmet = match draft.definition() {
            Some(definition) => registry::lock_and_implement(&tx, workspace.id, definition).await?,
            None => Vec::new(),
        };
        let (definition, enclosures) = draft.judge(&around, unmet)?;
        let created = self.insert_bot(&tx, workspace, (definition, enclosures), &around).await?;
        let detail = json!({"name": created.version.name, "version": created.version.version.to_string()});
        let who = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (who.0, &who.1), "registry.create", created.version.id, detail).await?;
        tx.commit().await?;
        Ok(created)
    }

    async fn insert_bot(
        &self,
        tx: &Tx,
        workspace: Organisation,
        (definition, enclosures): (Definition, Enclosures),
        around: &Around,
    ) -> Result<Registered> {
        let (id, now) = (self.base.ambient.id::<IntegrationId>(), self.base.now());
        let name = definition.name.as_str();
        let entry = Entry { kind: definition.kind, name };
        registry::claim_name(tx, workspace.id, entry, now).await?;
        let secrets = self.secrets_of_new(tx, workspace.id, around, &enclosures, &definition).await?;
        // An interface is never called.
        let signing_secret = Some(self.fresh_signing_secret()).filter(|_| definition.kind.is_integration());
        let mut version = self.new_version(id, &workspace, &definition, &enclosures);
        version.secret_names = secrets.keys().cloned().collect();
        let sealed = registry::SealedVersionSecrets {
            secrets: self.seal_secrets((workspace.id, id), &secrets).await?,
            signing_secret: match &signing_secret {
                Some(secret) => self.seal_signing_secret((workspace.id, id), secret).await?,
                None => Vec::new(),
            },
            former: None,
        };
        let source = registry::Source { readme: enclosures.readme, code: enclosures.code };
        registry::insert(tx, &version, &definition, sealed, &source).await?;
        registry::set_implementations(tx, (workspace.id, id), &definition).await?;
        if let Some(icon) = enclosures.icon {
            self.keep_icon(tx, entry, icon).await?;
        }
        if definition.visibility.is_published() {
            registry::set_published(tx, entry).await?;
        }
        let new = Known { id, version: version.version.clone(), dev: version.dev, visibility: version.visibility };
        let all: Vec<Known> = around.versions.iter().cloned().chain([new]).collect();
        rank(tx, (workspace.id, entry), &all).await?;
        if let Some(kept) = registry::find(tx, version.kind, workspace.id, id).await? {
            version = kept;
        }
        Ok(Registered { version, definition, workspace, signing_secret, in_public: false })
    }

    /// Returns a version as it is first, without the names of its secrets.
    fn new_version(
        &self,
        id: IntegrationId,
        workspace: &Organisation,
        definition: &Definition,
        enclosures: &Enclosures,
    ) -> RegistryVersion {
        let now = self.base.now();
        RegistryVersion {
            id,
            kind: definition.kind,
            organisation_id: workspace.id,
            name: definition.name.as_str().to_owned(),
            version: definition.version.clone(),
            dev: definition.dev,
            visibility: definition.visibility,
            verification: Verification::Unapproved,
            lifecycle: Lifecycle::Published,
            title: definition.title.clone(),
            description: definition.description.clone(),
            terms: Terms::of(definition),
            readme_key: enclosures.readme.as_ref().map(|_| self.fresh_file_key()),
            code_sha256: enclosures.code.as_ref().map(|code| sha256(code.as_bytes()).to_vec()),
            secret_names: Vec::new(),
            created_at: now,
            updated_at: now,
            icon_key: None,
            installs: 0,
            views: 0,
        }
    }

    /// Removes a version. A name that never had a published version becomes free with its last one.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::InUse`] where it is installed.
    pub async fn delete_bot_integration(&self, caller: &Caller, id: &str) -> Result<()> {
        self.delete_version(DefinitionKind::Integration, caller, id).await
    }

    async fn delete_version(&self, kind: DefinitionKind, caller: &Caller, id: &str) -> Result<()> {
        caller.require(Permission::IntegrationsManage)?;
        let workspace = self.workspace_of(caller).await?;
        let tx = self.base.store.begin().await?;
        store::tenancy::organisations::lock(&tx, workspace.id).await?;
        let found = registry::find(&tx, kind, workspace.id, version_id(kind, id)?).await?;
        let version = found.ok_or_else(|| not_found(kind, id))?;
        check_unused(&tx, &version).await?;
        registry::delete(&tx, version.id).await?;
        let around = registry::around(&tx, &workspace, (Some(version.entry()), None), 0).await?;
        rank(&tx, (workspace.id, version.entry()), &around.versions).await?;
        registry::release_name(&tx, workspace.id, version.entry()).await?;
        let detail = json!({"name": version.name, "version": version.version.to_string()});
        self.base.audit(&tx, (workspace.id, &caller.actor()), "registry.delete", version.id, detail).await?;
        tx.commit().await
    }

    async fn workspace_of(&self, caller: &Caller) -> Result<Organisation> {
        store::tenancy::organisations::find(self.base.store.reader(), caller.organisation_id).await
    }
}

/// A checked body, and the fields that could be read of it even if the rest is invalid.
struct Draft {
    kind: DefinitionKind,
    name: Option<DefinitionName>,
    version: Option<Version>,
    dev: bool,
    checked: Checked,
    allow_breaking_changes: bool,
}

impl Draft {
    /// Checks a body on a blocking thread, since a long one would keep other requests waiting.
    async fn check(kind: DefinitionKind, submission: Submission) -> Result<Self> {
        let Submission { body, allow_breaking_changes } = submission;
        let draft = move || {
            let text = |name: &str| body.get(name).and_then(Value::as_str);
            Self {
                kind,
                name: text("name").and_then(DefinitionName::parse),
                version: text("version").and_then(Version::parse),
                dev: body.get("dev").and_then(Value::as_bool).unwrap_or_default(),
                checked: check_create(kind, &body),
                allow_breaking_changes,
            }
        };
        tokio::task::spawn_blocking(draft).await.map_err(|error| Error::Internal(format!("a check failed: {error}")))
    }

    fn look_around(&self) -> (Option<Entry<'_>>, Option<&Version>) {
        let entry = self.name.as_ref().map(|name| Entry { kind: self.kind, name: name.as_str() });
        (entry, self.version.as_ref())
    }

    /// Returns the definition, if the body is free of issues.
    fn definition(&mut self) -> Option<&mut Definition> {
        self.checked.as_mut().ok().map(|(definition, _)| definition)
    }

    /// Checks the body against the versions around it, and fails with all faults, those of its interfaces included.
    fn judge(self, around: &Around, unmet: Vec<Issue>) -> Result<(Definition, Enclosures)> {
        let newcomer = Newcomer {
            definition: self.checked.as_ref().ok().map(|(definition, enclosures)| (definition, enclosures)),
            may_not_break: !self.allow_breaking_changes,
            name: self.name.as_ref(),
            version: self.version.as_ref(),
            dev: self.dev,
        };
        let found: Vec<Issue> = unmet.into_iter().chain(judge_new(newcomer, around)).collect();
        match self.checked {
            Ok(checked) if found.is_empty() => Ok(checked),
            Ok(_) => Err(Error::Issues(found)),
            Err(issues) => Err(Error::Issues(issues.into_iter().chain(found).collect())),
        }
    }
}

/// Refuses the removal of a version that others use.
async fn check_unused(tx: &Tx, version: &RegistryVersion) -> Result<()> {
    let RegistryVersion { name, version: number, .. } = version;
    let (noun, message) = match version.kind {
        DefinitionKind::Integration => match registry::count_installations(tx, version.id).await? {
            0 => return Ok(()),
            count => {
                let says = format!("{name} {number} is installed in {count} places; remove it there first");
                (Noun::Integration, says)
            }
        },
        DefinitionKind::Interface => match registry::count_implementations(tx, version.id).await? {
            0 => return Ok(()),
            count => {
                let says =
                    format!("{name} {number} is implemented by {count} versions of integrations; delete them first");
                (Noun::Interface, says)
            }
        },
    };
    Err(Error::InUse { noun, message })
}

/// Marks the highest versions of a name.
async fn rank(tx: &Tx, of: (OrganisationId, Entry<'_>), versions: &[Known]) -> Result<()> {
    let highest = |counts: fn(&Known) -> bool| {
        let counted = versions.iter().filter(|known| !known.dev && counts(known));
        VersionQuery::Latest.pick(counted.map(|known| (&known.version, known.id)))
    };
    let both = (highest(|_| true), highest(|known| known.visibility.is_published()));
    registry::set_latest(tx, of, both).await
}

/// Parses a public version identifier. A malformed one is reported as an unknown version.
fn version_id(kind: DefinitionKind, shown: &str) -> Result<IntegrationId> {
    public_id(kind.prefix(), shown).map(IntegrationId).ok_or_else(|| not_found(kind, shown))
}

fn not_found(kind: DefinitionKind, shown: &str) -> Error {
    let noun = match kind {
        DefinitionKind::Integration => Noun::Integration,
        DefinitionKind::Interface => Noun::Interface,
    };
    Error::not_found(noun, shown)
}
