//! What the schema says beyond types is judged before anything runs.

use super::{super::constraints::Constraint, *};
use apollo_compiler::{
    ast::{InputValueDefinition, Type},
    schema::ExtendedType,
};

/// A mutation with an argument's value, after one that is well.
fn second(field: &str, arguments: &str) -> String {
    let first = "a: createProject(input: { name: \"a\" }) { feedCursor }";
    format!("mutation {{ {first} b: {field}({arguments}) {{ __typename }} }}")
}

/// Every way to a field of an input with a constraint: the values around it, with a gap for its own.
fn ways(
    declared: &Type,
    around: &str,
    depth: usize,
    out: &mut Vec<(String, InputValueDefinition)>,
) {
    let named = GUARD.schema.types.get(declared.inner_named_type());
    let Some(ExtendedType::InputObject(input)) = named else {
        return;
    };
    for (name, field) in input.fields.iter().filter(|_| depth < 4) {
        let others = input
            .fields
            .values()
            .filter(|other| other.is_required() && other.name != *name);
        let others: String = others
            .map(|other| format!("{}: {}, ", other.name, some(&other.ty)))
            .collect();
        let within = around.replace('~', &format!("{{ {others}{name}: ~ }}"));
        if Constraint::of(field).is_some() {
            out.push((within.clone(), (***field).clone()));
        }
        ways(&field.ty, &within, depth + 1, out);
    }
}

/// Some value of a type.
fn some(of: &Type) -> String {
    if of.is_list() {
        return format!("[{}]", some(of.item_type()));
    }
    match &GUARD.schema.types[of.inner_named_type()] {
        ExtendedType::Enum(values) => values.values.keys()[0].to_string(),
        ExtendedType::InputObject(input) => {
            let fields = input.fields.values().filter(|field| field.is_required());
            let fields = fields.map(|field| format!("{}: {} ", field.name, some(&field.ty)));
            format!("{{ {} }}", fields.collect::<String>())
        }
        scalar => match scalar.name().as_str() {
            "Int" | "Float" | "BigInt" => "1".to_owned(),
            "Boolean" => "true".to_owned(),
            "DateTime" => "\"2026-05-04T09:30:00Z\"".to_owned(),
            _ => "\"a\"".to_owned(),
        },
    }
}

/// A value that a constraint refuses, as a literal and as JSON.
fn wrong(field: &InputValueDefinition) -> (String, Value) {
    let limit = ["size", "length"].map(|directive| field.directives.get(directive));
    let most = limit.into_iter().flatten().next().unwrap();
    let most = most.specified_argument_by_name("max").unwrap();
    let too_many = most.to_i32().unwrap() as usize + 1;
    if field.ty.is_list() {
        let many = vec![some(field.ty.item_type()); too_many].join(", ");
        return (format!("[{many}]"), Value::Null);
    }
    let long = "\u{fc}".repeat(too_many);
    (format!("\"{long}\""), json!(long))
}

#[test]
fn no_mutation_runs_before_a_later_ones_arguments_are_judged() {
    let mutations = GUARD.schema.get_object("Mutation").unwrap();
    let mut tried = 0;
    for (name, mutation) in &mutations.fields {
        let mut found = Vec::new();
        for argument in &mutation.arguments {
            ways(
                &argument.ty,
                &format!("{}: ~", argument.name),
                0,
                &mut found,
            );
        }
        for (around, field) in found {
            let (literal, value) = wrong(&field);
            let document = second(name, &around.replace('~', &literal));
            // What is longer than a document may be can only be sent as a variable.
            let refused = match document.len() > 100_000 {
                true => "LIMIT_EXCEEDED",
                false => "BAD_USER_INPUT",
            };
            assert_eq!(code(&document, json!({})), refused, "{document:.300}");
            let good = second(name, &around.replace('~', &some(&field.ty)));
            assert_eq!(code(&good, json!({})), "", "{good}");
            if value != Value::Null {
                let document = second(name, &around.replace('~', "$v"))
                    .replace("mutation", &format!("mutation($v: {})", field.ty));
                let errors = asked(&document, json!({ "v": value })).err().unwrap();
                let told = serde_json::to_value(&errors[0]).unwrap();
                assert_eq!(told["extensions"]["field"], field.name.as_str());
            }
            tried += 1;
        }
    }
    assert!(tried > 20, "only {tried}");
}

#[test]
fn every_door_a_value_comes_through_is_watched() {
    let many = vec!["\"a\""; 201].join(" ");
    let create = |value: &str| {
        format!("createProject(input: {{ name: \"a\", idempotencyKey: {value} }}) {{ feedCursor }}")
    };
    let key = "x".repeat(201);
    for (document, variables) in [
        (format!("{{ nodes(ids: [{many}]) {{ id }} }}"), json!({})),
        (
            format!(
                "{{ goals(filter: {{ not: {{ title: {{ in: [{many}] }} }} }}) {{ totalCount }} }}"
            ),
            json!({}),
        ),
        (format!("mutation {{ {} }}", create("\"\"")), json!({})),
        (
            format!("mutation($k: String = \"{key}\") {{ {} }}", create("$k")),
            json!({}),
        ),
        (
            format!(
                "mutation($k: String) {{ ...f }} fragment f on Mutation {{ {} }}",
                create("$k")
            ),
            json!({ "k": "" }),
        ),
        (
            "query($f: GoalFilter) { goals(filter: { or: [$f] }) { totalCount } }"
                .replace("[$f]", "$f")
                .replace("$f: GoalFilter", "$f: [GoalFilter!]"),
            json!({ "f": [{ "title": { "nin": vec!["a"; 201] } }] }),
        ),
        (
            "query($ids: [ID!]!) { nodes(ids: $ids) { id } }".to_owned(),
            json!({ "ids": vec!["a"; 201] }),
        ),
        (
            "mutation($i: CreateProjectInput!) { createProject(input: $i) { feedCursor } }"
                .to_owned(),
            json!({ "i": { "name": "a", "idempotencyKey": "" } }),
        ),
    ] {
        assert_eq!(
            code(&document, variables),
            "BAD_USER_INPUT",
            "{document:.200}"
        );
    }
    for (document, variables) in [
        (format!("mutation {{ {} }}", create("null")), json!({})),
        (
            format!("mutation($k: String) {{ {} }}", create("$k")),
            json!({ "k": null }),
        ),
        (
            format!("mutation($k: String) {{ {} }}", create("$k")),
            json!({ "k": "\u{fc}".repeat(200) }),
        ),
        ("{ nodes(ids: \"a\") { id } }".to_owned(), json!({})),
    ] {
        assert_eq!(code(&document, variables), "", "{document:.200}");
    }
}

/// That a list is too long is told after what is no GraphQL for this schema.
#[test]
fn what_does_not_fit_the_schema_is_told_first() {
    let many = vec!["\"a\""; 201].join(" ");
    let document = format!(
        "{{ nodes(ids: [{many}]) {{ id }} goals(filter: {{ createdAt: {{ gt: \"never\" }} }}) {{ totalCount }} }}"
    );
    let errors = asked(&document, json!({})).err().unwrap();
    let codes: Vec<_> = errors.iter().filter_map(crate::answer::code).collect();
    assert_eq!(codes, [VALIDATE, "BAD_USER_INPUT"], "{errors:#?}");
}

/// The library judges an argument when its field's turn comes, after what a mutation before it has committed.
#[test]
fn nothing_is_left_to_the_librarys_validators() {
    // Some inputs are rows' own JSON.
    let folders = ["/src/graph", "/../entity/src"]
        .map(|folder| format!("{}{folder}", env!("CARGO_MANIFEST_DIR")));
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let paths: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    assert!(paths.len() > 60);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let schema = text.split("#[cfg(test)]").next().unwrap();
        assert!(!schema.contains("validator("), "{}", path.display());
    }
}
