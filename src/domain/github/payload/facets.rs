//! What rules and messages ask of an event, whatever it is about: its number, branch, labels and author.

use super::{Actor, GithubEvent, RefKind, Subject};

/// The branch that a rule on branches looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch<'a> {
    /// The event has nothing to do with a branch.
    None,
    /// There is one, and GitHub does not say which.
    Unknown,
    /// This one.
    Name(&'a str),
}

impl GithubEvent {
    /// The number of the pull request, issue or discussion; they share one sequence.
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

    /// The branch: of a pull request the one it is aimed at, of a push the one that moved, of a run the one it checks.
    pub fn branch(&self) -> Branch<'_> {
        let name = match &self.subject {
            Subject::Pull(pull) | Subject::Review(pull, _) | Subject::ReviewComment(pull, _) => &pull.base,
            Subject::WorkflowRun(run) | Subject::CheckRun(run) => &run.branch,
            Subject::Push(push) if push.target.kind == RefKind::Branch => &push.target.name,
            Subject::Ref(target) if target.kind == RefKind::Branch => &target.name,
            // A comment on a pull request comes as one on an issue, and an issue has no branch.
            Subject::Comment(issue, _) if issue.is_pull => return Branch::Unknown,
            _ => return Branch::None,
        };
        if name.is_empty() { Branch::Unknown } else { Branch::Name(name) }
    }

    /// The labels, where there can be some.
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

    /// Who wrote what it is about: of reviews, comments and whatever has no author, who did it.
    pub fn author(&self) -> &Actor {
        let author = match &self.subject {
            Subject::Pull(pull) => &pull.author,
            Subject::Issue(issue) | Subject::Discussion(issue) => &issue.author,
            Subject::Push(push) => &push.author,
            Subject::Release(release) => &release.author,
            Subject::WorkflowRun(run) | Subject::CheckRun(run) => &run.actor,
            Subject::Deployment(deployment) | Subject::DeploymentStatus(deployment) => &deployment.creator,
            _ => &self.sender,
        };
        if author.login.is_empty() { &self.sender } else { author }
    }

    /// Whether it is about a pull request that is not yet meant to be merged.
    pub fn is_draft(&self) -> bool {
        match &self.subject {
            Subject::Pull(pull) | Subject::Review(pull, _) | Subject::ReviewComment(pull, _) => pull.draft,
            Subject::Comment(issue, _) => issue.is_pull && issue.draft,
            _ => false,
        }
    }
}
