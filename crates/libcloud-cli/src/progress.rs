//! How far transfers are, for the person who waits.

use std::io::IsTerminal as _;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use libcloud::storage::TransferProgress;

use crate::args::Global;

/// Bars on standard error, one a transfer; nothing where nobody looks.
pub(crate) struct Bars(Option<MultiProgress>);

impl Bars {
    pub(crate) fn new(global: &Global) -> Self {
        let is_seen = !global.quiet && std::io::stderr().is_terminal();
        Self(is_seen.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr())))
    }

    /// A bar for one transfer. It goes away when it is dropped.
    pub(crate) fn add(&self, name: &str) -> Bar {
        let Some(bars) = &self.0 else { return Bar(None) };
        // Once there is a length: `cat.jpg  1.2 MiB / 3.0 MiB  4.0 MiB/s  2s`.
        let style =
            ProgressStyle::with_template("{prefix} {wide_bar} {bytes} / {total_bytes} {bytes_per_sec} {eta}");
        let bar = ProgressBar::no_length();
        if let Ok(style) = style {
            bar.set_style(style);
        }
        // A name from a provider: its control characters are not for the terminal.
        bar.set_prefix(name.escape_debug().to_string());
        Bar(Some(bars.add(bar)))
    }
}

/// The bar of one transfer.
pub(crate) struct Bar(Option<ProgressBar>);

impl Bar {
    /// What the transfer is to tell how far it is.
    pub(crate) fn hears(&self) -> TransferProgress {
        let bar = self.0.clone();
        TransferProgress::new(move |done, total| {
            let Some(bar) = &bar else { return };
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        })
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
