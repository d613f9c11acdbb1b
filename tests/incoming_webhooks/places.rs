//! Tests of the target of a post: the webhook's own channels, or those that the sender chooses.

use serde_json::{Value, json};
use tieline::{domain::tenancy::member::Role, store};

use super::{Hook, channel, done, posted, refused, user_id};
use crate::support::{Client, TestApp};

const OVERRIDE: &str = "overriding destination channel is disabled for this integration";

/// Lists the channels that a caller sees.
async fn listed(caller: &Client) -> Vec<Value> {
    caller.get("/v1/channels?limit=250").await.ok(200)["data"].as_array().unwrap().clone()
}

/// Returns the one direct channel that a caller sees.
async fn direct(caller: &Client) -> String {
    let direct: Vec<_> =
        listed(caller).await.into_iter().filter(|one| one["name"].as_str().unwrap().contains(':')).collect();
    assert_eq!(direct.len(), 1, "{direct:?}");
    direct[0]["id"].as_str().unwrap().to_owned()
}

async fn archive(app: &TestApp, id: &str) {
    let organisation_id = app.organisation("acme").await;
    let tx = app.app.base.store().begin().await.unwrap();
    let mut channel = store::channels::find(&tx, organisation_id, id.parse().unwrap()).await.unwrap();
    channel.archived_at = Some(app.now());
    store::channels::update(&tx, &channel).await.unwrap();
    tx.commit().await.unwrap();
}

both! {
    async fn a_sender_chooses_only_where_that_is_allowed(app) {
        let hook = Hook::new(&app, json!({})).await;
        let alerts = channel(&app.owner, "alerts", false).await;
        for key in ["channel", "roomId"] {
            refused(&hook.post(&json!({"text": "a", key: "#alerts"})).await, 400, OVERRIDE);
            refused(&hook.post(&json!({"text": "a", key: ["#general"]})).await, 400, OVERRIDE);
            done(&hook.post(&json!({"text": "a", key: ""})).await);
        }
        hook.update(json!({"overrideDestinationChannelEnabled": true})).await;
        for target in [json!("#alerts"), json!("alerts"), json!(alerts), json!(format!("#{alerts}")), json!(["#alerts", "alerts", alerts])] {
            done(&hook.post(&json!({"text": "b", "channel": target})).await);
        }
        done(&hook.post(&json!({"text": "b", "roomId": alerts})).await);
        assert_eq!(posted(&app.owner, &alerts).await.len(), 6, "each channel once, however it is named");
        done(&hook.post(&json!({"text": "own"})).await);
        assert_eq!(hook.texts().await, ["own", "a", "a"]);
        for target in [json!("#nothing"), json!("@nobody"), json!("nothing"), json!("olga"), json!("all_public_channels"), json!(5), json!(["#general", null]), json!("#\u{0}"), json!("@\u{0}")] {
            refused(&hook.post(&json!({"text": "c", "channel": target})).await, 400, "invalid-channel");
        }
        let many: Vec<String> = (0..60).map(|number| format!("#{number}")).collect();
        refused(&hook.post(&json!({"text": "c", "channel": many})).await, 400, "error-too-many-channels");
    }

    async fn where_one_channel_fails_nothing_is_posted_anywhere(app) {
        let hook = Hook::new(&app, json!({"overrideDestinationChannelEnabled": true})).await;
        let alerts = channel(&app.owner, "alerts", false).await;
        app.caller("acme", "ada", Role::Member).await;
        let targets = json!(["#general", "@ada", "#nothing", "#alerts"]);
        refused(&hook.post(&json!({"text": "a", "channel": targets})).await, 400, "invalid-channel");
        assert!(hook.posted().await.is_empty() && posted(&app.owner, &alerts).await.is_empty());
        assert_eq!(listed(&app.owner).await.len(), 2, "nor is a channel made");
        let answer = hook.post(&json!({"text": "a", "channel": targets, "separateResponse": true})).await.ok(200);
        assert_eq!(answer["success"], true);
        let responses = answer["responses"].as_array().unwrap();
        let channels: Vec<_> = responses.iter().map(|one| one["channel"].as_str().unwrap()).collect();
        assert_eq!(channels, ["#general", "@ada", "#nothing", "#alerts"]);
        assert_eq!(responses[2], json!({"channel": "#nothing", "error": "invalid-channel"}));
        let message = &responses[0]["message"];
        let general = hook.posted().await;
        assert_eq!((&message["_id"], &message["rid"]), (&general[0]["id"], &json!(hook.general)));
        assert_eq!((&message["msg"], &message["bot"]["i"]), (&json!("a"), &json!(hook.id())));
        assert_eq!(message["u"], json!({"_id": hook.manager.user_id, "username": "olga", "name": "olga"}));
        assert_eq!(posted(&app.owner, &alerts).await.len(), 1);
        let body = json!({"text": "a", "channel": ["#x", "#y"], "separateResponse": true});
        let answer = hook.post(&body).await.ok(400);
        let errors = json!([{"channel": "#x", "error": "invalid-channel"}, {"channel": "#y", "error": "invalid-channel"}]);
        assert_eq!(answer, json!({"responses": errors, "success": false}));
    }

    async fn two_have_a_channel_of_their_own(app) {
        let ada = app.caller("acme", "ada", Role::Member).await;
        let bob = app.caller("acme", "bob", Role::Admin).await;
        let hook = Hook::new(&app, json!({"channel": "@ada"})).await;
        done(&hook.post(&json!({"text": "psst"})).await);
        done(&hook.post(&json!({"text": "psst again"})).await);
        let id = direct(&ada).await;
        assert_eq!(direct(&app.owner).await, id, "both see it");
        assert_eq!(posted(&ada, &id).await.len(), 2);
        assert!(listed(&bob).await.iter().all(|one| one["id"] != id), "a manager of channels does not see it listed");
        assert_eq!(bob.get(&format!("/v1/channels/{id}")).await.ok(200)["private"], true, "as every private one");
        let carl = app.caller("acme", "carl", Role::Member).await;
        assert_eq!(carl.get(&format!("/v1/channels/{id}")).await.status, 404);
        let home = app.organisation("acme").await.to_string();
        let carls = user_id(&app.owner, &home, "carl").await;
        let path = format!("/v1/channels/{id}");
        app.owner.put(&format!("{path}/members/{carls}")).await.problem(409, "failed_precondition");
        app.owner.delete(&format!("{path}/members/{}", hook.manager.user_id)).await.problem(409, "failed_precondition");
        app.owner.patch(&path, &json!({"private": false})).await.problem(409, "failed_precondition");
        hook.update(json!({"channel": "@olga"})).await;
        done(&hook.post(&json!({"text": "to myself"})).await);
        assert_eq!(listed(&app.owner).await.len(), 3);
    }

    async fn the_bot_posts_in_public_channels_and_to_members(app) {
        let ada = app.caller("acme", "ada", Role::Member).await;
        let secret = channel(&app.owner, "secret", true).await;
        let hook = Hook::new(&app, json!({"username": "rocket.cat", "channel": "#general,@ada"})).await;
        done(&hook.post(&json!({"text": "meow"})).await);
        assert_eq!(hook.posted().await[0]["data"]["user"], json!({"username": "rocket.cat"}));
        assert_eq!(posted(&ada, &direct(&ada).await).await.len(), 1);
        hook.update(json!({"username": "rocket.cat", "channel": "#secret"})).await;
        refused(&hook.post(&json!({"text": "meow"})).await, 400, "error-not-allowed");
        hook.update(json!({"username": "rocket.cat", "channel": "#general", "overrideDestinationChannelEnabled": true})).await;
        refused(&hook.post(&json!({"text": "meow", "channel": "@rocket.cat"})).await, 400, "invalid-channel");
        assert!(posted(&app.owner, &secret).await.is_empty());
    }

    async fn a_poster_sees_what_is_posted_to(app) {
        let ada = app.caller("acme", "ada", Role::Member).await;
        let secret = channel(&app.owner, "secret", true).await;
        let hook = Hook::new(&app, json!({"username": "ada", "overrideDestinationChannelEnabled": true})).await;
        let home = app.organisation("acme").await.to_string();
        let adas = user_id(&app.owner, &home, "ada").await;
        let members = async |id: &str| {
            let listed = app.owner.get(&format!("/v1/channels/{id}/members")).await.ok(200);
            listed["data"].as_array().unwrap().len()
        };
        assert_eq!(members(&hook.general).await, 1);
        done(&hook.post(&json!({"text": "a"})).await);
        assert_eq!(members(&hook.general).await, 2, "the poster joins a public channel");
        let to_secret = json!({"text": "a", "channel": "#secret"});
        refused(&hook.post(&to_secret).await, 400, "error-not-allowed");
        assert_eq!(members(&secret).await, 1);
        let put = app.owner.put(&format!("/v1/channels/{secret}/members/{adas}")).await;
        assert!(put.status.is_success(), "{}", put.text);
        done(&hook.post(&to_secret).await);
        assert_eq!(posted(&ada, &secret).await.len(), 1);
    }

    async fn nothing_is_posted_in_what_is_archived(app) {
        let hook = Hook::new(&app, json!({})).await;
        let addresses = app.owner.get(&format!("/v1/channels/{}/webhook", hook.general)).await.ok(200);
        let return_url = addresses["returnUrl"].as_str().unwrap().to_owned();
        archive(&app, &hook.general).await;
        refused(&hook.post(&json!({"text": "a"})).await, 400, "room_is_archived");
        let event = json!({"type": "message.posted", "channelId": hook.general, "data": {"message": "a"}});
        app.owner.post("/v1/events", &event).await.problem(409, "failed_precondition");
        let other = json!({"type": "deploy.done", "channelId": hook.general});
        app.owner.post("/v1/events", &other).await.ok(202);
        let path = &return_url[return_url.find("/v1/").unwrap()..];
        let post = json!({"event_name": "e", "message": "m", "status": "success", "username": "u"});
        let answer = app.anon.post(path, &post).await;
        assert!(answer.ok(400)["error"].as_str().unwrap().contains("archived"), "{}", answer.text);
        assert!(hook.posted().await.is_empty());
    }

    async fn nothing_leads_into_another_organisation(app) {
        let globex = app.other("globex").await;
        let theirs = channel(&globex, "theirs", false).await;
        let hook = Hook::new(&app, json!({"overrideDestinationChannelEnabled": true})).await;
        let otto = globex.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
        let otto = user_id(&globex, &otto, "otto").await;
        for target in ["#theirs".to_owned(), theirs.clone(), format!("#{theirs}"), "@otto".into(), otto.clone(), format!("@{otto}")] {
            refused(&hook.post(&json!({"text": "a", "channel": target})).await, 400, "invalid-channel");
        }
        assert!(posted(&globex, &theirs).await.is_empty());
        assert_eq!(globex.get(&format!("/v1/channels/{}/messages", hook.general)).await.status, 404);
    }
}
