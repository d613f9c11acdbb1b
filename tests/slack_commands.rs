//! Tests of workflows that members run from Slack: registered, found by a slash command, filled in by a modal, and
//! started by an event.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::support::{Answer, COMMANDS, Client, Database, INTERACTIVITY, Sender, Setup, TestApp, form, until};

const TEAM: &str = "T0STANDIN";
const ADA: &str = "U0STANDINADA";
const MAX: &str = "U0STANDINMAX";
const ADAS: &str = "ada@acme-standin.example";
const LIMIT: Duration = Duration::from_secs(30);

/// A workflow that asks for a version, which is required, and for a region, which has a default.
fn deploy() -> Value {
    json!({
        "name": "Deploy the shop",
        "summary": "Builds <main> & rolls it out.",
        "parameters": [
            {"name": "version", "label": "Which version", "required": true, "description": "A tag"},
            {"name": "region", "default": "eu"},
        ],
    })
}

async fn put(caller: &Client, id: &str, workflow: &Value) -> Answer {
    caller.send(caller.request(Method::PUT, &format!("/v1/workflows/{id}")).json(workflow)).await
}

/// Adds a member with an e-mail address and returns their path.
async fn member(caller: &Client, username: &str, email: &str) -> String {
    let organisation = caller.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let members = format!("/v1/organisations/{organisation}/members");
    let body = json!({"username": username, "email": email, "role": "member"});
    let added = caller.post(&members, &body).await.ok(201);
    format!("{members}/{}", added["userId"].as_str().unwrap())
}

/// Sets up the installed app, Slack's requests to it, a workflow `deploy`, and the member Ada, who may run it.
pub async fn set_up(app: &TestApp) -> String {
    app.slack.install_app(&app.owner, "acme", TEAM).await;
    let order = json!({"commandsUrl": app.anon.url(COMMANDS), "interactivityUrl": app.anon.url(INTERACTIVITY)});
    app.slack.order("app", order).await;
    put(&app.owner, "deploy", &deploy()).await.ok(200);
    member(&app.owner, "ada", ADAS).await
}

/// Types a command at the stand-in and returns the resulting modal.
async fn type_as(app: &TestApp, user: &str, text: &str) -> Option<Value> {
    let before: Vec<_> = app.slack.views(TEAM).await.iter().map(|view| view["id"].clone()).collect();
    let order = json!({"channel": "C0GENERAL", "user": user, "command": "/workflow", "text": text});
    let answer = app.slack.order("command", order).await;
    assert_eq!(answer, json!({"status": 200, "body": ""}), "{text}");
    app.app.base.settle().await;
    app.slack.views(TEAM).await.into_iter().find(|view| !before.contains(&view["id"]))
}

async fn modal(app: &TestApp, user: &str, text: &str) -> Value {
    type_as(app, user, text).await.unwrap_or_else(|| panic!("no modal for {text}"))
}

/// Asserts a modal that reports nothing to run for this text, or no permission for it.
#[track_caller]
fn is_not_runnable(view: &Value, text: &str) {
    assert!(view.get("submit").is_none() && view.get("private_metadata").is_none(), "{view}");
    let said = view["blocks"].to_string();
    assert!(said.contains(&format!("The workflow `{text}` was not found, or you are not permitted")), "{said}");
}

/// Submits a modal at the stand-in, with these values.
async fn submit(app: &TestApp, user: &str, view: &Value, values: Value) -> Value {
    let mut view = view.clone();
    view["state"] = json!({"values": values});
    let payload = json!({"type": "view_submission", "view": view});
    let answer =
        app.slack.order("interaction", json!({"channel": "C0GENERAL", "user": user, "payload": payload})).await;
    assert_eq!(answer["status"], 200, "{answer}");
    match answer["body"].as_str().unwrap() {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap(),
    }
}

/// Chooses a workflow in a modal at the stand-in, and returns the modal that replaces it.
async fn choose(app: &TestApp, user: &str, view: &Value, id: &str) -> Value {
    let option = json!({"text": {"type": "plain_text", "text": "x"}, "value": id});
    let action = json!({"type": "static_select", "action_id": "workflow", "selected_option": option});
    let payload = json!({"type": "block_actions", "view": view, "actions": [action]});
    let order = json!({"channel": "C0GENERAL", "user": user, "payload": payload});
    assert_eq!(app.slack.order("interaction", order).await, json!({"status": 200, "body": ""}));
    app.app.base.settle().await;
    app.slack.views(TEAM).await.into_iter().find(|one| one["id"] == view["id"]).unwrap()
}

fn value(text: &str) -> Value {
    json!({"value": {"type": "plain_text_input", "value": text}})
}

fn version(text: &str) -> Value {
    json!({"parameter.version": value(text), "parameter.region": value("us")})
}

/// Starts a run by Ada of the workflow `deploy`, with this version.
pub async fn run(app: &TestApp, text: &str) {
    let view = modal(app, ADA, "deploy").await;
    assert_eq!(submit(app, ADA, &view, version(text)).await, Value::Null);
}

/// Returns the events of a type, newest first.
pub async fn events(caller: &Client, kind: &str) -> Vec<Value> {
    let all = caller.get("/v1/events?limit=250").await.ok(200);
    all["data"].as_array().unwrap().iter().filter(|event| event["type"] == kind).cloned().collect()
}

/// Numbers of submitted, requested and refused runs.
async fn counts(caller: &Client) -> [usize; 3] {
    let mut counts = [0; 3];
    for (count, kind) in
        counts.iter_mut().zip(["slack.workflow_run_submitted", "workflow.run.requested", "workflow.run.refused"])
    {
        *count = events(caller, kind).await.len();
    }
    counts
}

/// Slack's profile of Ada, with these fields over the usual ones.
fn person(over: Value) -> Value {
    let mut user = json!({
        "id": ADA, "team_id": TEAM, "name": "ada", "deleted": false, "is_bot": false, "is_email_confirmed": true,
        "profile": {"real_name": "Ada", "email": ADAS},
    });
    user.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
    json!({"ok": true, "user": user})
}

both! {
    async fn workflows_are_kept(app) {
        let made = put(&app.owner, "deploy", &deploy()).await.ok(200);
        let parameters = json!([
            {"name": "version", "label": "Which version", "required": true, "description": "A tag"},
            {"name": "region", "required": false, "default": "eu"},
        ]);
        assert_eq!((&made["id"], &made["name"], &made["parameters"]), (&json!("deploy"), &deploy()["name"], &parameters));
        assert_eq!(app.owner.get("/v1/workflows/deploy").await.ok(200), made);
        app.advance(Duration::from_secs(60));
        let changed = put(&app.owner, "deploy", &json!({"name": "Another"})).await.ok(200);
        assert_eq!(changed["createdAt"], made["createdAt"]);
        assert_ne!(changed["updatedAt"], made["updatedAt"]);
        assert_eq!((&changed["summary"], &changed["parameters"]), (&json!(""), &json!([])), "it is replaced as a whole");
        for id in ["Deploy", "a", "z_9.-"] {
            put(&app.owner, id, &json!({"name": "x"})).await.ok(200);
        }
        let all = app.owner.get("/v1/workflows").await.ok(200);
        let mut ids: Vec<_> = all["data"].as_array().unwrap().iter().map(|workflow| workflow["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["Deploy", "a", "deploy", "z_9.-"]);
        app.owner.delete("/v1/workflows/deploy").await.ok(204);
        for gone in [app.owner.delete("/v1/workflows/deploy").await, app.owner.get("/v1/workflows/deploy").await] {
            gone.problem(404, "not_found");
        }
        app.owner.get("/v1/workflows/%00").await.problem(400, "invalid_parameter");
        for odd in ["%20", "..", "a%2Fb", "%F0%9F%92%A9", &"x".repeat(2000)] {
            for method in [Method::GET, Method::DELETE] {
                let answer = app.owner.send(app.owner.request(method.clone(), &format!("/v1/workflows/{odd}"))).await;
                assert_eq!(answer.status, 404, "{method} {odd}: {}", answer.text);
            }
        }
    }

    async fn a_workflow_that_breaks_rules_hears_of_each(app) {
        let bad = json!({
            "name": " ",
            "summary": "\u{7}",
            "parameters": [
                {"name": "a b", "label": "x".repeat(151)},
                {"name": "v", "default": "x".repeat(2001)},
                {"name": "v", "description": "x".repeat(301)},
            ],
        });
        let problem = put(&app.owner, "<!here>", &bad).await.problem(400, "invalid");
        let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        let expected = [
            "/id", "/name", "/summary", "/parameters/0/name", "/parameters/0/label", "/parameters/1/default",
            "/parameters/2/name", "/parameters/2/description",
        ];
        assert_eq!(fields, expected, "{problem}");
        let many: Vec<_> = (0..21).map(|number| json!({"name": format!("p{number}")})).collect();
        put(&app.owner, "many", &json!({"name": "x", "parameters": many})).await.problem(400, "invalid");
        for body in [json!({}), json!({"name": null}), json!({"name": 5}), json!({"name": "x", "id": "y"}), json!([])] {
            put(&app.owner, "deploy", &body).await.problem(400, "invalid");
        }
        assert_eq!(app.owner.get("/v1/workflows").await.ok(200), json!({"data": []}));
    }

    async fn an_organisation_has_its_own_workflows_and_not_too_many(app) {
        let other = app.other("globex").await;
        put(&other, "deploy", &deploy()).await.ok(200);
        app.owner.get("/v1/workflows/deploy").await.problem(404, "not_found");
        app.owner.delete("/v1/workflows/deploy").await.problem(404, "not_found");
        let bob = app.caller("acme", "bob", Role::Member).await;
        bob.get("/v1/workflows").await.ok(200);
        put(&bob, "deploy", &deploy()).await.problem(403, "forbidden");
        bob.delete("/v1/workflows/deploy").await.problem(403, "forbidden");

        for first in (0..500).step_by(10) {
            let ten = (first..first + 10).map(|number| {
                let (owner, id) = (&app.owner, format!("w{number}"));
                async move { put(owner, &id, &json!({"name": "x"})).await.ok(200) }
            });
            join_all(ten).await;
        }
        let problem = put(&app.owner, "one-more", &json!({"name": "x"})).await.problem(409, "conflict");
        assert!(problem["detail"].as_str().unwrap().contains("at most 500"), "{problem}");
        put(&app.owner, "w0", &json!({"name": "still to be changed"})).await.ok(200);
        assert_eq!(app.owner.get("/v1/workflows").await.ok(200)["data"].as_array().unwrap().len(), 500);
        app.owner.delete("/v1/workflows/w1").await.ok(204);
        put(&app.owner, "one-more", &json!({"name": "x"})).await.ok(200);
        assert_eq!(other.get("/v1/workflows").await.ok(200)["data"].as_array().unwrap().len(), 1);
    }

    async fn a_command_opens_a_modal(app) {
        set_up(&app).await;
        for text in ["help", " HELP "] {
            let help = modal(&app, ADA, text).await;
            assert_eq!(help["callback_id"], "workflow-help-modal");
            assert!(help["blocks"].to_string().contains("`/workflow help`"), "{help}");
        }
        let found = modal(&app, ADA, " deploy ").await;
        assert_eq!((&found["callback_id"], &found["private_metadata"]), (&json!("workflow-run-modal"), &json!("deploy")));
        assert_eq!((&found["title"]["text"], &found["submit"]["text"]), (&json!("Run Workflow"), &json!("Run")));
        assert!(found["blocks"].to_string().contains("Builds &lt;main&gt; &amp; rolls it out."), "{found}");
        let inputs: Vec<_> = found["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == "input").collect();
        assert_eq!(inputs.len(), 2);
        assert_eq!((&inputs[0]["block_id"], &inputs[0]["label"]["text"]), (&json!("parameter.version"), &json!("Which version")));
        assert_eq!((&inputs[0]["optional"], &inputs[0]["hint"]["text"]), (&json!(false), &json!("A tag")));
        assert_eq!((&inputs[1]["optional"], &inputs[1]["element"]["initial_value"]), (&json!(true), &json!("eu")));
        assert_eq!(counts(&app.owner).await, [0; 3], "nothing has happened yet");
    }

    async fn a_command_without_an_id_offers_the_workflows(app) {
        let ada = set_up(&app).await;
        put(&app.owner, "backup", &json!({"name": "Back <everything> up"})).await.ok(200);
        let picker = modal(&app, ADA, "  ").await;
        assert_eq!(picker["callback_id"], "workflow-pick-modal");
        let select = &picker["blocks"][1]["accessory"];
        let options: Vec<_> = select["options"].as_array().unwrap().iter().map(|option| (&option["value"], &option["text"]["text"])).collect();
        let expected = [
            (json!("backup"), json!("Back &lt;everything&gt; up (backup)")),
            (json!("deploy"), json!("Deploy the shop (deploy)")),
        ];
        assert_eq!(options, expected.iter().map(|(value, text)| (value, text)).collect::<Vec<_>>());

        let chosen = choose(&app, ADA, &picker, "deploy").await;
        assert_eq!((&chosen["callback_id"], &chosen["private_metadata"]), (&json!("workflow-run-modal"), &json!("deploy")));
        assert!(chosen["blocks"].to_string().contains("`/workflow help`"), "{chosen}");
        assert_eq!(submit(&app, ADA, &chosen, version("v1")).await, Value::Null);
        app.drain().await;
        assert_eq!(counts(&app.owner).await, [1, 1, 0], "it goes on as if the id had been typed");

        // It is looked up, and permitted, at the time of the choice.
        let picker = modal(&app, ADA, "").await;
        app.owner.delete("/v1/workflows/backup").await.ok(204);
        is_not_runnable(&choose(&app, ADA, &picker, "backup").await, "backup");
        let picker = modal(&app, ADA, "").await;
        app.owner.patch(&ada, &json!({"permissions": ["workflows:read"]})).await.ok(200);
        is_not_runnable(&choose(&app, ADA, &picker, "deploy").await, "deploy");
        let picker = modal(&app, ADA, "").await;
        assert!(picker["blocks"].to_string().contains("no workflow that you may run"), "{picker}");
        app.owner.patch(&ada, &json!({"permissions": ["workflows:run"]})).await.ok(200);
        let stranger = modal(&app, MAX, "").await;
        assert!(stranger["blocks"].to_string().contains("no workflow that you may run"), "{stranger}");
        app.owner.delete("/v1/workflows/deploy").await.ok(204);
        let empty = modal(&app, ADA, "").await;
        assert!(empty["blocks"].to_string().contains("no workflow that you may run"), "{empty}");
        assert_eq!(counts(&app.owner).await, [1, 1, 0]);
    }

    async fn many_workflows_are_offered_in_groups(app) {
        set_up(&app).await;
        for first in (0..200).step_by(10) {
            let ten = (first..first + 10).map(|number| {
                let owner = &app.owner;
                async move { put(owner, &format!("w{number:03}"), &json!({"name": "x"})).await.ok(200) }
            });
            join_all(ten).await;
        }
        let picker = modal(&app, ADA, "").await;
        let groups = picker["blocks"][1]["accessory"]["option_groups"].as_array().unwrap();
        let sizes: Vec<_> = groups.iter().map(|group| group["options"].as_array().unwrap().len()).collect();
        assert_eq!((sizes, &groups[0]["label"]["text"]), (vec![100, 100, 1], &json!("deploy – w098")));
    }

    async fn what_is_not_there_and_what_is_not_allowed_look_alike(app) {
        let ada = set_up(&app).await;
        is_not_runnable(&modal(&app, ADA, "nothing").await, "nothing");
        // Max is in the workspace, and no member here.
        is_not_runnable(&modal(&app, MAX, "deploy").await, "deploy");
        app.owner.patch(&ada, &json!({"permissions": ["workflows:read"]})).await.ok(200);
        is_not_runnable(&modal(&app, ADA, "deploy").await, "deploy");
        app.owner.patch(&ada, &json!({"permissions": ["workflows:run"]})).await.ok(200);
        assert!(modal(&app, ADA, "deploy").await.get("submit").is_some());
        let (missing, forbidden) = (modal(&app, MAX, "nothing").await, modal(&app, MAX, "deploy").await);
        let alike = |view: &Value| view["blocks"].to_string().replace("nothing", "deploy");
        assert_eq!(alike(&missing), alike(&forbidden));
    }

    async fn every_typed_text_is_answered(app) {
        set_up(&app).await;
        for (typed, shown) in [
            ("<!channel>", "&lt;!channel&gt;"),
            ("deploy now", "deploy now"),
            ("Deploy", "Deploy"),
            ("ünïcödé 💩", "ünïcödé 💩"),
            ("' OR 1=1 --", "' OR 1=1 --"),
            ("%", "%"),
            ("deplo_", "deplo_"),
        ] {
            is_not_runnable(&modal(&app, ADA, typed).await, shown);
        }
        for odd in ["\u{0}", "a\u{0}b", "`", "\n\n\u{1b}[31m", &"x".repeat(3000)] {
            let view = modal(&app, ADA, odd).await;
            assert!(view["blocks"].to_string().contains("was not found"), "{odd:?}: {view}");
        }
    }

    async fn a_trigger_that_is_over_leaves_no_trace(app) {
        set_up(&app).await;
        for fault in [
            json!({"method": "users.info", "status": 500, "times": 1}),
            json!({"method": "users.info", "error": "internal_error", "times": 1}),
            json!({"method": "views.open", "error": "expired_trigger_id", "times": 1}),
            json!({"method": "views.open", "drop": "before", "times": 1}),
            json!({"method": "views.open", "hang": "headers", "times": 1}),
        ] {
            app.slack.fault(fault.clone()).await;
            assert_eq!(type_as(&app, ADA, "deploy").await, None, "{fault}");
        }
        assert_eq!(app.slack.calls("views.open").await.len(), 3, "a trigger is used once, and not for an unknown user");
        assert!(modal(&app, ADA, "deploy").await.get("submit").is_some(), "the next one is answered");
    }

    async fn a_submitted_run_becomes_an_event(app) {
        let ada = set_up(&app).await;
        let view = modal(&app, ADA, "deploy").await;
        assert_eq!(submit(&app, ADA, &view, version("v1 <!here>")).await, Value::Null, "the modal closes");
        assert_eq!(counts(&app.owner).await, [1, 0, 0], "it is kept before Slack has its answer, and looked into later");
        let submitted = &events(&app.owner, "slack.workflow_run_submitted").await[0];
        let waiting = app.delivery_of(submitted["id"].as_str().unwrap()).await;
        assert_eq!(waiting["state"], "pending");
        app.drain().await;
        assert_eq!(counts(&app.owner).await, [1, 1, 0]);
        let requested = &events(&app.owner, "workflow.run.requested").await[0];
        let data = json!({
            "workflowId": "deploy",
            "workflowName": "Deploy the shop",
            "parameters": {"version": "v1 <!here>", "region": "us"},
            "requestedBy": {"userId": ada.rsplit('/').next(), "username": "ada", "slackUserId": ADA},
        });
        assert_eq!(requested["data"], data);
        let reported = app.slack.messages(ADA).await;
        assert_eq!((reported.len(), &reported[0]["text"]), (1, &json!("The workflow Deploy the shop was requested.")));
        assert!(reported[0]["blocks"].to_string().contains(requested["id"].as_str().unwrap()), "{reported:?}");
        let checked = app.delivery_of(submitted["id"].as_str().unwrap()).await;
        assert_eq!(checked["state"], "delivered");
        let answer = checked["attempts"][0]["answer"].as_str().unwrap();
        assert_eq!(answer, format!("workflow.run.requested {}", requested["id"].as_str().unwrap()));
        assert_eq!(app.delivery_of(requested["id"].as_str().unwrap()).await["state"], "delivered", "the message");
        app.run_for(3).await;
        assert_eq!((counts(&app.owner).await, app.slack.texts(ADA).await.len()), ([1, 1, 0], 1));
    }

    async fn what_is_filled_in_is_checked(app) {
        set_up(&app).await;
        let view = modal(&app, ADA, "deploy").await;
        let errors = |message: &str| json!({"response_action": "errors", "errors": {"parameter.version": message}});
        let needed = errors("The workflow does not run without this.");
        for values in [
            json!({}),
            Value::Null,
            json!({"parameter.version": {"value": {"type": "plain_text_input", "value": null}}}),
            json!({"parameter.version": value("")}),
            json!({"parameter.version": value(" \n")}),
            json!({"parameter.version": {"value": {"value": 5}}}),
            json!({"parameter.version": "v1"}),
            json!({"version": value("v1")}),
        ] {
            assert_eq!(submit(&app, ADA, &view, values.clone()).await, needed, "{values}");
        }
        let long = json!({"parameter.version": value(&"x".repeat(2001))});
        assert_eq!(submit(&app, ADA, &view, long).await, errors("At most 2000 characters, please."));
        assert_eq!(counts(&app.owner).await, [0; 3]);
        // It stays open, and is submitted again with a valid value.
        let odd = json!({"parameter.version": value("v\u{0}\u{202e}1"), "parameter.region": value(""), "x": value("y")});
        assert_eq!(submit(&app, ADA, &view, odd).await, Value::Null);
        app.drain().await;
        let requested = &events(&app.owner, "workflow.run.requested").await[0];
        assert_eq!(requested["data"]["parameters"], json!({"version": "v\u{0}\u{202e}1"}), "emptied values are left out");
    }

    async fn a_run_that_is_submitted_again_runs_once(app) {
        set_up(&app).await;
        let view = modal(&app, ADA, "deploy").await;
        let send = || submit(&app, ADA, &view, version("v1"));
        join_all([send(), send(), send()]).await;
        app.drain().await;
        assert_eq!(submit(&app, ADA, &view, version("v2")).await, Value::Null);
        app.drain().await;
        assert_eq!(counts(&app.owner).await, [1, 1, 0]);
        assert_eq!(app.slack.texts(ADA).await.len(), 1);
        let another = modal(&app, ADA, "deploy").await;
        submit(&app, ADA, &another, version("v1")).await;
        app.drain().await;
        assert_eq!(counts(&app.owner).await, [2, 2, 0], "another modal is another run");
    }

    async fn what_changed_since_the_modal_counts(app) {
        let ada = set_up(&app).await;
        let refusal = "Your workflow was not run: there is no such workflow, or you may not run it";
        let view = modal(&app, ADA, "deploy").await;
        app.owner.patch(&ada, &json!({"permissions": ["workflows:read"]})).await.ok(200);
        assert_eq!(submit(&app, ADA, &view, version("v1")).await, Value::Null);
        app.drain().await;
        assert_eq!(counts(&app.owner).await, [1, 0, 1]);
        let refused = events(&app.owner, "workflow.run.refused").await[0]["data"].clone();
        assert_eq!((&refused["workflowId"], &refused["slackUserId"]), (&json!("deploy"), &json!(ADA)));
        assert!(refused["reason"].as_str().unwrap().contains("workflows:run"), "the refusal names its reason: {refused}");
        assert_eq!(app.slack.texts(ADA).await, [refusal]);

        app.owner.patch(&ada, &json!({"role": "member"})).await.ok(200);
        let view = modal(&app, ADA, "deploy").await;
        let mut changed = deploy();
        changed["parameters"] = json!([{"name": "ticket", "required": true}]);
        put(&app.owner, "deploy", &changed).await.ok(200);
        let reported = submit(&app, ADA, &view, version("v1")).await;
        assert_eq!(reported["errors"], json!({"parameter.ticket": "The workflow does not run without this."}));
        changed["parameters"][0]["default"] = json!("T-1");
        put(&app.owner, "deploy", &changed).await.ok(200);
        assert_eq!(submit(&app, ADA, &view, version("v1")).await, Value::Null);
        app.drain().await;
        let requested = events(&app.owner, "workflow.run.requested").await[0]["data"].clone();
        assert_eq!(requested["parameters"], json!({"ticket": "T-1"}), "a parameter that was not asked for yet has its default");

        let view = modal(&app, ADA, "deploy").await;
        app.owner.delete("/v1/workflows/deploy").await.ok(204);
        submit(&app, ADA, &view, version("v1")).await;
        app.drain().await;
        assert_eq!(counts(&app.owner).await, [3, 1, 2]);
        assert_eq!(app.slack.texts(ADA).await.last().unwrap(), refusal);
    }

    async fn what_a_modal_carries_proves_nothing(app) {
        set_up(&app).await;
        let other = app.other("globex").await;
        put(&other, "theirs", &json!({"name": "Theirs"})).await.ok(200);
        put(&app.owner, "rollback", &json!({"name": "Roll back", "parameters": [{"name": "to", "required": true}]})).await.ok(200);
        let view = modal(&app, ADA, "deploy").await;
        let carrying = |metadata: &str, id: &str| {
            let mut view = view.clone();
            (view["private_metadata"], view["id"]) = (json!(metadata), json!(id));
            view
        };
        let reported = submit(&app, ADA, &carrying("rollback", "V1"), version("v1")).await;
        assert_eq!(reported["errors"], json!({"parameter.to": "The workflow does not run without this."}), "by its own rules");
        for (number, metadata) in ["theirs", "", "a b", "../deploy", "deploy\u{0}", &"x".repeat(3000)].into_iter().enumerate() {
            let view = carrying(metadata, &format!("V2{number}"));
            assert_eq!(submit(&app, ADA, &view, version("v1")).await, Value::Null, "{metadata}");
            app.drain().await;
            assert_eq!(counts(&app.owner).await, [number + 1, 0, number + 1], "{metadata}");
        }
        // A modal that is not ours to submit is closed without any effect.
        for callback in ["workflow-help-modal", "another", ""] {
            let mut view = carrying("deploy", "V3");
            view["callback_id"] = json!(callback);
            assert_eq!(submit(&app, ADA, &view, version("v1")).await, Value::Null);
        }
        assert_eq!(counts(&app.owner).await[0], 6);
        assert_eq!(counts(&other).await, [0; 3]);
    }

    async fn a_workspace_runs_only_what_is_its_organisations(app) {
        set_up(&app).await;
        let other = app.other("globex").await;
        app.slack.install_app(&other, "globex", "T0SECOND").await;
        // The same address in both organisations, as far as people may set their own.
        member(&other, "ada", "ada@second.example").await;
        member(&app.owner, "eve", "ada@second.example").await;
        let order = json!({
            "team": "T0SECOND", "channel": "C1GENERAL", "user": "U0SECONDADA", "command": "/workflow", "text": "deploy",
        });
        assert_eq!(app.slack.order("command", order).await["status"], 200);
        app.app.base.settle().await;
        let view = &app.slack.views("T0SECOND").await[0];
        is_not_runnable(view, "deploy");
        let submitted = json!({
            "type": "view_submission",
            "view": {
                "id": "V1", "callback_id": "workflow-run-modal", "private_metadata": "deploy",
                "state": {"values": version("v1")},
            },
        });
        let order = json!({"team": "T0SECOND", "channel": "C1GENERAL", "user": "U0SECONDADA", "payload": submitted});
        assert_eq!(app.slack.order("interaction", order).await, json!({"status": 200, "body": ""}));
        app.drain().await;
        assert_eq!((counts(&app.owner).await, counts(&other).await), ([0; 3], [1, 0, 1]));
        put(&other, "deploy", &json!({"name": "Another"})).await.ok(200);
        assert_eq!(submit_signed(&app, "T0SECOND", "U0SECONDADA", "V2").await.text, "");
        app.drain().await;
        assert_eq!(events(&other, "workflow.run.requested").await[0]["data"]["workflowName"], "Another");
        assert_eq!(counts(&app.owner).await, [0; 3]);
        for team in ["T0NOBODY", ""] {
            submit_signed(&app, team, ADA, "V3").await;
        }
        assert_eq!((counts(&app.owner).await[0], counts(&other).await[0]), (0, 2));
    }

    async fn only_one_member_with_a_confirmed_address_is_believed(app) {
        set_up(&app).await;
        member(&app.owner, "kim", "kim@acme-standin.example").await;
        member(&app.owner, "joe", "joe@acme-standin.example").await;
        member(&app.owner, "joseph", "Joe@ACME-standin.example").await;
        let email = |email: &str| json!({"profile": {"email": email}});
        // Each is a new person, because profiles are cached for some minutes.
        for (number, (over, believed)) in [
            (json!({}), true),
            (email("ADA@Acme-Standin.Example"), true),
            (email("kim@acme-standin.example"), true),
            (json!({"is_email_confirmed": null}), true),
            (json!({"is_email_confirmed": false}), false),
            (json!({"is_bot": true}), false),
            (json!({"deleted": true}), false),
            (json!({"is_stranger": true}), false),
            (json!({"team_id": "T0SECOND"}), false),
            (json!({"team_id": null}), false),
            (json!({"profile": {}}), false),
            (json!({"profile": null}), false),
            (email(""), false),
            (email("eve@acme-standin.example"), false),
            (email("%@acme-standin.example"), false),
            (email(" ada@acme-standin.example"), false),
            (email("joe@acme-standin.example"), false),
            (email("ada\u{0}@acme-standin.example"), false),
            // Unicode's Kelvin sign becomes a small k, and its long s a capital S.
            (email("\u{212a}im@acme-standin.example"), false),
            (email("ada@acme-\u{17f}tandin.example"), false),
        ].into_iter().enumerate() {
            app.slack.fault(json!({"method": "users.info", "body": person(over.clone()).to_string(), "times": 1})).await;
            submit_signed(&app, TEAM, &format!("U{number}"), &format!("V{number}")).await;
            let before = counts(&app.owner).await;
            app.drain().await;
            assert!(!app.slack.is_fault_waiting().await, "{over}");
            let after = counts(&app.owner).await;
            let expected = if believed { [0, 1, 0] } else { [0, 0, 1] };
            let found: Vec<_> = after.iter().zip(before).map(|(after, before)| after - before).collect();
            assert_eq!(found, expected, "{over}");
        }
        submit_signed(&app, TEAM, "U0NOBODY", "V100").await;
        app.drain().await;
        let refused = events(&app.owner, "workflow.run.refused").await[0]["data"]["slackUserId"].clone();
        assert_eq!(refused, "U0NOBODY", "nobody there has that id");
    }

    async fn a_run_waits_for_a_slack_that_does_not_say_who_it_is(app) {
        set_up(&app).await;
        for (number, fault) in [
            json!({"method": "users.info", "status": 503}),
            json!({"method": "users.info", "drop": "before"}),
            json!({"method": "users.info", "hang": "headers"}),
            json!({"method": "users.info", "body": "<html>"}),
            json!({"method": "users.info", "error": "internal_error"}),
        ].into_iter().enumerate() {
            app.slack.fault(fault.clone()).await;
            // Each is a new person, because profiles are cached for some minutes.
            submit_signed(&app, TEAM, &format!("U{number}"), &format!("V{number}")).await;
            app.run_for(6).await;
            let submitted = events(&app.owner, "slack.workflow_run_submitted").await[0]["id"].clone();
            let submitted = submitted.as_str().unwrap();
            let waiting = app.delivery_of(submitted).await;
            assert_eq!(waiting["state"], "pending", "{fault}: {waiting}");
            let tries = waiting["attempts"].as_array().unwrap();
            assert!((2..=4).contains(&tries.len()), "with growing pauses: {fault}: {waiting}");
            for attempt in tries {
                assert_eq!(attempt["outcome"], "retried");
                assert!(attempt["reason"].as_str().unwrap().contains("Slack"), "{attempt}");
            }
            assert_eq!(app.slack.calls("chat.postMessage").await.len(), number, "there is no notification yet");
            app.slack.mend().await;
            app.slack.fault(json!({"method": "users.info", "body": person(json!({})).to_string(), "times": 1})).await;
            app.advance(Duration::from_secs(300));
            app.set_their_clocks().await;
            app.drain().await;
            assert_eq!(app.delivery_of(submitted).await["state"], "delivered", "{fault}");
            assert_eq!(counts(&app.owner).await, [number + 1, number + 1, 0], "{fault}");
        }
        app.slack.fault(json!({"method": "users.info", "retryAfterSecs": 37, "times": 1})).await;
        let asked = app.slack.calls("users.info").await.len();
        submit_signed(&app, TEAM, ADA, "V9").await;
        app.drain().await;
        app.advance(Duration::from_secs(36));
        app.drain().await;
        assert_eq!(app.slack.calls("users.info").await.len(), asked + 1, "no call during the pause");
        app.advance(Duration::from_secs(1));
        app.drain().await;
        assert_eq!(app.slack.texts(ADA).await.len(), 1);
    }

    async fn a_run_that_nobody_can_answer_for_is_refused(app) {
        set_up(&app).await;
        for (number, code) in ["missing_scope", "user_not_visible", "user_not_found"].into_iter().enumerate() {
            app.slack.fault(json!({"method": "users.info", "error": code, "times": 1})).await;
            submit_signed(&app, TEAM, ADA, &format!("V{number}")).await;
            app.drain().await;
            assert_eq!(counts(&app.owner).await, [number + 1, 0, number + 1], "{code}");
        }
        let reported = app.slack.texts(ADA).await;
        assert_eq!((reported.len(), reported[0].contains("missing_scope")), (3, true), "{reported:?}");
        submit_signed(&app, TEAM, ADA, "V8").await;
        app.owner.delete("/v1/slack-integrations").await.ok(200);
        app.drain().await;
        assert_eq!(counts(&app.owner).await, [4, 0, 4], "the connection is gone, and so is its token for asking Slack");
        let refused = &events(&app.owner, "workflow.run.refused").await[0];
        assert!(refused["data"]["reason"].as_str().unwrap().contains("connect it first"), "{refused}");
        let message = app.delivery_of(refused["id"].as_str().unwrap()).await;
        assert_eq!(message["state"], "failed", "{message}");
        assert_eq!(app.slack.texts(ADA).await.len(), 3);
    }

    async fn what_else_is_pressed_is_acknowledged(app) {
        set_up(&app).await;
        for kind in ["block_actions", "view_closed", "shortcut", "message_action", "block_suggestion", "interactive_message", "new"] {
            let payload = json!({"type": kind, "actions": [{"type": "button", "action_id": "open-app"}]});
            let answer = app.slack.order("interaction", json!({"channel": "C0GENERAL", "payload": payload})).await;
            assert_eq!(answer, json!({"status": 200, "body": ""}), "{kind}");
        }
        let slack = Sender::new(&app.anon, app.now().timestamp());
        for bad in ["", "payload=", "payload=x", "payload=[]", "payload=%7B%7D", "payload=%7B%7D&payload=%7B%7D", "payload=%ff"] {
            assert_eq!(slack.send(INTERACTIVITY, bad).await.status, 400, "{bad}");
        }
        let half = json!({"type": "view_submission", "team": {"id": TEAM}, "user": {"id": ADA}, "view": {}});
        assert_eq!(slack.send(INTERACTIVITY, &form(&[("payload", &half.to_string())])).await.status, 400);
        for bad in ["", "command=%2Fw", "command=%2Fw&team_id=T1&user_id=U1", "command=%2Fw&command=%2Fw", "text=%zz", "\u{0}=%00"] {
            assert_eq!(slack.send(COMMANDS, bad).await.status, 400, "{bad}");
        }
        assert_eq!(counts(&app.owner).await, [0; 3]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_has_its_answer_before_it_is_asked_anything() {
    // No time limit of ours ends before the test, and the stand-in waits for three seconds.
    let long_timeouts = [("TIELINE_DELIVERY__TOTAL_TIMEOUT_MS", "600000"), ("TIELINE_DELIVERY__LEASE_SECS", "3600")]
        .map(|(key, value)| (key, value.to_owned()));
    let app =
        TestApp::start_with(Database::sqlite(), Setup { settings: long_timeouts.into(), ..Setup::default() }).await;
    set_up(&app).await;
    app.slack.fault(json!({"method": "users.info", "hang": "headers"})).await;
    let order = json!({"channel": "C0GENERAL", "user": ADA, "command": "/workflow", "text": "deploy"});
    for _ in 0..3 {
        assert_eq!(app.slack.order("command", order.clone()).await, json!({"status": 200, "body": ""}));
    }
    until("Slack is asked who it is", LIMIT, async || (app.slack.calls("users.info").await.len() == 3).then_some(()))
        .await;
    assert_eq!(app.slack.views(TEAM).await, [Value::Null; 0]);
    assert_eq!(submit_signed(&app, TEAM, ADA, "V1").await.text, "", "nor is a submission held up");
    assert_eq!(counts(&app.owner).await, [1, 0, 0]);
}

/// Submits a modal by a signed request of our own, as any user.
async fn submit_signed(app: &TestApp, team: &str, user: &str, view_id: &str) -> Answer {
    let payload = json!({
        "type": "view_submission",
        "team": {"id": team, "domain": "x"},
        "user": {"id": user, "team_id": team},
        "api_app_id": "A0STANDIN",
        "view": {
            "id": view_id, "type": "modal", "callback_id": "workflow-run-modal", "private_metadata": "deploy",
            "state": {"values": version("v1")},
        },
        "enterprise": null,
        "is_enterprise_install": false,
    });
    let body = form(&[("payload", &payload.to_string())]);
    Sender::new(&app.anon, app.now().timestamp()).send(INTERACTIVITY, &body).await
}
