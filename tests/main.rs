//! The integration tests: one binary, a file a subject. Each runs a real server on loopback beside a stand-in Slack, on
//! SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at anything unexpected")]

#[macro_use]
mod support;

mod app_keys;
mod audit_log;
mod authorisation;
mod binary;
mod boomerang;
mod botpress;
mod botpress_clients;
mod channel_integrations;
mod cli;
mod cloud_events;
mod connections;
mod consent;
mod contract;
mod demo;
mod destination_health;
mod docs;
mod embedded;

mod errors;
mod event_batches;
mod github;
mod github_connect;
mod github_webhooks;
mod handover;
mod identity;
mod incoming_webhooks;
mod injection;
mod integration_addresses;
mod integration_calls;
mod integration_signing;
mod integration_ticks;
mod integrations;
mod limits;
mod linkbreakers;
mod listen;
mod managed_routes;
mod native;
mod native_apps;
mod native_queries;
mod native_registry;
mod native_webhooks;
mod oauth;
mod openapi;
mod operator_commands;
mod operators;
mod outgoing_webhooks;
mod parity;
mod pipeline;
mod portal_sessions;
mod queue_model;
mod registry_actions;
mod registry_events;
mod registry_installations;
mod releases;
mod retention;
mod rocketchat;
mod rolling_upgrade;
mod route_flows;
mod routes;
mod search;
mod secrets;
mod senders;
mod sign_in;
mod slack_commands;
mod slack_events;
mod slack_install;
mod slack_signatures;
mod slack_subscribe;
mod store_contract;
mod subscriptions;
mod telex;
mod tidy;
mod toolchain;
mod traces;
mod upgrade;
mod verifying_webhooks;
