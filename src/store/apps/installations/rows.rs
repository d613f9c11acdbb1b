//! Row conversion of apps that are installed by a descriptor, and the shape of their JSON.
//!
//! Not here: the queries (`installations`).

use ::entity::{
    installation,
    integration::{self, Column, Entity as Integrations},
    registry_installation::{Column as FromRegistry, Entity as RegistryInstallations},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::APP;
use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        apps::{
            app::{App, RegistryReference},
            descriptor::Descriptor,
        },
    },
    store::{Tx, corrupt},
};

/// JSON of an app in `integration.definition`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    json_url: String,
    integration_type: String,
    custom: bool,
    document: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registry: Option<RegistryReference>,
}

pub(super) fn changeable(app: &App) -> Result<integration::ActiveModel> {
    Ok(integration::ActiveModel {
        id: Set(app.id.0),
        organisation_id: Set(Some(app.organisation_id.0)),
        kind: Set(APP.to_owned()),
        name: Set(app.name.clone()),
        version: Set(None),
        active: Set(app.active),
        definition: Set(json(Definition {
            json_url: app.json_url.clone(),
            integration_type: app.integration_type.clone(),
            custom: app.custom,
            document: app.descriptor.as_ref().map(|descriptor| descriptor.document.clone()),
            registry: app.registry.clone(),
        })?),
        created_at: NotSet,
        updated_at: Set(app.updated_at),
    })
}

fn json(definition: Definition) -> Result<Value> {
    serde_json::to_value(definition).map_err(|error| Error::Internal(format!("an integration cannot be kept: {error}")))
}

pub(super) fn app(row: integration::Model, installed: &installation::Model) -> Result<App> {
    let definition = serde_json::from_value(row.definition);
    let Definition { json_url, integration_type, custom, document, registry } =
        definition.map_err(|error| corrupt("integration", "definition", error))?;
    Ok(App {
        id: row.id.into(),
        organisation_id: installed.organisation_id.into(),
        installation_id: installed.id.into(),
        name: row.name,
        json_url,
        integration_type,
        custom,
        active: installed.active,
        registry,
        // A copy that a later version can no longer read counts as absent.
        descriptor: document.and_then(|document| Descriptor::from_document(document).ok()).map(|(read, _)| read),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// Updates the descriptor of every app that was installed from a registry version: the JSON is the same in all of their
/// rows, so one statement suffices.
///
/// # Errors
/// When the database fails.
pub async fn set_descriptor(tx: &Tx, from: RegistryReference, descriptor: &Descriptor, now: Time) -> Result<()> {
    let id = from.registry_id;
    let installed = RegistryInstallations::find().select_only().column(FromRegistry::IntegrationId);
    let installed = installed.filter(FromRegistry::BotIntegrationId.eq(id)).into_query();
    let row = integration::ActiveModel {
        definition: Set(json(Definition {
            json_url: from.json_url(),
            integration_type: descriptor.kind.as_str().to_owned(),
            custom: false,
            document: Some(descriptor.document.clone()),
            registry: Some(from),
        })?),
        updated_at: Set(now),
        ..Default::default()
    };
    Integrations::update_many().set(row).filter(Column::Id.in_subquery(installed)).exec(tx).await?;
    Ok(())
}
