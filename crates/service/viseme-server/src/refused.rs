//! Hears out clients that are refused.

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tokio::time::timeout;

/// How long, and how much, is read of a request that was refused.
const MOST: (Duration, u64) = (Duration::from_mins(1), 2_000_000_000);

/// Reads a refused request to its end: most clients send all of it before they listen, and would be told of a broken
/// connection alone. One that asks before it sends (`Expect: 100-continue`) and was not yet told to go on hears it at once, and
/// so does one of which nothing came any more.
pub(crate) async fn hear_out(request: Request, next: Next) -> Response {
    let asks = request.headers().contains_key(header::EXPECT);
    let (parts, body) = request.into_parts();
    let (body, rest) = shared(body);
    let response = next.run(Request::from_parts(parts, body)).await;
    let is_refused = response.status().is_client_error() || response.status().is_server_error();
    // Whoever reads the first of a body tells the client to go on.
    let waits = asks && rest.lock().is_ok_and(|rest| !rest.is_begun);
    if is_refused && !waits && response.status() != StatusCode::REQUEST_TIMEOUT {
        drain(&rest).await;
    }
    response
}

/// What is left of a body that somebody else reads.
struct Rest {
    stream: BodyDataStream,
    /// Whether anybody has asked for any of it.
    is_begun: bool,
}

/// A body of which the rest can be read when its reader has given up.
fn shared(body: Body) -> (Body, Arc<Mutex<Rest>>) {
    let rest = Arc::new(Mutex::new(Rest { stream: body.into_data_stream(), is_begun: false }));
    (Body::from_stream(chunks(&rest)), rest)
}

fn chunks(
    rest: &Arc<Mutex<Rest>>,
) -> impl futures_util::Stream<Item = Result<bytes::Bytes, axum::Error>> + use<> {
    let rest = Arc::clone(rest);
    poll_fn(move |context| match rest.lock() {
        Ok(mut rest) => {
            rest.is_begun = true;
            rest.stream.poll_next_unpin(context)
        }
        Err(_) => Poll::Ready(None),
    })
}

async fn drain(rest: &Arc<Mutex<Rest>>) {
    let (time, most) = MOST;
    let mut chunks = chunks(rest);
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(chunk)) = chunks.next().await {
            bytes += chunk.len() as u64;
            if bytes > most {
                break;
            }
        }
    };
    let _ = timeout(time, read).await;
}
