//! Tests of permissions: all webhooks of a direction, or the caller's own; and their channels.

use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use super::{Known, incoming, outgoing, owner};
use crate::support::TestApp;

const ALL_IN: &str = "manage-incoming-integrations";
const OWN_IN: &str = "manage-own-incoming-integrations";
const ALL_OUT: &str = "manage-outgoing-integrations";
const OWN_OUT: &str = "manage-own-outgoing-integrations";

/// A member with exactly these permissions, set by the members' endpoint, and able to create a token.
async fn member(app: &TestApp, name: &str, permissions: &[&str]) -> Known {
    let client = app.caller("acme", name, Role::Member).await;
    let known = Known::of(app, &client, name).await;
    let home = app.organisation("acme").await;
    let path = format!("/v1/organisations/{home}/members/{}", known.user_id);
    app.owner.patch(&path, &json!({"permissions": permissions})).await.ok(200);
    known
}

async fn join(app: &TestApp, who: &Known) {
    let channels = app.owner.get("/v1/channels").await.ok(200);
    let channel = channels["data"].as_array().unwrap().iter().find(|one| one["name"] == "general").unwrap().clone();
    app.owner.put(&format!("/v1/channels/{}/members/{}", channel["id"].as_str().unwrap(), who.user_id)).await.ok(204);
}

fn names(list: &Value) -> Vec<&str> {
    list["integrations"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

both! {
    async fn without_any_permission_nothing_is_done(app) {
        let olga = owner(&app).await;
        let made = olga.create(incoming(json!({}))).await;
        let nobody = member(&app, "nora", &[]).await;
        let create = async |body| nobody.post("integrations.create", body).await.ok(400)["error"].clone();
        assert_eq!(create(incoming(json!({}))).await, "Unauthorized [not_authorized]");
        assert_eq!(create(outgoing(json!({}))).await, "[not_authorized]");
        assert_eq!(create(incoming(json!({"type": "webhook-incoming-invalid"}))).await, "Invalid integration type.");
        let permitted = "User does not have the permissions required for this action [error-unauthorized]";
        assert_eq!(nobody.get("integrations.list").await.ok(403), json!({"success": false, "error": permitted}));
        let removal = json!({"type": "webhook-incoming", "integrationId": made["_id"]});
        nobody.post("integrations.remove", removal).await.ok(403);
        let got = nobody.get(&format!("integrations.get?integrationId={}", made["_id"].as_str().unwrap())).await.ok(400);
        assert_eq!(got, json!({"success": false, "error": "not-authorized"}));
        let change = incoming(json!({"integrationId": made["_id"]}));
        assert_eq!(nobody.put("integrations.update", change).await.ok(400)["errorType"], "not_authorized");
    }

    async fn ones_own_are_ones_own(app) {
        let olga = owner(&app).await;
        let theirs = olga.create(incoming(json!({"name": "Olga's"}))).await;
        let ines = member(&app, "ines", &[OWN_IN]).await;
        let refused = ines.post("integrations.create", incoming(json!({"name": "hers"}))).await.ok(400);
        assert_eq!(refused["error"], "Invalid Channel [error-invalid-channel]", "she is not in the channel");
        join(&app, &ines).await;
        let hers = ines.create(incoming(json!({"name": "hers"}))).await;
        assert_eq!(names(&ines.get("integrations.list").await.ok(200)), ["hers"]);
        ines.get(&format!("integrations.get?integrationId={}", hers["_id"].as_str().unwrap())).await.ok(200);
        let got = ines.get(&format!("integrations.get?integrationId={}", theirs["_id"].as_str().unwrap())).await;
        assert_eq!(got.ok(400)["error"], "not-authorized");
        let change = incoming(json!({"integrationId": theirs["_id"]}));
        assert_eq!(ines.put("integrations.update", change).await.ok(400)["errorType"], "error-invalid-integration");
        let removal = json!({"type": "webhook-incoming", "integrationId": theirs["_id"]});
        assert_eq!(ines.post("integrations.remove", removal).await.ok(400)["errorType"], "error-invalid-integration");
        assert_eq!(ines.post("integrations.create", outgoing(json!({}))).await.ok(400)["errorType"], "not_authorized");
        let removal = json!({"type": "webhook-incoming", "integrationId": hers["_id"]});
        ines.post("integrations.remove", removal).await.ok(200);
    }

    async fn what_is_listed_follows_from_all_four(app) {
        let olga = owner(&app).await;
        olga.create(incoming(json!({"name": "in"}))).await;
        olga.create(outgoing(json!({"name": "out"}))).await;
        for (name, permissions, seen) in [
            ("a", &[ALL_IN, ALL_OUT][..], &["in", "out", "mine-in", "mine-out"][..]),
            ("b", &[ALL_IN], &["in", "mine-in"]),
            ("c", &[ALL_OUT], &["out", "mine-out"]),
            ("d", &[OWN_IN, OWN_OUT, ALL_IN], &["mine-in", "mine-out"]),
            ("e", &[OWN_IN, OWN_OUT], &["mine-in", "mine-out"]),
            ("f", &[OWN_OUT], &["mine-out"]),
        ] {
            let who = member(&app, name, permissions).await;
            join(&app, &who).await;
            let mut made = Vec::new();
            for (body, kind) in [(incoming(json!({"name": "mine-in"})), "webhook-incoming"), (outgoing(json!({"name": "mine-out"})), "webhook-outgoing")] {
                let answer = who.post("integrations.create", body).await;
                if answer.status == 200 {
                    made.push(json!({"type": kind, "integrationId": answer.json()["integration"]["_id"]}));
                }
            }
            assert_eq!(names(&who.get("integrations.list").await.ok(200)), seen, "{permissions:?}");
            for removal in made {
                olga.post("integrations.remove", removal).await.ok(200);
            }
        }
    }

    async fn what_is_for_everywhere_needs_all(app) {
        let olga = owner(&app).await;
        let oscar = member(&app, "oscar", &[OWN_OUT]).await;
        join(&app, &oscar).await;
        for (change, code) in [
            (json!({"event": "roomCreated"}), "error-invalid-permissions"),
            (json!({"channel": "all_private_groups"}), "error-invalid-channel"),
            (json!({"channel": "all_direct_messages"}), "error-invalid-channel"),
            (json!({"channel": "@olga"}), "error-invalid-channel"),
        ] {
            let refused = oscar.post("integrations.create", outgoing(change.clone())).await.ok(400);
            assert_eq!(refused["errorType"], code, "{change}");
            olga.create(outgoing(change)).await;
        }
        oscar.create(outgoing(json!({"channel": "all_public_channels"}))).await;
    }
}
