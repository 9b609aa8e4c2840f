//! Sessions under races: what ends them has ended them when it answers, whatever else went on in the same moment.

mod racers;

use self::racers::{End, World};
use crate::support::DEMO;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many rounds of what hashes no password.
const MANY: usize = 200;
/// So many of what hashes one, slowly as it must be.
const SOME: usize = 100;
/// So many of what hashes several.
const FEW: usize = 40;

/// Fails when anything went wrong, and tells all of it together.
fn none(faults: &[String], rounds: usize) {
    let shown = &faults[..faults.len().min(9)];
    assert!(
        faults.is_empty(),
        "{} faults in {rounds} rounds: {shown:#?}",
        faults.len()
    );
}

/// Declares the rounds of each pair as tests of their own.
macro_rules! pairs {
    ($($name:ident: $rounds:ident $round:ident $how:ident;)*) => { on_both_databases! { $(
        async fn $name(app) {
            let people = World::of(&app).await.people($rounds).await;
            let faults = World::rounds(people, |person| person.$round(End::$how)).await;
            none(&faults.concat(), $rounds);
            app.verify_ledger(DEMO).await;
        }
    )* } };
}

pairs! {
    a_copied_session_does_not_survive_a_change_of_the_password: SOME refreshes_while Change;
    a_copied_session_does_not_survive_a_reset_of_the_password: SOME refreshes_while Reset;
    a_copied_session_does_not_survive_signing_out_everywhere: MANY refreshes_while Everywhere;
    a_copied_session_does_not_survive_the_removal_of_its_user: MANY refreshes_while Removal;
    a_copied_session_does_not_survive_a_change_of_role: MANY refreshes_while Role;
    nobody_stays_in_with_a_password_that_was_changed_meanwhile: FEW signs_in_while Change;
    nobody_stays_in_with_a_password_that_was_reset_meanwhile: FEW signs_in_while Reset;
    nobody_stays_in_who_was_removed_meanwhile: FEW signs_in_while Removal;
    signing_in_and_out_everywhere_do_not_disturb_each_other: FEW signs_in_while Everywhere;
    signing_in_and_a_change_of_role_do_not_disturb_each_other: FEW signs_in_while Role;
}

on_both_databases! {
    async fn sessions_that_are_ended_twice_at_once_are_ended_twice(app) {
        let world = World::of(&app).await;
        let ends = [
            (End::Change, End::Everywhere), (End::Change, End::Change), (End::Change, End::Reset),
            (End::Reset, End::Everywhere), (End::Everywhere, End::Everywhere), (End::Everywhere, End::Role),
        ];
        let people = world.people(ends.len() * FEW).await;
        let next = AtomicUsize::new(0);
        let rounds = World::rounds(people, |person| {
            let (one, other) = ends[next.fetch_add(1, Ordering::Relaxed) % ends.len()];
            person.ends_twice(one, other)
        }).await;
        let mut faults: Vec<String> = rounds.iter().flat_map(|(_, _, faults)| faults.clone()).collect();
        let versions = world.versions().await;
        for (id, ended, _) in &rounds {
            let version = versions.iter().find(|(of, _)| of == id).map(|(_, version)| *version);
            if version != Some(*ended) {
                faults.push(format!("{id}: ended {ended} times, but version {version:?}"));
            }
        }
        none(&faults, rounds.len());
    }
}
