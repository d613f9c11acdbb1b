//! Every event type: its message by example, what hostile payloads make of it, and its line in the guide.

use std::{collections::BTreeSet, fmt::Write};

use serde_json::{Value, json};

use super::*;
use crate::domain::{
    github::{
        GithubEvent, message,
        payload::Subject,
        samples::{self, Sample, read},
        subscription::{Decision, Rules},
    },
    slack::block_kit::{Dice, check_message},
};

/// The guide, with its table of event types.
const GUIDE: &str = include_str!("../../../../docs/guide/slack-and-github.md");

/// Returns a subscription to everything, or by these rules.
fn subscription(rules: Value) -> Rules {
    samples::subscription("acme/*", rules)
}

#[test]
fn every_type_is_listed_once_and_has_a_sample() {
    let names: BTreeSet<_> = ROWS.iter().map(|row| row.event).collect();
    assert_eq!(names.len(), ROWS.len());
    assert!(names.len() >= 54, "{}", names.len());
    let sampled: Vec<_> = samples::catalogue().iter().map(|sample| sample.0).collect();
    assert_eq!(sampled.len(), names.len());
    assert_eq!(sampled.into_iter().collect::<BTreeSet<_>>(), names);
    for sample in samples::catalogue() {
        let is_note = matches!(read(&sample).subject, Subject::Note(_));
        assert_eq!(is_note, !find(sample.0).unwrap().has_subject(), "{}", sample.0);
    }
}

#[test]
fn every_type_is_notified_in_its_words_or_says_why_not() {
    let all = subscription(json!({"events": EventKind::ALL}));
    let mut table = String::new();
    for sample in samples::catalogue() {
        let event = read(&sample);
        writeln!(table, "{} {} ({})", event.name, event.action, find(&event.name).unwrap().kind).unwrap();
        match all.decide(&event) {
            Decision::Send(content) => {
                check_message(&content.message);
                let blocks = content.message.blocks.as_array().unwrap();
                let texts = blocks.iter().map(|block| &block["text"]["text"]).zip(blocks);
                writeln!(table, "  {}", content.message.text).unwrap();
                for (section, block) in texts {
                    let text = section.as_str().or(block["elements"][0]["text"].as_str()).unwrap();
                    writeln!(table, "    {}", text.replace('\n', "\n    ")).unwrap();
                }
            }
            Decision::Skip(reason) => writeln!(table, "  skipped: {reason}").unwrap(),
            Decision::Ignore(_) => panic!("{}: neither a message nor a reason", event.name),
        }
        assert!(!table.contains("never-to-be-shown"), "a leaked secret is not spread further");
    }
    insta::assert_snapshot!(table);
}

#[test]
fn nobody_is_flooded_who_has_not_asked() {
    let defaults = subscription(json!({}));
    let mut told = Vec::new();
    for sample in samples::catalogue() {
        match defaults.decide(&read(&sample)) {
            Decision::Send(_) => told.push(sample.0),
            Decision::Skip(reason) => assert!(!reason.is_empty()),
            Decision::Ignore(_) => panic!("{}", sample.0),
        }
    }
    assert_eq!(told, ["pull_request", "issues", "push", "release", "deployment_status"]);
    for kind in EventKind::DEFAULT {
        let added = ROWS.iter().filter(|row| row.kind == kind && !row.has_subject());
        assert_eq!(added.count(), 0, "{kind}: a default kind has only what it had");
    }
}

#[test]
fn an_unknown_type_is_notified_by_its_name() {
    let sample = ("quantum_entanglement", samples::payload("observed", json!({})));
    let event = read(&sample);
    assert_eq!(message(&event).text, "[acme/shop] quantum entanglement observed by ann");
    assert!(matches!(subscription(json!({"events": ["other"]})).decide(&event), Decision::Send(_)));
    let reason = "the kind other is not among events (issues, pulls, commits, releases, deployments)";
    assert_eq!(subscription(json!({})).decide(&event), Decision::Skip(reason.into()));
}

#[test]
fn an_event_about_an_account_goes_where_all_of_its_repositories_go() {
    let event = samples::catalogue().into_iter().find(|sample| sample.0 == "org_block").unwrap();
    let event = read(&event);
    assert_eq!(event.account(), Some("acme"));
    let decide =
        |repositories: &str| samples::subscription(repositories, json!({"events": ["members"]})).decide(&event);
    assert!(matches!(decide("ACME/*"), Decision::Send(_)));
    for other in ["acme/shop", "acme2/*", "ac/*"] {
        assert!(matches!(decide(other), Decision::Ignore(_)), "{other}");
    }
}

#[test]
fn statuses_and_jobs_are_chosen_by_their_conclusion() {
    let sample = |name: &str| samples::catalogue().into_iter().find(|sample| sample.0 == name).unwrap();
    let decide = |sample: &Sample, conclusions: Value| {
        let rules = json!({"events": ["ci"], "workflows": {"conclusions": conclusions}});
        match subscription(rules).decide(&read(sample)) {
            Decision::Send(content) => content.message.text,
            Decision::Skip(reason) => reason.into_owned(),
            Decision::Ignore(_) => String::new(),
        }
    };
    let pending = samples::with(sample("status"), "/state", json!("pending"));
    let queued = samples::with(sample("workflow_job"), "/action", json!("queued"));
    let own = samples::with(sample("check_suite"), "/check_suite/app/slug", json!("github-actions"));
    let failed = "[acme/shop] ❌ Status ended in an error on `main`, set off by ann: ci/build";
    assert_eq!(decide(&sample("status"), json!(["failure"])), failed);
    for (sample, reason) in [
        (&sample("workflow_job"), "the conclusion \"failure\" is not among workflows.conclusions (success)"),
        (&pending, "the conclusion \"pending\" is not among workflows.conclusions (success)"),
        (&queued, "the action queued is not notified"),
        (&own, "checks by GitHub Actions are notified as runs of their workflow, by the kind workflows"),
    ] {
        assert_eq!(decide(sample, json!(["success"])), reason);
    }
}

/// Replaces every text; URLs by ones that try to break out of a link.
fn poison(data: &mut Value, dice: &mut Dice) {
    const CONTROL: [&str; 8] = [
        "<!channel>",
        "<!here|x>",
        "<@U012>",
        "<#C012|general>",
        "<!subteam^S1>",
        "<https://evil.example|click>",
        "> <!everyone>",
        "&lt;!channel&gt;",
    ];
    match data {
        Value::String(text) if text.starts_with("https://") => {
            let tricks = ["https://a.example/|x> <!channel>", "javascript:alert(1)", "https://a.example/<!here>\n"];
            *text = tricks[dice.roll(tricks.len())].to_owned();
        }
        Value::String(text) => *text = format!("{}{}", CONTROL[dice.roll(CONTROL.len())], dice.text(40)),
        Value::Array(entries) => entries.iter_mut().for_each(|entry| poison(entry, dice)),
        Value::Object(fields) => fields.values_mut().for_each(|field| poison(field, dice)),
        _ => {}
    }
}

#[test]
fn no_text_of_a_payload_becomes_a_control_sequence_of_slacks() {
    let mut dice = Dice(7);
    for _ in 0..60 {
        for (name, mut data) in samples::catalogue() {
            poison(&mut data, &mut dice);
            let event = GithubEvent::read(name, &data).expect(name);
            let message = message(&event);
            check_message(&message);
            let written = format!("{} {}", message.text, message.blocks);
            for sign in ["<!", "<@", "<#", "<https://evil", "<javascript"] {
                assert!(!written.contains(sign), "{name}: {written}");
            }
        }
    }
}

#[test]
fn the_guide_lists_every_type_with_its_kind() {
    for row in ROWS {
        let line = format!("| `{}` | `{}` |", row.event, row.kind);
        assert!(GUIDE.contains(&line), "docs/guide/slack-and-github.md lacks {line}");
    }
    for kind in EventKind::ALL {
        assert!(GUIDE.contains(&format!("`{kind}`")), "{kind}");
    }
}
