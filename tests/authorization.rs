//! Who may do what: every operation of the schema, tried as every kind of caller.

use crate::{
    lists::operation,
    support::{Answer, Client, DEMO, Field, PASSWORD, Schema, TestApp},
    writes,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// The last but one three are services with these roles.
const CALLERS: [&str; 9] = [
    "owner", "admin", "member", "viewer", "agent", "s-admin", "s-member", "s-viewer", "nobody",
];

on_both_databases! {
    async fn who_may_do_what_is_this_table(app) {
        let owner = app.owner().await;
        let schema = Schema::of(&owner).await;
        let tokens = Tokens::of(&app, &owner).await;
        let mut table = format!("{:<32}{}\n", "", CALLERS.map(|caller| format!("{caller:<9}")).concat().trim_end());
        for field in schema.queries() {
            let (query, variables) = query(&owner, &schema, field).await;
            let all = amount(field, &owner.send(&query, variables.clone()).await);
            write!(table, "{:<32}", field.name).expect("writes to a string");
            for caller in CALLERS {
                let answer = client(&app, caller, &tokens).await.send(&query, variables.clone()).await;
                let told = outcome(&answer).unwrap_or_else(|| match amount(field, &answer) {
                    0 => "none",
                    seen if seen < all => "own",
                    _ => "yes",
                });
                write!(table, "{told:<9}").expect("writes to a string");
            }
            table = table.trim_end().to_owned() + "\n";
        }
        for field in schema.mutations() {
            // What a member may do as somebody's delegate is another story.
            let end = "mutation { setDelegate(input: { userId: null }) { feedCursor } }";
            app.owner().await.data(end, json!({})).await;
            write!(table, "{:<32}", field.name).expect("writes to a string");
            for caller in CALLERS {
                let client = match caller {
                    "agent" => if_agent(&app, &owner, &tokens, &field.name).await,
                    "owner" if field.name == "transferOwnership" => writes::sender(&app, &app.owner().await, &field.name).await,
                    _ => client(&app, caller, &tokens).await,
                };
                // An address signs up three times a minute.
                let client = if field.name == "signUp" { client.elsewhere_in_the_world() } else { client };
                let (input, before) = (input(&app, &schema, field).await, head(&app).await);
                let answer = client.send(&mutation(&schema, field), json!({ "input": input })).await;
                // Who may end everything is asked for the proof, which is wrong here.
                let is_asked = field.name == "deleteWorkspace" && answer.code() == "BAD_USER_INPUT";
                let told = if is_asked { "yes" } else { outcome(&answer).unwrap_or("yes") };
                assert!(told == "yes" || head(&app).await == before, "{} by {caller} left a trace", field.name);
                write!(table, "{told:<9}").expect("writes to a string");
            }
            table = table.trim_end().to_owned() + "\n";
        }
        insta::assert_snapshot!("authorization", table);
    }

    async fn an_entry_of_the_ledger_is_seen_by_who_sees_its_target(app) {
        let count = "query($kinds: [String!]) { activity(first: 200, filter: { targetType: { in: $kinds } }) { totalCount nodes { targetId targetTitle } } }";
        let admins = json!({ "kinds": ["CredentialVault", "IntegrationConnection", "Invitation", "ChannelRoute"] });
        let personal = json!({ "kinds": ["Notification"] });
        let (mut told, mut seen) = (Vec::new(), Vec::new());
        for role in ["owner", "viewer"] {
            let client = app.client(DEMO, role).await;
            let entries = client.data(count, admins.clone()).await["activity"]["totalCount"].as_u64();
            assert_eq!(entries > Some(0), role == "owner", "{role} is told of {entries:?} entries");
            let notices = client.data(count, personal.clone()).await["activity"]["nodes"].clone();
            let own = client.data("{ notifications(first: 200) { nodes { targetId: id targetTitle: title } } }", json!({})).await;
            for notice in notices.as_array().expect("entries") {
                let is_own = own["notifications"]["nodes"].as_array().expect("rows").contains(notice);
                assert!(is_own, "{role} is told of {notice}");
            }
            // Of some it is told too that they were read.
            let about: BTreeSet<_> = notices.as_array().expect("entries").iter().map(|notice| notice["targetId"].to_string()).collect();
            told.push(about.len());
            seen.push(own["notifications"]["nodes"].as_array().expect("rows").len());
        }
        assert_eq!(told, seen, "and of all of those");
    }

    async fn a_field_that_is_refused_takes_nothing_with_it(app) {
        let viewer = app.client(DEMO, "viewer").await;
        let schema = Schema::of(&viewer).await;
        let refused: Vec<_> = ["invitations", "credentials", "channelRoutes", "apiUsages"].into();
        let roots: String = refused.iter().map(|name| format!("{name} {{ totalCount }} ")).collect();
        let query = format!("{{ {roots} users(first: 2) {{ nodes {{ id name sentInvitations {{ totalCount }} apiUsages {{ totalCount }} }} }} }}");
        let answer = viewer.send(&query, json!({})).await;
        let errors = answer.body["errors"].as_array().expect("errors");
        assert_eq!(errors.len(), refused.len() + 2 * 2, "{errors:#?}");
        for (error, path) in errors.iter().map(|error| (error, &error["path"])) {
            assert_eq!(error["extensions"]["code"], "FORBIDDEN");
            let pointer: String = path.as_array().expect("a path").iter().map(|step| format!("/{}", step.to_string().trim_matches('"'))).collect();
            assert_eq!(answer.body["data"].pointer(&pointer), Some(&Value::Null), "{pointer}");
        }
        assert!(answer.body["data"]["users"]["nodes"][1]["name"].is_string());
        assert!(refused.iter().all(|name| schema.queries().iter().any(|field| field.name == *name && !field.of.required)));
    }
}

/// The tokens of those who are nobody.
struct Tokens {
    agent: String,
    services: BTreeMap<&'static str, String>,
}

impl Tokens {
    async fn of(app: &TestApp, owner: &Client) -> Self {
        let mut services = BTreeMap::new();
        for role in ["admin", "member", "viewer"] {
            services.insert(role, app.service_token(owner, role).await);
        }
        Self {
            agent: app.agent(owner).await,
            services,
        }
    }
}

async fn client(app: &TestApp, caller: &str, tokens: &Tokens) -> Client {
    if let Some(role) = caller.strip_prefix("s-") {
        return Client::new(&app.url, &tokens.services[role]);
    }
    match caller {
        "agent" => Client::new(&app.url, &tokens.agent),
        "nobody" => Client::anonymous(&app.url),
        role => app.client(DEMO, role).await,
    }
}

/// What a refusal is called in the table; none for an answer.
fn outcome(answer: &Answer) -> Option<&'static str> {
    if answer.body["errors"].is_null() {
        return None;
    }
    Some(match answer.code().as_str() {
        "FORBIDDEN" => "no",
        "UNAUTHENTICATED" => "401",
        // A row that is not this caller's to see is not there.
        "NOT_FOUND" => "absent",
        other => panic!("{other} is no answer of the policy: {:#}", answer.body),
    })
}

/// How much of a field there is: the rows of a list, one for anything else, none for null.
fn amount(field: &Field, answer: &Answer) -> u64 {
    let value = &answer.body["data"][&field.name];
    match value {
        Value::Null => 0,
        Value::Array(items) => items.iter().filter(|item| !item.is_null()).count() as u64,
        other => match (&other["totalCount"], &other["nodes"]) {
            (Value::Number(count), _) => count.as_u64().expect("a count"),
            (_, Value::Array(rows)) => rows.len() as u64,
            _ => 1,
        },
    }
}

/// An operation that asks a root field for something the owner sees.
async fn query(owner: &Client, schema: &Schema, field: &Field) -> (String, Value) {
    if schema.row_type(field).is_some() {
        return (operation(field, "totalCount"), json!({}));
    }
    let name = &field.name;
    match field.args.iter().find(|argument| argument.of.required) {
        Some(argument) if argument.name == "id" => {
            let kind = if name == "node" {
                "Project"
            } else {
                &field.of.name
            };
            let (list, _) = schema
                .lists()
                .find(|(_, row)| row.name == kind)
                .expect("a list of it");
            let id = some_id(owner, schema, list).await;
            (
                format!("query($id: ID!) {{ {name}(id: $id) {{ id }} }}"),
                json!({ "id": id }),
            )
        }
        Some(argument) if argument.name == "ids" => {
            let ids = owner
                .data("{ goals(first: 3) { nodes { id } } }", json!({}))
                .await;
            let ids: Vec<_> = ids["goals"]["nodes"]
                .as_array()
                .expect("rows")
                .iter()
                .map(|row| &row["id"])
                .collect();
            (
                format!("query($ids: [ID!]!) {{ {name}(ids: $ids) {{ id }} }}"),
                json!({ "ids": ids }),
            )
        }
        Some(argument) if argument.name == "query" => (
            format!("query($query: String!) {{ {name}(query: $query) {{ nodes {{ title }} }} }}"),
            json!({ "query": "t" }),
        ),
        Some(argument) if argument.name == "messageType" => (
            format!("{{ {name}(messageType: APPROVAL_REQUEST) {{ id }} }}"),
            json!({}),
        ),
        Some(argument) if argument.name == "groupBy" => (
            format!("{{ {name}(groupBy: []) {{ __typename }} }}"),
            json!({}),
        ),
        Some(argument) => panic!("what is {name}({}) asked?", argument.name),
        None if field.of.is_leaf() => (format!("{{ {name} }}"), json!({})),
        None => (format!("{{ {name} {{ __typename }} }}"), json!({})),
    }
}

/// A row's id; where rows are for one person each, one of the admin's.
async fn some_id(owner: &Client, schema: &Schema, list: &Field) -> Value {
    let kind = schema.row_type(list).expect("rows");
    let filter = schema.get(&format!("{}Filter", kind.name));
    let has_user = filter.inputs.iter().any(|input| input.name == "user");
    let of_admin = json!({ "first": 1, "filter": { "user": { "role": { "eq": "ADMIN" } } } });
    let arguments = [of_admin, json!({ "first": 1 })];
    for arguments in arguments.iter().skip(usize::from(!has_user)) {
        let found = owner
            .data(&operation(list, "nodes { id }"), arguments.clone())
            .await;
        if let Some(row) = found[&list.name]["nodes"]
            .as_array()
            .and_then(|rows| rows.first())
        {
            return row["id"].clone();
        }
    }
    panic!("the demo has no {}", kind.name)
}

fn mutation(schema: &Schema, field: &Field) -> String {
    if schema.writes().any(|write| write.name == field.name) {
        return writes::operation(field);
    }
    let (name, input) = (&field.name, &field.args[0].of.name);
    format!("mutation($input: {input}!) {{ {name}(input: $input) {{ __typename }} }}")
}

async fn input(app: &TestApp, schema: &Schema, field: &Field) -> Value {
    let owner = app.owner().await;
    if schema.writes().any(|write| write.name == field.name) {
        return writes::sample(app, &owner, &field.name).await;
    }
    match field.name.as_str() {
        "deleteWorkspace" => json!({ "slug": "another", "password": PASSWORD }),
        "signIn" => {
            json!({ "workspace": DEMO, "email": app.email(DEMO, "admin").await, "password": PASSWORD })
        }
        "refreshSession" | "signOut" => {
            let session = crate::sessions::sign_in(app, "admin").await;
            json!({ "refreshToken": session["refreshToken"] })
        }
        "decideByReply" => {
            let owner = app.owner().await;
            let made = writes::Made {
                app,
                client: &owner,
            };
            let token = made.reply_token("BRIEF", &made.submitted().await).await;
            json!({ "token": token, "decision": "APPROVE", "channelIdentity": "U1" })
        }
        "testIntegration" => {
            json!({ "service": "GITHUB", "values": [{ "key": "token", "value": "github-token-of-tests" }] })
        }
        "agentHeartbeat" => {
            let made = writes::Made {
                app,
                client: &owner,
            };
            json!({ "sessionId": made.session().await })
        }
        "reportJobProgress" | "recordJobEvents" | "saveCheckpoint" => {
            let made = writes::Made {
                app,
                client: &owner,
            };
            let mut input = made.job().await;
            match field.name.as_str() {
                "reportJobProgress" => input["seq"] = json!(1),
                "recordJobEvents" => {
                    input["events"] = json!([{ "seq": 1, "kind": "ACTION", "text": "Begun." }]);
                }
                _ => input["checkpoint"] = json!({ "step": 2 }),
            }
            input
        }
        "signUp" => json!({
            "workspaceName": "Hill & Dale", "name": "Ada", "email": "ada@hill.example", "password": "a new long password",
        }),
        "acceptInvitation" => {
            let made = writes::Made {
                app,
                client: &owner,
            };
            let (_, token) = made.invitation().await;
            json!({ "token": token, "name": "Ada", "password": "a new long password" })
        }
        "requestPasswordReset" => {
            json!({ "workspace": DEMO, "email": app.email(DEMO, "viewer").await })
        }
        "resetPassword" => {
            let token = crate::people::reset_token(app, &app.user(DEMO, "viewer").await).await;
            json!({ "token": token, "newPassword": "a new long password" })
        }
        "changePassword" => {
            json!({ "currentPassword": PASSWORD, "newPassword": "a new long password" })
        }
        other => panic!("what is {other} sent?"),
    }
}

async fn head(app: &TestApp) -> Value {
    app.owner().await.data("{ feedCursor }", json!({})).await["feedCursor"].clone()
}

/// The agent that sends a mutation: the one that has something, where it is for agents.
async fn if_agent(app: &TestApp, owner: &Client, tokens: &Tokens, mutation: &str) -> Client {
    match writes::is_for_agents(mutation) {
        true => app.worker(owner).await,
        false => Client::new(&app.url, &tokens.agent),
    }
}
