//! Tests of the secret that signs calls to apps: its visibility, and its rotation without a call that cannot be
//! verified.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tieline::{
    domain::{secret::Secret, tenancy::member::Role},
    provider::webhook::Signer,
};

use crate::{
    channel_integrations::{channel, say, use_in},
    support::{Client, Integration, TestApp},
};

const DAY: Duration = Duration::from_secs(24 * 3600);
const NOTHING: &str = "0199c1de-0000-7000-8000-00000000dead";

fn path(id: &str) -> String {
    format!("/v1/apps/{id}/signing-secret")
}

async fn shown(caller: &Client, id: &str) -> String {
    let answer = caller.get(&path(id)).await.ok(200);
    assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    answer["secret"].as_str().unwrap().to_owned()
}

async fn rotated(caller: &Client, id: &str) -> String {
    caller.post(&format!("{}/rotate", path(id)), &json!({})).await.ok(200)["secret"].as_str().unwrap().to_owned()
}

/// Posts a message and asserts that it is signed by exactly these secrets, in order.
async fn signed_by(app: &TestApp, channel: &str, output: &Integration, secrets: &[&str]) {
    say(app, channel, "hello").await;
    let call = output.calls().pop().unwrap();
    let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
    let expected = Signer::new(&secrets).unwrap().headers(call.header("webhook-id"), app.now(), &call.raw).unwrap();
    for (name, value) in expected {
        assert_eq!(call.header(name.as_str()), value.to_str().unwrap(), "{name}");
    }
    assert_eq!(call.header("webhook-signature").split(' ').count(), secrets.len());
}

both! {
    async fn a_secret_that_is_replaced_signs_for_a_day_beside_the_new_one(app) {
        let channel = channel(&app).await;
        let output = Integration::start("output", json!([])).await;
        let id = use_in(&app, &channel, &output).await;
        let first = shown(&app.owner, &id).await;
        assert!(first.starts_with("whsec_"), "{first}");
        assert_eq!(shown(&app.owner, &id).await, first, "it stays");
        signed_by(&app, &channel, &output, &[&first]).await;

        let second = rotated(&app.owner, &id).await;
        assert_ne!(first, second);
        assert_eq!(shown(&app.owner, &id).await, second);
        signed_by(&app, &channel, &output, &[&second, &first]).await;
        app.advance(DAY - Duration::from_millis(1));
        signed_by(&app, &channel, &output, &[&second, &first]).await;
        app.advance(Duration::from_millis(1));
        signed_by(&app, &channel, &output, &[&second]).await;

        // A secret may have to be retired at once: of three, the newest two sign.
        let third = rotated(&app.owner, &id).await;
        let fourth = rotated(&app.owner, &id).await;
        signed_by(&app, &channel, &output, &[&fourth, &third]).await;
        app.advance(DAY);
        signed_by(&app, &channel, &output, &[&fourth]).await;

        // Other changes keep it.
        let classic = format!("/organisations/acme/integrations/{id}");
        app.owner.patch(&classic, &json!({"auth_credential": "hunter2-hunter2"})).await.ok(200);
        signed_by(&app, &channel, &output, &[&fourth]).await;
        for delivery in app.deliveries("").await {
            let detail = app.owner.get(&format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap())).await;
            assert!(!detail.text.contains("whsec_"), "{}", detail.text);
        }
    }

    async fn of_two_who_replace_it_at_once_each_knows_what_holds(app) {
        let channel = channel(&app).await;
        let output = Integration::start("output", json!([])).await;
        let id = use_in(&app, &channel, &output).await;
        let rotate = format!("{}/rotate", path(&id));
        let body = json!({});
        let answers = futures_util::future::join_all((0..4).map(|_| app.owner.post(&rotate, &body))).await;
        let holds = shown(&app.owner, &id).await;
        let reported: Vec<String> = answers
            .iter()
            .filter(|answer| answer.status == 200)
            .map(|answer| answer.json()["secret"].as_str().unwrap().to_owned())
            .collect();
        assert!(reported.contains(&holds), "the last caller got the valid secret");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.problem(409, "conflict");
        }
    }

    async fn it_is_shown_to_who_may_see_secrets_and_to_nobody_else(app) {
        let channel = channel(&app).await;
        let output = Integration::start("output", json!([])).await;
        let id = use_in(&app, &channel, &output).await;
        let first = shown(&app.owner, &id).await;
        let rotate = format!("{}/rotate", path(&id));
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let member = app.caller("acme", "mel", Role::Member).await;
        for caller in [&admin, &member] {
            for answer in [caller.get(&path(&id)).await, caller.post(&rotate, &json!({})).await] {
                answer.problem(403, "forbidden");
                assert!(!answer.text.contains("whsec_"), "{}", answer.text);
            }
        }
        let globex = app.other("globex").await;
        for id in [id.as_str(), NOTHING] {
            for (method, path) in [(Method::GET, path(id)), (Method::POST, format!("{}/rotate", path(id)))] {
                let answer = globex.send(globex.request(method, &path)).await;
                answer.problem(404, "not_found");
            }
        }
        app.owner.get(&path(NOTHING)).await.problem(404, "not_found");
        app.owner.get(&path("none")).await.problem(400, "invalid_parameter");
        assert_eq!(shown(&app.owner, &id).await, first, "nobody changed it");
        // Two members with the permission see the same.
        let other = app.caller("acme", "ona", Role::Owner).await;
        assert_eq!(rotated(&other, &id).await, shown(&app.owner, &id).await);
        let listed = app.owner.get("/organisations/acme/integrations").await;
        assert!(!listed.text.contains("whsec_"), "{}", listed.text);
    }
}
