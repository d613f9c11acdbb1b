//! Rows of Tieline's tables, one file a table. No rules live here: `domain` has them, and `store` converts.

pub mod attempt;
pub mod audit_entry;
pub mod channel;
pub mod channel_key;
pub mod channel_member;
pub mod delivery;
pub mod destination;
pub mod event;
pub mod github_installation;
pub mod github_link;
pub mod github_proof;
pub mod github_repository;
pub mod inbound_receipt;
pub mod installation;
pub mod integration;
pub mod member;
pub mod oauth_state;
pub mod organisation;
pub mod setting;
pub mod slack_link;
pub mod slack_thread;
pub mod subscription;
pub mod tenant_key;
pub mod tick;
pub mod token;
pub mod workflow;
