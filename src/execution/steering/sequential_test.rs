//! A test of a share that may be looked at after every row: two fortunes, one bet on "too many rows lie beyond the limit", one on "few enough
//! do". Where the bet is wrong, a fortune reaches 1 / risk at most with the chance `risk`, whenever and however often one looks.
//!
//! Sessions are what is bet on, in the order of their numbers, since rows of one session agree more than rows of different ones. With `a`
//! the allowed share, a session of `m` rows with `x` beyond the limit, and `M` the most rows of any, the fortunes are multiplied by
//! 1 ± b (x - a m) / M. Several constant bets `b` share the stake (the diversified Kelly bets of I. Waudby-Smith and A. Ramdas, "Estimating
//! means of bounded random variables by betting", JRSS B 86, 2024, appendix B); each is a nonnegative supermartingale where the claim
//! against it holds, so Ville's inequality bounds the largest they ever are. Rows of a session that have not come are taken as those that
//! speak against the bet: then a fortune is never larger than it will be, and a session counts before it is over.
//!
//! Where every session brings one row, as in an open loop, requests that queue behind one another are alike, and not sessions: then blocks of
//! time are bet on in their place, eight of each repeat. So few can prove a limit to be missed, and hardly ever that it is met.

use std::collections::BTreeMap;

/// Bets as shares of the largest that cannot lose everything, the largest stake first: it needs the fewest sessions where all agree.
const BETS: [(f64, f64); 8] =
    [(0.98, 0.5), (0.7, 0.15), (0.45, 0.1), (0.25, 0.08), (0.12, 0.06), (0.06, 0.05), (0.03, 0.03), (0.015, 0.03)];

/// Blocks of time of a repeat: as short as they may be for a queue close to what it carries, in a run of half a minute.
const BLOCKS_OF_A_REPEAT: usize = 8;

/// The rows of what is bet on: of one session, or of one block of time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct BettingUnit {
    planned: f64,
    seen: f64,
    beyond: f64,
}

/// A fortune, bet by bet.
type Fortune = [f64; BETS.len()];

/// The test of one goal.
#[derive(Debug, Clone, PartialEq)]
pub struct SequentialTest {
    allowed: f64,
    /// What a fortune must reach.
    goal: f64,
    most_rows: f64,
    units: Vec<BettingUnit>,
    /// The unit of each session.
    places: BTreeMap<(u32, u64), usize>,
    /// So many units from the first are whole, and in the fortunes.
    whole: usize,
    /// Units up to here have rows.
    touched: usize,
    too_many: Fortune,
    few_enough: Fortune,
    rows: u64,
    next_look: u64,
    said: Option<bool>,
}

impl SequentialTest {
    /// On the share `allowed` (0 to 1) of rows beyond a limit, wrong at most at that risk; `sessions` with the rows that each will bring.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    pub fn new(allowed: f64, risk: f64, sessions: &BTreeMap<(u32, u64), u64>) -> Self {
        let places = places(sessions);
        let mut units = vec![BettingUnit { planned: 0.0, seen: 0.0, beyond: 0.0 }; places.values().max().map_or(0, |last| last + 1)];
        for (session, rows) in sessions {
            units[places[session]].planned += *rows as f64;
        }
        Self {
            allowed,
            goal: 1.0 / risk,
            most_rows: units.iter().map(|unit| unit.planned).fold(1.0, f64::max),
            units,
            places,
            whole: 0,
            touched: 0,
            too_many: BETS.map(|(_, stake)| stake),
            few_enough: BETS.map(|(_, stake)| stake),
            rows: 0,
            next_look: 1,
            said: None,
        }
    }

    /// Takes a row in.
    pub fn add(&mut self, session: (u32, u64), is_beyond: bool) {
        let Some(place) = self.places.get(&session) else { return };
        let unit = &mut self.units[*place];
        unit.seen += 1.0;
        unit.beyond += f64::from(u8::from(is_beyond));
        self.touched = self.touched.max(place + 1);
        self.rows += 1;
        // Looked at often while few rows are there, and rarely afterwards.
        if self.said.is_none() && self.rows >= self.next_look {
            self.next_look = self.rows + 1 + self.rows / 16;
            self.said = self.look();
        }
    }

    /// Whether few enough rows lie beyond the limit, as soon as the test says so.
    #[must_use]
    pub fn decision(&self) -> Option<bool> {
        self.said
    }

    /// Plays all units that have rows, and keeps the fortunes of those from the first on that are whole.
    fn look(&mut self) -> Option<bool> {
        let (mut too_many, mut few_enough, mut all_whole) = (self.too_many, self.few_enough, true);
        for place in self.whole..self.touched {
            let unit = self.units[place];
            let missing = (unit.planned - unit.seen).max(0.0);
            let excess = |beyond: f64| (beyond - self.allowed * unit.planned) / self.most_rows;
            let (least, most) = (excess(unit.beyond), excess(unit.beyond + missing));
            for (at, (share, _)) in BETS.into_iter().enumerate() {
                too_many[at] *= 1.0 + share / self.allowed * least;
                few_enough[at] *= 1.0 - share / (1.0 - self.allowed) * most;
            }
            if too_many.iter().sum::<f64>() >= self.goal {
                return Some(false);
            }
            if few_enough.iter().sum::<f64>() >= self.goal {
                return Some(true);
            }
            all_whole &= missing <= 0.0;
            if all_whole {
                (self.whole, self.too_many, self.few_enough) = (place + 1, too_many, few_enough);
            }
        }
        None
    }
}

/// What is bet on of each session: itself, or where no session brings several rows, the block of time that it is in: sessions are numbered in
/// the order of their intended times.
fn places(sessions: &BTreeMap<(u32, u64), u64>) -> BTreeMap<(u32, u64), usize> {
    if sessions.values().any(|rows| *rows > 1) {
        return sessions.keys().copied().zip(0..).collect();
    }
    let keys: Vec<(u32, u64)> = sessions.keys().copied().collect();
    let (mut places, mut before) = (BTreeMap::new(), 0);
    for repeat in keys.chunk_by(|left, right| left.0 == right.0) {
        let blocks = BLOCKS_OF_A_REPEAT.min(repeat.len());
        places.extend(repeat.iter().zip(0..).map(|(key, row)| (*key, before + row * blocks / repeat.len())));
        before += blocks;
    }
    places
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;

    const RISK: f64 = 0.05;

    fn sessions(count: u64, rows: u64) -> BTreeMap<(u32, u64), u64> {
        (0..count).map(|session| ((0, session), rows)).collect()
    }

    /// Rows round by round, as closed groups send them, in sessions of which a part has a share of its own and the others row by row.
    fn played(rng: &mut Pcg64, test: &mut SequentialTest, count: u64, rounds: u64, share: f64, alike: f64) -> Option<bool> {
        // Sessions that agree are beyond the limit entirely or not at all.
        let agreed: Vec<Option<bool>> = (0..count).map(|_| (rng.random::<f64>() < alike).then(|| rng.random::<f64>() < share)).collect();
        for _ in 0..rounds {
            for session in 0..count {
                let beyond = agreed[usize::try_from(session).unwrap()].unwrap_or_else(|| rng.random::<f64>() < share);
                test.add((0, session), beyond);
                if let Some(said) = test.decision() {
                    return Some(said);
                }
            }
        }
        None
    }

    #[test]
    fn who_looks_after_every_row_is_misled_no_more_often_than_the_risk_says() {
        let mut rng = Pcg64::seed_from_u64(11);
        for (allowed, alike, rounds) in [(0.05, 0.0, 3), (0.05, 1.0, 3), (0.2, 0.5, 4), (0.5, 0.7, 2)] {
            // At the allowed share itself both answers are wrong ones to give with any confidence.
            let (mut met, mut missed) = (0_u32, 0_u32);
            for _ in 0..500 {
                let mut test = SequentialTest::new(allowed, RISK, &sessions(60, rounds));
                match played(&mut rng, &mut test, 60, rounds, allowed, alike) {
                    Some(true) => met += 1,
                    Some(false) => missed += 1,
                    None => {}
                }
            }
            println!("share {allowed}, alike {alike}: {met} met, {missed} missed of 500");
            // Three standard errors above 5 %.
            assert!(met <= 39 && missed <= 39, "share {allowed}, alike {alike}: {met} met, {missed} missed");
        }
    }

    #[test]
    fn what_is_far_from_the_limit_is_seen_early() {
        let mut rng = Pcg64::seed_from_u64(12);
        let mut test = SequentialTest::new(0.05, RISK, &sessions(40, 3));
        assert_eq!(played(&mut rng, &mut test, 40, 3, 1.0, 1.0), Some(false));
        assert!(test.rows <= 10, "{}", test.rows);
        let mut test = SequentialTest::new(0.05, RISK, &sessions(400, 2));
        assert_eq!(played(&mut rng, &mut test, 400, 2, 0.0, 1.0), Some(true));
        assert!(test.rows <= 480 + 30, "sessions are proven once they are whole: {}", test.rows);
        let found =
            (0..200).filter(|_| played(&mut rng, &mut SequentialTest::new(0.05, RISK, &sessions(200, 2)), 200, 2, 0.2, 0.3) == Some(false));
        assert!(found.count() >= 190);
    }

    #[test]
    fn rows_that_are_alike_in_sessions_count_as_one_session() {
        let many = |rows_each: u64| {
            let mut test = SequentialTest::new(0.05, RISK, &sessions(30, rows_each));
            (0..rows_each * 30).for_each(|row| test.add((0, row / rows_each), false));
            test.decision()
        };
        // Thirty sessions without a row beyond prove no p95, however many rows each of them brings.
        assert_eq!((many(1), many(10)), (None, None));
    }

    #[test]
    fn who_looks_at_a_queue_is_misled_no_more_often_than_the_risk_says() {
        // Times in the system of a queue with one server, from its empty beginning; in the long run 5 % are beyond the limit (the time is
        // exponential with the rate 1 - utilisation, its mean service being 1).
        let mut rng = Pcg64::seed_from_u64(13);
        for (utilisation, requests, repeats) in [(0.5, 800, 1), (0.8, 1200, 1), (0.9, 1500, 1), (0.9, 1000, 3), (0.95, 1500, 1)] {
            let limit = -0.05_f64.ln() / (1.0 - utilisation);
            let (mut met, mut missed) = (0_u32, 0_u32);
            for _ in 0..200 {
                let planned = (0..repeats).flat_map(|repeat| (0..requests).map(move |row| ((repeat, row), 1))).collect();
                let mut test = SequentialTest::new(0.05, RISK, &planned);
                'cell: for repeat in 0..repeats {
                    let mut waiting = 0.0_f64;
                    for row in 0..requests {
                        let mut exponential = |mean: f64| -mean * (1.0 - rng.random::<f64>()).ln();
                        let time = waiting + exponential(1.0);
                        waiting = (time - exponential(1.0 / utilisation)).max(0.0);
                        test.add((repeat, row), time > limit);
                        if test.decision().is_some() {
                            break 'cell;
                        }
                    }
                }
                met += u32::from(test.decision() == Some(true));
                missed += u32::from(test.decision() == Some(false));
            }
            // Three standard errors above 5 %.
            assert!(met <= 19 && missed <= 19, "{utilisation}, {requests} in {repeats}: {met} met, {missed} missed");
        }
    }

    #[test]
    fn an_open_loop_beyond_its_limit_is_seen_after_some_blocks_of_time() {
        let mut test = SequentialTest::new(0.05, RISK, &sessions(800, 1));
        let seen = (0..800).find(|row| {
            test.add((0, *row), *row > 50);
            test.decision() == Some(false)
        });
        assert!(seen.is_some_and(|row| row < 300), "{seen:?}");
    }

    #[test]
    fn a_row_of_a_session_that_was_not_planned_is_no_evidence() {
        let mut test = SequentialTest::new(0.05, RISK, &sessions(3, 1));
        (0..50).for_each(|_| test.add((7, 7), true));
        assert_eq!(test.decision(), None);
    }
}
