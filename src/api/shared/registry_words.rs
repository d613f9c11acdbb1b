//! Enums of the registry.

use super::word::Vocabulary;
use crate::domain::registry::{Lifecycle, SortBy, Verification, definition::Visibility};

macro_rules! vocabulary {
    ($type:ty, $name:literal, $description:literal, $all:expr) => {
        impl Vocabulary for $type {
            const NAME: &'static str = $name;
            const DESCRIPTION: &'static str = $description;

            fn words() -> Vec<(&'static str, Self)> {
                $all.into_iter().map(|one| (one.as_str(), one)).collect()
            }

            fn word(self) -> &'static str {
                self.as_str()
            }
        }
    };
}

vocabulary!(
    Visibility,
    "Visibility",
    "Visibility of a version to other workspaces.",
    [Visibility::Public, Visibility::Private, Visibility::Unlisted]
);
vocabulary!(Verification, "VerificationStatus", "Verification status of a version.", Verification::ALL);
vocabulary!(
    Lifecycle,
    "LifecycleStatus",
    "Lifecycle status of a version, required for its installation.",
    Lifecycle::ALL
);
vocabulary!(SortBy, "SortBy", "Sort key of a list.", SortBy::ALL);
