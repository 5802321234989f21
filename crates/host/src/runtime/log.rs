//! What components print, line by line, on its way to the log.

use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// Takes one finished line, without its line end.
pub type LogSink = Arc<dyn Fn(&str) + Send + Sync>;

/// A line longer than this is cut, so that a component that never ends its line cannot fill the memory.
const LONGEST_LINE: usize = 64 * 1024;

/// Writes each line to standard error. A closed standard error is no reason to stop serving.
pub fn to_stderr() -> LogSink {
    Arc::new(|line| {
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    })
}

/// One line of the runtime's own, as JSON, with the component it is about.
pub fn event(sink: &LogSink, level: &str, component: &str, event: &str, detail: &str) {
    let line = serde_json::json!({
        "level": level,
        "component": component,
        "event": event,
        "detail": detail,
    });
    sink(&line.to_string());
}

/// The standard output or error of one component instance.
#[derive(Clone)]
pub struct Lines(Arc<Shared>);

struct Shared {
    component: Arc<str>,
    sink: LogSink,
    pending: Mutex<Vec<u8>>,
}

impl Lines {
    pub fn new(component: Arc<str>, sink: LogSink) -> Lines {
        Lines(Arc::new(Shared { component, sink, pending: Mutex::new(Vec::new()) }))
    }
}

impl Shared {
    fn push(&self, bytes: &[u8]) {
        let Ok(mut pending) = self.pending.lock() else { return };
        for &byte in bytes {
            if byte == b'\n' || pending.len() >= LONGEST_LINE {
                self.emit(&pending);
                pending.clear();
            }
            if byte != b'\n' {
                pending.push(byte);
            }
        }
    }

    /// A JSON line stays as it is: it says for itself where it comes from.
    fn emit(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        if line.starts_with('{') && line.ends_with('}') {
            (self.sink)(line);
        } else if !line.is_empty() {
            (self.sink)(&format!("[{}] {line}", self.component));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Ok(pending) = self.pending.lock() {
            self.emit(&pending);
        }
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl tokio::io::AsyncWrite for Lines {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.0.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_and_json_stays_as_it_is() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink: LogSink = {
            let seen = seen.clone();
            Arc::new(move |line| seen.lock().unwrap().push(line.to_owned()))
        };
        let lines = Lines::new("ingest".into(), sink);
        lines.0.push(b"one");
        lines.0.push(b" line\r\n\n{\"level\":\"info\"}\nlast");
        assert_eq!(*seen.lock().unwrap(), ["[ingest] one line", "{\"level\":\"info\"}"]);
        drop(lines);
        assert_eq!(seen.lock().unwrap().last().unwrap(), "[ingest] last");
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let seen = Arc::new(Mutex::new(0));
        let sink: LogSink = {
            let seen = seen.clone();
            Arc::new(move |line: &str| {
                assert!(line.len() <= LONGEST_LINE + 16);
                *seen.lock().unwrap() += 1;
            })
        };
        Lines::new("x".into(), sink).0.push(&vec![b'a'; 3 * LONGEST_LINE]);
        assert_eq!(*seen.lock().unwrap(), 3);
    }
}
