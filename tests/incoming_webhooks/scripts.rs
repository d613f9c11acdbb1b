//! Tests of the scripts of incoming webhooks.

use std::time::Duration;

use serde_json::{Value, json};
use tieline::{domain::tenancy::member::Role, store::webhooks};

use super::{Hook, done, refused, start};
use crate::support::Answer;

/// A script whose method has this body.
fn script(body: &str) -> Value {
    let text = format!("class Script {{ process_incoming_request({{ request }}) {{ {body} }} }}");
    json!({"scriptEnabled": true, "script": text})
}

#[track_caller]
fn failed(answer: &Answer, with: &str) {
    let error = answer.ok(400)["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("the script failed: ") && error.contains(with), "{error}");
}

both! {
    async fn a_script_says_what_is_posted(app) {
        app.caller("acme", "ada", Role::Member).await;
        let hook = Hook::new(&app, script("return { content: { text: `${request.content.who} ${request.url.query.n}` } };")).await;
        let path = format!("{}?n=5", hook.path());
        done(&app.anon.post(&path, &json!({"who": "Ada", "text": "unseen"})).await);
        done(&app.anon.get(&path).await);
        assert_eq!(hook.texts().await, ["undefined 5", "Ada 5"]);
        for (body, expected) in [
            ("return { content: { text: request.content_raw, username: request.user.username } };", "[1, 2]"),
            ("return { content: { msg: request.headers['x-event'] || request.url_params.integrationId.length } };", "36"),
            ("return { content: { text: JSON.stringify(request.body) } };", "{}"),
        ] {
            hook.update(script(body)).await;
            done(&hook.send(Some("application/json"), "[1, 2]").await);
            assert_eq!(hook.texts().await[0], expected, "an array is for a script to read");
        }
        hook.update(script("return { content: { text: request.content_raw } };")).await;
        done(&hook.send(Some("text/plain"), "plain words").await);
        assert_eq!(hook.texts().await[0], "plain words");
        hook.update(script("return { content: { text: 'a' }, user: { username: 'ada' } };")).await;
        done(&hook.post(&json!({})).await);
        assert_eq!(hook.posted().await[0]["data"]["user"]["username"], "ada");
        hook.update(script("return { content: { text: 'a' }, user: { username: 'nobody' } };")).await;
        refused(&hook.post(&json!({})).await, 400, "error-invalid-user");
    }

    async fn a_script_chooses_the_senders_answer(app) {
        let hook = Hook::new(&app, json!({})).await;
        for (body, status, reported) in [
            ("return;", 200, json!({"success": true})),
            ("return null;", 200, json!({"success": true})),
            ("return {};", 200, json!({"success": true})),
            ("return { response: { challenge: request.content.challenge } };", 200, json!({"challenge": "c", "success": true})),
            ("return { response: 'pong' };", 200, json!({"response": "pong", "success": true})),
            ("return { error: 'no' };", 400, json!({"error": "no", "success": false})),
            ("return { error: { success: false, message: 'no' } };", 400, json!({"message": "no", "success": false})),
            ("return { error: 5, content: { text: 'a' } };", 400, json!({"error": "5", "success": false})),
        ] {
            hook.update(script(body)).await;
            assert_eq!(hook.post(&json!({"challenge": "c"})).await.ok(status), reported, "{body}");
        }
        assert!(hook.posted().await.is_empty());
        hook.update(script("return { content: { text: 'a' }, response: { ok: 1 } };")).await;
        assert_eq!(hook.post(&json!({})).await.ok(200), json!({"ok": 1, "success": true}));
        hook.update(script("return { content: { text: 'b', channel: '#general' } };")).await;
        let override_error = "overriding destination channel is disabled for this integration";
        refused(&hook.post(&json!({})).await, 400, override_error);
        hook.update(script("return { content: {} };")).await;
        refused(&hook.post(&json!({})).await, 400, "unknown-error");
        hook.update(script("return { content: 'text' };")).await;
        refused(&hook.post(&json!({})).await, 400, "the script failed: content must be an object");
        hook.update(script("return { content: { text: 'c', separateResponse: true } };")).await;
        assert_eq!(hook.post(&json!({})).await.ok(200)["responses"][0]["channel"], "#general");
        assert_eq!(hook.texts().await, ["c", "a"]);
        hook.update(json!({"scriptEnabled": true, "script": "class Script {}"})).await;
        done(&hook.post(&json!({"text": "a"})).await);
        assert_eq!(hook.posted().await.len(), 2, "a method that is missing has nothing to say");
    }

    async fn a_script_that_fails_is_reported_and_harms_nobody(app) {
        let hook = Hook::new(&app, json!({})).await;
        for (body, with) in [
            ("throw new Error('boom');", "boom"),
            ("return nothing.at.all;", "nothing"),
            ("while (true) {}", "ScriptTimeout"),
            ("const all = []; while (true) all.push('x'.repeat(1 << 20));", "ScriptMemory"),
            ("const down = () => down(); down();", "stack"),
        ] {
            hook.update(script(body)).await;
            let answer = hook.post(&json!({"text": "a"})).await;
            failed(&answer, "");
            assert!(answer.text.to_lowercase().contains(&with.to_lowercase()), "{body}: {}", answer.text);
        }
        hook.update(json!({"scriptEnabled": true, "script": "class Script {"})).await;
        done(&hook.post(&json!({"text": "without its script"})).await);
        hook.update(json!({"scriptEnabled": false, "script": "class Script {}"})).await;
        done(&hook.post(&json!({"text": "switched off"})).await);
        assert_eq!(hook.texts().await, ["switched off", "without its script"]);
    }

    async fn a_script_remembers_until_it_is_saved(app) {
        let counting = script("const n = (Store.get('n') || 0) + 1; Store.set('n', n); if (request.content.fail) throw new Error('x'); return { content: { text: `${n}` } };");
        let hook = Hook::new(&app, counting.clone()).await;
        for _ in 0..3 {
            done(&hook.post(&json!({})).await);
        }
        failed(&hook.post(&json!({"fail": true})).await, "x");
        done(&hook.post(&json!({})).await);
        let (store, organisation_id) = (app.app.base.store(), app.organisation("acme").await);
        let before = webhooks::find(store.reader(), organisation_id, hook.id().parse().unwrap()).await;
        app.advance(Duration::from_secs(1));
        hook.update(counting).await;
        // A run of the former script that ends only now.
        let kept = serde_json::Map::from_iter([("n".to_owned(), json!(100))]);
        let former = before.unwrap().webhook;
        webhooks::keep_script_store(store.writer(), &former, &kept, app.now()).await.unwrap();
        done(&hook.post(&json!({})).await);
        assert_eq!(hook.texts().await, ["1", "5", "3", "2", "1"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_scripts_are_switched_off_nothing_goes_around_them() {
    let app = start(vec![("TIELINE_SCRIPT__MODE", "off".into())]).await;
    let hook = Hook::new(&app, json!({})).await;
    done(&hook.post(&json!({"text": "without one"})).await);
    // A script that was saved before they were switched off.
    let organisation_id = app.organisation("acme").await;
    let found = webhooks::find(app.app.base.store().reader(), organisation_id, hook.id().parse().unwrap()).await;
    let mut webhook = found.unwrap().webhook;
    webhook.script.enabled = true;
    webhook.script.text = Some("class Script {}".to_owned());
    let tx = app.app.base.store().begin().await.unwrap();
    webhooks::update(&tx, &webhook, None).await.unwrap();
    tx.commit().await.unwrap();
    refused(&hook.post(&json!({"text": "raw"})).await, 400, "integration-scripts-disabled");
    assert_eq!(hook.texts().await, ["without one"]);
}
