//! Tests of subscriptions as resources: created, read, changed, removed.

use super::*;
use futures_util::future::join_all;

fn body(rules: Value) -> Value {
    subscription(CHANNEL, rules)
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
        assert_eq!(made["rule"], json!({"github": defaults}));
        assert_eq!((&made["enabled"], &made["createdAt"]), (&json!(true), &made["updatedAt"]));
        let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
        assert_eq!(app.owner.get(&path).await.ok(200), made);
        assert_eq!(own_routes(&app.owner).await, std::slice::from_ref(&made));

        app.advance(std::time::Duration::from_secs(60));
        let settings = json!({"labels": {"exclude": ["wip"]}, "threads": {"broadcast": "always"}, "events": ["pulls"]});
        let change = json!({"name": "alerts", "enabled": false, "rule": {"github": settings}});
        let changed = app.owner.patch(&path, &change).await.ok(200);
        let mut expected = defaults.clone();
        expected["labels"]["exclude"] = json!(["wip"]);
        expected["threads"]["broadcast"] = json!("always");
        expected["events"] = json!(["pulls"]);
        assert_eq!(changed["rule"]["github"], expected);
        assert_eq!((&changed["name"], &changed["enabled"]), (&json!("alerts"), &json!(false)));
        assert!(changed["updatedAt"].as_str() > made["updatedAt"].as_str(), "{changed}");
        assert_eq!((&changed["createdAt"], &changed["id"]), (&made["createdAt"], &made["id"]));
        // A list replaces the former one; settings left out of the change stay.
        let changed = app.owner.patch(&path, &rule(json!({"bots": false}))).await.ok(200);
        expected["bots"] = json!(false);
        assert_eq!(changed["rule"]["github"], expected);
        assert_eq!(app.owner.patch(&path, &json!({})).await.ok(200)["rule"]["github"], expected);
        assert_eq!(app.owner.get(&path).await.ok(200)["rule"]["github"], expected);

        let elsewhere = json!({"kind": "slack", "address": "C0SECRET"});
        let elsewhere = app.owner.post("/v1/destinations", &elsewhere).await.ok(201)["id"].clone();
        let moved = app.owner.patch(&path, &json!({"destinationId": elsewhere})).await.ok(200);
        assert_eq!((&moved["destinationId"], &moved["rule"]), (&elsewhere, &changed["rule"]));

        app.owner.delete(&path).await.ok(204);
        app.owner.delete(&path).await.problem(404, "not_found");
        app.owner.get(&path).await.problem(404, "not_found");
        app.owner.patch(&path, &json!({"enabled": false})).await.problem(404, "not_found");
        assert_eq!(own_routes(&app.owner).await, [] as [Value; 0]);
    }

    async fn another_organisations_is_not_found(app) {
        connect(&app).await;
        let path = format!("{PATH}/{}", subscribe(&app.owner, CHANNEL, json!({})).await);
        let event = hear(&app, json!({"event": "star"})).await;
        let other = app.other("globex").await;
        other.get(&path).await.problem(404, "not_found");
        other.patch(&path, &json!({"enabled": false})).await.problem(404, "not_found");
        other.delete(&path).await.problem(404, "not_found");
        assert_eq!(other.get(PATH).await.ok(200), json!({"data": []}));
        app.slack.connect(&other, "T0SECOND", "C1ALERTS").await;
        let theirs = subscribe(&other, "C1ALERTS", json!({})).await;
        explain(&other, &format!("{PATH}/{theirs}"), &event).await.problem(404, "not_found");
        assert_eq!(app.owner.get(&path).await.ok(200)["enabled"], true);
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
            "/rule/github/repositories/1", "/rule/github/events", "/rule/github/branches/include/0", "/rule/github/branches/exclude/0",
            "/rule/github/labels/include/0", "/rule/github/labels/exclude/0", "/rule/github/authors/include", "/rule/github/workflows/names/0",
            "/rule/github/workflows/conclusions",
        ];
        let problem = app.owner.post(PATH, &body(bad.clone())).await.problem(400, "invalid");
        assert_eq!(pointers(&problem), wrong);
        let problem = app.owner.patch(&path, &rule(bad)).await.problem(400, "invalid");
        assert_eq!(pointers(&problem), wrong);
        assert_eq!(app.owner.get(&path).await.ok(200), before, "a refused change changes nothing");

        let problem = app.owner.post(PATH, &body(json!({}))).await.problem(400, "invalid");
        assert_eq!(pointers(&problem), ["/rule/github/repositories"]);
        for (rules, pointer) in [
            (json!({"repos": ["acme/web"]}), "/rule/github/repos"),
            (json!({"repositories": "acme/web"}), "/rule/github/repositories"),
            (json!({"repositories": ["acme/web", 1]}), "/rule/github/repositories/1"),
            (json!({"events": ["everything"]}), "/rule/github/events/0"),
            (json!({"branches": {"only": ["main"]}}), "/rule/github/branches/only"),
            (json!({"branches": ["main"]}), "/rule/github/branches"),
            (json!({"workflows": {"conclusions": ["timed_out"]}}), "/rule/github/workflows/conclusions/0"),
            (json!({"threads": {"broadcast": true}}), "/rule/github/threads/broadcast"),
            (json!({"bots": "no"}), "/rule/github/bots"),
        ] {
            for answer in [
                app.owner.post(PATH, &body(super::rules(rules.clone()))).await,
                app.owner.patch(&path, &rule(rules.clone())).await,
            ] {
                let problem = answer.problem(400, "invalid");
                assert!(pointers(&problem).contains(&pointer), "{rules}: {problem}");
            }
        }
        for rule in [json!({}), json!({"gitlab": {}})] {
            let mut new = body(rules(json!({})));
            new["rule"] = rule;
            let problem = app.owner.post(PATH, &new).await.problem(400, "invalid");
            assert!(pointers(&problem)[0].starts_with("/rule"), "{new}: {problem}");
        }
        assert_eq!(own_routes(&app.owner).await.len(), 1);
    }

    async fn lists_come_in_pages_newest_first(app) {
        connect(&app).await;
        let mut made = Vec::new();
        for _ in 0..7 {
            made.push(subscribe(&app.owner, CHANNEL, json!({})).await);
        }
        made.reverse();
        let of_slack = app.owner.get(PATH).await.ok(200)["data"][7].clone();
        assert_eq!(of_slack["managedBy"], "slack_connection");
        made.push(of_slack["id"].as_str().unwrap().to_owned());
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

    async fn of_several_to_one_channel_the_first_that_lets_it_through_counts(app) {
        connect(&app).await;
        for rules in [json!({"events": ["pulls"]}), json!({"events": ["stars"]}), json!({})] {
            subscribe(&app.owner, CHANNEL, rules).await;
        }
        let event = hear(&app, json!({"event": "star"})).await;
        app.drain().await;
        let told = app.deliveries(&format!("eventId={event}")).await;
        let told: Vec<_> = told.iter().map(|one| one["state"].as_str().unwrap()).collect();
        assert_eq!(told, ["delivered"], "one channel, one message");
    }

    async fn slack_has_to_be_connected(app) {
        let new = body(rules(json!({})));
        app.owner.post(PATH, &new).await.problem(404, "not_connected");
        connect(&app).await;
        let path = format!("{PATH}/{}", app.owner.post(PATH, &new).await.ok(201)["id"].as_str().unwrap());
        app.owner.delete("/v1/slack-integrations").await.ok(200);
        app.owner.post(PATH, &new).await.problem(404, "not_connected");
        app.owner.patch(&path, &json!({"enabled": false})).await.ok(200);
        app.owner.delete(&path).await.ok(204);
    }

    async fn changes_at_the_same_time_are_all_made(app) {
        connect(&app).await;
        let path = format!("{PATH}/{}", subscribe(&app.owner, CHANNEL, json!({})).await);
        for round in 0..5 {
            let word = format!("round-{round}");
            let changes = [
                rule(json!({"branches": {"include": [word]}})),
                rule(json!({"labels": {"include": [word]}})),
                rule(json!({"authors": {"include": [word]}})),
                rule(json!({"workflows": {"names": [word]}})),
                json!({"name": word}),
                json!({"enabled": round % 2 == 0}),
            ];
            for answer in join_all(changes.iter().map(|change| app.owner.patch(&path, change))).await {
                answer.ok(200);
            }
            let now = app.owner.get(&path).await.ok(200);
            let rules = &now["rule"]["github"];
            let words = [
                &rules["branches"]["include"][0], &rules["labels"]["include"][0], &rules["authors"]["include"][0],
                &rules["workflows"]["names"][0], &now["name"],
            ];
            assert_eq!(words, [&json!(word); 5], "{now}");
            assert_eq!(now["enabled"], round % 2 == 0);
        }
        let pause = json!({"enabled": false});
        let (changed, removed) = tokio::join!(app.owner.patch(&path, &pause), app.owner.delete(&path));
        removed.ok(204);
        assert!([200, 404].contains(&changed.status.as_u16()), "{}", changed.text);
        app.owner.get(&path).await.problem(404, "not_found");
    }
}
