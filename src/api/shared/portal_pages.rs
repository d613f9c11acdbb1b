//! Pages of the portal that need an operation: a session that is limited to pages may use no other operations.
//!
//! Not here: the rule itself (`domain::tenancy::session`).

use poem::http::Method;

use crate::domain::tenancy::session::PortalPage::{self, Apps, Deliveries, Events, Home, Organisation, Routes};

/// Paths that every session may use: its own, which says what it may see.
pub const ALWAYS: &[&str] = &["/v1/session"];

/// Pages that read below a path, and pages that also change something there.
struct Need {
    prefix: &'static str,
    reads: &'static [PortalPage],
    changes: &'static [PortalPage],
}

const fn need(prefix: &'static str, reads: &'static [PortalPage], changes: &'static [PortalPage]) -> Need {
    Need { prefix, reads, changes }
}

/// The needs of the pages. Of two prefixes of a path the first one counts.
const NEEDS: &[Need] = &[
    need("/v1/connections", &[Home, Routes, Deliveries, Events], &[Home]),
    need("/v1/slack", &[Home, Routes], &[Home]),
    need("/v1/github", &[Home, Routes, Events], &[Home, Events]),
    need("/v1/routes", &[Home, Routes, Deliveries, Events], &[Routes]),
    need("/v1/destinations", &[Home, Routes, Deliveries, Events, Apps], &[Home, Routes, Deliveries, Apps]),
    need("/v1/deliveries", &[Home, Routes, Deliveries, Events], &[Home, Deliveries, Events]),
    need("/v1/statistics", &[Home, Deliveries], &[]),
    need("/v1/retention", &[Organisation], &[]),
    need("/v1/events", &[Home, Routes, Deliveries, Events], &[Routes, Events]),
    need("/v1/apps", &[Routes, Apps], &[Apps]),
    need("/v1/incoming-webhooks", &[Apps], &[Apps]),
    need("/v1/outgoing-webhooks", &[Apps], &[Apps]),
    need("/v1/registry", &[Apps], &[Apps]),
    need("/v1/workflows", &[Routes, Apps], &[Apps]),
    need("/v1/channels", &[Home, Routes, Apps, Organisation], &[Apps, Organisation]),
    need("/v1/organisations", &[Organisation], &[Organisation]),
    need("/v1/tokens", &[Organisation], &[Organisation]),
    need("/v1/audit-log", &[Organisation], &[]),
];

/// Returns the pages that need an operation; none for one that only unlimited sessions may use.
pub fn of(method: &Method, path: &str) -> &'static [PortalPage] {
    let is_below =
        |need: &&Need| path.strip_prefix(need.prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let Some(need) = NEEDS.iter().find(is_below) else { return &[] };
    if [Method::GET, Method::HEAD].contains(method) { need.reads } else { need.changes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::native;

    #[test]
    fn a_page_needs_its_operations_and_no_others() {
        assert_eq!(of(&Method::GET, "/v1/audit-log"), [Organisation]);
        assert_eq!(of(&Method::POST, "/v1/routes/test"), [Routes]);
        assert!(of(&Method::GET, "/v1/deliveries/1").contains(&Home));
        for (method, path) in [
            (Method::POST, "/v1/portal-sessions"),
            (Method::POST, "/v1/audit-log"),
            (Method::GET, "/v1/routesque"),
            (Method::GET, "/v1/nothing"),
        ] {
            assert!(of(&method, path).is_empty(), "{path}");
        }
    }

    #[test]
    fn every_resource_of_the_dialect_is_decided_on() {
        let own = ["/v1/portal-sessions", "/v1/sessions", "/v1/session", "/v1/operator"];
        let without_pages = [&["/v1/invitations", "/v1/consent"], &own[..]].concat();
        let open = ["/v1/sign-in-options", "/healthz", "/readyz", "/metrics"];
        for prefix in native::DIALECT.prefixes {
            let is_decided = without_pages.contains(prefix) || open.contains(prefix);
            assert_ne!(is_decided, NEEDS.iter().any(|need| need.prefix == *prefix), "{prefix}");
        }
    }
}
