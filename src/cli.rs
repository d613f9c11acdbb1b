//! The command line: its arguments, and the command that they name.
//!
//! Not here: the serving process (`startup`), the relay for developers (`listen`).

mod accounts;
mod backup;
mod doctor;
mod lists;
mod manual;
mod output;
mod registry;
mod settings;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use serde_json::json;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

use self::output::during;
use crate::{
    app::Services,
    config::{Config, LogFormat},
    domain, listen, openapi,
    provider::script::worker,
    startup::{self, Role},
    telemetry,
};

/// Failure of a command. Its text is for the operator.
type Failure = Box<dyn std::error::Error>;

/// A self-hosted integrations service: five HTTP dialects over one core.
#[derive(Parser)]
#[command(name = "tieline", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API, the worker, or both.
    Serve {
        /// Part of the service that this process runs.
        #[arg(long, value_enum, default_value_t = RoleArg::All)]
        role: RoleArg,
    },
    /// Migrate the database and exit.
    Migrate {
        /// Print the migrations that would be applied, one name a line, and change nothing.
        #[arg(long)]
        plan: bool,
    },
    /// Check the configuration, the database, the key, Slack, GitHub and the limits of this machine, each with a remedy.
    Doctor {
        #[command(flatten)]
        form: output::Choice,
    },
    /// Check and print the configuration.
    #[command(subcommand)]
    Config(settings::Command),
    /// Write a backup of the embedded database and its key to a new folder, while the service runs.
    Backup(backup::Backup),
    /// Restore a backup of the embedded database and its key to an empty data directory.
    Restore(backup::Restore),
    /// Organisations.
    #[command(subcommand)]
    Org(accounts::Org),
    /// Members of an organisation.
    #[command(subcommand)]
    Member(accounts::Members),
    /// Access tokens.
    #[command(subcommand)]
    Token(accounts::Token),
    /// Routes of an organisation.
    #[command(subcommand)]
    Route(lists::Route),
    /// Destinations of an organisation.
    #[command(subcommand)]
    Destination(lists::Destination),
    /// Deliveries of an organisation, and their replay.
    #[command(subcommand)]
    Delivery(lists::Delivery),
    /// The key that encrypts stored secrets.
    #[command(subcommand)]
    Key(Key),
    /// Versions in the registry: those that wait for verification, and its outcome.
    #[command(subcommand)]
    Registry(registry::Registry),
    /// Relay events, or the deliveries of one destination, to a server on this machine; show each call, and send it again
    /// on request.
    Listen(listen::Options),
    /// Ask a running service on this machine if it is ready; fails if it is not.
    Healthcheck,
    /// Write the OpenAPI documents to openapi/, or with --check fail on a difference.
    Openapi {
        /// Compare instead of writing.
        #[arg(long)]
        check: bool,
    },
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages to a folder.
    Man {
        /// The folder; it is made if missing.
        folder: std::path::PathBuf,
    },
    /// Run scripts from standard input; started by `serve`, and confined.
    #[command(hide = true)]
    ScriptWorker(ScriptWorker),
}

#[derive(clap::Args)]
struct ScriptWorker {
    /// Memory of one run.
    #[arg(long)]
    memory_bytes: usize,
    /// Time of one run.
    #[arg(long)]
    time_ms: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArg {
    All,
    Api,
    Worker,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::All => Role::All,
            RoleArg::Api => Role::Api,
            RoleArg::Worker => Role::Worker,
        }
    }
}

#[derive(Subcommand)]
enum Key {
    /// Wrap every organisation's key anew: with a fresh key if it is stored in the data directory, else with
    /// TIELINE_SECRET_KEY while TIELINE_SECRET_KEY_PREVIOUS still holds the former one. Restart the service afterwards.
    Rotate,
}

/// Stack of a thread: a request is served in the task of its connection, and only what is used of it takes memory.
const STACK_BYTES: usize = 8 << 20;

/// Runs the command that the arguments of this process name.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::ScriptWorker(ScriptWorker { memory_bytes, time_ms }) = cli.command {
        // Before a runtime starts: it would take threads, files and memory that no script needs.
        let limits =
            domain::webhooks::script::ScriptLimits::new(memory_bytes, std::time::Duration::from_millis(time_ms));
        return if worker::serve(limits).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let mut format = LogFormat::Text;
    let ran = match tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK_BYTES).enable_all().build() {
        Ok(runtime) => runtime.block_on(run(cli.command, &mut format)),
        Err(error) => Err(error.into()),
    };
    match (ran, format) {
        (Ok(()), _) => return ExitCode::SUCCESS,
        (Err(error), LogFormat::Text) => eprintln!("tieline: {error}"),
        (Err(error), LogFormat::Json) => tracing::error!(%error, "tieline ends"),
    }
    ExitCode::FAILURE
}

/// Runs a command. `format` becomes that of the log as soon as the log has started.
async fn run(command: Command, format: &mut LogFormat) -> Result<(), Failure> {
    let command = match without_settings(command).await? {
        Some(command) => command,
        None => return Ok(()),
    };
    let config = Config::load(std::env::vars().collect())?;
    telemetry::start(&config.log)?;
    *format = config.log.format;
    with_settings(command, config).await
}

/// Runs a command that reads no setting, or returns it.
async fn without_settings(command: Command) -> Result<Option<Command>, Failure> {
    match command {
        Command::Openapi { check } => {
            let folder = std::path::Path::new("openapi");
            if check { openapi::check(folder)? } else { openapi::write(folder)? }
        }
        Command::Listen(options) => {
            let stop = stop_on_signal()?;
            let relaying = listen::listen(options, startup::system_ambient(), typed_lines());
            stop.run_until_cancelled(relaying).await.unwrap_or(Ok(()))?;
        }
        Command::Completions { shell } => manual::completions(shell, &mut Cli::command()),
        Command::Man { folder } => manual::write(&folder, Cli::command())?,
        Command::Config(settings::Command::Print { reference: true, .. }) => settings::print_reference(),
        command => return Ok(Some(command)),
    }
    Ok(None)
}

async fn with_settings(command: Command, config: Config) -> Result<(), Failure> {
    match command {
        Command::Serve { role } => Ok(startup::serve(config, role.into(), stop_on_signal()?).await?),
        Command::Migrate { plan: true } => {
            startup::plan_migrations(&config).await?.iter().for_each(|name| println!("{name}"));
            Ok(())
        }
        Command::Migrate { plan: false } => {
            during("migrating the database", startup::open_store(&config)).await?.close().await;
            Ok(())
        }
        Command::Doctor { form } => doctor::run(&config, form.form()).await,
        Command::Config(command) => settings::run(&command, &config),
        Command::Backup(backup) => backup.run(&config).await,
        Command::Restore(restore) => restore.run(&config).await,
        Command::Org(command) => accounts::run_org(command, &open(&config).await?).await,
        Command::Member(command) => accounts::run_members(command, &open(&config).await?).await,
        Command::Token(command) => accounts::run_token(command, &open(&config).await?).await,
        Command::Route(command) => lists::run_route(command, &open(&config).await?).await,
        Command::Destination(command) => lists::run_destination(command, &open(&config).await?).await,
        Command::Delivery(command) => lists::run_delivery(command, &open(&config).await?).await,
        Command::Registry(command) => registry::run(command, &open(&config).await?).await,
        Command::Key(Key::Rotate) => {
            let store = startup::open_store(&config).await?;
            let rotating = startup::rotate_keys(&config, store, startup::system_ambient());
            println!("{}", json!({"rewrapped": during("wrapping the keys anew", rotating).await?}));
            Ok(())
        }
        Command::Healthcheck => doctor::check_health(&config).await,
        Command::Openapi { .. }
        | Command::Listen(_)
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::ScriptWorker(_) => Ok(()),
    }
}

async fn open(config: &Config) -> domain::Result<Services> {
    let store = startup::open_store(config).await?;
    startup::build_services(config, store, startup::system_ambient()).await
}

/// Returns the lines of the standard input as they are typed. They are read by a thread that nobody waits for: a read of
/// a terminal cannot be cancelled.
fn typed_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines();
        lines.map_while(Result::ok).try_for_each(|line| sender.blocking_send(line))
    });
    receiver
}

/// Returns a token that is cancelled by SIGTERM or SIGINT.
fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing what has begun");
        stopping.cancel();
    });
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_all_commands_fit_together() {
        Cli::command().debug_assert();
    }
}
