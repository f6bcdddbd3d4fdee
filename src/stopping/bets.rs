//! A test of a share that may be looked at after every row: two fortunes, one bet on "too many rows lie beyond the limit", one on "few enough
//! do". Where the bet is wrong, a fortune reaches 1 / risk at most with the chance `risk`, whenever and however often one looks.
//!
//! Sessions are what is bet on, in the order of their numbers, since rows of one session agree more than rows of different ones. With `a`
//! the allowed share, a session of `m` rows with `x` beyond the limit, and `M` the most rows of any, the fortunes are multiplied by
//! 1 ± b (x - a m) / M. Several constant bets `b` share the stake (the diversified Kelly bets of I. Waudby-Smith and A. Ramdas, "Estimating
//! means of bounded random variables by betting", JRSS B 86, 2024, appendix B); each is a nonnegative supermartingale where the claim
//! against it holds, so Ville's inequality bounds the largest they ever are. Rows of a session that have not come are taken as those that
//! speak against the bet: then a fortune is never larger than it will be, and a session counts before it is over.

use std::collections::BTreeMap;

/// Bets as shares of the largest that cannot lose everything, the largest stake first: it needs the fewest sessions where all agree.
const BETS: [(f64, f64); 8] =
    [(0.98, 0.5), (0.7, 0.15), (0.45, 0.1), (0.25, 0.08), (0.12, 0.06), (0.06, 0.05), (0.03, 0.03), (0.015, 0.03)];

/// One session's rows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Session {
    planned: f64,
    seen: f64,
    beyond: f64,
}

/// A fortune, bet by bet.
type Fortune = [f64; BETS.len()];

/// The test of one goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Bets {
    allowed: f64,
    /// What a fortune must reach.
    goal: f64,
    most_rows: f64,
    sessions: Vec<Session>,
    places: BTreeMap<(u32, u64), usize>,
    /// So many sessions from the first are whole, and in the fortunes.
    whole: usize,
    /// Sessions up to here have rows.
    touched: usize,
    too_many: Fortune,
    few_enough: Fortune,
    rows: u64,
    next_look: u64,
    said: Option<bool>,
}

impl Bets {
    /// On the share `allowed` (0 to 1) of rows beyond a limit, wrong at most at that risk; `sessions` with the rows that each will bring.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    pub fn new(allowed: f64, risk: f64, sessions: &BTreeMap<(u32, u64), u64>) -> Self {
        Self {
            allowed,
            goal: 1.0 / risk,
            most_rows: sessions.values().copied().max().unwrap_or(1).max(1) as f64,
            sessions: sessions.values().map(|rows| Session { planned: *rows as f64, seen: 0.0, beyond: 0.0 }).collect(),
            places: sessions.keys().copied().zip(0..).collect(),
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
        let session = &mut self.sessions[*place];
        session.seen += 1.0;
        session.beyond += f64::from(u8::from(is_beyond));
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
    pub fn said(&self) -> Option<bool> {
        self.said
    }

    /// Plays all sessions that have rows, and keeps the fortunes of those from the first on that are whole.
    fn look(&mut self) -> Option<bool> {
        let (mut too_many, mut few_enough, mut all_whole) = (self.too_many, self.few_enough, true);
        for place in self.whole..self.touched {
            let session = self.sessions[place];
            let missing = (session.planned - session.seen).max(0.0);
            let excess = |beyond: f64| (beyond - self.allowed * session.planned) / self.most_rows;
            let (least, most) = (excess(session.beyond), excess(session.beyond + missing));
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
    fn played(rng: &mut Pcg64, bets: &mut Bets, count: u64, rounds: u64, share: f64, alike: f64) -> Option<bool> {
        // Sessions that agree are beyond the limit entirely or not at all.
        let agreed: Vec<Option<bool>> = (0..count).map(|_| (rng.random::<f64>() < alike).then(|| rng.random::<f64>() < share)).collect();
        for _ in 0..rounds {
            for session in 0..count {
                let beyond = agreed[usize::try_from(session).unwrap()].unwrap_or_else(|| rng.random::<f64>() < share);
                bets.add((0, session), beyond);
                if let Some(said) = bets.said() {
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
                let mut bets = Bets::new(allowed, RISK, &sessions(60, rounds));
                match played(&mut rng, &mut bets, 60, rounds, allowed, alike) {
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
        let mut bets = Bets::new(0.05, RISK, &sessions(40, 3));
        assert_eq!(played(&mut rng, &mut bets, 40, 3, 1.0, 1.0), Some(false));
        assert!(bets.rows <= 10, "{}", bets.rows);
        let mut bets = Bets::new(0.05, RISK, &sessions(400, 1));
        assert_eq!(played(&mut rng, &mut bets, 400, 1, 0.0, 1.0), Some(true));
        assert!((59..100).contains(&bets.rows), "{}", bets.rows);
        let found = (0..200).filter(|_| played(&mut rng, &mut Bets::new(0.05, RISK, &sessions(200, 2)), 200, 2, 0.2, 0.3) == Some(false));
        assert!(found.count() >= 190);
    }

    #[test]
    fn rows_that_are_alike_in_sessions_count_as_one_session() {
        let many = |rows_each: u64| {
            let mut bets = Bets::new(0.05, RISK, &sessions(30, rows_each));
            (0..rows_each * 30).for_each(|row| bets.add((0, row / rows_each), false));
            bets.said()
        };
        // Thirty sessions without a row beyond prove no p95, however many rows each of them brings.
        assert_eq!((many(1), many(10)), (None, None));
    }

    #[test]
    fn a_row_of_a_session_that_was_not_planned_is_no_evidence() {
        let mut bets = Bets::new(0.05, RISK, &sessions(3, 1));
        (0..50).for_each(|_| bets.add((7, 7), true));
        assert_eq!(bets.said(), None);
    }
}
