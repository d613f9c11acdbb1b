//! What every dialect needs of HTTP: faults, bodies checked against the published document, the guard around it all.
//!
//! Nothing here knows any dialect's names or shapes.

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
mod nul;
pub mod refusal;
pub mod schema;
pub mod sender;
pub mod services;
pub mod signed;
pub mod time;
mod violations;
pub mod word;
