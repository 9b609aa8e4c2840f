//! What came of meetings: counted by the database, and only what is selected.

use super::{
    figures::{calendar, period},
    prelude::*,
    return_on_investment::Roi,
    shared::{count, project_asked},
};
use crate::{
    auth::{Action, authorize},
    domain::{
        budget::{percent, two_decimals},
        calendar::{Calendar, Period},
    },
    store::{Figures, Scope, at_most},
};
use async_graphql::{Enum, Object, SimpleObject};
use entity::{
    Id, Timestamp, agent_job,
    meeting::{self, MeetingSentiment, MeetingStatus},
};
use sea_orm::{
    ActiveEnum, Iterable,
    sea_query::{Expr, ExprTrait},
};
use std::collections::HashMap;

/// What an agent does that ends in a pull request.
const SHIPPING: &str = "implement_prd";
/// How many topics come when the query does not say.
const USUAL_TOPICS: u64 = 10;
/// How many topics can come.
const MOST_TOPICS: u64 = 100;

/// Figures of meetings and of what came of them.
pub struct Analytics {
    pub(super) period: Period,
    project: Option<Id>,
}

/// How many meetings there were, and what came of them.
#[derive(SimpleObject)]
pub struct MeetingFigures {
    /// How many meetings there were, whatever became of them.
    total: i32,
    /// How many of them are completed: their transcript is ready.
    completed: i32,
    /// How many of them failed.
    failed: i32,
    /// How many of all meetings are completed, in percent, with two decimals; null when there were none.
    completion_rate: Option<f64>,
    /// How long a meeting took, in seconds, on average over those of which it is known, with two decimals; null when
    /// of none.
    average_duration_seconds: Option<f64>,
    /// How many words were spoken, as far as there are transcripts.
    words: i32,
    /// How many things people said they would do.
    action_items: i32,
    /// How many things were decided.
    decisions: i32,
}

/// How many meetings have a status.
#[derive(SimpleObject)]
pub struct MeetingStatusCount {
    /// The status.
    status: MeetingStatus,
    /// How many meetings have it.
    count: i32,
}

/// A day of the week.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weekday {
    /// The day after Sunday; weeks begin with it.
    Monday,
    /// The day after Monday.
    Tuesday,
    /// The day after Tuesday.
    Wednesday,
    /// The day after Wednesday.
    Thursday,
    /// The day after Thursday.
    Friday,
    /// The day after Friday.
    Saturday,
    /// The day after Saturday.
    Sunday,
}

const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// How many meetings began on a day of the week.
#[derive(SimpleObject)]
pub struct WeekdayCount {
    /// The day of the week, in the workspace's timezone.
    weekday: Weekday,
    /// How many meetings began on it.
    count: i32,
}

/// How many meetings had a mood.
#[derive(SimpleObject)]
pub struct SentimentCount {
    /// The mood.
    sentiment: MeetingSentiment,
    /// How many meetings had it.
    count: i32,
}

/// How often something was talked about.
#[derive(SimpleObject)]
pub struct TopicCount {
    /// What was talked about, in a few words.
    topic: String,
    /// In how many meetings' lists of topics it stands.
    count: i32,
}

impl Analytics {
    pub(super) fn meetings_only(&self, ask: &mut Figures<'_, meeting::Entity>) {
        use meeting::Column::{ProjectId, StartTime};
        ask.within(StartTime, self.period);
        self.project_only(ask, ProjectId);
    }

    pub(super) fn project_only<E: entity::Owned>(
        &self,
        ask: &mut Figures<'_, E>,
        column: E::Column,
    ) {
        if let Some(project) = &self.project {
            ask.only(ask.column(column).eq(project.as_str()));
        }
    }

    pub(super) async fn count<E: entity::Owned>(
        &self,
        scope: &Scope,
        at: E::Column,
        project: E::Column,
        more: impl FnOnce(&mut Figures<'_, E>) + Send,
    ) -> crate::Result<i32> {
        let group = scope
            .figure::<E>(|ask| {
                ask.within(at, self.period);
                self.project_only(ask, project);
                more(ask);
                ask.count("rows");
            })
            .await?;
        Ok(count(group.number("rows")?))
    }
}

pub(super) fn has_status(ask: &Figures<'_, meeting::Entity>, status: MeetingStatus) -> Expr {
    ask.column(meeting::Column::Status).eq(status.to_value())
}

/// Figures of meetings and of what came of them. What is not selected is not computed.
#[Object]
impl Analytics {
    /// The period's first moment.
    async fn from(&self) -> Timestamp {
        self.period.from
    }

    /// The first moment after the period.
    async fn to(&self) -> Timestamp {
        self.period.to
    }

    /// The meetings that began in the period.
    async fn meetings(&self, ctx: &Context<'_>) -> Nullable<MeetingFigures> {
        use meeting::Column::{DurationSeconds, Insights, WordCount};
        let selection = ctx.look_ahead();
        // What was read out of transcripts is large; it is opened only when someone looks.
        let looks_inside = ["actionItems", "decisions"]
            .iter()
            .any(|field| selection.field(field).exists());
        let group = ctx
            .scope()
            .figure::<meeting::Entity>(|ask| {
                self.meetings_only(ask);
                ask.count("total");
                ask.count_if("completed", has_status(ask, MeetingStatus::Completed));
                ask.count_if("failed", has_status(ask, MeetingStatus::Failed));
                ask.count_if("timed", ask.column(DurationSeconds).is_not_null());
                ask.sum("seconds", ask.column(DurationSeconds));
                ask.sum("words", ask.column(WordCount));
                if looks_inside {
                    ask.sum("actionItems", ask.list_length(Insights, "actionItems"));
                    ask.sum("decisions", ask.list_length(Insights, "decisions"));
                }
            })
            .await?;
        let number = |name| group.number(name);
        let inside = |name| if looks_inside { number(name) } else { Ok(0) };
        let (total, completed) = (number("total")?, number("completed")?);
        let (timed, seconds) = (number("timed")?, number("seconds")?);
        Ok(Some(MeetingFigures {
            total: count(total),
            completed: count(completed),
            failed: count(number("failed")?),
            completion_rate: percent(completed, total),
            average_duration_seconds: (timed > 0)
                .then(|| two_decimals(seconds as f64 / timed as f64)),
            words: count(number("words")?),
            action_items: count(inside("actionItems")?),
            decisions: count(inside("decisions")?),
        }))
    }

    /// The meetings that began in the period, by where they stand: every status, in the order of a meeting's life.
    async fn meetings_by_status(&self, ctx: &Context<'_>) -> Nullable<Vec<MeetingStatusCount>> {
        let ask = |ask: &mut Figures<'_, meeting::Entity>| {
            self.meetings_only(ask);
            ask.group("status", ask.column(meeting::Column::Status));
            ask.count("meetings");
        };
        let counts = counts(ctx.scope(), "status", ask).await?;
        let count = |status: MeetingStatus| MeetingStatusCount {
            status,
            count: counts.get(&status.to_value()).copied().unwrap_or_default(),
        };
        Ok(Some(MeetingStatus::iter().map(count).collect()))
    }

    /// The meetings that began in the period, by the day of the week: all seven, from Monday on.
    async fn meetings_by_weekday(&self, ctx: &Context<'_>) -> Nullable<Vec<WeekdayCount>> {
        let calendar: Calendar = calendar(ctx.scope()).await?;
        let stretches = calendar.stretches(self.period);
        let days = ctx
            .scope()
            .figures::<meeting::Entity>(|ask| {
                self.meetings_only(ask);
                ask.group("day", ask.day(meeting::Column::StartTime, &stretches));
                ask.count("meetings");
            })
            .await?;
        let mut week = WEEK.map(|weekday| WeekdayCount { weekday, count: 0 });
        for day in days {
            // The first day of the year 1 was a Monday.
            let place = (day.key("day")? - 1).rem_euclid(7);
            let count = count(day.number("meetings")?);
            if let Some(weekday) = usize::try_from(place).ok().and_then(|at| week.get_mut(at)) {
                weekday.count += count;
            }
        }
        Ok(Some(week.into()))
    }

    /// The meetings that began in the period and whose transcript was read, by their mood.
    async fn sentiments(&self, ctx: &Context<'_>) -> Nullable<Vec<SentimentCount>> {
        let neutral = "neutral";
        let ask = |ask: &mut Figures<'_, meeting::Entity>| {
            self.meetings_only(ask);
            let mood = ask.text_of(meeting::Column::Insights, "sentiment", neutral);
            ask.group("sentiment", mood);
            ask.count("meetings");
        };
        let counts = counts(ctx.scope(), "sentiment", ask).await?;
        let count = |sentiment: MeetingSentiment| SentimentCount {
            sentiment,
            count: counts
                .get(&sentiment.to_value())
                .copied()
                .unwrap_or_default(),
        };
        Ok(Some(MeetingSentiment::iter().map(count).collect()))
    }

    /// What the meetings that began in the period were about: the most frequent first, equally frequent ones by name.
    async fn top_topics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many topics: 10 if not given, at most 100.")] first: Option<i32>,
    ) -> Nullable<Vec<TopicCount>> {
        let first = at_most(
            "The number of topics",
            "first",
            first,
            USUAL_TOPICS,
            MOST_TOPICS,
        )?;
        let groups = ctx
            .scope()
            .figures::<meeting::Entity>(|ask| {
                self.meetings_only(ask);
                let topic = ask.each_text(meeting::Column::Insights, "topics");
                ask.group("topic", topic);
                ask.count("meetings");
                ask.largest_first("meetings");
                ask.limit(first);
            })
            .await?;
        let topic = |group: &crate::store::Group| {
            Ok(TopicCount {
                topic: group.text("topic")?.unwrap_or_default(),
                count: count(group.number("meetings")?),
            })
        };
        let topics: crate::Result<_> = groups.iter().map(topic).collect();
        Ok(Some(topics?))
    }

    /// What the meetings and briefs of the period were worth.
    async fn roi(&self) -> Roi<'_> {
        Roi(self)
    }

    /// How many briefs agents have built in the period: jobs that are done and whose action is `implement_prd`.
    async fn shipped_count(&self, ctx: &Context<'_>) -> Nullable<i32> {
        use agent_job::{AgentJobStatus, Column};
        let shipped = |ask: &mut Figures<'_, agent_job::Entity>| {
            ask.only(ask.column(Column::Action).eq(SHIPPING));
            ask.only(
                ask.column(Column::Status)
                    .eq(AgentJobStatus::Done.to_value()),
            );
        };
        let (at, project) = (Column::CompletedAt, Column::ProjectId);
        Ok(Some(self.count(ctx.scope(), at, project, shipped).await?))
    }
}

/// How many meetings each group has, by its key.
async fn counts(
    scope: &Scope,
    name: &str,
    ask: impl FnOnce(&mut Figures<'_, meeting::Entity>) + Send,
) -> crate::Result<HashMap<String, i32>> {
    let mut out = HashMap::new();
    for group in scope.figures::<meeting::Entity>(ask).await? {
        if let Some(key) = group.text(name)? {
            out.insert(key, count(group.number("meetings")?));
        }
    }
    Ok(out)
}

/// The root field for analytics.
#[derive(Default)]
pub struct AnalyticsQuery;

#[Object]
impl AnalyticsQuery {
    /// Figures of meetings and of what came of them, over all projects or one.
    async fn analytics(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only what happened from this moment on; 30 days before `to` if not given, at most 400 days."
        )]
        from: Option<Timestamp>,
        #[graphql(desc = "Only what happened before this moment; now if not given.")] to: Option<
            Timestamp,
        >,
        #[graphql(
            desc = "Only what belongs to this project; if not given, the one of X-Project-Id."
        )]
        project_id: Option<Id>,
    ) -> Nullable<Analytics> {
        authorize(ctx.scope().actor(), Action::Read)?;
        let period = period(ctx, from, to)?;
        let project = project_asked(ctx.scope(), project_id).await?;
        Ok(Some(Analytics { period, project }))
    }
}
