//! GitHub's objects as JSON, in full: with every address that a client might follow.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::State;
use super::accounts::{Access, Account, Directory, Repository, Role};
use super::app::App;
use super::installations::Installation;
use crate::clock::rfc3339_secs;

/// Creation time of the seeded objects, long before the first start.
const FOUNDED: &str = "2024-02-29T08:00:00Z";

/// Suffixes of an account's address, by the name of their member.
const OF_ACCOUNT: &[(&str, &str)] = &[
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

/// The same for a repository.
const OF_REPOSITORY: &[(&str, &str)] = &[
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
];

/// Returns GitHub's opaque id of a thing, in its older form.
pub(crate) fn node_id(kind: &str, id: u64) -> String {
    STANDARD.encode(format!("0{}:{kind}{id}", kind.len()))
}

/// Writer of JSON with addresses under one API base.
#[derive(Clone, Copy)]
pub(crate) struct Shapes<'a> {
    pub(crate) state: &'a State,
    pub(crate) app: &'a App,
    pub(crate) web: &'a str,
    pub(crate) api: &'a str,
}

impl Shapes<'_> {
    pub(crate) fn directory(&self) -> &Directory {
        &self.state.directory
    }

    /// An account as other objects embed it.
    pub(crate) fn account(&self, account: &Account) -> Value {
        let url = format!("{}/users/{}", self.api, account.login);
        let mut shape = Map::new();
        let mut put = |name: &str, value: Value| shape.insert(name.to_owned(), value);
        put("login", json!(account.login));
        put("id", json!(account.id));
        put("node_id", json!(node_id(account.kind.word(), account.id)));
        put("avatar_url", json!(format!("{}/avatars/u/{}?v=4", self.web, account.id)));
        put("gravatar_id", json!(""));
        put("url", json!(url));
        put("html_url", json!(format!("{}/{}", self.web, account.login)));
        for (name, path) in OF_ACCOUNT {
            put(name, json!(format!("{url}{path}")));
        }
        put("type", json!(account.kind.word()));
        put("user_view_type", json!("public"));
        put("site_admin", json!(false));
        Value::Object(shape)
    }

    /// An account by id; null when there is none.
    pub(crate) fn account_by_id(&self, id: u64) -> Value {
        self.directory().account(id).map_or(Value::Null, |account| self.account(account))
    }

    /// The token's user, as `GET /user` and `GET /users/{name}` show it.
    pub(crate) fn profile(&self, account: &Account) -> Value {
        let mut shape = self.account(account);
        extend(
            &mut shape,
            json!({
                "name": capitalised(&account.login),
                "company": null,
                "blog": "",
                "location": null,
                "email": null,
                "hireable": null,
                "bio": null,
                "twitter_username": null,
                "notification_email": null,
                "public_repos": self.directory().repositories_of(account.id).filter(|it| !it.private).count(),
                "public_gists": 0,
                "followers": 0,
                "following": 0,
                "created_at": FOUNDED,
                "updated_at": FOUNDED,
            }),
        );
        shape
    }

    /// An organisation, as webhooks and memberships write it.
    pub(crate) fn organization(&self, account: &Account) -> Value {
        let url = format!("{}/orgs/{}", self.api, account.login);
        json!({
            "login": account.login,
            "id": account.id,
            "node_id": node_id("Organization", account.id),
            "url": url,
            "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events"),
            "hooks_url": format!("{url}/hooks"),
            "issues_url": format!("{url}/issues"),
            "members_url": format!("{url}/members{{/member}}"),
            "public_members_url": format!("{url}/public_members{{/member}}"),
            "avatar_url": format!("{}/avatars/u/{}?v=4", self.web, account.id),
            "description": format!("{} makes things", capitalised(&account.login)),
        })
    }

    /// A user's membership of an organisation.
    pub(crate) fn membership(&self, organization: &Account, user: &Account, role: Role) -> Value {
        let url = format!("{}/orgs/{}", self.api, organization.login);
        json!({
            "url": format!("{url}/memberships/{}", user.login),
            "state": "active",
            "role": role.word(),
            "organization_url": url,
            "direct_membership": true,
            "enterprise_teams_providing_indirect_membership": [],
            "user": self.account(user),
            "organization": self.organization(organization),
        })
    }

    /// The owner's name and the repository's.
    pub(crate) fn full_name(&self, repository: &Repository) -> String {
        let owner = self.directory().account(repository.owner).map_or("", |owner| owner.login.as_str());
        format!("{owner}/{}", repository.name)
    }

    /// A repository in full.
    pub(crate) fn repository(&self, repository: &Repository) -> Value {
        let full_name = self.full_name(repository);
        let url = format!("{}/repos/{full_name}", self.api);
        let html = format!("{}/{full_name}", self.web);
        let host = self.web.split_once("://").map_or(self.web, |(_, host)| host);
        let mut shape = json!({
            "id": repository.id,
            "node_id": node_id("Repository", repository.id),
            "name": repository.name,
            "full_name": full_name,
            "private": repository.private,
            "owner": self.account_by_id(repository.owner),
            "html_url": html,
            "description": repository.description,
            "fork": false,
            "url": url,
        });
        extend(
            &mut shape,
            Value::Object(
                OF_REPOSITORY.iter().map(|(name, path)| ((*name).to_owned(), json!(format!("{url}{path}")))).collect(),
            ),
        );
        extend(
            &mut shape,
            json!({
                "created_at": FOUNDED,
                "updated_at": FOUNDED,
                "pushed_at": FOUNDED,
                "git_url": format!("git://{host}/{full_name}.git"),
                "ssh_url": format!("git@{host}:{full_name}.git"),
                "clone_url": format!("{html}.git"),
                "svn_url": html,
                "homepage": null,
                "size": 1024,
                "stargazers_count": 7,
                "watchers_count": 7,
                "language": "Rust",
                "has_issues": true,
                "has_projects": true,
                "has_downloads": true,
                "has_wiki": true,
                "has_pages": false,
                "has_discussions": false,
                "forks_count": 1,
                "mirror_url": null,
                "archived": false,
                "disabled": false,
                "open_issues_count": 3,
                "license": {
                    "key": "apache-2.0",
                    "name": "Apache License 2.0",
                    "spdx_id": "Apache-2.0",
                    "url": format!("{}/licenses/apache-2.0", self.api),
                    "node_id": "MDc6TGljZW5zZTI=",
                },
                "allow_forking": true,
                "is_template": false,
                "web_commit_signoff_required": false,
                "topics": ["demo", "stand-in"],
                "visibility": if repository.private { "private" } else { "public" },
                "forks": 1,
                "open_issues": 3,
                "watchers": 7,
                "default_branch": "main",
            }),
        );
        shape
    }

    /// A repository with a user's permissions in it.
    pub(crate) fn repository_for(&self, repository: &Repository, access: Access) -> Value {
        let mut shape = self.repository(repository);
        shape["permissions"] = json!({
            "admin": access >= Access::Admin,
            "maintain": access >= Access::Admin,
            "push": access >= Access::Write,
            "triage": access >= Access::Write,
            "pull": true,
        });
        shape
    }

    /// A repository as webhooks about installations write it.
    pub(crate) fn repository_in_brief(&self, repository: &Repository) -> Value {
        json!({
            "id": repository.id,
            "node_id": node_id("Repository", repository.id),
            "name": repository.name,
            "full_name": self.full_name(repository),
            "private": repository.private,
        })
    }

    /// An installation in full.
    pub(crate) fn installation(&self, installation: &Installation) -> Value {
        let account = self.directory().account(installation.account);
        let login = account.map_or("", |account| account.login.as_str());
        let organization = account.is_some_and(Account::is_organization);
        let settings = if organization { format!("organizations/{login}/settings") } else { "settings".to_owned() };
        json!({
            "id": installation.id,
            "client_id": self.app.client_id,
            "account": account.map(|account| self.account(account)),
            "repository_selection": installation.selection.word(),
            "access_tokens_url": format!("{}/app/installations/{}/access_tokens", self.api, installation.id),
            "repositories_url": format!("{}/installation/repositories", self.api),
            "html_url": format!("{}/{settings}/installations/{}", self.web, installation.id),
            "app_id": self.app.id,
            "app_slug": self.app.slug,
            "target_id": installation.account,
            "target_type": account.map_or("User", |account| account.kind.word()),
            "permissions": installation.permissions,
            "events": installation.events,
            "created_at": rfc3339_secs(installation.created_at),
            "updated_at": rfc3339_secs(installation.updated_at),
            "single_file_name": null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": installation.suspended.map(|(_, by)| self.account_by_id(by)),
            "suspended_at": installation.suspended.map(|(at, _)| rfc3339_secs(at)),
        })
    }

    /// The app, as `GET /app` shows it.
    pub(crate) fn app(&self) -> Value {
        json!({
            "id": self.app.id,
            "client_id": self.app.client_id,
            "slug": self.app.slug,
            "node_id": node_id("App", self.app.id),
            "owner": self.directory().accounts().find(|account| account.is_organization())
                .map(|account| self.account(account)),
            "name": self.app.name,
            "description": "A stand-in's app",
            "external_url": self.web,
            "html_url": format!("{}/apps/{}", self.web, self.app.slug),
            "created_at": FOUNDED,
            "updated_at": FOUNDED,
            "permissions": self.app.permissions,
            "events": self.app.events,
            "installations_count": self.state.installations.count(),
        })
    }
}

/// Adds members to an object, replacing existing ones.
pub(crate) fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
