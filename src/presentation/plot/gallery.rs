//! Pictures of every kind and trouble, for the tests and for the eye:
//! `cargo test --lib draw_the_gallery -- --ignored` leaves them in `target/gallery/`.

use super::figure::{
    CdfFigure, CdfLine, CellMark, ChangeOutcome, CurveFigure, CurveLine, CurvePoint, FigureCaption, FigureCell, FigureCellContent,
    FigureVerdict, Heatmap, HistoryFigure, HistoryStrip, LabelAxis, MarkShape, NightLabel, NightLine, NumericAxis, PanelTrack,
    ParetoFigure, ParetoLine, ParetoPoint, PlotFigure, PlotLimit, PlotQuantity, PlotScale, RequestBar, SampleCountRow, SwimLane,
    TimelineFigure, TimelinePanel,
};
use super::{PlotOptions, SvgDocument, draw, pictures, to_png};
use crate::analysis::fixture::{published as published_cells, sweep};
use crate::analysis::{SummaryOptions, summarize};
use crate::vocabulary::goal::ComparisonOperator;
use resvg::tiny_skia::Pixmap;
use resvg::usvg::{self, roxmltree};

/// Published p95 of time to first token in seconds, rows S = 1..=4, columns C = 1..=4.
pub const VLLM: [[f64; 4]; 4] = [
    [0.379_049, 0.445_499, 0.364_927, 0.504_505],
    [0.411_317, 0.406_148, 0.393_902, 0.498_404],
    [0.455_651, 0.326_396, 0.378_674, 0.794_144],
    [0.311_046, 0.459_704, 42.531_053, 33.565_437],
];
pub const LMCACHE: [[f64; 4]; 4] = [
    [0.524_989, 0.477_37, 0.495_073, 0.575_724],
    [0.477_946, 0.457_463, 0.592_148, 0.586_223],
    [0.329_389, 0.627_655, 0.586_793, 1.251_918],
    [0.460_711, 0.446_477, 1.286_755, 1.202_544],
];

pub fn ttft() -> PlotQuantity {
    PlotQuantity { name: "p95(ttft where turn >= 1)".into(), unit: "s".into(), factor: 1.0 }
}

pub fn two_seconds() -> PlotLimit {
    PlotLimit { comparison: ComparisonOperator::LessOrEqual, value: 2.0 }
}

fn axis(name: &str, unit: &str, values: impl IntoIterator<Item = u32>) -> LabelAxis {
    LabelAxis { name: name.into(), unit: unit.into(), values: values.into_iter().map(|value| value.to_string()).collect() }
}

fn heatmap(title: &str, cells: Vec<Vec<FigureCell>>) -> Heatmap {
    let columns = u32::try_from(cells[0].len()).unwrap();
    let rows = u32::try_from(cells.len()).unwrap();
    Heatmap {
        caption: FigureCaption { title: title.into(), subtitle: "Qwen2.5-7B-Instruct-1M, 128k-token documents".into(), simulated: false },
        x: axis("concurrent", "groups", 1..=columns),
        y: axis("sequential", "sessions per group", 1..=rows),
        quantity: ttft(),
        limit: Some(two_seconds()),
        scale: PlotScale::around([0.311, 42.5, 2.0]),
        cells,
        confidence: 0.95,
        marks: Vec::new(),
    }
}

/// A published table, with 3 follow-ups a session.
pub fn published(title: &str, table: &[[f64; 4]; 4]) -> Heatmap {
    let cells = table
        .iter()
        .zip(1_u64..)
        .map(|(row, s)| row.iter().zip(1_u64..).map(|(value, c)| FigureCell::value(*value, 3 * c * s)).collect())
        .collect();
    heatmap(title, cells)
}

/// One of everything that can go wrong, with intervals and verdicts.
pub fn troubled() -> Heatmap {
    let mut figure = published(
        "<script>alert(1)</script> & \"lmcache\": p95 of time to first token over follow-up turns, a title that takes two lines",
        &VLLM,
    );
    for (row, cells) in figure.cells.iter_mut().enumerate() {
        for (column, cell) in cells.iter_mut().enumerate() {
            let value = VLLM[row][column];
            cell.low = Some(value * 0.8);
            cell.high = (value < 40.0).then_some(value * 1.3);
            cell.verdict = Some(if value > 2.0 {
                FigureVerdict::Missed
            } else if (row + column) % 2 == 0 {
                FigureVerdict::Undecided
            } else {
                FigureVerdict::Met
            });
        }
    }
    figure.cells[0][2] = FigureCell::without_value(FigureCellContent::Failed("cache reset answered 404".into()), 0);
    figure.cells[1][1] = FigureCell::without_value(FigureCellContent::Missing, 0);
    figure.cells[2][0] = FigureCell::without_value(FigureCellContent::Invalid("cache was not empty".into()), 9);
    figure.cells[3][3] = FigureCell {
        shown: FigureCellContent::Value(f64::INFINITY),
        n: 48,
        low: Some(33.5),
        high: Some(f64::INFINITY),
        verdict: Some(FigureVerdict::Missed),
        sign: "",
    };
    figure.caption.simulated = true;
    figure.marks = vec![
        CellMark { column: 3, row: 2, shape: MarkShape::Star, label: "max C×S met: 12".into() },
        CellMark { column: 3, row: 2, shape: MarkShape::Diamond, label: "best harmonic mean".into() },
    ];
    figure
}

pub fn grid(columns: u32, rows: u32) -> Heatmap {
    let cells = (1..=rows)
        .map(|s| {
            (1..=columns)
                .map(|c| {
                    let value = 0.2 * f64::from(c).powf(0.5) * if c * s > columns * rows / 3 { 40.0 } else { 1.0 };
                    let mut cell = FigureCell::value(value, u64::from(c * s * 3));
                    (cell.low, cell.high) = (Some(value * 0.9), Some(value * 1.1));
                    cell.verdict =
                        Some(if (1.5..2.5).contains(&value) || c * s * 3 < 59 { FigureVerdict::Undecided } else { FigureVerdict::Met });
                    if value > 2.0 {
                        cell.verdict = Some(FigureVerdict::Missed);
                    }
                    if c == 5 && s == 2 {
                        cell = FigureCell::without_value(FigureCellContent::Failed("timeout".into()), 3);
                    }
                    if c == 6 && s == 1 {
                        cell = FigureCell::without_value(FigureCellContent::Missing, 0);
                    }
                    if c == 2 && s == rows {
                        cell = FigureCell::without_value(FigureCellContent::Invalid("client limited".into()), 30);
                    }
                    cell
                })
                .collect()
        })
        .collect();
    let mut figure = heatmap(&format!("{columns} by {rows}"), cells);
    figure.scale = PlotScale::around(figure.cells.iter().flatten().filter_map(FigureCell::finite).chain([2.0]));
    figure.marks = vec![CellMark { column: 3.min(columns as usize - 1), row: 0, shape: MarkShape::Star, label: "max C×S met".into() }];
    figure
}

pub fn curve() -> CurveFigure {
    let xs = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
    let line = |label: &str, values: [f64; 6], broken: &[(usize, FigureCellContent)]| {
        let mut points: Vec<CurvePoint> = xs
            .iter()
            .zip(values)
            .zip(1..)
            .map(|((x, value), n)| {
                let mut cell = FigureCell::value(value, n * 60);
                (cell.low, cell.high) = (Some(value * 0.85), Some(value * 1.25));
                cell.verdict = Some(if (1.5..2.5).contains(&value) { FigureVerdict::Undecided } else { FigureVerdict::Met });
                CurvePoint { x: *x, cell }
            })
            .collect();
        for (n, shown) in broken {
            points[*n].cell = FigureCell::without_value(shown.clone(), 60);
        }
        CurveLine { label: label.into(), points }
    };
    CurveFigure {
        caption: FigureCaption {
            title: "p95 of time to first token over concurrent sessions".into(),
            subtitle: "document_qa, 8k-token documents".into(),
            simulated: true,
        },
        x: NumericAxis { name: "concurrent".into(), unit: "groups".into(), values: xs.iter().map(|x| (*x, x.to_string())).collect() },
        quantity: ttft(),
        lines: vec![
            line("vllm", [0.31, 0.34, 0.6, 1.8, 9.1, 33.0], &[(5, FigureCellContent::Value(f64::INFINITY))]),
            line("lmcache", [0.42, 0.44, 0.5, 0.7, 1.1, 1.9], &[(2, FigureCellContent::Failed("reset".into()))]),
        ],
        limit: Some(two_seconds()),
        confidence: 0.95,
    }
}

/// Two lines, one of which ends below 1.
pub fn cdf() -> CdfFigure {
    let line = |label: &str, n: u32, failed: u32, scale: f64| {
        let reached = |rank: u32| (scale * 1.06_f64.powi(rank.cast_signed()), f64::from(rank) / f64::from(n));
        let margin = Some((40_f64.ln() / 2.0 / f64::from(n)).sqrt());
        let steps = (1..=n - failed).map(reached).collect();
        CdfLine { label: label.into(), n: u64::from(n), failed: u64::from(failed), steps, margin, without: None }
    };
    let quantity = PlotQuantity { name: "ttft where turn >= 1".into(), unit: "s".into(), factor: 1.0 };
    CdfFigure {
        caption: FigureCaption { title: "distribution of time to first token, turn ≥ 1, C=2, S=3".into(), ..curve().caption },
        quantity,
        lines: vec![
            line("vllm", 80, 0, 0.1),
            line("lmcache", 40, 4, 0.3),
            CdfLine { label: "other".into(), n: 0, failed: 0, steps: Vec::new(), margin: None, without: Some("failed".into()) },
        ],
        limit: Some(two_seconds()),
        share: Some(0.95),
        better: crate::vocabulary::metric::MetricDirection::Lower,
        confidence: 0.95,
    }
}

pub fn pareto() -> ParetoFigure {
    let line = |label: &str, strength: f64, most: u32| {
        let points: Vec<ParetoPoint> = (1..=4_u32)
            .map(|c| {
                let x = 90.0 / (1.0 + f64::from(c) / strength);
                let (y, low, high) = (x * f64::from(c) * 0.8, Some(x * 0.9), (c < 4).then_some(x * 1.15));
                ParetoPoint { x, y, low, high, n: u64::from(c * 30), label: format!("C={c}, S=2"), passes: c <= most }
            })
            .collect();
        let frontier = points.iter().rev().filter(|dot| dot.passes).map(|dot| (dot.x, dot.y)).collect();
        ParetoLine { label: label.into(), points, frontier, without: u64::from(most == 2) }
    };
    let quantity = |name: &str| PlotQuantity { name: name.into(), unit: "tokens/s".into(), factor: 1.0 };
    ParetoFigure {
        caption: FigureCaption { title: "what a user gets against what the server gives".into(), ..curve().caption },
        x: quantity("output per user, 1 / p50(tpot)"),
        y: quantity("output of the server"),
        lines: vec![line("vllm", 2.0, 2), line("lmcache", 5.0, 4)],
        goals: vec!["p95(ttft where turn >= 1) <= 2s".into()],
        confidence: 0.95,
    }
}

pub fn timeline() -> TimelineFigure {
    let lane = |session: u32| {
        let bar = |turn: u32| {
            let intended = f64::from(session) * 0.7 + f64::from(turn) * 4.0;
            let sent = intended + f64::from(turn % 2) * 0.8;
            let failed = session == 2 && turn == 2;
            let first_token = (!failed).then_some(sent + if turn == 0 { 1.6 } else { 0.4 });
            RequestBar { first_turn: turn == 0, intended, sent, first_token, done: sent + 2.6, failed, measured: session > 0 }
        };
        SwimLane { label: format!("session {session}"), bars: (0..4).map(bar).collect() }
    };
    let track = |label: &str, most: u32| {
        let points = (0..40_u32).map(|n| (f64::from(n) * 0.5, f64::from(n * 7 % (most + 1)))).collect();
        PanelTrack { label: label.into(), points }
    };
    let usage =
        PanelTrack { label: "KV cache in use".into(), points: (0..40_u32).map(|n| (f64::from(n) * 0.5, f64::from(n) / 45.0)).collect() };
    TimelineFigure {
        caption: FigureCaption { title: "vllm: requests over time, C=2, S=3".into(), ..curve().caption },
        lanes: (0..6).map(lane).collect(),
        panels: vec![
            TimelinePanel {
                name: "requests in the server, vllm:num_requests_running, vllm:num_requests_waiting".into(),
                factor: 1.0,
                most: None,
                tracks: vec![track("running", 4), track("waiting", 2)],
            },
            TimelinePanel {
                name: "KV cache in use [%], vllm:kv_cache_usage_perc".into(),
                factor: 100.0,
                most: Some(1.0),
                tracks: vec![usage],
            },
        ],
    }
}

/// Nights that are steady and then slow, the last variant with one of everything that can go wrong.
pub fn nights(count: usize, variants: usize) -> HistoryFigure {
    let value = |night: usize, line: usize| {
        let wave = f64::from(u32::try_from(night * 7 % 5).unwrap()) * 0.02;
        let slow = if night * 3 >= count * 2 && line == 0 { 1.3 } else { 1.0 };
        1.6 * (1.0 - 0.12 * f64::from(u32::try_from(line).unwrap())) * (1.0 + wave) * slow
    };
    let cell = |night: usize, line: usize| {
        let mut cell = FigureCell::value(value(night, line), 480);
        (cell.low, cell.high) = (Some(value(night, line) * 0.95), (night != 1).then_some(value(night, line) * 1.06));
        cell.verdict = Some(if value(night, line) > 2.0 {
            FigureVerdict::Missed
        } else if value(night, line) > 1.9 {
            FigureVerdict::Undecided
        } else {
            FigureVerdict::Met
        });
        match (line, night) {
            (2, 3) => Some(FigureCell::without_value(FigureCellContent::Failed("the server did not start".into()), 0)),
            (2, 4) => Some(FigureCell { shown: FigureCellContent::Value(f64::INFINITY), ..cell }),
            (2, 0) => None,
            _ => Some(cell),
        }
    };
    let scored = |night: usize, line: usize| {
        let value = if value(night, line) > 2.0 { 12.0 } else { 16.0 + 4.0 * f64::from(u32::try_from(line).unwrap()) };
        let mut cell = FigureCell::value(value, 1);
        (cell.low, cell.high) = (Some(value - if night.is_multiple_of(3) { 4.0 } else { 0.0 }), Some(value));
        cell.verdict = night.is_multiple_of(3).then_some(FigureVerdict::Undecided);
        Some(cell)
    };
    let names = ["vllm", "lmcache", "another engine"];
    let lines = |of: &dyn Fn(usize, usize) -> Option<FigureCell>| {
        let line =
            |(at, name): (usize, &&str)| NightLine { label: (*name).to_owned(), cells: (0..count).map(|night| of(night, at)).collect() };
        names.iter().take(variants).enumerate().map(line).collect::<Vec<_>>()
    };
    let first: jiff::civil::Date = "2025-12-28".parse().unwrap();
    let day = |night: usize| first + jiff::Span::new().days(i64::try_from(night).unwrap());
    let judged = |night: usize, line: usize| {
        let outcome = if line == 0 && night + 2 >= count {
            ChangeOutcome::Regressed
        } else {
            [ChangeOutcome::Same, ChangeOutcome::Unknown][line % 2]
        };
        (night + 3 >= count).then_some(outcome)
    };
    HistoryFigure {
        caption: FigureCaption { title: "nightly: night after night".into(), subtitle: "seed 7".into(), simulated: true },
        nights: (0..count)
            .map(|night| NightLabel { short: day(night).strftime("%m-%d").to_string(), around: day(night).strftime("%Y").to_string() })
            .collect(),
        strips: vec![
            HistoryStrip {
                heading: "p95 of time to first token, turn ≥ 1, C=4, S=4".into(),
                bars: "95 % interval".into(),
                quantity: ttft(),
                limit: Some(two_seconds()),
                lines: lines(&cell),
                samples: SampleCountRow::Shown,
            },
            HistoryStrip {
                heading: "max C×S".into(),
                bars: "certified to not excluded at 95 %".into(),
                quantity: PlotQuantity { name: "max C×S".into(), unit: String::new(), factor: 1.0 },
                limit: None,
                lines: lines(&scored),
                samples: SampleCountRow::None,
            },
        ],
        calls: (0..variants).map(|line| (0..count).map(|night| judged(night, line)).collect()).collect(),
    }
}

fn panels() -> PlotFigure {
    let figures = [("kv_memory=32GB", VLLM), ("kv_memory=64GB", LMCACHE)];
    let figures = figures.into_iter().map(|(title, table)| PlotFigure::Heatmap(published(title, &table))).collect();
    let caption =
        FigureCaption { title: "p95 of time to first token, turn ≥ 1".into(), subtitle: "capacity · seed 7".into(), simulated: true };
    PlotFigure::Panels(super::figure::FacetFigure { caption, figures })
}

pub fn all() -> Vec<(&'static str, PlotFigure)> {
    let mut single = curve();
    single.lines.truncate(1);
    single.lines[0].points.truncate(1);
    single.x.values.truncate(1);
    let mut many = curve();
    let lines = (0..8).map(|n| {
        let mut line = many.lines[n % 2].clone();
        line.label = format!("variant number {n}");
        for point in &mut line.points {
            if let FigureCellContent::Value(value) = &mut point.cell.shown {
                *value *= 1.0 + f64::from(u32::try_from(n).unwrap()) * 0.3;
            }
            (point.cell.low, point.cell.high) = (None, None);
        }
        line
    });
    many.lines = lines.collect();
    let saved = sweep(&["p95(ttft where turn >= 1) <= 2s"], &published_cells("vllm"));
    let summary = summarize(&saved, &SummaryOptions::default()).unwrap();
    let from_summary = pictures(&summary, &PlotOptions::default()).unwrap().remove(0).figure;
    let mut all_hold = published("lmcache: p95(ttft where turn >= 1)", &LMCACHE);
    all_hold.caption.simulated = true;
    vec![
        ("summary", from_summary),
        ("vllm", PlotFigure::Heatmap(published("vllm: p95(ttft where turn >= 1)", &VLLM))),
        ("lmcache", PlotFigure::Heatmap(all_hold)),
        ("troubled", PlotFigure::Heatmap(troubled())),
        ("16x16", PlotFigure::Heatmap(grid(16, 16))),
        ("bars3d", PlotFigure::Bars3d(published("vllm: p95(ttft where turn >= 1)", &VLLM))),
        ("bars3d-troubled", PlotFigure::Bars3d(troubled())),
        ("difference", super::from_comparison::difference_of_all()),
        ("panels", panels()),
        ("10x10", PlotFigure::Heatmap(grid(10, 10))),
        ("8x8", PlotFigure::Heatmap(grid(8, 8))),
        ("64x40", PlotFigure::Heatmap(grid(64, 40))),
        ("1x8", PlotFigure::Heatmap(grid(1, 8))),
        ("8x1", PlotFigure::Heatmap(grid(8, 1))),
        ("1x1", PlotFigure::Heatmap(grid(1, 1))),
        ("curve", PlotFigure::Curve(curve())),
        ("curve-one-point", PlotFigure::Curve(single)),
        ("curve-many", PlotFigure::Curve(many)),
        ("pareto", PlotFigure::Pareto(pareto())),
        ("cdf", PlotFigure::Cdf(cdf())),
        ("timeline", PlotFigure::Timeline(timeline())),
        ("history", PlotFigure::History(nights(12, 2))),
        ("history-troubled", PlotFigure::History(nights(8, 3))),
        ("history-many", PlotFigure::History(nights(90, 3))),
        ("history-one", PlotFigure::History(nights(1, 1))),
    ]
}

/// Every text of a drawn picture with the place of its anchor.
pub fn texts(svg: &SvgDocument) -> Vec<(String, i32, i32)> {
    let document = roxmltree::Document::parse(&svg.text).unwrap();
    let number = |node: roxmltree::Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse().unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| (node.text().unwrap().trim().to_owned(), number(node, "x"), number(node, "y"))).collect()
}

#[test]
fn no_picture_has_a_text_beyond_its_page() {
    for (name, figure) in all() {
        let svg = draw(&figure).unwrap();
        let tree = usvg::Tree::from_str(&svg.text, &super::png::options()).unwrap();
        let (width, height) = (tree.size().width(), tree.size().height());
        let mut checked = 0;
        let mut waiting: Vec<&usvg::Node> = tree.root().children().iter().collect();
        while let Some(node) = waiting.pop() {
            if let usvg::Node::Group(group) = node {
                waiting.extend(group.children());
            }
            if let usvg::Node::Text(text) = node {
                let at = node.abs_bounding_box();
                let inside = at.left() >= 0.0 && at.top() >= 0.0 && at.right() <= width && at.bottom() <= height;
                assert!(inside, "{name}: {at:?} of {width} by {height}: {}", text.chunks()[0].text());
                checked += 1;
            }
        }
        assert_eq!(checked, texts(&svg).len(), "{name}: every text is set in the embedded font");
    }
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    for ((_, first), (_, second)) in all().into_iter().zip(all()) {
        assert_eq!(draw(&first).unwrap(), draw(&second).unwrap());
    }
}

#[test]
fn what_people_named_cannot_become_markup() {
    let svg = draw(&PlotFigure::Heatmap(troubled())).unwrap();
    assert!(!svg.text.contains("<script"));
    let document = roxmltree::Document::parse(&svg.text).unwrap();
    let title = document.descendants().find(|node| node.has_tag_name("title")).unwrap();
    assert!(title.text().unwrap().starts_with("<script>alert(1)</script> & \"lmcache\""));
    let mut figure = curve();
    figure.lines[0].label = "</text><image href='x'/>\u{1}".into();
    figure.x.name = "<polyline ".into();
    let svg = draw(&PlotFigure::Curve(figure)).unwrap();
    let document = roxmltree::Document::parse(&svg.text).unwrap();
    assert!(document.descendants().all(|node| !node.has_tag_name("image")));
    assert!(texts(&svg).iter().any(|(text, ..)| text.starts_with("</text><image href='x'/>")));
}

#[test]
#[ignore = "for the eye: leaves pictures in target/gallery/"]
fn draw_the_gallery() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gallery");
    fs_err::create_dir_all(&folder).unwrap();
    for (name, figure) in all() {
        let svg = draw(&figure).unwrap();
        fs_err::write(folder.join(format!("{name}.svg")), &svg.text).unwrap();
        let png = to_png(&svg).unwrap();
        fs_err::write(folder.join(format!("{name}.png")), &png).unwrap();
        fs_err::write(folder.join(format!("{name}-grey.png")), grey(&png)).unwrap();
    }
}

/// As a grey printer sees it.
fn grey(png: &[u8]) -> Vec<u8> {
    let mut picture = Pixmap::decode_png(png).unwrap();
    for pixel in picture.data_mut().chunks_exact_mut(4) {
        let sum = 299 * u32::from(pixel[0]) + 587 * u32::from(pixel[1]) + 114 * u32::from(pixel[2]);
        pixel[..3].fill(u8::try_from(sum / 1000).unwrap());
    }
    picture.encode_png().unwrap()
}
