//! A server that does what its script says, connection by connection.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One thing that the server does with a connection. After the last one it closes it.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Reads a request up to its body.
    ReadHead,
    /// Reads the body, as long as its `Content-Length` says.
    ReadBody,
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends bytes until the client has gone.
    SendForever,
    /// Sends a byte now and then until the client has gone.
    Trickle,
    /// Waits until the client has gone.
    Hang,
}

/// What a client sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Request line and header fields.
    pub head: String,
    /// The body, as far as the script read it.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header field.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Listens on this machine until the tests end.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// The first connection gets the first script, and so on; the last script stays.
    pub(crate) fn new(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for (index, connection) in listener.incoming().enumerate() {
                // A connection counts, even when nothing comes over it.
                seen.lock().unwrap().push(Request::default());
                // It fails when the client has gone, which is the client's right.
                let _ = serve(&connection.unwrap(), &scripts[index.min(scripts.len() - 1)], &seen);
            }
        });
        Self { address, requests }
    }

    /// Gives the same answer to everyone, after it read the request.
    pub(crate) fn answering(status: &str, header_fields: &[&str], body: &str) -> Self {
        Self::new(vec![answer(status, header_fields, body)])
    }

    /// Host and port.
    pub(crate) fn site(&self) -> String {
        self.address.to_string()
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address of `path` (`/a`).
    pub(crate) fn url(&self, path: &str) -> viseme_cloud::RemoteUrl {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    /// All connections so far, with what came over them.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads a request and answers it.
pub(crate) fn answer(status: &str, header_fields: &[&str], body: &str) -> Vec<Step> {
    let length = format!("Content-Length: {}", body.len());
    let mut header_fields = header_fields.to_vec();
    header_fields.push(&length);
    vec![Step::ReadHead, Step::ReadBody, head(status, &header_fields), Step::Send(body.into())]
}

/// Sends status line and header fields.
pub(crate) fn head(status: &str, header_fields: &[&str]) -> Step {
    Step::Send(format!("HTTP/1.1 {status}\r\n{}\r\n\r\n", header_fields.join("\r\n")).into_bytes())
}

fn serve(connection: &TcpStream, script: &[Step], seen: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(connection), connection);
    let mut request = Request::default();
    for step in script {
        match step {
            Step::ReadHead => request.head = read_head(&mut reader)?,
            Step::ReadBody => {
                let length = request.header("content-length").map_or(0, |text| text.parse().unwrap());
                request.body = vec![0; length];
                reader.read_exact(&mut request.body)?;
            }
            Step::Send(bytes) => writer.write_all(bytes)?,
            Step::SendForever => loop {
                writer.write_all(&[b'x'; 4096])?;
            },
            Step::Trickle => loop {
                writer.write_all(b"x")?;
                std::thread::sleep(Duration::from_millis(20));
            },
            Step::Hang => drop(std::io::copy(&mut reader, &mut std::io::sink())?),
        }
        if let Some(last) = seen.lock().unwrap().last_mut() {
            *last = request.clone();
        }
    }
    Ok(())
}

fn read_head(reader: &mut impl Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        reader.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8(head).unwrap())
}
