//! Apps, webhooks and registry versions that are set up through Telex, Rocket.Chat, Botpress and natively, each seen
//! in the others.

use serde_json::{Value, json};
use tieline::domain::registry::{PublicId, public_id};

use crate::{
    channel_integrations::{named_channel, put, say},
    rocketchat::{Known, incoming, outgoing, owner},
    support::{Client, Integration, TestApp},
};

const TELEX: &str = "/organisations/acme/integrations";

fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap()
}

/// Finds the item of a list by its id.
fn find<'a>(list: &'a Value, id: &str) -> Option<&'a Value> {
    list.as_array().unwrap().iter().find(|one| one["id"] == id || one["_id"] == id)
}

async fn natively(caller: &Client, path: &str) -> Value {
    caller.get(path).await.ok(200)
}

/// Asserts that another organisation finds nothing at these paths.
async fn is_hidden(app: &TestApp, paths: &[String]) {
    let other = app.other("globex").await;
    for path in paths {
        other.get(path).await.problem(404, "not_found");
    }
}

/// Asserts that both dialects show the same webhook.
fn is_alike(ours: &Value, theirs: &Value) {
    for (our_name, their_name) in [
        ("id", "_id"),
        ("name", "name"),
        ("enabled", "enabled"),
        ("username", "username"),
        ("channels", "channel"),
        ("channelOverride", "overrideDestinationChannelEnabled"),
        ("alias", "alias"),
        ("avatar", "avatar"),
        ("emoji", "emoji"),
        ("script", "script"),
        ("scriptEnabled", "scriptEnabled"),
        ("event", "event"),
        ("urls", "urls"),
        ("targetChannel", "targetRoom"),
        ("triggerWordAnywhere", "triggerWordAnywhere"),
        ("runOnEdits", "runOnEdits"),
        ("impersonateUser", "impersonateUser"),
        ("retryCount", "retryCount"),
        ("retryFailedCalls", "retryFailedCalls"),
        ("retryDelay", "retryDelay"),
        ("createdAt", "_createdAt"),
        ("updatedAt", "_updatedAt"),
    ] {
        assert_eq!(ours.get(our_name), theirs.get(their_name), "{our_name}: {ours} {theirs}");
    }
    assert_eq!(ours["createdBy"], theirs["_createdBy"]["_id"]);
    assert!(ours.get("token").is_none(), "{ours}");
}

both! {
    async fn an_app_of_one_is_an_app_of_the_other(app) {
        let far = Integration::start("output", json!([
            {"label": "room", "type": "text", "required": true, "default": "#one"},
            {"label": "Api Key", "type": "text", "required": false, "default": ""},
        ])).await;
        let (owner, channel) = (&app.owner, named_channel(&app, "support").await);
        owner.post(&format!("{TELEX}/custom"), &json!({"json_url": far.json_url()})).await.ok(201);
        let theirs = owner.get(&format!("{TELEX}/custom")).await.ok(200)["data"][0].clone();
        let path = format!("/v1/apps/{}", id(&theirs));
        let ours = natively(owner, &path).await;
        assert_eq!(natively(owner, "/v1/apps").await, json!({"data": [ours]}));
        for (name, value) in [
            ("origin", json!("descriptor")), ("kind", json!("output")), ("descriptorUrl", json!(far.json_url())),
            ("active", json!(true)), ("title", theirs["app_name"].clone()), ("createdAt", theirs["created_at"].clone()),
        ] {
            assert_eq!(ours[name], value, "{name}");
        }
        assert_eq!(ours["declaredSettings"][0]["label"], "room");

        let (of_all, here) = (format!("{TELEX}/{}/settings", id(&theirs)), format!("/v1/channels/{channel}/apps/{}", id(&theirs)));
        let setting = |label: &str, value: &str| json!({"form_field_label": label, "form_field_value": value});
        owner.post(&of_all, &setting("room", "#two")).await.ok(200);
        let settings = format!("{path}/settings");
        assert_eq!(natively(owner, &settings).await, json!({"settings": {"room": "#two"}}));
        let set = json!({"settings": {"room": "#three", "Api Key": "hunter2"}});
        assert_eq!(put(&app, &settings, set.clone()).await, set);
        let rows = owner.get(&of_all).await.ok(200)["data"].clone();
        let values: Vec<_> = rows.as_array().unwrap().iter().map(|row| (&row["form_field_label"], &row["form_field_value"])).collect();
        assert_eq!(values, [(&json!("room"), &json!("#three")), (&json!("Api Key"), &json!("hunter2"))]);

        let of_channel = format!("{TELEX}/{}/channels/{channel}/settings", id(&theirs));
        put(&app, &here, json!({"position": 3})).await;
        owner.post(&of_channel, &setting("room", "#four")).await.ok(200);
        let used = natively(owner, &here).await;
        assert_eq!((&used["settings"], &used["position"]), (&json!({"room": "#four"}), &json!(3)));
        assert_eq!(natively(owner, &format!("/v1/channels/{channel}/apps")).await, json!({"data": [used]}));
        say(&app, &channel, "hello").await;
        let call = far.calls().pop().unwrap();
        assert_eq!((&call.body["settings"][0]["default"], &call.body["settings"][1]["default"]), (&json!("#four"), &json!("hunter2")));
        put(&app, &here, json!({"settings": {}})).await;
        assert_eq!(owner.get(&of_channel).await.ok(200)["data"], json!([]), "removed in one is removed in the other");

        owner.patch(&path, &json!({"active": false, "name": "Renamed"})).await.ok(200);
        let listed = owner.get(TELEX).await.ok(200)["data"].clone();
        assert_eq!(find(&listed, id(&theirs)).unwrap()["is_active"], false);
        owner.patch(&format!("{TELEX}/{}", id(&theirs)), &json!({"is_active": true})).await.ok(200);
        let ours = natively(owner, &path).await;
        assert_eq!((&ours["active"], &ours["name"]), (&json!(true), &json!("Renamed")));
        is_hidden(&app, &[path.clone(), settings, here, format!("{path}/signing-secret")]).await;

        let made = owner.post("/v1/apps", &json!({"descriptorUrl": far.json_url(), "name": "Second"})).await.ok(201);
        let listed = owner.get(&format!("{TELEX}/custom")).await.ok(200)["data"].clone();
        assert_eq!(find(&listed, id(&made)).unwrap()["json_url"], json!(far.json_url()));
        assert_eq!(owner.delete(&format!("/v1/apps/{}", id(&made))).await.status, 204);
        let listed = owner.get(TELEX).await.ok(200)["data"].clone();
        assert!(find(&listed, id(&made)).is_none(), "{listed}");
        owner.delete(&format!("{TELEX}/{}", id(&theirs))).await.ok(200);
        owner.get(&path).await.problem(404, "not_found");
    }

    async fn an_incoming_webhook_of_one_is_one_of_the_other(app) {
        let olga = owner(&app).await;
        let theirs = olga.create(incoming(json!({"alias": "CI", "emoji": ":ghost:", "scriptEnabled": true, "script": "class Script {"}))).await;
        let path = format!("/v1/incoming-webhooks/{}", theirs["_id"].as_str().unwrap());
        let ours = natively(&app.owner, &path).await;
        is_alike(&ours, &theirs);
        assert_eq!(ours["scriptError"]["name"], theirs["scriptError"]["name"]);
        assert_eq!(natively(&app.owner, "/v1/incoming-webhooks").await, json!({"data": [ours]}));
        assert_eq!(natively(&app.owner, "/v1/outgoing-webhooks").await, json!({"data": []}));
        let address = natively(&app.owner, &format!("{path}/token")).await;
        assert_eq!(address["token"], theirs["token"]);

        let changed = app.owner.patch(&path, &json!({"name": "Ours", "alias": "", "script": "", "channelOverride": true})).await.ok(200);
        assert_eq!((changed.get("alias"), changed.get("script"), &changed["emoji"]), (None, None, &json!(":ghost:")));
        let shown = olga.get(&format!("integrations.get?integrationId={}", id(&changed))).await.ok(200)["integration"].clone();
        is_alike(&changed, &shown);
        olga.put("integrations.update", incoming(json!({"integrationId": id(&changed), "name": "Theirs", "enabled": false}))).await.ok(200);
        let ours = natively(&app.owner, &path).await;
        assert_eq!((&ours["name"], &ours["enabled"]), (&json!("Theirs"), &json!(false)));

        let new = json!({"name": "New", "channels": ["#general", "@olga"], "username": "rocket.cat"});
        let made = app.owner.post("/v1/incoming-webhooks", &new).await.ok(201);
        let listed = olga.get("integrations.list").await.ok(200)["integrations"].clone();
        is_alike(&made, find(&listed, id(&made)).unwrap());
        is_hidden(&app, &[path.clone(), format!("{path}/token")]).await;
        assert_eq!(app.owner.delete(&path).await.status, 204);
        let listed = olga.get("integrations.list").await.ok(200)["integrations"].clone();
        assert!(find(&listed, theirs["_id"].as_str().unwrap()).is_none(), "{listed}");
    }

    async fn an_outgoing_webhook_of_one_is_one_of_the_other(app) {
        let olga = owner(&app).await;
        let far = Integration::start("output", json!([])).await;
        let theirs = olga.create(outgoing(json!({
            "urls": [far.base()], "token": "t0ken", "triggerWords": ["deploy"], "retryFailedCalls": true,
            "retryCount": 3, "retryDelay": "powers-of-two",
        }))).await;
        let path = format!("/v1/outgoing-webhooks/{}", theirs["_id"].as_str().unwrap());
        let ours = natively(&app.owner, &path).await;
        is_alike(&ours, &theirs);
        assert_eq!(ours["triggerWords"], theirs["triggerWords"]);
        assert_eq!(natively(&app.owner, &format!("{path}/token")).await, json!({"token": "t0ken"}));
        assert_eq!(natively(&app.owner, "/v1/outgoing-webhooks").await, json!({"data": [ours]}));

        let change = json!({"triggerWords": ["ship"], "retryDelay": "powers-of-ten", "targetChannel": "#general"});
        let changed = app.owner.patch(&path, &change).await.ok(200);
        let shown = async |known: &Known| {
            let path = format!("integrations.get?integrationId={}", id(&changed));
            known.get(&path).await.ok(200)["integration"].clone()
        };
        is_alike(&changed, &shown(&olga).await);
        assert_eq!(shown(&olga).await["token"], "t0ken", "a token that is not given stays");
        let again = outgoing(json!({"integrationId": id(&changed), "token": "another", "urls": [far.base()], "triggerWords": ["deploy"]}));
        olga.put("integrations.update", again).await.ok(200);
        let ours = natively(&app.owner, &path).await;
        assert_eq!((&ours["triggerWords"], &ours["retryFailedCalls"]), (&json!(["deploy"]), &json!(false)));

        let channels = natively(&app.owner, "/v1/channels").await;
        say(&app, channels["data"][0]["id"].as_str().unwrap(), "deploy web").await;
        let history = olga.get(&format!("integrations.history?id={}", id(&changed))).await.ok(200)["history"].clone();
        let runs = natively(&app.owner, &format!("{path}/runs")).await["data"].clone();
        assert_eq!((runs.as_array().unwrap().len(), &runs[0]["id"]), (1, &history[0]["_id"]));
        for (our_name, their_name) in [("event", "event"), ("triggerWord", "triggerWord"), ("step", "step"), ("data", "data"), ("address", "url")] {
            assert_eq!(runs[0][our_name], history[0][their_name], "{our_name}");
        }
        let replay = format!("{path}/runs/{}/replay", id(&runs[0]));
        assert_eq!(app.owner.post(&replay, &json!({})).await.status, 202);
        app.drain().await;
        assert_eq!(olga.get(&format!("integrations.history?id={}", id(&changed))).await.ok(200)["total"], 2);
        assert_eq!(app.owner.delete(&format!("{path}/runs")).await.status, 204);
        assert_eq!(olga.get(&format!("integrations.history?id={}", id(&changed))).await.ok(200)["total"], 0);

        let new = json!({"name": "New", "event": "userCreated", "urls": [far.base()], "targetChannel": "#general"});
        let made = app.owner.post("/v1/outgoing-webhooks", &new).await.ok(201);
        let listed = olga.get("integrations.list").await.ok(200)["integrations"].clone();
        is_alike(&made, find(&listed, id(&made)).unwrap());
        is_hidden(&app, &[path.clone(), format!("{path}/token"), format!("{path}/runs"), format!("{path}/signing-secret")]).await;
        olga.post("integrations.remove", json!({"type": "webhook-outgoing", "integrationId": id(&changed)})).await.ok(200);
        app.owner.get(&path).await.problem(404, "not_found");
    }

    async fn a_registry_version_of_one_is_one_of_the_other(app) {
        let all = "/v1/admin/integrations";
        let version = |name: &str, visibility: &str| json!({
            "name": name, "version": "1.0.0", "title": "Teams", "url": "https://teams.example/hook",
            "visibility": visibility, "secrets": {"API_KEY": "s3cret"},
            "actions": {"send": {"title": "Send", "input": {"schema": {}}, "output": {"schema": {}}}},
        });
        let publish = async |caller: &Client, body: Value| caller.post(all, &body).await.ok(200)["integration"].clone();
        let own = publish(&app.owner, version("acme/teams", "private")).await;
        let globex = app.other("globex").await;
        let public = publish(&globex, version("globex/chat", "public")).await;
        let hidden = publish(&globex, version("globex/secret", "private")).await;
        let uuid = |shown: &Value| public_id(PublicId::VERSION, id(shown)).unwrap().to_string();

        let listed = natively(&app.owner, "/v1/registry/versions").await["data"].clone();
        let names: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["globex/chat", "acme/teams"]);
        for (query, found) in [
            ("name=acme/teams", vec!["acme/teams"]), ("search=CHAT", vec!["globex/chat"]),
            ("organisation=globex", vec!["globex/chat"]), ("organisation=acme", vec!["acme/teams"]),
            ("organisation=nobody", vec![]), ("organisation=No%20slug", vec![]), ("search=secret", vec![]),
        ] {
            let listed = natively(&app.owner, &format!("/v1/registry/versions?{query}")).await["data"].clone();
            let names: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
            assert_eq!(names, found, "{query}");
        }
        let page = natively(&app.owner, "/v1/registry/versions?limit=1").await;
        let next = format!("/v1/registry/versions?limit=1&cursor={}", page["nextCursor"].as_str().unwrap());
        assert_eq!(natively(&app.owner, &next).await, json!({"data": [listed[1]]}));

        let path = format!("/v1/registry/versions/{}", uuid(&own));
        let mut ours = natively(&app.owner, &path).await;
        let definition = ours.as_object_mut().unwrap().remove("definition").unwrap();
        assert_eq!(ours, listed[1]);
        assert_eq!((&ours["id"], &ours["secretNames"]), (&json!(uuid(&own)), &json!(["API_KEY"])));
        assert_eq!((&definition["actions"], &definition["url"]), (&own["actions"], &own["url"]));
        for (our_name, their_name) in [("verificationStatus", "verificationStatus"), ("createdAt", "createdAt"), ("title", "title")] {
            assert_eq!(ours[our_name], own[their_name], "{our_name}");
        }
        let theirs = natively(&app.owner, &format!("/v1/registry/versions/{}", uuid(&public))).await;
        assert_eq!((theirs.get("secretNames"), theirs["definition"].get("url")), (None, None));
        assert_eq!((&theirs["organisation"]["slug"], &theirs["definition"]["actions"]), (&json!("globex"), &public["actions"]));
        app.owner.get(&format!("/v1/registry/versions/{}", uuid(&hidden))).await.problem(404, "not_found");
        globex.get(&path).await.problem(404, "not_found");

        let installed = app.owner.post("/v1/apps", &json!({"registryVersion": {"id": uuid(&public)}})).await.ok(201);
        let listed = app.owner.get(TELEX).await.ok(200)["data"].clone();
        assert_eq!(find(&listed, id(&installed)).unwrap()["json_url"], "registry:globex/chat@1.0.0");
        app.owner.delete(&format!("/v1/registry/versions/{}", uuid(&public))).await.problem(404, "not_found");
        globex.delete(&format!("/v1/registry/versions/{}", uuid(&public))).await.problem(409, "in_use");
        assert_eq!(app.owner.delete(&path).await.status, 204);
        assert_eq!(app.owner.get(&format!("{all}/{}", id(&own))).await.status, 404);
    }
}
