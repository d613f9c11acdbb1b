//! Slash commands and interactions of Slack's, dispatched to the rooms that own them.
//!
//! Slack gets its answer at once; a command is answered afterwards, by a modal or by a message that only the person who
//! typed it sees. Not here: the commands of a room (`workflows::commands`, `github::commands`).

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::{SlackConnections, inbound::Signed};
use crate::{
    domain::{
        Result,
        slack::{SlackMessage, modal},
    },
    provider::slack::inbound::{self, Choice, Interaction, SlashCommand, ViewSubmission},
    store::slack::links::StoredSlackLink,
};

/// Answer to a typed command.
pub enum Answer {
    /// A modal is opened.
    Modal(Value),
    /// A message that nobody else sees.
    Message(SlackMessage),
}

/// Commands of a room.
#[async_trait]
pub trait Command: Send + Sync {
    /// Returns the texts after the command, each with what it does, for the help.
    fn help(&self) -> &'static [(&'static str, &'static str)];

    /// Answers a typed command; `None` if it is not one of this room.
    ///
    /// # Errors
    /// When an upstream or the database fails.
    async fn answer(&self, stored: &StoredSlackLink, command: &SlashCommand) -> Result<Option<Answer>>;

    /// Takes a submitted modal of this room, and returns the answer to Slack, if any. A submission is durable when this
    /// returns.
    ///
    /// # Errors
    /// When the database fails.
    async fn submit(&self, _stored: &StoredSlackLink, _submission: &ViewSubmission) -> Result<Option<Value>> {
        Ok(None)
    }

    /// Handles a choice in a modal of this room, and returns the modal that replaces it.
    ///
    /// # Errors
    /// When an upstream or the database fails.
    async fn choose(&self, _stored: &StoredSlackLink, _choice: &Choice) -> Result<Option<Value>> {
        Ok(None)
    }
}

/// Service of Slack's commands and interactions.
#[derive(Clone)]
pub struct SlackCommands {
    slack: Arc<SlackConnections>,
    /// The first one that knows a command answers it.
    commands: Vec<Arc<dyn Command>>,
}

impl SlackCommands {
    /// Creates the service with the commands of all rooms.
    pub fn new(slack: Arc<SlackConnections>, commands: Vec<Arc<dyn Command>>) -> Self {
        Self { slack, commands }
    }

    /// Accepts a slash command, which is answered once Slack has its response.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::domain::Error::Invalid).
    pub async fn receive_slack_command(&self, request: Signed<'_>) -> Result<()> {
        let command = match inbound::command(request.body)? {
            inbound::Command::SslCheck => return Ok(()),
            inbound::Command::Slash(command) => command,
        };
        let Some(stored) = self.slack.workspace(&command.origin).await? else { return Ok(()) };
        let this = self.clone();
        self.slack.base.afterwards(async move {
            if let Err(error) = this.answer_command(&stored, &command).await {
                tracing::warn!(%error, team_id = stored.link.team_id, "a slash command could not be answered");
            }
        });
        Ok(())
    }

    async fn answer_command(&self, stored: &StoredSlackLink, command: &SlashCommand) -> Result<()> {
        match self.answer(stored, command).await? {
            Answer::Modal(view) => {
                let token = self.slack.open_slack_token(stored).await?;
                Ok(self.slack.slack()?.open_view(&token, &command.trigger_id, &view).await?)
            }
            Answer::Message(message) => match &command.response_url {
                Some(response_url) => Ok(self.slack.slack()?.respond(response_url, &message).await?),
                None => Ok(()),
            },
        }
    }

    async fn answer(&self, stored: &StoredSlackLink, command: &SlashCommand) -> Result<Answer> {
        let text = command.text.trim();
        if text.eq_ignore_ascii_case("help") {
            let forms: Vec<_> = self.commands.iter().flat_map(|room| room.help()).copied().collect();
            return Ok(Answer::Modal(modal::help_modal(&command.command, &self.slack.product, &forms)));
        }
        for room in &self.commands {
            if let Some(answer) = room.answer(stored, command).await? {
                return Ok(answer);
            }
        }
        Ok(Answer::Modal(modal::not_runnable_modal(Some(text))))
    }

    /// Accepts a button, a choice or a submitted modal. A choice is answered once Slack has its response.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::domain::Error::Invalid).
    pub async fn receive_slack_interaction(&self, request: Signed<'_>) -> Result<Option<Value>> {
        match inbound::interaction(request.body)? {
            Interaction::ViewSubmission(submission) => match self.slack.workspace(&submission.origin).await? {
                Some(stored) => self.submit(&stored, &submission).await,
                None => Ok(None),
            },
            Interaction::Choice(choice) => {
                let Some(stored) = self.slack.workspace(&choice.origin).await? else { return Ok(None) };
                let this = self.clone();
                self.slack.base.afterwards(async move {
                    if let Err(error) = this.choose(&stored, &choice).await {
                        tracing::warn!(%error, team_id = stored.link.team_id, "a choice could not be answered");
                    }
                });
                Ok(None)
            }
            // None of our menus asks for its options.
            Interaction::BlockSuggestion
            | Interaction::ViewClosed
            | Interaction::BlockActions
            | Interaction::Shortcut
            | Interaction::MessageAction
            | Interaction::Other { .. } => Ok(None),
        }
    }

    async fn submit(&self, stored: &StoredSlackLink, submission: &ViewSubmission) -> Result<Option<Value>> {
        for room in &self.commands {
            if let Some(answer) = room.submit(stored, submission).await? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    async fn choose(&self, stored: &StoredSlackLink, choice: &Choice) -> Result<()> {
        for room in &self.commands {
            if let Some(view) = room.choose(stored, choice).await? {
                let token = self.slack.open_slack_token(stored).await?;
                return Ok(self.slack.slack()?.update_view(&token, &choice.view_id, &view).await?);
            }
        }
        Ok(())
    }
}
