//! Somebody who is told things: webhooks, spans.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A web server that remembers what it was sent.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) path: String,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Receiver {
    /// Answers one request after the other with these statuses, and all further ones with 200.
    pub(crate) fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, mut statuses) = (Arc::clone(&heard), statuses.iter().copied().collect::<VecDeque<_>>());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(request) = read(&stream) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                    answer(&stream, statuses.pop_front().unwrap_or(200));
                }
            }
        });
        Self { address, heard }
    }

    /// An address of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What `--allow-host` must name.
    pub(crate) fn site(&self) -> String {
        self.address.to_string()
    }

    /// All that came so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn read(stream: &TcpStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { path, headers, body })
}

fn answer(mut stream: &TcpStream, status: u16) {
    // Whoever asked may have gone.
    let _ = write!(stream, "HTTP/1.1 {status} so\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}
