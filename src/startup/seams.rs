//! Registration at the seams of the pipeline: a matcher for each kind of rule, a sender for each kind of destination.

use std::{sync::Arc, time::Duration};

use crate::{
    app::{
        apps::{
            Apps,
            matcher::ChannelMatcher,
            sender::{AppSender, PostedMessages},
        },
        github::{contents::GithubContents, matcher::SubscriptionMatcher},
        kernel::Base,
        pipeline::{
            matcher::Matcher,
            sender::{Sender, Senders},
            work::WorkSender,
        },
        slack::{SlackConnections, matcher::LinkMatcher, sender::SlackSender},
        webhooks::{
            Webhooks,
            matcher::WebhookMatcher,
            sender::{KeptRequests, OutgoingSender},
        },
        workflows::{Workflows, sender::RequestedRuns},
    },
    config::Config,
    domain::rate_limit::RateLimit,
};

/// Returns every sender of the service.
pub(super) fn senders(
    config: &Config,
    base: &Base,
    (slack, workflows): (&Arc<SlackConnections>, &Arc<Workflows>),
    (apps, webhooks): (&Arc<Apps>, &Arc<Webhooks>),
) -> Senders {
    let rate_limit = RateLimit {
        interval: Duration::from_millis(config.slack.channel_interval_ms),
        burst: config.slack.channel_burst,
    };
    let contents = Arc::new(GithubContents(base.store().clone()));
    let senders: [Arc<dyn Sender>; 6] = [
        Arc::new(SlackSender::new(slack.clone(), contents, rate_limit)),
        Arc::new(WorkSender::new(RequestedRuns(workflows.clone()))),
        Arc::new(AppSender(apps.clone())),
        Arc::new(WorkSender::new(PostedMessages(apps.clone()))),
        Arc::new(OutgoingSender(webhooks.clone())),
        Arc::new(WorkSender::new(KeptRequests(webhooks.clone()))),
    ];
    Senders::new(senders)
}

/// Returns every matcher of the service, in the order of their decisions.
pub(super) fn matchers() -> Vec<Arc<dyn Matcher>> {
    vec![Arc::new(LinkMatcher), Arc::new(SubscriptionMatcher), Arc::new(ChannelMatcher), Arc::new(WebhookMatcher)]
}
