//! Tests of scripts that change requests and answers.

use serde_json::{Value, json};

use super::{far, last, messages, say, scene};
use crate::support::Reply;

fn with(body: &str) -> Value {
    json!({"scriptEnabled": true, "script": format!("class Script {{ {body} }}")})
}

const PREPARE: &str = "prepare_outgoing_request";

both! {
    async fn a_script_may_change_the_whole_request(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        let script = with(&format!(
            r#"prepare_outgoing_request({{ request }}) {{
                console.log('to', request.url, request.data.text);
                Store.set('n', (Store.get('n') || 0) + 1);
                return {{ url: '{}/changed?n=' + Store.get('n'), method: 'put', auth: 'user:pass',
                    headers: {{ 'X-One': 'yes', 'webhook-id': 'mine' }}, data: {{ said: request.data.text }} }};
            }}"#,
            far.base()
        ));
        let id = rob.make(&far, script).await;
        for text in ["one", "two"] {
            say(&app, &channel, text).await;
        }
        let call = last(&far);
        assert_eq!((call.method.as_str(), call.path.as_str(), &call.body), ("PUT", "/changed", &json!({"said": "two"})));
        assert_eq!((call.header("authorization"), call.header("x-one")), ("Basic dXNlcjpwYXNz", "yes"));
        assert!(call.header("webhook-id").starts_with("msg_"), "the signing headers are ours");
        let run = rob.history(&id).await[0].clone();
        assert_eq!((&run["step"], &run["ranPrepareScript"]), (&json!("after-http-call"), &json!(true)));
        assert_eq!(run["url"], format!("{}/changed?n=2", far.base()));
        assert_eq!(run["httpCallData"], json!({"said": "two"}));
        assert!(run["console"][0]["text"].as_str().unwrap().contains("two"), "{run}");
    }

    async fn a_script_may_keep_a_call_from_being_made(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        for (body, step, finished) in [
            ("", "after-prepare-no-opts", true),
            ("return null;", "after-prepare-no-opts", true),
            ("return 'x';", "after-prepare-no-opts", true),
            ("return {};", "after-prepare-no-url_or_method", true),
            ("return { url: request.url };", "after-prepare-no-url_or_method", true),
            ("return { message: { text: 'said first' } };", "after-prepare-no-url_or_method", true),
            ("return { ...request, message: { text: 'x', channel: '#nowhere' } };", "after-prepare-send-message-failed", true),
            ("throw new Error('no');", "execute-script-error-running-prepare_outgoing_request", false),
            ("while (true) {}", "execute-script-error-running-prepare_outgoing_request", false),
            ("return { ...request, method: 'TRACE' };", "pre-http-call", false),
            ("return { ...request, headers: { Host: 'elsewhere' } };", "pre-http-call", false),
            ("return { ...request, auth: 'nocolon' };", "pre-http-call", false),
        ] {
            let id = rob.make(&far, with(&format!("{PREPARE}({{ request }}) {{ {body} }}"))).await;
            say(&app, &channel, "go").await;
            let run = rob.history(&id).await[0].clone();
            let expected = (&json!(step), &json!(finished), &json!(!finished));
            assert_eq!((&run["step"], &run["finished"], &run["error"]), expected, "{body}: {run}");
            rob.post("integrations.remove", &json!({"type": "webhook-outgoing", "integrationId": id})).await.ok(200);
        }
        assert!(far.calls().is_empty());
        assert!(messages(&app, &channel).await.iter().any(|message| message["message"] == "said first"));
    }

    async fn a_script_does_not_lead_inside(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        let retries = json!({"retryFailedCalls": true, "retryCount": 3, "retryDelay": "powers-of-ten"});
        for url in ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "file:///etc/passwd", "http://[::ffff:10.0.0.1]/"] {
            let mut wanted = with(&format!("{PREPARE}({{ request }}) {{ return {{ ...request, url: '{url}' }}; }}"));
            wanted.as_object_mut().unwrap().extend(retries.as_object().unwrap().clone());
            let id = rob.make(&far, wanted).await;
            say(&app, &channel, "go").await;
            app.run_for(2).await;
            let runs = rob.history(&id).await;
            assert_eq!((runs.len(), &runs[0]["error"]), (1, &json!(true)), "{url}: {runs:?}");
            assert!(runs[0]["httpError"]["message"].as_str().unwrap().contains("URL"), "{runs:?}");
            rob.post("integrations.remove", &json!({"type": "webhook-outgoing", "integrationId": id})).await.ok(200);
        }
        assert!(far.calls().is_empty());
    }

    async fn a_script_may_make_its_own_of_an_answer(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        far.reply(Reply::Json(json!({"text": "usual"})));
        let asked = "process_outgoing_response({ request, response })";
        for (body, step, said) in [
            ("return false;", "after-process-false-result", None),
            ("return { content: { text: response.status_code + ' ' + JSON.parse(response.content).text + ' ' + request.data.text } };",
                "after-process-send-message", Some("200 usual go")),
            ("return { content: { text: 'x', channel: '#nowhere' } };", "after-process-send-message-failed", None),
            ("return { content: 'no object' };", "after-process-send-message-failed", None),
            ("", "url-response-sent-message", Some("usual")),
            ("return {};", "url-response-sent-message", Some("usual")),
            ("return { content: null };", "url-response-sent-message", Some("usual")),
            ("throw new TypeError('oh');", "url-response-sent-message", Some("usual")),
        ] {
            let id = rob.make(&far, with(&format!("{asked} {{ {body} }}"))).await;
            let before = messages(&app, &channel).await.len();
            say(&app, &channel, "go").await;
            let run = rob.history(&id).await[0].clone();
            assert_eq!(run["step"], step, "{body}: {run}");
            let posted = messages(&app, &channel).await;
            assert_eq!(posted.len(), before + 1 + usize::from(said.is_some()), "{body}");
            if let Some(said) = said {
                assert_eq!(posted[0]["message"], said);
            }
            if body.contains("TypeError") {
                assert!(run["errorStack"].as_str().unwrap().contains("oh"), "{run}");
            }
            rob.post("integrations.remove", &json!({"type": "webhook-outgoing", "integrationId": id})).await.ok(200);
        }
        let broken = rob.make(&far, json!({"scriptEnabled": true, "script": "class {"})).await;
        say(&app, &channel, "go").await;
        assert_eq!(rob.steps(&broken).await, ["url-response-sent-message"], "a script that does not compile is not run");
    }

    async fn a_script_sees_failures_too(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        far.reply(Reply::Text(500, "broken".into()));
        let body = "process_outgoing_response({ response }) { return { content: { text: 'it is ' + response.content_raw } }; }";
        let id = rob.make(&far, with(body)).await;
        say(&app, &channel, "go").await;
        assert_eq!(rob.steps(&id).await, ["after-process-send-message"]);
        assert_eq!(messages(&app, &channel).await[0]["message"], "it is broken");
    }
}
