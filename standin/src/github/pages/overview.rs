//! Overview: accounts, installations, webhooks sent to the app with their results, and a form that sends more.

use std::sync::Arc;

use poem::web::{Data, Path};
use poem::{Response, handler};

use super::{button, frame, not_found};
use crate::clock::time_of_day;
use crate::github::accounts::Account;
use crate::github::events::Order;
use crate::github::installations::Installation;
use crate::github::sender::Delivery;
use crate::github::{GitHub, State};
use crate::page::{escape, see_other};
use crate::params::Params;
use crate::world::World;

/// Number of accounts, installations and deliveries shown.
const SHOWN: usize = 30;

/// Events that can be sent by a click: an event with its action, and a label.
const SAMPLES: &[(&str, &str)] = &[
    ("push", "Push to a branch"),
    ("pull_request.opened", "Pull request opened"),
    ("pull_request.ready_for_review", "Pull request ready for review"),
    ("pull_request.review_requested", "Review requested"),
    ("pull_request.labeled", "Pull request labeled"),
    ("pull_request.unlabeled", "Pull request unlabeled"),
    ("pull_request.assigned", "Pull request assigned"),
    ("pull_request.synchronize", "Pull request updated"),
    ("pull_request.closed", "Pull request closed"),
    ("pull_request.merged", "Pull request merged"),
    ("pull_request.reopened", "Pull request reopened"),
    ("pull_request_review.approved", "Review: approved"),
    ("pull_request_review.changes_requested", "Review: changes requested"),
    ("pull_request_review.commented", "Review: comment"),
    ("pull_request_review_comment.created", "Comment in a review"),
    ("issues.opened", "Issue opened"),
    ("issues.labeled", "Issue labeled"),
    ("issues.assigned", "Issue assigned"),
    ("issues.closed", "Issue closed"),
    ("issues.reopened", "Issue reopened"),
    ("issue_comment.created", "Comment on an issue"),
    ("release.published", "Release published"),
    ("workflow_run.success", "Workflow succeeded"),
    ("workflow_run.failure", "Workflow failed"),
    ("check_run.failure", "Check failed"),
    ("create", "Branch created"),
    ("delete", "Branch deleted"),
    ("star.created", "Starred"),
    ("member.added", "Collaborator added"),
    ("ping", "Ping"),
];

/// `GET /github`.
#[handler]
pub(super) fn show(Data(world): Data<&Arc<World>>) -> Response {
    let github = world.github();
    let app = github.app();
    let state = github.state();
    let target = app.webhook_url.as_deref().map_or_else(
        || "<span class=\"tag bad\">no webhook address: nothing is sent</span>".to_owned(),
        |url| format!("Webhooks go to <code>{}</code>.", escape(url)),
    );
    let body = format!(
        "<h1>{name}</h1><p class=\"soft\">App {id}, <a href=\"/github/apps/{slug}\">{slug}</a>. {target}</p>\
         <h2>Accounts</h2>{accounts}<h2>Installations</h2>{installations}{requests}\
         <h2>Send an event</h2>{form}<h2>Deliveries</h2>{deliveries}",
        name = escape(&app.name),
        id = app.id,
        slug = escape(&app.slug),
        accounts = accounts(&state),
        installations = installations(&github, &state),
        requests = requests(&state),
        form = if state.installations.count() > 0 { send_form(&state) } else { NO_INSTALLATION.to_owned() },
        deliveries = deliveries(&github.sender.deliveries()),
    );
    frame("GitHub", body).into_response()
}

const NO_INSTALLATION: &str = "<p class=\"soft\">The app has to be installed first.</p>";

fn login(state: &State, id: u64) -> String {
    escape(state.directory.account(id).map_or("", |account| account.login.as_str()))
}

fn accounts(state: &State) -> String {
    let rows = state.directory.accounts().take(SHOWN).map(|account| {
        let members: Vec<String> =
            account.members.iter().map(|(id, role)| format!("{} ({})", login(state, *id), role.word())).collect();
        format!(
            "<tr><td><strong>{}</strong></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&account.login),
            account.kind.word(),
            members.join(", "),
            repositories(state, account),
            state.installations.of_account(account.id).map_or("", |_| "<span class=\"tag on\">installed</span>"),
        )
    });
    format!(
        "<table><tr><th>Name</th><th>Kind</th><th>Members</th><th>Repositories</th><th></th></tr>{}</table>",
        rows.collect::<String>()
    )
}

fn repositories(state: &State, account: &Account) -> String {
    let names: Vec<&str> = state.directory.repositories_of(account.id).map(|it| it.name.as_str()).collect();
    let first = names.iter().take(3).map(|name| escape(name)).collect::<Vec<_>>().join(", ");
    if names.len() > 3 { format!("{first} and {} more", names.len() - 3) } else { first }
}

fn installations(github: &GitHub, state: &State) -> String {
    let rows = state.installations.iter().take(SHOWN).map(|installation| row(state, installation));
    let rows: String = rows.collect();
    if rows.is_empty() {
        return format!(
            "<p>None yet. <a href=\"/github/apps/{}/installations/new\">Install the app</a></p>",
            escape(&github.app().slug)
        );
    }
    format!("<table><tr><th>Id</th><th>Account</th><th>Repositories</th><th></th><th></th></tr>{rows}</table>")
}

fn row(state: &State, installation: &Installation) -> String {
    let account = state.directory.account(installation.account);
    let name = account.map_or("", |account| account.login.as_str());
    let path = if account.is_some_and(Account::is_organization) {
        format!("/github/organizations/{name}/settings/installations/{}", installation.id)
    } else {
        format!("/github/settings/installations/{}", installation.id)
    };
    let administrator = login(state, state.administrator(installation.account));
    format!(
        "<tr><td>{id}</td><td>{name}</td><td>{count} ({selection})</td><td>{suspended}</td>\
         <td><a href=\"{path}?as={administrator}\">Configure</a></td></tr>",
        id = installation.id,
        name = escape(name),
        count = installation.repositories(&state.directory).count(),
        selection = installation.selection.word(),
        suspended = if installation.suspended.is_some() { "<span class=\"tag bad\">suspended</span>" } else { "" },
        path = escape(&path),
    )
}

fn requests(state: &State) -> String {
    let items: String = state
        .installations
        .requests()
        .iter()
        .map(|it| format!("<li>{} asks for it on {}</li>", login(state, it.requester), login(state, it.account)))
        .collect();
    if items.is_empty() { String::new() } else { format!("<h2>Requests</h2><ul>{items}</ul>") }
}

fn send_form(state: &State) -> String {
    let events: String = SAMPLES
        .iter()
        .map(|(event, label)| format!("<option value=\"{}\">{}</option>", escape(event), escape(label)))
        .collect();
    let installations: String = state
        .installations
        .iter()
        .take(SHOWN)
        .map(|it| format!("<option value=\"{}\">{} ({})</option>", it.id, login(state, it.account), it.id))
        .collect();
    let people: String =
        state.directory.users().take(SHOWN).map(|user| format!("<option>{}</option>", escape(&user.login))).collect();
    let field = |name: &str, label: &str, hint: &str| {
        format!(
            "<div><label for=\"{name}\">{label}</label>\
             <input type=\"text\" id=\"{name}\" name=\"{name}\" placeholder=\"{hint}\"></div>"
        )
    };
    format!(
        "<form method=\"post\" action=\"/github/-/send\"><div class=\"grid\">\
         <div><label for=\"what\">Event</label><select id=\"what\" name=\"what\">{events}</select></div>\
         <div><label for=\"installation\">Installation</label>\
         <select id=\"installation\" name=\"installation\">{installations}</select></div>\
         <div><label for=\"sender\">By</label><select id=\"sender\" name=\"sender\">{people}</select></div>\
         {repository}{number}{branch}{title}{label}{text}</div>\
         <button class=\"primary\">Send</button></form>",
        repository = field("repository", "Repository", "the first"),
        number = field("number", "Number", "1"),
        branch = field("branch", "Branch", "main"),
        title = field("title", "Title", "made up"),
        label = field("label", "Label", "bug"),
        text = field("body", "Text", "made up"),
    )
}

fn deliveries(all: &[Delivery]) -> String {
    let rows: String = all.iter().rev().take(SHOWN).map(delivery_row).collect();
    if rows.is_empty() {
        return "<p class=\"soft\">Nothing has been sent yet.</p>".to_owned();
    }
    format!(
        "<table><tr><th>At</th><th>Event</th><th>Installation</th><th>Delivery</th><th>Answer</th><th></th></tr>\
         {rows}</table>"
    )
}

fn delivery_row(delivery: &Delivery) -> String {
    let tag = if delivery.is_good() { "on" } else { "bad" };
    let answer = delivery.error.map_or_else(|| delivery.status.to_string(), str::to_owned);
    let again = format!("/github/-/deliveries/{}/redeliver", delivery.guid);
    format!(
        "<tr><td>{at}</td><td>{what}</td><td>{installation}</td>\
         <td><a href=\"/github/-/deliveries/{guid}\">{guid}</a>{repeated}</td>\
         <td><span class=\"tag {tag}\">{answer}</span> <span class=\"when\">{ms} ms</span></td><td>{redeliver}</td></tr>",
        at = time_of_day(delivery.at),
        what = escape(&title(delivery)),
        installation = delivery.installation_id.map(|id| id.to_string()).unwrap_or_default(),
        guid = escape(&delivery.guid),
        repeated = if delivery.redelivery { " <span class=\"tag\">again</span>" } else { "" },
        answer = escape(&answer),
        ms = delivery.duration_ms,
        redeliver = button(&again, "Redeliver", ""),
    )
}

fn title(delivery: &Delivery) -> String {
    match &delivery.action {
        Some(action) => format!("{}.{action}", delivery.event),
        None => delivery.event.clone(),
    }
}

/// `POST /github/-/send`: the form.
#[handler]
pub(super) async fn send(body: Vec<u8>, Data(world): Data<&Arc<World>>) -> Response {
    let github = world.github();
    let form = Params::form(&body);
    let text = |name: &str| form.text(name).map(str::to_owned);
    let number = |name: &str| form.text(name).and_then(|text| text.parse().ok());
    let what = form.text("what").unwrap_or("ping");
    let (event, detail) = what.split_once('.').map_or((what, None), |(event, detail)| (event, Some(detail)));
    let mut order = Order {
        event: event.to_owned(),
        installation: number("installation"),
        repository: text("repository"),
        sender: text("sender"),
        number: number("number"),
        title: text("title"),
        body: text("body"),
        label: text("label"),
        branch: text("branch"),
        ..Order::default()
    };
    let detail = detail.map(str::to_owned);
    match event {
        "pull_request_review" => order.state = detail,
        "workflow_run" | "check_run" => order.conclusion = detail,
        _ => order.action = detail,
    }
    let sent = match github.hook(&order) {
        Ok(hook) => github.deliver(&hook, false).await.map(drop).ok_or("no_webhook_url"),
        Err(word) => Err(word),
    };
    sent.map_or_else(not_found, |()| see_other("/github"))
}

/// `GET /github/-/deliveries/{guid}`: the request, and the answer.
#[handler]
pub(super) fn show_delivery(Path(guid): Path<String>, Data(world): Data<&Arc<World>>) -> Response {
    let Some(delivery) = world.github().sender.last(&guid) else {
        return not_found("There is no such delivery, or it was too long ago.");
    };
    let headers: String = delivery.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let payload = serde_json::to_string_pretty(&delivery.in_full()["request"]["payload"]).unwrap_or_default();
    let body = format!(
        "<h1>{what}</h1><p class=\"soft\">{guid}</p><div class=\"bar\">{redeliver}</div>\
         <h2>Answer</h2><p>{status}</p><pre>{answer}</pre><h2>Headers</h2><pre>{headers}</pre>\
         <h2>Payload</h2><pre>{payload}</pre>",
        what = escape(&title(&delivery)),
        guid = escape(&guid),
        redeliver = button(&format!("/github/-/deliveries/{guid}/redeliver"), "Redeliver", ""),
        status = escape(&delivery.error.map_or_else(|| delivery.status.to_string(), str::to_owned)),
        answer = escape(&delivery.body),
        headers = escape(&headers),
        payload = escape(&payload),
    );
    frame(&title(&delivery), body).into_response()
}

/// `POST /github/-/deliveries/{guid}/redeliver`.
#[handler]
pub(super) async fn send_again(Path(guid): Path<String>, Data(world): Data<&Arc<World>>) -> Response {
    match world.github().redeliver(&guid).await {
        Ok(_) => see_other("/github"),
        Err(word) => not_found(word),
    }
}
