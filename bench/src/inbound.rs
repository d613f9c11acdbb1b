//! Requests initiated by the upstreams: Slack's signed events, and GitHub's webhooks. The load ends with the last
//! answer: nothing of it is delivered anywhere.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use serde_json::json;

use crate::{
    Result,
    figures::{CpuPerMessage, Inbound, Taken},
    http::{call, with_headers},
    latency::Percentiles,
    load::{self, DIGITS, Requests, Template},
    measure::InboundPlan,
    received,
    run::{Shape, per_message, per_second_of},
    seal::{HEADERS, Seal},
    world::{Organisation, SIGNING_SECRET, World, text},
};

/// Padded size of a webhook's body: GitHub's are mostly between 10 and 30 kB.
const GITHUB_BODY_BYTES: usize = 25_000;

/// Measures Slack's events: of all organisations in turn, each with a signature and an id of its own.
///
/// # Errors
/// When a connection breaks or a process is gone.
pub async fn slack(world: &World, numbers: &Arc<AtomicU64>, plan: &InboundPlan) -> Result<Inbound> {
    let templates: Result<Vec<Template>> = world.organisations.iter().map(slack_event).collect();
    let body_bytes = slack_body("T00000000").len();
    both(world, Requests { templates: templates?, expected: 200 }, numbers, body_bytes, plan).await
}

/// Measures GitHub's webhooks: of one installation that one organisation has linked.
///
/// # Errors
/// As [`slack`]; when nothing can be linked.
pub async fn github(world: &World, numbers: &Arc<AtomicU64>, plan: &InboundPlan) -> Result<Inbound> {
    let installation = world.link_github().await?;
    let mut order = json!({"event": "push", "installation": installation, "pad": GITHUB_BODY_BYTES});
    let sent = call(world.standin.address, "POST", "/control/github/send", None, Some(order.clone())).await?;
    if sent["status"] != 202 || !text(&sent, "body")?.contains("\"events\":1") {
        return Err(format!("a webhook is not taken as it should be: {sent}").into());
    }
    order["dry"] = true.into();
    let signed = call(world.standin.address, "POST", "/control/github/send", None, Some(order)).await?;
    let body = text(&signed, "body")?;
    let headers = signed["headers"].as_object().into_iter().flatten();
    let headers: Vec<(&str, String)> = headers
        .map(|(name, value)| match name.as_str() {
            // The signature is over the body alone, so each can have an id of its own.
            "X-GitHub-Delivery" => ("X-GitHub-Delivery", format!("bench000-0000-4000-8000-0000{}", "0".repeat(DIGITS))),
            name => (name, value.as_str().unwrap_or_default().to_owned()),
        })
        .collect();
    let bytes = with_headers("POST", "/v1/github/events", &headers, Some(body));
    let template = Template::numbered(bytes, "X-GitHub-Delivery: bench000-0000-4000-8000-0000")?;
    both(world, Requests { templates: vec![template], expected: 202 }, numbers, body.len(), plan).await
}

async fn both(
    world: &World,
    requests: Requests,
    numbers: &Arc<AtomicU64>,
    body_bytes: usize,
    plan: &InboundPlan,
) -> Result<Inbound> {
    let requests = Arc::new(requests);
    take(world, &requests, numbers, (Shape::Closed(plan.connections), plan.warm_up)).await?;
    let closed = take(world, &requests, numbers, (Shape::Closed(plan.connections), plan.closed)).await?;
    let open = take(world, &requests, numbers, (Shape::Open(plan.rate), plan.open)).await?;
    Ok(Inbound { body_bytes, closed: (plan.connections, closed), open: (plan.rate, open) })
}

async fn take(
    world: &World,
    requests: &Arc<Requests>,
    numbers: &Arc<AtomicU64>,
    (shape, duration): (Shape, Duration),
) -> Result<Taken> {
    let kept_before = received::accepted(world.tieline.address).await?;
    let before = world.watched().cpu()?;
    let load = match shape {
        Shape::Closed(connections) => {
            load::closed(world.tieline.address, requests, numbers, connections, duration).await?
        }
        Shape::Open(rate) => load::open(world.tieline.address, requests, numbers, rate, duration).await?,
    };
    let cpu = world.watched().cpu()?.since(before);
    if let Some(refusal) = &load.refusal {
        eprintln!("bench: {} requests were refused, the first with {refusal}", load.refused);
    }
    let accepted = load.samples.len() as u64;
    let kept = received::accepted(world.tieline.address).await? - kept_before;
    if kept != accepted {
        eprintln!("bench: of {accepted} that were taken Tieline counts {kept} as events");
    }
    let CpuPerMessage { server_ms, database_ms, generator_ms, .. } = per_message(cpu, accepted);
    Ok(Taken {
        accepted,
        refused: load.refused,
        kept,
        per_second: per_second_of(accepted, load.ended - load.began),
        answer: Percentiles::of(load.samples.iter().map(|sample| sample.answered - sample.due).collect()),
        server_ms,
        database_ms,
        generator_ms,
    })
}

fn slack_event(organisation: &Organisation) -> Result<Template> {
    let mut headers = vec![("Content-Type", "application/json".to_owned())];
    headers.extend(HEADERS.map(|(name, value)| (name, value.to_owned())));
    let body = slack_body(&organisation.team);
    let bytes = with_headers("POST", "/api/v2/integration/slack/events", &headers, Some(&body));
    let template = Template::numbered(bytes, "\"event_id\":\"Ev")?;
    Ok(Template { seal: Some(Seal::over(&template, SIGNING_SECRET)?), ..template })
}

/// An event without a meaning to Tieline, which is passed on; its number is in its id.
fn slack_body(team: &str) -> String {
    json!({
        "token": "deprecated",
        "team_id": team,
        "context_team_id": team,
        "context_enterprise_id": null,
        "api_app_id": "A0STANDIN",
        "event": {
            "type": "reaction_added",
            "user": "U0SOMEBODY",
            "reaction": "thumbsup",
            "item": {"type": "message", "channel": "C0ALERTS", "ts": "1795000000.000100"},
            "item_user": "U0SOMEBODY2",
            "event_ts": "1795000000.000200",
        },
        "type": "event_callback",
        "event_id": format!("Ev{}", "0".repeat(DIGITS)),
        "event_time": 4_102_444_800_u64,
        "authorizations": [{
            "enterprise_id": null, "team_id": team, "user_id": "U0BOT", "is_bot": true, "is_enterprise_install": false,
        }],
        "is_ext_shared_channel": false,
        "event_context": "4-eyJldCI6InJlYWN0aW9uX2FkZGVkIn0",
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_slacks_can_be_numbered_and_signed() {
        let organisation = Organisation {
            token: String::new(),
            team: "T1".into(),
            channel: "C1".into(),
            event: Template { bytes: Vec::new(), number_at: None, seal: None },
        };
        let template = slack_event(&organisation).unwrap();
        let at = template.number_at.unwrap();
        assert!(template.bytes[..at].ends_with(b"\"event_id\":\"Ev") && template.seal.is_some());
        assert!((600..900).contains(&slack_body("T00000000").len()), "{}", slack_body("T00000000").len());
    }
}
