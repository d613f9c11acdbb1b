//! The apps of channels as routes: messages that are posted in a channel go through its apps.
//!
//! Not here: the decision (`matcher`), the apps' other occasions (`ticks`, `calls`).

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::{Apps, channel_apps::ChannelAppChange, matcher::channel_place};
use crate::{
    app::{
        Caller,
        routes::managed::{ManagedChange, ManagedRoute, RouteManager},
    },
    domain::{
        Error, Result,
        apps::destination,
        channels::event::MESSAGE_POSTED,
        error::Noun,
        ids::{ChannelId, IntegrationId, OrganisationId, RouteId},
        pipeline::destination::Destination,
        routes::rule::Rule,
    },
    store::{self, apps::installations::Used},
};

const APP: &str = "app";

/// Settings of the rule, as a change has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    position: Option<i32>,
}

#[async_trait]
impl RouteManager for Apps {
    fn kind(&self) -> &'static str {
        APP
    }

    async fn routes(&self, organisation_id: OrganisationId) -> Result<Vec<ManagedRoute>> {
        let reader = self.base.store.reader();
        let used = store::apps::installations::in_channels(reader, organisation_id).await?;
        let used: Vec<Used> = used.into_iter().filter(|one| one.app.kind().has_target()).collect();
        let names: Vec<String> = used.iter().map(|one| channel_place(one.used.channel_id).name).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let kind = destination::CHANNEL;
        let known = store::pipeline::destinations::of_names(reader, organisation_id, &kind, &names).await?;
        Ok(used.into_iter().map(|one| route(one, &known)).collect())
    }

    async fn change(&self, caller: &Caller, route: ManagedRoute, change: ManagedChange) -> Result<()> {
        let settings = change.settings.unwrap_or_else(|| json!({}));
        let Place { position } = Place::deserialize(settings).map_err(|error| Error::invalid("", error.to_string()))?;
        let (channel, app) = self.used(caller.organisation_id, &route).await?;
        let change = ChannelAppChange { active: change.enabled, position, settings: None };
        self.put_channel_app(caller, channel, app, change).await.map(drop)
    }

    async fn delete(&self, caller: &Caller, route: ManagedRoute) -> Result<()> {
        let (channel, app) = self.used(caller.organisation_id, &route).await?;
        self.delete_channel_app(caller, channel, app).await
    }
}

impl Apps {
    /// Returns the channel and the app of a route.
    async fn used(&self, organisation_id: OrganisationId, route: &ManagedRoute) -> Result<(ChannelId, IntegrationId)> {
        let all = store::apps::installations::in_channels(self.base.store.reader(), organisation_id).await?;
        let found = all.into_iter().find(|one| RouteId(one.used.id.0) == route.id);
        let found = found.ok_or_else(|| Error::not_found(Noun::Route, route.id))?;
        Ok((found.used.channel_id, found.app.id))
    }
}

fn route(Used { app, used, .. }: Used, known: &[Destination]) -> ManagedRoute {
    let place = channel_place(used.channel_id);
    ManagedRoute {
        id: used.id.0.into(),
        managed_by: "app",
        sources: vec!["*".into()],
        types: vec![MESSAGE_POSTED.into()],
        channel_id: Some(used.channel_id),
        rule: Rule { kind: APP.into(), settings: json!({"appId": app.id, "position": used.position}) },
        destination_id: known.iter().find(|one| one.name == place.name).map(|one| one.id),
        enabled: used.active && app.active,
        disabled_reason: None,
        created_by: None,
        created_at: app.created_at,
        updated_at: used.updated_at,
        name: app.name,
    }
}
