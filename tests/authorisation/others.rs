//! Operations that take other callers than members with permissions.
//!
//! Not here: the operations with permissions (`cases`).

/// Operations that need no caller. Each has to have a reason.
pub(super) const OPEN: &[(&str, &str)] = &[
    ("completeSlackOAuthInBrowser", "the browser that comes back from Slack has a state that was issued to a member"),
    ("completeGithubInstall", "the browser that comes back from GitHub has a state that was issued to a member"),
    ("completeSlackInstall", "the state again; but a credential that is sent has to be a good one"),
    ("getConsent", "the browser that was asked has a cookie for the question"),
    ("createSession", "the token in the body is the credential"),
    ("logIn", "the token in the body takes the place of a password"),
    ("getSignInOptions", "for a browser that is not signed in yet"),
    ("giveConsent", "the same cookie, and the origin of the page that asks"),
    ("getIntegrationIcon", "the address is shown with the integration, and cannot be guessed"),
    ("getIntegrationReadme", "the same"),
    ("checkLiveness", "for the operator of the service"),
    ("checkReadiness", "for the operator of the service"),
    ("readMetrics", "for the operator of the service; counts only"),
];

/// Operations that an upstream calls: its signature over the body is the credential, and no token is accepted.
pub(super) const SIGNED: &[(&str, &[&str])] = &[
    ("receiveSlackCommand", &SLACK),
    ("receiveSlackEvent", &SLACK),
    ("receiveSlackInteraction", &SLACK),
    ("receiveGithubEvent", &["x-hub-signature-256"]),
];

/// Operations authorised by the key in their address, or that of an app: no token is accepted.
pub(super) const KEYED: &[&str] = &[
    "receiveAgentMessage",
    "receiveChannelMessage",
    "receiveChannelMessageByLink",
    "receiveChannelWebhook",
    "receiveChannelWebhookByLink",
];

/// Operations with alternative permissions, which report a missing one in words of their own.
/// `rocketchat/permissions.rs`, `outgoing_webhooks/history.rs` and `native_webhooks.rs` have a case for each.
pub(super) const ALTERNATIVES: &[&str] = &[
    "createWebhookIntegration",
    "listWebhookIntegrations",
    "getWebhookIntegration",
    "updateWebhookIntegration",
    "removeWebhookIntegration",
    "listWebhookHistory",
    "clearWebhookHistory",
    "replayOutgoingWebhook",
    "listIncomingWebhooks",
    "createIncomingWebhook",
    "getIncomingWebhook",
    "updateIncomingWebhook",
    "deleteIncomingWebhook",
    "getIncomingWebhookToken",
    "rotateIncomingWebhookToken",
    "listOutgoingWebhooks",
    "createOutgoingWebhook",
    "getOutgoingWebhook",
    "updateOutgoingWebhook",
    "deleteOutgoingWebhook",
    "getOutgoingWebhookToken",
    "rotateOutgoingWebhookToken",
    "getOutgoingWebhookSigningSecret",
    "rotateOutgoingWebhookSigningSecret",
    "listOutgoingWebhookRuns",
    "deleteOutgoingWebhookRuns",
    "replayOutgoingWebhookRun",
];

/// Operations on a channel that the query names.
pub(super) const ROOMS: &[&str] = &[
    "getPublicChannel",
    "listPublicChannelMessages",
    "getPublicChannelHistory",
    "listPublicChannelMembers",
    "getPrivateGroup",
    "listPrivateGroupMessages",
    "getPrivateGroupHistory",
    "listPrivateGroupMembers",
];

/// Operations on the caller's own membership, which need no permission.
pub(super) const OWN: &[&str] = &["getAccount"];

/// Operations authorised by the token in their path: no other credential is accepted.
pub(super) const ADDRESSED: &[&str] = &[
    "receiveWebhook",
    "receiveWebhookByLink",
    "receiveWebhookOfUser",
    "receiveWebhookOfUserByLink",
    "checkWebhook",
    "sampleWebhook",
    "addWebhookSubscriber",
    "removeWebhookSubscriber",
];

/// Operations of the code of a registry version, authorised by a key of it: no token is accepted. `registry_events.rs` has
/// the cases.
pub(super) const KEY_HOLDERS: &[&str] = &["createEvent"];

/// Operations of the session of a browser, authorised by its cookie alone. `portal_sessions.rs` has the cases.
pub(super) const COOKIES: &[&str] = &["getSession", "deleteSession"];

/// Operations of an operator of the service. No credential of an organisation opens them; `operators.rs` has the cases.
pub(super) const OPERATORS: &[&str] = &[
    "listOperatorOrganisations",
    "getBacklog",
    "listFailingDestinations",
    "listPendingRegistryVersions",
    "reviewRegistryVersion",
];

/// Operations of a JWT's subject, which need not be a member of any organisation. Personal access tokens are refused.
/// `identity/invitations.rs` has the cases of other subjects.
pub(super) const SUBJECTS: &[&str] = &["listInvitations", "acceptInvitation", "declineInvitation"];

pub(super) const SLACK: [&str; 2] = ["x-slack-request-timestamp", "x-slack-signature"];
