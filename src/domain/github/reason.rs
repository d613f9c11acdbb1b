//! Reasons for which a notification of GitHub is not sent.

use crate::domain::pipeline::delivery::Reason;

/// The organisation unlinked the installation, or it was deleted at GitHub.
pub const UNLINKED: Reason =
    Reason::new("the GitHub installation is not linked any more; link it again and replay this delivery");
/// The repository was taken from the installation.
pub const REPOSITORY_REMOVED: Reason = Reason::new(
    "the GitHub installation does not see the repository any more; give it back to the app at GitHub and replay this \
     delivery",
);
/// Reason of a connection that is lost: the installation was deleted.
pub const DELETED: Reason = Reason::new("the installation was deleted at GitHub; install the app again and link it");
/// Reason of a connection that is lost for a while: the installation is suspended.
pub const SUSPENDED: Reason = Reason::new("the installation is suspended at GitHub; unsuspend it there");
