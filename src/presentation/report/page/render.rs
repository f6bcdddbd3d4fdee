//! The template and what is put into it: contents in, the page's text out. The script is allowed by its hash and by nothing else, so
//! that no text that slips through as markup could ever run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::contents::{ReportPage, page};
use super::parts::PageParts;
use crate::analysis::SweepSummary;

/// Why the page could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be made from its template: {0}")]
pub struct ReportPageError(#[from] minijinja::Error);

const TEMPLATE: &str = include_str!("../../../../templates/report.html");
const STYLE: &str = include_str!("../../../../templates/report.css");
const SCRIPT: &str = include_str!("../../../../templates/report.js");

/// The whole page.
pub fn html(summary: &SweepSummary, parts: &PageParts<'_>) -> Result<String, ReportPageError> {
    let mut environment = minijinja::Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    // The name's ending is what turns escaping on.
    environment.add_template("report.html", TEMPLATE)?;
    let whole = PageTemplateContext { style: STYLE, script: SCRIPT, script_hash: hash(SCRIPT), page: page(summary, parts) };
    Ok(environment.get_template("report.html")?.render(minijinja::value::Serde(whole))?)
}

#[derive(Serialize)]
struct PageTemplateContext<'a> {
    style: &'static str,
    script: &'static str,
    script_hash: String,
    #[serde(flatten)]
    page: ReportPage<'a>,
}

/// As a content security policy names a script: `sha256-` and the hash of its bytes in base 64.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{SummaryOptions, summarize};
    use crate::fixtures::sweeps::{cell, published, sweep, uniform};
    use crate::records::record::{ImportOrigin, RunFailure, RunFailureCause, RunOutcome};
    use crate::report::page::{EnvironmentSection, PageFigure};

    const GOAL: &str = "p95(ttft where turn >= 1) <= 2s";

    #[test]
    fn the_hash_of_a_script_is_the_published_one() {
        // FIPS 180-4, "abc": ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad, in base 64.
        assert_eq!(hash("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn what_comes_from_outside_is_escaped_and_figures_are_not() {
        let mut saved = sweep(&[GOAL], &[cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        saved.manifest.name = "<script>alert(1)</script>".into();
        saved.manifest.imported = Some(ImportOrigin { program: "<b>other</b>".into(), lacks: vec!["no <i>sessions</i>".into()] });
        saved.runs[0].record.outcome = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "\"><img src=x onerror=alert(2)>".into()));
        let summary = summarize(&saved, &SummaryOptions::default()).unwrap();
        let figures = [PageFigure { variant: Some("vllm".into()), file: "heatmap.svg".into(), svg: "<svg id=\"drawn\"></svg>".into() }];
        let facts = [EnvironmentSection { heading: "<u>client</u>".into(), lines: vec![("<s>".into(), "</dl><script>".into())] }];
        let parts = PageParts { figures: &figures, scenario: Some("</pre><script>alert(3)"), environment: &facts, ..PageParts::default() };
        let page = html(&summary, &parts).unwrap();
        assert_eq!(page.matches("<script").count(), 1, "only its own script");
        for raw in ["<img", "<b>", "<i>", "<u>", "<s>", "</pre><script"] {
            assert!(!page.contains(raw), "{raw}");
        }
        assert!(page.contains("&lt;script&gt;") && page.contains("<svg id=\"drawn\"></svg>"));
    }

    #[test]
    fn the_page_says_what_the_terminal_says_and_needs_nothing_from_outside() {
        let cells: Vec<_> = published("vllm").into_iter().chain(published("lmcache")).collect();
        let page = html(&summarize(&sweep(&[GOAL], &cells), &SummaryOptions::default()).unwrap(), &PageParts::default()).unwrap();
        for text in [
            "SIMULATED",
            "<strong>12</strong> <span>sessions</span>",
            "at C=4 groups at once, S=3 sessions each",
            "<span>at least</span> <strong>16</strong>",
            "C: groups at once; S: sessions each",
            "ratio at least 1.33",
            "42.5",
        ] {
            assert!(page.contains(text), "{text}");
        }
        for outside in ["http://", "https://", "<link", "url(", "@import", "src="] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn an_imported_sweep_is_labelled_with_what_it_lacks() {
        let mut saved = sweep(&[GOAL], &[cell("vllm", 1, 1, uniform(1, 1, 0.5))]);
        saved.manifest.imported =
            Some(ImportOrigin { program: "another script".into(), lacks: vec!["its files tell no cache hits".into()] });
        let page = html(&summarize(&saved, &SummaryOptions::default()).unwrap(), &PageParts::default()).unwrap();
        assert!(page.contains("IMPORTED") && page.contains("another script") && page.contains("its files tell no cache hits"));
    }

    #[test]
    fn the_same_sweep_gives_the_same_bytes() {
        let summary = summarize(&sweep(&[GOAL], &published("vllm")), &SummaryOptions::default()).unwrap();
        assert!(html(&summary, &PageParts::default()).unwrap() == html(&summary, &PageParts::default()).unwrap());
    }
}
