//! Workspaces and the people in them.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use super::channel::{Channel, KeptChannel};

/// A person.
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) real_name: &'static str,
    pub(crate) admin: bool,
    /// Direct channel of this person with the bot. It is not among the channels.
    pub(crate) direct: Arc<Channel>,
}

impl User {
    fn new(suffix: &str, name: &'static str, real_name: &'static str, admin: bool) -> Self {
        let key = format!("{suffix}{}", name.to_uppercase());
        Self {
            id: format!("U{key}"),
            name,
            real_name,
            admin,
            direct: Arc::new(Channel::direct(&format!("D{key}"), name)),
        }
    }

    pub(crate) fn email(&self, team: &Team) -> String {
        format!("{}@{}.example", self.name, team.domain)
    }
}

/// An Enterprise organisation.
pub(crate) struct Enterprise {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
}

/// The organisation of every workspace. It stays hidden until the app is installed for all of it.
pub(crate) const ENTERPRISE: Enterprise = Enterprise { id: "E0STANDIN", name: "Stand-in Corporation" };

/// The app's bot in one workspace.
pub(crate) struct Bot {
    pub(crate) user_id: String,
    pub(crate) bot_id: String,
    pub(crate) name: String,
}

/// A workspace.
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) users: Vec<User>,
    pub(crate) bot: Bot,
    rooms: RwLock<Rooms>,
}

#[derive(Default)]
struct Rooms {
    list: Vec<Arc<Channel>>,
    by_id: HashMap<String, usize>,
    by_name: HashMap<String, usize>,
}

impl Team {
    pub(crate) fn new(id: &str, name: &str, domain: &str, app_name: &str) -> Self {
        let suffix = id.trim_start_matches('T');
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            domain: domain.to_owned(),
            users: vec![User::new(suffix, "ada", "Ada Admin", true), User::new(suffix, "max", "Max Member", false)],
            bot: Bot { user_id: format!("U{suffix}BOT"), bot_id: format!("B{suffix}"), name: app_name.to_owned() },
            rooms: RwLock::default(),
        }
    }

    /// Adds a channel at the end of the list.
    pub(crate) fn add_channel(&self, channel: Channel) -> Arc<Channel> {
        let channel = Arc::new(channel);
        let mut rooms = self.rooms.write();
        let index = rooms.list.len();
        rooms.by_id.insert(channel.id.clone(), index);
        rooms.by_name.insert(channel.name.clone(), index);
        rooms.list.push(Arc::clone(&channel));
        channel
    }

    /// Finds a channel by its id or by its name, with or without `#`; a direct one by its id or by the person's.
    pub(crate) fn channel(&self, id_or_name: &str) -> Option<Arc<Channel>> {
        if let Some(user) = self.users.iter().find(|user| user.id == id_or_name || user.direct.id == id_or_name) {
            return Some(Arc::clone(&user.direct));
        }
        let rooms = self.rooms.read();
        let name = id_or_name.strip_prefix('#').unwrap_or(id_or_name);
        let index = rooms.by_id.get(id_or_name).or_else(|| rooms.by_name.get(name))?;
        rooms.list.get(*index).cloned()
    }

    /// Returns all channels, in the order of their creation.
    pub(crate) fn channels(&self) -> Vec<Arc<Channel>> {
        self.rooms.read().list.clone()
    }

    /// Returns some channels, and `true` if there are more.
    pub(crate) fn channels_from(&self, start: usize, count: usize) -> (Vec<Arc<Channel>>, bool) {
        let rooms = self.rooms.read();
        let page = rooms.list.iter().skip(start).take(count).cloned().collect();
        (page, start.saturating_add(count) < rooms.list.len())
    }

    pub(crate) fn channel_count(&self) -> usize {
        self.rooms.read().list.len()
    }

    /// Returns its channels as they are kept over a restart, direct ones too.
    pub(crate) fn kept_channels(&self) -> Vec<KeptChannel> {
        let direct = self.users.iter().map(|user| Arc::clone(&user.direct));
        direct.chain(self.channels()).filter_map(|channel| channel.kept(&self.id)).collect()
    }

    /// Restores one of its channels.
    pub(crate) fn restore_channel(&self, kept: KeptChannel) {
        if let Some(channel) = self.channel(&kept.id) {
            channel.restore(kept);
        }
    }

    /// A person by id.
    pub(crate) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// Joins the bot to the channels that have invited it, when the app is installed.
    pub(crate) fn welcome_bot(&self) {
        for channel in self.channels() {
            if channel.invites_bot {
                channel.set_bot_in(true);
            }
        }
    }

    /// Removes the bot from its channels, when the app is uninstalled.
    pub(crate) fn dismiss_bot(&self) {
        for channel in self.channels() {
            channel.set_bot_in(false);
        }
    }
}
