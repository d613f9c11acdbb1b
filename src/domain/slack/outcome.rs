//! Slack's error codes: the outcome classification of each, and advice for an administrator.
//!
//! Source: Slack API, "chat.postMessage: errors" and the errors common to all Web API methods. Not here: the retry
//! schedule.

use Outcome::{ConnectionDead, DestinationBroken, MessageRefused, Retry, TokenExpired};

/// Outcome classification of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Slack may take the same message later.
    Retry,
    /// This channel refuses our messages until an administrator changes it in Slack, or another channel is chosen.
    DestinationBroken,
    /// The token is dead: nothing can be sent with it any more.
    ConnectionDead,
    /// This message is refused permanently; the next one may be accepted.
    MessageRefused,
    /// The token has expired: refresh it and try again.
    TokenExpired,
}

/// Classifies Slack's error code. An unknown code may be transient: it is retried, a bounded number of times.
pub fn classify(error_code: &str) -> Outcome {
    rule(error_code).map_or(Outcome::Retry, |rule| rule.outcome)
}

/// Returns advice for an administrator on Slack's error code.
pub fn advice(error_code: &str) -> &'static str {
    rule(error_code)
        .map_or("look the code up in Slack's API documentation; it is tried again for a while", |rule| rule.advice)
}

/// Returns true if Slack's error code reports a fault of Slack itself, not of the caller. Unlike [`classify`], it does
/// not presume this of an unknown code.
pub fn is_passing(error_code: &str) -> bool {
    rule(error_code).is_some_and(|rule| rule.outcome == Outcome::Retry)
}

struct Rule {
    /// Exact codes, or the prefix of a family of codes, ending in `*`.
    codes: &'static [&'static str],
    outcome: Outcome,
    advice: &'static str,
}

fn rule(error_code: &str) -> Option<&'static Rule> {
    let exact = |rule: &&Rule| rule.codes.contains(&error_code);
    let family = |rule: &&Rule| {
        rule.codes.iter().any(|code| code.strip_suffix('*').is_some_and(|start| error_code.starts_with(start)))
    };
    RULES.iter().find(exact).or_else(|| RULES.iter().find(family))
}

/// Grouped by remedy. An exact code beats a family.
const RULES: &[Rule] = &[
    // Faults of Slack itself.
    Rule {
        codes: &["internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"],
        outcome: Retry,
        advice: "nothing: Slack has a problem that passes; it is tried again",
    },
    // The workspace is moving into an Enterprise organisation. Slack documents it as transient, the token stays valid.
    Rule {
        codes: &["org_login_required"],
        outcome: Retry,
        advice: "wait until the workspace's migration to Slack Enterprise is complete; it is tried again",
    },
    // Rate limit of the app, the channel or the workspace.
    Rule {
        codes: &["ratelimited", "rate_limited", "message_limit_exceeded"],
        outcome: Retry,
        advice: "nothing: Slack asked for a pause; filter by link or trigger if it happens often",
    },
    // The token's limited life is over.
    Rule {
        codes: &["token_expired"],
        outcome: TokenExpired,
        advice: "nothing: the token is refreshed; reconnect Slack if this stays",
    },
    // The token is permanently useless: revoked, the app removed, its user or workspace gone.
    Rule {
        codes: &[
            "invalid_auth",
            "not_authed",
            "token_revoked",
            "account_inactive",
            "invalid_token",
            "invalid_refresh_token",
            "not_allowed_token_type",
            "two_factor_setup_required",
            "app_access_restricted",
        ],
        outcome: ConnectionDead,
        advice: "reconnect Slack: the app was removed from the workspace or its access was revoked",
    },
    // The bot is not in the channel. Slack reports private channels as missing.
    Rule {
        codes: &["not_in_channel"],
        outcome: DestinationBroken,
        advice: "invite the bot with /invite in the Slack channel, or choose another channel",
    },
    // A token of a whole Slack organisation stays valid for its other workspaces.
    Rule {
        codes: &["team_access_not_granted"],
        outcome: DestinationBroken,
        advice: "have an owner of the Slack organisation add the app to the channel's workspace, or choose another channel",
    },
    Rule {
        codes: &["channel_not_found", "invalid_channel", "invalid_channel_id", "team_not_found"],
        outcome: DestinationBroken,
        advice: "choose another channel, or invite the bot with /invite if the Slack channel is private",
    },
    Rule {
        codes: &["is_archived", "is_inactive"],
        outcome: DestinationBroken,
        advice: "unarchive the Slack channel or choose another one",
    },
    Rule {
        codes: &[
            "channel_type_not_supported",
            "method_not_supported_for_channel_type",
            "cannot_dm_bot",
            "messages_tab_disabled",
            "user_disabled",
            "user_not_found",
        ],
        outcome: DestinationBroken,
        advice: "choose a public or private Slack channel that the bot is a member of",
    },
    // A rule of a workspace administrator for the channel.
    Rule {
        codes: &[
            "restricted_action",
            "restricted_action_*",
            "posting_to_channel_denied",
            "posting_to_general_channel_denied",
            "thread_locked",
        ],
        outcome: DestinationBroken,
        advice: "let the app post in the Slack channel (channel settings, posting permissions), or choose another channel",
    },
    // A rule for the whole workspace. The token lives, so the connection is kept.
    Rule {
        codes: &["access_denied", "ekm_access_denied", "no_permission", "enterprise_is_restricted", "not_allowed"],
        outcome: DestinationBroken,
        advice: "ask an administrator of the Slack workspace to let the app post messages",
    },
    Rule {
        codes: &["accesslimited"],
        outcome: DestinationBroken,
        advice: "add this server's address to the allowed IP addresses of the Slack app or workspace",
    },
    Rule {
        codes: &["missing_scope"],
        outcome: DestinationBroken,
        advice: "reconnect Slack so that the app gets the permissions it asks for",
    },
    // The content of this one message.
    Rule {
        codes: &["no_text", "msg_too_long", "msg_blocks_too_long", "attachment_payload_limit_exceeded"],
        outcome: MessageRefused,
        advice: "send less data with the event: Slack takes no message of this size",
    },
    Rule {
        codes: &[
            "invalid_blocks*",
            "markdown_text_conflict",
            "metadata_*",
            "invalid_metadata_*",
            "too_many_attachments",
            "too_many_contact_cards",
            "missing_file_data",
            "block_mismatch",
        ],
        outcome: MessageRefused,
        advice: "report it with the event's id: Slack does not take the message as Tieline laid it out",
    },
    Rule {
        codes: &["slack_connect_*"],
        outcome: MessageRefused,
        advice: "choose a channel that is not shared with another company: an administrator blocks this content there",
    },
    // The thread or earlier message named by the message.
    Rule {
        codes: &[
            "cannot_reply_to_message",
            "message_not_found",
            "thread_not_found",
            "invalid_thread_ts",
            "duplicate_*",
        ],
        outcome: MessageRefused,
        advice: "nothing: the message it belongs to is gone",
    },
    // The call as such: nothing in Slack or in the event would help.
    Rule {
        codes: &[
            "invalid_arg*",
            "invalid_array_arg",
            "invalid_charset",
            "missing_charset",
            "superfluous_charset",
            "invalid_form_data",
            "invalid_post_type",
            "missing_post_type",
            "invalid_json",
            "json_not_object",
            "as_user_not_supported",
            "send_on_behalf_not_allowed",
            "method_deprecated",
            "deprecated_endpoint",
            "unknown_method",
        ],
        outcome: MessageRefused,
        advice: "update Tieline: Slack does not take the call as this version makes it",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_of_refusal_is_distinguished() {
        let cases = [
            ("internal_error", Retry),
            ("rate_limited", Retry),
            ("org_login_required", Retry),
            ("token_expired", TokenExpired),
            ("token_revoked", ConnectionDead),
            ("account_inactive", ConnectionDead),
            ("channel_not_found", DestinationBroken),
            ("not_in_channel", DestinationBroken),
            ("is_archived", DestinationBroken),
            ("restricted_action", DestinationBroken),
            ("restricted_action_read_only_channel", DestinationBroken),
            ("missing_scope", DestinationBroken),
            ("invalid_blocks", MessageRefused),
            ("invalid_blocks_format", MessageRefused),
            ("invalid_arguments", MessageRefused),
            ("invalid_auth", ConnectionDead),
            ("metadata_too_large", MessageRefused),
            ("metadata_must_be_sent_from_app", MessageRefused),
            ("msg_blocks_too_long", MessageRefused),
            ("duplicate_message_not_found", MessageRefused),
        ];
        for (code, expected) in cases {
            assert_eq!(classify(code), expected, "{code}");
        }
    }

    #[test]
    fn an_unknown_code_is_tried_again_but_is_not_slacks_own_trouble() {
        assert_eq!(classify("something_new"), Retry);
        assert_eq!(classify(""), Retry);
        assert!(!is_passing("invalid_code"));
        assert!(is_passing("fatal_error"));
    }

    #[test]
    fn no_code_is_in_two_rules_and_each_has_advice() {
        let mut seen = BTreeSet::new();
        for rule in RULES {
            assert!(!rule.advice.is_empty());
            for code in rule.codes {
                assert!(seen.insert(code), "{code} is listed twice");
            }
        }
    }

    #[test]
    fn advice_says_what_to_do() {
        assert!(advice("not_in_channel").contains("/invite"));
        assert!(advice("token_revoked").contains("reconnect"));
        assert!(advice("something_new").contains("documentation"));
    }
}
