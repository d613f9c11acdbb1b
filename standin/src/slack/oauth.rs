//! The consent page: the requested scopes, their validation, and the result of the user's choice. The exchange of the
//! resulting code is a Web API method, in `api::oauth`.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Data;
use poem::{Request, Response, handler};
use url::Url;

use super::grants::Consent;
use super::{Slack, scopes};
use crate::page::{Page, escape, see_other};
use crate::params::Params;
use crate::world::World;

mod consent;

/// Default workspace.
const DEFAULT_TEAM: &str = "T0STANDIN";

/// A rejected request for consent: Slack's error code, and a sentence for the developer who set the app up.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) word: &'static str,
    pub(crate) text: String,
}

fn problem<T>(word: &'static str, text: impl Into<String>) -> Result<T, Problem> {
    Err(Problem { word, text: text.into() })
}

/// A validated request for consent.
pub(crate) struct Ask {
    client_id: String,
    /// As sent; absent when the app's first registered one applies.
    redirect_uri: Option<String>,
    target: Url,
    scopes: Vec<String>,
    user_scopes: Vec<String>,
    state: Option<String>,
    team: Option<String>,
    challenge: Option<String>,
}

/// The user's choice on the page.
#[derive(Default)]
pub(crate) struct Choice<'a> {
    pub(crate) team: Option<&'a str>,
    pub(crate) user: Option<&'a str>,
    pub(crate) channel: Option<&'a str>,
    /// For the whole organisation.
    pub(crate) org_wide: bool,
}

/// A code, and the browser's next address.
pub(crate) struct Granted {
    pub(crate) code: String,
    pub(crate) location: String,
}

impl Ask {
    /// Validates a request for consent as Slack does before it shows a page.
    pub(crate) fn read(slack: &Slack, params: &Params) -> Result<Self, Problem> {
        let app = slack.app();
        let client_id = params.text("client_id").unwrap_or_default();
        if client_id != app.client_id {
            return problem("invalid_client_id", format!("No app has the client id “{client_id}”."));
        }
        let redirect_uri = params.text("redirect_uri").map(str::to_owned);
        let Some(target) = redirect_uri.as_ref().or(app.redirect_uris.first()) else {
            return problem("bad_redirect_uri", "redirect_uri is missing and the app has none registered.");
        };
        if !app.may_redirect_to(target) {
            return problem("bad_redirect_uri", format!("“{target}” is not a registered redirect address of the app."));
        }
        let Ok(target) = Url::parse(target) else {
            return problem("bad_redirect_uri", format!("“{target}” is not an address."));
        };
        let bot_scopes = scopes::split(params.text("scope").unwrap_or_default());
        let user_scopes = scopes::split(params.text("user_scope").unwrap_or_default());
        if bot_scopes.is_empty() && user_scopes.is_empty() {
            return problem("no_scopes", "The app asks for no scopes.");
        }
        if let Some(unknown) = bot_scopes.iter().chain(&user_scopes).find(|scope| !scopes::exists(scope)) {
            return problem("invalid_scope", format!("There is no scope “{unknown}”."));
        }
        let challenge = params.text("code_challenge").map(str::to_owned);
        if challenge.is_some() && params.text("code_challenge_method") != Some("S256") {
            return problem("invalid_code_challenge_method", "code_challenge_method must be S256.");
        }
        Ok(Self {
            client_id: client_id.to_owned(),
            redirect_uri,
            target,
            scopes: bot_scopes,
            user_scopes,
            state: params.text("state").map(str::to_owned),
            team: params.text("team").map(str::to_owned),
            challenge,
        })
    }

    /// Accepts.
    pub(crate) fn allow(self, slack: &Slack, choice: &Choice<'_>) -> Result<Granted, Problem> {
        let team_id = choice.team.or(self.team.as_deref()).unwrap_or(DEFAULT_TEAM);
        let Some(team) = slack.team(team_id) else {
            return problem("invalid_team", format!("There is no workspace “{team_id}”."));
        };
        let user = match choice.user {
            Some(id) => team.user(id),
            None => team.users.first(),
        };
        let Some(user) = user.map(|user| user.id.clone()) else {
            return problem("invalid_user", "That person is not in this workspace.");
        };
        let wants_webhook = self.scopes.iter().any(|scope| scope == "incoming-webhook");
        let webhook_channel = wants_webhook.then(|| choice.channel.unwrap_or("general"));
        let webhook_channel = match webhook_channel.map(|name| team.channel(name)) {
            Some(Some(channel)) => Some(channel.id.clone()),
            Some(None) => return problem("invalid_channel", "There is no such channel in this workspace."),
            None => None,
        };
        let consent = Consent {
            client_id: self.client_id,
            redirect_uri: self.redirect_uri,
            team: Arc::clone(&team),
            org_wide: choice.org_wide,
            user,
            scopes: self.scopes,
            user_scopes: self.user_scopes,
            challenge: self.challenge,
            webhook_channel,
        };
        let code = slack.grants.consent(consent, &slack.ids, slack.clock.now_secs());
        let location = back(self.target, ("code", &code), self.state.as_deref());
        Ok(Granted { code, location })
    }

    /// Declines: the browser's next address.
    fn decline(self) -> String {
        back(self.target, ("error", "access_denied"), self.state.as_deref())
    }
}

fn back(mut target: Url, result: (&str, &str), state: Option<&str>) -> String {
    let mut query = target.query_pairs_mut();
    query.append_pair(result.0, result.1);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    drop(query);
    target.into()
}

/// `GET /slack/oauth/v2/authorize`: the page.
#[handler]
pub(crate) fn show_consent(request: &Request, Data(world): Data<&Arc<World>>) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let slack = world.slack();
    match Ask::read(&slack, &Params::form(query.as_bytes())) {
        Ok(ask) => consent::page(&slack, &ask, query),
        Err(problem) => refuse(&problem),
    }
}

/// `POST /slack/oauth/v2/authorize`: the pressed button. The request for consent is in the address, as before.
#[handler]
pub(crate) fn take_consent(request: &Request, body: Vec<u8>, Data(world): Data<&Arc<World>>) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let slack = world.slack();
    let pressed = Params::form(&body);
    let outcome = Ask::read(&slack, &Params::form(query.as_bytes())).and_then(|ask| {
        if pressed.text("decision") != Some("allow") {
            return Ok(ask.decline());
        }
        // A person is written with the workspace, because one list offers the people of all workspaces.
        let (team, user) = pressed.text("who").and_then(|who| who.split_once('/')).unzip();
        let org_wide = pressed.text("org_wide").is_some();
        let choice = Choice { team, user, channel: pressed.text("channel"), org_wide };
        ask.allow(&slack, &choice).map(|granted| granted.location)
    });
    match outcome {
        Ok(location) => see_other(&location),
        Err(problem) => refuse(&problem),
    }
}

fn refuse(problem: &Problem) -> Response {
    let body = format!(
        "<div class=\"card\"><h1>Something is wrong with this request</h1><p>{}</p><p><code>{}</code></p></div>",
        escape(&problem.text),
        escape(problem.word),
    );
    Page::new("Something is wrong", body).status(StatusCode::BAD_REQUEST).into_response()
}
