//! One run, from the text to the result, on the thread it was given.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use rquickjs::{
    Context, Ctx, Object, Persistent, Runtime, String as JsString, Value as JsValue,
    context::{EvalOptions, intrinsic},
    function::{Constructor, This},
};
use serde_json::{Map, Value};

use super::{
    Job, fault,
    host::{Console, Host},
};
use crate::domain::script::{ScriptFault, ScriptLimits, ScriptMethod, ScriptRun, ScriptValue};

/// What the language has here. Left out: Proxy and weak references, which scripts do without and whose defects engines
/// keep having; and the clock with a higher resolution.
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

/// What is kept free for the error that stops a script which has taken all memory: without it the engine can only throw
/// `null`, which a script can catch.
const RESERVE_BYTES: usize = 64 * 1024;

/// Knows when a run has to end, and remembers that it was told so.
pub(super) struct Watch {
    deadline: Instant,
    given_up: Arc<AtomicBool>,
    is_over: Cell<bool>,
    reserve: RefCell<Option<Persistent<JsString<'static>>>>,
}

impl Watch {
    /// Whether the time is up. Once it is, it stays so.
    pub(super) fn is_over(&self) -> bool {
        if !self.is_over.get() && (self.given_up.load(Ordering::Relaxed) || Instant::now() >= self.deadline) {
            self.is_over.set(true);
            self.release();
        }
        self.is_over.get()
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

/// Why a run ends early.
pub(super) enum Stop {
    /// Something was thrown, or the engine could not.
    Js(rquickjs::Error),
    /// It broke a rule of ours.
    Fault(ScriptFault),
}

impl From<rquickjs::Error> for Stop {
    fn from(error: rquickjs::Error) -> Self {
        Self::Js(error)
    }
}

/// That the time was up.
pub(super) fn timed_out(limits: &ScriptLimits) -> ScriptFault {
    let message = format!("the script did not end within {} ms", limits.time.as_millis());
    ScriptFault::new(ScriptFault::TIMEOUT, message)
}

/// That there was no memory.
pub(super) fn no_memory(limits: &ScriptLimits) -> ScriptFault {
    let message = format!("the script wanted more than {} bytes of memory", limits.memory_bytes);
    ScriptFault::new(ScriptFault::MEMORY, message)
}

/// Runs it. Takes no longer than its time, but for what the language does in one step.
pub(super) fn run(job: &Job, limits: &ScriptLimits, given_up: Arc<AtomicBool>) -> ScriptRun {
    let started = Instant::now();
    let watch = Rc::new(Watch {
        deadline: started + limits.time,
        given_up,
        is_over: Cell::new(false),
        reserve: RefCell::new(None),
    });
    let console = Rc::new(RefCell::new(Console::default()));
    let (result, store) = in_a_box(job, limits, &watch, &console);
    let console = console.borrow_mut().take();
    ScriptRun { result, console, store, duration: started.elapsed() }
}

type Outcome = (Result<ScriptValue, ScriptFault>, Option<Map<String, Value>>);

fn in_a_box(job: &Job, limits: &ScriptLimits, watch: &Rc<Watch>, console: &Rc<RefCell<Console>>) -> Outcome {
    let (Ok(runtime), interrupt) = (Runtime::new(), watch.clone()) else { return (Err(no_memory(limits)), None) };
    runtime.set_memory_limit(limits.memory_bytes);
    runtime.set_max_stack_size(limits.stack_bytes);
    let Ok(context) = Context::custom::<Language>(&runtime) else { return (Err(no_memory(limits)), None) };
    runtime.set_interrupt_handler(Some(Box::new(move || interrupt.is_over())));
    let outcome = context.with(|ctx| {
        let fault = |stop| match stop {
            Stop::Js(error) => fault::of(&ctx, &error, limits, watch),
            Stop::Fault(fault) => fault,
        };
        let host = match Host::install(&ctx, &job.store, watch, console) {
            Ok(host) => host,
            Err(error) => return (Err(fault(Stop::Js(error))), None),
        };
        let result = evaluate(&ctx, job, limits, watch).map_err(fault);
        // After that, nothing of the script is run any more.
        if watch.is_over() {
            return (result.and(Err(timed_out(limits))), None);
        }
        match host.store(&ctx).map_err(fault) {
            Ok(store) => (result, store.filter(|store| *store != job.store)),
            Err(fault) => (result.and(Err(fault)), None),
        }
    });
    watch.release();
    outcome
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
    let argument = ctx.json_parse(argument.to_string())?;
    let returned = called.call((This(instance.clone()), argument))?;
    let returned = settle(ctx, returned, *method, watch, limits)?;
    value(ctx, returned, *method, limits)
}

/// Evaluates the text, as sloppy code in the global scope, and finds the class.
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
    ctx.eval_with_options::<(), _>(text, options("script"))?;
    // A class is no property of the global object, so only code can tell.
    let found: JsValue =
        ctx.eval_with_options("typeof Script === 'function' ? Script : undefined", options("tieline"))?;
    found.into_constructor().ok_or_else(|| no_class().into())
}

/// A literal such as `10n`, which is refused wherever it stands. With such numbers a single multiplication takes as long
/// as it likes, and nothing stops it. Text in quotes is looked at too: what is quoted only an engine can tell for sure.
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

/// Runs jobs until a promise is settled. What else would be done later is not done.
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
            let message = format!(
                "{} returned a promise that nothing settles; there are no timers and no network to wait for",
                method.as_str()
            );
            return Err(ScriptFault::new(ScriptFault::TIMEOUT, message).into());
        }
    }
}

/// What it returned, as JSON text inside and parsed outside, where depth has a limit of its own.
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

/// A value as JSON, with the meaning of `JSON.stringify`; none where it has none. Nothing that a script can overwrite
/// takes part, but for what belongs to that meaning: getters and `toJSON`.
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

/// Half characters, as a script makes them that cuts a text within an emoji, become U+FFFD. JSON has them escaped.
fn whole_characters(json: &str) -> std::borrow::Cow<'_, str> {
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

/// The Store of a run, out of the box.
pub(super) fn store<'js>(ctx: &Ctx<'js>, store: Object<'js>) -> Result<Map<String, Value>, Stop> {
    match json(ctx, store.into_value(), "what the Store holds", ScriptLimits::STORE_BYTES)? {
        Some(Value::Object(store)) => Ok(store),
        _ => Err(ScriptFault::new(ScriptFault::OUTPUT, "what the Store holds is not JSON").into()),
    }
}
