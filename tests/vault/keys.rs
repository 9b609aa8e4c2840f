//! Keys that are replaced while the server serves, and keys that are missing.

use super::{RETEST, connected, sealed};
use crate::{
    support::{DEMO, KEYS, TestApp, secret},
    writes::head,
};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use workgraph::{
    clock::Clock,
    integrations::Services,
    store::Store,
    vault::{Vault, keys},
};

/// The same database, as whoever has these keys opens it.
pub(super) async fn opened(app: &TestApp, keys: &str) -> Store {
    let store = Store::open(&app.connection.url, 2, &secret(), Clock::system())
        .await
        .expect("opens");
    store.with_vault(Vault::new(keys.parse().expect("keys"), Services::default()))
}

/// The keys the other way round.
pub(super) fn reversed() -> String {
    let keys: Vec<_> = KEYS.rsplit(',').collect();
    keys.join(",")
}

async fn in_use(store: &Store) -> Vec<String> {
    let used = store.keys_in_use().await.expect("reads");
    used.into_iter().map(|used| used.id).collect()
}

/// How many connections there are to keep in mind.
const CONNECTIONS: usize = 70;

on_both_databases! {
    async fn all_secrets_get_under_the_first_key_while_they_change(app) {
        let owner = app.owner().await;
        let token = |place: usize, version: usize| format!("token-{place}-{version}-");
        let mut ids: Vec<Value> = Vec::new();
        for place in 0..CONNECTIONS {
            ids.push(connected(&owner, &format!("{place}"), &token(place, 0)).await);
        }
        // As it was before the server got a new first key.
        let before = opened(&app, &reversed()).await;
        keys::rotate(&before, |_| {}).await.expect("rotates");
        assert_eq!(in_use(&before).await, ["other"]);
        let entries = head(&owner).await;
        // It is broken off after some, and begun again.
        let some = app.store.reseal_some(None).await.expect("seals some");
        assert_eq!((some.done, some.passed, some.unopened.len()), (50, 0, 0));
        assert_eq!(in_use(&app.store).await, ["other", "tests"]);
        let versions: Arc<Vec<AtomicUsize>> = Arc::new((0..CONNECTIONS).map(|_| AtomicUsize::new(0)).collect());
        let changing: Vec<_> = (0..4).map(|part: usize| {
            let (owner, versions) = (owner.clone(), versions.clone());
            tokio::spawn(async move {
                for place in (part..CONNECTIONS).step_by(4) {
                    let version = versions[place].load(Ordering::Relaxed) + 1;
                    connected(&owner, &format!("{place}"), &format!("token-{place}-{version}-")).await;
                    versions[place].store(version, Ordering::Relaxed);
                }
            })
        }).collect();
        // It is killed again and again, and goes on.
        for _ in 0..5 {
            let store = app.store.clone();
            let killed = tokio::spawn(async move { keys::rotate(&store, |_| {}).await });
            tokio::task::yield_now().await;
            killed.abort();
            let _ = killed.await;
        }
        let told = std::sync::Mutex::new(Vec::new());
        keys::rotate(&app.store, |progress| told.lock().expect("nobody panicked").push(progress)).await.expect("rotates");
        for change in changing {
            change.await.expect("changes");
        }
        assert_eq!(in_use(&app.store).await, ["tests"]);
        assert!(head(&owner).await > entries, "the changes are told of");
        for (place, id) in ids.iter().enumerate() {
            owner.data(RETEST, json!({ "id": id })).await;
            let asked = app.outside.heard().pop().expect("it was asked");
            let last = token(place, versions[place].load(Ordering::Relaxed));
            assert!(asked.contains(&format!("Bearer {last}")), "{last} is lost: {asked}");
        }
        app.verify_ledger(DEMO).await;
    }

    async fn what_others_changed_meanwhile_is_not_overwritten(app) {
        let owner = app.owner().await;
        connected(&owner, "Raced", "token-old").await;
        let before = opened(&app, &reversed()).await;
        keys::rotate(&before, |_| {}).await.expect("rotates");
        let mut rounds = 0;
        for round in 0..20 {
            let token = format!("token-{round}-");
            let (resealed, changed) = tokio::join!(
                keys::rotate(&app.store, |_| {}),
                connected(&owner, "Raced", &token),
            );
            resealed.expect("rotates");
            owner.data(RETEST, json!({ "id": changed })).await;
            let asked = app.outside.heard().pop().expect("it was asked");
            assert!(asked.contains(&format!("Bearer token-{round}-")), "{asked}");
            keys::rotate(&before, |_| {}).await.expect("rotates");
            rounds += 1;
        }
        assert_eq!(rounds, 20);
    }

    async fn a_key_that_is_missing_is_named_and_can_be_forgotten(app) {
        let owner = app.owner().await;
        let connection = connected(&owner, "Lost", "token-lost").await;
        let other = KEYS.split(',').next_back().expect("a key");
        let lacking = opened(&app, other).await;
        let told = lacking.check_keys().await.expect_err("a key is missing").cause();
        for word in ["key is missing", "`tests`", "WORKGRAPH_KEYS=NEW:…,tests:…", "workgraph keys forget tests"] {
            assert!(told.contains(word), "{told}");
        }
        let another = opened(&app, &other.replace("other:", "tests:")).await;
        let told = another.check_keys().await.expect_err("it is another key").cause();
        assert!(told.contains("another key") && told.contains("`tests`"), "{told}");
        let refused = keys::rotate(&another, |_| {}).await.expect_err("it opens nothing").cause();
        assert!(refused.contains("another key"), "{refused}");
        let listed = keys::list(&another).await.expect("lists");
        assert!(listed.missing() == 1 && listed.to_string().contains("another key"), "{listed}");
        assert!(keys::lost_with(&another, "tests").await.is_ok(), "what is here in its place opens nothing");
        let listed = keys::list(&lacking).await.expect("lists");
        assert_eq!(listed.missing(), 1);
        assert!(listed.to_string().contains("tests  ") && listed.to_string().contains("the key is missing"), "{listed}");
        assert!(keys::forget(&app.store, "tests").await.is_err(), "it is here");
        keys::forget(&lacking, "tests").await.expect("forgets");
        lacking.check_keys().await.expect("nothing is left that needs it");
        assert!(in_use(&lacking).await.is_empty());
        let shown = owner.data("query($id: ID!) { integrationConnection(id: $id) { status lastError } }", json!({ "id": connection })).await;
        assert_eq!(shown["integrationConnection"]["status"], "ACTION_NEEDED");
        assert_eq!(owner.code(RETEST, json!({ "id": connection })).await, "CONFLICT");
        assert_eq!(connected(&owner, "Lost", "token-new").await, connection);
        app.verify_ledger(DEMO).await;
    }

    async fn without_a_key_nothing_is_kept(app) {
        let keyless = app.elsewhere_without_keys().await;
        let set = "mutation { setCredential(input: { kind: OTHER, name: \"x\", value: \"a secret of the tests\" }) { feedCursor } }";
        let refused = keyless.send(set, json!({})).await;
        assert_eq!(refused.code(), "UNAVAILABLE");
        assert!(refused.body.to_string().contains("WORKGRAPH_KEYS"), "{}", refused.body);
        let _ = sealed(&app, "name = 'anthropic' LIMIT 1").await;
    }
}
