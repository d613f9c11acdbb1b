//! Slack's paginated lists: the conversations that a bot can see, and the workspaces of an Enterprise organisation
//! (Slack API: "conversations.list", "auth.teams.list", "Pagination").

use std::{collections::HashSet, time::Duration};

use reqwest::header::AUTHORIZATION;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    SlackClient,
    answer::{self, SlackFailure},
    bearer,
};
use crate::{
    domain::{
        secret::Secret,
        slack::{SlackChannel, SlackTeam},
    },
    provider::http::Unreachable,
};

/// Page size. Slack accepts fewer than 1,000 and recommends 200, but allows only some 20 pages a minute.
const PAGE: &str = "500";
/// Maximum number of pages read.
const MAX_PAGES: usize = 100;
/// Maximum size of a page, which describes each element in more detail than is read here, such as a channel's topic and
/// purpose.
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;
/// Longest backoff that is waited out while a caller waits for the list.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// Time limit of all pages together, in multiples of the limit of one exchange.
const MAX_EXCHANGES: u32 = 4;

#[derive(Deserialize)]
struct Page<T> {
    // Each method names the list after its elements.
    #[serde(default = "Vec::new", alias = "channels", alias = "teams")]
    things: Vec<T>,
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

#[derive(Deserialize)]
struct Team {
    id: String,
    #[serde(default)]
    name: String,
}

impl SlackClient {
    /// Lists the public channels of a workspace, and the private ones that the bot was invited to; no archived ones.
    /// `team` selects the workspace for a token of several, and may be empty. Of more than 50,000 channels the rest is
    /// left out.
    ///
    /// # Errors
    /// [`SlackFailure::Refused`] with Slack's code, [`SlackFailure::Unavailable`] when Slack does not answer properly
    /// or requests a backoff that is too long to wait for.
    pub async fn list_channels(&self, token: &Secret, team: &str) -> Result<Vec<SlackChannel>, SlackFailure> {
        let mut query = vec![("types", "public_channel,private_channel"), ("exclude_archived", "true")];
        if !team.is_empty() {
            query.push(("team_id", team));
        }
        let found: Vec<Conversation> = self.list(token, "conversations.list", &query).await?;
        let channel = |found: Conversation| SlackChannel {
            id: found.id,
            name: found.name,
            is_member: found.is_member,
            is_private: found.is_private,
        };
        Ok(found.into_iter().map(channel).collect())
    }

    /// Lists the workspaces that a token is valid for: the ones in which an Enterprise organisation has put the app, or
    /// the one in which it was installed. Of more than 50,000 the rest is left out.
    ///
    /// # Errors
    /// As [`SlackClient::list_channels`].
    pub async fn list_teams(&self, token: &Secret) -> Result<Vec<SlackTeam>, SlackFailure> {
        let found: Vec<Team> = self.list(token, "auth.teams.list", &[]).await?;
        Ok(found.into_iter().map(|found| SlackTeam { id: found.id, name: found.name }).collect())
    }

    /// Reads all pages of a list, within one time limit.
    async fn list<T: DeserializeOwned>(
        &self,
        token: &Secret,
        method: &'static str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, SlackFailure> {
        let all = self.limits.total.saturating_mul(MAX_EXCHANGES);
        match tokio::time::timeout(all, self.all_pages(token, method, query)).await {
            Ok(things) => things,
            Err(_) => Err(SlackFailure::unreachable(Unreachable::Timeout)),
        }
    }

    async fn all_pages<T: DeserializeOwned>(
        &self,
        token: &Secret,
        method: &'static str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, SlackFailure> {
        let mut things = Vec::new();
        let mut cursors = HashSet::new();
        let mut cursor = String::new();
        let mut may_pause = true;
        while cursors.len() < MAX_PAGES {
            let page: Page<T> = match self.page(token, method, query, &cursor).await {
                Err(SlackFailure::Unavailable { retry_after: Some(pause), .. }) if may_pause && pause <= MAX_PAUSE => {
                    may_pause = false;
                    tokio::time::sleep(pause).await;
                    continue;
                }
                page => page?,
            };
            things.extend(page.things);
            // An empty page is not the last one: only an empty cursor ends the list.
            let next = page.response_metadata.and_then(|metadata| metadata.next_cursor);
            let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(things) };
            cursors.insert(cursor);
            if cursors.contains(&next) {
                return Err(SlackFailure::unreachable(Unreachable::NotJson));
            }
            cursor = next;
        }
        tracing::debug!(method, things = things.len(), "a list at Slack exceeds the page limit and was truncated");
        Ok(things)
    }

    async fn page<T: DeserializeOwned>(
        &self,
        token: &Secret,
        method: &str,
        query: &[(&str, &str)],
        cursor: &str,
    ) -> Result<Page<T>, SlackFailure> {
        let bearer = bearer(token).ok_or(SlackFailure::unreachable(Unreachable::Other))?;
        let mut url = self.method(method);
        {
            let mut pairs = url.query_pairs_mut();
            pairs.extend_pairs(query).append_pair("limit", PAGE);
            if !cursor.is_empty() {
                pairs.append_pair("cursor", cursor);
            }
        }
        let request = self.http.get(url).header(AUTHORIZATION, bearer);
        let (got, failure) = self.call(request, self.limits.max_answer_bytes.max(MAX_PAGE_BYTES)).await;
        answer::parse(&got, failure)
    }
}
