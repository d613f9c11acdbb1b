//! HTML of the consent page. It is a plain form that works without scripts.

use poem::Response;

use super::{Ask, DEFAULT_TEAM};
use crate::page::{Page, escape};
use crate::slack::workspace::{ENTERPRISE, Team};
use crate::slack::{Slack, scopes};

pub(super) fn page(slack: &Slack, ask: &Ask, query: &str) -> Response {
    let app = slack.app();
    let teams = slack.teams();
    let hinted = ask.team.as_deref().unwrap_or(DEFAULT_TEAM);
    let people: String = teams.iter().map(|team| people_of(team, team.id == hinted)).collect();
    let mut asked = scope_list("The app would be able to", &ask.scopes);
    if !ask.user_scopes.is_empty() {
        asked.push_str(&scope_list("On your behalf it would be able to", &ask.user_scopes));
    }
    let channel = if ask.scopes.iter().any(|scope| scope == "incoming-webhook") {
        "<label for=\"channel\">Post to channel</label>\
         <input type=\"text\" id=\"channel\" name=\"channel\" value=\"general\">"
    } else {
        ""
    };
    let body = format!(
        "<div class=\"card\"><h1>{name} asks for access</h1>\
         <p class=\"soft\">You will be sent back to {target}</p>\
         <form method=\"post\" action=\"/slack/oauth/v2/authorize?{query}\">\
         <label for=\"who\">Workspace and person</label><select id=\"who\" name=\"who\">{people}</select>{channel}\
         <label><input type=\"checkbox\" name=\"org_wide\" value=\"1\"> For all workspaces of {enterprise}</label>{asked}\
         <div class=\"choice\"><button name=\"decision\" value=\"cancel\">Cancel</button>\
         <button class=\"primary\" name=\"decision\" value=\"allow\">Allow</button></div></form></div>",
        name = escape(&app.name),
        target = escape(&ask.target.origin().ascii_serialization()),
        query = escape(query),
        enterprise = escape(ENTERPRISE.name),
    );
    Page::new(&format!("{} asks for access", app.name), body).into_response()
}

fn people_of(team: &Team, hinted: bool) -> String {
    let mut options = format!("<optgroup label=\"{}\">", escape(&team.name));
    for (index, user) in team.users.iter().enumerate() {
        let selected = if hinted && index == 0 { " selected" } else { "" };
        let role = if user.admin { "admin" } else { "member" };
        options.push_str(&format!(
            "<option value=\"{team_id}/{user_id}\"{selected}>{team_name}: {user_name} ({role})</option>",
            team_id = escape(&team.id),
            user_id = escape(&user.id),
            team_name = escape(&team.name),
            user_name = escape(user.real_name),
        ));
    }
    options.push_str("</optgroup>");
    options
}

fn scope_list(heading: &str, asked: &[String]) -> String {
    let items: String = asked
        .iter()
        .map(|scope| {
            let words = scopes::meaning(scope).unwrap_or("Use");
            format!("<li>{words} <code>{}</code></li>", escape(scope))
        })
        .collect();
    format!("<h2>{heading}</h2><ul class=\"scopes\">{items}</ul>")
}
