//! Time by the wall and by the processor. On a machine that others use too, the second is the steadier one.

use anyhow::{Context as _, Result};
use std::time::Instant;

/// `/proc` counts processor time in hundredths of a second.
const TICKS: f64 = 100.0;

/// What some work took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    pub seconds: f64,
    /// Processor time of the process that did it, all threads together.
    pub cpu: f64,
}

impl Took {
    /// The shorter of two runs.
    pub fn min(self, other: Took) -> Took {
        if other.seconds < self.seconds { other } else { self }
    }
}

/// Times `work`, which is done by the process of this number.
pub fn time<T>(process: u32, work: impl FnOnce() -> Result<T>) -> Result<(T, Took)> {
    let (before, began) = (cpu(process)?, Instant::now());
    let value = work()?;
    let seconds = began.elapsed().as_secs_f64();
    Ok((value, Took { seconds, cpu: cpu(process)? - before }))
}

fn cpu(process: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name may hold spaces; what follows its bracket is the state, and eleven fields on are user and system time.
    let (_, fields) = stat.rsplit_once(')').context("the process has no state")?;
    let ticks =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().unwrap_or(0.0));
    Ok(ticks.sum::<f64>() / TICKS)
}

/// The most memory that the process has ever had, in MiB.
pub fn peak_memory(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("the process has no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// How many tasks wanted a processor over the last minute.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
