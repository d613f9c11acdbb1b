//! Webhooks that a caller may manage.
//!
//! Not here: the permissions of a role (`domain::tenancy`).

use crate::{
    app::Caller,
    domain::{
        Error, Result,
        tenancy::member::Permission,
        webhooks::{Way, Webhook, WebhookRefusal},
    },
};

/// Permissions of a caller to manage webhooks, by direction.
#[derive(Clone, Copy, Debug)]
pub(in crate::app) struct Reach {
    all: [bool; 2],
    own: [bool; 2],
}

impl Reach {
    pub(in crate::app) fn of(caller: &Caller) -> Self {
        use Permission::{
            ManageIncomingIntegrations, ManageOutgoingIntegrations, ManageOwnIncomingIntegrations,
            ManageOwnOutgoingIntegrations,
        };
        Self {
            all: [ManageIncomingIntegrations, ManageOutgoingIntegrations].map(|one| caller.may(one)),
            own: [ManageOwnIncomingIntegrations, ManageOwnOutgoingIntegrations].map(|one| caller.may(one)),
        }
    }

    /// Returns whether the caller may manage every webhook of this direction.
    pub(in crate::app) fn all(self, way: Way) -> bool {
        self.all[way as usize]
    }

    /// Returns whether the caller may manage any webhook of this direction.
    pub(in crate::app) fn some(self, way: Way) -> bool {
        self.all(way) || self.own[way as usize]
    }

    /// Returns whether the caller may manage all webhooks of this direction and also their own, which exempts from
    /// membership in the chosen channels.
    pub(super) fn both(self, way: Way) -> bool {
        self.all(way) && self.own[way as usize]
    }

    /// Demands a permission for webhooks of either direction.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(in crate::app) fn demand_any(self) -> Result<()> {
        if self.some(Way::Incoming) || self.some(Way::Outgoing) {
            return Ok(());
        }
        Err(Error::Forbidden { permission: Permission::ManageOwnIncomingIntegrations.to_string() })
    }

    /// Demands that a webhook may be managed, or returns the refusal.
    pub(in crate::app) fn manages(self, webhook: &Webhook, caller: &Caller) -> Result<(), WebhookRefusal> {
        let way = Way::of(&webhook.direction);
        match (self.all(way), self.own[way as usize]) {
            (true, _) => Ok(()),
            (false, true) if webhook.created_by.user_id == Some(caller.user_id) => Ok(()),
            (false, true) => Err(WebhookRefusal::NotYours(way)),
            (false, false) => Err(WebhookRefusal::NotAllowed(way)),
        }
    }

    /// Returns whether a webhook is listed. A caller who manages their own of both directions sees only their own, even
    /// with a wider permission for one direction.
    pub(super) fn lists(self, webhook: &Webhook, caller: &Caller) -> bool {
        let is_own = webhook.created_by.user_id == Some(caller.user_id);
        match (self.all, self.own) {
            ([true, true], _) => true,
            (_, [true, true]) => is_own,
            (all, own) => {
                let way = Way::of(&webhook.direction) as usize;
                all[way] || (own[way] && is_own)
            }
        }
    }
}
