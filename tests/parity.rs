//! One scenario through all dialects: a change or decision made through one is visible in the others.

mod setups;

use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::support::{Client, TestApp, browser, step, subscription};

const BASE: &str = "/v1/slack-integrations";
const CHANNELS: &str = "/v1/slack-integrations/channels";
const OAUTH_URL: &str = "/v1/slack-integrations/oauth-url";
const TEAM: &str = "T0STANDIN";
const CHANNEL: &str = "C0ALERTS";
const INSTALL: &str = "/api/v2/integration/slack/install";
const UNLINK: &str = "/api/v2/integration/github/unlink";
const GITHUB_LINK: &str = "/api/v2/integration/github/link";

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

/// Asserts that both dialects count alike, and returns successes and failures.
async fn counts(app: &TestApp) -> (i64, i64) {
    let (ours, theirs) = (destination(&app.owner).await, integration(&app.owner).await);
    for name in ["successCount", "failureCount"] {
        assert_eq!(ours[name], theirs[name], "{name}");
    }
    assert_eq!(ours.get("lastSentAt"), theirs.get("lastSentAt"));
    (ours["successCount"].as_i64().unwrap(), ours["failureCount"].as_i64().unwrap())
}

async fn delivery_path(app: &TestApp, event: &str) -> String {
    format!("/v1/deliveries/{}", app.delivery_of(event).await["id"].as_str().unwrap())
}

/// Installs the Slack app through Boomerang's dialect.
async fn install(app: &TestApp, caller: &Client, team: &str) {
    let begun = caller.get(INSTALL).await;
    let (code, state) = app.slack.allow(begun.header("location"), team).await;
    let back = app.anon.get(&format!("/api/v2/integration/slack/auth?code={code}&state={state}")).await;
    let back = browser::go_on(&app.anon, back).await;
    assert!(back.status == 200 && back.text.contains("slack://app?team="), "{}", back.text);
}

/// `ref` values of Boomerang's cards of GitHub and Slack.
async fn cards(caller: &Client) -> [Value; 2] {
    let cards = caller.get("/api/v2/integration?team=acme").await.ok(200);
    ["GitHub", "Slack"].map(|name| {
        let card = cards.as_array().unwrap().iter().find(|card| card["name"] == name).unwrap();
        assert_eq!(card["status"], if card.get("ref").is_some() { "linked" } else { "unlinked" });
        card.get("ref").cloned().unwrap_or_default()
    })
}

/// Path of a member of the caller's organisation.
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
        assert_eq!(
            (&fresh["kind"], &fresh["address"], &fresh["health"]),
            (&json!("slack"), &json!(""), &json!("healthy"))
        );
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
        entry["attributes"]["stepKind"] = json!("ENTRY");
        let sent = app.owner.post("/v1/events", &entry).await.ok(202)["id"].as_str().unwrap().to_owned();
        app.drain().await;
        let skipped = app.delivery_of(&skipped).await;
        assert_eq!(skipped["state"], "skipped");
        assert!(skipped["reason"].as_str().unwrap().contains("trigger filter"), "{skipped}");
        let sent = app.delivery_of(&sent).await;
        assert_eq!(
            (&sent["state"], &sent["destinationId"]),
            (&json!("delivered"), &destination(&app.owner).await["id"])
        );
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
        assert_eq!(destination(&app.owner).await["health"], "failing");
        assert_eq!(app.owner.post("/v1/slack-integrations/test", &json!({})).await.ok(200), json!({"success": false}));
        assert_eq!(counts(&app).await, (2, 1), "a test is not counted");
        app.slack.order("unarchive", json!({"channel": CHANNEL})).await;
        let body = json!({"destinationId": destination(&app.owner).await["id"]});
        assert_eq!(app.owner.post("/v1/deliveries/replay", &body).await.ok(202)["count"], 1);
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
        assert_eq!(counts(&app).await, (3, 1));
        let attempts = app.deliveries("").await.iter().map(|one| one["attemptCount"].as_i64().unwrap()).sum::<i64>();
        assert_eq!(attempts, 4, "both count the attempted deliveries");
        app.slack.install(&app.owner, TEAM).await.ok(200);
        assert_eq!(counts(&app).await, (0, 0), "a new connection counts from zero");
    }

    async fn a_choice_in_one_repairs_the_other(app) {
        app.slack.connect(&app.owner, TEAM, "C0GENERAL").await;
        let event = app.step("not in the channel").await;
        app.drain().await;
        let broken = destination(&app.owner).await;
        assert_eq!(broken["health"], "failing");
        assert!(broken["reason"].as_str().unwrap().contains("/invite"), "{broken}");
        app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL})).await.ok(200);
        let recovered = destination(&app.owner).await;
        assert_eq!((&recovered["health"], recovered.get("reason")), (&json!("healthy"), None));
        app.owner.post(&format!("{}/replay", delivery_path(&app, &event).await), &json!({})).await.ok(202);
        app.drain().await;
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 1);
    }

    async fn what_is_disconnected_in_one_is_off_in_the_other(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let event = app.step("waiting").await;
        app.owner.delete(BASE).await.ok(200);
        let off = destination(&app.owner).await;
        assert_eq!(off["health"], "disabled");
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
        assert_eq!(off["health"], "disabled");
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
                max.get(BASE).await,
                max.get(CHANNELS).await,
                max.get(OAUTH_URL).await,
                max.patch(BASE, &change).await,
                max.post("/v1/slack-integrations/test", &json!({})).await,
            ];
            for answer in answers.iter().filter(|answer| answer.status != 200) {
                assert_eq!(answer.ok(403)["error"]["codeType"], "PERMISSION_DENIED");
            }
            answers.map(|answer| answer.status.as_u16())
        };
        assert_eq!(statuses().await, [200, 200, 403, 403, 403], "a member's permissions");
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
        assert_eq!(
            app.owner.delete(&format!("/v1/tokens/{}", made["token"]["id"].as_str().unwrap())).await.status,
            204
        );
        assert_eq!(caller.get(BASE).await.ok(401)["error"]["codeType"], "UNAUTHENTICATED");
        caller.post("/v1/events", &step("refused")).await.problem(401, "token_revoked");
    }

    async fn slack_that_is_installed_in_one_is_connected_in_all(app) {
        assert_eq!(cards(&app.owner).await, [Value::Null, Value::Null]);
        install(&app, &app.owner, TEAM).await;
        let theirs = integration(&app.owner).await;
        assert_eq!((&theirs["slackTeamId"], &theirs["slackChannelId"]), (&json!(TEAM), &json!("")));
        assert_eq!(cards(&app.owner).await, [Value::Null, theirs["id"].clone()]);
        let ours = destination(&app.owner).await;
        assert_eq!((&ours["kind"], &ours["health"]), (&json!("slack"), &json!("healthy")));
        app.owner.get(CHANNELS).await.ok(200);

        let set = json!({"slackChannelId": CHANNEL, "triggers": ["KIND_EXIT"]});
        app.owner.patch(BASE, &set).await.ok(200);
        app.step("sent").await;
        app.drain().await;
        assert_eq!(counts(&app).await, (1, 0));
        install(&app, &app.owner, TEAM).await;
        let again = integration(&app.owner).await;
        assert_eq!((&again["slackChannelId"], &again["triggers"]), (&json!(CHANNEL), &json!(["KIND_EXIT"])));
        assert_ne!(again["id"], theirs["id"]);
        assert_eq!(cards(&app.owner).await[1], again["id"]);
        assert_eq!(counts(&app).await, (1, 0), "it goes on counting");

        app.owner.delete(BASE).await.ok(200);
        assert_eq!(cards(&app.owner).await, [Value::Null, Value::Null]);
        assert_eq!(destination(&app.owner).await["health"], "disabled");
        install(&app, &app.owner, TEAM).await;
        let on = destination(&app.owner).await;
        assert_eq!((&on["health"], &on["id"]), (&json!("healthy"), &ours["id"]), "it outlives its connections");
    }

    async fn slack_that_is_connected_in_one_has_a_card_in_the_other(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        assert_eq!(cards(&app.owner).await[1], integration(&app.owner).await["id"]);
        app.owner.patch(BASE, &json!({"status": "SLACK_INTEGRATION_STATUS_PAUSED"})).await.ok(200);
        assert_eq!(cards(&app.owner).await[1], integration(&app.owner).await["id"]);
        app.slack.order("uninstall", json!({"team": TEAM})).await;
        assert_eq!(app.owner.post("/v1/slack-integrations/test", &json!({})).await.ok(200), json!({"success": false}));
        assert_eq!(integration(&app.owner).await["status"], "SLACK_INTEGRATION_STATUS_DISCONNECTED");
        assert_eq!(cards(&app.owner).await[1], Value::Null);
        install(&app, &app.owner, TEAM).await;
        let back = integration(&app.owner).await;
        assert_eq!(
            (&back["status"], &back["slackChannelId"]),
            (&json!("SLACK_INTEGRATION_STATUS_ACTIVE"), &json!(CHANNEL))
        );
        let other = app.other("globex").await;
        app.slack.install(&other, TEAM).await.ok(409);
        assert_eq!(cards(&app.owner).await[1], back["id"], "whichever way it was connected, it is theirs");
    }

    async fn github_that_is_linked_in_one_is_heard_in_the_other(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let rules = json!({"repositories": ["acme/web"], "events": ["pulls"]});
        let body = subscription(CHANNEL, rules);
        let route = app.owner.post("/v1/routes", &body).await.ok(201)["id"].as_str().unwrap().to_owned();
        let opened = async |number: i64, id: i64| {
            let order = json!({
                "event": "pull_request", "action": "opened", "installation": id, "repository": "web", "number": number,
            });
            let sent = app.github.send(order).await;
            app.drain().await;
            serde_json::from_str::<Value>(sent["body"].as_str().unwrap()).unwrap()
        };
        let id = app.github.install("acme").await;
        assert_eq!(opened(1, id).await["ignored"], true, "nobody has linked it");
        assert_eq!(app.github.link(&app.owner, "acme", "acme").await, id);
        assert_eq!(opened(2, id).await["events"], 1);
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 1);
        let events = app.owner.get("/v1/events").await.ok(200);
        assert_eq!(
            (events["data"].as_array().unwrap().len(), &events["data"][0]["type"]),
            (1, &json!("github.pull_request"))
        );
        let event = events["data"][0]["id"].as_str().unwrap();
        let told = app.owner.get(&format!("/v1/events/{event}")).await.ok(200);
        assert_eq!((&told["decisions"][0]["routeId"], &told["decisions"][0]["state"]), (&json!(route), &json!("delivered")));

        let named = json!({"ref": cards(&app.owner).await[0], "team": "acme"});
        assert_eq!(app.owner.post(UNLINK, &named).await.status, 200);
        assert_eq!(opened(3, id).await["ignored"], true);
        app.owner.get(&format!("/v1/routes/{route}")).await.ok(200);
        assert_eq!(app.owner.post(GITHUB_LINK, &named).await.status, 200);
        assert_eq!(opened(4, id).await["events"], 1);
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 2, "the subscriptions are active again");
    }

    async fn permissions_of_one_decide_for_the_cards(app) {
        app.github.link(&app.owner, "acme", "acme").await;
        let max = app.caller("acme", "max", Role::Member).await;
        let path = member_path(&app, "max").await;
        let unlink = json!({"ref": 1, "team": "acme"});
        let statuses = async || {
            let answers = [
                max.get("/api/v2/integration?team=acme").await,
                max.get("/api/v2/integration/github/installation?team=acme").await,
                max.get(INSTALL).await,
                max.get(OAUTH_URL).await,
                max.post(UNLINK, &unlink).await,
                max.get("/v1/routes").await,
            ];
            for answer in answers.iter().filter(|answer| answer.status == 403) {
                assert!(answer.text.contains("permission"), "{}", answer.text);
            }
            answers.map(|answer| answer.status.as_u16())
        };
        assert_eq!(statuses().await, [200, 200, 403, 403, 403, 200], "a member's permissions");
        for (permissions, expected) in [
            (json!(["slack:read", "github:read"]), [200, 200, 403, 403, 403, 403]),
            (json!(["slack:manage"]), [403, 403, 302, 200, 403, 403]),
            (json!(["github:manage"]), [403, 403, 403, 403, 200, 403]),
            (json!([]), [403, 403, 403, 403, 403, 403]),
        ] {
            app.owner.patch(&path, &json!({"permissions": permissions})).await.ok(200);
            assert_eq!(statuses().await, expected, "{permissions}");
        }
        app.owner.patch(&path, &json!({"role": "admin"})).await.ok(200);
        assert_eq!(statuses().await, [200, 200, 302, 200, 200, 200]);
    }
}
