//! The JSON documents that describe integrations, looked through before anybody installs them.

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
    /// Tells everything that is wrong with it, and what works and may not mean what it says. Nothing is installed. A
    /// descriptor that is wrong is an answer, not an error.
    #[oai(path = "/v1/descriptors/lint", method = "post", operation_id = "lintDescriptor")]
    async fn lint_descriptor(&self, apps: Service<'_, Apps>, caller: Bearer, body: Body<LintIn>) -> Answer<LintOut> {
        let asked = body.value.asked()?;
        let found = apps.lint_descriptor(&caller.0, asked.source).await?;
        Ok(Json(LintOut::of(found, asked.has_places)))
    }
}
