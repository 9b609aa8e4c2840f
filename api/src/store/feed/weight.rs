//! How many bytes feeds hold in memory: of each, and in all.

use sea_orm::{EntityTrait, Iterable, ModelTrait, Value};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// What one feed holds, which also counts in all. Both are exact only while nobody changes them.
pub(super) struct Weight {
    own: AtomicUsize,
    all: Arc<AtomicUsize>,
}

impl Weight {
    /// Holds nothing yet.
    pub(super) fn of(all: &Arc<AtomicUsize>) -> Self {
        Self {
            own: AtomicUsize::new(0),
            all: all.clone(),
        }
    }

    /// What this one holds.
    pub(super) fn own(&self) -> usize {
        self.own.load(Relaxed)
    }

    /// Holds so much more.
    pub(super) fn add(&self, bytes: usize) {
        self.own.fetch_add(bytes, Relaxed);
        self.all.fetch_add(bytes, Relaxed);
    }

    /// Holds so much less.
    pub(super) fn remove(&self, bytes: usize) {
        self.own.fetch_sub(bytes, Relaxed);
        self.all.fetch_sub(bytes, Relaxed);
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.all.fetch_sub(self.own(), Relaxed);
    }
}

/// About how many bytes a row takes.
pub(crate) fn bytes_of_row<M: ModelTrait>(row: &M) -> usize {
    let columns = <M::Entity as EntityTrait>::Column::iter();
    let held = columns.map(|column| match row.get(column) {
        Value::String(text) => text.map_or(0, |text| text.len()),
        Value::Json(json) => json.map_or(0, |json| bytes_of_json(&json)),
        _ => 0,
    });
    size_of::<M>() + held.sum::<usize>()
}

/// About how many bytes a JSON value takes.
pub(crate) fn bytes_of_json(value: &serde_json::Value) -> usize {
    let held = match value {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(items) => items.iter().map(bytes_of_json).sum(),
        serde_json::Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(name, value)| size_of::<String>() + name.len() + bytes_of_json(value))
                .sum()
        }
        _ => 0,
    };
    size_of::<serde_json::Value>() + held
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_count_wherever_they_stand() {
        let text = "x".repeat(1000);
        for value in [
            json!(text),
            json!([[text]]),
            json!({ "a": { "b": text } }),
            json!({ text: 1 }),
        ] {
            let bytes = bytes_of_json(&value);
            assert!((1000..1400).contains(&bytes), "{bytes}");
        }
    }

    #[test]
    fn what_ends_counts_no_more() {
        let all = Arc::default();
        let (one, other) = (Weight::of(&all), Weight::of(&all));
        one.add(5);
        other.add(7);
        one.remove(2);
        assert_eq!((one.own(), other.own(), all.load(Relaxed)), (3, 7, 10));
        drop(one);
        assert_eq!(all.load(Relaxed), 7);
    }
}
