//! Tests of notifications: in one thread, once, in order, and safely.

use std::time::Duration;

use super::*;

both! {
    async fn what_happens_to_a_pull_request_is_one_thread(app) {
        connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({"threads": {"broadcast": "state_changes"}})).await;
        let story = [
            (pull("pull_request", "opened"), "opened", None, None),
            (with(pull("pull_request_review", "submitted"), json!({"state": "changes_requested", "body": "Not yet"})),
                "requested changes", Some(0), Some(false)),
            (with(pull("issue_comment", "created"), json!({"onPullRequest": true, "body": "Now?"})),
                "commented", Some(0), Some(false)),
            (pull("pull_request_review", "submitted"), "approved", Some(0), Some(false)),
            (pull("pull_request", "merged"), "merged", Some(0), Some(true)),
        ];
        for (number, (order, says, under, broadcast)) in story.into_iter().enumerate() {
            let event = hear(&app, order).await;
            app.run_for(1).await;
            assert_eq!(state(&app, &event).await, reported());
            let all = threads(&app, CHANNEL).await;
            assert_eq!(all.len(), number + 1);
            assert!(all[number].0.contains(says) && all[number].0.contains("Add a checkout"), "{all:?}");
            assert_eq!(all[number].1, under, "{all:?}");
            let sent = app.delivery_of(&event).await["attempts"][0]["request"].as_str().unwrap().to_owned();
            let sent: Value = serde_json::from_str(&sent).unwrap();
            assert_eq!(sent["reply_broadcast"].as_bool(), broadcast.filter(|shown| *shown), "{sent}");
        }
        let inline = hear(&app, pull("pull_request_review_comment", "created")).await;
        let part = "a comment on a line is part of its review, and a review is one message";
        assert_eq!(state(&app, &inline).await, skipped(part));
        // Another number, another repository: another thread.
        hear(&app, with(pull("pull_request", "opened"), json!({"number": 13}))).await;
        hear(&app, with(pull("issues", "opened"), json!({"number": 14}))).await;
        app.run_for(2).await;
        assert_eq!(places(&app, CHANNEL).await[5..], [None, None]);
    }

    async fn replies_are_shown_in_the_channel_as_the_rules_say(app) {
        connect(&app).await;
        let path = format!("{PATH}/{}", subscribe(&app.owner, CHANNEL, json!({})).await);
        for (number, broadcast, review, merged) in
            [(1, "never", false, false), (2, "state_changes", false, true), (3, "always", true, true)]
        {
            app.owner.patch(&path, &rule(json!({"threads": {"broadcast": broadcast}}))).await.ok(200);
            let numbered = |order: Value| with(order, json!({"number": number}));
            hear(&app, numbered(pull("pull_request", "opened"))).await;
            for (order, shown) in [
                (pull("pull_request_review", "submitted"), review), (pull("pull_request", "merged"), merged),
            ] {
                let event = hear(&app, numbered(order)).await;
                app.run_for(2).await;
                let sent = app.delivery_of(&event).await["attempts"][0]["request"].as_str().unwrap().to_owned();
                assert!(sent.contains("thread_ts"), "{sent}");
                assert_eq!(sent.contains(r#""reply_broadcast":true"#), shown, "{broadcast}: {sent}");
            }
        }
    }

    async fn without_threads_each_message_stands_in_the_channel(app) {
        connect(&app).await;
        let flat = json!({"threads": {"enabled": false}, "labels": {"include": ["bug", "now"]}});
        subscribe(&app.owner, CHANNEL, flat).await;
        for order in [
            with(pull("pull_request", "opened"), json!({"labels": ["bug"]})),
            with(pull("pull_request_review", "submitted"), json!({"labels": ["bug"]})),
            with(pull("pull_request", "merged"), json!({"labels": ["bug"]})),
        ] {
            hear(&app, order).await;
        }
        let late = hear(&app, with(pull("pull_request", "labeled"), json!({"label": "now", "labels": ["bug"]}))).await;
        app.run_for(1).await;
        assert_eq!(places(&app, CHANNEL).await, [None; 3]);
        assert_eq!(state(&app, &late).await, skipped("the channel was notified of it before"));
    }

    async fn a_label_that_follows_brings_the_card_once(app) {
        connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({"labels": {"include": ["bug", "urgent"], "exclude": ["wip"]}})).await;
        let opened = hear(&app, pull("pull_request", "opened")).await;
        let asks = "it has no label, and labels.include asks for one (bug, urgent)";
        assert_eq!(state(&app, &opened).await, skipped(asks));
        let label = |name: &str, all: &[&str]| {
            with(pull("pull_request", "labeled"), json!({"label": name, "labels": all}))
        };
        let bug = hear(&app, label("bug", &["bug"])).await;
        let urgent = hear(&app, label("urgent", &["bug", "urgent"])).await;
        let docs = hear(&app, label("docs", &["bug", "docs"])).await;
        app.drain().await;
        assert_eq!(state(&app, &bug).await, reported());
        assert_eq!(state(&app, &urgent).await, skipped("the channel was notified of it before"));
        let other = "it was labeled \"docs\", which is not among labels.include (bug, urgent)";
        assert_eq!(state(&app, &docs).await, skipped(other));
        let texts = app.slack.texts(CHANNEL).await;
        assert!(texts.len() == 1 && texts[0].contains("Pull request opened by"), "{texts:?}");

        // GitHub may send the label first, and then the opening with the label in it.
        let numbered = |order: Value| with(order, json!({"number": 20}));
        hear(&app, numbered(label("bug", &["bug"]))).await;
        let opened = hear(&app, numbered(with(pull("pull_request", "opened"), json!({"labels": ["bug"]})))).await;
        app.run_for(1).await;
        assert_eq!(state(&app, &opened).await, skipped("the channel was notified of it before"));
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 2);
        // The removed label may have been the obstacle.
        let wip = numbered(with(pull("pull_request", "opened"), json!({"number": 21, "labels": ["bug", "wip"]})));
        let wip = hear(&app, with(wip, json!({"number": 21}))).await;
        assert_eq!(state(&app, &wip).await, skipped("the label \"wip\" is among labels.exclude (wip)"));
        let ready = with(pull("pull_request", "unlabeled"), json!({"number": 21, "label": "wip", "labels": ["bug"]}));
        let ready = hear(&app, ready).await;
        app.run_for(1).await;
        assert_eq!(state(&app, &ready).await, reported());
    }

    async fn webhooks_that_overtake_each_other_meet_in_one_thread(app) {
        connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({})).await;
        let review = hear(&app, pull("pull_request_review", "submitted")).await;
        let opened = hear(&app, pull("pull_request", "opened")).await;
        let comment = hear(&app, with(pull("issue_comment", "created"), json!({"onPullRequest": true}))).await;
        app.drain().await;
        assert_eq!((state(&app, &review).await, state(&app, &comment).await), (reported(), reported()));
        assert_eq!(state(&app, &opened).await, skipped("the channel was notified of it before"));
        assert_eq!(places(&app, CHANNEL).await, [None, Some(0)]);
        // A user who wants it in spite of that replays it.
        replay(&app, &opened).await;
        assert_eq!(state(&app, &opened).await, reported());
        let all = threads(&app, CHANNEL).await;
        assert!(all[2].0.contains("Pull request opened by") && all[2].1.is_none(), "{all:?}");
        hear(&app, pull("pull_request", "merged")).await;
        app.run_for(1).await;
        assert_eq!(places(&app, CHANNEL).await[3], Some(0), "the thread stays where it began");
    }

    async fn one_message_a_channel_whichever_subscription_wants_it(app) {
        connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({"events": ["stars"]})).await;
        subscribe(&app.owner, CHANNEL, json!({"repositories": ["acme/*"]})).await;
        subscribe(&app.owner, CHANNEL, json!({})).await;
        subscribe(&app.owner, "C0SECRET", json!({})).await;
        subscribe(&app.owner, "C0SECRET", json!({"repositories": ["acme/api"]})).await;
        let event = hear(&app, pull("issues", "opened")).await;
        app.drain().await;
        let found = app.deliveries(&format!("eventId={event}")).await;
        assert_eq!(found.iter().map(|delivery| &delivery["state"]).collect::<Vec<_>>(), [&json!("delivered"); 2]);
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 1);
        assert_eq!(app.slack.texts("C0SECRET").await.len(), 1);
        // Where no subscription matches, each gives its reason, and the same reason once.
        let event = hear(&app, pull("issues", "milestoned")).await;
        let found = app.deliveries(&format!("eventId={event}")).await;
        let reasons: Vec<_> = found.iter().map(|delivery| delivery["reason"].clone()).collect();
        let (kind, action) = ("the kind issues is not among events (stars)", "the action milestoned is not notified");
        assert_eq!(reasons, [json!(action), json!(format!("{kind}; {action}"))]);
        // And where no subscription asks for the repository, there is no reason to give.
        let event = hear(&app, with(pull("issues", "opened"), json!({"repository": "acme/infra"}))).await;
        assert_eq!(app.deliveries(&format!("eventId={event}")).await.len(), 1, "acme/* alone");
    }

    async fn messages_keep_their_order_when_slack_limits_the_rate(app) {
        connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({})).await;
        app.slack.fault(json!({"method": "chat.postMessage", "retryAfterSecs": 7, "times": 1})).await;
        hear(&app, pull("pull_request", "opened")).await;
        for number in 0..10 {
            let body = format!("Comment {number:02}");
            hear(&app, with(pull("issue_comment", "created"), json!({"onPullRequest": true, "body": body}))).await;
        }
        app.drain().await;
        assert_eq!(app.slack.calls("chat.postMessage").await.len(), 1);
        app.advance(Duration::from_secs(3));
        app.slack.fault(json!({"method": "chat.postMessage", "status": 503, "times": 2})).await;
        // The schedule's steps: nobody overtakes while Slack does not answer.
        for _ in 0..3 {
            app.advance(Duration::from_secs(1800));
            app.set_their_clocks().await;
            app.drain().await;
        }
        app.run_for(30).await;
        let all = threads(&app, CHANNEL).await;
        assert_eq!(all.len(), 11, "{all:?}");
        for (number, (text, under)) in all.iter().enumerate().skip(1) {
            assert!(text.contains(&format!("Comment {:02}", number - 1)), "{all:?}");
            assert_eq!(*under, Some(0), "{all:?}");
        }
    }

    async fn a_title_is_only_text(app) {
        connect(&app).await;
        subscribe(&app.owner, CHANNEL, json!({"drafts": true})).await;
        let long = "x".repeat(10_000);
        let titles = [
            "<!channel> & </b>|x> <@U0STANDINADA> <https://evil.example|click>",
            "\u{202e}gnp.exe \u{2066}RTL\u{2069} \u{200f}",
            "*bold* _it_ ~no~ `code` ```block``` > quote",
            "a\u{0}b\u{7}c\nsecond line\r\nthird",
            "",
            "   ",
            &long,
            "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466} z\u{351}\u{351}\u{351}a\u{335}lgo",
            "&lt;!here&gt; &amp;amp;",
        ];
        for (number, title) in titles.iter().enumerate() {
            let hostile = json!({
                "number": number + 100, "title": title, "body": title, "labels": [title], "branch": title, "tag": title,
                "workflow": title,
            });
            for order in [
                with(pull("pull_request", "opened"), hostile.clone()),
                with(pull("issue_comment", "created"), hostile.clone()),
                with(pull("workflow_run", "completed"), with(hostile.clone(), json!({"conclusion": "failure"}))),
                with(pull("release", "published"), hostile.clone()),
            ] {
                let event = hear(&app, order).await;
                app.run_for(1).await;
                assert_eq!(state(&app, &event).await, reported(), "{title:?}");
            }
            hear(&app, json!({"event": "push", "commits": [title, title], "number": number})).await;
            app.run_for(1).await;
        }
        let messages = app.slack.messages(CHANNEL).await;
        assert_eq!(messages.len(), 5 * titles.len());
        for message in messages {
            let shown = format!("{} {}", message["text"], message["blocks"]);
            for bad in ["<!channel>", "<!here>", "<@U0", "<https://evil", "</b>", "\\u0000", "\u{202e}", "\u{2066}"] {
                assert!(!shown.contains(bad), "{bad:?} is in {shown}");
            }
            assert!(message["text"].as_str().unwrap().chars().count() < 1_000 && shown.len() < 12_000, "{shown}");
        }
    }
}
