//! Connections: taken, limited in time, served, and let finish when the server stops.

use super::{App, head::Head, pace::Paced, router};
use crate::auth::address_key;
use axum::{
    Extension,
    extract::ConnectInfo,
    http::{Request, StatusCode},
    serve::Listener,
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{net::SocketAddr, pin::pin};
use tokio::net::{TcpListener, TcpStream};
use tower_layer::Layer;

/// What a connection is told that is one too many.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The most bytes of a request before its body: the longest document in its address, and a few headers.
pub(super) const HEADER_BYTES: usize = 128 << 10;

/// Takes connections until `stop` is done. Those that were taken go on until [`App::stop`], and then finish what runs.
pub(crate) async fn serve(mut listener: TcpListener, app: &App, stop: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(app.limits.header_time())
        .max_buf_size(HEADER_BYTES);
    let router = router(app.clone());
    let accepting = async {
        loop {
            let (stream, peer): (TcpStream, SocketAddr) = Listener::accept(&mut listener).await;
            // Without it a small frame waits for the client to acknowledge the one before. A stream that refuses is gone.
            let _ = stream.set_nodelay(true);
            let address = address_key(peer.ip());
            let Some(counted) = app.connections.take(&address, 1) else {
                // As much as there is room for, and nobody waits for it. What came already is read, or the system would
                // reset the connection before its client sees why.
                let _ = stream.try_read(&mut [0; 4096]);
                let _ = stream.try_write(FULL);
                continue;
            };
            let head = Head::new(app.incoming.none(&address));
            let stream = Paced::new(stream, app.limits.pace(), head.clone(), counted);
            let service = Extension(ConnectInfo(peer)).layer(router.clone());
            let service = TowerToHyperService::new(service);
            let answering = service_fn(move |request: Request<Incoming>| {
                let request = request.map(|body| head.is_whole(body));
                let (answering, head) = (service.call(request), head.clone());
                async move {
                    let answered = answering.await;
                    // An upgraded connection has no more requests.
                    if !matches!(&answered, Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS)
                    {
                        head.is_answered();
                    }
                    answered
                }
            });
            let connection = http
                .serve_connection(TokioIo::new(stream), answering)
                .with_upgrades();
            let mut stopping = app.stopping.subscribe();
            tokio::spawn(async move {
                let mut connection = pin!(connection);
                let ended = tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = App::stop_of(&mut stopping) => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                };
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke");
                }
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
}
