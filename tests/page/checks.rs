//! What must hold of a page in a browser: one check a function, each on a tab that the ones before have left as it is.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::browser::Tab;

const ROWS: &str = "[...document.querySelectorAll('#cells tbody tr')]";

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
        assert!(shown.contains("sessions") && shown.contains("not excluded"), "{width}: {shown}");
    }
    tab.size(1200, 900);
    let heads = tab.value("[...document.querySelectorAll('h2')].map(h => h.textContent)");
    let order = ["Verdict", "Scores", "Pictures and their tables", "What gave out first", "Failures by kind"];
    assert_eq!(heads.as_array().unwrap().iter().filter(|head| order.contains(&head.as_str().unwrap())).collect::<Vec<_>>(), order);
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
    tab.click("document.querySelector('#cells input[type=search]')");
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

pub fn without_scripts_it_is_plain_tables(tab: &mut Tab<'_>) {
    tab.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    tab.events.clear();
    tab.call("Page.reload", json!({}));
    tab.wait("Page.loadEventFired");
    let root = tab.call("DOM.getDocument", json!({}))["root"]["nodeId"].clone();
    let mut count = |selector: &str| {
        let found = tab.call("DOM.querySelectorAll", json!({"nodeId": root, "selector": selector}));
        found["nodeIds"].as_array().unwrap().len()
    };
    assert_eq!(count("#cells tbody tr"), 24);
    assert_eq!(count("#cells th button"), 0);
    assert!(count(".card") >= 3 && count("svg .cells title") >= 24);
}

pub fn of_ten_thousand_cells_only_what_is_looked_at_is_laid_out(tab: &mut Tab<'_>) {
    assert_eq!(tab.value(&format!("{ROWS}.length")), 200);
}

pub fn all_ten_thousand_can_be_searched_and_turned_over(tab: &mut Tab<'_>) {
    assert_eq!(status(tab), "1 to 200 of 10000 of 10000 cells");
    tab.click("[...document.querySelectorAll('#cells button')].find(b => b.textContent === 'Later rows')");
    assert_eq!(status(tab), "201 to 400 of 10000 of 10000 cells");
    tab.click("document.querySelector('#cells input[type=search]')");
    tab.type_text("C=77 S=33");
    assert_eq!(status(tab), "2 of 10000 cells");
    tab.value("(() => { const s = document.querySelector('#cells input'); s.value = ''; s.dispatchEvent(new Event('input')); })()");
}
