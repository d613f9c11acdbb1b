//! Tests of the Linkbreakers dialect: every operation, every field, every refusal.

use std::{collections::BTreeSet, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::support::{Answer, Client, TestApp};

const BASE: &str = "/v1/slack-integrations";
const CHANNELS: &str = "/v1/slack-integrations/channels";
const TEST: &str = "/v1/slack-integrations/test";
const TEAM: &str = "T0STANDIN";
const CHANNEL: &str = "C0ALERTS";
const LINK: &str = "0199c1de-0000-7000-8000-000000000001";
const PAUSED: &str = "SLACK_INTEGRATION_STATUS_PAUSED";
const ACTIVE: &str = "SLACK_INTEGRATION_STATUS_ACTIVE";
const DISCONNECTED: &str = "SLACK_INTEGRATION_STATUS_DISCONNECTED";

async fn install(app: &TestApp) -> Value {
    app.slack.install(&app.owner, TEAM).await.ok(200)["slackIntegration"].clone()
}

async fn connect(app: &TestApp) {
    app.slack.connect(&app.owner, TEAM, CHANNEL).await;
}

async fn integration(caller: &Client) -> Value {
    caller.get(BASE).await.ok(200)["slackIntegration"].clone()
}

async fn patch(app: &TestApp, change: &Value) -> Value {
    app.owner.patch(BASE, change).await.ok(200)["slackIntegration"].clone()
}

async fn test(app: &TestApp) -> Answer {
    app.owner.post(TEST, &json!({})).await
}

/// Asserts the product's error body, and returns its contents.
#[track_caller]
fn refused(answer: &Answer, code: u16, code_type: &str) -> Value {
    let body = answer.ok(code);
    let error = &body["error"];
    assert_eq!(keys(&body), ["code", "codeType", "details", "error", "message"].into());
    for member in ["code", "codeType", "details", "message"] {
        assert_eq!(body[member], error[member], "the SDKs read it unwrapped");
    }
    assert_eq!(keys(error), ["code", "codeType", "details", "message"].into());
    assert_eq!((&error["code"], &error["codeType"]), (&json!(code), &json!(code_type)), "{body}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()) && error["details"].is_array());
    error.clone()
}

/// Locations that an error names.
fn complaints(error: &Value) -> BTreeSet<&str> {
    error["details"].as_array().unwrap().iter().map(|detail| detail["field"].as_str().unwrap()).collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn time(value: &Value) -> chrono::DateTime<chrono::Utc> {
    value.as_str().unwrap().parse().unwrap()
}

both! {
    async fn nothing_is_connected_at_first(app) {
        let answer = app.owner.get(BASE).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "{}"), "absent, not null");
        for answer in [
            app.owner.get(CHANNELS).await,
            test(&app).await,
            app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL})).await,
            app.owner.delete(BASE).await,
        ] {
            refused(&answer, 404, "NOT_FOUND");
        }
        assert_eq!(app.slack.calls("conversations.list").await.len(), 0);
    }

    async fn a_fresh_connection_has_every_field(app) {
        let made = install(&app).await;
        let all = [
            "createdAt", "createdBy", "failureCount", "id", "linkId", "slackChannelId", "slackChannelName", "slackTeamId",
            "slackTeamName", "status", "successCount", "triggers", "updatedAt", "workspaceId",
        ];
        assert_eq!(keys(&made), all.into(), "nothing was sent, so there is no lastSentAt");
        let organisation = app.owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].clone();
        let members = app.owner.get(&format!("/v1/organisations/{}/members", organisation.as_str().unwrap())).await;
        for (field, expected) in [
            ("workspaceId", organisation),
            ("createdBy", members.ok(200)["data"][0]["userId"].clone()),
            ("slackTeamId", json!(TEAM)),
            ("slackTeamName", json!("Acme Stand-in")),
            ("slackChannelId", json!("")),
            ("slackChannelName", json!("")),
            ("status", json!(ACTIVE)),
            ("triggers", json!([])),
            ("linkId", json!("")),
            ("successCount", json!(0)),
            ("failureCount", json!(0)),
            ("updatedAt", made["createdAt"].clone()),
        ] {
            assert_eq!(made[field], expected, "{field}");
        }
        assert_eq!(time(&made["createdAt"]), app.now());
        assert_eq!(integration(&app.owner).await, made);
    }

    async fn channels_are_listed_to_the_last_page(app) {
        install(&app).await;
        app.slack.order("channels", json!({"team": TEAM, "count": 600, "prefix": "many"})).await;
        let answer = app.owner.get(CHANNELS).await.ok(200);
        let channels = answer["channels"].as_array().unwrap();
        assert!(app.slack.calls("conversations.list").await.len() >= 2);
        let ids: BTreeSet<_> = channels.iter().map(|channel| channel["id"].as_str().unwrap()).collect();
        assert_eq!((ids.len(), channels.len()), (853, 853), "each once");
        assert!(channels.iter().all(|channel| keys(channel) == ["id", "isMember", "isPrivate", "name"].into()));
        let find = |id: &str| channels.iter().find(|channel| channel["id"] == id);
        for (id, name, member, private) in [
            ("C0GENERAL", "general", false, false),
            (CHANNEL, "alerts", true, false),
            ("C0TEAM250", "team-250", false, false),
            ("C0SECRET", "secret-plans", true, true),
        ] {
            let expected = json!({"id": id, "name": name, "isMember": member, "isPrivate": private});
            assert_eq!(find(id), Some(&expected));
        }
        assert!(find("C0PRIVATE").is_none() && find("C0OLD").is_none(), "not invited, and archived");
        app.slack.order("join", json!({"channel": "C0GENERAL"})).await;
        app.slack.order("archive", json!({"channel": CHANNEL})).await;
        let again = app.owner.get(CHANNELS).await.ok(200);
        let again = again["channels"].as_array().unwrap();
        assert!(again.iter().any(|channel| channel["id"] == "C0GENERAL" && channel["isMember"] == true));
        assert!(again.iter().all(|channel| channel["id"] != CHANNEL));
    }

    async fn channels_need_slack(app) {
        install(&app).await;
        for (fault, status, code_type, retry_after) in [
            (json!({"status": 500}), 503, "UNAVAILABLE", ""),
            (json!({"drop": "before"}), 503, "UNAVAILABLE", ""),
            (json!({"hang": "headers"}), 503, "UNAVAILABLE", ""),
            (json!({"body": "<html>"}), 503, "UNAVAILABLE", ""),
            (json!({"retryAfterSecs": 33}), 503, "UNAVAILABLE", "33"),
            (json!({"error": "missing_scope"}), 502, "UNKNOWN", ""),
        ] {
            let mut order = fault.clone();
            order["method"] = json!("conversations.list");
            app.slack.fault(order).await;
            let answer = app.owner.get(CHANNELS).await;
            let error = refused(&answer, status, code_type);
            assert_eq!(answer.header("retry-after"), retry_after, "{fault}");
            if let Some(code) = fault["error"].as_str() {
                assert!(error["message"].as_str().unwrap().contains(code), "{error}");
            }
            app.slack.mend().await;
        }
        assert_eq!(integration(&app.owner).await["status"], ACTIVE);
        app.owner.get(CHANNELS).await.ok(200);
    }

    async fn channels_find_a_dead_token(app) {
        connect(&app).await;
        let waiting = app.step("waiting").await;
        app.slack.order("uninstall", json!({"team": TEAM})).await;
        refused(&app.owner.get(CHANNELS).await, 502, "UNKNOWN");
        assert_eq!(integration(&app.owner).await["status"], DISCONNECTED);
        let delivery = app.delivery_of(&waiting).await;
        assert_eq!(delivery["state"], "failed");
        assert!(delivery["reason"].as_str().unwrap().contains("connect Slack again"), "{delivery}");
    }

    async fn a_test_message_arrives_also_while_paused(app) {
        connect(&app).await;
        let success = json!({"success": true});
        assert_eq!(test(&app).await.ok(200), success);
        let without_a_body = app.owner.send(app.owner.request(Method::POST, TEST)).await;
        assert_eq!(without_a_body.ok(200), success);
        patch(&app, &json!({"status": PAUSED})).await;
        assert_eq!(test(&app).await.ok(200), success);
        let texts = app.slack.texts(CHANNEL).await;
        assert_eq!(texts.len(), 3);
        assert!(texts.iter().all(|text| text.contains("test") && text.contains("Acme")), "{texts:?}");
        let integration = integration(&app.owner).await;
        assert_eq!((&integration["status"], &integration["successCount"]), (&json!(PAUSED), &json!(0)));
        assert_eq!(app.deliveries("").await.len(), 0, "a test is not an event");
    }

    async fn a_test_needs_a_channel(app) {
        install(&app).await;
        let error = refused(&test(&app).await, 400, "FAILED_PRECONDITION");
        assert!(error["message"].as_str().unwrap().contains("slackChannelId"), "{error}");
        assert_eq!(app.slack.calls("chat.postMessage").await.len(), 0);
    }

    async fn a_test_that_slack_refuses_is_a_false_success(app) {
        install(&app).await;
        for channel in ["C0GENERAL", "C0OLD", "C0PRIVATE", "C0NOWHERE"] {
            patch(&app, &json!({"slackChannelId": channel})).await;
            assert_eq!(test(&app).await.ok(200), json!({"success": false}), "{channel}");
        }
        assert_eq!(integration(&app.owner).await["status"], ACTIVE);
        app.slack.order("uninstall", json!({"team": TEAM})).await;
        assert_eq!(test(&app).await.ok(200), json!({"success": false}));
        assert_eq!(integration(&app.owner).await["status"], DISCONNECTED);
    }

    async fn a_test_that_slack_does_not_answer_can_be_retried(app) {
        connect(&app).await;
        for (fault, retry_after) in [
            (json!({"method": "chat.postMessage", "status": 503}), ""),
            (json!({"method": "chat.postMessage", "drop": "before"}), ""),
            (json!({"method": "chat.postMessage", "hang": "body"}), ""),
            (json!({"method": "chat.postMessage", "retryAfterSecs": 7}), "7"),
        ] {
            app.slack.fault(fault.clone()).await;
            let answer = test(&app).await;
            refused(&answer, 503, "UNAVAILABLE");
            assert_eq!(answer.header("retry-after"), retry_after, "{fault}");
            app.slack.mend().await;
        }
        assert_eq!(test(&app).await.ok(200), json!({"success": true}));
    }

    async fn a_test_that_arrives_closes_the_circuit(app) {
        connect(&app).await;
        app.slack.order("archive", json!({"channel": CHANNEL})).await;
        app.step("refused").await;
        app.drain().await;
        let health = async || app.owner.get("/v1/destinations").await.ok(200)["data"][0]["health"].clone();
        assert_eq!(health().await, "failing");
        app.slack.order("unarchive", json!({"channel": CHANNEL})).await;
        assert_eq!(test(&app).await.ok(200), json!({"success": true}));
        assert_eq!(health().await, "healthy");
        let event = app.step("sent at once").await;
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
    }

    async fn each_field_changes_alone(app) {
        let mut expected = install(&app).await;
        app.advance(Duration::from_secs(5));
        for (change, also) in [
            (json!({"slackChannelId": CHANNEL}), json!({})),
            (json!({"slackChannelName": "alerts"}), json!({})),
            (json!({"triggers": ["KIND_EXIT", "KIND_CONDITION"]}), json!({})),
            (json!({"triggers": ["KIND_ENTRY", "KIND_EXIT", "KIND_INTERACTION", "KIND_CONDITION"]}), json!({})),
            (json!({"linkId": LINK}), json!({})),
            (json!({"linkId": LINK.to_uppercase()}), json!({"linkId": LINK})),
            (json!({"status": PAUSED}), json!({})),
            (json!({"status": ACTIVE}), json!({})),
            (json!({"slackChannelId": CHANNEL}), json!({})),
            (json!({}), json!({})),
            (json!({"slackChannelId": "C0GENERAL"}), json!({"slackChannelName": ""})),
            (json!({"slackChannelName": "#general"}), json!({"slackChannelName": "general"})),
            (json!({"slackChannelId": CHANNEL, "slackChannelName": "alerts"}), json!({})),
            (json!({"linkId": ""}), json!({})),
            (json!({"triggers": []}), json!({})),
            (json!({"slackChannelId": ""}), json!({"slackChannelName": ""})),
        ] {
            for changed in [&change, &also] {
                expected.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
            }
            let mut got = patch(&app, &change).await;
            assert_eq!(integration(&app.owner).await, got, "{change}");
            assert_eq!(time(&got["updatedAt"]), app.now(), "{change}");
            got["updatedAt"] = expected["updatedAt"].clone();
            for one in [&mut got, &mut expected] {
                one["triggers"].as_array_mut().unwrap().sort_by_key(Value::to_string);
            }
            assert_eq!(got, expected, "{change}");
        }
    }

    async fn a_trigger_counts_once(app) {
        connect(&app).await;
        let changed = patch(&app, &json!({"triggers": ["KIND_EXIT", "KIND_EXIT"]})).await;
        assert_eq!(changed["triggers"], json!(["KIND_EXIT"]));
    }

    async fn a_change_that_breaks_a_rule_changes_nothing(app) {
        connect(&app).await;
        let before = integration(&app.owner).await;
        app.advance(Duration::from_secs(5));
        for (change, fields) in [
            (json!({"status": DISCONNECTED}), vec!["/status"]),
            (json!({"status": "SLACK_INTEGRATION_STATUS_UNSPECIFIED"}), vec!["/status"]),
            (json!({"status": "PAUSED"}), vec!["/status"]),
            (json!({"status": null}), vec!["/status"]),
            (json!({"triggers": ["KIND_UNSPECIFIED"]}), vec!["/triggers"]),
            (json!({"triggers": ["KIND_EXIT", "EXIT"]}), vec!["/triggers/1"]),
            (json!({"triggers": "KIND_EXIT"}), vec!["/triggers"]),
            (json!({"linkId": "nonsense"}), vec!["/linkId"]),
            (json!({"linkId": 7}), vec!["/linkId"]),
            (json!({"slackChannelId": "#alerts"}), vec!["/slackChannelId"]),
            (json!({"slackChannelName": "x".repeat(81)}), vec!["/slackChannelName"]),
            (json!({"slackChannelId": "C0GENERAL", "linkId": "nonsense"}), vec!["/linkId"]),
            (
                json!({
                    "slackChannelId": "#alerts", "slackChannelName": "a\nb", "linkId": "nonsense",
                    "triggers": ["KIND_UNSPECIFIED"], "status": DISCONNECTED,
                }),
                vec!["/linkId", "/slackChannelId", "/slackChannelName", "/status", "/triggers"],
            ),
            (json!({"status": "nonsense", "triggers": ["nonsense"]}), vec!["/status", "/triggers/0"]),
            (json!([]), vec![""]),
        ] {
            let error = refused(&app.owner.patch(BASE, &change).await, 400, "INVALID_ARGUMENT");
            assert_eq!(complaints(&error), fields.into_iter().collect(), "{change}: {error}");
            assert_eq!(integration(&app.owner).await, before, "{change}");
        }
        let unknown = app.owner.patch(BASE, &json!({"slackChannel": CHANNEL})).await;
        refused(&unknown, 400, "INVALID_ARGUMENT");
        let nothing = app.owner.send(app.owner.request(Method::PATCH, BASE)).await;
        refused(&nothing, 400, "INVALID_ARGUMENT");
    }

    async fn a_dead_connection_is_not_set_active_manually(app) {
        connect(&app).await;
        app.slack.order("uninstall", json!({"team": TEAM})).await;
        test(&app).await.ok(200);
        for status in [ACTIVE, PAUSED] {
            let error = refused(&app.owner.patch(BASE, &json!({"status": status})).await, 400, "INVALID_ARGUMENT");
            assert_eq!(complaints(&error), ["/status"].into());
        }
        assert_eq!(patch(&app, &json!({"slackChannelId": "C0TEAM001"})).await["status"], DISCONNECTED);
        let event = app.step("nobody there").await;
        assert_eq!(app.delivery_of(&event).await["state"], "failed", "another channel revives nothing");
    }

    async fn counts_and_times_follow_the_tries(app) {
        connect(&app).await;
        let numbers = async || {
            let integration = integration(&app.owner).await;
            let count = |name: &str| integration[name].as_i64().unwrap();
            (count("successCount"), count("failureCount"), integration.get("lastSentAt").map(time))
        };
        let expected = |successes: i64, failures: i64| (successes, failures, Some(app.now()));
        assert_eq!(numbers().await, (0, 0, None));
        app.step("first").await;
        app.drain().await;
        assert_eq!(numbers().await, expected(1, 0));
        app.advance(Duration::from_secs(60));
        app.slack.fault(json!({"method": "chat.postMessage", "status": 503, "times": 1})).await;
        app.step("second").await;
        app.drain().await;
        assert_eq!(numbers().await, expected(1, 1), "each try moves it");
        app.advance(Duration::from_secs(60));
        app.drain().await;
        assert_eq!(numbers().await, expected(2, 1));
        let last = app.now();
        app.advance(Duration::from_secs(60));
        patch(&app, &json!({"status": PAUSED})).await;
        app.step("kept").await;
        app.drain().await;
        assert_eq!(numbers().await, (2, 1, Some(last)), "a skipped event is not counted");
    }

    async fn counts_have_the_form_that_the_version_of_the_sdk_reads(app) {
        let state = app.slack.install(&app.owner, TEAM).await.ok(200);
        assert_eq!(state["slackIntegration"]["successCount"], 0);
        for (agent, expected) in [
            ("OpenAPI-Generator/1.183.3/python", json!(0)),
            ("OpenAPI-Generator/1.163.0/python", json!(0)),
            ("OpenAPI-Generator/1.162.1/python", json!("0")),
            ("OpenAPI-Generator/1.51.4/go", json!("0")),
            ("OpenAPI-Generator/1.0.0/python", json!(0)),
        ] {
            for request in [app.owner.request(Method::GET, BASE), app.owner.request(Method::PATCH, BASE).json(&json!({}))] {
                let answer = app.owner.send(request.header("user-agent", agent)).await.ok(200);
                for name in ["successCount", "failureCount"] {
                    assert_eq!(answer["slackIntegration"][name], expected, "{agent}");
                }
            }
        }
    }

    async fn disconnecting_revokes_and_removes(app) {
        connect(&app).await;
        let token = app.slack.bot_token(TEAM).await;
        let event = app.step("too late").await;
        let answer = app.owner.delete(BASE).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "{}"));
        assert_eq!(app.slack.calls("auth.revoke").await.len(), 1);
        assert_eq!(app.slack.auth_test(&token).await["error"], "token_revoked");
        assert_eq!(app.owner.get(BASE).await.text, "{}");
        refused(&app.owner.delete(BASE).await, 404, "NOT_FOUND");
        app.drain().await;
        let delivery = app.delivery_of(&event).await;
        assert_eq!(delivery["state"], "failed");
        assert!(delivery["reason"].as_str().unwrap().contains("deleted"), "{delivery}");
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 0);
        let after = app.step("nobody listens").await;
        assert_eq!(app.deliveries(&format!("eventId={after}")).await.len(), 0);
    }

    async fn disconnecting_does_not_wait_for_slack(app) {
        for fault in [json!({"status": 500}), json!({"hang": "headers"}), json!({"error": "token_revoked"})] {
            install(&app).await;
            let mut order = fault;
            order["method"] = json!("auth.revoke");
            app.slack.fault(order).await;
            assert_eq!(app.owner.delete(BASE).await.ok(200), json!({}));
            assert_eq!(app.owner.get(BASE).await.text, "{}");
            app.slack.mend().await;
        }
    }

    async fn connecting_again_starts_afresh(app) {
        connect(&app).await;
        let token = app.slack.bot_token(TEAM).await;
        app.step("sent").await;
        app.drain().await;
        let change = json!({"triggers": ["KIND_EXIT"], "linkId": LINK, "slackChannelName": "alerts"});
        let before = patch(&app, &change).await;
        assert_eq!(before["successCount"], 1);
        let waiting = app.step("waiting").await;
        app.advance(Duration::from_secs(5));
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let after = app.slack.install(&admin, TEAM).await.ok(200)["slackIntegration"].clone();
        for field in ["id", "createdBy", "createdAt"] {
            assert_ne!(after[field], before[field], "{field}");
        }
        for (field, expected) in [
            ("status", json!(ACTIVE)),
            ("slackChannelId", json!("")),
            ("slackChannelName", json!("")),
            ("triggers", json!([])),
            ("linkId", json!("")),
            ("successCount", json!(0)),
            ("failureCount", json!(0)),
        ] {
            assert_eq!(after[field], expected, "{field}");
        }
        assert!(after.get("lastSentAt").is_none());
        assert_eq!(integration(&app.owner).await, after);
        assert_eq!(app.slack.calls("auth.revoke").await.len(), 0, "it is the same workspace, and the same token");
        assert_eq!(app.slack.auth_test(&token).await["ok"], true);
        let delivery = app.delivery_of(&waiting).await;
        assert_eq!(delivery["state"], "failed");
        assert!(delivery["reason"].as_str().unwrap().contains("channel"), "{delivery}");
    }

    async fn another_workspace_takes_the_place_of_the_old_one(app) {
        connect(&app).await;
        let token = app.slack.bot_token(TEAM).await;
        app.slack.connect(&app.owner, "T0SECOND", "C1ALERTS").await;
        assert_eq!(app.slack.auth_test(&token).await["error"], "token_revoked");
        let integration = integration(&app.owner).await;
        assert_eq!((&integration["slackTeamId"], &integration["status"]), (&json!("T0SECOND"), &json!(ACTIVE)));
        app.step("to the new one").await;
        app.drain().await;
        assert_eq!((app.slack.texts(CHANNEL).await.len(), app.slack.texts("C1ALERTS").await.len()), (0, 1));
        let other = app.other("globex").await;
        app.slack.install(&other, TEAM).await.ok(200);
    }

    async fn the_workspace_of_another_organisation_is_not_taken(app) {
        connect(&app).await;
        let before = integration(&app.owner).await;
        let other = app.other("globex").await;
        let error = refused(&app.slack.install(&other, TEAM).await, 409, "ALREADY_EXISTS");
        assert!(!error["message"].as_str().unwrap().contains("acme"), "the owner stays unnamed: {error}");
        assert_eq!(other.get(BASE).await.text, "{}");
        app.slack.connect(&other, "T0SECOND", "C1ALERTS").await;
        let others = integration(&other).await;
        refused(&app.slack.install(&other, TEAM).await, 409, "ALREADY_EXISTS");
        assert_eq!(integration(&other).await, others, "its settings stay");
        assert_eq!(integration(&app.owner).await, before);
        let event = app.step("still mine").await;
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 1);
    }

    async fn the_bot_token_is_in_no_answer(app) {
        let mut answers = vec![app.slack.install(&app.owner, TEAM).await];
        let token = app.slack.bot_token(TEAM).await;
        answers.push(app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL})).await);
        let event = app.step("sent").await;
        app.drain().await;
        let delivery = app.delivery_of(&event).await;
        answers.push(app.owner.get(&format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap())).await);
        let echo = json!({"method": "conversations.list", "body": json!({"ok": false, "error": token}).to_string()});
        app.slack.fault(echo).await;
        answers.push(app.owner.get(CHANNELS).await);
        app.slack.mend().await;
        for path in [BASE, CHANNELS, "/v1/slack-integrations/oauth-url", "/v1/destinations", "/v1/deliveries", "/metrics"] {
            answers.push(app.owner.get(path).await);
        }
        answers.push(test(&app).await);
        answers.push(app.owner.delete(BASE).await);
        for secret in [&token, &standin::Options::default().client_secret] {
            for answer in &answers {
                let shown = format!("{answer:?}");
                assert!(!shown.contains(secret.as_str()), "{shown}");
            }
        }
    }

    async fn what_http_does_wrong_has_the_same_shape(app) {
        refused(&app.anon.get(BASE).await, 401, "UNAUTHENTICATED");
        assert!(app.anon.get(BASE).await.header("www-authenticate").starts_with("Bearer"));
        refused(&app.anon.with_token("nonsense").get(BASE).await, 401, "UNAUTHENTICATED");
        refused(&app.owner.get("/v1/slack-integrations/nothing").await, 404, "NOT_FOUND");
        refused(&app.owner.get("/v1/slack-integrations/").await, 404, "NOT_FOUND");
        let put = app.owner.put(BASE).await;
        refused(&put, 405, "UNIMPLEMENTED");
        assert_eq!(put.header("allow").split(", ").collect::<BTreeSet<_>>(), ["DELETE", "GET", "HEAD", "PATCH"].into());
        let text = app.owner.request(Method::PATCH, BASE).header("content-type", "text/plain").body("{}");
        refused(&app.owner.send(text).await, 415, "INVALID_ARGUMENT");
        let broken = app.owner.request(Method::PATCH, BASE).header("content-type", "application/json").body("{");
        refused(&app.owner.send(broken).await, 400, "INVALID_ARGUMENT");
        let member = app.caller("acme", "max", Role::Member).await;
        refused(&member.get("/v1/slack-integrations/oauth-url").await, 403, "PERMISSION_DENIED");
    }
}
