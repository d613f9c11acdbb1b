//! Pushes, branches and tags, releases, stars and members.

use serde_json::{Value, json};

use super::{Payload, Scene};
use crate::github::accounts::Account;
use crate::github::shapes::node_id;

/// Creation time of the seeded objects, as a push writes times.
const FOUNDED: i64 = 1_709_193_600;

impl Scene<'_> {
    pub(super) fn push(&self) -> Value {
        let reference = match (&self.order.tag, &self.order.branch) {
            (Some(tag), _) => format!("refs/tags/{tag}"),
            (None, branch) => format!("refs/heads/{}", branch.as_deref().unwrap_or("main")),
        };
        let usual = vec![format!("Change number {}\n\nBecause it was asked for.", self.number())];
        let messages = self.order.commits.as_ref().unwrap_or(&usual);
        let commits: Vec<Value> = messages.iter().enumerate().map(|(index, text)| self.commit(index, text)).collect();
        let before = self.sha(&format!("before {reference} {}", self.number()));
        let head = commits.last().cloned().unwrap_or(Value::Null);
        let after = head["id"].as_str().map_or_else(|| before.clone(), str::to_owned);
        let mut repository = self.shapes.repository(self.repository);
        // In a push, and nowhere else, these two are numbers.
        repository["created_at"] = json!(FOUNDED);
        repository["pushed_at"] = json!(self.now);
        repository["stargazers"] = repository["stargazers_count"].clone();
        repository["master_branch"] = repository["default_branch"].clone();
        if self.owner.is_organization() {
            repository["organization"] = json!(self.owner.login);
        }
        self.event(
            None,
            json!({
                "ref": reference,
                "before": before,
                "after": after,
                "repository": repository,
                "pusher": {"name": self.sender.login, "email": email(self.sender)},
                "created": false,
                "deleted": false,
                "forced": self.order.forced.unwrap_or(false),
                "base_ref": null,
                "compare": format!("{}/compare/{:.12}...{after:.12}", self.repository_page(), before),
                "commits": commits,
                "head_commit": head,
            }),
        )
    }

    fn commit(&self, index: usize, message: &str) -> Value {
        let id = self.sha(&format!("commit {} {index} {message}", self.number()));
        let who = json!({"name": self.author.login, "email": email(self.author), "username": self.author.login});
        json!({
            "id": id,
            "tree_id": self.sha(&format!("tree of {id}")),
            "distinct": true,
            "message": message,
            "timestamp": self.time(),
            "url": format!("{}/commit/{id}", self.repository_page()),
            "author": who,
            "committer": who,
            "added": [],
            "removed": [],
            "modified": [format!("src/part_{index}.rs")],
        })
    }

    /// Returns the name of a created or deleted reference, and its kind: branch or tag.
    fn reference(&self) -> (&str, &'static str) {
        match (&self.order.tag, &self.order.branch) {
            (Some(tag), _) => (tag, "tag"),
            (None, branch) => (branch.as_deref().unwrap_or("feature"), "branch"),
        }
    }

    pub(super) fn created_ref(&self) -> Value {
        let (name, kind) = self.reference();
        self.event(
            None,
            json!({
                "ref": name,
                "ref_type": kind,
                "master_branch": "main",
                "description": self.repository.description,
                "pusher_type": "user",
            }),
        )
    }

    pub(super) fn deleted_ref(&self) -> Value {
        let (name, kind) = self.reference();
        self.event(None, json!({"ref": name, "ref_type": kind, "pusher_type": "user"}))
    }

    pub(super) fn star(&self) -> Value {
        let action = self.action("created");
        let at = if action == "deleted" { Value::Null } else { json!(self.time()) };
        self.event(Some(action), json!({"starred_at": at}))
    }

    pub(super) fn member(&self) -> Payload {
        let member = self.person(self.order.assignee.as_deref())?;
        let action = self.action("added");
        let mut own = json!({"member": self.shapes.account(member)});
        if action == "added" {
            own["changes"] = json!({"permission": {"to": "write"}, "role_name": {"to": "write"}});
        }
        Ok(self.event(Some(action), own))
    }

    pub(super) fn release(&self) -> Value {
        let tag = self.order.tag.clone().unwrap_or_else(|| format!("v1.{}.0", self.number()));
        let id = self.id(2, self.number());
        let url = format!("{}/releases", self.repository_url());
        let page = self.repository_page();
        let action = self.action("published");
        self.event(
            Some(action),
            json!({
                "release": {
                    "url": format!("{url}/{id}"),
                    "assets_url": format!("{url}/{id}/assets"),
                    "upload_url": format!("{url}/{id}/assets{{?name,label}}"),
                    "html_url": format!("{page}/releases/tag/{tag}"),
                    "id": id,
                    "author": self.shapes.account(self.author),
                    "node_id": node_id("Release", id),
                    "tag_name": tag,
                    "target_commitish": self.order.branch.as_deref().unwrap_or("main"),
                    "name": self.order.title.clone().unwrap_or_else(|| tag.clone()),
                    "draft": self.order.draft.unwrap_or(false),
                    "immutable": false,
                    "prerelease": action == "prereleased" || tag.contains('-'),
                    "created_at": self.earlier(60),
                    "updated_at": self.time(),
                    "published_at": self.time(),
                    "assets": [],
                    "tarball_url": format!("{}/tarball/{tag}", self.repository_url()),
                    "zipball_url": format!("{}/zipball/{tag}", self.repository_url()),
                    "body": self.order.body.as_deref().unwrap_or("What is new, and what was mended."),
                },
            }),
        )
    }
}

/// Address that GitHub generates for a user whose address is private.
pub(super) fn email(account: &Account) -> String {
    format!("{}+{}@users.noreply.github.example", account.id, account.login)
}
