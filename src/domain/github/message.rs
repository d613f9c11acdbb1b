//! Renders GitHub's events as Slack messages: short, in the manner of GitHub's own app, and safe with hostile titles.
//!
//! The wording for each subject lives here. Not here: the layout (`card`).

mod card;

use super::{
    catalogue,
    payload::{
        Comment, Commit, Deployment, GitRef, GithubEvent, Issue, Note, Pull, Push, Release, Review, Run, Subject,
    },
};
use crate::domain::slack::{SlackMessage, text};
use card::{Card, code, link, plain};

/// Maximum length of a commit's message, and of its author's name, in characters.
const MAX_MESSAGE: usize = 120;
const MAX_AUTHOR: usize = 40;
/// Characters shown of a hash.
const SHORT_HASH: usize = 7;

/// Renders the message for an event.
pub fn message(event: &GithubEvent) -> SlackMessage {
    let card = match &event.subject {
        Subject::Pull(it) => pull(event, it),
        Subject::Issue(it) => issue(event, it, "Issue"),
        Subject::Discussion(it) => issue(event, it, "Discussion"),
        Subject::Push(it) => push(event, it),
        Subject::Review(it, said) => review(event, it, said),
        Subject::ReviewComment(it, said) => {
            let card = Card::new(event, "", &event.sender, " commented on a line of a pull request");
            card.title(&said.url, &numbered(it.number, &it.title)).remark(&said.body)
        }
        Subject::Comment(it, said) => comment(event, it, said, if it.is_pull { "a pull request" } else { "an issue" }),
        Subject::DiscussionComment(it, said) => comment(event, it, said, "a discussion"),
        Subject::CommitComment(said) => {
            let card = Card::new(event, "", &event.sender, " commented on a commit");
            card.title(&said.url, short(&said.commit)).remark(&said.body)
        }
        Subject::Release(it) => release(event, it),
        Subject::WorkflowRun(it) => run(event, it, "Workflow"),
        Subject::CheckRun(it) => run(event, it, "Check"),
        Subject::Ci(it) => run(event, it, catalogue::find(&event.name).map_or("Run", |row| row.noun)),
        Subject::Ref(it) => git_ref(event, it),
        Subject::Deployment(it) | Subject::DeploymentStatus(it) => deployment(event, it),
        Subject::Star if event.action == "deleted" => {
            Card::new(event, "", &event.sender, " took a star back from the repository")
        }
        Subject::Star => Card::new(event, "⭐ ", &event.sender, " starred the repository"),
        Subject::Fork { full_name, url } => {
            Card::new(event, "", &event.sender, " forked the repository").title(url, full_name)
        }
        Subject::Note(it) => note(event, it),
        Subject::Other => {
            let name = [event.name.as_str(), event.action.as_str()].join(" ").replace('_', " ");
            Card::new(event, &format!("{} by ", plain(&name, "Event", 100)), &event.sender, "")
        }
    };
    card.finish()
}

fn pull(event: &GithubEvent, pull: &Pull) -> Card {
    let (author, sender) = (event.author(), &event.sender);
    let title = numbered(pull.number, &pull.title);
    let card = |done: &str, by| Card::new(event, done, by, "").title(&pull.url, &title);
    let way = format!("{} → {}", code(&pull.head), code(&pull.base));
    let whole = |card: Card| {
        let card = card.excerpt(&pull.body).detail(way.as_str()).names("Labels", &pull.labels);
        let card = card.names("Reviewers", &pull.reviewers);
        match pull.lines {
            Some((added, removed)) => card.detail(format!("+{added} −{removed}")),
            None => card,
        }
    };
    match event.action.as_str() {
        "closed" if pull.merged => card("Pull request merged by ", sender).detail(way),
        "closed" => card("Pull request closed without merging by ", sender).detail(way),
        "reopened" => card("Pull request reopened by ", sender).detail(way),
        "ready_for_review" => whole(card("Pull request marked ready for review by ", sender)),
        // Also for a later label or edit that passes the filters: the message is about the pull request, not about the
        // label.
        _ if pull.draft => whole(card("Draft pull request opened by ", author)),
        _ => whole(card("Pull request opened by ", author)),
    }
}

/// Renders an issue or a discussion.
fn issue(event: &GithubEvent, issue: &Issue, noun: &str) -> Card {
    let title = numbered(issue.number, &issue.title);
    let card = |done: &str| {
        let before = format!("{noun} {done} by ");
        Card::new(event, &before, &event.sender, "").title(&issue.url, &title)
    };
    match (event.action.as_str(), issue.state_reason.as_str()) {
        ("closed", "not_planned") => card("closed as not planned"),
        ("closed", "duplicate") => card("closed as a duplicate"),
        ("closed", "completed") => card("closed as completed"),
        ("closed", "resolved") => card("closed as resolved"),
        ("closed", "outdated") => card("closed as outdated"),
        ("closed", _) => card("closed"),
        ("reopened", _) => card("reopened"),
        ("answered", _) => card("marked as answered"),
        _ => {
            let before = format!("{noun} opened by ");
            let card = Card::new(event, &before, event.author(), "").title(&issue.url, &title);
            card.excerpt(&issue.body).names("Labels", &issue.labels)
        }
    }
}

fn comment(event: &GithubEvent, issue: &Issue, comment: &Comment, noun: &str) -> Card {
    let card = Card::new(event, "", &event.sender, &format!(" commented on {noun}"));
    card.title(&comment.url, &numbered(issue.number, &issue.title)).remark(&comment.body)
}

fn review(event: &GithubEvent, pull: &Pull, review: &Review) -> Card {
    let title = numbered(pull.number, &pull.title);
    let card = |before: &str, by, done: &str| Card::new(event, before, by, done).title(&review.url, &title);
    let card = match review.state.as_str() {
        // Its text was part of the notification of the submitted review.
        _ if event.action == "dismissed" => {
            return card("The review by ", &review.author, " of a pull request was dismissed");
        }
        "approved" => card("✅ ", &event.sender, " approved a pull request"),
        "changes_requested" => card("❗ ", &event.sender, " requested changes on a pull request"),
        _ => card("", &event.sender, " reviewed a pull request"),
    };
    card.remark(&review.body)
}

fn push(event: &GithubEvent, push: &Push) -> Card {
    let verb = if push.forced { "force-pushed" } else { "pushed" };
    let commits = if push.commit_count == 1 { "commit" } else { "commits" };
    let place = format!("{} {}", push.target.kind.as_str(), code(&push.target.name));
    let done = match push.commit_count {
        0 if push.deleted => format!(" deleted the {place}"),
        0 => format!(" {verb} the {place}"),
        count if push.created => format!(" {verb} {count} {commits} to the new {place}"),
        count => format!(" {verb} {count} {commits} to the {place}"),
    };
    let mut card = Card::new(event, "", &event.sender, &done);
    if let ([only], 1) = (push.commits.as_slice(), push.commit_count) {
        card = card.summary(&only.message);
    }
    for commit in &push.commits {
        card = card.line(commit_line(commit));
    }
    let more = push.commit_count.saturating_sub(push.commits.len());
    let compare = match more {
        0 => link(&push.compare_url, "Compare", "Compare", MAX_MESSAGE),
        more => link(&push.compare_url, &format!("…and {more} more"), "…", MAX_MESSAGE),
    };
    match more {
        0 if !compare.starts_with('<') => card,
        0 => card.detail(compare),
        _ => card.line(compare),
    }
}

fn commit_line(commit: &Commit) -> String {
    let sha = link(&commit.url, short(&commit.sha), "commit", MAX_AUTHOR);
    let message = plain(&commit.message, "(no message)", MAX_MESSAGE);
    match text::plain(&commit.author, MAX_AUTHOR) {
        author if author.is_empty() => format!("{sha} {message}"),
        author => format!("{sha} {message} – {author}"),
    }
}

fn release(event: &GithubEvent, release: &Release) -> Card {
    let noun = if release.prerelease { "Pre-release" } else { "Release" };
    let title = if release.name.is_empty() { &release.tag } else { &release.name };
    let card = Card::new(event, &format!("{noun} published by "), event.author(), "");
    card.title(&release.url, title).excerpt(&release.body).detail(format!("Tag {}", code(&release.tag)))
}

fn run(event: &GithubEvent, run: &Run, noun: &str) -> Card {
    let (sign, ended) = match run.conclusion.as_str() {
        "success" => ("✅", "succeeded"),
        "failure" => ("❌", "failed"),
        "error" => ("❌", "ended in an error"),
        "timed_out" => ("❌", "timed out"),
        "startup_failure" => ("❌", "could not start"),
        "action_required" => ("❗", "needs somebody to act"),
        "cancelled" => ("⏹️", "was cancelled"),
        "skipped" => ("⏭️", "was skipped"),
        "stale" => ("⏹️", "went stale"),
        "neutral" => ("⏺️", "ended without a judgement"),
        "" | "pending" => ("⏳", "is running"),
        _ => ("⏺️", "ended"),
    };
    let title = if run.number > 0 { format!("{} #{}", run.name, run.number) } else { run.name.clone() };
    let before = if run.branch.is_empty() {
        format!("{sign} {noun} {ended}, set off by ")
    } else {
        format!("{sign} {noun} {ended} on {}, set off by ", code(&run.branch))
    };
    let mut card = Card::new(event, &before, event.author(), "").title(&run.url, &title).excerpt(&run.title);
    if !run.sha.is_empty() {
        card = card.detail(format!("Commit {}", code(short(&run.sha))));
    }
    if run.attempt > 1 {
        card = card.detail(format!("Attempt {}", run.attempt));
    }
    match noun {
        "Check" | "Check suite" if !run.app.is_empty() => card.detail(format!("App {}", code(&run.app))),
        _ => card,
    }
}

/// Renders an event as its row of the catalogue says.
fn note(event: &GithubEvent, note: &Note) -> Card {
    let Some(row) = catalogue::find(&event.name) else { return Card::new(event, "", &event.sender, "") };
    let done = match row.phrase(&event.action) {
        Some(phrase) => phrase.to_owned(),
        None => format!("{} {}", plain(&event.action.replace('_', " "), "changed", MAX_AUTHOR), row.noun),
    };
    let mut card = Card::new(event, "", &event.sender, &format!(" {done}")).title(&note.url, &note.title);
    if let Some((label, values)) = note.facts.first() {
        card = card.aside(label, &values[0]);
    }
    card = card.excerpt(&note.body);
    note.facts.iter().fold(card, |card, (label, values)| card.names(label, values))
}

fn git_ref(event: &GithubEvent, target: &GitRef) -> Card {
    let done = if event.name == "delete" { "deleted" } else { "created" };
    let after = format!(" {done} the {} {}", target.kind.as_str(), code(&target.name));
    Card::new(event, "", &event.sender, &after)
}

fn deployment(event: &GithubEvent, deployment: &Deployment) -> Card {
    let (sign, went) = match deployment.state.as_str() {
        "success" => ("✅", "succeeded"),
        "failure" => ("❌", "failed"),
        "error" => ("❌", "ended in an error"),
        "" => ("🚀", "was created"),
        _ => ("⏳", "is on its way"),
    };
    let place = code(&deployment.environment);
    let before = format!("{sign} Deployment to {place} {went}, set off by ");
    let mut card = Card::new(event, &before, event.author(), "").excerpt(&deployment.description);
    let place = link(&deployment.url, "See it", "See it", MAX_MESSAGE);
    if place.starts_with('<') {
        card = card.line(place);
    }
    if !deployment.target.is_empty() {
        card = card.detail(code(&deployment.target));
    }
    if deployment.target.is_empty() || !deployment.sha.starts_with(&deployment.target) {
        card = card.detail(format!("Commit {}", code(short(&deployment.sha))));
    }
    card
}

fn numbered(number: i64, title: &str) -> String {
    if number > 0 { format!("#{number} {title}") } else { title.to_owned() }
}

/// Abbreviates a hash as Git does.
fn short(sha: &str) -> &str {
    sha.get(..SHORT_HASH).unwrap_or(sha)
}

#[cfg(test)]
mod tests;
