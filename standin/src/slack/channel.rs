//! Channels and the messages in them. Each channel has a lock of its own, held for one insertion.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Refusal;
use super::limits::{Bucket, Limits};
use super::message::{Content, KeptMessage, Message, Ts, Written};
use super::workspace::Team;

/// Number of messages stored per channel; the oldest are dropped first.
const KEPT: usize = 10_000;

/// A channel.
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) private: bool,
    pub(crate) purpose: &'static str,
    /// Marks a direct channel of a person with the bot.
    pub(crate) is_direct: bool,
    /// Makes the bot a member as soon as the app is installed.
    pub(crate) invites_bot: bool,
    created: i64,
    kept: usize,
    archived: AtomicBool,
    bot_in: AtomicBool,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    messages: VecDeque<Arc<Message>>,
    bucket: Bucket,
    last: Ts,
    posted: u64,
}

/// A channel as it is kept over a restart.
#[derive(Deserialize, Serialize)]
pub(crate) struct KeptChannel {
    pub(crate) team: String,
    pub(crate) id: String,
    archived: bool,
    bot_in: bool,
    messages: Vec<KeptMessage>,
}

impl Channel {
    pub(crate) fn public(id: &str, name: &str, created: i64) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            private: false,
            purpose: "",
            is_direct: false,
            invites_bot: false,
            created,
            kept: KEPT,
            archived: AtomicBool::new(false),
            bot_in: AtomicBool::new(false),
            log: Mutex::default(),
        }
    }

    pub(crate) fn private(id: &str, name: &str, created: i64) -> Self {
        Self { private: true, ..Self::public(id, name, created) }
    }

    /// Creates the direct channel of a person with the bot, which is always a member.
    pub(crate) fn direct(id: &str, name: &str) -> Self {
        Self { is_direct: true, bot_in: AtomicBool::new(true), ..Self::private(id, name, 0) }
    }

    /// Limits the number of stored messages, for worlds with very many channels.
    pub(crate) fn keeping(self, kept: usize) -> Self {
        Self { kept: kept.max(1), ..self }
    }

    pub(crate) fn about(self, purpose: &'static str) -> Self {
        Self { purpose, ..self }
    }

    pub(crate) fn inviting_bot(self) -> Self {
        Self { invites_bot: true, ..self }
    }

    /// Returns the channel as it is kept; `None` for one that nothing happened in.
    pub(crate) fn kept(&self, team: &str) -> Option<KeptChannel> {
        let messages: Vec<KeptMessage> = self.log.lock().messages.iter().map(|message| (&**message).into()).collect();
        let (archived, bot_in) = (self.is_archived(), self.has_bot());
        (archived || bot_in || !messages.is_empty()).then(|| KeptChannel {
            team: team.to_owned(),
            id: self.id.clone(),
            archived,
            bot_in,
            messages,
        })
    }

    /// Restores what was kept.
    pub(crate) fn restore(&self, kept: KeptChannel) {
        self.set_archived(kept.archived);
        self.set_bot_in(kept.bot_in);
        let mut log = self.log.lock();
        log.messages = kept.messages.into_iter().map(|message| Arc::new(message.into())).collect();
        log.last = log.messages.back().map_or(Ts::default(), |message| message.at);
        log.posted = log.messages.len() as u64;
    }

    pub(crate) fn is_archived(&self) -> bool {
        self.archived.load(Ordering::Relaxed)
    }

    pub(crate) fn set_archived(&self, archived: bool) {
        self.archived.store(archived, Ordering::Relaxed);
    }

    pub(crate) fn has_bot(&self) -> bool {
        self.bot_in.load(Ordering::Relaxed)
    }

    pub(crate) fn set_bot_in(&self, member: bool) {
        self.bot_in.store(member, Ordering::Relaxed);
    }

    /// Reports that the bot can know of this channel.
    pub(crate) fn visible_to_bot(&self) -> bool {
        !self.private || self.has_bot()
    }

    /// Stores a message by an app, within the rate limit.
    pub(crate) fn post(&self, content: &Content, now: i64, limits: &Limits) -> Result<Arc<Message>, Refusal> {
        let written = content.written();
        let mut log = self.log.lock();
        limits.take_message(&mut log.bucket)?;
        Ok(log.push(written, now, self.kept))
    }

    /// Stores a message by a person.
    pub(crate) fn say(&self, content: &Content, now: i64) {
        let written = content.written();
        self.log.lock().push(written, now, self.kept);
    }

    /// Finds a message by its timestamp.
    pub(crate) fn message(&self, ts: &str) -> Option<Arc<Message>> {
        let at = Ts::parse(ts)?;
        let log = self.log.lock();
        log.find(at).and_then(|index| log.messages.get(index).cloned())
    }

    /// Replaces the content of a message, if it is still stored.
    pub(crate) fn replace(&self, at: Ts, content: &Content) -> Option<Arc<Message>> {
        let message = Arc::new(Message::new(at, content.written()));
        let mut log = self.log.lock();
        let index = log.find(at)?;
        log.messages[index] = Arc::clone(&message);
        Some(message)
    }

    /// Removes a message and returns `true` if there was one.
    pub(crate) fn remove(&self, at: Ts) -> bool {
        let mut log = self.log.lock();
        log.find(at).is_some_and(|index| log.messages.remove(index).is_some())
    }

    /// Returns the newest messages, oldest of them first.
    pub(crate) fn newest(&self, count: usize) -> Vec<Arc<Message>> {
        let log = self.log.lock();
        let skip = log.messages.len().saturating_sub(count);
        log.messages.iter().skip(skip).cloned().collect()
    }

    /// Returns the number of all messages ever posted, stored or not.
    pub(crate) fn posted(&self) -> u64 {
        self.log.lock().posted
    }

    /// Clears the messages, but not the used timestamps.
    pub(crate) fn clear(&self) {
        let mut log = self.log.lock();
        log.messages.clear();
        log.posted = 0;
    }

    /// Returns its members: everybody of the workspace, and the bot if it has joined.
    pub(crate) fn members(&self, team: &Team) -> Vec<String> {
        let mut members: Vec<String> = team.users.iter().map(|user| user.id.clone()).collect();
        if self.has_bot() {
            members.push(team.bot.user_id.clone());
        }
        members
    }

    /// The conversation object of the Web API.
    pub(crate) fn to_json(&self, team: &Team) -> Value {
        let creator = team.users.first().map_or("", |user| user.id.as_str());
        json!({
            "id": self.id,
            "name": self.name,
            "is_channel": !self.private,
            "is_group": self.private && !self.is_direct,
            "is_im": self.is_direct,
            "is_mpim": false,
            "is_private": self.private,
            "created": self.created,
            "is_archived": self.is_archived(),
            "is_general": self.name == "general",
            "unlinked": 0,
            "name_normalized": self.name,
            "is_shared": false,
            "is_org_shared": false,
            "is_ext_shared": false,
            "is_pending_ext_shared": false,
            "pending_shared": [],
            "shared_team_ids": [team.id],
            "context_team_id": team.id,
            "updated": self.created * 1000,
            "creator": creator,
            "is_member": self.has_bot(),
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": self.purpose, "creator": creator, "last_set": self.created},
            "previous_names": [],
            "num_members": team.users.len() + usize::from(self.has_bot()),
        })
    }
}

impl Log {
    fn push(&mut self, content: Written, now: i64, kept: usize) -> Arc<Message> {
        self.last = self.last.next(now);
        let message = Arc::new(Message::new(self.last, content));
        self.posted += 1;
        if self.messages.len() >= kept {
            self.messages.pop_front();
        }
        self.messages.push_back(Arc::clone(&message));
        message
    }

    /// Finds a message: timestamps only grow, so the log is sorted by them.
    fn find(&self, at: Ts) -> Option<usize> {
        self.messages.binary_search_by_key(&at, |message| message.at).ok()
    }
}
