//! The authorisation matrix: every published operation, against every kind of caller.
//!
//! The operations come from the published documents. One that is missing in the table below fails the test by name, so
//! no operation is added without its permissions.

mod cases;
mod others;

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use reqwest::Method;
use serde_json::{Value, json};
use tieline::{
    domain::{
        registry::{PublicId, public_id},
        tenancy::member::{
            Permission,
            Role::{self, Admin, Member, Owner},
        },
    },
    openapi,
};
use tokio::sync::OnceCell;

use self::{
    cases::CASES,
    others::{ADDRESSED, ALTERNATIVES, COOKIES, KEY_HOLDERS, KEYED, OPEN, OPERATORS, OWN, ROOMS, SIGNED, SUBJECTS},
};
use crate::support::{Answer, Client, Integration, Reply, TestApp, step};

/// Requirements of an operation on its caller.
struct Case {
    operation: &'static str,
    /// The lowest permitted role.
    role: Role,
    /// Required scopes of a token.
    needs: &'static [&'static str],
    /// Status for the owner of another organisation who asks for a thing of ours, or for their own where the request
    /// names none.
    outsider: u16,
}

const fn case(operation: &'static str, role: Role, needs: &'static [&'static str], outsider: u16) -> Case {
    Case { operation, role, needs, outsider }
}

/// A published operation.
struct Operation {
    id: String,
    method: Method,
    path: String,
    /// Needs no token.
    open: bool,
    /// Accepts a token, and needs none.
    optional: bool,
    /// Names the organisation by a header.
    names_organisation: bool,
    statuses: BTreeSet<u16>,
}

/// Lists every published operation.
fn operations() -> Vec<Operation> {
    let mut found = Vec::new();
    for document in &openapi::documents().unwrap().dialects {
        for (path, item) in document.value["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let statuses = operation["responses"].as_object().unwrap().keys();
                let security = operation["security"].as_array().unwrap();
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let optional = security.contains(&json!({}));
                found.push(Operation {
                    id: operation["operationId"].as_str().unwrap().to_owned(),
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    open: security.is_empty() || optional,
                    optional,
                    names_organisation: parameters.into_iter().any(|one| one["name"] == "X-Organisation-Id"),
                    statuses: statuses.map(|status| status.parse().unwrap()).collect(),
                });
            }
        }
    }
    found
}

#[test]
fn every_operation_says_who_may_use_it() {
    let operations = operations();
    let published: BTreeSet<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    let open: BTreeSet<&str> = OPEN.iter().map(|(id, _)| *id).collect();
    let closed: BTreeSet<&str> = CASES.iter().map(|case| case.operation).collect();
    let signed: BTreeSet<&str> = SIGNED.iter().map(|(id, _)| *id).collect();
    let others =
        KEYED.iter().chain(ALTERNATIVES).chain(OWN).chain(ADDRESSED).chain(COOKIES).chain(OPERATORS).chain(KEY_HOLDERS);
    let others = others.chain(SUBJECTS);
    let reported: BTreeSet<&str> = open.iter().chain(&closed).chain(&signed).chain(others).copied().collect();
    let missing: Vec<_> = published.difference(&reported).collect();
    assert!(missing.is_empty(), "{missing:?} have no permissions. Add them to CASES in tests/authorisation.rs");
    let gone: Vec<_> = reported.difference(&published).collect();
    assert!(gone.is_empty(), "{gone:?} are not published any more; take them out of tests/authorisation.rs");
    for operation in &operations {
        let id = operation.id.as_str();
        let does_without = open.contains(id) || signed.contains(id) || ADDRESSED.contains(&id);
        assert_eq!(operation.open, does_without, "{id} is open, or should be");
    }
}

#[test]
fn the_roles_hold_what_the_table_says() {
    for case in CASES {
        let needs: BTreeSet<Permission> = case.needs.iter().map(|need| need.parse().unwrap()).collect();
        for role in Role::ALL {
            assert_eq!(role.implies().is_superset(&needs), role >= case.role, "{role} and {}", case.operation);
        }
    }
}

const CHANNEL: &str = "C0ALERTS";
/// Text in the name of all our things: another organisation may never read it.
const CANARY: &str = "canary";

/// A request to be sent by several callers.
struct Ask {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Ask {
    async fn by(&self, caller: &Client) -> Answer {
        self.naming(caller, None).await
    }

    async fn naming(&self, caller: &Client, organisation: Option<&str>) -> Answer {
        let mut request = caller.request(self.method.clone(), &self.path);
        if let Some(id) = organisation {
            request = request.header("X-Organisation-Id", id);
        }
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        caller.send(request).await
    }

    /// The same request, for things that do not exist.
    fn of_nothing(&self) -> Self {
        let nothing = |text: &str| {
            let shown = ["intver_", "ifver_", "iak_"].into_iter().find(|prefix| text.starts_with(prefix));
            if let Some(prefix) = shown {
                return format!("{prefix}01JVYWESY3BVAM5FR3XT9X813H");
            }
            if text.parse::<uuid::Uuid>().is_ok() { NOTHING.to_owned() } else { text.to_owned() }
        };
        // A workflow's id is a name.
        let in_path = |text: &str| if text.starts_with(CANARY) { "nothing".to_owned() } else { nothing(text) };
        let path = self.path.split('/').map(in_path).collect::<Vec<_>>().join("/");
        let mut body = self.body.clone();
        for value in body.as_mut().and_then(Value::as_object_mut).into_iter().flat_map(serde_json::Map::values_mut) {
            if let Value::String(text) = value {
                *text = nothing(text);
            }
        }
        Self { method: self.method.clone(), path, body }
    }

    /// The same request, with names that none of our things has: the caller may find them again.
    fn of_their_own(mut self) -> Self {
        self.path = self.path.replace(CANARY, "sparrow");
        for value in self.body.as_mut().and_then(Value::as_object_mut).into_iter().flat_map(serde_json::Map::values_mut)
        {
            if let Value::String(text) = value {
                *text = text.replace(CANARY, "sparrow");
            }
        }
        self
    }

    /// Returns an answer without the caller's own input.
    fn without_echo(&self, answer: &Answer) -> String {
        let said = self.body.iter().flat_map(|body| body.as_object().unwrap().values().filter_map(Value::as_str));
        let said = self.path.split(['/', '?', '&', '=']).chain(said).filter(|word| word.len() > 3);
        let text = said.fold(answer.text.clone(), |text, word| text.replace(word, "…"));
        // Each refusal of the registry's has an id of its own.
        match text.split_once("\"err_") {
            Some((before, after)) => format!("{before}{}", after.split_once('"').map_or("", |(_, rest)| rest)),
            None => text,
        }
    }
}

const NOTHING: &str = "0199c1de-0000-7000-8000-00000000dead";

/// Returns the id of a registry version that the Botpress dialect shows in its own form.
fn uuid_of(shown: &str) -> String {
    public_id(PublicId::VERSION, shown).unwrap().to_string()
}

/// The organisation under test, with its callers.
struct World<'a> {
    app: &'a TestApp,
    home: String,
    outsider: Client,
    strangers_home: String,
    /// A linked installation, and the id of a delivery from it.
    github: OnceCell<(i64, String)>,
    /// An app that can be installed.
    integration: Integration,
    count: AtomicUsize,
}

impl<'a> World<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let outsider = app.other("globex").await;
        let id = async |caller: &Client| {
            caller.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned()
        };
        let (home, strangers_home) = (id(&app.owner).await, id(&outsider).await);
        let integration = Integration::start("output", json!([])).await;
        integration.authorise_at(integration.base());
        Self { app, home, outsider, strangers_home, github: OnceCell::new(), integration, count: AtomicUsize::new(0) }
    }

    /// Returns an unused name.
    fn fresh(&self) -> String {
        format!("{CANARY}-{}", self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// Creates something as the owner and returns its id.
    async fn create(&self, path: &str, body: Value) -> String {
        let answer = self.app.owner.post(path, &body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        let made = answer.json();
        made["id"].as_str().or(made["userId"].as_str()).or(made["token"]["id"].as_str()).unwrap().to_owned()
    }

    /// Creates a member without any permission, so that every manager of members may change them.
    async fn member(&self) -> String {
        let members = format!("/v1/organisations/{}/members", self.home);
        let id = self.create(&members, json!({"username": self.fresh()})).await;
        self.app.owner.patch(&format!("{members}/{id}"), &json!({"permissions": []})).await.ok(200);
        id
    }

    /// Creates a caller with exactly these scopes.
    async fn narrow(&self, scopes: impl IntoIterator<Item = &str>) -> Client {
        let scopes: Vec<&str> = scopes.into_iter().collect();
        let made = self.app.owner.post("/v1/tokens", &json!({"name": self.fresh(), "scopes": scopes})).await.ok(201);
        self.app.anon.with_token(made["secret"].as_str().unwrap())
    }

    async fn connected(&self) {
        let integration = self.app.owner.get("/v1/slack-integrations").await.ok(200);
        if integration.get("slackIntegration").is_none() {
            self.app.slack.connect(&self.app.owner, "T0STANDIN", CHANNEL).await;
        }
        let set = json!({"slackChannelId": CHANNEL, "triggers": []});
        self.app.owner.patch("/v1/slack-integrations", &set).await.ok(200);
    }

    /// Returns the id of a connection to the provider that an operation is about.
    async fn connection(&self, operation: &Operation) -> String {
        let provider = if operation.id == "listConnectionRepositories" { "github" } else { "slack" };
        self.connected().await;
        self.linked().await;
        let found = self.app.owner.get(&format!("/v1/connections?provider={provider}")).await.ok(200);
        found["data"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Creates a finished delivery and returns it with its destination.
    async fn delivery(&self) -> (String, String) {
        self.connected().await;
        self.app.owner.patch("/v1/slack-integrations", &json!({"triggers": ["KIND_ENTRY"]})).await.ok(200);
        let event = self.create("/v1/events", step(&self.fresh())).await;
        let delivery = self.app.delivery_of(&event).await;
        let text = |field: &str| delivery[field].as_str().unwrap().to_owned();
        assert_eq!(text("state"), "skipped");
        (text("id"), text("destinationId"))
    }

    /// Builds a valid request for things of ours that were created for it. A token to be revoked and a state to be used
    /// are of `caller`, and of no other.
    async fn ask(&self, operation: &Operation, caller: &Client) -> Ask {
        let mut path = self.registry_path(operation).await;
        if path.contains("{id}") {
            let id = match path.split('/').nth(2).unwrap() {
                "organisations" => self.home.clone(),
                "tokens" => {
                    let made = caller.post("/v1/tokens", &json!({"name": self.fresh()})).await.ok(201);
                    made["token"]["id"].as_str().unwrap().to_owned()
                }
                "connections" => self.connection(operation).await,
                "apps" if operation.id == "callAppAction" => {
                    path = path.replace("{name}", "send");
                    self.callable().await
                }
                "apps" => self.integration(false).await,
                "registry" => uuid_of(&self.version("private").await.0),
                "channels" => self.create("/v1/channels", json!({"name": self.fresh()})).await,
                "events" => self.create("/v1/events", json!({"type": CANARY})).await,
                "routes" => self.create("/v1/routes", self.route().await).await,
                "workflows" => self.workflow(operation).await,
                "deliveries" => self.delivery().await.0,
                "destinations" => self.create("/v1/destinations", self.destination()).await,
                other => panic!("how is a thing of {other} made? Say it in tests/authorisation.rs"),
            };
            path = path.replace("{id}", &id);
        }
        if path.contains("{user_id}") {
            path = path.replace("{user_id}", &self.member().await);
        }
        if operation.id == "removeChannelMember" {
            self.app.owner.put(&path).await.ok(204);
        }
        if operation.path.starts_with("/v1/slack-integrations") {
            self.connected().await;
        }
        match operation.id.as_str() {
            "getGithubInstallation" => path = format!("{path}?id={}", self.linked().await.0),
            "reprocessGithubDelivery" => path = path.replace("{deliveryId}", &self.linked().await.1),
            "listIntegrations" | "installSlack" => path.push_str("?team=acme"),
            id if ROOMS.contains(&id) => {
                path = format!("{path}?roomId={}", self.room(id.contains("PrivateGroup")).await);
            }
            _ => {}
        }
        path = self.telex_path(operation, path).await;
        Ask { method: operation.method.clone(), path, body: self.body(&operation.id, caller).await }
    }

    /// Creates a channel with every member in it.
    async fn room(&self, private: bool) -> String {
        let id = self.create("/v1/channels", json!({"name": self.fresh(), "private": private})).await;
        let members = self.app.owner.get(&format!("/v1/organisations/{}/members?limit=250", self.home)).await.ok(200);
        for member in members["data"].as_array().unwrap() {
            let path = format!("/v1/channels/{id}/members/{}", member["userId"].as_str().unwrap());
            self.app.owner.put(&path).await.ok(204);
        }
        id
    }

    /// Creates a version in the registry and returns its id and its name.
    async fn version(&self, visibility: &str) -> (String, String) {
        let name = match visibility {
            "private" => self.fresh(),
            _ => self.fresh().replace(CANARY, "known"),
        };
        if visibility != "private" {
            // The owner is reported, too.
            let home = format!("/v1/organisations/{}", self.home);
            self.app.owner.patch(&home, &json!({"name": "Acme"})).await.ok(200);
        }
        let body = json!({"name": name, "version": "1.0.0", "visibility": visibility});
        let made = self.app.owner.post("/v1/admin/integrations", &body).await.ok(200);
        (made["integration"]["id"].as_str().unwrap().to_owned(), name)
    }

    /// Returns the id and the name of a version of an interface.
    async fn interface(&self, is_public: bool) -> (String, String) {
        let name = if is_public { self.fresh().replace(CANARY, "known") } else { self.fresh() };
        let body = json!({"name": name, "version": "1.0.0", "public": is_public});
        let made = self.app.owner.post("/v1/admin/interfaces", &body).await.ok(200);
        (made["interface"]["id"].as_str().unwrap().to_owned(), name)
    }

    async fn key(&self) -> String {
        let body = json!({"integrationId": self.version("private").await.0});
        let made = self.app.owner.post("/v1/admin/integrations/iaks", &body).await.ok(200);
        made["id"].as_str().unwrap().to_owned()
    }

    /// A path with a version, a key or a workspace of ours in it, where it is one of the registry's.
    async fn registry_path(&self, operation: &Operation) -> String {
        let path = operation.path.clone();
        match operation.id.as_str() {
            "deleteRegistryApiKey" => {
                path.replace("{id}", &public_id(PublicId::API_KEY, &self.key().await).unwrap().to_string())
            }
            "deleteIntegrationApiKey" => path.replace("{id}", &self.key().await),
            "listIntegrationApiKeys" => format!("{path}?integrationId={}", self.version("private").await.0),
            "getIntegrationLogs" => {
                let path = path.replace("{id}", &self.version("private").await.0);
                format!("{path}?timeStart=2026-11-18T00:00:00Z")
            }
            "getPublicIntegrationById" => path.replace("{id}", &self.version("public").await.0),
            "getBotIntegrationByName" | "getPublicIntegration" => {
                let visibility = if operation.id == "getPublicIntegration" { "unlisted" } else { "private" };
                path.replace("{name}", &self.version(visibility).await.1).replace("{version}", "latest")
            }
            "getPublicInterfaceById" => path.replace("{id}", &self.interface(true).await.0),
            "getInterfaceByName" | "getPublicInterface" => {
                let name = self.interface(operation.id == "getPublicInterface").await.1;
                path.replace("{name}", &name).replace("{version}", "latest")
            }
            "getRegistryInterface" => {
                let id = public_id(PublicId::INTERFACE, &self.interface(false).await.0).unwrap();
                path.replace("{id}", &id.to_string())
            }
            _ if path.starts_with("/v1/admin/interfaces/{id}") => path.replace("{id}", &self.interface(false).await.0),
            _ if path.starts_with("/v1/admin/workspaces/") => path.replace("{id}", &self.home),
            _ if path.starts_with("/v1/admin/integrations/{id}") => {
                path.replace("{id}", &self.version("private").await.0)
            }
            _ => path,
        }
    }

    /// Returns the body of a request for a route to our destination.
    fn destination(&self) -> Value {
        json!({"kind": "webhook", "url": format!("{}/{}", self.integration.base(), self.fresh())})
    }

    async fn route(&self) -> Value {
        json!({"name": self.fresh(), "types": ["order.*"], "destinationId": self.delivery().await.1})
    }

    /// Returns a workflow's id; for a PUT, one that does not exist yet.
    async fn workflow(&self, operation: &Operation) -> String {
        let id = self.fresh();
        if operation.id != "putWorkflow" {
            let path = format!("/v1/workflows/{id}");
            let put = self.app.owner.request(Method::PUT, &path).json(&json!({"name": CANARY, "summary": "S"}));
            self.app.owner.send(put).await.ok(200);
        }
        id
    }

    /// Returns a linked installation, and the id of a delivery from it.
    async fn linked(&self) -> &(i64, String) {
        let made = self.github.get_or_init(async || {
            let id = self.app.github.link(&self.app.owner, "acme", "acme").await;
            let order = json!({"event": "push", "installation": id, "repository": "web", "title": CANARY});
            let sent = self.app.github.send(order).await;
            assert_eq!(sent["status"], 202, "{sent}");
            (id, sent["deliveryId"].as_str().unwrap().to_owned())
        });
        let made = made.await;
        // A caller admitted before may have unlinked it; the owner's proof is fresh.
        let again = json!({"ref": made.0, "team": "acme"});
        let answer = self.app.owner.post("/api/v2/integration/github/link", &again).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        made
    }

    /// Fills a path with an app, a channel and a setting of ours, where it has parameters for them.
    async fn telex_path(&self, operation: &Operation, mut path: String) -> String {
        if path.starts_with("/slack/organisations") {
            // There is a connection to read; a token can be exchanged only without one.
            self.connected().await;
            if operation.id == "exchangeSlackToken" {
                self.app.owner.delete("/v1/slack-integrations").await.ok(200);
            }
        }
        for organisation in ["{organisationId}", "{organisation_id}", "{org_id}"] {
            path = path.replace(organisation, "acme");
        }
        let owner = &self.app.owner;
        let name = ["{integrationId}", "{integration_id}", "{appId}"].into_iter().find(|name| path.contains(name));
        let Some(name) = name else { return path };
        let integration = self.integration(path.contains("/custom/")).await;
        path = path.replace(name, &integration);
        let settings = format!("/organisations/acme/integrations/{integration}/settings");
        let setting = json!({"form_field_label": "label", "form_field_value": CANARY});
        owner.post(&settings, &setting).await.ok(200);
        if path.contains("{channel_id}") {
            path = path.replace("{channel_id}", &self.create("/v1/channels", json!({"name": self.fresh()})).await);
            let settings = path.replace("/{setting_id}", "");
            owner.post(&settings, &setting).await.ok(200);
            let id = owner.get(&settings).await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
            path = path.replace("{setting_id}", &id);
        }
        if ["deleteChannelApp", "getChannelApp"].contains(&operation.id.as_str()) {
            let put = owner.request(Method::PUT, &path).json(&json!({"active": true}));
            owner.send(put).await.ok(200);
        }
        path
    }

    /// Installs a version with an action, and returns the app's id.
    async fn callable(&self) -> String {
        self.integration.reply(Reply::Json(json!({"output": {}})));
        let (url, schema) = (format!("{}/action", self.integration.base()), json!({"schema": {}}));
        let actions = json!({"send": {"input": schema, "output": schema}});
        let body = json!({"name": self.fresh(), "version": "1.0.0", "url": url, "actions": actions});
        let made = self.app.owner.post("/v1/admin/integrations", &body).await.ok(200);
        let id = uuid_of(made["integration"]["id"].as_str().unwrap());
        self.create("/v1/apps", json!({"registryVersion": {"id": id}})).await
    }

    /// Installs an app and returns its id.
    async fn integration(&self, custom: bool) -> String {
        let (owner, all) = (&self.app.owner, "/organisations/acme/integrations");
        if !custom {
            let new = json!({"name": self.fresh(), "json_url": self.integration.json_url()});
            return owner.post(all, &new).await.ok(201)["data"]["id"].as_str().unwrap().to_owned();
        }
        owner.post(&format!("{all}/custom"), &json!({"json_url": self.integration.json_url()})).await.ok(201);
        let found = owner.get(&format!("{all}/custom")).await.ok(200);
        let newest = found["data"].as_array().unwrap().iter().max_by_key(|one| one["id"].to_string());
        newest.unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn body(&self, operation: &str, caller: &Client) -> Option<Value> {
        Some(match operation {
            "linkGithubInstallation" | "unlinkGithubInstallation" => {
                json!({"ref": self.linked().await.0.to_string(), "team": "acme"})
            }
            "createRoute" => self.route().await,
            "updateRoute" => json!({"name": self.fresh()}),
            "testRoute" => json!({"route": self.route().await}),
            "createConnection" => json!({"provider": "slack"}),
            "updateConnection" => json!({"paused": false}),
            "createDestination" => self.destination(),
            "putRetrySchedule" => json!({"retrySchedule": [60]}),
            "putFrameAncestors" => json!({"origins": ["https://app.example.com"]}),
            "createPortalSession" => json!({}),
            "updateDestination" => json!({"retrySchedule": [60]}),
            "putWorkflow" => json!({"name": self.fresh(), "summary": "S"}),
            "createIntegration" => json!({"name": self.fresh(), "json_url": self.integration.json_url()}),
            "updateIntegration" => json!({"name": self.fresh()}),
            "createCustomIntegration" | "updateCustomIntegration" => json!({"json_url": self.integration.json_url()}),
            "addIntegrationSetting" | "addChannelSetting" => {
                json!({"form_field_label": self.fresh(), "form_field_value": CANARY})
            }
            "updateIntegrationSetting" | "updateChannelSetting" => {
                json!({"form_field_label": "label", "form_field_value": CANARY})
            }
            "putCustomSetting" => json!({"setting_entry": {"field_name": "label", "value": CANARY}}),
            "validateIntegrationCreation"
            | "createBotIntegration"
            | "createInterface"
            | "createRegistryVersion"
            | "validateRegistryVersion" => {
                json!({"name": self.fresh().replace(CANARY, "made"), "version": "1.0.0"})
            }
            "createApp" => {
                let body = json!({"name": self.fresh(), "version": "1.0.0", "url": "https://teams.example/"});
                let made = self.app.owner.post("/v1/admin/integrations", &body).await.ok(200);
                json!({"registryVersion": {"id": uuid_of(made["integration"]["id"].as_str().unwrap())}})
            }
            "updateBotIntegration"
            | "updateInterface"
            | "validateIntegrationUpdate"
            | "updateRegistryVersion"
            | "validateRegistryVersionUpdate" => json!({"title": self.fresh()}),
            "requestIntegrationVerification" | "createIntegrationApiKey" => {
                json!({"integrationId": self.version("private").await.0})
            }
            "createRegistryApiKey" => json!({"note": self.fresh()}),
            "updateWorkspace" => json!({"name": self.fresh()}),
            "checkHandleAvailability" => json!({"handle": "some-handle"}),
            "lintDescriptor" => json!({"document": {"data": {}}}),
            "updateApp" => json!({"name": self.fresh()}),
            "callAppAction" => json!({"input": {}}),
            "putAppSettings" => json!({"settings": {"label": CANARY}}),
            "putChannelApp" => json!({"active": false}),
            "exchangeSlackToken" => {
                let url = self.app.owner.get("/v1/slack-integrations/oauth-url").await.ok(200);
                json!({"oauth_code": self.app.slack.allow(url["oauthUrl"].as_str().unwrap(), "T0STANDIN").await.0})
            }
            "createOrganisation" => json!({"slug": self.fresh()}),
            "updateOrganisation" | "createToken" => json!({"name": self.fresh()}),
            "createChannel" | "updateChannel" => json!({"name": self.fresh()}),
            "addMember" => json!({"username": self.fresh()}),
            "updateMember" => json!({"email": format!("{}@example.org", self.fresh())}),
            "sendEvent" => {
                let channel = self.create("/v1/channels", json!({"name": self.fresh()})).await;
                json!({"type": CANARY, "channelId": channel})
            }
            "createPublicChannel" | "createPrivateGroup" => json!({"name": self.fresh()}),
            "renamePublicChannel" | "renamePrivateGroup" => {
                json!({"roomId": self.room(operation.contains("PrivateGroup")).await, "name": self.fresh()})
            }
            "inviteToPublicChannel" | "inviteToPrivateGroup" | "kickFromPublicChannel" | "kickFromPrivateGroup" => {
                let user = self.member().await;
                json!({"roomId": self.room(operation.contains("PrivateGroup")).await, "userId": user})
            }
            "archivePublicChannel"
            | "archivePrivateGroup"
            | "unarchivePublicChannel"
            | "unarchivePrivateGroup"
            | "deletePublicChannel"
            | "deletePrivateGroup" => {
                json!({"roomId": self.room(operation.contains("PrivateGroup")).await})
            }
            "postChatMessage" => {
                json!({"text": CANARY, "roomId": self.create("/v1/channels", json!({"name": self.fresh()})).await})
            }
            "sendEventBatch" => {
                let channel = self.create("/v1/channels", json!({"name": self.fresh()})).await;
                json!({"events": [{"type": CANARY, "channelId": channel}]})
            }
            "replayFailedDeliveries" => json!({"destinationId": self.delivery().await.1}),
            "updateSlackIntegration" => json!({"slackChannelName": self.fresh()}),
            "completeSlackOAuth" => {
                let url = caller.get("/v1/slack-integrations/oauth-url").await.ok(200);
                let (code, state) = self.app.slack.allow(url["oauthUrl"].as_str().unwrap(), "T0STANDIN").await;
                json!({"code": code, "state": state})
            }
            _ => return None,
        })
    }

    /// Asserts the refusal of a caller, with its status.
    #[track_caller]
    fn demand(operation: &Operation, who: &str, answer: &Answer, status: u16) {
        assert_eq!(answer.status, status, "{} by {who}: {}", operation.id, answer.text);
    }

    /// Asserts that no refused caller changes anything: after all of them, the requested thing still works for the
    /// owner.
    async fn refuse_the_others(&self, operation: &Operation, case: &Case, unknown: &[(&str, Client)]) {
        let owner = &self.app.owner;
        let ask = self.ask(operation, owner).await;
        for (who, caller) in unknown {
            Self::demand(operation, who, &ask.by(caller).await, 401);
        }
        if operation.names_organisation {
            let named = ask.naming(&self.outsider, Some(&self.home)).await;
            Self::demand(operation, "an outsider that names our organisation", &named, 401);
        }
        self.refuse_the_outsider(operation, case, &ask).await;

        for (role, username) in [(Member, "bob"), (Admin, "ada")] {
            if role < case.role {
                let caller = self.app.caller("acme", username, role).await;
                Self::demand(operation, username, &ask.by(&caller).await, 403);
            }
        }
        let scopes = || Permission::ALL.map(Permission::as_str).into_iter();
        let others = scopes().filter(|scope| !case.needs.contains(scope));
        Self::demand(operation, "a token of other scopes", &ask.by(&self.narrow(others).await).await, 403);
        for need in case.needs {
            let caller = self.narrow(scopes().filter(|scope| scope != need)).await;
            Self::demand(operation, &format!("a token without {need}"), &ask.by(&caller).await, 403);
        }
        self.admit(operation, "the owner", owner, &ask).await;
    }

    async fn refuse_the_outsider(&self, operation: &Operation, case: &Case, ask: &Ask) {
        let other;
        let theirs = if case.outsider < 300 {
            // It is carried out for the caller's own organisation: with a request of their own, so that it does not
            // disturb ours.
            other = self.ask(operation, &self.app.owner).await.of_their_own();
            &other
        } else {
            ask
        };
        let answer = theirs.by(&self.outsider).await;
        Self::demand(operation, "a stranger", &answer, case.outsider);
        let mut reported = theirs.without_echo(&answer);
        if operation.id == "listEvents" {
            // Their own effects, by requests like ours, are theirs.
            let mut events: Value = serde_json::from_str(&reported).unwrap();
            events["data"].as_array_mut().unwrap().retain(|event| event["data"]["user"]["username"] != "otto");
            reported = events.to_string();
        }
        assert!(
            !reported.contains(CANARY) && !reported.contains(&self.home),
            "{} shows ours: {reported}",
            operation.id
        );
        let nothing = ask.of_nothing();
        if case.outsider == 404 && nothing.path != ask.path {
            let unknown = nothing.by(&self.outsider).await;
            assert_eq!(
                reported,
                nothing.without_echo(&unknown),
                "{}: ours is reported like an unknown one",
                operation.id
            );
        }
        if operation.path.contains("{user_id}") && operation.path.starts_with("/v1/organisations") {
            let mixed = ask.path.replace(&self.home, &self.strangers_home);
            let mixed = Ask { method: ask.method.clone(), path: mixed, body: ask.body.clone() };
            Self::demand(operation, "an outsider for our user", &mixed.by(&self.outsider).await, 404);
        }
    }

    async fn admit(&self, operation: &Operation, who: &str, caller: &Client, ask: &Ask) {
        let answer = ask.by(caller).await;
        let done = answer.status.is_success() || answer.status == 302;
        assert!(done, "{} by {who}: {} {}", operation.id, answer.status, answer.text);
        assert!(operation.statuses.contains(&answer.status.as_u16()), "{}: {}", operation.id, answer.status);
    }

    async fn admit_the_others(&self, operation: &Operation, case: &Case) {
        let mut callers = vec![("a token of just these scopes", self.narrow(case.needs.iter().copied()).await)];
        for (role, username) in [(Member, "bob"), (Admin, "ada"), (Owner, "omar")] {
            if role >= case.role {
                callers.push((username, self.app.caller("acme", username, role).await));
            }
        }
        for (who, caller) in callers {
            let ask = self.ask(operation, &caller).await;
            self.admit(operation, who, &caller, &ask).await;
        }
    }
}

both! {
    async fn each_operation_takes_those_who_may_and_no_others(app) {
        let world = World::new(&app).await;
        let made = app.owner.post("/v1/tokens", &json!({"name": "lost"})).await.ok(201);
        app.owner.delete(&format!("/v1/tokens/{}", made["token"]["id"].as_str().unwrap())).await.ok(204);
        let unknown = [
            ("nobody", app.anon.clone()),
            ("garbage", app.anon.with_token("garbage")),
            ("a revoked token", app.anon.with_token(made["secret"].as_str().unwrap())),
            ("an operator", app.operator().await),
        ];
        for operation in operations() {
            let Some(case) = CASES.iter().find(|case| case.operation == operation.id) else { continue };
            world.refuse_the_others(&operation, case, &unknown).await;
            world.admit_the_others(&operation, case).await;
        }
    }

    async fn an_open_operation_needs_nobody(app) {
        let open = |operation: &&Operation| OPEN.iter().any(|(id, _)| *id == operation.id);
        for operation in operations().iter().filter(open) {
            let garbage = app.anon.with_token("garbage");
            for (caller, is_good) in [(&app.anon, true), (&garbage, !operation.optional), (&app.owner, true)] {
                let answer = caller.send(caller.request(operation.method.clone(), &operation.path)).await;
                // The template itself is not a valid address of an operation that is authorised by its address.
                let good = if operation.path.contains('{') { &[404][..] } else { &[200, 400] };
                let expected: &[u16] = if is_good { good } else { &[401] };
                assert!(expected.contains(&answer.status.as_u16()), "{}: {}", operation.id, answer.text);
            }
        }
    }

    async fn an_address_without_its_token_is_nothing(app) {
        let addressed = |operation: &&Operation| ADDRESSED.contains(&operation.id.as_str());
        for operation in operations().iter().filter(addressed) {
            let path = operation.path.replace("{integrationId}", NOTHING);
            for caller in [&app.anon, &app.anon.with_token("garbage"), &app.owner] {
                let body = json!({"event": "x", "name": "x", "target_url": "x"});
                let answer = caller.send(caller.request(operation.method.clone(), &path).json(&body)).await;
                assert_eq!(answer.status, 404, "{}: {}", operation.id, answer.text);
            }
        }
    }

    async fn a_key_is_not_replaced_by_a_token(app) {
        for operation in operations().iter().filter(|operation| KEY_HOLDERS.contains(&operation.id.as_str())) {
            for caller in [&app.anon, &app.anon.with_token("garbage"), &app.anon.with_token("bp_iak_garbage"), &app.owner] {
                let body = json!({"type": "happened", "payload": {}});
                let answer = caller.send(caller.request(operation.method.clone(), &operation.path).json(&body)).await;
                assert_eq!(answer.status, 401, "{}: {}", operation.id, answer.text);
            }
        }
    }

    async fn an_operation_for_operators_takes_no_member(app) {
        let operator = app.operator().await;
        for operation in operations().iter().filter(|operation| OPERATORS.contains(&operation.id.as_str())) {
            let path = operation.path.replace("{id}", NOTHING);
            let done: &[u16] = if path == operation.path { &[200] } else { &[404] };
            for (caller, expected) in
                [(&app.anon, &[401][..]), (&app.anon.with_token("garbage"), &[401]), (&app.owner, &[403]), (&operator, done)]
            {
                let request = caller.request(operation.method.clone(), &path);
                let request = if operation.method == Method::GET { request } else { request.json(&json!({})) };
                let answer = caller.send(request).await;
                assert!(expected.contains(&answer.status.as_u16()), "{}: {} {}", operation.id, answer.status, answer.text);
            }
            assert!(!operation.names_organisation, "{}", operation.id);
        }
    }

    async fn a_personal_token_is_no_subject(app) {
        let subjects = |operation: &&Operation| SUBJECTS.contains(&operation.id.as_str());
        for operation in operations().iter().filter(subjects) {
            let path = operation.path.replace("{id}", NOTHING);
            for caller in [&app.anon, &app.anon.with_token("garbage"), &app.owner] {
                let answer = caller.send(caller.request(operation.method.clone(), &path)).await;
                assert_eq!(answer.status, 401, "{}: {}", operation.id, answer.text);
            }
        }
    }

    async fn a_signed_operation_takes_no_token_in_its_place(app) {
        for (id, headers) in SIGNED {
            let operation = operations().into_iter().find(|operation| operation.id == *id).unwrap();
            for caller in [&app.anon, &app.anon.with_token("garbage"), &app.owner] {
                let ask = || caller.request(operation.method.clone(), &operation.path).json(&json!({"challenge": "c"}));
                let mut requests = vec![ask()];
                for value in ["", "0", "v0=", "sha256=", "v0=00", "nonsense", "\u{e4}"] {
                    requests.push(headers.iter().fold(ask(), |request, name| request.header(*name, value)));
                }
                for request in requests {
                    // Some accept forms only, and report that first where there is a signature to be checked.
                    let answer = caller.send(request).await;
                    assert!([401, 415].contains(&answer.status.as_u16()), "{id}: {}", answer.text);
                    assert!(answer.status == 401 || id.starts_with("receiveSlack"), "{id}: {}", answer.text);
                }
            }
        }
    }

    async fn nothing_of_ours_is_explained_to_an_outsider(app) {
        let world = World::new(&app).await;
        let ours = (world.delivery().await.1, world.create("/v1/events", json!({"type": CANARY})).await);
        let to = json!({"kind": "webhook", "url": "https://hooks.example/theirs"});
        let theirs = world.outsider.post("/v1/destinations", &to).await.ok(201)["id"].as_str().unwrap().to_owned();
        let event = world.outsider.post("/v1/events", &json!({"type": "a"})).await.ok(202)["id"].clone();
        let event = event.as_str().unwrap();
        let ask = async |destination: &str, event: &str| {
            let route = json!({"types": ["*"], "destinationId": destination});
            world.outsider.post("/v1/routes/test", &json!({"route": route, "eventId": event})).await
        };
        ask(&theirs, event).await.ok(200);
        for (destination, event) in [(&theirs, ours.1.as_str()), (&ours.0, event), (&ours.0, &ours.1)] {
            let answer = ask(destination, event).await;
            answer.problem(404, "not_found");
            assert!(!answer.text.contains(CANARY), "{}", answer.text);
        }
    }
}
