//! Pull requests, their reviews, and the comments in them.

use serde_json::{Value, json};

use super::{Payload, Scene};
use crate::github::shapes::{extend, node_id};

impl Scene<'_> {
    pub(super) fn pull_request(&self) -> Payload {
        // GitHub has no action "merged": a merged pull request is a closed one.
        let action = match self.action("opened") {
            "merged" => "closed",
            action => action,
        };
        let mut own = json!({"number": self.number(), "pull_request": self.full_pull_request()?});
        match action {
            "labeled" | "unlabeled" => own["label"] = self.labels().0.unwrap_or(Value::Null),
            "assigned" | "unassigned" => {
                own["assignee"] = self.shapes.account(self.person(self.order.assignee.as_deref())?);
            }
            "review_requested" | "review_request_removed" => match &self.order.team {
                Some(team) => own["requested_team"] = self.team(team),
                None => {
                    let reviewer = self.person(self.order.reviewer.as_deref())?;
                    own["requested_reviewer"] = self.shapes.account(reviewer);
                }
            },
            "synchronize" => {
                own["before"] = json!(self.sha(&format!("head {} before", self.number())));
                own["after"] = own["pull_request"]["head"]["sha"].clone();
            }
            "edited" => own["changes"] = json!({"title": {"from": "What it was called before"}}),
            _ => {}
        }
        Ok(self.event(Some(action), own))
    }

    pub(super) fn review(&self) -> Value {
        let number = self.number();
        let action = self.action("submitted");
        let state = match action {
            "dismissed" => "dismissed",
            _ => self.order.state.as_deref().unwrap_or("approved"),
        };
        let id = self.id(3, self.now.unsigned_abs() % 1_000_000);
        let page = format!("{}/pull/{number}", self.repository_page());
        let text = self.order.body.as_deref().or(if state == "approved" { None } else { Some("Not yet, I think.") });
        let url = format!("{}/pulls/{number}", self.repository_url());
        self.event(
            Some(action),
            json!({
                "review": {
                    "id": id,
                    "node_id": node_id("PullRequestReview", id),
                    "user": self.shapes.account(self.sender),
                    "body": text,
                    "commit_id": self.head_sha(),
                    "submitted_at": self.time(),
                    "updated_at": self.time(),
                    "state": state.to_lowercase(),
                    "html_url": format!("{page}#pullrequestreview-{id}"),
                    "pull_request_url": url,
                    "author_association": "MEMBER",
                    "_links": {
                        "html": {"href": format!("{page}#pullrequestreview-{id}")},
                        "pull_request": {"href": url},
                    },
                },
                "pull_request": self.simple_pull_request(),
            }),
        )
    }

    pub(super) fn review_comment(&self) -> Value {
        let number = self.number();
        let id = self.id(4, self.now.unsigned_abs() % 1_000_000);
        let url = format!("{}/pulls", self.repository_url());
        let page = format!("{}/pull/{number}#discussion_r{id}", self.repository_page());
        self.event(
            Some(self.action("created")),
            json!({
                "comment": {
                    "url": format!("{url}/comments/{id}"),
                    "pull_request_review_id": self.id(3, number),
                    "id": id,
                    "node_id": node_id("PullRequestReviewComment", id),
                    "diff_hunk": "@@ -1,3 +1,4 @@\n //! A part.\n+use std::fmt;\n \n fn main() {",
                    "path": "src/part_0.rs",
                    "commit_id": self.head_sha(),
                    "original_commit_id": self.head_sha(),
                    "user": self.shapes.account(self.sender),
                    "body": self.order.body.as_deref().unwrap_or("Could this be shorter?"),
                    "created_at": self.time(),
                    "updated_at": self.time(),
                    "html_url": page,
                    "pull_request_url": format!("{url}/{number}"),
                    "author_association": "MEMBER",
                    "_links": {
                        "self": {"href": format!("{url}/comments/{id}")},
                        "html": {"href": page},
                        "pull_request": {"href": format!("{url}/{number}")},
                    },
                    "reactions": self.reactions(&format!("{url}/comments/{id}")),
                    "start_line": null,
                    "original_start_line": null,
                    "start_side": null,
                    "line": 2,
                    "original_line": 2,
                    "side": "RIGHT",
                    "original_position": 2,
                    "position": 2,
                    "subject_type": "line",
                },
                "pull_request": self.simple_pull_request(),
            }),
        )
    }

    fn head_sha(&self) -> String {
        self.sha(&format!("head {}", self.number()))
    }

    fn head_branch(&self) -> String {
        self.order.branch.clone().unwrap_or_else(|| format!("change-{}", self.number()))
    }

    pub(super) fn pull_request_title(&self) -> String {
        self.order.title.clone().unwrap_or_else(|| format!("Improve part {}", self.number()))
    }

    fn is_merged(&self) -> bool {
        self.order.merged.unwrap_or(self.order.action.as_deref() == Some("merged"))
    }

    /// One end of a pull request: a branch and its commit.
    fn end(&self, branch: &str, sha: &str) -> Value {
        json!({
            "label": format!("{}:{branch}", self.owner.login),
            "ref": branch,
            "sha": sha,
            "user": self.shapes.account(self.owner),
            "repo": self.repository_with_settings(),
        })
    }

    fn repository_with_settings(&self) -> Value {
        let mut repository = self.shapes.repository(self.repository);
        extend(
            &mut repository,
            json!({
                "allow_squash_merge": true,
                "allow_merge_commit": true,
                "allow_rebase_merge": true,
                "allow_auto_merge": false,
                "delete_branch_on_merge": true,
                "allow_update_branch": false,
                "use_squash_pr_title_as_default": false,
                "squash_merge_commit_message": "COMMIT_MESSAGES",
                "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
                "merge_commit_message": "PR_TITLE",
                "merge_commit_title": "MERGE_MESSAGE",
            }),
        );
        repository
    }

    /// A pull request as reviews and comments show it.
    fn simple_pull_request(&self) -> Value {
        let number = self.number();
        let id = self.id(5, number);
        let url = format!("{}/pulls/{number}", self.repository_url());
        let issue = format!("{}/issues/{number}", self.repository_url());
        let page = format!("{}/pull/{number}", self.repository_page());
        let closed = self.is_merged() || matches!(self.order.action.as_deref(), Some("closed"));
        let closed_at = closed.then(|| self.time());
        let merged_at = closed_at.clone().filter(|_| self.is_merged());
        let sha = self.head_sha();
        let statuses = format!("{}/statuses/{sha}", self.repository_url());
        let one = |name: &str| json!({"href": name});
        json!({
            "url": url,
            "id": id,
            "node_id": node_id("PullRequest", id),
            "html_url": page,
            "diff_url": format!("{page}.diff"),
            "patch_url": format!("{page}.patch"),
            "issue_url": issue,
            "number": number,
            "state": if closed { "closed" } else { "open" },
            "locked": false,
            "title": self.pull_request_title(),
            "user": self.shapes.account(self.author),
            "body": self.order.body.as_deref().unwrap_or("What this changes, and why."),
            "created_at": self.earlier(3_600),
            "updated_at": self.time(),
            "closed_at": closed_at,
            "merged_at": merged_at,
            "merge_commit_sha": self.sha(&format!("merge {number}")),
            "assignee": self.assignees().first(),
            "assignees": self.assignees(),
            "requested_reviewers": self.reviewers(),
            "requested_teams": self.order.team.iter().map(|team| self.team(team)).collect::<Vec<_>>(),
            "labels": self.labels().1,
            "milestone": null,
            "draft": self.order.draft.unwrap_or(false),
            "commits_url": format!("{url}/commits"),
            "review_comments_url": format!("{url}/comments"),
            "review_comment_url": format!("{}/pulls/comments{{/number}}", self.repository_url()),
            "comments_url": format!("{issue}/comments"),
            "statuses_url": statuses,
            "head": self.end(&self.head_branch(), &sha),
            "base": self.end(self.order.base.as_deref().unwrap_or("main"), &self.sha("main")),
            "_links": {
                "self": one(&url),
                "html": one(&page),
                "issue": one(&issue),
                "comments": one(&format!("{issue}/comments")),
                "review_comments": one(&format!("{url}/comments")),
                "review_comment": one(&format!("{}/pulls/comments{{/number}}", self.repository_url())),
                "commits": one(&format!("{url}/commits")),
                "statuses": one(&statuses),
            },
            "author_association": "MEMBER",
            "auto_merge": null,
            "active_lock_reason": null,
        })
    }

    /// A pull request in full, as its own events show it.
    fn full_pull_request(&self) -> Payload {
        // An assignee has to exist.
        self.person(self.order.assignee.as_deref())?;
        self.person(self.order.reviewer.as_deref())?;
        let mut shape = self.simple_pull_request();
        let merged = self.is_merged();
        extend(
            &mut shape,
            json!({
                "merged": merged,
                "mergeable": if merged { Value::Null } else { json!(true) },
                "rebaseable": if merged { Value::Null } else { json!(true) },
                "mergeable_state": if merged { "unknown" } else { "clean" },
                "merged_by": merged.then(|| self.shapes.account(self.sender)),
                "comments": 0,
                "review_comments": 0,
                "maintainer_can_modify": false,
                "commits": 1,
                "additions": 12,
                "deletions": 5,
                "changed_files": 1,
            }),
        );
        Ok(shape)
    }

    fn reviewers(&self) -> Vec<Value> {
        let asked = self.order.action.as_deref() == Some("review_requested") && self.order.team.is_none();
        match (&self.order.reviewer, asked) {
            (None, false) => Vec::new(),
            (login, _) => self.person(login.as_deref()).map(|user| self.shapes.account(user)).into_iter().collect(),
        }
    }

    pub(super) fn assignees(&self) -> Vec<Value> {
        match (&self.order.assignee, self.order.action.as_deref() == Some("assigned")) {
            (None, false) => Vec::new(),
            (login, _) => self.person(login.as_deref()).map(|user| self.shapes.account(user)).into_iter().collect(),
        }
    }

    fn team(&self, name: &str) -> Value {
        let slug = name.to_lowercase().replace(' ', "-");
        let url = format!("{}/organizations/{}/team/1", self.shapes.api, self.owner.id);
        json!({
            "name": name,
            "id": 1,
            "node_id": node_id("Team", 1),
            "slug": slug,
            "description": "",
            "privacy": "closed",
            "notification_setting": "notifications_enabled",
            "url": url,
            "html_url": format!("{}/orgs/{}/teams/{slug}", self.shapes.web, self.owner.login),
            "members_url": format!("{url}/members{{/member}}"),
            "repositories_url": format!("{url}/repos"),
            "permission": "pull",
            "parent": null,
        })
    }
}
