//! Accessors of an event, common to all subjects: its number, branch, labels and author.
//!
//! Not here: the rules that read them (`domain::github::subscription`).

use super::{Actor, GithubEvent, RefKind, Subject};

/// Branch of an event, for the rule on branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch<'a> {
    /// The event is not about a branch.
    None,
    /// The event is about a branch, and GitHub does not name it.
    Unknown,
    /// The named branch.
    Name(&'a str),
}

impl GithubEvent {
    /// Returns the number of the pull request, issue or discussion; they share one sequence.
    pub fn number(&self) -> Option<i64> {
        let number = match &self.subject {
            Subject::Pull(pull) | Subject::Review(pull, _) | Subject::ReviewComment(pull, _) => pull.number,
            Subject::Issue(issue)
            | Subject::Comment(issue, _)
            | Subject::Discussion(issue)
            | Subject::DiscussionComment(issue, _) => issue.number,
            _ => 0,
        };
        (number > 0).then_some(number)
    }

    /// Returns the branch: of a pull request its base, of a push the one that moved, of a run the checked one.
    pub fn branch(&self) -> Branch<'_> {
        let name = match &self.subject {
            Subject::Pull(pull) | Subject::Review(pull, _) | Subject::ReviewComment(pull, _) => &pull.base,
            Subject::WorkflowRun(run) | Subject::CheckRun(run) | Subject::Ci(run) => &run.branch,
            Subject::Push(push) if push.target.kind == RefKind::Branch => &push.target.name,
            Subject::Ref(target) if target.kind == RefKind::Branch => &target.name,
            // GitHub sends a comment on a pull request as one on an issue, and an issue has no branch.
            Subject::Comment(issue, _) if issue.is_pull => return Branch::Unknown,
            _ => return Branch::None,
        };
        if name.is_empty() { Branch::Unknown } else { Branch::Name(name) }
    }

    /// Returns the labels, for subjects that can have some.
    pub fn labels(&self) -> Option<&[String]> {
        match &self.subject {
            Subject::Pull(pull) | Subject::Review(pull, _) | Subject::ReviewComment(pull, _) => Some(&pull.labels),
            Subject::Issue(issue)
            | Subject::Comment(issue, _)
            | Subject::Discussion(issue)
            | Subject::DiscussionComment(issue, _) => Some(&issue.labels),
            _ => None,
        }
    }

    /// Returns the author of the subject; for reviews, comments and subjects without an author, the sender.
    pub fn author(&self) -> &Actor {
        let author = match &self.subject {
            Subject::Pull(pull) => &pull.author,
            Subject::Issue(issue) | Subject::Discussion(issue) => &issue.author,
            Subject::Push(push) => &push.author,
            Subject::Release(release) => &release.author,
            Subject::WorkflowRun(run) | Subject::CheckRun(run) | Subject::Ci(run) => &run.actor,
            Subject::Deployment(deployment) | Subject::DeploymentStatus(deployment) => &deployment.creator,
            _ => &self.sender,
        };
        if author.login.is_empty() { &self.sender } else { author }
    }

    /// Returns the account of an event that is about no repository.
    pub fn account(&self) -> Option<&str> {
        (self.repository.id == 0).then_some(self.repository.full_name.as_str())
    }

    /// Returns true for an event about a draft pull request.
    pub fn is_draft(&self) -> bool {
        match &self.subject {
            Subject::Pull(pull) | Subject::Review(pull, _) | Subject::ReviewComment(pull, _) => pull.draft,
            Subject::Comment(issue, _) => issue.is_pull && issue.draft,
            _ => false,
        }
    }
}
