//! Runs of webhooks' scripts, with what they store from one run to the next.
//!
//! Not here: what incoming and outgoing webhooks make of the result.

use serde_json::Value;

use super::Webhooks;
use crate::{
    domain::{
        Result,
        webhooks::{
            Webhook,
            script::{ScriptMethod, ScriptRun},
        },
    },
    store,
};

impl Webhooks {
    /// Runs a method of a webhook's script. What the script stores is saved, also where it fails.
    pub(super) async fn run_script(
        &self,
        webhook: &Webhook,
        text: &str,
        call: (ScriptMethod, &Value),
    ) -> Result<ScriptRun> {
        let kept = store::webhooks::script_store(self.base.store.reader(), webhook.id).await?;
        let ran = self.scripts.run(webhook.organisation_id, text, call, kept).await;
        self.base.metrics.script_run(match &ran {
            Ok(ScriptRun { result: Ok(_), .. }) => "ended",
            Ok(ScriptRun { result: Err(_), .. }) => "failed",
            Err(_) => "busy",
        });
        let mut ran = ran?;
        if let Some(changed) = ran.store.take() {
            let writer = self.base.store.writer();
            store::webhooks::keep_script_store(writer, webhook, &changed, self.base.now()).await?;
        }
        Ok(ran)
    }
}
