//! Mail, by SMTP. Whoever sends waits for the server's word, and no longer than `PATIENCE`.

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::Error as SmtpError,
};
use std::{fmt, net::IpAddr, str::FromStr, time::Duration};
use url::Url;

/// How long a letter may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How long each word of the server may take.
const WORD: Duration = Duration::from_secs(10);
/// What a server says of an address that it will never take a letter for. All else, such as a password that it does not take,
/// somebody may mend.
const IS_FOR_GOOD: [u16; 4] = [550, 551, 553, 556];

/// The address of a mail server: `smtp://USER:PASSWORD@HOST:587` or `smtps://…`. It holds a password, so it is not shown.
#[derive(Clone)]
pub struct SmtpUrl(AsyncSmtpTransport<Tokio1Executor>);

impl FromStr for SmtpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || "expected smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST".to_owned();
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("smtp" | "smtps")) {
            return Err(refused());
        }
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&encrypted(text));
        let builder = builder.map_err(|_| refused())?;
        Ok(Self(builder.timeout(Some(WORD)).build()))
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpUrl")
    }
}

/// The same, with STARTTLS unless it is said otherwise, or the server is on this machine: passwords and links go nowhere in
/// the clear.
fn encrypted(url: &str) -> String {
    if let Some(plain) = url.strip_suffix("?tls=none") {
        return plain.to_owned();
    }
    let Ok(parsed) = Url::parse(url) else {
        return url.to_owned();
    };
    let is_here = match parsed.host_str() {
        Some("localhost") => true,
        Some(host) => { host.trim_matches(['[', ']']).parse::<IpAddr>() }
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    let is_said = parsed.query_pairs().any(|(name, _)| name == "tls");
    match parsed.query() {
        _ if parsed.scheme() != "smtp" || is_here || is_said => url.to_owned(),
        Some(_) => format!("{url}&tls=required"),
        None => format!("{url}?tls=required"),
    }
}

/// Who letters come from: an address, or a name with one.
#[derive(Clone, Debug)]
pub struct Sender(Mailbox);

impl FromStr for Sender {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.trim().parse().map(Self);
        parsed.map_err(|_| {
            "expected an address, such as Workgraph <workgraph@example.com>".to_owned()
        })
    }
}

/// What mails.
#[derive(Clone, Debug)]
pub struct Mail {
    server: SmtpUrl,
    from: Sender,
}

/// Something to be mailed. A receiver knows by its name that it has it already.
pub(crate) struct Letter {
    pub(crate) name: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// Why a letter did not go out. It holds nothing of the letter, nor of what the server was told.
#[derive(Debug)]
pub(crate) struct Undelivered {
    /// What people read.
    pub(crate) why: String,
    /// Whether it may go out when it is tried again.
    pub(crate) may_go_later: bool,
}

impl Mail {
    /// Mails through a server, as a sender.
    pub fn new(server: SmtpUrl, from: Sender) -> Self {
        Self { server, from }
    }

    /// Hands a letter over to the server.
    pub(crate) async fn send(&self, letter: Letter) -> Result<(), Undelivered> {
        let message = self.message(letter)?;
        match tokio::time::timeout(PATIENCE, self.server.0.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Undelivered::of(&error)),
            Err(_) => Err(Undelivered::later("The mail server took too long.")),
        }
    }

    fn message(&self, letter: Letter) -> Result<Message, Undelivered> {
        let cannot = |_| Undelivered {
            why: "This cannot be written as a letter to this address.".to_owned(),
            may_go_later: false,
        };
        let to: Address = letter.to.parse().map_err(|_| cannot(()))?;
        let host = self.from.0.email.domain();
        Message::builder()
            .message_id(Some(format!("<{}@{host}>", letter.name)))
            .from(self.from.0.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text)
            .map_err(|_| cannot(()))
    }
}

impl Undelivered {
    pub(crate) fn later(why: &str) -> Self {
        Self {
            why: why.to_owned(),
            may_go_later: true,
        }
    }

    /// What the server says is not repeated: it may say again what it was told.
    fn of(error: &SmtpError) -> Self {
        let why = match error.status() {
            Some(code) => format!("The mail server refuses it, with the code {code}."),
            None if error.is_timeout() => "The mail server took too long.".to_owned(),
            None if error.is_tls() => {
                "No encrypted connection to the mail server came about.".to_owned()
            }
            None if error.is_client() => "The mail server does not speak as is needed.".to_owned(),
            None => "The mail server cannot be reached.".to_owned(),
        };
        Self {
            why,
            may_go_later: !{ error.status() }
                .is_some_and(|code| IS_FOR_GOOD.contains(&u16::from(code))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_mail_server_is_refused_and_none_is_shown() {
        for right in [
            "smtp://localhost",
            "smtp://ada:secret@mail.example:587",
            "smtps://ada:se%40cret@mail.example",
        ] {
            let url = right.parse::<SmtpUrl>().unwrap();
            assert!(!format!("{url:?}").contains("secret"));
        }
        for wrong in [
            "",
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://mail.example?tls=perhaps",
        ] {
            assert!(wrong.parse::<SmtpUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_goes_over_the_network_in_the_clear_unless_it_is_said() {
        for (given, taken) in [
            ("smtp://localhost:25", "smtp://localhost:25"),
            ("smtp://u:p@127.0.0.1:2525", "smtp://u:p@127.0.0.1:2525"),
            (
                "smtp://u:p@mail.example:587",
                "smtp://u:p@mail.example:587?tls=required",
            ),
            (
                "smtp://mail.example?tls=opportunistic",
                "smtp://mail.example?tls=opportunistic",
            ),
            ("smtp://mail.example?tls=none", "smtp://mail.example"),
            (
                "smtp://u:tls=@127.example.com",
                "smtp://u:tls=@127.example.com?tls=required",
            ),
            (
                "smtp://localhost.corp.example",
                "smtp://localhost.corp.example?tls=required",
            ),
            ("smtps://mail.example", "smtps://mail.example"),
        ] {
            assert_eq!(encrypted(given), taken);
        }
    }
}
