//! One story through both dialects: what is set up, done or decided through one is seen in the other.

use serde_json::{Value, json};
use tieline::domain::member::Role;

use crate::support::{Client, TestApp, step};

const BASE: &str = "/v1/slack-integrations";
const CHANNELS: &str = "/v1/slack-integrations/channels";
const OAUTH_URL: &str = "/v1/slack-integrations/oauth-url";
const TEAM: &str = "T0STANDIN";
const CHANNEL: &str = "C0ALERTS";

async fn integration(caller: &Client) -> Value {
    caller.get(BASE).await.ok(200)["slackIntegration"].clone()
}

/// The one destination that the native dialect shows.
async fn destination(caller: &Client) -> Value {
    let found = caller.get("/v1/destinations").await.ok(200);
    assert_eq!(found["data"].as_array().unwrap().len(), 1, "{found}");
    let path = format!("/v1/destinations/{}", found["data"][0]["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await.ok(200), found["data"][0]);
    found["data"][0].clone()
}

/// Demands that both dialects count alike, and tells successes and failures.
async fn counts(app: &TestApp) -> (i64, i64) {
    let (ours, theirs) = (destination(&app.owner).await, integration(&app.owner).await);
    for name in ["successCount", "failureCount"] {
        assert_eq!(json!(ours[name].to_string()), theirs[name], "{name}");
    }
    assert_eq!(ours.get("lastSentAt"), theirs.get("lastSentAt"));
    (ours["successCount"].as_i64().unwrap(), ours["failureCount"].as_i64().unwrap())
}

async fn delivery_path(app: &TestApp, event: &str) -> String {
    format!("/v1/deliveries/{}", app.delivery_of(event).await["id"].as_str().unwrap())
}

/// The path of a member of the caller's organisation.
async fn member_path(app: &TestApp, username: &str) -> String {
    let organisation = app.owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let members = format!("/v1/organisations/{organisation}/members");
    let found = app.owner.get(&members).await.ok(200);
    let member = found["data"].as_array().unwrap().iter().find(|member| member["username"] == username).unwrap();
    format!("{members}/{}", member["userId"].as_str().unwrap())
}

both! {
    async fn what_is_connected_in_one_is_a_destination_in_the_other(app) {
        assert_eq!(app.owner.get("/v1/destinations").await.ok(200)["data"], json!([]));
        app.slack.install(&app.owner, TEAM).await.ok(200);
        let fresh = destination(&app.owner).await;
        assert_eq!((&fresh["kind"], &fresh["address"], &fresh["health"]), (&json!("slack"), &json!(""), &json!("healthy")));
        app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL})).await.ok(200);
        assert_eq!(destination(&app.owner).await["address"], CHANNEL);
        assert_eq!(counts(&app).await, (0, 0));
        let other = app.other("globex").await;
        assert_eq!(other.get("/v1/destinations").await.ok(200)["data"], json!([]));
        other.get(&format!("/v1/destinations/{}", fresh["id"].as_str().unwrap())).await.problem(404, "not_found");
    }

    async fn filters_of_one_explain_deliveries_in_the_other(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        app.owner.patch(BASE, &json!({"triggers": ["KIND_ENTRY"]})).await.ok(200);
        let skipped = app.step("an exit").await;
        let mut entry = step("an entry");
        entry["stepKind"] = json!("ENTRY");
        let sent = app.owner.post("/v1/events", &entry).await.ok(202)["id"].as_str().unwrap().to_owned();
        app.drain().await;
        let skipped = app.delivery_of(&skipped).await;
        assert_eq!(skipped["state"], "skipped");
        assert!(skipped["reason"].as_str().unwrap().contains("trigger filter"), "{skipped}");
        let sent = app.delivery_of(&sent).await;
        assert_eq!((&sent["state"], &sent["destinationId"]), (&json!("delivered"), &destination(&app.owner).await["id"]));
        assert_eq!(sent["attempts"][0]["address"], CHANNEL);
        assert_eq!(counts(&app).await, (1, 0));
    }

    async fn both_count_alike_and_a_replay_counts_in_both(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let event = app.step("sent").await;
        app.drain().await;
        assert_eq!(counts(&app).await, (1, 0));
        app.owner.post(&format!("{}/replay", delivery_path(&app, &event).await), &json!({})).await.ok(202);
        app.drain().await;
        assert_eq!(counts(&app).await, (2, 0));
        app.slack.order("archive", json!({"channel": CHANNEL})).await;
        let event = app.step("refused").await;
        app.drain().await;
        assert_eq!(counts(&app).await, (2, 1));
        assert_eq!(destination(&app.owner).await["health"], "broken");
        assert_eq!(app.owner.post("/v1/slack-integrations/test", &json!({})).await.ok(200), json!({"success": false}));
        assert_eq!(counts(&app).await, (2, 1), "a test is not counted");
        app.slack.order("unarchive", json!({"channel": CHANNEL})).await;
        let body = json!({"destinationId": destination(&app.owner).await["id"]});
        assert_eq!(app.owner.post("/v1/deliveries/replay", &body).await.ok(202)["count"], 1);
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
        assert_eq!(counts(&app).await, (3, 1));
        let attempts = app.deliveries("").await.iter().map(|one| one["attemptCount"].as_i64().unwrap()).sum::<i64>();
        assert_eq!(attempts, 4, "what both count is what was tried");
        app.slack.install(&app.owner, TEAM).await.ok(200);
        assert_eq!(counts(&app).await, (0, 0), "a new connection counts from zero");
    }

    async fn a_choice_in_one_heals_the_other(app) {
        app.slack.connect(&app.owner, TEAM, "C0GENERAL").await;
        let event = app.step("not in the channel").await;
        app.drain().await;
        let broken = destination(&app.owner).await;
        assert_eq!(broken["health"], "broken");
        assert!(broken["reason"].as_str().unwrap().contains("/invite"), "{broken}");
        app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL})).await.ok(200);
        let healed = destination(&app.owner).await;
        assert_eq!((&healed["health"], healed.get("reason")), (&json!("healthy"), None));
        app.owner.post(&format!("{}/replay", delivery_path(&app, &event).await), &json!({})).await.ok(202);
        app.drain().await;
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 1);
    }

    async fn what_is_disconnected_in_one_is_off_in_the_other(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let event = app.step("waiting").await;
        app.owner.delete(BASE).await.ok(200);
        let off = destination(&app.owner).await;
        assert_eq!(off["health"], "off");
        assert!(off["reason"].as_str().unwrap().contains("deleted"), "{off}");
        let replay = format!("{}/replay", delivery_path(&app, &event).await);
        app.owner.post(&replay, &json!({})).await.problem(409, "failed_precondition");
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let on = destination(&app.owner).await;
        assert_eq!((&on["health"], &on["id"]), (&json!("healthy"), &off["id"]), "it outlives its connections");
        app.owner.post(&replay, &json!({})).await.ok(202);
        app.drain().await;
        assert_eq!(counts(&app).await, (1, 0));
    }

    async fn a_dead_token_shows_in_both(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        app.slack.order("uninstall", json!({"team": TEAM})).await;
        app.step("refused").await;
        app.drain().await;
        assert_eq!(integration(&app.owner).await["status"], "SLACK_INTEGRATION_STATUS_DISCONNECTED");
        let off = destination(&app.owner).await;
        assert_eq!(off["health"], "off");
        assert!(off["reason"].as_str().unwrap().contains("account_inactive"), "{off}");
        assert_eq!(counts(&app).await, (0, 1));
    }

    async fn permissions_of_one_decide_in_the_other(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let max = app.caller("acme", "max", Role::Member).await;
        let path = member_path(&app, "max").await;
        let statuses = async || {
            let change = json!({"slackChannelName": "alerts"});
            let answers = [
                max.get(BASE).await, max.get(CHANNELS).await, max.get(OAUTH_URL).await, max.patch(BASE, &change).await,
                max.post("/v1/slack-integrations/test", &json!({})).await,
            ];
            for answer in answers.iter().filter(|answer| answer.status != 200) {
                assert_eq!(answer.ok(403)["error"]["codeType"], "PERMISSION_DENIED");
            }
            answers.map(|answer| answer.status.as_u16())
        };
        assert_eq!(statuses().await, [200, 200, 403, 403, 403], "what a member may");
        for (permissions, expected) in [
            (json!(["slack:read", "slack:manage"]), [200, 200, 200, 200, 200]),
            (json!(["slack:manage"]), [403, 403, 200, 200, 200]),
            (json!(["events:write"]), [403, 403, 403, 403, 403]),
            (json!([]), [403, 403, 403, 403, 403]),
        ] {
            app.owner.patch(&path, &json!({"permissions": permissions})).await.ok(200);
            assert_eq!(statuses().await, expected, "{permissions}");
        }
        app.owner.patch(&path, &json!({"role": "admin"})).await.ok(200);
        assert_eq!(statuses().await, [200, 200, 200, 200, 200], "a role brings its own");
        assert_eq!(app.owner.delete(&path).await.status, 204);
        assert_eq!(max.get(BASE).await.ok(401)["error"]["codeType"], "UNAUTHENTICATED");
    }

    async fn scopes_of_a_token_narrow_both(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let narrow = json!({"name": "narrow", "scopes": ["slack:read", "events:write"]});
        let made = app.owner.post("/v1/tokens", &narrow).await.ok(201);
        let caller = app.anon.with_token(made["secret"].as_str().unwrap());
        caller.get(BASE).await.ok(200);
        caller.get(CHANNELS).await.ok(200);
        assert_eq!(caller.delete(BASE).await.ok(403)["error"]["codeType"], "PERMISSION_DENIED");
        caller.post("/v1/events", &step("sent")).await.ok(202);
        caller.get("/v1/deliveries").await.problem(403, "forbidden");
        app.drain().await;
        assert_eq!(counts(&app).await, (1, 0));
        assert_eq!(app.owner.delete(&format!("/v1/tokens/{}", made["token"]["id"].as_str().unwrap())).await.status, 204);
        assert_eq!(caller.get(BASE).await.ok(401)["error"]["codeType"], "UNAUTHENTICATED");
        caller.post("/v1/events", &step("refused")).await.problem(401, "token_revoked");
    }
}
