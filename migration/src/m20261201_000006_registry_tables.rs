//! Names of the registry's tables. Sealed values stay bound to the former names.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const NAMES: [(&str, &str); 5] = [
    ("bot_version", "registry_version"),
    ("bot_name", "registry_name"),
    ("bot_source", "registry_source"),
    ("bot_installation", "registry_installation"),
    ("integration_api_key", "registry_api_key"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (former, name) in NAMES {
            rename(manager, former, name).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (former, name) in NAMES {
            rename(manager, name, former).await?;
        }
        Ok(())
    }
}

async fn rename(manager: &SchemaManager<'_>, from: &str, to: &str) -> Result<(), DbErr> {
    statements::execute(manager, &format!("ALTER TABLE {from} RENAME TO {to}")).await?;
    Ok(())
}
