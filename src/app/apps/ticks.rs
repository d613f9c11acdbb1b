//! The clock of integrations that tick.

use std::collections::HashMap;

use serde_json::json;

use super::Apps;
use crate::{
    app::{
        apps::calls::app_place,
        pipeline::{intake::NewEvent, outbox::Planned},
    },
    domain::{
        Result,
        ambient::Time,
        apps::{app::App, call::INTEGRATION_TICK, setting::Setting},
        channels,
        ids::{ChannelId, InstallationId, OrganisationId},
        pipeline::event::Fact,
    },
    store::{
        self, Tx,
        apps::{installations::Used, settings::StoredSetting, ticks::NextTick},
    },
};

/// An integration that is due to tick in a channel.
struct Ticking {
    app: App,
    channel_id: ChannelId,
    /// True if it is switched on, in the channel and altogether.
    active: bool,
    due_at: Time,
    next: NextTick,
}

impl Apps {
    /// Makes the ticks that are due now into events, each once in all processes together, and sets the next times. A
    /// time that was missed is made up for once. Tells how many ticked.
    ///
    /// # Errors
    /// When the database fails; what was due is due again then.
    pub async fn tick(&self, limit: u64) -> Result<usize> {
        let now = self.base.now();
        let tx = self.base.store.begin().await?;
        let due = store::apps::ticks::due(&tx, now, limit).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let ticking = self.ticking(&tx, due, now).await?;
        let next: Vec<NextTick> = ticking.iter().map(|tick| tick.next).collect();
        store::apps::ticks::set(&tx, &next).await?;
        let ticking: Vec<Ticking> = ticking.into_iter().filter(|tick| tick.active).collect();
        let ticked = ticking.len();
        let new_event = |Ticking { app, channel_id, due_at, .. }: Ticking| {
            let data = json!({"integrationId": app.id, "dueAt": due_at});
            NewEvent {
                id: None,
                organisation_id: app.organisation_id,
                source: channels::event::SOURCE,
                fact: Fact::plain(INTEGRATION_TICK, Some(channel_id), data),
                made_from: None,
                path: Vec::new(),
                idempotency: None,
                planned: vec![Planned { place: app_place(app.id), content: None }],
            }
        };
        self.pipeline.commit_events(tx, ticking.into_iter().map(new_event).collect()).await?;
        Ok(ticked)
    }

    /// Returns the due ticks, each with its next time, in the order in which they were due. Removed ones are left out.
    async fn ticking(&self, tx: &Tx, due: Vec<(InstallationId, Time)>, now: Time) -> Result<Vec<Ticking>> {
        let ids: Vec<InstallationId> = due.iter().map(|(id, _)| *id).collect();
        let uses = store::apps::installations::find_uses(tx, &ids).await?;
        let installations: Vec<InstallationId> = uses.iter().map(|there| there.app.installation_id).collect();
        let mut organisations: Vec<OrganisationId> = uses.iter().map(|there| there.app.organisation_id).collect();
        organisations.sort_unstable();
        organisations.dedup();
        // The transaction's own rows, as everything here: they are not changed until it ends.
        let mut settings: HashMap<(InstallationId, Option<ChannelId>), Vec<Setting>> = HashMap::new();
        for StoredSetting { setting, .. } in
            store::apps::settings::of_installations(tx, &organisations, &installations).await?
        {
            settings.entry((setting.installation_id, setting.channel_id)).or_default().push(setting);
        }
        let of = |app: &App, channel_id| {
            settings.get(&(app.installation_id, channel_id)).map(Vec::as_slice).unwrap_or_default()
        };
        let mut uses: HashMap<InstallationId, Used> = uses.into_iter().map(|there| (there.used.id, there)).collect();
        let ticking = |(id, due_at): (InstallationId, Time)| {
            let Used { app, used, .. } = uses.remove(&id)?;
            let active = used.active && app.active;
            let after = || self.tick_after(&app, of(&app, None), of(&app, Some(used.channel_id)), now);
            let due_next = if active { after() } else { None };
            let next = NextTick { organisation_id: app.organisation_id, installation_id: id, due_at: due_next };
            Some(Ticking { app, channel_id: used.channel_id, active, due_at, next })
        };
        Ok(due.into_iter().filter_map(ticking).collect())
    }
}
