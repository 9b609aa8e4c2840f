//! What an operation costs: how many values its answer can hold at most, by the page sizes it asks for, and what it takes
//! to find them.
//!
//! Every field counts one for each time it can occur, and more if it is large or sums. Below a list it occurs as often as
//! the list's page has rows: what `first` or `last` says, as a literal, a variable or its default, or else what the field
//! does by itself. A list's filter counts for each time the list occurs.

use super::{
    conditions::Conditions,
    shapes::{Shape, Times},
};
use crate::error::{Error, FieldCost, Result};
use async_graphql::{Name, Value as ConstValue, Variables};
use std::{cmp::Reverse, collections::HashMap};

/// So many of the dearest fields are named in a refusal.
const NAMED: usize = 5;

/// A part of a selection.
#[derive(Debug)]
pub(super) enum Part {
    /// A field.
    Field(Box<Field>),
    /// A fragment, by its number.
    Fragment(usize),
}

/// A field, as far as its price goes.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name in the answer.
    pub(super) shown: Name,
    pub(super) shape: Shape,
    pub(super) first: Option<Count>,
    pub(super) last: Option<Count>,
    pub(super) ids: Option<Count>,
    pub(super) conditions: Conditions,
    pub(super) parts: Vec<Part>,
}

/// A number that an argument says, or that its length is.
#[derive(Debug)]
pub(super) enum Count {
    Literal(u64),
    Variable(Name),
}

/// What a selection costs once, and again for each row if it is that of a page.
#[derive(Clone, Copy, Default)]
struct Price {
    once: u64,
    each_row: u64,
}

impl Price {
    fn of_page(self, rows: u64) -> u64 {
        self.once.saturating_add(self.each_row.saturating_mul(rows))
    }
}

/// What is known when an operation is priced.
pub(super) struct Prices<'d> {
    /// The fragments by their numbers.
    pub(super) fragments: &'d [Vec<Part>],
    /// Their numbers, those first that others are made of.
    pub(super) order: &'d [usize],
    pub(super) variables: &'d Variables,
    /// What each variable that is a filter costs.
    pub(super) filters: HashMap<Name, u64>,
}

/// A place in the answer: where it is, how often it occurs, and how many rows the page has that it is in.
#[derive(Clone, Copy)]
struct Level<'p> {
    path: &'p str,
    times: u64,
    page: u64,
}

impl<'d> Prices<'d> {
    /// Prices an operation.
    ///
    /// # Errors
    /// [`Error::CostExceeded`] with the largest lists and the dearest fields.
    pub(super) fn check(&self, parts: &'d [Part], limit: u64) -> Result<u64> {
        let mut prices = vec![Price::default(); self.fragments.len()];
        for number in self.order {
            prices[*number] = self.of(&self.fragments[*number], &prices);
        }
        let requested = self.of(parts, &prices).of_page(1);
        if requested <= limit {
            return Ok(requested);
        }
        let mut fields = Vec::new();
        let top = Level {
            path: "",
            times: 1,
            page: 1,
        };
        self.dearest(parts, top, &mut fields);
        fields.sort_by_key(|(_, much)| Reverse(much.number()));
        fields.truncate(NAMED);
        Err(Error::CostExceeded {
            limit,
            requested,
            fields,
        })
    }

    fn of(&self, parts: &[Part], fragments: &[Price]) -> Price {
        parts.iter().fold(Price::default(), |sum, part| {
            let price = match part {
                Part::Field(field) => self.of_field(field, fragments),
                Part::Fragment(number) => fragments[*number],
            };
            Price {
                once: sum.once.saturating_add(price.once),
                each_row: sum.each_row.saturating_add(price.each_row),
            }
        })
    }

    fn of_field(&self, field: &Field, fragments: &[Price]) -> Price {
        let selection = self.of(&field.parts, fragments);
        let one = selection.of_page(self.count(field, field.shape.page));
        let values = one
            .saturating_add(1)
            .saturating_mul(self.count(field, field.shape.times));
        let price = values
            .saturating_add(field.shape.extra)
            .saturating_add(field.conditions.price(&self.filters));
        match field.shape.rows {
            true => Price {
                once: 0,
                each_row: price,
            },
            false => Price {
                once: price,
                each_row: 0,
            },
        }
    }

    fn count(&self, field: &Field, times: Times) -> u64 {
        let known = |count: &Option<Count>| match count.as_ref()? {
            Count::Literal(count) => Some(*count),
            Count::Variable(name) => match self.variables.get(name)? {
                ConstValue::Number(number) => number.as_u64(),
                ConstValue::List(items) => Some(items.len() as u64),
                _ => None,
            },
        };
        match times {
            Times::Fixed(times) => times,
            Times::Asked(usual) => known(&field.first)
                .or_else(|| known(&field.last))
                .unwrap_or(usual),
            Times::Ids => known(&field.ids).unwrap_or(1),
        }
    }

    /// Every list with the most rows it can have, and every field that costs more than its value, as often as it can
    /// occur. Only for what is refused: it walks fragments as often as they are spread, which the limit of fields bounds.
    fn dearest(&self, parts: &[Part], level: Level<'_>, out: &mut Vec<(String, FieldCost)>) {
        for part in parts {
            let field = match part {
                Part::Field(field) => field,
                Part::Fragment(number) => {
                    self.dearest(&self.fragments[*number], level, out);
                    continue;
                }
            };
            let path = match level.path {
                "" => field.shown.to_string(),
                above => format!("{above}.{}", field.shown),
            };
            let repeated = if field.shape.rows { level.page } else { 1 };
            let times = level
                .times
                .saturating_mul(repeated)
                .saturating_mul(self.count(field, field.shape.times));
            let page = self.count(field, field.shape.page);
            let rows = times.saturating_mul(page);
            if field.shape.is_named_list() && rows > 1 {
                out.push((path.clone(), FieldCost::Rows(rows)));
            }
            let values = times.saturating_mul(field.shape.extra);
            if values > 0 {
                out.push((path.clone(), FieldCost::Values(values)));
            }
            let below = Level {
                path: &path,
                times,
                page,
            };
            self.dearest(&field.parts, below, out);
        }
    }
}

impl Shape {
    /// Whether a client would call it a list: rows are those of the page around them.
    fn is_named_list(self) -> bool {
        let is_one = |times| matches!(times, Times::Fixed(1));
        !(self.rows || is_one(self.times) && is_one(self.page))
    }
}
