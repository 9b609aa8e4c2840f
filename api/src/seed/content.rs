//! Reads what the demo's companies say and do from the files under `content/`.

use super::{briefs::Brief, meetings::Meeting, people::Company, tickets::Loose};
use crate::error::{Error, Result};
use serde::de::DeserializeOwned;

/// All there is to say about a company; each part has its shape beside the code that writes it.
pub(super) struct Content {
    pub(super) company: Company,
    pub(super) meetings: Vec<Meeting>,
    pub(super) briefs: Vec<Brief>,
    pub(super) tickets: Vec<Loose>,
}

macro_rules! files {
    ($slug:literal) => {
        [
            include_str!(concat!("content/", $slug, "/company.yaml")),
            include_str!(concat!("content/", $slug, "/meetings.yaml")),
            include_str!(concat!("content/", $slug, "/briefs.yaml")),
            include_str!(concat!("content/", $slug, "/tickets.yaml")),
        ]
    };
}

/// The content of a workspace of the demo.
pub(super) fn of(slug: &str) -> Result<Content> {
    let [company, meetings, briefs, tickets] = match slug {
        "demo" => files!("demo"),
        "acme" => files!("acme"),
        _ => return Err(Error::internal(format!("the demo has no workspace {slug}"))),
    };
    Ok(Content {
        company: read(company)?,
        meetings: read(meetings)?,
        briefs: read(briefs)?,
        tickets: read(tickets)?,
    })
}

/// Reads one file.
pub(super) fn read<T: DeserializeOwned>(yaml: &str) -> Result<T> {
    serde_saphyr::from_str(yaml).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::DEMO_WORKSPACES;

    #[test]
    fn every_workspace_of_the_demo_can_be_read() -> Result<()> {
        for slug in DEMO_WORKSPACES {
            let content = of(slug)?;
            assert!(
                content.meetings.len() > 5 && content.briefs.len() > 5,
                "{slug}"
            );
        }
        assert!(of("nobody").is_err());
        Ok(())
    }
}
