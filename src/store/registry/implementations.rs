//! Interfaces that versions of integrations implement.
//!
//! Not here: the comparison of an integration with an interface (`domain::registry`).

use ::entity::registry_implementation::{ActiveModel, Column, Entity as Implementations};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{definition, installations::lock_owner, list::find_visible};
use crate::{
    domain::{
        Result,
        ids::{IntegrationId, OrganisationId},
        registry::definition::{Definition, DefinitionKind, Effort, Issue},
    },
    store::Tx,
};

/// Completes the statements of a workspace's definition about the interfaces that it implements, and returns what it
/// lacks of them. They are read one by one, since each may be large.
///
/// # Errors
/// When the database fails.
pub async fn implement(
    db: &impl ConnectionTrait,
    own: OrganisationId,
    implementing: &mut Definition,
) -> Result<Vec<Issue>> {
    let (mut issues, mut left) = (Vec::new(), Effort::default());
    for (shown, id) in implementing.implemented() {
        let version = match id {
            Some(id) => find_visible(db, DefinitionKind::Interface, own, id).await?,
            None => None,
        };
        let interface = match &version {
            Some(version) => definition(db, version.id).await?.map(|interface| (version.id, interface)),
            None => None,
        };
        let found = interface.as_ref().map(|(id, interface)| (*id, interface));
        issues.extend(implementing.implement(&shown, found, &mut left));
    }
    Ok(issues)
}

/// Does the same within a transaction, until whose end no interface changes or is removed.
///
/// # Errors
/// When the database fails.
pub async fn lock_and_implement(tx: &Tx, own: OrganisationId, implementing: &mut Definition) -> Result<Vec<Issue>> {
    for id in implementing.implemented().into_values().flatten() {
        lock_owner(tx, id).await?;
    }
    implement(tx, own, implementing).await
}

/// Replaces the interfaces that a version is recorded to implement by those of its definition.
///
/// # Errors
/// When the database fails.
pub async fn set_implementations(
    tx: &Tx,
    (organisation_id, id): (OrganisationId, IntegrationId),
    implementing: &Definition,
) -> Result<()> {
    Implementations::delete_many().filter(Column::IntegrationId.eq(id.0)).exec(tx).await?;
    let row = |interface: IntegrationId| ActiveModel {
        integration_id: Set(id.0),
        interface_id: Set(interface.0),
        organisation_id: Set(organisation_id.0),
    };
    let rows: Vec<_> = implementing.implemented().into_values().flatten().map(row).collect();
    if !rows.is_empty() {
        Implementations::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Counts the versions that implement an interface.
///
/// # Errors
/// When the database fails.
pub async fn count_implementations(db: &impl ConnectionTrait, interface: IntegrationId) -> Result<u64> {
    Ok(Implementations::find().filter(Column::InterfaceId.eq(interface.0)).count(db).await?)
}
