//! The shapes of the Telex dialect: snake_case, in an envelope that says the status once more.

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
    SettingValue,
};
pub use slack::{SlackAccessOut, SlackTokenIn, SlackTokenOut};

use crate::api::shared::word::{Vocabulary, Word};

/// The status of what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Succeeded;

impl Vocabulary for Succeeded {
    const NAME: &'static str = "Succeeded";
    const DESCRIPTION: &'static str = "It was done.";

    fn words() -> Vec<(&'static str, Self)> {
        vec![(Self.word(), Self)]
    }

    fn word(self) -> &'static str {
        "success"
    }
}

/// The status of what was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl Vocabulary for Failed {
    const NAME: &'static str = "Failed";
    const DESCRIPTION: &'static str = "It was refused, or failed.";

    fn words() -> Vec<(&'static str, Self)> {
        vec![(Self.word(), Self)]
    }

    fn word(self) -> &'static str {
        "error"
    }
}

/// An answer with something in it.
#[derive(Clone, Debug, Object)]
pub struct Envelope<T: ParseFromJSON + ToJSON> {
    /// Always `success`.
    pub status: Word<Succeeded>,
    /// The HTTP status.
    pub status_code: i32,
    /// What was done.
    pub message: String,
    /// What it is about.
    pub data: T,
}

impl<T: ParseFromJSON + ToJSON> Envelope<T> {
    /// Of what was done.
    pub fn new(status_code: i32, message: &str, data: T) -> Self {
        Self { status: Word(Succeeded), status_code, message: message.to_owned(), data }
    }
}

/// An answer with several things in it.
#[derive(Clone, Debug, Object)]
pub struct List<T: ParseFromJSON + ToJSON> {
    /// Always `success`.
    pub status: Word<Succeeded>,
    /// The HTTP status.
    pub status_code: i32,
    /// What was done.
    pub message: String,
    /// All of them.
    pub data: Vec<T>,
}

impl<T: ParseFromJSON + ToJSON> List<T> {
    /// Of what was found.
    pub fn new(message: &str, data: Vec<T>) -> Self {
        Self { status: Word(Succeeded), status_code: 200, message: message.to_owned(), data }
    }
}

/// An answer with nothing more in it.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Done", example)]
pub struct Plain {
    /// Always `success`.
    pub status: Word<Succeeded>,
    /// The HTTP status.
    pub status_code: i32,
    /// What was done.
    pub message: String,
}

impl Plain {
    /// Of what was done.
    pub fn new(status_code: i32, message: &str) -> Self {
        Self { status: Word(Succeeded), status_code, message: message.to_owned() }
    }
}

impl Example for Plain {
    fn example() -> Self {
        Self::new(200, "Integrations updated successfully")
    }
}
