//! What must hold of a page in a browser: one check a function, each on a tab that the ones before have left as it is.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::browser::Tab;

/// The rows that are made; beside them there may be room for those that are not.
const ROWS: &str = "[...document.querySelectorAll('#cells tbody tr:not(.room)')]";
/// When what was asked for is on the screen.
const FRAMES: &str = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))";
const SEARCH: &str = "document.querySelector('#cells input[type=search]')";

/// The texts of a column of the table of all cells.
fn column(tab: &mut Tab<'_>, name: &str) -> Vec<String> {
    let script = format!(
        "(() => {{ const at = [...document.querySelectorAll('#cells thead th')].findIndex(th => th.textContent === '{name}'); \
         return {ROWS}.map(tr => tr.cells[at].textContent); }})()"
    );
    serde_json::from_value(tab.value(&script)).unwrap()
}

fn head(name: &str) -> String {
    format!("[...document.querySelectorAll('#cells thead th')].find(th => th.textContent === '{name}')")
}

fn status(tab: &mut Tab<'_>) -> String {
    tab.text("document.querySelector('#cells [role=status]').textContent")
}

pub fn the_verdict_is_in_the_first_screen(tab: &mut Tab<'_>) {
    for (width, height) in [(1200, 900), (360, 740)] {
        tab.size(width, height);
        let shown = tab.text("[...document.querySelectorAll('.card')].filter(c => c.getBoundingClientRect().top < innerHeight * 0.8).map(c => c.innerText).join('\\n')");
        assert!(shown.contains("sessions") && shown.contains("bottleneck"), "{width}: {shown}");
    }
    tab.size(1200, 900);
    let heads = tab.value("[...document.querySelectorAll('h2')].map(h => h.textContent)");
    let order = ["Verdict", "Scores", "Pictures and their tables", "Bottleneck", "Failures by kind"];
    assert_eq!(heads.as_array().unwrap().iter().filter(|head| order.contains(&head.as_str().unwrap())).collect::<Vec<_>>(), order);
}

pub fn the_numbers_in_a_heatmap_can_be_read_on_a_phone(tab: &mut Tab<'_>) {
    tab.size(390, 844);
    let heights = tab.value(
        "[...document.querySelectorAll('figure svg')].filter(svg => svg.querySelector('.cells')).map(svg => \
         Math.max(...[...svg.querySelectorAll('text')].filter(text => /^[0-9.]+$/.test(text.textContent.trim())).map(text => text.getBoundingClientRect().height))).filter(Number.isFinite)",
    );
    let heights: Vec<f64> = heights.as_array().unwrap().iter().map(|height| height.as_f64().unwrap()).collect();
    assert!(!heights.is_empty() && heights.iter().all(|height| *height >= 12.0), "{heights:?}");
    let widths = tab.value("[document.documentElement.scrollWidth, innerWidth]");
    assert!(widths[0].as_f64().unwrap() <= widths[1].as_f64().unwrap(), "the page itself scrolls sideways: {widths}");
    tab.size(1200, 900);
}

pub fn a_click_on_a_head_sorts_the_table(tab: &mut Tab<'_>) {
    for (direction, sign) in [("ascending", 1.0), ("descending", -1.0)] {
        tab.click(&format!("{}.querySelector('button')", head("output tokens/s")));
        assert_eq!(tab.text(&format!("{}.getAttribute('aria-sort')", head("output tokens/s"))), direction);
        let values: Vec<f64> = column(tab, "output tokens/s").iter().filter_map(|text| text.parse().ok()).collect();
        assert!(values.len() > 8 && values.windows(2).all(|pair| sign * pair[0] <= sign * pair[1]), "{direction}: {values:?}");
        assert!(values.first() != values.last());
    }
    tab.click(&format!("{}.querySelector('button')", head("variant")));
    let variants = column(tab, "variant");
    assert!(variants.is_sorted() && variants.first() != variants.last(), "{variants:?}");
    assert_eq!(tab.value("document.querySelectorAll('#cells [aria-sort]').length"), 1);
}

pub fn a_search_leaves_the_rows_that_hold_it(tab: &mut Tab<'_>) {
    let all = column(tab, "variant").len();
    tab.click(SEARCH);
    tab.type_text("C=2 lmcache");
    let heads = tab.value("[...document.querySelectorAll('#cells thead th')].slice(0, 3).map(th => th.textContent)");
    let found = (column(tab, "variant"), column(tab, heads[1].as_str().unwrap()));
    assert!(!found.0.is_empty() && found.0.len() < all && found.0.iter().all(|variant| variant == "lmcache"), "{found:?} under {heads}");
    assert!(found.1.iter().all(|concurrent| concurrent == "2"), "{found:?}");
    assert_eq!(status(tab), format!("{} of {all} cells", found.0.len()));
    tab.value("(() => { const s = document.querySelector('#cells select'); s.value = 'vllm'; s.dispatchEvent(new Event('change')); })()");
    assert_eq!(status(tab), format!("0 of {all} cells"));
    tab.value("(() => { const s = document.querySelector('#cells select'); s.value = ''; s.dispatchEvent(new Event('change')); })()");
}

pub fn what_is_shown_is_copied_with_or_without_a_clipboard(tab: &mut Tab<'_>) {
    let shown = column(tab, "variant").len();
    let copy = "[...document.querySelectorAll('#cells button')].find(b => b.textContent === 'Copy as text')";
    for clipboard in ["async text => { window.copied = text; }", "async () => { throw new Error('not allowed'); }"] {
        tab.value(&format!("navigator.clipboard.writeText = {clipboard}; window.copied = ''; document.addEventListener('copy', () => {{ window.copied = document.activeElement.value; }}, {{once: true}}); 0"));
        tab.click(copy);
        tab.value("new Promise(resolve => requestAnimationFrame(resolve)).then(() => 0)");
        let copied = tab.text("window.copied");
        let lines: Vec<&str> = copied.lines().collect();
        assert_eq!(lines.len(), shown + 1, "{copied}");
        assert!(lines[0].starts_with("variant\t") && lines[1].starts_with("lmcache\t2\t"), "{copied}");
        assert_eq!(status(tab), format!("{shown} cells copied"));
    }
    tab.value("(() => { const s = document.querySelector('#cells input'); s.value = ''; s.dispatchEvent(new Event('input')); })()");
}

pub fn keys_reach_everything_and_sort(tab: &mut Tab<'_>) {
    tab.value("(document.activeElement.blur(), window.scrollTo(0, 0), 0)");
    tab.call("Page.bringToFront", json!({}));
    tab.click("document.querySelector('h1')");
    let kind = "(() => { const e = document.activeElement; return e === document.body ? '' : e.className === 'skip' ? 'skip' : e.closest('th') ? 'head' : e.closest('.cells') ? 'cell' : e.tagName.toLowerCase(); })()";
    let mut reached = BTreeSet::new();
    for _ in 0..400 {
        tab.press("Tab", 9);
        let found = tab.text(kind);
        if found == "head" && !reached.contains("head") {
            let sorted = "document.activeElement.closest('th').getAttribute('aria-sort') ?? ''";
            let before = tab.text(sorted);
            tab.press("Enter", 13);
            assert!(!tab.text(sorted).is_empty() && tab.text(sorted) != before, "{before}");
        }
        if found.is_empty() {
            break;
        }
        reached.insert(found);
    }
    for wanted in ["a", "cell", "summary", "head", "input", "select", "button", "div"] {
        assert!(reached.contains(wanted), "`{wanted}` is not reached by Tab: {reached:?}");
    }
}

pub fn a_cell_tells_its_words_on_hover_and_by_arrow_keys(tab: &mut Tab<'_>) {
    const TIP: &str = "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent";
    tab.hover("document.querySelector('.cells rect')");
    let first = tab.text(TIP);
    assert!(first.contains("samples"), "{first}");
    tab.hover("document.querySelector('h1')");
    assert_eq!(tab.text(TIP), "");
    tab.value("(document.querySelector('.cells rect').focus(), 0)");
    assert_eq!(tab.text(TIP), first);
    tab.press("ArrowRight", 39);
    let second = tab.text(TIP);
    assert!(second.contains("samples") && second != first, "{second}");
    tab.press("Escape", 27);
    assert_eq!(tab.text(TIP), "");
}

pub fn nothing_runs_over_in_any_width_and_theme(tab: &mut Tab<'_>, axe: Option<&str>) {
    if let Some(axe) = axe {
        tab.call("Runtime.evaluate", json!({"expression": axe}));
    }
    let mut papers = BTreeSet::new();
    for (width, theme) in [(1200, "light"), (1200, "dark"), (360, "light"), (360, "dark")] {
        tab.size(width, 800);
        tab.theme(theme);
        papers.insert(tab.text("getComputedStyle(document.body).backgroundColor"));
        assert_eq!(tab.value("document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0, "{width} {theme}");
        if axe.is_some() {
            let found = tab.value("axe.run({resultTypes: ['violations']}).then(r => r.violations.map(v => [v.id, v.help, v.nodes.length, v.nodes[0].html.slice(0, 300), v.nodes[0].failureSummary]))");
            assert_eq!(found, json!([]), "{width} {theme}: {found:#}");
            assert!(tab.value("axe.run().then(r => r.passes.length)").as_u64().unwrap() > 10, "the rules have run");
        }
    }
    assert_eq!(papers.len(), 2, "light and dark have papers of their own");
    tab.size(1200, 900);
    tab.theme("light");
}

pub fn it_prints(tab: &mut Tab<'_>) {
    let printed = tab.call("Page.printToPDF", json!({"printBackground": true}));
    // In base 64, `%PDF-` begins so.
    let pdf = printed["data"].as_str().unwrap();
    assert!(pdf.starts_with("JVBERi0") && pdf.len() > 20_000, "{} characters", pdf.len());
}

pub fn nothing_was_requested_and_nothing_complained(tab: &Tab<'_>, file: &Path) {
    let of = |method: &str| tab.events.iter().filter(|event| event["method"] == method).map(|event| &event["params"]).collect::<Vec<_>>();
    for silent in ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"] {
        assert_eq!(of(silent), Vec::<&Value>::new(), "{silent}");
    }
    let asked: BTreeSet<&str> = of("Network.requestWillBeSent").iter().filter_map(|params| params["request"]["url"].as_str()).collect();
    assert_eq!(asked, BTreeSet::from([format!("file://{}", file.display()).as_str()]));
}

pub fn without_scripts_it_is_plain_tables(tab: &mut Tab<'_>, cells: usize) {
    tab.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    tab.events.clear();
    tab.call("Page.reload", json!({}));
    tab.wait("Page.loadEventFired");
    let root = tab.call("DOM.getDocument", json!({}))["root"]["nodeId"].clone();
    let mut count = |selector: &str| {
        let found = tab.call("DOM.querySelectorAll", json!({"nodeId": root, "selector": selector}));
        found["nodeIds"].as_array().unwrap().len()
    };
    assert_eq!(count("#cells tbody tr"), cells);
    assert_eq!(count("#cells tbody tr:last-child td:nth-child(6)"), 1);
    assert_eq!(count("#cells th button"), 0);
    let (cards, pictures) = (count(".card"), count("svg .cells"));
    assert!(cards >= 1 && pictures >= 2, "{cards} cards, {pictures} pictures");
}

pub fn every_cell_of_a_picture_has_its_words_without_scripts(tab: &mut Tab<'_>) {
    let root = tab.call("DOM.getDocument", json!({}))["root"]["nodeId"].clone();
    let found = tab.call("DOM.querySelectorAll", json!({"nodeId": root, "selector": "svg .cells title"}));
    assert!(found["nodeIds"].as_array().unwrap().len() >= 24);
}

/// What makes the page of 10,000 cells quick to open, on any machine.
pub fn of_ten_thousand_cells_only_what_is_looked_at_is_there(tab: &mut Tab<'_>, file: &Path) {
    let bytes = std::fs::metadata(file).unwrap().len();
    assert!(bytes <= 2_000_000, "{bytes} bytes");
    let rows = made(tab);
    assert!((20..=100).contains(&rows), "{rows} rows are made");
    for (of_what, most) in [("svg", 1_000), ("body", 12_000)] {
        let elements =
            tab.value(&format!("Math.max(...[...document.querySelectorAll('{of_what}')].map(e => e.querySelectorAll('*').length))"));
        assert!(elements.as_u64().unwrap() <= most, "{elements} elements in a {of_what}");
    }
}

fn made(tab: &mut Tab<'_>) -> u64 {
    tab.value(&format!("{ROWS}.length")).as_u64().unwrap()
}

pub fn rows_are_made_as_they_are_looked_at(tab: &mut Tab<'_>) {
    const SCROLLER: &str = "document.querySelector('#cells [data-tools]').parentElement";
    let shown = format!(
        "(() => {{ const box = {SCROLLER}.getBoundingClientRect(); const head = document.querySelector('#cells [data-tools] thead').getBoundingClientRect(); \
         return {ROWS}.filter(tr => {{ const b = tr.getBoundingClientRect(); return b.top >= head.bottom - 1 && b.bottom <= box.bottom; }}) \
         .map(tr => [...tr.cells].slice(0, 3).map(td => td.textContent).join(' ')); }})()"
    );
    let widths = "[...document.querySelectorAll('#cells [data-tools] thead th')].map(th => th.getBoundingClientRect().width)";
    assert_eq!(status(tab), "10000 of 10000 cells");
    let at_first = tab.value(widths);
    for (to, wanted) in [("0.5", "vllm 100 50"), ("1", "lmcache 100 50"), ("0.25", "vllm 50 50"), ("0", "vllm 1 1")] {
        tab.value(&format!("({SCROLLER}.scrollTop = {to} * ({SCROLLER}.scrollHeight - {SCROLLER}.clientHeight), 0)"));
        tab.value(FRAMES);
        let found: Vec<String> = serde_json::from_value(tab.value(&shown)).unwrap();
        assert!(found.len() >= 15 && found.iter().any(|row| row == wanted), "{wanted} at {to}: {found:?}");
        assert!(made(tab) <= 100);
        assert_eq!(tab.value(widths), at_first, "columns stay as wide as they are");
    }
    let index = format!(
        "{ROWS}[0].getAttribute('aria-rowindex') + ' of ' + document.querySelector('#cells [data-tools]').getAttribute('aria-rowcount')"
    );
    assert_eq!(tab.text(&index), "2 of 10001");
}

pub fn all_ten_thousand_can_be_sorted_searched_and_chosen(tab: &mut Tab<'_>) {
    for (direction, first) in [("ascending", "1"), ("descending", "100")] {
        tab.click(&format!("{}.querySelector('button')", head("C")));
        assert_eq!(tab.text(&format!("{}.getAttribute('aria-sort')", head("C"))), direction);
        assert!(column(tab, "C").iter().all(|value| value == first), "100 cells of each");
    }
    tab.click(SEARCH);
    tab.type_text("C=77 S=33");
    assert_eq!(status(tab), "2 of 10000 cells");
    assert_eq!((column(tab, "C"), column(tab, "S")), (vec!["77".to_owned(); 2], vec!["33".to_owned(); 2]));
    // What is not among the leading columns came from the data.
    assert!(column(tab, "requests").iter().all(|text| text.parse::<u64>().is_ok()) && column(tab, "state") == ["measured", "measured"]);
    tab.value(&format!("(() => {{ const s = {SEARCH}; s.value = ''; s.dispatchEvent(new Event('input')); }})()"));
    assert_eq!(status(tab), "10000 of 10000 cells");
}

pub fn all_ten_thousand_are_copied_and_printed(tab: &mut Tab<'_>) {
    tab.value("(navigator.clipboard.writeText = async text => { window.copied = text; }, 0)");
    tab.click("[...document.querySelectorAll('#cells button')].find(b => b.textContent === 'Copy as text')");
    tab.value(FRAMES);
    assert_eq!(tab.value("window.copied.split('\\n').length"), 10_001);
    tab.value("(window.dispatchEvent(new Event('beforeprint')), 0)");
    assert_eq!(made(tab), 10_000);
    tab.value("(window.dispatchEvent(new Event('afterprint')), 0)");
    assert!((20..=100).contains(&made(tab)));
}

pub fn a_cell_of_many_is_made_when_it_is_looked_at(tab: &mut Tab<'_>) {
    const TIP: &str = "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent";
    tab.hover("document.querySelector('.cells .area')");
    let middle = tab.text(TIP);
    assert!(middle.starts_with("concurrent (C) 51, sequential (S) ") && middle.contains(" samples"), "{middle}");
    tab.hover("document.querySelector('h1')");
    assert_eq!(tab.text(TIP), "");
    tab.value("(document.querySelector('.cells .area ~ rect').focus(), 0)");
    assert_eq!(tab.text(TIP), middle);
    tab.press("ArrowRight", 39);
    assert!(tab.text(TIP).starts_with("concurrent (C) 52, "), "{}", tab.text(TIP));
    let again = "document.activeElement.getAttribute('aria-label')";
    assert_eq!(tab.text(again), tab.text(TIP));
    tab.press("Escape", 27);
    assert_eq!(tab.text(TIP), "");
    // The words are those of the row in the table.
    tab.click(SEARCH);
    tab.type_text("C=52 vllm");
    let label = tab.text("document.querySelector('.cells .area ~ rect').getAttribute('aria-label')");
    let row = label.split_once("sequential (S) ").and_then(|(_, rest)| rest.split_once(": ")).unwrap();
    let at = column(tab, "S").iter().position(|value| value == row.0).unwrap();
    let samples = format!(" of {} samples", column(tab, "n")[at]);
    assert!(label.contains(&samples), "{label}: {samples}");
    tab.value(&format!("(() => {{ const s = {SEARCH}; s.value = ''; s.dispatchEvent(new Event('input')); }})()"));
}
