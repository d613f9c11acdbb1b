//! Commands by example, hostile texts, and long lists.

use serde_json::json;

use super::*;
use crate::domain::{
    github::samples,
    slack::block_kit::{Dice, check_message},
};

fn target(repository: &str, kinds: &[EventKind]) -> Target {
    Target { repository: repository.into(), kinds: kinds.into() }
}

#[test]
fn commands_are_understood() {
    use EventKind::{Reviews, Security};
    for (text, expected) in [
        ("subscribe acme/web", Command::Subscribe(target("acme/web", &[]))),
        (" Subscribe  acme/web reviews,security reviews", Command::Subscribe(target("acme/web", &[Reviews, Security]))),
        ("subscribe <https://github.com/acme/web/> Reviews", Command::Subscribe(target("acme/web", &[Reviews]))),
        ("subscribe acme/*", Command::Subscribe(target("acme/*", &[]))),
        ("UNSUBSCRIBE acme/web, reviews", Command::Unsubscribe(target("acme/web", &[Reviews]))),
        ("list", Command::List),
        ("subscribe list", Command::List),
    ] {
        assert_eq!(parse(text), Some(Ok(expected)), "{text}");
    }
    for other in ["", "help", "deploy", "list all", "subscribes acme/web", ","] {
        assert_eq!(parse(other), None, "{other}");
    }
}

#[test]
fn a_wrong_command_says_what_is_right() {
    let wrong = |text: &str| parse(text).unwrap().unwrap_err();
    assert!(wrong("subscribe").starts_with("Name a repository: `subscribe OWNER/REPO`"));
    assert!(wrong("unsubscribe web").starts_with("`web` is not a repository."));
    let unknown = wrong("subscribe acme/web everything");
    assert!(unknown.starts_with("`everything` is not a feature. The features are: `issues` `pulls`"), "{unknown}");
    for kind in EventKind::ALL {
        assert!(unknown.contains(&format!("`{kind}`")));
    }
}

#[test]
fn no_answer_carries_markup_that_was_typed() {
    let mut dice = Dice(3);
    for _ in 0..500 {
        let typed = dice.text(3_000);
        for text in [format!("subscribe {typed}"), format!("subscribe acme/web {typed}")] {
            if let Some(Err(wrong)) = parse(&text) {
                check_message(&message(wrong));
            }
        }
        check_message(&message(unknown_repository(&typed, &[])));
        check_message(&message(refused(&typed)));
    }
}

#[test]
fn a_list_stays_within_a_message() {
    let one = (samples::subscription("acme/web", json!({"events": ["pulls", "security"]})), true);
    assert_eq!(listed(std::slice::from_ref(&one)), "This channel is notified of:\n• `acme/web`: `pulls` `security`");
    let disabled = (one.0.clone(), false);
    assert!(listed(&[disabled]).contains("`acme/web` (disabled):"));
    let long = listed(&vec![one; 400]);
    assert!(long.contains(" more"), "{long}");
    check_message(&message(long));
    check_message(&message(listed(&[])));
}
