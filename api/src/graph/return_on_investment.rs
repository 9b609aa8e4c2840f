//! What meetings and briefs were worth.

use super::{
    analytics::{Analytics, has_status},
    prelude::*,
};
use crate::{
    domain::{
        budget::{percent, two_decimals},
        calendar::Period,
    },
    store::{Figures, within},
};
use async_graphql::Object;
use chrono::TimeDelta;
use entity::{
    Timestamp, approval,
    meeting::{self, MeetingStatus},
    prd,
};
use sea_orm::{ActiveEnum, sea_query::ExprTrait};

/// An hour of a meeting saves so many hours of writing down what came of it.
const HOURS_SAVED_PER_HOUR: f64 = 2.0;

/// What the meetings and briefs of a period were worth.
pub struct Roi<'a>(pub(super) &'a Analytics);

/// What the meetings and briefs of a period were worth.
#[Object(name = "ReturnOnInvestment")]
impl Roi<'_> {
    /// How many hours of writing were saved: two for each hour of the completed meetings that began in the period,
    /// with two decimals.
    async fn hours_saved(&self, ctx: &Context<'_>) -> Nullable<f64> {
        let group = ctx
            .scope()
            .figure::<meeting::Entity>(|ask| {
                self.0.meetings_only(ask);
                ask.only(has_status(ask, MeetingStatus::Completed));
                ask.sum("seconds", ask.column(meeting::Column::DurationSeconds));
            })
            .await?;
        let hours = group.number("seconds")? as f64 / 3600.0;
        Ok(Some(two_decimals(hours * HOURS_SAVED_PER_HOUR)))
    }

    /// How many meetings that began in the period are completed.
    async fn meetings(&self, ctx: &Context<'_>) -> Nullable<i32> {
        use meeting::Column::{ProjectId, StartTime};
        let completed = |ask: &mut Figures<'_, meeting::Entity>| {
            ask.only(has_status(ask, MeetingStatus::Completed));
        };
        let count = self.0.count(ctx.scope(), StartTime, ProjectId, completed);
        Ok(Some(count.await?))
    }

    /// How many briefs were created in the period.
    async fn briefs(&self, ctx: &Context<'_>) -> Nullable<i32> {
        use prd::Column::{CreatedAt, ProjectId};
        let count = self
            .0
            .count::<prd::Entity>(ctx.scope(), CreatedAt, ProjectId, |_| {});
        Ok(Some(count.await?))
    }

    /// How many of the period's decisions on briefs were approvals and not rejections, in percent, with two decimals;
    /// null when there were none.
    async fn approval_rate(&self, ctx: &Context<'_>) -> Nullable<f64> {
        use approval::{ApprovalDecision, ApprovalSubject, Column};
        let group = ctx
            .scope()
            .figure::<approval::Entity>(|ask| {
                ask.within(Column::CreatedAt, self.0.period);
                self.0.project_only(ask, Column::ProjectId);
                let subject = ask.column(Column::SubjectType);
                ask.only(subject.eq(ApprovalSubject::Brief.to_value()));
                let decided = |decision: ApprovalDecision| {
                    ask.column(Column::Decision).eq(decision.to_value())
                };
                let approved = decided(ApprovalDecision::Approved);
                let rejected = decided(ApprovalDecision::Rejected);
                ask.count_if("approved", approved);
                ask.count_if("rejected", rejected);
            })
            .await?;
        let approved = group.number("approved")?;
        Ok(percent(approved, approved + group.number("rejected")?))
    }

    /// How many more meetings were completed in the last seven days of the period than in the seven before those, in
    /// percent; below zero when fewer were, null when there were none in the week before.
    async fn week_over_week_percent(&self, ctx: &Context<'_>) -> Nullable<f64> {
        let back = |days| {
            let at = self.0.period.to.inner();
            let earlier = at.checked_sub_signed(TimeDelta::days(days));
            Timestamp::new(earlier.unwrap_or(at))
        };
        let week = Period {
            from: back(7),
            to: self.0.period.to,
        };
        let before = Period {
            from: back(14),
            to: back(7),
        };
        let group = ctx
            .scope()
            .figure::<meeting::Entity>(|ask| {
                let at = ask.column(meeting::Column::StartTime);
                ask.only(at.clone().gte(before.from));
                ask.only(at.clone().lt(week.to));
                self.0.project_only(ask, meeting::Column::ProjectId);
                ask.only(has_status(ask, MeetingStatus::Completed));
                ask.count_if("week", within(&at, week));
                ask.count_if("before", within(&at, before));
            })
            .await?;
        let before = group.number("before")?;
        Ok(percent(group.number("week")? - before, before))
    }
}
