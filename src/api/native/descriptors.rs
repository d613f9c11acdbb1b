//! The JSON documents that describe integrations, checked before an installation.

use poem_openapi::{OpenApi, payload::Json};

use super::{
    Answer, Tag,
    wire::{LintIn, LintOut},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::apps::Apps,
};

/// The operations.
pub struct Descriptors;

#[OpenApi(tag = "Tag::Descriptors")]
impl Descriptors {
    /// Check an integration's descriptor
    ///
    /// Returns every error of the descriptor, and warnings for members that work but may not have the intended meaning.
    /// Nothing is installed. An invalid descriptor is a successful answer, not an error.
    #[oai(path = "/v1/descriptors/lint", method = "post", operation_id = "lintDescriptor")]
    async fn lint_descriptor(&self, apps: Service<'_, Apps>, caller: Bearer, body: Body<LintIn>) -> Answer<LintOut> {
        let asked = body.value.asked()?;
        let found = apps.lint_descriptor(&caller.0, asked.source).await?;
        Ok(Json(LintOut::of(found, asked.has_places)))
    }
}
