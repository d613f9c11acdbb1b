//! Registration at the seams: a matcher for each kind of rule, a sender for each kind of destination, the rules of event
//! types, and the chores of housekeeping.

use std::{sync::Arc, time::Duration};

use crate::{
    app::{
        Services,
        apps::{
            Apps,
            matcher::ChannelMatcher,
            sender::{AppSender, PostedMessages},
        },
        email::EmailSender,
        github::{GithubConnections, commands::GithubCommands, contents::GithubContents},
        kernel::{Base, chore::Chore},
        pipeline::{
            matcher::Matcher,
            retention::RetentionPeriods,
            sender::{Sender, Senders},
            work::WorkSender,
        },
        routes::{
            Routes,
            managed::RouteManager,
            matcher::{LateSenders, RouteMatcher},
        },
        slack::{SlackConnections, commands::Command, matcher::LinkMatcher, sender::SlackSender},
        tenancy::connections::Connector,
        webhooks::{
            Webhooks,
            endpoints::Endpoints,
            history::HistoryRetention,
            matcher::WebhookMatcher,
            sender::{KeptRequests, OutgoingSender},
        },
        workflows::{Workflows, sender::RequestedRuns},
    },
    config::Config,
    domain::{
        Result,
        email::RecipientDomains,
        github::subscription::GithubRules,
        pipeline::event::Rule,
        rate_limit::RateLimit,
        routes::{
            rule::{RuleKind, RuleKinds},
            workflow_step,
        },
    },
    provider::smtp::SmtpClient,
};

/// Minimum interval between messages to one address.
const EMAIL_INTERVAL: Duration = Duration::from_secs(1);
const EMAIL_BURST: u32 = 60;

/// Returns every sender of the service.
pub(super) fn senders(
    config: &Config,
    base: &Base,
    (slack, workflows): (&Arc<SlackConnections>, &Arc<Workflows>),
    (apps, webhooks, endpoints): (&Arc<Apps>, &Arc<Webhooks>, &Endpoints),
) -> Result<Senders> {
    let rate_limit = RateLimit {
        interval: Duration::from_millis(config.slack.channel_interval_ms),
        burst: config.slack.channel_burst,
    };
    let contents = Arc::new(GithubContents(base.store().clone()));
    let senders: [Arc<dyn Sender>; 8] = [
        Arc::new(SlackSender::new(slack.clone(), contents, rate_limit)),
        Arc::new(WorkSender::new(RequestedRuns(workflows.clone()))),
        Arc::new(AppSender(apps.clone())),
        Arc::new(WorkSender::new(PostedMessages(apps.clone()))),
        Arc::new(OutgoingSender(webhooks.clone())),
        Arc::new(endpoints.clone()),
        Arc::new(WorkSender::new(KeptRequests(webhooks.clone()))),
        Arc::new(email(config, base)?),
    ];
    Ok(Senders::new(senders))
}

/// Returns the sender of e-mail.
fn email(config: &Config, base: &Base) -> Result<EmailSender> {
    let email = &config.email;
    let client = match email.is_configured() {
        true => Some(SmtpClient::new(&email.smtp_url, &email.from, Duration::from_millis(email.timeout_ms))?),
        false => None,
    };
    let rate_limit = RateLimit { interval: EMAIL_INTERVAL, burst: EMAIL_BURST };
    Ok(EmailSender::new(base.clone(), client, RecipientDomains::new(&email.recipient_domains), rate_limit))
}

/// Returns the retention periods.
pub(super) fn retention(config: &Config) -> RetentionPeriods {
    const HOUR_SECS: u64 = 3600;
    let secs = |hours: u32| Duration::from_secs(u64::from(hours) * HOUR_SECS);
    let (days, hours) = (config.retention.days, config.retention.idempotency_hours);
    RetentionPeriods { deliveries: secs(24) * days, idempotency_keys: secs(hours) }
}

/// Returns every chore of the service.
pub(super) fn chores(config: &Config, services: &Services) -> Vec<Arc<dyn Chore>> {
    vec![
        services.tenancy.clone(),
        Arc::new(services.pipeline.retention()),
        services.github.clone(),
        Arc::new(HistoryRetention::new(services.base.clone(), config.webhooks.history_max_per_integration)),
    ]
}

/// Returns the connectors of every provider.
pub(super) fn connectors(slack: &Arc<SlackConnections>, github: &Arc<GithubConnections>) -> Vec<Arc<dyn Connector>> {
    vec![slack.clone(), github.clone()]
}

/// Returns the commands of every room, in the order in which they are asked: a workflow's id goes first.
pub(super) fn commands(
    workflows: &Arc<Workflows>,
    (slack, github, routes): (&Arc<SlackConnections>, &Arc<GithubConnections>, &Arc<Routes>),
) -> Vec<Arc<dyn Command>> {
    let github = GithubCommands { github: github.clone(), slack: slack.clone(), routes: routes.clone() };
    vec![workflows.clone(), Arc::new(github)]
}

/// Returns the rules of event types.
pub(super) fn rules() -> Vec<Rule> {
    vec![workflow_step::check]
}

/// Returns every kind of rule that routes may have.
pub(super) fn rule_kinds() -> RuleKinds {
    RuleKinds::new([Arc::new(GithubRules) as Arc<dyn RuleKind>])
}

/// Returns every room that manages routes.
pub(super) fn managers(
    slack: &Arc<SlackConnections>,
    apps: &Arc<Apps>,
    webhooks: &Arc<Webhooks>,
) -> Vec<Arc<dyn RouteManager>> {
    vec![slack.clone(), apps.clone(), webhooks.clone()]
}

/// Returns every matcher of the service, in the order of their decisions.
pub(super) fn matchers(senders: LateSenders, kinds: RuleKinds) -> Vec<Arc<dyn Matcher>> {
    vec![
        Arc::new(LinkMatcher),
        Arc::new(ChannelMatcher),
        Arc::new(WebhookMatcher),
        Arc::new(RouteMatcher::new(senders, kinds)),
    ]
}
