//! Tests of what routes can say: any event to any destination, by conditions and templates, with a decision for each.

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tieline::domain::tenancy::member::Role;

use crate::{
    channel_integrations::{channel, named_channel, use_in},
    support::{Call, Client, Integration, Reply, Sender, TestApp, step},
};

const TEAM: &str = "T0STANDIN";
const ALERTS: &str = "C0ALERTS";

/// A receiver of webhooks.
async fn receiver() -> Integration {
    let receiver = Integration::start("output", json!([])).await;
    receiver.reply(Reply::Text(204, String::new()));
    receiver
}

fn url(receiver: &Integration) -> String {
    format!("{}/hook", receiver.base())
}

async fn route(owner: &Client, route: Value) -> String {
    owner.post("/v1/routes", &route).await.ok(201)["id"].as_str().unwrap().to_owned()
}

fn to_webhook(types: &[&str], receiver: &Integration) -> Value {
    json!({"types": types, "destination": {"kind": "webhook", "url": url(receiver)}})
}

async fn send(app: &TestApp, event: Value) -> Value {
    let accepted = app.owner.post("/v1/events", &event).await.ok(202);
    app.drain().await;
    app.owner.get(&format!("/v1/events/{}", accepted["id"].as_str().unwrap())).await.ok(200)
}

/// Returns true if one of a call's signatures is by a secret.
fn is_signed(call: &Call, secret: &str) -> bool {
    let timestamp = call.header("webhook-timestamp").parse().unwrap();
    let signature = Webhook::new(secret).unwrap().sign(call.header("webhook-id"), timestamp, &call.raw).unwrap();
    call.header("webhook-signature").split(' ').any(|one| one == signature)
}

fn types(receiver: &Integration) -> Vec<String> {
    receiver.calls().iter().map(|call| call.body["type"].as_str().unwrap_or_default().to_owned()).collect()
}

both! {
    async fn a_webhook_is_called_signed_and_explained(app) {
        let far = receiver().await;
        let made = app.owner.post("/v1/destinations", &json!({
            "kind": "webhook", "url": format!("{}?token=s3cret", url(&far)), "name": "Billing",
            "headers": {"authorization": "Bearer s3cret-header"}, "rateLimit": 100,
        })).await.ok(201);
        assert_eq!((&made["kind"], &made["name"]), (&json!("webhook"), &json!("Billing")));
        assert!(!made.to_string().contains("s3cret"), "{made}");
        let path = format!("/v1/destinations/{}", made["id"].as_str().unwrap());
        let secret = app.owner.get(&format!("{path}/secret")).await.ok(200)["secret"].as_str().unwrap().to_owned();
        let id = route(&app.owner, json!({"types": ["order.*"], "destinationId": made["id"]})).await;

        let order = json!({"type": "order.created", "attributes": {"region": "eu"}, "data": {"total": 12}});
        let event = send(&app, order).await;
        let [call] = &far.calls()[..] else { panic!("{:?}", far.calls()) };
        let expected = json!({
            "id": event["id"], "type": "order.created", "timestamp": event["createdAt"], "source": "api",
            "attributes": {"region": "eu"}, "data": {"total": 12},
        });
        assert_eq!(call.body, expected);
        assert_eq!(call.header("authorization"), "Bearer s3cret-header");
        assert!(is_signed(call, &secret));
        let decision = &event["decisions"][0];
        assert_eq!(
            (&decision["decision"], &decision["routeId"], &decision["destinationName"], &decision["state"]),
            (&json!("deliver"), &json!(id), &json!("Billing"), &json!("delivered")),
            "{event}"
        );
        let nothing = send(&app, json!({"type": "invoice.sent"})).await;
        assert_eq!(nothing["decisions"], json!([]));
        assert!(nothing["explanation"].as_str().unwrap().contains("create a route"), "{nothing}");

        // Two secrets are valid for a day after a rotation.
        let rotated = app.owner.post(&format!("{path}/secret/rotate"), &json!({})).await.ok(200)["secret"].clone();
        let rotated = rotated.as_str().unwrap();
        assert_ne!(rotated, secret);
        app.owner.post(&format!("{path}/test"), &json!({})).await.ok(202);
        app.drain().await;
        let test = far.calls()[1].clone();
        assert_eq!(test.body["type"], "destination.test");
        assert!(is_signed(&test, &secret) && is_signed(&test, rotated));
        app.advance(std::time::Duration::from_secs(24 * 3600 + 1));
        app.owner.post(&format!("{path}/test"), &json!({})).await.ok(202);
        app.drain().await;
        let test = far.calls()[2].clone();
        assert!(!is_signed(&test, &secret) && is_signed(&test, rotated));
        assert_eq!(far.calls().len(), 3, "a test goes nowhere else");

        let audit = app.owner.get("/v1/audit-log").await.ok(200).to_string();
        assert!(audit.contains("destination.rotate_secret") && !audit.contains("s3cret"), "{audit}");
        app.owner.delete(&path).await.problem(409, "conflict");
        app.owner.delete(&format!("/v1/routes/{id}")).await;
        assert_eq!(app.owner.delete(&path).await.status, 204);
        app.owner.get(&path).await.problem(404, "not_found");
    }

    async fn a_cloud_event_is_sent_where_it_is_asked_for(app) {
        let far = receiver().await;
        let mut to = to_webhook(&["*"], &far);
        to["destination"]["format"] = json!("cloudevents");
        route(&app.owner, to).await;
        let event = send(&app, json!({"type": "order.created", "data": {"total": 12}})).await;
        let call = &far.calls()[0];
        assert_eq!(call.header("content-type"), "application/cloudevents+json");
        assert_eq!(
            (&call.body["specversion"], &call.body["id"], &call.body["data"]),
            (&json!("1.0"), &event["id"], &json!({"total": 12})),
            "{}", call.body
        );
    }

    async fn a_webhook_destination_is_changed_in_place(app) {
        let (far, other) = (receiver().await, receiver().await);
        let mut to = to_webhook(&["*"], &far);
        to["destination"]["headers"] = json!({"x-old": "1"});
        let made = app.owner.post("/v1/routes", &to).await.ok(201);
        let path = format!("/v1/destinations/{}", made["destinationId"].as_str().unwrap());
        let secret = app.owner.get(&format!("{path}/secret")).await.ok(200)["secret"].as_str().unwrap().to_owned();
        let change = json!({"url": url(&other), "headers": {"x-new": "2"}, "format": "cloudevents", "rateLimit": 5});
        app.owner.patch(&path, &change).await.ok(200);
        app.owner.patch(&path, &json!({"rateLimit": 0})).await.ok(200);
        send(&app, json!({"type": "order.created"})).await;
        assert_eq!(far.calls().len(), 0);
        let call = other.calls()[0].clone();
        assert_eq!((call.header("x-new"), call.header("x-old")), ("2", ""));
        assert_eq!(call.header("content-type"), "application/cloudevents+json", "what is not given stays");
        assert!(is_signed(&call, &secret), "the secret stays");
        for (body, field) in [
            (json!({"url": "http://169.254.169.254/"}), "/url"),
            (json!({"headers": {"host": "a"}}), "/headers/host"),
            (json!({"rateLimit": 1001}), "/rateLimit"),
            (json!({"secret": "whsec_"}), "/secret"),
        ] {
            let refused = app.owner.patch(&path, &body).await.problem(400, "invalid");
            assert!(refused.to_string().contains(field), "{body}: {refused}");
        }
        let mail = json!({"kind": "channel", "address": app.owner.post("/v1/channels", &json!({"name": "x"})).await.ok(201)["id"]});
        let channel = app.owner.post("/v1/destinations", &mail).await.ok(201)["id"].as_str().unwrap().to_owned();
        app.owner.patch(&format!("/v1/destinations/{channel}"), &json!({"format": "json"})).await.problem(400, "invalid");
    }

    async fn destinations_are_checked_and_the_tenants_own(app) {
        let far = receiver().await;
        for (body, field) in [
            (json!({"kind": "webhook"}), "/url"),
            (json!({"kind": "webhook", "address": url(&far)}), "/url"),
            (json!({"kind": "webhook", "url": "http://169.254.169.254/latest"}), "/url"),
            (json!({"kind": "webhook", "url": "ftp://example.com/"}), "/url"),
            (json!({"kind": "webhook", "url": url(&far), "secret": "whsec_short"}), "/secret"),
            (json!({"kind": "webhook", "url": url(&far), "headers": {"host": "a"}}), "/headers/host"),
            (json!({"kind": "webhook", "url": url(&far), "headers": {"webhook-id": "a"}}), "/headers/webhook-id"),
            (json!({"kind": "pigeon", "address": "roof"}), "/kind"),
            (json!({"kind": "workflow", "address": "x"}), "/kind"),
            (json!({"kind": "channel", "address": "0199c1de-0000-7000-8000-000000000001"}), "/address"),
            (json!({"kind": "integration", "address": "nobody"}), "/address"),
        ] {
            let problem = app.owner.post("/v1/destinations", &body).await.problem(400, "invalid");
            assert!(problem.to_string().contains(field), "{body}: {problem}");
        }
        let made = app.owner.post("/v1/destinations", &json!({"kind": "webhook", "url": url(&far)})).await.ok(201);
        app.owner.post("/v1/destinations", &json!({"kind": "webhook", "url": url(&far)})).await.problem(409, "conflict");
        let other = app.other("other").await;
        let path = format!("/v1/destinations/{}", made["id"].as_str().unwrap());
        other.get(&format!("{path}/secret")).await.problem(404, "not_found");
        for action in ["/test", "/secret/rotate"] {
            other.post(&format!("{path}{action}"), &json!({})).await.problem(404, "not_found");
        }
        other.delete(&path).await.problem(404, "not_found");
        let member = app.caller("acme", "max", Role::Member).await;
        assert_eq!(member.get(&format!("{path}/secret")).await.status, 403);
        assert_eq!(member.post("/v1/destinations", &json!({"kind": "webhook", "url": url(&far)})).await.status, 403);
    }

    async fn a_slack_channel_has_to_be_one_that_the_bot_is_in(app) {
        let to = |channel: &str| json!({"types": ["*"], "destination": {"kind": "slack", "address": channel}});
        app.owner.post("/v1/routes", &to(ALERTS)).await.problem(404, "not_connected");
        app.slack.connect(&app.owner, TEAM, ALERTS).await;
        let unknown = app.owner.post("/v1/routes", &to("C0NOWHERE")).await.problem(400, "invalid");
        assert!(unknown.to_string().contains("/destination/address"), "{unknown}");
        let channels = app.owner.get("/v1/slack-integrations/channels").await.ok(200);
        let outside = channels.to_string();
        assert!(outside.contains(ALERTS), "{outside}");
        let made = app.owner.post("/v1/routes", &to(ALERTS)).await.ok(201);
        let secret = format!("/v1/destinations/{}/secret", made["destinationId"].as_str().unwrap());
        app.owner.get(&secret).await.problem(404, "not_found");
        send(&app, json!({"type": "order.created", "data": {"total": 12}})).await;
        assert_eq!(app.slack.texts(ALERTS).await.len(), 1);
    }

    async fn conditions_and_templates_decide_and_write(app) {
        app.slack.connect(&app.owner, TEAM, ALERTS).await;
        let far = receiver().await;
        let mut large = to_webhook(&["order.*"], &far);
        large["condition"] = json!("data.total > 100 && attributes.region == 'eu'");
        large["template"] = json!({"sum": "{{ data.total }}", "line": "{{ data.by }} ordered in {{ attributes.region }}"});
        let large_id = route(&app.owner, large.clone()).await;
        let to_slack = json!({
            "types": ["order.*"], "destination": {"kind": "slack", "address": ALERTS},
            "template": "*{{ data.by }}* ordered for {{ data.total }} <https://shop.example|see>",
        });
        route(&app.owner, to_slack).await;

        let order = |total: i64, by: &str| {
            json!({"type": "order.created", "attributes": {"region": "eu"}, "data": {"total": total, "by": by}})
        };
        let event = send(&app, order(120, "<!channel>\"}")).await;
        assert_eq!(far.calls()[0].body, json!({"sum": 120, "line": "<!channel>\"} ordered in eu"}));
        let said = "*&lt;!channel&gt;\"}* ordered for 120 <https://shop.example|see>";
        assert_eq!(app.slack.texts(ALERTS).await, [said]);
        assert_eq!(event["decisions"].as_array().unwrap().len(), 2, "{event}");

        let small = send(&app, order(99, "Ada")).await;
        let skipped = small["decisions"].as_array().unwrap().iter().find(|one| one["routeId"] == *large_id).unwrap();
        assert_eq!(skipped["decision"], "skip", "{small}");
        assert!(skipped["reason"].as_str().unwrap().contains("is false: data.total > 100"), "{small}");
        let without = send(&app, json!({"type": "order.created", "data": {}})).await;
        let reasons = without["decisions"].to_string();
        assert!(reasons.contains("has no value") && reasons.contains("cannot be rendered"), "{without}");
        assert_eq!((far.calls().len(), app.slack.texts(ALERTS).await.len()), (1, 2));

        // A draft says what it would do with the last events, and with a sample.
        let tested = app.owner.post("/v1/routes/test", &json!({"route": large.clone()})).await.ok(200);
        let matched: Vec<bool> =
            tested["data"].as_array().unwrap().iter().map(|one| one["matched"].as_bool().unwrap()).collect();
        assert_eq!(matched, [false, false, true], "newest first: {tested}");
        assert_eq!(tested["data"][2]["preview"]["sum"], 120);
        let sampled = json!({"route": large, "sample": {"type": "invoice.sent"}});
        let sampled = app.owner.post("/v1/routes/test", &sampled).await.ok(200);
        assert!(sampled["data"][0]["reason"].as_str().unwrap().contains("matches none of order.*"), "{sampled}");
        assert_eq!(far.calls().len(), 1, "nothing is sent");

        let path = format!("/v1/routes/{large_id}");
        app.owner.patch(&path, &json!({"condition": "", "template": ""})).await.ok(200);
        send(&app, order(1, "Ada")).await;
        assert_eq!(far.calls()[1].body["data"]["total"], 1);
        for (body, field) in [
            (json!({"condition": "data.total >"}), "/condition"),
            (json!({"condition": "data.list.map(x, x) == []"}), "/condition"),
            (json!({"template": {"a": ["{{ data."]}}), "/template/a/0"),
        ] {
            let problem = app.owner.patch(&path, &body).await.problem(400, "invalid");
            assert!(problem.to_string().contains(field), "{body}: {problem}");
        }
    }

    async fn any_event_goes_to_any_destination(app) {
        app.slack.connect(&app.owner, TEAM, ALERTS).await;
        app.slack.unlimited().await;
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let (far, output) = (receiver().await, Integration::start("output", json!([])).await);
        output.reply(Reply::Text(202, String::new()));
        let (here, there) = (channel(&app).await, named_channel(&app, "there").await);
        let app_id = use_in(&app, &here, &output).await;
        let kinds = ["order.*", "workflow.step.*", "github.star", "message.posted", "slack.reaction_added"];
        route(&app.owner, to_webhook(&kinds, &far)).await;
        for (kind, address) in [("slack", ALERTS), ("channel", &there), ("integration", &app_id)] {
            let destination = json!({"kind": kind, "address": address});
            route(&app.owner, json!({"types": kinds, "destination": destination})).await;
        }
        let decided = |event: Value| -> Vec<(String, String)> {
            let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
            let decisions = event["decisions"].as_array().unwrap().clone();
            let mut decided: Vec<_> =
                decisions.iter().map(|one| (text(one, "destinationKind"), text(one, "state"))).collect();
            decided.sort();
            // The filters of the Slack connection concern steps as well, and have a destination of their own.
            decided.dedup();
            decided
        };
        let all = |integration: &str| {
            [("channel", "delivered"), ("integration", integration), ("slack", "delivered"), ("webhook", "delivered")]
                .map(|(kind, state)| (kind.to_owned(), state.to_owned()))
        };
        // An app is called in a channel, so it takes what is of one.
        assert_eq!(decided(send(&app, json!({"type": "order.created", "data": {"total": 12}})).await), all("failed"));
        assert_eq!(decided(send(&app, step("completed")).await), all("failed"));
        let said = json!({"type": "message.posted", "channelId": here, "data": {"message": "hello"}});
        let mut of_message = decided(send(&app, said).await);
        of_message.retain(|(kind, _)| kind != "channel");
        assert_eq!(of_message, all("delivered")[1..], "the channel's own apps are called in their turn");

        let reaction = json!({"type": "reaction_added", "user": "U012", "reaction": "eyes"});
        Sender::new(&app.anon, app.now().timestamp()).event(TEAM, "Ev1", reaction, json!({})).await;
        app.github.send(json!({"event": "star", "installation": installation, "repository": "web"})).await;
        app.run_for(20).await;
        for kind in ["slack.reaction_added", "github.star"] {
            let found = app.owner.get(&format!("/v1/events?type={kind}")).await.ok(200)["data"].clone();
            let id = found[0]["id"].as_str().unwrap_or_else(|| panic!("{kind}: {found}")).to_owned();
            let event = app.owner.get(&format!("/v1/events/{id}")).await.ok(200);
            assert_eq!(decided(event), all("failed"), "{kind}");
        }
        let heard = types(&far);
        for kind in ["order.created", "workflow.step.completed", "message.posted", "slack.reaction_added", "github.star"] {
            assert!(heard.contains(&kind.to_owned()), "{kind}: {heard:?}");
        }
        assert!(app.slack.texts(ALERTS).await.iter().any(|text| text.contains("hello")));
        assert!(output.calls().iter().any(|call| call.body["message"] == "hello"), "{:?}", output.calls());
        let posted = app.owner.get(&format!("/v1/channels/{there}/messages")).await.ok(200).to_string();
        assert!(posted.contains("order.created") && posted.contains("hello"), "{posted}");
    }

    async fn a_loop_ends(app) {
        let channels = [named_channel(&app, "a").await, named_channel(&app, "b").await];
        for (from, to) in [(0, 1), (1, 0)] {
            let destination = json!({"kind": "channel", "address": channels[to]});
            let body = json!({"types": ["message.posted"], "channelId": channels[from], "destination": destination});
            route(&app.owner, body).await;
        }
        send(&app, json!({"type": "message.posted", "channelId": channels[0], "data": {"message": "ping"}})).await;
        let messages = app.owner.get("/v1/events?type=message.posted").await.ok(200)["data"].clone();
        assert_eq!(messages.as_array().unwrap().len(), 3, "there, back, and no further: {messages}");
        let last = format!("/v1/events/{}", messages[0]["id"].as_str().unwrap());
        let last = app.owner.get(&last).await.ok(200);
        assert!(last["decisions"][0]["reason"].as_str().unwrap().contains("does not get back"), "{last}");
    }
}
