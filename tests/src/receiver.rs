//! A receiver of webhooks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A status that is none: the connection ends without an answer.
pub const BREAKS_OFF: u16 = 0;

/// A status that is none: there is no answer until the sender gives up.
pub const SILENT: u16 = 1;

/// A server that answers each request with the next of its statuses, the last of them for ever, and keeps requests.
pub struct Receiver {
    pub addr: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

impl Receiver {
    pub fn start(statuses: &'static [u16]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        // Ends with the process.
        std::thread::spawn(move || {
            for (nth, socket) in listener.incoming().enumerate() {
                let status = statuses.get(nth).or(statuses.last()).copied().unwrap_or(204);
                let (Ok(socket), kept) = (socket, kept.clone()) else { continue };
                // A client that breaks off is no request.
                if status == SILENT {
                    std::thread::spawn(move || serve(socket, status, &kept));
                } else {
                    let _ = serve(socket, status, &kept);
                }
            }
        });
        Receiver { addr, received }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

/// Reads one request and keeps it before it is answered, so that whoever has the answer finds it kept.
fn serve(mut socket: TcpStream, status: u16, kept: &Mutex<Vec<Received>>) -> Option<()> {
    let mut reader = BufReader::new(socket.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let header = |name: &str| {
        headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    let mut body = Vec::new();
    if header("transfer-encoding") == Some("chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    } else {
        body =
            vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
    }
    let body = String::from_utf8(body).ok()?;
    kept.lock().unwrap().push(Received { path, headers, body });
    match status {
        BREAKS_OFF => return Some(()),
        SILENT => return reader.read(&mut [0]).ok().map(drop),
        _ => {}
    }
    let answer =
        format!("HTTP/1.1 {status} Answer\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    socket.write_all(answer.as_bytes()).ok()
}
