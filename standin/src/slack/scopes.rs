//! The scopes that can be requested, with the consent page's descriptions of the common ones.

/// Parses a list separated by commas or spaces, without blanks and doubles, in the order of the request.
pub(crate) fn split(list: &str) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in list.split([',', ' ', '+']).filter(|scope| !scope.is_empty()) {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}

/// Accepts the name of a scope that Slack has.
pub(crate) fn exists(scope: &str) -> bool {
    meaning(scope).is_some() || OTHERS.contains(&scope)
}

/// Description of a scope, for those that integrations usually request.
pub(crate) fn meaning(scope: &str) -> Option<&'static str> {
    let words = match scope {
        "app_mentions:read" => "See messages that mention it",
        "channels:history" => "See messages in public channels it is in",
        "channels:join" => "Join public channels",
        "channels:manage" => "Create and manage public channels",
        "channels:read" => "See basic information about public channels",
        "chat:write" => "Send messages as itself",
        "chat:write.customize" => "Send messages under another name and picture",
        "chat:write.public" => "Send messages to public channels it is not in",
        "commands" => "Add slash commands and shortcuts",
        "files:read" => "See files shared where it is",
        "files:write" => "Upload and change files",
        "groups:history" => "See messages in private channels it is in",
        "groups:read" => "See basic information about private channels it is in",
        "groups:write" => "Manage private channels it is in",
        "im:history" => "See direct messages sent to it",
        "im:read" => "See basic information about direct messages",
        "im:write" => "Start direct messages",
        "incoming-webhook" => "Post messages to one channel",
        "links:read" => "See links to its own sites in messages",
        "links:write" => "Show previews of links",
        "mpim:read" => "See basic information about group messages",
        "pins:write" => "Pin and unpin messages",
        "reactions:read" => "See emoji reactions",
        "reactions:write" => "Add emoji reactions",
        "team:read" => "See the workspace's name and address",
        "usergroups:read" => "See user groups",
        "users.profile:read" => "See people's profiles",
        "users:read" => "See people in the workspace",
        "users:read.email" => "See people's email addresses",
        _ => return None,
    };
    Some(words)
}

const OTHERS: &[&str] = &[
    "bookmarks:read",
    "bookmarks:write",
    "calls:read",
    "calls:write",
    "canvases:read",
    "canvases:write",
    "channels:write",
    "channels:write.invites",
    "channels:write.topic",
    "chat:write:bot",
    "conversations.connect:read",
    "conversations.connect:write",
    "dnd:read",
    "dnd:write",
    "email",
    "emoji:read",
    "groups:write.invites",
    "groups:write.topic",
    "identify",
    "identity.basic",
    "identity.email",
    "identity.team",
    "links.embed:write",
    "metadata.message:read",
    "mpim:history",
    "mpim:write",
    "openid",
    "pins:read",
    "profile",
    "reminders:read",
    "reminders:write",
    "remote_files:read",
    "remote_files:share",
    "remote_files:write",
    "search:read",
    "stars:read",
    "stars:write",
    "usergroups:write",
    "users.profile:write",
    "users:write",
    "workflow.steps:execute",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_without_blanks_and_doubles() {
        assert_eq!(split("chat:write,,channels:read chat:write"), ["chat:write", "channels:read"]);
        assert!(split(" , ").is_empty());
        assert!(exists("chat:write") && exists("emoji:read") && !exists("chat:wirte"));
    }
}
