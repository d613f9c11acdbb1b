//! View counts of integrations. Reading an integration does not wait for the count; while one batch is written, further
//! views are gathered for the next one.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::Registry;
use crate::{
    domain::{
        Result,
        registry::{Entry, definition::DefinitionKind},
    },
    store::registry,
};

/// Views that are counted but not written yet.
#[derive(Default)]
pub(super) struct Views {
    gathered: Mutex<HashMap<(DefinitionKind, String), i64>>,
    writing: tokio::sync::Mutex<()>,
}

impl Registry {
    /// Counts a view.
    pub(super) fn count_view(&self, Entry { kind, name }: Entry<'_>) {
        let views = &self.views;
        let is_first = {
            let mut gathered = views.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            let is_first = gathered.is_empty();
            *gathered.entry((kind, name.to_owned())).or_default() += 1;
            is_first
        };
        if is_first {
            let app = self.clone();
            self.base.afterwards(async move {
                if let Err(error) = app.write_views().await {
                    tracing::warn!(%error, "views could not be counted");
                }
            });
        }
    }

    async fn write_views(&self) -> Result<()> {
        let views = &self.views;
        let _turn = views.writing.lock().await;
        let gathered = std::mem::take(&mut *views.gathered.lock().unwrap_or_else(PoisonError::into_inner));
        let tx = self.base.store.begin().await?;
        let mut names: Vec<_> = gathered.into_iter().collect();
        // In a fixed order, so that no two replicas deadlock.
        names.sort_unstable();
        for ((kind, name), count) in names {
            registry::add_views(&tx, Entry { kind, name: &name }, count).await?;
        }
        tx.commit().await
    }
}
