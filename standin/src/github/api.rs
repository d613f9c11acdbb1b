//! The REST API: parses a request, authenticates the caller, applies faults, runs the route and logs the call. It is
//! served twice, as an Enterprise Server has it and as github.com has it.
//!
//! The routes are plain, non-blocking functions from a [`Call`] to an `Outcome`, one file a family.

mod answer;
mod app;
mod fault;
mod installation;
mod oauth;
mod user;

use std::collections::BTreeSet;
use std::sync::Arc;

use poem::http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use poem::http::{HeaderMap, StatusCode};
use poem::{Endpoint, Request, Response};
use serde_json::Value;

use super::accounts::Account;
use super::grants::Holder;
use super::shapes::Shapes;
use super::{App, GitHub, State, jwt};
use crate::calls;
use crate::params::Params;
use crate::world::World;
use answer::{Answer, Outcome, Refusal};

/// Base path of the API as an Enterprise Server has it.
pub(crate) const ENTERPRISE: &str = "/github/api/v3";
/// Base path of the API as github.com has it: at a root without a version.
pub(crate) const DOT_COM: &str = "/github/rest";
const TOKENS: &str = "/github/login/oauth/access_token";

/// The authenticated caller, or its refusal.
enum Caller {
    Nobody,
    /// The app, by a token signed with its key.
    App,
    /// A user or an installation, by an issued token.
    Holder(Arc<Holder>),
    /// Invalid credentials, with GitHub's answer to them.
    Refused(jwt::Refused),
}

/// One call of a route.
struct Call {
    github: Arc<GitHub>,
    app: Arc<App>,
    /// Part of the address before the route.
    base: String,
    path: String,
    caller: Caller,
    /// The token, for a call that ends it.
    secret: String,
    /// Values of the route's path parameters, in order.
    places: Vec<String>,
    /// Arguments in the address and in a form.
    params: Params,
    /// The body, if it is JSON.
    body: Value,
    /// Requests JSON where the answer could be a form.
    wants_json: bool,
    now: i64,
}

impl Call {
    fn shapes<'a>(&'a self, state: &'a State) -> Shapes<'a> {
        Shapes { state, app: &self.app, web: &self.github.web, api: &self.base }
    }

    fn place(&self, index: usize) -> &str {
        self.places.get(index).map_or("", String::as_str)
    }

    /// Parses the id in the address; anything but a number is not found.
    fn id(&self) -> Result<u64, Refusal> {
        self.place(0).parse().map_err(|_| Refusal::not_found())
    }

    /// Requires the app itself as the caller.
    fn as_app(&self) -> Result<(), Refusal> {
        match &self.caller {
            Caller::App => Ok(()),
            Caller::Refused(refused) => Err(Refusal::new(refused.status, refused.message)),
            Caller::Nobody | Caller::Holder(_) => Err(Refusal::new(401, "A JSON web token could not be decoded")),
        }
    }

    /// Requires a person with a user token.
    fn as_user<'a>(&self, state: &'a State) -> Result<&'a Account, Refusal> {
        match self.holder()? {
            Holder::User(id) => state.directory.account(*id).ok_or_else(Refusal::bad_credentials),
            Holder::Installation { .. } => Err(Refusal::not_accessible()),
        }
    }

    /// Requires an installation: returns its id, and the token's repositories if it is limited to some.
    fn as_installation(&self) -> Result<(u64, Option<&BTreeSet<u64>>), Refusal> {
        match self.holder()? {
            Holder::Installation { id, repositories } => Ok((*id, repositories.as_ref())),
            Holder::User(_) => Err(Refusal::new(
                403,
                "You must authenticate with an installation access token in order to list repositories for an \
                 installation.",
            )),
        }
    }

    fn holder(&self) -> Result<&Holder, Refusal> {
        match &self.caller {
            Caller::Holder(holder) => Ok(holder),
            Caller::Nobody => Err(Refusal::new(401, "Requires authentication")),
            // A signed token is valid for the app's own routes only.
            Caller::App | Caller::Refused(_) => Err(Refusal::bad_credentials()),
        }
    }

    /// Name of the caller for the log: an installation's id or a person's name.
    fn who(&self) -> Option<String> {
        let Caller::Holder(holder) = &self.caller else {
            return None;
        };
        match &**holder {
            Holder::Installation { id, .. } => Some(id.to_string()),
            Holder::User(id) => self.github.state().directory.account(*id).map(|account| account.login.clone()),
        }
    }
}

struct Route {
    method: &'static str,
    path: &'static str,
    run: fn(&Call) -> Outcome,
}

const fn route(method: &'static str, path: &'static str, run: fn(&Call) -> Outcome) -> Route {
    Route { method, path, run }
}

const ROUTES: &[Route] = &[
    route("GET", "/", user::root),
    route("GET", "/app", app::show),
    route("GET", "/app/installations", app::installations),
    route("GET", "/app/installation-requests", app::requests),
    route("GET", "/app/installations/{installation_id}", app::installation),
    route("DELETE", "/app/installations/{installation_id}", app::uninstall),
    route("PUT", "/app/installations/{installation_id}/suspended", app::suspend),
    route("DELETE", "/app/installations/{installation_id}/suspended", app::unsuspend),
    route("POST", "/app/installations/{installation_id}/access_tokens", app::access_token),
    route("GET", "/app/hook/config", app::hook_config),
    route("GET", "/app/hook/deliveries", app::deliveries),
    route("GET", "/app/hook/deliveries/{delivery_id}", app::delivery),
    route("POST", "/app/hook/deliveries/{delivery_id}/attempts", app::redeliver),
    route("GET", "/orgs/{org}/installation", app::installation_of_account),
    route("GET", "/users/{username}/installation", app::installation_of_account),
    route("GET", "/repos/{owner}/{repo}/installation", app::installation_of_repository),
    route("GET", "/installation/repositories", installation::repositories),
    route("DELETE", "/installation/token", installation::revoke_token),
    route("GET", "/repos/{owner}/{repo}", installation::repository),
    route("GET", "/rate_limit", user::rate_limit),
    route("GET", "/user", user::show),
    route("GET", "/user/installations", user::installations),
    route("GET", "/user/installations/{installation_id}/repositories", user::repositories),
    route("GET", "/user/memberships/orgs/{org}", user::membership),
    route("GET", "/user/orgs", user::organizations),
    route("GET", "/users/{username}", user::profile),
    route("GET", "/orgs/{org}", user::organization),
];

/// The only endpoint outside the API that a program calls.
const TOKEN_ROUTE: Route = route("POST", "/login/oauth/access_token", oauth::access_token);

/// Endpoint of all routes.
pub(crate) struct Api(pub(crate) Arc<World>);

impl Endpoint for Api {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let body = request.take_body().into_bytes().await?;
        let path = request.uri().path().to_owned();
        let (base, rest) = split(&path);
        let found = find(request.method().as_str(), base, rest);
        // Faults and the log name patterns, not paths.
        let (name, run, places) = match &found {
            Some((route, places)) => (format!("{} {}", route.method, route.path), Some(route.run), places.clone()),
            None => (format!("{} {rest}", request.method()), None, Vec::new()),
        };
        let call = self.take_apart(&request, (base, rest), places, &body);
        Ok(self.answer(&request, &name, run, call).await)
    }
}

impl Api {
    fn take_apart(&self, request: &Request, (base, path): (&str, &str), places: Vec<String>, body: &[u8]) -> Call {
        let github = self.0.github();
        let headers = request.headers();
        let (app, now) = (github.app(), github.clock.now_secs());
        let content_type = header(headers, CONTENT_TYPE.as_str());
        let query = request.uri().query().unwrap_or_default();
        let form = if base == TOKENS { content_type } else { "" };
        let form_body = if base == TOKENS { body } else { &[] };
        let secret = secret_in(header(headers, AUTHORIZATION.as_str()));
        Call {
            caller: caller(&github, &app, secret, now),
            base: format!("{}{base}", self.0.origin()),
            path: path.to_owned(),
            secret: secret.unwrap_or_default().to_owned(),
            places,
            params: Params::parse(query, form, form_body).unwrap_or_default(),
            body: serde_json::from_slice(body).unwrap_or(Value::Null),
            wants_json: header(headers, "accept").contains("json"),
            github,
            app,
            now,
        }
    }

    async fn answer(&self, request: &Request, name: &str, run: Option<fn(&Call) -> Outcome>, call: Call) -> Response {
        let world = &self.0;
        let mut entry = log_entry(&call, name);
        let fault = world.github_faults.take(name, entry.team.as_deref(), entry.channel.as_deref());
        let dialect = fault::Dialect { oauth: run.is_some() && name.ends_with("access_token"), now: call.now };
        if let Some(fault) = &fault {
            fault.delay().await;
            if fault.replaces_answer() {
                // Logged first, because some faults never end.
                world.calls.push(calls::Call {
                    status: if fault.is_silent() { 0 } else { dialect.status(fault).as_u16() },
                    error: fault.error.clone(),
                    fault: true,
                    ..entry
                });
                if fault.drops_before() {
                    world.connections.break_off(request.remote_addr());
                }
                return fault.answer(|fault| dialect.say(fault)).await;
            }
        }
        let outcome = if header(request.headers(), USER_AGENT.as_str()).is_empty() && !dialect.oauth {
            Err(Refusal::no_user_agent())
        } else {
            run.map_or_else(|| Err(Refusal::not_found()), |run| run(&call))
        };
        let answer = outcome.unwrap_or_else(Answer::from);
        entry.status = answer.status.as_u16();
        entry.error.clone_from(&answer.error);
        if fault.is_some_and(|fault| fault.drops_after()) {
            world.connections.break_off(request.remote_addr());
            entry.status = 0;
            entry.fault = true;
        }
        world.calls.push(entry);
        answer.into_response(&call, request.headers())
    }
}

/// Returns the log entry of this call.
fn log_entry(call: &Call, name: &str) -> calls::Call {
    let (_, path) = name.split_once(' ').unwrap_or_default();
    let about = match call.places.as_slice() {
        [owner, repo] => Some(format!("{owner}/{repo}")),
        [one] => Some(one.clone()),
        _ => None,
    };
    calls::Call {
        method: name.to_owned(),
        team: call.who().or_else(|| about.clone().filter(|_| path.starts_with("/app/installations/"))),
        channel: about,
        at: call.github.clock.now_micros(),
        status: StatusCode::OK.as_u16(),
        error: None,
        fault: false,
    }
}

/// Splits an address into its base and the route.
fn split(path: &str) -> (&str, &str) {
    for base in [ENTERPRISE, DOT_COM] {
        if let Some(rest) = path.strip_prefix(base) {
            return (base, if rest.is_empty() { "/" } else { rest });
        }
    }
    (TOKENS, path)
}

fn find(method: &str, base: &str, path: &str) -> Option<(&'static Route, Vec<String>)> {
    if base == TOKENS {
        return (method == TOKEN_ROUTE.method).then(|| (&TOKEN_ROUTE, Vec::new()));
    }
    let fits = |route: &&Route| route.method == method;
    ROUTES.iter().filter(fits).find_map(|route| Some((route, places(route.path, path)?)))
}

/// Matches a path against a pattern and returns the values of its parameters.
fn places(pattern: &str, path: &str) -> Option<Vec<String>> {
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    let mut found = Vec::new();
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(found),
            (Some(place), Some(word)) if place.starts_with('{') && !word.is_empty() => found.push(word.to_owned()),
            (Some(place), Some(word)) if place == word => {}
            _ => return None,
        }
    }
}

fn caller(github: &GitHub, app: &App, secret: Option<&str>, now: i64) -> Caller {
    let Some(secret) = secret else {
        return Caller::Nobody;
    };
    if let Some(holder) = github.grants.holder(secret, now) {
        return Caller::Holder(holder);
    }
    if ["ghu_", "ghs_", "ghr_"].iter().any(|prefix| secret.starts_with(prefix)) {
        return Caller::Refused(jwt::Refused { status: 401, message: "Bad credentials" });
    }
    match jwt::verify(secret, app, &github.key, now) {
        Ok(()) => Caller::App,
        Err(refused) => Caller::Refused(refused),
    }
}

/// Extracts the token from a header: GitHub accepts either scheme before it.
fn secret_in(authorization: &str) -> Option<&str> {
    let (scheme, secret) = authorization.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")).then(|| secret.trim())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn a_pattern_fits_whole_paths_only() {
        let none: Vec<String> = Vec::new();
        assert_eq!(places("/app", "/app"), Some(none.clone()));
        assert_eq!(places("/app", "/app/"), Some(none));
        assert_eq!(places("/a/{b}/c", "/a/1/c"), Some(vec!["1".to_owned()]));
        for path in ["/a/1", "/a/1/c/d", "/a//c", "/", ""] {
            assert_eq!(places("/a/{b}/c", path), None, "{path}");
        }
    }
}
