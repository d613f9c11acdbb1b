//! The configured engine of scripts.
//!
//! Not in it: the limits of the settings themselves, which `config` checks.

use std::time::Duration;

use crate::{
    config,
    provider::{
        guard::Guard,
        script::{ScriptEngine, Settings},
    },
};

pub(super) fn engine(settings: &config::Script, guard: Guard) -> ScriptEngine {
    let engine = ScriptEngine::new(Settings {
        limits: settings.limits(),
        concurrent: settings.concurrent,
        concurrent_per_organisation: settings.concurrent_per_organisation,
        warm: settings.warm,
        warm_for: Duration::from_secs(settings.warm_secs),
        program: settings.program.clone(),
    });
    engine.fetching(guard, settings.fetches)
}
