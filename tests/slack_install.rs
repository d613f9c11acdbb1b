//! Tests of installing the Slack app through the Boomerang dialect: redirections, stored grants, and the owner of a
//! workspace.

use std::{collections::BTreeSet, time::Duration};

use reqwest::Url;
use serde_json::{Value, json};
use standin::Options;
use tieline::domain::tenancy::member::Role;

use crate::support::{Answer, Client, Database, Setup, TestApp, until};

const INSTALL: &str = "/api/v2/integration/slack/install";
const AUTH: &str = "/api/v2/integration/slack/auth";
const BASE: &str = "/v1/slack-integrations";
const CHANNELS: &str = "/v1/slack-integrations/channels";
const TEAM: &str = "T0STANDIN";
const SECOND: &str = "T0SECOND";
const CHANNEL: &str = "C0ALERTS";
/// Time limit of a wait for another task.
const WAIT_LIMIT: Duration = Duration::from_secs(5);

/// Asserts an error of the Boomerang dialect, and returns its message.
#[track_caller]
fn error(answer: &Answer, status: u16, reason: &str) -> String {
    let body = answer.ok(status);
    assert_eq!((&body["code"], &body["reason"]), (&json!(status), &json!(reason)), "{}", answer.text);
    body["message"].as_str().unwrap().to_owned()
}

/// Returns a query parameter of an address.
fn said(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}

/// Slack's page, to which a caller is redirected.
async fn begun(caller: &Client) -> String {
    let answer = caller.get(INSTALL).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (302, ""));
    answer.header("location").to_owned()
}

/// Comes back from Slack with the caller's credential, so that no consent page is needed.
async fn come_back(caller: &Client, (code, state): &(String, String)) -> Answer {
    caller.get(&format!("{AUTH}?code={code}&state={state}")).await
}

/// Runs the whole flow.
async fn install(app: &TestApp, caller: &Client, team: &str) -> Answer {
    let granted = app.slack.allow(&begun(caller).await, team).await;
    come_back(caller, &granted).await
}

/// Runs the whole flow for all workspaces of the organisation that `team` belongs to.
async fn install_org_wide(app: &TestApp, caller: &Client, team: &str) -> Answer {
    let page = begun(caller).await;
    let mut order = json!({"team": team, "org_wide": true});
    for name in ["client_id", "redirect_uri", "state", "scope"] {
        order[name] = json!(said(&page, name));
    }
    let code = app.slack.order("authorize", order).await["code"].as_str().unwrap().to_owned();
    come_back(caller, &(code, said(&page, "state"))).await
}

/// Asserts that the browser is redirected into Slack.
#[track_caller]
fn installed(answer: &Answer, team: &str) {
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (302, ""));
    assert_eq!(answer.header("location"), format!("slack://app?team={team}&id={}", Options::default().app_id));
    assert_eq!((answer.header("cache-control"), answer.header("referrer-policy")), ("no-store", "no-referrer"));
    assert!(!format!("{answer:?}").contains("xox"), "{answer:?}");
}

async fn integration(caller: &Client) -> Value {
    caller.get(BASE).await.ok(200)["slackIntegration"].clone()
}

async fn delivered(app: &TestApp, name: &str, channel: &str) {
    let event = app.step(name).await;
    app.drain().await;
    let delivery = app.delivery_of(&event).await;
    assert_eq!(
        (&delivery["state"], &delivery["attempts"][0]["address"]),
        (&json!("delivered"), &json!(channel)),
        "{delivery}"
    );
}

async fn exchanges(app: &TestApp) -> usize {
    app.slack.calls("oauth.v2.access").await.len()
}

/// Path of a member of `acme`.
async fn place(app: &TestApp, username: &str) -> String {
    let id = app.owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let members = app.owner.get(&format!("/v1/organisations/{id}/members")).await.ok(200);
    let member = members["data"].as_array().unwrap().iter().find(|member| member["username"] == username).unwrap();
    format!("/v1/organisations/{id}/members/{}", member["userId"].as_str().unwrap())
}

both! {
    async fn the_way_leads_to_slack_and_into_it(app) {
        let page = begun(&app.owner).await;
        assert!(page.starts_with(&format!("{}/oauth/v2/authorize?", app.slack.base())), "{page}");
        assert_eq!(said(&page, "client_id"), Options::default().client_id);
        let scopes = said(&page, "scope");
        let expected = "chat:write,channels:read,groups:read,commands,users:read,users:read.email";
        assert_eq!(scopes, expected, "the scopes of commands and the home tab, too");
        assert!(said(&page, "redirect_uri").ends_with(AUTH), "{page}");
        assert!(said(&page, "state").len() >= 43, "at least 256 bits");
        assert_ne!(said(&begun(&app.owner).await, "state"), said(&page, "state"));

        let granted = app.slack.allow(&page, TEAM).await;
        installed(&come_back(&app.owner, &granted).await, TEAM);
        let made = integration(&app.owner).await;
        assert_eq!((&made["slackTeamId"], &made["status"]), (&json!(TEAM), &json!("SLACK_INTEGRATION_STATUS_ACTIVE")));
        error(&come_back(&app.owner, &granted).await, 400, "INTEGRATION_INVALID_STATE");
        assert_eq!(integration(&app.owner).await, made, "a reload takes nothing back");
        assert_eq!(exchanges(&app).await, 1);
        app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL})).await.ok(200);
        delivered(&app, "first", CHANNEL).await;
    }

    async fn the_same_workspace_keeps_what_is_set_up(app) {
        installed(&install(&app, &app.owner, TEAM).await, TEAM);
        let link = "0199c1de-0000-7000-8000-000000000001";
        let set =
            json!({"slackChannelId": CHANNEL, "slackChannelName": "alerts", "triggers": ["KIND_EXIT"], "linkId": link});
        app.owner.patch(BASE, &set).await.ok(200);
        delivered(&app, "before", CHANNEL).await;
        let waiting = app.step("waiting").await;
        let before = integration(&app.owner).await;
        app.advance(Duration::from_secs(60));
        app.set_their_clocks().await;
        installed(&install(&app, &app.owner, TEAM).await, TEAM);
        let after = integration(&app.owner).await;
        for field in [
            "slackChannelId",
            "slackChannelName",
            "triggers",
            "linkId",
            "status",
            "successCount",
            "failureCount",
            "lastSentAt",
        ] {
            assert_eq!(after[field], before[field], "{field}");
        }
        app.drain().await;
        assert_eq!(app.delivery_of(&waiting).await["state"], "delivered");
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 2);

        app.owner.patch(BASE, &json!({"status": "SLACK_INTEGRATION_STATUS_PAUSED"})).await.ok(200);
        installed(&install(&app, &app.owner, TEAM).await, TEAM);
        assert_eq!(integration(&app.owner).await["status"], "SLACK_INTEGRATION_STATUS_PAUSED", "a pause stays one");
    }

    async fn another_workspace_begins_anew(app) {
        installed(&install(&app, &app.owner, TEAM).await, TEAM);
        app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL, "triggers": ["KIND_EXIT"]})).await.ok(200);
        let token = app.slack.bot_token(TEAM).await;
        installed(&install(&app, &app.owner, SECOND).await, SECOND);
        let made = integration(&app.owner).await;
        assert_eq!(
            (&made["slackTeamId"], &made["slackChannelId"], &made["triggers"]),
            (&json!(SECOND), &json!(""), &json!([]))
        );
        assert_eq!(app.slack.auth_test(&token).await["error"], "token_revoked");
    }

    async fn a_workspace_is_not_taken_from_another_team(app) {
        let other = app.other("globex").await;
        installed(&install(&app, &app.owner, TEAM).await, TEAM);
        app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL})).await.ok(200);
        let ours = integration(&app.owner).await;
        let message = error(&install(&app, &other, TEAM).await, 409, "CONFLICT");
        assert!(message.contains("another organisation") && !message.contains("Acme\""), "{message}");
        assert!(integration(&other).await.is_null());

        installed(&install(&app, &other, SECOND).await, SECOND);
        other.patch(BASE, &json!({"slackChannelId": "C1ALERTS"})).await.ok(200);
        let theirs = integration(&other).await;
        error(&install(&app, &other, TEAM).await, 409, "CONFLICT");
        assert_eq!(
            (integration(&app.owner).await, integration(&other).await),
            (ours, theirs),
            "nothing is overwritten"
        );
        delivered(&app, "still ours", CHANNEL).await;
        let test = |caller: &Client| {
            let caller = caller.clone();
            async move { caller.post("/v1/slack-integrations/test", &json!({})).await.ok(200) }
        };
        assert_eq!(test(&other).await, json!({"success": true}), "their token still works");

        // The owner disconnects it first.
        app.owner.delete(BASE).await.ok(200);
        installed(&install(&app, &other, TEAM).await, TEAM);
    }

    async fn who_was_uninstalled_comes_back(app) {
        installed(&install(&app, &app.owner, TEAM).await, TEAM);
        app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL, "slackChannelName": "alerts"})).await.ok(200);
        app.slack.order("uninstall", json!({"team": TEAM})).await;
        let lost = app.step("lost").await;
        app.drain().await;
        assert_eq!(integration(&app.owner).await["status"], "SLACK_INTEGRATION_STATUS_DISCONNECTED");
        app.owner.get(CHANNELS).await.ok(502);
        installed(&install(&app, &app.owner, TEAM).await, TEAM);
        let back = integration(&app.owner).await;
        assert_eq!(
            (&back["status"], &back["slackChannelId"]),
            (&json!("SLACK_INTEGRATION_STATUS_ACTIVE"), &json!(CHANNEL))
        );
        app.owner.get(CHANNELS).await.ok(200);
        delivered(&app, "back", CHANNEL).await;
        let lost = app.delivery_of(&lost).await["id"].as_str().unwrap().to_owned();
        app.owner.post(&format!("/v1/deliveries/{lost}/replay"), &json!({})).await.ok(202);
        app.drain().await;
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 2);
    }

    async fn a_state_is_for_its_member_and_its_way(app) {
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let other = app.other("globex").await;
        let granted = app.slack.allow(&begun(&app.owner).await, TEAM).await;
        let path = format!("{AUTH}?code={}&state={}", granted.0, granted.1);
        for thief in [&admin, &other] {
            error(&thief.get(&path).await, 400, "INTEGRATION_INVALID_STATE");
        }
        error(&app.anon.with_token("garbage").get(&path).await, 401, "TOKEN_INVALID");
        // It is not a valid state of the other flow to Slack, and neither the other way round.
        let body = json!({"code": granted.0, "state": granted.1});
        app.owner.post("/v1/slack-integrations/oauth/complete", &body).await.ok(400);
        let page = app.anon.get(&format!("/v1/slack/oauth/callback?code={}&state={}", granted.0, granted.1)).await;
        assert_eq!(page.status, 400, "{}", page.text);
        let url =
            app.owner.get("/v1/slack-integrations/oauth-url").await.ok(200)["oauthUrl"].as_str().unwrap().to_owned();
        let others = app.slack.allow(&url, TEAM).await;
        error(&come_back(&app.anon, &others).await, 400, "INTEGRATION_INVALID_STATE");
        assert_eq!(exchanges(&app).await, 0, "Slack is not asked");
        installed(&app.owner.get(&path).await, TEAM);
        let body = json!({"code": others.0, "state": others.1});
        app.owner.post("/v1/slack-integrations/oauth/complete", &body).await.ok(200);

        let old = app.slack.allow(&begun(&app.owner).await, TEAM).await;
        app.advance(Duration::from_secs(600));
        assert!(error(&come_back(&app.owner, &old).await, 400, "INTEGRATION_INVALID_STATE").contains("too old"));
    }

    async fn who_may_no_longer_install_does_not(app) {
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let first = app.slack.allow(&begun(&admin).await, TEAM).await;
        let second = app.slack.allow(&begun(&admin).await, TEAM).await;
        let path = place(&app, "ada").await;
        app.owner.patch(&path, &json!({"role": "member"})).await.ok(200);
        error(&come_back(&admin, &first).await, 403, "PERMISSION_DENIED");
        error(&admin.get(INSTALL).await, 403, "PERMISSION_DENIED");
        app.owner.delete(&path).await.ok(204);
        error(&come_back(&app.anon, &second).await, 400, "INTEGRATION_INVALID_STATE");
        assert_eq!((integration(&app.owner).await, exchanges(&app).await), (Value::Null, 0));
    }

    async fn who_leaves_meanwhile_installs_nothing(app) {
        for (username, is_removed, status, reason) in
            [("ada", false, 403, "PERMISSION_DENIED"), ("bert", true, 400, "INTEGRATION_INVALID_STATE")]
        {
            let admin = app.caller("acme", username, Role::Admin).await;
            let granted = app.slack.allow(&begun(&admin).await, TEAM).await;
            let path = place(&app, username).await;
            app.slack.fault(json!({"method": "oauth.v2.access", "latencyMs": 300, "times": 1})).await;
            let leaves = async {
                until("Slack is asked", WAIT_LIMIT, async || (!app.slack.is_fault_waiting().await).then_some(())).await;
                if is_removed {
                    app.owner.delete(&path).await.ok(204);
                } else {
                    app.owner.patch(&path, &json!({"role": "member"})).await.ok(200);
                }
            };
            let (answer, ()) = tokio::join!(come_back(&admin, &granted), leaves);
            error(&answer, status, reason);
            assert!(integration(&app.owner).await.is_null(), "{username}");
        }
    }

    async fn a_failure_at_slack_is_reported_and_connects_nothing(app) {
        for (fault, status, reason) in [
            (json!({"error": "invalid_code"}), 400, "SLACK_REFUSED"),
            (json!({"error": "bad_client_secret"}), 400, "SLACK_REFUSED"),
            (json!({"error": "internal_error"}), 503, "SLACK_UNAVAILABLE"),
            (json!({"status": 500}), 503, "SLACK_UNAVAILABLE"),
            (json!({"retryAfterSecs": 9}), 503, "SLACK_UNAVAILABLE"),
            (json!({"body": "<html>maintenance</html>"}), 503, "SLACK_UNAVAILABLE"),
            (json!({"body": "{\"ok\":true,\"access_token\":\"xoxb-canary\"}"}), 503, "SLACK_UNAVAILABLE"),
            (json!({"latencyMs": 5000}), 503, "SLACK_UNAVAILABLE"),
            (json!({"drop": "after"}), 503, "SLACK_UNAVAILABLE"),
            (json!({"body": "{\"ok\":true,\"team\":{\"id\":\"T1\"}}"}), 400, "FAILED_PRECONDITION"),
        ] {
            let granted = app.slack.allow(&begun(&app.owner).await, TEAM).await;
            let mut order = fault.clone();
            order["method"] = json!("oauth.v2.access");
            app.slack.fault(order).await;
            let answer = come_back(&app.owner, &granted).await;
            let message = error(&answer, status, reason);
            assert!(!message.contains("canary") && !message.contains(&granted.0), "{fault}: {message}");
            assert_eq!(answer.header("retry-after"), if fault["retryAfterSecs"] == 9 { "9" } else { "" }, "{fault}");
            app.slack.mend().await;
            error(&come_back(&app.owner, &granted).await, 400, "INTEGRATION_INVALID_STATE");
            assert!(integration(&app.owner).await.is_null(), "{fault}");
        }
        installed(&install(&app, &app.owner, TEAM).await, TEAM);
    }
}

/// Runs a scenario with a Slack app that rotates its tokens, and with one that does not.
async fn with_and_without_rotation(story: impl AsyncFn(&TestApp)) {
    for rotation in [false, true] {
        for database in [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten() {
            let setup = Setup { slack: Options { rotation, ..Options::default() }, ..Setup::default() };
            story(&TestApp::start_with(database, setup).await).await;
        }
    }
}

/// Longer than the lifetime of a rotating token.
const LONG: Duration = Duration::from_secs(13 * 3600);

async fn later(app: &TestApp) {
    app.advance(LONG);
    app.set_their_clocks().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_rotate_make_no_difference() {
    with_and_without_rotation(async |app| {
        installed(&install(app, &app.owner, TEAM).await, TEAM);
        app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL})).await.ok(200);
        later(app).await;
        delivered(app, "long after", CHANNEL).await;
        installed(&install(app, &app.owner, TEAM).await, TEAM);
        later(app).await;
        app.owner.get(CHANNELS).await.ok(200);
        delivered(app, "after another installation", CHANNEL).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_organisation_is_one_connection() {
    with_and_without_rotation(async |app| {
        installed(&install_org_wide(app, &app.owner, TEAM).await, "E0STANDIN");
        let made = integration(&app.owner).await;
        assert_eq!(
            (&made["slackTeamId"], &made["slackTeamName"]),
            (&json!("E0STANDIN"), &json!("Stand-in Corporation")),
            "{made}"
        );
        let channels = async || {
            let reported = app.owner.get(CHANNELS).await.ok(200)["channels"].as_array().unwrap().clone();
            reported.iter().map(|channel| channel["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let all = channels().await;
        let unique: BTreeSet<&String> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "each once");
        for channel in ["C0ALERTS", "C0SECRET", "C0TEAM250", "C1ALERTS", "C1GENERAL"] {
            assert!(all.iter().any(|known| known == channel), "{channel} of one of the workspaces");
        }
        for channel in ["C0OLD", "C0PRIVATE"] {
            assert!(!all.iter().any(|known| known == channel), "{channel} is archived, or not for us");
        }
        for channel in [CHANNEL, "C1ALERTS"] {
            app.owner.patch(BASE, &json!({"slackChannelId": channel})).await.ok(200);
            delivered(app, channel, channel).await;
        }
        later(app).await;
        assert_eq!(channels().await, all);
        delivered(app, "long after", "C1ALERTS").await;

        // Once more, from another of its workspaces: it is the same connection.
        installed(&install_org_wide(app, &app.owner, SECOND).await, "E0STANDIN");
        assert_eq!(integration(&app.owner).await["slackChannelId"], "C1ALERTS");
        delivered(app, "installed again", "C1ALERTS").await;
        let other = app.other("globex").await;
        error(&install_org_wide(app, &other, SECOND).await, 409, "CONFLICT");
        assert!(integration(&other).await.is_null());
        delivered(app, "still ours", "C1ALERTS").await;

        // From the organisation to one workspace: a new beginning, and the wider token ends.
        installed(&install(app, &app.owner, TEAM).await, TEAM);
        assert_eq!(integration(&app.owner).await["slackChannelId"], "");
        assert_eq!(app.slack.calls("auth.revoke").await.len(), 1);
        assert!(!channels().await.iter().any(|channel| channel == "C1ALERTS"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_that_leaves_takes_only_itself_away() {
    with_and_without_rotation(async |app| {
        installed(&install_org_wide(app, &app.owner, TEAM).await, "E0STANDIN");
        app.owner.patch(BASE, &json!({"slackChannelId": "C1ALERTS"})).await.ok(200);
        let gone = |method: &str| json!({"method": method, "team": SECOND, "error": "team_access_not_granted"});
        app.slack.fault(gone("conversations.list")).await;
        let reported = app.owner.get(CHANNELS).await.ok(200)["channels"].as_array().unwrap().clone();
        assert!(reported.iter().any(|channel| channel["id"] == CHANNEL), "{reported:?}");
        assert!(!reported.iter().any(|channel| channel["id"] == "C1ALERTS"), "{reported:?}");
        app.slack.fault(gone("chat.postMessage")).await;
        let event = app.step("not there any more").await;
        app.drain().await;
        let delivery = app.delivery_of(&event).await;
        assert_eq!(delivery["state"], "failed", "{delivery}");
        assert!(delivery.to_string().contains("add the app to the channel's workspace"), "{delivery}");
        assert_eq!(integration(&app.owner).await["status"], "SLACK_INTEGRATION_STATUS_ACTIVE");
        app.owner.patch(BASE, &json!({"slackChannelId": CHANNEL})).await.ok(200);
        delivered(app, "elsewhere", CHANNEL).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_of_the_organisation_that_fails_is_reported() {
    with_and_without_rotation(async |app| {
        installed(&install_org_wide(app, &app.owner, TEAM).await, "E0STANDIN");
        for (fault, status) in [
            (json!({"method": "auth.teams.list", "error": "missing_scope"}), 502),
            (json!({"method": "auth.teams.list", "status": 500}), 503),
            (json!({"method": "conversations.list", "team": SECOND, "body": "<html>"}), 503),
        ] {
            app.slack.fault(fault.clone()).await;
            let answer = app.owner.get(CHANNELS).await;
            assert_eq!(answer.status.as_u16(), status, "{fault}: {}", answer.text);
            app.slack.mend().await;
            assert_eq!(integration(&app.owner).await["status"], "SLACK_INTEGRATION_STATUS_ACTIVE", "{fault}");
        }
        app.slack.fault(json!({"method": "auth.teams.list", "error": "token_revoked"})).await;
        app.owner.get(CHANNELS).await.ok(502);
        app.slack.mend().await;
        assert_eq!(integration(&app.owner).await["status"], "SLACK_INTEGRATION_STATUS_DISCONNECTED");
        installed(&install_org_wide(app, &app.owner, TEAM).await, "E0STANDIN");
        app.owner.get(CHANNELS).await.ok(200);
    })
    .await;
}
