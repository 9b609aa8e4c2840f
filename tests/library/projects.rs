//! Projects that are put away, deleted and told what their briefs are like; goals that go.

use super::{actions, refused, run};
use crate::{
    support::{ACME, DEMO},
    tables::names,
    writes::{Made, head},
};
use serde_json::{Value, json};

on_both_databases! {
    async fn a_project_is_put_away_and_taken_up_again(app) {
        let (owner, member) = (app.owner().await, app.client(DEMO, "member").await);
        let made = Made { app: &app, client: &owner };
        let id = made.project().await;
        let shown = "project { isArchived }";
        for mutation in ["archiveProject", "restoreProject", "deleteProject"] {
            assert_eq!(refused(&member, mutation, json!({ "id": id })).await.0, "FORBIDDEN", "{mutation}");
            let theirs = app.client(ACME, "owner").await;
            assert_eq!(refused(&theirs, mutation, json!({ "id": id })).await.0, "NOT_FOUND", "{mutation}");
        }
        let since = head(&owner).await;
        // What is so already is not told of.
        for _ in 0..2 {
            assert_eq!(run(&owner, "archiveProject", shown, json!({ "id": id })).await, json!({ "project": { "isArchived": true } }));
        }
        assert_eq!(made.code("createGoal", json!({ "projectId": id, "title": "Late" })).await, "CONFLICT");
        for _ in 0..2 {
            assert_eq!(run(&owner, "restoreProject", shown, json!({ "id": id })).await, json!({ "project": { "isArchived": false } }));
        }
        assert_eq!(actions(&owner, since).await, ["project.archived", "project.restored"]);
        made.run("createGoal", json!({ "projectId": id, "title": "In time" })).await;
    }

    async fn only_an_empty_project_is_deleted_and_takes_along_what_is_its_own(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let id = made.project().await;
        let (goal, ticket) = (made.run("createGoal", json!({ "projectId": id, "title": "One" })).await, json!({ "projectId": id, "title": "Work", "roleSlug": "dev_agent" }));
        made.run("createGoal", json!({ "projectId": id, "title": "Two" })).await;
        made.run("createTicket", ticket).await;
        let brief = made.run("createPrd", json!({ "projectId": id, "title": "A brief", "goalId": goal })).await;
        let since = head(&owner).await;
        let (code, said) = refused(&owner, "deleteProject", json!({ "id": id })).await;
        assert_eq!(code, "CONFLICT");
        for left in ["2 goals", "1 brief", "1 ticket", "archiveProject"] {
            assert!(said.contains(left), "{said}");
        }
        assert!(!said.contains("meeting"), "{said}");
        assert_eq!(head(&owner).await, since);
        made.run("deletePrd", json!({ "id": brief })).await;
        let id_text = id.as_str().expect("an id");
        app.execute(&format!("DELETE FROM tickets WHERE \"projectId\" = '{id_text}'")).await;
        app.execute(&format!("DELETE FROM goals WHERE \"projectId\" = '{id_text}'")).await;
        // A graph and a route go along, and are told of.
        let (graph, route) = (move_to("project_graphs", id_text), move_to("channel_routes", id_text));
        app.execute(&graph).await;
        app.execute(&route).await;
        let since = head(&owner).await;
        made.run("deleteProject", json!({ "id": id })).await;
        let mut told = actions(&owner, since).await;
        assert_eq!(told.pop().as_deref(), Some("project.deleted"));
        told.sort();
        assert_eq!(told, ["channel_route.deleted", "graph.deleted"]);
        assert_eq!(made.code("deleteProject", json!({ "id": id })).await, "NOT_FOUND");
        app.verify_ledger(DEMO).await;
        let default = owner.data("{ projects(filter: { slug: { eq: \"default\" } }) { nodes { id } } }", json!({})).await;
        let (code, said) = refused(&owner, "deleteProject", json!({ "id": default["projects"]["nodes"][0]["id"] })).await;
        assert!(code == "CONFLICT" && said.contains("so it stays"), "{said}");
    }

    async fn a_project_for_which_much_was_called_stays(app) {
        let owner = app.owner().await;
        let (id, tenant) = (Made { app: &app, client: &owner }.project().await, app.tenant(DEMO).await);
        let id_text = id.as_str().expect("an id");
        let called = |first: u32, last: u32| format!(
            "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) INSERT INTO api_usage (id, \"tenantId\", \"projectId\", \
             \"roleSlug\", provider, model, operation, \"createdAt\") SELECT 'many' || i, '{tenant}', '{id_text}', 'dev_agent', 'anthropic', 'claude', \
             'specialist', '2026-01-01T00:00:00.000+00:00' FROM n"
        );
        app.execute(&called(1, 5001)).await;
        let (code, said) = refused(&owner, "deleteProject", json!({ "id": id })).await;
        assert!(code == "CONFLICT" && said.contains("archiveProject") && said.contains("5000"), "{said}");
        app.connection.through("retention", "DELETE FROM api_usage WHERE id = 'many1'").await.expect("deletes");
        run(&owner, "deleteProject", "deletedId", json!({ "id": id })).await;
        let left = names(&app.connection.across_tenants().await, "SELECT id AS name FROM api_usage WHERE id LIKE 'many%' AND \"projectId\" IS NULL").await;
        assert_eq!(left.len(), 5000, "what was called stays");
    }

    async fn a_project_says_what_its_briefs_are_like_and_the_agent_that_drafts_them_is_told(app) {
        let (owner, member, viewer) = (crate::agents::cleared(&app).await, app.client(DEMO, "member").await, app.client(DEMO, "viewer").await);
        let made = Made { app: &app, client: &owner };
        let id = made.project().await;
        let fields = json!([{ "key": "rolloutPlan", "label": "Roll-out plan", "guidance": "Which shops first?", "required": true }, { "key": "legal", "label": "Legal" }]);
        let template = json!({ "projectId": id, "fields": fields, "guidance": "Be short." });
        assert_eq!(refused(&viewer, "setBriefTemplate", template.clone()).await.0, "FORBIDDEN");
        let shown = "project { briefGuidance briefTemplate { key label guidance required } }";
        let set = run(&member, "setBriefTemplate", shown, template).await;
        assert_eq!(set["project"]["briefTemplate"][0], fields[0]);
        assert_eq!(set["project"]["briefTemplate"][1], json!({ "key": "legal", "label": "Legal", "guidance": null, "required": false }));
        // What is left out stays.
        let set = run(&member, "setBriefTemplate", shown, json!({ "projectId": id, "guidance": "Be shorter." })).await;
        assert_eq!((&set["project"]["briefGuidance"], set["project"]["briefTemplate"].as_array().map(Vec::len)), (&json!("Be shorter."), Some(2)));
        crate::agents::ticket(&owner, &id, "Draft", json!({})).await;
        let daemon = crate::agents::Daemon::connect(&app, &owner, &["dev_agent"], 1).await;
        let given = daemon.claim().await["job"]["payload"]["project"].clone();
        assert_eq!((&given["briefGuidance"], &given["briefTemplate"][0]["key"]), (&json!("Be shorter."), &json!("rolloutPlan")));
        let set = run(&member, "setBriefTemplate", shown, json!({ "projectId": id, "fields": null, "guidance": null })).await;
        assert_eq!(set["project"], json!({ "briefGuidance": null, "briefTemplate": null }));
        for (fields, field) in [
            (json!([{ "key": "a", "label": "A" }, { "key": "a", "label": "B" }]), "fields[1].key"),
            (json!([{ "key": "1a", "label": "A" }]), "fields[0].key"),
            (json!([{ "key": "a b", "label": "A" }]), "fields[0].key"),
            (json!([{ "key": "a", "label": "" }]), "fields[0].label"),
            (json!([{ "key": "a", "label": "A", "guidance": "x".repeat(2001) }]), "fields[0].guidance"),
            (json!([]), "fields"),
            (Value::from_iter((0..51).map(|n| json!({ "key": format!("k{n}"), "label": "A" }))), "fields"),
        ] {
            let (code, said) = refused(&member, "setBriefTemplate", json!({ "projectId": id, "fields": fields })).await;
            assert!(code == "BAD_USER_INPUT" && said.contains(field), "{field}: {said}");
        }
    }

    async fn what_stood_below_a_deleted_goal_moves_up_and_what_served_it_serves_none(app) {
        let (member, viewer) = (app.client(DEMO, "member").await, app.client(DEMO, "viewer").await);
        let made = Made { app: &app, client: &member };
        let owner = app.owner().await;
        let id = Made { app: &app, client: &owner }.project().await;
        let goal = async |title: &str, above: &Value| made.run("createGoal", json!({ "projectId": id, "title": title, "parentGoalId": above })).await;
        let top = goal("Top", &Value::Null).await;
        let middle = goal("Middle", &top).await;
        let (left, right) = (goal("Left", &middle).await, goal("Right", &middle).await);
        let brief = made.run("createPrd", json!({ "projectId": id, "title": "Serves", "goalId": middle })).await;
        assert_eq!(refused(&viewer, "deleteGoal", json!({ "id": middle })).await.0, "FORBIDDEN");
        let since = head(&member).await;
        made.run("deleteGoal", json!({ "id": middle })).await;
        assert_eq!(actions(&member, since).await, ["goal.edited", "goal.edited", "goal.deleted"]);
        let read = "query($l: ID!, $r: ID!, $b: ID!) { l: goal(id: $l) { parent { id } } r: goal(id: $r) { parent { id } } prd(id: $b) { goalId status } }";
        let now = member.data(read, json!({ "l": left, "r": right, "b": brief })).await;
        assert_eq!((&now["l"]["parent"]["id"], &now["r"]["parent"]["id"]), (&top, &top));
        assert_eq!(now["prd"], json!({ "goalId": null, "status": "DRAFT" }));
        made.run("deleteGoal", json!({ "id": top })).await;
        let now = member.data(read, json!({ "l": left, "r": right, "b": brief })).await;
        assert_eq!((&now["l"]["parent"], &now["r"]["parent"]), (&Value::Null, &Value::Null));
        app.verify_ledger(DEMO).await;
        let dangling = names(&app.connection.across_tenants().await, "SELECT g.id AS name FROM goals g WHERE \"parentGoalId\" IS NOT NULL \
            AND NOT EXISTS (SELECT 1 FROM goals p WHERE p.id = g.\"parentGoalId\")").await;
        assert!(dangling.is_empty(), "{dangling:?}");
    }
}

/// Gives a project a row that the demo has for another one.
fn move_to(table: &str, project: &str) -> String {
    format!(
        "UPDATE {table} SET \"projectId\" = '{project}' WHERE id = (SELECT r.id FROM {table} r JOIN projects p ON p.id = '{project}' \
         WHERE r.\"tenantId\" = p.\"tenantId\" AND r.\"projectId\" IS NOT NULL LIMIT 1)"
    )
}
