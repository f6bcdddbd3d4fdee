//! Walks through tables whose answer is known: random ones that are monotone or not, noisy ones, and the published ones.
#![expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "whole numbers far below 2^53")]

use std::cell::Cell;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;

use super::super::lattice::{CellIndex, LatticeAxis};
use super::super::tested_cell::{GoalEvidence, TestedCell};
use super::*;

/// How the boundary of a random table runs.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A power of each load, as memory gives out.
    Power,
    /// The same, and a largest load along each axis, as a scheduler's limits give out.
    Capped,
    /// Any path from one corner to the other.
    Path,
}

const SHAPES: [Shape; 3] = [Shape::Power, Shape::Capped, Shape::Path];

/// Which cells pass.
struct Table {
    size: usize,
    passes: Vec<bool>,
}

impl Table {
    fn of(size: usize, passes: impl Fn(usize, usize) -> bool) -> Self {
        Self { size, passes: (0..size * size).map(|cell| passes(cell / size, cell % size)).collect() }
    }

    fn random(size: usize, shape: Shape, random: &mut Pcg64) -> Self {
        let span = (size as f64).ln();
        let power = random.random_range(0.6..1.4);
        let limit = random.random_range(-0.1..2.1) * span;
        let mut cap = || match shape {
            Shape::Capped => random.random_range(1.0..size as f64 * 1.3),
            Shape::Power | Shape::Path => f64::INFINITY,
        };
        let (first, second) = (cap(), cap());
        if let Shape::Path = shape {
            let mut heights: Vec<usize> = (0..size).map(|_| random.random_range(0..=size)).collect();
            heights.sort_unstable_by_key(|height| std::cmp::Reverse(*height));
            return Self::of(size, |one, other| other < heights[one]);
        }
        let load = |place: usize| place as f64 + 1.0;
        let within = |one: f64, other: f64| power * one.ln() + (2.0 - power) * other.ln() <= limit && one <= first && other <= second;
        Self::of(size, |one, other| within(load(one), load(other)))
    }

    fn passes(&self, place: CellIndex) -> bool {
        self.passes[place.0 * self.size + place.1]
    }

    fn flip(&mut self, place: CellIndex) {
        let cell = place.0 * self.size + place.1;
        self.passes[cell] = !self.passes[cell];
    }

    /// By looking at every cell.
    fn best(&self, lattice: &LoadLattice) -> SearchScores {
        let passing = lattice.places().filter(|place| self.passes(*place));
        passing.fold(SearchScores::default(), |best, place| best.or(SearchScores::of(lattice, place)))
    }
}

fn axis(size: usize) -> LatticeAxis {
    LatticeAxis::listed((1..=size).map(|value| value as f64).collect()).unwrap()
}

fn square(size: usize) -> LoadLattice {
    LoadLattice::new(vec![axis(size), axis(size)]).unwrap()
}

/// Walks to the end; the cells in the order of asking.
fn walked(walk: &mut FrontierSearch, mut oracle: impl FnMut(CellIndex) -> TestedCell) -> Vec<CellIndex> {
    let mut asked = Vec::new();
    while let SearchStep::Run { place, .. } = walk.next() {
        walk.saw(place, oracle(place));
        asked.push(place);
        assert!(asked.len() < 10_000, "it does not come to an end");
    }
    asked
}

fn found(walk: &FrontierSearch) -> SearchScores {
    let value =
        |bracket: &super::super::search_status::SearchBracket| bracket.passes.map_or(0.0, |place| walk.value(bracket.measure, place));
    let status = walk.status();
    SearchScores { product: value(&status.brackets[0]), harmonic_mean: value(&status.brackets[1]) }
}

#[test]
fn every_monotone_table_is_answered_as_the_grid_would_in_few_cells() {
    let mut random = Pcg64::seed_from_u64(7);
    for size in [1, 2, 3, 4, 6, 8, 12, 16] {
        for shape in SHAPES {
            for _ in 0..if size > 8 { 12 } else { 40 } {
                let table = Table::random(size, shape, &mut random);
                let lattice = square(size);
                let mut walk = FrontierSearch::new(lattice.clone(), SearchObjective::Capacity, SearchLimits::default());
                let asked = walked(&mut walk, |place| TestedCell::surely(table.passes(place)));
                assert_eq!(found(&walk), table.best(&lattice), "{size} {shape:?} {:?}", table.passes);
                assert!(asked.len() <= 2 * size + 8, "{} cells of {size} {shape:?}", asked.len());
                let status = walk.status();
                assert!(status.is_certain(&lattice) && status.violations.is_empty());
                assert_eq!(walk.next(), SearchStep::Done(SearchEndReason::Settled));
            }
        }
    }
}

/// Chances that come true, or never do.
fn expected(table: &Table, lattice: &LoadLattice, come_true: bool) -> ExpectedCells {
    ExpectedCells::new(lattice.places().map(|place| (place, if table.passes(place) == come_true { 0.95 } else { 0.05 })))
}

#[test]
fn what_is_expected_of_cells_saves_some_where_it_is_right_and_changes_no_answer_where_it_is_wrong() {
    let mut random = Pcg64::seed_from_u64(11);
    for size in [4, 8, 16] {
        let (mut without, mut with) = (0, 0);
        for number in 0..24 {
            let table = Table::random(size, SHAPES[number % 3], &mut random);
            let lattice = square(size);
            let asked_by = |expected: Option<ExpectedCells>| {
                let walk = FrontierSearch::new(lattice.clone(), SearchObjective::Capacity, SearchLimits::default());
                let mut walk = expected.into_iter().fold(walk, FrontierSearch::expecting);
                let asked = walked(&mut walk, |place| TestedCell::surely(table.passes(place)));
                assert_eq!(found(&walk), table.best(&lattice), "{size} {:?}", table.passes);
                assert!(walk.status().is_certain(&lattice));
                asked.len()
            };
            without += asked_by(None);
            with += asked_by(Some(expected(&table, &lattice, true)));
            assert!(asked_by(Some(expected(&table, &lattice, false))) <= 4 * size + 8, "a wrong expectation costs cells, and not many");
        }
        assert!(with <= without, "{with} cells instead of {without} of {size}");
    }
}

#[test]
fn all_of_a_boundary_is_found_in_no_more_than_twice_the_values_of_its_axes() {
    let mut random = Pcg64::seed_from_u64(8);
    for size in [1, 2, 4, 8, 16] {
        for shape in SHAPES {
            for _ in 0..12 {
                let table = Table::random(size, shape, &mut random);
                let lattice = square(size);
                let mut walk = FrontierSearch::new(lattice.clone(), SearchObjective::Boundary, SearchLimits::default());
                let asked = walked(&mut walk, |place| TestedCell::surely(table.passes(place)));
                let known = walk.status().known;
                let told = |place| matches!(known.state(place), SearchCellState::Passes | SearchCellState::ImpliedToPass);
                assert!(lattice.places().all(|place| told(place) == table.passes(place)), "{size} {shape:?} {:?}", table.passes);
                assert!(asked.len() <= 4 * size, "{} cells of {size} {shape:?}", asked.len());
                assert!(walk.status().is_certain(&lattice));
            }
        }
    }
}

/// Server time as an engine would need it: proportional to the sessions, three times as long where it fails, and a failing cell is ended
/// after 40 % of what a passing one of its size needs (or, ended late, 210 %).
#[test]
fn the_median_share_of_the_grids_server_time_is_small() {
    let mut random = Pcg64::seed_from_u64(9);
    for (ended, slowdown) in [(0.4, 1.0), (2.1, 3.0)] {
        for (size, tables, most) in [(4, 200, 35.0), (8, 80, 15.0), (16, 24, 6.0)] {
            let mut shares: Vec<f64> = Vec::new();
            for number in 0..tables {
                let table = Table::random(size, SHAPES[number % 3], &mut random);
                let lattice = square(size);
                let sessions = |place: CellIndex| SearchScores::of(&lattice, place).product;
                let whole: f64 = lattice.places().map(|place| sessions(place) * if table.passes(place) { 1.0 } else { slowdown }).sum();
                let mut walk = FrontierSearch::new(lattice.clone(), SearchObjective::Capacity, SearchLimits::default());
                let asked = walked(&mut walk, |place| TestedCell::surely(table.passes(place)));
                let spent: f64 = asked.iter().map(|place| sessions(*place) * if table.passes(*place) { 1.0 } else { ended }).sum();
                shares.push(100.0 * spent / whole);
            }
            shares.sort_by(f64::total_cmp);
            let (median, ninth) = (shares[tables / 2], shares[tables * 9 / 10]);
            println!("{size}×{size}, failing cells ended at {ended} of {slowdown}: median {median:.1} %, ninth decile {ninth:.1} %");
            assert!(median <= most, "{median} % of {size}×{size}");
        }
    }
}

#[test]
fn one_axis_is_bisected() {
    for limit in 0..=64 {
        let lattice = LoadLattice::new(vec![axis(64)]).unwrap();
        let mut walk = FrontierSearch::new(lattice.clone(), SearchObjective::Boundary, SearchLimits::default());
        let asked = walked(&mut walk, |place| TestedCell::surely(place.0 < limit));
        let bracket = walk.status().brackets[0];
        assert_eq!(bracket.passes.map_or(0, |place| place.0 + 1), limit);
        assert_eq!((bracket.met, bracket.not_excluded), (bracket.passes, bracket.passes));
        assert!(asked.len() <= 8, "{} cells for {limit}", asked.len());
    }
}

#[test]
fn an_axis_without_an_end_is_climbed_until_it_fails_and_then_refined() {
    let values: Vec<f64> = (1..=256).map(f64::from).collect();
    let rungs: Vec<usize> = (0..=8).map(|power| (1 << power) - 1).collect();
    for limit in [0, 1, 5, 37, 200, 255, 256] {
        let lattice = LoadLattice::new(vec![LatticeAxis::climbed(values.clone(), rungs.clone()).unwrap()]).unwrap();
        let mut walk = FrontierSearch::new(lattice, SearchObjective::Boundary, SearchLimits::default());
        let asked = walked(&mut walk, |place| TestedCell::surely(place.0 < limit));
        assert_eq!(walk.status().brackets[0].passes.map_or(0, |place| place.0 + 1), limit);
        let furthest = asked.iter().map(|place| place.0 + 1).max().unwrap();
        assert!(furthest <= (2 * limit.max(1)).min(256) + 2, "{furthest} was tried where {limit} is the end");
    }
}

#[test]
fn two_axes_without_an_end_are_climbed_no_further_than_needed() {
    let open = |size: usize| {
        let rungs: Vec<usize> = (0..12).map(|power| (1_usize << power) - 1).filter(|rung| *rung < size).collect();
        LatticeAxis::climbed((1..=size).map(|value| value as f64).collect(), rungs).unwrap()
    };
    let lattice = LoadLattice::new(vec![open(64), open(64)]).unwrap();
    for limit in [0.5, 1.0, 7.0, 30.0, 100.0] {
        let passes = |place: CellIndex| SearchScores::of(&lattice, place).product <= limit;
        let mut walk = FrontierSearch::new(lattice.clone(), SearchObjective::Capacity, SearchLimits::default());
        let asked = walked(&mut walk, |place| TestedCell::surely(passes(place)));
        let best = lattice
            .places()
            .filter(|place| passes(*place))
            .fold(SearchScores::default(), |best, place| best.or(SearchScores::of(&lattice, place)));
        assert_eq!(found(&walk), best, "limit {limit}");
        let most = asked.iter().map(|place| SearchScores::of(&lattice, *place).product).fold(0.0, f64::max);
        assert!(most <= 4.0 * limit.max(1.0), "{most} sessions were tried where {limit} is the end");
        assert!(asked.len() <= 60, "{} cells", asked.len());
    }
}

#[test]
fn contradictions_that_were_seen_are_reported_and_nothing_is_called_certain() {
    let mut random = Pcg64::seed_from_u64(10);
    let reported = Cell::new(0);
    for number in 0..300 {
        let size = [4, 8][number % 2];
        let mut table = Table::random(size, SHAPES[number % 3], &mut random);
        for _ in 0..size {
            table.flip(CellIndex(random.random_range(0..size), random.random_range(0..size)));
        }
        let lattice = square(size);
        let mut walk = FrontierSearch::new(lattice.clone(), SearchObjective::Capacity, SearchLimits::default());
        let asked = walked(&mut walk, |place| TestedCell::surely(table.passes(place)));
        let (passing, failing): (Vec<&CellIndex>, Vec<&CellIndex>) = asked.iter().partition(|place| table.passes(**place));
        let revealed = failing.iter().filter(|fails| passing.iter().any(|passes| fails.is_no_harder_than(**passes))).count();
        let status = walk.status();
        assert_eq!(status.violations.len(), revealed);
        assert_eq!(status.is_certain(&lattice), revealed == 0, "{:?}", table.passes);
        reported.set(reported.get() + usize::from(revealed > 0));
    }
    assert!(reported.get() >= 30, "only {} tables revealed anything", reported.get());
}

#[test]
fn a_contradiction_opens_what_rested_on_it() {
    // 3×1 fails by a mishap; 4×1 passes, and so does all but 4×4.
    let fails = |place: CellIndex| place == CellIndex(2, 0) || place == CellIndex(3, 3);
    let mut walk = FrontierSearch::new(square(4), SearchObjective::Capacity, SearchLimits::default());
    walk.saw(CellIndex(2, 0), TestedCell::surely(false));
    walk.saw(CellIndex(3, 0), TestedCell::surely(true));
    walked(&mut walk, |place| TestedCell::surely(!fails(place)));
    assert_eq!(found(&walk).product, 12.0);
    let fails: Vec<CellIndex> = walk.status().violations.iter().map(|violation| violation.fails).collect();
    assert_eq!(fails, [CellIndex(2, 0)]);
}

#[test]
fn repeats_go_to_undecided_cells_on_which_the_answer_hangs() {
    let lattice = square(4);
    let limits = SearchLimits { repeats: 3, ..SearchLimits::default() };
    let mut walk = FrontierSearch::new(lattice.clone(), SearchObjective::Capacity, limits);
    // One run is never enough, three always are.
    let passes = |place: CellIndex| SearchScores::of(&lattice, place).product <= 6.0;
    while let SearchStep::Run { place, reason } = walk.next() {
        let runs = walk.seen(place).map_or(0, |seen| seen.runs) + 1;
        assert_eq!(reason == SearchStepReason::Again, runs > 1);
        let sure = if passes(place) { GoalEvidence::Met } else { GoalEvidence::Missed };
        walk.saw(place, TestedCell { passes: Some(passes(place)), evidence: if runs == 3 { sure } else { GoalEvidence::Undecided }, runs });
    }
    let status = walk.status();
    assert_eq!(found(&walk), SearchScores { product: 6.0, harmonic_mean: 2.4 });
    assert!(status.is_certain(&lattice), "{:?}", status.brackets);
    let once = lattice.places().filter(|place| walk.seen(*place).is_some_and(|seen| seen.runs == 1)).count();
    assert!(once > 0, "a cell on which nothing hangs is run once");
}

#[test]
fn a_repeat_that_turns_a_cell_over_turns_the_search() {
    let mut walk = FrontierSearch::new(square(4), SearchObjective::Capacity, SearchLimits { repeats: 2, ..SearchLimits::default() });
    // The first run of each cell with 6 sessions passes by luck, the second shows that it does not.
    walked_with_luck(&mut walk);
    assert_eq!(found(&walk).product, 4.0);
}

fn walked_with_luck(walk: &mut FrontierSearch) {
    let lattice = square(4);
    while let SearchStep::Run { place, .. } = walk.next() {
        let product = SearchScores::of(&lattice, place).product;
        let runs = walk.seen(place).map_or(0, |seen| seen.runs) + 1;
        let lucky = product == 6.0 && runs == 1;
        walk.saw(place, if lucky { TestedCell::perhaps(true, 1) } else { TestedCell { runs, ..TestedCell::surely(product <= 4.0) } });
    }
}

#[test]
fn a_limit_of_cells_ends_it_with_what_is_known_by_then() {
    let lattice = square(8);
    let mut walk = FrontierSearch::new(lattice.clone(), SearchObjective::Capacity, SearchLimits { repeats: 1, max_cells: Some(3) });
    let asked = walked(&mut walk, |place| TestedCell::surely(SearchScores::of(&lattice, place).product <= 20.0));
    assert_eq!((asked.len(), walk.next()), (3, SearchStep::Done(SearchEndReason::MaxCells)));
    let status = walk.status();
    assert!(!status.is_certain(&lattice) && status.brackets[0].open.is_some());
    let bracket = status.brackets[0];
    let value = |place: Option<CellIndex>| place.map_or(0.0, |place| walk.value(bracket.measure, place));
    assert!(value(bracket.met) <= 20.0 && value(bracket.not_excluded) >= 20.0, "{bracket:?}");
}

#[test]
fn cells_that_were_sealed_before_count() {
    let lattice = square(8);
    let passes = |place: CellIndex| TestedCell::surely(SearchScores::of(&lattice, place).product <= 20.0);
    let mut walk = FrontierSearch::new(lattice.clone(), SearchObjective::Capacity, SearchLimits::default());
    let asked = walked(&mut walk, passes);
    for known in 0..asked.len() {
        let mut again = FrontierSearch::new(lattice.clone(), SearchObjective::Capacity, SearchLimits::default());
        asked[..known].iter().for_each(|place| again.saw(*place, passes(*place)));
        assert_eq!(walked(&mut again, passes), asked[known..], "it goes on where it was stopped");
    }
}

#[test]
fn cells_without_a_result_are_left_out_and_said_to_be_open() {
    let lattice = square(3);
    let mut walk = FrontierSearch::new(lattice.clone(), SearchObjective::Capacity, SearchLimits::default());
    let broken = CellIndex(2, 2);
    let asked = walked(&mut walk, |place| if place == broken { TestedCell::nothing(1) } else { TestedCell::surely(true) });
    assert_eq!(asked.iter().filter(|place| **place == broken).count(), 1);
    let status = walk.status();
    assert_eq!(status.brackets[0].open, Some(broken));
    assert!(!status.is_certain(&lattice));
}

/// A published table as an oracle: the p95 of a cell against 2 s.
fn published(text: &str) -> (f64, Vec<CellIndex>) {
    let cells: Vec<(CellIndex, f64)> = text
        .lines()
        .skip(1)
        .map(|line| {
            let numbers: Vec<f64> = line.split(',').map(|number| number.trim().parse().unwrap()).collect();
            let at = |value: f64| (1..=4).position(|place| f64::from(place) == value).unwrap();
            (CellIndex(at(numbers[0]), at(numbers[1])), numbers[2])
        })
        .collect();
    let mut walk = FrontierSearch::new(square(4), SearchObjective::Capacity, SearchLimits::default());
    let asked = walked(&mut walk, |place| TestedCell::surely(cells.iter().any(|(cell, p95)| *cell == place && *p95 <= 2.0)));
    (found(&walk).product, asked)
}

#[test]
fn the_published_tables_are_answered_in_a_few_of_their_cells() {
    let (vllm, asked) = published(include_str!("../../../../tests/fixtures/published/vllm.csv"));
    println!("vllm: {vllm} by {} of 16 cells: {asked:?}", asked.len());
    assert_eq!(vllm, 12.0);
    assert!(asked.len() <= 6);
    let (lmcache, asked) = published(include_str!("../../../../tests/fixtures/published/lmcache.csv"));
    println!("lmcache: {lmcache} by {} of 16 cells: {asked:?}", asked.len());
    assert_eq!(lmcache, 16.0);
    assert!(asked.len() <= 4);
}
