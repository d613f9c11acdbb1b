//! Callers of dialects that name the organisation, as a *team*, beside the credential, by its slug or id.
//!
//! Not here: the verification of credentials (`identity`).

use super::Tenancy;
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        error::{AuthFailure, Noun},
        ids::OrganisationId,
        secret::Secret,
        tenancy::organisation::{Organisation, Slug},
    },
    store,
};

/// An authenticated identity, before an organisation is chosen.
#[derive(Clone, Debug)]
pub struct Identified {
    credential: Secret,
    /// The caller, if they are a member of exactly one organisation.
    caller: Option<Caller>,
}

impl Tenancy {
    /// Authenticates a credential without choosing an organisation.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn identify(&self, credential: &str) -> Result<Identified> {
        let caller = match self.authenticate(credential, None).await {
            Ok(caller) => Some(caller),
            // A member of several organisations: the team selects one of them.
            Err(Error::Invalid(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(Identified { credential: Secret::new(credential), caller })
    }

    /// Returns the caller in a team. An unknown team and one of which they are no member are reported alike.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(in crate::app) async fn in_team(&self, who: &Identified, team: &str) -> Result<(Caller, Organisation)> {
        let not_found = || Error::not_found(Noun::Organisation, team);
        let organisation = self.find_team(team).await?.ok_or_else(not_found)?;
        if let Some(caller) = &who.caller
            && caller.organisation_id == organisation.id
        {
            return Ok((caller.clone(), organisation));
        }
        match self.authenticate(who.credential.expose(), Some(organisation.id)).await {
            Ok(caller) => Ok((caller, organisation)),
            Err(Error::Unauthenticated(AuthFailure::NotAMember)) => Err(not_found()),
            Err(error) => Err(error),
        }
    }

    /// Returns the caller without a named team.
    ///
    /// # Errors
    /// [`Error::Invalid`] where they are a member of several.
    pub(in crate::app) async fn in_their_team(&self, who: &Identified) -> Result<Caller> {
        let several = || Error::invalid("team", "is needed: you are a member of several");
        who.caller.clone().ok_or_else(several)
    }

    /// Returns the caller in every organisation for which their credential is valid.
    pub(in crate::app) async fn everywhere(&self, who: &Identified) -> Result<Vec<Caller>> {
        if let Some(caller) = &who.caller
            && caller.token_id.is_some()
        {
            return Ok(vec![caller.clone()]);
        }
        let mut callers = Vec::new();
        for organisation_id in self.memberships(who.credential.expose()).await? {
            match self.authenticate(who.credential.expose(), Some(organisation_id)).await {
                Ok(caller) => callers.push(caller),
                Err(Error::Unauthenticated(AuthFailure::NotAMember)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(callers)
    }

    /// Returns a team by its slug or id.
    pub(in crate::app) async fn find_team(&self, team: &str) -> Result<Option<Organisation>> {
        let reader = self.base.store.reader();
        if let Ok(id) = team.parse::<OrganisationId>() {
            return match store::tenancy::organisations::find(reader, id).await {
                Ok(organisation) => Ok(Some(organisation)),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            };
        }
        match Slug::parse(team) {
            Ok(slug) => store::tenancy::organisations::find_by_slug(reader, &slug).await,
            Err(_) => Ok(None),
        }
    }
}
