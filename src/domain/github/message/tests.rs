//! Messages by example, hostile texts, and many damaged payloads against Block Kit's limits.

use serde_json::{Value, json};

use super::*;
use crate::domain::{
    github::samples::{self, Sample, read, with},
    slack::block_kit::{Dice, check_message},
};

fn rendered(sample: Sample) -> SlackMessage {
    let message = message(&read(&sample));
    check_message(&message);
    message
}

fn headline(message: &SlackMessage) -> &str {
    message.blocks[0]["elements"][0]["text"].as_str().unwrap()
}

fn section(message: &SlackMessage) -> &str {
    message.blocks[1]["text"]["text"].as_str().unwrap()
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

#[test]
fn a_pull_request_reads_well() {
    let message =
        rendered(with(samples::pull_request("opened"), "/pull_request/labels", samples::labels(&["bug", "a`b"])));
    assert_eq!(message.text, "[acme/shop] Pull request opened by ann: #12 Add a checkout");
    assert_eq!(
        message.blocks,
        json!([
            {"type": "context", "elements": [mrkdwn(
                "<https://github.com/acme/shop|acme/shop> · Pull request opened by <https://github.com/ann|ann>"
            )]},
            {"type": "section", "text": mrkdwn(
                "*<https://github.com/acme/shop/pull/12|#12 Add a checkout>*\n\
                 Customers can *\u{200B}pay\u{200B}* now.\nCloses #7 &amp; more."
            )},
            {"type": "context", "elements": [mrkdwn(
                "`checkout` → `main` · Labels: `bug` `a\u{2CB}b` · Reviewers: `bo` `Core` · +120 −3"
            )]},
        ])
    );
}

#[test]
fn a_push_reads_well() {
    let message = rendered(samples::push("main", 17));
    assert_eq!(message.text, "[acme/shop] ann pushed 17 commits to the branch `main`");
    let commit = |n| format!("<https://github.com/acme/shop/commit/000000{n}|000000{n}> Change {n} – ann\n");
    let commits: String = (1..=5).map(commit).collect();
    assert_eq!(
        message.blocks,
        json!([
            {"type": "context", "elements": [mrkdwn(
                "<https://github.com/acme/shop|acme/shop> · <https://github.com/ann|ann> pushed 17 commits to the branch `main`"
            )]},
            {"type": "section", "text": mrkdwn(
                &format!("{commits}<https://github.com/acme/shop/compare/1...2|…and 12 more>")
            )},
        ])
    );
    let one = rendered(with(samples::push("new", 1), "/created", json!(true)));
    assert_eq!(one.text, "[acme/shop] ann pushed 1 commit to the new branch `new`: Change 1");
    assert_eq!(one.blocks[2]["elements"][0]["text"], "<https://github.com/acme/shop/compare/1...2|Compare>");
    let forced = rendered(with(samples::push("x", 0), "/forced", json!(true)));
    assert_eq!(forced.text, "[acme/shop] ann force-pushed the branch `x`");
}

#[test]
fn a_review_reads_well() {
    let message = rendered(samples::review("changes_requested"));
    let text = "[acme/shop] ❗ bo requested changes on a pull request: #12 Add a checkout – Looks *\u{200B}good\u{200B}*\u{200B}. Ship it!";
    assert_eq!(message.text, text);
    assert_eq!(
        message.blocks,
        json!([
            {"type": "context", "elements": [mrkdwn(
                "<https://github.com/acme/shop|acme/shop> · ❗ <https://github.com/bo|bo> requested changes on a pull request"
            )]},
            {"type": "section", "text": mrkdwn(
                "*<https://github.com/acme/shop/pull/12#pullrequestreview-80|#12 Add a checkout>*\n\
                 Looks *\u{200B}good\u{200B}*\u{200B}.\nShip it!"
            )},
        ])
    );
    let dismissed = rendered(with(samples::review("dismissed"), "/action", json!("dismissed")));
    assert_eq!(dismissed.text, "[acme/shop] The review by bo of a pull request was dismissed: #12 Add a checkout");
}

#[test]
fn a_failed_workflow_reads_well() {
    let message = rendered(with(samples::workflow_run("failure"), "/workflow_run/run_attempt", json!(2)));
    assert_eq!(message.text, "[acme/shop] ❌ Workflow failed on `main`, set off by ann: CI #812");
    assert_eq!(
        message.blocks,
        json!([
            {"type": "context", "elements": [mrkdwn(
                "<https://github.com/acme/shop|acme/shop> · ❌ Workflow failed on `main`, set off by <https://github.com/ann|ann>"
            )]},
            {"type": "section", "text": mrkdwn(
                "*<https://github.com/acme/shop/actions/runs/30|CI #812>*\nAdd a checkout"
            )},
            {"type": "context", "elements": [mrkdwn("Commit `6dcb09b` · Attempt 2")]},
        ])
    );
}

#[test]
fn every_subject_has_its_words() {
    let closed = |state: &str| with(samples::issues("closed"), "/issue/state_reason", json!(state));
    let merged = with(samples::pull_request("closed"), "/pull_request/merged", json!(true));
    let draft = with(samples::pull_request("opened"), "/pull_request/draft", json!(true));
    let by_another = with(samples::labeled("labeled", "bug", &["bug"]), "/sender", samples::user("labeler[bot]"));
    let untagged = with(samples::release("published"), "/release/name", Value::Null);
    for (sample, text) in [
        (merged, "Pull request merged by ann: #12 Add a checkout"),
        (samples::pull_request("closed"), "Pull request closed without merging by ann: #12 Add a checkout"),
        (samples::pull_request("reopened"), "Pull request reopened by ann: #12 Add a checkout"),
        (samples::pull_request("ready_for_review"), "Pull request marked ready for review by ann: #12 Add a checkout"),
        (draft, "Draft pull request opened by ann: #12 Add a checkout"),
        (by_another, "Pull request opened by ann: #12 Add a checkout"),
        (samples::issues("opened"), "Issue opened by ann: #7 Paying fails"),
        (closed("completed"), "Issue closed as completed by ann: #7 Paying fails"),
        (closed("not_planned"), "Issue closed as not planned by ann: #7 Paying fails"),
        (closed("?"), "Issue closed by ann: #7 Paying fails"),
        (samples::discussion("answered"), "Discussion marked as answered by ann: #20 Which currency?"),
        (samples::issue_comment(false), "bo commented on an issue: #7 Paying fails – Me too"),
        (samples::issue_comment(true), "bo commented on a pull request: #12 Add a checkout – Me too"),
        (samples::release("published"), "Release published by ann: One"),
        (untagged, "Release published by ann: v1.0.0"),
        (samples::workflow_run("timed_out"), "❌ Workflow timed out on `main`, set off by ann: CI #812"),
        (samples::workflow_run("fancy"), "⏺️ Workflow ended on `main`, set off by ann: CI #812"),
        (samples::check_run("success"), "✅ Check succeeded on `main`, set off by ann: Coverage"),
        (samples::deployment_status("error"), "❌ Deployment to `production` ended in an error, set off by ann"),
        (samples::git_ref("create", "branch", "x/y"), "ann created the branch `x/y`"),
        (samples::git_ref("delete", "tag", "v1"), "ann deleted the tag `v1`"),
        (
            samples::review("commented"),
            "bo reviewed a pull request: #12 Add a checkout – Looks *\u{200B}good\u{200B}*\u{200B}. Ship it!",
        ),
        (("gollum", samples::payload("", json!({}))), "ann edited the wiki"),
    ] {
        assert_eq!(rendered(sample).text, format!("[acme/shop] {text}"));
    }
    let deployed = rendered(samples::deployment_status("success"));
    assert_eq!(section(&deployed), "Deployed in 3 s\n<https://shop.example/|See it>");
    assert_eq!(deployed.blocks[2]["elements"][0]["text"], "`main` · Commit `6dcb09b`");
    for sample in samples::all() {
        rendered(sample);
    }
}

#[test]
fn a_private_repository_has_its_lock() {
    let message = rendered(with(samples::issues("opened"), "/repository/private", json!(true)));
    assert!(headline(&message).starts_with("<https://github.com/acme/shop|acme/shop> · 🔒 private · Issue"));
}

#[test]
fn hostile_texts_stay_text() {
    for (title, shown) in [
        ("<!channel> & </b>|x>", "&lt;!channel&gt; &amp; &lt;/b&gt;¦x&gt;"),
        ("a\u{202E}b\u{2066}c\u{0}d", "abcd"),
        ("a\u{B}\t b", "a b"),
        ("*b* `c` _i_", "*\u{200B}b\u{200B}* \u{2CB}c\u{2CB} _\u{200B}i\u{200B}_"),
        ("<https://evil.example|#12 Add a checkout>", "&lt;https://evil.example¦#12 Add a checkout&gt;"),
    ] {
        let message = rendered(with(samples::pull_request("reopened"), "/pull_request/title", json!(title)));
        assert_eq!(section(&message), format!("*<https://github.com/acme/shop/pull/12|#12 {shown}>*"));
    }
    for unseen in ["", "\u{200B}\u{2060}", "\u{202E}\n", "\u{FE0F}\u{200D}"] {
        let sample = with(samples::pull_request("closed"), "/sender/login", json!(unseen));
        let sample = with(sample, "/repository/full_name", json!(format!("x{unseen}")));
        assert!(headline(&rendered(sample)).ends_with("by <https://github.com/ann|someone>"), "{unseen:?}");
    }
}

#[test]
fn links_lead_to_pages_only() {
    for address in ["javascript:alert(1)", "mailto:a@b.example", "https://a.example/|x>", "", "https://"] {
        let sample = with(samples::pull_request("reopened"), "/pull_request/html_url", json!(address));
        assert_eq!(section(&rendered(sample)), "*#12 Add a checkout*", "{address}");
    }
    let long = format!("https://a.example/{}", "x".repeat(2_000));
    let sample = with(samples::pull_request("reopened"), "/pull_request/html_url", json!(long));
    assert_eq!(section(&rendered(sample)), "*#12 Add a checkout*");
}

#[test]
fn a_long_text_is_cut() {
    let sample = |body: String| with(samples::pull_request("opened"), "/pull_request/body", json!(body));
    let message = rendered(sample("word ".repeat(1_000)));
    let body = section(&message).split_once('\n').unwrap().1;
    assert!(body.ends_with('…') && (250..=300).contains(&text::width(body)), "{body}");
    let lines = rendered(sample("- x\n\n".repeat(100)));
    assert!(section(&lines).ends_with("- x\n- x…"), "{}", section(&lines));
    assert_eq!(section(&lines).lines().count(), 7);
    let hidden = rendered(sample("<!-- all\nof --><!-- it".into()));
    assert!(!section(&hidden).contains('\n'), "{}", section(&hidden));
}

#[test]
fn damaged_and_hostile_payloads_keep_every_limit() {
    let mut dice = Dice(11);
    let mut readable = 0;
    for round in 0..100 {
        for (name, mut data) in samples::all() {
            for _ in 0..=dice.roll(12) {
                damage(&mut data, &mut dice);
            }
            // Without its repository, a payload has no message.
            if round % 4 > 0 {
                data = samples::rehoused(data);
            }
            if let Some(event) = GithubEvent::read(name, &data) {
                readable += 1;
                check_message(&message(&event));
            }
            // Hostile in every text at once, as long as it likes.
            if round % 10 == 0 {
                poison(&mut data, &mut dice);
                if let Some(event) = GithubEvent::read(name, &data) {
                    check_message(&message(&event));
                }
            }
        }
    }
    assert!(readable > 1_500, "{readable}");
}

/// Replaces a value in one place, or removes one.
fn damage(data: &mut Value, dice: &mut Dice) {
    let go_on = dice.roll(4) > 0;
    match data {
        Value::Object(fields) if go_on && !fields.is_empty() => {
            let at = dice.roll(fields.len());
            if dice.roll(8) == 0 {
                let key = fields.keys().nth(at).unwrap().clone();
                fields.remove(&key);
            } else {
                damage(fields.values_mut().nth(at).unwrap(), dice);
            }
        }
        Value::Array(entries) if go_on && !entries.is_empty() => {
            let at = dice.roll(entries.len());
            damage(&mut entries[at], dice);
        }
        Value::Object(_) if dice.roll(3) > 0 => {}
        other => *other = dice.value(3),
    }
}

/// Replaces every text.
fn poison(data: &mut Value, dice: &mut Dice) {
    match data {
        Value::String(text) if text.starts_with("https://") => {
            *text = format!("https://a.example/{}", dice.text(900));
        }
        Value::String(text) => *text = dice.text(3_000),
        Value::Array(entries) => entries.iter_mut().for_each(|entry| poison(entry, dice)),
        Value::Object(fields) => fields.values_mut().for_each(|field| poison(field, dice)),
        _ => {}
    }
}
