//! The authorization page: validation of a request, and the result of the user's choice. The exchange of the resulting
//! code is in `api::oauth`.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Data;
use poem::{Request, Response, handler};
use url::Url;

use super::GitHub;
use super::grants::Consent;
use super::pages::frame;
use crate::page::{escape, see_other};
use crate::params::Params;
use crate::world::World;

/// A rejected request: an error code, and a sentence for the developer who set the app up.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) word: &'static str,
    text: String,
}

fn problem<T>(word: &'static str, text: impl Into<String>) -> Result<T, Problem> {
    Err(Problem { word, text: text.into() })
}

/// A validated request for authorization.
pub(crate) struct Ask {
    redirect_uri: String,
    target: Url,
    state: Option<String>,
    challenge: Option<String>,
    /// Name of the expected user.
    login: Option<String>,
}

impl Ask {
    /// Validates a request as GitHub does before it shows a page.
    pub(crate) fn read(github: &GitHub, params: &Params) -> Result<Self, Problem> {
        let app = github.app();
        let client_id = params.text("client_id").unwrap_or_default();
        if client_id != app.client_id {
            return problem("invalid_client_id", format!("No app has the client id “{client_id}”."));
        }
        let Some(redirect_uri) = params.text("redirect_uri").or(app.callback_urls.first().map(String::as_str)) else {
            return problem("redirect_uri_mismatch", "redirect_uri is missing and the app has no callback address.");
        };
        if !app.may_redirect_to(redirect_uri) {
            let text = format!("The redirect_uri “{redirect_uri}” is not associated with this application.");
            return problem("redirect_uri_mismatch", text);
        }
        let Ok(target) = Url::parse(redirect_uri) else {
            return problem("redirect_uri_mismatch", format!("“{redirect_uri}” is not an address."));
        };
        let challenge = params.text("code_challenge").map(str::to_owned);
        if challenge.is_some() && params.text("code_challenge_method") != Some("S256") {
            return problem("invalid_code_challenge_method", "code_challenge_method must be S256.");
        }
        Ok(Self {
            redirect_uri: redirect_uri.to_owned(),
            target,
            state: params.text("state").map(str::to_owned),
            challenge,
            login: params.text("login").map(str::to_owned),
        })
    }

    /// Accepts: the code, and the browser's next address.
    pub(crate) fn allow(self, github: &GitHub, login: &str) -> Result<(String, String), Problem> {
        let user = github.state().directory.user(login).map(|user| user.id);
        let Some(user) = user else {
            return problem("user_not_found", format!("There is nobody called “{login}”."));
        };
        let consent = Consent { user, redirect_uri: Some(self.redirect_uri), challenge: self.challenge };
        let code = github.grants.consent(consent, github.clock.now_secs());
        let location = back(self.target, &[("code", &code)], self.state.as_deref());
        Ok((code, location))
    }

    /// Declines: the browser's next address.
    fn decline(self) -> String {
        let refusal = [
            ("error", "access_denied"),
            ("error_description", "The user has denied your application access."),
            (
                "error_uri",
                "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/",
            ),
        ];
        back(self.target, &refusal, self.state.as_deref())
    }
}

fn back(mut target: Url, result: &[(&str, &str)], state: Option<&str>) -> String {
    target.query_pairs_mut().extend_pairs(result).extend_pairs(state.map(|state| ("state", state)));
    target.into()
}

/// `GET /github/login/oauth/authorize`: the page.
#[handler]
pub(crate) fn show_consent(request: &Request, Data(world): Data<&Arc<World>>) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let github = world.github();
    let ask = match Ask::read(&github, &Params::form(query.as_bytes())) {
        Ok(ask) => ask,
        Err(problem) => return refuse(&problem),
    };
    let people: String = github
        .state()
        .directory
        .users()
        .map(|user| {
            let selected = if ask.login.as_ref() == Some(&user.login) { " selected" } else { "" };
            format!("<option{selected}>{}</option>", escape(&user.login))
        })
        .collect();
    let app = github.app();
    let body = format!(
        "<div class=\"card\"><h1>Authorize {name}</h1>\
         <p class=\"soft\">{name} would like to verify who you are, know which resources you can access, and act on your \
         behalf. You will be sent back to {target}</p>\
         <form method=\"post\" action=\"/github/login/oauth/authorize?{query}\">\
         <label for=\"who\">Continue as</label><select id=\"who\" name=\"who\">{people}</select>\
         <div class=\"choice\"><button name=\"decision\" value=\"cancel\">Cancel</button>\
         <button class=\"primary\" name=\"decision\" value=\"authorize\">Authorize {name}</button></div></form></div>",
        name = escape(&app.name),
        target = escape(&ask.target.origin().ascii_serialization()),
        query = escape(query),
    );
    frame(&format!("Authorize {}", app.name), body).into_response()
}

/// `POST /github/login/oauth/authorize`: the pressed button. The request is in the address, as before.
#[handler]
pub(crate) fn take_consent(request: &Request, body: Vec<u8>, Data(world): Data<&Arc<World>>) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let github = world.github();
    let pressed = Params::form(&body);
    let outcome = Ask::read(&github, &Params::form(query.as_bytes())).and_then(|ask| {
        if pressed.text("decision") != Some("authorize") {
            return Ok(ask.decline());
        }
        ask.allow(&github, pressed.text("who").unwrap_or_default()).map(|(_, location)| location)
    });
    match outcome {
        Ok(location) => see_other(&location),
        Err(problem) => refuse(&problem),
    }
}

fn refuse(problem: &Problem) -> Response {
    let body = format!(
        "<div class=\"card\"><h1>Something is wrong with this request</h1><p>{}</p><p><code>{}</code></p></div>",
        escape(&problem.text),
        escape(problem.word),
    );
    frame("Something is wrong", body).status(StatusCode::BAD_REQUEST).into_response()
}
