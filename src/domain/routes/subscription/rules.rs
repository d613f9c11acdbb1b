//! The rules of a subscription: their words, what holds where they say nothing, and what they must not say.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::domain::{Error, Result, error::Violation};

/// The most patterns of one list.
pub const MAX_PATTERNS: usize = 50;
/// Characters of a pattern.
pub const MAX_PATTERN_CHARS: usize = 255;

/// Which events are told, and how. Stored as JSON; a field that an older version did not know has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rules {
    /// `owner/name`, or `owner/*` for all that an account owns; in small letters or capitals. At least one.
    pub repositories: Vec<String>,
    /// The kinds of events. At least one.
    pub events: Vec<EventKind>,
    /// Branches: those that pull requests, their reviews and comments are aimed at, that were pushed, created or
    /// deleted, and that workflows and checks ran for. `include` left empty means every branch, but for commits the
    /// repository's default branch alone. GitHub tells comments on pull requests without a branch: where branches are
    /// asked for, a comment only replies in the thread of a pull request that was told.
    pub branches: Patterns,
    /// Labels of pull requests, issues, discussions, their reviews and comments; in small letters or capitals. One of
    /// `include` has to be there, and none of `exclude`.
    pub labels: Patterns,
    /// Logins, in small letters or capitals: the author of the pull request, issue, discussion, release, newest commit
    /// of a push; who set off the run or deployment; who reviewed, commented or did anything else.
    pub authors: Patterns,
    /// Whether events are told that a bot caused, or that are about what a bot wrote.
    pub bots: bool,
    /// Whether draft pull requests are told of. Where not, one is told when it becomes ready for review.
    pub drafts: bool,
    /// Which runs of workflows and checks are told.
    pub workflows: WorkflowRules,
    /// How messages on one topic hang together.
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

/// What has to be and what must not. `*` stands for any characters, `/` among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Patterns {
    /// One of these has to match; empty demands nothing.
    pub include: Vec<String>,
    /// None of these may match; they win.
    pub exclude: Vec<String>,
}

impl Patterns {
    /// Whether they let everything through.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

/// Which runs of workflows and checks are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WorkflowRules {
    /// How they ended. At least one.
    pub conclusions: Vec<Conclusion>,
    /// Patterns of their names, in small letters or capitals; empty means all.
    pub names: Vec<String>,
}

impl Default for WorkflowRules {
    fn default() -> Self {
        Self { conclusions: vec![Conclusion::Failure], names: Vec::new() }
    }
}

/// How messages on one pull request, issue or discussion hang together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ThreadRules {
    /// Whether they go into one thread. Where not, each stands in the channel.
    pub enabled: bool,
    /// Which replies are shown in the channel as well.
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
            /// Every one.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word in the rules.
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
    /// Issues: opened, closed, opened again.
    Issues = "issues",
    /// Pull requests: opened, ready for review, merged, closed, opened again.
    Pulls = "pulls",
    /// Commits pushed to a branch.
    Commits = "commits",
    /// Releases that were published.
    Releases = "releases",
    /// Deployments that succeeded or failed.
    Deployments = "deployments",
    /// Reviews of pull requests: one message each.
    Reviews = "reviews",
    /// New comments on issues, pull requests and commits.
    Comments = "comments",
    /// Branches and tags: created, deleted.
    Branches = "branches",
    /// Runs of GitHub Actions' workflows that ended as `workflows` says.
    Workflows = "workflows",
    /// Discussions: started, answered, closed, opened again, and new comments on them.
    Discussions = "discussions",
    /// Stars and forks.
    Stars = "stars",
    /// Check runs that ended as `workflows` says; those of GitHub Actions are `workflows`.
    Checks = "checks",
}

impl EventKind {
    /// What is told where nothing is said.
    pub const DEFAULT: [EventKind; 5] =
        [EventKind::Issues, EventKind::Pulls, EventKind::Commits, EventKind::Releases, EventKind::Deployments];
}

words! {
    /// How a run ended.
    Conclusion:
    /// It failed, took too long, or could not start.
    Failure = "failure",
    /// It succeeded.
    Success = "success",
    /// Somebody stopped it.
    Cancelled = "cancelled",
    /// It waits for somebody to act.
    ActionRequired = "action_required",
    /// It ended without a judgement.
    Neutral = "neutral",
    /// It was left out.
    Skipped = "skipped",
    /// GitHub lost sight of it.
    Stale = "stale",
}

impl Conclusion {
    /// What GitHub's word means here; nothing for a word that we do not know.
    pub fn of(word: &str) -> Option<Conclusion> {
        match word {
            "timed_out" | "startup_failure" => Some(Conclusion::Failure),
            word => Conclusion::ALL.iter().copied().find(|conclusion| conclusion.as_str() == word),
        }
    }
}

words! {
    /// Which replies in a thread are shown in the channel as well.
    Broadcast:
    /// None.
    Never = "never",
    /// That something was closed, merged, opened again, answered, or became ready for review.
    StateChanges = "state_changes",
    /// All.
    Always = "always",
}

impl Rules {
    /// Checks what their shape alone does not say.
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

/// The entries with their pointers; too many are a violation, and the rest of them is not looked at.
fn few<'a, T>(broken: &mut Vec<Violation>, field: &str, entries: &'a [T]) -> Vec<(String, &'a T)> {
    if entries.len() > MAX_PATTERNS {
        violate(broken, field.to_owned(), format!("must be at most {MAX_PATTERNS}, not {}", entries.len()));
    }
    entries.iter().take(MAX_PATTERNS).enumerate().map(|(n, entry)| (format!("{field}/{n}"), entry)).collect()
}

/// `owner/name` in GitHub's letters, or `owner/*`.
fn is_repository(text: &str) -> bool {
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
    fn what_is_left_out_has_a_default() {
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
    fn all_broken_rules_are_told_at_once() {
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
