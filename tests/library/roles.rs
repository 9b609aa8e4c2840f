//! Roles that a workspace makes and changes, with their versions, and what agents are held to.

use super::{actions, refused, run, send, told};
use crate::{
    agents::{Daemon, cleared, ticket, tickets},
    support::{ACME, Client, DEMO},
    writes::{Made, head},
};
use serde_json::{Value, json};

/// All that a role is like.
const ALL: &str = "displayName description category parentRoleSlug systemPromptTemplate allowedTools defaultModel monthlyBudgetTokens
    defaultConcurrency timeoutSeconds autoApprove isActive";

/// The role of a slug as it counts for a workspace.
async fn effective(client: &Client, slug: &str) -> Value {
    let query = format!(
        "query($slug: String!) {{ effectiveAgentRoles(filter: {{ slug: {{ eq: $slug }} }}) {{ isOverride role {{ id isBuiltin {ALL} }} }} }}"
    );
    client.data(&query, json!({ "slug": slug })).await["effectiveAgentRoles"][0].clone()
}

/// The versions of a role, the newest first.
async fn versions(client: &Client, id: &Value) -> Vec<Value> {
    let query = format!("query($id: ID!) {{ agentRole(id: $id) {{ versions(orderBy: [{{ field: VERSION, direction: DESC }}]) {{
        nodes {{ version note createdBy {{ role }} snapshot {{ {ALL} }} }} }} }} }}");
    let data = client.data(&query, json!({ "id": id })).await;
    data["agentRole"]["versions"]["nodes"]
        .as_array()
        .expect("versions")
        .clone()
}

on_both_databases! {
    async fn a_workspace_changes_a_role_for_itself_alone_and_takes_it_back(app) {
        let (admin, theirs) = (app.client(DEMO, "admin").await, app.client(ACME, "owner").await);
        let (before, elsewhere) = (effective(&admin, "qa_agent").await, effective(&theirs, "qa_agent").await);
        assert_eq!(before["isOverride"], false);
        let since = head(&admin).await;
        let input = json!({ "slug": "qa_agent", "systemPromptTemplate": "Break it.", "monthlyBudgetTokens": "5000", "note": "Stricter" });
        for role in ["member", "viewer"] {
            assert_eq!(refused(&app.client(DEMO, role).await, "overrideAgentRole", input.clone()).await.0, "FORBIDDEN");
        }
        let id = run(&admin, "overrideAgentRole", "agentRole { id }", input).await["agentRole"]["id"].clone();
        let mut expected = before["role"].clone();
        for (name, value) in [("systemPromptTemplate", json!("Break it.")), ("monthlyBudgetTokens", json!("5000")), ("id", id.clone()), ("isBuiltin", json!(false))] {
            expected[name] = value;
        }
        assert_eq!(effective(&admin, "qa_agent").await, json!({ "isOverride": true, "role": expected }));
        assert_eq!(effective(&theirs, "qa_agent").await, elsewhere);
        assert_eq!(told(&admin, since).await, [("agent_role.overridden".to_owned(), json!("Stricter"))]);
        // Again, it changes that one; and the same again is no change.
        let more = json!({ "slug": "qa_agent", "allowedTools": ["Read"], "monthlyBudgetTokens": null });
        for _ in 0..2 {
            assert_eq!(run(&admin, "overrideAgentRole", "agentRole { id }", more.clone()).await["agentRole"]["id"], id);
        }
        assert_eq!(actions(&admin, since).await, ["agent_role.overridden", "agent_role.edited"]);
        assert_eq!(versions(&admin, &id).await.len(), 2);
        assert_eq!(refused(&theirs, "resetAgentRole", json!({ "id": id })).await.0, "NOT_FOUND");
        run(&admin, "resetAgentRole", "deletedId", json!({ "id": id })).await;
        assert_eq!(effective(&admin, "qa_agent").await, before);
        let shared = &before["role"]["id"];
        for (mutation, input) in [("resetAgentRole", json!({ "id": shared })), ("restoreAgentRoleVersion", json!({ "roleId": shared, "version": 1 }))] {
            let (code, said) = refused(&admin, mutation, input).await;
            assert!(code == "BAD_USER_INPUT" && said.contains("overrideAgentRole"), "{said}");
        }
        app.verify_ledger(DEMO).await;
    }

    async fn each_change_is_a_version_and_each_version_comes_back_as_it_was(app) {
        let admin = app.client(DEMO, "admin").await;
        // It is older than versions are.
        let older = effective(&admin, "dev_agent").await["role"].clone();
        let id = older["id"].clone();
        app.connection.through("retention", "DELETE FROM agent_role_versions").await.expect("deletes");
        let first = json!({ "slug": "dev_agent", "systemPromptTemplate": "Build it.", "allowedTools": ["Edit", "Bash(git add:*, git status)"], "timeoutSeconds": 14_400, "defaultModel": null });
        let second = json!({ "slug": "dev_agent", "displayName": "Maker", "description": "", "category": "CONSULTANT", "parentRoleSlug": null,
            "monthlyBudgetTokens": null, "defaultConcurrency": 32, "autoApprove": true, "isActive": false, "note": "All else" });
        for input in [first, second] {
            run(&admin, "overrideAgentRole", "feedCursor", input).await;
        }
        let kept = versions(&admin, &id).await;
        let all = |role: &Value| { let mut all = role.clone(); all.as_object_mut().expect("a role").retain(|name, _| ALL.contains(name.as_str())); all };
        assert_eq!(kept.iter().map(|kept| kept["version"].clone()).collect::<Vec<_>>(), [json!(3), json!(2), json!(1)]);
        assert_eq!((&kept[2]["snapshot"], &kept[2]["createdBy"]), (&all(&older), &Value::Null));
        assert_eq!((&kept[0]["note"], &kept[0]["createdBy"]), (&json!("All else"), &json!({ "role": "ADMIN" })));
        assert_eq!(kept[0]["snapshot"], all(&effective(&admin, "dev_agent").await["role"]));
        for (made, version) in [(4, 1), (5, 2), (6, 3), (7, 1)] {
            let since = head(&admin).await;
            run(&admin, "restoreAgentRoleVersion", "feedCursor", json!({ "roleId": id, "version": version })).await;
            let now = versions(&admin, &id).await;
            assert_eq!((&now[0]["version"], &now[0]["note"]), (&json!(made), &json!(format!("As in version {version}"))));
            assert_eq!(now[0]["snapshot"], kept[3 - version]["snapshot"], "version {version}");
            assert_eq!(all(&effective(&admin, "dev_agent").await["role"]), kept[3 - version]["snapshot"], "version {version}");
            assert_eq!(actions(&admin, since).await, ["agent_role.restored"]);
        }
        // What it is like already is no change.
        run(&admin, "restoreAgentRoleVersion", "feedCursor", json!({ "roleId": id, "version": 1 })).await;
        assert_eq!(versions(&admin, &id).await.len(), 7);
        assert_eq!(refused(&admin, "restoreAgentRoleVersion", json!({ "roleId": id, "version": 99 })).await.0, "NOT_FOUND");
    }

    async fn a_new_role_gets_work_and_stays_while_it_has_some(app) {
        let owner = cleared(&app).await;
        let input = json!({ "displayName": "Data Engineer", "category": "EXECUTION", "systemPromptTemplate": "Move {{ticket.title}}.", "parentRoleSlug": "chief_of_staff" });
        let made = run(&owner, "createAgentRole", "agentRole { id slug defaultConcurrency timeoutSeconds isActive autoApprove parentRole { slug } versions { totalCount } }", input.clone()).await["agentRole"].clone();
        assert_eq!((&made["slug"], &made["isActive"], &made["parentRole"]["slug"]), (&json!("data_engineer"), &json!(true), &json!("chief_of_staff")));
        assert_eq!(made["versions"]["totalCount"], 1);
        for slug in ["data_engineer", "qa_agent"] {
            let mut again = input.clone();
            again["slug"] = json!(slug);
            let (code, said) = refused(&owner, "createAgentRole", again).await;
            assert!(code == "CONFLICT" && said.contains("overrideAgentRole"), "{said}");
        }
        let (project, _) = tickets(&owner, "Lake", 0).await;
        let work = ticket(&owner, &project, "The events", json!({ "roleSlug": "data_engineer" })).await;
        let (code, said) = refused(&owner, "resetAgentRole", json!({ "id": made["id"] })).await;
        assert!(code == "CONFLICT" && said.contains("1 open ticket"), "{said}");
        let set = async |is_active: bool| run(&owner, "overrideAgentRole", "feedCursor", json!({ "slug": "data_engineer", "isActive": is_active })).await;
        let daemon = Daemon::connect(&app, &owner, &["data_engineer"], 1).await;
        set(false).await;
        let why = "query($id: ID!) { ticket(id: $id) { whyUnclaimed } }";
        assert_eq!(owner.data(why, json!({ "id": work })).await["ticket"]["whyUnclaimed"], "NO_SUCH_ROLE");
        assert_eq!(daemon.claim().await["reason"], "NO_SUCH_ROLE");
        set(true).await;
        let claimed = daemon.claim().await;
        assert_eq!((&claimed["ticket"]["id"], &claimed["instructions"]["rolePrompt"]), (&work, &json!("Move {{ticket.title}}.")));
        daemon.work(&claimed).await;
        run(&owner, "resetAgentRole", "deletedId", json!({ "id": made["id"] })).await;
        assert_eq!(effective(&owner, "data_engineer").await, Value::Null);
    }

    async fn work_of_a_role_that_is_gone_is_not_begun_again(app) {
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        let input = json!({ "displayName": "Passing", "slug": "passing", "category": "META", "systemPromptTemplate": "x" });
        let role = made.run("createAgentRole", input.clone()).await;
        let (project, _) = tickets(&owner, "Shop", 0).await;
        let work = ticket(&owner, &project, "Once", json!({ "roleSlug": "passing" })).await;
        made.set("tickets", &work, "status = 'failed'").await;
        made.run("resetAgentRole", json!({ "id": role })).await;
        let (code, said) = refused(&owner, "retryTicket", json!({ "id": work })).await;
        assert!(code == "CONFLICT" && said.contains("`passing`"), "{code} {said}");
        let role = made.run("createAgentRole", input).await;
        run(&owner, "retryTicket", "ticket { status }", json!({ "id": work })).await;
        assert_eq!(refused(&owner, "resetAgentRole", json!({ "id": role })).await.0, "CONFLICT");
        app.verify_ledger(DEMO).await;
    }

    async fn agents_are_held_to_a_changed_role_from_the_next_claim_on(app) {
        let owner = cleared(&app).await;
        let (_, made) = tickets(&owner, "Shop", 3).await;
        let change = async |more: Value| {
            let mut input = more;
            input["slug"] = json!("dev_agent");
            run(&owner, "overrideAgentRole", "feedCursor", input).await;
        };
        change(json!({ "systemPromptTemplate": "First.", "defaultConcurrency": 1, "timeoutSeconds": 7200 })).await;
        let daemon = Daemon::connect(&app, &owner, &["dev_agent"], 5).await;
        let first = daemon.claim().await;
        assert_eq!(first["instructions"]["rolePrompt"], "First.");
        let of = "query($id: ID!) { agentJob(id: $id) { dispatchedAt deadlineAt } }";
        let job = owner.data(of, json!({ "id": first["job"]["id"] })).await["agentJob"].clone();
        let at = |name: &str| chrono::DateTime::parse_from_rfc3339(job[name].as_str().expect("a time")).expect("a time");
        assert_eq!((at("deadlineAt") - at("dispatchedAt")).num_seconds(), 7200);
        assert_eq!(daemon.claim().await["reason"], "CONCURRENCY");
        change(json!({ "systemPromptTemplate": "Second.", "defaultConcurrency": 2 })).await;
        let second = daemon.claim().await;
        assert_eq!((&second["ticket"]["id"], &second["instructions"]["rolePrompt"]), (&made[1], &json!("Second.")));
        // A budget that is used up counts at once, and its end too.
        let usage = json!({ "roleSlug": "dev_agent", "provider": "ANTHROPIC", "model": "claude-sonnet-4", "operation": "SPECIALIST", "inputTokens": 5000, "outputTokens": 1 });
        run(&daemon.client, "recordUsage", "feedCursor", usage).await;
        change(json!({ "defaultConcurrency": 9, "monthlyBudgetTokens": "1000" })).await;
        assert_eq!(daemon.claim().await["reason"], "BUDGET");
        change(json!({ "monthlyBudgetTokens": null })).await;
        assert_eq!(daemon.claim().await["ticket"]["id"], made[2]);
    }

    async fn no_version_comes_back_that_makes_a_circle(app) {
        let admin = app.client(DEMO, "admin").await;
        let put = async |slug: &str, above: Value| {
            let input = json!({ "slug": slug, "parentRoleSlug": above });
            run(&admin, "overrideAgentRole", "agentRole { id }", input).await["agentRole"]["id"].clone()
        };
        let id = put("qa_agent", json!("dev_agent")).await;
        put("qa_agent", Value::Null).await;
        put("dev_agent", json!("architect")).await;
        put("architect", json!("qa_agent")).await;
        let since = head(&admin).await;
        let first = json!({ "roleId": id, "version": 1 });
        let (code, said) = refused(&admin, "restoreAgentRoleVersion", first.clone()).await;
        assert!(code == "BAD_USER_INPUT" && said.contains("above itself"), "{code} {said}");
        assert_eq!((head(&admin).await, effective(&admin, "qa_agent").await["role"]["parentRoleSlug"].clone()), (since, Value::Null));
        // Once nothing stands in its way, it does.
        put("architect", Value::Null).await;
        run(&admin, "restoreAgentRoleVersion", "feedCursor", first).await;
        assert_eq!(effective(&admin, "qa_agent").await["role"]["parentRoleSlug"], "dev_agent");
    }

    async fn what_a_role_cannot_be_is_said(app) {
        let admin = app.client(DEMO, "admin").await;
        for (field, value) in [
            ("defaultConcurrency", json!(0)), ("defaultConcurrency", json!(33)), ("timeoutSeconds", json!(9)), ("timeoutSeconds", json!(86_401)),
            ("monthlyBudgetTokens", json!("0")), ("allowedTools", json!(vec!["Read"; 33])), ("allowedTools", json!([""])),
            ("systemPromptTemplate", json!("x".repeat(20_001))), ("systemPromptTemplate", json!("")), ("displayName", json!("x".repeat(81))),
            ("displayName", Value::Null), ("description", json!("x".repeat(2001))), ("isActive", Value::Null), ("parentRoleSlug", json!("nobody")),
            ("parentRoleSlug", json!("qa_agent")), ("defaultModel", json!("")),
        ] {
            let (code, said) = refused(&admin, "overrideAgentRole", json!({ "slug": "qa_agent", field: value })).await;
            assert!(code == "BAD_USER_INPUT" && said.contains(field), "{field}: {said}");
        }
        // That the role above it is inactive by now is no fault of a change that is about something else.
        run(&admin, "overrideAgentRole", "feedCursor", json!({ "slug": "chief_of_staff", "isActive": false })).await;
        run(&admin, "overrideAgentRole", "feedCursor", json!({ "slug": "qa_agent", "description": "Tests." })).await;
        assert_eq!(refused(&admin, "overrideAgentRole", json!({ "slug": "qa_agent", "parentRoleSlug": "chief_of_staff" })).await.0, "BAD_USER_INPUT");
        // No circle, also over several.
        run(&admin, "overrideAgentRole", "feedCursor", json!({ "slug": "qa_agent", "parentRoleSlug": "dev_agent" })).await;
        let (code, said) = refused(&admin, "overrideAgentRole", json!({ "slug": "dev_agent", "parentRoleSlug": "qa_agent" })).await;
        assert!(code == "BAD_USER_INPUT" && said.contains("above itself"), "{said}");
        let (code, said) = refused(&admin, "overrideAgentRole", json!({ "slug": "nobody" })).await;
        assert!(code == "BAD_USER_INPUT" && said.contains("supervisor"), "{said}");
        for slug in ["", "Data", "1data", "../data", "data engineer", "dätä", &"x".repeat(65)] {
            let input = json!({ "displayName": "Data", "slug": slug, "category": "META", "systemPromptTemplate": "x" });
            assert_eq!(refused(&admin, "createAgentRole", input).await.0, "BAD_USER_INPUT", "{slug}");
        }
        let many = async |n: usize| send(&admin, "createAgentRole", "feedCursor", json!({ "displayName": format!("Role {n}"), "category": "META", "systemPromptTemplate": "x" })).await;
        let limit = Made { app: &app, client: &admin };
        let tenant = app.tenant(DEMO).await;
        let rows: Vec<_> = (0..200).map(|n| format!("('many-{n}', '{tenant}', 'many_{n}', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', 'Own', 'meta', '')")).collect();
        app.execute(&format!("INSERT INTO agent_roles (id, \"tenantId\", slug, \"createdAt\", \"updatedAt\", \"displayName\", category, \"systemPromptTemplate\") VALUES {}", rows.join(", "))).await;
        assert_eq!(many(1).await.expect_err("is too many")["extensions"]["code"], "LIMIT_EXCEEDED");
        assert_eq!(limit.code("overrideAgentRole", json!({ "slug": "many_7", "description": "Changed" })).await, "");
    }
}
