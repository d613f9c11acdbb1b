//! *System* integrations, which every organisation can connect. Two are built in, and the operator may add others.
//!
//! Not here: the state of the connection to Slack or GitHub.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::ids::IntegrationId;

/// A system integration, as a card shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemApp {
    /// Its identifier, the same in every organisation.
    pub id: IntegrationId,
    /// Its name.
    pub name: String,
    /// Its descriptive texts.
    pub about: About,
}

/// Descriptive texts of an integration; stored with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// URL of a picture, or the name of one that the client has.
    pub icon: String,
    /// Description: one sentence.
    pub description: String,
    /// Instructions for connecting it; Markdown.
    pub instructions: String,
    /// URL at which to connect it, if it is the same for everybody.
    pub link: Option<String>,
}

/// Slack's identifier.
pub const SLACK: IntegrationId = IntegrationId(Uuid::from_u128(0x0199_c000_0000_7000_8000_0000_0000_0001));
/// GitHub's identifier.
pub const GITHUB: IntegrationId = IntegrationId(Uuid::from_u128(0x0199_c000_0000_7000_8000_0000_0000_0002));

/// The built-in integrations, in display order.
pub fn built_in() -> [SystemApp; 2] {
    let about = |icon: &str, description: &str, instructions: &str| About {
        icon: icon.to_owned(),
        description: description.to_owned(),
        instructions: instructions.to_owned(),
        link: None,
    };
    [
        SystemApp {
            id: GITHUB,
            name: "GitHub".into(),
            about: about(
                "github",
                "Events of your repositories, as events here and as messages in Slack channels.",
                "Open the link and install the app in an account that you administer. Where an owner has to approve it \
                 first, open the link again afterwards.",
            ),
        },
        SystemApp {
            id: SLACK,
            name: "Slack".into(),
            about: about(
                "slack",
                "Notifications in channels, and workflows that are run by a slash command.",
                "Open the link, choose the workspace and press **Allow**. A workspace belongs to one organisation.",
            ),
        },
    ]
}
