//! Agents: apps that users talk to. A descriptor says so with `bot`, names the bot, and says which messages it listens to.
//!
//! Not here: the calls (`call`).

use serde_json::{Map, Value};

use super::{
    finding::{Findings, quoted, rule},
    lint::{flag, text, type_of},
};

/// Members of a descriptor about an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// True if users can talk to it.
    pub bot: bool,
    /// True if it gets only the messages that mention it, and those of channels of two.
    mentions_only: bool,
    /// Names by which it is mentioned, in lower case: the app's and the bot's.
    names: Vec<String>,
}

impl Agent {
    /// Reads the members of the describing object at `base`.
    pub(super) fn read(data: &Map<String, Value>, app_name: &str, base: &str, findings: &mut Findings) -> Self {
        let bot = flag(data, "bot", base, findings).unwrap_or_default();
        // The product's documents and its examples spell it in two ways.
        let named = ["bot_profile", "bot_details"].into_iter().filter_map(|member| {
            let profile = data.get(member)?.as_object()?;
            text(profile, "name", &format!("{base}/{member}"), findings)
        });
        let names = named.chain([app_name.to_owned()]).filter(|name| !name.is_empty());
        let names = names.map(|name| name.to_lowercase()).collect();
        Self { bot, names, mentions_only: mentions_only(data, base, findings) }
    }

    /// Returns true if a channel of two matters to it.
    pub fn minds_direct(&self) -> bool {
        self.bot || self.mentions_only
    }

    /// Returns true if it gets this message.
    pub fn listens_to(&self, message: &str, is_dm: bool) -> bool {
        !self.mentions_only || is_dm || self.is_mentioned(message)
    }

    /// Returns true if the message has `@` and a name, in any case, up to the end of the word.
    fn is_mentioned(&self, message: &str) -> bool {
        let message = message.to_lowercase();
        let mut after = message.split('@').skip(1);
        after.any(|rest| {
            self.names.iter().any(|name| {
                let rest = rest.strip_prefix(name.as_str());
                rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
            })
        })
    }
}

/// Reads `listening_mode`, a list of `all` and `mentions`. Without a valid one an agent gets all messages.
fn mentions_only(data: &Map<String, Value>, base: &str, findings: &mut Findings) -> bool {
    let path = format!("{base}/listening_mode");
    let modes = match data.get("listening_mode") {
        None | Some(Value::Null) => return false,
        Some(Value::Array(modes)) => modes,
        Some(other) => {
            let message = format!("must be a list of \"all\" and \"mentions\"; {} is ignored", type_of(other));
            findings.warning(rule::TYPE, path, message);
            return false;
        }
    };
    for (index, mode) in modes.iter().enumerate() {
        if !matches!(mode.as_str(), Some("all" | "mentions")) {
            let shown = mode.as_str().map_or_else(|| type_of(mode).to_owned(), quoted);
            let message = format!("must be \"all\" or \"mentions\"; {shown} is ignored");
            findings.warning(rule::LISTENING_MODE, format!("{path}/{index}"), message);
        }
    }
    let has = |wanted: &str| modes.iter().any(|mode| mode == wanted);
    has("mentions") && !has("all")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn agent(members: &Value) -> (Agent, Vec<String>) {
        let mut findings = Findings::default();
        let agent = Agent::read(members.as_object().unwrap(), "Uptime Monitor", "/data", &mut findings);
        (agent, findings.finish(|_| None).iter().map(|finding| finding.path.clone()).collect())
    }

    #[test]
    fn an_agent_listens_to_all_or_to_mentions() {
        let named = json!({"bot": true, "bot_profile": {"name": "Uptimer"}, "listening_mode": ["mentions"]});
        let (uptimer, findings) = agent(&named);
        assert!(uptimer.bot && findings.is_empty(), "{findings:?}");
        for (message, listens) in [
            ("<p>@Uptimer are you there?</p>", true),
            ("@uptime monitor: status", true),
            ("@someone @UPTIMER", true),
            ("uptimer", false),
            ("@uptimers", false),
            ("mail to uptimer@example.com", false),
            ("", false),
        ] {
            assert_eq!(uptimer.listens_to(message, false), listens, "{message}");
            assert!(uptimer.listens_to(message, true), "{message}");
        }
        for modes in [json!(["all"]), json!(["all", "mentions"]), json!([]), json!(null)] {
            let (agent, findings) = agent(&json!({"listening_mode": modes}));
            assert!(!agent.bot && agent.listens_to("hello", false) && findings.is_empty(), "{modes} {findings:?}");
        }
    }

    #[test]
    fn what_it_cannot_mean_is_ignored_with_a_warning() {
        for (members, expected) in [
            (json!({"listening_mode": "mentions"}), "/data/listening_mode"),
            (json!({"listening_mode": ["all", "mention"]}), "/data/listening_mode/1"),
            (json!({"listening_mode": [7]}), "/data/listening_mode/0"),
            (json!({"bot": 1}), "/data/bot"),
        ] {
            let (agent, findings) = agent(&members);
            assert_eq!(findings, [expected], "{members}");
            assert!(agent.listens_to("hello", false), "{members}");
        }
    }
}
