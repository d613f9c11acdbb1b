//! Tests of routes: set up, matched, and explained; e-mail as a destination.

use reqwest::Method;
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::support::{Database, MailReply, MailServer, Setup, TestApp, own_routes, step};

const ALERTS: &str = "alerts@example.com";

fn to_email(types: &[&str], address: &str) -> Value {
    json!({"types": types, "destination": {"kind": "email", "address": address}})
}

/// Starts an app that sends e-mail to example.com by a mail server.
async fn start(database: Database) -> (TestApp, MailServer) {
    let mail = MailServer::start().await;
    let settings = vec![
        ("TIELINE_EMAIL__SMTP_URL", format!("smtp://{}", mail.address)),
        ("TIELINE_EMAIL__FROM", "Tieline <tieline@example.com>".into()),
        ("TIELINE_EMAIL__RECIPIENT_DOMAINS", "example.com".into()),
        ("TIELINE_LIMITS__DESTINATIONS_PER_ORGANISATION", "2".into()),
    ];
    (TestApp::start_with(database, Setup { settings, ..Setup::default() }).await, mail)
}

async fn send(app: &TestApp, event: Value) -> String {
    let accepted = app.owner.post("/v1/events", &event).await.ok(202);
    app.drain().await;
    accepted["id"].as_str().unwrap().to_owned()
}

async fn patch(app: &TestApp, path: &str, body: Value) -> Value {
    app.owner.send(app.owner.request(Method::PATCH, path).json(&body)).await.ok(200)
}

both_databases! {
    async fn an_event_goes_where_its_type_is_routed(database) {
        let (app, mail) = start(database).await;
        let mut asked = to_email(&["order.*", "invoice.paid"], "Alerts@EXAMPLE.com");
        asked["name"] = json!("Shop");
        let route = app.owner.post("/v1/routes", &asked).await.ok(201);
        assert_eq!((&route["name"], &route["sources"], &route["enabled"]), (&json!("Shop"), &json!(["*"]), &json!(true)));
        let path = format!("/v1/routes/{}", route["id"].as_str().unwrap());
        assert_eq!(app.owner.get(&path).await.ok(200), route);
        assert_eq!(app.owner.get("/v1/routes").await.ok(200)["data"], json!([route]));

        let order = json!({"type": "order.created", "attributes": {"linkId": "l-1"}, "data": {"total": 12, "by": "Ada Ä"}});
        let event = send(&app, order).await;
        send(&app, json!({"type": "invoice.sent"})).await;
        send(&app, json!({"type": "orders.created"})).await;
        let delivery = app.delivery_of(&event).await;
        assert_eq!(
            (&delivery["state"], &delivery["destinationId"]),
            (&json!("delivered"), &route["destinationId"]),
            "{delivery}"
        );
        let mails = mail.mailbox.mails();
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert_eq!(mails[0].to, ["Alerts@example.com"]);
        assert_eq!((mails[0].header("Subject"), mails[0].header("Auto-Submitted")), ("order.created", "auto-generated"));
        assert!(mails[0].header("From").contains("<tieline@example.com>"), "{mails:?}");
        let id = delivery["id"].as_str().unwrap();
        assert!(mails[0].header("Message-ID").contains(id), "{mails:?}");

        patch(&app, &path, json!({"types": ["invoice.*"], "sources": ["api"]})).await;
        send(&app, json!({"type": "order.created"})).await;
        send(&app, json!({"type": "invoice.sent"})).await;
        assert_eq!(mail.mailbox.mails()[1..].iter().map(|mail| mail.header("Subject")).collect::<Vec<_>>(), ["invoice.sent"]);
        for off in [json!({"types": ["*"], "sources": ["github", "chan*"]}), json!({"sources": ["*"], "enabled": false})] {
            patch(&app, &path, off).await;
            send(&app, json!({"type": "invoice.sent"})).await;
            assert_eq!(mail.mailbox.mails().len(), 2);
        }
        assert_eq!(app.owner.delete(&path).await.status, 204);
        app.owner.get(&path).await.problem(404, "not_found");
    }

    async fn routes_send_to_slack_and_of_one_channel(database) {
        let (app, mail) = start(database).await;
        app.slack.connect(&app.owner, "T0STANDIN", "C0ALERTS").await;
        let all = app.owner.get("/v1/destinations").await.ok(200);
        let slack = all["data"].as_array().unwrap().iter().find(|one| one["kind"] == "slack").unwrap()["id"].clone();
        let to_slack = json!({"types": ["order.*"], "destinationId": slack});
        app.owner.post("/v1/routes", &to_slack).await.ok(201);
        send(&app, json!({"type": "order.created", "data": {"total": 12}})).await;
        assert_eq!(app.slack.texts("C0ALERTS").await.len(), 1);

        // What the filters of the link skip, a route delivers; what neither sends is skipped as before.
        app.owner.patch("/v1/slack-integrations", &json!({"triggers": ["KIND_ENTRY"]})).await.ok(200);
        send(&app, step("skipped")).await;
        assert_eq!(app.slack.texts("C0ALERTS").await.len(), 1);
        let steps = json!({"types": ["workflow.step.*"], "destinationId": slack});
        app.owner.post("/v1/routes", &steps).await.ok(201);
        let routed = send(&app, step("routed")).await;
        assert_eq!(app.delivery_of(&routed).await["state"], "delivered");
        assert_eq!(app.slack.texts("C0ALERTS").await.len(), 2);

        let channel = |name: &'static str| {
            let owner = app.owner.clone();
            async move {
                owner.post("/v1/channels", &json!({"name": name})).await.ok(201)["id"].as_str().unwrap().to_owned()
            }
        };
        let (here, there) = (channel("here").await, channel("there").await);
        let mut of_channel = to_email(&["*"], ALERTS);
        of_channel["channelId"] = json!(here);
        app.owner.post("/v1/routes", &of_channel).await.ok(201);
        for (channel, text) in [(&here, "seen"), (&there, "not seen")] {
            send(&app, json!({"type": "message.posted", "channelId": channel, "data": {"message": text}})).await;
        }
        let mails = mail.mailbox.mails();
        let kinds: Vec<&str> = mails.iter().map(|mail| mail.header("Subject")).collect();
        assert_eq!(kinds, ["message.posted"], "a channel without apps publishes nothing of its own");
        assert!(mails.iter().all(|mail| mail.source.contains("seen") && !mail.source.contains("not seen")), "{mails:?}");
        app.owner.delete(&format!("/v1/channels/{here}")).await;
        assert_eq!(own_routes(&app.owner).await.len(), 2, "it goes with its channel");
    }

    async fn what_is_wrong_is_refused(database) {
        let (app, _mail) = start(database).await;
        for (body, field) in [
            (json!({"types": ["*"]}), "/destinationId"),
            (to_email(&["a b"], ALERTS), "/types/0"),
            (to_email(&["*"], "nobody"), "/destination/address"),
            (to_email(&["*"], "a@example.org"), "/destination/address"),
            (to_email(&["*"], "a@example.com\r\nBcc: b@example.com"), "/destination/address"),
            (json!({"types": ["*"], "destination": {"kind": "pigeon", "address": "roof"}}), "/destination/kind"),
        ] {
            let problem = app.owner.post("/v1/routes", &body).await.problem(400, "invalid");
            assert!(problem.to_string().contains(field), "{body}: {problem}");
        }
        let id = "0199c1de-0000-7000-8000-000000000001";
        app.owner.post("/v1/routes", &json!({"types": ["*"], "destinationId": id})).await.problem(404, "not_found");
        let mut of_channel = to_email(&["*"], ALERTS);
        of_channel["channelId"] = json!(id);
        app.owner.post("/v1/routes", &of_channel).await.problem(404, "not_found");

        // Destinations count, routes to the same one do not.
        for address in [ALERTS, ALERTS, "other@example.com"] {
            app.owner.post("/v1/routes", &to_email(&["*"], address)).await.ok(201);
        }
        let full = app.owner.post("/v1/routes", &to_email(&["*"], "third@example.com")).await;
        let full = full.problem(409, "failed_precondition");
        assert!(full.to_string().contains("limits.destinations_per_organisation"), "{full}");
        assert_eq!(app.owner.get("/v1/destinations").await.ok(200)["data"].as_array().unwrap().len(), 2);

        // Another tenant's are not found, and a member may look only.
        let other = app.other("other").await;
        let mine = app.owner.get("/v1/routes").await.ok(200)["data"][0].clone();
        let path = format!("/v1/routes/{}", mine["id"].as_str().unwrap());
        other.get(&path).await.problem(404, "not_found");
        let theirs = json!({"types": ["*"], "destinationId": mine["destinationId"]});
        other.post("/v1/routes", &theirs).await.problem(404, "not_found");
        let member = app.caller("acme", "max", Role::Member).await;
        member.get(&path).await.ok(200);
        assert_eq!(member.delete(&path).await.status, 403);
    }

    async fn a_mail_server_that_refuses_us_is_not_the_recipients_fault(database) {
        let mail = MailServer::start().await;
        let settings = vec![
            ("TIELINE_EMAIL__SMTP_URL", format!("smtp://tieline:wrong@{}", mail.address)),
            ("TIELINE_EMAIL__FROM", "tieline@example.com".into()),
            ("TIELINE_EMAIL__RECIPIENT_DOMAINS", "*".into()),
        ];
        let app = TestApp::start_with(database, Setup { settings, ..Setup::default() }).await;
        app.owner.post("/v1/routes", &to_email(&["*"], "ada@example.org")).await.ok(201);
        mail.mailbox.reply(MailReply::RefuseCredentials("535 5.7.8 authentication failed"));
        let event = send(&app, json!({"type": "order.created"})).await;
        let delivery = app.delivery_of(&event).await;
        assert_eq!(delivery["state"], "pending", "{delivery}");
        assert!(delivery["reason"].as_str().unwrap().contains("535 5.7.8"), "{delivery}");
        mail.mailbox.reply(MailReply::Accept);
        app.advance(std::time::Duration::from_secs(600));
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
    }

    async fn without_a_mail_server_a_delivery_says_so(database) {
        let settings = vec![("TIELINE_EMAIL__RECIPIENT_DOMAINS", "*".into())];
        let app = TestApp::start_with(database, Setup { settings, ..Setup::default() }).await;
        app.owner.post("/v1/routes", &to_email(&["*"], "ada@example.org")).await.ok(201);
        let event = send(&app, json!({"type": "order.created"})).await;
        let delivery = app.delivery_of(&event).await;
        assert_eq!(delivery["state"], "failed", "{delivery}");
        assert!(delivery["reason"].as_str().unwrap().contains("email.smtp_url"), "{delivery}");
    }
}
