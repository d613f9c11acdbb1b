//! Whether those who rely on a version can rely on the next one.

use super::{Definition, Issue};

/// What breaks for those who rely on the former definition.
pub fn breaking_changes(_former: &Definition, _next: &Definition) -> Vec<Issue> {
    Vec::new()
}
