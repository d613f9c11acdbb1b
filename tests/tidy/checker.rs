//! Tests of the checker: each rule has to find a violation and nothing else.

use super::*;

fn arrows(path: &str, text: &str) -> Vec<String> {
    let crates = ["aws_lc_rs", "chrono", "poem", "sea_orm", "serde_json", "tokio", "url"].map(str::to_owned);
    let broken = broken_arrows(&Source::new(path, text), &crates);
    let used = |message: &String| message.lines().next().unwrap_or_default().rsplit(' ').next().map(str::to_owned);
    broken.iter().filter_map(used).collect()
}

fn rules(path: &str, text: &str) -> Vec<String> {
    let broken = broken_rules(&Source::new(path, text));
    broken.into_iter().map(|message| message.split_inclusive(' ').take(2).collect()).collect()
}

fn leaves(text: &str) -> Vec<String> {
    paths(&tokens(text)).into_iter().map(|(line, path)| format!("{line} {}", path.join("::"))).collect()
}

#[test]
fn comments_and_literals_are_blank() {
    let code = "a /* b /* c */ d */ e // f\n\"g \\\" h\" 'i' '\\'' 'static r#\"j \" k\"# br\"l\" r#type \u{e9}\n";
    let words: Vec<_> = tokens(code).into_iter().map(|token| format!("{}{}", token.line, token.text)).collect();
    assert_eq!(words, ["1a", "1e", "2'", "2static", "2r", "2#", "2type", "2\u{e9}"]);
}

#[test]
fn a_use_is_taken_apart_to_its_leaves() {
    let text = "pub use a::{\n  b as z,\n  c::{self, d, e::*},\n};\nuse f;\nuse super::{super::g, self};";
    let found = ["2 a::b", "3 a::c", "3 a::c::d", "3 a::c::e", "5 f", "6 super::super::g", "6 super"];
    let without_alias: Vec<_> = leaves(text).into_iter().map(|leaf| leaf.replace("::z", "")).collect();
    assert_eq!(without_alias, found);
}

#[test]
fn inline_paths_are_found() {
    let text = "fn f(x: crate::store::Store) -> T {\n  x.a::<u8>();\n  let _ = ::poem::Route::new().b;\n}";
    assert_eq!(leaves(text), ["1 crate::store::Store", "3 poem::Route::new"]);
}

#[test]
fn relative_paths_are_resolved() {
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    let resolve = |file, text| absolute(file, path(text)).join("::");
    assert_eq!(resolve("src/api/telex/wire.rs", "super::super::boomerang::Card"), "crate::api::boomerang::Card");
    assert_eq!(resolve("src/api/telex.rs", "self::wire"), "crate::api::telex::wire");
    assert_eq!(resolve("src/main.rs", "tieline::app::events"), "crate::app::events");
    assert_eq!(resolve("src/app/events.rs", "chrono::Utc"), "chrono::Utc");
}

#[test]
fn domain_uses_only_what_is_listed() {
    let text = "use crate::{config::Config, domain::ids};\nuse aws_lc_rs::hmac;\nuse super::error::Error;\n\
                use serde_json::{Value, json};\nfn f() { std::fs::read(p); chrono::Utc; local::x(); tokio::spawn(f()) }";
    let found = ["crate::config::Config", "aws_lc_rs::hmac", "std::fs::read", "tokio::spawn"];
    assert_eq!(arrows("src/domain/event.rs", text), found);
}

#[test]
fn each_row_sees_its_forbidden_arrow() {
    for (path, forbidden, allowed) in [
        ("entity/src/event.rs", "tieline::domain::Event", "crate::delivery::Entity"),
        ("src/store/events.rs", "crate::app::Events", "entity::event::Entity"),
        ("src/store.rs", "super::api::ALL", "crate::config::Database"),
        ("src/provider/slack.rs", "crate::store::Store", "crate::domain::Error"),
        ("src/app/events.rs", "poem::Route", "crate::provider::slack::Slack"),
        ("src/app/events.rs", "sea_orm::Entity", "crate::store::Store"),
        ("src/app/events.rs", "crate::startup::run", "tokio::spawn"),
        ("src/worker/deliver.rs", "crate::api::shared::Guard", "crate::app::Events"),
        ("src/api/telex.rs", "entity::event::Entity", "poem::Route"),
        ("src/api/telex/wire.rs", "crate::api::boomerang::Card", "crate::api::shared::Fault"),
        ("src/api/shared/auth.rs", "crate::api::native::Token", "crate::app::access::Access"),
        ("src/api/telex.rs", "crate::worker::deliver", "self::wire::Setting"),
        ("src/api.rs", "crate::store::Store", "crate::api::telex::Api"),
    ] {
        assert_eq!(arrows(path, &format!("use {forbidden};")).len(), 1, "{path} must not use {forbidden}");
        assert_eq!(arrows(path, &format!("fn f() {{ {forbidden}() }}")).len(), 1, "{path}, inline {forbidden}");
        assert_eq!(arrows(path, &format!("use {allowed};")), [""; 0], "{path} may use {allowed}");
    }
}

#[test]
fn the_order_of_the_rooms_is_seen() {
    let rooms = |path: &str, text: &str| broken_rooms(&Source::new(path, text)).len();
    assert_eq!(rooms("src/app/pipeline/intake.rs", "use crate::store::slack::links;"), 1);
    assert_eq!(rooms("src/app/pipeline.rs", "fn f() { store::webhooks::find() }"), 1);
    assert_eq!(rooms("src/app/slack/links.rs", "use super::super::apps::Apps;"), 1);
    assert_eq!(rooms("src/app/webhooks.rs", "use crate::app::pipeline::Pipeline;"), 0);
    assert_eq!(rooms("src/worker/clock.rs", "use crate::app::registry::Registry;"), 0, "not in a room");
}

#[test]
fn a_broken_arrow_shows_its_row() {
    let broken = broken_arrows(&Source::new("src/provider/slack.rs", "\nuse crate::store::Store;"), &[]);
    let row = "    | `provider` | `domain`, `reqwest` | `store`, `app`, `poem`, `poem_openapi`, `sea_orm`, `sqlx` |";
    assert_eq!(broken, [format!("src/provider/slack.rs:2 uses crate::store::Store\n{row}")]);
}

#[test]
fn tests_may_do_as_they_like() {
    let text = "//! A.\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::app::X;\n    fn g() { x.unwrap(); }\n}\n";
    assert_eq!(arrows("src/domain/x.rs", text), [""; 0]);
    assert_eq!(rules("src/domain/x.rs", text), [""; 0]);
    assert_eq!(Source::new("src/domain/x.rs", text).lines, 2);
    assert_eq!(Source::new("src/domain/x.rs", &format!("{text}fn h() {{}}\n")).lines, 8, "not at the end");
}

#[test]
fn a_file_that_is_declared_for_tests_may_too() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let helper = "//! A.\nuse crate::api::X;\nfn f() { a.unwrap() }";
    let broken = |parent: &str| {
        let files = ["src/app.rs", "src/app/far.rs", "src/app/far/end.rs", "src/app/farther.rs"];
        let texts = [parent, helper, helper, helper];
        let sources = read(files.iter().zip(texts).map(|(path, text)| file(path, text)).collect());
        let broken = |source: &Source| [broken_arrows(source, &[]), broken_rules(source)].concat().len();
        sources.iter().map(broken).collect::<Vec<_>>()
    };
    assert_eq!(broken("//! A.\nmod far;"), [0, 2, 2, 2]);
    assert_eq!(broken("//! A.\n#[cfg(test)]\npub(crate) mod far;\nmod farther;"), [0, 0, 0, 2]);
}

#[test]
fn each_rule_sees_what_breaks_it() {
    let long = |lines: usize| format!("//! A.\n{}", "\n".repeat(lines - 1));
    for (path, text, line) in [
        ("src/api/mod.rs", "//! A.\n", 1),
        ("standin/src/slack/mod.rs", "", 1),
        ("src/app/events.rs", &long(401), 401),
        ("tests/telex.rs", &long(901), 901),
        ("src/api/telex/error.rs", "//! A.\nmatch e {\n  A => 1,\n  _ => 2,\n}", 4),
        ("src/app/events.rs", "//! A.\nfn f() {\n  a\n    .unwrap()\n}", 4),
        ("src/app/events.rs", "//! A.\nfn f() { a.expect(\"b\") }", 2),
        ("src/store/x.rs", "//! A.\nconst A: &str = \"UPDATE a SET b = 1 RETURNING *\";", 2),
        ("src/store/x.rs", "//! A.\nconst A: &str = \"UPDATE a \\\n RETURNING \\\n a.*\";", 3),
        ("migration/src/m1.rs", "a.execute(b);\na.execute_unprepared(b);", 2),
        ("migration/src/m1.rs", "const A: &str = \"CREATE INDEX CONCURRENTLY a ON b (c)\";", 1),
        ("migration/src/m1.rs", "const A: &str = \"\n id BIGSERIAL PRIMARY KEY,\n\";", 2),
        ("src/x.rs", "//! A.\n#[derive(Object)]\n#[oai(a = 1)]\n#[derive(utoipa::ToSchema)]\nstruct A;", 5),
        ("src/app/events.rs", "// A.\n", 1),
    ] {
        let found = rules(path, text);
        assert_eq!(found.len(), 1, "{path}: {text} gave {found:?}");
        assert!(found[0].starts_with(&format!("{path}:{line} ")), "{found:?}");
    }
}

#[test]
fn question_words_are_seen_where_a_doc_comment_begins() {
    let text = "//! What it does.\n\n/// A name.\n/// Who has it.\nstruct A;\n    /// (none)\n    b: u8,\n\n\
                // Who asks.\n//// Whose.\n/// whether it may.\nfn c() {}\n/// Bypass.\nfn d() {}\n";
    assert_eq!(question_words(&Source::new("src/x.rs", text)), [1, 11]);
}

#[test]
fn no_rule_sees_what_is_right() {
    for (path, text) in [
        ("src/app/events.rs", "//! A.\n".repeat(400)),
        ("tests/telex.rs", "fn f() { a.unwrap() }\n".repeat(900)),
        ("src/startup/ambient.rs", "//! A.\nfn f() { a.expect(\"b\") }".to_owned()),
        ("src/app/x.rs", "//! A.\nfn f() { a.unwrap_or(1); b.expect_err; match c { _ => 2 } }".to_owned()),
        ("src/api/telex/error.rs", "//! A. `_ =>`\nlet _ = \"_ => .unwrap()\";".to_owned()),
        ("src/store/x.rs", "//! A.\nconst A: &str = \"UPDATE a SET b = 2 * 2 RETURNING b\";".to_owned()),
        ("src/x.rs", "//! A.\n#[derive(Object)]\nstruct A;\n#[derive(ToSchema)]\nstruct B;".to_owned()),
    ] {
        assert_eq!(rules(path, &text), [""; 0], "{path}");
    }
}
