//! The four sections of a cell, from the untyped document to their types.

use super::document::Node;
use super::explain::{self, Context};
use super::fault::{Fault, Faults, did_you_mean, listed};
use super::fields::Kind;
use super::typed;
use crate::engine::spec::EngineSpec;
use crate::server::spec::ServerSpec;
use crate::target::spec::TargetSpec;
use crate::workload::spec::WorkloadSpec;

/// One of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Workload,
    Target,
    Engine,
    Server,
}

impl Section {
    pub const ALL: [Self; 4] = [Self::Workload, Self::Target, Self::Engine, Self::Server];

    pub fn name(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Target => "target",
            Self::Engine => "engine",
            Self::Server => "server",
        }
    }

    /// The section that a path lies in.
    pub fn of(path: &[String]) -> Option<Self> {
        let first = path.first()?;
        Self::ALL.into_iter().find(|section| section.name() == first)
    }
}

/// All four, typed, with their defaults.
#[derive(Debug, Clone)]
pub struct Sections {
    pub workload: WorkloadSpec,
    pub target: TargetSpec,
    pub engine: EngineSpec,
    pub server: ServerSpec,
}

impl Sections {
    /// Types all four; `None` where anything is wrong with any of them.
    pub fn read(document: &Node, faults: &mut Faults) -> Option<Self> {
        let workload = workload(document, faults);
        let target = section(document, Section::Target, faults);
        let engine = section(document, Section::Engine, faults);
        let server = section(document, Section::Server, faults);
        Some(Self { workload: workload?, target: target?, engine: engine?, server: server? })
    }

    /// Types one of them again, after a value in it has changed.
    pub fn update(&mut self, which: Section, document: &Node, faults: &mut Faults) -> Option<()> {
        match which {
            Section::Workload => self.workload = workload(document, faults)?,
            Section::Target => self.target = section(document, which, faults)?,
            Section::Engine => self.engine = section(document, which, faults)?,
            Section::Server => self.server = section(document, which, faults)?,
        }
        Some(())
    }

    /// One section in the form in which it is saved.
    pub fn json(&self, which: Section) -> serde_json::Value {
        match which {
            Section::Workload => serde_json::to_value(&self.workload),
            Section::Target => serde_json::to_value(&self.target),
            Section::Engine => serde_json::to_value(&self.engine),
            Section::Server => serde_json::to_value(&self.server),
        }
        .unwrap_or_default()
    }
}

/// The kind of workload that the document says, or the fault that it does not.
pub fn kind(document: &Node) -> Result<Kind, Fault> {
    let names = WorkloadSpec::KINDS;
    let example = "`kind = \"document_qa\"` (whole documents, then questions) or `kind = \"chat\"` (users at a rate)";
    let Some(workload) = document.find(&["workload"]) else {
        return Err(Fault::at(document.place, "the scenario has no `[workload]`").hint(format!("add one with {example}")));
    };
    if workload.as_table().is_none() {
        return Err(Fault::at(workload.place, format!("`workload` is a table, not {}", workload.kind())));
    }
    let Some(kind) = workload.find(&["kind"]) else {
        return Err(Fault::at(workload.place, "`workload` needs `kind`").hint(format!("write {example}")));
    };
    let name = kind.as_text().map(|text| text.value.as_str()).unwrap_or_default();
    Kind::from_name(name).ok_or_else(|| {
        let fault = Fault::at(kind.place, format!("`workload.kind` is {}, not `{}`", listed(&names), kind.shown()));
        fault.maybe_hint(did_you_mean(name, names))
    })
}

fn workload(document: &Node, faults: &mut Faults) -> Option<WorkloadSpec> {
    let kind = match kind(document) {
        Ok(kind) => kind,
        Err(fault) => {
            faults.push(fault);
            return None;
        }
    };
    let node = document.find(&["workload"])?;
    let read = match kind {
        Kind::DocumentQa => typed::read(node, Some("kind")).map(WorkloadSpec::DocumentQa),
        Kind::Chat => typed::read(node, Some("kind")).map(WorkloadSpec::Chat),
    };
    told(read, node, Context { section: "workload", kind: Some(kind) }, faults)
}

fn section<T: serde::de::DeserializeOwned>(document: &Node, which: Section, faults: &mut Faults) -> Option<T> {
    let missing = Node { value: super::document::Value::Table(super::document::Table::default()), place: document.place };
    let node = document.find(&[which.name()]).unwrap_or(&missing);
    told(typed::read(node, None), node, Context { section: which.name(), kind: None }, faults)
}

/// Passes a value on, or notes what was wrong.
pub fn told<T>(read: Result<T, Vec<typed::Trouble>>, node: &Node, context: Context<'_>, faults: &mut Faults) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(troubles) => {
            for trouble in &troubles {
                faults.push(explain::fault(trouble, node, context));
            }
            None
        }
    }
}
