//! The state of an OAuth flow: single use, short-lived, bound to the member and the organisation that began it.

use std::time::Duration;

use super::{
    ambient::Time,
    ids::{MemberId, OrganisationId},
};

/// How long a member has to press Allow. Slack's own codes live as long.
pub const STATE_LIFETIME: Duration = Duration::from_secs(600);

/// Who began a flow. The state itself is 32 random bytes; only their SHA-256 is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthState {
    /// Where it began.
    pub organisation_id: OrganisationId,
    /// Who began it.
    pub member_id: MemberId,
    /// After this it is refused.
    pub expires_at: Time,
}
