//! Tieline beside a stand-in Slack, with organisations that are connected to a Slack workspace each.

use std::{net::SocketAddr, path::PathBuf};

use serde_json::{Value, json};
use url::Url;

use crate::{
    Result,
    database::Databases,
    http::{call, fetch, request},
    load::{DIGITS, Template},
    process::{Program, Server},
    received, start,
    usage::Watched,
};

const CLIENT_ID: &str = "1111111111.2222222222";
const CLIENT_SECRET: &str = "standin-client-secret";
/// Secret by which Slack's requests are authenticated.
pub const SIGNING_SECRET: &str = "standin-signing-secret";
const GITHUB_CLIENT_SECRET: &str = "standin-github-client-secret";
const GITHUB_WEBHOOK_SECRET: &str = "standin-github-webhook-secret";
/// Address to which GitHub sends browsers; nothing has to listen there, for this program follows the redirect itself.
const GITHUB_CALLBACK: &str = "http://127.0.0.1:9/v1/github/callback";

/// A temporary folder, removed when dropped.
pub struct Home(PathBuf);

impl Home {
    /// Creates it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn make() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("tieline-bench-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    /// Returns its path.
    pub fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("bench: {} stays behind: {error}", self.0.display());
        }
    }
}

/// A connected organisation.
pub struct Organisation {
    /// Token of a member with every permission.
    pub token: String,
    /// Its Slack workspace.
    pub team: String,
    /// Slack channel that is its destination.
    pub channel: String,
    /// Request that sends an event.
    pub event: Template,
}

/// Everything that runs during a load.
pub struct World {
    /// The stand-in Slack.
    pub standin: Server,
    /// The measured server.
    pub tieline: Server,
    /// Organisations that send events.
    pub organisations: Vec<Organisation>,
    postmaster: Option<u32>,
}

/// Starts the stand-in, without rate limits.
///
/// # Errors
/// When it does not start.
pub async fn start_standin(home: &Home) -> Result<Server> {
    let program = Program::beside("standin", home.path())?.with("STANDIN_LISTEN", "127.0.0.1:0");
    let standin = program.serve(&[]).await?;
    let unlimited = json!({"enabled": false});
    call(standin.address, "POST", "/control/slack/ratelimit", None, Some(unlimited)).await?;
    Ok(standin)
}

/// Tieline, configured for the stand-in; its database is chosen later.
///
/// # Errors
/// When it has not been built, or the stand-in does not report the settings of its GitHub.
pub async fn tieline(home: &Home, standin: SocketAddr) -> Result<Program> {
    let callbacks = json!({"callbackUrls": [GITHUB_CALLBACK]});
    call(standin, "POST", "/control/github/app", None, Some(callbacks)).await?;
    let github = call(standin, "GET", "/control/github/app", None, None).await?;
    Ok(Program::beside("tieline", home.path())?
        .with("TIELINE_LISTEN", "127.0.0.1:0")
        .with("TIELINE_SLACK__CLIENT_ID", CLIENT_ID)
        .with("TIELINE_SLACK__CLIENT_SECRET", CLIENT_SECRET)
        .with("TIELINE_SLACK__SIGNING_SECRET", SIGNING_SECRET)
        .with("TIELINE_SLACK__WEB_BASE", format!("http://{standin}/slack"))
        .with("TIELINE_SLACK__API_BASE", format!("http://{standin}/slack/api"))
        .with("TIELINE_SLACK__HOOKS_BASE", format!("http://{standin}/slack/hooks"))
        .with("TIELINE_SLACK__CHANNEL_INTERVAL_MS", "0")
        .with("TIELINE_GITHUB__APP_ID", github["id"].to_string())
        .with("TIELINE_GITHUB__APP_SLUG", text(&github, "slug")?)
        .with("TIELINE_GITHUB__CLIENT_ID", text(&github, "clientId")?)
        .with("TIELINE_GITHUB__CLIENT_SECRET", GITHUB_CLIENT_SECRET)
        .with("TIELINE_GITHUB__WEBHOOK_SECRET", GITHUB_WEBHOOK_SECRET)
        .with("TIELINE_GITHUB__PRIVATE_KEY", text(&github, "privateKeyPem")?)
        .with("TIELINE_GITHUB__WEB_BASE", text(&github, "webBase")?)
        .with("TIELINE_GITHUB__API_BASE", text(&github, "apiBase")?)
        .with("TIELINE_GITHUB__REDIRECT_URI", GITHUB_CALLBACK))
}

impl World {
    /// Starts Tieline and connects organisations, each to a workspace of its own.
    ///
    /// # Errors
    /// When any of that fails.
    pub async fn start(standin: Server, databases: &Databases, program: &Program, count: usize) -> Result<Self> {
        let mut tokens = Vec::with_capacity(count);
        for index in 0..count {
            tokens.push(owner(program, &slug(index)).await?.token);
        }
        let (tieline, _) = start::healthy(program).await?;
        let order = json!({"count": count, "prefix": "bench"});
        let teams = call(standin.address, "POST", "/control/slack/teams", None, Some(order)).await?;
        let postmaster = databases.postmaster();
        let mut world = Self { standin, tieline, organisations: Vec::with_capacity(count), postmaster };
        for (token, team) in tokens.into_iter().zip(teams.as_array().into_iter().flatten()) {
            let organisation = world.connect(token, text(team, "team")?, text(team, "channel")?).await?;
            world.organisations.push(organisation);
        }
        Ok(world)
    }

    /// Connects an organisation as its administrator does: the consent page, the code, the choice of a channel.
    async fn connect(&self, token: String, team: &str, channel: &str) -> Result<Organisation> {
        let tieline = |method, path, body| call(self.tieline.address, method, path, Some(&token), body);
        let url = tieline("GET", "/v1/slack-integrations/oauth-url", None).await?;
        let url = Url::parse(text(&url, "oauthUrl")?)?;
        let asked: Value = url.query_pairs().map(|(name, value)| (name.into_owned(), Value::from(value))).collect();
        let allow = json!({
            "client_id": asked["client_id"], "redirect_uri": asked["redirect_uri"], "state": asked["state"],
            "scope": asked["scope"], "team": team,
        });
        let granted = call(self.standin.address, "POST", "/control/slack/authorize", None, Some(allow)).await?;
        let complete = json!({"code": granted["code"], "state": asked["state"]});
        tieline("POST", "/v1/slack-integrations/oauth/complete", Some(complete)).await?;
        let choice = json!({"slackChannelId": channel, "slackChannelName": "alerts"});
        tieline("PATCH", "/v1/slack-integrations", Some(choice)).await?;
        let event = event(&token)?;
        Ok(Organisation { token, team: team.to_owned(), channel: channel.to_owned(), event })
    }

    /// Links the first organisation to a GitHub account as its administrator does: the card's link, the page on which
    /// the app is installed, and the proof that comes back. Returns the installation's number.
    ///
    /// # Errors
    /// When any of that fails.
    pub async fn link_github(&self) -> Result<u64> {
        let token = self.organisations.first().map(|organisation| organisation.token.as_str());
        let webhook = json!({"webhookUrl": format!("http://{}/v1/github/events", self.tieline.address)});
        call(self.standin.address, "POST", "/control/github/app", None, Some(webhook)).await?;
        let cards = call(self.tieline.address, "GET", "/api/v2/integration?team=bench-0", token, None).await?;
        let card = cards.as_array().into_iter().flatten().find(|card| card["name"] == "GitHub");
        let link = Url::parse(text(card.ok_or("no card for GitHub")?, "link")?)?;
        let state = link.query_pairs().find(|(name, _)| name == "state").ok_or("a link without a state")?.1;
        let install = json!({"account": "acme", "user": "ada", "state": state});
        let done = call(self.standin.address, "POST", "/control/github/install-flow", None, Some(install)).await?;
        let location = Url::parse(text(&done, "location")?)?;
        let id = done["installationId"].as_u64().ok_or_else(|| format!("no installation in {done}"))?;
        let mut link = json!({"ref": id, "team": slug(0)});
        for (name, value) in location.query_pairs().filter(|(name, _)| name == "code" || name == "state") {
            link[name.as_ref()] = Value::from(value);
        }
        fetch(self.tieline.address, "POST", "/api/v2/integration/github/link", token, Some(link)).await?;
        Ok(id)
    }

    /// Processes whose processor time is read.
    pub fn watched(&self) -> Watched {
        Watched { server: self.tieline.pid, postmaster: self.postmaster, standin: Some(self.standin.pid) }
    }
}

/// Slug of the organisation of that index.
pub fn slug(index: usize) -> String {
    format!("bench-{index}")
}

/// Credentials of a member.
#[derive(Clone, Debug)]
pub struct Key {
    /// The token.
    pub token: String,
    /// The member's id.
    pub user_id: String,
    /// The organisation's id.
    pub organisation_id: String,
}

/// Name of each organisation's owner.
pub const OWNER: &str = "bench";

/// Creates an organisation on the command line, and a token for its owner.
///
/// # Errors
/// When the command line refuses.
pub async fn owner(program: &Program, slug: &str) -> Result<Key> {
    program.output(&["org", "create", slug]).await?;
    let made = program.output(&["token", "create", "--org", slug, "--user", OWNER, "--role", "owner"]).await?;
    let made = serde_json::from_str(&made)?;
    let text = |name| text(&made, name).map(str::to_owned);
    Ok(Key { token: text("token")?, user_id: text("user_id")?, organisation_id: text("organisation_id")? })
}

/// Body of an event, some 550 bytes; its number is at the front of its data.
pub fn event_body() -> String {
    json!({
        "type": "workflow.step.completed",
        "attributes": {
            "linkId": "0199c1de-0000-7000-8000-000000000001",
            "stepKind": "KIND_INTERACTION",
            "stepAction": "FORM_SUBMIT",
            "visitorId": "0199c1de-0000-7000-8000-000000000002",
        },
        "data": {
            received::NUMBER: "0".repeat(DIGITS),
            "name": "Ada Lovelace",
            "email": "ada.lovelace@example.org",
            "company": "Analytical Engines Ltd",
            "country": "GB",
            "plan": "team",
            "seats": 12,
            "newsletter": true,
            "message": "We would like to see how the analytical engine weaves algebraic patterns, just as the loom \
                        weaves flowers and leaves. Could somebody show us on Thursday, in the afternoon?",
        },
    })
    .to_string()
}

fn event(token: &str) -> Result<Template> {
    let bytes = request("POST", "/v1/events", Some(token), Some(&event_body()));
    Template::numbered(bytes, &format!("\"{}\":\"", received::NUMBER))
}

/// Returns a text member of an object.
///
/// # Errors
/// When it is missing.
pub fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name].as_str().ok_or_else(|| format!("no {name} in {value}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_room_for_its_number() {
        let body = event_body();
        assert!((500..600).contains(&body.len()), "{}", body.len());
        let template = event("t").unwrap();
        let at = template.number_at.unwrap();
        assert_eq!(&template.bytes[at..at + DIGITS], "0".repeat(DIGITS).as_bytes());
    }
}
