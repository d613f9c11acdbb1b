//! The decision table: each rule letting an event through and skipping it, with the reason.

use super::*;

#[test]
fn only_subscribed_repositories_are_its_business() {
    let opened = || samples::issues("opened");
    check_table(vec![
        (json!({"repositories": ["acme/shop"]}), opened(), "sent"),
        (json!({"repositories": ["acme/other", "ACME/Shop"]}), opened(), "sent"),
        (json!({"repositories": ["Acme/*"]}), opened(), "sent"),
        (json!({"repositories": ["acme/sho"]}), opened(), ""),
        (json!({"repositories": ["acm/*"]}), opened(), ""),
        (json!({"repositories": []}), opened(), ""),
    ]);
}

#[test]
fn kinds_of_events_are_chosen() {
    let kinds = json!({"events": ["issues", "pulls"]});
    let only = "the kind commits is not among events (issues, pulls)";
    check_table(vec![(kinds.clone(), samples::issues("opened"), "sent"), (kinds, samples::push("main", 1), only)]);
    let defaults = subscription(json!({"events": EventKind::DEFAULT}));
    let sent: Vec<_> =
        samples::all().iter().filter(|sample| outcome(&defaults, sample) == "sent").map(|s| s.0).collect();
    let expected = ["pull_request", "pull_request", "issues", "issues", "push", "push", "release", "deployment_status"];
    assert_eq!(sent, expected);
}

#[test]
fn only_some_actions_are_notified() {
    let branch = |sample, field| with(sample, field, json!(true));
    let tag = with(samples::push("main", 1), "/ref", json!("refs/tags/v1"));
    let own = with(samples::check_run("failure"), "/check_run/app/slug", json!("github-actions"));
    let began = with(samples::workflow_run("failure"), "/action", json!("in_progress"));
    check_table(vec![
        (json!({}), samples::pull_request("synchronize"), "the action synchronize is not notified"),
        (json!({}), samples::pull_request("assigned"), "the action assigned is not notified"),
        (json!({}), samples::pull_request("edited"), "the action edited is not notified"),
        (json!({}), samples::pull_request("<x>\u{202E}"), "the action \"<x>\\u{202e}\" is not notified"),
        (json!({}), samples::pull_request(""), "it says no action that is notified"),
        (json!({}), samples::issues("milestoned"), "the action milestoned is not notified"),
        (json!({}), samples::issues("reopened"), "sent"),
        (json!({}), samples::discussion("answered"), "sent"),
        (json!({}), samples::discussion("pinned"), "the action pinned is not notified"),
        (json!({}), samples::review("approved"), "sent"),
        (json!({}), with(samples::review("approved"), "/action", json!("edited")), "the action edited is not notified"),
        (
            json!({}),
            samples::review_comment(),
            "a comment on a line is part of its review, and a review is one message",
        ),
        (json!({}), samples::issue_comment(false), "sent"),
        (
            json!({}),
            with(samples::issue_comment(false), "/action", json!("deleted")),
            "the action deleted is not notified",
        ),
        (json!({}), samples::release("created"), "the action created is not notified"),
        (json!({}), began, "the action in_progress is not notified"),
        (json!({}), own, "checks by GitHub Actions are notified as runs of their workflow, by the kind workflows"),
        (json!({}), samples::deployment_status("success"), "sent"),
        (
            json!({}),
            samples::deployment_status("in_progress"),
            "the deployment's state \"in_progress\" is not notified, but success, failure and error",
        ),
        (json!({}), tag, "tags are notified by the event create, which is of the kind branches"),
        (json!({}), samples::push("main", 0), "there are no commits in it"),
        (json!({}), branch(samples::push("main", 0), "/forced"), "sent"),
        (
            json!({}),
            branch(samples::push("main", 0), "/created"),
            "a branch without commits is notified by the event create, which is of the kind branches",
        ),
        (
            json!({}),
            branch(samples::push("main", 0), "/deleted"),
            "a branch's end is notified by the event delete, which is of the kind branches",
        ),
        (json!({}), samples::git_ref("delete", "branch", "x"), "sent"),
        (json!({}), ("star", samples::payload("deleted", json!({}))), "the action deleted is not notified"),
    ]);
}

#[test]
fn branches_are_chosen() {
    let into = |base: &str| with(samples::pull_request("opened"), "/pull_request/base/ref", json!(base));
    let some = json!({"branches": {"include": ["main", "release/*"], "exclude": ["release/0.*"]}});
    let not = "the branch \"feature/x\" is not among branches.include (main, release/*)";
    let run = with(samples::workflow_run("failure"), "/workflow_run/head_branch", json!("feature/x"));
    let check = with(samples::check_run("failure"), "/check_run/check_suite/head_branch", json!("feature/x"));
    let review = with(samples::review("approved"), "/pull_request/base/ref", json!("feature/x"));
    let excluded = "the branch \"release/0.9\" is among branches.exclude (release/0.*)";
    check_table(vec![
        (some.clone(), into("main"), "sent"),
        (some.clone(), into("release/1.0"), "sent"),
        (some.clone(), into("feature/x"), not),
        (some.clone(), into("release/0.9"), excluded),
        (some.clone(), into("Main"), "the branch \"Main\" is not among branches.include (main, release/*)"),
        (some.clone(), review, not),
        (some.clone(), run.clone(), not),
        (some.clone(), check, not),
        (some.clone(), samples::push("feature/x", 1), not),
        (some.clone(), samples::push("release/1.0", 1), "sent"),
        (some.clone(), samples::git_ref("create", "branch", "feature/x"), not),
        (some.clone(), samples::git_ref("create", "tag", "feature/x"), "sent"),
        (some.clone(), samples::issues("opened"), "sent"),
        (json!({}), into("feature/x"), "sent"),
        (json!({}), run, "sent"),
        (json!({}), samples::push("main", 1), "sent"),
        (
            json!({}),
            samples::push("x", 1),
            "the branch \"x\" is not \"main\"; branches.include is empty, which for commits means the default branch",
        ),
        (json!({"branches": {"include": ["*"]}}), samples::push("x", 1), "sent"),
        (json!({}), with(samples::push("x", 1), "/repository/default_branch", json!("x")), "sent"),
        (
            json!({"branches": {"exclude": ["main"]}}),
            samples::push("main", 1),
            "the branch \"main\" is among branches.exclude (main)",
        ),
    ]);
    let many: Vec<_> = (0..50).map(|n| format!("b{n}")).collect();
    let reason = outcome(&subscription(json!({"branches": {"include": many}})), &into("x\u{202E}"));
    assert_eq!(reason, "the branch \"x\\u{202e}\" is not among branches.include (b0, b1, b2, b3, b4 and 45 more)");
}

#[test]
fn labels_are_chosen() {
    let bugs = json!({"labels": {"include": ["Bug", "area/*"], "exclude": ["wip"]}});
    let pull = |names: &[&str]| with(samples::pull_request("opened"), "/pull_request/labels", samples::labels(names));
    let talk = with(samples::issue_comment(true), "/issue/labels", samples::labels(&["docs"]));
    check_table(vec![
        (bugs.clone(), pull(&["x", "bug"]), "sent"),
        (bugs.clone(), pull(&["area/pay"]), "sent"),
        (bugs.clone(), pull(&[]), "it has no label, and labels.include asks for one (Bug, area/*)"),
        (bugs.clone(), pull(&["docs"]), "the label \"docs\" is not among labels.include (Bug, area/*)"),
        (bugs.clone(), pull(&["a", "b"]), "none of the labels (a, b) is among labels.include (Bug, area/*)"),
        (bugs.clone(), pull(&["bug", "WIP"]), "the label \"WIP\" is among labels.exclude (wip)"),
        (bugs.clone(), samples::issues("closed"), "sent"),
        (bugs.clone(), talk, "the label \"docs\" is not among labels.include (Bug, area/*)"),
        (bugs, samples::push("main", 1), "sent"),
        (json!({"labels": {"exclude": ["wip"]}}), pull(&[]), "sent"),
    ]);
}

#[test]
fn authors_are_chosen() {
    let people = json!({"authors": {"include": ["Ann", "b*"], "exclude": ["*[bot]", "bad"]}});
    let of = |login: &str| with(samples::pull_request("closed"), "/pull_request/user", samples::user(login));
    let written = json!({"name": "Zed", "username": "zed"});
    let anonymous = with(with(samples::issues("opened"), "/issue/user", Value::Null), "/sender", Value::Null);
    let zed = "the author \"zed\" is not among authors.include (Ann, b*)";
    check_table(vec![
        (people.clone(), of("ann"), "sent"),
        (people.clone(), of("bo"), "sent"),
        (people.clone(), by("zed", of("ann")), "sent"),
        (people.clone(), of("zed"), zed),
        (people.clone(), of("renovate[bot]"), "the author \"renovate[bot]\" is among authors.exclude (*[bot])"),
        (people.clone(), of("BAD"), "the author \"BAD\" is among authors.exclude (bad)"),
        (people.clone(), by("zed", samples::issue_comment(false)), zed),
        (people.clone(), by("zed", samples::review("approved")), zed),
        (people.clone(), with(samples::push("main", 1), "/head_commit/author", written), zed),
        (people, anonymous.clone(), "its author is not known, and authors.include asks for one (Ann, b*)"),
        (json!({"authors": {"exclude": ["*"]}}), anonymous, "sent"),
    ]);
}

#[test]
fn bots_can_be_left_out() {
    let off = json!({"bots": false});
    let theirs = with(samples::pull_request("closed"), "/pull_request/user", samples::user("renovate[bot]"));
    let app = with(samples::issues("closed"), "/sender", json!({"login": "helper", "type": "Bot"}));
    let labels = by("labeler[bot]", samples::labeled("labeled", "bug", &["bug"]));
    check_table(vec![
        (json!({}), by("stale[bot]", samples::issues("closed")), "sent"),
        (
            off.clone(),
            by("stale[bot]", samples::issues("closed")),
            "the sender \"stale[bot]\" is a bot, and bots is false",
        ),
        (off.clone(), app, "the sender \"helper\" is a bot, and bots is false"),
        (off.clone(), theirs, "the author \"renovate[bot]\" is a bot, and bots is false"),
        (off.clone(), samples::issues("closed"), "sent"),
        (json!({"bots": false, "labels": {"include": ["bug"]}}), labels, "sent"),
        (
            off,
            by("vercel[bot]", samples::deployment_status("success")),
            "the sender \"vercel[bot]\" is a bot, and bots is false",
        ),
    ]);
}

#[test]
fn drafts_wait_until_they_are_ready() {
    let is_draft =
        "the pull request #12 is a draft, and drafts is false; it is notified when it becomes ready for review";
    let talk = with(samples::issue_comment(true), "/issue/draft", json!(true));
    check_table(vec![
        (json!({}), draft("opened"), is_draft),
        (json!({}), draft("closed"), is_draft),
        (json!({}), with(samples::review("approved"), "/pull_request/draft", json!(true)), is_draft),
        (json!({}), talk, is_draft),
        (json!({}), samples::pull_request("ready_for_review"), "sent"),
        (json!({}), draft("converted_to_draft"), "the action converted_to_draft is not notified"),
        (json!({"drafts": true}), draft("opened"), "sent"),
    ]);
}

#[test]
fn workflows_are_notified_at_their_end() {
    let named = json!({"workflows": {"names": ["ci", "Deploy *"], "conclusions": ["failure", "success"]}});
    let lint = with(samples::workflow_run("failure"), "/workflow_run/name", json!("Lint"));
    let not = "is not among workflows.conclusions (failure)";
    check_table(vec![
        (json!({}), samples::workflow_run("failure"), "sent"),
        (json!({}), samples::workflow_run("timed_out"), "sent"),
        (json!({}), samples::workflow_run("startup_failure"), "sent"),
        (json!({}), samples::workflow_run("success"), &format!("the conclusion \"success\" {not}")),
        (json!({}), samples::workflow_run("newfangled"), &format!("the conclusion \"newfangled\" {not}")),
        (json!({}), samples::check_run("success"), &format!("the conclusion \"success\" {not}")),
        (json!({}), samples::check_run("failure"), "sent"),
        (named.clone(), samples::workflow_run("success"), "sent"),
        (named, lint, "the name \"Lint\" is not among workflows.names (ci, Deploy *)"),
    ]);
}
