//! Globals of a script in addition to the language: `console`, `Store`, `s`, and those that explain the missing
//! network.
//!
//! Not in it: their code, which is JavaScript of the script's own runtime, in `guards.js` and `prelude.js`. Three
//! functions are ours: one takes a line of the console, one returns the text of the Store, one reports the deadline.

use std::{cell::RefCell, mem, rc::Rc};

use rquickjs::{Ctx, Function, Object, Persistent, String as JsString, Value as JsValue, context::EvalOptions};
use serde_json::{Map, Value};

use super::run::{self, Stop, Watch};
use crate::domain::webhooks::script::{ConsoleLevel, ConsoleLine, ScriptLimits};

/// Removes and guards the functions that cannot be bounded otherwise. First, because it captures the language's own
/// functions.
const GUARDS: &str = include_str!("guards.js");
const PRELUDE: &str = include_str!("prelude.js");

/// Lines written to the console, up to a limit.
#[derive(Default)]
pub(super) struct Console {
    lines: Vec<ConsoleLine>,
    bytes: usize,
    is_full: bool,
}

impl Console {
    fn write(&mut self, level: ConsoleLevel, text: String) {
        if self.is_full {
            return;
        }
        self.is_full = self.lines.len() + 1 >= ScriptLimits::CONSOLE_LINES
            || self.bytes.saturating_add(text.len()) > ScriptLimits::CONSOLE_BYTES;
        if self.is_full {
            let text = "what follows is not kept".to_owned();
            self.lines.push(ConsoleLine { level: ConsoleLevel::Warn, text });
        } else {
            self.bytes += text.len();
            self.lines.push(ConsoleLine { level, text });
        }
    }

    pub(super) fn take(&mut self) -> Vec<ConsoleLine> {
        mem::take(&mut self.lines)
    }
}

/// Handle on the Store of a runtime, from its creation until its run.
pub(super) struct Host(Persistent<Function<'static>>);

impl Host {
    /// Installs the globals before the script, which may overwrite them, but not the functions captured here before.
    /// `store` is filled in before the script is run.
    pub(super) fn install(
        ctx: &Ctx<'_>,
        store: Rc<RefCell<String>>,
        watch: &Rc<Watch>,
        console: &Rc<RefCell<Console>>,
    ) -> rquickjs::Result<Self> {
        let (watch, console) = (watch.clone(), console.clone());
        let is_over = Function::new(ctx.clone(), move || watch.is_over())?;
        let write = Function::new(ctx.clone(), move |level: String, text: JsString<'_>| {
            if let Ok(text) = text.to_string() {
                console.borrow_mut().write(level_of(&level), text);
            }
        })?;
        let text = Function::new(ctx.clone(), move || store.borrow().clone())?;
        function(ctx, GUARDS)?.call::<_, ()>((is_over,))?;
        let held: Function<'_> = function(ctx, PRELUDE)?.call((write, text))?;
        Ok(Self(Persistent::save(ctx, held)))
    }

    /// Content of the Store; none where the script did not read it.
    pub(super) fn store(self, ctx: &Ctx<'_>) -> Result<Option<Map<String, Value>>, Stop> {
        let held: JsValue = self.0.restore(ctx)?.call(())?;
        held.into_object().map(|held: Object| run::store(ctx, held)).transpose()
    }
}

fn function<'js>(ctx: &Ctx<'js>, text: &str) -> rquickjs::Result<Function<'js>> {
    let mut options = EvalOptions::default();
    options.filename = Some("tieline".to_owned());
    ctx.eval_with_options(text, options)
}

fn level_of(name: &str) -> ConsoleLevel {
    match name {
        "debug" => ConsoleLevel::Debug,
        "info" => ConsoleLevel::Info,
        "warn" => ConsoleLevel::Warn,
        "error" => ConsoleLevel::Error,
        _ => ConsoleLevel::Log,
    }
}
