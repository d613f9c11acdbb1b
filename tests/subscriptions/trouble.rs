//! Tests of failures between GitHub and the channel: rate limits, broken channels, lost connections, crashes, and
//! revoked access.

use std::time::Duration;

use ::entity::slack_thread;
use sea_orm::EntityTrait;

use super::*;
use crate::support::until;

const DISABLED: &str = "the route is disabled; enable it and replay this delivery";

/// Removes repositories from the installation at GitHub, or adds them, and waits until Tieline knows.
async fn give(app: &TestApp, installation: i64, change: Value) {
    let before = app.github.ask("deliveries?event=installation_repositories").await.as_array().unwrap().len();
    app.github.order(&format!("installations/{installation}/repositories"), change).await;
    let arrived = async || {
        let now = app.github.ask("deliveries?event=installation_repositories").await.as_array().unwrap().len();
        (now > before).then_some(())
    };
    until("the webhook arrives", Duration::from_secs(20), arrived).await;
    app.app.base.settle().await;
}

/// Replays everything that failed at a channel, and returns the number.
async fn replay_failed(app: &TestApp, channel: &str) -> u64 {
    let body = json!({"destinationId": destination(app, channel).await["id"]});
    app.owner.post("/v1/deliveries/replay", &body).await.ok(202)["count"].as_u64().unwrap()
}

async fn destination(app: &TestApp, channel: &str) -> Value {
    let all = app.owner.get("/v1/destinations").await.ok(200);
    let name = format!("channel:{channel}");
    all["data"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
}

both! {
    async fn a_skipped_event_is_posted_on_demand(app) {
        connect(&app).await;
        let path = format!("{PATH}/{}", subscribe(&app.owner, CHANNEL, json!({})).await);
        hear(&app, pull("pull_request", "opened")).await;
        app.drain().await;
        app.owner.patch(&path, &json!({"enabled": false})).await.ok(200);
        let review = with(pull("pull_request_review", "submitted"), json!({"body": "So far so good"}));
        let review = hear(&app, review).await;
        let push = hear(&app, json!({"event": "push", "commits": ["Mend it"]})).await;
        let other = hear(&app, with(pull("issues", "opened"), json!({"number": 7}))).await;
        for event in [&review, &push, &other] {
            assert_eq!(state(&app, event).await, skipped(DISABLED));
        }
        app.owner.patch(&path, &json!({"enabled": true})).await.ok(200);
        app.drain().await;
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 1, "what was skipped is not caught up on");
        for event in [&review, &push, &other] {
            replay(&app, event).await;
            assert_eq!(state(&app, event).await, reported());
        }
        let all = threads(&app, CHANNEL).await;
        assert!(all[1].0.contains("So far so good") && all[1].1 == Some(0), "{all:?}");
        assert!(all[2].0.contains("Mend it") && all[2].1.is_none(), "{all:?}");
        assert!(all[3].0.contains("Issue opened by") && all[3].1.is_none(), "{all:?}");
        // The replayed opening opened its thread.
        hear(&app, with(pull("issues", "closed"), json!({"number": 7}))).await;
        app.run_for(1).await;
        assert_eq!(places(&app, CHANNEL).await[4], Some(3));

        // A delivered notification is delivered once more on a replay; an opening is a card in the channel.
        replay(&app, &review).await;
        replay(&app, &other).await;
        app.run_for(2).await;
        assert_eq!((state(&app, &review).await, state(&app, &other).await), (reported(), reported()));
        assert_eq!(places(&app, CHANNEL).await[5..], [Some(0), None]);
        app.owner.patch(&path, &rule(json!({"threads": {"enabled": false}}))).await.ok(200);
        app.owner.patch(&path, &json!({"enabled": false})).await.ok(200);
        let merged = hear(&app, pull("pull_request", "merged")).await;
        replay(&app, &merged).await;
        app.run_for(1).await;
        assert_eq!(places(&app, CHANNEL).await[7..], [None], "without threads it stands alone");
        app.owner.delete(&path).await.ok(204);
        replay(&app, &merged).await;
        app.run_for(1).await;
        assert_eq!(places(&app, CHANNEL).await[8..], [None], "also when the subscription is gone");
    }

    async fn a_paused_slack_is_silent(app) {
        connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({})).await;
        let status = |word: &str| json!({"status": format!("SLACK_INTEGRATION_STATUS_{word}")});
        let waiting = hear(&app, pull("pull_request", "opened")).await;
        app.owner.patch("/v1/slack-integrations", &status("PAUSED")).await.ok(200);
        let review = hear(&app, pull("pull_request_review", "submitted")).await;
        app.drain().await;
        let why = "the Slack integration is paused; set it active and replay this delivery";
        for event in [&waiting, &review] {
            assert_eq!(state(&app, event).await, skipped(why));
        }
        replay(&app, &review).await;
        assert_eq!(state(&app, &review).await, skipped(why), "still paused");
        app.owner.patch("/v1/slack-integrations", &status("ACTIVE")).await.ok(200);
        for event in [&waiting, &review] {
            replay(&app, event).await;
            assert_eq!(state(&app, event).await, reported());
        }
        assert_eq!(places(&app, CHANNEL).await, [None, Some(0)]);
    }

    async fn without_slack_everything_waits_for_a_replay(app) {
        connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({})).await;
        app.slack.fault(json!({"method": "chat.postMessage", "error": "token_revoked", "times": 1})).await;
        let opened = hear(&app, pull("pull_request", "opened")).await;
        let waited = hear(&app, pull("pull_request_review", "submitted")).await;
        app.drain().await;
        let later = hear(&app, pull("pull_request", "merged")).await;
        for event in [&opened, &waited, &later] {
            let (state, reason) = state(&app, event).await;
            assert!(state == "failed" && reason.contains("connect Slack"), "{state}: {reason}");
        }
        app.owner.delete("/v1/slack-integrations").await.ok(200);
        let gone = hear(&app, with(pull("issues", "opened"), json!({"number": 7}))).await;
        let why = "the Slack integration was deleted; connect Slack again and replay this delivery";
        assert_eq!(state(&app, &gone).await, ("failed".into(), why.into()));
        app.slack.connect(&app.owner, "T0STANDIN", CHANNEL).await;
        assert_eq!(replay_failed(&app, CHANNEL).await, 4);
        app.drain().await;
        let all = threads(&app, CHANNEL).await;
        let places: Vec<_> = all.iter().map(|(_, place)| *place).collect();
        assert_eq!(places, [None, Some(0), Some(0), None], "{all:?}");
        assert!(all[0].0.contains("opened") && all[1].0.contains("approved") && all[2].0.contains("merged"), "{all:?}");
    }

    async fn a_broken_channel_recovers_by_itself(app) {
        connect(&app).await;
        app.slack.order("join", json!({"channel": "C0GENERAL"})).await;
        subscribe(&app.owner, "C0GENERAL", json!({})).await;
        app.slack.order("leave", json!({"channel": "C0GENERAL"})).await;
        subscribe(&app.owner, CHANNEL, json!({})).await;
        let of = async |event: &str, channel: &str| {
            let place = destination(&app, channel).await["id"].as_str().unwrap().to_owned();
            app.deliveries(&format!("eventId={event}&destinationId={place}")).await[0].clone()
        };
        let opened = hear(&app, pull("pull_request", "opened")).await;
        app.drain().await;
        let failed = of(&opened, "C0GENERAL").await;
        assert_eq!(failed["state"], "failed", "{failed}");
        assert!(failed["reason"].as_str().unwrap().contains("not_in_channel"), "{failed}");
        assert_eq!(of(&opened, CHANNEL).await["state"], "delivered", "another channel is another's");
        assert_eq!(destination(&app, "C0GENERAL").await["health"], "failing");
        let review = hear(&app, pull("pull_request_review", "submitted")).await;
        let failed = of(&review, "C0GENERAL").await;
        assert!(failed["state"] == "failed" && failed["attemptCount"] == 0, "at once: {failed}");

        app.slack.order("join", json!({"channel": "C0GENERAL"})).await;
        app.advance(Duration::from_secs(61));
        hear(&app, with(pull("issues", "opened"), json!({"number": 7}))).await;
        app.drain().await;
        let recovered = destination(&app, "C0GENERAL").await;
        assert_eq!(recovered["health"], "healthy");
        assert_eq!(replay_failed(&app, "C0GENERAL").await, 2);
        app.run_for(1).await;
        assert_eq!(places(&app, "C0GENERAL").await, [None, None, Some(1)]);

        app.slack.order("archive", json!({"channel": CHANNEL})).await;
        let lost = hear(&app, pull("pull_request", "merged")).await;
        app.drain().await;
        let failed = of(&lost, CHANNEL).await;
        assert!(failed["reason"].as_str().unwrap().contains("is_archived"), "{failed}");
        app.slack.order("unarchive", json!({"channel": CHANNEL})).await;
        app.owner.post(&format!("/v1/deliveries/{}/replay", failed["id"].as_str().unwrap()), &json!({})).await.ok(202);
        app.run_for(1).await;
        assert_eq!(of(&lost, CHANNEL).await["state"], "delivered");
        assert_eq!(places(&app, CHANNEL).await.last(), Some(&Some(0)), "the thread of before");
    }

    async fn a_subscription_that_is_removed_leaves_what_is_on_its_way(app) {
        connect(&app).await;
        let path = format!("{PATH}/{}", subscribe(&app.owner, CHANNEL, json!({})).await);
        let opened = hear(&app, pull("pull_request", "opened")).await;
        app.owner.delete(&path).await.ok(204);
        let after = hear(&app, pull("pull_request", "merged")).await;
        app.drain().await;
        assert_eq!(state(&app, &opened).await, reported());
        assert_eq!(app.deliveries(&format!("eventId={after}")).await.len(), 0);
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 1);
    }

    async fn a_worker_that_dies_between_slack_and_the_record_sends_again(app) {
        connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({})).await;
        let opened = hear(&app, pull("pull_request", "opened")).await;
        let acme = app.organisation("acme").await;
        // Slack has it, and the database accepts no record of it: then the worker is gone.
        let crash = async |messages: usize| {
            sabotage::refuse(&app, "attempt", acme).await;
            let worker = app.deliverer.clone();
            let step = tokio::spawn(async move { worker.step().await });
            let sent = async || (app.slack.messages(CHANNEL).await.len() == messages).then_some(());
            until("Slack has it", Duration::from_secs(20), sent).await;
            let known = async || {
                let topics = slack_thread::Entity::find().all(app.app.base.store().reader()).await.unwrap();
                (!topics.is_empty()).then_some(())
            };
            until("the thread is known", Duration::from_secs(20), known).await;
            step.abort();
            let _ = step.await;
            // Its last records are refused too: they do not get through just as the database recovers.
            app.deliverer.settle().await;
            sabotage::relent(&app, "attempt").await;
            app.drain().await;
            assert_eq!(app.slack.messages(CHANNEL).await.len(), messages, "it is still held");
            app.advance(Duration::from_secs(31));
        };
        crash(1).await;
        app.drain().await;
        assert_eq!(state(&app, &opened).await, skipped("the channel was notified of it before"), "no second card");
        let comment = hear(&app, with(pull("issue_comment", "created"), json!({"onPullRequest": true}))).await;
        crash(2).await;
        app.drain().await;
        assert_eq!(state(&app, &comment).await, reported());
        assert_eq!(places(&app, CHANNEL).await, [None, Some(0), Some(0)], "at least once, and in the thread");

        // Slack accepted it, and its answer was lost: the second card opens the thread.
        app.slack.fault(json!({"method": "chat.postMessage", "drop": "after", "times": 1})).await;
        let numbered = |order: Value| with(order, json!({"number": 30}));
        let opened = hear(&app, numbered(pull("pull_request", "opened"))).await;
        hear(&app, numbered(pull("pull_request", "merged"))).await;
        app.run_for(5).await;
        assert_eq!(state(&app, &opened).await, reported());
        assert_eq!(places(&app, CHANNEL).await[3..], [None, None, Some(4)]);
    }

    async fn a_repository_that_was_removed_is_not_posted_any_more(app) {
        let installation = connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({"repositories": ["acme/*"]})).await;
        let waiting = hear(&app, pull("pull_request", "opened")).await;
        let kept = hear(&app, with(pull("issues", "opened"), json!({"repository": "acme/api", "number": 7}))).await;
        // Events that GitHub sent before and that are delivered, or replayed, later.
        let late = app.github.sign(with(pull("pull_request", "merged"), json!({"repository": "acme/web"}))).await;
        give(&app, installation, json!({"select": ["api"]})).await;
        app.github.deliver(&late).await.ok(202);
        let late = app.owner.get("/v1/events?limit=1").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
        app.drain().await;
        let why = "the GitHub installation does not see the repository any more; give it back to the app at GitHub and \
                   replay this delivery";
        for event in [&waiting, &late] {
            assert_eq!(state(&app, event).await, skipped(why));
        }
        assert_eq!(state(&app, &kept).await, reported());
        replay(&app, &late).await;
        assert_eq!(state(&app, &late).await, skipped(why), "whoever asks");
        // Also an event skipped by a rule, whose content was not stored.
        let path = format!("{PATH}/{}", own_routes(&app.owner).await[0]["id"].as_str().unwrap());
        app.owner.patch(&path, &json!({"enabled": false})).await.ok(200);
        let delivery = app.github.sign(with(pull("issues", "opened"), json!({"repository": "acme/api"}))).await;
        app.github.deliver(&delivery).await.ok(202);
        let held = app.owner.get("/v1/events?limit=1").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(state(&app, &held).await, skipped(DISABLED));
        give(&app, installation, json!({"select": ["web"]})).await;
        replay(&app, &held).await;
        assert_eq!(state(&app, &held).await, skipped(why));
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 1);

        for event in [&waiting, &late] {
            replay(&app, event).await;
            assert_eq!(state(&app, event).await, reported(), "given back");
        }
        assert_eq!(places(&app, CHANNEL).await, [None, None, Some(1)]);
    }

    async fn an_unlinked_installation_is_not_posted_any_more(app) {
        let installation = connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({})).await;
        let unlink = json!({"ref": installation.to_string(), "team": "acme"});
        let waiting = hear(&app, pull("pull_request", "opened")).await;
        app.owner.post("/api/v2/integration/github/unlink", &unlink).await.ok(200);
        app.drain().await;
        let why = "the GitHub installation is not linked any more; link it again and replay this delivery";
        assert_eq!(state(&app, &waiting).await, skipped(why));
        app.github.link(&app.owner, "acme", "acme").await;
        replay(&app, &waiting).await;
        assert_eq!(state(&app, &waiting).await, reported());

        let waiting = hear(&app, pull("pull_request", "merged")).await;
        let deleted = json!({"event": "installation", "action": "deleted", "installation": installation});
        assert_eq!(app.github.send(deleted).await["status"], 202);
        app.drain().await;
        assert_eq!(state(&app, &waiting).await, skipped(why), "deleted at GitHub");
    }
}
