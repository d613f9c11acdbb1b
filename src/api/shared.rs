//! HTTP building blocks of every dialect: faults, bodies validated against the published document, the guard around
//! each dialect.
//!
//! Nothing here knows any dialect's names or schemas.

pub mod asset;
pub mod auth;
pub mod body;
pub mod budget;
pub mod consent;
pub mod contract;
pub mod dialect;
pub mod documents;
pub mod fault;
mod framework;
pub mod guard;
pub mod media;
pub mod nul;
pub mod page;
pub mod portal_pages;
pub mod refusal;
pub mod registry_body;
pub mod registry_words;
pub mod schema;
pub mod script_error;
pub mod sender;
pub mod services;
pub mod session;
#[cfg(test)]
pub mod test_client;
pub mod setting_value;
pub mod signed;
pub mod time;
mod violations;
pub mod whole_value;
pub mod word;
