//! The script process from within: reads jobs from its standard input and writes their outcomes to its standard output.
//!
//! Not in it: its confinement (`confine`), and its start and end (`process`).

use std::{
    io::{self, Read, Write},
    rc::Rc,
    thread,
};

use super::{
    confine,
    run::Engine,
    wire::{self, Done, HEAD, Hello, Job, Said},
};
use crate::domain::webhooks::script::ScriptLimits;

/// Stack of the thread in addition to that of scripts: the engine checks the limit only on calls.
const STACK_MARGIN: usize = 1024 * 1024;

/// Runs scripts until standard input ends.
///
/// # Errors
/// When the process cannot be confined, or a pipe breaks.
pub fn serve(limits: ScriptLimits) -> io::Result<()> {
    confine::end_with_the_parent()?;
    // A thread of a known size; the size of the first one depends on the machine.
    let stack = limits.stack_bytes.saturating_add(STACK_MARGIN);
    let scripts = thread::Builder::new().name("script".to_owned()).stack_size(stack).spawn(move || work(limits))?;
    scripts.join().unwrap_or_else(|_| Err(io::Error::other("the engine failed")))
}

fn work(limits: ScriptLimits) -> io::Result<()> {
    let mut engine = Engine::new(limits, Rc::new(ask));
    // A whole run, so that the time zone is read from the machine before that is forbidden.
    engine.run(&Job { text: WARM_UP.to_owned(), call: None, store: "{}".to_owned(), fetches: 0 });
    engine.prepare();
    let has_network = confine::confine(&limits)?;
    write(&wire::frame(&Hello { has_network })?)?;
    while let Some(job) = read()? {
        let done = Done::from(engine.run(&wire::content::<Job>(&job)?));
        write(&wire::frame(&Said::Done(done))?)?;
        engine.prepare();
    }
    Ok(())
}

const WARM_UP: &str = "class Script {} new Date(0).getTimezoneOffset()";

/// Has the parent make a request, and waits for its result; none once the time of the run is up.
fn ask(wanted: String) -> io::Result<Option<String>> {
    write(&wire::frame(&Said::Fetch(wanted))?)?;
    let fetched = read()?.ok_or(io::ErrorKind::UnexpectedEof)?;
    (fetched != b"null").then(|| String::from_utf8(fetched).map_err(io::Error::other)).transpose()
}

fn write(frame: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(frame)?;
    output.flush()
}

/// Reads the next frame; none where the input is closed between two.
fn read() -> io::Result<Option<Vec<u8>>> {
    let (mut input, mut head) = (io::stdin().lock(), [0; HEAD]);
    match input.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut bytes = vec![0; wire::length(head)];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}
