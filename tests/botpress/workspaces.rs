//! Tests of workspaces, and of the first requests of the product's command line.

use reqwest::Method;
use serde_json::json;

use super::{ALL, create, plain, refused};
use crate::support::{Database, Setup, TestApp};

both! {
    async fn a_workspace_is_named_by_its_id_or_its_handle(app) {
        let owner = &app.owner;
        let listed = owner.get("/v1/admin/workspaces").await.ok(200);
        let workspace = &listed["workspaces"][0];
        assert_eq!((&workspace["handle"], &workspace["name"], &listed["meta"]), (&json!("acme"), &json!("Acme"), &json!({})));
        let id = workspace["id"].as_str().unwrap();
        assert!(id.starts_with("wkspace_") && id.len() == 34);
        assert_eq!(workspace["activeTrialId"], json!(null));
        let uuid = app.organisation("acme").await.to_string();
        for name in [id, "acme", &uuid] {
            assert_eq!(&owner.get(&format!("/v1/admin/workspaces/{name}")).await.ok(200), workspace);
            let there = owner.in_workspace(name);
            assert_eq!(there.get("/v1/admin/bots").await.ok(200), json!({"bots": [], "meta": {}}));
        }
        assert_eq!(owner.get("/v1/admin/workspaces?handle=acme").await.ok(200)["workspaces"][0], *workspace);
        assert_eq!(owner.get("/v1/admin/workspaces?handle=globex").await.ok(200)["workspaces"], json!([]));

        let globex = app.other("globex").await;
        refused(&globex.get(&format!("/v1/admin/workspaces/{id}")).await, 404, "ResourceNotFound");
        for wrong in ["globex", "nobody", "wkspace_01JVYWESY3BVAM5FR3XT9X813H"] {
            refused(&owner.in_workspace(wrong).get(ALL).await, 401, "Unauthorized");
        }
        refused(&owner.in_no_workspace().get(ALL).await, 401, "Unauthorized");
        refused(&owner.in_no_workspace().get("/v1/admin/bots").await, 401, "Unauthorized");
        owner.in_no_workspace().get("/v1/admin/hub/integrations").await.ok(200);
        refused(&owner.in_workspace("globex").get("/v1/admin/hub/integrations").await, 401, "Unauthorized");
    }

    async fn a_handle_is_free_or_not(app) {
        let owner = &app.owner;
        app.other("globex").await;
        let ask = async |handle: &str| {
            let request = owner.request(Method::PUT, "/v1/admin/workspaces/handle-availability");
            owner.send(request.json(&json!({"handle": handle}))).await
        };
        assert_eq!(ask("fresh").await.ok(200), json!({"available": true, "suggestions": []}));
        let taken = ask("globex").await.ok(200);
        assert_eq!((&taken["available"], taken.get("usedBy")), (&json!(false), None));
        assert_eq!(taken["suggestions"], json!(["globex-2", "globex-3", "globex-4"]));
        assert!(ask("acme").await.ok(200)["usedBy"].as_str().unwrap().starts_with("wkspace_"));
        assert_eq!(ask("a_b").await.ok(200), json!({"available": false, "suggestions": ["a-b", "a-b-2", "a-b-3"]}));
        refused(&ask("Not A Handle").await, 400, "InvalidPayload");

        let update = async |body: serde_json::Value| {
            owner.send(owner.request(Method::PUT, "/v1/admin/workspaces/acme").json(&body)).await
        };
        assert_eq!(update(json!({"name": "Acme Inc", "handle": "acme"})).await.ok(200)["name"], "Acme Inc");
        refused(&update(json!({"handle": "other"})).await, 400, "InvalidPayload");
        refused(&update(json!({"nmae": "x"})).await, 400, "InvalidPayload");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_has_so_many_calls_and_so_many_integrations() {
    let settings = vec![
        ("TIELINE_REGISTRY__CALLS_PER_SECOND", "5".to_owned()),
        ("TIELINE_REGISTRY__MAX_INTEGRATIONS_PER_WORKSPACE", "2".to_owned()),
    ];
    let app = TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await;
    let owner = &app.owner;
    let room = |answer: &crate::support::Answer| {
        ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| answer.header(name).to_owned())
    };
    for remaining in (0..5).rev() {
        let answer = owner.get(ALL).await;
        assert_eq!((answer.status.as_u16(), room(&answer)), (200, ["5".into(), remaining.to_string(), "1".into()]));
    }
    let answer = owner.post(ALL, &plain("a", "1.0.0")).await;
    refused(&answer, 429, "RateLimited");
    assert_eq!((room(&answer), answer.header("retry-after")), (["5".into(), "0".into(), "1".into()], "1"));
    let other = app.other("globex").await;
    assert_eq!(other.get(ALL).await.status, 200);
    assert_eq!(room(&app.anon.get(ALL).await), ["5", "5", "0"].map(str::to_owned));
    app.advance(std::time::Duration::from_secs(1));
    create(owner, &plain("a", "1.0.0")).await;
    create(owner, &plain("b", "1.0.0")).await;
    create(owner, &plain("b", "1.0.1")).await;
    crate::botpress::refused_for(&owner.post(ALL, &plain("c", "1.0.0")).await, 403, "QuotaExceeded", "/name", "quota");
}
