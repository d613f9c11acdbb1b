//! Bodies of requests: checked against the product's schemas, then converted to the use cases' inputs.

use serde_json::{Map, Value};

use crate::{
    api::{
        rocketchat::schema::{Kind, Member, Shape, may, must, one_of},
        shared::fault::Fault,
    },
    app::webhooks::WebhookKey,
    domain::{
        Error,
        webhooks::{
            Way, WebhookRefusal,
            setup::{Draft, DraftWay, OutgoingDraft},
        },
    },
};

const INCOMING: &str = "webhook-incoming";
const OUTGOING: &str = "webhook-outgoing";

/// The optional members of an incoming webhook.
const INCOMING_REST: &[Member] = &[
    may("script", Kind::Text),
    may("alias", Kind::Text),
    may("avatar", Kind::Text),
    may("emoji", Kind::Text),
    may("overrideDestinationChannelEnabled", Kind::Truth),
    may("scriptEngine", Kind::Text),
    may("skipTranspile", Kind::Truth),
];

/// The required members of an outgoing webhook.
const OUTGOING_CORE: &[Member] = &[
    must("type", Kind::Containing(OUTGOING)),
    must("username", Kind::Text),
    must("channel", Kind::Text),
    must("event", Kind::Text),
    must("scriptEnabled", Kind::Truth),
    must("name", Kind::Text),
    must("enabled", Kind::Truth),
];

/// The optional members of an outgoing webhook.
const OUTGOING_REST: &[Member] = &[
    may("targetRoom", Kind::Text),
    may("urls", Kind::Texts),
    may("triggerWords", Kind::Texts),
    may("triggerWordAnywhere", Kind::Truth),
    may("token", Kind::Text),
    may("script", Kind::Text),
    may("runOnEdits", Kind::Truth),
    may("retryFailedCalls", Kind::Truth),
    may("retryCount", Kind::Number),
    may("retryDelay", Kind::Text),
    may("impersonateUser", Kind::Truth),
    may("alias", Kind::Text),
    may("avatar", Kind::Text),
    may("emoji", Kind::Text),
    may("scriptEngine", Kind::Text),
    may("skipTranspile", Kind::Truth),
];

const CREATE: &[Shape] = &[
    Shape {
        members: &[
            &[
                must("type", Kind::Containing(INCOMING)),
                must("username", Kind::Text),
                must("channel", Kind::Text),
                must("scriptEnabled", Kind::Truth),
                must("name", Kind::Text),
                must("enabled", Kind::Truth),
            ],
            INCOMING_REST,
        ],
        closed: false,
    },
    Shape { members: &[OUTGOING_CORE, OUTGOING_REST], closed: true },
];

const UPDATE: &[Shape] = &[
    Shape {
        members: &[
            &[
                must("integrationId", Kind::Some),
                must("type", Kind::Containing(INCOMING)),
                must("channel", Kind::Text),
                must("scriptEnabled", Kind::Truth),
                must("name", Kind::Text),
                must("enabled", Kind::Truth),
                may("username", Kind::Text),
            ],
            INCOMING_REST,
        ],
        closed: false,
    },
    Shape {
        members: &[OUTGOING_CORE, &[may("integrationId", Kind::Text), may("target_url", Kind::Text)], OUTGOING_REST],
        closed: false,
    },
];

const REMOVE: &[Shape] = &[
    Shape { members: &[&[must("type", Kind::Exactly(INCOMING)), must("integrationId", Kind::Some)]], closed: false },
    Shape { members: &[&[must("type", Kind::Exactly(OUTGOING)), must("target_url", Kind::Some)]], closed: false },
    Shape { members: &[&[must("type", Kind::Exactly(OUTGOING)), must("integrationId", Kind::Some)]], closed: false },
];

/// Parses the body of a creation.
///
/// # Errors
/// The messages of the product's validator; a type that is neither of the two.
pub fn creation(raw: &[u8]) -> Result<Draft, Fault> {
    let (body, shape) = one_of(raw, CREATE)?;
    demand_type(&body)?;
    Ok(draft(&body, shape == 0))
}

/// Parses the body of an update: the webhook and its new configuration.
///
/// # Errors
/// As [`creation`].
pub fn update(raw: &[u8]) -> Result<(WebhookKey, Draft), Fault> {
    let (body, shape) = one_of(raw, UPDATE)?;
    demand_type(&body)?;
    let key = match text(&body, "target_url").filter(|url| shape == 1 && !url.is_empty()) {
        Some(url) => WebhookKey::Url(url),
        None => WebhookKey::Id(text(&body, "integrationId").unwrap_or_default()),
    };
    Ok((key, draft(&body, shape == 0)))
}

/// Parses the body of a removal.
///
/// # Errors
/// As [`creation`].
pub fn removal(raw: &[u8]) -> Result<(WebhookKey, Way), Fault> {
    let (body, shape) = one_of(raw, REMOVE)?;
    let id = || WebhookKey::Id(text(&body, "integrationId").unwrap_or_default());
    Ok(match shape {
        0 => (id(), Way::Incoming),
        1 => (WebhookKey::Url(text(&body, "target_url").unwrap_or_default()), Way::Outgoing),
        _ => (id(), Way::Outgoing),
    })
}

/// The schemas ask for a type that contains the word, so that a type that merely contains it is reported differently
/// from a missing one.
fn demand_type(body: &Map<String, Value>) -> Result<(), Error> {
    match body.get("type").and_then(Value::as_str) {
        Some(INCOMING | OUTGOING) => Ok(()),
        Some(_) | None => Err(WebhookRefusal::Type.into()),
    }
}

fn draft(body: &Map<String, Value>, incoming: bool) -> Draft {
    let way = if incoming {
        DraftWay::Incoming { override_destination: truth(body, "overrideDestinationChannelEnabled") }
    } else {
        DraftWay::Outgoing(Box::new(OutgoingDraft {
            event: text(body, "event").unwrap_or_default(),
            urls: texts(body, "urls"),
            target_room: text(body, "targetRoom"),
            trigger_words: texts(body, "triggerWords"),
            trigger_word_anywhere: truth(body, "triggerWordAnywhere"),
            token: text(body, "token"),
            run_on_edits: truth(body, "runOnEdits"),
            retry_failed_calls: truth(body, "retryFailedCalls"),
            retry_count: body.get("retryCount").and_then(Value::as_f64),
            retry_delay: text(body, "retryDelay"),
            impersonate_user: truth(body, "impersonateUser"),
        }))
    };
    Draft {
        name: text(body, "name").unwrap_or_default(),
        enabled: truth(body, "enabled").unwrap_or_default(),
        username: text(body, "username"),
        channel: text(body, "channel").unwrap_or_default(),
        alias: text(body, "alias"),
        avatar: text(body, "avatar"),
        emoji: text(body, "emoji"),
        script_enabled: truth(body, "scriptEnabled").unwrap_or_default(),
        script: text(body, "script"),
        script_engine: text(body, "scriptEngine"),
        skip_transpile: truth(body, "skipTranspile"),
        way,
    }
}

fn text(body: &Map<String, Value>, name: &str) -> Option<String> {
    body.get(name)?.as_str().map(str::to_owned)
}

fn truth(body: &Map<String, Value>, name: &str) -> Option<bool> {
    body.get(name)?.as_bool()
}

fn texts(body: &Map<String, Value>, name: &str) -> Vec<String> {
    let items = body.get(name).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
