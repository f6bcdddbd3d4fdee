//! A page of Prometheus text: read in full, and read again from what was made of it.

use bench::servers::server::{MetricNameFilter, PrometheusPage};

/// Samples and bad lines are never more than there are lines.
pub fn read(data: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n').count();
    let page = PrometheusPage::read(data, |_| true);
    assert!(page.samples.len() + page.bad_lines <= lines);
    for sample in &page.samples {
        assert_eq!(sample.label("no such label"), None);
        let quoted = format!("{{\"{}\"", escaped(&sample.name));
        let labels = sample.labels.strip_prefix('{').map_or("}".to_owned(), |labels| format!(",{labels}"));
        let again = PrometheusPage::read(format!("{quoted}{labels} 1").as_bytes(), |_| true);
        let [again] = again.samples.as_slice() else { panic!("{}{} cannot be read again", sample.name, sample.labels) };
        assert_eq!((&again.name, &again.labels), (&sample.name, &sample.labels));
    }
    let kept = MetricNameFilter::new(&["vllm:*".to_owned(), "*".to_owned()]);
    assert_eq!(PrometheusPage::read(data, |name| kept.keeps(name)).samples.len(), page.samples.len());
}

fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
