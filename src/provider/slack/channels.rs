//! The conversations that a bot can see (Slack API: "conversations.list", "Pagination").

use std::{collections::HashSet, time::Duration};

use reqwest::header::AUTHORIZATION;
use serde::Deserialize;

use super::{
    SlackClient,
    answer::{self, SlackFailure},
    bearer,
};
use crate::{
    domain::{secret::Secret, slack::SlackChannel},
    provider::http::Unreachable,
};

/// Channels in a page. Slack takes fewer than 1,000 and recommends 200, but allows only some 20 pages a minute.
const PAGE: &str = "500";
/// Where reading ends in any case.
const MAX_PAGES: usize = 100;
/// A page says much more about each channel than is read here, with its topic and purpose.
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;
/// The longest pause that is waited out while somebody waits for the list.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// All pages together take at most this many times as long as one exchange.
const MAX_EXCHANGES: u32 = 4;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    channels: Vec<Conversation>,
    response_metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Conversation {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    is_member: bool,
    #[serde(default)]
    is_private: bool,
}

impl SlackClient {
    /// The public channels of a workspace, and the private ones that the bot was invited to; no archived ones. `team`
    /// says which workspace a token of several means, and may be empty. Of more than 50,000 channels the rest is left
    /// out.
    ///
    /// # Errors
    /// [`SlackFailure::Refused`] with Slack's code, [`SlackFailure::Unavailable`] when Slack does not answer properly or
    /// asks for a pause that is too long to wait for.
    pub async fn list_channels(&self, token: &Secret, team: &str) -> Result<Vec<SlackChannel>, SlackFailure> {
        let all = self.limits.total.saturating_mul(MAX_EXCHANGES);
        match tokio::time::timeout(all, self.all_channels(token, team)).await {
            Ok(channels) => channels,
            Err(_) => Err(SlackFailure::unreachable(Unreachable::Timeout)),
        }
    }

    async fn all_channels(&self, token: &Secret, team: &str) -> Result<Vec<SlackChannel>, SlackFailure> {
        let mut channels = Vec::new();
        let mut cursors = HashSet::new();
        let mut cursor = String::new();
        let mut may_pause = true;
        while cursors.len() < MAX_PAGES {
            let page = match self.page(token, team, &cursor).await {
                Err(SlackFailure::Unavailable { retry_after: Some(pause), .. }) if may_pause && pause <= MAX_PAUSE => {
                    may_pause = false;
                    tokio::time::sleep(pause).await;
                    continue;
                }
                page => page?,
            };
            channels.extend(page.channels.into_iter().map(|channel| SlackChannel {
                id: channel.id,
                name: channel.name,
                is_member: channel.is_member,
                is_private: channel.is_private,
            }));
            // An empty page is not the last one: only an empty cursor says so.
            let next = page.response_metadata.and_then(|metadata| metadata.next_cursor);
            let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(channels) };
            cursors.insert(cursor);
            if cursors.contains(&next) {
                return Err(SlackFailure::unreachable(Unreachable::NotJson));
            }
            cursor = next;
        }
        tracing::debug!(team, channels = channels.len(), "a workspace has more channels than are listed");
        Ok(channels)
    }

    async fn page(&self, token: &Secret, team: &str, cursor: &str) -> Result<Page, SlackFailure> {
        let bearer = bearer(token).ok_or(SlackFailure::unreachable(Unreachable::Other))?;
        let mut url = self.method("conversations.list");
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("types", "public_channel,private_channel");
            query.append_pair("exclude_archived", "true").append_pair("limit", PAGE);
            if !team.is_empty() {
                query.append_pair("team_id", team);
            }
            if !cursor.is_empty() {
                query.append_pair("cursor", cursor);
            }
        }
        let request = self.http.get(url).header(AUTHORIZATION, bearer);
        let (got, failure) = self.call(request, self.limits.max_answer_bytes.max(MAX_PAGE_BYTES)).await;
        answer::parse(&got, failure)
    }
}
