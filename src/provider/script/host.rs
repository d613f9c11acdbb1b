//! What a script finds beside the language: `console`, `Store`, `s`, and what says why there is no network.
//!
//! All of it is JavaScript of the script's own box, but for two functions: one takes a line of the console, the other
//! says whether the time is up. So there is nothing of ours in there that could be misused.

use std::{cell::RefCell, mem, rc::Rc};

use rquickjs::{Ctx, Function, Object, String as JsString, Value as JsValue, context::EvalOptions};
use serde_json::{Map, Value};

use super::run::{self, Stop, Watch};
use crate::domain::script::{ConsoleLevel, ConsoleLine, ScriptLimits};

/// Takes out and guards what cannot be bounded otherwise. First: it keeps the language's own functions.
const GUARDS: &str = include_str!("guards.js");
const PRELUDE: &str = include_str!("prelude.js");

/// What was written to the console, so much of it.
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

/// What is left in our hands of what was put into the box.
pub(super) struct Host<'js> {
    store: Function<'js>,
}

impl<'js> Host<'js> {
    /// Before the script: it may overwrite what it finds, but not what was kept here before.
    pub(super) fn install(
        ctx: &Ctx<'js>,
        store: &Map<String, Value>,
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
        function(ctx, GUARDS)?.call::<_, ()>((is_over,))?;
        let store = Value::Object(store.clone()).to_string();
        Ok(Self { store: function(ctx, PRELUDE)?.call((write, store))? })
    }

    /// What the Store holds; none where the script did not look at it.
    pub(super) fn store(&self, ctx: &Ctx<'js>) -> Result<Option<Map<String, Value>>, Stop> {
        let held: JsValue = self.store.call(())?;
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
