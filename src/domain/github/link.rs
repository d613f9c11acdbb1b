//! An organisation's link to a GitHub installation, and how long a proof of authority over one is believed.

use std::time::Duration;

use crate::domain::{
    ambient::Time,
    ids::{GithubLinkId, OrganisationId, UserId},
};

/// How long a member who has proved to administer an installation may link it: as long as the flow itself may take.
pub const PROOF_LIFETIME: Duration = Duration::from_secs(600);

/// A link. Several organisations may link one installation, each by its own proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubLink {
    /// Its identifier.
    pub id: GithubLinkId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// GitHub's number of the installation.
    pub installation_id: i64,
    /// The user who linked it.
    pub created_by: UserId,
    /// When.
    pub created_at: Time,
}
