//! The Prometheus text format, read in full: the bytes of a page in, its samples out. What `OpenMetrics` adds (`# EOF`, exemplars, units,
//! `_created`) is understood or passed over, quoted names of UTF-8 too.
//!
//! A page is foreign text: a line that cannot be read is counted and skipped, and there is no panic and no bound that it could break.

mod labels;

use std::collections::HashMap;

use labels::{PrometheusLabels, blank};

use crate::records::record::{SampleKind, label};

/// The most samples that are taken of one page; what is more is counted as lines that were not read.
const LIMIT: usize = 100_000;

/// One value of one time series.
#[derive(Debug, Clone, PartialEq)]
pub struct PrometheusSample {
    pub name: String,
    /// `{a="1",b="2"}` with the names sorted; empty without any.
    pub labels: String,
    pub kind: SampleKind,
    pub value: f64,
}

impl PrometheusSample {
    /// The value of one label.
    pub fn label(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        label(&self.labels, name)
    }
}

/// A page as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PrometheusPage {
    /// In the page's order.
    pub samples: Vec<PrometheusSample>,
    /// Lines that are no samples, and those beyond what is taken of a page.
    pub bad_lines: usize,
}

impl PrometheusPage {
    /// Reads a page, of which only the metrics with these names are wanted.
    pub fn read(page: &[u8], wanted: impl Fn(&str) -> bool) -> Self {
        let mut found = Self::default();
        let mut families = MetricFamilies::default();
        for line in page.split(|byte| *byte == b'\n') {
            let Ok(line) = str::from_utf8(line) else {
                found.bad_lines += 1;
                continue;
            };
            let line = line.trim_matches([' ', '\t', '\r']);
            if let Some(comment) = line.strip_prefix('#') {
                families.note(comment);
            } else if !line.is_empty() {
                found.take(line, &families, &wanted);
            }
        }
        found
    }

    fn take(&mut self, line: &str, families: &MetricFamilies<'_>, wanted: &impl Fn(&str) -> bool) {
        let Some((name, labels, value)) = sample(line) else {
            self.bad_lines += 1;
            return;
        };
        if !wanted(&name) {
            return;
        }
        if self.samples.len() == LIMIT {
            self.bad_lines += 1;
            return;
        }
        self.samples.push(PrometheusSample { kind: families.kind_of(&name), name, labels: labels.canonical(), value });
    }
}

/// One line: name, labels, value; a timestamp and an exemplar are checked for their form and left out.
fn sample(line: &str) -> Option<(String, PrometheusLabels<'_>, f64)> {
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | ':')).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let rest = blank(rest);
    let (mut labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => PrometheusLabels::read(inside)?,
        None => (PrometheusLabels::default(), rest),
    };
    let name = match (name, labels.name.take()) {
        ("", quoted) => quoted?.into_owned(),
        (bare, None) if !bare.starts_with(|c: char| c.is_ascii_digit()) => bare.to_owned(),
        _ => return None,
    };
    // An exemplar begins with a `#`, which stands in no number.
    let mut numbers = rest.split('#').next()?.split([' ', '\t']).filter(|word| !word.is_empty());
    let value = numbers.next()?.parse().ok()?;
    if numbers.next().is_some_and(|timestamp| timestamp.parse::<f64>().is_err()) || numbers.next().is_some() {
        return None;
    }
    Some((name, labels, value))
}

/// What a page says of its metrics before it tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MetricFamilyKind {
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Untyped,
}

#[derive(Debug, Default)]
struct MetricFamilies<'a>(HashMap<&'a str, MetricFamilyKind>);

impl<'a> MetricFamilies<'a> {
    /// Takes `TYPE name kind`; whatever else stands behind a `#` is for people.
    fn note(&mut self, comment: &'a str) {
        let mut words = comment.split([' ', '\t']).filter(|word| !word.is_empty());
        let (Some("TYPE"), Some(name), Some(kind)) = (words.next(), words.next(), words.next()) else { return };
        let family = match kind {
            "counter" => MetricFamilyKind::Counter,
            "gauge" | "info" | "stateset" => MetricFamilyKind::Gauge,
            "histogram" => MetricFamilyKind::Histogram,
            "gaugehistogram" => MetricFamilyKind::GaugeHistogram,
            "summary" => MetricFamilyKind::Summary,
            _ => MetricFamilyKind::Untyped,
        };
        let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
        self.0.insert(name, family);
    }

    /// By the metric's own name, else as a part of a family: `x_bucket` of the histogram `x`.
    fn kind_of(&self, name: &str) -> SampleKind {
        match self.0.get(name) {
            Some(MetricFamilyKind::Counter) => return SampleKind::Counter,
            // A summary's quantiles stand under its own name.
            Some(MetricFamilyKind::Gauge | MetricFamilyKind::Summary) => return SampleKind::Gauge,
            Some(MetricFamilyKind::Histogram | MetricFamilyKind::GaugeHistogram | MetricFamilyKind::Untyped) => return SampleKind::Untyped,
            None => {}
        }
        let Some((family, part)) = name.rsplit_once('_') else { return SampleKind::Untyped };
        match (self.0.get(family), part) {
            (Some(MetricFamilyKind::Counter), "total")
            | (Some(MetricFamilyKind::Histogram), "bucket" | "sum" | "count")
            | (Some(MetricFamilyKind::Summary), "sum" | "count") => SampleKind::Counter,
            (Some(MetricFamilyKind::Counter | MetricFamilyKind::Histogram | MetricFamilyKind::Summary), "created")
            | (Some(MetricFamilyKind::GaugeHistogram), "bucket" | "gsum" | "gcount")
            | (Some(MetricFamilyKind::Gauge), "info") => SampleKind::Gauge,
            _ => SampleKind::Untyped,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VLLM: &[u8] = include_bytes!("../../../tests/fixtures/engine/vllm_metrics.txt");
    const VLLM_LMCACHE: &[u8] = include_bytes!("../../../tests/fixtures/engine/vllm_lmcache_metrics.txt");

    fn read(page: &str) -> PrometheusPage {
        PrometheusPage::read(page.as_bytes(), |_| true)
    }

    fn told(page: &str) -> Vec<(String, SampleKind, f64)> {
        read(page).samples.into_iter().map(|sample| (format!("{}{}", sample.name, sample.labels), sample.kind, sample.value)).collect()
    }

    #[test]
    fn a_recorded_page_of_vllm_is_read_to_its_last_line() {
        for page in [VLLM, VLLM_LMCACHE] {
            let lines = page.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#")).count();
            let page = PrometheusPage::read(page, |_| true);
            assert_eq!((page.samples.len(), page.bad_lines), (lines, 0));
            assert!(page.samples.iter().all(|sample| sample.kind != SampleKind::Untyped));
        }
        let page = PrometheusPage::read(VLLM, |name| name.starts_with("vllm:"));
        let one = |name: &str, labels: &str| {
            let found: Vec<_> = page.samples.iter().filter(|sample| sample.name == name && sample.labels == labels).collect();
            assert_eq!(found.len(), 1, "{name}{labels}");
            (found[0].kind, found[0].value)
        };
        let engine = r#"{engine="0",model_name="tiny"}"#;
        assert_eq!(one("vllm:prefix_cache_queries_total", engine), (SampleKind::Counter, 163_363.0));
        assert_eq!(one("vllm:prefix_cache_hits_total", engine), (SampleKind::Counter, 107_520.0));
        let computed = r#"{engine="0",model_name="tiny",source="local_compute"}"#;
        assert_eq!(one("vllm:prompt_tokens_by_source_total", computed), (SampleKind::Counter, 55_843.0));
        assert_eq!(one("vllm:kv_cache_usage_perc", engine), (SampleKind::Gauge, 0.0));
        assert_eq!(one("vllm:num_preemptions_created", engine), (SampleKind::Gauge, 1.795_294_610_227_043_6e9));
        // A histogram whose own name ends as counters do.
        assert_eq!(one("vllm:iteration_tokens_total_count", engine).0, SampleKind::Counter);
        assert!(page.samples.iter().all(|sample| sample.name.starts_with("vllm:")));
    }

    #[test]
    fn the_documented_example_is_read_as_it_is_meant() {
        let page = r#"
# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320

# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.99"} 76656
rpc_duration_seconds_sum 1.7560473e+07
rpc_duration_seconds_count 2693
"#;
        let (counter, gauge, untyped) = (SampleKind::Counter, SampleKind::Gauge, SampleKind::Untyped);
        let expected = [
            (r#"http_requests_total{code="200",method="post"}"#, counter, 1027.0),
            (r#"http_requests_total{code="400",method="post"}"#, counter, 3.0),
            (
                r#"msdos_file_access_time_seconds{error="Cannot find file:\n\"FILE.TXT\"",path="C:\\DIR\\FILE.TXT"}"#,
                untyped,
                1.458_255_915e9,
            ),
            ("metric_without_timestamp_and_labels", untyped, 12.47),
            (r#"something_weird{problem="division by zero"}"#, untyped, f64::INFINITY),
            (r#"http_request_duration_seconds_bucket{le="0.05"}"#, counter, 24_054.0),
            (r#"http_request_duration_seconds_bucket{le="+Inf"}"#, counter, 144_320.0),
            ("http_request_duration_seconds_sum", counter, 53_423.0),
            ("http_request_duration_seconds_count", counter, 144_320.0),
            (r#"rpc_duration_seconds{quantile="0.99"}"#, gauge, 76_656.0),
            ("rpc_duration_seconds_sum", counter, 17_560_473.0),
            ("rpc_duration_seconds_count", counter, 2_693.0),
        ];
        assert_eq!(told(page), expected.map(|(series, kind, value)| (series.to_owned(), kind, value)));
        assert_eq!(read(page).bad_lines, 0);
    }

    #[test]
    fn what_openmetrics_adds_is_understood_or_passed_over() {
        let page = "# TYPE foo counter\n# UNIT foo seconds\nfoo_total{a=\"b\"} 17 1520879607.789 # {trace_id=\"KOO\"} 0.67 1520879607.0\n\
                    foo_created 1520430000.123\n# TYPE build info\nbuild_info{v=\"1\"} 1\n# TYPE q gaugehistogram\nq_bucket{le=\"1\"} 4\nq_gsum 2\n\
                    {\"my.metric\", x=\"y\"} 2\n# EOF\n";
        let kinds = told(page);
        let expected = [
            (r#"foo_total{a="b"}"#, SampleKind::Counter, 17.0),
            ("foo_created", SampleKind::Gauge, 1_520_430_000.123),
            (r#"build_info{v="1"}"#, SampleKind::Gauge, 1.0),
            (r#"q_bucket{le="1"}"#, SampleKind::Gauge, 4.0),
            ("q_gsum", SampleKind::Gauge, 2.0),
            (r#"my.metric{x="y"}"#, SampleKind::Untyped, 2.0),
        ];
        assert_eq!(kinds, expected.map(|(series, kind, value)| (series.to_owned(), kind, value)));
        assert_eq!(read(page).bad_lines, 0);
    }

    #[test]
    fn every_form_of_a_number_is_read() {
        for (text, value) in [("1e3", 1e3), ("-2.5E-2", -0.025), (".5", 0.5), ("+Inf", f64::INFINITY), ("-Inf", f64::NEG_INFINITY)] {
            assert_eq!(told(&format!("a {text}")), [("a".to_owned(), SampleKind::Untyped, value)], "{text}");
        }
        assert!(told("a NaN")[0].2.is_nan());
        assert_eq!(told("\t a\t{ } \t 3 \t 7 \r\n"), [("a".to_owned(), SampleKind::Untyped, 3.0)]);
    }

    #[test]
    fn bad_lines_are_counted_and_the_others_are_read() {
        let page = b"good 1\nno_value\nno_value{}\nbad_value x\n9a 1\na{b=c} 1\na{b=\"c\" 1\na 1 x\na 1 2 3\n<html>\n\xff\xfe 1\na{\"b\"} 1\n{} 1\ngood 2";
        let page = PrometheusPage::read(page, |_| true);
        assert_eq!(page.samples.iter().map(|sample| sample.value).collect::<Vec<_>>(), [1.0, 2.0]);
        assert_eq!(page.bad_lines, 12);
    }

    #[test]
    fn a_page_cannot_fill_the_memory_with_samples() {
        let page = read(&"a 1\n".repeat(LIMIT + 5));
        assert_eq!((page.samples.len(), page.bad_lines), (LIMIT, 5));
    }

    proptest! {
        #[test]
        fn no_page_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            PrometheusPage::read(&bytes, |_| true);
        }

        #[test]
        fn no_page_of_the_format_s_own_characters_does(page in "[a-c{}\"=\\\\n,# \t\n0-1.+é_]{0,60}") {
            let page = read(&page);
            for sample in &page.samples {
                let again = read(&format!("{}{} 1", sample.name, sample.labels));
                let bare = sample.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                // Names and labels that need no quotes come back as they were written.
                if bare && sample.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && again.samples.len() == 1 {
                    prop_assert_eq!(&again.samples[0].labels, &sample.labels);
                }
            }
        }
    }
}
