//! Draws a heatmap: the grid, its axes, the lines between what keeps the limit and what does not, the colour bar and the legend.

use super::canvas::{Point, SvgCanvas};
use super::cells::{self, HeatmapTextSizes};
use super::colour_bar::ColourBar;
use super::grid::{self, MOST_VALUES, PlotGrid};
use super::legend::{LegendEntry, LegendSymbol};
use super::sheet::FigureSheet;
use super::step_line::{self, LimitContours};
use super::{colour, dense_cells, description, tips};
use crate::plot::figure::{FigureCaption, FigureCell, FigureCellContent, FigureVerdict, Heatmap, LimitSide};
use crate::plot::{PlotError, SvgDocument, number};

/// What the name of the horizontal axis may take beside the cells.
const BESIDE: i32 = 60;

pub fn draw(heatmap: &Heatmap) -> Result<SvgDocument, PlotError> {
    sheet(heatmap)?.draw()
}

/// The grid with its axes, and the colour bar beside it.
pub fn sheet(heatmap: &Heatmap) -> Result<FigureSheet<'_>, PlotError> {
    grid::check(&heatmap.caption.title, &heatmap.x, &heatmap.y, &heatmap.cells, MOST_VALUES)?;
    let grid = PlotGrid::new(&heatmap.x, &heatmap.y);
    let sizes = HeatmapTextSizes::fitting(heatmap, grid.cell.0, grid.cell.1);
    let frontiers = LimitContours::of(heatmap);
    let bar = ColourBar::new(heatmap.scale, &heatmap.quantity, heatmap.limit.as_ref(), grid.area.height);
    Ok(FigureSheet {
        caption: caption(heatmap, sizes),
        description: sentences(heatmap),
        size: (grid.before() + grid.area.width, grid.area.height + PlotGrid::below()),
        inset: grid.before(),
        entries: entries(heatmap, sizes, &frontiers),
        bar: Some((bar, colour::at)),
        paint: Box::new(move |canvas, (left, top)| {
            let grid = grid.clone().at(left + grid.before(), top);
            let is_dense = dense_cells::are_dense(&grid, sizes);
            if is_dense {
                dense_cells::draw(canvas, heatmap, &grid, &frontiers);
            } else {
                draw_cells(canvas, heatmap, &grid, sizes);
                draw_lines(canvas, &grid, &frontiers);
            }
            draw_marks(canvas, heatmap, &grid);
            grid.draw_axes(canvas, &heatmap.x, &heatmap.y, grid.area.right() + BESIDE);
            if is_dense {
                tips::lay_encoded(canvas, heatmap, grid.area);
            } else {
                tips::lay(canvas, heatmap, |column, row| grid.cell_at(column, row));
            }
        }),
    })
}

/// The figure's caption, with n where the cells have no room for it.
fn caption(heatmap: &Heatmap, sizes: HeatmapTextSizes) -> FigureCaption {
    let mut caption = heatmap.caption.clone();
    let samples = || heatmap.cells.iter().flatten().filter(|cell| matches!(cell.shown, FigureCellContent::Value(_))).map(|cell| cell.n);
    if let (None, Some(low), Some(high)) = (sizes.n, samples().min(), samples().max()) {
        let range = if low == high { format!("n {low}") } else { format!("n {low} to {high}") };
        let join = if caption.subtitle.is_empty() { "" } else { " · " };
        caption.subtitle = format!("{}{join}{range} per cell", caption.subtitle);
    }
    caption
}

fn entries(heatmap: &Heatmap, sizes: HeatmapTextSizes, frontiers: &LimitContours) -> Vec<LegendEntry> {
    let mut entries = Vec::new();
    let mut add = |sign, words: &str| entries.push(LegendEntry { sign, words: words.to_owned() });
    let all = || heatmap.cells.iter().flatten();
    let sure = number::confidence(heatmap.confidence);
    add_limit(heatmap, frontiers, &mut add);
    if !frontiers.met.is_empty() {
        add(LegendSymbol::Met, &format!("around what is met at {sure}"));
    }
    if !frontiers.not_excluded.is_empty() {
        add(LegendSymbol::NotExcluded, &format!("around what is missed at {sure}"));
    }
    if all().any(|cell| cell.verdict == Some(FigureVerdict::Undecided)) {
        let sign = if sizes.value.is_some() { LegendSymbol::Undecided } else { LegendSymbol::Dot };
        add(sign, &format!("undecided at {sure}: too few samples"));
    }
    for (n, mark) in heatmap.marks.iter().enumerate() {
        if heatmap.marks[..n].iter().all(|earlier| (earlier.shape, &earlier.label) != (mark.shape, &mark.label)) {
            add(LegendSymbol::Mark(mark.shape), &mark.label);
        }
    }
    if all().any(FigureCell::is_infinite) {
        add(LegendSymbol::None, "∞: too many requests failed");
    }
    if sizes.interval.is_some() && all().any(|cell| cell.low.or(cell.high).is_some() && !cell.is_predicted()) {
        let open = all().any(|cell| cell.low.is_some() && cell.high.is_none());
        let open = if open { ", ≥ where so few give no upper end" } else { "" };
        add(LegendSymbol::None, &format!("small: {sure} interval{open}"));
    }
    if all().any(FigureCell::is_predicted) {
        add(LegendSymbol::Predicted, "PREDICTED by a fitted engine, not measured; small: its interval");
    }
    if sizes.n.is_some() && all().any(FigureCell::is_beyond_the_fit) {
        add(LegendSymbol::None, "* beyond the cells that were fitted");
    }
    add_without_value(heatmap, &mut add);
    entries
}

/// What the limit is, and whether anything is on its other side.
fn add_limit(heatmap: &Heatmap, frontiers: &LimitContours, add: &mut impl FnMut(LegendSymbol, &str)) {
    let Some(limit) = &heatmap.limit else { return };
    let goal = number::goal(limit, &heatmap.quantity);
    let holds = |side| heatmap.cells.iter().flatten().any(|cell| heatmap.side(cell) == Some(side));
    match (!frontiers.limit.is_empty(), holds(LimitSide::Passing), holds(LimitSide::Failing)) {
        (true, ..) => add(LegendSymbol::Limit, &format!("limit: {goal}")),
        (false, true, false) => add(LegendSymbol::Remark, &format!("limit: {goal}, kept by every value")),
        (false, false, true) => add(LegendSymbol::Remark, &format!("limit: {goal}, kept by no value")),
        _ => add(LegendSymbol::None, &format!("limit: {goal}")),
    }
}

/// What kinds of cells have no value.
fn add_without_value(heatmap: &Heatmap, add: &mut impl FnMut(LegendSymbol, &str)) {
    let any = |kind: &dyn Fn(&FigureCellContent) -> bool| heatmap.cells.iter().flatten().any(|cell| kind(&cell.shown));
    let kinds = [
        (any(&|shown| matches!(shown, FigureCellContent::Failed(_))), "failed"),
        (any(&|shown| matches!(shown, FigureCellContent::Missing)), "not run"),
        (any(&|shown| matches!(shown, FigureCellContent::Nothing)), "no such requests"),
    ];
    let found: Vec<&str> = kinds.into_iter().filter_map(|(found, word)| found.then_some(word)).collect();
    if !found.is_empty() {
        add(LegendSymbol::Hatched, &format!("no value: {}", found.join(" or ")));
    }
    let untested = [
        (Some(LimitSide::Passing), "implied to pass, not run"),
        (Some(LimitSide::Failing), "implied to fail, not run"),
        (None, "untested"),
    ];
    for (side, words) in untested {
        if any(&|shown| *shown == FigureCellContent::Untested(side)) {
            add(LegendSymbol::Untested(side), words);
        }
    }
    if any(&|shown| matches!(shown, FigureCellContent::Invalid(_))) {
        add(LegendSymbol::Crossed, "invalid: not counted");
    }
}

fn draw_cells(canvas: &mut SvgCanvas<'_>, heatmap: &Heatmap, grid: &PlotGrid, sizes: HeatmapTextSizes) {
    for (row, cells) in heatmap.cells.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            cells::draw(canvas, heatmap, cell, grid.cell_at(column, row), sizes);
        }
    }
}

fn draw_lines(canvas: &mut SvgCanvas<'_>, grid: &PlotGrid, frontiers: &LimitContours) {
    let placed =
        |edges: &[(Point, Point)]| edges.iter().map(|(from, to)| (grid.corner(*from), grid.corner(*to))).collect::<Vec<(Point, Point)>>();
    step_line::draw_thin(canvas, &placed(&frontiers.met), "");
    step_line::draw_thin(canvas, &placed(&frontiers.not_excluded), step_line::DASH);
    step_line::draw(canvas, &placed(&frontiers.limit), grid.area);
}

fn draw_marks(canvas: &mut SvgCanvas<'_>, heatmap: &Heatmap, grid: &PlotGrid) {
    let mut done: Vec<(usize, usize)> = Vec::new();
    for mark in &heatmap.marks {
        let place = (mark.column, mark.row);
        if !done.contains(&place) {
            let shapes: Vec<_> = heatmap.marks.iter().filter(|other| (other.column, other.row) == place).map(|other| other.shape).collect();
            let cell = heatmap.cells.get(mark.row).and_then(|row| row.get(mark.column));
            cells::draw_marks(canvas, grid.cell_at(mark.column, mark.row), &shapes, cell.map_or(0, |cell| cell.n));
            done.push(place);
        }
    }
}

/// The picture in words, for those who do not see it.
pub fn sentences(heatmap: &Heatmap) -> String {
    let Heatmap { x, y, quantity, .. } = heatmap;
    let mut sentences = vec![format!("Heatmap of {} over {} and {}.", quantity.name, x.name, y.name)];
    sentences.extend(description::goal(heatmap.limit.as_ref(), quantity));
    let count = heatmap.cells.iter().map(Vec::len).sum::<usize>();
    if count > description::MOST_LISTED {
        sentences.push(format!("{count} cells, {}.", description::range(heatmap.cells.iter().flatten(), quantity)));
        return sentences.join(" ");
    }
    for (row, y_value) in heatmap.cells.iter().zip(&y.values) {
        for (cell, x_value) in row.iter().zip(&x.values) {
            let words = description::in_words(cell, quantity, heatmap.limit.as_ref());
            sentences.push(format!("{} {x_value}, {} {y_value}: {words}.", x.name, y.name));
        }
    }
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use resvg::usvg::roxmltree::{self, Document, Node};

    use super::*;
    use crate::plot::gallery::{LMCACHE, VLLM, texts};

    /// Lines in the limit's colour, as (x1, y1, x2, y2).
    fn limit_lines(svg: &SvgDocument) -> Vec<[i32; 4]> {
        let document = Document::parse(&svg.text).unwrap();
        let number = |node: Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<i32>().unwrap();
        let lines = document.descendants().filter(|node| node.has_tag_name("line") && node.attribute("stroke") == Some("#D4003A"));
        lines.map(|node| ["x1", "y1", "x2", "y2"].map(|name| number(node, name))).collect()
    }

    fn place(svg: &SvgDocument, text: &str) -> (i32, i32) {
        let (_, x, y) = texts(svg).into_iter().find(|(found, ..)| found == text).unwrap();
        (x, y)
    }

    #[test]
    fn every_cell_of_the_published_tables_shows_its_value_and_its_n() {
        for table in [&VLLM, &LMCACHE] {
            let svg = draw(&Heatmap::published("p95", table)).unwrap();
            let texts = texts(&svg);
            for (row, s) in table.iter().zip(1..) {
                for (value, c) in row.iter().zip(1..) {
                    let (shown, n) = (number::three_digits(*value), format!("n {}", 3 * c * s));
                    let with_n =
                        |x: i32, y: i32| texts.iter().any(|(text, at, below)| *text == n && *at == x && (8..24).contains(&(below - y)));
                    assert!(texts.iter().any(|(text, x, y)| *text == shown && with_n(*x, *y)), "{value}");
                }
            }
        }
    }

    #[test]
    fn the_limit_runs_around_the_two_cells_that_fail_in_the_published_table() {
        let heatmap = Heatmap::published("vllm", &VLLM);
        // C = 3, S = 4 and C = 4, S = 4: their lower edges and the left one of the first.
        assert_eq!(step_line::edges(&heatmap), [((2, 3), (3, 3)), ((3, 3), (4, 3)), ((2, 3), (2, 4))]);
        let svg = draw(&heatmap).unwrap();
        let (above, below, beside) = (place(&svg, "33.6"), place(&svg, "0.794"), place(&svg, "0.460"));
        let crosses = |a: (i32, i32), b: (i32, i32)| {
            limit_lines(&svg).into_iter().any(|[x1, y1, x2, y2]| {
                let between = |low: i32, value: i32, high: i32| low.min(high) <= value && value <= low.max(high);
                if y1 == y2 { between(a.1, y1, b.1) && between(x1, a.0, x2) } else { between(a.0, x1, b.0) && between(y1, a.1, y2) }
            })
        };
        assert!(crosses(above, below));
        assert!(crosses(beside, place(&svg, "42.5")));
        assert!(!crosses(place(&svg, "42.5"), above));
        assert!(!crosses(below, place(&svg, "0.498")));
    }

    #[test]
    fn where_every_value_keeps_the_limit_no_line_is_drawn_and_words_say_so() {
        let svg = draw(&Heatmap::published("lmcache", &LMCACHE)).unwrap();
        assert_eq!(limit_lines(&svg).len(), 1, "the colour bar's mark alone");
        assert!(texts(&svg).iter().any(|(text, ..)| text == "limit: ≤ 2 s, kept by every value"));
    }

    #[test]
    fn cells_without_a_value_have_a_word_and_no_colour_of_the_scale() {
        let figure = Heatmap::troubled();
        let svg = draw(&figure).unwrap();
        let document = Document::parse(&svg.text).unwrap();
        let cells = document.descendants().find(|node| node.attribute("class") == Some("cells")).unwrap();
        let cells: Vec<_> = cells.children().filter(roxmltree::Node::is_element).collect();
        for (column, row, word) in [(2, 0, "failed"), (1, 1, "not run"), (0, 2, "invalid"), (3, 3, "∞")] {
            let cell = cells[row * 4 + column];
            let [left, top, width, height] =
                ["x", "y", "width", "height"].map(|name| cell.attribute(name).unwrap().parse::<i32>().unwrap());
            let (x, y) = place(&svg, word);
            assert!(left < x && x < left + width && top < y && y < top + height);
            let corner = |name: &str| cell.attribute(name);
            let ground = document.descendants().find(|node| node.attribute("x") == corner("x") && node.attribute("y") == corner("y"));
            assert_eq!(ground.and_then(|node| node.attribute("fill")), Some("#F2F2F2"), "{word}");
        }
        assert!(texts(&svg).iter().all(|(text, ..)| text != "0" && text != "n 0"));
    }

    #[test]
    fn more_of_an_axis_is_farther_up_and_farther_right() {
        let svg = draw(&Heatmap::published("vllm", &VLLM)).unwrap();
        assert!(place(&svg, "42.5").1 < place(&svg, "0.365").1);
        assert!(place(&svg, "33.6").0 > place(&svg, "42.5").0);
    }

    #[test]
    fn simulated_results_say_so_and_others_do_not() {
        let says = |figure: &Heatmap| texts(&draw(figure).unwrap()).iter().any(|(text, ..)| text == "SIMULATED");
        assert!(says(&Heatmap::troubled()));
        assert!(!says(&Heatmap::published("vllm", &VLLM)));
    }

    #[test]
    fn small_cells_drop_their_small_text_and_the_subtitle_says_n() {
        let all = |figure: &Heatmap| texts(&draw(figure).unwrap()).into_iter().map(|(text, ..)| text).collect::<Vec<_>>();
        let sixteen = all(&Heatmap::sample(16, 16));
        assert!(sixteen.iter().any(|text| text == "n 768") && sixteen.iter().any(|text| text == "32.0"));
        assert!(!sixteen.iter().any(|text| text.contains('–')));
        let ten = all(&Heatmap::sample(10, 10));
        assert!(ten.iter().any(|text| text == "0.360 – 0.440") && ten.iter().any(|text| text == "n 300"), "{ten:?}");
        let many = all(&Heatmap::sample(64, 40));
        assert!(many.iter().any(|text| text.ends_with("n 3 to 7680 per cell")), "{:?}", &many[..4]);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut figure = Heatmap::published("vllm", &VLLM);
        figure.cells[1].pop();
        assert_eq!(draw(&figure), Err(PlotError::Ragged { title: "vllm".into(), expected: 4, found: 3 }));
        figure.x.values.clear();
        assert_eq!(draw(&figure), Err(PlotError::Empty { title: "vllm".into() }));
        assert!(matches!(draw(&Heatmap::sample(300, 1)), Err(PlotError::TooMany { found: 300, .. })));
    }

    #[test]
    fn undecided_cells_are_hatched_in_their_own_colour_and_their_text_stays_on_plain_ground() {
        let figure = Heatmap::troubled();
        let svg = draw(&figure).unwrap();
        let ground = colour::at(figure.scale.position(VLLM[0][0]));
        let pen = ground.toward(ground.ink(), cells::UNDECIDED_INK);
        let stroke = format!("stroke=\"#{:02X}{:02X}{:02X}\"", pen.0, pen.1, pen.2);
        assert!(svg.text.matches(&stroke).count() > 10, "{stroke}");
        assert!(ground.contrast(pen) < ground.contrast(ground.ink()) / 3.0, "the hatching is quieter than the text");
        let sure = draw(&Heatmap::published("vllm", &VLLM)).unwrap();
        assert_eq!(sure.text.matches(&stroke).count(), 0);
        assert!(texts(&svg).iter().any(|(text, ..)| text == "undecided at 95 %: too few samples"));
    }

    #[test]
    fn what_is_met_is_lined_out_where_the_plain_line_does_not_run() {
        let mut figure = Heatmap::published("vllm", &VLLM);
        for (row, cells) in figure.cells.iter_mut().enumerate() {
            for (column, cell) in cells.iter_mut().enumerate() {
                let missed = (row, column) == (3, 3);
                cell.verdict = Some(if missed { FigureVerdict::Missed } else { FigureVerdict::Undecided });
            }
        }
        figure.cells[0][0].verdict = Some(FigureVerdict::Met);
        let frontiers = LimitContours::of(&figure);
        assert_eq!(frontiers.met, [((1, 0), (1, 1)), ((0, 1), (1, 1))], "right of and above the one cell that is met");
        // C = 4, S = 4 is missed: its lower edge is part of the plain line, its left one is not.
        assert_eq!(frontiers.not_excluded, [((3, 3), (3, 4))]);
        let words: Vec<String> = texts(&draw(&figure).unwrap()).into_iter().map(|(text, ..)| text).collect();
        assert!(
            words.iter().any(|text| text == "around what is met at 95 %")
                && words.iter().any(|text| text == "around what is missed at 95 %")
        );
    }

    #[test]
    fn the_legend_names_every_kind_of_cell_without_a_value() {
        let words: Vec<String> = texts(&draw(&Heatmap::troubled()).unwrap()).into_iter().map(|(text, ..)| text).collect();
        assert!(words.iter().any(|text| text == "no value: failed or not run"), "{words:?}");
        assert!(words.iter().any(|text| text == "invalid: not counted"));
    }
}
