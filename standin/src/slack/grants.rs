//! Authorisation codes and tokens: their holders, workspaces and lifetimes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::{Mutex, RwLock};
use poem::http::HeaderValue;
use serde::{Deserialize, Serialize};

use super::workspace::{ENTERPRISE, Team};
use crate::ids::Ids;

/// Lifetime of a rotating token.
pub(crate) const TOKEN_SECS: i64 = 43_200;
const CODE_SECS: i64 = 600;

/// A user's consent on the consent page.
#[derive(Clone)]
pub(crate) struct Consent {
    pub(crate) client_id: String,
    /// As sent to the consent page; absent when it was left out there.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) team: Arc<Team>,
    /// For every workspace of the organisation; `team` is the one in which it was given.
    pub(crate) org_wide: bool,
    pub(crate) user: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) user_scopes: Vec<String>,
    pub(crate) challenge: Option<String>,
    /// Channel chosen for an incoming webhook.
    pub(crate) webhook_channel: Option<String>,
}

/// A consent that waits to be exchanged.
struct Code {
    consent: Consent,
    expires_at: i64,
    used: bool,
}

/// Subject for which a token acts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Holder {
    /// The app's bot.
    Bot,
    /// A person, by id.
    User(String),
}

/// A token. It has no `Debug`, so that it cannot be printed by accident.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) secret: String,
    /// Workspace in which it acts. One of a whole organisation acts in the workspace that a call names; see
    /// [`Token::acting_in`].
    pub(crate) team: Arc<Team>,
    pub(crate) org_wide: bool,
    pub(crate) holder: Holder,
    pub(crate) scopes: Vec<String>,
    /// The scopes as each answer shows them.
    pub(crate) scope_header: HeaderValue,
    pub(crate) expires_at: Option<i64>,
    // Shared, because a token of a whole organisation acts in many places and ends once.
    ended: Arc<AtomicU8>,
}

const LIVE: u8 = 0;
const REVOKED: u8 = 1;
const UNINSTALLED: u8 = 2;

impl Token {
    pub(crate) fn scope(&self) -> String {
        self.scopes.join(",")
    }

    /// Returns the same token of a whole organisation, in another of its workspaces.
    pub(crate) fn acting_in(&self, team: Arc<Team>) -> Self {
        Self { team, ..self.clone() }
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|known| known == scope)
    }

    /// Slack's error code when the token is no longer valid.
    fn trouble(&self, now: i64) -> Option<&'static str> {
        match self.ended.load(Ordering::Relaxed) {
            REVOKED => Some("token_revoked"),
            UNINSTALLED => Some("account_inactive"),
            _ if self.expires_at.is_some_and(|at| now >= at) => Some("token_expired"),
            _ => None,
        }
    }
}

/// A bot's token as it is kept over a restart.
#[derive(Deserialize, Serialize)]
pub(crate) struct KeptBot {
    place: String,
    team: String,
    secret: String,
    scopes: Vec<String>,
    expires_at: Option<i64>,
    /// Refresh tokens that renew it.
    refreshes: Vec<String>,
}

impl KeptBot {
    /// Workspace in which it acts.
    pub(crate) fn team(&self) -> &str {
        &self.team
    }
}

/// All codes and tokens.
#[derive(Default)]
pub(crate) struct Grants {
    codes: Mutex<HashMap<String, Code>>,
    tokens: RwLock<HashMap<String, Arc<Token>>>,
    refreshes: Mutex<HashMap<String, Arc<Token>>>,
    // One app has one bot token in a workspace, and one in an organisation, after any number of installations.
    bots: Mutex<HashMap<String, Arc<Token>>>,
}

impl Grants {
    /// Exchanges a consent for a code.
    pub(crate) fn consent(&self, consent: Consent, ids: &Ids, now: i64) -> String {
        let code = ids.secret("");
        let kept = Code { consent, expires_at: now + CODE_SECS, used: false };
        self.codes.lock().insert(code.clone(), kept);
        code
    }

    /// Consumes a code if the check agrees; a code that fails the check is spent as well, as a stolen one should be.
    pub(crate) fn redeem(
        &self,
        code: &str,
        now: i64,
        check: impl FnOnce(&Consent) -> Result<(), &'static str>,
    ) -> Result<Consent, &'static str> {
        let mut codes = self.codes.lock();
        let kept = codes.get_mut(code).ok_or("invalid_code")?;
        if kept.used {
            return Err("code_already_used");
        }
        if now >= kept.expires_at {
            return Err("invalid_code");
        }
        kept.used = true;
        check(&kept.consent)?;
        Ok(kept.consent.clone())
    }

    /// Returns the token with this text, if it is valid.
    pub(crate) fn token(&self, secret: &str, now: i64) -> Result<Arc<Token>, &'static str> {
        let token = self.tokens.read().get(secret).cloned().ok_or("invalid_auth")?;
        token.trouble(now).map_or(Ok(token), Err)
    }

    /// Issues the bot's token in a workspace, or in the whole organisation. Scopes add up over installations; without
    /// rotation the text stays the same.
    pub(crate) fn install(
        &self,
        (team, org_wide): (&Arc<Team>, bool),
        scopes: &[String],
        ids: &Ids,
        expires_at: Option<i64>,
    ) -> Arc<Token> {
        let place = if org_wide { ENTERPRISE.id } else { &team.id };
        let mut bots = self.bots.lock();
        let earlier = bots.get(place).filter(|token| token.ended.load(Ordering::Relaxed) == LIVE);
        let mut all = earlier.map(|token| token.scopes.clone()).unwrap_or_default();
        all.extend(scopes.iter().filter(|scope| !earlier.is_some_and(|token| token.has(scope))).cloned());
        let kept = earlier.filter(|token| token.expires_at.is_none() && expires_at.is_none());
        let secret = match (kept, expires_at) {
            (Some(token), _) => token.secret.clone(),
            (None, None) => ids.secret(&format!("xoxb-{place}-")),
            (None, Some(_)) => ids.secret("xoxe.xoxb-1-"),
        };
        let token = self.issue(secret, (Arc::clone(team), org_wide), Holder::Bot, all, expires_at);
        bots.insert(place.to_owned(), Arc::clone(&token));
        token
    }

    /// Issues a token for a person.
    pub(crate) fn install_user(&self, team: &Arc<Team>, user: &str, scopes: &[String], ids: &Ids) -> Arc<Token> {
        let secret = ids.secret(&format!("xoxp-{}-", team.id));
        self.issue(secret, (Arc::clone(team), false), Holder::User(user.to_owned()), scopes.to_vec(), None)
    }

    fn issue(
        &self,
        secret: String,
        (team, org_wide): (Arc<Team>, bool),
        holder: Holder,
        scopes: Vec<String>,
        expires_at: Option<i64>,
    ) -> Arc<Token> {
        let scope_header = HeaderValue::from_str(&scopes.join(",")).unwrap_or_else(|_| HeaderValue::from_static(""));
        let token = Arc::new(Token {
            secret: secret.clone(),
            team,
            org_wide,
            holder,
            scopes,
            scope_header,
            expires_at,
            ended: Arc::new(AtomicU8::new(LIVE)),
        });
        self.tokens.write().insert(secret, Arc::clone(&token));
        token
    }

    /// Returns the valid tokens of bots, in a stable order.
    pub(crate) fn kept_bots(&self) -> Vec<KeptBot> {
        let refreshes = self.refreshes.lock();
        let renewing = |token: &Arc<Token>| {
            let mut own: Vec<String> = refreshes
                .iter()
                .filter(|(_, of)| of.secret == token.secret)
                .map(|(secret, _)| secret.clone())
                .collect();
            own.sort();
            own
        };
        let bots = self.bots.lock();
        let live = bots.iter().filter(|(_, token)| token.ended.load(Ordering::Relaxed) == LIVE);
        let kept = live.map(|(place, token)| KeptBot {
            place: place.clone(),
            team: token.team.id.clone(),
            secret: token.secret.clone(),
            scopes: token.scopes.clone(),
            expires_at: token.expires_at,
            refreshes: renewing(token),
        });
        let mut kept: Vec<_> = kept.collect();
        kept.sort_by(|one, other| one.place.cmp(&other.place));
        kept
    }

    /// Restores a bot's token in its workspace.
    pub(crate) fn restore_bot(&self, bot: KeptBot, team: &Arc<Team>) {
        let org_wide = bot.place == ENTERPRISE.id;
        let token = self.issue(bot.secret, (Arc::clone(team), org_wide), Holder::Bot, bot.scopes, bot.expires_at);
        self.refreshes.lock().extend(bot.refreshes.into_iter().map(|secret| (secret, Arc::clone(&token))));
        self.bots.lock().insert(bot.place, token);
    }

    /// Issues a refresh token for a token.
    pub(crate) fn refresh_token(&self, token: &Arc<Token>, ids: &Ids) -> String {
        let secret = ids.secret("xoxe-1-");
        self.refreshes.lock().insert(secret.clone(), Arc::clone(token));
        secret
    }

    /// Exchanges a refresh token, which is consumed, for the token it renews.
    pub(crate) fn take_refresh(&self, secret: &str) -> Option<Arc<Token>> {
        let token = self.refreshes.lock().remove(secret)?;
        (token.ended.load(Ordering::Relaxed) == LIVE).then_some(token)
    }

    /// Revokes one token.
    pub(crate) fn revoke(&self, token: &Token) {
        token.ended.store(REVOKED, Ordering::Relaxed);
    }

    /// Revokes every token of a workspace; returns the ids of the people and of the bots they belonged to.
    pub(crate) fn uninstall(&self, team: &Team) -> (Vec<String>, Vec<String>) {
        let (mut people, mut bots) = (Vec::new(), Vec::new());
        for token in self.tokens.read().values().filter(|token| token.team.id == team.id && !token.org_wide) {
            if token.ended.swap(UNINSTALLED, Ordering::Relaxed) != LIVE {
                continue;
            }
            match &token.holder {
                Holder::Bot => bots.push(team.bot.user_id.clone()),
                Holder::User(id) => people.push(id.clone()),
            }
        }
        self.bots.lock().remove(&team.id);
        bots.dedup();
        (people, bots)
    }

    /// Reports that the app is installed in a workspace.
    pub(crate) fn is_installed(&self, team: &Team) -> bool {
        let bots = self.bots.lock();
        let mut places = [team.id.as_str(), ENTERPRISE.id].into_iter().filter_map(|place| bots.get(place));
        places.any(|token| token.ended.load(Ordering::Relaxed) == LIVE)
    }
}
