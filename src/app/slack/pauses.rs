//! Pauses of Slack connections, as the pipeline asks for them.
//!
//! Not here: the change of a link's status (`links`), the check of a delivery just before it is sent (`sender`).

use std::collections::HashMap;

use async_trait::async_trait;

use crate::{
    app::pipeline::PausePolicy,
    domain::{
        Result,
        ids::{DestinationId, OrganisationId},
        pipeline::{delivery::Reason, destination::Destination},
        slack::{destination, link::SlackLink},
    },
    store::{self, Reads, Store},
};

/// Pauses of Slack connections.
pub struct SlackPauses(pub Store);

#[async_trait]
impl PausePolicy for SlackPauses {
    async fn paused(
        &self,
        reads: Option<Reads<'_>>,
        destinations: &[&Destination],
    ) -> Result<HashMap<DestinationId, Reason>> {
        let in_slack: Vec<&&Destination> =
            destinations.iter().filter(|destination| destination.kind == destination::SLACK).collect();
        if in_slack.is_empty() {
            return Ok(HashMap::new());
        }
        let mut ids: Vec<OrganisationId> = in_slack.iter().map(|destination| destination.organisation_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let links = match reads {
            Some(reads) => store::slack::links::paused(&reads, &ids).await?,
            None => store::slack::links::paused(self.0.reader(), &ids).await?,
        };
        let links: HashMap<OrganisationId, SlackLink> =
            links.into_iter().map(|link| (link.organisation_id, link)).collect();
        let paused = |one: &&Destination| {
            let link = links.get(&one.organisation_id)?;
            Some((one.id, destination::paused(link, one)?))
        };
        Ok(in_slack.into_iter().filter_map(paused).collect())
    }
}
