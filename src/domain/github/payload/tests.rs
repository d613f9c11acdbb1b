//! Payloads as GitHub sends them, and malformed ones.

use serde_json::{Value, json};

use super::*;
use crate::domain::github::samples::{self, read, with};

#[test]
fn payloads_are_parsed() {
    let event = read(&with(samples::pull_request("opened"), "/pull_request/labels", samples::labels(&["bug"])));
    let ann = || Actor { login: "ann".into(), is_bot: false, url: "https://github.com/ann".into() };
    let expected = GithubEvent {
        name: "pull_request".into(),
        action: "opened".into(),
        installation_id: Some(2),
        repository: Repository {
            id: 4711,
            full_name: "acme/shop".into(),
            private: false,
            url: "https://github.com/acme/shop".into(),
            default_branch: "main".into(),
        },
        sender: ann(),
        subject: Subject::Pull(Box::new(Pull {
            number: 12,
            title: "Add a checkout".into(),
            url: "https://github.com/acme/shop/pull/12".into(),
            body: "Customers can *pay* now.\r\n\r\nCloses #7 & more.".into(),
            open: true,
            draft: false,
            merged: false,
            base: "main".into(),
            head: "checkout".into(),
            labels: vec!["bug".into()],
            author: ann(),
            reviewers: vec!["bo".into(), "Core".into()],
            lines: Some((120, 3)),
        })),
        label: None,
        retargeted: false,
    };
    assert_eq!(event, expected);
    let (_, data) = samples::pull_request("opened");
    assert_eq!(GithubEvent::read("github.pull_request", &data).unwrap().name, "pull_request");
}

#[test]
fn without_a_repository_there_is_nothing() {
    for (pointer, value) in [
        ("/repository", Value::Null),
        ("/repository", json!([1])),
        ("/repository/id", json!("4711")),
        ("/repository/full_name", json!("")),
        ("/repository/full_name", Value::Null),
    ] {
        let (name, data) = with(samples::push("main", 1), pointer, value);
        assert_eq!(GithubEvent::read(name, &data), None, "{pointer}");
    }
    for data in [Value::Null, json!(1), json!([]), json!("x"), json!({"zen": "Keep it simple."})] {
        assert_eq!(GithubEvent::read("ping", &data), None);
    }
}

#[test]
fn a_payload_that_says_nothing_else_is_read() {
    let bare = json!({"repository": {"id": 1, "full_name": "a/b"}});
    let wrong = json!({
        "repository": {"id": 1, "full_name": "a/b", "private": "yes", "html_url": 4, "default_branch": []},
        "pull_request": 1, "issue": "x", "comment": [], "review": true, "ref": {}, "commits": {"a": 1}, "head_commit": 3,
        "action": null, "sender": [], "label": 7, "changes": "base", "release": null, "forkee": 0, "deployment": [],
    });
    for (name, _) in samples::all() {
        for data in [&bare, &wrong] {
            let event = GithubEvent::read(name, data).unwrap();
            assert_eq!((event.action.as_str(), event.sender.login.as_str(), event.number()), ("", "", None));
            assert_eq!(event.author(), &Actor::default());
        }
    }
}

#[test]
fn pushes_name_the_moved_reference() {
    for (full, kind, name) in [
        ("refs/heads/feature/x", RefKind::Branch, "feature/x"),
        ("refs/tags/v1", RefKind::Tag, "v1"),
        ("refs/notes/commits", RefKind::Other, "refs/notes/commits"),
    ] {
        let event = read(&with(samples::push("main", 17), "/ref", json!(full)));
        let Subject::Push(push) = event.subject else { panic!("{full}") };
        assert_eq!(push.target, GitRef { kind, name: name.into() });
        assert_eq!((push.commits.len(), push.commit_count), (5, 17));
        assert_eq!((push.commits[0].message.as_str(), push.author.login.as_str()), ("Change 1", "ann"));
    }
}

#[test]
fn the_author_is_that_of_the_subject() {
    let bot = |sample, pointer| with(sample, pointer, samples::user("renovate[bot]"));
    let nameless =
        with(samples::push("main", 1), "/head_commit/author", json!({"name": "Zed", "email": "z@z.example"}));
    let renovated = json!({"name": "renovate[bot]", "username": "renovate[bot]"});
    for (sample, login) in [
        (bot(samples::pull_request("closed"), "/pull_request/user"), "renovate[bot]"),
        (bot(samples::issues("opened"), "/issue/user"), "renovate[bot]"),
        (bot(samples::review("approved"), "/pull_request/user"), "bo"),
        (bot(samples::issue_comment(false), "/issue/user"), "bo"),
        (with(samples::push("main", 1), "/head_commit/author", renovated), "renovate[bot]"),
        (nameless, "ann"),
        (bot(samples::workflow_run("failure"), "/workflow_run/actor"), "renovate[bot]"),
    ] {
        let event = read(&sample);
        assert_eq!((event.author().login.as_str(), event.author().is_bot), (login, login.ends_with("[bot]")));
    }
    let app = read(&with(samples::issues("opened"), "/sender", json!({"login": "Copilot", "type": "Bot"})));
    assert!(app.sender.is_bot);
}

#[test]
fn the_branch_is_the_one_that_counts() {
    for (sample, branch) in [
        (samples::pull_request("opened"), Branch::Name("main")),
        (samples::review("approved"), Branch::Name("main")),
        (samples::push("x", 1), Branch::Name("x")),
        (samples::workflow_run("failure"), Branch::Name("main")),
        (samples::check_run("failure"), Branch::Name("main")),
        (samples::git_ref("create", "branch", "x"), Branch::Name("x")),
        (samples::git_ref("create", "tag", "x"), Branch::None),
        (samples::issue_comment(true), Branch::Unknown),
        (samples::issue_comment(false), Branch::None),
        (with(samples::workflow_run("failure"), "/workflow_run/head_branch", Value::Null), Branch::Unknown),
        (samples::release("published"), Branch::None),
    ] {
        assert_eq!(read(&sample).branch(), branch, "{}", sample.0);
    }
}

#[test]
fn oversized_values_are_cut() {
    let long = "é".repeat(70_000);
    let sample = with(samples::issues("opened"), "/issue/title", json!(long));
    let sample = with(sample, "/issue/body", json!(format!("<!-- {long} -->{long}")));
    let sample = with(sample, "/issue/html_url", json!(format!("https://a.example/{long}")));
    let sample = with(sample, "/issue/labels", samples::labels(&["x"; 1_000]));
    let Subject::Issue(issue) = read(&sample).subject else { panic!("no issue") };
    assert_eq!((issue.title.chars().count(), issue.body.chars().count()), (1_024, 2_000));
    assert_eq!((issue.url.as_str(), issue.labels.len()), ("", 100));
}
