//! Steps that decide nothing over others: one row, one step, and the words for why.

use crate::{
    domain::machine::{Machine, Step},
    error::Result,
    store::{Tx, standing},
};
use entity::Id;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

type Model<T> = <<T as Step>::Entity as EntityTrait>::Model;
type Changes<T> = <<T as Step>::Entity as EntityTrait>::ActiveModel;

/// Takes a step with a row. One that stands where the step leads to is answered as it is.
///
/// # Errors
/// As a step.
pub(crate) async fn step<T: Step>(
    tx: &mut Tx<'_>,
    step: T,
    id: &Id,
    reason: Option<String>,
) -> Result<Model<T>>
where
    T::Entity: Machine,
    Changes<T>: ActiveModelTrait<Entity = T::Entity> + Send,
    Model<T>: IntoActiveModel<Changes<T>>,
{
    let row = tx.get::<T::Entity>(id).await?;
    if step.rule().is_behind(&standing::<T::Entity>(&row)?) {
        return Ok(row);
    }
    let row = tx.take(&row, step, Changes::<T>::default()).await?;
    if let Some(reason) = reason {
        tx.explain(reason);
    }
    Ok(row)
}
