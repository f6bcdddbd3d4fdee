//! One page that is read again and again: what of it is kept, and what is remarked of it at the end.

use std::sync::Arc;

use super::name_filter::MetricNameFilter;
use super::page::{MetricsPage, MetricsPageError};
use super::pool::{kv_pool_tokens, tells_of_pool};
use crate::foundation::clock::Micros;
use crate::records::record::{SampleKind, ServerSample, TextInterner, labels_text};
use crate::vocabulary::spec::watch::WatchRole;

/// A page, and what came of reading it so far.
#[derive(Debug)]
pub(super) struct WatchedPage {
    page: MetricsPage,
    source: Arc<str>,
    keep: MetricNameFilter,
    /// What the scenario says of its server.
    role: Option<WatchRole>,
    texts: TextInterner,
    readings: u32,
    failures: u32,
    first_fault: Option<MetricsPageError>,
    bad_lines: usize,
    /// Whether a page was read, and whether one had a metric that is kept.
    was_read: bool,
    has_kept: bool,
    /// It will never be a page of metrics.
    given_up: bool,
    pool_tokens: Option<u64>,
}

impl WatchedPage {
    pub fn new(page: MetricsPage, keep: MetricNameFilter, role: Option<WatchRole>) -> Self {
        let source = page.url().into();
        Self {
            page,
            source,
            keep,
            role,
            texts: TextInterner::default(),
            readings: 0,
            failures: 0,
            first_fault: None,
            bad_lines: 0,
            was_read: false,
            has_kept: false,
            given_up: false,
            pool_tokens: None,
        }
    }

    /// Reads it once. Nothing where it cannot be read.
    pub async fn read(&mut self, at: Micros) -> Vec<ServerSample> {
        if self.given_up {
            return Vec::new();
        }
        self.readings += 1;
        let keep = &self.keep;
        match self.page.read(|name| keep.keeps(name) || tells_of_pool(name)).await {
            Ok(page) => {
                self.bad_lines = self.bad_lines.max(page.bad_lines);
                self.pool_tokens = kv_pool_tokens(&page.samples).or(self.pool_tokens);
                let role = if self.was_read { None } else { self.role.map(|role| self.role_sample(role, at)) };
                self.was_read = true;
                self.has_kept |= page.samples.iter().any(|sample| self.keep.keeps(&sample.name));
                let kept = page.samples.into_iter().filter(|sample| self.keep.keeps(&sample.name));
                let texts = &mut self.texts;
                let kept = kept.map(|sample| ServerSample {
                    at_us: at,
                    source: Arc::clone(&self.source),
                    name: texts.of(&sample.name),
                    labels: texts.of(&sample.labels),
                    kind: sample.kind,
                    value: sample.value,
                });
                role.into_iter().chain(kept).collect()
            }
            Err(fault) => {
                self.failures += 1;
                self.given_up = self.failures == self.readings && fault.is_lasting();
                self.first_fault.get_or_insert(fault);
                Vec::new()
            }
        }
    }

    /// What the scenario says of the server, as if the page had told it.
    fn role_sample(&self, role: WatchRole, at: Micros) -> ServerSample {
        ServerSample {
            at_us: at,
            source: Arc::clone(&self.source),
            name: ServerSample::ROLE.into(),
            labels: labels_text([("role", role.name())]).into(),
            kind: SampleKind::Gauge,
            value: 1.0,
        }
    }

    /// Tokens that the server's KV cache holds on its device, where the page told.
    pub fn pool_tokens(&self) -> Option<u64> {
        self.pool_tokens
    }

    /// Remarks for people.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match &self.first_fault {
            Some(MetricsPageError::Missing { url }) if self.given_up => {
                notes.push(format!("`{url}` does not exist: no metrics from there"));
            }
            Some(fault) if self.given_up => notes.push(format!("no metrics from `{}`: {fault}", self.source)),
            Some(fault) => {
                let (failures, readings) = (self.failures, self.readings);
                notes.push(format!("`{}` could not be read {failures} of {readings} times: {fault}", self.source));
            }
            None => {}
        }
        if self.was_read && !self.has_kept {
            notes.push(format!("`{}` tells no metric that `server.watch.keep` keeps: name those of this server there", self.source));
        }
        if self.bad_lines > 0 {
            notes.push(format!("`{}` has lines that are no metrics: {}", self.source, self.bad_lines));
        }
        notes
    }
}
