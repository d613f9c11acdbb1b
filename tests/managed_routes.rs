//! Tests of the routes that show settings of other things, in one list with those of their own, and changed both ways.

use serde_json::{Value, json};

use crate::{
    channel_integrations::{channel, use_in},
    outgoing_webhooks::scene,
    support::{Client, Integration, step},
};

const CHANNEL: &str = "C0ALERTS";
const LINK: &str = "/v1/slack-integrations";

/// Returns the route that something manages.
async fn managed(caller: &Client, by: &str) -> Value {
    let all = caller.get("/v1/routes").await.ok(200);
    let found = all["data"].as_array().unwrap().iter().find(|route| route["managedBy"] == by);
    found.unwrap_or_else(|| panic!("no route of {by}: {all}")).clone()
}

fn path(route: &Value) -> String {
    format!("/v1/routes/{}", route["id"].as_str().unwrap())
}

both! {
    async fn filters_of_a_slack_connection_are_a_route(app) {
        app.slack.connect(&app.owner, "T0STANDIN", CHANNEL).await;
        app.owner.patch(LINK, &json!({"triggers": ["KIND_ENTRY"]})).await.ok(200);
        let route = managed(&app.owner, "slack_connection").await;
        assert_eq!(route["rule"], json!({"workflowStep": {"triggers": ["KIND_ENTRY"]}}), "{route}");
        assert_eq!((&route["types"], &route["enabled"]), (&json!(["workflow.step.completed"]), &json!(true)));
        assert_eq!(app.owner.get(&path(&route)).await.ok(200), route);
        let accepted = app.owner.post("/v1/events", &step("left")).await.ok(202);
        let event = app.owner.get(&format!("/v1/events/{}", accepted["id"].as_str().unwrap())).await.ok(200);
        assert_eq!(event["decisions"][0]["routeId"], route["id"], "{event}");

        let link = "0199c1de-0000-7000-8000-00000000000a";
        let rule = json!({"rule": {"workflowStep": {"triggers": ["KIND_EXIT", "KIND_ENTRY"], "linkId": link}}});
        let changed = app.owner.patch(&path(&route), &rule).await.ok(200);
        assert_eq!(changed["rule"]["workflowStep"]["linkId"], link);
        let seen = app.owner.get(LINK).await.ok(200)["slackIntegration"].clone();
        assert_eq!((&seen["triggers"], &seen["linkId"]), (&json!(["KIND_ENTRY", "KIND_EXIT"]), &json!(link)), "{seen}");
        let off = app.owner.patch(&path(&route), &json!({"enabled": false})).await.ok(200);
        assert_eq!((&off["enabled"], &off["rule"]), (&json!(false), &changed["rule"]));
        let seen = app.owner.get(LINK).await.ok(200)["slackIntegration"].clone();
        assert_eq!(seen["status"], "SLACK_INTEGRATION_STATUS_PAUSED", "{seen}");

        for (body, field) in [
            (json!({"name": "mine"}), "/name"),
            (json!({"types": ["*"]}), "/types"),
            (json!({"rule": {"github": {"repositories": ["acme/web"]}}}), "/rule"),
            (json!({"rule": {"workflowStep": {"triggers": ["KIND_NONE"]}}}), "/rule/workflowStep/triggers/0"),
        ] {
            let refused = app.owner.patch(&path(&route), &body).await.problem(400, "invalid");
            assert_eq!(refused["errors"][0]["pointer"], field, "{refused}");
        }
        let refused = app.owner.delete(&path(&route)).await.problem(409, "failed_precondition");
        assert!(refused["detail"].as_str().unwrap().contains("disconnect Slack"), "{refused}");
        let other = app.other("globex").await;
        for answer in [
            other.get(&path(&route)).await,
            other.patch(&path(&route), &json!({"enabled": true})).await,
            other.delete(&path(&route)).await,
        ] {
            answer.problem(404, "not_found");
        }
        app.owner.delete(LINK).await.ok(200);
        assert_eq!(app.owner.get("/v1/routes").await.ok(200), json!({"data": []}));
    }

    async fn triggers_of_an_outgoing_webhook_are_a_route(app) {
        let ((owner, _), far) = (scene(&app).await, Integration::start("output", json!([])).await);
        let id = owner.make(&far, json!({"triggerWords": ["deploy"]})).await;
        let route = managed(&app.owner, "outgoing_webhook").await;
        let rule = json!({"message": {"event": "sendMessage", "triggerWords": ["deploy"], "channels": ["#general"]}});
        assert_eq!((&route["id"], &route["rule"]), (&json!(id), &rule), "{route}");
        let change = json!({"enabled": false, "rule": {"message": {"triggerWords": [" deploy ", "", "roll back"]}}});
        let changed = app.owner.patch(&path(&route), &change).await.ok(200);
        assert_eq!((&changed["enabled"], &changed["rule"]["message"]["event"]), (&json!(false), &json!("sendMessage")));
        let seen = owner.get(&format!("integrations.get?integrationId={id}")).await.ok(200)["integration"].clone();
        assert_eq!((&seen["enabled"], &seen["triggerWords"]), (&json!(false), &json!(["deploy", "roll back"])), "{seen}");
        app.other("globex").await.delete(&path(&route)).await.problem(404, "not_found");
        app.owner.delete(&path(&route)).await.ok(204);
        assert_eq!(owner.get(&format!("integrations.get?integrationId={id}")).await.status, 400);
    }

    async fn apps_of_a_channel_are_routes(app) {
        let (here, far) = (channel(&app).await, Integration::start("output", json!([])).await);
        let id = use_in(&app, &here, &far).await;
        let route = managed(&app.owner, "app").await;
        assert_eq!((&route["channelId"], &route["rule"]), (&json!(here), &json!({"app": {"appId": id, "position": 0}})));
        let change = json!({"enabled": false, "rule": {"app": {"position": 7}}});
        let changed = app.owner.patch(&path(&route), &change).await.ok(200);
        assert_eq!((&changed["enabled"], &changed["rule"]["app"]["position"]), (&json!(false), &json!(7)));
        app.owner.delete(&path(&route)).await.ok(204);
        assert_eq!(app.owner.get("/v1/routes").await.ok(200), json!({"data": []}));
    }

    async fn the_list_has_every_route_once(app) {
        let ((owner, _), far) = (scene(&app).await, Integration::start("output", json!([])).await);
        app.slack.connect(&app.owner, "T0STANDIN", CHANNEL).await;
        let mut made = Vec::new();
        for number in 0..5 {
            let to = json!({"kind": "webhook", "url": format!("https://hooks.example/{number}")});
            let route = app.owner.post("/v1/routes", &json!({"types": ["*"], "destination": to})).await.ok(201);
            made.push(route["id"].as_str().unwrap().to_owned());
            made.push(owner.make(&far, json!({"name": format!("n{number}")})).await);
        }
        made.push(managed(&app.owner, "slack_connection").await["id"].as_str().unwrap().to_owned());
        made.sort_unstable();
        made.reverse();
        for limit in [1, 2, 3, 5, 11, 20] {
            let (mut found, mut next) = (Vec::new(), format!("/v1/routes?limit={limit}"));
            loop {
                let page = app.owner.get(&next).await.ok(200);
                let ids = page["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
                found.extend(ids);
                let Some(cursor) = page["nextCursor"].as_str() else { break };
                next = format!("/v1/routes?limit={limit}&cursor={cursor}");
            }
            assert_eq!(found, made, "{limit}");
        }
    }
}
