//! Validity of a token, profile of a Slack user, modals, and answers to a command (Slack API: "auth.test", "users.info",
//! "views.open", "views.update", "Handling user interaction").

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    SlackClient,
    answer::{self, SlackFailure},
    bearer,
    post::JSON,
    under,
};
use crate::{
    domain::{
        secret::Secret,
        slack::{SlackMessage, SlackUser},
    },
    provider::http::{self, Unreachable},
};

/// A trigger is valid for three seconds after Slack created it: a later modal is of no use to the user.
const TRIGGER_LIFE: Duration = Duration::from_millis(2_500);
/// Slack answers with the whole view, which may have 250 kB, and as much again of its initial data.
const MAX_VIEW_ANSWER_BYTES: usize = 1024 * 1024;

#[derive(Deserialize)]
struct Info {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
    team_id: Option<String>,
    name: Option<String>,
    real_name: Option<String>,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    is_stranger: bool,
    is_email_confirmed: Option<bool>,
    enterprise_user: Option<EnterpriseUser>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct EnterpriseUser {
    enterprise_id: Option<String>,
}

#[derive(Deserialize)]
struct Profile {
    email: Option<String>,
}

#[derive(Serialize)]
struct Opened<'a> {
    trigger_id: &'a str,
    view: &'a Value,
}

#[derive(Serialize)]
struct Updated<'a> {
    view_id: &'a str,
    view: &'a Value,
}

#[derive(Serialize)]
struct Ephemeral<'a> {
    response_type: &'static str,
    #[serde(flatten)]
    message: &'a SlackMessage,
}

impl SlackClient {
    /// Asks whether a token is valid.
    ///
    /// # Errors
    /// As [`SlackClient::users_info`].
    pub async fn auth_test(&self, token: &Secret) -> Result<(), SlackFailure> {
        let bearer = bearer(token).ok_or(SlackFailure::unreachable(Unreachable::Other))?;
        let request = self.http.post(self.method("auth.test")).header(AUTHORIZATION, bearer);
        let (got, failure) = self.call(request, self.limits.max_answer_bytes).await;
        answer::succeeded(&got, failure)
    }

    /// Fetches a user's profile. The e-mail address is present only with the scope `users:read.email`.
    ///
    /// # Errors
    /// [`SlackFailure::Refused`] with Slack's code, such as `user_not_found`; [`SlackFailure::Unavailable`] when Slack
    /// does not answer properly.
    pub async fn users_info(&self, token: &Secret, user_id: &str) -> Result<SlackUser, SlackFailure> {
        let bearer = bearer(token).ok_or(SlackFailure::unreachable(Unreachable::Other))?;
        let mut url = self.method("users.info");
        url.query_pairs_mut().append_pair("user", user_id);
        let request = self.http.get(url).header(AUTHORIZATION, bearer);
        let (got, failure) = self.call(request, self.limits.max_answer_bytes).await;
        let Info { user } = answer::parse(&got, failure)?;
        let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Ok(SlackUser {
            name: said(user.real_name).or_else(|| said(user.name)).unwrap_or_else(|| user.id.clone()),
            id: user.id,
            team_id: user.team_id.unwrap_or_default(),
            enterprise_id: said(user.enterprise_user.and_then(|user| user.enterprise_id)),
            email: said(user.profile.and_then(|profile| profile.email)),
            is_bot: user.is_bot,
            deleted: user.deleted,
            is_stranger: user.is_stranger,
            is_email_confirmed: user.is_email_confirmed,
        })
    }

    /// Opens a modal for the user of the trigger. A trigger is valid once, and too short for a retry.
    ///
    /// # Errors
    /// [`SlackFailure::Refused`] with Slack's code, such as `expired_trigger_id`; [`SlackFailure::Unavailable`] when
    /// Slack does not answer properly and soon.
    pub async fn open_view(&self, token: &Secret, trigger_id: &Secret, view: &Value) -> Result<(), SlackFailure> {
        let opened = Opened { trigger_id: trigger_id.expose(), view };
        self.post_view(token, "views.open", &opened, self.limits.total.min(TRIGGER_LIFE)).await
    }

    /// Replaces an open modal.
    ///
    /// # Errors
    /// [`SlackFailure::Refused`] with Slack's code, such as `not_found` for a closed one; [`SlackFailure::Unavailable`]
    /// when Slack does not answer properly.
    pub async fn update_view(&self, token: &Secret, view_id: &str, view: &Value) -> Result<(), SlackFailure> {
        self.post_view(token, "views.update", &Updated { view_id, view }, self.limits.total).await
    }

    async fn post_view(
        &self,
        token: &Secret,
        method: &str,
        body: &impl Serialize,
        limit: Duration,
    ) -> Result<(), SlackFailure> {
        let bearer = bearer(token).ok_or(SlackFailure::unreachable(Unreachable::Other))?;
        // Texts and a JSON value can always be serialised.
        let body = serde_json::to_string(body).unwrap_or_default();
        let url = self.method(method);
        let request = self.http.post(url).header(AUTHORIZATION, bearer).header(CONTENT_TYPE, JSON).body(body);
        let max_answer_bytes = self.limits.max_answer_bytes.max(MAX_VIEW_ANSWER_BYTES);
        let (got, failure) = http::exchange(request, limit, max_answer_bytes).await;
        answer::succeeded(&got, failure)
    }

    /// Answers a command at its response URL with a message that only the person who typed it sees.
    ///
    /// # Errors
    /// [`SlackFailure::Refused`] for an address that is not one of Slack's response URLs, or that is used up;
    /// [`SlackFailure::Unavailable`] when Slack does not answer properly.
    pub async fn respond(&self, response_url: &Secret, message: &SlackMessage) -> Result<(), SlackFailure> {
        let refused = |code: &str| SlackFailure::Refused { code: code.to_owned() };
        let base = under(&self.app.hooks_base, "");
        let url = Url::parse(response_url.expose()).ok().filter(|url| {
            url.origin() == base.origin() && url.path().starts_with(base.path()) && url.username().is_empty()
        });
        let url = url.ok_or_else(|| refused("foreign_response_url"))?;
        let body = serde_json::to_string(&Ephemeral { response_type: "ephemeral", message }).unwrap_or_default();
        let request = self.http.post(url).header(CONTENT_TYPE, JSON).body(body);
        let (got, failure) = self.call(request, self.limits.max_answer_bytes).await;
        match (got.status, failure) {
            (Some(status), _) if status.is_success() => Ok(()),
            (Some(status), _) if status.is_client_error() => Err(refused("response_url_refused")),
            (_, failure) => Err(SlackFailure::unreachable(failure.unwrap_or(Unreachable::ServerError))),
        }
    }
}
