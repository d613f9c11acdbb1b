//! Evaluates each filter of a subscription against an event, with a reason that names the rule and the value.
//!
//! Not here: the rule on actions (`story`).

use std::borrow::Cow;

use super::{
    Conclusion, EventKind, Patterns, Rules,
    story::{self, ThreadRole},
};
use crate::domain::{
    github::{
        GithubEvent, catalogue,
        payload::{Actor, Branch, Subject},
    },
    routes::glob,
};

/// Reason for letting an event through, or for skipping it.
type Outcome = Result<Cow<'static, str>, Cow<'static, str>>;

/// A rule.
pub(super) struct Filter {
    /// Its name.
    pub(super) name: &'static str,
    /// Evaluates it.
    pub(super) test: fn(&Rules, &GithubEvent) -> Outcome,
}

/// Name of the rule that determines whether a subscription is concerned.
pub(super) const REPOSITORIES: &str = "repositories";

/// The rules in order of evaluation.
pub(super) const ALL: &[Filter] = &[
    Filter { name: REPOSITORIES, test: repositories },
    Filter { name: "events", test: events },
    Filter { name: "action", test: action },
    Filter { name: "drafts", test: drafts },
    Filter { name: "branches", test: branches },
    Filter { name: "labels", test: labels },
    Filter { name: "authors", test: authors },
    Filter { name: "bots", test: bots },
    Filter { name: "workflows", test: workflows },
];

/// Maximum characters of a value or pattern in a reason, and maximum number of patterns.
const MAX_SHOWN: usize = 80;
const MAX_LISTED: usize = 5;

fn repositories(rules: &Rules, event: &GithubEvent) -> Outcome {
    let repositories = &rules.repositories;
    if let Some(account) = event.account() {
        // What concerns a whole account goes where all of its repositories go.
        let whole = format!("{account}/*");
        return included("account", &[&whole], repositories, REPOSITORIES, str::eq_ignore_ascii_case);
    }
    let name = event.repository.full_name.as_str();
    included("repository", &[name], repositories, REPOSITORIES, glob::covers_in_any_case)
}

fn events(rules: &Rules, event: &GithubEvent) -> Outcome {
    let events = &rules.events;
    let names = || events.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let kind = catalogue::find(&event.name).map_or(EventKind::Other, |row| row.kind);
    match events.contains(&kind) {
        true => Ok(format!("the kind {kind} is among events").into()),
        false => Err(format!("the kind {kind} is not among events ({})", names()).into()),
    }
}

/// Returns true if an event is about a repository of the subscription.
pub(super) fn is_about(rules: &Rules, event: &GithubEvent) -> bool {
    repositories(rules, event).is_ok()
}

fn action(rules: &Rules, event: &GithubEvent) -> Outcome {
    story::thread_role(rules, event).map(|role| {
        Cow::Borrowed(match role {
            ThreadRole::Opening => "it is notified where it was not notified before",
            ThreadRole::Change => "it is notified as a change of state",
            ThreadRole::Reply => "it is notified as a reply",
            ThreadRole::Alone => "it is notified by itself",
        })
    })
}

fn drafts(rules: &Rules, event: &GithubEvent) -> Outcome {
    match (event.is_draft(), rules.drafts) {
        (false, _) => Ok("it is not about a draft".into()),
        (true, true) => Ok("it is about a draft, and drafts is true".into()),
        (true, false) => {
            let number = event.number().unwrap_or_default();
            let then = "it is notified when it becomes ready for review";
            Err(format!("the pull request #{number} is a draft, and drafts is false; {then}").into())
        }
    }
}

fn branches(rules: &Rules, event: &GithubEvent) -> Outcome {
    let patterns = &rules.branches;
    let branch = match event.branch() {
        Branch::None => return Ok("it is not about a branch".into()),
        Branch::Unknown if only_replies(rules, event) => {
            return Ok("GitHub does not say which branch; it is notified where its pull request was notified".into());
        }
        Branch::Unknown => None,
        Branch::Name(branch) => Some(branch),
    };
    let outcome = judged("branch", branch.as_slice(), patterns, "branches", glob::covers);
    let default = event.repository.default_branch.as_str();
    let is_push = matches!(event.subject, Subject::Push(_));
    if let Some(branch) = branch
        && is_push
        && patterns.include.is_empty()
        && outcome.is_ok()
        && !default.is_empty()
        && branch != default
    {
        let (branch, default) = (quoted(branch), quoted(default));
        let means = "branches.include is empty, which for commits means the default branch";
        return Err(format!("the branch {branch} is not {default}; {means}").into());
    }
    outcome
}

/// Returns true if only an earlier notification shows that the branch is right. GitHub sends comments on pull requests
/// without their branch; if the pull request has a thread, its branch passed the filter.
pub(super) fn only_replies(rules: &Rules, event: &GithubEvent) -> bool {
    let is_comment = matches!(event.subject, Subject::Comment(..)) && event.branch() == Branch::Unknown;
    is_comment && !rules.branches.is_empty() && rules.threads.enabled && event.number().is_some()
}

fn labels(rules: &Rules, event: &GithubEvent) -> Outcome {
    let Some(labels) = event.labels() else { return Ok("it is about nothing that has labels".into()) };
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    judged("label", &labels, &rules.labels, "labels", glob::covers_in_any_case)
}

fn authors(rules: &Rules, event: &GithubEvent) -> Outcome {
    let login = Some(event.author().login.as_str()).filter(|login| !login.is_empty());
    judged("author", login.as_slice(), &rules.authors, "authors", glob::covers_in_any_case)
}

/// A bot may add a label to a person's subject: if that opens the topic, only the author counts.
fn bots(rules: &Rules, event: &GithubEvent) -> Outcome {
    let opens = story::thread_role(rules, event) == Ok(ThreadRole::Opening);
    let is_bot = |actor: &Actor| actor.is_bot.then(|| quoted(&actor.login));
    let author = is_bot(event.author()).map(|login| format!("the author {login} is a bot"));
    let sender = || is_bot(&event.sender).filter(|_| !opens).map(|login| format!("the sender {login} is a bot"));
    match author.or_else(sender) {
        None => Ok("no bot is at work".into()),
        Some(bot) if rules.bots => Ok(format!("{bot}, and bots is true").into()),
        Some(bot) => Err(format!("{bot}, and bots is false").into()),
    }
}

fn workflows(rules: &Rules, event: &GithubEvent) -> Outcome {
    let (Subject::WorkflowRun(run) | Subject::CheckRun(run) | Subject::Ci(run)) = &event.subject else {
        return Ok("it is not about a workflow or check".into());
    };
    let rules = &rules.workflows;
    let wanted = Conclusion::of(&run.conclusion).is_some_and(|conclusion| rules.conclusions.contains(&conclusion));
    if !wanted {
        let names: Vec<_> = rules.conclusions.iter().map(|conclusion| conclusion.as_str()).collect();
        let (ended, names) = (quoted(&run.conclusion), names.join(", "));
        return Err(format!("the conclusion {ended} is not among workflows.conclusions ({names})").into());
    }
    if rules.names.is_empty() {
        return Ok(format!("the conclusion {} is among workflows.conclusions", quoted(&run.conclusion)).into());
    }
    included("name", &[&run.name], &rules.names, "workflows.names", glob::covers_in_any_case)
}

/// Matches values against patterns: none may be excluded, and one has to be included unless `include` is empty.
fn judged(noun: &str, values: &[&str], patterns: &Patterns, rule: &str, covers: fn(&str, &str) -> bool) -> Outcome {
    for value in values {
        if let Some(pattern) = patterns.exclude.iter().find(|pattern| covers(pattern, value)) {
            let (value, pattern) = (quoted(value), listed(std::slice::from_ref(pattern)));
            return Err(format!("the {noun} {value} is among {rule}.exclude ({pattern})").into());
        }
    }
    if !patterns.include.is_empty() {
        return included(noun, values, &patterns.include, &format!("{rule}.include"), covers);
    }
    Ok(if patterns.exclude.is_empty() {
        format!("{rule} asks for nothing").into()
    } else {
        format!("nothing is among {rule}.exclude").into()
    })
}

fn included(noun: &str, values: &[&str], patterns: &[String], rule: &str, covers: fn(&str, &str) -> bool) -> Outcome {
    for value in values {
        if let Some(pattern) = patterns.iter().find(|pattern| covers(pattern, value)) {
            let (value, pattern) = (quoted(value), listed(std::slice::from_ref(pattern)));
            return Ok(format!("the {noun} {value} is among {rule} ({pattern})").into());
        }
    }
    let wanted = listed(patterns);
    Err(match values {
        [] if noun == "label" => format!("it has no label, and {rule} asks for one ({wanted})"),
        [] => format!("its {noun} is not known, and {rule} asks for one ({wanted})"),
        [value] => format!("the {noun} {} is not among {rule} ({wanted})", quoted(value)),
        values => {
            let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
            format!("none of the {noun}s ({}) is among {rule} ({wanted})", listed(&values))
        }
    }
    .into())
}

/// Quotes a user's text in a reason: of bounded length, with invisible characters escaped.
pub(super) fn quoted(value: &str) -> String {
    format!("{:?}", cut(value))
}

/// Lists the first of some texts, and the number of the others.
pub(super) fn listed(texts: &[String]) -> String {
    let shown = texts.iter().take(MAX_LISTED).map(|text| cut(text).escape_debug().to_string());
    let mut out = shown.collect::<Vec<_>>().join(", ");
    if texts.len() > MAX_LISTED {
        out.push_str(&format!(" and {} more", texts.len() - MAX_LISTED));
    }
    out
}

fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_SHOWN) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]).into(),
    }
}
