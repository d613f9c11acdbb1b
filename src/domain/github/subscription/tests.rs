//! Decisions of a subscription on events: the story of a pull request, later labels, explanations, and damaged
//! payloads.
//!
//! Not here: each single rule (`filters`).

mod filters;

use serde_json::{Value, json};

use super::*;
use crate::domain::{
    github::samples::{self, Sample, read, with},
    slack::block_kit::{Dice, check_message},
};

/// Returns a subscription to all of Acme's repositories and every kind of event, with further rules.
fn subscription(rules: Value) -> Rules {
    let mut all = json!({"events": EventKind::ALL});
    all.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
    samples::subscription("acme/*", all)
}

/// Returns the decision on a sample: nothing, `sent`, or the reason. The explanation has to agree.
fn outcome(subscription: &Rules, sample: &Sample) -> String {
    let event = read(sample);
    let checks = subscription.explain(&event);
    let failed = checks.iter().find(|check| !check.passed);
    match subscription.decide(&event) {
        Decision::Ignore(_) => {
            assert_eq!(failed.unwrap().name, "repositories");
            String::new()
        }
        Decision::Send(content) => {
            assert_eq!(failed, None);
            check_message(&content.message);
            "sent".into()
        }
        Decision::Skip(reason) => {
            assert_eq!(failed.unwrap().detail, reason);
            reason.into_owned()
        }
    }
}

fn thread(subscription: &Rules, sample: &Sample) -> Option<(String, bool, bool)> {
    match subscription.decide(&read(sample)) {
        Decision::Send(content) => content.thread.map(|thread| (thread.topic, thread.only_first, thread.broadcast)),
        other => panic!("{}: {other:?}", sample.0),
    }
}

fn check_table(table: Vec<(Value, Sample, &str)>) {
    for (rules, sample, expected) in table {
        assert_eq!(outcome(&subscription(rules.clone()), &sample), expected, "{} by {rules}", sample.0);
    }
}

fn draft(action: &str) -> Sample {
    with(samples::pull_request(action), "/pull_request/draft", json!(true))
}

fn by(login: &str, sample: Sample) -> Sample {
    with(sample, "/sender", samples::user(login))
}

#[test]
fn a_label_that_comes_later_brings_the_opening_once() {
    let bugs = json!({"labels": {"include": ["bug", "urgent"], "exclude": ["wip"]}});
    let late = |action, label, all: &[&str]| samples::labeled(action, label, all);
    let closed = with(late("labeled", "bug", &["bug"]), "/pull_request/state", json!("closed"));
    let aimed = json!({"base": {"ref": {"from": "feature/x"}}});
    let aimed = with(samples::pull_request("edited"), "/changes", aimed);
    let issue = with(samples::issues("labeled"), "/label", samples::labels(&["bug"])[0].clone());
    check_table(vec![
        (bugs.clone(), late("labeled", "bug", &["bug"]), "sent"),
        (bugs.clone(), late("labeled", "bug", &["bug", "urgent"]), "sent"),
        (
            bugs.clone(),
            late("labeled", "docs", &["bug", "docs"]),
            "it was labeled \"docs\", which is not among labels.include (bug, urgent)",
        ),
        (bugs.clone(), late("labeled", "bug", &["bug", "wip"]), "the label \"wip\" is among labels.exclude (wip)"),
        (bugs.clone(), late("unlabeled", "wip", &["bug"]), "sent"),
        (
            bugs.clone(),
            late("unlabeled", "bug", &["urgent"]),
            "it was unlabeled \"bug\", which is not among labels.exclude (wip)",
        ),
        (bugs.clone(), closed, "it is closed, and later labels and edits of what is closed are not notified"),
        (bugs.clone(), issue, "sent"),
        (
            json!({}),
            late("labeled", "bug", &["bug"]),
            "the action labeled is not notified, as labels.include names no label",
        ),
        (json!({}), aimed.clone(), "the action edited is not notified"),
        (json!({"branches": {"include": ["main"]}}), aimed.clone(), "sent"),
    ]);
    let first = |sample: &Sample| {
        let rules = json!({"labels": {"include": ["bug"]}, "branches": {"include": ["main"]}});
        let with_label = with(sample.clone(), "/pull_request/labels", samples::labels(&["bug"]));
        match subscription(rules).decide(&read(&with_label)) {
            Decision::Send(content) => (content.message.text, content.thread.map(|thread| thread.only_first)),
            other => panic!("{other:?}"),
        }
    };
    let opened = first(&samples::pull_request("opened"));
    assert_eq!(opened.1, Some(true));
    assert_eq!(
        first(&by("cy", late("labeled", "bug", &[]))),
        opened,
        "the message is about the pull request, not the label"
    );
    assert_eq!(first(&aimed), opened);
}

#[test]
fn a_pull_request_is_one_thread() {
    let (pull, issue) = ("github/4711/12".to_owned(), "github/4711/7".to_owned());
    let merged = with(samples::pull_request("closed"), "/pull_request/merged", json!(true));
    let talk = samples::payload("created", json!({"discussion": {"number": 20, "title": "T"}, "comment": {}}));
    // The sample, its topic, whether it only opens, and whether it changes a state.
    let table = [
        (samples::pull_request("opened"), &pull, true, false),
        (samples::review("approved"), &pull, false, false),
        (samples::issue_comment(true), &pull, false, false),
        (samples::pull_request("ready_for_review"), &pull, false, true),
        (merged, &pull, false, true),
        (samples::pull_request("reopened"), &pull, false, true),
        (samples::issues("opened"), &issue, true, false),
        (samples::issue_comment(false), &issue, false, false),
        (samples::issues("closed"), &issue, false, true),
        (samples::discussion("created"), &"github/4711/20".to_owned(), true, false),
        (("discussion_comment", talk), &"github/4711/20".to_owned(), false, false),
    ];
    for (sample, topic, first, change) in table {
        let in_thread = |broadcast: &str| {
            thread(&subscription(json!({"threads": {"broadcast": broadcast}})), &sample).expect("a thread")
        };
        assert_eq!(in_thread("never"), (topic.clone(), first, false), "{}", sample.0);
        assert_eq!(in_thread("state_changes"), (topic.clone(), first, change), "{}", sample.0);
        assert_eq!(in_thread("always"), (topic.clone(), first, !first), "{}", sample.0);
        let alone = thread(&subscription(json!({"threads": {"enabled": false}})), &sample);
        let marked = first.then(|| (topic.clone(), true, false));
        assert_eq!(alone, marked, "an opening message carries its topic, so a later label does not repeat it");
    }
    let anything = subscription(json!({}));
    for sample in [samples::push("main", 1), samples::workflow_run("failure"), samples::release("published")] {
        assert_eq!(thread(&anything, &sample), None);
    }
    let unnumbered = with(samples::issues("opened"), "/issue/number", Value::Null);
    assert_eq!(thread(&anything, &unnumbered), None);
}

#[test]
fn a_comment_that_says_no_branch_only_replies() {
    let comment = samples::issue_comment(true);
    let only_reply = |rules: Value, sample: &Sample| match subscription(rules).decide(&read(sample)) {
        Decision::Send(content) => content.thread.map(|thread| thread.only_reply),
        other => panic!("{other:?}"),
    };
    let main = || json!({"branches": {"include": ["main"]}});
    assert_eq!(only_reply(main(), &comment), Some(true));
    assert_eq!(only_reply(json!({"branches": {"exclude": ["x"]}}), &comment), Some(true));
    assert_eq!(only_reply(json!({}), &comment), Some(false));
    assert_eq!(only_reply(main(), &samples::issue_comment(false)), Some(false));
    assert_eq!(only_reply(main(), &samples::review("approved")), Some(false));
    let lost = with(samples::workflow_run("failure"), "/workflow_run/head_branch", Value::Null);
    let flat = json!({"branches": {"include": ["main"]}, "threads": {"enabled": false}});
    let asks = "its branch is not known, and branches.include asks for one (main)";
    check_table(vec![
        (main(), comment.clone(), "sent"),
        (flat, comment.clone(), asks),
        (json!({"branches": {"exclude": ["x"]}, "threads": {"enabled": false}}), comment, "sent"),
        (main(), lost.clone(), asks),
        (json!({}), lost, "sent"),
    ]);
}

#[test]
fn a_manual_delivery_of_a_skipped_event_joins_the_thread() {
    let manual = |subscriptions: &[Rules], sample: &Sample| {
        let content = Rules::manual_content(subscriptions, &read(sample));
        assert_eq!(content.message, message(&read(sample)));
        assert_eq!(content.origin, Some(json!({"installation_id": 2, "repository_id": 4711})));
        content.thread
    };
    let elsewhere = || subscription(json!({"repositories": ["acme/other"]}));
    let threaded = || subscription(json!({"events": ["stars"], "threads": {"broadcast": "always"}}));
    let flat = || subscription(json!({"threads": {"enabled": false}}));
    let (opened, review) = (samples::pull_request("opened"), samples::review("approved"));
    let thread = |only_first, broadcast| {
        let topic = "github/4711/12".to_owned();
        Some(Thread { topic, only_first, only_reply: false, broadcast, manual: true })
    };
    assert_eq!(manual(&[elsewhere(), threaded(), flat()], &review), thread(false, true));
    assert_eq!(manual(&[elsewhere(), threaded()], &opened), thread(true, false));
    assert_eq!(
        manual(&[threaded()], &samples::pull_request("synchronize")),
        thread(false, true),
        "never notified by itself"
    );
    assert_eq!(manual(&[flat(), threaded()], &review), None);
    assert_eq!(manual(&[threaded()], &samples::push("main", 1)), None);
    assert_eq!(manual(&[elsewhere()], &review), None);
    assert_eq!(manual(&[], &review), None);
}

#[test]
fn an_explanation_names_every_rule_in_order() {
    let rules = subscription(json!({"authors": {"exclude": ["ann"]}}));
    let checks = rules.explain(&read(&draft("opened")));
    let names: Vec<_> = checks.iter().map(|check| check.name).collect();
    let rules = ["events", "action", "drafts", "branches", "labels", "authors", "bots", "workflows"];
    assert_eq!(names, [&["repositories"][..], &rules[..]].concat());
    let failed: Vec<_> = checks.iter().filter(|check| !check.passed).map(|check| check.name).collect();
    assert_eq!(failed, ["drafts", "authors"]);
    assert_eq!(checks[0].detail, "the repository \"acme/shop\" is among repositories (acme/*)");
    assert!(checks.iter().all(|check| !check.detail.is_empty()));
}

#[test]
fn any_payload_and_any_rules_come_to_a_decision() {
    let mut dice = Dice(5);
    let (mut sent, mut longest) = (0, 0);
    for _ in 0..150 {
        let mut texts = || {
            let some = 1 + dice.roll(3);
            (0..dice.roll(2) * some)
                .map(|_| ["*", "a*", "<!here>", "main", "bug"][dice.roll(5)].to_owned() + &dice.text(9))
                .collect()
        };
        let mut rules = subscription(json!({}));
        rules.labels = Patterns { include: texts(), exclude: texts() };
        rules.branches = Patterns { include: texts(), exclude: texts() };
        rules.authors = Patterns { include: Vec::new(), exclude: texts() };
        rules.bots = dice.roll(2) == 0;
        rules.drafts = dice.roll(2) == 0;
        for (name, mut data) in samples::all() {
            for _ in 0..dice.roll(3) {
                let key = data.as_object().unwrap().keys().nth(dice.roll(5)).cloned().unwrap_or_default();
                data[&key] = dice.value(3);
            }
            let event = GithubEvent::read(name, &samples::rehoused(data)).unwrap();
            match rules.decide(&event) {
                Decision::Send(content) => {
                    sent += 1;
                    check_message(&content.message);
                }
                Decision::Skip(reason) => longest = longest.max(reason.len()),
                Decision::Ignore(_) => assert_eq!(name, "gollum"),
            }
        }
    }
    assert!(sent > 500, "{sent}");
    assert!(longest < 4_000, "{longest}");
}
