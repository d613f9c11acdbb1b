//! The typed part of a GitHub webhook's payload: actor, action, subject and repository.
//!
//! Parsing is in `read`; the accessors for rules and messages are in `facets`. Not here: the verification of a
//! signature.

mod facets;
mod read;

pub use facets::Branch;

/// A parsed webhook payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubEvent {
    /// GitHub's name of the event, such as `pull_request`.
    pub name: String,
    /// The action, such as `opened`; empty for an event without actions.
    pub action: String,
    /// GitHub's numeric id of the receiving installation; `None` if it is missing.
    pub installation_id: Option<i64>,
    /// The repository of the event, or the account of one that is about no repository.
    pub repository: Repository,
    /// The account that caused it.
    pub sender: Actor,
    /// The subject of the event.
    pub subject: Subject,
    /// The label that was added or removed, for such an action.
    pub label: Option<String>,
    /// True if a pull request's base branch was changed.
    pub retargeted: bool,
}

/// The repository of an event, or its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// GitHub's numeric id: it stays when the repository is renamed or moved. 0 for an account.
    pub id: i64,
    /// `owner/name`, or the login of an account.
    pub full_name: String,
    /// True if it has restricted visibility.
    pub private: bool,
    /// URL of its page.
    pub url: String,
    /// The default branch.
    pub default_branch: String,
}

/// An account that acted or wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Current login; empty if GitHub has none.
    pub login: String,
    /// True for a bot.
    pub is_bot: bool,
    /// URL of its page.
    pub url: String,
}

/// Subject of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A pull request.
    Pull(Box<Pull>),
    /// An issue.
    Issue(Box<Issue>),
    /// Commits that were pushed, or a branch or tag that moved.
    Push(Box<Push>),
    /// A review of a pull request.
    Review(Box<Pull>, Box<Review>),
    /// A comment on a line of a pull request: a part of a review.
    ReviewComment(Box<Pull>, Box<ReviewComment>),
    /// A comment on an issue or, as such, on a pull request.
    Comment(Box<Issue>, Box<Comment>),
    /// A comment on a commit.
    CommitComment(Box<Comment>),
    /// A release.
    Release(Box<Release>),
    /// A run of a workflow of GitHub Actions.
    WorkflowRun(Box<Run>),
    /// A check of a commit by some app.
    CheckRun(Box<Run>),
    /// A job, a suite of checks, or the status of a commit.
    Ci(Box<Run>),
    /// A branch or tag that was created or deleted.
    Ref(GitRef),
    /// A deployment, before its first status.
    Deployment(Box<Deployment>),
    /// The state of a deployment.
    DeploymentStatus(Box<Deployment>),
    /// A discussion.
    Discussion(Box<Issue>),
    /// A comment on a discussion.
    DiscussionComment(Box<Issue>, Box<Comment>),
    /// A star given or taken back.
    Star,
    /// A copy of the repository.
    Fork {
        /// `owner/name` of the copy.
        full_name: String,
        /// URL of its page.
        url: String,
    },
    /// A type whose message is described by its row in the catalogue.
    Note(Box<Note>),
    /// A type that the catalogue lacks.
    Other,
}

/// An event whose message is described by the catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Title of the object; empty if it has none.
    pub title: String,
    /// URL of its page.
    pub url: String,
    /// The beginning of a user's text.
    pub body: String,
    /// Labels with their values; none is empty.
    pub facts: Vec<(&'static str, Vec<String>)>,
}

/// A pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pull {
    /// Its number in the repository, shared with issues and discussions; 0 if it is missing.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// URL of its page.
    pub url: String,
    /// The beginning of its description.
    pub body: String,
    /// True if it is neither closed nor merged.
    pub open: bool,
    /// True for a draft.
    pub draft: bool,
    /// True if it was merged.
    pub merged: bool,
    /// The base branch.
    pub base: String,
    /// The head branch.
    pub head: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// The author.
    pub author: Actor,
    /// The requested reviewers: people, then teams.
    pub reviewers: Vec<String>,
    /// Lines added and removed, if GitHub gives them.
    pub lines: Option<(i64, i64)>,
}

/// An issue, or a pull request or discussion represented as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issue {
    /// Its number in the repository; 0 if it is missing.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// URL of its page.
    pub url: String,
    /// The beginning of its text.
    pub body: String,
    /// True if it is not closed.
    pub open: bool,
    /// Reason for its closing or reopening, such as `not_planned`.
    pub state_reason: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// The author.
    pub author: Actor,
    /// True for a pull request: GitHub sends comments on those as comments on issues.
    pub is_pull: bool,
    /// True for a draft pull request.
    pub draft: bool,
}

/// Commits that were pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Push {
    /// The branch or tag that moved.
    pub target: GitRef,
    /// The first of the commits, oldest first.
    pub commits: Vec<Commit>,
    /// Number of commits.
    pub commit_count: usize,
    /// Author of the newest of them.
    pub author: Actor,
    /// True for a forced push, which drops former commits.
    pub forced: bool,
    /// True if the branch or tag was created.
    pub created: bool,
    /// True if it was deleted.
    pub deleted: bool,
    /// URL of the page with the changes.
    pub compare_url: String,
}

/// A commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Its hash.
    pub sha: String,
    /// The first line of its message.
    pub message: String,
    /// Its author's login or else name.
    pub author: String,
    /// URL of its page.
    pub url: String,
}

/// A branch or a tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitRef {
    /// Kind of the reference.
    pub kind: RefKind,
    /// Its name, without `refs/heads/`.
    pub name: String,
}

/// Kind of a Git reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefKind {
    /// A branch.
    Branch,
    /// A tag.
    Tag,
    /// A note, or another kind that is never shown.
    #[default]
    Other,
}

impl RefKind {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            RefKind::Branch => "branch",
            RefKind::Tag => "tag",
            RefKind::Other => "ref",
        }
    }
}

/// A review of a pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// GitHub's numeric id; 0 if it is missing.
    pub id: i64,
    /// `approved`, `changes_requested`, `commented` or `dismissed`.
    pub state: String,
    /// The beginning of its text; the comments on lines are not part of it.
    pub body: String,
    /// URL of its page.
    pub url: String,
    /// The author.
    pub author: Actor,
}

/// A comment on a line of a pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewComment {
    /// The review that contains it; 0 if it is missing.
    pub review_id: i64,
    /// The beginning of its text.
    pub body: String,
    /// URL of its page.
    pub url: String,
}

/// A comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comment {
    /// The beginning of its text.
    pub body: String,
    /// URL of its page.
    pub url: String,
    /// The hash of the commit, for a comment on one.
    pub commit: String,
}

/// A release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// Its name; empty if it has none but its tag.
    pub name: String,
    /// Its tag.
    pub tag: String,
    /// URL of its page.
    pub url: String,
    /// The beginning of its notes.
    pub body: String,
    /// True for a pre-release.
    pub prerelease: bool,
    /// The author.
    pub author: Actor,
}

/// A run of a workflow or of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The workflow's or the check's name.
    pub name: String,
    /// Subject of the run, such as a commit's message; a check's own summary.
    pub title: String,
    /// The conclusion, such as `failure`; empty while it runs.
    pub conclusion: String,
    /// The branch whose head it checks.
    pub branch: String,
    /// The checked commit.
    pub sha: String,
    /// URL of its page.
    pub url: String,
    /// Its number among the runs of its workflow; 0 if it has none.
    pub number: i64,
    /// The attempt; 2 and more after a re-run.
    pub attempt: i64,
    /// Slug of the app that runs the check, such as `github-actions`.
    pub app: String,
    /// The account that triggered it.
    pub actor: Actor,
}

/// A deployment and its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// The environment, such as `production`.
    pub environment: String,
    /// `success`, `failure`, `error`, or a state on the way; empty before the first.
    pub state: String,
    /// Description by its creator.
    pub description: String,
    /// URL of the details.
    pub url: String,
    /// The branch, tag or commit.
    pub target: String,
    /// The commit.
    pub sha: String,
    /// The creator.
    pub creator: Actor,
}

#[cfg(test)]
mod tests;
