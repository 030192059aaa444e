//! A small HTTP server that misbehaves on demand, for the tests of downloads.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How one request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// As it should be: with a length, a tag, and ranges.
    Whole,
    /// Honest, but the connection is cut after so many bytes of the body.
    CutAfter(usize),
    /// The whole body, whatever range was asked for.
    WithoutRanges,
    /// No length: the body ends where the connection does.
    WithoutLength,
    /// Announces so many bytes, and sends what there is.
    Announcing(u64),
    /// The right bytes of a range, said to begin elsewhere.
    WrongRange,
    /// A status and nothing else.
    Status(u16),
    /// A redirect to this address.
    Redirect(String),
    /// The header and half of the body, then silence for so long.
    StallFor(Duration),
    /// One byte after another, with so long between.
    Drip(Duration),
    /// Whole, in pieces with so long between: time to see it happen.
    Slowly(Duration),
    /// No HTTP.
    Noise,
}

/// What a client asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The path, with its query.
    pub path: String,
    /// The first byte of the range.
    pub from: Option<u64>,
    /// The tag under which the range is wanted.
    pub if_range: Option<String>,
}

#[derive(Debug, Clone)]
struct Page {
    body: Arc<Vec<u8>>,
    /// One answer a request; the last one stays.
    answers: Vec<Answer>,
}

#[derive(Debug, Default)]
struct State {
    pages: Mutex<HashMap<String, Page>>,
    asked: Mutex<Vec<Asked>>,
    stopped: AtomicBool,
}

/// The server. It ends when it is dropped.
#[derive(Debug)]
pub struct HostileServer {
    address: SocketAddr,
    state: Arc<State>,
}

impl HostileServer {
    /// Starts a server on a free port of this machine.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&shared);
                // A client that goes away is part of the play.
                std::thread::spawn(move || drop(state.answer(stream)));
            }
        });
        Self { address, state }
    }

    /// Puts `body` at `path` (`/file.onnx`), with one answer for each request in turn; the last one stays.
    pub fn serve(&self, path: &str, body: &[u8], answers: &[Answer]) {
        let page = Page { body: Arc::new(body.to_vec()), answers: answers.to_vec() };
        lock(&self.state.pages).insert(path.to_owned(), page);
    }

    /// The address of `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.state.asked).clone()
    }
}

impl Drop for HostileServer {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

impl State {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let asked = read_request(&stream)?;
        lock(&self.asked).push(asked.clone());
        let path = asked.path.split('?').next().unwrap_or_default().to_owned();
        let page = {
            let mut pages = lock(&self.pages);
            let Some(page) = pages.get_mut(&path) else {
                return stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
            };
            let answer = page.answers[0].clone();
            if page.answers.len() > 1 {
                page.answers.remove(0);
            }
            Page { body: Arc::clone(&page.body), answers: vec![answer] }
        };
        send(&mut stream, &page.body, &page.answers[0], &asked)
    }
}

fn read_request(stream: &TcpStream) -> std::io::Result<Asked> {
    let mut asked = Asked::default();
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    first.split(' ').nth(1).unwrap_or_default().clone_into(&mut asked.path);
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                asked.from =
                    value.strip_prefix("bytes=").and_then(|range| range.trim_end_matches('-').parse().ok());
            }
            "if-range" => asked.if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    Ok(asked)
}

fn send(stream: &mut TcpStream, body: &[u8], answer: &Answer, asked: &Asked) -> std::io::Result<()> {
    let tag = tag(body);
    let same = asked.if_range.as_ref().is_none_or(|wanted| *wanted == tag);
    let from = asked.from.filter(|_| same && !matches!(answer, Answer::WithoutRanges));
    match answer {
        Answer::Status(status) => return write!(stream, "HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n"),
        Answer::Redirect(to) => {
            return write!(stream, "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
        }
        Answer::Noise => return stream.write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n"),
        _ => {}
    }
    let start = from.unwrap_or(0) as usize;
    if start >= body.len() && from.is_some() {
        return stream.write_all(b"HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\n\r\n");
    }
    let rest = &body[start..];
    let status = match from {
        Some(_) => {
            let said = if matches!(answer, Answer::WrongRange) { 0 } else { start };
            let end = said + rest.len() - 1;
            format!("206 Partial Content\r\ncontent-range: bytes {said}-{end}/{}", body.len())
        }
        None => "200 OK".to_owned(),
    };
    let length = match answer {
        Answer::WithoutLength => String::new(),
        Answer::Announcing(bytes) => format!("content-length: {bytes}\r\n"),
        _ => format!("content-length: {}\r\n", rest.len()),
    };
    write!(stream, "HTTP/1.1 {status}\r\n{length}etag: {tag}\r\nconnection: close\r\n\r\n")?;
    send_body(stream, rest, answer)
}

fn send_body(stream: &mut TcpStream, rest: &[u8], answer: &Answer) -> std::io::Result<()> {
    match answer {
        Answer::CutAfter(bytes) => stream.write_all(&rest[..(*bytes).min(rest.len())]),
        Answer::StallFor(time) => {
            stream.write_all(&rest[..rest.len() / 2])?;
            std::thread::sleep(*time);
            Ok(())
        }
        Answer::Drip(time) => rest.iter().try_for_each(|byte| {
            std::thread::sleep(*time);
            stream.write_all(&[*byte])
        }),
        Answer::Slowly(time) => rest.chunks(rest.len() / 50 + 1).try_for_each(|piece| {
            std::thread::sleep(*time);
            stream.write_all(piece)
        }),
        _ => stream.write_all(rest),
    }
}

/// A tag that changes with the body.
fn tag(body: &[u8]) -> String {
    let sum = body.iter().fold(17u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("\"{sum:x}\"")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
