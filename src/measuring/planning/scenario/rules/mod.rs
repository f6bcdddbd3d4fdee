//! What types cannot say: bounds, contradictions between fields, files that have to be there. One file a section.
//!
//! Rules see a cell and the document it came from, for the places; they read directories and small files, and connect to nothing.

mod engine;
mod file_lookup_cache;
mod lengths;
mod requests;
mod server;
mod sessions;
mod target;
mod workload;

use super::cell::CellSpec;
use super::diagnostic::{ScenarioDiagnostic, ScenarioError};
use super::document::ScenarioNode;
use super::environment::Lookup;
use super::source::SourceSpan;
use crate::vocabulary::spec::target::TargetKind;

pub use file_lookup_cache::FileLookupCache;

/// What the rules of one scenario have in common.
pub struct RuleContext<'a> {
    pub lookup: Lookup<'a>,
    pub disk: FileLookupCache,
}

impl RuleContext<'_> {
    /// Looks a cell over. Faults at a place where there is one already are not told again: many cells share one text.
    pub fn check(&mut self, document: &ScenarioNode, cell: &CellSpec, faults: &mut ScenarioError) {
        let mut look = RuleReporter { document, faults };
        workload::check(&cell.workload, &mut self.disk, &mut look);
        target::check(&cell.target, self.lookup, &mut look);
        if cell.hashes_answers() {
            target::greedy(&cell.target, &mut look);
        }
        if cell.target.kind == TargetKind::Sim {
            engine::check(&cell.engine, &mut look);
        }
        server::check(&cell.server, &cell.target, &mut look);
    }
}

/// A document that is looked over, and the faults that are found in it.
struct RuleReporter<'a> {
    document: &'a ScenarioNode,
    faults: &'a mut ScenarioError,
}

impl RuleReporter<'_> {
    /// Where a field is written, or the nearest table above it.
    fn place(&self, path: &[&str]) -> SourceSpan {
        self.document.nearest(path).place
    }

    /// A field's value as it may be shown.
    fn shown(&self, path: &[&str]) -> String {
        self.document.find(path).map(ScenarioNode::shown).unwrap_or_default()
    }

    fn is_written(&self, path: &[&str]) -> bool {
        self.document.find(path).is_some()
    }

    fn fault(&mut self, path: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        let fault = ScenarioDiagnostic::at(self.place(path), message).hint(hint);
        self.faults.push_first(fault);
    }

    /// `path` is written and contradicts `other`, which is written as well.
    fn contradiction(&mut self, path: &[&str], other: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        let fault = ScenarioDiagnostic::at(self.place(path), message).hint(hint).beside(self.place(other), "beside this");
        self.faults.push_first(fault);
    }

    /// A whole number that has to be one or more.
    fn at_least_one(&mut self, path: &[&str], value: u64) {
        if value == 0 {
            let fault = ScenarioDiagnostic::at(self.place(path), format!("`{}` is 1 or more, not 0", path.join(".")));
            self.faults.push_first(fault);
        }
    }
}
