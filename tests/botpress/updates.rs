//! Tests of updates: kept, removed and compatibility-relevant parts.

use serde_json::{Value, json};

use super::{ALL, SVG, base64, create, full, path, plain, put, refused, refused_for};
use crate::support::Client;

async fn validate(caller: &Client, id: &Value, body: &Value) -> crate::support::Answer {
    let request = caller.request(reqwest::Method::PUT, &format!("{}/validate", path(id)));
    caller.send(request.json(body)).await
}

both! {
    async fn what_is_absent_stays_and_null_takes_away(app) {
        let owner = &app.owner;
        let made = create(owner, &full("teams", "1.0.0")).await;
        let id = &made["id"];
        app.advance(std::time::Duration::from_secs(5));
        let body = json!({
            "title": "New", "url": null, "configurations": {"oauth": null}, "attributes": {"category": null, "more": "x"},
            "events": {"happened": null}, "channels": {"channel": {"conversation": {"tags": {"id": null, "name": {}}}}},
            "identifier": {"extractScript": null}, "maxExecutionTime": 30,
        });
        assert_eq!(validate(owner, id, &body).await.ok(200), json!({}));
        assert_eq!(owner.get(&path(id)).await.ok(200)["integration"]["title"], "Teams", "a dry run changes nothing");
        let changed = put(owner, id, &body).await.ok(200)["integration"].clone();
        for (name, value) in [
            ("title", json!("New")), ("description", json!("Talks to teams")), ("url", json!("")),
            ("configurations", json!({})), ("attributes", json!({"more": "x"})), ("events", json!({})),
            ("identifier", json!({})), ("maxExecutionTime", json!(30)), ("actions", made["actions"].clone()),
            ("secrets", json!(["API_KEY", "OTHER"])), ("iconUrl", made["iconUrl"].clone()),
            ("readmeUrl", made["readmeUrl"].clone()), ("createdAt", made["createdAt"].clone()),
            ("updatedAt", json!("2026-11-18T11:06:45.000Z")), ("signingSecret", json!("")),
        ] {
            assert_eq!(changed[name], value, "{name}");
        }
        assert_eq!(changed["channels"]["channel"]["conversation"]["tags"], json!({"name": {}}));
        assert_eq!(put(owner, id, &json!({})).await.ok(200)["integration"], changed);
        for (body, place) in [
            (json!({"name": "other"}), "/name"), (json!({"version": "2.0.0"}), "/version"), (json!({"dev": true}), "/dev"),
            (json!({"nmae": 1}), "/nmae"),
        ] {
            refused_for(&put(owner, id, &body).await, 400, "InvalidPayload", place, "unknownKey");
        }
        let wrong = put(owner, id, &json!({"title": null, "actions": {"sendMessage": {}}})).await;
        assert!(refused(&wrong, 400, "InvalidPayload").len() >= 2, "{}", wrong.text);
    }

    async fn files_have_addresses_of_their_own(app) {
        let owner = &app.owner;
        let first = create(owner, &full("teams", "1.0.0")).await;
        let second = create(owner, &plain("teams", "2.0.0")).await;
        let at = |url: &Value| reqwest::Url::parse(url.as_str().unwrap()).unwrap().path().to_owned();
        assert_eq!(first["iconUrl"], second["iconUrl"], "an icon is the integration's");
        assert_eq!(second["readmeUrl"], "");
        let icon = app.anon.in_no_workspace().get(&at(&first["iconUrl"])).await;
        assert_eq!((icon.status.as_u16(), icon.text.as_str()), (200, SVG));
        assert_eq!(icon.header("content-type"), "image/svg+xml");
        assert!(icon.header("content-security-policy").contains("sandbox") && icon.header("cache-control").contains("immutable"));
        assert_eq!(icon.header("x-content-type-options"), "nosniff");
        let readme = app.anon.get(&at(&first["readmeUrl"])).await;
        assert_eq!((readme.text.as_str(), readme.header("content-type")), ("# Teams", "text/markdown; charset=utf-8"));

        let same = put(owner, &first["id"], &json!({"icon": base64(SVG), "readme": base64("# Teams")})).await.ok(200);
        assert_eq!((&same["integration"]["iconUrl"], &same["integration"]["readmeUrl"]), (&first["iconUrl"], &first["readmeUrl"]));
        let other = json!({"icon": base64(&SVG.replace("#123", "#456")), "readme": base64("# Others")});
        let changed = put(owner, &second["id"], &other).await.ok(200)["integration"].clone();
        let first_now = owner.get(&path(&first["id"])).await.ok(200)["integration"].clone();
        assert!(changed["iconUrl"] != first["iconUrl"] && changed["iconUrl"] == first_now["iconUrl"]);
        assert_eq!(first_now["readmeUrl"], first["readmeUrl"]);
        refused(&app.anon.get(&at(&first["iconUrl"])).await, 404, "ResourceNotFound");
        assert_eq!(app.anon.get(&at(&changed["readmeUrl"])).await.text, "# Others");
        for nothing in ["/v1/admin/icons/x.svg", "/v1/admin/icons/00000000000000000000000000.svg"] {
            refused(&app.anon.get(nothing).await, 404, "ResourceNotFound");
        }
        refused(&app.anon.get("/v1/admin/readmes/%00.md").await, 400, "InvalidQuery");
    }

    async fn what_is_published_stays_as_it_is(app) {
        let owner = &app.owner;
        let made = create(owner, &full("teams", "1.0.0")).await;
        let id = &made["id"];
        let public = put(owner, id, &json!({"visibility": "public"})).await.ok(200)["integration"].clone();
        assert_eq!((&public["public"], &public["visibility"]), (&json!(true), &json!("public")));
        for body in [
            json!({"title": "Other"}), json!({"code": "other"}), json!({"readme": base64("other")}),
            json!({"actions": {"sendMessage": null}}), json!({"url": null}),
        ] {
            refused_for(&put(owner, id, &body).await, 403, "Forbidden", "", "published");
            refused_for(&validate(owner, id, &body).await, 403, "Forbidden", "", "published");
        }
        refused_for(&put(owner, id, &json!({"visibility": "private"})).await, 403, "Forbidden", "/visibility", "published");
        // A repeated update changes nothing, so a deployment can be repeated; secrets and the icon may change.
        let mut again = full("teams", "1.0.0");
        for fixed in ["name", "version"] {
            again.as_object_mut().unwrap().remove(fixed);
        }
        again["visibility"] = json!("public");
        put(owner, id, &again).await.ok(200);
        let secrets = put(owner, id, &json!({"secrets": {"NEW": "n"}})).await.ok(200)["integration"]["secrets"].clone();
        assert_eq!(secrets, json!(["API_KEY", "NEW", "OTHER"]));
        let unlisted = put(owner, id, &json!({"visibility": "unlisted"})).await.ok(200);
        assert_eq!(unlisted["integration"]["public"], false);
    }

    async fn what_others_rely_on_breaks_with_a_new_major_only(app) {
        let owner = &app.owner;
        let mut first = full("teams", "1.0.0");
        first["visibility"] = json!("public");
        create(owner, &first).await;
        let mut next = full("teams", "1.1.0");
        next["actions"] = json!({});
        let broken = owner.post(ALL, &next).await;
        let issues = refused(&broken, 400, "BreakingChanges");
        assert!(issues.iter().all(|issue| issue["rule"] == "breakingChange"), "{}", broken.text);
        let bypassed = owner.request(reqwest::Method::POST, ALL).header("x-bypass-breaking-changes-detection", "true");
        owner.send(bypassed.json(&next)).await.ok(200);
        next["version"] = json!("2.0.0");
        let second = create(owner, &next).await;
        // A private version may become anything, until it is published.
        let third = create(owner, &full("teams", "2.1.0")).await;
        put(owner, &second["id"], &json!({"visibility": "public", "actions": {"one": first["actions"]["sendMessage"]}})).await.ok(200);
        refused(&put(owner, &third["id"], &json!({"visibility": "public"})).await, 400, "BreakingChanges");
        put(owner, &third["id"], &json!({"description": "still private"})).await.ok(200);
    }

    async fn one_who_was_quicker_is_seen(app) {
        let owner = &app.owner;
        let made = create(owner, &plain("teams", "1.0.0")).await;
        let bodies: Vec<Value> = (0..8).map(|n| json!({"attributes": {format!("a{n}"): "x"}})).collect();
        let all = bodies.iter().map(|body| put(owner, &made["id"], body));
        for answer in futures_util::future::join_all(all).await {
            assert!([200, 504].contains(&answer.status.as_u16()), "{}", answer.text);
            assert!(answer.status == 200 || answer.header("retry-after") == "1", "{}", answer.text);
        }
        let kept = owner.get(&path(&made["id"])).await.ok(200);
        assert!(!kept["integration"]["attributes"].as_object().unwrap().is_empty());
        let all = (0..8).map(|_| async { owner.post(ALL, &plain("raced", "1.0.0")).await.status.as_u16() });
        let mut statuses = futures_util::future::join_all(all).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    }
}
