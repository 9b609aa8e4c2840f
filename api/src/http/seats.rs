//! How many connections each actor holds open.

use super::Limits;
use crate::error::Result;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The connections that stay open, counted by the actor who holds them.
#[derive(Default)]
pub(super) struct Seats(Mutex<HashMap<String, u64>>);

/// One of them, as long as it is held.
pub(super) struct Seat {
    seats: Arc<Seats>,
    actor: String,
}

impl Seats {
    /// Takes one more for an actor, who is named by its key.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) when the actor holds as many as are allowed.
    pub(super) fn take(self: &Arc<Self>, actor: String, limits: &Limits) -> Result<Seat> {
        let mut taken = self.taken();
        let count = taken.get(&actor).copied().unwrap_or_default() + 1;
        limits.check_sockets_per_actor(count)?;
        taken.insert(actor.clone(), count);
        drop(taken);
        Ok(Seat {
            seats: self.clone(),
            actor,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        if let Some(count) = taken.get_mut(&self.actor) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.actor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_free_again_when_it_is_left() {
        let limits = Limits {
            sockets_per_actor: 1,
            ..Limits::default()
        };
        let seats = Arc::<Seats>::default();
        let seat = seats.take("a".to_owned(), &limits);
        assert!(seat.is_ok() && seats.take("b".to_owned(), &limits).is_ok());
        assert!(seats.take("a".to_owned(), &limits).is_err());
        drop(seat);
        assert!(seats.take("a".to_owned(), &limits).is_ok());
        assert!(seats.taken().is_empty());
    }
}
