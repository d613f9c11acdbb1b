//! Keys of names: those of interfaces have a prefix, since the two kinds share a table and not their names.
//!
//! Not here: the rules for names (`domain::registry`).

use std::borrow::Cow;

use crate::domain::registry::{Entry, definition::DefinitionKind};

/// No name has a colon.
const INTERFACE: &str = "interface:";

/// Returns the key of a name.
pub(super) fn key(Entry { kind, name }: Entry<'_>) -> Cow<'_, str> {
    match kind {
        DefinitionKind::Integration => Cow::Borrowed(name),
        DefinitionKind::Interface => Cow::Owned(format!("{INTERFACE}{name}")),
    }
}

/// Returns the name with a key.
pub(super) fn name_of(key: &str) -> &str {
    key.strip_prefix(INTERFACE).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back() {
        for kind in [DefinitionKind::Integration, DefinitionKind::Interface] {
            let entry = Entry { kind, name: "acme/hitl" };
            assert_eq!(name_of(&key(entry)), "acme/hitl");
        }
    }
}
