//! Draws a heatmap: the grid, its axes, the limit's step line, the colour bar and the legend.

use super::canvas::{self, Align, Canvas, Pen, Point, Rect, Type, Weight};
use super::cells::{self, Sizes};
use super::colour_bar::ColourBar;
use super::head::Head;
use super::legend::{Entry, Legend, Sign};
use super::{description, step_line, words};
use crate::plot::figure::{Caption, Cell, Heatmap, LabelAxis, Shown, Side, Verdict};
use crate::plot::theme::{self, AXIS_NAME_SIZE, LEAST_PAGE_WIDTH, MARGIN, TICK_SIZE};
use crate::plot::{PlotError, Svg, number};

/// Values on one axis; more make neither a picture nor a readable one.
const MOST_VALUES: usize = 256;
const NAME_LEADING: i32 = AXIS_NAME_SIZE + 5;
/// Between the plot and the colour bar.
const BAR_GAP: i32 = 28;

/// Where everything goes.
struct Layout {
    width: i32,
    height: i32,
    head: Head,
    grid: Rect,
    cell: (i32, i32),
    sizes: Sizes,
    y_name: Vec<String>,
    bar: ColourBar,
    edges: Vec<(Point, Point)>,
    legend: Legend,
    legend_top: i32,
}

pub fn draw(heatmap: &Heatmap) -> Result<Svg, PlotError> {
    check(heatmap)?;
    let layout = Layout::of(heatmap);
    let words = description::of_heatmap(heatmap);
    canvas::page(layout.width, layout.height, &heatmap.caption.title, &words, |canvas| {
        layout.head.draw(canvas);
        draw_cells(canvas, heatmap, &layout);
        draw_axes(canvas, heatmap, &layout);
        layout.bar.draw(canvas, layout.grid.right() + BAR_GAP, layout.grid.top);
        layout.legend.draw(canvas, layout.legend_top);
    })
}

fn check(heatmap: &Heatmap) -> Result<(), PlotError> {
    let title = || heatmap.caption.title.clone();
    let (columns, rows) = (heatmap.x.values.len(), heatmap.y.values.len());
    if columns == 0 || rows == 0 {
        return Err(PlotError::Empty { title: title() });
    }
    if let Some(found) = [columns, rows].into_iter().find(|count| *count > MOST_VALUES) {
        return Err(PlotError::TooMany { title: title(), what: "values on one axis", found, most: MOST_VALUES });
    }
    if heatmap.cells.len() != rows {
        return Err(PlotError::Ragged { title: title(), expected: rows, found: heatmap.cells.len() });
    }
    match heatmap.cells.iter().find(|row| row.len() != columns) {
        Some(row) => Err(PlotError::Ragged { title: title(), expected: columns, found: row.len() }),
        None => Ok(()),
    }
}

impl Layout {
    fn of(heatmap: &Heatmap) -> Self {
        let (columns, rows) = (count(heatmap.x.values.len()), count(heatmap.y.values.len()));
        let cell = (cell_width(columns), cell_height(rows));
        let sizes = Sizes::fitting(heatmap, cell.0, cell.1);
        let (grid_width, grid_height) = (columns * cell.0, rows * cell.1);

        let bar = ColourBar::new(heatmap.scale, &heatmap.quantity, heatmap.limit.as_ref(), grid_height);
        let y_name = words::wrap(&axis_name(&heatmap.y), AXIS_NAME_SIZE, Weight::Regular, grid_height + 8, 0, 4);
        let labels = heatmap.y.values.iter().map(|label| words::width(&tick_label(label), TICK_SIZE, Weight::Regular)).max().unwrap_or(0);
        let before = count(y_name.len()) * NAME_LEADING + labels + 12;
        let content = before + grid_width + BAR_GAP + bar.width();
        let width = (content + 2 * MARGIN).max(LEAST_PAGE_WIDTH);
        let left = (width - content) / 2 + before;

        let head = Head::new(&caption(heatmap, sizes), width);
        let grid = Rect { left, top: head.bottom(), width: grid_width, height: grid_height };
        let edges = step_line::edges(heatmap);
        let legend = Legend::new(entries(heatmap, cell, sizes, !edges.is_empty()), left, width);
        let legend_top = grid.bottom() + TICK_SIZE + 12 + NAME_LEADING + 12;
        let height = legend_top + legend.height() + MARGIN / 2;
        let edges = edges.into_iter().map(|(from, to)| (corner(grid, cell, from), corner(grid, cell, to))).collect();
        Self { width, height, head, grid, cell, sizes, y_name, bar, edges, legend, legend_top }
    }

    fn cell_at(&self, column: usize, row: usize) -> Rect {
        let (left, bottom) = corner(self.grid, self.cell, (count(column), count(row)));
        Rect { left, top: bottom - self.cell.1, width: self.cell.0, height: self.cell.1 }
    }
}

/// The pixel of a grid corner: columns count to the right, rows upward.
fn corner(grid: Rect, cell: (i32, i32), at: Point) -> Point {
    (grid.left + at.0 * cell.0, grid.bottom() - at.1 * cell.1)
}

fn cell_width(columns: i32) -> i32 {
    (768 / columns).clamp(8, if columns <= 2 { 180 } else { 132 })
}

fn cell_height(rows: i32) -> i32 {
    let most = match rows {
        1 => 130,
        2 => 100,
        _ => 84,
    };
    (576 / rows).clamp(8, most)
}

fn count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

fn axis_name(axis: &LabelAxis) -> String {
    if axis.unit.is_empty() { axis.name.clone() } else { format!("{} [{}]", axis.name, axis.unit) }
}

fn tick_label(label: &str) -> String {
    words::shorten(label, TICK_SIZE, Weight::Regular, 160)
}

/// The figure's caption, with n where the cells have no room for it.
fn caption(heatmap: &Heatmap, sizes: Sizes) -> Caption {
    let mut caption = heatmap.caption.clone();
    let samples = || heatmap.cells.iter().flatten().filter(|cell| matches!(cell.shown, Shown::Value(_))).map(|cell| cell.n);
    if let (None, Some(low), Some(high)) = (sizes.n, samples().min(), samples().max()) {
        let range = if low == high { format!("n {low}") } else { format!("n {low} to {high}") };
        let join = if caption.subtitle.is_empty() { "" } else { " · " };
        caption.subtitle = format!("{}{join}{range} per cell", caption.subtitle);
    }
    caption
}

fn entries(heatmap: &Heatmap, cell: (i32, i32), sizes: Sizes, line: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |sign, words: &str| entries.push(Entry { sign, words: words.to_owned() });
    let all = || heatmap.cells.iter().flatten();
    if let Some(limit) = &heatmap.limit {
        let goal = number::goal(limit, &heatmap.quantity);
        let holds = |side| all().any(|cell| heatmap.side(cell) == Some(side));
        match (line, holds(Side::Passing), holds(Side::Failing)) {
            (true, ..) => add(Sign::Limit, &format!("limit: {goal}")),
            (false, true, false) => add(Sign::None, &format!("limit: {goal}, kept by every value")),
            (false, false, true) => add(Sign::None, &format!("limit: {goal}, kept by no value")),
            _ => add(Sign::None, &format!("limit: {goal}")),
        }
    }
    if all().any(|cell| cell.verdict == Some(Verdict::Undecided)) {
        let sign = if sizes.value.is_some() { Sign::Undecided } else { Sign::Dot };
        add(sign, &format!("undecided at {}: too few samples", number::confidence(heatmap.confidence)));
    }
    for (n, mark) in heatmap.marks.iter().enumerate() {
        if heatmap.marks[..n].iter().all(|earlier| (earlier.shape, &earlier.label) != (mark.shape, &mark.label)) {
            add(Sign::Mark(mark.shape), &mark.label);
        }
    }
    if all().any(Cell::is_infinite) {
        add(Sign::None, "∞: too many requests failed");
    }
    if sizes.interval.is_some() && all().any(|cell| cell.low.or(cell.high).is_some()) {
        add(Sign::None, &format!("small: {} interval", number::confidence(heatmap.confidence)));
    }
    if !cells::has_room_for_words(cell.0, cell.1) {
        if all().any(|cell| matches!(cell.shown, Shown::Failed(_) | Shown::Missing | Shown::Nothing)) {
            add(Sign::Hatched, "no value");
        }
        if all().any(|cell| matches!(cell.shown, Shown::Invalid(_))) {
            add(Sign::Crossed, "invalid");
        }
    }
    entries
}

fn draw_cells(canvas: &mut Canvas<'_>, heatmap: &Heatmap, layout: &Layout) {
    for (row, cells) in heatmap.cells.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            cells::draw(canvas, heatmap, cell, layout.cell_at(column, row), layout.sizes);
        }
    }
    step_line::draw(canvas, &layout.edges, layout.grid);
    let mut done: Vec<(usize, usize)> = Vec::new();
    for mark in &heatmap.marks {
        let place = (mark.column, mark.row);
        if !done.contains(&place) {
            let shapes: Vec<_> = heatmap.marks.iter().filter(|other| (other.column, other.row) == place).map(|other| other.shape).collect();
            cells::draw_marks(canvas, layout.cell_at(mark.column, mark.row), &shapes);
            done.push(place);
        }
    }
}

fn draw_axes(canvas: &mut Canvas<'_>, heatmap: &Heatmap, layout: &Layout) {
    let (grid, cell) = (layout.grid, layout.cell);
    let tick = Type::new(TICK_SIZE, theme::INK);
    let pen = Pen::new(theme::SOFT_INK, 1);

    let stride = stride(&heatmap.x.values, cell.0);
    for (n, label) in heatmap.x.values.iter().enumerate().step_by(stride) {
        let x = layout.cell_at(n, 0).centre().0;
        canvas.line((x, grid.bottom()), (x, grid.bottom() + 4), pen);
        let most = (cell.0 * count(stride) - 4).max(24);
        let label = words::shorten(label, TICK_SIZE, Weight::Regular, most);
        canvas.text(&label, (x, grid.bottom() + 6 + TICK_SIZE), tick.align(Align::Middle));
    }
    let rows = usize::try_from((TICK_SIZE + 4) / cell.1 + 1).unwrap_or(1);
    for (n, label) in heatmap.y.values.iter().enumerate().step_by(rows) {
        let y = layout.cell_at(0, n).centre().1;
        canvas.line((grid.left - 4, y), (grid.left, y), pen);
        canvas.text(&tick_label(label), (grid.left - 8, y + 4), tick.align(Align::End));
    }

    let face = Type::new(AXIS_NAME_SIZE, theme::INK).align(Align::Middle);
    let (x, y) = grid.centre();
    let room = 2 * (x - MARGIN).min(layout.width - MARGIN - x);
    let name = words::shorten(&axis_name(&heatmap.x), AXIS_NAME_SIZE, Weight::Regular, room);
    canvas.text(&name, (x, grid.bottom() + TICK_SIZE + 12 + AXIS_NAME_SIZE), face);
    let labels = heatmap.y.values.iter().map(|label| words::width(&tick_label(label), TICK_SIZE, Weight::Regular)).max().unwrap_or(0);
    let mut baseline = grid.left - labels - 12 - (count(layout.y_name.len()) - 1) * NAME_LEADING - 4;
    for line in &layout.y_name {
        canvas.text_upward(line, (baseline, y), face);
        baseline += NAME_LEADING;
    }
}

/// Every how-manieth label has room beside the next.
fn stride(labels: &[String], cell_width: i32) -> usize {
    let widest = labels.iter().map(|label| words::width(label, TICK_SIZE, Weight::Regular)).max().unwrap_or(0);
    // Long words are rather shortened than left out where their cells are wide enough for a part of them.
    if cell_width >= 40 { 1 } else { usize::try_from((widest.min(120) + 8) / cell_width + 1).unwrap_or(1) }
}

#[cfg(test)]
mod tests {
    use resvg::usvg::roxmltree::{Document, Node};

    use super::*;
    use crate::plot::gallery::{self, LMCACHE, VLLM, published, texts, troubled};

    /// Lines in the limit's colour, as (x1, y1, x2, y2).
    fn limit_lines(svg: &Svg) -> Vec<[i32; 4]> {
        let document = Document::parse(&svg.text).unwrap();
        let number = |node: Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<i32>().unwrap();
        let lines = document.descendants().filter(|node| node.has_tag_name("line") && node.attribute("stroke") == Some("#D4003A"));
        lines.map(|node| ["x1", "y1", "x2", "y2"].map(|name| number(node, name))).collect()
    }

    fn place(svg: &Svg, text: &str) -> (i32, i32) {
        let (_, x, y) = texts(svg).into_iter().find(|(found, ..)| found == text).unwrap();
        (x, y)
    }

    #[test]
    fn every_cell_of_the_published_tables_shows_its_value_and_its_n() {
        for table in [&VLLM, &LMCACHE] {
            let svg = draw(&published("p95", table)).unwrap();
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
        let heatmap = published("vllm", &VLLM);
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
        let svg = draw(&published("lmcache", &LMCACHE)).unwrap();
        assert_eq!(limit_lines(&svg).len(), 1, "the colour bar's mark alone");
        assert!(texts(&svg).iter().any(|(text, ..)| text == "limit: ≤ 2 s, kept by every value"));
    }

    #[test]
    fn cells_without_a_value_have_a_word_and_no_colour_of_the_scale() {
        let figure = troubled();
        let svg = draw(&figure).unwrap();
        let layout = Layout::of(&figure);
        let document = Document::parse(&svg.text).unwrap();
        for (column, row, word) in [(2, 0, "failed"), (1, 1, "not run"), (0, 2, "invalid"), (3, 3, "∞")] {
            let cell = layout.cell_at(column, row);
            let (x, y) = place(&svg, word);
            assert!(cell.left < x && x < cell.right() && cell.top < y && y < cell.bottom());
            let ground = document
                .descendants()
                .find(|node| node.attribute("x") == Some(&cell.left.to_string()) && node.attribute("y") == Some(&cell.top.to_string()));
            assert_eq!(ground.and_then(|node| node.attribute("fill")), Some("#F2F2F2"), "{word}");
        }
        assert!(texts(&svg).iter().all(|(text, ..)| text != "0" && text != "n 0"));
    }

    #[test]
    fn more_of_an_axis_is_farther_up_and_farther_right() {
        let svg = draw(&published("vllm", &VLLM)).unwrap();
        assert!(place(&svg, "42.5").1 < place(&svg, "0.365").1);
        assert!(place(&svg, "33.6").0 > place(&svg, "42.5").0);
    }

    #[test]
    fn simulated_results_say_so_and_others_do_not() {
        let says = |figure: &Heatmap| texts(&draw(figure).unwrap()).iter().any(|(text, ..)| text == "SIMULATED");
        assert!(says(&troubled()));
        assert!(!says(&published("vllm", &VLLM)));
    }

    #[test]
    fn small_cells_drop_their_small_text_and_the_subtitle_says_n() {
        let all = |figure: &Heatmap| texts(&draw(figure).unwrap()).into_iter().map(|(text, ..)| text).collect::<Vec<_>>();
        let sixteen = all(&gallery::grid(16, 16));
        assert!(sixteen.iter().any(|text| text == "n 768") && sixteen.iter().any(|text| text == "32.0"));
        assert!(!sixteen.iter().any(|text| text.contains(" – ")));
        let many = all(&gallery::grid(64, 40));
        assert!(many.iter().any(|text| text.ends_with("n 3 to 7680 per cell")), "{:?}", &many[..4]);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut figure = published("vllm", &VLLM);
        figure.cells[1].pop();
        assert_eq!(draw(&figure), Err(PlotError::Ragged { title: "vllm".into(), expected: 4, found: 3 }));
        figure.x.values.clear();
        assert_eq!(draw(&figure), Err(PlotError::Empty { title: "vllm".into() }));
        assert!(matches!(draw(&gallery::grid(300, 1)), Err(PlotError::TooMany { found: 300, .. })));
    }
}
