//! Tests of every event type of GitHub's: each is a message in the channel that asked for it, or a skipped delivery with
//! the reason; the channel that asked for nothing special hears of the default kinds alone.

use std::collections::BTreeMap;

use super::*;

const FIXTURES: &str = include_str!("../fixtures/github_events.json");
/// Another channel that the bot is in.
const QUIET: &str = "C0SECRET";

/// Returns each type with its payload, about a repository of Acme's or Acme itself.
fn payloads(installation: i64) -> Vec<(String, Value)> {
    let fixtures: Vec<Value> = serde_json::from_str(FIXTURES).unwrap();
    let base = |_| {
        json!({
            "installation": {"id": installation}, "sender": {"login": "ada"}, "organization": {"login": "acme"},
            "repository": {"id": 1, "full_name": "acme/web", "default_branch": "main"},
        })
    };
    let payload = |mut fixture: Value| {
        let name = fixture.as_object_mut().unwrap().remove("X-GitHub-Event").unwrap();
        let mut payload = base(());
        for (key, value) in fixture.as_object().unwrap() {
            match value {
                Value::Null => drop(payload.as_object_mut().unwrap().remove(key)),
                Value::Object(more) if payload[key].is_object() => {
                    payload[key].as_object_mut().unwrap().extend(more.clone());
                }
                value => payload[key] = value.clone(),
            }
        }
        (name.as_str().unwrap().to_owned(), payload)
    };
    fixtures.into_iter().map(payload).collect()
}

both! {
    async fn every_event_is_notified_or_says_why_not(app) {
        let installation = connect(&app).await;
        app.slack.unlimited().await;
        let loud = json!({"repositories": ["acme/*"], "events": [
            "issues", "pulls", "commits", "releases", "deployments", "reviews", "comments", "branches", "workflows",
            "discussions", "stars", "checks", "security", "ci", "approvals", "planning", "repository", "members",
            "packages", "wiki", "other",
        ]});
        let subscribe = |channel: &'static str, rules: Value| {
            let body = subscription(channel, rules);
            let owner = app.owner.clone();
            async move { owner.post(PATH, &body).await.ok(201)["destinationId"].clone() }
        };
        let loud = subscribe(CHANNEL, loud).await;
        let quiet = subscribe(QUIET, json!({"repositories": ["acme/*"]})).await;
        let mut sent = BTreeMap::new();
        for (name, payload) in payloads(installation) {
            sent.insert(hear(&app, json!({"event": name, "payload": payload})).await, name);
        }
        assert!(sent.len() >= 54, "{}", sent.len());
        app.run_for(90).await;
        let (mut notified, mut muted) = (Vec::new(), Vec::new());
        for (event, name) in &sent {
            let found = app.deliveries(&format!("eventId={event}")).await;
            assert_eq!(found.len(), 2, "{name}: {found:?}");
            for delivery in found {
                let reason = delivery["reason"].as_str().unwrap_or_default();
                let state = delivery["state"].as_str().unwrap();
                match (delivery["destinationId"] == loud, state) {
                    (true, "delivered") => {}
                    (true, _) => muted.push((name.as_str(), state.to_owned(), reason.to_owned())),
                    (false, "delivered") => notified.push(name.as_str()),
                    (false, _) => assert!(state == "skipped" && !reason.is_empty(), "{name}: {delivery}"),
                }
                assert!(delivery["destinationId"] == loud || delivery["destinationId"] == quiet);
            }
        }
        notified.sort_unstable();
        assert_eq!(notified, ["deployment_status", "issues", "pull_request", "push", "release"]);
        muted.sort_unstable();
        let skipped: Vec<_> = muted.iter().map(|(name, state, _)| (*name, state.as_str())).collect();
        let expected = ["deployment", "pull_request_review_comment", "pull_request_review_thread", "watch"];
        assert_eq!(skipped, expected.map(|name| (name, "skipped")));
        assert!(muted.iter().all(|(_, _, reason)| !reason.is_empty()), "{muted:?}");
        let texts = app.slack.texts(CHANNEL).await;
        assert_eq!(texts.len(), sent.len() - expected.len());
        assert!(texts.iter().any(|text| text == "[acme] ada blocked an account: troll"), "{texts:?}");
        let alert = "[acme/web] ada opened a Dependabot alert: Prototype pollution in lodash (Severity: high)";
        assert!(texts.iter().any(|text| text == alert), "{texts:?}");
    }

    async fn what_is_about_the_app_itself_says_why_it_is_no_event(app) {
        let installation = connect(&app).await;
        for (name, payload, reason) in [
            ("ping", json!({"zen": "Keep it simple."}), "a ping shows that this URL is reachable, and notifies nobody"),
            ("github_app_authorization", json!({"action": "revoked"}), "a user's authorization of the app is not kept here, so nobody is notified of its end"),
            ("marketplace_purchase", json!({"action": "purchased"}), "it names no installation, and so no organization that could be notified"),
            ("meta", json!({"action": "deleted"}), "it names no installation, and so no organization that could be notified"),
            ("star", json!({"installation": {"id": installation + 1000}}), "no organization has linked this installation"),
        ] {
            let sent = app.github.send(json!({"event": name, "payload": payload})).await;
            let answer: Value = serde_json::from_str(sent["body"].as_str().unwrap()).unwrap();
            assert_eq!(answer, json!({"events": 0, "repeated": 0, "ignored": true, "reason": reason}), "{name}");
        }
        let sent = app.github.send(json!({"event": "installation", "action": "suspend"})).await;
        let answer: Value = serde_json::from_str(sent["body"].as_str().unwrap()).unwrap();
        let kept = "the record of the installation was brought up to date, and nobody is notified of that";
        assert_eq!((&answer["events"], &answer["reason"]), (&json!(0), &json!(kept)), "{sent}");
        assert_eq!(app.deliveries("").await.len(), 0);
    }
}
