//! Signing up: a workspace of one's own.

use super::{NEW, reason};
use crate::support::{ACME, Answer, Client, DEMO};
use serde_json::{Value, json};

const SIGN_UP: &str =
    "mutation($input: SignUpInput!) { signUp(input: $input) { accessToken refreshToken } }";

async fn sign_up(client: &Client, change: Value) -> Answer {
    let mut input = json!({ "workspaceName": "Hill & Dale", "name": "Ada", "email": "Ada@Hill.Example", "password": NEW });
    for (field, value) in change.as_object().expect("an object") {
        input[field] = value.clone();
    }
    client.send(SIGN_UP, json!({ "input": input })).await
}

on_both_databases! {
    async fn whoever_signs_up_owns_a_workspace_and_sees_no_other(app) {
        let nobody = Client::anonymous(&app.url);
        let session = sign_up(&nobody, json!({})).await.data(SIGN_UP)["signUp"].clone();
        let ada = Client::new(&app.url, session["accessToken"].as_str().expect("a token"));
        let seen = "{ viewer { user { name email role } tenant { name slug } } projects { nodes { slug createdBy { email } } } users { totalCount }
            prds { totalCount } activity(first: 10) { nodes { action actor metadata } } }";
        let seen = ada.data(seen, json!({})).await;
        assert_eq!(seen["viewer"], json!({
            "user": { "name": "Ada", "email": "ada@hill.example", "role": "OWNER" }, "tenant": { "name": "Hill & Dale", "slug": "hill-dale" },
        }));
        assert_eq!(seen["projects"]["nodes"], json!([{ "slug": "default", "createdBy": { "email": "ada@hill.example" } }]));
        assert_eq!((&seen["users"]["totalCount"], &seen["prds"]["totalCount"]), (&json!(1), &json!(0)));
        let entries = seen["activity"]["nodes"].as_array().expect("entries");
        assert_eq!(super::actions(entries), ["project.created", "user.signup", "tenant.created"]);
        assert!(entries[1]["metadata"]["ip"].is_string(), "it says from where");
        let input = json!({ "workspace": "hill-dale", "email": "ada@hill.example", "password": NEW });
        Client::anonymous(&app.url).data(super::SIGN_IN, json!({ "input": input })).await;
        app.verify_ledger("hill-dale").await;
        assert_eq!(app.client(DEMO, "owner").await.data("{ tenants { totalCount } }", json!({})).await["tenants"]["totalCount"], 1);
    }

    async fn a_slug_is_chosen_or_a_free_one_is_made(app) {
        let slug = async |change: Value| {
            let answer = sign_up(&Client::anonymous(&app.url), change).await;
            let token = answer.body["data"]["signUp"]["accessToken"].as_str().map(str::to_owned);
            let Some(token) = token else { return Err(answer) };
            let who = Client::new(&app.url, &token).data("{ viewer { tenant { slug } } }", json!({})).await;
            Ok(who["viewer"]["tenant"]["slug"].as_str().expect("a slug").to_owned())
        };
        assert_eq!(slug(json!({ "workspaceSlug": "our-own" })).await.expect("signs up"), "our-own");
        assert_eq!(slug(json!({ "workspaceSlug": "our-own" })).await.expect_err("is taken").code(), "CONFLICT");
        // That there is another workspace of this name is told to nobody.
        let made = slug(json!({ "workspaceName": ACME })).await.expect("signs up");
        assert!(made.starts_with("acme-") && made.len() == "acme-xxxx".len(), "{made}");
        assert!(slug(json!({ "workspaceName": "!?" })).await.expect("signs up").starts_with("workspace"));
        for wrong in ["Our Own", "system", "-", "", &"x".repeat(41)] {
            let refused = slug(json!({ "workspaceSlug": wrong })).await.expect_err("is no slug");
            assert_eq!((refused.code(), &refused.body["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT".into(), &json!("workspaceSlug")));
        }
    }

    async fn a_slug_that_an_ended_workspace_still_has_is_not_free(app) {
        workgraph::workspace::found(&app.store, "Hill & Dale", Some("hill-dale"), "ada@example.com").await.expect("is founded");
        let (owner, tenant) = (app.client("hill-dale", "owner").await, app.tenant("hill-dale").await);
        owner.data("mutation { deleteWorkspace(input: { slug: \"hill-dale\" }) { feedCursor } }", json!({})).await;
        // As if it had not been freed in time.
        app.execute(&format!("UPDATE tenants SET slug = 'hill-dale' WHERE id = '{tenant}'")).await;
        let session = sign_up(&Client::anonymous(&app.url), json!({})).await.data(SIGN_UP)["signUp"].clone();
        let ada = Client::new(&app.url, session["accessToken"].as_str().expect("a token"));
        let seen = ada.data("{ viewer { tenant { slug } } }", json!({})).await["viewer"]["tenant"]["slug"].clone();
        assert!(seen.as_str().is_some_and(|slug| slug.starts_with("hill-dale-")), "{seen}");
    }

    async fn what_is_wrong_founds_nothing(app) {
        for (field, value) in [
            ("workspaceName", ""), ("name", " "), ("email", "ada"), ("password", "too short"), ("password", "workgraph-demo"),
        ] {
            let answer = sign_up(&Client::anonymous(&app.url), json!({ field: value, "workspaceSlug": "nothing" })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{field}");
            assert_eq!(answer.body["errors"][0]["extensions"]["field"], field);
        }
        assert!(app.store.system().workspace("nothing").await.expect("reads").is_none());
    }

    async fn an_address_signs_up_three_times_a_minute(app) {
        let client = Client::anonymous(&app.url);
        for _ in 0..3 {
            sign_up(&client, json!({})).await.data(SIGN_UP);
        }
        let refused = sign_up(&client, json!({})).await;
        assert_eq!(refused.code(), "RATE_LIMITED");
        assert!(refused.body["errors"][0]["extensions"]["retryAfterMs"].as_u64() > Some(0));
        sign_up(&Client::anonymous(&app.url), json!({})).await.data(SIGN_UP);
    }

    async fn nobody_signs_up_where_that_is_closed(app) {
        let refused = sign_up(&Client::anonymous(&app.closed().await), json!({})).await;
        assert_eq!(reason(&refused), ("FORBIDDEN".into(), Value::Null));
    }
}
