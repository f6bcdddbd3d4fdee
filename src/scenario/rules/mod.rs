//! What types cannot say: bounds, contradictions between fields, files that have to be there. One file a section.
//!
//! Rules see a cell and the document it came from, for the places; they read directories and small files, and connect to nothing.

mod disk;
mod engine;
mod requests;
mod server;
mod target;
mod workload;

use super::cell::Cell;
use super::document::Node;
use super::environment::Lookup;
use super::fault::{Fault, Faults};
use super::source::Place;
use crate::target::spec::TargetKind;

pub use disk::Disk;

/// What the rules of one scenario have in common.
pub struct Rules<'a> {
    pub lookup: Lookup<'a>,
    pub disk: Disk,
}

impl Rules<'_> {
    /// Looks a cell over. Faults at a place where there is one already are not told again: many cells share one text.
    pub fn check(&mut self, document: &Node, cell: &Cell, faults: &mut Faults) {
        let mut look = Look { document, faults };
        workload::check(&cell.workload, &mut self.disk, &mut look);
        target::check(&cell.target, self.lookup, &mut look);
        if cell.target.kind == TargetKind::Sim {
            engine::check(&cell.engine, &mut look);
        }
        server::check(&cell.server, &cell.target, &mut look);
    }
}

/// A document that is looked over, and the faults that are found in it.
struct Look<'a> {
    document: &'a Node,
    faults: &'a mut Faults,
}

impl Look<'_> {
    /// Where a field is written, or the nearest table above it.
    fn place(&self, path: &[&str]) -> Place {
        self.document.nearest(path).place
    }

    /// A field's value as it may be shown.
    fn shown(&self, path: &[&str]) -> String {
        self.document.find(path).map(Node::shown).unwrap_or_default()
    }

    fn is_written(&self, path: &[&str]) -> bool {
        self.document.find(path).is_some()
    }

    fn fault(&mut self, path: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        let fault = Fault::at(self.place(path), message).hint(hint);
        self.faults.push_first(fault);
    }

    /// `path` is written and contradicts `other`, which is written as well.
    fn contradiction(&mut self, path: &[&str], other: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        let fault = Fault::at(self.place(path), message).hint(hint).beside(self.place(other), "beside this");
        self.faults.push_first(fault);
    }

    /// A whole number that has to be one or more.
    fn at_least_one(&mut self, path: &[&str], value: u64) {
        if value == 0 {
            let fault = Fault::at(self.place(path), format!("`{}` is 1 or more, not 0", path.join(".")));
            self.faults.push_first(fault);
        }
    }
}
