//! The Web API: parses a call, authenticates its token, applies faults, runs the method and logs the call.
//!
//! The methods are plain, non-blocking functions from a [`Call`] to an `Outcome`, one file a family.

mod auth;
pub(crate) mod chat;
mod conversations;
mod oauth;
mod users;
mod views;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use poem::http::HeaderMap;
use poem::http::header::{AUTHORIZATION, CONTENT_TYPE};
use poem::{Endpoint, Request, Response};

use super::Slack;
use super::answer::{Outcome, Refusal};
use super::channel::Channel;
use super::grants::Token;
use crate::calls;
use crate::faults::Fault;
use crate::params::Params;
use crate::world::World;

/// Calls a minute that Slack documents for its tiers.
const TIER_1: u32 = 1;
const TIER_2: u32 = 20;
const TIER_3: u32 = 50;
const TIER_4: u32 = 100;

/// One call of a method.
struct Call {
    slack: Arc<Slack>,
    params: Params,
    basic: Option<(String, String)>,
    token: Result<Arc<Token>, &'static str>,
}

impl Call {
    /// Returns the log entry of this call when it succeeds.
    fn log_entry(&self, name: &str) -> calls::Call {
        calls::Call {
            method: name.to_owned(),
            team: self.token.as_ref().ok().map(|token| token.team.id.clone()),
            channel: self.params.text("channel").map(str::to_owned),
            at: self.slack.clock.now_micros(),
            status: 200,
            error: None,
            fault: false,
        }
    }

    /// Returns the token, or the refusal.
    fn token(&self) -> Result<Arc<Token>, Refusal> {
        Ok(Arc::clone(self.token.as_ref().map_err(|error| *error)?))
    }

    /// Returns the token, if it has this scope.
    fn token_with(&self, scope: &str) -> Result<Arc<Token>, Refusal> {
        let token = self.token()?;
        if token.has(scope) {
            return Ok(token);
        }
        Err(Refusal::missing_scope(scope, &token.scope()))
    }

    /// Finds the named channel, by id or by name. One that the bot cannot see is not found, never forbidden.
    fn channel(&self, token: &Token) -> Result<Arc<Channel>, Refusal> {
        let id = self.params.required("channel", "channel_not_found")?;
        let found = token.team.channel(id).filter(|channel| channel.visible_to_bot());
        Ok(found.ok_or("channel_not_found")?)
    }
}

type Method = (&'static str, u32, fn(&mut Call) -> Outcome);

/// Every method, with its tier; tier 0 has no limit a minute, because the method has one of its own.
const METHODS: &[Method] = &[
    ("chat.postMessage", 0, chat::post_message),
    ("api.test", 0, auth::api_test),
    ("apps.uninstall", TIER_1, auth::uninstall),
    ("auth.revoke", TIER_3, auth::revoke),
    ("auth.teams.list", TIER_2, auth::teams),
    ("auth.test", 0, auth::test),
    ("bots.info", TIER_3, users::bot_info),
    ("chat.delete", TIER_3, chat::delete),
    ("chat.getPermalink", 0, chat::permalink),
    ("chat.postEphemeral", TIER_4, chat::post_ephemeral),
    ("chat.update", TIER_3, chat::update),
    ("conversations.info", TIER_3, conversations::info),
    ("conversations.join", TIER_3, conversations::join),
    ("conversations.leave", TIER_3, conversations::leave),
    ("conversations.list", TIER_2, conversations::list),
    ("conversations.members", TIER_4, conversations::members),
    ("oauth.v2.access", 0, oauth::access),
    ("team.info", TIER_3, users::team_info),
    ("users.info", TIER_4, users::info),
    ("users.list", TIER_2, users::list),
    ("users.lookupByEmail", TIER_3, users::lookup_by_email),
    ("views.open", TIER_4, views::open),
    ("views.publish", TIER_4, views::publish),
    ("views.push", TIER_4, views::push),
    ("views.update", TIER_4, views::update),
];

/// Endpoint of all methods.
pub(crate) struct Api(pub(crate) Arc<World>);

impl Endpoint for Api {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let body = request.take_body().into_bytes().await?;
        let slack = self.0.slack();
        let content_type = header(request.headers(), CONTENT_TYPE.as_str());
        let query = request.uri().query().unwrap_or_default();
        let (params, unreadable) = match Params::parse(query, content_type, &body) {
            Ok(params) => (params, None),
            Err(error) => (Params::default(), Some(error)),
        };
        let authorization = header(request.headers(), AUTHORIZATION.as_str());
        let bearer = authorization.strip_prefix("Bearer ").or_else(|| params.text("token"));
        let token = match bearer {
            Some(secret) => slack.grants.token(secret.trim(), slack.clock.now_secs()),
            None => Err("not_authed"),
        };
        let token = token.and_then(|token| acting(&slack, token, &params));
        let call = Call { slack, params, basic: basic(authorization), token };
        Ok(self.answer(&request, call, unreadable).await)
    }
}

impl Api {
    async fn answer(&self, request: &Request, mut call: Call, unreadable: Option<&'static str>) -> Response {
        let world = &self.0;
        let name = request.uri().path().rsplit('/').next().unwrap_or_default();
        let mut entry = call.log_entry(name);
        let fault = world.faults.take(name, entry.team.as_deref(), entry.channel.as_deref());
        if let Some(fault) = &fault {
            fault.delay().await;
            if fault.replaces_answer() {
                // Logged first, because some faults never end.
                world.calls.push(calls::Call {
                    status: fault.logged_status(),
                    error: fault.error.clone(),
                    fault: true,
                    ..entry
                });
                if fault.drops_before() {
                    world.connections.break_off(request.remote_addr());
                }
                return fault.answer(Fault::as_slack).await;
            }
        }
        let scopes = call.token.as_ref().ok().map(|token| token.scope_header.clone());
        let outcome = match unreadable {
            Some(error) => Err(Refusal::from(error)),
            None => run(name, &mut call),
        };
        if fault.is_some_and(|fault| fault.drops_after()) {
            world.connections.break_off(request.remote_addr());
            entry.status = 0;
            entry.fault = true;
        } else if let Err(refusal) = &outcome {
            entry.status = refusal.status().as_u16();
            entry.error = Some(refusal.error.clone().into_owned());
        }
        world.calls.push(entry);
        match outcome {
            Ok(answer) => answer.into_response(scopes),
            Err(refusal) => refusal.into_response(scopes),
        }
    }
}

fn run(name: &str, call: &mut Call) -> Outcome {
    let Some((name, tier, method)) = METHODS.iter().find(|(known, _, _)| *known == name) else {
        return Err("unknown_method".into());
    };
    if *tier > 0
        && let Ok(token) = &call.token
    {
        call.slack.limits.take_call(&token.team.id, name, *tier)?;
    }
    method(call)
}

/// Resolves the workspace of an organisation's token: the named one, or the channel's.
fn acting(slack: &Slack, token: Arc<Token>, params: &Params) -> Result<Arc<Token>, &'static str> {
    if !token.org_wide {
        return Ok(token);
    }
    let team = match (params.text("team_id"), params.text("channel")) {
        (Some(id), _) => Some(slack.team(id).ok_or("team_access_not_granted")?),
        (None, Some(channel)) => slack.teams().into_iter().find(|team| team.channel(channel).is_some()),
        (None, None) => None,
    };
    Ok(team.map_or_else(|| Arc::clone(&token), |team| Arc::new(token.acting_in(team))))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn basic(authorization: &str) -> Option<(String, String)> {
    let encoded = authorization.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
