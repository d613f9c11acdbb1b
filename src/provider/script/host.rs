//! Globals of a script in addition to the language: `console`, `Store`, `s`, and the network.
//!
//! Not in it: their code, which is JavaScript of the script's own runtime, in `guards.js`, `prelude.js` and
//! `network.js`. Four functions are ours: one takes a line of the console, one returns the text of the Store, one
//! reports the deadline, one asks for a request.

use std::{
    cell::{Cell, RefCell},
    io, mem,
    rc::Rc,
};

use rquickjs::{
    Ctx, Function, IntoJs, Object, Persistent, String as JsString, Value as JsValue, context::EvalOptions,
    function::Opt,
};
use serde_json::{Map, Value, json};

use super::{
    run::{self, Stop, Watch},
    wire::Fetched,
};
use crate::domain::webhooks::script::{ConsoleLevel, ConsoleLine, ScriptLimits};

/// Removes and guards the functions that cannot be bounded otherwise. First, because it captures the language's own
/// functions.
const GUARDS: &str = include_str!("guards.js");
const PRELUDE: &str = include_str!("prelude.js");
const NETWORK: &str = include_str!("network.js");

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

/// Has the parent make a request: JSON in, a frame's content out; none once the time of the run is up.
pub(super) type Ask = Rc<dyn Fn(String) -> io::Result<Option<String>>>;

/// The requests of a run, up to a number that is filled in before it.
pub(super) struct Network {
    pub(super) most: Cell<u32>,
    made: Cell<u32>,
    max_bytes: usize,
    ask: Ask,
    watch: Rc<Watch>,
}

impl Network {
    pub(super) fn new(ask: Ask, max_bytes: usize, watch: Rc<Watch>) -> Self {
        Self { most: Cell::new(0), made: Cell::new(0), max_bytes, ask, watch }
    }

    fn fetch(&self, wanted: &str) -> String {
        let failure = |reason: String| json!(Fetched::Failure(reason)).to_string();
        let (most, made) = (self.most.get(), self.made.get() + 1);
        if made > most {
            return failure(format!("a script may make {most} requests in a run (script.fetches)"));
        }
        if wanted.len() > self.max_bytes {
            return failure(format!("a request has up to {} bytes as JSON", self.max_bytes));
        }
        self.made.set(made);
        match (self.ask)(run::whole_characters(wanted).into_owned()) {
            Ok(Some(fetched)) => fetched,
            Ok(None) => {
                self.watch.end();
                failure("the time of the run is up".to_owned())
            }
            Err(error) => failure(error.to_string()),
        }
    }
}

/// Handle on the Store of a runtime, from its creation until its run.
pub(super) struct Host(Persistent<Function<'static>>);

impl Host {
    /// Installs the globals before the script, which may overwrite them, but not the functions captured here before.
    /// `store` is filled in before the script is run.
    pub(super) fn install<'js>(
        ctx: &Ctx<'js>,
        store: Rc<RefCell<String>>,
        (watch, console): (&Rc<Watch>, &Rc<RefCell<Console>>),
        network: Rc<Network>,
    ) -> rquickjs::Result<Self> {
        let (watch, console) = (watch.clone(), console.clone());
        let is_over = Function::new(ctx.clone(), move || watch.is_over())?;
        let write = Function::new(ctx.clone(), move |level: String, text: JsString<'_>| {
            if let Ok(text) = text.to_string() {
                console.borrow_mut().write(level_of(&level), text);
            }
        })?;
        let text = Function::new(ctx.clone(), move || store.borrow().clone())?;
        let ask = Function::new(ctx.clone(), move |ctx: Ctx<'js>, wanted: Opt<String>| match wanted.0 {
            Some(wanted) => network.fetch(&wanted).into_js(&ctx),
            None => (network.most.get() > 0).into_js(&ctx),
        })?;
        function(ctx, GUARDS)?.call::<_, ()>((is_over,))?;
        function(ctx, NETWORK)?.call::<_, ()>((ask,))?;
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
