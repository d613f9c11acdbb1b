//! Measures a release build of Tieline: throughput and latency of acceptance and delivery, and their cost.
//!
//! `scripts/bench` is the way to run it. One run is against one database:
//!
//! - `world` starts the stand-in Slack and Tieline as processes of their own and connects the organisations;
//! - `measure` defines the measurements and their order; `run` is one load from its first event to its last message;
//! - `inbound` is the load of requests initiated by Slack and GitHub, which `seal` signs;
//! - `load` generates the load, over the plain HTTP client in `http`; `received` queries the stand-in for messages;
//! - `channels` measures messages through channels and ticks, with the servers of `integrations`;
//! - `hooks` measures webhooks and `registry` the registry, by requests that are complete with their answer (`asked`)
//!   to a Tieline `alone`; `grid` is their tables;
//! - `routes` measures events that routes send to webhooks;
//! - `scale` measures with few and with many stored events;
//! - `fairness` measures one organisation beside others that behave badly;
//! - `start` is about starting and stopping; `usage` reads processor time and memory;
//! - `figures` is the outcome of a run, `table` puts the outcomes side by side, and `chart` draws figures against aims.

mod alone;
mod asked;
mod channels;
mod chart;
mod clock;
mod database;
mod fairness;
mod figures;
mod grid;
mod hooks;
mod http;
mod inbound;
mod integrations;
mod latency;
mod load;
mod measure;
mod process;
mod received;
mod registry;
mod routes;
mod run;
mod scale;
mod seal;
mod start;
mod table;
mod usage;
mod world;

use std::{path::Path, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};

use crate::{database::Kind, figures::Figures, measure::Plan};

/// Errors of a benchmark are only ever shown.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

const USAGE: &str = "\
usage: bench run sqlite|postgres FILE [--quick]   measure, and write the figures to FILE
       bench table FILE...                        show the figures as a Markdown table
       bench channels sqlite|postgres FILE [--quick]   the same of messages through channels, and of ticks
       bench channels-table FILE...
       bench hooks sqlite|postgres FILE [--quick]      the same of webhooks, incoming and outgoing
       bench hooks-table FILE...
       bench script                                    scripts in processes started for them, and kept
       bench registry sqlite|postgres FILE [--quick]   the same of the registry
       bench registry-table FILE...
       bench routes sqlite|postgres FILE [--quick]     the same of routes to webhooks
       bench routes-table FILE...
       bench scale sqlite|postgres FILE [--quick]      the same with few and with many stored events
       bench scale-table FILE...
       bench chart FILE.svg TITLE LABEL=VALUE:AIM...   draw figures against aims; AIM:most where less is better
       bench fairness sqlite|postgres             fail where organisations that behave badly hold up one that does not

`run postgres` needs TIELINE_TEST_POSTGRES_URL, the address of a server on this machine (scripts/with-postgres).
The binaries `tieline` and `standin` are expected beside this one.";

// One thread: the load generator must leave the processors to the measured processes.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match stoppable(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Carries the order out; a signal abandons it, which ends every process that it has started.
async fn stoppable(arguments: &[String]) -> Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        done = obey(arguments) => done,
        _ = terminate.recv() => Err("stopped".into()),
        _ = interrupt.recv() => Err("stopped".into()),
    }
}

async fn obey(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", kind, file, rest @ ..] => {
            let plan = match rest {
                [] => Plan::full(),
                ["--quick"] => Plan::quick(),
                _ => return Err(USAGE.into()),
            };
            let figures = measure::all(Kind::parse(kind).ok_or(USAGE)?, &plan).await?;
            figures.write(Path::new(file))
        }
        ["table", files @ ..] if !files.is_empty() => {
            let figures: Result<Vec<Figures>> = files.iter().map(|file| Figures::read(Path::new(file))).collect();
            print!("{}", table::markdown(&figures?));
            Ok(())
        }
        ["chart", file, title, bars @ ..] if !bars.is_empty() => Ok(std::fs::write(file, chart::svg(title, bars)?)?),
        ["fairness", kind] => fairness::measure(Kind::parse(kind).ok_or(USAGE)?).await,
        [group @ ("channels" | "hooks" | "registry" | "routes" | "scale"), kind, file, rest @ ..]
            if matches!(rest, [] | ["--quick"]) =>
        {
            let (kind, file, quick) = (Kind::parse(kind).ok_or(USAGE)?, Path::new(file), !rest.is_empty());
            match *group {
                "channels" => channels::measure(kind, file, quick).await,
                "hooks" => hooks::measure(kind, file, quick).await,
                "routes" => routes::measure(kind, file, quick).await,
                "scale" => scale::measure(kind, file, quick).await,
                _ => registry::measure(kind, file, quick).await,
            }
        }
        ["script"] => {
            print!("{}", hooks::script().await?);
            Ok(())
        }
        [
            group @ ("channels-table" | "hooks-table" | "registry-table" | "routes-table" | "scale-table"),
            files @ ..,
        ] if !files.is_empty() => {
            let table = match *group {
                "channels-table" => channels::table(files)?,
                "hooks-table" => hooks::table(files)?,
                "routes-table" => routes::table(files)?,
                "scale-table" => scale::table(files)?,
                _ => registry::table(files)?,
            };
            print!("{table}");
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}
