//! The samples of one run as time series by metric name. Values that are no number (NaN, the infinities) are left out.

use std::collections::BTreeMap;

use crate::analysis::increase;
use crate::foundation::clock::Micros;
use crate::records::record::ServerSample;

/// Values by time.
type Points = Vec<(Micros, f64)>;

/// One run's samples.
pub struct RunMetricSeries<'a> {
    by_name: BTreeMap<&'a str, Vec<MetricSeries<'a>>>,
}

/// One metric with one set of labels from one source, in the order of time. The ranks of one engine are one series.
#[derive(Debug)]
pub struct MetricSeries<'a> {
    /// Those of the first rank.
    labels: &'a str,
    pub points: Points,
    /// Whether the first page of its source lacked it.
    late: bool,
}

/// Labels that tell ranks of one engine apart: tensor, pipeline and expert parallel ones work on the same requests, and each that reports
/// shows the queue and the cache of the whole. Ranks of `dp_rank` have requests of their own.
const RANKS_OF_ONE_ENGINE: [&str; 6] = ["tp_rank", "pp_rank", "ep_rank", "moe_ep_rank", "attn_tp_rank", "attn_cp_rank"];

/// A metric's name, its source and its labels.
type Key<'a> = (&'a str, &'a str, &'a str);

/// The labels of the first of its ranks, and the largest value of any by time.
type Engine<'a> = (&'a str, BTreeMap<Micros, f64>);

/// The ranks of one engine as one: at each time the largest that one of them shows.
fn by_engine<'a>(points: BTreeMap<Key<'a>, Points>) -> BTreeMap<Key<'a>, Points> {
    let mut engines: BTreeMap<(&str, &str, String), Engine<'a>> = BTreeMap::new();
    let mut single = BTreeMap::new();
    for ((name, source, labels), points) in points {
        let Some(engine) = without_ranks(labels) else {
            single.insert((name, source, labels), points);
            continue;
        };
        let (_, together) = engines.entry((name, source, engine)).or_insert_with(|| (labels, BTreeMap::new()));
        for (at, value) in points {
            together.entry(at).and_modify(|largest| *largest = value.max(*largest)).or_insert(value);
        }
    }
    let merged = engines.into_iter().map(|((name, source, _), (labels, points))| ((name, source, labels), points.into_iter().collect()));
    single.extend(merged);
    single
}

/// Labels without the ranks of one engine; `None` where there are none among them.
fn without_ranks(labels: &str) -> Option<String> {
    let ranks = RANKS_OF_ONE_ENGINE.iter().filter_map(|rank| {
        let start = labels.find(&format!("{rank}=\""))?;
        // Not the end of another label's name.
        let begins = labels[..start].ends_with(['{', ',']);
        let length = labels[start + rank.len() + 2..].find('"')? + rank.len() + 3;
        begins.then_some((start, length))
    });
    let mut cuts: Vec<(usize, usize)> = ranks.collect();
    cuts.sort_unstable();
    (!cuts.is_empty()).then(|| {
        let mut rest = labels.to_owned();
        for (start, length) in cuts.into_iter().rev() {
            rest.replace_range(start..start + length, "");
        }
        rest
    })
}

impl<'a> RunMetricSeries<'a> {
    pub fn of(samples: &'a [ServerSample]) -> Self {
        let mut began: BTreeMap<&str, Micros> = BTreeMap::new();
        let mut points: BTreeMap<(&str, &str, &str), Points> = BTreeMap::new();
        for sample in samples {
            let first = began.entry(&sample.source).or_insert(sample.at_us);
            *first = sample.at_us.min(*first);
            if sample.value.is_finite() {
                points.entry((&sample.name, &sample.source, &sample.labels)).or_default().push((sample.at_us, sample.value));
            }
        }
        let mut by_name: BTreeMap<&str, Vec<MetricSeries<'_>>> = BTreeMap::new();
        for ((name, source, labels), mut points) in by_engine(points) {
            points.sort_by_key(|(at, _)| *at);
            let late = points.first().map(|(at, _)| *at) > began.get(source).copied();
            by_name.entry(name).or_default().push(MetricSeries { labels, points, late });
        }
        Self { by_name }
    }

    /// All series of a metric.
    pub fn named(&self, name: &str) -> Option<&[MetricSeries<'a>]> {
        self.by_name.get(name).map(Vec::as_slice)
    }

    /// The first of several names that somebody told, with its series.
    pub fn first_of<'n>(&self, names: &[&'n str]) -> Option<(&'n str, &[MetricSeries<'a>])> {
        names.iter().find_map(|name| Some((*name, self.named(name)?)))
    }

    /// How much a counter grew in the run, all its series added up; `None` where nobody tells it.
    pub fn increase(&self, name: &str) -> Option<f64> {
        self.named(name).map(|series| series.iter().map(MetricSeries::increase).sum())
    }
}

impl MetricSeries<'_> {
    /// How much it grew. Where it falls its server has started again, and what it shows then has been counted since 0; so has what it
    /// shows at first where it was not on its source's first page (some servers show a counter once there is something to count).
    pub fn increase(&self) -> f64 {
        let before = self.late.then_some(0.0);
        increase(before.into_iter().chain(self.points.iter().map(|(_, value)| *value)))
    }

    /// The value of a label; labels are written as in Prometheus' text format.
    pub fn label(&self, wanted: &str) -> Option<String> {
        let mut rest = self.labels.strip_prefix('{')?;
        loop {
            let (name, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            if name == wanted {
                return Some(value);
            }
            rest = after.strip_prefix(',')?;
        }
    }
}

/// The text up to the closing quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::samples;
    use super::*;

    #[test]
    fn a_counter_that_starts_again_goes_on_being_counted() {
        let told = samples(&[(0, &[("x_total", "", 10.0)]), (1, &[("x_total", "", 14.0)]), (2, &[("x_total", "", 3.0)])]);
        assert_eq!(RunMetricSeries::of(&told).increase("x_total"), Some(7.0));
    }

    #[test]
    fn a_counter_that_comes_after_the_first_page_began_at_zero() {
        let told = samples(&[(0, &[("other", "", 1.0)]), (1, &[("x_total", "", 5.0)]), (2, &[("x_total", "", 6.0)])]);
        assert_eq!(RunMetricSeries::of(&told).increase("x_total"), Some(6.0));
        assert_eq!(RunMetricSeries::of(&told).increase("y_total"), None);
    }

    #[test]
    fn series_of_one_name_are_added_up_and_what_is_no_number_is_left_out() {
        let page = |a, b| [("x_total", "{engine=\"0\"}", a), ("x_total", "{engine=\"1\"}", b)];
        let told = samples(&[(0, &page(1.0, f64::NAN)), (1, &page(2.0, 10.0)), (2, &page(4.0, f64::INFINITY))]);
        // The second engine's first number comes late, but its page did not lack it: NaN is no number to count from.
        assert_eq!(RunMetricSeries::of(&told).increase("x_total"), Some(3.0 + 10.0));
    }

    #[test]
    fn ranks_of_one_engine_are_one_series_and_engines_are_several() {
        let name = "sglang:num_queue_reqs";
        let ranks = |value: f64| {
            [("0", "0"), ("1", "0"), ("2", "1"), ("3", "1")].map(|(tp, dp)| {
                let labels = format!("{{dp_rank=\"{dp}\",model_name=\"m\",tp_rank=\"{tp}\"}}");
                (labels, if dp == "0" { value } else { value + 1.0 })
            })
        };
        let (first, second) = (ranks(3.0), ranks(5.0));
        let page = |ranks: &'_ [(String, f64); 4]| ranks.clone().map(|(labels, value)| (name, &*labels.leak(), value));
        let told = samples(&[(0, &page(&first)), (1, &page(&second))]);
        let samples = RunMetricSeries::of(&told);
        let values: Vec<Vec<f64>> =
            samples.named(name).unwrap().iter().map(|series| series.points.iter().map(|(_, value)| *value).collect()).collect();
        assert_eq!(values, [[3.0, 5.0], [4.0, 6.0]], "one for each `dp_rank`");
        assert_eq!(samples.increase(name), Some(4.0));
        // A rank that lags behind, and a label that only ends like one.
        assert_eq!(without_ranks(r#"{a="x",tp_rank="1"}"#).as_deref(), Some(r#"{a="x",}"#));
        assert_eq!(without_ranks(r#"{my_tp_rank="1"}"#), None);
        assert_eq!(without_ranks(""), None);
    }

    #[test]
    fn labels_are_read_with_their_escapes() {
        let told = samples(&[(0, &[("x", r#"{a="1,2=\"3\"",b="\\ \n",c=""}"#, 0.0)])]);
        let samples = RunMetricSeries::of(&told);
        let series = &samples.named("x").unwrap()[0];
        assert_eq!(series.label("a").as_deref(), Some("1,2=\"3\""));
        assert_eq!(series.label("b").as_deref(), Some("\\ \n"));
        assert_eq!((series.label("c").as_deref(), series.label("d")), (Some(""), None));
    }
}
