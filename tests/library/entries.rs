//! What waits for a decision, what is offered, and what stands in place of what all workspaces share.

use super::{actions, refused, run, told};
use crate::{
    agents::{Daemon, cleared, ticket, tickets},
    support::{ACME, Client, DEMO},
    writes::{Made, definition, head},
};
use serde_json::{Value, json};

/// The two kinds of entries, in the names of mutations and of their rows, and what they say.
const KINDS: [(&str, &str, &str); 2] = [
    ("SkillPackage", "skillPackage", "body"),
    ("Subagent", "subagent", "systemPrompt"),
];

/// The entry of a slug as it counts for a workspace.
async fn effective(client: &Client, kind: &str, row: &str, says: &str, slug: &Value) -> Value {
    let query = format!(
        "query($slug: String!) {{ all: effective{kind}s(filter: {{ slug: {{ eq: $slug }} }}) {{ isOverride row: {row} {{ id status source description {says} contentHash }} }} }}"
    );
    client.data(&query, json!({ "slug": slug })).await["all"][0].clone()
}

on_both_databases! {
    async fn what_was_imported_is_decided_once(app) {
        let (admin, theirs) = (app.client(DEMO, "admin").await, app.client(ACME, "admin").await);
        let made = Made { app: &app, client: &admin };
        for (kind, row, _) in KINDS {
            let (decide, set) = (format!("decide{kind}"), format!("set{kind}Status"));
            let ledger = if kind == "Subagent" { "subagent" } else { "skill_package" };
            let since = head(&admin).await;
            let (id, hash) = made.imported(&format!("import{kind}")).await;
            let input = |hash: &Value, decision: &str, reason: Value| json!({ "id": id, "expectedContentHash": hash, "decision": decision, "reason": reason });
            let shown = format!("{row} {{ status allowedSteps }}");
            for role in ["member", "viewer"] {
                assert_eq!(refused(&app.client(DEMO, role).await, &decide, input(&hash, "APPROVE", Value::Null)).await.0, "FORBIDDEN");
            }
            assert_eq!(refused(&theirs, &decide, input(&hash, "APPROVE", Value::Null)).await.0, "NOT_FOUND");
            // Another text than was read, no way round a decision, and no rejection without a word.
            assert_eq!(refused(&admin, &decide, input(&json!("0".repeat(64)), "APPROVE", Value::Null)).await.0, "CONFLICT");
            for status in ["ACTIVE", "DISABLED"] {
                assert_eq!(refused(&admin, &set, json!({ "id": id, "status": status })).await.0, "ILLEGAL_TRANSITION");
            }
            assert!(refused(&admin, &decide, input(&hash, "REJECT", Value::Null)).await.1.contains("reason"));
            let approved = json!({ row: { "status": "ACTIVE", "allowedSteps": ["DISABLE"] } });
            for _ in 0..2 {
                assert_eq!(run(&admin, &decide, &shown, input(&hash, "APPROVE", json!("Read it."))).await, approved);
            }
            let (code, said) = refused(&admin, &decide, input(&hash, "REJECT", json!("No."))).await;
            let email = app.email(DEMO, "admin").await;
            assert!(code == "CONFLICT" && said.contains("was approved by") && said.contains(&email), "{said}");
            for status in ["DISABLED", "DISABLED", "ACTIVE"] {
                run(&admin, &set, &shown, json!({ "id": id, "status": status })).await;
            }
            assert!(refused(&admin, &set, json!({ "id": id, "status": "PENDING_APPROVAL" })).await.1.contains("status"));
            let mut expected = vec![format!("{ledger}.imported"), format!("{ledger}.approved"), format!("{ledger}.disabled"), format!("{ledger}.enabled")];
            if kind == "SkillPackage" {
                expected.insert(1, "approval.created".to_owned());
                let query = "query($id: ID!) { skillPackage(id: $id) { approvals { nodes { decision reason subjectType subjectDigest user { role } } } } }";
                let kept = admin.data(query, json!({ "id": id })).await["skillPackage"]["approvals"]["nodes"].clone();
                assert_eq!(kept.as_array().map(Vec::len), Some(1));
                assert_eq!((&kept[0]["decision"], &kept[0]["reason"], &kept[0]["user"]["role"]), (&json!("APPROVED"), &json!("Read it."), &json!("ADMIN")));
                assert_eq!(kept[0]["subjectDigest"].as_str().map(str::len), Some(64));
            }
            assert_eq!(actions(&admin, since).await, expected);
            // Deleted, its decisions go along.
            let since = head(&admin).await;
            run(&admin, &format!("reset{kind}"), "deletedId", json!({ "id": id })).await;
            assert_eq!(actions(&admin, since).await.last(), Some(&format!("{ledger}.deleted")));
        }
        app.verify_ledger(DEMO).await;
    }

    async fn what_was_turned_down_is_not_offered_until_another_text_is_approved(app) {
        let admin = app.client(DEMO, "admin").await;
        for (kind, row, _) in KINDS {
            let text = definition();
            let import = format!("import{kind}");
            let shown = format!("{row} {{ id status contentHash }}");
            let one = run(&admin, &import, &shown, json!({ "text": text })).await[row].clone();
            let decide = async |hash: &Value, decision: &str| {
                let input = json!({ "id": one["id"], "expectedContentHash": hash, "decision": decision, "reason": "It deletes files." });
                run(&admin, &format!("decide{kind}"), &shown, input).await[row]["status"].clone()
            };
            let since = head(&admin).await;
            assert_eq!(decide(&one["contentHash"], "REJECT").await, "DISABLED");
            assert_eq!(decide(&one["contentHash"], "REJECT").await, "DISABLED");
            assert_eq!(told(&admin, since).await.last().expect("an entry").1, "It deletes files.");
            let (code, said) = refused(&admin, &format!("set{kind}Status"), json!({ "id": one["id"], "status": "ACTIVE" })).await;
            assert!(code == "CONFLICT" && said.contains("was rejected"), "{said}");
            // The same text is still the one that was turned down.
            assert_eq!(run(&admin, &import, &shown, json!({ "text": text })).await[row]["status"], "DISABLED");
            let other = run(&admin, &import, &shown, json!({ "text": text.replace("Do it.", "Do it gently.") })).await[row].clone();
            assert_eq!((&other["id"], &other["status"]), (&one["id"], &json!("PENDING_APPROVAL")));
            assert_eq!(decide(&other["contentHash"], "APPROVE").await, "ACTIVE");
            // What was approved and then changed waits again.
            let third = run(&admin, &import, &shown, json!({ "text": text.replace("Do it.", "Do it twice.") })).await[row].clone();
            assert_eq!(third["status"], "PENDING_APPROVAL");
        }
    }

    async fn an_own_one_takes_the_place_of_a_shared_one_for_this_workspace_alone(app) {
        let (admin, theirs) = (app.client(DEMO, "admin").await, app.client(ACME, "admin").await);
        let made = Made { app: &app, client: &admin };
        for (kind, row, says) in KINDS {
            let (put, reset) = (format!("override{kind}"), format!("reset{kind}"));
            let slug = made.shared(&put).await;
            let now = async |client: &Client| effective(client, kind, row, says, &slug).await;
            let (before, elsewhere) = (now(&admin).await, now(&theirs).await);
            assert_eq!(refused(&app.client(DEMO, "member").await, &put, json!({ "slug": slug })).await.0, "FORBIDDEN");
            let since = head(&admin).await;
            let shown = format!("{row} {{ id status allowedSteps }}");
            let own = run(&admin, &put, &shown, json!({ "slug": slug, says: "As we do it." })).await[row].clone();
            let mut expected = before["row"].clone();
            for (name, value) in [(says, json!("As we do it.")), ("id", own["id"].clone()), ("source", json!("USER")), ("status", json!("ACTIVE"))] {
                expected[name] = value;
            }
            let counts = now(&admin).await;
            expected["contentHash"] = counts["row"]["contentHash"].clone();
            assert_eq!(counts, json!({ "isOverride": true, "row": expected }));
            assert_ne!(counts["row"]["contentHash"], before["row"]["contentHash"]);
            assert_eq!(now(&theirs).await, elsewhere);
            for _ in 0..2 {
                let changed = run(&admin, &put, &shown, json!({ "slug": slug, "description": "Ours." })).await[row].clone();
                assert_eq!(changed["id"], own["id"]);
            }
            let ledger = if kind == "Subagent" { "subagent" } else { "skill_package" };
            assert_eq!(actions(&admin, since).await, [format!("{ledger}.overridden"), format!("{ledger}.edited")]);
            // Switched off, it hides the shared one too.
            run(&admin, &format!("set{kind}Status"), &shown, json!({ "id": own["id"], "status": "DISABLED" })).await;
            assert_eq!(now(&admin).await["row"]["status"], "DISABLED");
            for (mutation, input) in [(&reset, json!({ "id": before["row"]["id"] })), (&format!("set{kind}Status"), json!({ "id": before["row"]["id"], "status": "DISABLED" }))] {
                let (code, said) = refused(&admin, mutation, input).await;
                assert!(code == "BAD_USER_INPUT" && said.contains(&put), "{said}");
            }
            assert_eq!(refused(&theirs, &reset, json!({ "id": own["id"] })).await.0, "NOT_FOUND");
            run(&admin, &reset, "deletedId", json!({ "id": own["id"] })).await;
            assert_eq!(now(&admin).await, before);
            assert_eq!(actions(&admin, since).await.last(), Some(&format!("{ledger}.reset")));
            assert_eq!(refused(&admin, &put, json!({ "slug": "nobody-has-it" })).await.0, "BAD_USER_INPUT");
            for (field, value) in [(says, json!("")), (says, Value::Null), (says, json!("x".repeat(100_001))), ("description", json!("x".repeat(4097)))] {
                let (code, said) = refused(&admin, &put, json!({ "slug": slug, field: value })).await;
                assert!(code == "BAD_USER_INPUT" && said.contains(field), "{said}");
            }
        }
        app.verify_ledger(DEMO).await;
    }

    async fn an_agent_is_given_what_counts_when_it_claims(app) {
        let owner = cleared(&app).await;
        let made = Made { app: &app, client: &owner };
        let (skill, subagent) = (made.shared("overrideSkillPackage").await, made.shared("overrideSubagent").await);
        let (project, _) = tickets(&owner, "Shop", 0).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 5).await;
        let given = async |round: &str| {
            let id = ticket(&owner, &project, round, json!({})).await;
            app.execute(&format!("UPDATE tickets SET skills = '[{skill}]', \"subagentSlug\" = '{}' WHERE id = '{}'", subagent.as_str().expect("a slug"), id.as_str().expect("an id"))).await;
            let claimed = daemon.claim().await;
            assert_eq!(claimed["ticket"]["id"], id);
            daemon.work(&claimed).await;
            (claimed["instructions"]["skills"].clone(), claimed["instructions"]["subagent"].clone())
        };
        let (skills, specialist) = given("Shared").await;
        assert!(skills[0]["body"] != "Ours." && specialist["prompt"].is_string() && specialist["prompt"] != "Ours.");
        let own = run(&owner, "overrideSkillPackage", "skillPackage { id }", json!({ "slug": skill, "body": "Ours." })).await["skillPackage"]["id"].clone();
        run(&owner, "overrideSubagent", "feedCursor", json!({ "slug": subagent, "systemPrompt": "Ours." })).await;
        assert_eq!(given("Own").await, (json!([{ "slug": skill, "body": "Ours." }]), json!({ "slug": subagent, "prompt": "Ours." })));
        run(&owner, "setSkillPackageStatus", "feedCursor", json!({ "id": own, "status": "DISABLED" })).await;
        assert_eq!(given("Off").await.0, json!([]));
        run(&owner, "resetSkillPackage", "feedCursor", json!({ "id": own })).await;
        assert_eq!(given("Back").await.0, skills);
    }

    async fn a_plan_names_what_is_approved_and_nothing_that_waits(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let (id, hash) = made.imported("importSubagent").await;
        let slug = made.slug_of("subagentDefinition", &id).await;
        let steps = json!([{ "title": "Build", "roleSlug": "dev_agent", "subagentSlug": slug }]);
        let plan = json!({ "prdId": made.approved().await, "channelSummary": "One step", "steps": steps });
        assert_eq!(made.code("createExecutionPlan", plan.clone()).await, "BAD_USER_INPUT");
        run(&owner, "decideSubagent", "feedCursor", json!({ "id": id, "expectedContentHash": hash, "decision": "APPROVE" })).await;
        assert_eq!(made.code("createExecutionPlan", plan).await, "");
    }
}
