//! Schemas of the Boomerang dialect: cards, GitHub installations, and responses to Slack's requests.

pub mod slack;

use std::borrow::Cow;

use poem_openapi::{
    Object,
    registry::{MetaSchema, MetaSchemaRef},
    types::{Example, ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    api::shared::{
        fault::{Fault, Protocol},
        whole_value::whole_value,
        word::{Vocabulary, Word},
    },
    app::{
        apps::cards::IntegrationCard,
        github::links::{GithubInstallationDetails, GithubLinkRequest},
    },
    domain::{
        Error,
        error::{Upstream, Violation},
        tenancy::oauth::refusal,
    },
};

/// Link status of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not linked.
    Unlinked,
    /// Linked.
    Linked,
}

impl Vocabulary for Status {
    const NAME: &'static str = "IntegrationStatus";
    const DESCRIPTION: &'static str = "Link status of the team and the integration.";

    fn words() -> Vec<(&'static str, Self)> {
        [Status::Unlinked, Status::Linked].map(|status| (status.word(), status)).into()
    }

    fn word(self) -> &'static str {
        match self {
            Status::Unlinked => "unlinked",
            Status::Linked => "linked",
        }
    }
}

/// An integration that a team can be linked to.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Integration", skip_serializing_if_is_none, example)]
pub struct IntegrationOut {
    /// The card's id.
    pub id: Uuid,
    /// Name of the integration.
    pub name: String,
    /// Name of the icon.
    pub icon: String,
    /// Description of the integration.
    pub description: String,
    /// Instructions for linking it; Markdown.
    pub instructions: String,
    /// Address that links it, for a browser.
    pub link: Option<String>,
    /// Link status of the team.
    pub status: Word<Status>,
    /// Reference of the linked account, as this card displays it; absent if the team is not linked.
    #[oai(rename = "ref")]
    pub reference: Option<String>,
}

impl From<IntegrationCard> for IntegrationOut {
    fn from(card: IntegrationCard) -> Self {
        Self {
            id: card.id,
            name: card.name,
            icon: card.icon,
            description: card.description,
            instructions: card.instructions,
            link: card.link.map(Into::into),
            status: Word(if card.reference.is_some() { Status::Linked } else { Status::Unlinked }),
            reference: card.reference,
        }
    }
}

impl Example for IntegrationOut {
    fn example() -> Self {
        Self {
            id: Uuid::from_u128(0x019a_a5c2_7b10_7000_8000_0000_0000_0005),
            name: "GitHub".into(),
            icon: "github".into(),
            description: "Start workflows by the events of your repositories.".into(),
            instructions: "Open the link, choose an organisation, and allow the app.".into(),
            link: Some("https://github.com/apps/tieline/installations/new?state=…".into()),
            status: Word(Status::Linked),
            reference: Some("51234567".into()),
        }
    }
}

/// An installation of our GitHub App.
#[derive(Clone, Debug, Object)]
#[oai(rename = "GHInstallationsResponse", rename_all = "camelCase", example)]
pub struct InstallationOut {
    /// GitHub's id of our app.
    pub app_id: i64,
    /// GitHub's installation id.
    pub installation_id: i64,
    /// Present name of the account in which the app is installed.
    pub org_slug: String,
    /// Address of the account's page.
    pub org_url: String,
    /// GitHub's id of the account.
    pub org_id: i64,
    /// `Organization` or `User`.
    pub org_type: String,
    /// Events that the app is subscribed to.
    pub events: Vec<String>,
    /// Names of the repositories that the app can access, without their owner.
    pub repositories: Vec<String>,
}

impl From<GithubInstallationDetails> for InstallationOut {
    fn from(details: GithubInstallationDetails) -> Self {
        let GithubInstallationDetails { installation, repositories } = details;
        Self {
            app_id: installation.app_id,
            installation_id: installation.id,
            org_slug: installation.account.login,
            org_url: installation.account.html_url,
            org_id: installation.account.id,
            org_type: installation.account.kind.as_str().to_owned(),
            events: installation.events,
            repositories: repositories.iter().map(|repository| repository.name().to_owned()).collect(),
        }
    }
}

impl Example for InstallationOut {
    fn example() -> Self {
        Self {
            app_id: 123_456,
            installation_id: 51_234_567,
            org_slug: "acme".into(),
            org_url: "https://github.com/acme".into(),
            org_id: 9_876_543,
            org_type: "Organization".into(),
            events: vec!["pull_request".into(), "push".into()],
            repositories: vec!["api".into(), "site".into()],
        }
    }
}

/// Reference of an installation: text or, because it often is a number, a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference(pub String);

impl Type for Reference {
    whole_value!();

    fn name() -> Cow<'static, str> {
        "string_or_integer".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let text = MetaSchema { max_length: Some(64), ..MetaSchema::new("string") };
        let forms = [text, MetaSchema::new_with_format("integer", "int64")];
        let one_of = forms.map(|form| MetaSchemaRef::Inline(Box::new(form))).into();
        MetaSchemaRef::Inline(Box::new(MetaSchema { one_of, ..MetaSchema::ANY }))
    }
}

impl ParseFromJSON for Reference {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Ok(Self(number.to_string())),
                None => Err(ParseError::custom("a number must be a whole one of 64 bits")),
            },
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ToJSON for Reference {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone().into())
    }
}

/// Installation and team to be linked or unlinked. Other fields are ignored.
#[derive(Clone, Debug, Object)]
#[oai(rename = "GHLinkRequest", example, skip_serializing_if_is_none)]
pub struct LinkIn {
    /// GitHub's installation id, or the id of its record here.
    #[oai(rename = "ref")]
    pub reference: Reference,
    /// The team's name or id. It, or `workspace`, is required.
    #[oai(validator(max_length = 64))]
    pub team: Option<String>,
    /// The same, as version 5 of the product calls it; `team` takes precedence.
    #[oai(validator(max_length = 64))]
    pub workspace: Option<String>,
    /// GitHub's code, if its redirect had one: it proves the identity of the caller at GitHub.
    #[oai(validator(max_length = 1024))]
    pub code: Option<String>,
    /// State that came with the code.
    #[oai(validator(max_length = 1024))]
    pub state: Option<String>,
}

impl TryFrom<LinkIn> for GithubLinkRequest {
    type Error = Fault;

    fn try_from(request: LinkIn) -> Result<Self, Fault> {
        let LinkIn { reference, team, workspace, code, state } = request;
        let missing = || Violation { field: "/team".to_owned(), message: "is required".to_owned() };
        let team = team.or(workspace).ok_or_else(|| Protocol::BodyViolations(vec![missing()]))?;
        Ok(Self { reference: reference.0, team, code, state })
    }
}

/// Returns the team that the query names, as `team` or, by version 5 of the product, as `workspace`.
///
/// # Errors
/// [`Protocol::Parameter`] where there is neither.
pub fn team(team: Option<String>, workspace: Option<String>) -> Result<String, Fault> {
    let missing = || Protocol::Parameter { name: "team".to_owned(), reason: "is required".to_owned() };
    Ok(team.or(workspace).ok_or_else(missing)?)
}

impl Example for LinkIn {
    fn example() -> Self {
        let reference = Reference("51234567".into());
        Self { reference, team: Some("acme".into()), workspace: None, code: None, state: None }
    }
}

/// Returns the code and the state of Slack's redirect.
///
/// # Errors
/// [`Error::Invalid`] for a missing parameter, and the refusal if the user cancelled.
pub fn granted(code: Option<String>, state: Option<String>, error: Option<String>) -> Result<(String, String), Fault> {
    if let Some(word) = error {
        return Err(Error::Refused { upstream: Upstream::Slack, code: refusal(&word).to_owned() }.into());
    }
    let missing = |name: &str| Protocol::Parameter { name: name.to_owned(), reason: "is required".to_owned() };
    Ok((code.ok_or_else(|| missing("code"))?, state.ok_or_else(|| missing("state"))?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{
        ambient::Time,
        github::{AccountKind, GithubAccount, GithubInstallation, GithubRepository},
    };

    #[test]
    fn a_card_leaves_out_what_there_is_none_of() {
        let card = |reference: Option<&str>| IntegrationCard {
            id: Uuid::from_u128(1),
            name: "Slack".into(),
            icon: "slack".into(),
            description: String::new(),
            instructions: String::new(),
            link: None,
            reference: reference.map(str::to_owned),
        };
        let shown = |reference| IntegrationOut::from(card(reference)).to_json().unwrap();
        let unlinked = shown(None);
        assert_eq!(unlinked["status"], "unlinked");
        assert!(unlinked.get("ref").is_none() && unlinked.get("link").is_none(), "{unlinked}");
        let linked = shown(Some("T01ABC123"));
        assert_eq!((&linked["status"], &linked["ref"]), (&json!("linked"), &json!("T01ABC123")));
    }

    #[test]
    fn an_installation_names_its_repositories_without_their_owner() {
        let account = GithubAccount {
            id: 3_000_000_000,
            login: "acme".into(),
            kind: AccountKind::User,
            html_url: "https://github.com/acme".into(),
        };
        let details = GithubInstallationDetails {
            installation: GithubInstallation {
                id: 4_000_000_000,
                app_id: 99,
                account,
                events: vec!["push".into()],
                all_repositories: false,
                suspended_at: None,
                updated_at: Time::UNIX_EPOCH,
            },
            repositories: vec![GithubRepository { id: 1, full_name: "acme/site".into(), private: true }],
        };
        assert_eq!(
            InstallationOut::from(details).to_json().unwrap(),
            json!({
                "appId": 99,
                "installationId": 4_000_000_000_u64,
                "orgSlug": "acme",
                "orgUrl": "https://github.com/acme",
                "orgId": 3_000_000_000_u64,
                "orgType": "User",
                "events": ["push"],
                "repositories": ["site"],
            })
        );
    }

    #[test]
    fn a_reference_is_text_or_a_whole_number() {
        let read = |value: Value| Reference::parse_from_json(Some(value)).ok().map(|reference| reference.0);
        assert_eq!(read(json!("12")), Some("12".into()));
        assert_eq!(read(json!(3_000_000_000_u64)), Some("3000000000".into()));
        for other in [json!(1.5), json!(u64::MAX), json!(null), json!(["12"])] {
            assert_eq!(read(other), None);
        }
    }

    #[test]
    fn a_refusal_at_slack_is_reported_and_nothing_is_repeated() {
        let shown = |code: Option<&str>, state: Option<&str>, error: Option<&str>| {
            let text = |text: Option<&str>| text.map(str::to_owned);
            granted(text(code), text(state), text(error)).map_err(|fault| fault.to_string())
        };
        assert_eq!(shown(Some("c"), Some("s"), None), Ok(("c".into(), "s".into())));
        assert_eq!(shown(Some("c"), None, None), Err("the parameter state is required".into()));
        assert_eq!(shown(None, Some("s"), None), Err("the parameter code is required".into()));
        assert_eq!(shown(None, Some("s"), Some("access_denied")), Err("Slack refused: access_denied".into()));
        assert_eq!(shown(None, None, Some("<b>")), Err("Slack refused: no reason that we know".into()));
    }
}
