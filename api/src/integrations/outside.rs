//! The way out: one request on a connection of its own, within a time and a size, which follows no redirect.

use super::public::is_public;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Uri,
    body::Bytes,
    client::conn::http1,
    header::{self, HeaderName, HeaderValue},
};
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};
use url::{Host, Url};

/// How long an answer may take, from the look-up of the name on: less than an operation may, so that it can say so.
const PATIENCE: Duration = Duration::from_secs(8);

/// The most bytes of an answer.
const MOST: usize = 256 << 10;

/// What we call ourselves; some services ask for it.
const OURSELVES: &str = concat!("workgraph/", env!("CARGO_PKG_VERSION"));

/// A request, with secrets in its headers or its body.
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Vec<u8>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    /// After how many seconds to come back, if it says so.
    pub(crate) retry_after: Option<u64>,
    /// What it said; nothing if that was too much.
    pub(crate) body: Option<Bytes>,
}

/// Why nothing was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unheard {
    /// Not in time.
    Silent,
    /// There is no such host, or none that may be asked: what names the server's own network has is told to nobody.
    Unknown,
    /// The address that was given is not public, and must be.
    Private,
    /// Nobody listens there.
    Refused,
    /// It has no certificate that holds.
    Untrusted,
    /// It does not speak HTTP, or broke off.
    Garbled,
}

/// What connections are made safe with, once one is.
#[derive(Default)]
pub(crate) struct Outside {
    tls: OnceLock<Result<TlsConnector, Unheard>>,
}

impl Outside {
    /// Asks. If it is guarded, no other than public addresses are asked, whatever name leads there.
    pub(crate) async fn ask(&self, call: Call, guarded: bool) -> Result<Heard, Unheard> {
        let asked = timeout(PATIENCE, self.exchange(call, guarded)).await;
        asked.unwrap_or(Err(Unheard::Silent))
    }

    async fn exchange(&self, call: Call, guarded: bool) -> Result<Heard, Unheard> {
        let addresses = addresses(&call.url).await?;
        if guarded && !addresses.iter().all(|address| is_public(address.ip())) {
            return Err(match call.url.domain() {
                Some(_) => Unheard::Unknown,
                None => Unheard::Private,
            });
        }
        // What was looked at is what is connected to: the name is not looked up again.
        let stream = TcpStream::connect(&addresses[..]).await;
        let stream = stream.map_err(|_| Unheard::Refused)?;
        if call.url.scheme() != "https" {
            return send(stream, call).await;
        }
        let tls = self.tls.get_or_init(connector).clone()?;
        let host = call.url.host_str().unwrap_or_default();
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let name = ServerName::try_from(host).map_err(|_| Unheard::Unknown)?;
        let stream = tls.connect(name, stream).await;
        send(stream.map_err(|_| Unheard::Untrusted)?, call).await
    }
}

/// Where a host is.
async fn addresses(url: &Url) -> Result<Vec<SocketAddr>, Unheard> {
    let port = url.port_or_known_default().ok_or(Unheard::Unknown)?;
    let addresses: Vec<SocketAddr> = match url.host().ok_or(Unheard::Unknown)? {
        Host::Ipv4(address) => vec![(address, port).into()],
        Host::Ipv6(address) => vec![(address, port).into()],
        Host::Domain(name) => {
            let found = lookup_host((name, port)).await;
            found.map_err(|_| Unheard::Unknown)?.collect()
        }
    };
    match addresses.is_empty() {
        true => Err(Unheard::Unknown),
        false => Ok(addresses),
    }
}

/// What trusts the certificates that the machine trusts, as `SSL_CERT_FILE` and `SSL_CERT_DIR` say.
fn connector() -> Result<TlsConnector, Unheard> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        tracing::error!(errors = ?found.errors, "no certificates are trusted here, so no service can be asked");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| Unheard::Untrusted)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn send<S>(stream: S, call: Call) -> Result<Heard, Unheard>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let garbled = |_| Unheard::Garbled;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(garbled)?;
    // It ends with the answer, or with whoever waits for it.
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let mut response = sender.send_request(request(call)?).await.map_err(garbled)?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let body = Limited::new(response.body_mut(), MOST).collect().await;
    Ok(Heard {
        status,
        retry_after,
        body: body.ok().map(|body| body.to_bytes()),
    })
}

fn request(call: Call) -> Result<Request<Full<Bytes>>, Unheard> {
    let url = &call.url;
    let host = url.host_str().unwrap_or_default();
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let query = url
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    let path: Uri = format!("{}{query}", url.path())
        .parse()
        .map_err(|_| Unheard::Garbled)?;
    let mut request = Request::builder()
        .method(call.method)
        .uri(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, OURSELVES)
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close");
    let says_what = |(name, _): &(HeaderName, _)| name == header::CONTENT_TYPE;
    if !call.body.is_empty() && !call.headers.iter().any(says_what) {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    for (name, value) in call.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(call.body)));
    request.map_err(|_| Unheard::Garbled)
}
