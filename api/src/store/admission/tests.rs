//! Who is let in, who waits, and who is next.

use super::*;
use futures_util::{FutureExt, future::BoxFuture};

const MOST: Most = Most {
    at_once: Shares {
        actor: 3,
        workspace: 4,
        all: 8,
    },
    present: Shares {
        actor: 9,
        workspace: 12,
        all: 16,
    },
    wait: Duration::from_millis(20),
};

type Asked<'a> = BoxFuture<'a, Result<Permit>>;

fn ask<'a>(admission: &'a Arc<Admission>, (workspace, actor): (&'a str, &'a str)) -> Asked<'a> {
    admission.acquire(workspace, actor).boxed()
}

/// Asks for a turn that is there.
fn begin(admission: &Arc<Admission>, name: &str) -> Permit {
    let asked = ask(admission, name.split_at(1)).now_or_never();
    asked
        .unwrap_or_else(|| panic!("{name} has to wait"))
        .unwrap()
}

/// Asks for a turn that is not there yet.
fn wait<'a>(admission: &'a Arc<Admission>, name: &'a str) -> (&'a str, Asked<'a>) {
    let mut asked = ask(admission, name.split_at(1));
    assert!((&mut asked).now_or_never().is_none(), "{name} is let in");
    (name, asked)
}

/// Who of those that wait is called, in their order, and what they have.
fn called<'a>(waiting: &mut Vec<(&'a str, Asked<'a>)>) -> Vec<(&'a str, Permit)> {
    let mut called = Vec::new();
    waiting.retain_mut(|(name, asked)| match asked.now_or_never() {
        Some(turn) => {
            called.push((*name, turn.unwrap()));
            false
        }
        None => true,
    });
    called
}

#[tokio::test]
async fn a_turn_goes_to_who_has_fewest_and_the_last_ones_are_kept_for_who_has_none() {
    let admission = Admission::new(Most {
        wait: Duration::from_secs(60),
        ..MOST
    });
    let begin = |name| begin(&admission, name);
    let mut a1 = vec![begin("a1"), begin("a1"), begin("a1")];
    // The last turn of a workspace is for an actor who has none, and the last two of all for workspaces that have none.
    let mut waiting = vec![wait(&admission, "a1")];
    let a2 = begin("a2");
    let mut b1 = vec![begin("b1"), begin("b1")];
    waiting.push(wait(&admission, "b1"));
    let c1 = begin("c1");
    waiting.push(wait(&admission, "c1"));
    let d1 = begin("d1");
    waiting.push(wait(&admission, "e1"));
    let mut names = |ended: Permit| {
        drop(ended);
        let called = called(&mut waiting);
        let names: Vec<_> = called.iter().map(|(name, _)| *name).collect();
        (names, called)
    };
    let (first, e1) = names(a1.pop().unwrap());
    assert_eq!(first, ["e1"], "who has none is next");
    assert_eq!(names(a1.pop().unwrap()).0, [""; 0]);
    assert_eq!(names(a2).0, [""; 0], "two turns are kept");
    let (second, _a1) = names(d1);
    assert_eq!(second, ["a1"], "it came before c, which has as many");
    let (third, _b1) = names(b1.pop().unwrap());
    assert_eq!(third, ["b1"], "one each, and b waited before c");
    assert_eq!(names(c1).0, ["c1"]);
    drop((a1, b1, e1));
}

/// What workspaces want that come again as soon as they are let in.
struct Loud<'a> {
    admission: &'a Arc<Admission>,
    waiting: Vec<(&'static str, Option<Asked<'a>>)>,
    held: Vec<Permit>,
}

impl Loud<'_> {
    fn come(&mut self) {
        for (name, asked) in &mut self.waiting {
            let asking = asked.get_or_insert_with(|| ask(self.admission, name.split_at(1)));
            if let Some(turn) = asking.now_or_never() {
                self.held.push(turn.unwrap());
                *asked = None;
            }
        }
    }

    fn end(&mut self, number: usize) {
        drop(self.held.remove(number % self.held.len()));
        self.come();
    }
}

#[tokio::test]
async fn whatever_two_have_begun_others_are_let_in() {
    // Nothing here waits, so the runtime would think that the test keeps the thread from others.
    tokio::task::unconstrained(two_are_loud()).await;
}

async fn two_are_loud() {
    // Of three, one of the two may have two, and the other the last.
    for all in 4..=40_u64 {
        let admission = Admission::new(Most {
            at_once: Shares {
                actor: all.div_ceil(2),
                workspace: all.div_ceil(2),
                all,
            },
            present: Shares::everyone(1000),
            wait: Duration::from_secs(60),
        });
        let names = ["a1", "a2", "a3", "b1", "b2", "b3"];
        let mut loud = Loud {
            admission: &admission,
            waiting: (0..120).map(|n| (names[n % 6], None)).collect(),
            held: Vec::new(),
        };
        for round in 0..50 {
            loud.come();
            assert!(loud.held.len() as u64 <= all);
            let mut third = ask(&admission, ("c", "1"));
            let let_in = (&mut third).now_or_never();
            assert!(let_in.is_some(), "{round} of {all}");
            let mut fourth = ask(&admission, ("d", "1"));
            let mut let_in = [let_in, (&mut fourth).now_or_never()];
            for (asked, turn) in [&mut third, &mut fourth].into_iter().zip(&mut let_in) {
                // Of those who have none they may be the last: turns go round, and each of the others may take two.
                for ended in 0..6 {
                    if turn.is_none() {
                        loud.end(round * 7 + ended);
                        *turn = asked.now_or_never();
                    }
                }
                assert!(turn.is_some(), "{round} of {all}");
            }
        }
    }
}

#[tokio::test]
async fn the_queue_is_bounded_for_each_and_for_all() {
    let admission = Admission::new(MOST);
    let mut present = Vec::new();
    let mut come = |of, times| {
        for _ in 0..times {
            let mut asked = ask(&admission, of);
            match (&mut asked).now_or_never() {
                Some(Err(Error::Busy(whose))) => return Some(whose),
                Some(other) => present.push(futures_util::future::ready(other).boxed()),
                None => present.push(asked),
            }
        }
        None
    };
    assert_eq!(come(("a", "1"), 10), Some(Whose::Actor));
    assert_eq!(come(("a", "2"), 10), Some(Whose::Workspace));
    assert_eq!(come(("b", "1"), 4), None);
    assert_eq!(come(("c", "1"), 1), Some(Whose::All));
    // Whoever waits too long is sent away, and has left the queue.
    let waited = futures_util::future::join_all(present).await;
    let let_in = waited.iter().filter(|turn| turn.is_ok()).count();
    assert_eq!(let_in, 6, "four of a workspace, and two of all are kept");
    drop(waited);
    assert!(admission.state().is_empty());
}

#[tokio::test]
async fn whoever_stops_waiting_keeps_nobody_out() {
    let admission = Admission::new(Most {
        wait: Duration::from_secs(60),
        ..MOST
    });
    let held: Vec<_> = (0..3).map(|_| begin(&admission, "a1")).collect();
    for _ in 0..20 {
        drop(wait(&admission, "a1"));
    }
    let (_, called_and_gone) = wait(&admission, "a1");
    let (_, last) = wait(&admission, "a1");
    drop(held);
    drop(called_and_gone);
    assert!(last.await.is_ok());
    assert!(admission.state().is_empty());
}
