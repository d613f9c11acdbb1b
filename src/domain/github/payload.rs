//! What of a GitHub webhook's payload matters to us, whatever else GitHub sends: who did what to which thing in which
//! repository. Reading is in `read`; what rules and messages ask of an event is in `facets`.

mod facets;
mod read;

pub use facets::Branch;

/// A webhook's payload, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubEvent {
    /// GitHub's name of the event, such as `pull_request`.
    pub name: String,
    /// What was done, such as `opened`; empty where the event knows no actions.
    pub action: String,
    /// GitHub's number of the installation that saw it; nothing where it is missing.
    pub installation_id: Option<i64>,
    /// Where it happened.
    pub repository: Repository,
    /// Who did it.
    pub sender: Actor,
    /// What it happened to.
    pub subject: Subject,
    /// The label that was added or taken off, where that is what happened.
    pub label: Option<String>,
    /// Whether a pull request was aimed at another branch.
    pub retargeted: bool,
}

/// The repository of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// GitHub's number: it stays when the repository is renamed or moved.
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
    /// Whether only some may see it.
    pub private: bool,
    /// Its page.
    pub url: String,
    /// The branch that stands for the repository.
    pub default_branch: String,
}

/// An account that did or wrote something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Its present name; empty where GitHub does not know one.
    pub login: String,
    /// Whether a program acts under it.
    pub is_bot: bool,
    /// Its page.
    pub url: String,
}

/// What an event is about.
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
    /// A branch or tag that was created or deleted.
    Ref(GitRef),
    /// A deployment, before its first status.
    Deployment(Box<Deployment>),
    /// How a deployment goes.
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
        /// Its page.
        url: String,
    },
    /// Anything else.
    Other,
}

/// A pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pull {
    /// Its number in the repository, which issues and discussions share; 0 where it is missing.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// Its page.
    pub url: String,
    /// The beginning of its description.
    pub body: String,
    /// Whether it is neither closed nor merged.
    pub open: bool,
    /// Whether it is not yet meant to be merged.
    pub draft: bool,
    /// Whether it was merged.
    pub merged: bool,
    /// The branch it is aimed at.
    pub base: String,
    /// The branch it comes from.
    pub head: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: Actor,
    /// Who is asked for a review: people, then teams.
    pub reviewers: Vec<String>,
    /// Lines added and removed, where GitHub says so.
    pub lines: Option<(i64, i64)>,
}

/// An issue, or a pull request or discussion seen as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issue {
    /// Its number in the repository; 0 where it is missing.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// Its page.
    pub url: String,
    /// The beginning of its text.
    pub body: String,
    /// Whether it is not closed.
    pub open: bool,
    /// Why it was closed or opened again, such as `not_planned`.
    pub state_reason: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: Actor,
    /// Whether it is a pull request: GitHub tells comments on those as comments on issues.
    pub is_pull: bool,
    /// Whether it is a pull request that is not yet meant to be merged.
    pub draft: bool,
}

/// Commits that were pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Push {
    /// What moved.
    pub target: GitRef,
    /// The first of the commits, oldest first.
    pub commits: Vec<Commit>,
    /// How many commits there are.
    pub commit_count: usize,
    /// Who wrote the newest of them.
    pub author: Actor,
    /// Whether what was there before is left behind.
    pub forced: bool,
    /// Whether the branch or tag is new.
    pub created: bool,
    /// Whether it is gone.
    pub deleted: bool,
    /// The page that shows what changed.
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
    /// Its page.
    pub url: String,
}

/// A branch or a tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitRef {
    /// Which of both.
    pub kind: RefKind,
    /// Its name, without `refs/heads/`.
    pub name: String,
}

/// What a name in Git points at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefKind {
    /// A branch.
    Branch,
    /// A tag.
    Tag,
    /// A note, or something else that nobody looks at.
    #[default]
    Other,
}

impl RefKind {
    /// In words.
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
    /// GitHub's number; 0 where it is missing.
    pub id: i64,
    /// `approved`, `changes_requested`, `commented` or `dismissed`.
    pub state: String,
    /// The beginning of its text; the comments on lines are not part of it.
    pub body: String,
    /// Its page.
    pub url: String,
    /// Who wrote it.
    pub author: Actor,
}

/// A comment on a line of a pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewComment {
    /// The review that it belongs to; 0 where it is missing.
    pub review_id: i64,
    /// The beginning of its text.
    pub body: String,
    /// Its page.
    pub url: String,
}

/// A comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comment {
    /// The beginning of its text.
    pub body: String,
    /// Its page.
    pub url: String,
    /// The hash of the commit, where it is on one.
    pub commit: String,
}

/// A release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// Its name; empty where it has none but its tag.
    pub name: String,
    /// Its tag.
    pub tag: String,
    /// Its page.
    pub url: String,
    /// The beginning of its notes.
    pub body: String,
    /// Whether it is not meant for everyone yet.
    pub prerelease: bool,
    /// Who made it.
    pub author: Actor,
}

/// A run of a workflow or of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The workflow's or the check's name.
    pub name: String,
    /// What it runs for, such as a commit's message; a check's own summary.
    pub title: String,
    /// How it ended, such as `failure`; empty while it runs.
    pub conclusion: String,
    /// The branch whose head it looks at.
    pub branch: String,
    /// The commit that it looks at.
    pub sha: String,
    /// Its page.
    pub url: String,
    /// Its number among the runs of its workflow; 0 where it has none.
    pub number: i64,
    /// 2 and more where it was tried again.
    pub attempt: i64,
    /// The short name of the app that checks, such as `github-actions`.
    pub app: String,
    /// Who set it off.
    pub actor: Actor,
}

/// A deployment and how it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// Where to, such as `production`.
    pub environment: String,
    /// `success`, `failure`, `error`, or a state on the way; empty before the first.
    pub state: String,
    /// What its maker says of it.
    pub description: String,
    /// The page that says more.
    pub url: String,
    /// The branch, tag or commit.
    pub target: String,
    /// The commit.
    pub sha: String,
    /// Who deploys.
    pub creator: Actor,
}

#[cfg(test)]
mod tests;
