//! `[webhooks]`: retry schedule of outgoing webhooks, size of their history, and limits of their addresses.

use serde::Deserialize;

/// `[webhooks]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Webhooks {
    pub strict_retries: bool,
    pub self_service_hooks: bool,
    pub history_max_per_integration: u64,
}
