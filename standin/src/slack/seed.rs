//! Initial workspaces. Their ids never change, so tests and demos can name them.

use super::channel::Channel;
use super::workspace::Team;

/// Enough for a list of channels that takes several pages.
const TEAM_CHANNELS: usize = 250;

pub(super) fn teams(app_name: &str, now: i64) -> Vec<Team> {
    vec![acme(app_name, now), second(app_name, now)]
}

fn acme(app_name: &str, now: i64) -> Team {
    let team = Team::new("T0STANDIN", "Acme Stand-in", "acme-standin", app_name);
    team.add_channel(Channel::public("C0GENERAL", "general", now).about("Everybody is here; the bot is not, at first"));
    team.add_channel(Channel::public("C0ALERTS", "alerts", now).about("The bot is a member").inviting_bot());
    let archived = Channel::public("C0OLD", "old-stuff", now).about("Archived");
    archived.set_archived(true);
    team.add_channel(archived);
    for number in 1..=TEAM_CHANNELS {
        team.add_channel(Channel::public(&format!("C0TEAM{number:03}"), &format!("team-{number:03}"), now));
    }
    // Last, so that only a client that follows the cursor to its end finds them.
    team.add_channel(
        Channel::private("C0SECRET", "secret-plans", now).about("Private; the bot is a member").inviting_bot(),
    );
    team.add_channel(Channel::private("C0PRIVATE", "leadership", now).about("Private; the bot cannot see it"));
    team
}

fn second(app_name: &str, now: i64) -> Team {
    let team = Team::new("T0SECOND", "Second Workspace", "second", app_name);
    team.add_channel(Channel::public("C1GENERAL", "general", now).about("Everybody is here"));
    team.add_channel(Channel::public("C1ALERTS", "alerts", now).about("The bot is a member").inviting_bot());
    team
}
