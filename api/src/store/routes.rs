//! Which route a message takes: the most specific one that fits.

use super::{Scope, select};
use crate::error::Result;
use entity::{
    Id,
    channel_route::{Column, Entity, Model, RouteChannel, RouteMessageType},
};
use sea_orm::{
    ActiveEnum, Condition, FromQueryResult,
    sea_query::{ExprTrait, Order},
};

/// A message that is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The project it is about; none if about none.
    pub(crate) project: Option<Id>,
    /// The role that it comes from; none if from none.
    pub(crate) role: Option<String>,
    pub(crate) kind: RouteMessageType,
    /// How it travels; none if any way will do.
    pub(crate) channel: Option<RouteChannel>,
}

impl Scope {
    /// The route that a message takes, of those in force: that of its project and role before that of its project, its role,
    /// and all. Of equal ones, that of its type before one of all types, and then the oldest.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn route(&self, message: &Message) -> Result<Option<Model>> {
        self.sees::<Entity>()?;
        let view = self.view();
        let place = view.place();
        let fits = |column: Column, value: Option<&str>| {
            let anything = Condition::any().add(place.column(column).is_null());
            anything.add_option(value.map(|value| place.column(column).eq(value)))
        };
        let (project, role) = (
            message.project.as_ref().map(Id::as_str),
            message.role.as_deref(),
        );
        let channel = message
            .channel
            .map(|channel| place.column(Column::Channel).eq(channel.to_value()));
        let mut select = select::select::<Entity>(place);
        select
            .and_where(place.column(Column::Enabled).eq(true))
            .and_where_option(channel)
            .cond_where(fits(Column::ProjectId, project))
            .cond_where(fits(Column::RoleSlug, role))
            .cond_where(fits(Column::MessageType, Some(&message.kind.to_value())));
        // What is not null comes first, on both databases.
        for column in [Column::ProjectId, Column::RoleSlug, Column::MessageType] {
            select.order_by_expr(place.column(column).is_null(), Order::Asc);
        }
        for column in [Column::CreatedAt, Column::Id] {
            select.order_by_expr(place.column(column), Order::Asc);
        }
        let row = view.snapshot.all(select.limit(1)).await?.pop();
        Ok(row
            .map(|row| Model::from_query_result(&row, ""))
            .transpose()?)
    }
}
