//! Least squares by the method of Levenberg and Marquardt (Marquardt, SIAM J. Appl. Math. 11, 1963), with a wide normal prior around the first guess, and with
//! residuals far off counting by their size (Huber, Ann. Math. Stat. 35, 1964).

use super::cholesky::Cholesky;

/// The prior's standard deviation: the first guess is right within a factor of e^1.5 = 4.5, or nearly so.
pub(super) const PRIOR: f64 = 1.5;
/// How many standard deviations are far off.
const FAR: f64 = 3.0;
/// By how much a parameter is moved to see what changes.
const STRIDE: f64 = 0.04;
const MOST_ROUNDS: u32 = 14;
/// How often the descent begins again.
const MOST_DESCENTS: u32 = 4;
/// How far single parameters are moved where it ends, and what a move has to gain.
const POLLED: [f64; 4] = [1.0, 0.5, 0.2, 0.08];
const LEAST_POLL_GAIN: f64 = 5e-3;
/// A round that gains less is the last.
const LEAST_GAIN: f64 = 1e-3;

/// A problem: from where to begin, and the residuals, in standard deviations, at each of several points at once.
pub(super) struct LeastSquares<'a, F> {
    pub start: &'a [f64],
    pub residuals: &'a F,
}

/// Where the misfit is least.
pub(super) struct Minimum {
    pub at: Vec<f64>,
    /// Misfit and prior there.
    pub cost: f64,
    /// Of each residual its change by each parameter: a parameter a row.
    pub slope: Vec<Vec<f64>>,
}

/// A point that was tried.
struct TriedPoint {
    at: Vec<f64>,
    residuals: Vec<f64>,
    /// Misfit and prior together.
    cost: f64,
    damping: f64,
}

impl<F: Fn(&[Vec<f64>]) -> Vec<Vec<f64>>> LeastSquares<'_, F> {
    /// `progress` hears the round and its misfit. `None` where there is nothing to be solved.
    ///
    /// What is simulated does not change smoothly, so that a slope may lead nowhere: where it ends, each parameter is tried by itself, farther away, and a better
    /// place is a new beginning.
    pub fn minimum(&self, mut progress: impl FnMut(u32, f64)) -> Option<Minimum> {
        let mut here = self.tried(vec![(1e-2, self.start.to_vec())]).pop()?;
        let mut round = 0;
        for _ in 0..MOST_DESCENTS {
            here = self.descended(here, &mut round, &mut progress)?;
            let Some(better) = self.polled(&here) else { break };
            here = TriedPoint { damping: 1e-2, ..better };
        }
        let slope = self.slope(&here);
        Some(Minimum { at: here.at, cost: here.cost, slope })
    }

    /// Downhill until a round gains too little.
    fn descended(&self, from: TriedPoint, round: &mut u32, progress: &mut impl FnMut(u32, f64)) -> Option<TriedPoint> {
        let mut here = from;
        let mut slope = self.slope(&here);
        for _ in 0..MOST_ROUNDS {
            *round += 1;
            progress(*round, here.cost);
            let best = self.tried(self.steps(&here, &slope)).into_iter().min_by(|one, other| one.cost.total_cmp(&other.cost))?;
            let gain = here.cost - best.cost;
            if gain <= 0.0 {
                if here.damping > 1e4 {
                    break;
                }
                here.damping *= 100.0;
                continue;
            }
            let is_last = gain < LEAST_GAIN * here.cost;
            here = TriedPoint { damping: best.damping.max(1e-6), ..best };
            if is_last {
                break;
            }
            slope = self.slope(&here);
        }
        Some(here)
    }

    /// The best place that is reached by moving one parameter at a time, first far and then less; `None` where none is better by much.
    fn polled(&self, here: &TriedPoint) -> Option<TriedPoint> {
        let mut best: Option<TriedPoint> = None;
        for stride in POLLED {
            loop {
                let from = best.as_ref().unwrap_or(here);
                let moved = |place: usize, by: f64| {
                    let mut at = from.at.clone();
                    at[place] += by;
                    (from.damping, at)
                };
                let points = (0..from.at.len()).flat_map(|place| [moved(place, stride), moved(place, -stride)]).collect();
                let next = self.tried(points).into_iter().min_by(|one, other| one.cost.total_cmp(&other.cost))?;
                if next.cost >= from.cost * (1.0 - LEAST_POLL_GAIN) {
                    break;
                }
                best = Some(next);
            }
        }
        best
    }

    /// Points downhill, each with its damping.
    fn steps(&self, here: &TriedPoint, slope: &[Vec<f64>]) -> Vec<(f64, Vec<f64>)> {
        let curvature = curvature(slope, &here.residuals, 1.0);
        let downhill: Vec<f64> = slope
            .iter()
            .zip(here.at.iter().zip(self.start))
            .map(|(one, (at, start))| -weighted_product(one, &here.residuals, &here.residuals) - (at - start) * PRIOR.powi(-2))
            .collect();
        let damped_by = |damping: f64| {
            let mut damped = curvature.clone();
            for (place, row) in damped.iter_mut().enumerate() {
                row[place] *= 1.0 + damping;
            }
            let step = Cholesky::of(&damped)?.solve(&downhill);
            Some((damping, here.at.iter().zip(&step).map(|(at, step)| at + step.clamp(-2.0, 2.0)).collect()))
        };
        [0.1, 1.0, 10.0, 100.0].into_iter().filter_map(|factor| damped_by(here.damping * factor)).collect()
    }

    fn tried(&self, points: Vec<(f64, Vec<f64>)>) -> Vec<TriedPoint> {
        let (dampings, points): (Vec<f64>, Vec<Vec<f64>>) = points.into_iter().unzip();
        let prior = |at: &[f64]| at.iter().zip(self.start).map(|(at, start)| ((at - start) / PRIOR).powi(2)).sum::<f64>();
        let residuals = (self.residuals)(&points);
        let point = |((damping, at), residuals): ((f64, Vec<f64>), Vec<f64>)| TriedPoint {
            cost: misfit(&residuals) + prior(&at),
            at,
            residuals,
            damping,
        };
        dampings.into_iter().zip(points).zip(residuals).map(point).collect()
    }

    fn slope(&self, here: &TriedPoint) -> Vec<Vec<f64>> {
        let moved = |place: usize| here.at.iter().enumerate().map(|(other, at)| at + if other == place { STRIDE } else { 0.0 }).collect();
        let points: Vec<Vec<f64>> = (0..here.at.len()).map(moved).collect();
        let change = |there: Vec<f64>| there.iter().zip(&here.residuals).map(|(there, here)| (there - here) / STRIDE).collect::<Vec<f64>>();
        (self.residuals)(&points).into_iter().map(change).collect()
    }
}

/// What the residuals add up to.
pub(super) fn misfit(residuals: &[f64]) -> f64 {
    residuals.iter().map(|residual| loss(*residual)).sum()
}

/// The curvature of half the misfit, taken for `stretch` times as large as it should be, with its prior.
pub(super) fn curvature(slope: &[Vec<f64>], residuals: &[f64], stretch: f64) -> Vec<Vec<f64>> {
    let of_pair = |(row, one): (usize, &Vec<f64>)| {
        let with = |(column, other): (usize, &Vec<f64>)| {
            let own = if row == column { PRIOR.powi(-2) } else { 0.0 };
            weighted_product(one, other, residuals) / stretch + own
        };
        slope.iter().enumerate().map(with).collect()
    };
    slope.iter().enumerate().map(of_pair).collect()
}

fn weighted_product(one: &[f64], other: &[f64], residuals: &[f64]) -> f64 {
    one.iter().zip(other).zip(residuals).map(|((one, other), residual)| one * other * weight(*residual)).sum()
}

/// A residual's part of the misfit: squared near 0, and by its size far from it, so that one number that cannot be met does not rule the rest.
fn loss(residual: f64) -> f64 {
    if residual.abs() <= FAR { residual.powi(2) } else { 2.0 * FAR * residual.abs() - FAR.powi(2) }
}

/// What a residual counts for where the misfit is taken for a sum of squares: half the loss's slope over the residual.
fn weight(residual: f64) -> f64 {
    FAR / residual.abs().max(FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a line through points that have a standard deviation of 0.01.
    fn line(points: &[(f64, f64)]) -> impl Fn(&[Vec<f64>]) -> Vec<Vec<f64>> {
        let points = points.to_vec();
        move |lines| {
            let off = |line: &Vec<f64>| points.iter().map(|(x, y)| (line[0] + line[1] * x - y) / 0.01).collect();
            lines.iter().map(off).collect()
        }
    }

    #[test]
    fn a_line_is_found_and_one_point_far_off_moves_it_little() {
        let minimum = |points: &[(f64, f64)]| LeastSquares { start: &[0.0, 0.0], residuals: &line(points) }.minimum(|_, _| {}).unwrap().at;
        let points: Vec<(f64, f64)> = (0..20).map(f64::from).map(|x| (x / 10.0, 0.5 + 0.2 * x / 10.0)).collect();
        let found = minimum(&points);
        assert!((found[0] - 0.5).abs() < 1e-3 && (found[1] - 0.2).abs() < 1e-3, "{found:?}");
        let mut with_one_off = points;
        with_one_off[10].1 += 1.0;
        let found = minimum(&with_one_off);
        assert!((found[0] - 0.5).abs() < 4e-3 && (found[1] - 0.2).abs() < 4e-3, "{found:?}");
    }

    #[test]
    fn the_weight_is_half_the_slope_of_the_loss_over_the_residual() {
        for residual in [0.5, 2.9, 3.1, 12.0] {
            let slope = (loss(residual + 1e-6) - loss(residual - 1e-6)) / 2e-6;
            assert!((weight(residual) - slope / 2.0 / residual).abs() < 1e-6, "{residual}");
        }
    }

    #[test]
    fn without_data_the_curvature_is_the_priors() {
        assert_eq!(curvature(&[vec![0.0], vec![0.0]], &[1.0], 4.0), [[PRIOR.powi(-2), 0.0], [0.0, PRIOR.powi(-2)]]);
    }
}
