//! Seam of the rules that rooms add to routes: decisions on events beyond their source, type and channel, and beyond the
//! condition of a route.
//!
//! Not here: the kinds of rule, which the rooms register.

use std::{
    any::Any,
    borrow::Cow,
    cell::{OnceCell, RefCell},
    rc::Rc,
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    condition::Scope,
    route::{Match, Route},
};
use crate::domain::{
    Error, Result,
    pipeline::{delivery::Content, destination::DestinationKind, event::Event},
};

/// Rule of a route, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Name of its kind.
    pub kind: String,
    /// Settings, as the kind has them; an object.
    pub settings: Value,
}

/// Kind of rule.
pub trait RuleKind: Send + Sync {
    /// Name of the kind, as stored rules have it.
    fn name(&self) -> &'static str;

    /// Reads settings. Absent members have their defaults.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers into the settings.
    fn parse(&self, settings: &Value) -> Result<Arc<dyn Judge>>;

    /// Reads an event, once for all rules of the kind.
    ///
    /// # Errors
    /// The reason for which the event concerns none of them, in words.
    fn read(&self, event: &Event) -> Result<Box<dyn Any>, &'static str>;
}

/// Rule that was read. Pure: it looks nothing up.
pub trait Judge: Send + Sync {
    /// Returns all settings, with their defaults.
    fn settings(&self) -> Value;

    /// Judges an event that its kind has read.
    fn judge(&self, event: &dyn Any) -> Judgement;

    /// Returns the result of every check, in the order of their evaluation.
    fn checks(&self, event: &dyn Any) -> Vec<Check>;
}

/// Judgement of a rule on an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The rule does not concern the event, for this reason.
    Unconcerned(Cow<'static, str>),
    /// It concerns the event, and skips it for this reason.
    Skip(Cow<'static, str>),
    /// It lets the event through, with the content for destinations of a kind, if it makes any.
    Pass(Option<(DestinationKind, Content)>),
}

/// Result of one check of a rule for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Name of the check, as in the settings.
    pub name: &'static str,
    /// True if it lets the event through.
    pub passed: bool,
    /// Reason, in words.
    pub detail: Cow<'static, str>,
}

/// Every kind of rule.
#[derive(Clone)]
pub struct RuleKinds(Arc<[Arc<dyn RuleKind>]>);

impl RuleKinds {
    /// Creates the list.
    pub fn new(kinds: impl IntoIterator<Item = Arc<dyn RuleKind>>) -> Self {
        Self(kinds.into_iter().collect())
    }

    /// Reads a rule.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers into the request.
    pub fn parse(&self, rule: &Rule) -> Result<Arc<dyn Judge>> {
        let Some(kind) = self.0.iter().find(|kind| kind.name() == rule.kind) else {
            let names: Vec<_> = self.0.iter().map(|kind| kind.name()).collect();
            return Err(Error::invalid("/rule", format!("must have one of the members {}", names.join(", "))));
        };
        kind.parse(&rule.settings).map_err(|error| error.within(&format!("/rule/{}", rule.kind)))
    }
}

/// Event as routes see it. What several of them read is read once.
pub struct View<'e> {
    event: &'e Event,
    kinds: &'e RuleKinds,
    scope: OnceCell<Scope>,
    read: RefCell<Vec<(&'static str, Reading)>>,
}

type Reading = Rc<Result<Box<dyn Any>, &'static str>>;

impl<'e> View<'e> {
    /// Creates the view of an event.
    pub fn new(event: &'e Event, kinds: &'e RuleKinds) -> Self {
        Self { event, kinds, scope: OnceCell::new(), read: RefCell::new(Vec::new()) }
    }

    fn scope(&self) -> &Scope {
        self.scope.get_or_init(|| Scope::of(self.event))
    }

    fn read(&self, kind: &str) -> Option<Reading> {
        if let Some((_, known)) = self.read.borrow().iter().find(|(name, _)| *name == kind) {
            return Some(known.clone());
        }
        let kind = self.kinds.0.iter().find(|one| one.name() == kind)?;
        let reading = Rc::new(kind.read(self.event));
        self.read.borrow_mut().push((kind.name(), reading.clone()));
        Some(reading)
    }
}

/// Route with its rule, ready to decide.
#[derive(Clone)]
pub struct ReadyRoute {
    /// The route.
    pub route: Route,
    rule: Option<Arc<dyn Judge>>,
}

impl ReadyRoute {
    /// Reads the rule of a route. One that this version does not read disables the route.
    pub fn new(mut route: Route, kinds: &RuleKinds) -> Self {
        let rule = route.rule.as_ref().map(|rule| kinds.parse(rule)).transpose();
        if let Err(error) = &rule {
            route.enabled = false;
            route.disabled_reason = Some(format!("this version does not read the rule: {error}"));
        }
        Self { route, rule: rule.unwrap_or_default() }
    }

    /// Matches an event of the organisation. A disabled route skips what it would let through, so that it is seen and can
    /// be replayed.
    pub fn matches(&self, view: &View<'_>) -> Match {
        let Self { route, .. } = self;
        if let Some(reason) = route.unconcerned(view.event) {
            return Match::Unconcerned(reason);
        }
        let content = match self.judged(view) {
            Some(Judgement::Unconcerned(reason)) => return Match::Unconcerned(reason.into()),
            Some(Judgement::Skip(reason)) => Err(reason),
            Some(Judgement::Pass(content)) => Ok(content),
            None => Ok(None),
        };
        if let Some(reason) = route.skipped(view.event, || view.scope()) {
            return Match::Skipped(reason);
        }
        match content {
            Err(reason) => Match::Skipped(reason.into()),
            Ok(content) if route.enabled => Match::Matched(content),
            Ok(_) => {
                let why = route.disabled_reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                Match::Skipped(format!("the route is disabled{why}; enable it and replay this delivery"))
            }
        }
    }

    /// Returns the checks of the rule for an event; empty where the route has none, or where it does not concern the event.
    pub fn checks(&self, view: &View<'_>) -> Vec<Check> {
        let both = self.rule.as_ref().zip(self.route.rule.as_ref().and_then(|rule| view.read(&rule.kind)));
        both.and_then(|(rule, read)| Some(rule.checks(read.as_ref().as_ref().ok()?.as_ref()))).unwrap_or_default()
    }

    /// Returns the judgement of the rule, if there is one that can be read.
    fn judged(&self, view: &View<'_>) -> Option<Judgement> {
        let rule = self.rule.as_ref()?;
        Some(match view.read(&self.route.rule.as_ref()?.kind)?.as_ref() {
            Err(reason) => Judgement::Unconcerned((*reason).into()),
            Ok(read) => rule.judge(read.as_ref()),
        })
    }
}
