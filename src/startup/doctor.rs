//! Checks of an installation, for the operator: each names what it found, and the remedy.
//!
//! Nothing is changed but the row of the readiness probe. Not here: the output (`cli`).

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

use chrono::TimeDelta;
use ipnet::IpNet;
use url::Url;

use super::{data_dir, database, egress, files, github_client, keys, slack_client, system_ambient, traces::collector};
use crate::{
    app::tenancy::vault::Vault,
    config::Config,
    domain::{Error, ambient::Ambient},
    provider::guard::SystemResolver,
    store::{
        Store,
        kernel::readiness,
        pipeline::{gauges, overview},
    },
};

/// Difference of two clocks from which on signatures and leases suffer.
const MOST_SKEW: TimeDelta = TimeDelta::seconds(5);
/// Age of a due delivery from which on no worker seems to take it.
const LATE: TimeDelta = TimeDelta::seconds(60);

/// State of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is wrong.
    Passed,
    /// A risk, while it works.
    Warned,
    /// A failure.
    Failed,
    /// Not a part of this installation.
    Skipped,
}

impl State {
    /// Returns the word of the output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Warned => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A check with its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The checked component.
    pub name: &'static str,
    /// Its state.
    pub state: State,
    /// The finding.
    pub found: String,
    /// The remedy; `None` where none is needed.
    pub remedy: Option<String>,
}

impl Check {
    fn new(name: &'static str, state: State, found: impl Into<String>, remedy: Option<&str>) -> Self {
        Self { name, state, found: found.into(), remedy: remedy.map(str::to_owned) }
    }

    fn passed(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, State::Passed, found, None)
    }

    fn skipped(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, State::Skipped, found, None)
    }

    fn failed(name: &'static str, error: &Error, remedy: &str) -> Self {
        Self::new(name, State::Failed, error.to_string(), Some(remedy))
    }
}

/// Checks everything that a start needs, and what the service depends on while it runs.
pub async fn examine(config: &Config) -> Vec<Check> {
    let ambient = system_ambient();
    let mut checks = vec![public_url(config), directory(config), open_files(config), allowed_networks(config)];
    checks.push(guard(config));
    checks.extend(storage(config, &ambient).await);
    checks.push(slack(config).await);
    checks.push(github(config, &ambient).await);
    checks.push(traces(config).await);
    checks
}

fn public_url(config: &Config) -> Check {
    let url = config.public_url();
    let https = Url::parse(&url).is_ok_and(|url| url.scheme() == "https");
    match https {
        true => Check::passed("public address", url),
        false => Check::new(
            "public address",
            State::Warned,
            format!("{url} is not https"),
            Some("set TIELINE_PUBLIC_URL to the https address of this service: Slack and GitHub return browsers there"),
        ),
    }
}

fn directory(config: &Config) -> Check {
    const NAME: &str = "data directory";
    if !config.is_embedded() {
        return Check::skipped(NAME, "the database is PostgreSQL");
    }
    let folder = &config.data_dir;
    match fs::metadata(folder) {
        Err(_) => Check::passed(NAME, format!("{} is made by the first start", folder.display())),
        Ok(found) if found.permissions().mode() & 0o077 != 0 => Check::new(
            NAME,
            State::Warned,
            format!("others have access to {}", folder.display()),
            Some("chmod 700 the folder; a start does so too, where the folder is this user's"),
        ),
        Ok(_) => Check::passed(NAME, format!("{} is this user's alone", folder.display())),
    }
}

fn open_files(config: &Config) -> Check {
    let (wanted, bound) = (config.server.max_connections, files::connections(config));
    match bound >= wanted {
        true => Check::passed("open files", format!("enough for {wanted} connections")),
        false => Check::new(
            "open files",
            State::Warned,
            format!("enough for {bound} of {wanted} connections"),
            Some("raise the limit (ulimit -n, LimitNOFILE=), or lower server.max_connections"),
        ),
    }
}

fn allowed_networks(config: &Config) -> Check {
    let wide = |network: &&IpNet| network.prefix_len() == 0;
    match config.egress.allow.iter().find(wide) {
        None => Check::passed(
            "egress",
            format!("{} networks are permitted besides the internet", config.egress.allow.len()),
        ),
        Some(network) => Check::new(
            "egress",
            State::Warned,
            format!("egress.allow has {network}: members may have this service call every address of your network"),
            Some("name only the networks that members' webhooks are in"),
        ),
    }
}

fn guard(config: &Config) -> Check {
    match egress::guard(config, Arc::new(SystemResolver)) {
        Ok(_) => Check::passed("TLS roots", "found"),
        Err(error) => Check::failed("TLS roots", &error, "install the system's certificates (package ca-certificates)"),
    }
}

/// Checks the database, its schema, that it keeps writes, the key, the clock, and what waits.
async fn storage(config: &Config, ambient: &Ambient) -> Vec<Check> {
    if !data_dir::has_database(config) {
        let state = match data_dir::prepare(config) {
            Ok(()) => Check::passed("database", "the first start makes it"),
            Err(error) => Check::failed("database", &error, "restore a backup: tieline restore FOLDER"),
        };
        return vec![state];
    }
    let store = match database::connect(config).await {
        Ok(store) => store,
        Err(error) => {
            let remedy = "check DATABASE_URL, that the server runs, and that this host may connect to it";
            return vec![Check::failed("database", &error, remedy)];
        }
    };
    let mut checks = vec![schema(&store).await];
    if checks[0].state == State::Passed {
        checks.push(writes(&store, ambient).await);
        checks.push(key(config, &store, ambient).await);
        checks.push(clock(&store, ambient).await);
        checks.extend(deliveries(&store, ambient).await);
    }
    store.close().await;
    checks
}

async fn schema(store: &Store) -> Check {
    match store.pending_migrations().await {
        Ok(pending) if pending.is_empty() => Check::passed("database", "reached, and its schema is this version's"),
        Ok(pending) => Check::new(
            "database",
            State::Warned,
            format!("{} migrations are not applied, from {} on", pending.len(), pending[0]),
            Some("start this version, or run `tieline migrate`; back up first"),
        ),
        Err(error) => Check::failed("database", &error, "see docs/reliability.md"),
    }
}

async fn writes(store: &Store, ambient: &Ambient) -> Check {
    match readiness::prove(store, ambient.id(), ambient.id(), ambient.now()).await {
        Ok(()) => Check::passed("writes", "one was kept, and read back by another connection"),
        Err(error) => Check::failed("writes", &error, "free disk space, or check that the database is no standby"),
    }
}

async fn key(config: &Config, store: &Store, ambient: &Ambient) -> Check {
    let opened = match keys::ring(config, ambient) {
        Ok(ring) => Vault::open(ring, store.clone(), ambient.clone()).await.map(drop),
        Err(error) => Err(error),
    };
    match opened {
        Ok(()) => Check::passed("key", "it opens the stored secrets"),
        Err(error) => {
            Check::failed("key", &error, "set TIELINE_SECRET_KEY to the key that the secrets were sealed with")
        }
    }
}

async fn clock(store: &Store, ambient: &Ambient) -> Check {
    if store.is_embedded() {
        return Check::skipped("clock", "the database has this machine's");
    }
    match readiness::clock(store).await.map(|theirs| ambient.now() - theirs) {
        Ok(skew) if skew.abs() <= MOST_SKEW => Check::passed("clock", "agrees with the database's"),
        Ok(skew) => Check::new(
            "clock",
            State::Warned,
            format!("{} seconds from the database's", skew.num_seconds()),
            Some("synchronise both (chrony, systemd-timesyncd): signatures carry the time"),
        ),
        Err(error) => Check::failed("clock", &error, "check the database"),
    }
}

/// Checks that due deliveries are taken, and lists how many destinations fail.
async fn deliveries(store: &Store, ambient: &Ambient) -> Vec<Check> {
    let waiting = match overview::backlog(store.reader()).await {
        Err(error) => Check::failed("worker", &error, "check the database"),
        Ok(backlog) => {
            let late = backlog.iter().filter(|one| ambient.now() - one.due_at > LATE).count();
            match late {
                0 => Check::passed(
                    "worker",
                    format!("{} destinations have pending deliveries, none late", backlog.len()),
                ),
                _ => Check::new(
                    "worker",
                    State::Failed,
                    format!("{late} destinations are due for more than a minute: no worker takes them"),
                    Some("start a process with `serve --role worker` or `--role all`, and read its log"),
                ),
            }
        }
    };
    let failing = match gauges::count_unhealthy(store.reader()).await {
        Err(error) => Check::failed("destinations", &error, "check the database"),
        Ok((0, 0)) => Check::passed("destinations", "all healthy"),
        Ok((failing, disabled)) => Check::new(
            "destinations",
            State::Warned,
            format!("{failing} failing, {disabled} disabled"),
            Some("the portal's page of operators has the reasons; so has `tieline destination list --org SLUG`"),
        ),
    };
    vec![waiting, failing]
}

async fn slack(config: &Config) -> Check {
    let checked = match slack_client(config) {
        Ok(None) => return Check::skipped("Slack", "slack.client_id is not set"),
        Ok(Some(client)) => client.check_credentials().await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => Check::passed("Slack", "reached, and it knows the app by its secret"),
        Err(error) => Check::failed(
            "Slack",
            &error,
            "compare slack.client_id and slack.client_secret with the app's page at Slack",
        ),
    }
}

async fn github(config: &Config, ambient: &Ambient) -> Check {
    let checked = match github_client(config, ambient) {
        Ok(None) => return Check::skipped("GitHub", "github.app_id is not set"),
        Ok(Some(client)) => client.app_at_github().await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(slug) if slug == config.github.app_slug => {
            Check::passed("GitHub", "reached, and it knows the app by its key")
        }
        Ok(slug) => Check::new(
            "GitHub",
            State::Failed,
            format!("the app's slug is {slug}, and github.app_slug is {}", config.github.app_slug),
            Some("set github.app_slug to the last part of the app's public address"),
        ),
        Err(error) => {
            Check::failed("GitHub", &error, "check github.app_id, github.private_key and this machine's clock")
        }
    }
}

async fn traces(config: &Config) -> Check {
    const NAME: &str = "traces";
    let Some(collector) = collector(config) else { return Check::skipped(NAME, "traces.endpoint is not set") };
    let found = match collector.probe().await {
        Err(error) => return Check::failed(NAME, &error, "see the check of TLS roots"),
        Ok(Some(status)) if status.is_success() => return Check::passed(NAME, "the collector takes an export"),
        Ok(Some(status)) => format!("the collector answers {status} to an export"),
        Ok(None) => "the collector does not answer".to_owned(),
    };
    Check::new(NAME, State::Failed, found, Some("check traces.endpoint, for OTLP over HTTP, and traces.headers"))
}
