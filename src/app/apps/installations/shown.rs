//! Apps as callers see them: an organisation's own, and those of the system.
//!
//! Not here: changing them (`installations`).

use serde_json::{Value, json};

use crate::{
    app::{Caller, apps::Apps},
    domain::{
        Result,
        ambient::Time,
        apps::{
            app::App,
            card::{self, SystemApp},
            descriptor::Descriptor,
            setting::MASK,
        },
        ids::{IntegrationId, OrganisationId},
        secret::Secret,
        slack::link::SlackLinkStatus,
        tenancy::member::Permission,
    },
    store,
};

/// An app as a caller sees it.
#[derive(Clone, Debug)]
pub struct InstalledIntegration {
    /// Its identifier.
    pub id: IntegrationId,
    /// Name in the organisation.
    pub name: String,
    /// Address of its descriptor.
    pub json_url: String,
    /// Schema of its descriptor.
    pub json_schema: Value,
    /// Credential, masked where this caller may not see it; empty where there is none.
    pub auth_credential: String,
    /// Type, as it was stated at the installation.
    pub integration_type: String,
    /// Name in the descriptor.
    pub app_name: String,
    /// Address of its page.
    pub app_url: String,
    /// Address of its picture.
    pub app_logo: String,
    /// Description in the descriptor.
    pub app_description: String,
    /// Warnings for the installer, such as that it is never called.
    pub warnings: Vec<String>,
    /// True if it is offered in every organisation.
    pub is_system_integration: bool,
    /// True if it is active.
    pub is_active: bool,
    /// Time of the installation.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
}

impl Apps {
    /// Returns the apps of the system, which every organisation has.
    pub(super) async fn system_integrations(
        &self,
        id: OrganisationId,
        since: Time,
    ) -> Result<Vec<InstalledIntegration>> {
        let reader = self.base.store.reader();
        let slack = store::slack::links::find(reader, id).await?;
        let uses_slack = slack.is_some_and(|stored| stored.link.status != SlackLinkStatus::Disconnected);
        let uses_github = !store::github::links::list(reader, id).await?.is_empty();
        let installed = store::apps::cards::installed(reader, id).await?;
        let is_active = |integration: IntegrationId| match integration {
            card::SLACK => uses_slack,
            card::GITHUB => uses_github,
            other => installed.iter().any(|(known, _)| *known == other),
        };
        let mut all = card::built_in().to_vec();
        all.extend(store::apps::cards::list_system(reader).await?);
        let seen = |SystemApp { id, name, about }: SystemApp| InstalledIntegration {
            id,
            name: name.clone(),
            json_url: String::new(),
            json_schema: json!({"type": "object", "properties": {}}),
            auth_credential: String::new(),
            integration_type: String::new(),
            app_name: name,
            app_url: about.link.unwrap_or_default(),
            app_logo: about.icon,
            app_description: about.description,
            warnings: Vec::new(),
            is_system_integration: true,
            is_active: is_active(id),
            created_at: since,
            updated_at: since,
        };
        Ok(all.into_iter().map(seen).collect())
    }

    /// Returns an app as this caller may see it. `credential` is its own credential, where it may be shown.
    pub(super) fn seen(&self, caller: &Caller, app: &App, credential: Option<&Secret>) -> InstalledIntegration {
        let descriptor = &app.descriptor;
        let of = |text: fn(&Descriptor) -> Option<String>| descriptor.as_ref().and_then(text).unwrap_or_default();
        let auth_credential = match credential {
            Some(credential) if caller.may(Permission::SecretsRead) => credential.expose().to_owned(),
            Some(_) => MASK.to_owned(),
            None => String::new(),
        };
        let app_name = of(|descriptor| Some(descriptor.app_name.clone()));
        InstalledIntegration {
            id: app.id,
            name: app.name.clone(),
            json_url: app.json_url.clone(),
            json_schema: descriptor.as_ref().map_or_else(|| json!({"type": "object"}), Descriptor::json_schema),
            auth_credential,
            integration_type: app.integration_type.clone(),
            app_name: if app_name.is_empty() { app.name.clone() } else { app_name },
            app_url: of(|descriptor| descriptor.app_url.clone()),
            app_logo: of(|descriptor| descriptor.app_logo.clone()),
            app_description: of(|descriptor| descriptor.app_description.clone()),
            warnings: of_kind(app),
            is_system_integration: false,
            is_active: app.active,
            created_at: app.created_at,
            updated_at: app.updated_at,
        }
    }
}

/// Warns of a kind that is never called: in its descriptor, or stated where it has none.
fn of_kind(app: &App) -> Vec<String> {
    let is_stated = app.descriptor.is_some() || !app.integration_type.is_empty();
    app.kind().unknown().filter(|_| is_stated).map(|why| format!("integration_type {why}")).into_iter().collect()
}
