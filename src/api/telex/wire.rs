//! Schemas of the Telex dialect: snake_case, in an envelope that repeats the status.

mod inbound;
mod integrations;
mod settings;
mod slack;

use poem_openapi::{
    Object,
    types::{Example, ParseFromJSON, ToJSON},
};

pub use inbound::{PostIn, PostWord};
pub use integrations::{
    CustomIn, CustomListedOut, InstalledOut, IntegrationIn, IntegrationOut, IntegrationPatch, ListedOut,
};
pub use settings::{
    ChannelSettingOut, CustomSettingIn, CustomSettingOut, SettingEntry, SettingIn, SettingOut, SettingPatch,
};
pub use slack::{SlackAccessOut, SlackTokenIn, SlackTokenOut};

use crate::api::shared::word::{Vocabulary, Word};

/// Status of a successful request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Succeeded;

impl Vocabulary for Succeeded {
    const NAME: &'static str = "Succeeded";
    const DESCRIPTION: &'static str = "Status of a successful request.";

    fn words() -> Vec<(&'static str, Self)> {
        vec![(Self.word(), Self)]
    }

    fn word(self) -> &'static str {
        "success"
    }
}

/// Status of a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl Vocabulary for Failed {
    const NAME: &'static str = "Failed";
    const DESCRIPTION: &'static str = "Status of a refused or failed request.";

    fn words() -> Vec<(&'static str, Self)> {
        vec![(Self.word(), Self)]
    }

    fn word(self) -> &'static str {
        "error"
    }
}

/// An answer with data.
#[derive(Clone, Debug, Object)]
pub struct Envelope<T: ParseFromJSON + ToJSON> {
    /// Always `success`.
    pub status: Word<Succeeded>,
    /// HTTP status.
    pub status_code: i32,
    /// Message about the result.
    pub message: String,
    /// The data.
    pub data: T,
}

impl<T: ParseFromJSON + ToJSON> Envelope<T> {
    /// Makes an envelope of the result.
    pub fn new(status_code: i32, message: &str, data: T) -> Self {
        Self { status: Word(Succeeded), status_code, message: message.to_owned(), data }
    }
}

/// An answer with a list.
#[derive(Clone, Debug, Object)]
pub struct List<T: ParseFromJSON + ToJSON> {
    /// Always `success`.
    pub status: Word<Succeeded>,
    /// HTTP status.
    pub status_code: i32,
    /// Message about the result.
    pub message: String,
    /// All items.
    pub data: Vec<T>,
}

impl<T: ParseFromJSON + ToJSON> List<T> {
    /// Makes an envelope of the list.
    pub fn new(message: &str, data: Vec<T>) -> Self {
        Self { status: Word(Succeeded), status_code: 200, message: message.to_owned(), data }
    }
}

/// Answer to the installation of a custom integration.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CustomIntegrationCreated", skip_serializing_if_is_none, example)]
pub struct CustomMade {
    /// Always `success`.
    pub status: Word<Succeeded>,
    /// HTTP status.
    pub status_code: i32,
    /// Message about the result.
    pub message: String,
    /// Warnings, such as of an unknown `integration_type`; absent if there are none.
    pub warnings: Option<Vec<String>>,
}

impl CustomMade {
    /// Makes an envelope of the warnings.
    pub fn new(message: &str, warnings: Vec<String>) -> Self {
        let warnings = Some(warnings).filter(|warnings| !warnings.is_empty());
        Self { status: Word(Succeeded), status_code: 201, message: message.to_owned(), warnings }
    }
}

impl Example for CustomMade {
    fn example() -> Self {
        Self::new("Integration app created successfully", Vec::new())
    }
}

/// An answer without data.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Done", example)]
pub struct Plain {
    /// Always `success`.
    pub status: Word<Succeeded>,
    /// HTTP status.
    pub status_code: i32,
    /// Message about the result.
    pub message: String,
}

impl Plain {
    /// Makes an envelope without data.
    pub fn new(status_code: i32, message: &str) -> Self {
        Self { status: Word(Succeeded), status_code, message: message.to_owned() }
    }
}

impl Example for Plain {
    fn example() -> Self {
        Self::new(200, "Integrations updated successfully")
    }
}
