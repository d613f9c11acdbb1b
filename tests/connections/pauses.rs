//! A pause, said alike by the connection, its destinations, the routes to them and the decisions on events; and channels
//! that Slack could not confirm.

use serde_json::{Value, json};

use super::{CHANNEL, SLACK, TEAM, connection, integration, path};
use crate::support::{Client, TestApp, step, subscription};

/// Another channel that the bot is in.
const OTHER: &str = "C0SECRET";

async fn decisions(caller: &Client, event: &Value) -> Vec<Value> {
    let path = format!("/v1/events/{}", event["id"].as_str().unwrap());
    caller.get(&path).await.ok(200)["decisions"].as_array().unwrap().clone()
}

#[track_caller]
fn is_paused(decision: &Value) {
    assert_eq!((&decision["decision"], &decision["state"]), (&json!("skip"), &json!("skipped")), "{decision}");
    assert!(decision["reason"].as_str().unwrap().contains("paused"), "{decision}");
}

/// A route from a type of events to another channel than the link's own.
async fn route(app: &TestApp, types: &[&str]) -> Value {
    let destination = json!({"kind": "slack", "address": OTHER});
    app.owner.post("/v1/routes", &json!({"types": types, "destination": destination})).await.ok(201)
}

async fn paused(app: &TestApp, paused: bool) -> Value {
    let slack = connection(&app.owner, "slack").await;
    app.owner.patch(&path(&slack), &json!({"paused": paused})).await.ok(200)
}

both! {
    async fn a_pause_is_seen_here_and_there(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        assert_eq!(paused(&app, true).await["state"], "paused");
        assert_eq!(integration(&app.owner).await["status"], "SLACK_INTEGRATION_STATUS_PAUSED");
        assert_eq!(paused(&app, false).await["state"], "connected");
        assert_eq!(integration(&app.owner).await["status"], "SLACK_INTEGRATION_STATUS_ACTIVE");
        app.owner.patch(SLACK, &json!({"status": "SLACK_INTEGRATION_STATUS_PAUSED"})).await.ok(200);
        assert_eq!(connection(&app.owner, "slack").await["state"], "paused");
    }

    async fn every_rule_says_that_slack_is_paused(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let routed = route(&app, &["order.*"]).await;
        paused(&app, true).await;

        // Without any worker: the decision is one of the intake.
        let order = app.owner.post("/v1/events", &json!({"type": "order.created"})).await.ok(202);
        let by_route = decisions(&app.owner, &order).await;
        is_paused(&by_route[0]);
        assert_eq!((by_route.len(), &by_route[0]["routeId"]), (1, &routed["id"]));
        let completed = app.owner.post("/v1/events", &step("a step")).await.ok(202);
        is_paused(&decisions(&app.owner, &completed).await[0]);
        let route = format!("/v1/routes/{}", routed["id"].as_str().unwrap());
        let shown = app.owner.get(&route).await.ok(200);
        assert!(shown["pausedReason"].as_str().unwrap().contains("paused"), "{shown}");
        let listed = app.owner.get("/v1/routes").await.ok(200)["data"].as_array().unwrap().clone();
        assert!(listed.contains(&shown), "{listed:?}");
        let changed = app.owner.patch(&route, &json!({"position": 0})).await.ok(200);
        assert_eq!(changed["pausedReason"], shown["pausedReason"]);

        let destinations = app.owner.get("/v1/destinations").await.ok(200)["data"].as_array().unwrap().clone();
        assert_eq!(destinations.len(), 2);
        for one in &destinations {
            assert_eq!(one["health"], "healthy", "{one}");
            assert!(one["pausedReason"].as_str().unwrap().contains("paused"), "{one}");
            let path = format!("/v1/destinations/{}", one["id"].as_str().unwrap());
            assert_eq!(app.owner.get(&path).await.ok(200), *one);
        }

        paused(&app, false).await;
        for one in &destinations {
            let path = format!("/v1/destinations/{}", one["id"].as_str().unwrap());
            assert_eq!(app.owner.get(&path).await.ok(200).get("pausedReason"), None);
        }
        assert_eq!(app.owner.get(&route).await.ok(200).get("pausedReason"), None);
        let replay = format!("/v1/deliveries/{}/replay", by_route[0]["deliveryId"].as_str().unwrap());
        app.owner.post(&replay, &json!({})).await.ok(202);
        app.owner.post("/v1/events", &json!({"type": "order.created"})).await.ok(202);
        app.drain().await;
        assert_eq!(app.slack.texts(OTHER).await.len(), 2);
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 0);
    }

    async fn a_subscription_says_that_slack_is_paused(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let number = app.github.link(&app.owner, "acme", "acme").await;
        let rules = json!({"repositories": ["acme/web"], "events": ["issues"]});
        app.owner.post("/v1/routes", &subscription(OTHER, rules)).await.ok(201);
        paused(&app, true).await;
        let opened = json!({"event": "issues", "installation": number, "repository": "web", "title": "It is slow"});
        app.github.send(opened).await;
        let issue = app.owner.get("/v1/events?type=github.issues").await.ok(200)["data"][0].clone();
        is_paused(&decisions(&app.owner, &issue).await[0]);
    }

    async fn a_pause_ends_what_is_on_its_way_to_every_channel(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        route(&app, &["order.*"]).await;
        let order = app.owner.post("/v1/events", &json!({"type": "order.created"})).await.ok(202);
        let completed = app.owner.post("/v1/events", &step("a step")).await.ok(202);
        assert_eq!(decisions(&app.owner, &order).await[0]["state"], "pending");
        paused(&app, true).await;
        for event in [&order, &completed] {
            is_paused(&decisions(&app.owner, event).await[0]);
        }
        app.drain().await;
        assert_eq!([app.slack.texts(CHANNEL).await.len(), app.slack.texts(OTHER).await.len()], [0, 0]);
    }

    async fn a_channel_that_slack_cannot_confirm_is_kept_and_marked(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let wanted = |address: &str| json!({"kind": "slack", "address": address});
        for fault in [json!({"status": 500}), json!({"retryAfterSecs": 60})] {
            let mut down = fault;
            down["method"] = "conversations.list".into();
            app.slack.fault(down).await;
        }
        let refused = app.owner.post("/v1/destinations", &wanted("#general")).await.problem(400, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], "/address", "{refused}");
        let made = app.owner.post("/v1/destinations", &wanted(OTHER)).await.ok(201);
        assert_eq!((&made["unconfirmed"], &made["health"]), (&json!(true), &json!("healthy")), "{made}");
        let path = format!("/v1/destinations/{}", made["id"].as_str().unwrap());
        assert_eq!(app.owner.get(&path).await.ok(200)["unconfirmed"], true);
        app.slack.mend().await;
        app.owner.post(&format!("{path}/test"), &json!({})).await.ok(202);
        app.drain().await;
        assert_eq!(app.owner.get(&path).await.ok(200).get("unconfirmed"), None);
        app.owner.post("/v1/destinations", &wanted("C0NOWHERE")).await.problem(400, "invalid");
    }

    async fn a_pause_is_nothing_to_others(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let other = app.other("globex").await;
        app.slack.connect(&other, "T0SECOND", "C1ALERTS").await;
        paused(&app, true).await;
        let theirs = other.get("/v1/destinations").await.ok(200)["data"][0].clone();
        assert_eq!(theirs.get("pausedReason"), None);
        let event = other.post("/v1/events", &step("theirs")).await.ok(202);
        assert_eq!(decisions(&other, &event).await[0]["decision"], "deliver");
    }
}
