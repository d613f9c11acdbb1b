//! The webhooks, with the bodies posted to them. A webhook with a script turns a body into the same message, of the
//! same bytes, as one without.

use serde_json::{Value, json};

use crate::{
    Result,
    alone::Alone,
    asked::{Asked, each_once},
    http::{call, with_headers},
    load::{DIGITS, Template},
    world::{Key, OWNER, text},
};

/// Prefix of a body's text; the number of the request follows.
const MARKER: &str = "Build #";
/// Script of every second webhook.
pub const SCRIPT: &str = include_str!("script.js");
/// Number of webhooks created at the same time.
pub const CONNECTIONS: usize = 8;

/// Incoming webhooks: every second one has a script, beginning with the second.
pub struct Incoming {
    /// Post request of each.
    pub posts: Vec<Template>,
    /// Get request of each.
    pub gets: Vec<Vec<u8>>,
    /// Result of their creation.
    pub made: Asked,
}

/// Creates a number of incoming webhooks, spread over the organisations, each of which has one channel for all of its
/// own.
///
/// # Errors
/// When one cannot be created.
pub async fn make_incoming(alone: &Alone, owners: &[Key], count: usize) -> Result<Incoming> {
    let mut channels = Vec::with_capacity(owners.len());
    for owner in owners {
        channels.push(channel(alone, owner, "builds").await?);
    }
    let owner = |index: usize| &owners[index / 2 % owners.len()];
    let orders = (0..count).map(|index| create(owner(index), incoming(index))).collect();
    let (answers, made) = each_once(alone, orders, CONNECTIONS).await?;
    let (mut posts, mut gets) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for (index, answer) in answers.iter().enumerate() {
        let (id, token) = (text(&answer["integration"], "_id")?, text(&answer["integration"], "token")?);
        let headers = [("Content-Type", "application/json".to_owned())];
        let bytes = with_headers("POST", &format!("/hooks/{id}/{token}"), &headers, Some(&body()));
        posts.push(Template::numbered(bytes, MARKER)?);
        let path = format!("/api/v1/integrations.get?integrationId={id}");
        gets.push(with_headers("GET", &path, &known(owner(index)), None));
    }
    post_the_same(alone, &posts[..2], (&owners[0], &channels[0])).await?;
    Ok(Incoming { posts, gets, made })
}

/// Posts by a webhook without a script and by one with it, and requires that they post the same.
async fn post_the_same(alone: &Alone, posts: &[Template], (owner, channel): (&Key, &str)) -> Result<()> {
    each_once(alone, posts.iter().map(|post| post.bytes.clone()).collect(), 1).await?;
    let path = format!("/v1/channels/{channel}/messages?limit=10");
    let listed = call(alone.tieline.address, "GET", &path, Some(&owner.token), None).await?;
    let messages = listed["data"].as_array().into_iter().flatten().filter(|event| event["type"] == "message.posted");
    let said: Vec<_> = messages.map(|event| (&event["data"]["message"], &event["data"]["attachments"])).collect();
    let sent: Value = serde_json::from_str(&body())?;
    match said.as_slice() {
        [one, other] if one == other && *one == (&sent["text"], &sent["attachments"]) => Ok(()),
        _ => Err(format!("the script does not post what is posted without it: {listed}").into()),
    }
}

/// Creates outgoing webhooks on one new channel, each with a URL of its own. Returns the channel.
///
/// # Errors
/// When one cannot be created.
pub async fn make_outgoing(alone: &Alone, owner: &Key, urls: &[String]) -> Result<String> {
    let channel = channel(alone, owner, "general").await?;
    let orders = urls.iter().map(|url| create(owner, outgoing(url))).collect();
    each_once(alone, orders, CONNECTIONS).await?;
    Ok(channel)
}

async fn channel(alone: &Alone, owner: &Key, name: &str) -> Result<String> {
    let wanted = Some(json!({"name": name}));
    let made = call(alone.tieline.address, "POST", "/v1/channels", Some(&owner.token), wanted).await?;
    Ok(text(&made, "id")?.to_owned())
}

fn known(owner: &Key) -> Vec<(&'static str, String)> {
    vec![("X-Auth-Token", owner.token.clone()), ("X-User-Id", owner.user_id.clone())]
}

fn create(owner: &Key, webhook: Value) -> Vec<u8> {
    let mut headers = known(owner);
    headers.push(("Content-Type", "application/json".to_owned()));
    with_headers("POST", "/api/v1/integrations.create", &headers, Some(&webhook.to_string()))
}

fn incoming(index: usize) -> Value {
    let mut webhook = json!({
        "type": "webhook-incoming", "username": OWNER, "channel": "#builds", "name": format!("Builds {index}"),
        "alias": "Build server", "emoji": ":gear:", "enabled": true, "scriptEnabled": index % 2 == 1,
    });
    if index % 2 == 1 {
        webhook["script"] = SCRIPT.into();
    }
    webhook
}

fn outgoing(url: &str) -> Value {
    json!({
        "type": "webhook-outgoing", "username": OWNER, "channel": "#general", "event": "sendMessage",
        "name": "Listener", "enabled": true, "scriptEnabled": false, "urls": [url], "token": "a token of the far end",
    })
}

/// Body of a build server's post: a finished message, and beside it the data from which a script builds the same
/// message.
pub fn body() -> String {
    let repository = "https://git.example.org/acme/engine";
    let commits = [
        ("5f1c0a9be2d34787a6c1f0d2b3948e5d6c7a8b90", "Weave patterns in two passes", "Ada Lovelace"),
        ("0b9a8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b", "Turn the mill backwards on a carry", "Charles Babbage"),
        ("c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5", "Say which card was torn", "Luigi Menabrea"),
    ];
    let line = |(sha, subject, name): &(&str, &str, &str)| {
        format!("[{}]({repository}/commit/{sha}) {subject} ({name})", &sha[..7])
    };
    let lines: Vec<String> = commits.iter().map(line).collect();
    let details = "\n\nMeasured on the small mill: the same cards, the same result.";
    let commits = commits.map(|(sha, subject, name)| {
        json!({"sha": sha, "message": format!("{subject}{details}"), "author": {"name": name, "email": "a@example.org"}})
    });
    let url = "https://ci.example.org/acme/engine/builds/17";
    json!({
        "text": format!("{MARKER}{} of acme/engine failed on main: 3 failures", "0".repeat(DIGITS)),
        "attachments": [{
            "title": "Mill, store",
            "title_link": url,
            "color": "#d73a49",
            "text": lines.join("\n"),
            "fields": [
                {"title": "Took", "value": "4 min 12 s", "short": true},
                {"title": "By", "value": "ada", "short": true},
            ],
        }],
        "build": {
            "status": "failed", "branch": "main", "author": "ada", "url": url,
            "started_at": "2026-11-20T10:00:00Z", "finished_at": "2026-11-20T10:04:12Z",
            "tests": [
                {"name": "mill", "passed": 412, "failed": 2}, {"name": "store", "passed": 388, "failed": 1},
                {"name": "cards", "passed": 96, "failed": 0}, {"name": "printer", "passed": 31, "failed": 0},
            ],
        },
        "repository": {"name": "acme/engine", "url": repository, "private": true},
        "commits": commits,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_has_a_number_and_every_second_webhook_a_script() {
        let bytes = with_headers("POST", "/hooks/a/b", &[], Some(&body()));
        let template = Template::numbered(bytes, MARKER).unwrap();
        assert!(template.number_at.is_some());
        assert!((1_500..2_500).contains(&body().len()), "{}", body().len());
        let scripted = |index| (incoming(index)["scriptEnabled"].as_bool(), incoming(index)["script"].is_string());
        assert_eq!([scripted(0), scripted(1)], [(Some(false), false), (Some(true), true)]);
        assert!((25..40).contains(&SCRIPT.lines().count()));
    }
}
