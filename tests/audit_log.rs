//! Tests of the audit log: what administrators read of the changes that were made.

use serde_json::json;
use tieline::domain::tenancy::member::Role;

use crate::support::{Client, TestApp};

const LOG: &str = "/v1/audit-log";

async fn actions(caller: &Client, query: &str) -> Vec<String> {
    let list = caller.get(&format!("{LOG}?{query}")).await.ok(200);
    let entries = list["data"].as_array().unwrap();
    entries.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

/// Writes a time for a query.
fn moment(app: &TestApp) -> String {
    app.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

both! {
    async fn changes_are_read_back_newest_first(app) {
        let channel = app.owner.post("/v1/channels", &json!({"name": "alerts"})).await.ok(201);
        let path = format!("/v1/channels/{}", channel["id"].as_str().unwrap());
        app.owner.patch(&path, &json!({"name": "alarms"})).await.ok(200);
        let secret = app.owner.post("/v1/tokens", &json!({"name": "ci"})).await.ok(201)["secret"].clone();
        let list = app.owner.get(LOG).await;
        assert!(!list.text.contains(secret.as_str().unwrap()));
        let list = list.ok(200);
        let entries = list["data"].as_array().unwrap();
        let of = |index: usize, field: &str| entries[index][field].clone();
        assert_eq!([of(0, "action"), of(1, "action"), of(2, "action")], ["token.create", "channel.update", "channel.create"]);
        assert_eq!((of(2, "subject"), of(2, "detail")), (channel["id"].clone(), json!({"name": "alerts", "private": false})));
        assert_eq!(of(1, "detail")["name"], "alarms");
        let members = app.owner.get("/v1/organisations").await.ok(200);
        let members = format!("/v1/organisations/{}/members", members["data"][0]["id"].as_str().unwrap());
        let olga = app.owner.get(&members).await.ok(200)["data"][0]["userId"].clone();
        assert_eq!(of(0, "actor"), olga);
        assert_eq!(entries.last().unwrap()["actor"], "operator");
        let page = app.owner.get(&format!("{LOG}?limit=2")).await.ok(200);
        let rest = format!("{LOG}?cursor={}", page["nextCursor"].as_str().unwrap());
        let rest = app.owner.get(&rest).await.ok(200);
        assert_eq!([page["data"].as_array().unwrap().clone(), rest["data"].as_array().unwrap().clone()].concat(), *entries);
        assert_eq!(rest.get("nextCursor"), None);
    }

    async fn the_log_is_filtered(app) {
        let before = moment(&app);
        app.advance(std::time::Duration::from_millis(5));
        app.owner.post("/v1/channels", &json!({"name": "one"})).await.ok(201);
        let between = moment(&app);
        app.advance(std::time::Duration::from_millis(5));
        app.owner.post("/v1/tokens", &json!({"name": "ci"})).await.ok(201);
        assert_eq!(actions(&app.owner, "action=CHANNEL.*").await, ["channel.create"]);
        assert_eq!(actions(&app.owner, "action=*.create&limit=2").await, ["token.create", "channel.create"]);
        assert_eq!(actions(&app.owner, "action=channel_create").await, [""; 0], "an underscore is itself");
        assert_eq!(actions(&app.owner, "action=%25").await, [""; 0], "and so is a per cent sign");
        assert_eq!(actions(&app.owner, &format!("since={between}")).await, ["token.create", "channel.create"]);
        assert_eq!(actions(&app.owner, &format!("since={before}&until={between}&action=channel.*")).await, [""; 0]);
        assert!(!actions(&app.owner, &format!("until={between}")).await.contains(&"channel.create".to_owned()));
        assert!(actions(&app.owner, "actor=operator").await.iter().all(|action| !action.starts_with("channel")));
        for (query, name) in [
            (format!("since={between}&until={before}"), "until"),
            ("since=yesterday".into(), "since"),
            ("action=".into(), "action"),
        ] {
            let answer = app.owner.get(&format!("{LOG}?{query}")).await;
            assert_eq!(answer.ok(400)["errors"][0]["pointer"], name, "{query}: {}", answer.text);
        }
    }

    async fn only_administrators_read_it_and_only_their_own(app) {
        app.owner.post("/v1/channels", &json!({"name": "secret-plan"})).await.ok(201);
        let globex = app.other("globex").await;
        assert!(!globex.get(LOG).await.text.contains("secret-plan"));
        app.caller("acme", "max", Role::Member).await.get(LOG).await.problem(403, "forbidden");
        let admin = app.caller("acme", "ann", Role::Admin).await;
        assert_eq!(actions(&admin, "action=channel.create").await.len(), 1);
    }
}
