//! Tests of triggers: the webhooks that a message calls, and those that it does not.

use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use super::{far, join, last, messages, post, rocket, say, scene, texts, wanted};
use crate::support::{Integration, Reply};

both! {
    async fn words_decide_who_is_called(app) {
        let (rob, channel) = scene(&app).await;
        let (first, anywhere, every) = (far().await, far().await, far().await);
        let one = rob.make(&first, json!({"triggerWords": ["deploy", "ship"]})).await;
        rob.make(&anywhere, json!({"triggerWords": ["deploy"], "triggerWordAnywhere": true})).await;
        rob.make(&every, json!({})).await;
        for text in ["deploy it", "Deploy it", "please deploy", "shipment", "hello"] {
            say(&app, &channel, text).await;
        }
        assert_eq!(texts(&first), ["deploy it", "shipment"]);
        assert_eq!(last(&first).body["trigger_word"], "ship");
        assert_eq!(texts(&anywhere), ["deploy it", "please deploy"]);
        assert_eq!(texts(&every).len(), 5);
        assert!(last(&every).body.get("trigger_word").is_none());
        assert_eq!(rob.steps(&one).await.len(), 2, "an uncalled webhook has no history of it");
    }

    async fn channels_decide_who_is_called(app) {
        let (rob, general) = scene(&app).await;
        let other = app.owner.post("/v1/channels", &json!({"name": "other"})).await.ok(201);
        let secret = app.owner.post("/v1/channels", &json!({"name": "secret", "private": true})).await.ok(201);
        let [other, secret] = [other, secret].map(|made| made["id"].as_str().unwrap().to_owned());
        join(&app, &secret, &rob.user_id).await;
        let lists = ["#general", "", "all_public_channels", "all_private_groups", "#secret, #general", "all_direct_messages"];
        let mut fars: Vec<Integration> = Vec::new();
        for channel in lists {
            let far = far().await;
            rob.make(&far, json!({"channel": channel})).await;
            fars.push(far);
        }
        for channel in [&general, &other, &secret] {
            say(&app, channel, &format!("in {channel}")).await;
        }
        let heard = |far: &Integration| {
            let texts = texts(far);
            [&general, &other, &secret].map(|channel| texts.contains(&format!("in {channel}")))
        };
        let heard: Vec<_> = fars.iter().map(heard).collect();
        let (yes, no) = (true, false);
        assert_eq!(heard, [
            [yes, no, no], [yes, yes, no], [yes, yes, no], [no, no, yes], [yes, no, yes], [no, no, no],
        ]);
    }

    async fn what_two_say_to_each_other_is_sent_to_who_asked_for_it(app) {
        let (rob, _) = scene(&app).await;
        let mia = rocket(&app, "acme", "mia", Role::Member).await;
        let (all, by_name, by_id, of_sender, public) = (far().await, far().await, far().await, far().await, far().await);
        for (far, channel) in [
            (&all, "all_direct_messages".to_owned()), (&by_name, "@mia".to_owned()), (&by_id, format!("@{}", mia.user_id)),
            (&of_sender, "@rob".to_owned()), (&public, "all_public_channels".to_owned()),
        ] {
            rob.make(far, json!({"channel": channel})).await;
        }
        let incoming = json!({
            "type": "webhook-incoming", "username": "rob", "channel": "#general", "name": "In", "enabled": true,
            "scriptEnabled": false, "overrideDestinationChannelEnabled": true,
        });
        let made = rob.post("integrations.create", &incoming).await.ok(200)["integration"].clone();
        let hook = format!("/hooks/{}/{}", made["_id"].as_str().unwrap(), made["token"].as_str().unwrap());
        app.anon.post(&hook, &json!({"text": "psst", "channel": "@mia"})).await.ok(200);
        app.drain().await;
        for far in [&all, &by_name, &by_id] {
            assert_eq!(texts(far), ["psst"]);
        }
        assert!(of_sender.calls().is_empty() && public.calls().is_empty(), "the sender's own name chooses nothing");
        assert_eq!(last(&all).body["user_name"], "rob");
    }

    async fn each_url_is_called_and_who_is_switched_off_is_not(app) {
        let (rob, channel) = scene(&app).await;
        let (one, two) = (far().await, far().await);
        let urls = json!({"urls": [one.base(), format!("{}/two", two.base()), one.base()]});
        let id = rob.make(&one, urls.clone()).await;
        say(&app, &channel, "one").await;
        assert_eq!((one.calls().len(), two.calls().len()), (1, 1), "each once");
        let mut change = wanted(&[one.base()], json!({"integrationId": id, "enabled": false}));
        rob.call(reqwest::Method::PUT, "integrations.update", Some(&change)).await.ok(200);
        say(&app, &channel, "two").await;
        change["enabled"] = true.into();
        rob.call(reqwest::Method::PUT, "integrations.update", Some(&change)).await.ok(200);
        say(&app, &channel, "three").await;
        assert_eq!((texts(&one), texts(&two)), (vec!["one".into(), "three".into()], vec!["one".to_owned()]));
    }

    async fn edits_are_sent_where_that_is_wanted(app) {
        let (rob, channel) = scene(&app).await;
        let (without, with) = (far().await, far().await);
        rob.make(&without, json!({})).await;
        rob.make(&with, json!({"runOnEdits": true})).await;
        post(&app, &channel, json!({"message": "first", "messageId": "m1"})).await;
        post(&app, &channel, json!({"message": "second", "messageId": "m1", "edited": true})).await;
        assert_eq!((texts(&without).len(), texts(&with).len()), (1, 2));
        assert_eq!((&last(&with).body["isEdited"], &last(&with).body["message_id"]), (&json!(true), &json!("m1")));
    }

    async fn webhooks_that_answer_each_other_come_to_an_end(app) {
        let (rob, channel) = scene(&app).await;
        let mut fars = Vec::new();
        for number in 0..5 {
            let far = far().await;
            far.reply(Reply::Json(json!({"text": format!("answer {number}")})));
            rob.make(&far, json!({"name": format!("Far {number}")})).await;
            fars.push(far);
        }
        say(&app, &channel, "begin").await;
        for (number, far) in fars.iter().enumerate() {
            let own = format!("answer {number}");
            assert!(!texts(far).contains(&own), "no integration gets its own posts back");
        }
        let bots: Vec<Value> = fars[0].calls().into_iter().map(|call| call.body["bot"].clone()).collect();
        assert_eq!((&bots[0], &bots[1]), (&json!(false), &json!(true)));
        // A message, 5 answers, 5 * 4 answers to those, and 5 * 4 * 3 without an answer.
        assert_eq!(messages(&app, &channel).await.len(), 1 + 5 + 20 + 60);
    }

    async fn what_modifiers_make_of_a_message_is_what_is_sent(app) {
        let (rob, channel) = scene(&app).await;
        let modifier = Integration::start("modifier", json!([])).await;
        modifier.reply(Reply::Change("deploy {}".into()));
        crate::channel_integrations::use_in(&app, &channel, &modifier).await;
        let far = far().await;
        rob.make(&far, json!({"triggerWords": ["deploy"]})).await;
        say(&app, &channel, "web").await;
        assert_eq!(texts(&far), ["deploy web"]);
    }

    async fn others_hear_nothing(app) {
        let (rob, _) = scene(&app).await;
        let far = far().await;
        rob.make(&far, json!({"channel": ""})).await;
        rob.make(&far, json!({"event": "roomCreated", "channel": ""})).await;
        let otto = app.other("globex").await;
        let made = otto.post("/v1/channels", &json!({"name": "general"})).await.ok(201);
        let event = json!({"type": "message.posted", "channelId": made["id"], "data": {"message": "hi"}});
        otto.post("/v1/events", &event).await.ok(202);
        rocket(&app, "globex", "eve", Role::Admin).await;
        app.drain().await;
        assert!(far.calls().is_empty());
    }
}
