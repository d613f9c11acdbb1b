//! Clients of the upstreams. Nothing here knows of a database, of a use case or of a dialect.
//!
//! - [`http`]: one exchange with an upstream, bounded in time and size, with its failures.
//! - [`slack`]: Slack's Web API, and the signature on Slack's requests to us.
//! - [`github`]: GitHub's API for a GitHub App, and GitHub's requests to us.
//! - [`guard`]: the only client for a tenant's URL.
//! - [`webhook`]: signed messages to such a URL.
//! - [`oidc`]: an identity provider that speaks OpenID Connect.
//! - [`jwks`]: the keys with which an identity provider signs its tokens.
//! - [`otlp`]: the operator's collector of traces.
//! - [`script`]: the sandboxed engine that runs the scripts of webhooks.
//! - [`redact`](mod@redact): removal of secrets from text that is stored or logged.

mod digest;
pub mod github;
pub mod guard;
pub mod http;
pub mod jwks;
pub mod oidc;
pub mod otlp;
pub mod redact;
pub mod script;
pub mod slack;
pub mod smtp;
#[cfg(test)]
mod test_server;
pub mod webhook;

pub use redact::redact;
