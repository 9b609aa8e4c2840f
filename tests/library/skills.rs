//! The playbooks that a workspace writes.

use super::{actions, refused, run};
use crate::{
    agents::{Daemon, cleared, ticket, tickets},
    support::{ACME, DEMO},
    writes::head,
};
use serde_json::{Value, json};

on_both_databases! {
    async fn a_playbook_is_written_changed_and_deleted(app) {
        let (admin, theirs) = (app.client(DEMO, "admin").await, app.client(ACME, "admin").await);
        let input = json!({ "name": "Größere Umzüge", "body": "# Move\n\nAsk {{where}}.", "description": "When a shop moves.", "platforms": ["linux", "darwin"],
            "configSchema": [{ "key": "where", "description": "The new address", "default": "here", "prompt": "Where to?" }],
            "supportingFiles": [{ "name": "lists/van.md", "content": "- [ ] boxes\n" }] });
        for role in ["member", "viewer"] {
            assert_eq!(refused(&app.client(DEMO, role).await, "createSkill", input.clone()).await.0, "FORBIDDEN");
        }
        let since = head(&admin).await;
        let shown = "skill { id slug name body platforms disabled configSchema { key description default prompt } supportingFiles { name content } createdBy { role } }";
        let made = run(&admin, "createSkill", shown, input.clone()).await["skill"].clone();
        assert_eq!((&made["slug"], &made["disabled"], &made["createdBy"]["role"]), (&json!("grossere-umzuge"), &json!(false), &json!("ADMIN")));
        for name in ["name", "body", "platforms", "configSchema", "supportingFiles"] {
            assert_eq!(made[name], input[name], "{name}");
        }
        let (code, said) = refused(&admin, "createSkill", input.clone()).await;
        assert!(code == "CONFLICT" && said.contains("/grossere-umzuge"), "{said}");
        run(&theirs, "createSkill", "skill { id }", input).await;
        let id = &made["id"];
        for mutation in ["updateSkill", "deleteSkill"] {
            assert_eq!(refused(&theirs, mutation, json!({ "id": id })).await.0, "NOT_FOUND", "{mutation}");
        }
        let changed = run(&admin, "updateSkill", shown, json!({ "id": id, "name": "Moves", "configSchema": null, "supportingFiles": null })).await["skill"].clone();
        assert_eq!((&changed["slug"], &changed["name"]), (&made["slug"], &json!("Moves")));
        assert_eq!((&changed["configSchema"], &changed["supportingFiles"], &changed["body"]), (&Value::Null, &Value::Null, &made["body"]));
        for disabled in [true, true, false] {
            run(&admin, "updateSkill", shown, json!({ "id": id, "disabled": disabled })).await;
        }
        run(&admin, "deleteSkill", "deletedId", json!({ "id": id })).await;
        assert_eq!(actions(&admin, since).await, ["skill.created", "skill.edited", "skill.disabled", "skill.enabled", "skill.deleted"]);
        assert_eq!(refused(&admin, "updateSkill", json!({ "id": id })).await.0, "NOT_FOUND");
        app.verify_ledger(DEMO).await;
    }

    async fn an_agent_is_given_the_playbooks_that_there_are(app) {
        let owner = cleared(&app).await;
        let skill = run(&owner, "createSkill", "skill { id }", json!({ "name": "Tidy", "body": "Tidy up." })).await["skill"]["id"].clone();
        let (project, _) = tickets(&owner, "Shop", 0).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 5).await;
        let given = async |round: &str| {
            let id = ticket(&owner, &project, round, json!({})).await;
            app.execute(&format!("UPDATE tickets SET skills = '[\"tidy\", \"gone\"]' WHERE id = '{}'", id.as_str().expect("an id"))).await;
            let claimed = daemon.claim().await;
            assert_eq!(claimed["ticket"]["id"], id);
            daemon.work(&claimed).await;
            claimed["instructions"]["skills"].clone()
        };
        assert_eq!(given("One").await, json!([{ "slug": "tidy", "body": "Tidy up." }]));
        run(&owner, "updateSkill", "feedCursor", json!({ "id": skill, "body": "Tidy up, and sweep." })).await;
        assert_eq!(given("Two").await, json!([{ "slug": "tidy", "body": "Tidy up, and sweep." }]));
        run(&owner, "updateSkill", "feedCursor", json!({ "id": skill, "disabled": true })).await;
        assert_eq!(given("Three").await, json!([]));
        run(&owner, "updateSkill", "feedCursor", json!({ "id": skill, "disabled": false })).await;
        run(&owner, "deleteSkill", "feedCursor", json!({ "id": skill })).await;
        assert_eq!(given("Four").await, json!([]));
    }

    async fn what_a_playbook_cannot_be_is_said(app) {
        let admin = app.client(DEMO, "admin").await;
        let file = |name: &str| json!([{ "name": name, "content": "x" }]);
        let files = |number: usize, length: usize| Value::from_iter((0..number).map(|n| json!({ "name": format!("f{n}"), "content": "x".repeat(length) })));
        let before = head(&admin).await;
        for (field, value) in [
            ("name", json!("")), ("name", json!("a\nb")), ("name", json!("x".repeat(101))), ("slug", json!("../../etc")), ("slug", json!("Tidy")),
            ("slug", json!("x".repeat(65))), ("body", json!("")), ("body", json!("x".repeat(100_001))), ("description", json!("x".repeat(2001))),
            ("platforms", json!(["amiga"])), ("platforms", json!(["linux", "linux"])), ("platforms", json!(["linux", "darwin", "windows", "linux"])),
            ("configSchema", json!([])), ("configSchema", json!([{ "key": "a b" }])), ("configSchema", json!([{ "key": "a" }, { "key": "a" }])),
            ("configSchema", Value::from_iter((0..51).map(|n| json!({ "key": format!("k{n}") })))),
            ("supportingFiles", json!([])), ("supportingFiles", file("../x")), ("supportingFiles", file("/etc/passwd")), ("supportingFiles", file("a//b")),
            ("supportingFiles", file("a\\b")), ("supportingFiles", file("..")), ("supportingFiles", file(&"x".repeat(201))),
            ("supportingFiles", json!([{ "name": "A", "content": "x" }, { "name": "a", "content": "y" }])), ("supportingFiles", files(21, 1)),
            ("supportingFiles", files(1, 50_001)), ("supportingFiles", files(4, 40_000)),
        ] {
            let mut input = json!({ "name": "Tidy", "body": "Tidy up." });
            input[field] = value;
            let (code, said) = refused(&admin, "createSkill", input).await;
            assert!(code == "BAD_USER_INPUT" && said.contains(field), "{field}: {said}");
        }
        assert_eq!(refused(&admin, "createSkill", json!({ "name": "☃", "slug": "" , "body": "x" })).await.0, "BAD_USER_INPUT");
        assert_eq!(head(&admin).await, before);
        run(&admin, "createSkill", "feedCursor", json!({ "name": "Tidy", "body": "x".repeat(100_000), "supportingFiles": files(3, 40_000) })).await;
    }
}
