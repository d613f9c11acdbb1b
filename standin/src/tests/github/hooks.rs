//! Webhooks: signature, sending, redelivery, and payloads.

use super::*;
use crate::github::sign;

const SECRET: &str = "standin-github-webhook-secret";

#[tokio::test]
async fn a_webhook_is_signed_sent_once_and_sent_again_with_the_same_id() {
    let world = world().await;
    let app = world.listening().await;
    let id = world.install_in("acme").await;
    app.answers(&[(202, "second"), (500, "first")]);
    let order = json!({"event": "push", "installation": id, "repository": "web", "branch": "main"});
    let sent = world.control("/github/send", order).await;
    assert_eq!((&sent["status"], &sent["body"]), (&json!(500), &json!("first")));
    let guid = sent["deliveryId"].as_str().unwrap();
    let heard = app.wait_for(1).await.remove(0);
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-github-event", "push"),
        ("x-github-delivery", guid),
        ("x-github-hook-id", "4242001"),
        ("x-github-hook-installation-target-type", "integration"),
        ("x-github-hook-installation-target-id", "4242"),
        ("x-hub-signature-256", sign::sha256(SECRET, heard.body.as_bytes()).as_str()),
        ("x-hub-signature", sign::sha1(SECRET, heard.body.as_bytes()).as_str()),
    ] {
        assert_eq!(heard.header(name), value, "{name}");
    }
    assert!(heard.header("user-agent").starts_with("GitHub-Hookshot/"));

    // There is no automatic retry.
    let again = world.control(&format!("/github/deliveries/{guid}/redeliver"), json!({})).await;
    assert_eq!((&again["status"], &again["deliveryId"]), (&json!(202), &json!(guid)));
    let second = app.wait_for(2).await.remove(1);
    assert_eq!((second.header("x-github-delivery"), &second.body), (guid, &heard.body));
    let log = world.look("/github/deliveries").await;
    assert_eq!(log.as_array().unwrap().len(), 2);
    assert_eq!((&log[0]["redelivery"], &log[1]["redelivery"]), (&json!(false), &json!(true)));
    assert_eq!((&log[0]["guid"], &log[0]["installationId"]), (&log[1]["guid"], &json!(id)));
    let full = world.look(&format!("/github/deliveries/{guid}")).await;
    assert_eq!(full["request"]["payload"]["ref"], "refs/heads/main");
    assert!(world.page("/github").await.contains("/redeliver"));
    assert!(world.page(&format!("/github/-/deliveries/{guid}")).await.contains("refs/heads/main"));

    // The same through the app's own API.
    let listed = world.ask("/app/hook/deliveries", &app_token()).await;
    let attempts = format!("/app/hook/deliveries/{}/attempts", listed.body[0]["id"]);
    assert_eq!(world.rest(Method::POST, &attempts, &app_token(), Value::Null).await.status, 202);
    assert_eq!(app.wait_for(3).await[2].header("x-github-delivery"), guid);
}

#[tokio::test]
async fn a_payload_may_be_a_form_or_anything_that_is_ordered() {
    let world = world().await;
    let app = world.listening().await;
    world.control("/github/app", json!({"webhookContentType": "form", "webhookSecret": "other"})).await;
    let order = json!({"event": "ping", "payload": {"zen": "a&b"}, "deliveryId": "my-own"});
    assert_eq!(world.control("/github/send", order).await["deliveryId"], "my-own");
    let heard = app.wait_for(1).await.remove(0);
    assert_eq!(heard.body, "payload=%7B%22zen%22%3A%22a%26b%22%7D");
    assert_eq!(heard.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(heard.header("x-hub-signature-256"), sign::sha256("other", heard.body.as_bytes()));

    world.control("/github/app", json!({"webhookContentType": "json", "webhookUrl": "http://127.0.0.1:9/"})).await;
    let sent = world.control("/github/send", json!({"event": "ping", "payload": "not json"})).await;
    assert_eq!((&sent["status"], &sent["error"]), (&json!(0), &json!("failed_to_connect")));
}

#[tokio::test]
async fn every_event_has_its_shape() {
    let world = world().await;
    let id = world.install_in("acme").await;
    for (order, pointer, expected) in [
        (json!({"event": "push", "commits": ["one", "two"]}), "/commits/1/message", json!("two")),
        (json!({"event": "push", "tag": "v1"}), "/ref", json!("refs/tags/v1")),
        (json!({"event": "pull_request"}), "/action", json!("opened")),
        (json!({"event": "pull_request", "number": 7, "title": "T"}), "/pull_request/title", json!("T")),
        (json!({"event": "pull_request", "action": "merged"}), "/action", json!("closed")),
        (json!({"event": "pull_request", "action": "merged"}), "/pull_request/merged", json!(true)),
        (json!({"event": "pull_request", "action": "closed"}), "/pull_request/merged", json!(false)),
        (json!({"event": "pull_request", "action": "labeled", "label": "x"}), "/label/name", json!("x")),
        (
            json!({"event": "pull_request", "action": "labeled", "label": "x"}),
            "/pull_request/labels/0/name",
            json!("x"),
        ),
        (json!({"event": "pull_request", "action": "unlabeled", "label": "x"}), "/pull_request/labels", json!([])),
        (json!({"event": "pull_request", "draft": true, "base": "dev"}), "/pull_request/base/ref", json!("dev")),
        (
            json!({"event": "pull_request", "action": "review_requested", "reviewer": "max"}),
            "/requested_reviewer/login",
            json!("max"),
        ),
        (
            json!({"event": "pull_request", "action": "review_requested", "team": "Core Team"}),
            "/requested_team/slug",
            json!("core-team"),
        ),
        (json!({"event": "pull_request", "action": "synchronize"}), "/pull_request/state", json!("open")),
        (json!({"event": "pull_request", "action": "assigned", "assignee": "max"}), "/assignee/id", json!(1002)),
        (json!({"event": "pull_request", "author": "max"}), "/pull_request/user/login", json!("max")),
        (
            json!({"event": "pull_request_review", "state": "changes_requested"}),
            "/review/state",
            json!("changes_requested"),
        ),
        (json!({"event": "pull_request_review_comment", "body": "B"}), "/comment/body", json!("B")),
        (json!({"event": "issues", "action": "closed"}), "/issue/state", json!("closed")),
        (json!({"event": "issues", "labels": ["a", "b"]}), "/issue/labels/1/name", json!("b")),
        (json!({"event": "issue_comment"}), "/issue/pull_request", Value::Null),
        (json!({"event": "issue_comment", "onPullRequest": true}), "/issue/draft", json!(false)),
        (json!({"event": "release", "tag": "v2"}), "/release/tag_name", json!("v2")),
        (json!({"event": "workflow_run", "conclusion": "failure"}), "/workflow_run/conclusion", json!("failure")),
        (json!({"event": "check_run", "action": "created"}), "/check_run/status", json!("queued")),
        (json!({"event": "create", "branch": "b"}), "/ref_type", json!("branch")),
        (json!({"event": "delete", "tag": "t"}), "/ref", json!("t")),
        (json!({"event": "star"}), "/action", json!("created")),
        (json!({"event": "member", "assignee": "eve"}), "/member/login", json!("eve")),
        (json!({"event": "push", "fields": {"ref": null, "forced": true}}), "/ref", Value::Null),
    ] {
        let event = order["event"].as_str().unwrap().to_owned();
        let payload = built(&world, order.clone()).await;
        assert_eq!(payload.pointer(pointer).unwrap_or(&Value::Null), &expected, "{order}");
        assert_eq!(payload["installation"]["id"], id, "{event}");
        assert_eq!(payload["repository"]["full_name"], "acme/web", "{event}");
        assert_eq!((&payload["organization"]["login"], &payload["sender"]["type"]), (&json!("acme"), &json!("User")));
    }
    for (order, pointer) in [
        (json!({"event": "ping"}), "/hook/config/url"),
        (json!({"event": "installation", "action": "new_permissions_accepted"}), "/installation/permissions/members"),
        (json!({"event": "installation_repositories", "repository": "acme/web"}), "/repositories_added/0/full_name"),
        (json!({"event": "installation_target"}), "/changes/login/from"),
        (json!({"event": "github_app_authorization"}), "/sender/login"),
    ] {
        assert!(built(&world, order.clone()).await.pointer(pointer).is_some(), "{order}");
    }
    for (order, error) in [
        (json!({"event": "nothing"}), "unknown_event"),
        (json!({"event": "push", "repository": "nothing"}), "repository_not_found"),
        (json!({"event": "push", "installation": 1}), "installation_not_found"),
        (json!({"event": "push", "sender": "nobody"}), "user_not_found"),
        (json!({"event": "push"}), "no_webhook_url"),
    ] {
        let answer = world.http.post(world.url("/control/github/send")).json(&order).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap()["error"], error, "{order}");
    }
}

async fn built(world: &World, mut order: Value) -> Value {
    order["dry"] = json!(true);
    let answer = world.control("/github/send", order).await;
    let body = answer["body"].as_str().unwrap();
    assert_eq!(answer["headers"]["X-Hub-Signature-256"], sign::sha256(SECRET, body.as_bytes()));
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn payloads_are_as_large_as_real_ones_when_that_is_wanted() {
    let world = world().await;
    world.install_in("acme").await;
    for event in ["push", "pull_request", "issues", "star"] {
        let payload = built(&world, json!({"event": event, "pad": true})).await.to_string();
        assert!((20_000..25_000).contains(&payload.len()), "{event}: {}", payload.len());
    }
    let large = built(&world, json!({"event": "issue_comment", "pad": 100_000})).await.to_string();
    assert!((99_000..101_000).contains(&large.len()), "{}", large.len());
    let plain = built(&world, json!({"event": "pull_request"})).await.to_string();
    assert!(plain.len() > 15_000, "{}", plain.len());
}

#[tokio::test]
async fn changes_of_an_installation_send_webhooks() {
    let world = world().await;
    let app = world.listening().await;
    let order = json!({"account": "acme", "repositories": ["web"]});
    let id = world.control("/github/installations", order).await["id"].clone();
    assert_eq!(app.wait_for(1).await[0].json()["repositories"].as_array().unwrap().len(), 1);
    let to = |what: &str| format!("/github/installations/{id}/{what}");
    world.control(&to("repositories"), json!({"add": ["api"]})).await;
    let added = app.wait_for(2).await[1].json();
    assert_eq!((&added["action"], &added["repositories_added"][0]["name"]), (&json!("added"), &json!("api")));
    world.control(&to("repositories"), json!({"remove": ["acme/web"]})).await;
    assert_eq!(app.wait_for(3).await[2].json()["repositories_removed"][0]["full_name"], "acme/web");
    world.control(&to("rename"), json!({"login": "acme-inc"})).await;
    let renamed = app.wait_for(4).await[3].json();
    assert_eq!(
        (&renamed["changes"]["login"]["from"], &renamed["account"]["login"]),
        (&json!("acme"), &json!("acme-inc"))
    );
    assert_eq!(renamed["account"]["id"], 2001);
    world.control(&to("permissions"), json!({"permissions": {"metadata": "read"}})).await;
    assert_eq!(what(&app.wait_for(5).await[4]), "installation.new_permissions_accepted");
    for (number, (order, action)) in
        [("suspend", "suspend"), ("unsuspend", "unsuspend"), ("delete", "deleted")].iter().enumerate()
    {
        world.control(&to(order), json!({})).await;
        assert_eq!(app.wait_for(6 + number).await[5 + number].json()["action"], *action);
    }
    // The last one is recorded a moment after it was received.
    for _ in 0..200 {
        let counts = world.look("/github/stats").await;
        if (&counts["deliveries"], &counts["delivered"]) == (&json!(8), &json!(8)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("eight deliveries were not written down");
}

#[tokio::test]
async fn a_bench_makes_many_organisations() {
    let world = world().await;
    let made = world.control("/github/organizations", json!({"count": 50, "prefix": "bench"})).await;
    let last = &made[49];
    let order = json!({"event": "push", "repository": last["repository"]});
    assert_eq!(built(&world, order).await["installation"]["id"], last["installationId"]);
    let token = world.installation_token(last["installationId"].as_u64().unwrap()).await;
    assert_eq!(world.ask("/installation/repositories", &token).await.body["total_count"], 1);
}
