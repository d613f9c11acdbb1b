//! The registry of integrations: checks, creates, changes and removes versions. All faults of a version are reported at
//! once, and a dry run takes the same path as the real creation up to the write.
//!
//! Not here: the rules that a version is checked by (`domain::registry`).

mod files;
mod installations;
mod installed;
mod keys;
mod lists;
mod logs;
mod lookup;
mod operator;
mod secrets;
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
    tenancy::{Tenancy, credential::sha256, organisations::Departure, vault::Vault},
};
use crate::{
    domain::{
        Error, Result,
        error::Noun,
        ids::{IntegrationId, OrganisationId},
        rate_limit::RateLimit,
        registry::{
            Around, Known, Lifecycle, Newcomer, PublicId, RegistryVersion, Terms, Verification,
            definition::{Definition, DefinitionName, Enclosures, Issue, Version, VersionQuery, check_create},
            judge_new, public_id,
        },
        secret::Secret,
        tenancy::{member::Permission, organisation::Organisation},
    },
    store::{self, Tx, registry},
};

pub use self::{
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
    vault: Arc<Vault>,
    most_integrations: u64,
    calls: Arc<Throttle>,
    views: Arc<views::Views>,
}

impl Registry {
    /// Creates the service. A workspace keeps at most `most_integrations`, and its calls are limited to `calls`.
    pub fn new(
        base: Base,
        (tenancy, apps, vault): (Arc<Tenancy>, Arc<Apps>, Arc<Vault>),
        most_integrations: u64,
        calls: RateLimit,
    ) -> Self {
        let (calls, views) = (Arc::new(Throttle::new(calls)), Arc::default());
        Self { base, tenancy, apps, vault, most_integrations, calls, views }
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
        let draft = Draft::check(submission).await?;
        let around = draft.look_around();
        let most = self.most_integrations;
        let around = registry::around(self.base.store.reader(), &workspace, around, most).await?;
        draft.judge(&around).map(drop)
    }

    /// Creates a version, and with the first one its integration. The version inherits the secrets of the preceding
    /// version of the same major.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::Issues`] with all faults.
    pub async fn create_bot_integration(&self, caller: &Caller, submission: Submission) -> Result<Registered> {
        caller.require(Permission::IntegrationsManage)?;
        let workspace = self.workspace_of(caller).await?;
        let draft = Draft::check(submission).await?;
        self.vault.prepare(workspace.id).await?;
        let tx = self.base.store.begin().await?;
        store::tenancy::organisations::lock(&tx, workspace.id).await?;
        let most = self.most_integrations;
        let around = registry::around(&tx, &workspace, draft.look_around(), most).await?;
        let (definition, enclosures) = draft.judge(&around)?;
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
        registry::claim_name(tx, workspace.id, name, now).await?;
        let secrets = self.secrets_of_new(tx, workspace.id, around, &enclosures, &definition).await?;
        let signing_secret = self.fresh_signing_secret();
        let mut version = RegistryVersion {
            id,
            organisation_id: workspace.id,
            name: name.to_owned(),
            version: definition.version.clone(),
            dev: definition.dev,
            visibility: definition.visibility,
            verification: Verification::Unapproved,
            lifecycle: Lifecycle::Published,
            title: definition.title.clone(),
            description: definition.description.clone(),
            terms: Terms::of(&definition),
            readme_key: enclosures.readme.as_ref().map(|_| self.fresh_file_key()),
            code_sha256: enclosures.code.as_ref().map(|code| sha256(code.as_bytes()).to_vec()),
            secret_names: secrets.keys().cloned().collect(),
            created_at: now,
            updated_at: now,
            icon_key: None,
            installs: 0,
            views: 0,
        };
        let sealed = registry::SealedVersionSecrets {
            secrets: self.seal_secrets((workspace.id, id), &secrets).await?,
            signing_secret: self.seal_signing_secret((workspace.id, id), &signing_secret).await?,
            former: None,
        };
        let source = registry::Source { readme: enclosures.readme, code: enclosures.code };
        registry::insert(tx, &version, &definition, sealed, &source).await?;
        if let Some(icon) = enclosures.icon {
            self.keep_icon(tx, name, icon).await?;
        }
        if definition.visibility.is_published() {
            registry::set_published(tx, name).await?;
        }
        let new = Known { id, version: version.version.clone(), dev: version.dev, visibility: version.visibility };
        let all: Vec<Known> = around.versions.iter().cloned().chain([new]).collect();
        rank(tx, (workspace.id, name), &all).await?;
        if let Some(kept) = registry::find(tx, workspace.id, id).await? {
            version = kept;
        }
        Ok(Registered { version, definition, workspace, signing_secret: Some(signing_secret), in_public: false })
    }

    /// Removes a version. A name that never had a published version becomes free with its last one.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::InUse`] where it is installed.
    pub async fn delete_bot_integration(&self, caller: &Caller, id: &str) -> Result<()> {
        caller.require(Permission::IntegrationsManage)?;
        let workspace = self.workspace_of(caller).await?;
        let tx = self.base.store.begin().await?;
        store::tenancy::organisations::lock(&tx, workspace.id).await?;
        let version = registry::find(&tx, workspace.id, version_id(id)?).await?.ok_or_else(|| not_found(id))?;
        let installations = registry::count_installations(&tx, version.id).await?;
        if installations > 0 {
            let message = format!(
                "{} {} is installed in {installations} places; remove it there first",
                version.name, version.version
            );
            return Err(Error::InUse { noun: Noun::Integration, message });
        }
        registry::delete(&tx, version.id).await?;
        let around = registry::around(&tx, &workspace, (Some(&version.name), None), 0).await?;
        rank(&tx, (workspace.id, &version.name), &around.versions).await?;
        registry::release_name(&tx, workspace.id, &version.name).await?;
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
    name: Option<DefinitionName>,
    version: Option<Version>,
    dev: bool,
    checked: Checked,
    allow_breaking_changes: bool,
}

impl Draft {
    /// Checks a body on a blocking thread, since a long one would keep other requests waiting.
    async fn check(Submission { body, allow_breaking_changes }: Submission) -> Result<Self> {
        let draft = move || {
            let text = |name: &str| body.get(name).and_then(Value::as_str);
            Self {
                name: text("name").and_then(DefinitionName::parse),
                version: text("version").and_then(Version::parse),
                dev: body.get("dev").and_then(Value::as_bool).unwrap_or_default(),
                checked: check_create(&body),
                allow_breaking_changes,
            }
        };
        tokio::task::spawn_blocking(draft).await.map_err(|error| Error::Internal(format!("a check failed: {error}")))
    }

    fn look_around(&self) -> (Option<&str>, Option<&Version>) {
        (self.name.as_ref().map(DefinitionName::as_str), self.version.as_ref())
    }

    /// Checks the body against the versions around it, and fails with all faults.
    fn judge(self, around: &Around) -> Result<(Definition, Enclosures)> {
        let newcomer = Newcomer {
            definition: self.checked.as_ref().ok().map(|(definition, enclosures)| (definition, enclosures)),
            may_not_break: !self.allow_breaking_changes,
            name: self.name.as_ref(),
            version: self.version.as_ref(),
            dev: self.dev,
        };
        let found = judge_new(newcomer, around);
        match self.checked {
            Ok(checked) if found.is_empty() => Ok(checked),
            Ok(_) => Err(Error::Issues(found)),
            Err(issues) => Err(Error::Issues(issues.into_iter().chain(found).collect())),
        }
    }
}

/// Marks the highest versions of an integration.
async fn rank(tx: &Tx, of: (OrganisationId, &str), versions: &[Known]) -> Result<()> {
    let highest = |counts: fn(&Known) -> bool| {
        let counted = versions.iter().filter(|known| !known.dev && counts(known));
        VersionQuery::Latest.pick(counted.map(|known| (&known.version, known.id)))
    };
    let both = (highest(|_| true), highest(|known| known.visibility.is_published()));
    registry::set_latest(tx, of, both).await
}

/// Parses a public version identifier. A malformed one is reported as an unknown version.
fn version_id(shown: &str) -> Result<IntegrationId> {
    public_id(PublicId::VERSION, shown).map(IntegrationId).ok_or_else(|| not_found(shown))
}

fn not_found(shown: &str) -> Error {
    Error::not_found(Noun::Integration, shown)
}
