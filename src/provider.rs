//! The far ends we call. Nothing here knows of a database, of a use case or of a dialect.
//!
//! - [`http`]: one exchange with a far end, bounded in time and size, and what can go wrong with it.
//! - [`slack`]: Slack's Web API, and the signature on what Slack sends to us.
//! - [`github`]: GitHub's API for a GitHub App, and what GitHub sends to us.
//! - [`guard`]: the only way to a URL that a tenant gave.
//! - [`webhook`]: signed messages to such a URL.
//! - [`jwks`]: the keys with which an identity provider signs its tokens.
//! - [`script`]: the engine that runs the scripts of webhook integrations, in a box.
//! - [`redact`](mod@redact): secrets taken out of text that is stored or logged.

mod digest;
#[cfg(test)]
mod far_end;
pub mod github;
pub mod guard;
pub mod http;
pub mod jwks;
pub mod redact;
pub mod script;
pub mod slack;
pub mod webhook;

pub use redact::redact;
