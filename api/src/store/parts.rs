//! Who has how many of the connections to the database.

/// A part of the connections for each who needs them. Together they are no more than there are, so that none ever waits for
/// what another one holds, whatever that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// Operations that were asked for.
    pub(super) operations: u64,
    /// Finding out who asks, signing in, and telling whether the server is ready.
    pub(super) entrance: u64,
    /// Frames of live streams.
    pub(super) frames: u64,
    /// What the server does for itself: reading ledgers that are followed, making words for the search.
    pub(super) own: u64,
}

impl Parts {
    /// Of so many connections half or more are the operations'.
    pub(super) fn of(connections: u32) -> Self {
        let connections = u64::from(connections);
        let part = |parts: u64| (connections / parts).max(1);
        let (entrance, frames, own) = (part(5), part(5), part(10));
        Self {
            operations: connections.saturating_sub(entrance + frames + own).max(1),
            entrance,
            frames,
            own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_together_are_the_connections_that_there_are() {
        // As many as may be set.
        for connections in 4..=1000 {
            let parts = Parts::of(connections);
            let Parts {
                operations,
                entrance,
                frames,
                own,
            } = parts;
            let all = operations + entrance + frames + own;
            assert_eq!(all, u64::from(connections), "{parts:?}");
            assert!(
                [operations, entrance, frames, own]
                    .iter()
                    .all(|part| *part > 0),
                "{parts:?}"
            );
            assert!(connections < 6 || operations * 2 >= all, "{parts:?}");
        }
    }
}
