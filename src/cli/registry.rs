//! Versions in the registry, for the operator.

use clap::Subcommand;
use serde_json::json;

use super::Failure;
use crate::{
    app::{self, Services},
    domain::{
        page::PageRequest,
        registry::{Lifecycle, PublicId, RegistryVersion, Verification},
        tenancy::operator::Operator,
    },
};

/// Commands about the registry.
#[derive(Subcommand)]
pub enum Registry {
    /// List the versions submitted for verification; prints each as one line of JSON.
    Pending,
    /// Set the verification or the lifecycle of a version; prints it as one line of JSON.
    Set {
        /// Its id, such as intver_01JVYWESY3BVAM5FR3XT9X813H.
        id: String,
        /// unapproved, pending, approved or rejected.
        #[arg(long, value_parser = verification)]
        verification: Option<Verification>,
        /// published, or deprecated: existing installations go on, and new ones are refused.
        #[arg(long, value_parser = lifecycle)]
        lifecycle: Option<Lifecycle>,
    },
}

/// Runs a command.
///
/// # Errors
/// As the service.
pub async fn run(command: Registry, app: &Services) -> Result<(), Failure> {
    match command {
        Registry::Pending => list_pending(&app.registry).await,
        Registry::Set { id, verification, lifecycle } => {
            let operator = Operator::at_command_line();
            let reviewed = app.registry.review_registry_version(&operator, &id, (verification, lifecycle)).await?;
            println!("{}", line(&reviewed.version));
            Ok(())
        }
    }
}

/// Prints the versions that wait for a verification, page after page.
async fn list_pending(registry: &app::registry::Registry) -> Result<(), Failure> {
    let (operator, mut page) = (Operator::at_command_line(), PageRequest::new(None, None)?);
    loop {
        let found = registry.list_pending_registry_versions(&operator, page).await?;
        found.items.iter().for_each(|listed| println!("{}", line(&listed.version)));
        if found.next.is_none() {
            return Ok(());
        }
        page.after = found.next;
    }
}

fn verification(text: &str) -> Result<Verification, String> {
    Verification::named(text).ok_or_else(|| one_of(&Verification::ALL.map(Verification::as_str)))
}

fn lifecycle(text: &str) -> Result<Lifecycle, String> {
    Lifecycle::named(text).ok_or_else(|| one_of(&Lifecycle::ALL.map(Lifecycle::as_str)))
}

fn one_of(words: &[&str]) -> String {
    format!("possible values: {}", words.join(", "))
}

fn line(version: &RegistryVersion) -> serde_json::Value {
    json!({
        "id": PublicId { prefix: PublicId::VERSION, id: version.id.0 }.to_string(),
        "organisation_id": version.organisation_id,
        "name": version.name,
        "version": version.version.to_string(),
        "visibility": version.visibility.as_str(),
        "verification": version.verification.as_str(),
        "lifecycle": version.lifecycle.as_str(),
    })
}
