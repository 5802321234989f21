//! One kept-alive connection to the application, with nothing on it that costs more than the bytes.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

pub struct Client {
    stream: BufReader<TcpStream>,
    key: String,
}

impl Client {
    pub fn new(addr: SocketAddr, key: &str) -> Result<Client> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        Ok(Client { stream: BufReader::new(stream), key: key.to_owned() })
    }

    /// Sends a request and gives the body of an answer that says that all went well.
    pub fn send(&mut self, method: &str, path: &str, media: &str, body: &[u8]) -> Result<Vec<u8>> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: {media}\r\n\
             content-length: {}\r\n\r\n",
            self.key,
            body.len()
        );
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        self.answer().with_context(|| format!("{method} {path}"))
    }

    /// Sends a signed delivery, which needs no key.
    pub fn deliver(&mut self, path: &str, signature: &str, body: &[u8]) -> Result<Vec<u8>> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nx-signature: {signature}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        self.answer().with_context(|| format!("POST {path}"))
    }

    pub fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
            self.key
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        self.answer().with_context(|| format!("GET {path}"))
    }

    pub fn post(&mut self, path: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&self.send("POST", path, "application/json", &[])?)?)
    }

    fn answer(&mut self) -> Result<Vec<u8>> {
        let (mut line, mut length) = (String::new(), None);
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).unwrap_or_default().to_owned();
        loop {
            line.clear();
            ensure!(self.stream.read_line(&mut line)? > 0, "the connection closed");
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse::<usize>()?);
            }
        }
        let mut body = vec![0; length.unwrap_or(0)];
        match length {
            Some(_) => self.stream.read_exact(&mut body)?,
            None => self.chunks(&mut body)?,
        }
        ensure!(status.starts_with('2'), "{status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let size =
                u64::from_str_radix(line.trim(), 16).context("neither a length nor chunks")?;
            self.stream.by_ref().take(size).read_to_end(body)?;
            self.stream.read_line(&mut line)?;
            if size == 0 {
                return Ok(());
            }
        }
    }
}
