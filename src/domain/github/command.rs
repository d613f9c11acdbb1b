//! Commands typed in Slack by which a channel subscribes to GitHub events, and the texts that answer them.
//!
//! Not here: who may, and the subscriptions themselves (`subscription`).

use super::subscription::{EventKind, Rules, rules::is_repository};
use crate::domain::{
    github::GithubAccount,
    slack::{
        SlackMessage,
        blocks::{MAX_SECTION, section},
        text::{code, plain},
    },
};

/// Texts after the command, each with what it does.
pub const HELP: &[(&str, &str)] = &[
    ("subscribe OWNER/REPO [FEATURES]", "notifies this channel of a repository's GitHub events"),
    ("unsubscribe OWNER/REPO [FEATURES]", "ends that, or only these features"),
    ("list", "shows the subscriptions of this channel"),
];

/// Maximum length of a typed word in an answer.
const MAX_WORD: usize = 140;
/// Maximum length of a refusal's reason.
const MAX_REASON: usize = 500;
/// Page of a repository at GitHub, which may be typed in place of its name.
const PAGE: &str = "https://github.com/";

/// A typed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Subscribe the channel.
    Subscribe(Target),
    /// Unsubscribe it.
    Unsubscribe(Target),
    /// List its subscriptions.
    List,
}

/// Subject of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `owner/name`, or `owner/*` for all repositories of an account.
    pub repository: String,
    /// The named features, each once.
    pub kinds: Vec<EventKind>,
}

/// Parses the text after a command; `None` for a text that is none of these commands.
///
/// # Errors
/// The answer to a command that names no repository, or an unknown feature.
pub fn parse(text: &str) -> Option<Result<Command, String>> {
    let mut words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let verb = words.next()?.to_ascii_lowercase();
    let words: Vec<&str> = words.collect();
    Some(match (verb.as_str(), words.as_slice()) {
        ("list", []) | ("subscribe", ["list"]) => Ok(Command::List),
        ("subscribe", words) => target(words).map(Command::Subscribe),
        ("unsubscribe", words) => target(words).map(Command::Unsubscribe),
        _ => return None,
    })
}

fn target(words: &[&str]) -> Result<Target, String> {
    let Some((typed, features)) = words.split_first() else {
        return Err("Name a repository: `subscribe OWNER/REPO`, or `OWNER/*` for all of an account.".to_owned());
    };
    // Slack turns an address into a link.
    let name = typed.trim_matches(['<', '>']);
    let name = name.strip_prefix(PAGE).unwrap_or(name).trim_end_matches('/');
    if !is_repository(name) {
        let typed = code(typed, MAX_WORD);
        return Err(format!("{typed} is not a repository. Type `OWNER/REPO`, or `OWNER/*` for all of an account."));
    }
    let mut kinds = Vec::new();
    for feature in features {
        let Ok(kind) = feature.to_ascii_lowercase().parse() else {
            let (feature, known) = (code(feature, MAX_WORD), features_text(EventKind::ALL));
            return Err(format!("{feature} is not a feature. The features are: {known}."));
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(Target { repository: name.to_owned(), kinds })
}

/// Lists features as code.
pub fn features_text(kinds: &[EventKind]) -> String {
    kinds.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(" ")
}

/// Formats the name of a repository.
pub fn name(repository: &str) -> String {
    code(repository, MAX_WORD)
}

/// Answers that a repository is not among those of the organisation's installations.
pub fn unknown_repository(repository: &str, accounts: &[GithubAccount]) -> String {
    let repository = name(repository);
    if accounts.is_empty() {
        return format!(
            "{repository} is not known here, as no GitHub account is connected. Connect GitHub on your organisation's \
             integrations page, and install the app where the repository is."
        );
    }
    let logins: Vec<_> = accounts.iter().map(|account| name(&account.login)).collect();
    format!(
        "{repository} is not among the repositories that the GitHub app may see (connected: {}). Check the name, give \
         the app access to it in the settings of the installation at GitHub, or connect its account.",
        logins.join(", ")
    )
}

/// Answers for a person who is no member.
pub fn unknown_person() -> String {
    "Only members may do that, and Slack's confirmed e-mail address of yours is no member's. Ask an administrator to \
     add you with that address."
        .to_owned()
}

/// Answers for a member without a permission.
pub fn forbidden(permission: &str) -> String {
    format!("You need the permission {} for that. Ask an administrator for it.", code(permission, MAX_WORD))
}

/// Answers by the reason of a refusal.
pub fn refused(reason: &str) -> String {
    format!("That did not work: {}.", plain(reason, MAX_REASON))
}

/// Describes the subscriptions of a channel, each with whether it is enabled.
pub fn listed(subscriptions: &[(Rules, bool)]) -> String {
    if subscriptions.is_empty() {
        return "This channel has no subscriptions. Type `subscribe OWNER/REPO` after the command for one.".to_owned();
    }
    let mut said = "This channel is notified of:".to_owned();
    for (number, (rules, enabled)) in subscriptions.iter().enumerate() {
        let names: Vec<_> = rules.repositories.iter().map(|repository| name(repository)).collect();
        let disabled = if *enabled { "" } else { " (disabled)" };
        let line = format!("\n• {}{disabled}: {}", names.join(" "), features_text(&rules.events));
        if said.len() + line.len() > MAX_SECTION - 100 {
            said.push_str(&format!("\n…and {} more", subscriptions.len() - number));
            break;
        }
        said.push_str(&line);
    }
    said
}

/// Builds the message of an answer, in `mrkdwn`.
pub fn message(said: String) -> SlackMessage {
    let blocks = serde_json::Value::Array(vec![section(&said)]);
    SlackMessage { text: said, blocks }
}

#[cfg(test)]
mod tests;
