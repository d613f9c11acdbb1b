//! Commands typed in Slack: subscribe the channel to a repository, unsubscribe it, list its subscriptions.
//!
//! Not here: the texts (`domain::github::command`), the routes that subscriptions are (`routes`).

use std::sync::Arc;

use async_trait::async_trait;

use super::GithubConnections;
use crate::{
    app::{
        Caller,
        pipeline::matcher::Place,
        routes::{NewRoute, RouteChange, RouteTarget, Routes},
        slack::{
            SlackConnections,
            commands::{Answer, Command},
        },
    },
    domain::{
        Error, Result,
        error::Noun,
        github::{
            EVENT_PREFIX, GithubAccount, SOURCE,
            command::{self, Command as Typed, Target, features_text, name},
            subscription::{EventKind, Rules},
        },
        ids::OrganisationId,
        routes::route::Route,
        slack::destination::{SLACK, channel_name},
        tenancy::member::Permission,
    },
    provider::slack::inbound::SlashCommand,
    store::{self, slack::links::StoredSlackLink},
};

/// Commands about subscriptions.
pub struct GithubCommands {
    /// Installations, and GitHub's lists of their repositories.
    pub github: Arc<GithubConnections>,
    /// The members behind people in Slack.
    pub slack: Arc<SlackConnections>,
    /// The routes that subscriptions are.
    pub routes: Arc<Routes>,
}

#[async_trait]
impl Command for GithubCommands {
    fn help(&self) -> &'static [(&'static str, &'static str)] {
        command::HELP
    }

    async fn answer(&self, stored: &StoredSlackLink, typed: &SlashCommand) -> Result<Option<Answer>> {
        let Some(parsed) = command::parse(&typed.text) else { return Ok(None) };
        let said = match self.obey(stored, typed, parsed).await {
            Ok(said) => said,
            Err(Error::NotFound { noun: Noun::Member, .. }) => command::unknown_person(),
            Err(Error::Forbidden { permission }) => command::forbidden(&permission),
            Err(error @ (Error::Internal(_) | Error::Storage(_))) => {
                tracing::error!(%error, "a command about subscriptions failed");
                command::refused("something failed here; try again later")
            }
            Err(error) => command::refused(&error.to_string()),
        };
        Ok(Some(Answer::Message(command::message(said))))
    }
}

impl GithubCommands {
    async fn obey(
        &self,
        stored: &StoredSlackLink,
        typed: &SlashCommand,
        parsed: std::result::Result<Typed, String>,
    ) -> Result<String> {
        let member = self.slack.member_in_slack(stored, &typed.user_id).await?;
        let caller = Caller::member(&member, None);
        let is_list = matches!(parsed, Ok(Typed::List));
        caller.require(if is_list { Permission::RoutesRead } else { Permission::RoutesManage })?;
        let channel = typed.channel_id.as_deref().unwrap_or_default();
        let there = self.subscriptions(caller.organisation_id, channel).await?;
        match parsed {
            Err(wrong) => Ok(wrong),
            Ok(Typed::List) => {
                let shown = |(route, rules): &(Route, Rules)| (rules.clone(), route.enabled);
                Ok(command::listed(&there.iter().map(shown).collect::<Vec<_>>()))
            }
            Ok(Typed::Subscribe(target)) => self.subscribe(&caller, channel, &there, target).await,
            Ok(Typed::Unsubscribe(target)) => self.unsubscribe(&caller, &there, target).await,
        }
    }

    /// Returns the routes to a channel that are subscriptions, with their rules.
    async fn subscriptions(&self, organisation_id: OrganisationId, channel: &str) -> Result<Vec<(Route, Rules)>> {
        let reader = self.github.base.store.reader();
        let name = [channel_name(channel)];
        let found = store::pipeline::destinations::of_names(reader, organisation_id, &SLACK, &name).await?;
        let Some(to) = found.first() else { return Ok(Vec::new()) };
        let routes = store::routes::of_destination(reader, organisation_id, to.id).await?;
        Ok(routes.into_iter().filter_map(|route| Rules::of(&route).map(|rules| (route, rules))).collect())
    }

    /// Subscribes the channel with the default features and the named ones, or adds these to its subscription.
    async fn subscribe(
        &self,
        caller: &Caller,
        channel: &str,
        there: &[(Route, Rules)],
        Target { repository, kinds }: Target,
    ) -> Result<String> {
        let repository = match self.visible(caller, &repository).await? {
            Ok(name) => name,
            Err(accounts) => return Ok(command::unknown_repository(&repository, &accounts)),
        };
        let shown = name(&repository);
        let Some((route, rules)) = there.iter().find(|(_, rules)| is_alone(rules, &repository)) else {
            let events = union(&EventKind::DEFAULT, &kinds);
            let features = features_text(&events);
            let rules = Rules { repositories: vec![repository], events, ..Rules::default() };
            self.routes.create_route(caller, subscription(channel, rules)).await?;
            return Ok(format!(
                "This channel is now notified of {shown}: {features}. If nothing arrives, invite the app to the channel \
                 by `/invite`."
            ));
        };
        let events = union(&rules.events, &kinds);
        let features = features_text(&events);
        self.change(caller, route, Rules { events, ..rules.clone() }).await?;
        let disabled = if route.enabled { "" } else { " The route is disabled." };
        Ok(format!("This channel is notified of {shown}: {features}.{disabled}"))
    }

    /// Removes the named features from the channel's subscription, or the repository altogether.
    async fn unsubscribe(
        &self,
        caller: &Caller,
        there: &[(Route, Rules)],
        Target { repository, kinds }: Target,
    ) -> Result<String> {
        let shown = name(&repository);
        let named = |(_, rules): &&(Route, Rules)| rules.repositories.iter().any(|known| is_same(known, &repository));
        let mut left = Vec::new();
        let mut found = false;
        for (route, rules) in there.iter().filter(named) {
            found = true;
            let several = rules.repositories.len() > 1;
            let events: Vec<_> = rules.events.iter().copied().filter(|kind| !kinds.contains(kind)).collect();
            if several && !kinds.is_empty() {
                return Ok(format!(
                    "{shown} shares its subscription with other repositories, which would lose these features too. \
                     Unsubscribe it, and subscribe it again with the features that you want."
                ));
            } else if several {
                let mut rules = rules.clone();
                rules.repositories.retain(|known| !is_same(known, &repository));
                self.change(caller, route, rules).await?;
            } else if kinds.is_empty() || events.is_empty() {
                self.routes.delete_route(caller, route.id).await?;
            } else {
                left = union(&left, &events);
                self.change(caller, route, Rules { events, ..rules.clone() }).await?;
            }
        }
        Ok(match (found, left.is_empty()) {
            (false, _) => format!("This channel has no subscription to {shown}. `list` shows those that it has."),
            (true, true) => format!("This channel is not notified of {shown} any more."),
            (true, false) => format!("This channel is now notified of {shown}: {}.", features_text(&left)),
        })
    }

    async fn change(&self, caller: &Caller, route: &Route, rules: Rules) -> Result<()> {
        let change = RouteChange { rule: Some(rules.into_rule()), ..RouteChange::default() };
        self.routes.update_route(caller, route.id, change).await.map(drop)
    }

    /// Returns a repository's name in GitHub's spelling, if one of the organisation's installations sees it; otherwise
    /// the accounts that are connected. GitHub is asked about an account whose repositories, as far as they were
    /// reported, lack it.
    async fn visible(&self, caller: &Caller, wanted: &str) -> Result<std::result::Result<String, Vec<GithubAccount>>> {
        let reader = self.github.base.store.reader();
        let owner = wanted.split('/').next().unwrap_or_default();
        let mut accounts = Vec::new();
        for (link, _) in store::github::links::list(reader, caller.organisation_id).await? {
            let id = link.installation_id;
            let Some(stored) = store::github::installations::find(reader, id).await? else { continue };
            let account = stored.installation.account;
            if is_same(&account.login, owner) {
                if wanted.ends_with("/*") {
                    return Ok(Ok(format!("{}/*", account.login)));
                }
                for asked in [false, true] {
                    if asked {
                        self.github.reconcile_repositories(id, self.github.base.now()).await?;
                    }
                    let known = store::github::installations::repositories(self.github.base.store.writer(), id).await?;
                    if let Some(found) = known.into_iter().find(|one| is_same(&one.full_name, wanted)) {
                        return Ok(Ok(found.full_name));
                    }
                }
            }
            accounts.push(account);
        }
        Ok(Err(accounts))
    }
}

/// Returns the route that subscribes a channel. A member types in it, so it is there; the bot may still have to be invited.
fn subscription(channel: &str, rules: Rules) -> NewRoute {
    NewRoute {
        name: String::new(),
        sources: vec![SOURCE.as_str().to_owned()],
        types: vec![format!("{EVENT_PREFIX}*")],
        channel_id: None,
        condition: None,
        rule: Some(rules.into_rule()),
        template: None,
        to: RouteTarget::Place(Place { kind: SLACK, name: channel_name(channel), address: channel.to_owned() }),
        position: 0,
        enabled: true,
    }
}

/// Returns true for a subscription to this repository and no other.
fn is_alone(rules: &Rules, repository: &str) -> bool {
    matches!(rules.repositories.as_slice(), [only] if is_same(only, repository))
}

fn is_same(known: &str, other: &str) -> bool {
    known.eq_ignore_ascii_case(other)
}

/// Returns all of the first kinds, and those of the others that are not among them.
fn union(first: &[EventKind], others: &[EventKind]) -> Vec<EventKind> {
    let mut all = first.to_vec();
    all.extend(others.iter().filter(|kind| !first.contains(kind)));
    all
}
