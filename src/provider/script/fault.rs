//! Converts a value thrown by a script into a fault, safely for every value and its getters.
//!
//! Not in it: the faults of limits, which are in `run`.

use rquickjs::{Ctx, Error, Object, Value as JsValue};

use super::run::{Watch, no_memory, timed_out};
use crate::domain::webhooks::script::{ScriptFault, ScriptLimits};

/// Maximum number of characters of a text.
const NAME_CHARS: usize = 100;
const MESSAGE_CHARS: usize = 2_000;
const STACK_CHARS: usize = 4_000;
/// Free memory below which it counts as exhausted.
const ROOM_BYTES: usize = 256 * 1024;

/// Converts an error of the engine. Takes the exception that it holds.
pub(super) fn of(ctx: &Ctx<'_>, error: &Error, limits: &ScriptLimits, watch: &Watch) -> ScriptFault {
    let fault = match error {
        Error::Exception => {
            let value = ctx.catch();
            // The engine throws this where there is no memory for an error.
            if value.is_null() && is_full(ctx) { no_memory(limits) } else { thrown(ctx, &value) }
        }
        Error::InvalidString(_) => ScriptFault::new("SyntaxError", "a script cannot contain the character U+0000"),
        // The engine gives no reason where it could not create a text or an object.
        Error::Allocation | Error::Unknown => no_memory(limits),
        other => ScriptFault::new("InternalError", other.to_string()),
    };
    // Also where examining the thrown value took too long.
    if watch.is_over() {
        return timed_out(limits);
    }
    match (fault.name.as_str(), fault.message.as_str()) {
        ("InternalError", message) if message.starts_with("out of memory") => {
            ScriptFault { stack: fault.stack, ..no_memory(limits) }
        }
        ("RangeError", "Maximum call stack size exceeded") => ScriptFault {
            name: ScriptFault::STACK.to_owned(),
            message: "calls, or values, are nested too deep".to_owned(),
            ..fault
        },
        _ => fault,
    }
}

fn is_full(ctx: &Ctx<'_>) -> bool {
    let has_room = rquickjs::String::from_str(ctx.clone(), &"-".repeat(ROOM_BYTES)).is_ok();
    if !has_room {
        ctx.catch();
    }
    !has_room
}

fn thrown<'js>(ctx: &Ctx<'js>, value: &JsValue<'js>) -> ScriptFault {
    if let Some(object) = value.as_object() {
        return thrown_object(ctx, object);
    }
    let message = match value.as_string() {
        Some(text) => lossy(text).unwrap_or_default(),
        None if value.is_null() => "the script threw null, or there was no memory to say what it threw".to_owned(),
        None if value.is_symbol() => "the script threw a symbol".to_owned(),
        None => match ctx.json_stringify(value.clone()) {
            Ok(Some(text)) => format!("the script threw {}", lossy(&text).unwrap_or_default()),
            _ => {
                ctx.catch();
                format!("the script threw {}", value.type_name())
            }
        },
    };
    ScriptFault::new("Error", cut(&message, MESSAGE_CHARS))
}

fn thrown_object<'js>(ctx: &Ctx<'js>, object: &Object<'js>) -> ScriptFault {
    let read = |key: &str| match object.get::<_, JsValue>(key) {
        Ok(value) => value.as_string().and_then(lossy).filter(|text| !text.trim().is_empty()),
        Err(_) => {
            // A getter that throws yields nothing.
            ctx.catch();
            None
        }
    };
    let name = read("name").unwrap_or_else(|| "Error".to_owned());
    let stack = read("stack").map(|stack| own_frames(&stack)).unwrap_or_default();
    let message =
        read("message").or_else(|| json(ctx, object)).unwrap_or_else(|| "the script threw an object".to_owned());
    let place = (name == "SyntaxError").then(|| place(&stack)).flatten();
    let message = match place {
        Some((line, column)) => format!("{} (line {line}, column {column})", cut(&message, MESSAGE_CHARS)),
        None => cut(&message, MESSAGE_CHARS),
    };
    ScriptFault { name: cut(&name, NAME_CHARS), message, stack: cut(&stack, STACK_CHARS) }
}

/// Text for an object without a message. An error has no fields of its own that JSON shows.
fn json<'js>(ctx: &Ctx<'js>, object: &Object<'js>) -> Option<String> {
    if object.is_error() || object.is_function() {
        return None;
    }
    match ctx.json_stringify(object.clone()) {
        Ok(text) => text.and_then(|text| lossy(&text)).map(|text| format!("the script threw {text}")),
        Err(_) => {
            ctx.catch();
            None
        }
    }
}

/// A text of the script's; none with half characters or without memory to read it.
fn lossy(text: &rquickjs::String<'_>) -> Option<String> {
    text.to_string().ok()
}

/// Removes the frames of our own functions.
fn own_frames(stack: &str) -> String {
    let frames = stack.lines().map(str::trim).filter(|line| !line.is_empty());
    frames.filter(|line| !line.contains("tieline:") && !line.ends_with("(native)")).collect::<Vec<_>>().join("\n")
}

/// Line and column of the first call: `at script:3:7`.
fn place(stack: &str) -> Option<(u32, u32)> {
    let first = stack.lines().next()?.trim_end_matches(')');
    let (rest, column) = first.rsplit_once(':')?;
    let (rest, line) = rest.rsplit_once(':')?;
    let is_ours = rest.ends_with("script");
    is_ours.then_some(())?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
