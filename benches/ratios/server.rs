//! The runtime in a process of its own, so that its memory and its processor time are its own.

use crate::client::Client;
use crate::clock;
use anyhow::{Context as _, Result};
use dunlin::{ADMIN_KEY, Runtime, Settings};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const KEY: &str = "the-admin-key-of-the-benches";

/// Serves until standard input ends, which it does when the parent goes away.
pub fn serve(manifest: &Path, data: &Path) -> Result<()> {
    let mut settings = Settings::new(manifest, data).variable(ADMIN_KEY, KEY);
    // Every request is logged, as it would be; what went wrong is worth a look.
    settings.log = Arc::new(|line| {
        if line.contains("\"level\":\"error\"") {
            eprintln!("{line}");
        }
    });
    let running = Runtime::new(settings).start_blocking()?;
    println!("{}", running.addr);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    running.shutdown_blocking();
    Ok(())
}

/// A child that serves.
pub struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    pub fn start(manifest: &Path, data: &Path) -> Result<Server> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--serve").arg(manifest).arg("--data").arg(data);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().context("the child has no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let addr = line.trim().parse().context("the runtime did not start")?;
        Ok(Server { child, addr })
    }

    pub fn client(&self) -> Result<Client> {
        Client::new(self.addr, KEY)
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn peak_memory(&self) -> Result<f64> {
        clock::peak_memory(self.process())
    }

    /// Lets it finish, so that its files are whole.
    pub fn stop(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where it was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
