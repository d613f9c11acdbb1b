//! Changes of versions. The version that was read is validated outside of the transaction and read again within it,
//! which detects a concurrent change.
//!
//! Not here: creation and removal (`registry`).

use serde_json::{Value, json};

use super::{
    Registered, Registry, Submission, not_found, rank,
    secrets::{Secrets, change},
    version_id,
};
use crate::{
    app::{Caller, tenancy::credential::sha256},
    domain::{
        Error, Result,
        ids::{IntegrationId, OrganisationId},
        registry::{
            RegistryVersion, Successor, Terms,
            definition::{Definition, DefinitionKind, Enclosures, Issue, check_update},
            judge_update,
        },
        tenancy::{member::Permission, organisation::Organisation},
    },
    store::{
        self, Tx,
        registry::{self, Current, Source},
    },
};

/// Attempts to validate a change anew after a concurrent one.
const TRIES: usize = 5;

/// A validated change.
struct Change {
    definition: Definition,
    enclosures: Enclosures,
    secret_names: Vec<String>,
}

impl Registry {
    /// Validates a change as the update would, without changing anything.
    ///
    /// # Errors
    /// As [`Registry::update_bot_integration`].
    pub async fn validate_integration_update(&self, caller: &Caller, id: &str, submission: Submission) -> Result<()> {
        caller.require(Permission::IntegrationsManage)?;
        let current = self.current_version(DefinitionKind::Integration, caller, id).await?;
        self.check_change(&current, &submission).await.map(drop)
    }

    /// Changes a version: an absent field stays, and `null` removes it. A published version stays published.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Issues`] with all faults.
    pub async fn update_bot_integration(
        &self,
        caller: &Caller,
        id: &str,
        submission: Submission,
    ) -> Result<Registered> {
        self.update_version(DefinitionKind::Integration, caller, id, submission).await
    }

    pub(super) async fn update_version(
        &self,
        kind: DefinitionKind,
        caller: &Caller,
        id: &str,
        submission: Submission,
    ) -> Result<Registered> {
        caller.require(Permission::IntegrationsManage)?;
        let workspace = self.workspace_of(caller).await?;
        for _ in 0..TRIES {
            let seen = self.current_version(kind, caller, id).await?;
            let change = self.check_change(&seen, &submission).await?;
            let tx = self.base.store.begin().await?;
            store::tenancy::organisations::lock(&tx, workspace.id).await?;
            let current = registry::current(&tx, kind, workspace.id, seen.version.id).await?;
            let current = current.ok_or_else(|| not_found(kind, id))?;
            if current.is_like(&seen) {
                return self.save_bot(tx, caller, workspace, current, change).await;
            }
        }
        Err(Error::Unavailable { what: "the integration, which others change at the same time," })
    }

    async fn current_version(&self, kind: DefinitionKind, caller: &Caller, id: &str) -> Result<Current> {
        let (reader, own) = (self.base.store.reader(), caller.organisation_id);
        registry::current(reader, kind, own, version_id(kind, id)?).await?.ok_or_else(|| not_found(kind, id))
    }

    /// Validates a change, against the interfaces that the version implements too. What a published one implements
    /// cannot change.
    async fn check_change(&self, current: &Current, submission: &Submission) -> Result<Change> {
        let (mut definition, enclosures) = merge(current, submission).await?;
        let unmet = registry::implement(self.base.store.reader(), current.version.organisation_id, &mut definition);
        let unmet = unmet.await?.into_iter().filter(|_| !current.version.visibility.is_published());
        judge(current, submission, (definition, enclosures), unmet.collect())
    }

    async fn save_bot(
        &self,
        tx: Tx,
        caller: &Caller,
        workspace: Organisation,
        current: Current,
        change: Change,
    ) -> Result<Registered> {
        let Change { mut definition, enclosures, secret_names } = change;
        let id = current.version.id;
        if !current.version.visibility.is_published() {
            let unmet = registry::lock_and_implement(&tx, workspace.id, &mut definition).await?;
            if !unmet.is_empty() {
                return Err(Error::Issues(unmet));
            }
            registry::set_implementations(&tx, (workspace.id, id), &definition).await?;
        }
        let readme_changes = enclosures.readme.is_some() && enclosures.readme != current.readme;
        let secrets = self.changed_secrets(&tx, (workspace.id, id), &enclosures).await?;
        let version = RegistryVersion {
            visibility: definition.visibility,
            title: definition.title.clone(),
            description: definition.description.clone(),
            terms: Terms::of(&definition),
            readme_key: if readme_changes { Some(self.fresh_file_key()) } else { current.version.readme_key.clone() },
            code_sha256: code_sha256(&enclosures).or(current.version.code_sha256.clone()),
            secret_names,
            updated_at: self.base.now(),
            ..current.version
        };
        self.refresh_installed(&tx, &version, (&current.definition, &definition)).await?;
        let sealed = self.seal_secrets((workspace.id, id), &secrets).await?;
        let source = Source { readme: enclosures.readme.filter(|_| readme_changes), code: enclosures.code };
        registry::update(&tx, &version, &definition, sealed, source).await?;
        if let Some(icon) = enclosures.icon {
            self.keep_icon(&tx, version.entry(), icon).await?;
        }
        if definition.visibility.is_published() {
            registry::set_published(&tx, version.entry()).await?;
        }
        let around = registry::around(&tx, &workspace, (Some(version.entry()), None), 0).await?;
        rank(&tx, (workspace.id, version.entry()), &around.versions).await?;
        let (name, number) = (&version.name, version.version.to_string());
        let detail = json!({"name": name, "version": number, "visibility": version.visibility.as_str()});
        self.base.audit(&tx, (workspace.id, &caller.actor()), "registry.update", id, detail).await?;
        let kept = registry::find(&tx, version.kind, workspace.id, id).await?;
        tx.commit().await?;
        Ok(Registered {
            version: kept.unwrap_or(version),
            definition,
            workspace,
            signing_secret: None,
            in_public: false,
        })
    }

    async fn changed_secrets(
        &self,
        tx: &Tx,
        of: (OrganisationId, IntegrationId),
        enclosures: &Enclosures,
    ) -> Result<Secrets> {
        let sealed = registry::secrets(tx, of.1).await?;
        let mut secrets = self.unseal_secrets(of, sealed.secrets.as_deref()).await?;
        change(&mut secrets, enclosures);
        Ok(secrets)
    }
}

/// Merges a change on a blocking thread, since a long body would keep other requests waiting.
async fn merge(current: &Current, submission: &Submission) -> Result<(Definition, Enclosures)> {
    let (former, body): (Definition, Value) = (current.definition.clone(), submission.body.clone());
    let checked = tokio::task::spawn_blocking(move || check_update(&former, &body)).await;
    let checked = checked.map_err(|error| Error::Internal(format!("a check failed: {error}")))?;
    checked.map_err(Error::Issues)
}

fn judge(
    current: &Current,
    submission: &Submission,
    (definition, enclosures): (Definition, Enclosures),
    unmet: Vec<Issue>,
) -> Result<Change> {
    let mut secret_names = current.version.secret_names.clone();
    secret_names.retain(|name| !enclosures.secrets.contains_key(name));
    let given = enclosures.secrets.iter().filter(|(_, secret)| secret.is_some());
    secret_names.extend(given.map(|(name, _)| name.clone()));
    secret_names.sort_unstable();
    let code_changes = enclosures.code.is_some() && code_sha256(&enclosures) != current.version.code_sha256;
    let readme_changes = enclosures.readme.is_some() && enclosures.readme != current.readme;
    let may_break = submission.allow_breaking_changes;
    let judged = judge_update(Successor {
        former: &current.definition,
        next: &definition,
        files_change: code_changes || readme_changes,
        secrets: secret_names.len(),
        before: current.before.as_ref().filter(|_| !may_break && !definition.dev),
        implementations: if may_break { 0 } else { current.implementations },
    });
    let issues: Vec<Issue> = unmet.into_iter().chain(judged).collect();
    if issues.is_empty() { Ok(Change { definition, enclosures, secret_names }) } else { Err(Error::Issues(issues)) }
}

fn code_sha256(enclosures: &Enclosures) -> Option<Vec<u8>> {
    enclosures.code.as_ref().map(|code| sha256(code.as_bytes()).to_vec())
}
