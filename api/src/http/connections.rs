//! Connections: taken, limited in time, served, and let finish when the server stops.

use super::{App, pace::Paced, router};
use crate::auth::address_key;
use axum::{Extension, extract::ConnectInfo, serve::Listener};
use hyper::server::conn::http1;
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
const HEADER_BYTES: usize = 128 << 10;

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
            let Some(counted) = app.connections.take(&address_key(peer.ip()), 1) else {
                // As much as there is room for, and nobody waits for it. What came already is read, or the system would
                // reset the connection before its client sees why.
                let _ = stream.try_read(&mut [0; 4096]);
                let _ = stream.try_write(FULL);
                continue;
            };
            let stream = Paced::new(stream, app.limits.pace(), counted);
            let service = Extension(ConnectInfo(peer)).layer(router.clone());
            let connection = http
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
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
