//! What a service is given: checked, and hidden.

use super::{
    addresses::base_url,
    service::{Field, Service},
};
use crate::{
    error::{Error, Result},
    vault::Plain,
};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use zeroize::{Zeroize, Zeroizing};

/// The longest value in characters.
const LONGEST: usize = 10_000;

/// What a workspace gives a service: a value for each of its fields.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    service: &'static Service,
    values: Vec<(&'static Field, Plain)>,
}

impl Values {
    /// Takes what a service needs, by the keys of its fields.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] when something is missing, too much, or cannot be; it repeats no value.
    pub(crate) fn new<'v>(
        service: &'static Service,
        given: impl IntoIterator<Item = (&'v str, &'v str)>,
    ) -> Result<Self> {
        let mut values: Vec<(&Field, Plain)> = Vec::with_capacity(service.fields.len());
        for (key, value) in given {
            let field = service.fields.iter().find(|field| field.key == key);
            let field =
                field.ok_or_else(|| wrong(service, "holds something else than what it needs"))?;
            if values.iter().any(|(other, _)| other.key == key) {
                return Err(wrong(service, &format!("has `{key}` twice")));
            }
            values.push((field, checked(field, value)?));
        }
        let missing = { service.fields.iter() }
            .find(|field| !values.iter().any(|(given, _)| given.key == field.key));
        match missing {
            Some(field) => Err(wrong(service, &format!("lacks `{}`", field.key))),
            None => Ok(Self { service, values }),
        }
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// [`Error::Internal`] when it is not what the service needs.
    pub(crate) fn unsealed(service: &'static Service, sealed: &Plain) -> Result<Self> {
        let unreadable = || Error::internal("what was sealed is not what its service needs");
        let read = serde_json::from_str::<BTreeMap<String, String>>(sealed.expose());
        let mut read = read.map_err(|_| unreadable())?;
        let given = read
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        let values = Self::new(service, given).map_err(|_| unreadable());
        read.values_mut().for_each(Zeroize::zeroize);
        values
    }

    /// All of it as what is sealed.
    pub(crate) fn to_seal(&self) -> Plain {
        let pairs = self.values.iter();
        let object: BTreeMap<&str, &str> = pairs
            .map(|(field, value)| (field.key, value.expose()))
            .collect();
        let text = serde_json::to_string(&object).map(Zeroizing::new);
        Plain::new(&text.unwrap_or_default())
    }

    pub(crate) fn service(&self) -> &'static Service {
        self.service
    }

    /// What it is recognised by.
    pub(crate) fn hint(&self) -> Option<String> {
        self.value(self.service.fields[0].key)?.hint()
    }

    /// What may be shown of it.
    pub(crate) fn shows(&self) -> Map<String, Json> {
        let shown = self.values.iter().filter(|(field, _)| !field.is_secret);
        shown
            .map(|(field, value)| (field.key.to_owned(), value.expose().into()))
            .collect()
    }

    /// Where a provider of the workspace's own is.
    pub(crate) fn base_url(&self) -> Option<&str> {
        self.shown("baseUrl")
    }

    pub(super) fn shown(&self, key: &str) -> Option<&str> {
        let (_, value) =
            { self.values.iter() }.find(|(field, _)| field.key == key && !field.is_secret)?;
        Some(value.expose())
    }

    /// A text with values in place of their keys.
    pub(super) fn filled(&self, template: &str) -> Zeroizing<String> {
        let mut filled = Zeroizing::new(String::with_capacity(LONGEST));
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            let (key, behind) = behind.split_once('}').unwrap_or((behind, ""));
            filled.push_str(before);
            filled.push_str(self.value(key).map_or("", Plain::expose));
            rest = behind;
        }
        filled.push_str(rest);
        filled
    }

    /// Whether a text has a secret in it.
    pub(super) fn is_told_in(&self, text: &str) -> bool {
        let mut secrets = self.values.iter().filter(|(field, _)| field.is_secret);
        secrets.any(|(_, value)| text.contains(value.expose()))
    }

    fn value(&self, key: &str) -> Option<&Plain> {
        let (_, value) = self.values.iter().find(|(field, _)| field.key == key)?;
        Some(value)
    }
}

/// A value that its field can have.
fn checked(field: &Field, value: &str) -> Result<Plain> {
    let refused = |reason: &str| Error::bad_input(field.key, reason);
    let value = Plain::new(value);
    let text = value.expose();
    let length = text.chars().count();
    if !(1..=LONGEST).contains(&length) {
        return Err(refused("needs 1 to 10000 characters"));
    }
    // They become headers.
    if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(refused(
            "has characters that no such value has; copy it again",
        ));
    }
    match field.key {
        "site" => {
            let name = text.trim_start_matches("https://").trim_end_matches('/');
            let name = name
                .strip_suffix(".atlassian.net")
                .unwrap_or(name)
                .to_lowercase();
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            match !name.is_empty() && name.bytes().all(is_name) {
                true => Ok(Plain::new(&name)),
                false => Err(refused(
                    "expected a site's name: `acme` of acme.atlassian.net",
                )),
            }
        }
        "baseUrl" => Ok(Plain::new(
            &base_url(text).map_err(|reason| refused(&reason))?,
        )),
        _ => Ok(value),
    }
}

fn wrong(service: &Service, what: &str) -> Error {
    let needed: Vec<_> = service.fields.iter().map(|field| field.key).collect();
    let needed = needed.join(", ");
    Error::bad_input(
        "values",
        format!("{what}; {} needs {needed}", service.title),
    )
}

#[cfg(test)]
mod tests {
    use super::{super::service::INTEGRATIONS, *};

    const JIRA: &Service = &INTEGRATIONS[0];

    fn jira(site: &str) -> Result<Values> {
        let token = ("apiToken", "ATATT-secret");
        Values::new(JIRA, [("site", site), ("email", "ada@example.com"), token])
    }

    #[test]
    fn what_is_sealed_is_read_again_and_only_what_is_no_secret_shown() {
        let values = jira("https://Acme.atlassian.net/").unwrap();
        assert_eq!(
            values.filled("{site} {email}:{apiToken}!").as_str(),
            "acme ada@example.com:ATATT-secret!"
        );
        let again = Values::unsealed(JIRA, &values.to_seal()).unwrap();
        assert_eq!(again.filled("{apiToken}").as_str(), "ATATT-secret");
        let shown = Json::Object(again.shows()).to_string();
        assert_eq!(shown, r#"{"email":"ada@example.com","site":"acme"}"#);
        assert_eq!(again.hint().as_deref(), Some("cret"));
        assert!(again.is_told_in("Bearer ATATT-secret") && !again.is_told_in("ada@example.com"));
        assert!(!format!("{again:?}").contains("ATATT"), "{again:?}");
    }

    #[test]
    fn no_site_leads_elsewhere() {
        for site in [
            "evil.example",
            "acme.atlassian.net.evil.example",
            "a/b",
            "a@b",
            "",
            "acme#",
            "a\r\nb",
        ] {
            assert!(jira(site).is_err(), "{site}");
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_named_and_no_value_repeated() {
        let token = ("apiToken", "hush");
        for (given, word) in [
            (vec![token], "lacks `email`"),
            (vec![token, token], "twice"),
            (vec![("hush", "x")], "something else"),
            (vec![("apiToken", "hu\nsh")], "apiToken"),
            (vec![("apiToken", "hüsh")], "apiToken"),
            (vec![("apiToken", " ")], "apiToken"),
        ] {
            let told = Values::new(JIRA, given).unwrap_err().message();
            assert!(told.contains(word) && !told.contains("hush"), "{told}");
        }
    }
}
