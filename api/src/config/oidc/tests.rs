//! What the settings must be to make a provider.

use super::*;
use clap::Parser;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    oidc: Oidc,
}

const ALL: [(&str, &str); 4] = [
    ("issuer", "https://login.example/"),
    ("client-id", "workgraph"),
    ("client-secret", "hush"),
    ("workspaces", "demo, acme"),
];

fn settings(
    given: &[(&str, &str)],
    dashboard: Option<&str>,
) -> Result<Option<OidcSettings>, String> {
    let arguments = { given.iter() }.map(|(name, value)| format!("--oidc-{name}={value}"));
    let arguments = ["workgraph".to_owned()].into_iter().chain(arguments);
    let command = Command::try_parse_from(arguments).map_err(|error| error.to_string())?;
    command.oidc.settings(dashboard)
}

const DASHBOARD: Option<&str> = Some("https://dashboard.example");

#[test]
fn without_an_issuer_there_is_none() {
    assert!(settings(&[], None).unwrap().is_none());
    let others = [
        ("newcomers", "known"),
        ("default-role", "viewer"),
        ("scopes", "email profile"),
        ("role-claim", "groups"),
        ("roles", "staff=member"),
        (
            "callback-url",
            "https://dashboard.example/auth/oidc/callback",
        ),
    ];
    for (name, value) in ALL[1..].iter().chain(&others) {
        let refused = settings(&[(*name, *value)], DASHBOARD).unwrap_err();
        assert!(refused.contains("WORKGRAPH_OIDC_ISSUER="), "{refused}");
        let named = name.replace('-', "_").to_uppercase();
        assert!(
            refused.contains(&format!("WORKGRAPH_OIDC_{named} is set")),
            "{refused}"
        );
    }
}

#[test]
fn what_is_not_said_has_a_default() {
    let found = settings(&ALL, DASHBOARD).unwrap().unwrap();
    assert_eq!(found.scopes, ["email", "profile"]);
    assert_eq!(found.newcomers, Newcomers::Known);
    assert_eq!(found.default_role, UserRole::Viewer);
    let said = [
        ("scopes", "groups"),
        ("newcomers", "anyone"),
        ("default-role", "member"),
    ];
    let found = settings(&[&ALL[..], &said].concat(), DASHBOARD);
    let found = found.unwrap().unwrap();
    assert_eq!(found.scopes, ["groups"]);
    assert_eq!(found.newcomers, Newcomers::Anyone);
    assert_eq!(found.default_role, UserRole::Member);
}

#[test]
fn what_is_missing_is_named_and_no_secret_is() {
    for (missing, (name, _)) in ALL.iter().enumerate().skip(1) {
        let mut given = ALL.to_vec();
        given.remove(missing);
        let refused = settings(&given, DASHBOARD).unwrap_err();
        let name = name.replace('-', "_").to_uppercase();
        assert!(
            refused.contains(&format!("WORKGRAPH_OIDC_{name}=")),
            "{refused}"
        );
        assert!(!refused.contains("hush"), "{refused}");
    }
    let refused = settings(&ALL, None).unwrap_err();
    assert!(refused.contains("WORKGRAPH_PUBLIC_URL="), "{refused}");
    let with = |more: &[(&'static str, &'static str)]| {
        let is_said = |name| more.iter().any(|(said, _)| *said == name);
        let mut given: Vec<_> = ALL
            .into_iter()
            .filter(|(name, _)| !is_said(*name))
            .collect();
        given.extend(more);
        settings(&given, DASHBOARD)
    };
    for (given, named) in [
        (("role-claim", "groups"), "WORKGRAPH_OIDC_ROLES="),
        (("roles", "staff=member"), "WORKGRAPH_OIDC_ROLE_CLAIM="),
        (
            ("callback-url", "https://api.example/back"),
            "/auth/oidc/callback",
        ),
        (
            ("callback-url", "https://api.example/app/auth/oidc/callback"),
            "https://dashboard.example/auth/oidc/callback",
        ),
        (("roles", "staff=king"), "VALUE=ROLE"),
        (("issuer", "http://login.example"), "https://"),
        (("default-role", "owner"), "possible values"),
    ] {
        let refused = with(&[given]).unwrap_err();
        assert!(refused.contains(named), "{refused}");
    }
}

#[test]
fn the_provider_sends_back_to_the_servers_own_path() {
    let callback = |dashboard, more: &[(&'static str, &'static str)]| {
        let found = settings(&[&ALL[..], more].concat(), Some(dashboard));
        found.unwrap().unwrap().callback.to_string()
    };
    for (dashboard, expected) in [
        (
            "https://host.example/app",
            "https://host.example/auth/oidc/callback",
        ),
        (
            "http://localhost:3000/a/b",
            "http://localhost:3000/auth/oidc/callback",
        ),
    ] {
        assert_eq!(callback(dashboard, &[]), expected);
    }
    let elsewhere = "https://api.example/auth/oidc/callback";
    assert_eq!(
        callback("https://host.example/app", &[("callback-url", elsewhere)]),
        elsewhere
    );
}

#[test]
fn an_issuer_is_kept_to_the_letter() {
    let all = [("roles", "a=b=admin,c=Viewer"), ("role-claim", "groups")];
    let found = settings(&[&ALL[..], &all].concat(), DASHBOARD)
        .unwrap()
        .unwrap();
    assert_eq!(found.issuer, "https://login.example/");
    assert_eq!(found.workspaces, ["demo", "acme"]);
    assert_eq!(
        found.callback.as_str(),
        "https://dashboard.example/auth/oidc/callback"
    );
    let roles = [
        ("a=b".to_owned(), UserRole::Admin),
        ("c".to_owned(), UserRole::Viewer),
    ];
    assert_eq!(found.roles, roles);
}
