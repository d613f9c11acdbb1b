//! The error tables of all dialects as snapshots: every error with its status, headers and body. `cargo insta review`, or
//! `INSTA_UPDATE=always cargo test --lib error_tables`, takes a change that is meant; the difference is for the reviewer.

use std::time::Duration;

use uuid::Uuid;

use super::{
    ALL,
    shared::{
        fault::{Fault, Protocol},
        refusal::Occasion,
    },
};
use crate::domain::{
    Error,
    error::{AuthFailure, Noun, StateFailure, StorageFault, Upstream, Violation},
    registry::definition::{Issue, Rule},
    tenancy::session::SessionRefusal,
    webhooks::{Way, WebhookRefusal, incoming_refusal::HookRefusal},
};

const NOUNS: [Noun; 20] = [
    Noun::Organisation,
    Noun::Member,
    Noun::Invitation,
    Noun::Token,
    Noun::Channel,
    Noun::Connection,
    Noun::SlackLink,
    Noun::GithubInstallation,
    Noun::Workflow,
    Noun::Route,
    Noun::Integration,
    Noun::Setting,
    Noun::Event,
    Noun::Delivery,
    Noun::Destination,
    Noun::Secret,
    Noun::ApiKey,
    Noun::Interface,
    Noun::Action,
    Noun::Installation,
];

const AUTH_FAILURES: [AuthFailure; 9] = [
    AuthFailure::Missing,
    AuthFailure::Invalid,
    AuthFailure::Expired,
    AuthFailure::Revoked,
    AuthFailure::NotAMember,
    AuthFailure::NoWorkspace,
    AuthFailure::NotSigned,
    AuthFailure::NotKeyed,
    AuthFailure::SessionEnded,
];

const STORAGE_FAULTS: [StorageFault; 6] = [
    StorageFault::Unreachable,
    StorageFault::Full,
    StorageFault::Unwritable,
    StorageFault::Damaged,
    StorageFault::Contended,
    StorageFault::Slow,
];

/// Rules for which a dialect has an error type of its own, and one for which none has.
pub(super) const RULES: [Rule; 10] = [
    Rule::Data,
    Rule::JsonSchema,
    Rule::Identifier,
    Rule::Interface,
    Rule::Limit,
    Rule::Quota,
    Rule::BreakingChange,
    Rule::Taken,
    Rule::Reserved,
    Rule::MaxLength,
];

fn webhook_refusals() -> Vec<WebhookRefusal> {
    use WebhookRefusal as W;
    let both = [Way::Incoming, Way::Outgoing];
    let of_way = both.into_iter().flat_map(|way| [W::NotAllowed(way), W::NotYours(way), W::UserUnknown(way)]);
    let plain = [
        W::Hidden,
        W::Unknown,
        W::NothingToChange,
        W::Type,
        W::NoChannel,
        W::ChannelSign,
        W::NoUsername,
        W::ScriptsFrozen,
        W::PosterUnknown,
        W::ChannelUnknown("#alerts".into()),
        W::NotInChannel("#alerts".into()),
        W::EventUnknown,
        W::NoTargetRoom,
        W::NoUrls,
        W::UrlRefused { url: "http://10.0.0.1/".into(), why: "it leads inside".into() },
        W::NeedsAll,
        W::PrivateNeedsAll("all_private_groups".into()),
        W::NoToken,
        W::NoId,
        W::NoSuchOutgoing,
        W::NotOutgoing,
        W::NoSuchRun,
        W::RunWithoutData,
        W::TooMany(100),
        W::Hook(HookRefusal::Unknown),
        W::Hook(HookRefusal::PosterGone),
        W::Hook(HookRefusal::Disabled),
        W::Hook(HookRefusal::Override),
        W::Hook(HookRefusal::ScriptsDisabled),
        W::Hook(HookRefusal::ScriptContent),
        W::Hook(HookRefusal::NoTarget),
        W::Hook(HookRefusal::NoSubscriber),
    ];
    of_way.chain(plain).collect()
}

/// Errors of the core that have variants within: one of each.
fn core() -> Vec<Error> {
    let mut all: Vec<Error> = AUTH_FAILURES.map(Error::Unauthenticated).into();
    let not_proven = |upstream| Error::NotProven { upstream, message: "prove it first".into() };
    for upstream in [Upstream::Slack, Upstream::Github, Upstream::App] {
        all.push(not_proven(upstream));
        for code in ["channel_not_found", "invalid_code", "invalid_client_id"] {
            all.push(Error::Refused { upstream, code: code.into() });
        }
        for retry_after in [None, Some(Duration::from_secs(30))] {
            all.push(Error::UpstreamUnavailable { upstream, reason: "timeout".into(), retry_after });
        }
    }
    for noun in NOUNS {
        all.push(Error::not_found(noun, "x"));
        all.push(Error::NotConnected { noun });
        all.push(Error::Conflict { noun, message: "another one is in the way".into() });
        all.push(Error::InUse { noun, message: "it is used in 2 places".into() });
    }
    all.extend(["/name", "/json_url", "limit"].map(|field| Error::invalid(field, "is wrong")));
    all.extend(RULES.map(|rule| Error::Issues(vec![Issue::new(rule, "/title", "is wrong")])));
    let taken = Issue::new(Rule::Reserved, "/name", "is already reserved by another workspace");
    all.push(Error::Issues(vec![taken, Issue::new(Rule::Type, "/title", "must be string")]));
    all.extend(webhook_refusals().into_iter().map(Error::Webhook));
    all.extend(SessionRefusal::ALL.map(Error::Session));
    all.extend([StateFailure::Unknown, StateFailure::Expired].map(Error::OAuthState));
    all.extend(STORAGE_FAULTS.map(Error::Storage));
    all.extend([
        Error::not_found(Noun::Integration, "intver_1"),
        Error::Forbidden { permission: "channels:manage".into() },
        Error::FailedPrecondition { message: "choose a Slack channel first".into() },
        Error::IdempotencyMismatch { key: "order-17".into() },
        Error::IdempotencyInFlight { key: "order-17".into() },
        Error::RateLimited { retry_after: Duration::from_millis(2_500) },
        Error::Unavailable { what: "the database" },
        Error::Internal("for the log alone".into()),
    ]);
    all
}

fn protocol() -> Vec<Protocol> {
    let broken = |fields: &[&str]| {
        let one = |field: &&str| Violation { field: (*field).to_owned(), message: "is required".into() };
        Protocol::BodyViolations(fields.iter().map(one).collect())
    };
    vec![
        Protocol::MalformedJson { reason: "expected value".into(), line: 1, column: 10 },
        broken(&["/name"]),
        broken(&["/json_url"]),
        broken(&["/json_url", "/name"]),
        Protocol::Parameter { name: "integrationId".into(), reason: "is required".into() },
        Protocol::Parameter { name: "limit".into(), reason: "must be 1 to 250".into() },
        Protocol::UnsupportedMediaType { got: Some("text/plain".into()), supported: "application/json".into() },
        Protocol::UnsupportedMediaType { got: None, supported: "application/json".into() },
        Protocol::BodyTooLarge { limit_bytes: 1 << 20 },
        Protocol::UnreadableBody,
        Protocol::BodyTimeout,
        Protocol::RouteNotFound { path: "/v1/nothing".into() },
        Protocol::MethodNotAllowed { allow: vec!["GET", "HEAD"] },
    ]
}

fn faults() -> Vec<Fault> {
    let core = core().into_iter().map(Fault::Core);
    let bug = Fault::Bug { id: Uuid::from_u128(5) };
    core.chain(protocol().into_iter().map(Fault::Protocol)).chain([bug]).collect()
}

/// A number for each variant of [`Error`]. A new one does not compile before it has its number, and then is missed below.
fn number(error: &Error) -> usize {
    match error {
        Error::Unauthenticated(_) => 0,
        Error::Forbidden { .. } => 1,
        Error::NotProven { .. } => 2,
        Error::NotFound { .. } => 3,
        Error::NotConnected { .. } => 4,
        Error::Conflict { .. } => 5,
        Error::Invalid(_) => 6,
        Error::Issues(_) => 7,
        Error::InUse { .. } => 8,
        Error::FailedPrecondition { .. } => 9,
        Error::Webhook(_) => 10,
        Error::OAuthState(_) => 11,
        Error::IdempotencyMismatch { .. } => 12,
        Error::IdempotencyInFlight { .. } => 13,
        Error::Refused { .. } => 14,
        Error::UpstreamUnavailable { .. } => 15,
        Error::RateLimited { .. } => 16,
        Error::Unavailable { .. } => 17,
        Error::Storage(_) => 18,
        Error::Internal(_) => 19,
        Error::Session(_) => 20,
    }
}

#[test]
fn every_error_is_in_the_tables() {
    let mut found: Vec<usize> = core().iter().map(number).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, (0..21).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_tables_are_as_they_were() {
    for dialect in ALL {
        let mut table = String::new();
        for fault in faults() {
            let response = (dialect.refuse)(&fault, Occasion::example());
            let headers = response.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
            let (status, headers) = (response.status().as_u16(), headers.collect::<Vec<_>>().join(", "));
            let body = response.into_body().into_string().await.unwrap();
            table += &format!("{fault:?}\n  {status} {headers}\n  {body}\n");
        }
        insta::assert_snapshot!(dialect.name, table);
    }
}
