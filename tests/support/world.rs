//! A running Tieline: the real server on a loopback port, with a clock that is moved by hand.

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
    app::{App, members::NewMember, tokens::NewToken},
    config::Config,
    domain::{
        ambient::{Ambient, Clock, Random, Time},
        ids::OrganisationId,
        member::Role,
        organisation::Slug,
    },
    provider::guard::{Resolve, SystemResolver},
    startup,
    store::{self, Store, destinations::LeaseClock},
    worker::deliver::Deliverer,
};
use tokio_util::task::TaskTracker;

use super::{Client, Database, Differences, Names, github::Github, slack::Slack};

/// When every test begins.
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

/// How a [`TestApp`] differs from the usual one.
#[derive(Default)]
pub struct Setup {
    /// Settings, as environment variables.
    pub settings: Vec<(&'static str, String)>,
    /// The stand-in's options.
    pub slack: Options,
    /// Who knows where the names in tenants' URLs lead; the operating system, where nobody is set.
    pub names: Option<Arc<Names>>,
}

/// A running Tieline with a stand-in Slack, and an organisation `acme` that has an owner.
pub struct TestApp {
    /// The use cases.
    pub app: App,
    /// The stand-in.
    pub slack: Slack,
    /// Its GitHub half.
    pub github: Github,
    /// A caller without a token.
    pub anon: Client,
    /// The owner of `acme`.
    pub owner: Client,
    /// The worker; it works when it is told to.
    pub deliverer: Arc<Deliverer>,
    config: Config,
    clock: Arc<HandClock>,
    /// Where an answer was not as it is documented, whoever asked: checked at the end.
    _differences: Differences,
    server: tokio::task::JoinHandle<()>,
    _database: Database,
}

/// Leases end by the clock that is moved by hand, on PostgreSQL too.
async fn open_store(config: &Config) -> Store {
    startup::open_store(config).await.unwrap().with_lease_clock(LeaseClock::Caller)
}

impl TestApp {
    /// The usual one.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, Setup::default()).await
    }

    /// One that differs.
    pub async fn start_with(database: Database, setup: Setup) -> Self {
        let slack = Slack::start(setup.slack).await;
        slack.unlimited().await;
        let base = slack.base();
        let github = slack.server();
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
            ("TIELINE_GITHUB__APP_ID", Options::default().github_app_id.to_string()),
            ("TIELINE_GITHUB__APP_SLUG", Options::default().github_app_slug),
            ("TIELINE_GITHUB__CLIENT_ID", Options::default().github_client_id),
            ("TIELINE_GITHUB__CLIENT_SECRET", Options::default().github_client_secret),
            ("TIELINE_GITHUB__PRIVATE_KEY", github.github_private_key_pem()),
            ("TIELINE_GITHUB__WEBHOOK_SECRET", Options::default().github_webhook_secret),
            ("TIELINE_GITHUB__WEB_BASE", github.github_web_base()),
            ("TIELINE_GITHUB__API_BASE", github.github_api_base()),
            // The tests are not Tieline itself.
            ("TIELINE_SCRIPT__PROGRAM", env!("CARGO_BIN_EXE_tieline").into()),
            ("TIELINE_EGRESS__ALLOW", "127.0.0.0/8,::1/128".into()),
            // The clock stands still, and a workspace's calls are counted by it.
            ("TIELINE_REGISTRY__CALLS_PER_SECOND", "1000000".into()),
            ("TIELINE_LIMITS__WRONG_CREDENTIALS_PER_MINUTE", "1000000".into()),
            ("TIELINE_DELIVERY__CONNECT_TIMEOUT_MS", "500".into()),
            ("TIELINE_DELIVERY__TOTAL_TIMEOUT_MS", "2000".into()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        settings.extend(setup.settings.into_iter().map(|(key, value)| (key.to_owned(), value)));
        let config = Config::load(settings).unwrap();

        let clock = Arc::new(HandClock(AtomicI64::new(BEGIN_MILLIS)));
        let ambient = Ambient::new(clock.clone(), Arc::new(SystemRandom));
        let store = open_store(&config).await;
        let names: Arc<dyn Resolve> = match setup.names {
            Some(names) => names,
            None => Arc::new(SystemResolver),
        };
        let app = startup::build_app_resolving(&config, store, ambient, names).await.unwrap();
        let deliverer = Deliverer::new(app.clone(), startup::worker_settings(&config));
        let differences = Differences::default();
        let endpoint = startup::endpoint(&config, &app, &TaskTracker::new(), Some(differences.tell())).unwrap();
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
        let server = tokio::spawn(async move { Server::new_with_acceptor(acceptor).run(endpoint).await.unwrap() });
        let anon = Client::new(format!("http://{address}")).in_workspace("acme");
        app.create_organisation_as_operator("acme", Some("Acme")).await.unwrap();
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
        this.tell_the_time().await;
        this
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The use cases once more, as another process has them on the same database, or this one after a restart.
    pub async fn twin(&self) -> App {
        let store = open_store(&self.config).await;
        let ambient = Ambient::new(self.clock.clone(), Arc::new(SystemRandom));
        startup::build_app(&self.config, store, ambient).await.unwrap()
    }

    /// A worker of another process.
    pub fn worker_of(&self, app: App) -> Arc<Deliverer> {
        Deliverer::new(app, startup::worker_settings(&self.config))
    }

    /// Sets the stand-in's clock by ours: what it signs, and what is signed for it, has a time in it.
    pub async fn tell_the_time(&self) {
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

    /// A caller with a token of their own, made a member of the organisation.
    pub async fn caller(&self, slug: &str, username: &str, role: Role) -> Client {
        let member = NewMember { user_id: None, username: username.into(), email: None, subject: None, role };
        let member = self.app.ensure_member_as_operator(slug, member).await.unwrap();
        let token = NewToken { name: "test".into(), scopes: Default::default(), expires_at: None };
        let (_, text) = self.app.create_token_as_operator(&member, token).await.unwrap();
        self.anon.with_token(text.expose()).in_workspace(slug)
    }

    /// Another organisation with an owner.
    pub async fn other(&self, slug: &str) -> Client {
        self.app.create_organisation_as_operator(slug, None).await.unwrap();
        self.caller(slug, "otto", Role::Owner).await
    }

    /// An organisation's id.
    pub async fn organisation(&self, slug: &str) -> OrganisationId {
        let slug = Slug::parse(slug).unwrap();
        store::organisations::find_by_slug(self.app.store().reader(), &slug).await.unwrap().unwrap().id
    }

    /// Lets the worker work until nothing is due at the present moment, once what follows answers is done.
    pub async fn drain(&self) {
        self.app.settle().await;
        for _ in 0..1000 {
            if self.deliverer.step().await.unwrap().destinations == 0 {
                return;
            }
        }
        panic!("the worker does not come to rest");
    }

    /// Lets the worker work and the clock run, second by second, for so long.
    pub async fn run_for(&self, seconds: u64) {
        for _ in 0..seconds {
            self.drain().await;
            self.advance(Duration::from_secs(1));
        }
        self.drain().await;
    }

    /// Sends a step event of this name, by the owner, and tells its id.
    pub async fn step(&self, name: &str) -> String {
        let answer = self.owner.post("/v1/events", &step(name)).await.ok(202);
        answer["id"].as_str().unwrap().to_owned()
    }

    /// The deliveries that a query finds, newest first.
    pub async fn deliveries(&self, query: &str) -> Vec<Value> {
        let answer = self.owner.get(&format!("/v1/deliveries?limit=250&{query}")).await.ok(200);
        answer["data"].as_array().unwrap().clone()
    }

    /// The one delivery of an event, with its attempts.
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

/// A step event that can be told from others by its name.
pub fn step(name: &str) -> Value {
    json!({
        "type": "workflow.step.completed",
        "stepKind": "KIND_EXIT",
        "stepAction": "FORM_SUBMIT",
        "linkId": "0199c1de-0000-7000-8000-000000000001",
        "data": {"name": name},
    })
}
