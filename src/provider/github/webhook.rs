//! Parsing of GitHub's objects in a webhook or an answer (GitHub: "Webhook events and payloads"). Pure: the sender is
//! authenticated already.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{
    ambient::Time,
    github::{AccountKind, GithubAccount, GithubInstallation, GithubRepository},
};

#[derive(Deserialize)]
struct Installation {
    id: i64,
    app_id: i64,
    account: Account,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    repository_selection: String,
    suspended_at: Option<Moment>,
    updated_at: Option<Moment>,
    created_at: Option<Moment>,
}

#[derive(Deserialize)]
struct Account {
    id: i64,
    login: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    html_url: String,
}

/// Members of a repository common to all of its descriptions.
#[derive(Deserialize)]
pub(super) struct Repository {
    id: i64,
    full_name: String,
    private: bool,
}

/// Text in most places, seconds since 1970 in some.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Text(Time),
    Seconds(i64),
}

impl Moment {
    /// Converts to whole milliseconds, as all our times are.
    fn time(&self) -> Option<Time> {
        match self {
            Moment::Text(time) => Time::from_timestamp_millis(time.timestamp_millis()),
            Moment::Seconds(seconds) => Time::from_timestamp(*seconds, 0),
        }
    }
}

impl From<Repository> for GithubRepository {
    fn from(repository: Repository) -> Self {
        Self { id: repository.id, full_name: repository.full_name, private: repository.private }
    }
}

/// Parses an installation, from the object `installation` of a payload or from the API's answer. Nothing where only its
/// number is mentioned, as in most events, and for an account that is neither a person's nor an organisation's.
pub fn installation(value: &Value) -> Option<GithubInstallation> {
    let raw = Installation::deserialize(value).ok()?;
    let kind: AccountKind = raw.account.kind.parse().ok()?;
    // A moment out of range is not the same as none: the installation would not look suspended.
    let suspended_at = match raw.suspended_at {
        Some(moment) => Some(moment.time()?),
        None => None,
    };
    Some(GithubInstallation {
        id: raw.id,
        app_id: raw.app_id,
        account: GithubAccount { id: raw.account.id, login: raw.account.login, kind, html_url: raw.account.html_url },
        events: raw.events,
        all_repositories: raw.repository_selection == "all",
        suspended_at,
        updated_at: raw.updated_at.or(raw.created_at)?.time()?,
    })
}

/// Parses repositories, from an array such as `repositories`, `repositories_added` or `repositories_removed`. Invalid
/// elements are left out, and anything but an array yields none.
pub fn repositories(value: &Value) -> Vec<GithubRepository> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| Repository::deserialize(item).ok()).map(GithubRepository::from).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn raw() -> Value {
        json!({
            "id": 957387, "app_id": 29310, "app_slug": "octoapp", "target_id": 21031067, "target_type": "Organization",
            "account": {"login": "Codertocat", "id": 21031067, "type": "Organization", "site_admin": false,
                "html_url": "https://github.com/Codertocat"},
            "repository_selection": "selected", "permissions": {"metadata": "read"}, "events": ["push", "release"],
            "created_at": "2019-05-15T15:20:32Z", "updated_at": "2019-05-15T15:20:41.123456+02:00",
            "suspended_by": null, "suspended_at": null
        })
    }

    fn with(name: &str, value: Value) -> Option<GithubInstallation> {
        let mut raw = raw();
        raw[name] = value;
        installation(&raw)
    }

    fn time(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn an_installation_is_taken_apart() {
        let expected = GithubInstallation {
            id: 957_387,
            app_id: 29_310,
            account: GithubAccount {
                id: 21_031_067,
                login: "Codertocat".into(),
                kind: AccountKind::Organization,
                html_url: "https://github.com/Codertocat".into(),
            },
            events: vec!["push".into(), "release".into()],
            all_repositories: false,
            suspended_at: None,
            updated_at: time("2019-05-15T13:20:41.123Z"),
        };
        assert_eq!(installation(&raw()), Some(expected));
        assert!(with("repository_selection", json!("all")).unwrap().all_repositories);
    }

    #[test]
    fn times_are_text_or_seconds() {
        let seconds = json!(1_557_933_641);
        for moment in [json!("2019-05-15T15:20:41Z"), json!("2019-05-15T08:20:41-07:00"), seconds] {
            assert_eq!(with("updated_at", moment.clone()).unwrap().updated_at, time("2019-05-15T15:20:41Z"));
            assert_eq!(with("suspended_at", moment).unwrap().suspended_at, Some(time("2019-05-15T15:20:41Z")));
        }
        assert_eq!(with("updated_at", Value::Null).unwrap().updated_at, time("2019-05-15T15:20:32Z"));
        for bad in [json!("yesterday"), json!(i64::MAX), json!(1.5), json!({}), json!(true)] {
            assert_eq!(with("updated_at", bad.clone()), None, "{bad}");
            assert_eq!(with("suspended_at", bad.clone()), None, "{bad}");
        }
    }

    #[test]
    fn an_incomplete_installation_is_ignored() {
        let enterprise = json!({"id": 1, "slug": "acme", "name": "Acme"});
        let bot = json!({"id": 1, "login": "x", "type": "Bot"});
        for raw in [json!(null), json!([]), json!("x"), json!({"id": 1, "node_id": "MDIz"}), json!({"id": "1"})] {
            assert_eq!(installation(&raw), None, "{raw}");
        }
        for (name, value) in [("account", enterprise), ("account", bot), ("account", json!(null)), ("id", json!("1"))] {
            assert_eq!(with(name, value.clone()), None, "{name} {value}");
        }
    }

    #[test]
    fn repositories_are_taken_from_an_array() {
        let raw = json!([
            {"id": 186853002, "node_id": "x", "name": "Hello-World", "full_name": "Codertocat/Hello-World",
                "private": true},
            null, 1, {"id": 2}, {"id": "3", "full_name": "a/b", "private": false},
            {"id": 4, "full_name": "a/b", "private": false}
        ]);
        let found = repositories(&raw);
        assert_eq!(found.iter().map(|repository| repository.id).collect::<Vec<_>>(), [186_853_002, 4]);
        assert_eq!((found[0].name(), found[0].private), ("Hello-World", true));
        for none in [json!(null), json!({}), json!("x"), json!([])] {
            assert_eq!(repositories(&none), []);
        }
    }
}
