//! Signing in by the operator's identity provider: OpenID Connect with PKCE, bound to the browser by a cookie.
//!
//! Not here: the provider's answers (`provider::oidc`), and the session that is opened (`sessions`).

use std::sync::Arc;

use aws_lc_rs::constant_time;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use tokio::sync::OnceCell;
use url::Url;

use super::{Tenancy, credential::sha256, sessions::OpenedSession};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        error::{AuthFailure, StateFailure},
        secret::Secret,
        tenancy::{
            member::Member,
            organisation::{Organisation, Slug},
            session::Transport,
        },
    },
    provider::oidc::{Binding, Endpoints, OidcClient, Person},
    store,
};

/// Path at which signing in begins.
pub const BEGIN: &str = "/portal/sign-in/oidc";
/// Path to which the provider sends the browser back.
pub const CALLBACK: &str = "/portal/sign-in/oidc/callback";

/// Separator between the secret of a ticket and the organisation that was named; neither contains it.
const NAMES: char = '.';

/// Service of signing in by an identity provider.
pub struct SignIn {
    tenancy: Arc<Tenancy>,
    provider: Option<Provider>,
}

struct Provider {
    name: String,
    client: OidcClient,
    /// True if the subjects of members are this issuer's. Another issuer's would be other people.
    knows_subjects: bool,
    endpoints: OnceCell<Endpoints>,
}

/// A browser that is sent to the provider.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The provider's page.
    pub url: Url,
    /// Secret for the browser's cookie, from which everything is made that binds the answer to the browser.
    pub ticket: Secret,
}

/// Result of signing in.
#[derive(Debug)]
pub enum SignedInBy {
    /// A session was opened.
    Session(Box<OpenedSession>),
    /// The person is a member of several organisations, and named none of them.
    Several(Vec<Organisation>),
}

impl SignIn {
    /// Creates the service without a provider.
    pub fn without_provider(tenancy: Arc<Tenancy>) -> Self {
        Self { tenancy, provider: None }
    }

    /// Creates the service with a provider of this display name.
    pub fn new(tenancy: Arc<Tenancy>, name: String, client: OidcClient, knows_subjects: bool) -> Self {
        let provider = Provider { name, client, knows_subjects, endpoints: OnceCell::new() };
        Self { tenancy, provider: Some(provider) }
    }

    /// Returns the display name of the provider.
    pub fn provider_name(&self) -> Option<&str> {
        self.provider.as_ref().map(|provider| provider.name.as_str())
    }

    /// Begins to sign in, to an organisation if it is named.
    ///
    /// # Errors
    /// [`Error::FailedPrecondition`] without a provider, or over plain http that leaves the machine;
    /// [`Error::Unavailable`].
    pub async fn begin_sign_in(&self, organisation: Option<&str>) -> Result<Begun> {
        let provider = self.provider()?;
        Transport::of(self.tenancy.base.public_url())?;
        let secret = self.tenancy.new_secret();
        let ticket = match organisation.map(Slug::parse).transpose()? {
            Some(slug) => Secret::new(format!("{}{NAMES}{}", secret.expose(), slug.as_str())),
            None => secret,
        };
        let url = provider.client.authorization_url(provider.endpoints().await?, &binding(&ticket));
        Ok(Begun { url, ticket })
    }

    /// Completes signing in, by the browser's ticket and the provider's answer.
    ///
    /// # Errors
    /// [`Error::OAuthState`] for an answer to another browser; [`Error::Unauthenticated`] for a code or a token that is
    /// not valid, or a person who is no member; [`Error::Unavailable`].
    pub async fn complete_sign_in(&self, ticket: &Secret, state: &str, code: &str) -> Result<SignedInBy> {
        let provider = self.provider()?;
        let binding = binding(ticket);
        constant_time::verify_slices_are_equal(state.as_bytes(), binding.state.as_bytes())
            .map_err(|_| Error::OAuthState(StateFailure::Unknown))?;
        let now = self.tenancy.base.now();
        let person = provider.client.person(provider.endpoints().await?, code, &binding, now).await?;
        let mut members = self.members(&person, provider.knows_subjects).await?;
        if let Some((_, slug)) = ticket.expose().split_once(NAMES) {
            let wanted = Slug::parse(slug)?;
            let reader = self.tenancy.base.store.reader();
            let wanted = store::tenancy::organisations::find_by_slug(reader, &wanted).await?;
            members.retain(|member| wanted.as_ref().is_some_and(|wanted| wanted.id == member.organisation_id));
        }
        match &members[..] {
            [] => Err(Error::Unauthenticated(AuthFailure::NotAMember)),
            [member] => {
                let caller = Caller::member(member, None);
                Ok(SignedInBy::Session(Box::new(self.tenancy.sign_in(&caller, "identity-provider").await?)))
            }
            several => {
                let ids: Vec<_> = several.iter().map(|member| member.organisation_id).collect();
                let mut found = store::tenancy::organisations::list(self.tenancy.base.store.reader(), &ids).await?;
                found.sort_by(|one, other| one.slug.as_str().cmp(other.slug.as_str()));
                Ok(SignedInBy::Several(found))
            }
        }
    }

    /// Returns the memberships of a person: by subject or, without any, by verified e-mail address. An invitation that
    /// waits for its holder counts for neither.
    async fn members(&self, person: &Person, knows_subjects: bool) -> Result<Vec<Member>> {
        let reader = self.tenancy.base.store.reader();
        if knows_subjects {
            let found = store::tenancy::members::of_subject(reader, &person.subject).await?;
            let named = |member: &Member| member.subject.as_deref() == Some(person.subject.as_str());
            let found: Vec<_> =
                found.into_iter().filter(|member| named(member) && member.answers_to(&person.subject)).collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
        let Some(email) = &person.verified_email else { return Ok(Vec::new()) };
        let found = store::tenancy::members::of_email(reader, email).await?;
        let mut found: Vec<_> = found.into_iter().filter(|member| !member.is_invited()).collect();
        // Two members of an organisation with one address are nobody in particular.
        let count = |id, all: &[Member]| all.iter().filter(|member| member.organisation_id == id).count();
        let all = found.clone();
        found.retain(|member| count(member.organisation_id, &all) == 1);
        Ok(found)
    }

    fn provider(&self) -> Result<&Provider> {
        self.provider.as_ref().ok_or_else(|| Error::FailedPrecondition {
            message: "no identity provider is configured; sign in with a token, or ask the operator to set oidc.issuer"
                .into(),
        })
    }
}

impl Provider {
    /// Returns the provider's addresses, which are fetched once.
    async fn endpoints(&self) -> Result<&Endpoints> {
        self.endpoints.get_or_try_init(|| self.client.discover()).await
    }
}

/// Makes everything that binds an answer to a browser of the secret that the browser keeps.
fn binding(ticket: &Secret) -> Binding {
    let part = |name: &str| BASE64URL.encode(sha256(format!("{name} {}", ticket.expose()).as_bytes()));
    let verifier = part("verifier");
    let challenge = BASE64URL.encode(sha256(verifier.as_bytes()));
    Binding { state: part("state"), nonce: part("nonce"), verifier: Secret::new(verifier), challenge }
}
