//! Tests of the hub: published versions, for everybody.

use serde_json::{Value, json};

use super::{create, full, plain, put, refused};

const HUB: &str = "/v1/admin/hub/integrations";

fn with(mut body: Value, visibility: &str) -> Value {
    body["visibility"] = json!(visibility);
    body
}

both! {
    async fn what_is_public_is_listed_and_what_is_unlisted_is_found(app) {
        let (owner, globex) = (&app.owner, app.other("globex").await.in_no_workspace());
        let public = create(owner, &with(full("acme/teams", "1.0.0"), "public")).await;
        let unlisted = create(owner, &with(plain("secretive", "1.0.0"), "unlisted")).await;
        let private = create(owner, &plain("private", "1.0.0")).await;
        let old = create(owner, &json!({"name": "oldway", "version": "1.0.0", "public": true})).await;
        assert_eq!((&old["public"], &old["visibility"]), (&json!(true), &json!("public")));

        let listed = globex.get(HUB).await.ok(200);
        let names: Vec<_> = listed["integrations"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["oldway", "acme/teams"], "newest first");
        let first = &listed["integrations"][1];
        assert_eq!(first["ownerWorkspace"]["handle"], "acme");
        assert!(first["ownerWorkspace"]["id"].as_str().unwrap().starts_with("wkspace_"));
        assert_eq!(first["meta"], json!({"installs": 0, "views": 0}));

        for (made, name) in [(&public, "acme%2Fteams"), (&unlisted, "secretive")] {
            let id = made["id"].as_str().unwrap();
            for path in [format!("{HUB}/{id}"), format!("{HUB}/{name}/latest"), format!("{HUB}/{name}/%5E1.0.0")] {
                let answer = globex.get(&path).await;
                let shown = answer.ok(200)["integration"].clone();
                assert_eq!((&shown["id"], &shown["ownerWorkspace"]["name"]), (&made["id"], &json!("Acme")), "{path}");
                assert_eq!((&shown["url"], &shown["secrets"]), (&json!(""), &json!([])), "private to its workspace");
                assert!(!answer.text.contains("hunter"), "{path}");
            }
        }
        for path in [format!("{HUB}/{}", private["id"].as_str().unwrap()), format!("{HUB}/private/latest")] {
            refused(&globex.get(&path).await, 404, "ResourceNotFound");
        }
        refused(&globex.get("/v1/admin/hub/interfaces/typing/1.0.0").await, 404, "ResourceNotFound");
        app.app.base.settle().await;
        let listed = globex.get(&format!("{HUB}?name=acme/teams")).await.ok(200);
        assert_eq!(listed["integrations"][0]["meta"]["views"], 3);
        let popular = globex.get(&format!("{HUB}?sortBy=popularity")).await.ok(200);
        assert_eq!(popular["integrations"][0]["name"], "acme/teams");
    }

    async fn the_latest_of_the_hub_is_the_latest_that_is_published(app) {
        let owner = &app.owner;
        create(owner, &with(plain("teams", "1.0.0"), "public")).await;
        let second = create(owner, &plain("teams", "2.0.0")).await;
        let latest = async |base: &str| {
            let by_name = owner.get(&format!("{base}/teams/latest")).await.ok(200)["integration"]["version"].clone();
            let listed = owner.get(&format!("{base}?version=latest")).await.ok(200);
            assert_eq!(listed["integrations"].as_array().unwrap().len(), 1);
            assert_eq!(listed["integrations"][0]["version"], by_name);
            by_name
        };
        assert_eq!((latest(HUB).await, latest(crate::botpress::ALL).await), (json!("1.0.0"), json!("2.0.0")));
        put(owner, &second["id"], &json!({"visibility": "public"})).await.ok(200);
        assert_eq!(latest(HUB).await, "2.0.0");
        owner.delete(&crate::botpress::path(&second["id"])).await.ok(200);
        assert_eq!((latest(HUB).await, latest(crate::botpress::ALL).await), (json!("1.0.0"), json!("1.0.0")));
    }
}
