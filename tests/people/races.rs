//! Several at once: a workspace always has an owner, an invitation makes one user, and a link one new password.

use super::{ACCEPT, NEW, REMOVE, RESET, ROLE, reset_token};
use crate::{
    support::{Answer, Client, DEMO, TestApp},
    writes::Made,
};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::json;

/// How many rounds a race has; more of them with `WORKGRAPH_RACE_ROUNDS`.
fn rounds(usual: usize) -> usize {
    let more = std::env::var("WORKGRAPH_RACE_ROUNDS").ok();
    more.and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

/// How many rows of the demo's people there are of which this holds.
async fn count(app: &TestApp, beside: &DatabaseConnection, which: &str) -> i64 {
    let tenant = app.tenant(DEMO).await;
    let sql =
        format!("SELECT count(*) AS n FROM users WHERE \"tenantId\" = '{tenant}' AND {which}");
    let statement = Statement::from_string(beside.get_database_backend(), sql);
    let row = beside
        .query_one_raw(statement)
        .await
        .expect("counts")
        .expect("a row");
    row.try_get("", "n").expect("a number")
}

/// How an answer went: its code, empty when it is none of an error.
fn code(answer: &Answer) -> String {
    answer
        .body
        .get("errors")
        .map(|_| answer.code())
        .unwrap_or_default()
}

on_both_databases! {
    async fn of_two_owners_who_end_each_other_at_once_one_stays(app) {
        let beside = app.connection.across_tenants().await;
        let tenant = app.tenant(DEMO).await;
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        for round in 0..rounds(24) {
            app.execute(&format!("UPDATE users SET role = 'member' WHERE \"tenantId\" = '{tenant}' AND role = 'owner'")).await;
            let (one, other) = (made.person("owner").await, made.person("owner").await);
            let end = async |by: &entity::user::Model, of: &entity::user::Model, removes: bool| {
                let client = Client::new(&app.url, &app.token_of(by));
                match removes {
                    true => client.send(REMOVE, json!({ "id": of.id })).await,
                    false => client.send(ROLE, json!({ "id": of.id, "role": "ADMIN" })).await,
                }
            };
            let (first, second) = tokio::join!(end(&one, &other, round % 2 == 0), end(&other, &one, round % 4 < 2));
            let codes = [code(&first), code(&second)];
            assert_eq!(codes.iter().filter(|code| code.is_empty()).count(), 1, "round {round}: {codes:?}");
            assert!(codes.iter().all(|code| ["", "UNAUTHENTICATED", "CONFLICT"].contains(&code.as_str())), "round {round}: {codes:?}");
            assert_eq!(count(&app, &beside, "role = 'owner'").await, 1, "round {round}: {codes:?}");
        }
        app.verify_ledger(DEMO).await;
    }

    async fn of_three_owners_who_end_each_other_in_a_circle_one_stays(app) {
        let beside = app.connection.across_tenants().await;
        let tenant = app.tenant(DEMO).await;
        let owner = app.owner().await;
        let made = Made { app: &app, client: &owner };
        for round in 0..rounds(8) {
            app.execute(&format!("UPDATE users SET role = 'member' WHERE \"tenantId\" = '{tenant}' AND role = 'owner'")).await;
            let people = [made.person("owner").await, made.person("owner").await, made.person("owner").await];
            let ends = (0..3).map(|place| {
                let client = Client::new(&app.url, &app.token_of(&people[place]));
                let of = json!({ "id": people[(place + 1) % 3].id, "role": "VIEWER" });
                async move { client.send(ROLE, of).await }
            });
            let codes: Vec<_> = join_all(ends).await.iter().map(code).collect();
            assert!(count(&app, &beside, "role = 'owner'").await >= 1, "round {round}: {codes:?}");
        }
        app.verify_ledger(DEMO).await;
    }

    async fn an_invitation_that_is_accepted_twice_at_once_makes_one_user(app) {
        let beside = app.connection.across_tenants().await;
        let admin = app.client(DEMO, "admin").await;
        let made = Made { app: &app, client: &admin };
        for round in 0..rounds(4).min(40) {
            let (_, token) = made.invitation().await;
            let name = format!("Round {round}");
            let tries = (0..3).map(|_| {
                let variables = json!({ "token": token, "name": name, "password": NEW });
                let nobody = Client::anonymous(&app.url);
                async move { nobody.send(ACCEPT, variables).await }
            });
            let mut codes: Vec<_> = join_all(tries).await.iter().map(code).collect();
            codes.sort();
            assert_eq!(codes, ["", "CONFLICT", "CONFLICT"], "round {round}");
            assert_eq!(count(&app, &beside, &format!("name = '{name}'")).await, 1);
        }
        app.verify_ledger(DEMO).await;
    }

    async fn an_address_that_is_invited_twice_at_once_is_invited_once(app) {
        let admin = app.client(DEMO, "admin").await;
        let invite = "mutation($email: String!) { inviteUser(input: { email: $email }) { feedCursor } }";
        for round in 0..rounds(8) {
            let variables = json!({ "email": format!("round{round}@home.example") });
            let tries = (0..3).map(|_| admin.send(invite, variables.clone()));
            let mut answers: Vec<_> = join_all(tries).await.iter().map(|answer| (code(answer), answer.body["errors"][0]["extensions"]["reason"].clone())).collect();
            answers.sort_by_key(|(code, _)| code.clone());
            assert_eq!(answers[0].0, "", "round {round}");
            assert!(answers[1..].iter().all(|answer| *answer == ("CONFLICT".to_owned(), json!("INVITE_PENDING"))), "{answers:?}");
        }
    }

    async fn a_link_that_is_used_twice_at_once_sets_one_password(app) {
        let member = app.user(DEMO, "member").await;
        for round in 0..rounds(4).min(40) {
            let token = reset_token(&app, &member).await;
            let tries = (0..3).map(|number| {
                let variables = json!({ "token": token, "password": format!("{NEW} {number}") });
                let nobody = Client::anonymous(&app.url);
                async move { nobody.send(RESET, variables).await }
            });
            let mut codes: Vec<_> = join_all(tries).await.iter().map(code).collect();
            codes.sort();
            assert_eq!(codes, ["", "UNAUTHENTICATED", "UNAUTHENTICATED"], "round {round}");
        }
        app.verify_ledger(DEMO).await;
    }
}
