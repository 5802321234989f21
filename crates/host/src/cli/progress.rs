//! Progress for a person who waits: a bar on a terminal, nothing anywhere else.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A bar that counts bytes.
pub fn bytes(what: &'static str, length: u64) -> ProgressBar {
    let style = "{msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    styled(ProgressBar::with_draw_target(Some(length), target()), style).with_message(what)
}

/// A sign of life for work whose length nobody knows.
pub fn spinner(what: impl Into<std::borrow::Cow<'static, str>>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, target());
    let bar = styled(bar, "{spinner} {msg} ({elapsed})").with_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Draws to standard error, and only when it is a terminal.
fn target() -> ProgressDrawTarget {
    ProgressDrawTarget::stderr_with_hz(5)
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
