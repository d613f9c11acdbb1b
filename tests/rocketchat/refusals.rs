//! Tests of refusals, in the product's texts and in its order of checks.

use reqwest::Method;
use serde_json::{Value, json};

use super::{incoming, outgoing, owner};

/// Error and code of an answer.
fn reported(answer: &Value) -> (&str, &str) {
    assert_eq!(answer["success"], false, "{answer}");
    (answer["error"].as_str().unwrap(), answer["errorType"].as_str().unwrap_or(""))
}

both! {
    async fn a_body_is_tried_against_both_shapes(app) {
        let olga = owner(&app).await;
        let none = "must match exactly one schema in oneOf [invalid-params]";
        let missing = |name: &str, other: &str| {
            format!("must have required property '{name}'\n must have required property '{other}'\n {none}")
        };
        let cases = [
            (json!({}), missing("type", "type")),
            (incoming(json!({"username": null})), missing("username", "username")),
            (incoming(json!({"channel": null})), missing("channel", "channel")),
            (incoming(json!({"name": null})), missing("name", "event")),
            (outgoing(json!({"event": null})), format!("must match pattern \"webhook-incoming\"\n must have required property 'event'\n {none}")),
            (outgoing(json!({"more": 1})), format!("must match pattern \"webhook-incoming\"\n must NOT have additional properties\n {none}")),
            (outgoing(json!({"triggerWords": "a,b"})), format!("must match pattern \"webhook-incoming\"\n must be array\n {none}")),
            (incoming(json!({"enabled": "yes"})), format!("must be boolean\n must have required property 'event'\n {none}")),
        ];
        for (body, expected) in cases {
            let answer = olga.post("integrations.create", body.clone()).await.ok(400);
            assert_eq!(reported(&answer), (expected.as_str(), "invalid-params"), "{body}");
        }
        let empty = olga.put("integrations.update", json!({})).await.ok(400);
        assert_eq!(reported(&empty), (missing("integrationId", "type").as_str(), "invalid-params"));
        let get = olga.get("integrations.get").await.ok(400);
        assert_eq!(get, json!({
            "success": false,
            "error": "must have required property 'integrationId' [invalid-params]",
            "errorType": "invalid-params",
        }));
        let broken = olga.client.request(Method::POST, "/api/v1/integrations.create").bearer_auth(&olga.token);
        let broken = olga.client.send(broken.header("content-type", "application/json").body("{")).await.ok(400);
        assert!(reported(&broken).0.contains("not JSON"), "{broken}");
    }

    async fn an_incoming_one_is_refused_for_the_first_reason(app) {
        let olga = owner(&app).await;
        for (change, error, code) in [
            (json!({"type": "webhook-incoming-invalid"}), "Invalid integration type.", ""),
            (json!({"channel": " ", "username": ""}), "Invalid channel [error-invalid-channel]", "error-invalid-channel"),
            (json!({"channel": "general", "username": ""}), "Invalid channel. Start with @ or # [error-invalid-channel-start-with-chars]", "error-invalid-channel-start-with-chars"),
            (json!({"channel": "#none", "username": " "}), "Invalid username [error-invalid-username]", "error-invalid-username"),
            (json!({"channel": "#none", "username": "nobody"}), "Invalid user [error-invalid-user]", "error-invalid-user"),
            (json!({"channel": "#general,#none"}), "Invalid room [error-invalid-room]", "error-invalid-room"),
            (json!({"channel": "@nobody"}), "Invalid room [error-invalid-room]", "error-invalid-room"),
        ] {
            let answer = olga.post("integrations.create", incoming(change.clone())).await.ok(400);
            assert_eq!(reported(&answer), (error, code), "{change}");
        }
        for good in ["#general, @olga", "@rocket.cat"] {
            olga.create(incoming(json!({"channel": good}))).await;
        }
    }

    async fn an_outgoing_one_is_refused_for_the_first_reason(app) {
        let olga = owner(&app).await;
        for (change, error, code) in [
            (json!({"event": "none", "username": ""}), "Invalid event type [error-invalid-event-type]", "error-invalid-event-type"),
            (json!({"username": " ", "urls": []}), "Invalid username [error-invalid-username]", "error-invalid-username"),
            (json!({"event": "userCreated", "urls": []}), "Invalid Target Room [error-invalid-targetRoom]", "error-invalid-targetRoom"),
            (json!({"urls": [" "]}), "Invalid URLs [error-invalid-urls]", "error-invalid-urls"),
            (json!({"urls": null}), "Invalid URLs [error-invalid-urls]", "error-invalid-urls"),
            (json!({"channel": "general", "username": "nobody"}), "Invalid channel. Start with @ or # [error-invalid-channel-start-with-chars]", "error-invalid-channel-start-with-chars"),
            (json!({"username": "nobody"}), "Invalid user (did you delete the `rocket.cat` user?) [error-invalid-user]", "error-invalid-user"),
            (json!({"channel": "#none"}), "Invalid room [error-invalid-room]", "error-invalid-room"),
        ] {
            let answer = olga.post("integrations.create", outgoing(change.clone())).await.ok(400);
            assert_eq!(reported(&answer), (error, code), "{change}");
        }
        for url in ["http://169.254.169.254/latest", "ftp://93.184.216.34/", "https://[::ffff:127.0.0.1]:22/", "nonsense"] {
            let answer = olga.post("integrations.create", outgoing(json!({"urls": [url]}))).await.ok(400);
            assert_eq!(reported(&answer).1, "error-invalid-urls", "{url}: {answer}");
        }
        let made = olga.create(outgoing(json!({"channel": "all_public_channels,all_private_groups,all_direct_messages"}))).await;
        let change = outgoing(json!({"integrationId": made["_id"]}));
        let answer = olga.put("integrations.update", change.clone()).await.ok(400);
        assert_eq!(answer["details"], json!({"method": "updateOutgoingIntegration"}));
        assert_eq!(reported(&answer), ("Invalid token [error-invalid-token]", "error-invalid-token"));
        let nothing = outgoing(json!({"integrationId": "0199c1de-0000-7000-8000-00000000dead", "token": "t"}));
        assert_eq!(reported(&olga.put("integrations.update", nothing).await.ok(400)).0, "No integration found.");
        let other_way = incoming(json!({"integrationId": made["_id"]}));
        assert_eq!(reported(&olga.put("integrations.update", other_way).await.ok(400)).0, "No integration found.");
    }

    async fn another_organisations_is_not_there(app) {
        let olga = owner(&app).await;
        let made = olga.create(incoming(json!({}))).await;
        let outsider = app.other("globex").await;
        let id = made["_id"].as_str().unwrap();
        let unknown = "0199c1de-0000-7000-8000-00000000dead";
        for id in [id, unknown, "ByehQjC44FwMeiLbX"] {
            let got = outsider.get(&format!("/api/v1/integrations.get?integrationId={id}")).await.ok(400);
            assert_eq!(got, json!({"success": false, "error": "The integration does not exists."}));
            let removal = json!({"type": "webhook-incoming", "integrationId": id});
            let removed = outsider.post("/api/v1/integrations.remove", &removal).await.ok(400);
            assert_eq!(reported(&removed).0, "No integration found.");
        }
        assert_eq!(outsider.get("/api/v1/integrations.list").await.ok(200)["total"], 0);
        olga.get(&format!("integrations.get?integrationId={id}")).await.ok(200);
    }
}
