//! Tests of subscriptions as resources: created, read, changed, removed.

use futures_util::future::join_all;
use tieline::{
    domain::{github::subscription::Subscription, ids::SubscriptionId},
    store,
};
use uuid::Uuid;

use super::*;

fn body(rules: Value) -> Value {
    json!({"slackChannelId": CHANNEL, "rules": rules})
}

/// Pointers of all violations.
fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

both! {
    async fn a_subscription_lives_and_ends(app) {
        connect(&app).await;
        let made = app.owner.post(PATH, &body(json!({"repositories": ["acme/web"]}))).await.ok(201);
        let defaults = json!({
            "repositories": ["acme/web"],
            "events": ["issues", "pulls", "commits", "releases", "deployments"],
            "branches": {"include": [], "exclude": []},
            "labels": {"include": [], "exclude": []},
            "authors": {"include": [], "exclude": []},
            "bots": true,
            "drafts": false,
            "workflows": {"conclusions": ["failure"], "names": []},
            "threads": {"enabled": true, "broadcast": "never"},
        });
        assert_eq!(made["rules"], defaults);
        assert_eq!((&made["slackChannelId"], &made["slackChannelName"]), (&json!(CHANNEL), &json!("")));
        assert_eq!((&made["paused"], &made["createdAt"]), (&json!(false), &made["updatedAt"]));
        let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
        assert_eq!(app.owner.get(&path).await.ok(200), made);
        assert_eq!(app.owner.get(PATH).await.ok(200), json!({"data": [made]}));

        app.advance(std::time::Duration::from_secs(60));
        let change = json!({
            "slackChannelName": "alerts", "paused": true,
            "rules": {"labels": {"exclude": ["wip"]}, "threads": {"broadcast": "always"}, "events": ["pulls"]},
        });
        let changed = app.owner.patch(&path, &change).await.ok(200);
        let mut expected = defaults.clone();
        expected["labels"]["exclude"] = json!(["wip"]);
        expected["threads"]["broadcast"] = json!("always");
        expected["events"] = json!(["pulls"]);
        assert_eq!(changed["rules"], expected);
        assert_eq!((&changed["slackChannelName"], &changed["paused"]), (&json!("alerts"), &json!(true)));
        assert!(changed["updatedAt"].as_str() > made["updatedAt"].as_str(), "{changed}");
        assert_eq!((&changed["createdAt"], &changed["id"]), (&made["createdAt"], &made["id"]));
        // A list replaces the former one; members left out of the change stay.
        let changed = app.owner.patch(&path, &json!({"rules": {"bots": false}})).await.ok(200);
        expected["bots"] = json!(false);
        assert_eq!(changed["rules"], expected);
        assert_eq!(app.owner.patch(&path, &json!({})).await.ok(200)["rules"], expected);
        assert_eq!(app.owner.get(&path).await.ok(200)["rules"], expected);

        let moved = app.owner.patch(&path, &json!({"slackChannelId": "C0SECRET"})).await.ok(200);
        assert_eq!((&moved["slackChannelId"], &moved["slackChannelName"]), (&json!("C0SECRET"), &json!("")));
        assert_ne!(moved["destinationId"], made["destinationId"]);
        let back = app.owner.patch(&path, &json!({"slackChannelId": CHANNEL, "slackChannelName": "x"})).await.ok(200);
        assert_eq!((&back["destinationId"], &back["slackChannelName"]), (&made["destinationId"], &json!("x")));

        app.owner.delete(&path).await.ok(204);
        app.owner.delete(&path).await.problem(404, "not_found");
        app.owner.get(&path).await.problem(404, "not_found");
        app.owner.patch(&path, &json!({"paused": true})).await.problem(404, "not_found");
        assert_eq!(app.owner.get(PATH).await.ok(200), json!({"data": []}));
    }

    async fn another_organisations_is_not_found(app) {
        connect(&app).await;
        let path = format!("{PATH}/{}", subscribe(&app.owner, CHANNEL, json!({})).await);
        let event = hear(&app, json!({"event": "star"})).await;
        let other = app.other("globex").await;
        other.get(&path).await.problem(404, "not_found");
        other.patch(&path, &json!({"paused": true})).await.problem(404, "not_found");
        other.delete(&path).await.problem(404, "not_found");
        other.get(&format!("{path}/explanation?eventId={event}")).await.problem(404, "not_found");
        assert_eq!(other.get(PATH).await.ok(200), json!({"data": []}));
        app.slack.connect(&other, "T0SECOND", "C1ALERTS").await;
        let theirs = subscribe(&other, "C1ALERTS", json!({})).await;
        let explanation = format!("{PATH}/{theirs}/explanation?eventId={event}");
        other.get(&explanation).await.problem(404, "not_found");
        assert_eq!(app.owner.get(&path).await.ok(200)["paused"], false);
    }

    async fn all_violations_are_reported_at_once(app) {
        connect(&app).await;
        let made = subscribe(&app.owner, CHANNEL, json!({})).await;
        let path = format!("{PATH}/{made}");
        let before = app.owner.get(&path).await.ok(200);
        let bad = json!({
            "repositories": ["acme/web", "web"], "events": [],
            "branches": {"include": ["", "main"], "exclude": [" x"]},
            "labels": {"include": ["x".repeat(256)], "exclude": ["a\nb"]},
            "authors": {"include": vec!["a"; 51]},
            "workflows": {"conclusions": [], "names": ["\t"]},
        });
        let wrong = [
            "/rules/repositories/1", "/rules/events", "/rules/branches/include/0", "/rules/branches/exclude/0",
            "/rules/labels/include/0", "/rules/labels/exclude/0", "/rules/authors/include", "/rules/workflows/names/0",
            "/rules/workflows/conclusions",
        ];
        let new = json!({"slackChannelId": "", "slackChannelName": "a\u{7}b", "rules": bad});
        let problem = app.owner.post(PATH, &new).await.problem(400, "invalid");
        assert_eq!(pointers(&problem), [&["/slackChannelName", "/slackChannelId"][..], &wrong].concat());
        let problem = app.owner.patch(&path, &json!({"rules": bad, "paused": true})).await.problem(400, "invalid");
        assert_eq!(pointers(&problem), wrong);
        assert_eq!(app.owner.get(&path).await.ok(200), before, "a refused change changes nothing");

        let problem = app.owner.post(PATH, &body(json!({}))).await.problem(400, "invalid");
        assert_eq!(pointers(&problem), ["/rules/repositories"]);
        for (rules, pointer) in [
            (json!({"repos": ["acme/web"]}), "/rules/repos"),
            (json!({"repositories": "acme/web"}), "/rules/repositories"),
            (json!({"repositories": ["acme/web", 1]}), "/rules/repositories/1"),
            (json!({"events": ["everything"]}), "/rules/events/0"),
            (json!({"branches": {"only": ["main"]}}), "/rules/branches/only"),
            (json!({"branches": ["main"]}), "/rules/branches"),
            (json!({"workflows": {"conclusions": ["timed_out"]}}), "/rules/workflows/conclusions/0"),
            (json!({"threads": {"broadcast": true}}), "/rules/threads/broadcast"),
            (json!({"bots": "no"}), "/rules/bots"),
        ] {
            for answer in [
                app.owner.post(PATH, &body(super::rules(rules.clone()))).await,
                app.owner.patch(&path, &json!({"rules": rules})).await,
            ] {
                let problem = answer.problem(400, "invalid");
                assert!(pointers(&problem).contains(&pointer), "{rules}: {problem}");
            }
        }
        for (new, pointer) in [
            (json!({"rules": {}}), "/slackChannelId"),
            (json!({"slackChannelId": CHANNEL}), "/rules"),
            (json!({"slackChannelId": CHANNEL, "rules": {}, "channel": "x"}), "/channel"),
        ] {
            let problem = app.owner.post(PATH, &new).await.problem(400, "invalid");
            assert!(pointers(&problem).contains(&pointer), "{new}: {problem}");
        }
        assert_eq!(app.owner.get(PATH).await.ok(200)["data"].as_array().unwrap().len(), 1);
    }

    async fn lists_come_in_pages_newest_first(app) {
        connect(&app).await;
        let mut made = Vec::new();
        for _ in 0..7 {
            made.push(subscribe(&app.owner, CHANNEL, json!({})).await);
        }
        made.reverse();
        let (mut found, mut pages, mut path) = (Vec::new(), 0, format!("{PATH}?limit=3"));
        loop {
            let page = app.owner.get(&path).await.ok(200);
            found.extend(page["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
            pages += 1;
            let Some(cursor) = page["nextCursor"].as_str() else { break };
            path = format!("{PATH}?limit=3&cursor={cursor}");
        }
        assert_eq!((found, pages), (made, 3));
        app.owner.get(&format!("{PATH}?limit=0")).await.problem(400, "invalid");
        app.owner.get(&format!("{PATH}?cursor=nonsense")).await.ok(400);
    }

    async fn there_is_a_limit(app) {
        connect(&app).await;
        let first: Uuid = subscribe(&app.owner, CHANNEL, json!({})).await.parse().unwrap();
        let organisation = app.organisation("acme").await;
        let model = store::github::subscriptions::find(app.app.base.store().reader(), organisation, first.into()).await.unwrap();
        let tx = app.app.base.store().begin().await.unwrap();
        for _ in 1..500 {
            let id: SubscriptionId = app.app.base.ambient().id();
            let copy = Subscription { id, ..model.clone() };
            store::github::subscriptions::insert(&tx, &copy).await.unwrap();
        }
        tx.commit().await.unwrap();
        let refused = app.owner.post(PATH, &body(rules(json!({})))).await.problem(409, "conflict");
        assert!(refused["detail"].as_str().unwrap().contains("at most 500"), "{refused}");
        let event = hear(&app, json!({"event": "star"})).await;
        assert_eq!(app.deliveries(&format!("eventId={event}")).await.len(), 1, "one channel, one message");
        app.owner.delete(&format!("{PATH}/{first}")).await.ok(204);
        subscribe(&app.owner, CHANNEL, json!({})).await;
    }

    async fn slack_has_to_be_connected(app) {
        let new = body(rules(json!({})));
        app.owner.post(PATH, &new).await.problem(404, "not_connected");
        connect(&app).await;
        let path = format!("{PATH}/{}", app.owner.post(PATH, &new).await.ok(201)["id"].as_str().unwrap());
        app.owner.delete("/v1/slack-integrations").await.ok(200);
        app.owner.post(PATH, &new).await.problem(404, "not_connected");
        app.owner.patch(&path, &json!({"slackChannelId": "C0SECRET"})).await.problem(404, "not_connected");
        app.owner.patch(&path, &json!({"paused": true})).await.ok(200);
        assert_eq!(app.owner.get(&path).await.ok(200)["slackChannelId"], CHANNEL);
        app.owner.delete(&path).await.ok(204);
    }

    async fn changes_at_the_same_time_are_all_made(app) {
        connect(&app).await;
        let path = format!("{PATH}/{}", subscribe(&app.owner, CHANNEL, json!({})).await);
        for round in 0..5 {
            let word = format!("round-{round}");
            let changes = [
                json!({"rules": {"branches": {"include": [word]}}}),
                json!({"rules": {"labels": {"include": [word]}}}),
                json!({"rules": {"authors": {"include": [word]}}}),
                json!({"rules": {"workflows": {"names": [word]}}}),
                json!({"slackChannelName": word}),
                json!({"paused": round % 2 == 0}),
            ];
            for answer in join_all(changes.iter().map(|change| app.owner.patch(&path, change))).await {
                answer.ok(200);
            }
            let now = app.owner.get(&path).await.ok(200);
            let rules = &now["rules"];
            let words = [
                &rules["branches"]["include"][0], &rules["labels"]["include"][0], &rules["authors"]["include"][0],
                &rules["workflows"]["names"][0], &now["slackChannelName"],
            ];
            assert_eq!(words, [&json!(word); 5], "{now}");
            assert_eq!(now["paused"], round % 2 == 0);
        }
        let pause = json!({"paused": true});
        let (changed, removed) = tokio::join!(app.owner.patch(&path, &pause), app.owner.delete(&path));
        removed.ok(204);
        assert!([200, 404].contains(&changed.status.as_u16()), "{}", changed.text);
        app.owner.get(&path).await.problem(404, "not_found");
    }
}
