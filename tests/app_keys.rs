//! Tests of apps' API keys: given to an agent at its callback and to the page of an OAuth app, and the places that they
//! open. The agent is a server on loopback, as its author would run it.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::{
    channel_integrations::{channel, find_id, named_channel, published, put, use_in},
    support::{Answer, Client, Integration, Reply, TestApp},
};

const ALL: &str = "/organisations/acme/integrations";
const CUSTOM: &str = "/organisations/acme/integrations/custom";
const HEADER: &str = "X-Telex-API-Key";

/// Starts an agent that is called back, with one plain and one secret setting.
async fn agent() -> Integration {
    let settings = json!([
        {"label": "tone", "type": "text", "required": false, "default": "polite"},
        {"label": "token", "type": "text", "required": false, "secret": true, "default": ""},
    ]);
    let agent = Integration::start("output", settings).await;
    agent.authorise_at(agent.base());
    agent
}

async fn install(app: &TestApp, agent: &Integration) -> String {
    app.owner.post(CUSTOM, &json!({"json_url": agent.json_url()})).await.ok(201);
    find_id(app, agent).await.unwrap()
}

/// Lists the keys that an agent was given, in their order.
fn keys(agent: &Integration) -> Vec<String> {
    let calls = agent.calls();
    let callbacks = calls.iter().filter(|call| call.path == "/callback");
    callbacks.map(|call| call.body["api_key"].as_str().unwrap().to_owned()).collect()
}

/// Installs an agent, uses it in a channel, and returns its id and its key.
async fn keyed(app: &TestApp, agent: &Integration, channel: &str) -> (String, String) {
    let id = use_in(app, channel, agent).await;
    app.drain().await;
    (id, keys(agent).pop().unwrap())
}

/// Returns the key in the address of an OAuth app's page.
async fn connected(app: &TestApp, id: &str) -> String {
    let begun = app.owner.post(&format!("/v1/apps/{id}/authorisation"), &json!({})).await;
    assert_eq!(begun.header("cache-control"), "no-store");
    let url = Url::parse(begun.ok(201)["url"].as_str().unwrap()).unwrap();
    let value = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
    assert_eq!((value("org_id"), value("integration_id")), (organisation(&app.owner).await, id.to_owned()));
    value("api_key")
}

async fn by_key(app: &TestApp, method: Method, path: &str, (key, body): (&str, Option<Value>)) -> Answer {
    let request = app.anon.request(method, path).header(HEADER, key);
    app.anon.send(body.iter().fold(request, |request, body| request.json(body))).await
}

/// Posts to a channel as agents do.
async fn post(app: &TestApp, channel: &str, key: &str, message: &str) -> Answer {
    let body = json!({"message": message, "channel_id": channel, "reply": false});
    by_key(app, Method::POST, &format!("/api/v1/return/{channel}"), (key, Some(body))).await
}

/// Adds a setting by a key.
async fn write(app: &TestApp, integration: &str, key: &str) -> Answer {
    let body = json!({"form_field_label": "tone", "form_field_value": "rude"});
    by_key(app, Method::POST, &format!("{ALL}/{integration}/settings"), (key, Some(body))).await
}

async fn organisation(caller: &Client) -> String {
    caller.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned()
}

both! {
    async fn an_agent_is_given_a_key_however_it_is_installed(app) {
        let organisation = organisation(&app.owner).await;
        for (path, name) in [(ALL, "json_url"), (CUSTOM, "json_url"), ("/v1/apps", "descriptorUrl")] {
            let agent = agent().await;
            let mut body = json!({name: agent.json_url()});
            if path == ALL {
                body["name"] = json!("Agent");
            }
            app.owner.post(path, &body).await.ok(201);
            assert!(agent.calls().is_empty(), "{path}: the installation does not wait for it");
            app.drain().await;
            let calls = agent.calls();
            let [call] = &calls[..] else { panic!("{path}: {calls:?}") };
            assert_eq!((call.path.as_str(), &call.body["org_id"]), ("/callback", &json!(organisation)));
            assert!(call.header("webhook-signature").starts_with("v1,"));
            let key = call.body["api_key"].as_str().unwrap();
            assert!(key.starts_with("tlx_") && key.len() == 47, "{key}");

            let deliveries = app.owner.get("/v1/deliveries?type=integration.callback&limit=1").await;
            let delivery = deliveries.ok(200)["data"][0].clone();
            assert_eq!((&delivery["state"], &delivery["destinationKind"]), (&json!("delivered"), &json!("integration")));
            let shown = app.owner.get(&format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap())).await;
            shown.ok(200);
            assert!(shown.text.contains("[redacted]"), "{}", shown.text);
            let event = app.owner.get(&format!("/v1/events/{}", delivery["eventId"].as_str().unwrap())).await;
            for answer in [&deliveries, &shown, &event, &app.owner.get("/v1/audit-log").await] {
                answer.ok(200);
                assert!(!answer.text.contains("tlx_"), "{}", answer.text);
            }
        }
    }

    async fn an_agent_posts_to_the_channels_in_which_it_is_active(app) {
        let (here, elsewhere) = (channel(&app).await, named_channel(&app, "elsewhere").await);
        let (agent, other) = (agent().await, Integration::start("output", json!([])).await);
        let (id, key) = keyed(&app, &agent, &here).await;
        use_in(&app, &here, &other).await;
        let organisation = organisation(&app.owner).await;
        let whole = json!({
            "channel_id": here, "thread_id": "0199c1de-0000-7000-8000-000000000001", "org_id": organisation,
            "message": "On it.", "reply": true, "username": "Uptimer",
        });
        let paths = ["/api/v1/return", "/v1/return", "/v1/webhooks"].map(|path| format!("{path}/{here}"));
        for path in &paths {
            by_key(&app, Method::POST, path, (&key, Some(whole.clone()))).await.ok(200);
            by_key(&app, Method::POST, path, (&key, Some(json!({"message": "On it."})))).await.ok(200);
            app.anon.post(&format!("{path}?key={key}"), &whole).await.ok(200);
            for (member, value) in [("org_id", "acme"), ("channel_id", elsewhere.as_str())] {
                let mut wrong = whole.clone();
                wrong[member] = json!(value);
                let refused = by_key(&app, Method::POST, path, (&key, Some(wrong))).await;
                assert!(refused.ok(400)["error"].as_str().unwrap().contains(member), "{}", refused.text);
            }
        }
        app.drain().await;
        assert_eq!(published(&app, &here).await, ["On it."; 9]);
        let messages = app.owner.get(&format!("/v1/channels/{here}/messages")).await.ok(200);
        let data = |index: usize| messages["data"][index]["data"].clone();
        let posted = data(messages["data"].as_array().unwrap().len() - 1);
        assert_eq!((&posted["integrationId"], &posted["username"]), (&json!(id), &json!("Uptimer")), "{posted}");
        assert_eq!(posted["threadId"], whole["thread_id"]);
        assert!(agent.calls().iter().all(|call| call.path == "/callback"), "it does not get its own messages back");
        let calls = other.calls();
        assert_eq!((calls.len(), &calls[0].body["user_type"]), (9, &json!("bot")));

        // The same answer for every place that is not the agent's.
        let outsider = app.other("globex").await;
        let theirs = outsider.post("/v1/channels", &json!({"name": "theirs"})).await.ok(201)["id"].clone();
        let wrong = format!("tlx_{}", "A".repeat(43));
        let mut refused = vec![
            post(&app, &elsewhere, &key, "x").await,
            post(&app, theirs.as_str().unwrap(), &key, "x").await,
            post(&app, "general", &key, "x").await,
            post(&app, &here, &wrong, "x").await,
            post(&app, &here, &key[..46], "x").await,
            post(&app, &here, &app.owner.token(), "x").await,
            app.owner.post(&format!("/api/v1/return/{here}"), &whole).await,
        ];
        put(&app, &format!("/v1/channels/{here}/apps/{id}"), json!({"active": false})).await;
        refused.push(post(&app, &here, &key, "x").await);
        put(&app, &format!("/v1/channels/{here}/apps/{id}"), json!({"active": true})).await;
        app.owner.patch(&format!("/v1/apps/{id}"), &json!({"active": false})).await.ok(200);
        refused.push(post(&app, &here, &key, "x").await);
        for answer in &refused {
            assert_eq!((answer.ok(401), &answer.text), (refused[0].ok(401), &refused[0].text));
        }
        app.owner.patch(&format!("/v1/apps/{id}"), &json!({"active": true})).await.ok(200);
        post(&app, &here, &key, "x").await.ok(200);
    }

    async fn a_callback_is_retried_with_another_key(app) {
        let (here, agent) = (channel(&app).await, agent().await);
        agent.reply(Reply::Text(500, "not yet".into()));
        let (_, first) = keyed(&app, &agent, &here).await;
        let pending = app.deliveries("state=pending").await;
        assert_eq!((pending.len(), &pending[0]["eventType"]), (1, &json!("integration.callback")), "{pending:?}");
        post(&app, &here, &first, "its answer may be lost, and its key works").await.ok(200);
        agent.reply(Reply::Text(202, String::new()));
        app.advance(Duration::from_secs(10));
        app.drain().await;
        let keys = keys(&agent);
        assert_eq!(keys.len(), 2);
        post(&app, &here, &keys[0], "former").await.ok(401);
        post(&app, &here, &keys[1], "present").await.ok(200);
        let id = pending[0]["id"].as_str().unwrap();
        let shown = app.owner.get(&format!("/v1/deliveries/{id}")).await;
        assert_eq!((&shown.ok(200)["state"], &shown.ok(200)["attemptCount"]), (&json!("delivered"), &json!(2)));
        assert!(!shown.text.contains("tlx_"), "{}", shown.text);

        // The cure of a lost key.
        app.owner.post(&format!("/v1/deliveries/{id}/replay"), &json!({})).await.ok(202);
        app.drain().await;
        let replayed = self::keys(&agent);
        assert_eq!(replayed.len(), 3);
        post(&app, &here, &replayed[1], "former").await.ok(401);
        post(&app, &here, &replayed[2], "present").await.ok(200);
    }

    async fn a_callback_that_is_refused_holds_up_no_message(app) {
        for status in [404, 410] {
            let (here, agent) = (named_channel(&app, &format!("c{status}")).await, agent().await);
            agent.reply(Reply::Text(status, String::new()));
            keyed(&app, &agent, &here).await;
            let failed = app.deliveries("state=failed&limit=1").await;
            assert!(failed[0]["reason"].as_str().unwrap().contains(&format!("({status})")), "{failed:?}");
            agent.reply(Reply::Text(202, String::new()));
            let event = json!({"type": "message.posted", "channelId": here, "data": {"message": "hello"}});
            app.owner.post("/v1/events", &event).await.ok(202);
            app.drain().await;
            assert_eq!(agent.calls().last().unwrap().path, "/target");
        }
    }

    async fn only_this_service_calls_back(app) {
        let (here, agent) = (channel(&app).await, agent().await);
        let (id, key) = keyed(&app, &agent, &here).await;
        let to = json!({"kind": "integration", "address": id});
        app.owner.post("/v1/routes", &json!({"types": ["integration.*"], "destination": to})).await.ok(201);
        let forged = json!({"type": "integration.callback", "data": {"integrationId": id}});
        app.owner.post("/v1/events", &forged).await.ok(202);
        app.drain().await;
        assert_eq!(keys(&agent), [key]);
        // The callback of another app is not this one's, either.
        let other = self::agent().await;
        install(&app, &other).await;
        app.drain().await;
        assert_eq!((keys(&agent).len(), keys(&other).len()), (1, 1));
    }

    async fn an_app_writes_its_settings_by_its_key(app) {
        let (here, agent) = (channel(&app).await, agent().await);
        let (id, callback) = keyed(&app, &agent, &here).await;
        let shown = app.owner.get(&format!("/v1/apps/{id}")).await.ok(200);
        assert_eq!(shown["isOauth"], true);
        let connect = connected(&app, &id).await;
        let settings = format!("{ALL}/{id}/settings");
        let of_id = format!("/organisations/{}/integrations/{id}/settings", organisation(&app.owner).await);
        let token = |value: &str| json!({"form_field_label": "token", "form_field_value": value});
        for (key, path) in [(&callback, &settings), (&connect, &of_id)] {
            by_key(&app, Method::POST, path, (key, Some(token("t0p")))).await.ok(200);
            by_key(&app, Method::PATCH, path, (key, Some(token("t0p-s3cret")))).await.ok(200);
            let read = by_key(&app, Method::GET, path, (key, None)).await.ok(200);
            assert_eq!(read["data"][0]["form_field_value"], "t0p-s3cret", "it gets its secrets with each call, too");
            let bearer = app.anon.with_token(key);
            assert_eq!(bearer.get(path).await.ok(200), read);
            bearer.post(path, &json!({"form_field_label": "tone", "form_field_value": 5})).await.ok(400);
            // Nothing else is open to it.
            for (method, path) in [
                (Method::GET, ALL.to_owned()),
                (Method::GET, format!("{ALL}/{id}/channels/{here}/settings")),
                (Method::PUT, format!("{CUSTOM}/{id}/settings")),
                (Method::DELETE, format!("{ALL}/{id}")),
                (Method::GET, format!("/v1/apps/{id}")),
                (Method::GET, "/v1/events".to_owned()),
                (Method::GET, "/api/v1/me".to_owned()),
            ] {
                let request = bearer.request(method, &path).header(HEADER, key).json(&json!({}));
                assert_eq!(bearer.send(request).await.status, 401, "{path}");
            }
        }
        let log = app.owner.get("/v1/audit-log?action=setting.*").await.ok(200);
        assert_eq!((&log["data"][0]["actor"], &log["data"][0]["subject"]), (&json!("app"), &json!(id)));
        let begun = app.owner.get("/v1/audit-log?action=integration.authorise").await;
        assert_eq!(begun.ok(200)["data"].as_array().unwrap().len(), 1);
        assert!(!begun.text.contains("tlx_"), "{}", begun.text);

        let again = connected(&app, &id).await;
        write(&app, &id, &connect).await.ok(401);
        write(&app, &id, &again).await.ok(200);
        write(&app, &id, &callback).await.ok(200);
    }

    async fn a_key_opens_nothing_of_another_app_or_organisation(app) {
        let (here, there) = (channel(&app).await, named_channel(&app, "there").await);
        let (one, other) = (agent().await, agent().await);
        let ((id, key), (other_id, other_key)) = (keyed(&app, &one, &here).await, keyed(&app, &other, &there).await);
        let outsider = app.other("globex").await;
        let theirs = agent().await;
        let installed = outsider.post("/v1/apps", &json!({"descriptorUrl": theirs.json_url()})).await.ok(201);
        let (their_id, globex) = (installed["id"].as_str().unwrap(), "/organisations/globex/integrations");
        app.drain().await;
        let their_key = keys(&theirs).pop().unwrap();
        let mut refused = Vec::new();
        for (path, key) in [
            (format!("{ALL}/{other_id}/settings"), &key),
            (format!("{ALL}/{id}/settings"), &other_key),
            (format!("{ALL}/{id}/settings"), &their_key),
            (format!("{globex}/{id}/settings"), &their_key),
            (format!("{globex}/{their_id}/settings"), &key),
            (format!("{globex}/{id}/settings"), &key),
            (format!("/organisations/nothing/integrations/{id}/settings"), &key),
            (format!("{ALL}/nothing/settings"), &key),
            (format!("{ALL}/{id}/settings"), &String::new()),
        ] {
            for method in [Method::GET, Method::POST, Method::PATCH] {
                // The key is looked at before the body.
                let answer = by_key(&app, method, &path, (key, Some(json!({})))).await;
                answer.ok(401);
                refused.push(answer.text);
            }
        }
        assert!(refused.iter().all(|text| *text == refused[0]), "{refused:?}");
        for (channel, key) in [(&here, &other_key), (&there, &key), (&here, &their_key)] {
            post(&app, channel, key, "x").await.ok(401);
        }
        write(&app, &id, &key).await.ok(200);
        write(&app, &other_id, &other_key).await.ok(200);
    }

    async fn keys_end_with_the_installation(app) {
        let (here, agent) = (channel(&app).await, agent().await);
        let (id, callback) = keyed(&app, &agent, &here).await;
        let connect = connected(&app, &id).await;
        app.owner.delete(&format!("/v1/apps/{id}")).await.ok(204);
        for key in [&callback, &connect] {
            post(&app, &here, key, "x").await.ok(401);
            write(&app, &id, key).await.ok(401);
        }
        // Neither does a pending callback bring another.
        agent.reply(Reply::Text(500, String::new()));
        let id = install(&app, &agent).await;
        app.drain().await;
        app.owner.delete(&format!("/v1/apps/{id}")).await.ok(204);
        app.advance(Duration::from_secs(3600));
        app.drain().await;
        assert_eq!(keys(&agent).len(), 2);
        write(&app, &id, keys(&agent).last().unwrap()).await.ok(401);
    }

    async fn an_agent_is_called_once_for_each_callback_that_it_names(app) {
        let (here, agent) = (channel(&app).await, Integration::start("output", json!([])).await);
        let id = use_in(&app, &here, &agent).await;
        let refresh = async || {
            put(&app, &format!("{CUSTOM}/{id}"), json!({"json_url": agent.json_url()})).await;
            app.owner.patch(&format!("/v1/apps/{id}"), &json!({"active": true})).await.ok(200);
            app.drain().await;
        };
        refresh().await;
        assert!(agent.calls().is_empty(), "it names none");
        agent.authorise_at(agent.base());
        refresh().await;
        let [first] = &keys(&agent)[..] else { panic!("{:?}", agent.calls()) };
        refresh().await;
        assert_eq!(keys(&agent).len(), 1, "the same is not called again");
        post(&app, &here, first, "x").await.ok(200);
        let connect = connected(&app, &id).await;

        // Another host gets keys of its own, and the former one's are void at once.
        let moved = Integration::start("output", json!([])).await;
        agent.authorise_at(moved.base());
        put(&app, &format!("{CUSTOM}/{id}"), json!({"json_url": agent.json_url()})).await;
        for key in [first, &connect] {
            post(&app, &here, key, "x").await.ok(401);
            write(&app, &id, key).await.ok(401);
        }
        app.drain().await;
        assert_eq!((keys(&agent).len(), keys(&moved).len()), (1, 1));
        post(&app, &here, &keys(&moved)[0], "x").await.ok(200);
    }

    async fn an_app_without_oauth_has_no_page(app) {
        let plain = Integration::start("output", json!([])).await;
        let id = install(&app, &plain).await;
        assert_eq!(app.owner.get(&format!("/v1/apps/{id}")).await.ok(200)["isOauth"], false);
        let refused = app.owner.post(&format!("/v1/apps/{id}/authorisation"), &json!({})).await;
        assert!(refused.problem(409, "failed_precondition").to_string().contains("is_oauth"), "{}", refused.text);
        let mut document = plain.descriptor("output", json!([]));
        document["data"]["is_oauth"] = json!(true);
        document["data"]["auth_initiate_url"] = json!("https://oauth.example/begin?app=1&to=a%20b#top");
        plain.describe(&document.to_string());
        put(&app, &format!("{CUSTOM}/{id}"), json!({"json_url": plain.json_url()})).await;
        let begun = app.owner.post(&format!("/v1/apps/{id}/authorisation"), &json!({})).await.ok(201);
        let url = begun["url"].as_str().unwrap();
        assert!(url.starts_with("https://oauth.example/begin?app=1&to=a%20b&api_key=tlx_"), "{url}");
        assert!(url.ends_with("#top"), "{url}");
    }
}

#[tokio::test]
async fn a_callback_that_may_not_be_called_is_refused() {
    let app = TestApp::start(crate::support::Database::sqlite()).await;
    let agent = agent().await;
    for host in ["http://169.254.169.254", app.app.base.public_url().as_str().trim_end_matches('/')] {
        agent.authorise_at(host);
        let refused = app.owner.post(CUSTOM, &json!({"json_url": agent.json_url()})).await.ok(400);
        assert!(refused["error"].as_str().unwrap().contains("auth_callback"), "{refused}");
    }
    // The page of an OAuth app is opened by a browser and not by this service.
    let mut document = agent.descriptor("output", json!([]));
    document["data"]["is_oauth"] = json!(true);
    document["data"]["auth_initiate_url"] = json!("http://intranet.example/begin");
    agent.describe(&document.to_string());
    let id = install(&app, &agent).await;
    connected(&app, &id).await;
}

#[tokio::test]
async fn a_callback_in_a_document_that_comes_late_is_called() {
    let app = TestApp::start(crate::support::Database::sqlite()).await;
    let agent = agent().await;
    agent.describe_by(Reply::Late(Duration::from_secs(4), agent.document()));
    app.owner.post(ALL, &json!({"name": "late", "json_url": agent.json_url()})).await.ok(201);
    assert!(agent.calls().is_empty());
    app.drain().await;
    assert_eq!(keys(&agent).len(), 1);
}
