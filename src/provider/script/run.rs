//! One run in a QuickJS runtime of its own, from the text to the result.
//!
//! Not in it: the process around it (`worker`), and the globals that a script finds (`host`).

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Instant,
};

use rquickjs::{
    Context, Ctx, Object, Persistent, Runtime, String as JsString, Undefined, Value as JsValue,
    context::{EvalOptions, intrinsic},
    function::{Constructor, This},
};
use serde_json::{Map, Value};

use super::{
    fault,
    host::{Ask, Console, Host, Network},
    sloppy,
    wire::Job,
};
use crate::domain::webhooks::script::{ConsoleLine, ScriptFault, ScriptLimits, ScriptMethod, ScriptRun, ScriptValue};

/// Enabled parts of the language. Left out: Proxy and weak references, which scripts do without and which remain a
/// source of engine defects; and the clock with a higher resolution.
type Language = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
);

/// Memory reserved for the error that stops a script which has exhausted its memory: without it the engine can only
/// throw `null`, which a script can catch.
const RESERVE_BYTES: usize = 64 * 1024;

/// Deadline of a run. Once it has passed, it stays so.
#[derive(Default)]
pub(super) struct Watch {
    deadline: Cell<Option<Instant>>,
    is_over: Cell<bool>,
    reserve: RefCell<Option<Persistent<JsString<'static>>>>,
}

impl Watch {
    /// Returns true once the time is up, and stays so.
    pub(super) fn is_over(&self) -> bool {
        if !self.is_over.get() && self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline) {
            self.end();
        }
        self.is_over.get()
    }

    /// Ends the time now.
    pub(super) fn end(&self) {
        self.is_over.set(true);
        self.release();
    }

    fn keep(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        let reserve = JsString::from_str(ctx.clone(), &"-".repeat(RESERVE_BYTES))?;
        *self.reserve.borrow_mut() = Some(Persistent::save(ctx, reserve));
        Ok(())
    }

    /// The runtime must not end before this.
    fn release(&self) {
        drop(self.reserve.borrow_mut().take());
    }
}

/// Reason for which a run ends early.
pub(super) enum Stop {
    /// A thrown value, or a failure of the engine.
    Js(rquickjs::Error),
    /// A broken rule of ours.
    Fault(ScriptFault),
}

impl From<rquickjs::Error> for Stop {
    fn from(error: rquickjs::Error) -> Self {
        Self::Js(error)
    }
}

/// Fault for a run past its deadline.
pub(super) fn timed_out(limits: &ScriptLimits) -> ScriptFault {
    let message = format!("the script did not end within {} ms", limits.time.as_millis());
    ScriptFault::new(ScriptFault::TIMEOUT, message)
}

/// Fault for exhausted memory.
pub(super) fn no_memory(limits: &ScriptLimits) -> ScriptFault {
    let message = format!("the script wanted more than {} bytes of memory", limits.memory_bytes);
    ScriptFault::new(ScriptFault::MEMORY, message)
}

/// Runs scripts one after another, each in a runtime created for it ahead of time.
pub(super) struct Engine {
    limits: ScriptLimits,
    ask: Ask,
    ready: Option<Ready>,
}

impl Engine {
    /// Creates an engine without any runtime yet. `ask` makes the requests of its scripts.
    pub(super) fn new(limits: ScriptLimits, ask: Ask) -> Self {
        Self { limits, ask, ready: None }
    }

    /// Creates the runtime of the next run, so that the run need not wait for it. A failure is reported by the run.
    pub(super) fn prepare(&mut self) {
        if self.ready.is_none() {
            self.ready = Ready::make(&self.limits, &self.ask).ok();
        }
    }

    /// Runs a script. Takes no longer than its time, except for a single step of the language.
    pub(super) fn run(&mut self, job: &Job) -> ScriptRun {
        let started = Instant::now();
        let ready = self.ready.take().map_or_else(|| Ready::make(&self.limits, &self.ask), Ok);
        let (result, console, store) = match ready {
            Ok(ready) => ready.run(job, &self.limits, started),
            Err(fault) => (Err(fault), Vec::new(), None),
        };
        ScriptRun { result, console, store, duration: started.elapsed() }
    }
}

type Outcome = (Result<ScriptValue, ScriptFault>, Vec<ConsoleLine>, Option<Map<String, Value>>);

/// A runtime in which no script has run. Its fields are freed in this order.
struct Ready {
    host: Host,
    watch: Rc<Watch>,
    console: Rc<RefCell<Console>>,
    store: Rc<RefCell<String>>,
    network: Rc<Network>,
    context: Context,
    _runtime: Runtime,
}

impl Ready {
    fn make(limits: &ScriptLimits, ask: &Ask) -> Result<Self, ScriptFault> {
        let watch = Rc::new(Watch::default());
        let (console, store) = (Rc::new(RefCell::new(Console::default())), Rc::default());
        let network = Rc::new(Network::new(Rc::clone(ask), limits.output_bytes, Rc::clone(&watch)));
        let runtime = Runtime::new().map_err(|_| no_memory(limits))?;
        runtime.set_memory_limit(limits.memory_bytes);
        runtime.set_max_stack_size(limits.stack_bytes);
        let context = Context::custom::<Language>(&runtime).map_err(|_| no_memory(limits))?;
        let interrupt = watch.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || interrupt.is_over())));
        let host = context.with(|ctx| {
            let host = Host::install(&ctx, Rc::clone(&store), (&watch, &console), Rc::clone(&network));
            host.map_err(|error| fault::of(&ctx, &error, limits, &watch))
        })?;
        Ok(Self { host, watch, console, store, network, context, _runtime: runtime })
    }

    fn run(self, job: &Job, limits: &ScriptLimits, started: Instant) -> Outcome {
        let Self { host, watch, console, store, network, context, _runtime } = self;
        watch.deadline.set(started.checked_add(limits.time));
        store.borrow_mut().clone_from(&job.store);
        network.most.set(job.fetches);
        let (result, store) = context.with(|ctx| {
            let fault = |stop| match stop {
                Stop::Js(error) => fault::of(&ctx, &error, limits, &watch),
                Stop::Fault(fault) => fault,
            };
            let result = evaluate(&ctx, job, limits, &watch).map_err(fault);
            // After that, nothing of the script is run any more.
            if watch.is_over() {
                return (result.and(Err(timed_out(limits))), None);
            }
            match host.store(&ctx).map_err(fault) {
                Ok(store) => (result, store.filter(|store| !is_same(store, &job.store))),
                Err(fault) => (result.and(Err(fault)), None),
            }
        });
        watch.release();
        (result, console.borrow_mut().take(), store)
    }
}

fn is_same(store: &Map<String, Value>, before: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(before).is_ok_and(|before| before == *store)
}

fn evaluate(ctx: &Ctx<'_>, job: &Job, limits: &ScriptLimits, watch: &Watch) -> Result<ScriptValue, Stop> {
    watch.keep(ctx)?;
    let script = class(ctx, &job.text)?;
    let Some((method, argument)) = &job.call else { return Ok(ScriptValue::Undefined) };
    let instance: JsValue = script.construct(())?;
    let Some(instance) = instance.as_object() else { return Err(no_class().into()) };
    let called: JsValue = instance.get(method.as_str())?;
    if called.is_undefined() || called.is_null() {
        return Ok(ScriptValue::NoMethod);
    }
    let Some(called) = called.as_function() else {
        let message = format!("{} is {}, and has to be a method", method.as_str(), called.type_name());
        return Err(ScriptFault::new("TypeError", message).into());
    };
    let argument = ctx.json_parse(argument.as_str())?;
    let returned = called.call((This(instance.clone()), argument))?;
    let returned = settle(ctx, returned, *method, watch, limits)?;
    value(ctx, returned, *method, limits)
}

/// Evaluates the text, as sloppy code in the global scope, and finds the class. The names that its strict parts assign
/// without a declaration are globals before that, as assignment makes them in sloppy code.
fn class<'js>(ctx: &Ctx<'js>, text: &str) -> Result<Constructor<'js>, Stop> {
    let options = |name: &str| {
        let mut options = EvalOptions::default();
        options.strict = false;
        options.filename = Some(name.to_owned());
        options
    };
    if let Some(fault) = big_integer(text) {
        return Err(fault.into());
    }
    let globals = ctx.globals();
    for name in sloppy::assigned_names(text) {
        if !globals.contains_key(name)? {
            globals.set(name, Undefined)?;
        }
    }
    ctx.eval_with_options::<(), _>(text, options("script"))?;
    // A class is not a property of the global object, so only code can find it.
    let found: JsValue =
        ctx.eval_with_options("typeof Script === 'function' ? Script : undefined", options("tieline"))?;
    found.into_constructor().ok_or_else(|| no_class().into())
}

/// Finds a literal such as `10n`, which is refused in every place. With such numbers a single multiplication takes
/// unbounded time, and nothing stops it. Quoted text is searched too: only an engine can tell for sure that it is
/// quoted.
fn big_integer(text: &str) -> Option<ScriptFault> {
    let is_literal = |word: &&str| {
        let Some(digits) = word.strip_suffix('n').filter(|_| word.starts_with(|c: char| c.is_ascii_digit())) else {
            return false;
        };
        let radix = match digits.get(..2) {
            Some("0x" | "0X") => 16,
            Some("0o" | "0O" | "0b" | "0B") => 8,
            _ => return digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_'),
        };
        digits[2..].chars().all(|c| c.is_digit(radix) || c == '_')
    };
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    for (index, line) in text.lines().enumerate() {
        if let Some(literal) = line.split(|c| !is_part(c)).find(is_literal) {
            let message = format!("{literal} is not available: a script has no BigInt (line {})", index + 1);
            return Some(ScriptFault::new("SyntaxError", message));
        }
    }
    None
}

fn no_class() -> ScriptFault {
    ScriptFault::new("ReferenceError", "the text does not define `class Script`")
}

/// Runs jobs until a promise is settled. Later jobs are not run.
fn settle<'js>(
    ctx: &Ctx<'js>,
    returned: JsValue<'js>,
    method: ScriptMethod,
    watch: &Watch,
    limits: &ScriptLimits,
) -> Result<JsValue<'js>, Stop> {
    let Some(promise) = returned.as_promise() else { return Ok(returned) };
    loop {
        if let Some(settled) = promise.result() {
            return Ok(settled?);
        }
        if watch.is_over() {
            return Err(timed_out(limits).into());
        }
        if !ctx.execute_pending_job() {
            let message =
                format!("{} returned a promise that nothing settles; there are no timers to wait for", method.as_str());
            return Err(ScriptFault::new(ScriptFault::TIMEOUT, message).into());
        }
    }
}

/// Returned value, as JSON text inside and parsed outside, where the depth is limited separately.
fn value<'js>(
    ctx: &Ctx<'js>,
    returned: JsValue<'js>,
    method: ScriptMethod,
    limits: &ScriptLimits,
) -> Result<ScriptValue, Stop> {
    if returned.is_undefined() {
        return Ok(ScriptValue::Undefined);
    }
    let what = format!("what {} returned", method.as_str());
    let kind = returned.type_name();
    let Some(text) = json(ctx, returned, &what, limits.output_bytes)? else {
        return Err(ScriptFault::new(ScriptFault::OUTPUT, format!("{what} is not JSON, but {kind}")).into());
    };
    Ok(ScriptValue::Json(text))
}

/// A value as JSON, with the semantics of `JSON.stringify`; none where that returns `undefined`. A script can influence
/// it only by the parts of those semantics: getters and `toJSON`.
pub(super) fn json<'js>(
    ctx: &Ctx<'js>,
    value: JsValue<'js>,
    what: &str,
    most_bytes: usize,
) -> Result<Option<Value>, Stop> {
    let output = |message| Err(Stop::Fault(ScriptFault::new(ScriptFault::OUTPUT, message)));
    let Some(text) = ctx.json_stringify(value)? else { return Ok(None) };
    let text = text.to_string()?;
    if text.len() > most_bytes {
        return output(format!("{what} has {} bytes as JSON; {most_bytes} are allowed", text.len()));
    }
    match serde_json::from_str(&whole_characters(&text)) {
        Ok(value) => Ok(Some(value)),
        Err(_) => output(format!("{what} is nested too deep; 127 levels are allowed")),
    }
}

impl From<ScriptFault> for Stop {
    fn from(fault: ScriptFault) -> Self {
        Self::Fault(fault)
    }
}

/// Replaces half characters by U+FFFD: a script makes them when it cuts a text within an emoji. JSON has them escaped.
pub(super) fn whole_characters(json: &str) -> std::borrow::Cow<'_, str> {
    if !json.contains("\\ud") {
        return json.into();
    }
    let unit = |at: usize| {
        let escape = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let (mut whole, mut kept, mut at) = (String::with_capacity(json.len()), 0, 0);
    while let Some(next) = json[at..].find('\\').map(|offset| at + offset) {
        at = next;
        let width = match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                whole.push_str(&json[kept..at]);
                whole.push_str("\\ufffd");
                kept = at + 6;
                6
            }
            Some(_) => 6,
            None => 2,
        };
        at += width;
    }
    whole.push_str(&json[kept..]);
    whole.into()
}

/// Reads the Store of a run from the sandbox.
pub(super) fn store<'js>(ctx: &Ctx<'js>, store: Object<'js>) -> Result<Map<String, Value>, Stop> {
    match json(ctx, store.into_value(), "what the Store holds", ScriptLimits::STORE_BYTES)? {
        Some(Value::Object(store)) => Ok(store),
        _ => Err(ScriptFault::new(ScriptFault::OUTPUT, "what the Store holds is not JSON").into()),
    }
}
