//! Opens the report's page in the browser by the platform's own opener. Where there is none, or no screen, the page's path is printed instead.

use std::path::Path;
use std::process::{Command, Stdio};

/// Opens a page, or says where it lies.
pub(super) fn open_page(page: &Path) {
    let opened = has_screen() && opener(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().is_ok();
    let shown = page.display();
    if opened {
        eprintln!("opened: {shown}");
    } else {
        eprintln!("no browser could be opened here; the page: {shown}");
    }
}

#[cfg(target_os = "macos")]
fn opener(page: &Path) -> Command {
    let mut command = Command::new("open");
    command.arg(page);
    command
}

#[cfg(windows)]
fn opener(page: &Path) -> Command {
    let mut command = Command::new("explorer");
    command.arg(page);
    command
}

#[cfg(not(any(target_os = "macos", windows)))]
fn opener(page: &Path) -> Command {
    let mut command = Command::new("xdg-open");
    command.arg(page);
    command
}

/// Without one, `xdg-open` would start a browser in the terminal.
fn has_screen() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(target_os = "macos", windows)) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}
