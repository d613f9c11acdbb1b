//! Issues and the comments on them. A pull request's conversation is an issue's, too.

use serde_json::{Value, json};

use super::{Payload, Scene};
use crate::github::shapes::node_id;

impl Scene<'_> {
    pub(super) fn issues(&self) -> Payload {
        let action = self.action("opened");
        self.person(self.order.assignee.as_deref())?;
        let mut own = json!({"issue": self.issue(action == "closed", self.order.body.as_deref())});
        match action {
            "labeled" | "unlabeled" => own["label"] = self.labels().0.unwrap_or(Value::Null),
            "assigned" | "unassigned" => {
                own["assignee"] = self.shapes.account(self.person(self.order.assignee.as_deref())?);
            }
            _ => {}
        }
        Ok(self.event(Some(action), own))
    }

    pub(super) fn issue_comment(&self) -> Value {
        let id = self.id(6, self.now.unsigned_abs() % 1_000_000);
        let url = format!("{}/issues", self.repository_url());
        self.event(
            Some(self.action("created")),
            json!({
                "issue": self.issue(false, None),
                "comment": {
                    "url": format!("{url}/comments/{id}"),
                    "html_url": format!("{}#issuecomment-{id}", self.issue_page()),
                    "issue_url": format!("{url}/{}", self.number()),
                    "id": id,
                    "node_id": node_id("IssueComment", id),
                    "user": self.shapes.account(self.sender),
                    "created_at": self.time(),
                    "updated_at": self.time(),
                    "author_association": "MEMBER",
                    "body": self.order.body.as_deref().unwrap_or("I see it as well."),
                    "reactions": self.reactions(&format!("{url}/comments/{id}")),
                    "performed_via_github_app": null,
                },
            }),
        )
    }

    fn issue_page(&self) -> String {
        let kind = if self.order.on_pull_request { "pull" } else { "issues" };
        format!("{}/{kind}/{}", self.repository_page(), self.number())
    }

    fn issue(&self, closed: bool, body: Option<&str>) -> Value {
        let number = self.number();
        let id = self.id(if self.order.on_pull_request { 5 } else { 7 }, number);
        let url = format!("{}/issues/{number}", self.repository_url());
        let title = match &self.order.title {
            Some(title) => title.clone(),
            None if self.order.on_pull_request => self.pull_request_title(),
            None => format!("Part {number} is slow"),
        };
        let mut shape = json!({
            "url": url,
            "repository_url": self.repository_url(),
            "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"),
            "html_url": self.issue_page(),
            "id": id,
            "node_id": node_id("Issue", id),
            "number": number,
            "title": title,
            "user": self.shapes.account(self.author),
            "labels": self.labels().1,
            "state": if closed { "closed" } else { "open" },
            "locked": false,
            "assignee": self.assignees().first(),
            "assignees": self.assignees(),
            "milestone": null,
            "comments": 1,
            "created_at": self.earlier(3_600),
            "updated_at": self.time(),
            "closed_at": closed.then(|| self.time()),
            "author_association": "MEMBER",
            "type": null,
            "active_lock_reason": null,
            "sub_issues_summary": {"total": 0, "completed": 0, "percent_completed": 0},
            "body": body.unwrap_or("What happens, and what should happen instead."),
            "reactions": self.reactions(&url),
            "timeline_url": format!("{url}/timeline"),
            "performed_via_github_app": null,
            "state_reason": closed.then_some("completed"),
        });
        if self.order.on_pull_request {
            let page = format!("{}/pull/{number}", self.repository_page());
            shape["draft"] = json!(self.order.draft.unwrap_or(false));
            shape["pull_request"] = json!({
                "url": format!("{}/pulls/{number}", self.repository_url()),
                "html_url": page,
                "diff_url": format!("{page}.diff"),
                "patch_url": format!("{page}.patch"),
                "merged_at": null,
            });
        }
        shape
    }

    /// Returns empty reaction counts.
    pub(super) fn reactions(&self, of: &str) -> Value {
        json!({
            "url": format!("{of}/reactions"),
            "total_count": 0,
            "+1": 0,
            "-1": 0,
            "laugh": 0,
            "hooray": 0,
            "confused": 0,
            "heart": 0,
            "rocket": 0,
            "eyes": 0,
        })
    }
}
