//! Whose webhooks a caller may manage.

use crate::{
    app::Caller,
    domain::{
        Error, Result,
        tenancy::member::Permission,
        webhooks::{Way, Webhook, WebhookRefusal},
    },
};

/// What a caller may manage.
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

    /// Whether every webhook of this direction.
    pub(in crate::app) fn all(self, way: Way) -> bool {
        self.all[way as usize]
    }

    /// Whether some webhook of this direction.
    pub(in crate::app) fn some(self, way: Way) -> bool {
        self.all(way) || self.own[way as usize]
    }

    /// Whether both, which frees from the rule that one is in the channels that one chooses.
    pub(super) fn both(self, way: Way) -> bool {
        self.all(way) && self.own[way as usize]
    }

    /// Demands some permission for webhooks at all.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(in crate::app) fn demand_any(self) -> Result<()> {
        if self.some(Way::Incoming) || self.some(Way::Outgoing) {
            return Ok(());
        }
        Err(Error::Forbidden { permission: Permission::ManageOwnIncomingIntegrations.to_string() })
    }

    /// Whether a webhook may be managed, and why not.
    pub(in crate::app) fn manages(self, webhook: &Webhook, caller: &Caller) -> Result<(), WebhookRefusal> {
        let way = Way::of(&webhook.direction);
        match (self.all(way), self.own[way as usize]) {
            (true, _) => Ok(()),
            (false, true) if webhook.created_by.user_id == Some(caller.user_id) => Ok(()),
            (false, true) => Err(WebhookRefusal::NotYours(way)),
            (false, false) => Err(WebhookRefusal::NotAllowed(way)),
        }
    }

    /// Whether a webhook is listed. Who manages their own of both directions sees their own, whatever else they may.
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
