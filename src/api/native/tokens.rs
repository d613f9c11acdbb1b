//! Personal access tokens.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{Limit, List, TokenCreatedOut, TokenIn, TokenOut, page},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::tenancy::Tenancy,
};

/// The operations.
pub struct Tokens;

#[OpenApi(tag = "Tag::Tokens")]
impl Tokens {
    /// List tokens
    ///
    /// Lists the caller's own tokens, without their text.
    #[oai(path = "/v1/tokens", method = "get", operation_id = "listTokens")]
    async fn list_tokens(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<TokenOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(tenancy.list_tokens(&caller.0, page).await?)))
    }

    /// Create a token
    ///
    /// Creates a token for the caller's own use, with no more permissions than the caller has. Its text is returned
    /// only here.
    #[oai(path = "/v1/tokens", method = "post", operation_id = "createToken")]
    async fn create_token(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        body: Body<TokenIn>,
    ) -> Result<Created<TokenCreatedOut>, Refused> {
        Ok(Created::Created(Json(tenancy.create_token(&caller.0, body.value.into()).await?.into())))
    }

    /// Revoke a token
    ///
    /// Revokes a token, which stops working at once. A caller who may manage members can revoke other members' tokens;
    /// an owner's token can be revoked only by an owner.
    #[oai(path = "/v1/tokens/:id", method = "delete", operation_id = "revokeToken")]
    async fn revoke_token(
        &self,
        tenancy: Service<'_, Tenancy>,
        caller: Bearer,
        /// The token's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        tenancy.revoke_token(&caller.0, id.0.into()).await?;
        Ok(Done::Done)
    }
}
