//! What is imported from a text: what is taken, and what is refused.

use super::{actions, refused, run};
use crate::{support::DEMO, writes::head};
use serde_json::{Value, json};

/// The two kinds of entries: how they are imported, and what is answered with.
const KINDS: [(&str, &str); 2] = [
    ("importSkillPackage", "skillPackage"),
    ("importSubagent", "subagent"),
];

fn text(front: &str) -> String {
    format!("---\n{front}\n---\n\nDo it.\n")
}

on_both_databases! {
    async fn a_text_is_taken_as_its_author_wrote_it_and_the_same_text_again_changes_nothing(app) {
        let admin = app.client(DEMO, "admin").await;
        let front = "name: Tidy.Desk\ndescription: Use when: the desk is full\ntools: Read, Bash(git add:*, ls)\nmodel: small\nlicense: MIT\nmetadata:\n  version: 3";
        for (mutation, row) in KINDS {
            for role in ["member", "viewer"] {
                assert_eq!(refused(&app.client(DEMO, role).await, mutation, json!({ "text": text(front) })).await.0, "FORBIDDEN");
            }
            let special = match row {
                "subagent" => "prompt: systemPrompt tools: allowedTools preferredModel",
                _ => "prompt: body tools: requiredTools",
            };
            let shown = format!("{row} {{ id slug source status description metadata contentHash allowedSteps {special} }}");
            let since = head(&admin).await;
            let made = run(&admin, mutation, &shown, json!({ "text": text(front), "source": "COMMUNITY" })).await[row].clone();
            assert_eq!((&made["slug"], &made["source"], &made["status"]), (&json!("tidy-desk"), &json!("COMMUNITY"), &json!("PENDING_APPROVAL")));
            assert_eq!((&made["description"], &made["prompt"]), (&json!("Use when: the desk is full"), &json!("Do it.")));
            assert_eq!(made["tools"], json!(["Read", "Bash(git add:*, ls)"]));
            assert_eq!((&made["metadata"]["license"], &made["metadata"]["name"]), (&json!("MIT"), &json!("Tidy.Desk")));
            assert_eq!(made["metadata"]["frontmatter"]["metadata"]["version"], 3);
            assert_eq!(made["allowedSteps"], json!(["APPROVE", "REJECT"]));
            if row == "subagent" {
                assert_eq!(made["preferredModel"], "small");
            }
            let again = run(&admin, mutation, &shown, json!({ "text": text(front), "source": "COMMUNITY" })).await[row].clone();
            assert_eq!(again, made);
            let other = run(&admin, mutation, &shown, json!({ "text": text(&front.replace("full", "empty")) })).await[row].clone();
            assert_eq!((&other["id"], &other["source"], &other["status"]), (&made["id"], &json!("USER"), &json!("PENDING_APPROVAL")));
            assert_ne!(other["contentHash"], made["contentHash"]);
            assert_eq!(actions(&admin, since).await.len(), 2);
        }
        app.verify_ledger(DEMO).await;
    }

    async fn a_hostile_text_is_refused_with_what_to_do(app) {
        let admin = app.client(DEMO, "admin").await;
        let (before, fine) = (head(&admin).await, "name: a\ndescription: d");
        // A laugh for a billion lines, and one that is smaller and still too much.
        let laughs = |levels: usize| {
            let mut yaml = format!("{fine}\nl0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]");
            for level in 1..levels {
                let of = vec![format!("*l{}", level - 1); 9].join(", ");
                yaml += &format!("\nl{level}: &l{level} [{of}]");
            }
            text(&yaml)
        };
        let nested = |depth: usize| text(&format!("{fine}\ndeep: {}{}", "[".repeat(depth), "]".repeat(depth)));
        let tools = |number: usize| (0..number).map(|n| format!("T{n}")).collect::<Vec<_>>().join(", ");
        for (hostile, told) in [
            (String::new(), "text"),
            ("# A readme".to_owned(), "frontmatter"),
            ("---\nname: a\n".to_owned(), "closed"),
            (text("name: a"), "description"),
            (text("description: d"), "name"),
            (format!("---\n{fine}\n---\n\n  \n"), "below the frontmatter"),
            (text("name: ../../etc/passwd\ndescription: d"), "letters, digits, dashes and dots"),
            (text("name: a/b\ndescription: d"), "letters"),
            (text("name: \"a\\0b\"\ndescription: d"), "letters"),
            (text("name: \"<script>\"\ndescription: d"), "letters"),
            (text(&format!("name: a\ndescription: {}", "x".repeat(4097))), "4096"),
            (text(&format!("{fine}\nnotes: {}", "x".repeat(20_001))), "Put it below the frontmatter"),
            (text(&format!("{fine}\ntools: {}", tools(51))), "50"),
            (text(&format!("{fine}\nmodel: {}", "x".repeat(201))), "200"),
            (text(&format!("{fine}\nname: b")), "name"),
            (text("- name"), "keys and values"),
            (laughs(9), "keys and values"),
            (laughs(5), "keys and values"),
            (laughs(4), "Put it below the frontmatter"),
            (nested(11), "nested"),
            (nested(5000), "text"),
            (format!("{}{}", text(fine), "x".repeat(100_001)), "100000"),
        ] {
            for (mutation, _) in KINDS {
                let (code, said) = refused(&admin, mutation, json!({ "text": hostile })).await;
                let short: String = hostile.chars().take(80).collect();
                assert!(code == "BAD_USER_INPUT" && said.contains(told), "{short}: {code} {said}");
                assert!(said.len() < 500, "{said}");
            }
        }
        for (mutation, _) in KINDS {
            let nul = format!("{}\0", text(fine));
            assert_eq!(refused(&admin, mutation, json!({ "text": nul })).await.0, "BAD_USER_INPUT");
            let (code, said) = refused(&admin, mutation, json!({ "text": text(fine), "source": "VENDOR" })).await;
            assert!(code == "BAD_USER_INPUT" && said.contains("USER or COMMUNITY"), "{said}");
            let huge = json!({ "text": "x".repeat(1 << 20) });
            let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
            let query = format!("mutation($input: {kind}!) {{ {mutation}(input: $input) {{ feedCursor }} }}");
            let answer = admin.send(&query, json!({ "input": huge })).await;
            assert_eq!(answer.status, 413, "{:#}", answer.body);
        }
        assert_eq!(head(&admin).await, before);
        // Aliases that stay small are nobody's bomb, and nothing of it is run.
        let fair = text(&format!("{fine}\nwho: &who [Ann]\nalso: *who\nrun: !!python/object/apply:os.system ['ls']"));
        match super::send(&admin, "importSubagent", "subagent { metadata }", json!({ "text": fair })).await {
            Ok(made) => assert_eq!(made["subagent"]["metadata"]["frontmatter"]["also"], json!(["Ann"])),
            Err(error) => assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT"),
        }
    }

    async fn a_text_whose_aliases_stand_for_too_much_is_not_unfolded(app) {
        let admin = app.client(DEMO, "admin").await;
        let (before, fine) = (head(&admin).await, "name: a\ndescription: d");
        let aliases = |number: usize| vec!["*a"; number].join(", ");
        let many = |number: usize| {
            let anchors: Vec<_> = ('a'..='k').map(|name| format!("&{name} 1")).collect();
            text(&format!("{fine}\neach: [{}]\nall: [{}]", anchors.join(", "), aliases(number)))
        };
        for (bomb, given) in [
            ("aliases", many(101)),
            // 60 KB that stand for 1.2 MB.
            ("bytes", text(&format!("{fine}\na: &a {}\nall: [{}]", "x".repeat(60_000), aliases(20)))),
            ("nodes", text(&format!("{fine}\nall: [{}]", vec!["1"; 20_001].join(",")))),
            ("nodes behind aliases", text(&format!("{fine}\na: &a [{}]\nall: [{}]", vec!["1"; 1000].join(","), aliases(20)))),
        ] {
            for (mutation, _) in KINDS {
                let (code, said) = refused(&admin, mutation, json!({ "text": given })).await;
                // What was unfolded whole would be told to be more than the frontmatter may hold.
                assert!(code == "BAD_USER_INPUT" && said.contains("keys and values"), "{bomb}: {code} {said}");
            }
        }
        assert_eq!(head(&admin).await, before);
        run(&admin, "importSubagent", "feedCursor", json!({ "text": many(100) })).await;
    }

    async fn what_all_workspaces_share_is_not_imported_over(app) {
        let admin = app.client(DEMO, "admin").await;
        for (mutation, list, override_by) in [
            ("importSkillPackage", "effectiveSkillPackages { isOverride row: skillPackage { slug source } }", "overrideSkillPackage"),
            ("importSubagent", "effectiveSubagents { isOverride row: subagent { slug source } }", "overrideSubagent"),
        ] {
            let read = admin.data(&format!("{{ all: {list} }}"), json!({})).await;
            let rows = read["all"].as_array().expect("rows").clone();
            let shared = rows.iter().find(|found| found["isOverride"] == false && found["row"]["source"] == "VENDOR");
            let slug = shared.expect("a shared one")["row"]["slug"].as_str().expect("a slug").to_owned();
            let text = text(&format!("name: {slug}\ndescription: Mine"));
            let (code, said) = refused(&admin, mutation, json!({ "text": text })).await;
            assert!(code == "CONFLICT" && said.contains(override_by), "{said}");
            let now = admin.data(&format!("{{ all: {list} }}"), json!({})).await;
            assert_eq!(now["all"], Value::Array(rows));
        }
    }
}
