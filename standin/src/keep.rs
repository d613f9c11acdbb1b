//! A world that outlives its process: what a product remembers of Slack and GitHub is still true after a restart.
//!
//! Kept are the app's bot tokens, the channels that the bot is in and their messages, archived channels, and the
//! installations of the GitHub App. Not kept: what a test arranges through the control API (more workspaces, channels,
//! accounts; settings; faults), tokens of people, response URLs, and codes that wait to be exchanged.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::github::installations::KeptInstallations;
use crate::slack::channel::KeptChannel;
use crate::slack::grants::KeptBot;
use crate::world::World;

/// Name of the file in the folder.
const FILE: &str = "standin.json";

/// Pause between two looks at the world.
const INTERVAL: Duration = Duration::from_secs(1);

/// The part of a world that is kept.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Kept {
    /// Number of the next id of Slack's: a token that was given out before is not given out again.
    slack_serial: u64,
    bots: Vec<KeptBot>,
    channels: Vec<KeptChannel>,
    installations: KeptInstallations,
}

impl Kept {
    fn of(world: &World) -> Self {
        let (slack, github) = (world.slack(), world.github());
        let channels = slack.teams().iter().flat_map(|team| team.kept_channels()).collect();
        Self {
            slack_serial: slack.ids.next(),
            bots: slack.grants.kept_bots(),
            channels,
            installations: github.state().installations.kept(),
        }
    }

    fn restore(self, world: &World) {
        let (slack, github) = (world.slack(), world.github());
        slack.ids.skip_to(self.slack_serial);
        for bot in self.bots {
            if let Some(team) = slack.team(bot.team()) {
                slack.grants.restore_bot(bot, &team);
            }
        }
        for channel in self.channels {
            if let Some(team) = slack.team(&channel.team) {
                team.restore_channel(channel);
            }
        }
        github.state_mut().installations = self.installations.into();
    }
}

/// File that a world is kept in.
pub(crate) struct Keeper {
    file: PathBuf,
    written: String,
}

impl Keeper {
    /// Restores a world from a folder, if it was kept there before.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or the file cannot be read or is damaged.
    pub(crate) fn open(folder: &Path, world: &World) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = folder.join(FILE);
        let written = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { file, written: String::new() }),
            Err(error) => return Err(error),
        };
        let damaged = |error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", file.display()));
        serde_json::from_str::<Kept>(&written).map_err(damaged)?.restore(world);
        Ok(Self { file, written })
    }

    /// Keeps the world up to date until it is stopped, and once more at the end.
    pub(crate) async fn run(mut self, world: Arc<World>, stop: tokio::sync::oneshot::Receiver<()>) {
        tokio::pin!(stop);
        loop {
            let is_over = tokio::select! {
                _ = &mut stop => true,
                () = tokio::time::sleep(INTERVAL) => false,
            };
            if let Err(error) = self.keep(&world) {
                tracing::error!(%error, file = %self.file.display(), "the world could not be kept");
            }
            if is_over {
                return;
            }
        }
    }

    /// Writes the world if it has changed: to another file first, so that there is a whole one at any time.
    fn keep(&mut self, world: &World) -> io::Result<()> {
        let text = serde_json::to_string(&Kept::of(world))?;
        if text == self.written {
            return Ok(());
        }
        let other = self.file.with_extension("new");
        std::fs::write(&other, &text)?;
        std::fs::rename(&other, &self.file)?;
        self.written = text;
        Ok(())
    }
}
