//! Tests of GitHub's changes of installations, in any order and more than once.

use ::entity::audit_entry;
use sea_orm::EntityTrait;
use tieline::{
    domain::{ambient::Time, ids::OrganisationId},
    store::{self, github::installations::StoredInstallation},
};

use super::*;

/// Acts at GitHub without its webhook, which the test sends later.
async fn quietly(app: &TestApp, path: &str, order: Value) -> Value {
    let url = app.github.ask("app").await["webhookUrl"].clone();
    app.github.order("app", json!({"webhookUrl": ""})).await;
    let answer = app.github.order(path, order).await;
    app.github.order("app", json!({"webhookUrl": url})).await;
    answer
}

async fn stored(app: &TestApp, installation: i64) -> Option<StoredInstallation> {
    store::github::installations::find(app.app.base.store().reader(), installation).await.unwrap()
}

/// Returns the names of the repositories that Tieline knows of the installation.
async fn repositories(app: &TestApp, installation: i64) -> Vec<String> {
    app.app.base.settle().await;
    let found = store::github::installations::repositories(app.app.base.store().reader(), installation).await.unwrap();
    let mut names: Vec<_> = found.iter().map(|repository| repository.name().to_owned()).collect();
    names.sort();
    names
}

/// GitHub's description of an installation at a time, in seconds after the hour.
fn said(action: &str, installation: i64, second: u32) -> Value {
    let at = format!("2026-11-18T12:00:{second:02}Z");
    json!({
        "event": "installation", "action": action, "installation": installation,
        "fields": {"installation": {"updated_at": at, "suspended_at": (action == "suspend").then_some(at)}},
    })
}

/// Sends orders one after the other; each has to be accepted, without an event.
async fn tell(app: &TestApp, orders: &[Value]) {
    for order in orders {
        let sent = app.github.send(order.clone()).await;
        let body: Value = serde_json::from_str(sent["body"].as_str().unwrap()).unwrap();
        assert_eq!((&sent["status"], &body["events"]), (&json!(202), &json!(0)), "{sent}");
    }
}

/// Actors of the unlinking of GitHub from an organisation, by the audit log.
async fn unlinked_by(app: &TestApp, organisation: OrganisationId) -> Vec<(String, Value)> {
    let all = audit_entry::Entity::find().all(app.app.base.store().reader()).await.unwrap();
    let mine = all.into_iter().filter(|entry| entry.organisation_id == organisation.0);
    mine.filter(|entry| entry.action == "github_link.unlink").map(|entry| (entry.actor, entry.detail)).collect()
}

both! {
    async fn a_deletion_that_comes_first_is_final(app) {
        let order = json!({"account": "globex", "webhook": false});
        let installation = app.github.order("installations", order).await["id"].as_i64().unwrap();
        let created = app.github.sign(said("created", installation, 1)).await;
        let deleted = app.github.sign(said("deleted", installation, 2)).await;
        for delivery in [&deleted, &created, &created, &deleted] {
            app.github.deliver(delivery).await.ok(202);
            assert_eq!(stored(&app, installation).await, None);
        }
        tell(&app, &[said("unsuspend", installation, 30), said("created", installation, 31)]).await;
        assert_eq!(stored(&app, installation).await, None, "GitHub never uses a number again");
    }

    async fn the_newest_state_counts_in_any_order(app) {
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let [suspend, unsuspend, later] = [
            app.github.sign(said("suspend", installation, 10)).await,
            app.github.sign(said("unsuspend", installation, 20)).await,
            app.github.sign(said("suspend", installation, 30)).await,
        ];
        // The stand-in installed it today, and the scenario begins later.
        let begin = stored(&app, installation).await.unwrap();
        let first: Time = "2026-11-18T12:00:10Z".parse().unwrap();
        assert!(begin.installation.updated_at < first, "{begin:?}");
        for (delivery, suspended) in [
            (&unsuspend, false), (&suspend, false), (&suspend, false), (&later, true), (&unsuspend, true),
            (&suspend, true), (&later, true),
        ] {
            app.github.deliver(delivery).await.ok(202);
            let now = stored(&app, installation).await.unwrap();
            assert_eq!((now.id, now.installation.suspended_at.is_some()), (begin.id, suspended));
        }
        tell(&app, &[said("new_permissions_accepted", installation, 40)]).await;
        assert_eq!(stored(&app, installation).await.unwrap().installation.suspended_at, None);
    }

    async fn the_webhook_may_come_before_the_callback_or_after_it(app) {
        let before = app.github.order("installations", json!({"account": "acme", "webhook": false})).await;
        let before = before["id"].as_i64().unwrap();
        tell(&app, &[said("created", before, 1), said("created", before, 1)]).await;
        let record = stored(&app, before).await.unwrap().id;
        assert_eq!(app.github.link(&app.owner, "acme", "acme").await, before);
        assert_eq!(stored(&app, before).await.unwrap().id, record);

        let url = app.github.ask("app").await["webhookUrl"].clone();
        app.github.order("app", json!({"webhookUrl": ""})).await;
        let after = app.github.link(&app.owner, "acme", "globex").await;
        app.github.order("app", json!({"webhookUrl": url})).await;
        let record = stored(&app, after).await.unwrap().id;
        tell(&app, &[said("created", after, 1), said("created", after, 59)]).await;
        assert_eq!(stored(&app, after).await.unwrap().id, record);
        for installation in [before, after] {
            let hook = Webhook::new("star", &guid(installation.unsigned_abs()), star(installation));
            assert_eq!(hook.send(&app).await.ok(202), acknowledgement(1, 0, false), "linked still");
        }
    }

    async fn a_deletion_at_github_unlinks_every_organisation(app) {
        let other = app.other("globex").await;
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        app.github.link(&other, "globex", "acme").await;
        let kept = app.github.link(&other, "globex", "globex").await;
        let hook = |number, installation| Webhook::new("star", &guid(number), star(installation));
        assert_eq!(hook(1, installation).send(&app).await.ok(202), acknowledgement(2, 0, false));

        let deleted = app.github.sign(said("deleted", installation, 5)).await;
        quietly(&app, &format!("installations/{installation}/delete"), json!({})).await;
        for _ in 0..2 {
            app.github.deliver(&deleted).await.ok(202);
        }
        for slug in ["acme", "globex"] {
            let why = json!({"installation_id": installation, "why": "deleted at GitHub"});
            let reported = unlinked_by(&app, app.organisation(slug).await).await;
            assert_eq!(reported, [("github".to_owned(), why)], "{slug}");
        }
        let cards = app.owner.get("/api/v2/integration?team=acme").await.ok(200);
        let card = cards.as_array().unwrap().iter().find(|card| card["name"] == "GitHub").unwrap();
        assert_eq!(card["status"], "unlinked", "{card}");
        no_event(hook(2, installation).send(&app).await.ok(202), true);
        no_event(hook(1, installation).send(&app).await.ok(202), true); // redelivered after the end
        assert_eq!(hook(3, kept).send(&app).await.ok(202), acknowledgement(1, 0, false), "another installation is another's");
        let types = |events: Vec<Value>| -> Vec<String> {
            events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(types(events(&app.owner).await), ["tieline.connection.lost", "github.star"]);
        assert_eq!(types(events(&other).await), ["github.star", "tieline.connection.lost", "github.star"]);

        let again = app.github.link(&app.owner, "acme", "acme").await;
        assert_ne!(again, installation);
        assert_eq!(hook(4, again).send(&app).await.ok(202), acknowledgement(1, 0, false));
    }

    async fn an_account_is_renamed(app) {
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let elsewhere = app.github.link(&app.owner, "acme", "globex").await;
        quietly(&app, &format!("installations/{installation}/rename"), json!({"login": "acme-corp"})).await;
        let renamed = json!({"event": "installation_target", "action": "renamed", "installation": installation});
        tell(&app, &[renamed.clone(), renamed]).await;
        let account = |found: StoredInstallation| found.installation.account;
        let now = account(stored(&app, installation).await.unwrap());
        assert_eq!((now.login.as_str(), now.html_url.ends_with("/acme-corp")), ("acme-corp", true));
        assert_eq!(account(stored(&app, elsewhere).await.unwrap()).login, "globex");
        let sent = app.github.send(json!({"event": "star", "repository": "acme-corp/web"})).await;
        assert_eq!(serde_json::from_str::<Value>(sent["body"].as_str().unwrap()).unwrap(), acknowledgement(1, 0, false));
    }

    async fn the_list_of_repositories_is_githubs_in_the_end(app) {
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let path = format!("installations/{installation}/repositories");
        // GitHub's clock is far ahead of ours: a list that was requested after a webhook counts as newer in spite of
        // that.
        let change = |action: &str, name: &str, second: u32| {
            let installation_says = json!({"updated_at": format!("2026-11-18T12:00:{second:02}Z")});
            json!({
                "event": "installation_repositories", "action": action, "installation": installation,
                "repository": format!("acme/{name}"), "fields": {"installation": installation_says},
            })
        };
        quietly(&app, &path, json!({"select": ["web"]})).await;
        tell(&app, &[change("removed", "api", 1)]).await;
        assert_eq!(repositories(&app, installation).await, ["web"], "all the others went with it");

        // Two that overtook each other, with the same second from GitHub.
        quietly(&app, &path, json!({"select": ["api", "web"]})).await;
        tell(&app, &[change("added", "api", 2), change("removed", "api", 2)]).await;
        assert_eq!(repositories(&app, installation).await, ["api", "web"]);
        quietly(&app, &path, json!({"select": ["web"]})).await;
        tell(&app, &[change("removed", "api", 4), change("added", "api", 3), change("added", "api", 3)]).await;
        assert_eq!(repositories(&app, installation).await, ["web"]);
    }

    async fn while_github_does_not_answer_its_webhooks_count(app) {
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        app.github.order("faults", json!({"method": "GET /installation/repositories", "status": 502})).await;
        let change = |action: &str, seconds: i64| {
            let at = (app.now() + chrono::Duration::seconds(seconds)).to_rfc3339();
            json!({
                "event": "installation_repositories", "action": action, "installation": installation,
                "repository": "acme/api", "fields": {"installation": {"updated_at": at}},
            })
        };
        let sees = async || repositories(&app, installation).await.contains(&"api".to_owned());
        assert!(sees().await);
        tell(&app, &[change("removed", 10)]).await;
        assert!(!sees().await);
        tell(&app, &[change("added", 5)]).await;
        assert!(!sees().await, "the removal is newer");
        tell(&app, &[change("added", 20)]).await;
        assert!(sees().await);
    }

    async fn a_suspended_installation_goes_on_where_it_was(app) {
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        tell(&app, &[said("suspend", installation, 10)]).await;
        let before = repositories(&app, installation).await.len();
        let hook = Webhook::new("star", &guid(1), star(installation));
        assert_eq!(hook.send(&app).await.ok(202), acknowledgement(1, 0, false), "an event still in flight at GitHub");
        tell(&app, &[said("unsuspend", installation, 20)]).await;
        assert_eq!(repositories(&app, installation).await.len(), before);
        assert_eq!(unlinked_by(&app, app.organisation("acme").await).await, []);
    }
}
