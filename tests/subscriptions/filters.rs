//! Tests of each rule through the whole pipeline, and of the reason for a skipped event.

use super::*;

fn opened_by_bot() -> Value {
    let account = json!({"login": "dependabot[bot]", "type": "Bot"});
    with(pull("pull_request", "opened"), json!({"fields": {"sender": account, "pull_request": {"user": account}}}))
}

fn push(branch: &str) -> Value {
    json!({"event": "push", "branch": branch, "commits": ["Mend it"]})
}

/// Sends each order to a channel with each rules, and checks the outcome; `""` means that it is delivered.
async fn check(app: &TestApp, table: Vec<(Value, Value, &str)>) {
    let path = format!("{PATH}/{}", subscribe(&app.owner, CHANNEL, json!({})).await);
    let defaults = json!({
        "branches": {}, "labels": {}, "authors": {}, "workflows": {}, "threads": {}, "bots": true, "drafts": false,
    });
    for (number, (given, order, reason)) in table.into_iter().enumerate() {
        let all = rules(with(defaults.clone(), given.clone()));
        app.owner.patch(&path, &rule(all)).await.ok(200);
        let order = with(order, json!({"number": number + 1}));
        let event = hear(app, order.clone()).await;
        app.run_for(1).await;
        let expected = if reason.is_empty() { reported() } else { skipped(reason) };
        assert_eq!(state(app, &event).await, expected, "{given} {order}");
        let said = explain(&app.owner, &path, &event).await.ok(200)["data"][0].clone();
        assert_eq!(said["matched"], reason.is_empty(), "{said}");
        let checks = said["checks"].as_array().unwrap();
        let failed: Vec<_> = checks.iter().filter(|check| check["passed"] == false).collect();
        match failed.first() {
            None => assert_eq!(said["reason"], Value::Null),
            Some(first) => assert_eq!((&first["detail"], &said["reason"]), (&json!(reason), &json!(reason))),
        }
    }
}

both! {
    async fn branches(app) {
        connect(&app).await;
        let several = || json!({"branches": {"include": ["main", "release/*"], "exclude": ["release/old-*"]}});
        let to = |base: &str| with(pull("pull_request", "opened"), json!({"base": base}));
        check(&app, vec![
            (several(), to("main"), ""),
            (several(), to("release/2.0"), ""),
            (several(), to("release/2/0"), ""),
            (several(), to("dev"), "the branch \"dev\" is not among branches.include (main, release/*)"),
            (several(), to("Main"), "the branch \"Main\" is not among branches.include (main, release/*)"),
            (several(), to("release/old-1"), "the branch \"release/old-1\" is among branches.exclude (release/old-*)"),
            (several(), push("release/3"), ""),
            (several(), push("topic"), "the branch \"topic\" is not among branches.include (main, release/*)"),
            (json!({}), push("main"), ""),
            (
                json!({}), push("topic"),
                "the branch \"topic\" is not \"main\"; branches.include is empty, which for commits means the default \
                 branch",
            ),
            (json!({}), to("topic"), ""),
            (
                json!({"branches": {"exclude": ["main"]}}),
                to("main"),
                "the branch \"main\" is among branches.exclude (main)",
            ),
            (json!({"branches": {"include": ["*"]}}), push("any/thing"), ""),
            (several(), json!({"event": "release", "tag": "v1"}), ""),
        ]).await;
        // A comment names no branch: it replies in its pull request's thread, and nowhere else.
        let comment = |number: u64| json!({"event": "issue_comment", "onPullRequest": true, "number": number});
        let path = format!("{PATH}/{}", own_routes(&app.owner).await[0]["id"].as_str().unwrap());
        app.owner.patch(&path, &rule(several())).await.ok(200);
        let stray = hear(&app, comment(500)).await;
        let opened = hear(&app, with(to("main"), json!({"number": 501}))).await;
        let reply = hear(&app, comment(501)).await;
        app.run_for(3).await;
        let why = "the channel was not notified of the pull request, and a comment does not say whether its branch is \
                   asked for";
        assert_eq!(state(&app, &stray).await, skipped(why));
        assert_eq!((state(&app, &opened).await, state(&app, &reply).await), (reported(), reported()));
        replay(&app, &stray).await;
        assert_eq!(state(&app, &stray).await, reported(), "a replay delivers it");
    }

    async fn labels_and_authors(app) {
        connect(&app).await;
        let labels = || json!({"labels": {"include": ["bug", "area/*"], "exclude": ["wip", "no-*"]}});
        let opened = |labels: &[&str]| with(pull("pull_request", "opened"), json!({"labels": labels}));
        let by = |author: &str| with(pull("pull_request", "opened"), json!({"author": author}));
        let both = || json!({"authors": {"include": ["ada", "m*"], "exclude": ["*[bot]"]}});
        check(&app, vec![
            (labels(), opened(&["bug"]), ""),
            (labels(), opened(&["docs", "Area/Web"]), ""),
            (labels(), opened(&["docs"]), "the label \"docs\" is not among labels.include (bug, area/*)"),
            (labels(), opened(&["docs", "ui"]), "none of the labels (docs, ui) is among labels.include (bug, area/*)"),
            (labels(), opened(&[]), "it has no label, and labels.include asks for one (bug, area/*)"),
            (labels(), opened(&["bug", "WIP"]), "the label \"WIP\" is among labels.exclude (wip)"),
            (labels(), opened(&["bug", "no-ci"]), "the label \"no-ci\" is among labels.exclude (no-*)"),
            (json!({"labels": {"exclude": ["wip"]}}), opened(&[]), ""),
            (labels(), push("main"), ""),
            (both(), by("ada"), ""),
            (both(), by("max"), ""),
            (both(), by("eve"), "the author \"eve\" is not among authors.include (ada, m*)"),
            (both(), opened_by_bot(), "the author \"dependabot[bot]\" is among authors.exclude (*[bot])"),
            (json!({"authors": {"exclude": ["EVE"]}}), by("eve"), "the author \"eve\" is among authors.exclude (EVE)"),
        ]).await;
    }

    async fn bots_drafts_and_runs(app) {
        connect(&app).await;
        let no_bots = || json!({"bots": false});
        let draft = || with(pull("pull_request", "opened"), json!({"draft": true}));
        let run = |conclusion: &str| json!({"event": "workflow_run", "conclusion": conclusion, "workflow": "CI"});
        let named = || json!({"workflows": {"conclusions": ["failure", "success"], "names": ["Deploy *"]}});
        let ended =
            |word: &str, of: &str| format!("the conclusion \"{word}\" is not among workflows.conclusions ({of})");
        let (success, cancelled) = (ended("success", "failure"), ended("cancelled", "failure, success"));
        check(&app, vec![
            (json!({}), opened_by_bot(), ""),
            (no_bots(), opened_by_bot(), "the author \"dependabot[bot]\" is a bot, and bots is false"),
            (no_bots(), pull("pull_request", "opened"), ""),
            (
                no_bots(),
                with(pull("pull_request", "closed"), json!({"fields": {"sender": {"login": "merge[bot]"}}})),
                "the sender \"merge[bot]\" is a bot, and bots is false",
            ),
            (json!({"drafts": true}), draft(), ""),
            (json!({}), run("failure"), ""),
            (json!({}), run("timed_out"), ""),
            (json!({}), run("success"), &success),
            (named(), run("cancelled"), &cancelled),
            (named(), run("failure"), "the name \"CI\" is not among workflows.names (Deploy *)"),
            (named(), with(run("success"), json!({"workflow": "Deploy web"})), ""),
            (json!({}), with(run(""), json!({"action": "requested"})), "the action requested is not notified"),
            (json!({"events": ["pulls"]}), run("failure"), "the kind workflows is not among events (pulls)"),
        ]).await;
        let path = format!("{PATH}/{}", own_routes(&app.owner).await[0]["id"].as_str().unwrap());
        app.owner.patch(&path, &rule(rules(json!({})))).await.ok(200);
        let numbered = |order: Value| with(order, json!({"number": 77}));
        let opened = hear(&app, numbered(draft())).await;
        let then = "the pull request #77 is a draft, and drafts is false; it is notified when it becomes ready for review";
        assert_eq!(state(&app, &opened).await, skipped(then));
        let before = app.slack.texts(CHANNEL).await.len();
        hear(&app, numbered(pull("pull_request", "ready_for_review"))).await;
        hear(&app, numbered(pull("pull_request", "merged"))).await;
        app.run_for(2).await;
        let after = &threads(&app, CHANNEL).await[before..];
        assert!(after[0].0.contains("ready for review") && after[0].1.is_none(), "{after:?}");
        assert_eq!(after[1].1, Some(before), "{after:?}");
    }

    async fn an_event_of_another_repository_leaves_nothing(app) {
        connect(&app).await;
        let path = format!("{PATH}/{}", subscribe(&app.owner, CHANNEL, json!({"repositories": ["acme/*"]})).await);
        let event = hear(&app, json!({"event": "star", "repository": "acme/infra"})).await;
        app.owner.patch(&path, &rule(json!({"repositories": ["acme/web"]}))).await.ok(200);
        let said = explain(&app.owner, &path, &event).await.ok(200)["data"][0].clone();
        assert_eq!(said["reason"], "the repository \"acme/infra\" is not among repositories (acme/web)", "{said}");
        let step = app.step("not GitHub's").await;
        let said = explain(&app.owner, &path, &step).await.ok(200)["data"][0].clone();
        assert_eq!((&said["matched"], &said["reason"]), (&json!(false), &json!("the source api matches none of github")));
    }
}
