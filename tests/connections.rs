//! Tests of connections natively: begun with a return URL, seen and changed alike here and through the other dialects.

use std::time::Duration;

use reqwest::Url;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Database, Setup, TestApp, browser};

mod pauses;

const PATH: &str = "/v1/connections";
const SLACK: &str = "/v1/slack-integrations";
const TEAM: &str = "T0STANDIN";
const SECOND: &str = "T0SECOND";
const CHANNEL: &str = "C0ALERTS";
/// A page of the service's own origin, which the portal may have.
const RETURN: &str = "http://127.0.0.1:8080/settings?tab=connections#slack";

/// Begins a connection, and returns the provider's page.
async fn begin(caller: &Client, body: Value) -> String {
    let begun = caller.post(PATH, &body).await.ok(201);
    assert!(begun["expiresAt"].as_str().is_some_and(|time| time.ends_with('Z')), "{begun}");
    begun["authorizationUrl"].as_str().unwrap().to_owned()
}

/// Comes back from Slack's page to the question of consent.
async fn asked_by_slack(app: &TestApp, page: &str, team: &str) -> Answer {
    let (code, state) = app.slack.allow(page, team).await;
    let back = app.anon.get(&format!("/v1/slack/oauth/callback?code={code}&state={state}")).await;
    browser::look(&app.anon, back).await
}

/// Connects a workspace natively.
async fn connect_slack(app: &TestApp, caller: &Client, team: &str) -> Value {
    let page = begin(caller, json!({"provider": "slack"})).await;
    let asked = asked_by_slack(app, &page, team).await;
    let done = browser::agree(&app.anon, &asked).await;
    assert!(done.status == 200 && done.text.contains("is connected to"), "{}", done.text);
    connection(caller, "slack").await
}

async fn connections(caller: &Client, query: &str) -> Vec<Value> {
    caller.get(&format!("{PATH}?{query}")).await.ok(200)["data"].as_array().unwrap().clone()
}

/// The one connection to a provider.
async fn connection(caller: &Client, provider: &str) -> Value {
    let found = connections(caller, &format!("provider={provider}")).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let path = path(&found[0]);
    assert_eq!(caller.get(&path).await.ok(200), found[0]);
    found[0].clone()
}

fn path(connection: &Value) -> String {
    format!("{PATH}/{}", connection["id"].as_str().unwrap())
}

async fn integration(caller: &Client) -> Value {
    caller.get(SLACK).await.ok(200)["slackIntegration"].clone()
}

/// The card of an integration, in Boomerang's dialect.
async fn card(caller: &Client, name: &str) -> Value {
    let cards = caller.get("/api/v2/integration?team=acme").await.ok(200);
    cards.as_array().unwrap().iter().find(|card| card["name"] == name).unwrap().clone()
}

/// Members of an object, as they are compared.
fn members(object: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| (*name).to_owned()).zip(names.iter().map(|name| object[*name].clone())).collect()
}

both! {
    async fn slack_is_connected_and_the_browser_returns(app) {
        assert_eq!(connections(&app.owner, "").await, Vec::<Value>::new());
        let page = begin(&app.owner, json!({"provider": "slack", "returnUrl": RETURN})).await;
        assert!(page.starts_with(&format!("{}/oauth/v2/authorize?", app.slack.base())), "{page}");
        assert!(page.contains("commands"), "the whole of the app is requested: {page}");
        let asked = asked_by_slack(&app, &page, TEAM).await;
        assert!(asked.text.contains("<h1>Connect the Slack workspace to Acme?</h1>"), "{}", asked.text);
        let policy = asked.header("content-security-policy");
        assert!(policy.contains("form-action 'self' http://127.0.0.1:8080;"), "{policy}");
        assert_eq!(connections(&app.owner, "").await, Vec::<Value>::new(), "nothing before the confirmation");
        let done = browser::agree(&app.anon, &asked).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (302, RETURN));
        assert_eq!(browser::agree(&app.anon, &asked).await.status, 400, "once");

        let slack = connection(&app.owner, "slack").await;
        let expected = json!({"provider": "slack", "state": "connected", "externalId": TEAM});
        assert_eq!(members(&slack, &["provider", "state", "externalId"]), expected);
        assert_eq!((slack.get("reason"), slack.get("cure")), (None, None));
        let theirs = integration(&app.owner).await;
        assert_eq!((&slack["id"], &slack["name"]), (&theirs["id"], &theirs["slackTeamName"]));
        assert_eq!((&slack["connectedBy"], &slack["createdAt"]), (&theirs["createdBy"], &theirs["createdAt"]));
        assert_eq!(card(&app.owner, "Slack").await["ref"], slack["id"]);
        let destination = app.owner.get("/v1/destinations").await.ok(200)["data"][0]["id"].clone();
        assert_eq!(slack["destinationId"], destination);

        let channels = app.owner.get(&format!("{}/channels", path(&slack))).await.ok(200);
        let channels = channels["data"].as_array().unwrap();
        let alerts = channels.iter().find(|channel| channel["id"] == CHANNEL).unwrap();
        assert_eq!(*alerts, json!({"id": CHANNEL, "name": "alerts", "isPrivate": false, "isMember": true}));
        app.owner.get(&format!("{}/repositories", path(&slack))).await.problem(400, "invalid");
    }

    async fn an_outsider_finds_nothing(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        app.github.link(&app.owner, "acme", "acme").await;
        let other = app.other("globex").await;
        assert_eq!(connections(&other, "").await, Vec::<Value>::new());
        for ours in connections(&app.owner, "").await {
            let path = path(&ours);
            other.get(&path).await.problem(404, "not_found");
            other.get(&format!("{path}/channels")).await.problem(404, "not_found");
            other.get(&format!("{path}/repositories")).await.problem(404, "not_found");
            other.patch(&path, &json!({"paused": true})).await.problem(404, "not_found");
            other.post(&format!("{path}/test"), &json!({})).await.problem(404, "not_found");
            other.delete(&path).await.problem(404, "not_found");
        }
        assert_eq!(connections(&app.owner, "").await.len(), 2);
        // The workspace of another organisation is not taken over by a confirmation either.
        let page = begin(&other, json!({"provider": "slack", "returnUrl": RETURN})).await;
        let refused = browser::agree(&app.anon, &asked_by_slack(&app, &page, TEAM).await).await;
        assert!(refused.status == 400 && refused.text.contains("another organisation"), "{}", refused.text);
        assert_eq!(connections(&other, "").await, Vec::<Value>::new());
    }

    async fn a_list_has_pages_and_each_provider_its_permission(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let number = app.github.link(&app.owner, "acme", "acme").await;
        app.github.link(&app.owner, "acme", "ada").await;
        let all = connections(&app.owner, "").await;
        let [_, github, slack] = &all[..] else { panic!("{all:?}") };
        assert_eq!((&slack["provider"], &github["externalId"]), (&json!("slack"), &json!(number.to_string())));
        let first = app.owner.get(&format!("{PATH}?limit=2")).await.ok(200);
        let cursor = first["nextCursor"].as_str().unwrap();
        let rest = app.owner.get(&format!("{PATH}?limit=2&cursor={cursor}")).await.ok(200);
        let both = [first["data"].as_array().unwrap().clone(), rest["data"].as_array().unwrap().clone()].concat();
        assert_eq!((both, rest.get("nextCursor")), (all.clone(), None));
        app.owner.get(&format!("{PATH}?provider=gitlab")).await.problem(400, "invalid_parameter");
        let token = app.owner.post("/v1/tokens", &json!({"name": "n", "scopes": ["slack:read"]})).await.ok(201);
        let narrow = app.anon.with_token(token["secret"].as_str().unwrap());
        narrow.get(PATH).await.problem(403, "forbidden");
        assert_eq!(connections(&narrow, "provider=slack").await, std::slice::from_ref(slack));
        narrow.get(&path(slack)).await.ok(200);
        narrow.get(&path(github)).await.problem(403, "forbidden");
        for begun in ["slack", "github"] {
            narrow.post(PATH, &json!({"provider": begun})).await.problem(403, "forbidden");
        }
        narrow.patch(&path(slack), &json!({"paused": true})).await.problem(403, "forbidden");
        narrow.delete(&path(slack)).await.problem(403, "forbidden");
    }

    async fn the_same_workspace_keeps_channel_filters_and_counters(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let link = "0199c1de-0000-7000-8000-000000000001";
        let set = json!({"slackChannelName": "alerts", "triggers": ["KIND_EXIT"], "linkId": link});
        app.owner.patch(SLACK, &set).await.ok(200);
        app.step("counted").await;
        app.drain().await;
        let waiting = app.step("on its way").await;
        let (before, old) = (integration(&app.owner).await, connection(&app.owner, "slack").await);
        app.advance(Duration::from_secs(60));
        app.set_their_clocks().await;
        let new = connect_slack(&app, &app.owner, TEAM).await;
        let kept = [
            "slackTeamId", "slackChannelId", "slackChannelName", "triggers", "linkId", "status", "successCount",
            "failureCount", "lastSentAt",
        ];
        let after = integration(&app.owner).await;
        assert_eq!((members(&after, &kept), &after["successCount"]), (members(&before, &kept), &json!(1)));
        assert_eq!((&new["destinationId"], &new["state"]), (&old["destinationId"], &json!("connected")));
        app.owner.get(&path(&old)).await.problem(404, "not_found");
        app.drain().await;
        assert_eq!(app.delivery_of(&waiting).await["state"], "delivered");

        app.owner.patch(&path(&new), &json!({"paused": true})).await.ok(200);
        assert_eq!(connect_slack(&app, &app.owner, TEAM).await["state"], "paused", "a pause is a setting, too");
        let other = connect_slack(&app, &app.owner, SECOND).await;
        assert_eq!((&other["externalId"], &other["state"]), (&json!(SECOND), &json!("connected")));
        let fresh = integration(&app.owner).await;
        let values = [&fresh["slackChannelId"], &fresh["triggers"], &fresh["linkId"], &fresh["successCount"]];
        assert_eq!(values, [&json!(""), &json!([]), &json!(""), &json!(0)], "another workspace begins anew");
    }

    async fn a_dead_token_needs_attention_until_slack_is_connected_again(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let slack = connection(&app.owner, "slack").await;
        assert_eq!(app.owner.post(&format!("{}/test", path(&slack)), &json!({})).await.ok(200), json!({"ok": true}));
        app.slack.order("uninstall", json!({"team": TEAM})).await;
        let test = app.owner.post(&format!("{}/test", path(&slack)), &json!({})).await.ok(200);
        assert_eq!(test["ok"], false);
        assert!(test["detail"].as_str().unwrap().contains("account_inactive"), "{test}");
        let lost = connection(&app.owner, "slack").await;
        assert_eq!((&lost["state"], &lost["id"]), (&json!("needs_attention"), &slack["id"]));
        assert!(lost["reason"].as_str().unwrap().contains("refuses the token"), "{lost}");
        assert!(lost["cure"].as_str().unwrap().contains("Connect the workspace again"), "{lost}");
        assert_eq!(integration(&app.owner).await["status"], "SLACK_INTEGRATION_STATUS_DISCONNECTED");
        app.owner.patch(&path(&lost), &json!({"paused": false})).await.problem(409, "failed_precondition");
        app.owner.get(&format!("{}/channels", path(&lost))).await.problem(502, "upstream_refused");
        let back = connect_slack(&app, &app.owner, TEAM).await;
        assert_eq!((&back["state"], back.get("reason")), (&json!("connected"), None));
        assert_eq!(integration(&app.owner).await["slackChannelId"], CHANNEL);
    }

    async fn a_test_without_a_channel_asks_for_the_token(app) {
        app.slack.install(&app.owner, TEAM).await.ok(200);
        let test = format!("{}/test", path(&connection(&app.owner, "slack").await));
        assert_eq!(app.owner.post(&test, &json!({})).await.ok(200), json!({"ok": true}));
        assert_eq!(app.slack.calls("auth.test").await.len(), 1);
        app.slack.fault(json!({"method": "auth.test", "status": 500})).await;
        app.owner.post(&test, &json!({})).await.problem(502, "upstream_unavailable");
        app.slack.mend().await;
        app.slack.order("uninstall", json!({"team": TEAM})).await;
        assert_eq!(app.owner.post(&test, &json!({})).await.ok(200)["ok"], false);
        assert_eq!(connection(&app.owner, "slack").await["state"], "needs_attention");
    }

    async fn what_is_disconnected_here_is_gone_elsewhere_and_back(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let slack = connection(&app.owner, "slack").await;
        app.owner.delete(&path(&slack)).await.ok(204);
        assert_eq!(integration(&app.owner).await, Value::Null);
        assert_eq!(card(&app.owner, "Slack").await["status"], "unlinked");
        app.owner.get("/slack/organisations/acme").await.ok(404);
        app.owner.get(&path(&slack)).await.problem(404, "not_found");
        app.owner.delete(&path(&slack)).await.problem(404, "not_found");
        let again = connect_slack(&app, &app.owner, TEAM).await;
        assert_eq!(app.owner.get("/slack/organisations/acme").await.ok(200)["data"]["team_id"], TEAM);
        app.owner.delete(SLACK).await.ok(200);
        app.owner.get(&path(&again)).await.problem(404, "not_found");
        assert_eq!(connections(&app.owner, "").await, Vec::<Value>::new());

        app.github.link(&app.owner, "acme", "acme").await;
        let github = connection(&app.owner, "github").await;
        let linked = card(&app.owner, "GitHub").await;
        app.owner.delete(&path(&github)).await.ok(204);
        assert_eq!(card(&app.owner, "GitHub").await["status"], "unlinked");
        app.owner.get(&path(&github)).await.problem(404, "not_found");
        let named = json!({"ref": linked["ref"], "team": "acme"});
        assert_eq!(app.owner.post("/api/v2/integration/github/link", &named).await.status, 200);
        assert_eq!(connection(&app.owner, "github").await["externalId"], github["externalId"]);
        assert_eq!(app.owner.post("/api/v2/integration/github/unlink", &named).await.status, 200);
        assert_eq!(connections(&app.owner, "").await, Vec::<Value>::new());
    }

    async fn github_is_connected_and_the_browser_returns(app) {
        // The second organisation's browser comes back without a code, since the app is installed already.
        for (caller, slug) in [(app.owner.clone(), "Acme"), (app.other("globex").await, "globex")] {
            let page = Url::parse(&begin(&caller, json!({"provider": "github", "returnUrl": RETURN})).await).unwrap();
            let state = page.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
            let location = app.github.install_as("ada", "acme", &state).await;
            let mut asked = app.github.come_back(&location).await;
            if asked.status == 302 {
                asked = app.github.come_back(&app.github.authorize_as("ada", asked.header("location")).await).await;
            }
            assert!(asked.text.contains(&format!("Link the GitHub account acme to {slug}?")), "{}", asked.text);
            assert!(asked.header("content-security-policy").contains("form-action 'self' http://127.0.0.1:8080;"));
            let done = app.github.confirm(&asked).await;
            assert_eq!((done.status.as_u16(), done.header("location")), (302, RETURN));
            let github = connection(&caller, "github").await;
            assert_eq!((&github["name"], &github["state"]), (&json!("acme"), &json!("connected")));
            assert_eq!(github.get("destinationId"), None);
        }
    }

    async fn github_is_listed_tested_and_not_paused(app) {
        let number = app.github.link(&app.owner, "acme", "acme").await;
        let github = connection(&app.owner, "github").await;
        assert_eq!(github["externalId"], number.to_string());
        let found = app.owner.get(&format!("{}/repositories", path(&github))).await.ok(200);
        let web = found["data"].as_array().unwrap().iter().find(|one| one["fullName"] == "acme/web").unwrap().clone();
        assert!(web["id"].is_i64() && web["isPrivate"].is_boolean(), "{web}");
        app.owner.get(&format!("{}/channels", path(&github))).await.problem(400, "invalid");
        let test = format!("{}/test", path(&github));
        assert_eq!(app.owner.post(&test, &json!({})).await.ok(200), json!({"ok": true}));
        let pause = json!({"paused": true});
        let refused = app.owner.patch(&path(&github), &pause).await.problem(409, "failed_precondition");
        assert!(refused["detail"].as_str().unwrap().contains("pause subscriptions"), "{refused}");
        assert_eq!(app.owner.patch(&path(&github), &json!({"paused": false})).await.ok(200), github);
        assert_eq!(app.owner.patch(&path(&github), &json!({})).await.ok(200), github);

        app.github.order(&format!("installations/{number}/suspend"), json!({})).await;
        let failed = app.owner.post(&test, &json!({})).await.ok(200);
        assert!(failed["ok"] == false && failed["detail"].as_str().unwrap().contains("suspended"), "{failed}");
        let lost = connection(&app.owner, "github").await;
        assert_eq!(lost["state"], "needs_attention");
        assert!(lost["reason"].as_str().unwrap().contains("suspended"), "{lost}");
        assert!(lost["cure"].as_str().unwrap().contains("Unsuspend"), "{lost}");
        app.owner.get(&format!("{}/repositories", path(&github))).await.problem(502, "upstream_refused");
        // Its webhooks are on their way, and the later time counts.
        app.advance(Duration::from_secs(60));
        app.set_their_clocks().await;
        app.github.order(&format!("installations/{number}/unsuspend"), json!({})).await;
        assert_eq!(app.owner.post(&test, &json!({})).await.ok(200), json!({"ok": true}));
        assert_eq!(connection(&app.owner, "github").await["state"], "connected");
    }

    async fn a_browser_is_sent_to_pages_of_ours_alone(app) {
        for provider in ["slack", "github"] {
            let evil = ["https://evil.example/", "http://127.0.0.1:8081/", "http://127.0.0.1:8080@evil.example/", "/x", ""];
            for url in evil {
                let body = json!({"provider": provider, "returnUrl": url});
                let problem = app.owner.post(PATH, &body).await.problem(400, "invalid");
                assert_eq!(problem["errors"][0]["pointer"], "/returnUrl", "{problem}");
            }
        }
        app.owner.post(PATH, &json!({"provider": "gitlab"})).await.problem(400, "invalid");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_the_product_is_ours_and_a_provider_has_to_be_configured() {
    let settings = vec![
        ("TIELINE_PRODUCT__APP_URL", "https://app.example/home".to_owned()),
        ("TIELINE_SLACK__CLIENT_ID", String::new()),
        ("TIELINE_SLACK__CLIENT_SECRET", String::new()),
        ("TIELINE_SLACK__SIGNING_SECRET", String::new()),
    ];
    let app = TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await;
    begin(&app.owner, json!({"provider": "github", "returnUrl": "https://app.example/settings?x=1"})).await;
    app.owner
        .post(PATH, &json!({"provider": "github", "returnUrl": "http://app.example/"}))
        .await
        .problem(400, "invalid");
    let problem = app.owner.post(PATH, &json!({"provider": "slack"})).await.problem(409, "failed_precondition");
    assert!(problem["detail"].as_str().unwrap().contains("TIELINE_SLACK__CLIENT_ID"), "{problem}");
}
