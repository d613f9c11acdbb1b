//! Installation in the browser: permissions, and the parameters that return to the app.

use serde_json::{Value, json};

use super::*;

/// Names in a query, in order.
fn names(location: &str) -> Vec<String> {
    query(location).into_iter().map(|(name, _)| name).collect()
}

fn value(location: &str, wanted: &str) -> String {
    query(location).into_iter().find(|(name, _)| name == wanted).unwrap().1
}

#[tokio::test]
async fn an_owner_installs_and_comes_back_with_a_code() {
    let world = world().await;
    let app = world.listening().await;
    for (base, account, target) in [("apps", "acme", 2001), ("github-apps", "globex", 2002)] {
        let home = format!("/github/{base}/tieline/installations/new");
        let page = world.page(&format!("{home}?state=s%26t")).await;
        assert!(page.contains(&format!("href=\"{home}?state=s%26t&amp;as=ada\">Continue as ada")), "{page}");
        let page = world.page(&format!("{home}?state=s%26t&as=ada")).await;
        let form = format!("{home}/permissions?state=s%26t&as=ada&target_id={target}");
        assert!(page.contains(&form.replace('&', "&amp;")), "{page}");
        assert!(page.contains(&format!("Install on {account}")));
        let page = world.page(&form).await;
        assert!(page.contains("Install &amp; Authorize") && page.contains("Cancel"), "{page}");

        let location = world.press(&form, &[("selection", "all"), ("decision", "go")]).await;
        assert!(location.starts_with(CALLBACK));
        assert_eq!(names(&location), ["code", "installation_id", "setup_action", "state"]);
        assert_eq!((value(&location, "setup_action"), value(&location, "state")), ("install".into(), "s&t".into()));
        let tokens = world.trade(&[("code", &value(&location, "code")), ("redirect_uri", CALLBACK)]).await;
        let user = world.ask("/user", tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(user.body["login"], "ada");
    }
    let heard = app.wait_for(2).await;
    let mut accounts: Vec<Value> =
        heard.iter().map(|heard| heard.json()["installation"]["account"]["login"].clone()).collect();
    accounts.sort_by_key(Value::to_string);
    assert_eq!(accounts, ["acme", "globex"]);
    assert_eq!(what(&heard[0]), "installation.created");
    assert_eq!(heard[0].json()["sender"]["login"], "ada");
    assert_eq!(world.look("/github/installations").await[0]["id"], 50_000_001);
}

#[tokio::test]
async fn a_member_can_only_ask_for_it() {
    let world = world().await;
    let app = world.listening().await;
    let form = "/github/apps/tieline/installations/new/permissions?state=s&as=max&target_id=2001";
    assert!(world.page(form).await.contains(">Request</button>"));
    let location = world.press(form, &[("selection", "all"), ("decision", "go")]).await;
    assert_eq!(names(&location), ["code", "setup_action", "state"]);
    assert_eq!(value(&location, "setup_action"), "request");
    assert_eq!(world.look("/github/installations").await, json!([]));
    assert_eq!(world.look("/github/requests").await, json!([{"account": "acme", "requester": "max"}]));

    // The owner's installation grants it.
    world.control("/github/installations", json!({"account": "acme"})).await;
    assert_eq!(app.wait_for(1).await[0].json()["requester"]["login"], "max");
    assert_eq!(world.look("/github/requests").await, json!([]));
    let page = world.page("/github/apps/tieline/installations/new?as=max").await;
    assert!(page.contains("only an owner can change it"), "{page}");
}

#[tokio::test]
async fn an_update_comes_without_a_code_or_is_not_announced() {
    let world = world().await;
    let flow = json!({"account": "acme", "user": "ada", "state": "s", "repositories": ["web"]});
    let first = world.control("/github/install-flow", flow.clone()).await;
    assert_eq!((&first["setupAction"], first["code"].is_string()), (&json!("install"), true));
    let second = world.control("/github/install-flow", flow.clone()).await;
    assert_eq!((&second["setupAction"], &second["code"]), (&json!("update"), &Value::Null));
    assert_eq!(names(second["location"].as_str().unwrap()), ["installation_id", "setup_action", "state"]);
    assert_eq!(second["installationId"], first["installationId"]);

    world.control("/github/app", json!({"redirectOnUpdate": false})).await;
    let third = world.control("/github/install-flow", flow).await;
    let page = "/github/organizations/acme/settings/installations/50000001";
    assert_eq!(third["location"], world.url(page));
    assert!(world.page(&format!("{page}?as=ada")).await.contains("Uninstall"));
    assert!(world.page(&format!("{page}?as=max")).await.contains("Only an owner"));
}

#[tokio::test]
async fn without_an_authorization_the_setup_address_is_used() {
    let world = world().await;
    let setup = "http://127.0.0.1:9/setup?x=1";
    world.control("/github/app", json!({"requestUserAuthorization": false, "setupUrl": setup})).await;
    let landed = world.control("/github/install-flow", json!({"account": "eve", "user": "eve", "state": "s"})).await;
    let location = landed["location"].as_str().unwrap();
    assert!(location.starts_with(setup));
    assert_eq!(names(location), ["x", "installation_id", "setup_action", "state"]);
    assert_eq!(landed["code"], Value::Null);
}

#[tokio::test]
async fn nobody_installs_where_they_do_not_belong() {
    let world = world().await;
    for (user, account, error) in [
        ("eve", "acme", "not_a_member"),
        ("ada", "eve", "not_a_member"),
        ("acme", "acme", "user_not_found"),
        ("ada", "nobody", "account_not_found"),
    ] {
        let order = json!({"account": account, "user": user});
        let url = world.url("/control/github/install-flow");
        let answer = world.http.post(url).json(&order).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap()["error"], error, "{user} {account}");
    }
}

#[tokio::test]
async fn an_owner_changes_an_installation_on_its_page() {
    let world = world().await;
    let app = world.listening().await;
    let id = world.install_in("globex").await;
    let page = format!("/github/organizations/globex/settings/installations/{id}?as=ada");
    let ledger = 2_002_000_002_u64.to_string();
    world.press(&page, &[("selection", "selected"), ("repository_ids", &ledger), ("decision", "save")]).await;
    assert_eq!(what(&app.wait_for(1).await[0]), "installation_repositories.removed");
    assert_eq!(app.wait_for(1).await[0].json()["repositories_removed"].as_array().unwrap().len(), 2);
    world.press(&page, &[("decision", "suspend")]).await;
    world.press(&page, &[("decision", "unsuspend")]).await;
    world.press(&page, &[("decision", "uninstall")]).await;
    let mut received: Vec<_> = app.wait_for(4).await[1..].iter().map(what).collect();
    received.sort();
    assert_eq!(received, ["installation.deleted", "installation.suspend", "installation.unsuspend"]);
    assert_eq!(world.look("/github/stats").await["installations"], 0);
}
