//! Automated events: runs of workflows, and checks.

use serde_json::{Value, json};

use super::Scene;
use super::code::email;
use crate::github::shapes::node_id;

impl Scene<'_> {
    pub(super) fn workflow_run(&self) -> Value {
        let action = self.action("completed");
        let number = self.number();
        let (id, workflow_id) = (self.id(8, number), self.id(9, 1));
        let name = self.order.workflow.as_deref().unwrap_or("CI");
        let branch = self.order.branch.as_deref().unwrap_or("main");
        let url = format!("{}/actions", self.repository_url());
        let page = format!("{}/actions", self.repository_page());
        let run = format!("{url}/runs/{id}");
        let sha = self.sha(&format!("head {number}"));
        let title = self.order.title.clone().unwrap_or_else(|| format!("Change number {number}"));
        let who = json!({"name": self.author.login, "email": email(self.author)});
        self.event(
            Some(action),
            json!({
                "workflow_run": {
                    "id": id,
                    "name": name,
                    "node_id": node_id("WorkflowRun", id),
                    "head_branch": branch,
                    "head_sha": sha,
                    "path": ".github/workflows/ci.yml",
                    "display_title": title,
                    "run_number": number,
                    "event": "push",
                    "status": status(action),
                    "conclusion": self.conclusion(action),
                    "workflow_id": workflow_id,
                    "check_suite_id": self.id(10, number),
                    "check_suite_node_id": node_id("CheckSuite", self.id(10, number)),
                    "url": run,
                    "html_url": format!("{page}/runs/{id}"),
                    "pull_requests": [],
                    "created_at": self.earlier(90),
                    "updated_at": self.time(),
                    "actor": self.shapes.account(self.sender),
                    "run_attempt": 1,
                    "referenced_workflows": [],
                    "run_started_at": self.earlier(90),
                    "triggering_actor": self.shapes.account(self.sender),
                    "jobs_url": format!("{run}/jobs"),
                    "logs_url": format!("{run}/logs"),
                    "check_suite_url": format!("{}/check-suites/{}", self.repository_url(), self.id(10, number)),
                    "artifacts_url": format!("{run}/artifacts"),
                    "cancel_url": format!("{run}/cancel"),
                    "rerun_url": format!("{run}/rerun"),
                    "previous_attempt_url": null,
                    "workflow_url": format!("{url}/workflows/{workflow_id}"),
                    "head_commit": {
                        "id": sha,
                        "tree_id": self.sha(&format!("tree of {sha}")),
                        "message": title,
                        "timestamp": self.earlier(120),
                        "author": who,
                        "committer": who,
                    },
                    "repository": self.shapes.repository(self.repository),
                    "head_repository": self.shapes.repository(self.repository),
                },
                "workflow": {
                    "id": workflow_id,
                    "node_id": node_id("Workflow", workflow_id),
                    "name": name,
                    "path": ".github/workflows/ci.yml",
                    "state": "active",
                    "created_at": "2024-02-29T08:00:00.000Z",
                    "updated_at": "2024-02-29T08:00:00.000Z",
                    "url": format!("{url}/workflows/{workflow_id}"),
                    "html_url": format!("{}/blob/main/.github/workflows/ci.yml", self.repository_page()),
                    "badge_url": format!("{}/workflows/{name}/badge.svg", self.repository_page()),
                },
            }),
        )
    }

    pub(super) fn check_run(&self) -> Value {
        let action = self.action("completed");
        let number = self.number();
        let (id, suite) = (self.id(11, number), self.id(10, number));
        let sha = self.sha(&format!("head {number}"));
        let branch = self.order.branch.as_deref().unwrap_or("main");
        let url = format!("{}/check-runs/{id}", self.repository_url());
        let page = format!("{}/runs/{id}", self.repository_page());
        let done = action == "completed";
        self.event(
            Some(action),
            json!({
                "check_run": {
                    "id": id,
                    "name": self.order.workflow.as_deref().unwrap_or("build"),
                    "node_id": node_id("CheckRun", id),
                    "head_sha": sha,
                    "external_id": "",
                    "url": url,
                    "html_url": page,
                    "details_url": page,
                    "status": status(action),
                    "conclusion": self.conclusion(action),
                    "started_at": self.earlier(90),
                    "completed_at": done.then(|| self.time()),
                    "output": {
                        "title": self.order.title,
                        "summary": self.order.body,
                        "text": null,
                        "annotations_count": 0,
                        "annotations_url": format!("{url}/annotations"),
                    },
                    "check_suite": {
                        "id": suite,
                        "node_id": node_id("CheckSuite", suite),
                        "head_branch": branch,
                        "head_sha": sha,
                        "status": status(action),
                        "conclusion": self.conclusion(action),
                        "url": format!("{}/check-suites/{suite}", self.repository_url()),
                        "before": self.sha("main"),
                        "after": sha,
                        "pull_requests": [],
                        "app": self.shapes.app(),
                        "created_at": self.earlier(90),
                        "updated_at": self.time(),
                    },
                    "app": self.shapes.app(),
                    "pull_requests": [],
                },
            }),
        )
    }

    fn conclusion(&self, action: &str) -> Option<&str> {
        (action == "completed").then(|| self.order.conclusion.as_deref().unwrap_or("success"))
    }
}

fn status(action: &str) -> &str {
    match action {
        "created" | "requested" => "queued",
        "completed" => "completed",
        _ => "in_progress",
    }
}
