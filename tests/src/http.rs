//! A client that writes requests byte by byte, so that tests can also send what no good client would.

use crate::app::PATIENCE;
use serde_json::Value;
use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// How long an answer may take: an import that has to build its tables on a busy machine.
const ANSWER: std::time::Duration = std::time::Duration::from_secs(600);

/// Who is called, and with which key.
#[derive(Clone, Debug)]
pub struct Client {
    pub addr: SocketAddr,
    pub key: String,
}

impl Client {
    pub fn new(addr: SocketAddr, key: impl Into<String>) -> Client {
        Client { addr, key: key.into() }
    }

    /// The same application with another key.
    pub fn with_key(&self, key: impl Into<String>) -> Client {
        Client::new(self.addr, key)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn request(&self, method: &str, path: &str) -> Request {
        Request {
            addr: self.addr,
            method: method.to_owned(),
            path: path.to_owned(),
            key: Some(self.key.clone()),
            headers: Vec::new(),
            body: Vec::new(),
            chunk: None,
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send()
    }

    /// POST without a body.
    pub fn post(&self, path: &str) -> Answer {
        self.request("POST", path).send()
    }

    pub fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.request("POST", path).json(body).send()
    }

    pub fn put_json(&self, path: &str, body: &Value) -> Answer {
        self.request("PUT", path).json(body).send()
    }

    /// Imports a CSV file with the profile `generic`; every row must be good. Gives the result.
    pub fn import(&self, kind: &str, csv: impl Into<Vec<u8>>) -> Value {
        self.import_with(&format!("kind={kind}"), csv).ok()
    }

    /// Imports a CSV file with any parameters, whatever comes of it.
    pub fn import_with(&self, query: &str, csv: impl Into<Vec<u8>>) -> Answer {
        let path = format!("/v1/ingest/imports?{query}");
        self.request("POST", &path).body("text/csv", csv).send()
    }

    /// Sweeps a business date until it is done and gives the last progress.
    pub fn sweep(&self, day: &str) -> Value {
        loop {
            let progress = self.post(&format!("/v1/sweep?as_of={day}")).ok();
            if progress["done"] == true {
                return progress;
            }
        }
    }

    /// All entries of a list, page by page. `path` has its other parameters already.
    pub fn all(&self, path: &str, limit: u32) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{mark}limit={limit}{cursor}")).ok();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit as usize, "{path}: a page has more than its limit");
            all.extend(items.iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// A connection of its own, for what is not a whole request.
    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.addr).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(ANSWER)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket
    }
}

/// A request that is being put together.
#[derive(Clone, Debug)]
pub struct Request {
    addr: SocketAddr,
    pub method: String,
    pub path: String,
    key: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunk: Option<usize>,
}

impl Request {
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Request {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sends no Authorization header of its own.
    pub fn without_key(mut self) -> Request {
        self.key = None;
        self
    }

    pub fn json(self, body: &Value) -> Request {
        self.body("application/json", body.to_string())
    }

    pub fn body(self, media: &str, body: impl Into<Vec<u8>>) -> Request {
        self.header("content-type", media).bytes(body)
    }

    /// The body alone, without a Content-Type.
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self
    }

    /// Sends the body in chunks of so many bytes instead of announcing its length.
    pub fn chunked(mut self, chunk: usize) -> Request {
        self.chunk = Some(chunk);
        self
    }

    /// The request line and the headers up to the body.
    pub fn head(&self) -> String {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: dunlin.test\r\nconnection: close\r\n",
            self.method, self.path
        );
        if let Some(key) = &self.key {
            head.push_str(&format!("authorization: Bearer {key}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let announced =
            self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        match self.chunk {
            Some(_) => head.push_str("transfer-encoding: chunked\r\n"),
            None if announced || (self.body.is_empty() && self.method == "GET") => {}
            None => head.push_str(&format!("content-length: {}\r\n", self.body.len())),
        }
        head.push_str("\r\n");
        head
    }

    /// Sends it and waits for the answer.
    pub fn send(&self) -> Answer {
        let mut socket = self.open();
        // The application may answer and close before it has read everything.
        let _ = self.write(&mut socket);
        Answer::read(&mut socket)
    }

    /// Sends it and gives the connection, from which [`Answer::read`] reads the answer or which is dropped unread.
    pub fn begin(&self) -> TcpStream {
        let mut socket = self.open();
        self.write(&mut socket).unwrap();
        socket
    }

    fn open(&self) -> TcpStream {
        Client::new(self.addr, "").connect()
    }

    fn write(&self, socket: &mut TcpStream) -> std::io::Result<()> {
        socket.write_all(self.head().as_bytes())?;
        let Some(chunk) = self.chunk else { return socket.write_all(&self.body) };
        for piece in self.body.chunks(chunk) {
            socket.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
            socket.write_all(piece)?;
            socket.write_all(b"\r\n")?;
        }
        socket.write_all(b"0\r\n\r\n")
    }
}

/// A response.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads to the end of the connection.
    pub fn read(socket: &mut TcpStream) -> Answer {
        Answer::try_read(socket).expect("the connection ended without an answer")
    }

    /// As [`Answer::read`]; `None` when the server went away without a whole answer.
    pub fn try_read(socket: &mut TcpStream) -> Option<Answer> {
        let mut bytes = Vec::new();
        // A reset after the answer is the server's way to say that it will not read the rest of the request.
        let _ = socket.read_to_end(&mut bytes);
        Answer::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Option<Answer> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: bytes[end + 4..].to_vec() };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = dechunk(&answer.body)?;
        } else {
            let length = answer.header("content-length").and_then(|text| text.parse().ok());
            // An answer to HEAD announces a body that it does not have.
            if length.is_some_and(|length| answer.body.len() < length && !answer.body.is_empty()) {
                return None;
            }
        }
        Some(answer)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The JSON of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.json()
    }

    /// The problem document of a refusal, which must have this code.
    #[track_caller]
    pub fn refused(&self, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["status"], self.status, "{self:?}");
        problem
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        let text = self.text();
        write!(f, "\n{}", text.chars().take(4000).collect::<String>())
    }
}

fn dechunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let length =
            usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?.trim(), 16).ok()?;
        bytes = &bytes[end + 2..];
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(..length)?);
        bytes = bytes.get(length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_in_both_framings() {
        let plain = Answer::parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        assert_eq!((plain.status, plain.text().as_str()), (200, "{}"));
        let chunked =
            b"HTTP/1.1 422 X\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(Answer::parse(chunked).unwrap().text(), "abcde");
        assert!(
            Answer::parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab")
                .is_none()
        );
    }
}
