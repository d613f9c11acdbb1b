//! Selects the actions that are notified, and their role within the thread of their topic.
//!
//! Not here: the other rules (`filters`).

use std::borrow::Cow;

use super::{
    filters::{listed, quoted},
    rules::Rules,
};
use crate::domain::{
    github::{
        GithubEvent, catalogue,
        payload::{RefKind, Subject},
    },
    routes::glob,
};

/// Role of a notification within the thread of its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ThreadRole {
    /// It opens the topic, and is not sent if that is open already.
    Opening,
    /// It reports a change of state: closed, merged, reopened, answered, ready for review.
    Change,
    /// It reports a comment or a review.
    Reply,
    /// It has no topic.
    Alone,
}

/// Returns the role of an event's notification, or the reason for none.
pub(super) fn thread_role(rules: &Rules, event: &GithubEvent) -> Result<ThreadRole, Cow<'static, str>> {
    let action = event.action.as_str();
    let role = match &event.subject {
        Subject::Pull(pull) => match action {
            "opened" => ThreadRole::Opening,
            "closed" | "reopened" | "ready_for_review" => ThreadRole::Change,
            _ => return late(rules, event, pull.open),
        },
        Subject::Issue(issue) => match action {
            "opened" => ThreadRole::Opening,
            "closed" | "reopened" => ThreadRole::Change,
            _ => return late(rules, event, issue.open),
        },
        Subject::Discussion(discussion) => match action {
            "created" => ThreadRole::Opening,
            "closed" | "reopened" | "answered" => ThreadRole::Change,
            _ => return late(rules, event, discussion.open),
        },
        Subject::Review(..) if ["submitted", "dismissed"].contains(&action) => ThreadRole::Reply,
        Subject::ReviewComment(..) => {
            return no("a comment on a line is part of its review, and a review is one message");
        }
        Subject::Comment(..) | Subject::DiscussionComment(..) if action == "created" => ThreadRole::Reply,
        Subject::Push(push) => match push.target.kind {
            RefKind::Tag => return no("tags are notified by the event create, which is of the kind branches"),
            RefKind::Other => return no("it is neither about a branch nor about a tag"),
            RefKind::Branch if push.deleted => {
                return no("a branch's end is notified by the event delete, which is of the kind branches");
            }
            RefKind::Branch if push.commit_count > 0 => ThreadRole::Alone,
            RefKind::Branch if push.created => {
                return no("a branch without commits is notified by the event create, which is of the kind branches");
            }
            RefKind::Branch if push.forced => ThreadRole::Alone,
            RefKind::Branch => return no("there are no commits in it"),
        },
        Subject::CheckRun(run) | Subject::Ci(run) if run.app == "github-actions" => {
            return no("checks by GitHub Actions are notified as runs of their workflow, by the kind workflows");
        }
        // A status has no action; its state is judged as a conclusion.
        Subject::Ci(_) if event.name == "status" => ThreadRole::Alone,
        Subject::WorkflowRun(_) | Subject::CheckRun(_) | Subject::Ci(_) if action == "completed" => ThreadRole::Alone,
        Subject::Release(_) if action == "published" => ThreadRole::Alone,
        Subject::CommitComment(_) | Subject::Star if action == "created" => ThreadRole::Alone,
        Subject::Ref(_) | Subject::Fork { .. } => ThreadRole::Alone,
        Subject::Deployment(_) => return no("a deployment is notified when it has succeeded or failed"),
        Subject::DeploymentStatus(deployment) => match deployment.state.as_str() {
            "success" | "failure" | "error" => ThreadRole::Alone,
            other => {
                let said = quoted(other);
                return Err(
                    format!("the deployment's state {said} is not notified, but success, failure and error").into()
                );
            }
        },
        Subject::Note(_) => match catalogue::find(&event.name).and_then(|row| row.muted.first()) {
            Some(reason) => return no(reason),
            None => ThreadRole::Alone,
        },
        Subject::Other => ThreadRole::Alone,
        _ => return not_notified(action),
    };
    Ok(role)
}

/// A later change may be the one that lets a subject through the filters: it is then notified as if it had just been
/// opened, unless that was notified before. Each included label does so, even if another one did: GitHub may show both
/// in both of their events, and then neither looks like the first.
fn late(rules: &Rules, event: &GithubEvent, open: bool) -> Result<ThreadRole, Cow<'static, str>> {
    let (patterns, list) = match event.action.as_str() {
        "labeled" => (&rules.labels.include, "labels.include"),
        "unlabeled" => (&rules.labels.exclude, "labels.exclude"),
        "edited" if event.retargeted && !rules.branches.is_empty() => (&Vec::new(), ""),
        action => return not_notified(action),
    };
    if !list.is_empty() {
        if patterns.is_empty() {
            return Err(format!("the action {} is not notified, as {list} names no label", event.action).into());
        }
        if let Some(label) = &event.label
            && !patterns.iter().any(|pattern| glob::covers_in_any_case(pattern, label))
        {
            let (label, patterns) = (quoted(label), listed(patterns));
            return Err(format!("it was {} {label}, which is not among {list} ({patterns})", event.action).into());
        }
    }
    if open {
        Ok(ThreadRole::Opening)
    } else {
        no("it is closed, and later labels and edits of what is closed are not notified")
    }
}

fn no(reason: &'static str) -> Result<ThreadRole, Cow<'static, str>> {
    Err(reason.into())
}

fn not_notified(action: &str) -> Result<ThreadRole, Cow<'static, str>> {
    let is_word = action.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    Err(match action {
        "" => "it says no action that is notified".into(),
        action if is_word => format!("the action {} is not notified", listed(&[action.to_owned()])).into(),
        action => format!("the action {} is not notified", quoted(action)).into(),
    })
}
