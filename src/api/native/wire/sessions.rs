//! Sessions of browsers, and the origins that may frame the portal.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use super::{Permission, Role, Word, words};
use crate::{
    api::shared::{time::Timestamp, word::Vocabulary},
    app::tenancy::{
        operators::{OpenedBrowserSession, SignedInOperator},
        portal_sessions::{NewPortalSession, PortalLink},
        sessions::{OpenedSession, SignedIn},
        sign_in,
    },
    domain::tenancy::{
        organisation::Organisation,
        session::{FrameAncestors, PortalPage, Theme},
    },
};

impl Vocabulary for PortalPage {
    const NAME: &'static str = "PortalPage";
    const DESCRIPTION: &'static str = "Page of the portal.";

    fn words() -> Vec<(&'static str, Self)> {
        PortalPage::ALL.map(|page| (page.as_str(), page)).into()
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Vocabulary for Theme {
    const NAME: &'static str = "Theme";
    const DESCRIPTION: &'static str = "Colours of the portal: as the browser prefers (auto), light, or dark.";

    fn words() -> Vec<(&'static str, Self)> {
        Theme::ALL.map(|theme| (theme.as_str(), theme)).into()
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// Kind of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// Of a member of an organisation.
    Member,
    /// Of an operator of the service.
    Operator,
}

impl Vocabulary for SessionKind {
    const NAME: &'static str = "SessionKind";
    const DESCRIPTION: &'static str =
        "Kind of a session: of a member of an organisation, or of an operator of the service.";

    fn words() -> Vec<(&'static str, Self)> {
        [Self::Member, Self::Operator].map(|kind| (kind.word(), kind)).into()
    }

    fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Operator => "operator",
        }
    }
}

/// A personal access token, or an operator's token, that signs a browser in.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreateSession")]
pub struct SessionIn {
    /// The text of the token.
    #[oai(validator(max_length = 200))]
    pub token: String,
}

/// A session of a browser in the portal.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Session", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct SessionOut {
    /// Kind of the session.
    pub kind: Word<SessionKind>,
    /// The member who is signed in; absent for an operator.
    pub member: Option<SessionMemberOut>,
    /// The organisation; absent for an operator.
    pub organisation: Option<SessionOrganisationOut>,
    /// The operator who is signed in; absent for a member.
    pub operator: Option<SessionOperatorOut>,
    /// Permissions that the session holds; none for an operator.
    pub permissions: Vec<Word<Permission>>,
    /// Pages of the organisation that the session may see; none for an operator.
    pub pages: Vec<Word<PortalPage>>,
    /// Colours.
    pub theme: Word<Theme>,
    /// Page of the product to which the portal leads back.
    pub return_url: Option<String>,
    /// Value of the header `X-CSRF-Token` in requests that may change something.
    pub csrf_token: String,
    /// Time at which the session ends.
    pub expires_at: Timestamp,
    /// True if the session may be used in a frame on another site.
    pub embedded: bool,
}

/// The member who is signed in by a session.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SessionMember", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct SessionMemberOut {
    /// Id of the user.
    pub user_id: Uuid,
    /// Username, unique within the organisation.
    pub username: String,
    /// Email address, for display.
    pub email: Option<String>,
    /// Role of the member.
    pub role: Word<Role>,
}

/// The operator who is signed in by a session.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SessionOperator")]
pub struct SessionOperatorOut {
    /// Name of the operator's token.
    pub name: String,
}

/// The organisation of a session.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SessionOrganisation", rename_all = "camelCase")]
pub struct SessionOrganisationOut {
    /// Unique id.
    pub id: Uuid,
    /// Handle, unique in the whole service.
    pub slug: String,
    /// Display name.
    pub name: String,
}

impl From<(SignedIn, Organisation)> for SessionOut {
    fn from((signed_in, organisation): (SignedIn, Organisation)) -> Self {
        let SignedIn { caller, session, member, csrf_token } = signed_in;
        Self {
            kind: Word(SessionKind::Member),
            operator: None,
            permissions: words(caller.permissions().clone()),
            pages: session.visible_pages().into_iter().map(Word).collect(),
            theme: Word(session.theme),
            return_url: session.return_url.map(Into::into),
            csrf_token,
            expires_at: caller.expires_at().unwrap_or(session.expires_at).into(),
            embedded: session.embedded,
            member: Some(SessionMemberOut {
                user_id: member.user_id.0,
                username: member.username,
                email: member.email,
                role: Word(member.role),
            }),
            organisation: Some(SessionOrganisationOut {
                id: organisation.id.0,
                slug: organisation.slug.as_str().to_owned(),
                name: organisation.name,
            }),
        }
    }
}

impl From<SignedInOperator> for SessionOut {
    fn from(signed_in: SignedInOperator) -> Self {
        Self {
            kind: Word(SessionKind::Operator),
            member: None,
            organisation: None,
            operator: Some(SessionOperatorOut { name: signed_in.operator.name }),
            permissions: Vec::new(),
            pages: Vec::new(),
            theme: Word(Theme::Auto),
            return_url: None,
            csrf_token: signed_in.csrf_token,
            expires_at: signed_in.expires_at.into(),
            embedded: false,
        }
    }
}

impl From<OpenedBrowserSession> for SessionOut {
    fn from(opened: OpenedBrowserSession) -> Self {
        match opened {
            OpenedBrowserSession::Member(opened) => {
                let OpenedSession { signed_in, organisation, .. } = *opened;
                (signed_in, organisation).into()
            }
            OpenedBrowserSession::Operator(opened) => opened.signed_in.into(),
        }
    }
}

/// Ways by which a browser may sign in to the portal.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SignInOptions", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct SignInOptionsOut {
    /// Identity provider, if one is configured.
    pub open_id_connect: Option<OpenIdConnectOut>,
    /// True if a personal access token signs in.
    pub tokens: bool,
}

impl From<Option<&str>> for SignInOptionsOut {
    /// `name` is that of the identity provider.
    fn from(name: Option<&str>) -> Self {
        let provider = |name: &str| OpenIdConnectOut { name: name.to_owned(), url: sign_in::BEGIN.to_owned() };
        Self { open_id_connect: name.map(provider), tokens: true }
    }
}

/// Identity provider of OpenID Connect.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OpenIdConnect")]
pub struct OpenIdConnectOut {
    /// Display name.
    pub name: String,
    /// Path at which signing in begins.
    pub url: String,
}

/// A portal session to be created.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreatePortalSession", rename_all = "camelCase", example)]
pub struct PortalSessionIn {
    /// Pages that the session may see; all by default.
    pub pages: Option<Vec<Word<PortalPage>>>,
    /// Page of the product to which the portal leads back: https, or http on loopback.
    pub return_url: Option<String>,
    /// Colours; auto by default.
    pub theme: Option<Word<Theme>>,
}

impl Example for PortalSessionIn {
    fn example() -> Self {
        let pages = [PortalPage::Home, PortalPage::Routes, PortalPage::Deliveries];
        Self {
            pages: Some(pages.map(Word).into()),
            return_url: Some("https://app.example.com/settings".into()),
            theme: Some(Word(Theme::Auto)),
        }
    }
}

impl From<PortalSessionIn> for NewPortalSession {
    fn from(session: PortalSessionIn) -> Self {
        Self {
            pages: session.pages.map(|pages| pages.into_iter().map(|Word(page)| page).collect()),
            return_url: session.return_url,
            theme: session.theme.map_or(Theme::Auto, |Word(theme)| theme),
        }
    }
}

/// A link that signs a browser in to the portal.
#[derive(Clone, Debug, Object)]
#[oai(rename = "PortalSession", rename_all = "camelCase")]
pub struct PortalSessionOut {
    /// The link, which can be opened once.
    pub url: String,
    /// Time until which it can be opened.
    pub expires_at: Timestamp,
}

impl From<PortalLink> for PortalSessionOut {
    fn from(link: PortalLink) -> Self {
        Self { url: link.url.into(), expires_at: link.expires_at.into() }
    }
}

/// Origins whose pages may frame the portal.
#[derive(Clone, Debug, Object)]
#[oai(rename = "FrameAncestors", example)]
pub struct FrameAncestorsOut {
    /// The origins: https, or http on loopback. Without any, the portal is shown in no frame.
    pub origins: Vec<String>,
}

impl Example for FrameAncestorsOut {
    fn example() -> Self {
        Self { origins: vec!["https://app.example.com".into()] }
    }
}

impl From<FrameAncestors> for FrameAncestorsOut {
    fn from(origins: FrameAncestors) -> Self {
        Self { origins: origins.origins().to_vec() }
    }
}
