//! Common parts of the tests: a running Tieline with a manually moved clock, a stand-in Slack and GitHub beside it, and
//! a database of its own.

pub mod browser;
mod database;
mod differences;
mod disk;
mod gate;
mod github;
mod http;
mod integration;
mod names;
mod process;
pub mod sabotage;
mod sender;
mod slack;
mod smtp;
mod world;

pub use database::Database;
pub use differences::Differences;
pub use disk::{Disk, IO_ERROR, NO_SPACE};
pub use gate::Gate;
pub use github::{Github, card_link, card_state};
pub use http::{Answer, Client};
pub use integration::{Call, Integration, Reply, is_documented};
pub use names::Names;
pub use process::{Deployment, Process, terminate, until};
pub use sender::{COMMANDS, EVENTS, INTERACTIVITY, Sender, form, sign};
pub use slack::Slack;
pub use smtp::{MailReply, MailServer, Mailbox};
pub use world::{Setup, TestApp, own_routes, step, subscription};

/// Runs a scenario on both databases: `both! { async fn name(app) { … } }` makes `name::on_sqlite` and
/// `name::on_postgres`, each with a fresh [`TestApp`].
#[macro_export]
macro_rules! both {
    ($($(#[$attribute:meta])* async fn $name:ident($app:ident) $body:block)+) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "not every story needs all that stands around it")]
            use super::*;

            async fn story($app: $crate::support::TestApp) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                story($crate::support::TestApp::start($crate::support::Database::sqlite()).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(database) = $crate::support::Database::postgres().await {
                    story($crate::support::TestApp::start(database).await).await;
                }
            }
        }
    )+};
}

/// Runs a scenario on both databases, without an app: `both_databases! { async fn name(database) { … } }`.
#[macro_export]
macro_rules! both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident) $body:block)+) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn story($database: $crate::support::Database) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                story($crate::support::Database::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(database) = $crate::support::Database::postgres().await {
                    story(database).await;
                }
            }
        }
    )+};
}
