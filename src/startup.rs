//! The composition root: wires all services from the configuration. The only place that knows every module.

mod ambient;
pub mod backup;
mod data_dir;
mod database;
pub mod doctor;
mod egress;
mod files;
mod keys;
mod scripts;
mod seams;
mod serve;
mod sign_in;
mod traces;

use std::{sync::Arc, time::Duration};

use poem::{EndpointExt, endpoint::BoxEndpoint};
use tokio_util::task::TaskTracker;
use url::Url;

pub use ambient::system as system_ambient;
pub use database::{open as open_store, plan_migrations};
pub use keys::rotate as rotate_keys;
pub use serve::serve;

use crate::{
    api::{
        self,
        shared::{
            budget::{Budget, Exhausted, Limits},
            guard::{HEALTH_PATHS, Plumbing, Tell},
        },
    },
    app::{
        Services,
        apps::{self, Apps},
        channels::{ChannelAccess, Channels},
        github::GithubConnections,
        kernel::{Base, throttle::Throttle},
        pipeline::{Pipeline, destinations::Destinations, replays::Replays},
        registry::{InstalledVersions, Registry},
        routes::{Routes, matcher::LateSenders},
        slack::{SlackConnections, commands::SlackCommands, pauses::SlackPauses},
        tenancy::{
            Tenancy,
            connections::Connections,
            credential_checks::CredentialChecks,
            identity::{ExpectedClaims, Identity, Issuer},
            quotas::Quotas,
            vault::Vault,
        },
        webhooks::{self, Webhooks, endpoints::Endpoints},
        workflows::Workflows,
    },
    config::{self, Config, JwtAlgorithm},
    domain::{
        Error, Result, ambient::Ambient, pipeline::health::HealthRules, rate_limit::RateLimit,
        tenancy::connection::ReturnUrls,
    },
    openapi,
    provider::{
        github::{self, GithubApp, GithubClient},
        guard::{Resolve, SystemResolver},
        http,
        jwks::JwksSource,
        slack::{self, SlackApp, SlackClient},
    },
    store::Store,
    worker,
};

/// Part of the service that a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Both.
    All,
    /// Answers requests.
    Api,
    /// Sends deliveries; answers only health checks.
    Worker,
}

/// Minimum interval between messages by one key.
const INBOUND_INTERVAL: Duration = Duration::from_millis(50);
const INBOUND_BURST: u32 = 200;

/// Wires the services.
///
/// # Errors
/// When a setting is wrong or a key is missing.
pub async fn build_services(config: &Config, store: Store, ambient: Ambient) -> Result<Services> {
    build_services_resolving(config, store, ambient, Arc::new(SystemResolver)).await
}

/// As [`build_services`], with `resolver` for the names in tenants' URLs.
///
/// # Errors
/// As [`build_services`].
pub async fn build_services_resolving(
    config: &Config,
    store: Store,
    ambient: Ambient,
    resolver: Arc<dyn Resolve>,
) -> Result<Services> {
    let ring = keys::ring(config, &ambient)?;
    let vault = Arc::new(Vault::open(ring, store.clone(), ambient.clone()).await?);
    let public_url = parse_url("public_url", &config.public_url())?;
    let tracer = traces::tracer(config, &ambient)?;
    let base = Base::new(store.clone(), ambient, public_url, tracer);
    let late = LateSenders::default();
    let (access, kinds) = (Arc::new(ChannelAccess(store.clone())), seams::rule_kinds());
    let registered = (seams::rules(), seams::matchers(late.clone(), kinds.clone()));
    let pauses = Arc::new(SlackPauses(store.clone()));
    let pipeline =
        Arc::new(Pipeline::new(base.clone(), (access.clone(), pauses), registered, seams::retention(config)));
    let tenancy = Arc::new(tenancy(config, &base, pipeline.clone())?);
    let sign_in = Arc::new(sign_in::service(config, tenancy.clone())?);
    let inbound = Arc::new(Throttle::new(RateLimit { interval: INBOUND_INTERVAL, burst: INBOUND_BURST }));
    let channels = Arc::new(Channels::new(base.clone(), pipeline.clone(), vault.clone(), inbound.clone()));
    let product = config.product.known();
    let accepting = (tenancy.clone(), pipeline.clone());
    let slack =
        SlackConnections::new(base.clone(), accepting.clone(), vault.clone(), slack_app(config)?, product.clone());
    let slack = Arc::new(slack);
    let github = Arc::new(GithubConnections::new(base.clone(), accepting, github_app(config, base.ambient())?));
    let return_urls = ReturnUrls::new([base.public_url()].into_iter().chain(&product.app_url));
    let connections = Arc::new(Connections::new(seams::connectors(&slack, &github), return_urls));
    let workflows = Arc::new(Workflows::new(base.clone(), pipeline.clone(), slack.clone(), product));
    let guard = egress::guard(config, resolver)?;
    let apps = Arc::new(Apps::new(
        base.clone(),
        (tenancy.clone(), pipeline.clone(), channels.clone()),
        (slack.clone(), github.clone()),
        (vault.clone(), guard.clone()),
        Arc::new(InstalledVersions(store)),
        apps::Rules {
            call_limit: config.egress.total_timeout(),
            zone: config.schedule.time_zone.parse().unwrap_or_default(),
        },
    ));
    let endpoints = Endpoints::new(base.clone(), vault.clone(), guard.clone(), config.egress.total_timeout());
    let webhooks = Arc::new(Webhooks::new(
        base.clone(),
        (tenancy.clone(), pipeline.clone(), channels.clone(), apps.clone()),
        (vault.clone(), guard.clone(), scripts::engine(&config.script, guard)),
        inbound,
        webhooks::Rules {
            script_mode: config.script.mode,
            strict_retries: config.webhooks.strict_retries,
            self_service_hooks: config.webhooks.self_service_hooks,
            call_limit: config.egress.total_timeout(),
        },
    ));
    let registry = Arc::new(registry(config, &base, (tenancy.clone(), apps.clone(), pipeline.clone(), vault)));
    let senders = seams::senders(config, &base, (&slack, &workflows), (&apps, &webhooks, &endpoints))?;
    // The senders stand on the pipeline, whose routes ask them for contents.
    let _ = late.set(senders.downgrade());
    let replays = Arc::new(Replays::new(base.clone(), senders.clone()));
    let destinations = Destinations::new(base.clone(), tenancy.clone(), pipeline.clone(), senders.clone());
    let destinations = Arc::new(destinations);
    let routes = Arc::new(Routes::new(
        base.clone(),
        (pipeline.clone(), destinations.clone()),
        access,
        kinds,
        seams::managers(&slack, &apps, &webhooks),
    ));
    let commands = seams::commands(&workflows, (&slack, &github, &routes));
    let slack_commands = Arc::new(SlackCommands::new(slack.clone(), commands));
    Ok(Services {
        base,
        senders,
        replays,
        destinations,
        endpoints: Arc::new(endpoints),
        routes,
        tenancy,
        sign_in,
        connections,
        pipeline,
        channels,
        slack,
        slack_commands,
        github,
        workflows,
        apps,
        webhooks,
        registry,
    })
}

/// Returns the settings of the workers.
pub fn worker_settings(config: &Config) -> worker::Settings {
    let delivery = &config.delivery;
    worker::Settings {
        limits: worker::slots::Limits {
            all: delivery.max_concurrent,
            per_organisation: delivery.max_concurrent_per_organisation,
            slow: delivery.max_concurrent_slow,
        },
        load: worker::LOAD,
        slow_after: Duration::from_millis(delivery.slow_after_ms)
            .min(delivery.total_timeout())
            .min(config.egress.total_timeout()),
        lease: Duration::from_secs(delivery.lease_secs),
        poll: Duration::from_millis(delivery.poll_ms),
        shutdown_grace: config.server.shutdown_grace(),
        retry: delivery.retry_schedule_secs.clone(),
        health: HealthRules {
            failing_after: i32::from(delivery.failing_after_attempts),
            disable_after: (delivery.disable_after_days > 0)
                .then(|| chrono::Duration::days(i64::from(delivery.disable_after_days))),
        },
    }
}

/// Builds the endpoint of everything served. With `strict` every answer is validated against its published document,
/// for tests.
///
/// # Errors
/// When the console cannot be configured: a bug that the tests find.
pub fn endpoint(
    config: &Config,
    app: &Services,
    requests: &TaskTracker,
    strict: Option<Tell>,
) -> Result<BoxEndpoint<'static>> {
    let routes = api::routes(openapi::published(), &plumbing(config, app, requests, strict), app.base.public_url())?;
    let hidden = if config.admin_listen.is_some() { HEALTH_PATHS } else { &[] };
    Ok(api::screened(routes.data(Arc::new(app.clone())).map_to_response(), hidden, app.base.ambient().clone()).boxed())
}

/// Builds the endpoint of a worker process: health checks.
fn health_endpoint(config: &Config, app: &Services, requests: &TaskTracker) -> BoxEndpoint<'static> {
    let routes = api::health_routes(openapi::published(), &plumbing(config, app, requests, None));
    api::screened(routes.data(Arc::new(app.clone())).map_to_response(), &[], app.base.ambient().clone()).boxed()
}

fn plumbing(config: &Config, app: &Services, requests: &TaskTracker, strict: Option<Tell>) -> Plumbing {
    let metrics = app.base.metrics().clone();
    Plumbing {
        tracer: app.base.tracer().clone(),
        ambient: app.base.ambient().clone(),
        tasks: requests.clone(),
        body_limit_bytes: config.server.body_limit_bytes,
        limits: limits(config, app),
        strict,
        observe: Arc::new(move |dialect, method, status, duration| metrics.request(dialect, method, status, duration)),
    }
}

fn limits(config: &Config, app: &Services) -> Limits {
    let (metrics, limits) = (app.base.metrics().clone(), &config.limits);
    let exhausted: Exhausted = Arc::new(move |budget| metrics.refusal(budget));
    let (unverified, verified) = (limits.unverified_body_budget_bytes, limits.body_budget_bytes);
    Limits::new(
        Budget::new("unverified_bodies", unverified, config::LONGEST_UNVERIFIED_BYTES, exhausted.clone()),
        Budget::new("bodies", verified, config::LONGEST_BYTES, exhausted),
        &config.server.trusted_proxies,
    )
}

fn quotas(config: &Config) -> Quotas {
    let limits = &config.limits;
    Quotas {
        organisations_per_owner: limits.organisations_per_owner,
        destinations_per_organisation: limits.destinations_per_organisation,
        webhooks_per_organisation: limits.webhooks_per_organisation,
    }
}

fn tenancy(config: &Config, base: &Base, announcer: Arc<Pipeline>) -> Result<Tenancy> {
    let identity = Identity::new(issuer(config)?, Duration::from_secs(config.auth.cache_secs));
    let checks = CredentialChecks::new(config.limits.wrong_credentials_per_minute);
    Ok(Tenancy::new(base.clone(), identity, checks, quotas(config), announcer))
}

fn registry(config: &Config, base: &Base, parts: (Arc<Tenancy>, Arc<Apps>, Arc<Pipeline>, Arc<Vault>)) -> Registry {
    let Config { registry, .. } = config;
    let interval = Duration::from_secs(1) / registry.calls_per_second;
    let calls = RateLimit { interval, burst: registry.calls_per_second };
    Registry::new(base.clone(), parts, registry.max_integrations_per_workspace, calls)
}

/// Returns the client of Slack with the verifier of its requests, where an app is configured.
fn slack_app(config: &Config) -> Result<Option<(SlackClient, slack::signature::Verifier)>> {
    let Some(client) = slack_client(config)? else { return Ok(None) };
    let verifier = slack::signature::Verifier::new(&client.app().signing_secret)?;
    Ok(Some((client, verifier)))
}

/// Returns the client of GitHub with the verifier of its requests, where an app is configured.
fn github_app(config: &Config, ambient: &Ambient) -> Result<Option<(GithubClient, github::signature::Verifier)>> {
    let Some(client) = github_client(config, ambient)? else { return Ok(None) };
    let verifier = github::signature::Verifier::new(&client.app().webhook_secrets)?;
    Ok(Some((client, verifier)))
}

fn issuer(config: &Config) -> Result<Issuer> {
    let jwt = &config.auth.jwt;
    let claims = ExpectedClaims {
        issuer: jwt.issuer.clone(),
        audience: jwt.audience.clone(),
        organisations: Some(jwt.organisations_claim.clone()).filter(|name| !name.is_empty()),
    };
    if !jwt.hs256_secret.expose().is_empty() {
        return Ok(Issuer::Shared { secret: jwt.hs256_secret.clone(), claims });
    }
    if jwt.jwks_url.is_empty() {
        return Ok(Issuer::Nobody);
    }
    let algorithm = match jwt.algorithm {
        JwtAlgorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        JwtAlgorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        JwtAlgorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    };
    let url = parse_url("auth.jwt.jwks_url", &jwt.jwks_url)?;
    Ok(Issuer::External { url, source: JwksSource::new(slack::Limits::default())?, algorithm, claims })
}

fn slack_client(config: &Config) -> Result<Option<SlackClient>> {
    let settings = &config.slack;
    if !settings.is_configured() {
        return Ok(None);
    }
    let redirect_uri = match settings.redirect_uri.as_str() {
        "" => format!("{}/v1/slack/oauth/callback", config.public_url()),
        uri => uri.to_owned(),
    };
    let limits = slack::Limits {
        connect: Duration::from_millis(config.delivery.connect_timeout_ms),
        total: config.delivery.total_timeout(),
        ..slack::Limits::default()
    };
    let app = SlackApp {
        client_id: settings.client_id.clone(),
        client_secret: settings.client_secret.clone(),
        signing_secret: settings.signing_secret.clone(),
        web_base: settings.web_base.clone(),
        api_base: settings.api_base.clone(),
        hooks_base: settings.hooks_base.clone(),
        redirect_uri: parse_url("slack.redirect_uri", &redirect_uri)?,
        scopes: settings.scopes.clone(),
        connection_redirect_uri: parse_url("public_url", &format!("{}/v1/slack/oauth/callback", config.public_url()))?,
        app_redirect_uri: parse_url("public_url", &format!("{}/api/v2/integration/slack/auth", config.public_url()))?,
        app_scopes: settings.app_scopes.clone(),
    };
    Ok(Some(SlackClient::new(app, slack::http_client(&limits)?, limits)))
}

/// Builds the client of GitHub, if an app is configured.
///
/// # Errors
/// When its key cannot be read or is not a valid one, or another setting is wrong.
pub fn github_client(config: &Config, ambient: &Ambient) -> Result<Option<GithubClient>> {
    let settings = &config.github;
    if !settings.is_configured() {
        return Ok(None);
    }
    let redirect_uri = match settings.redirect_uri.as_str() {
        "" => format!("{}/v1/github/callback", config.public_url()),
        uri => uri.to_owned(),
    };
    let limits = github::Limits {
        connect: Duration::from_millis(config.delivery.connect_timeout_ms),
        total: config.delivery.total_timeout(),
        ..github::Limits::default()
    };
    let webhook_secrets = [&settings.webhook_secret, &settings.webhook_secret_previous];
    let app = GithubApp {
        app_id: settings.app_id.clone(),
        slug: settings.app_slug.clone(),
        client_id: settings.client_id.clone(),
        client_secret: settings.client_secret.clone(),
        private_key: keys::github(config)?,
        webhook_secrets: webhook_secrets.into_iter().filter(|secret| !secret.expose().is_empty()).cloned().collect(),
        web_base: settings.web_base.clone(),
        api_base: settings.api_base.clone(),
        redirect_uri: parse_url("github.redirect_uri", &redirect_uri)?,
    };
    GithubClient::new(app, http::client(&limits)?, limits, ambient.clone()).map(Some)
}

fn parse_url(setting: &str, text: &str) -> Result<Url> {
    Url::parse(text).map_err(|error| Error::invalid(setting, format!("is not a URL: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn github(more: &[(&str, &str)]) -> Result<Option<GithubClient>> {
        let app = [
            ("TIELINE_PUBLIC_URL", "https://tieline.example/"),
            ("TIELINE_GITHUB__APP_ID", "4711"),
            ("TIELINE_GITHUB__APP_SLUG", "tieline"),
            ("TIELINE_GITHUB__CLIENT_ID", "Iv1.abc"),
            ("TIELINE_GITHUB__CLIENT_SECRET", "hush"),
            ("TIELINE_GITHUB__WEBHOOK_SECRET", "new"),
        ];
        let pairs = app.iter().chain(more).map(|&(key, value)| (key.to_owned(), value.to_owned()));
        github_client(&Config::load(pairs.collect()).unwrap(), &system_ambient())
    }

    #[test]
    fn githubs_key_is_in_the_settings_or_in_a_file() {
        let key = github::test_key();
        let file = std::env::temp_dir().join(format!("tieline-github-key-{}.pem", std::process::id()));
        std::fs::write(&file, &key).unwrap();
        let path = file.to_str().unwrap();
        let in_settings = github(&[("TIELINE_GITHUB__PRIVATE_KEY", &key)]).unwrap().unwrap();
        let in_file = github(&[("TIELINE_GITHUB__PRIVATE_KEY_FILE", path)]).unwrap().unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(in_settings.app().private_key, in_file.app().private_key);
        assert_eq!(in_file.app().redirect_uri.as_str(), "https://tieline.example/v1/github/callback");
        assert_eq!(in_file.app().webhook_secrets.len(), 1);

        let gone = github(&[("TIELINE_GITHUB__PRIVATE_KEY_FILE", path)]).unwrap_err().to_string();
        assert!(gone.starts_with("github.private_key_file: ") && gone.contains(path), "{gone}");
        let bad = github(&[("TIELINE_GITHUB__PRIVATE_KEY", "hush")]).unwrap_err().to_string();
        assert!(bad.starts_with("github.private_key: ") && !bad.contains("hush"), "{bad}");
    }

    #[test]
    fn both_webhook_secrets_and_an_own_callback_are_taken() {
        let key = github::test_key();
        let client = github(&[
            ("TIELINE_GITHUB__PRIVATE_KEY", &key),
            ("TIELINE_GITHUB__WEBHOOK_SECRET_PREVIOUS", "old"),
            ("TIELINE_GITHUB__REDIRECT_URI", "https://product.example/cb"),
        ]);
        let app = client.unwrap().unwrap().app().clone();
        let secrets: Vec<_> = app.webhook_secrets.iter().map(|secret| secret.expose()).collect();
        assert_eq!(secrets, ["new", "old"]);
        assert_eq!(app.redirect_uri.as_str(), "https://product.example/cb");
        let none = github_client(&Config::load(Default::default()).unwrap(), &system_ambient());
        assert!(none.unwrap().is_none());
    }
}
