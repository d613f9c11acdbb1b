//! Kinds of definitions in the registry.

use serde::{Deserialize, Serialize};

use super::shape::{BODY, INTERFACE_BODY, Shape};

/// Kind of a definition. Each has its own names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefinitionKind {
    /// An integration, which can be installed.
    #[default]
    Integration,
    /// An interface: entities, actions, events and channels that integrations can implement.
    Interface,
}

impl DefinitionKind {
    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            DefinitionKind::Integration => "integration",
            DefinitionKind::Interface => "interface",
        }
    }

    /// Returns the kind with a name.
    pub fn named(name: &str) -> Option<Self> {
        [DefinitionKind::Integration, DefinitionKind::Interface].into_iter().find(|one| one.as_str() == name)
    }

    /// Returns true for an integration.
    pub fn is_integration(&self) -> bool {
        *self == DefinitionKind::Integration
    }

    /// Returns the allowed shape of a body.
    pub(super) fn body(self) -> &'static Shape {
        match self {
            DefinitionKind::Integration => &BODY,
            DefinitionKind::Interface => &INTERFACE_BODY,
        }
    }
}
