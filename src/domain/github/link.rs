//! An organisation's link to a GitHub installation, and the lifetime of a proof of authority over one.
//!
//! Not here: the installation itself (`domain::github`).

use std::time::Duration;

use crate::domain::{
    ambient::Time,
    ids::{GithubLinkId, OrganisationId, UserId},
};

/// Time within which a member who has proved to administer an installation may link it: the lifetime of the flow
/// itself.
pub const PROOF_LIFETIME: Duration = Duration::from_secs(600);

/// A link. Several organisations may link one installation, each by its own proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubLink {
    /// Its identifier.
    pub id: GithubLinkId,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// GitHub's numeric id of the installation.
    pub installation_id: i64,
    /// The user who linked it.
    pub created_by: UserId,
    /// Time of linking.
    pub created_at: Time,
}
