//! The schema is documented, holds no secret, and is what `schema.graphql` says.

use crate::support::{Schema, Type};
use entity::Owned;
use sea_orm::IdenStatic;

#[test]
fn schema_graphql_is_what_the_code_says() {
    let committed = include_str!("../schema.graphql");
    let fresh = workgraph::graph::sdl();
    let place = committed
        .lines()
        .zip(fresh.lines())
        .position(|(old, new)| old != new);
    assert!(
        committed == fresh,
        "schema.graphql is stale (from line {}). Run: cargo run -q -- schema > schema.graphql",
        place.map_or(0, |line| line + 1)
    );
}

on_both_databases! {
    async fn everything_has_a_description(app) {
        let schema = Schema::of(&app.owner().await).await;
        let mut bare = Vec::new();
        // GraphQL's own `ID` needs none.
        for of in schema.types().filter(|of| of.name != "ID") {
            let name = &of.name;
            let mut look = |path: String, description: &Option<String>| {
                if description.as_deref().is_none_or(|text| text.trim().len() < 3) {
                    bare.push(path);
                }
            };
            look(name.clone(), &of.description);
            for field in of.fields.iter().chain(&of.inputs).chain(&of.values) {
                look(format!("{name}.{}", field.name), &field.description);
                for argument in &field.args {
                    look(format!("{name}.{}({})", field.name, argument.name), &argument.description);
                }
            }
        }
        assert!(bare.is_empty(), "without a description: {bare:#?}");
    }

    async fn no_secret_column_has_a_name_in_the_schema(app) {
        let schema = Schema::of(&app.owner().await).await;
        let mut shown = Vec::new();
        macro_rules! look_at {
            ($($table:ident),*) => { $(secrets::<entity::$table::Entity>(&schema, &mut shown);)* };
        }
        entity::for_each_table!(look_at);
        assert!(shown.is_empty(), "secrets in the schema: {shown:?}");
    }

    async fn what_has_an_id_is_a_node(app) {
        let schema = Schema::of(&app.owner().await).await;
        // Clients keep records by their ids alone.
        let has_id = |of: &&Type| of.fields.iter().any(|field| field.name == "id" && field.of.name == "ID") && of.name != "Node";
        let others: Vec<_> = schema.types().filter(has_id).filter(|of| !of.is_node()).map(|of| &of.name).collect();
        assert!(others.is_empty(), "{others:?}");
    }

    async fn every_mutation_is_nullable(app) {
        let schema = Schema::of(&app.owner().await).await;
        let required: Vec<_> = schema.mutations().iter().filter(|mutation| mutation.of.required).collect();
        assert!(schema.mutations().len() > 15);
        assert!(required.is_empty(), "these take back what others committed: {required:?}");
    }

    async fn every_mutation_takes_an_idempotency_key_and_answers_with_its_place(app) {
        let schema = Schema::of(&app.owner().await).await;
        let sessions: Vec<_> = schema
            .mutations()
            .iter()
            .filter(|mutation| !schema.writes().any(|write| write.name == mutation.name))
            .map(|mutation| mutation.name.as_str())
            .collect();
        assert_eq!(sessions, ["signIn", "refreshSession", "signOut", "changePassword", "signUp", "acceptInvitation", "requestPasswordReset", "resetPassword", "decideByReply", "deleteWorkspace", "agentHeartbeat", "reportJobProgress", "recordJobEvents", "saveCheckpoint", "testIntegration"]);
        for mutation in schema.writes() {
            let [input] = &mutation.args[..] else { panic!("{} takes one input", mutation.name) };
            let has = |of: &Type, name: &str| of.inputs.iter().chain(&of.fields).any(|field| field.name == name);
            assert!(has(schema.get(&input.of.name), "idempotencyKey"), "{}", mutation.name);
            assert!(has(schema.get(&mutation.of.name), "feedCursor"), "{}", mutation.name);
        }
    }
}

/// No field, filter or order is named like a secret column of the table the type stands for.
fn secrets<E: Owned>(schema: &Schema, shown: &mut Vec<String>) {
    for column in E::SECRET {
        for name in [
            E::KIND.to_owned(),
            format!("{}Filter", E::KIND),
            format!("{}OrderField", E::KIND),
        ] {
            let Some(of) = schema.types().find(|of| of.name == name) else {
                continue;
            };
            let same = |other: &str| other.replace('_', "").eq_ignore_ascii_case(column.as_str());
            let members = of.fields.iter().chain(&of.inputs).chain(&of.values);
            shown.extend(
                members
                    .filter(|member| same(&member.name))
                    .map(|member| format!("{name}.{}", member.name)),
            );
        }
    }
}
