//! Parses payloads leniently. GitHub documents their shapes and still leaves fields out, sets them to `null` and adds
//! new ones, so nothing is required here but a repository: a missing value is empty, an oversized one is cut.
//!
//! Not here: the types (`payload`).

mod runs;

use serde_json::Value;

use self::runs::{check_run, check_suite, status, workflow_job, workflow_run};
use super::*;
use crate::domain::github::{
    EVENT_PREFIX,
    catalogue::{self, Row},
};

/// Maximum length of a name, a title, a line. Titles have 256, Git's names fewer than 255.
const MAX_LINE: usize = 1_024;
/// Maximum length of an address. A longer one is dropped: half an address leads elsewhere.
const MAX_ADDRESS: usize = 2_048;
/// Maximum length of a text of several lines; an excerpt is shown.
const MAX_BODY: usize = 2_000;
/// Maximum number of commits kept; GitHub sends up to 2,048.
const MAX_COMMITS: usize = 5;
/// Maximum number of labels and reviewers kept; an issue has at most 100 labels.
const MAX_NAMES: usize = 100;

impl GithubEvent {
    /// Parses a payload by the event's name, with or without our `github.` before it. `None` without a repository with
    /// a number and a name; some types need only an organization.
    pub fn read(name: &str, data: &Value) -> Option<GithubEvent> {
        let name = name.strip_prefix(EVENT_PREFIX).unwrap_or(name);
        let data = Node(Some(data));
        let sender = actor(data.get("sender"));
        let subject = subject(name, data, &sender);
        let account = || match subject {
            Subject::Note(_) | Subject::Other => account(data.get("organization")),
            _ => None,
        };
        let repository = repository(data.get("repository")).or_else(account)?;
        let label = data.get("label").line("name");
        Some(GithubEvent {
            name: clip(name, MAX_LINE).to_owned(),
            action: data.line("action"),
            installation_id: data.get("installation").get("id").0.and_then(Value::as_i64),
            repository,
            sender,
            subject,
            label: (!label.is_empty()).then_some(label),
            retargeted: data.get("changes").get("base").0.is_some_and(Value::is_object),
        })
    }
}

/// An optional value.
#[derive(Clone, Copy)]
struct Node<'a>(Option<&'a Value>);

impl<'a> Node<'a> {
    fn get(self, key: &str) -> Node<'a> {
        Node(self.0.and_then(|value| value.get(key)))
    }

    /// Returns the first lines of the values at a JSON pointer, of which `*` stands for every entry of a list. Texts,
    /// numbers and truth values have one.
    fn lines_at(self, pointer: &str) -> Vec<String> {
        let line = |value: &Value| match value {
            Value::String(text) => first_line(text),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            _ => String::new(),
        };
        let at = |pointer: &str| self.0.and_then(|value| value.pointer(pointer));
        let lines: Vec<String> = match pointer.split_once("/*") {
            None => at(pointer).map(line).into_iter().collect(),
            Some((list, entry)) => {
                let entries = at(list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                entries.iter().take(MAX_NAMES).filter_map(|value| value.pointer(entry)).map(line).collect()
            }
        };
        lines.into_iter().filter(|line| !line.is_empty()).collect()
    }

    fn text(self, key: &str) -> &'a str {
        self.get(key).0.and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a member's first line, cut.
    fn line(self, key: &str) -> String {
        first_line(self.text(key))
    }

    fn address(self, key: &str) -> String {
        let text = self.text(key);
        if text.len() > MAX_ADDRESS { String::new() } else { text.to_owned() }
    }

    fn body(self, key: &str) -> String {
        body(self.text(key))
    }

    fn flag(self, key: &str) -> bool {
        self.get(key).0.and_then(Value::as_bool).unwrap_or_default()
    }

    fn number(self, key: &str) -> i64 {
        self.get(key).0.and_then(Value::as_i64).unwrap_or_default()
    }

    fn list(self, key: &str) -> &'a [Value] {
        self.get(key).0.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Returns a member of each entry of a list, one line each, if it is there.
    fn names(self, key: &str, of: &str) -> Vec<String> {
        let names = self.list(key).iter().map(|entry| Node(Some(entry)).line(of));
        names.filter(|name| !name.is_empty()).take(MAX_NAMES).collect()
    }
}

/// Returns a text as GitHub shows it, without HTML comments: templates are full of them.
fn body(mut rest: &str) -> String {
    let mut shown = String::new();
    while !rest.is_empty() && shown.len() < 4 * MAX_BODY {
        let (before, after) = rest.split_once("<!--").unwrap_or((rest, ""));
        shown.push_str(clip(before, MAX_BODY));
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    clip(shown.trim(), MAX_BODY).to_owned()
}

fn first_line(text: &str) -> String {
    clip(text.trim().lines().next().unwrap_or_default(), MAX_LINE).to_owned()
}

fn clip(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    text.char_indices().nth(max).map_or(text, |(end, _)| &text[..end])
}

fn repository(data: Node) -> Option<Repository> {
    let id = data.get("id").0.and_then(Value::as_i64).filter(|id| *id > 0)?;
    let full_name = data.line("full_name");
    let private = data.flag("private") || ["private", "internal"].contains(&data.text("visibility"));
    let url = data.address("html_url");
    let default_branch = data.line("default_branch");
    (!full_name.is_empty()).then_some(Repository { id, full_name, private, url, default_branch })
}

fn account(data: Node) -> Option<Repository> {
    let login = data.line("login");
    let url = data.address("html_url");
    let place = Repository { id: 0, full_name: login, private: false, url, default_branch: String::new() };
    (!place.full_name.is_empty()).then_some(place)
}

fn actor(data: Node) -> Actor {
    let login = data.line("login");
    let is_bot = data.text("type") == "Bot" || login.ends_with("[bot]");
    Actor { login, is_bot, url: data.address("html_url") }
}

fn subject(name: &str, data: Node, sender: &Actor) -> Subject {
    let pull = || Box::new(pull(data.get("pull_request")));
    let comment = || Box::new(comment(data.get("comment")));
    match name {
        "pull_request" => Subject::Pull(pull()),
        "issues" => Subject::Issue(Box::new(issue(data.get("issue")))),
        "push" => Subject::Push(Box::new(push(data, sender))),
        "pull_request_review" => Subject::Review(pull(), Box::new(review(data.get("review")))),
        "pull_request_review_comment" => {
            let data = data.get("comment");
            let review_id = data.number("pull_request_review_id");
            let said = ReviewComment { review_id, body: data.body("body"), url: data.address("html_url") };
            Subject::ReviewComment(pull(), Box::new(said))
        }
        "issue_comment" => Subject::Comment(Box::new(issue(data.get("issue"))), comment()),
        "commit_comment" => Subject::CommitComment(comment()),
        "release" => Subject::Release(Box::new(release(data.get("release")))),
        "workflow_run" => Subject::WorkflowRun(Box::new(workflow_run(data))),
        "check_run" => Subject::CheckRun(Box::new(check_run(data.get("check_run"), sender))),
        "check_suite" => Subject::Ci(Box::new(check_suite(data, sender))),
        "workflow_job" => Subject::Ci(Box::new(workflow_job(data.get("workflow_job"), sender))),
        "status" => Subject::Ci(Box::new(status(data, sender))),
        "create" | "delete" => Subject::Ref(GitRef {
            kind: match data.text("ref_type") {
                "branch" => RefKind::Branch,
                "tag" => RefKind::Tag,
                _ => RefKind::Other,
            },
            name: data.line("ref"),
        }),
        "deployment" => Subject::Deployment(Box::new(deployment(data))),
        "deployment_status" => Subject::DeploymentStatus(Box::new(deployment(data))),
        "discussion" => Subject::Discussion(Box::new(issue(data.get("discussion")))),
        "discussion_comment" => Subject::DiscussionComment(Box::new(issue(data.get("discussion"))), comment()),
        "star" => Subject::Star,
        "fork" => {
            let copy = data.get("forkee");
            Subject::Fork { full_name: copy.line("full_name"), url: copy.address("html_url") }
        }
        name => match catalogue::find(name) {
            Some(row) => Subject::Note(Box::new(note(row, data))),
            None => Subject::Other,
        },
    }
}

fn note(row: &Row, data: Node) -> Note {
    let first = |pointers: &[&str]| pointers.iter().flat_map(|pointer| data.lines_at(pointer)).next();
    let url = first(row.url).filter(|url| url.len() <= MAX_ADDRESS);
    let facts = row.facts.iter().map(|(label, pointer)| (*label, data.lines_at(pointer)));
    Note {
        title: first(row.title).unwrap_or_default(),
        url: url.unwrap_or_default(),
        body: body(data.0.and_then(|data| data.pointer(row.text)).and_then(Value::as_str).unwrap_or_default()),
        facts: facts.filter(|(_, values)| !values.is_empty()).collect(),
    }
}

fn pull(data: Node) -> Pull {
    let mut reviewers = data.names("requested_reviewers", "login");
    reviewers.extend(data.names("requested_teams", "name"));
    let amount = |key| data.get(key).0.and_then(Value::as_i64);
    Pull {
        number: data.number("number"),
        title: data.line("title"),
        url: data.address("html_url"),
        body: data.body("body"),
        open: data.text("state") != "closed",
        draft: data.flag("draft"),
        // A review's pull request has no `merged`.
        merged: data.flag("merged") || !data.text("merged_at").is_empty(),
        base: data.get("base").line("ref"),
        head: data.get("head").line("ref"),
        labels: data.names("labels", "name"),
        author: actor(data.get("user")),
        reviewers,
        lines: amount("additions").zip(amount("deletions")),
    }
}

fn issue(data: Node) -> Issue {
    Issue {
        number: data.number("number"),
        title: data.line("title"),
        url: data.address("html_url"),
        body: data.body("body"),
        open: data.text("state") != "closed",
        state_reason: data.line("state_reason"),
        labels: data.names("labels", "name"),
        author: actor(data.get("user")),
        is_pull: data.get("pull_request").0.is_some_and(Value::is_object),
        draft: data.flag("draft"),
    }
}

fn push(data: Node, sender: &Actor) -> Push {
    let full = data.line("ref");
    let (kind, name) = match (full.strip_prefix("refs/heads/"), full.strip_prefix("refs/tags/")) {
        (Some(branch), _) => (RefKind::Branch, branch),
        (_, Some(tag)) => (RefKind::Tag, tag),
        _ => (RefKind::Other, full.as_str()),
    };
    let commits = data.list("commits");
    // A Git name and an address need not belong to an account; the pusher always does.
    let login = data.get("head_commit").get("author").line("username");
    let author = if login.is_empty() {
        sender.clone()
    } else {
        Actor { is_bot: login.ends_with("[bot]"), login, url: String::new() }
    };
    Push {
        target: GitRef { kind, name: name.to_owned() },
        commits: commits.iter().take(MAX_COMMITS).map(|entry| commit(Node(Some(entry)))).collect(),
        commit_count: commits.len(),
        author,
        forced: data.flag("forced"),
        created: data.flag("created"),
        deleted: data.flag("deleted"),
        compare_url: data.address("compare"),
    }
}

fn commit(data: Node) -> Commit {
    let author = data.get("author");
    let login = author.line("username");
    Commit {
        sha: data.line("id"),
        message: data.line("message"),
        author: if login.is_empty() { author.line("name") } else { login },
        url: data.address("url"),
    }
}

fn review(data: Node) -> Review {
    Review {
        id: data.number("id"),
        // The webhook writes it in lower case, the REST API in upper case.
        state: data.line("state").to_ascii_lowercase(),
        body: data.body("body"),
        url: data.address("html_url"),
        author: actor(data.get("user")),
    }
}

fn comment(data: Node) -> Comment {
    Comment { body: data.body("body"), url: data.address("html_url"), commit: data.line("commit_id") }
}

fn release(data: Node) -> Release {
    Release {
        name: data.line("name"),
        tag: data.line("tag_name"),
        url: data.address("html_url"),
        body: data.body("body"),
        prerelease: data.flag("prerelease"),
        author: actor(data.get("author")),
    }
}

fn deployment(data: Node) -> Deployment {
    let (deployment, status) = (data.get("deployment"), data.get("deployment_status"));
    let first = |found: &[String]| found.iter().find(|text| !text.is_empty()).cloned().unwrap_or_default();
    Deployment {
        environment: first(&[status.line("environment"), deployment.line("environment")]),
        state: status.line("state"),
        description: first(&[status.line("description"), deployment.line("description")]),
        url: first(&[status.address("environment_url"), status.address("log_url"), status.address("target_url")]),
        target: deployment.line("ref"),
        sha: deployment.line("sha"),
        creator: actor(deployment.get("creator")),
    }
}
