//! Answers that are on their way: their bytes are held until the client takes them.

use super::quota::{Portion, Quota};
use crate::auth::{Actor, Origin};
use axum::body::Bytes;
use std::sync::Arc;

/// A frame of so many bytes goes out whatever else its readers let lie: a stream has one on its way at most, and one slow
/// reader must not end the streams of all colleagues.
const SMALL: u64 = 16 * 1024;

/// Who reads an answer: somebody in a workspace, or a stranger at an address.
pub(super) struct Reader {
    of: Of,
    actor: String,
}

/// Whose share of what may be unread a reader has a share of.
enum Of {
    Workspace(String),
    /// All of them together: addresses are had by the thousand.
    Strangers,
}

impl Of {
    /// What tells it apart from all others.
    fn key(&self) -> &str {
        match self {
            Self::Workspace(id) => id,
            // No id is empty.
            Self::Strangers => "",
        }
    }
}

impl Reader {
    pub(super) fn actor(actor: &Actor) -> Self {
        Self {
            of: Of::Workspace(actor.tenant().to_string()),
            actor: actor.key(),
        }
    }

    /// Tells the actor apart from all others.
    pub(super) fn key(&self) -> &str {
        &self.actor
    }

    /// Somebody without a token, of whom nothing but the address is known.
    pub(super) fn stranger(origin: &Origin) -> Self {
        Self {
            of: Of::Strangers,
            actor: origin.key(),
        }
    }
}

/// The bytes that may be unread: in all, of each workspace, and of each actor, so that nobody's slow reading keeps
/// colleagues from theirs.
pub(super) struct Unread {
    in_all: u64,
    workspaces: Arc<Quota>,
    actors: Arc<Quota>,
}

/// What of it an answer holds until it was read.
pub(super) struct OnItsWay {
    _workspace: Portion,
    _actor: Portion,
}

impl Unread {
    /// So many in all, a quarter of them of one workspace, and a quarter of those of one actor.
    pub(super) fn new(in_all: u64) -> Self {
        let of_workspace = in_all.div_ceil(4);
        let of_actor = of_workspace.div_ceil(4);
        Self {
            in_all,
            workspaces: Quota::with_little(of_workspace, in_all, of_actor / 4),
            actors: Quota::new(of_actor, u64::MAX),
        }
    }

    /// Whether somebody may be answered more. Who has nothing unread may while there is room for anybody; of strangers,
    /// who want to sign in, while the others are left half of it.
    pub(super) fn has_room(&self, reader: &Reader) -> bool {
        let of_workspace = self.workspaces.has_room(reader.of.key());
        let for_anybody = || match reader.of {
            Of::Strangers => self.workspaces.held_by(reader.of.key()) < self.in_all / 2,
            Of::Workspace(_) => self.workspaces.has_room_in_all(),
        };
        let is_first = || self.actors.held_by(&reader.actor) == 0 && for_anybody();
        self.actors.has_room(&reader.actor) && (of_workspace || is_first())
    }

    /// Holds so many bytes, however many there are: what is there must be counted.
    pub(super) fn hold(&self, reader: &Reader, bytes: u64) -> OnItsWay {
        OnItsWay {
            _workspace: self.workspaces.hold(reader.of.key(), bytes),
            _actor: self.actors.hold(&reader.actor, bytes),
        }
    }

    /// Holds so many bytes if there is room for any, or they are next to nothing.
    pub(super) fn take(&self, reader: &Reader, bytes: u64) -> Option<OnItsWay> {
        let may = bytes <= SMALL || self.has_room(reader);
        may.then(|| self.hold(reader, bytes))
    }
}

impl OnItsWay {
    /// The bytes, which count until nobody holds them any more.
    pub(super) fn with(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Counted {
            bytes,
            _on_its_way: self,
        })
    }
}

struct Counted {
    bytes: Bytes,
    _on_its_way: OnItsWay,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(workspace: &str, actor: &str) -> Reader {
        Reader {
            of: Of::Workspace(workspace.to_owned()),
            actor: format!("{workspace} {actor}"),
        }
    }

    #[test]
    fn who_reads_slowly_keeps_no_colleague_from_reading() {
        let unread = Unread::new(1600 << 10);
        let (slow, colleague) = (reader("one", "slow"), reader("one", "colleague"));
        let mut held = Vec::new();
        while let Some(taken) = unread.take(&slow, 40 << 10) {
            held.push(taken);
        }
        assert_eq!(held.len(), 3, "a part of 100 KiB, and what is over");
        assert!(!unread.has_room(&slow) && unread.has_room(&colleague));
        assert!(unread.take(&slow, SMALL).is_some());
        // Many of them fill what the workspace has; who has nothing unread is answered all the same.
        let many = |workspace: &str, count: usize| -> Vec<_> {
            let readers = (0..count).map(|number| reader(workspace, &number.to_string()));
            readers
                .filter_map(|reader| unread.take(&reader, 80 << 10))
                .collect()
        };
        held.extend(many("one", 4));
        let _second = unread.hold(&colleague, 1);
        assert!(!unread.has_room(&colleague) && unread.has_room(&reader("one", "another")));
        assert!(unread.has_room(&reader("two", "anybody")));
        // But not when there is no room for anybody.
        held.extend(many("three", 100));
        assert!(!unread.has_room(&reader("one", "another")));
        assert!(
            unread.has_room(&reader("two", "anybody")),
            "a workspace that has little"
        );
    }

    #[test]
    fn strangers_of_all_addresses_leave_half_to_who_has_a_workspace() {
        let unread = Unread::new(1600 << 10);
        let stranger = |last: u8| {
            Reader::stranger(&Origin {
                address: Some([203, 0, 113, last].into()),
                ..Origin::default()
            })
        };
        let mut held = Vec::new();
        let second = |held: &mut Vec<_>| held.extend(unread.take(&stranger(0), 40 << 10));
        second(&mut held);
        held.extend((1..10).filter_map(|last| unread.take(&stranger(last), 40 << 10)));
        // Their share is used up: who has something unread waits, and who comes does not.
        second(&mut held);
        assert_eq!(held.len(), 10);
        held.extend((10..200).filter_map(|last| unread.take(&stranger(last), 40 << 10)));
        assert_eq!(held.len(), 20, "half of it");
        let readers = (0..200).map(|number| reader("one", &number.to_string()));
        let answered = readers.filter_map(|reader| unread.take(&reader, 40 << 10));
        assert_eq!(answered.collect::<Vec<_>>().len(), 20);
    }
}
