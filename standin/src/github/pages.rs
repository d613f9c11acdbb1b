//! GitHub's pages for a browser, and the routing of everything under `/github`.
//!
//! - here: the frame, and a page for addresses without one of their own.
//! - `overview`: accounts, installations and deliveries, and a form that sends an event.
//! - `install`: choosing an account and repositories. `settings`: changing an installation.

mod install;
mod overview;
mod settings;

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Path;
use poem::{Response, Route, get, handler, post};

use super::api::{Api, DOT_COM, ENTERPRISE};
use super::oauth;
use crate::page::{Page, Site, escape};
use crate::world::World;

/// Adds everything under `/github`.
pub(crate) fn routes(mut all: Route, world: &Arc<World>) -> Route {
    for base in [ENTERPRISE, DOT_COM] {
        all = all.at(base, Api(Arc::clone(world))).at(format!("{base}/*path"), Api(Arc::clone(world)));
    }
    // As github.com and as an Enterprise Server write them.
    for kind in ["apps", "github-apps"] {
        let app = format!("/github/{kind}/:slug");
        all = all
            .at(&app, get(install::show_app))
            .at(format!("{app}/installations/new"), get(install::show_targets))
            .at(format!("{app}/installations/select_target"), get(install::show_targets))
            .at(format!("{app}/installations/new/permissions"), get(install::show_choice).post(install::take_choice));
    }
    all.at("/github", get(overview::show))
        .at("/github/login/oauth/authorize", get(oauth::show_consent).post(oauth::take_consent))
        .at("/github/login/oauth/access_token", Api(Arc::clone(world)))
        .at("/github/settings/installations/:id", get(settings::show_own).post(settings::change_own))
        .at(
            "/github/organizations/:org/settings/installations/:id",
            get(settings::show_organizations).post(settings::change_organizations),
        )
        .at("/github/-/send", post(overview::send))
        .at("/github/-/deliveries/:guid", get(overview::show_delivery))
        .at("/github/-/deliveries/:guid/redeliver", post(overview::send_again))
        .at("/github/*path", get(show_absent))
}

/// A page of this site.
pub(super) fn frame(title: &str, body: String) -> Page {
    Page::new(title, body).on(Site::GitHub)
}

fn not_found(what: &str) -> Response {
    let body = format!("<h1>Not found</h1><p>{}</p>", escape(what));
    frame("Not found", body).status(StatusCode::NOT_FOUND).into_response()
}

/// A button that posts a form.
fn button(action: &str, label: &str, class: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{}\"><button class=\"{class}\">{}</button></form>",
        escape(action),
        escape(label),
    )
}

/// `GET /github/{anything else}`: target of the links in webhooks.
#[handler]
fn show_absent(Path(path): Path<String>) -> Response {
    let body = format!(
        "<h1>{}</h1><p>The stand-in keeps no code, issues or pull requests; at GitHub this page would be there.</p>",
        escape(&path)
    );
    frame(&path, body).into_response()
}
