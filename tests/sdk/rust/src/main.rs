//! Scenario of an organisation that connects Slack and sends an event, with the generated Rust clients.

use std::{
    collections::HashMap,
    env, error,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tieline_client::{linkbreakers, native, webhooks::verify_webhook};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn error::Error>>;

/// Builds an HTTP client with a token, because a generated client knows of no credentials.
fn with_token(token: &str) -> Outcome<reqwest::Client> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}"))?);
    Ok(reqwest::Client::builder().default_headers(headers).timeout(Duration::from_secs(20)).build()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let (server, standin) = (env::var("SERVER_URL")?, env::var("STANDIN_URL")?);
    let http = with_token(&env::var("TOKEN")?)?;
    let slack = linkbreakers::Client::new_with_client(&server, http.clone());
    let native = native::Client::new_with_client(&server, http.clone());

    // A request without a valid token is refused in the dialect's own type.
    let outsider = linkbreakers::Client::new_with_client(&server, with_token("wrong")?);
    let Err(linkbreakers::Error::ErrorResponse(refused)) = outsider.get_slack_integration().send().await else {
        return Err("a wrong token was not refused".into());
    };
    assert_eq!((refused.status().as_u16(), refused.error.code_type.as_str()), (401, "UNAUTHENTICATED"));

    // Allow is pressed in the stand-in's Slack.
    let asked = slack.get_slack_o_auth_url().send().await?;
    let query: HashMap<String, String> = Url::parse(&asked.oauth_url)?.query_pairs().into_owned().collect();
    let mut order = json!({ "team": "T0STANDIN" });
    for name in ["client_id", "redirect_uri", "state", "scope"] {
        order[name] = json!(query[name]);
    }
    let allowed = http.post(format!("{standin}/control/slack/authorize")).json(&order).send().await?;
    let allowed: Value = allowed.error_for_status()?.json().await?;
    let code = allowed["code"].as_str().ok_or("the stand-in gave no code")?;
    slack.complete_slack_o_auth().body_map(|body| body.code(code).state(query["state"].as_str())).send().await?;
    let chosen =
        slack.update_slack_integration().body_map(|body| body.slack_channel_id("C0ALERTS".to_owned())).send().await?;
    assert_eq!(chosen.slack_integration.slack_channel_id.as_deref(), Some("C0ALERTS"));

    // An event is delivered.
    let attributes: HashMap<String, String> =
        [("linkId", "0199c1de-0000-7000-8000-000000000001"), ("stepKind", "KIND_INTERACTION")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let accepted = native
        .send_event()
        .body_map(|body| body.type_("workflow.step.completed").attributes(attributes).data(json!({ "name": "Ada" })))
        .send()
        .await?;
    let until = Instant::now() + Duration::from_secs(20);
    let delivered = loop {
        let page = native.list_deliveries().send().await?.into_inner();
        let of_event = page.data.iter().find(|one| one.event_id == accepted.id);
        if let Some(delivery) = of_event.filter(|one| one.state == native::types::DeliveryState::Delivered) {
            break delivery.id;
        }
        assert!(Instant::now() < until, "the event was not delivered: {page:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let detail = native.get_delivery().id(delivered).send().await?;
    assert_eq!(detail.event_id, accepted.id);

    // Errors are values with a type of their own.
    let nothing = Uuid::parse_str("0199c1de-0000-7000-8000-00000000dead")?;
    let Err(native::Error::ErrorResponse(missing)) = native.get_delivery().id(nothing).send().await else {
        return Err("a delivery that is not there was found".into());
    };
    assert_eq!((missing.status().as_u16(), missing.status, missing.code.as_str()), (404, 404, "not_found"));
    verify_webhooks()?;
    println!("sdk: rust: the story holds");
    Ok(())
}

/// A call is Tieline's if one of the secrets made one of its signatures, lately and over these bytes.
fn verify_webhooks() -> Outcome<()> {
    let [former, current, other] = [
        "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
        "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4",
        "whsec_Zm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2Vk",
    ];
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let call = |secrets: &[&str], age: i64| -> Outcome<HeaderMap> {
        let sign = |secret: &&str| Webhook::new(secret)?.sign("msg_1", now - age, b"{}");
        let signatures = secrets.iter().map(sign).collect::<Result<Vec<_>, _>>()?.join(" ");
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", HeaderValue::from_static("msg_1"));
        headers.insert("webhook-timestamp", HeaderValue::from(now - age));
        headers.insert("webhook-signature", HeaderValue::from_str(&signatures)?);
        Ok(headers)
    };
    for (known, signed_by) in
        [(&[current][..], &[current, former][..]), (&[former], &[current, former]), (&[former, current], &[current])]
    {
        assert_eq!(verify_webhook(known, &call(signed_by, 240)?, b"{}")?, "msg_1");
    }
    assert!(verify_webhook(&[former, current], &call(&[other], 0)?, b"{}").is_err(), "another's signature");
    assert!(verify_webhook(&[current], &call(&[current], 0)?, b"{} ").is_err(), "another body");
    assert!(verify_webhook(&[current], &call(&[current], 360)?, b"{}").is_err(), "six minutes old");
    assert!(verify_webhook(&[current], &call(&[current], -360)?, b"{}").is_err(), "six minutes early");
    assert!(verify_webhook(&[], &call(&[current], 0)?, b"{}").is_err(), "no secret");
    Ok(())
}
