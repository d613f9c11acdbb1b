//! Payloads for tests, in the shapes that GitHub sends, shortened to the fields that a reader could need.

use serde_json::{Value, json};

use super::{GithubEvent, catalogue, subscription::Rules};

/// An event's name and payload.
pub(crate) type Sample = (&'static str, Value);

/// Parses a sample.
pub(crate) fn read((name, data): &Sample) -> GithubEvent {
    GithubEvent::read(name, data).expect("a sample has a repository")
}

/// Returns a sample with another value at a JSON pointer, whose parent exists.
pub(crate) fn with((name, mut data): Sample, pointer: &str, value: Value) -> Sample {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    data.pointer_mut(parent).and_then(Value::as_object_mut).expect(pointer).insert(key.to_owned(), value);
    (name, data)
}

/// An account.
pub(crate) fn user(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    let page = format!("https://github.com/{}", login.replace("[bot]", ""));
    json!({"login": login, "id": 583_231, "node_id": "MDQ6VXNlcjU4MzIzMQ==", "type": kind, "site_admin": false, "html_url": page})
}

/// Returns a payload about Acme's shop, with Ann as the sender.
pub(crate) fn payload(action: &str, more: Value) -> Value {
    let mut data = json!({
        "action": action,
        "repository": {
            "id": 4711, "name": "shop", "full_name": "acme/shop", "private": false, "visibility": "public",
            "html_url": "https://github.com/acme/shop", "default_branch": "main", "owner": user("acme"),
        },
        "organization": {"login": "acme", "id": 99},
        "installation": {"id": 2},
        "sender": user("ann"),
    });
    let fields = data.as_object_mut().expect("an object");
    if action.is_empty() {
        fields.remove("action");
    }
    fields.extend(more.as_object().expect("an object").clone());
    data
}

/// Returns any payload with Acme's shop as its repository.
pub(crate) fn rehoused(mut data: Value) -> Value {
    let home = payload("", json!({}))["repository"].take();
    match data.as_object_mut() {
        Some(fields) => fields.insert("repository".to_owned(), home),
        None => return json!({"repository": home}),
    };
    data
}

/// Labels by their names.
pub(crate) fn labels(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"id": 1, "name": name, "color": "d73a4a", "default": false})).collect()
}

fn pull() -> Value {
    json!({
        "id": 1, "number": 12, "state": "open", "title": "Add a checkout", "user": user("ann"),
        "html_url": "https://github.com/acme/shop/pull/12", "draft": false, "merged": false, "merged_at": null,
        "body": "<!-- What does it do? -->\r\nCustomers can *pay* now.\r\n\r\nCloses #7 & more.", "labels": [],
        "requested_reviewers": [user("bo")], "requested_teams": [{"name": "Core", "slug": "core"}],
        "head": {"ref": "checkout", "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e"}, "base": {"ref": "main"},
        "additions": 120, "deletions": 3, "changed_files": 4,
    })
}

/// `pull_request`: number 12, `checkout` to `main`, by Ann.
pub(crate) fn pull_request(action: &str) -> Sample {
    ("pull_request", payload(action, json!({"number": 12, "pull_request": pull()})))
}

/// A pull request after a label was added or removed, with the labels `all`.
pub(crate) fn labeled(action: &str, label: &str, all: &[&str]) -> Sample {
    let sample = with(pull_request(action), "/label", labels(&[label])[0].clone());
    with(sample, "/pull_request/labels", labels(all))
}

/// `pull_request_review` by Bo.
pub(crate) fn review(state: &str) -> Sample {
    let mut pull = pull();
    pull.as_object_mut().expect("an object").retain(|key, _| key != "merged" && key != "additions");
    let review = json!({
        "id": 80, "user": user("bo"), "state": state, "body": "Looks *good*.\n\nShip it!", "submitted_at": "2026-11-21T00:00:00Z",
        "html_url": "https://github.com/acme/shop/pull/12#pullrequestreview-80", "commit_id": "6dcb09b5",
    });
    let data = payload("submitted", json!({"review": review, "pull_request": pull, "sender": user("bo")}));
    ("pull_request_review", data)
}

/// `pull_request_review_comment`, a part of the review 80.
pub(crate) fn review_comment() -> Sample {
    let comment = json!({
        "id": 81, "pull_request_review_id": 80, "path": "src/pay.rs", "body": "Why?", "user": user("bo"),
        "html_url": "https://github.com/acme/shop/pull/12#discussion_r81",
    });
    ("pull_request_review_comment", payload("created", json!({"comment": comment, "pull_request": pull()})))
}

fn issue() -> Value {
    json!({
        "id": 5, "number": 7, "title": "Paying fails", "user": user("ann"), "labels": labels(&["bug"]), "state": "open",
        "html_url": "https://github.com/acme/shop/issues/7", "body": "Steps:\n1. Pay", "state_reason": null,
    })
}

/// `issues`: number 7 by Ann, a bug.
pub(crate) fn issues(action: &str) -> Sample {
    ("issues", payload(action, json!({"issue": issue()})))
}

/// `issue_comment` on the issue, or on the pull request.
pub(crate) fn issue_comment(on_pull: bool) -> Sample {
    let comment = json!({
        "id": 9, "body": "Me too", "user": user("bo"), "html_url": "https://github.com/acme/shop/issues/7#issuecomment-9",
    });
    let sample =
        ("issue_comment", payload("created", json!({"issue": issue(), "comment": comment, "sender": user("bo")})));
    if !on_pull {
        return sample;
    }
    let sample = with(sample, "/issue/pull_request", json!({"html_url": "https://github.com/acme/shop/pull/12"}));
    with(with(sample, "/issue/number", json!(12)), "/issue/title", json!("Add a checkout"))
}

/// `push` of so many commits to a branch, by Ann.
pub(crate) fn push(branch: &str, commits: usize) -> Sample {
    let commit = |n: usize| {
        json!({
            "id": format!("{n:07x}b57875f334f61aebed695e2e4193db5e"), "message": format!("Change {n}\n\nAt length."),
            "url": format!("https://github.com/acme/shop/commit/{n:07x}"), "distinct": true,
            "author": {"name": "Ann Smith", "email": "ann@acme.example", "username": "ann"},
        })
    };
    let commits: Vec<_> = (1..=commits).map(commit).collect();
    let data = json!({
        "ref": format!("refs/heads/{branch}"), "before": "1", "after": "2", "head_commit": commits.last(), "commits": commits,
        "created": false, "deleted": false, "forced": false, "pusher": {"name": "ann", "email": "ann@acme.example"},
        "compare": "https://github.com/acme/shop/compare/1...2",
    });
    ("push", payload("", data))
}

/// `workflow_run` that ended on `main`.
pub(crate) fn workflow_run(conclusion: &str) -> Sample {
    let run = json!({
        "id": 30, "name": "CI", "display_title": "Add a checkout", "head_branch": "main", "event": "push",
        "head_sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "run_number": 812, "run_attempt": 1, "status": "completed",
        "conclusion": conclusion, "html_url": "https://github.com/acme/shop/actions/runs/30", "actor": user("ann"),
    });
    ("workflow_run", payload("completed", json!({"workflow_run": run, "workflow": {"id": 3, "name": "CI"}})))
}

/// `check_run` of an app other than GitHub Actions.
pub(crate) fn check_run(conclusion: &str) -> Sample {
    let check = json!({
        "id": 40, "name": "Coverage", "head_sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "status": "completed",
        "conclusion": conclusion, "html_url": "https://github.com/acme/shop/runs/40", "app": {"slug": "coverage"},
        "output": {"title": "71 %"}, "check_suite": {"id": 41, "head_branch": "main"},
    });
    ("check_run", payload("completed", json!({"check_run": check})))
}

/// `release` of version 1.
pub(crate) fn release(action: &str) -> Sample {
    let release = json!({
        "id": 50, "tag_name": "v1.0.0", "name": "One", "body": "It *works*.", "draft": false, "prerelease": false,
        "html_url": "https://github.com/acme/shop/releases/tag/v1.0.0", "author": user("ann"),
    });
    ("release", payload(action, json!({"release": release})))
}

/// `deployment_status` of production.
pub(crate) fn deployment_status(state: &str) -> Sample {
    let deployment = json!({
        "id": 60, "ref": "main", "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "environment": "production",
        "creator": user("ann"), "description": null,
    });
    let status = json!({
        "id": 61, "state": state, "environment": "production", "environment_url": "https://shop.example",
        "description": "Deployed in 3 s", "log_url": "https://github.com/acme/shop/deployments/61",
    });
    ("deployment_status", payload("created", json!({"deployment": deployment, "deployment_status": status})))
}

/// `create` or `delete` of a branch or tag.
pub(crate) fn git_ref(name: &'static str, kind: &str, target: &str) -> Sample {
    (name, payload("", json!({"ref": target, "ref_type": kind, "master_branch": "main", "pusher_type": "user"})))
}

/// `discussion`: number 20 by Ann.
pub(crate) fn discussion(action: &str) -> Sample {
    ("discussion", payload(action, json!({"discussion": discussed()})))
}

fn discussed() -> Value {
    json!({
        "id": 70, "number": 20, "title": "Which currency?", "body": "Any.", "user": user("ann"), "state": "open",
        "html_url": "https://github.com/acme/shop/discussions/20", "labels": [],
    })
}

/// One small payload for each event type, shared with the tests over HTTP.
const FIXTURES: &str = include_str!("../../../tests/fixtures/github_events.json");

/// Returns one sample of each type in the catalogue, about Acme's shop or Acme.
pub(crate) fn catalogue() -> Vec<Sample> {
    let fixtures: Vec<Value> = serde_json::from_str(FIXTURES).expect("the fixtures are JSON");
    fixtures.into_iter().map(sample).collect()
}

fn sample(fixture: Value) -> Sample {
    let name = fixture["X-GitHub-Event"].as_str().and_then(catalogue::find).expect("a known event").event;
    let mut data = payload("", json!({}));
    let (Some(fields), Value::Object(own)) = (data.as_object_mut(), fixture) else { panic!("{name}") };
    for (key, value) in own {
        match (fields.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, Value::Null) => drop(fields.remove(&key)),
            (_, value) => drop(fields.insert(key, value)),
        }
    }
    (name, data)
}

/// Returns a subscription to repositories, by further rules.
pub(crate) fn subscription(repositories: &str, rules: Value) -> Rules {
    let mut all = json!({"repositories": [repositories]});
    all.as_object_mut().expect("an object").extend(rules.as_object().expect("an object").clone());
    serde_json::from_value(all).expect("rules")
}

/// Returns one sample of each event with a subject of its own, and of another one.
pub(crate) fn all() -> Vec<Sample> {
    let comment = json!({"id": 1, "body": "Hm", "commit_id": "6dcb09b5b578", "html_url": "https://github.com/acme/shop/commit/6#c1"});
    let fork = json!({"full_name": "bo/shop", "html_url": "https://github.com/bo/shop"});
    let talk = json!({"discussion": discussed(), "comment": comment});
    let mut started = deployment_status("pending");
    started.0 = "deployment";
    vec![
        pull_request("opened"),
        with(pull_request("closed"), "/pull_request/merged", json!(true)),
        labeled("labeled", "bug", &["bug", "a", "b", "c", "d", "e", "f"]),
        review("approved"),
        review_comment(),
        issues("opened"),
        with(issues("closed"), "/issue/state_reason", json!("not_planned")),
        issue_comment(false),
        issue_comment(true),
        push("main", 17),
        push("main", 1),
        workflow_run("failure"),
        check_run("failure"),
        release("published"),
        started,
        deployment_status("success"),
        git_ref("create", "branch", "x"),
        git_ref("delete", "tag", "v1"),
        discussion("created"),
        ("discussion_comment", payload("created", talk)),
        ("commit_comment", payload("created", json!({"comment": comment}))),
        ("star", payload("created", json!({"starred_at": "2026-11-21T00:00:00Z"}))),
        ("fork", payload("", json!({"forkee": fork}))),
        ("gollum", payload("", json!({"pages": []}))),
    ]
}
