//! A running Tieline: the real server on a loopback port, with a manually moved clock.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use poem::{
    Server,
    listener::{Acceptor, Listener, TcpListener},
};
use serde_json::{Value, json};
use standin::Options;
use tieline::{
    app::{
        Services,
        kernel::metrics::Exposition,
        tenancy::{members::NewMember, organisations::Departure, tokens::NewToken},
    },
    config::Config,
    domain::{
        ambient::{Ambient, Clock, Random, Time},
        ids::OrganisationId,
        tenancy::{member::Role, organisation::Slug},
    },
    provider::guard::{Resolve, SystemResolver},
    startup,
    store::{self, Store, kernel::lease_clock::LeaseClock},
    worker::{Settings, dispatcher::Dispatcher},
};
use tokio_util::task::TaskTracker;

use super::{Client, Database, Differences, Names, github::Github, slack::Slack};

/// Start time of every test.
const BEGIN_MILLIS: i64 = 1_795_000_000_000;

/// A clock that stands until it is moved.
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Time {
        Time::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        aws_lc_rs::rand::fill(buffer).unwrap();
    }
}

/// Differences of a [`TestApp`] from the usual one.
#[derive(Default)]
pub struct Setup {
    /// Settings, as environment variables; `{standin}` is the stand-in's address.
    pub settings: Vec<(&'static str, String)>,
    /// The stand-in's options.
    pub slack: Options,
    /// Resolver of the names in tenants' URLs; the operating system's by default.
    pub names: Option<Arc<Names>>,
}

/// A running Tieline with a stand-in Slack, and an organisation `acme` that has an owner.
pub struct TestApp {
    /// The use cases.
    pub app: Services,
    /// The stand-in.
    pub slack: Slack,
    /// Its GitHub half.
    pub github: Github,
    /// A caller without a token.
    pub anon: Client,
    /// The owner of `acme`.
    pub owner: Client,
    /// The worker; it works on demand.
    pub deliverer: Arc<Dispatcher>,
    config: Config,
    clock: Arc<HandClock>,
    /// Differences of any answer from its documentation: checked at the end.
    _differences: Differences,
    server: tokio::task::JoinHandle<()>,
    _database: Database,
}

/// Leases end by the clock that is moved by hand, on PostgreSQL too.
async fn open_store(config: &Config) -> Store {
    startup::open_store(config).await.unwrap().with_lease_clock(LeaseClock::Caller)
}

impl TestApp {
    /// Starts the usual one.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, Setup::default()).await
    }

    /// Starts one with a setup of its own.
    pub async fn start_with(database: Database, setup: Setup) -> Self {
        let slack = Slack::start(setup.slack).await;
        slack.unlimited().await;
        let base = slack.base();
        let mut settings: HashMap<String, String> = [
            ("DATABASE_URL", database.url.clone()),
            ("TIELINE_DATA_DIR", database.folder().display().to_string()),
            ("TIELINE_SECRET_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".into()),
            ("TIELINE_SLACK__CLIENT_ID", Options::default().client_id),
            ("TIELINE_SLACK__CLIENT_SECRET", Options::default().client_secret),
            ("TIELINE_SLACK__SIGNING_SECRET", Options::default().signing_secret),
            ("TIELINE_SLACK__WEB_BASE", base.clone()),
            ("TIELINE_SLACK__API_BASE", format!("{base}/api")),
            ("TIELINE_SLACK__HOOKS_BASE", format!("{base}/hooks")),
            // The test binary is not Tieline itself.
            ("TIELINE_SCRIPT__PROGRAM", env!("CARGO_BIN_EXE_tieline").into()),
            ("TIELINE_EGRESS__ALLOW", "127.0.0.0/8,::1/128".into()),
            // The clock stands still, and a workspace's calls are counted by it.
            ("TIELINE_REGISTRY__CALLS_PER_SECOND", "1000000".into()),
            ("TIELINE_LIMITS__WRONG_CREDENTIALS_PER_MINUTE", "1000000".into()),
            // Of the real clock: short for calls that hang on purpose, and long beside a busy machine.
            ("TIELINE_DELIVERY__CONNECT_TIMEOUT_MS", "3000".into()),
            ("TIELINE_DELIVERY__TOTAL_TIMEOUT_MS", "3000".into()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        let others = slack.github_settings().into_iter().chain(setup.settings);
        let origin = slack.server().origin();
        settings.extend(others.map(|(key, value)| (key.to_owned(), value.replace("{standin}", &origin))));
        let config = Config::load(settings).unwrap();

        let clock = Arc::new(HandClock(AtomicI64::new(BEGIN_MILLIS)));
        let ambient = Ambient::new(clock.clone(), Arc::new(SystemRandom));
        let store = open_store(&config).await;
        let names: Arc<dyn Resolve> = match setup.names {
            Some(names) => names,
            None => Arc::new(SystemResolver),
        };
        let app = startup::build_services_resolving(&config, store, ambient, names).await.unwrap();
        let settings = startup::worker_settings(&config);
        let deliverer = Dispatcher::new(app.base.clone(), app.senders.clone(), app.pipeline.clone(), settings);
        let differences = Differences::default();
        let endpoint = startup::endpoint(&config, &app, &TaskTracker::new(), Some(differences.tell())).unwrap();
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
        let server = tokio::spawn(async move { Server::new_with_acceptor(acceptor).run(endpoint).await.unwrap() });
        let anon = Client::new(format!("http://{address}")).in_workspace("acme");
        app.tenancy.create_organisation_as_operator("acme", Some("Acme")).await.unwrap();
        let callback = format!("{}/v1/github/callback", config.public_url());
        let webhook_url = format!("http://{address}/v1/github/events");
        let github = Github::new(slack.server().origin(), anon.clone(), webhook_url, &callback).await;
        let mut this = Self {
            owner: anon.clone(),
            app,
            slack,
            github,
            anon,
            deliverer,
            config,
            clock,
            _differences: differences,
            server,
            _database: database,
        };
        this.owner = this.caller("acme", "olga", Role::Owner).await;
        this.set_their_clocks().await;
        this
    }

    /// Returns the metrics of the process, as OpenMetrics text.
    pub fn metrics(&self) -> String {
        self.app.base.metrics().text(Exposition::OpenMetrics).unwrap()
    }

    /// Returns the time.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Deletes an organisation, as the command line does.
    pub async fn delete_organisation(&self, slug: &str) {
        let departures: [&dyn Departure; 2] = [&*self.app.slack, &*self.app.registry];
        self.app.tenancy.delete_organisation_as_operator(slug, &departures).await.unwrap();
    }

    /// The use cases once more, as another process has them on the same database, or this one after a restart.
    pub async fn twin(&self) -> Services {
        let store = open_store(&self.config).await;
        let ambient = Ambient::new(self.clock.clone(), Arc::new(SystemRandom));
        startup::build_services(&self.config, store, ambient).await.unwrap()
    }

    /// A worker of another process.
    pub fn worker_of(&self, app: Services) -> Arc<Dispatcher> {
        self.worker_with(app, |settings| settings)
    }

    /// The same with other settings.
    pub fn worker_with(&self, app: Services, change: impl Fn(Settings) -> Settings) -> Arc<Dispatcher> {
        let settings = change(startup::worker_settings(&self.config));
        Dispatcher::new(app.base.clone(), app.senders.clone(), app.pipeline.clone(), settings)
    }

    /// Sets the stand-in's clock to ours: its signatures, and the signatures for it, contain a time.
    pub async fn set_their_clocks(&self) {
        self.slack.set_clock(self.now().timestamp()).await;
    }

    /// Moves the clock, and not the stand-in's.
    pub fn advance(&self, by: Duration) {
        self.clock.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Sets the clock back, and not the stand-in's.
    pub fn set_back(&self, by: Duration) {
        self.clock.0.fetch_sub(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Creates a member of the organisation with a token of their own, and returns a caller.
    pub async fn caller(&self, slug: &str, username: &str, role: Role) -> Client {
        let member = NewMember { user_id: None, username: username.into(), email: None, subject: None, role };
        let member = self.app.tenancy.ensure_member_as_operator(slug, member).await.unwrap();
        let token = NewToken { name: "test".into(), scopes: Default::default(), expires_at: None };
        let (_, text) = self.app.tenancy.create_token_as_operator(&member, token).await.unwrap();
        self.anon.with_token(text.expose()).in_workspace(slug)
    }

    /// Returns a caller with a fresh token of an operator.
    pub async fn operator(&self) -> Client {
        let (_, text) = self.app.tenancy.create_operator_token("operator", None).await.unwrap();
        self.anon.with_token(text.expose())
    }

    /// Creates another organisation, and returns its owner.
    pub async fn other(&self, slug: &str) -> Client {
        self.app.tenancy.create_organisation_as_operator(slug, None).await.unwrap();
        self.caller(slug, "otto", Role::Owner).await
    }

    /// Returns an organisation's id.
    pub async fn organisation(&self, slug: &str) -> OrganisationId {
        let slug = Slug::parse(slug).unwrap();
        store::tenancy::organisations::find_by_slug(self.app.base.store().reader(), &slug).await.unwrap().unwrap().id
    }

    /// Runs the worker until nothing is due at the present moment, and the effects of answers are done.
    pub async fn drain(&self) {
        self.app.base.settle().await;
        for _ in 0..1000 {
            if self.deliverer.step().await.unwrap().destinations == 0 {
                return;
            }
        }
        panic!("the worker does not come to rest");
    }

    /// Runs the worker and the clock, second by second, for this long.
    pub async fn run_for(&self, seconds: u64) {
        for _ in 0..seconds {
            self.drain().await;
            self.advance(Duration::from_secs(1));
        }
        self.drain().await;
    }

    /// Sends a step event of this name, by the owner, and returns its id.
    pub async fn step(&self, name: &str) -> String {
        let answer = self.owner.post("/v1/events", &step(name)).await.ok(202);
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Returns the deliveries of a query, newest first.
    pub async fn deliveries(&self, query: &str) -> Vec<Value> {
        let answer = self.owner.get(&format!("/v1/deliveries?limit=250&{query}")).await.ok(200);
        answer["data"].as_array().unwrap().clone()
    }

    /// Returns the one delivery of an event, with its attempts.
    pub async fn delivery_of(&self, event_id: &str) -> Value {
        let found = self.deliveries(&format!("eventId={event_id}")).await;
        assert_eq!(found.len(), 1, "{found:?}");
        self.owner.get(&format!("/v1/deliveries/{}", found[0]["id"].as_str().unwrap())).await.ok(200)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Routes of an organisation that show no settings of other things, newest first.
pub async fn own_routes(caller: &Client) -> Vec<Value> {
    let all = caller.get("/v1/routes").await.ok(200);
    all["data"].as_array().unwrap().iter().filter(|route| route["managedBy"].is_null()).cloned().collect()
}

/// Body of a route that subscribes a Slack channel to GitHub events.
pub fn subscription(channel: &str, rules: Value) -> Value {
    json!({
        "sources": ["github"], "types": ["github.*"], "rule": {"github": rules},
        "destination": {"kind": "slack", "address": channel},
    })
}

/// A step event, distinguished by its name.
pub fn step(name: &str) -> Value {
    json!({
        "type": "workflow.step.completed",
        "attributes": {
            "stepKind": "KIND_EXIT",
            "stepAction": "FORM_SUBMIT",
            "linkId": "0199c1de-0000-7000-8000-000000000001",
        },
        "data": {"name": name},
    })
}
