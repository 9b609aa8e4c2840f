//! Documents that are named and not sent.

use crate::support::{DEMO, Door, Events, Reply, Socket};
use serde_json::json;
use sha2::{Digest, Sha256};

/// A document of the tests' manifest, under the id `who-asks`.
const TRUSTED: &str = "query WhoAsks { viewer { user { email } } }";

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// A text as a parameter of an address.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

on_both_databases! {
    async fn a_document_is_known_by_its_hash_once_somebody_sent_both(app) {
        let (owner, stranger) = (app.door().await, Door::new(&app.url, "x"));
        let text = "query Mine { viewer { user { email } } }";
        let hash = sha256("{ __typename }");
        let told = |hash: &str| json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
        let hash_alone = json!({ "operationName": "Mine", "variables": {}, "extensions": told(&sha256(text)) });
        let both = json!({ "query": text, "extensions": told(&sha256(text)) });
        let encoded = percent(&told(&sha256(text)).to_string());
        let get = format!("operationName=Mine&extensions={encoded}");
        for request in [owner.post(hash_alone.to_string()), owner.get(&get)] {
            let reply = Reply::to(request).await;
            reply.refused(200, "PERSISTED_QUERY_NOT_FOUND", "a hash");
            assert_eq!(reply.errors()[0]["message"], "PersistedQueryNotFound");
        }
        // Only who proves who they are makes the server remember anything.
        Reply::to(stranger.post(both.to_string())).await.refused(401, "UNAUTHENTICATED", "a stranger");
        Reply::to(owner.post(hash_alone.to_string())).await.refused(200, "PERSISTED_QUERY_NOT_FOUND", "a hash");
        let lie = json!({ "query": text, "extensions": told(&hash) });
        Reply::to(owner.post(lie.to_string())).await.refused(200, "BAD_USER_INPUT", "another's hash");
        let null = json!({ "query": "{ __typename }", "extensions": { "persistedQuery": null } });
        assert_eq!(Reply::to(owner.post(null.to_string())).await.data()["__typename"], "Query");
        let version = json!({ "extensions": { "persistedQuery": { "version": 2, "sha256Hash": hash } } });
        Reply::to(owner.post(version.to_string())).await.refused(400, "BAD_USER_INPUT", "another version");

        let whole = Reply::to(owner.post(both.to_string())).await.data().clone();
        assert!(whole["viewer"]["user"]["email"].is_string(), "{whole:#}");
        for request in [owner.post(hash_alone.to_string()), owner.get(&get)] {
            assert_eq!(Reply::to(request).await.data(), &whole);
        }
        // Who names a document is asked who they are like who sends it.
        Reply::to(stranger.post(hash_alone.to_string())).await.refused(401, "UNAUTHENTICATED", "a stranger");
    }

    async fn a_document_of_the_manifest_is_named_by_its_id_or_its_hash(app) {
        let owner = app.door().await;
        let hash = format!("sha256:{}", sha256(TRUSTED));
        for id in ["who-asks", &hash] {
            let body = json!({ "documentId": id });
            let get = format!("documentId={}", percent(id));
            for request in [owner.post(body.to_string()), owner.get(&get)] {
                let reply = Reply::to(request).await;
                assert!(reply.data()["viewer"]["user"]["email"].is_string(), "{id}: {:#}", reply.body);
            }
        }
        for (body, status, code) in [
            (json!({ "documentId": "sha256:unknown" }), 200, "PERSISTED_QUERY_NOT_FOUND"),
            (json!({ "documentId": "who-asks", "query": "{ __typename }" }), 400, "BAD_USER_INPUT"),
            (json!({ "documentId": 1 }), 400, "BAD_USER_INPUT"),
        ] {
            Reply::to(owner.post(body.to_string())).await.refused(status, code, &body.to_string());
        }
    }

    async fn where_only_trusted_documents_run_no_door_runs_another(app) {
        let url = app.trusting_only().await;
        let (token, other) = (app.token(DEMO, "owner").await, "{ feedCursor }");
        let door = Door::new(&url, &token);
        for document in [json!({ "documentId": "who-asks" }), json!({ "query": TRUSTED })] {
            assert!(Reply::to(door.post(document.to_string())).await.data()["viewer"]["user"]["email"].is_string());
        }
        let hash = json!({ "version": 1, "sha256Hash": sha256(other) });
        for refused in [json!({ "query": other }), json!({ "query": other, "extensions": { "persistedQuery": hash } })] {
            Reply::to(door.post(refused.to_string())).await.refused(200, "DOCUMENT_NOT_TRUSTED", "another");
        }
        let get = door.get(&format!("query={}", percent(other)));
        Reply::to(get).await.refused(200, "DOCUMENT_NOT_TRUSTED", "another");
        let follow = "subscription { activity { position } }";
        let (_, _, refused) = Events::open(&url, &token, follow, None).await.next().await.expect("an event");
        assert_eq!(refused["errors"][0]["extensions"]["code"], "DOCUMENT_NOT_TRUSTED", "{refused:#}");
        let mut socket = Socket::signed_in(&url, &token).await;
        for (id, document, told) in [("a", json!({ "query": other }), "error"), ("b", json!({ "documentId": "who-asks" }), "next")] {
            socket.send(json!({ "type": "subscribe", "id": id, "payload": document })).await;
            let answer = socket.receive().await;
            assert_eq!((&answer["id"], &answer["type"]), (&json!(id), &json!(told)), "{answer:#}");
        }
    }
}
