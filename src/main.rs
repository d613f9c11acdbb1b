//! The command line.

use std::{process::ExitCode, str::FromStr, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use serde_json::json;
use tieline::{
    app::{
        registry,
        tenancy::{members::NewMember, organisations::Departure, tokens::NewToken},
    },
    config::{Config, LogFormat},
    domain::{
        ambient::Time,
        page::PageRequest,
        registry::{Lifecycle, PublicId, RegistryVersion, Verification},
        tenancy::{
            member,
            operator::{Operator, OperatorToken},
        },
        webhooks::script::ScriptLimits,
    },
    listen, openapi,
    provider::script::worker,
    startup::{self, Role},
    telemetry,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

/// A self-hosted integrations service: five HTTP dialects over one core.
#[derive(Parser)]
#[command(version, about)]
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
    Migrate,
    /// Write the OpenAPI documents to openapi/, or with --check fail on a difference.
    Openapi {
        /// Compare instead of writing.
        #[arg(long)]
        check: bool,
    },
    /// Organisations.
    #[command(subcommand)]
    Org(Org),
    /// Personal access tokens.
    #[command(subcommand)]
    Token(Token),
    /// The key that encrypts stored secrets.
    #[command(subcommand)]
    Key(Key),
    /// Versions in the registry: those that wait for verification, and its outcome.
    #[command(subcommand)]
    Registry(Registry),
    /// Relay events, or the deliveries of one destination, to a server on this machine; show each call, and send it again
    /// on request.
    Listen(listen::Options),
    /// Run scripts from standard input; started by `serve`, and confined.
    #[command(hide = true)]
    ScriptWorker {
        /// Memory of one run.
        #[arg(long)]
        memory_bytes: usize,
        /// Time of one run.
        #[arg(long)]
        time_ms: u64,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArg {
    All,
    Api,
    Worker,
}

#[derive(Subcommand)]
enum Org {
    /// Create an organisation; prints it as one line of JSON.
    Create {
        /// Its slug, such as acme.
        slug: String,
        /// Its name; the slug by default.
        #[arg(long)]
        name: Option<String>,
    },
    /// Delete an organisation with everything it owns, permanently; prints it as one line of JSON.
    Delete {
        /// Its slug.
        slug: String,
    },
}

#[derive(Subcommand)]
enum Token {
    /// Create a token for a member, who is created if missing, or with --operator for an operator of the service; prints
    /// it as one line of JSON, once.
    Create {
        /// The organisation's slug.
        #[arg(long, required_unless_present = "operator", conflicts_with = "operator")]
        org: Option<String>,
        /// The member's username.
        #[arg(long, required_unless_present = "operator", conflicts_with = "operator")]
        user: Option<String>,
        /// The role of a created member: owner, admin or member.
        #[arg(long, default_value = "member")]
        role: String,
        /// The e-mail address of a created member.
        #[arg(long)]
        email: Option<String>,
        /// A token for an operator, which opens facts about all organisations and nothing of any of them.
        #[arg(long, requires = "name")]
        operator: bool,
        /// The name of the token.
        #[arg(long)]
        name: Option<String>,
        /// The time at which it expires, such as 2027-01-31T00:00:00Z, or the time until then, such as 90d or 12h.
        #[arg(long, value_parser = expiry)]
        expires: Option<Expiry>,
    },
    /// List the tokens of operators; prints each as one line of JSON.
    Operators,
    /// Revoke a token, by its id or its text.
    Revoke {
        /// The id or the text.
        token: String,
    },
}

#[derive(Subcommand)]
enum Key {
    /// Wrap every organisation's key anew: with a fresh key if it is stored in the data directory, else with
    /// TIELINE_SECRET_KEY while TIELINE_SECRET_KEY_PREVIOUS still holds the former one. Restart the service afterwards.
    Rotate,
}

#[derive(Subcommand)]
enum Registry {
    /// List the versions submitted for verification; prints each as one line of JSON.
    Pending,
    /// Set the verification or the lifecycle of a version; prints it as one line of JSON.
    Set {
        /// Its id, such as intver_01JVYWESY3BVAM5FR3XT9X813H.
        id: String,
        /// unapproved, pending, approved or rejected.
        #[arg(long, value_parser = verification)]
        verification: Option<Verification>,
        /// published, or deprecated: existing installations go on, and new ones are refused.
        #[arg(long, value_parser = lifecycle)]
        lifecycle: Option<Lifecycle>,
    },
}

fn verification(text: &str) -> Result<Verification, String> {
    Verification::named(text).ok_or_else(|| one_of(&Verification::ALL.map(Verification::as_str)))
}

fn lifecycle(text: &str) -> Result<Lifecycle, String> {
    Lifecycle::named(text).ok_or_else(|| one_of(&Lifecycle::ALL.map(Lifecycle::as_str)))
}

fn one_of(words: &[&str]) -> String {
    format!("possible values: {}", words.join(", "))
}

fn version_line(version: &RegistryVersion) -> serde_json::Value {
    json!({
        "id": PublicId { prefix: PublicId::VERSION, id: version.id.0 }.to_string(),
        "organisation_id": version.organisation_id,
        "name": version.name,
        "version": version.version.to_string(),
        "visibility": version.visibility.as_str(),
        "verification": version.verification.as_str(),
        "lifecycle": version.lifecycle.as_str(),
    })
}

fn operator_token_line(token: &OperatorToken) -> serde_json::Value {
    json!({
        "token_id": token.id,
        "name": token.name,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    })
}

/// End of a token's life.
#[derive(Clone, Copy)]
enum Expiry {
    At(Time),
    After(chrono::TimeDelta),
}

impl Expiry {
    fn after(self, now: Time) -> Time {
        match self {
            Self::At(time) => time,
            Self::After(time) => now.checked_add_signed(time).unwrap_or(Time::MAX_UTC),
        }
    }
}

fn expiry(text: &str) -> Result<Expiry, String> {
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(Expiry::At(time.to_utc()));
    }
    let duration = |unit: char, hours: i64| {
        let count = text.strip_suffix(unit)?.parse::<u16>().ok()?;
        chrono::TimeDelta::try_hours(i64::from(count) * hours).map(Expiry::After)
    };
    let wrong =
        || "must be a time such as 2027-01-31T00:00:00Z, or a number of days or hours such as 90d or 12h".to_owned();
    duration('d', 24).or_else(|| duration('h', 1)).ok_or_else(wrong)
}

/// Prints the versions that wait for a verification, page after page.
async fn list_pending(registry: &registry::Registry) -> Result<(), Box<dyn std::error::Error>> {
    let (operator, mut page) = (Operator::at_command_line(), PageRequest::new(None, None)?);
    loop {
        let found = registry.list_pending_registry_versions(&operator, page).await?;
        found.items.iter().for_each(|listed| println!("{}", version_line(&listed.version)));
        if found.next.is_none() {
            return Ok(());
        }
        page.after = found.next;
    }
}

#[allow(clippy::expect_used, reason = "without a runtime there is nothing to report to")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::ScriptWorker { memory_bytes, time_ms } = cli.command {
        // Before a runtime starts: it would take threads, files and memory that no script needs.
        let served = worker::serve(ScriptLimits::new(memory_bytes, Duration::from_millis(time_ms)));
        return if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the runtime starts");
    let mut format = LogFormat::Text;
    match (runtime.block_on(run(cli, &mut format)), format) {
        (Ok(()), _) => return ExitCode::SUCCESS,
        (Err(error), LogFormat::Text) => eprintln!("tieline: {error}"),
        (Err(error), LogFormat::Json) => tracing::error!(%error, "tieline ends"),
    }
    ExitCode::FAILURE
}

/// Runs a command. `format` becomes that of the log as soon as the log has started.
async fn run(cli: Cli, format: &mut LogFormat) -> Result<(), Box<dyn std::error::Error>> {
    if let Command::Openapi { check } = cli.command {
        let folder = std::path::Path::new("openapi");
        return if check { Ok(openapi::check(folder)?) } else { Ok(openapi::write(folder)?) };
    }
    if let Command::Listen(options) = cli.command {
        let stop = stop_on_signal()?;
        let relaying = listen::listen(options, startup::system_ambient(), typed_lines());
        return Ok(stop.run_until_cancelled(relaying).await.unwrap_or(Ok(()))?);
    }
    let config = Config::load(std::env::vars().collect())?;
    telemetry::start(&config.log)?;
    *format = config.log.format;
    match cli.command {
        Command::Serve { role } => {
            let role = match role {
                RoleArg::All => Role::All,
                RoleArg::Api => Role::Api,
                RoleArg::Worker => Role::Worker,
            };
            startup::serve(config, role, stop_on_signal()?).await?;
        }
        Command::Migrate => startup::open_store(&config).await?.close().await,
        Command::Openapi { .. } | Command::Listen(_) | Command::ScriptWorker { .. } => {}
        Command::Org(Org::Create { slug, name }) => {
            let app = open(&config).await?;
            let organisation = app.tenancy.create_organisation_as_operator(&slug, name.as_deref()).await?;
            println!(
                "{}",
                json!({"id": organisation.id, "slug": organisation.slug.as_str(), "name": organisation.name})
            );
        }
        Command::Org(Org::Delete { slug }) => {
            let app = open(&config).await?;
            let departures: [&dyn Departure; 2] = [&*app.slack, &*app.registry];
            let organisation = app.tenancy.delete_organisation_as_operator(&slug, &departures).await?;
            println!("{}", json!({"id": organisation.id, "slug": organisation.slug.as_str(), "deleted": true}));
        }
        Command::Token(Token::Create { org, user, role, email, operator: _, name, expires }) => {
            let app = open(&config).await?;
            let name = name.unwrap_or_else(|| "command line".into());
            let expires_at = expires.map(|expiry| expiry.after(app.base.ambient().now()));
            let (Some(org), Some(username)) = (org, user) else {
                let (token, text) = app.tenancy.create_operator_token(&name, expires_at).await?;
                println!("{}", json!({"token": text.expose(), "token_id": token.id, "name": token.name}));
                return Ok(());
            };
            let role = member::Role::from_str(&role)?;
            let new = NewMember { user_id: None, username, email, subject: None, role };
            let member = app.tenancy.ensure_member_as_operator(&org, new).await?;
            let new = NewToken { name, scopes: Default::default(), expires_at };
            let (token, text) = app.tenancy.create_token_as_operator(&member, new).await?;
            println!(
                "{}",
                json!({
                    "token": text.expose(),
                    "token_id": token.id,
                    "user_id": token.user_id,
                    "organisation_id": token.organisation_id,
                })
            );
        }
        Command::Token(Token::Operators) => {
            for token in open(&config).await?.tenancy.list_operator_tokens().await? {
                println!("{}", operator_token_line(&token));
            }
        }
        Command::Token(Token::Revoke { token }) => {
            let id = open(&config).await?.tenancy.revoke_token_as_operator(&token).await?;
            println!("{}", json!({"token_id": id, "revoked": true}));
        }
        Command::Registry(Registry::Pending) => {
            list_pending(&open(&config).await?.registry).await?;
        }
        Command::Registry(Registry::Set { id, verification, lifecycle }) => {
            let (registry, operator) = (open(&config).await?.registry, Operator::at_command_line());
            let reviewed = registry.review_registry_version(&operator, &id, (verification, lifecycle)).await?;
            println!("{}", version_line(&reviewed.version));
        }
        Command::Key(Key::Rotate) => {
            let store = startup::open_store(&config).await?;
            let count = startup::rotate_keys(&config, store, startup::system_ambient()).await?;
            println!("{}", json!({"rewrapped": count}));
        }
    }
    Ok(())
}

async fn open(config: &Config) -> tieline::domain::Result<tieline::app::Services> {
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
