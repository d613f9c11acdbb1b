//! Tests of hostile texts in names, payloads and templates: a corpus goes through routes to each form of message, and none
//! becomes markup, a mention, a header or a template there.

use serde_json::{Value, json};

use crate::support::{Integration, TestApp};

const ALERTS: &str = "C0ALERTS";

/// Texts that are markup, a mention, a header or a template somewhere.
const CORPUS: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "<!channel> <!here> <@U0STANDINADA> <#C0SECRET>",
    "<https://evil.example|click>",
    "*bold* _it_ ~no~ `code` > quote",
    "{{ 7 * 7 }}",
    "{% for x in range(1000000000) %}x{% endfor %}",
    "{% include '/etc/passwd' %}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "\",\"text\":\"forged\",\"x\":\"",
    "a\r\nBcc: evil@example.com\r\n\r\nb",
    "\u{202e}\u{2066}desrever\u{0}",
    "]]><!--",
];

/// Templates that would cost too much, or reach what is not theirs.
const TEMPLATES: [&str; 8] = [
    "{% for x in range(1000000000) %}x{% endfor %}",
    "{% set a = 'x' * 1000000000 %}{{ a }}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ self.__init__.__globals__ }}",
];

async fn send(app: &TestApp, data: Value) -> Value {
    let accepted = app.owner.post("/v1/events", &json!({"type": "order.created", "data": data})).await.ok(202);
    app.run_for(2).await;
    app.owner.get(&format!("/v1/events/{}", accepted["id"].as_str().unwrap())).await.ok(200)
}

both! {
    async fn hostile_texts_stay_texts(app) {
        app.slack.connect(&app.owner, "T0STANDIN", ALERTS).await;
        app.slack.unlimited().await;
        let far = Integration::start("output", json!([])).await;
        let template = json!({"by": "{{ data.by }}", "line": "by {{ data.by }}."});
        let to = json!({"kind": "webhook", "url": format!("{}/hook", far.base())});
        let slack = json!({"kind": "slack", "address": ALERTS});
        for route in [
            json!({"types": ["order.*"], "destination": to, "template": template}),
            json!({"types": ["order.*"], "destination": slack, "template": "by {{ data.by }}."}),
        ] {
            app.owner.post("/v1/routes", &route).await.ok(201);
        }
        for (number, text) in CORPUS.iter().enumerate() {
            let text = text.replace('\0', "");
            send(&app, json!({"by": text})).await;
            let body = far.calls()[number].body.clone();
            assert_eq!(body, json!({"by": text, "line": format!("by {text}.")}), "exactly, and nothing else");
            let said = app.slack.texts(ALERTS).await[number].clone();
            let inner = said.strip_prefix("by ").and_then(|rest| rest.strip_suffix('.')).unwrap_or_else(|| panic!("{said}"));
            assert!(!inner.contains('<') && !inner.contains('>'), "{said}");
            assert!(!said.contains("49"), "{said}");
        }
    }

    async fn hostile_names_are_shown_as_they_are(app) {
        let home = app.owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
        for text in CORPUS.iter().filter(|text| !text.chars().any(char::is_control)) {
            let renamed = app.owner.patch(&format!("/v1/organisations/{home}"), &json!({"name": text})).await.ok(200);
            assert_eq!(renamed["name"], *text);
            let route = json!({
                "name": text, "types": ["a"], "destination": {"kind": "webhook", "url": "https://hooks.example/a"},
            });
            assert_eq!(app.owner.post("/v1/routes", &route).await.ok(201)["name"], *text);
            let shown = app.owner.get("/v1/organisations").await;
            assert!(shown.header("content-type").starts_with("application/json"), "{}", shown.header("content-type"));
        }
    }

    async fn templates_have_bounds(app) {
        let far = Integration::start("output", json!([])).await;
        for (number, template) in TEMPLATES.iter().enumerate() {
            let route = json!({
                "types": ["order.*"], "template": {"line": format!("x {template}")},
                "destination": {"kind": "webhook", "name": format!("n{number}"), "url": format!("{}/hook", far.base())},
            });
            let made = app.owner.post("/v1/routes", &route).await;
            if made.status == 400 {
                assert!(made.text.contains("/template/line"), "{}", made.text);
                continue;
            }
            let id = made.ok(201)["id"].as_str().unwrap().to_owned();
            let event = send(&app, json!({"by": "Ada"})).await;
            let decision = &event["decisions"][0];
            let reason = decision["reason"].as_str().unwrap_or_default();
            let harmless = far.calls().iter().all(|call| call.body["line"].as_str().unwrap().len() < 300_000);
            assert!(reason.contains("cannot be rendered") || (harmless && decision["state"] == "delivered"), "{template}: {event}");
            app.owner.delete(&format!("/v1/routes/{id}")).await.ok(204);
        }
        assert!(far.calls().iter().all(|call| !call.body.to_string().contains("root:")), "nothing is read");
        app.owner.post("/v1/events", &json!({"type": "order.created"})).await.ok(202);
    }
}
