//! Personal access tokens: created, listed, revoked. The text is shown once.
//!
//! Not here: the format of the text (`credential`).

use std::collections::BTreeSet;

use serde_json::json;
use uuid::Uuid;

use super::{
    Tenancy,
    credential::{Credential, Kind},
};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        ids::{OrganisationId, TokenId},
        page::{Page, PageRequest},
        secret::Secret,
        tenancy::{
            member::{Member, Permission},
            organisation::display_name,
            token::{self, Token},
        },
    },
    store,
};

/// A token to be created.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Name, for display.
    pub name: String,
    /// Narrower than the member's permissions; empty means all of them.
    pub scopes: BTreeSet<Permission>,
    /// Expiry.
    pub expires_at: Option<Time>,
}

impl Tenancy {
    /// Creates a token for the caller's own use.
    ///
    /// # Errors
    /// [`Error::Forbidden`] also where a scope is wider than the caller's own permissions; [`Error::Invalid`].
    pub async fn create_token(&self, caller: &Caller, new: NewToken) -> Result<(Token, Secret)> {
        caller.require(Permission::TokensManage)?;
        caller.require_all(&new.scopes)?;
        let member = store::tenancy::members::find_by_id(self.base.store.reader(), caller.member_id).await?;
        // An empty list of scopes means all that the caller holds: a narrowed token does not create a wider one.
        let scopes = if new.scopes.is_empty() { caller.narrowing(&member) } else { new.scopes };
        self.issue_token(&member, NewToken { scopes, ..new }, &caller.actor()).await
    }

    /// Creates a token for any member, as the operator.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn create_token_as_operator(&self, member: &Member, new: NewToken) -> Result<(Token, Secret)> {
        self.issue_token(member, new, "operator").await
    }

    /// Lists the caller's own tokens, newest first, without their text.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_tokens(&self, caller: &Caller, page: PageRequest) -> Result<Page<Token>> {
        caller.require(Permission::TokensManage)?;
        let reader = self.base.store.reader();
        store::tenancy::tokens::list(reader, caller.organisation_id, Some(caller.member_id), page).await
    }

    /// Lists the tokens of all members of an organisation as the operator, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_tokens_as_operator(&self, id: OrganisationId, page: PageRequest) -> Result<Page<Token>> {
        store::tenancy::tokens::list(self.base.store.reader(), id, None, page).await
    }

    /// Revokes one of the caller's tokens; a caller who manages members may revoke those of others, but an owner's only
    /// as an owner. A repeated revocation changes nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or [`Error::NotFound`] for a token of another user.
    pub async fn revoke_token(&self, caller: &Caller, id: TokenId) -> Result<()> {
        caller.require(Permission::TokensManage)?;
        let tx = self.base.store.begin().await?;
        let token = store::tenancy::tokens::find(&tx, caller.organisation_id, id).await?;
        if token.member_id != caller.member_id && !caller.may(Permission::MembersManage) {
            return Err(Error::not_found(Noun::Token, id));
        }
        caller.require_rank(store::tenancy::members::find_by_id(&tx, token.member_id).await?.role)?;
        store::tenancy::tokens::revoke(&tx, id, self.base.now()).await?;
        self.base.audit(&tx, (caller.organisation_id, &caller.actor()), "token.revoke", id, json!({})).await?;
        tx.commit().await?;
        self.identity.forget();
        Ok(())
    }

    /// Revokes a member's or an operator's token as the operator, by its id or by its text.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn revoke_token_as_operator(&self, id_or_text: &str) -> Result<Uuid> {
        let unknown = || Error::not_found(Noun::Token, "of that id or text");
        let id: Uuid = match Credential::parse(id_or_text) {
            Some(credential) => credential.id,
            None => id_or_text.parse().map_err(|_| unknown())?,
        };
        let tx = self.base.store.begin().await?;
        match store::tenancy::tokens::find_with_secret(&tx, id.into()).await? {
            Some((token, _)) => {
                store::tenancy::tokens::revoke(&tx, token.id, self.base.now()).await?;
                self.base.audit(&tx, (token.organisation_id, "operator"), "token.revoke", id, json!({})).await?;
            }
            None => self.revoke_operator_token(&tx, id.into()).await?.ok_or_else(unknown)?,
        }
        tx.commit().await?;
        Ok(id)
    }

    async fn issue_token(&self, member: &Member, new: NewToken, actor: &str) -> Result<(Token, Secret)> {
        let now = self.base.now();
        token::require_future(new.expires_at, now)?;
        let token = Token {
            id: self.base.ambient.id(),
            organisation_id: member.organisation_id,
            member_id: member.id,
            user_id: member.user_id,
            name: display_name("/name", &new.name, 100)?,
            scopes: new.scopes,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
            created_at: now,
        };
        let (text, secret_sha256) = Credential::issue(Kind::Personal, token.id.0, self.base.ambient.random());
        let tx = self.base.store.begin().await?;
        store::tenancy::tokens::insert(&tx, &token, secret_sha256).await?;
        let detail = json!({"name": token.name, "for": token.user_id.to_string()});
        self.base.audit(&tx, (token.organisation_id, actor), "token.create", token.id, detail).await?;
        tx.commit().await?;
        Ok((token, text))
    }
}
