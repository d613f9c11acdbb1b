//! The egress guard of tenants' URLs, from the configuration.

use std::sync::Arc;

use url::{Host, Url};

use crate::{
    config::Config,
    domain::Result,
    provider::guard::{EgressPolicy, Guard, Limits, Resolve},
};

/// Builds the only client for tenants' URLs; `resolver` finds names.
///
/// # Errors
/// When TLS cannot be set up on this machine.
pub fn guard(config: &Config, resolver: Arc<dyn Resolve>) -> Result<Guard> {
    let egress = &config.egress;
    let limits = Limits {
        connect: egress.connect_timeout(),
        total: egress.total_timeout(),
        max_answer_bytes: egress.max_answer_bytes,
    };
    Guard::new(policy(config), resolver, limits)
}

fn policy(config: &Config) -> EgressPolicy {
    let egress = &config.egress;
    let database = if config.is_embedded() { None } else { host_and_port(&config.database_url(), Some(5432)) };
    let own_hosts = [Some(config.listen.to_string()), host_and_port(&config.public_url(), None), database];
    EgressPolicy {
        allow: egress.allow.clone(),
        ports: EgressPolicy::USUAL_PORTS.into_iter().chain(egress.ports.iter().copied()).collect(),
        https_only: egress.https_only,
        own_hosts: own_hosts.into_iter().flatten().collect(),
    }
}

/// Returns the host of a URL with its port. Nothing without a host that a tenant's URL could name: a database may be a
/// file.
fn host_and_port(url: &str, usual_port: Option<u16>) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let port = url.port_or_known_default().or(usual_port)?;
    let host = Host::parse(url.host_str()?).ok()?;
    Some(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::guard::{Refusal, SystemResolver};

    fn guard(config: &Config) -> Result<Guard> {
        super::guard(config, Arc::new(SystemResolver))
    }

    fn config(pairs: &[(&str, &str)]) -> Config {
        Config::load(pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()).unwrap()
    }

    #[test]
    fn own_hosts_are_where_we_are_reached_where_we_listen_and_the_database() {
        let hosts = |pairs: &[(&str, &str)]| policy(&config(pairs)).own_hosts;
        assert_eq!(hosts(&[]), ["127.0.0.1:8080", "127.0.0.1:8080"]);
        let elsewhere = hosts(&[
            ("TIELINE_LISTEN", "[::]:9000"),
            ("TIELINE_PUBLIC_URL", "https://Tieline.Example/there/"),
            ("DATABASE_URL", "postgres://u:p%40@Db.Example/tieline"),
        ]);
        assert_eq!(elsewhere, ["[::]:9000", "tieline.example:443", "db.example:5432"]);
        for url in ["postgres:///tieline?host=/var/run/postgresql", "postgres://%2Fvar%2Frun/x", "postgres://a,b/x"] {
            let pairs = [("DATABASE_URL", url)];
            assert_eq!(hosts(&pairs)[..2], ["127.0.0.1:8080", "127.0.0.1:8080"]);
            assert!(guard(&config(&pairs)).is_ok(), "{url}");
        }
    }

    #[test]
    fn the_settings_are_the_guards_policy() {
        let of = |pairs: &[(&str, &str)], url: &str| guard(&config(pairs)).unwrap().check(url).map(|_| ());
        let private = [("TIELINE_EGRESS__ALLOW", "127.0.0.0/8")];
        assert_eq!(of(&[], "http://127.0.0.1:8080/"), Err(Refusal::Address));
        assert_eq!(of(&private, "http://127.0.0.1:8080/"), Err(Refusal::Ourselves));
        assert_eq!(of(&private, "http://127.0.0.1:8081/"), Ok(()));
        let public_url = [("TIELINE_PUBLIC_URL", "https://tieline.example")];
        assert_eq!(of(&public_url, "https://tieline.example/v1"), Err(Refusal::Ourselves));
        assert_eq!(of(&public_url, "https://tieline.example:8443/v1"), Ok(()));
        assert_eq!(of(&[], "https://other.example:9000/"), Err(Refusal::Port { port: 9000 }));
        assert_eq!(of(&[("TIELINE_EGRESS__PORTS", "9000")], "https://other.example:9000/"), Ok(()));
        assert_eq!(of(&[], "http://other.example/"), Err(Refusal::Scheme));
        assert_eq!(of(&[("TIELINE_EGRESS__HTTPS_ONLY", "false")], "http://other.example/"), Ok(()));
    }
}
