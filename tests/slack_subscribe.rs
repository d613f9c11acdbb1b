//! Tests of the commands by which a Slack channel subscribes to GitHub events: answered to the person who typed them,
//! by the rules of the API.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    slack_commands::set_up,
    support::{Client, TestApp, own_routes, subscription},
};

const ALERTS: &str = "C0ALERTS";
const ADA: &str = "U0STANDINADA";
const MAX: &str = "U0STANDINMAX";
const PATH: &str = "/v1/routes";

/// Connects both providers, and lets the member Ada manage subscriptions. Returns her path.
async fn connect(app: &TestApp) -> String {
    let ada = set_up(app).await;
    app.github.link(&app.owner, "acme", "acme").await;
    let permissions = ["routes:read", "routes:manage", "workflows:run"];
    app.owner.patch(&ada, &json!({"permissions": permissions})).await.ok(200);
    ada
}

/// Types a command in a channel, and returns the one answer, which nobody else sees.
async fn typed(app: &TestApp, user: &str, text: &str) -> String {
    let before = app.slack.replies().await.len();
    let order = json!({"channel": ALERTS, "user": user, "command": "/tieline", "text": text});
    assert_eq!(app.slack.order("command", order).await, json!({"status": 200, "body": ""}), "{text}");
    app.app.base.settle().await;
    let replies = app.slack.replies().await.split_off(before);
    let [reply] = replies.as_slice() else { panic!("{text}: {replies:?}") };
    assert_eq!((&reply["channel"], &reply["user"], &reply["inChannel"]), (&json!(ALERTS), &json!(user), &json!(false)));
    assert_eq!(reply["payload"]["response_type"], "ephemeral", "{reply}");
    assert_eq!(reply["payload"]["blocks"][0]["text"]["text"], reply["payload"]["text"]);
    reply["payload"]["text"].as_str().unwrap().to_owned()
}

/// Returns the repositories and events of every subscription, oldest first.
async fn subscriptions(caller: &Client) -> Vec<Value> {
    let rules = |one: &Value| json!([one["rule"]["github"]["repositories"], one["rule"]["github"]["events"]]);
    own_routes(caller).await.iter().rev().map(rules).collect()
}

both! {
    async fn a_channel_subscribes_and_unsubscribes(app) {
        connect(&app).await;
        assert!(typed(&app, ADA, "list").await.starts_with("This channel has no subscriptions."));
        let said = typed(&app, ADA, "subscribe ACME/Web reviews, security").await;
        let defaults = "`issues` `pulls` `commits` `releases` `deployments`";
        let expected = format!("This channel is now notified of `acme/web`: {defaults} `reviews` `security`.");
        assert!(said.starts_with(&expected) && said.contains("/invite"), "{said}");
        let all = ["issues", "pulls", "commits", "releases", "deployments", "reviews", "security"];
        assert_eq!(subscriptions(&app.owner).await, [json!([["acme/web"], all])], "with GitHub's spelling");
        let made = own_routes(&app.owner).await[0].clone();
        let to = format!("/v1/destinations/{}", made["destinationId"].as_str().unwrap());
        assert_eq!(app.owner.get(&to).await.ok(200)["name"], format!("channel:{ALERTS}"));

        let issue = json!({"event": "issues", "action": "opened", "repository": "acme/web", "title": "It is slow"});
        assert_eq!(app.github.send(issue).await["status"], 202);
        app.drain().await;
        assert_eq!(app.slack.texts(ALERTS).await.len(), 1);

        let said = typed(&app, ADA, "subscribe acme/web wiki").await;
        assert_eq!(said, format!("This channel is notified of `acme/web`: {defaults} `reviews` `security` `wiki`."));
        let said = typed(&app, ADA, "unsubscribe acme/web issues,commits releases deployments reviews").await;
        assert_eq!(said, "This channel is now notified of `acme/web`: `pulls` `security` `wiki`.");
        assert_eq!(subscriptions(&app.owner).await, [json!([["acme/web"], ["pulls", "security", "wiki"]])]);
        typed(&app, ADA, "subscribe acme/*").await;
        let said = typed(&app, ADA, "list").await;
        let expected = format!("• `acme/web`: `pulls` `security` `wiki`\n• `acme/*`: {defaults}");
        assert!(said.ends_with(&expected), "{said}");

        let gone = "This channel is not notified of `acme/web` any more.";
        assert_eq!(typed(&app, ADA, "unsubscribe acme/web").await, gone);
        let said = typed(&app, ADA, "unsubscribe acme/web").await;
        assert_eq!(said, "This channel has no subscription to `acme/web`. `list` shows those that it has.");
        typed(&app, ADA, "subscribe acme/web").await;
        let said = typed(&app, ADA, &format!("unsubscribe acme/web {}", defaults.replace('`', ""))).await;
        assert_eq!(said, gone, "nothing is left");
        assert_eq!(subscriptions(&app.owner).await.len(), 1);
    }

    async fn what_the_api_set_up_is_kept(app) {
        connect(&app).await;
        let rules = json!({"repositories": ["acme/web", "acme/infra"], "events": ["pulls", "stars"], "bots": false});
        app.owner.post(PATH, &subscription(ALERTS, rules.clone())).await.ok(201);
        app.owner.post(PATH, &subscription("C0SECRET", rules)).await.ok(201);
        let said = typed(&app, ADA, "unsubscribe acme/web stars").await;
        assert!(said.starts_with("`acme/web` shares its subscription with other repositories"), "{said}");
        let both = json!([["acme/web", "acme/infra"], ["pulls", "stars"]]);
        assert_eq!(subscriptions(&app.owner).await, [both.clone(), both.clone()]);
        typed(&app, ADA, "unsubscribe acme/web").await;
        let left = json!([["acme/infra"], ["pulls", "stars"]]);
        assert_eq!(subscriptions(&app.owner).await, [left, both], "the other channel's stays");
        typed(&app, ADA, "subscribe acme/infra wiki").await;
        let changed = &app.owner.get(PATH).await.ok(200)["data"][1];
        assert_eq!(changed["rule"]["github"]["events"], json!(["pulls", "stars", "wiki"]));
        assert_eq!(changed["rule"]["github"]["bots"], false, "other rules stay");
    }

    async fn only_members_with_the_permission_may(app) {
        let ada = connect(&app).await;
        app.slack.fault(json!({"method": "users.info", "status": 503, "times": 1})).await;
        let said = typed(&app, MAX, "list").await;
        assert!(said.starts_with("That did not work: Slack could not be reached"), "{said}");
        for text in ["list", "subscribe acme/web", "unsubscribe acme/web", "subscribe nothing"] {
            let said = typed(&app, MAX, text).await;
            assert!(said.starts_with("Only members may do that") && said.contains("administrator"), "{said}");
        }
        app.owner.patch(&ada, &json!({"permissions": ["routes:read"]})).await.ok(200);
        assert!(typed(&app, ADA, "list").await.starts_with("This channel has no subscriptions."));
        for text in ["subscribe acme/web", "unsubscribe acme/web", "subscribe acme/web nonsense"] {
            let said = typed(&app, ADA, text).await;
            assert_eq!(said, "You need the permission `routes:manage` for that. Ask an administrator for it.");
        }
        app.owner.patch(&ada, &json!({"permissions": ["workflows:run"]})).await.ok(200);
        assert!(typed(&app, ADA, "list").await.contains("`routes:read`"));
        assert_eq!(subscriptions(&app.owner).await.len(), 0);
    }

    async fn a_wrong_command_hears_what_is_right(app) {
        let ada = set_up(&app).await;
        app.owner.patch(&ada, &json!({"permissions": ["routes:manage"]})).await.ok(200);
        let said = typed(&app, ADA, "subscribe acme/web").await;
        assert!(said.contains("no GitHub account is connected. Connect GitHub"), "{said}");
        app.github.link(&app.owner, "acme", "acme").await;
        for (text, expected) in [
            ("subscribe", "Name a repository: `subscribe OWNER/REPO`"),
            ("subscribe web", "`web` is not a repository."),
            ("subscribe acme/web everything", "`everything` is not a feature. The features are: `issues` `pulls`"),
            ("subscribe acme/nothing", "`acme/nothing` is not among the repositories that the GitHub app may see (connected: `acme`)."),
            ("subscribe globex/*", "`globex/*` is not among the repositories"),
            ("subscribe <!channel>", "`&lt;!channel&gt;` is not a repository."),
        ] {
            let said = typed(&app, ADA, text).await;
            assert!(said.starts_with(expected), "{text}: {said}");
        }
        assert_eq!(subscriptions(&app.owner).await.len(), 0);
    }

    async fn a_repository_that_was_not_reported_yet_is_asked_for(app) {
        connect(&app).await;
        // The stand-in's times are the machine's: what it reported may be newer than this clock.
        app.advance(Duration::from_secs(60));
        let installation = app.github.ask("installations").await[0]["id"].as_i64().unwrap();
        let removed = tieline::domain::github::GithubRepository { id: 1, full_name: "acme/none".into(), private: false };
        let tx = app.app.base.store().begin().await.unwrap();
        tieline::store::github::installations::replace_repositories(&tx, installation, &[removed], app.now()).await.unwrap();
        tx.commit().await.unwrap();
        let said = typed(&app, ADA, "subscribe acme/web").await;
        assert!(said.starts_with("This channel is now notified of `acme/web`"), "{said}");
        let said = typed(&app, ADA, "subscribe acme/none").await;
        assert!(said.contains("is not among"), "{said}");
    }

    async fn a_workflows_id_goes_first_and_help_lists_every_command(app) {
        connect(&app).await;
        let workflow = app.owner.request(reqwest::Method::PUT, "/v1/workflows/list").json(&json!({"name": "A list"}));
        app.owner.send(workflow).await.ok(200);
        for (text, callback) in [("list", "workflow-run-modal"), ("help", "workflow-help-modal")] {
            let order = json!({"channel": ALERTS, "user": ADA, "command": "/tieline", "text": text});
            assert_eq!(app.slack.order("command", order).await["status"], 200);
            app.app.base.settle().await;
            let view = &app.slack.views("T0STANDIN").await[0];
            assert_eq!(view["callback_id"], callback, "{view}");
            if text == "help" {
                for form in ["`/tieline`", "`/tieline help`", "`/tieline ID`", "`/tieline subscribe OWNER/REPO [FEATURES]`", "`/tieline list`"] {
                    assert!(view["blocks"].to_string().contains(form), "{form}: {view}");
                }
            }
        }
        assert_eq!(app.slack.replies().await.len(), 0);
        assert!(typed(&app, ADA, "subscribe list").await.starts_with("This channel has no subscriptions."));
    }
}
