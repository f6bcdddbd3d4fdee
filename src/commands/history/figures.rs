//! The picture of each series, in the file that was asked for.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::cli::VerbosityArgs;
use crate::presentation::plot::{PlotFigure, draw, of_history, slug, to_png};
use crate::presentation::report::history::HistoryReport;

/// Draws every series; where there are several, the scenario's name and a number stand in the file's name.
pub(super) fn write(output: &Path, told: &[HistoryReport], talk: VerbosityArgs) -> anyhow::Result<()> {
    for (number, one) in told.iter().enumerate() {
        let Some(figure) = of_history(&one.history, one.gate.as_ref()) else {
            eprintln!("warning: there is nothing to draw of `{}`", one.history.name);
            continue;
        };
        let series = if told.len() > 1 { format!("-{}-{}", slug(&one.history.name), number + 1) } else { String::new() };
        let path = named(output, &series);
        save(&path, &figure)?;
        if !talk.quiet {
            eprintln!("figure: {}", path.display());
        }
    }
    Ok(())
}

fn named(output: &Path, suffix: &str) -> PathBuf {
    let part = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
    output.with_file_name(format!("{}{suffix}.{}", part(output.file_stem()), part(output.extension())))
}

fn save(path: &Path, figure: &PlotFigure) -> anyhow::Result<()> {
    let svg = draw(figure)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs_err::create_dir_all(folder)?;
    }
    match path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).as_deref() {
        Some("png") => fs_err::write(path, to_png(&svg)?)?,
        Some("svg") => fs_err::write(path, svg.text)?,
        _ => bail!("`{}` ends in neither `.png` nor `.svg`", path.display()),
    }
    Ok(())
}
