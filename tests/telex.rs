//! Tests of the Telex dialect as a translation: paths, envelopes, the product's own messages, values that come back
//! unchanged, and the addresses that apps post to; and of the native routes beside it. The use cases behind them are
//! tested elsewhere.

use std::collections::BTreeSet;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::support::{Answer, Client, Database, Integration, TestApp};

const ALL: &str = "/organisations/acme/integrations";
const CUSTOM: &str = "/organisations/acme/integrations/custom";
const SLACK: &str = "/slack/organisations/acme";
const EXCHANGE: &str = "/slack/organisations/acme/token-exchg";
/// An address without a server, which refuses at once.
const NOWHERE: &str = "http://127.0.0.1:9/integration.json";
const NOTHING: &str = "0199c1de-0000-7000-8000-00000000dead";

async fn start() -> TestApp {
    TestApp::start(Database::sqlite()).await
}

/// Asserts success, in its envelope, and returns the data.
#[track_caller]
fn done(answer: &Answer, status: u16, message: &str) -> Value {
    let body = answer.ok(status);
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text);
    let reported = (&body["status"], &body["status_code"], &body["message"]);
    assert_eq!(reported, (&json!("success"), &json!(status), &json!(message)), "{}", answer.text);
    let more = body.as_object().unwrap().keys().filter(|key| !["status", "status_code", "message"].contains(&&***key));
    assert!(more.into_iter().all(|key| key == "data"), "{}", answer.text);
    body["data"].clone()
}

/// Asserts success without data.
#[track_caller]
fn plain(answer: &Answer, status: u16, message: &str) {
    assert_eq!(done(answer, status, message), Value::Null, "{}", answer.text);
    assert!(answer.ok(status).get("data").is_none(), "absent is left out: {}", answer.text);
}

/// Asserts an error of this dialect, and returns its details.
#[track_caller]
fn error(answer: &Answer, status: u16, message: &str) -> String {
    let body = answer.ok(status);
    let reported = (&body["status"], &body["status_code"], &body["message"]);
    assert_eq!(reported, (&json!("error"), &json!(status), &json!(message)), "{}", answer.text);
    body["error"].as_str().unwrap().to_owned()
}

/// Asserts exactly these members.
#[track_caller]
fn members(of: &Value, names: &[&str]) {
    let found: BTreeSet<_> = of.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(found, names.iter().copied().collect(), "{of}");
    for time in ["created_at", "updated_at"] {
        assert!(of.get(time).is_none_or(|time| time.as_str().unwrap().ends_with('Z')), "{of}");
    }
}

fn id(of: &Value) -> String {
    of["id"].as_str().unwrap().to_owned()
}

/// Finds the element of a list with this id.
#[track_caller]
fn find<'a>(list: &'a Value, id: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("{id} is not in {list}"))
}

async fn put(caller: &Client, path: &str, body: Value) -> Answer {
    caller.send(caller.request(Method::PUT, path).json(&body)).await
}

async fn install(app: &TestApp, name: &str) -> String {
    let new = json!({"name": name, "json_url": NOWHERE});
    id(&done(&app.owner.post(ALL, &new).await, 201, "Integration app created successfully"))
}

async fn channel(app: &TestApp, name: &str) -> String {
    id(&app.owner.post("/v1/channels", &json!({"name": name})).await.ok(201))
}

#[tokio::test]
async fn an_integration_is_shown_in_the_products_four_ways() {
    let app = start().await;
    let integration = Integration::start("output", json!([])).await;
    let new = json!({
        "name": "teleximsss",
        "json_url": integration.json_url(),
        "auth_credential": "some-auth-credential",
        "integration_type": "filter",
        "unknown": {"member": 1},
    });
    let made = done(&app.owner.post(ALL, &new).await, 201, "Integration app created successfully");
    let row = ["id", "name", "json_url", "auth_credential", "integration_type", "is_system_integration", "created_at"];
    members(&made, &[&row[..], &["json_schema"]].concat());
    for (name, value) in new.as_object().unwrap().iter().filter(|(name, _)| *name != "unknown") {
        assert_eq!(&made[name], value);
    }
    assert!(made["json_schema"].is_object() && made["is_system_integration"] == false, "{made}");

    let listed = done(&app.owner.get(ALL).await, 200, "Integrations retrieved successfully.");
    let app_row = ["id", "app_name", "json_url", "app_url", "app_logo", "app_description", "is_system_integration"];
    members(find(&listed, &id(&made)), &[&app_row[..], &["is_active", "created_at", "updated_at"]].concat());

    let path = format!("{ALL}/{}", id(&made));
    let change = json!({"json_url": "https://example.org/other.json", "colour": "red"});
    let changed = done(&app.owner.patch(&path, &change).await, 200, "Integrations updated successfully");
    members(&changed, &row);
    assert_eq!((&changed["json_url"], &changed["name"]), (&change["json_url"], &new["name"]), "absent members stay");

    let gone = done(&app.owner.delete(&path).await, 200, "Integrations deleted successfully");
    assert_eq!(gone, changed, "it shows the deleted one");
    for answer in [app.owner.delete(&path).await, app.owner.patch(&path, &change).await] {
        assert!(answer.ok(404)["message"].as_str().unwrap().ends_with(" not found."), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_is_optional_is_an_empty_text_where_there_is_none() {
    let app = start().await;
    let integration = Integration::start("output", json!([])).await;
    let made =
        app.owner.post(ALL, &json!({"name": "bare", "json_url": integration.json_url()})).await.ok(201)["data"].clone();
    assert_eq!((&made["auth_credential"], &made["integration_type"]), (&json!(""), &json!("")));
    let message = error(&app.owner.post(ALL, &json!({})).await, 400, "Invalid request.");
    assert!(message.contains("/name is required") && message.contains("/json_url is required"), "{message}");
    error(&app.owner.post(ALL, &json!({"name": "bare"})).await, 400, "Invalid JSON URL supplied.");
}

#[tokio::test]
async fn a_credential_is_shown_to_who_may_see_secrets() {
    let app = start().await;
    let integration = Integration::start("output", json!([])).await;
    let admin = app.caller("acme", "ada", Role::Admin).await;
    let new = json!({"name": "n", "json_url": integration.json_url(), "auth_credential": "hunter2-hunter2"});
    let made = admin.post(ALL, &new).await;
    let shown = done(&made, 201, "Integration app created successfully");
    assert!(!made.text.contains("hunter2") && shown["auth_credential"] != "", "{}", made.text);
    let path = format!("{ALL}/{}", id(&shown));
    assert_eq!(app.owner.patch(&path, &json!({})).await.ok(200)["data"]["auth_credential"], "hunter2-hunter2");
    assert!(!admin.delete(&path).await.text.contains("hunter2"));
}

#[tokio::test]
async fn an_organisation_goes_by_its_slug_or_its_id() {
    let app = start().await;
    let globex = app.other("globex").await;
    let home = async |caller: &Client| id(&caller.get("/v1/organisations").await.ok(200)["data"][0]);
    let (ours, theirs) = (home(&app.owner).await, home(&globex).await);
    let made = install(&app, "one").await;
    for name in ["acme", &ours, &ours.to_uppercase()] {
        let listed = app.owner.get(&format!("/organisations/{name}/integrations")).await.ok(200);
        find(&listed["data"], &made);
    }
    let reported = async |name: &str, path: &str| {
        let answer = app.owner.get(&path.replace("{}", name)).await;
        error(&answer, 404, "Organisation not found.").replace(name, "…")
    };
    for path in ["/organisations/{}/integrations", "/organisations/{}/integrations/custom", "/slack/organisations/{}"] {
        let unknown = reported("nowhere", path).await;
        for name in ["globex", &theirs, NOTHING, "Not%20A%20Slug"] {
            let shown = reported(name, path).await;
            assert!(
                shown == unknown || name.contains('%'),
                "{name}: another's is reported like an unknown one: {shown}"
            );
        }
    }
    let header = app.owner.request(Method::GET, ALL).header("X-Organisation-Id", theirs);
    done(&app.owner.send(header).await, 200, "Integrations retrieved successfully.");
}

#[tokio::test]
async fn custom_is_a_word_and_not_an_id() {
    let app = start().await;
    let integration = Integration::start("output", json!([])).await;
    let installed = install(&app, "classic").await;
    for bad in ["not-an-address", "", "ftp://example.org/x.json"] {
        error(&app.owner.post(CUSTOM, &json!({"json_url": bad})).await, 400, "Invalid JSON URL supplied.");
    }
    for body in [json!({}), json!({"json_url": 5})] {
        error(&app.owner.post(CUSTOM, &body).await, 400, "Invalid JSON URL supplied.");
    }
    let custom = json!({"json_url": integration.json_url()});
    plain(&app.owner.post(CUSTOM, &custom).await, 201, "Integration app created successfully");
    let listed = done(&app.owner.get(CUSTOM).await, 200, "Integrations retrieved successfully.");
    let [only] = &listed.as_array().unwrap()[..] else { panic!("{listed}") };
    let row = ["id", "app_name", "json_url", "app_url", "app_logo", "app_description", "is_active", "created_at"];
    members(only, &[&row[..], &["updated_at"]].concat());
    find(&app.owner.get(ALL).await.ok(200)["data"], &id(only));

    let path = format!("{CUSTOM}/{}", id(only));
    error(&put(&app.owner, &path, json!({"json_url": "nonsense"})).await, 400, "Invalid JSON URL supplied.");
    plain(&put(&app.owner, &path, custom.clone()).await, 200, "Integrations updated successfully");
    let classic = format!("{CUSTOM}/{installed}");
    assert_eq!(put(&app.owner, &classic, custom.clone()).await.status, 404, "it is no custom one");
    plain(&app.owner.delete(&path).await, 200, "Integrations deleted successfully");
    assert_eq!(app.owner.delete(&path).await.status, 404);

    for (method, path, allow) in [
        (Method::PATCH, CUSTOM.to_owned(), "GET, POST, HEAD"),
        (Method::DELETE, CUSTOM.to_owned(), "GET, POST, HEAD"),
        (Method::GET, format!("{ALL}/{NOTHING}"), "PATCH, DELETE"),
        (Method::PATCH, path, "PUT, DELETE"),
    ] {
        let answer = app.owner.send(app.owner.request(method, &path)).await;
        error(&answer, 405, "Method not allowed.");
        assert_eq!(answer.header("allow"), allow, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_type_is_told_at_the_installation() {
    let app = start().await;
    let integration = Integration::start("modifer", json!([])).await;
    let told = "integration_type \"modifer\" is not known; did you mean \"modifier\"? such an integration is never \
                called; known are modifier, filter, interval, output";
    let custom = app.owner.post(CUSTOM, &json!({"json_url": integration.json_url()})).await.ok(201);
    assert_eq!(custom["warnings"], json!([told]));
    let new = json!({"name": "classic", "json_url": integration.json_url()});
    let made = done(&app.owner.post(ALL, &new).await, 201, "Integration app created successfully");
    assert_eq!(made["warnings"], json!([told]));
    let stated = json!({"name": "stated", "json_url": NOWHERE, "integration_type": "outputs"});
    let made = app.owner.post(ALL, &stated).await.ok(201)["data"].clone();
    assert!(made["warnings"][0].as_str().unwrap().contains("did you mean \"output\"?"), "{made}");
    for kind in ["filter", ""] {
        let silent = json!({"name": "silent", "json_url": NOWHERE, "integration_type": kind});
        assert_eq!(app.owner.post(ALL, &silent).await.ok(201)["data"].get("warnings"), None);
    }
}

#[tokio::test]
async fn the_setting_of_a_custom_integration_is_the_last_that_was_set() {
    let app = start().await;
    let integration = Integration::start("output", json!([])).await;
    app.owner.post(CUSTOM, &json!({"json_url": integration.json_url()})).await.ok(201);
    let custom = id(&app.owner.get(CUSTOM).await.ok(200)["data"][0]);
    let path = format!("{CUSTOM}/{custom}/settings");
    let message = "Integrations retrieved successfully.";
    assert_eq!(done(&app.owner.get(&path).await, 200, message), json!({}), "an object, where there is none too");
    for entry in [json!({"field_name": "a", "value": "1"}), json!({"field_name": "b", "value": true})] {
        let set = put(&app.owner, &path, json!({"setting_entry": entry})).await;
        plain(&set, 200, "Integrations Settings updated successfully");
        assert_eq!(done(&app.owner.get(&path).await, 200, message), entry);
    }
    for body in [json!({}), json!({"setting_entry": {"field_name": "a"}}), json!({"setting_entry": "a"})] {
        error(&put(&app.owner, &path, body).await, 400, "Invalid request.");
    }
    assert_eq!(app.owner.get(&format!("{CUSTOM}/{NOTHING}/settings")).await.status, 404);
}

#[tokio::test]
async fn a_setting_of_the_organisation_is_found_by_its_label() {
    let app = start().await;
    let path = format!("{ALL}/{}/settings", install(&app, "set").await);
    let values = [json!("5"), json!(5), json!(0.5), json!(true), json!(["a", 1]), json!("")];
    for (index, value) in values.iter().enumerate() {
        let new = json!({"form_field_label": format!("label {index}"), "form_field_value": value, "more": 1});
        plain(&app.owner.post(&path, &new).await, 200, "Integration setting added successfully");
    }
    let message = "Integration setting retrieved successfully";
    let listed = done(&app.owner.get(&path).await, 200, message);
    assert_eq!(listed.as_array().unwrap().len(), values.len());
    let labelled = |list: &Value, label: &str| {
        list.as_array().unwrap().iter().find(|row| row["form_field_label"] == label).unwrap().clone()
    };
    let row = ["id", "org_id", "integration_id", "form_field_value", "form_field_label", "created_at", "updated_at"];
    for (index, value) in values.iter().enumerate() {
        let found = labelled(&listed, &format!("label {index}"));
        members(&found, &row);
        assert_eq!(&found["form_field_value"], value, "as it was set, and of the same type");
    }

    let change = json!({"form_field_label": "label 1", "form_field_value": "six"});
    plain(&app.owner.patch(&path, &change).await, 200, "Integration setting updated successfully");
    let after = done(&app.owner.get(&path).await, 200, message);
    assert_eq!(labelled(&after, "label 1")["form_field_value"], "six");
    assert_eq!(labelled(&after, "label 2"), labelled(&listed, "label 2"), "the others stay");
    let unknown = json!({"form_field_label": "label 99", "form_field_value": 1});
    assert_eq!(app.owner.patch(&path, &unknown).await.status, 404);
    let unlabelled = app.owner.patch(&path, &json!({"form_field_value": 1})).await;
    assert!(error(&unlabelled, 400, "Invalid request.").contains("form_field_label"));

    for value in [json!(null), json!({"a": 1})] {
        let new = json!({"form_field_label": "l", "form_field_value": value});
        assert!(error(&app.owner.post(&path, &new).await, 400, "Invalid request.").contains("/form_field_value"));
    }
    assert_eq!(app.owner.get(&format!("{ALL}/{NOTHING}/settings")).await.status, 404);
}

#[tokio::test]
async fn a_setting_of_a_channel_has_its_own_path() {
    let app = start().await;
    let (integration, here) = (install(&app, "set").await, channel(&app, "here").await);
    let path = format!("{ALL}/{integration}/channels/{here}/settings");
    let new = json!({"form_field_label": "Shallom Micah", "form_field_value": "Bawa"});
    plain(&app.owner.post(&path, &new).await, 200, "Channel Integration setting added successfully");
    let message = "Channel Integration settings retrieved successfully";
    let listed = done(&app.owner.get(&path).await, 200, message);
    let [only] = &listed.as_array().unwrap()[..] else { panic!("{listed}") };
    let row = ["id", "org_id", "integration_id", "channel_id", "form_field_value", "form_field_label", "created_at"];
    members(only, &[&row[..], &["updated_at"]].concat());
    assert_eq!((&only["channel_id"], &only["integration_id"]), (&json!(here), &json!(integration)));
    let organisations = app.owner.get(&format!("{ALL}/{integration}/settings")).await.ok(200);
    assert_eq!(organisations["data"], json!([]), "it is not the organisation's");

    let setting = format!("{path}/{}", id(only));
    let changed = app.owner.patch(&setting, &json!({"form_field_value": "ouuuuuuu"})).await;
    plain(&changed, 200, "Integration setting updated successfully");
    let after = done(&app.owner.get(&path).await, 200, message);
    assert_eq!(after[0]["form_field_value"], "ouuuuuuu");
    assert_eq!(after[0]["form_field_label"], "Shallom Micah", "absent members stay");
    plain(&app.owner.delete(&setting).await, 200, "Channel Integration setting deleted successfully");
    assert_eq!(app.owner.delete(&setting).await.status, 404);
    let elsewhere = format!("{ALL}/{integration}/channels/{NOTHING}/settings");
    error(&app.owner.get(&elsewhere).await, 404, "Channel not found.");
}

#[tokio::test]
async fn slack_is_exchanged_once() {
    let app = start().await;
    error(&app.owner.get(SLACK).await, 404, "Slack integration not found.");
    let code = async || {
        let url = app.owner.get("/v1/slack-integrations/oauth-url").await.ok(200);
        app.slack.allow(url["oauthUrl"].as_str().unwrap(), "T0STANDIN").await.0
    };
    let granted = app.owner.post(EXCHANGE, &json!({"oauth_code": code().await, "state": "x"})).await;
    let granted = done(&granted, 200, "Slack OAuth token exchange successful");
    members(&granted, &["access_token", "incoming_webhook"]);
    members(&granted["incoming_webhook"], &["channel", "channel_id", "configuration_url", "url"]);

    app.slack.connect(&app.owner, "T0STANDIN", "C0ALERTS").await;
    let access = done(&app.owner.get(SLACK).await, 200, "Slack access info fetched successfully");
    let slack = ["access_token", "team_id", "team_name", "channel", "channel_id", "configuration_url", "url"];
    members(&access, &[&slack[..], &["id", "user_id", "organisation_id", "created_at", "updated_at"]].concat());
    let again = app.owner.post(EXCHANGE, &json!({"oauth_code": code().await})).await;
    error(&again, 409, "Integration app already exists.");
    let missing = error(&app.owner.post(EXCHANGE, &json!({})).await, 400, "Invalid request.");
    assert!(missing.contains("/oauth_code is required"), "a bad body is 400: {missing}");
}

/// The two addresses of a channel, from their paths on.
async fn addresses(app: &TestApp, channel: &str) -> [String; 2] {
    let reported = app.owner.get(&format!("/v1/channels/{channel}/webhook")).await.ok(200);
    members(&reported, &["returnUrl", "webhookUrl"]);
    ["returnUrl", "webhookUrl"].map(|name| {
        let url = Url::parse(reported[name].as_str().unwrap()).unwrap();
        assert!(url.path().ends_with(channel) && url.query_pairs().any(|(name, _)| name == "key"), "{url}");
        format!("{}?{}", url.path(), url.query().unwrap())
    })
}

fn post() -> Value {
    json!({"event_name": "e", "message": "m", "status": "success", "username": "u", "channel_id": "passed over"})
}

const QUERY: &str = "event_name=e&message=m%20m&status=error&username=u";

#[tokio::test]
async fn a_channel_is_posted_to_in_four_ways() {
    let app = start().await;
    let here = channel(&app, "here").await;
    let sent = "Data sent successfully";
    let [returned, webhook] = addresses(&app, &here).await;
    assert!(returned.starts_with("/v1/return/") && webhook.starts_with("/v1/webhooks/"), "{returned} {webhook}");
    assert_eq!(addresses(&app, &here).await, [returned.clone(), webhook.clone()], "they stay");
    for address in [&returned, &webhook] {
        plain(&app.anon.post(address, &post()).await, 200, sent);
        plain(&app.anon.get(&format!("{address}&{QUERY}")).await, 200, sent);
        let (path, key) = address.split_once("?key=").unwrap();
        let by_header = |method, path: &str| app.anon.request(method, path).header("X-Telex-API-Key", key);
        plain(&app.anon.send(by_header(Method::POST, path).json(&post())).await, 200, sent);
        plain(&app.anon.send(by_header(Method::GET, &format!("{path}?key=wrong&{QUERY}"))).await, 200, sent);
        for status in ["success", "error", "warning"] {
            let mut post = post();
            post["status"] = json!(status);
            plain(&app.anon.post(address, &post).await, 200, sent);
        }
        for name in ["event_name", "message", "status", "username"] {
            let mut post = post();
            post.as_object_mut().unwrap().remove(name);
            let reported = error(&app.anon.post(address, &post).await, 400, "Invalid request.");
            assert!(reported.contains(&format!("/{name} is required")), "{reported}");
            let left = QUERY.split('&').filter(|part| !part.starts_with(name)).collect::<Vec<_>>().join("&");
            let reported = error(&app.anon.get(&format!("{address}&{left}")).await, 400, "Invalid request.");
            assert!(reported.contains(name) && reported.contains("is required"), "{reported}");
        }
        let other = QUERY.replace("error", "other");
        error(&app.anon.get(&format!("{address}&{other}")).await, 400, "Invalid request.");
    }
}

#[tokio::test]
async fn an_address_does_not_tell_what_is_wrong_with_it() {
    let app = start().await;
    let (here, there) = (channel(&app, "here").await, channel(&app, "there").await);
    let key = addresses(&app, &here).await[0].split_once("?key=").unwrap().1.to_owned();
    addresses(&app, &there).await;
    for place in ["return", "webhooks"] {
        let mut reported = BTreeSet::new();
        for address in [
            format!("{here}?"),
            format!("{here}?key="),
            format!("{here}?key=wrong"),
            format!("{here}?key={key}&key={key}"),
            format!("{there}?key={key}"),
            format!("{NOTHING}?key={key}"),
            format!("general?key={key}"),
        ] {
            // A token does not replace it.
            for caller in [&app.anon, &app.owner] {
                let path = format!("/v1/{place}/{address}");
                for answer in [caller.post(&path, &post()).await, caller.get(&format!("{path}&{QUERY}")).await] {
                    reported.insert(error(&answer, 401, "Unauthorized."));
                    assert!(!answer.header("www-authenticate").is_empty(), "{path}");
                }
            }
        }
        assert_eq!(reported.len(), 1, "{reported:?}");
        let nobody = app.anon.request(Method::POST, &format!("/v1/{place}/{here}")).body("{");
        error(&app.anon.send(nobody).await, 401, "Unauthorized.");
    }
}

#[tokio::test]
async fn an_integration_is_switched_on_in_a_channel() {
    let app = start().await;
    let (integration, here) = (install(&app, "one").await, channel(&app, "here").await);
    let all = format!("/v1/channels/{here}/apps");
    assert_eq!(app.owner.get(&all).await.ok(200), json!({"data": []}));
    let path = format!("{all}/{integration}");
    let set = put(&app.owner, &path, json!({"active": true, "position": 3})).await.ok(200);
    members(&set, &["appId", "name", "kind", "active", "position", "settings", "updatedAt"]);
    assert_eq!((&set["active"], &set["appId"]), (&json!(true), &json!(integration)));
    assert_eq!(app.owner.get(&all).await.ok(200), json!({"data": [set]}));
    for body in [json!({"active": "yes"}), json!({"position": -1}), json!({"place": 1}), json!([])] {
        put(&app.owner, &path, body).await.problem(400, "invalid");
    }
    put(&app.owner, &format!("{all}/{NOTHING}"), json!({})).await.problem(404, "not_found");
    assert_eq!(app.owner.delete(&path).await.status, 204);
    app.owner.delete(&path).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_descriptor_is_looked_through_before_it_is_installed() {
    let app = start().await;
    let lint = async |body: Value| app.owner.post("/v1/apps/lint", &body).await;
    let report = lint(json!({"text": "{\n  \"data\": {},\n}"})).await.ok(200);
    members(&report, &["valid", "findings"]);
    assert_eq!(report["valid"], false);
    let found = &report["findings"][0];
    assert_eq!((&found["severity"], &found["line"]), (&json!("error"), &json!(2)), "{report}");
    let findings = lint(json!({"document": {"data": {}}})).await.ok(200)["findings"].clone();
    assert!(findings.as_array().unwrap().iter().all(|one| one.get("line").is_none()), "{findings}");
    for body in [json!({}), json!({"text": "{}", "document": {}}), json!({"url": 5}), json!({"texts": "{}"})] {
        lint(body).await.problem(400, "invalid");
    }
}
