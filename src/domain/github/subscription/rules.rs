//! The rules of a subscription: their enum values, defaults and validation.
//!
//! Not here: their evaluation (`filters`).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::domain::{Error, Result, error::Violation};

/// Maximum number of patterns in a list.
pub const MAX_PATTERNS: usize = 50;
/// Maximum length of a pattern, in characters.
pub const MAX_PATTERN_CHARS: usize = 255;

/// Rules for the notification of events. Stored as JSON; a field unknown to an older version has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rules {
    /// `owner/name`, or `owner/*` for all repositories of an account; case-insensitive. At least one.
    pub repositories: Vec<String>,
    /// The kinds of events. At least one.
    pub events: Vec<EventKind>,
    /// Branches: the base of pull requests, their reviews and comments; the branch that was pushed, created or deleted,
    /// or that workflows and checks ran for. An empty `include` means every branch, but for commits the repository's
    /// default branch alone. GitHub sends comments on pull requests without a branch: if the rule has any pattern, a
    /// comment only replies in the thread of a notified pull request.
    pub branches: Patterns,
    /// Labels of pull requests, issues, discussions, their reviews and comments; case-insensitive. One of `include` has
    /// to be there, and none of `exclude`.
    pub labels: Patterns,
    /// Logins, case-insensitive: the author of the pull request, issue, discussion, release, or newest commit of a
    /// push; the account that triggered the run or deployment; otherwise the sender.
    pub authors: Patterns,
    /// True to notify events caused by a bot, or about a bot's text.
    pub bots: bool,
    /// True to notify draft pull requests. Otherwise one is notified when it becomes ready for review.
    pub drafts: bool,
    /// Filter of runs of workflows and checks, of jobs and statuses.
    pub workflows: WorkflowRules,
    /// Threading of the messages on one topic.
    pub threads: ThreadRules,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            repositories: Vec::new(),
            events: EventKind::DEFAULT.into(),
            branches: Patterns::default(),
            labels: Patterns::default(),
            authors: Patterns::default(),
            bots: true,
            drafts: false,
            workflows: WorkflowRules::default(),
            threads: ThreadRules::default(),
        }
    }
}

/// Required and forbidden patterns. `*` stands for any characters, `/` among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Patterns {
    /// One of these has to match; empty requires nothing.
    pub include: Vec<String>,
    /// None of these may match; they take precedence.
    pub exclude: Vec<String>,
}

impl Patterns {
    /// Returns true if they let everything through.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

/// Filter of runs of workflows and checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WorkflowRules {
    /// The notified conclusions. At least one.
    pub conclusions: Vec<Conclusion>,
    /// Patterns of their names, case-insensitive; empty means all.
    pub names: Vec<String>,
}

impl Default for WorkflowRules {
    fn default() -> Self {
        Self { conclusions: vec![Conclusion::Failure], names: Vec::new() }
    }
}

/// Threading of the messages on one pull request, issue or discussion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ThreadRules {
    /// True to post them into one thread. Otherwise each is a message of its own in the channel.
    pub enabled: bool,
    /// The replies that are shown in the channel as well.
    pub broadcast: Broadcast,
}

impl Default for ThreadRules {
    fn default() -> Self {
        Self { enabled: true, broadcast: Broadcast::Never }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$item:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$item])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All values.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// Returns the value's name in the rules.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                let words = || $name::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", ");
                let found = $name::ALL.iter().copied().find(|word| word.as_str() == text);
                found.ok_or_else(|| Error::invalid("", format!("must be one of {}", words())))
            }
        }
    };
}

words! {
    /// A kind of events.
    EventKind:
    /// Issues: opened, closed, reopened.
    Issues = "issues",
    /// Pull requests: opened, ready for review, merged, closed, reopened.
    Pulls = "pulls",
    /// Commits pushed to a branch.
    Commits = "commits",
    /// Published releases.
    Releases = "releases",
    /// Deployments that succeeded or failed.
    Deployments = "deployments",
    /// Reviews of pull requests: one message each.
    Reviews = "reviews",
    /// New comments on issues, pull requests and commits.
    Comments = "comments",
    /// Branches and tags: created, deleted.
    Branches = "branches",
    /// Runs of GitHub Actions' workflows with a conclusion in `workflows`.
    Workflows = "workflows",
    /// Discussions: started, answered, closed, reopened, and new comments on them.
    Discussions = "discussions",
    /// Stars and forks.
    Stars = "stars",
    /// Check runs with a conclusion in `workflows`; those of GitHub Actions are `workflows`.
    Checks = "checks",
    /// Alerts of Dependabot, of code scanning and of secret scanning; advisories; security settings.
    Security = "security",
    /// Jobs, check suites and commits' statuses with a conclusion in `workflows`; merge groups, builds of pages, and
    /// workflows and events that were dispatched.
    Ci = "ci",
    /// Requests that await somebody's approval, and the answers: deployments, bypasses, dismissals, tokens.
    Approvals = "approvals",
    /// Milestones, labels, sub-issues, dependencies of issues, projects.
    Planning = "planning",
    /// The repository itself: created, archived, renamed, transferred, made public; its rules, keys and properties.
    Repository = "repository",
    /// People: collaborators, teams, members of the organization, blocked accounts, sponsors.
    Members = "members",
    /// Packages.
    Packages = "packages",
    /// Pages of the wiki.
    Wiki = "wiki",
    /// Types of events that are none of these.
    Other = "other",
}

impl EventKind {
    /// The default kinds.
    pub const DEFAULT: [EventKind; 5] =
        [EventKind::Issues, EventKind::Pulls, EventKind::Commits, EventKind::Releases, EventKind::Deployments];
}

words! {
    /// Conclusion of a run.
    Conclusion:
    /// It failed, timed out, or could not start.
    Failure = "failure",
    /// It succeeded.
    Success = "success",
    /// It was cancelled.
    Cancelled = "cancelled",
    /// It requires manual action.
    ActionRequired = "action_required",
    /// It ended neutrally.
    Neutral = "neutral",
    /// It was skipped.
    Skipped = "skipped",
    /// GitHub marked it stale.
    Stale = "stale",
}

impl Conclusion {
    /// Maps GitHub's conclusion; `None` for an unknown one.
    pub fn of(word: &str) -> Option<Conclusion> {
        match word {
            "timed_out" | "startup_failure" | "error" => Some(Conclusion::Failure),
            word => Conclusion::ALL.iter().copied().find(|conclusion| conclusion.as_str() == word),
        }
    }
}

words! {
    /// Replies in a thread that are shown in the channel as well.
    Broadcast:
    /// None.
    Never = "never",
    /// Changes of state: closed, merged, reopened, answered, ready for review.
    StateChanges = "state_changes",
    /// All.
    Always = "always",
}

impl Rules {
    /// Validates the rules beyond their shape.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every broken rule.
    pub fn check(&self) -> Result<()> {
        let mut broken = Vec::new();
        some(&mut broken, "/repositories", self.repositories.len(), "owner/name, or owner/* for a whole account");
        for (at, repository) in few(&mut broken, "/repositories", &self.repositories) {
            if !is_repository(repository) {
                violate(&mut broken, at, "must be owner/name, or owner/* for all that the account owns".to_owned());
            }
        }
        some(&mut broken, "/events", self.events.len(), "a kind of events");
        few(&mut broken, "/events", &self.events);
        let conclusions = &self.workflows.conclusions;
        for (field, patterns) in [
            ("/branches/include", &self.branches.include),
            ("/branches/exclude", &self.branches.exclude),
            ("/labels/include", &self.labels.include),
            ("/labels/exclude", &self.labels.exclude),
            ("/authors/include", &self.authors.include),
            ("/authors/exclude", &self.authors.exclude),
            ("/workflows/names", &self.workflows.names),
        ] {
            for (at, pattern) in few(&mut broken, field, patterns) {
                let blank = pattern.trim().is_empty() || pattern.trim() != pattern;
                if blank || pattern.chars().count() > MAX_PATTERN_CHARS || pattern.chars().any(char::is_control) {
                    let message = "characters without control characters, and without spaces around them";
                    violate(&mut broken, at, format!("must be 1 to {MAX_PATTERN_CHARS} {message}"));
                }
            }
        }
        some(&mut broken, "/workflows/conclusions", conclusions.len(), "a conclusion, such as failure");
        few(&mut broken, "/workflows/conclusions", conclusions);
        if broken.is_empty() { Ok(()) } else { Err(Error::Invalid(broken)) }
    }
}

fn violate(broken: &mut Vec<Violation>, field: String, message: String) {
    broken.push(Violation { field, message });
}

fn some(broken: &mut Vec<Violation>, field: &str, count: usize, what: &str) {
    if count == 0 {
        violate(broken, field.to_owned(), format!("must name at least one: {what}"));
    }
}

/// Returns the entries with their pointers; too many are a violation, and the rest of them is not read.
fn few<'a, T>(broken: &mut Vec<Violation>, field: &str, entries: &'a [T]) -> Vec<(String, &'a T)> {
    if entries.len() > MAX_PATTERNS {
        violate(broken, field.to_owned(), format!("must be at most {MAX_PATTERNS}, not {}", entries.len()));
    }
    entries.iter().take(MAX_PATTERNS).enumerate().map(|(n, entry)| (format!("{field}/{n}"), entry)).collect()
}

/// Accepts `owner/name` in GitHub's characters, or `owner/*`.
pub fn is_repository(text: &str) -> bool {
    let word = |word: &str, more: &[u8]| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    text.len() <= MAX_PATTERN_CHARS
        && text.split_once('/').is_some_and(|(owner, name)| word(owner, b"-_") && (name == "*" || word(name, b"-_.")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules() -> Rules {
        Rules { repositories: vec!["acme/*".into()], ..Rules::default() }
    }

    fn broken(rules: &Rules) -> Vec<String> {
        match rules.check() {
            Err(Error::Invalid(violations)) => violations.into_iter().map(|violation| violation.field).collect(),
            Ok(()) => Vec::new(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn an_absent_field_has_its_default() {
        let read: Rules = serde_json::from_value(json!({"repositories": ["acme/*"]})).unwrap();
        assert_eq!(read, rules());
        assert_eq!(
            serde_json::to_value(&read).unwrap(),
            json!({
                "repositories": ["acme/*"],
                "events": ["issues", "pulls", "commits", "releases", "deployments"],
                "branches": {"include": [], "exclude": []},
                "labels": {"include": [], "exclude": []},
                "authors": {"include": [], "exclude": []},
                "bots": true,
                "drafts": false,
                "workflows": {"conclusions": ["failure"], "names": []},
                "threads": {"enabled": true, "broadcast": "never"},
            })
        );
        let partial: Rules = serde_json::from_value(json!({"threads": {"broadcast": "always"}, "labels": {}})).unwrap();
        assert!(partial.threads.enabled && partial.threads.broadcast == Broadcast::Always);
    }

    #[test]
    fn unknown_words_are_refused() {
        for bad in [
            json!({"repos": []}),
            json!({"branches": {"only": []}}),
            json!({"events": ["everything"]}),
            json!({"workflows": {"conclusions": ["timed_out"]}}),
            json!({"threads": {"broadcast": true}}),
            json!({"bots": null}),
        ] {
            assert!(serde_json::from_value::<Rules>(bad.clone()).is_err(), "{bad}");
        }
        let refused = "everything".parse::<Broadcast>().unwrap_err();
        assert_eq!(refused.to_string(), ": must be one of never, state_changes, always");
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse::<EventKind>().ok(), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn repositories_have_an_owner_and_a_name() {
        for good in ["acme/shop", "Acme-Inc/*", "a/b.c_d-e", "some_corp/x"] {
            assert!(is_repository(good), "{good}");
        }
        let long = format!("a/{}", "b".repeat(254));
        for bad in ["", "acme", "*", "*/*", "*/shop", "acme/", "/shop", "acme/web-*", "a/b/c", "a b/c", "ä/b", &long] {
            assert!(!is_repository(bad), "{bad}");
        }
    }

    #[test]
    fn all_violations_are_reported_at_once() {
        assert_eq!(broken(&rules()), [""; 0]);
        let long = "x".repeat(MAX_PATTERN_CHARS);
        let all = Rules {
            repositories: vec!["acme/shop".into(), "shop".into()],
            events: Vec::new(),
            branches: Patterns { include: vec![String::new(), "main".into()], exclude: vec![" x".into()] },
            labels: Patterns { include: vec![long.clone(), long.clone() + "x"], exclude: vec!["a\nb".into()] },
            authors: Patterns { include: vec!["a".into(); 51], exclude: vec!["*[bot]".into(); 50] },
            workflows: WorkflowRules { conclusions: Vec::new(), names: vec!["\t".into()] },
            ..rules()
        };
        let expected = [
            "/repositories/1",
            "/events",
            "/branches/include/0",
            "/branches/exclude/0",
            "/labels/include/1",
            "/labels/exclude/0",
            "/authors/include",
            "/workflows/names/0",
            "/workflows/conclusions",
        ];
        assert_eq!(broken(&all), expected);
        assert_eq!(broken(&Rules::default()), ["/repositories"]);
    }
}
