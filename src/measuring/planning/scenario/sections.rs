//! The four sections of a cell, from the untyped document to their types.

use serde::de::DeserializeOwned;

use super::diagnostic::{ScenarioDiagnostic, ScenarioError, closest, listed};
use super::document::{ScenarioNode, ScenarioTable, ScenarioValue};
use super::explain::{self, SectionContext};
use super::fields::CellFieldSet;
use super::typed::{self, ParsedNode};
use crate::vocabulary::spec::engine::EngineSpec;
use crate::vocabulary::spec::server::ServerSpec;
use crate::vocabulary::spec::target::TargetSpec;
use crate::vocabulary::spec::workload::{WorkloadKind, WorkloadKindVisitor, WorkloadSpec};

/// One of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionName {
    Workload,
    Target,
    Engine,
    Server,
}

impl SectionName {
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
pub struct CellSections {
    pub workload: WorkloadSpec,
    pub target: TargetSpec,
    pub engine: EngineSpec,
    pub server: ServerSpec,
}

/// All four as far as they could be read.
#[derive(Debug)]
pub struct PartialSections {
    pub sections: Option<CellSections>,
    /// The paths of what could not be read and was left out, from the document's root, one after the other.
    pub troubles: Vec<Vec<String>>,
}

impl CellSections {
    /// Types all four and notes what is wrong with any of them.
    pub fn read(document: &ScenarioNode, faults: &mut ScenarioError) -> PartialSections {
        let mut troubles = Vec::new();
        let (kind, fault) = kind(document);
        if let Some(fault) = fault {
            faults.push(fault);
        }
        let workload = workload(document, kind, faults, &mut troubles);
        let target = section(document, SectionName::Target, faults, &mut troubles);
        let engine = section(document, SectionName::Engine, faults, &mut troubles);
        let server = section(document, SectionName::Server, faults, &mut troubles);
        let all = |(workload, target, engine, server)| Self { workload, target, engine, server };
        let sections = workload.zip(target).zip(engine).zip(server).map(|(((w, t), e), s)| all((w, t, e, s)));
        PartialSections { sections, troubles }
    }

    /// Types one of them again, after a value in it has changed; `None` where it is wrong now, and then it stays as it was.
    pub fn update(&mut self, which: SectionName, document: &ScenarioNode, faults: &mut ScenarioError) -> Option<()> {
        let troubles = &mut Vec::new();
        match which {
            SectionName::Workload => {
                let read = workload(document, kind(document).0, faults, troubles);
                self.workload = read.filter(|_| troubles.is_empty())?;
            }
            SectionName::Target => {
                let read = section(document, which, faults, troubles);
                self.target = read.filter(|_| troubles.is_empty())?;
            }
            SectionName::Engine => {
                let read = section(document, which, faults, troubles);
                self.engine = read.filter(|_| troubles.is_empty())?;
            }
            SectionName::Server => {
                let read = section(document, which, faults, troubles);
                self.server = read.filter(|_| troubles.is_empty())?;
            }
        }
        Some(())
    }

    /// One section in the form in which it is saved.
    pub fn json(&self, which: SectionName) -> serde_json::Value {
        match which {
            SectionName::Workload => serde_json::to_value(&self.workload),
            SectionName::Target => serde_json::to_value(&self.target),
            SectionName::Engine => serde_json::to_value(&self.engine),
            SectionName::Server => serde_json::to_value(&self.server),
        }
        .unwrap_or_default()
    }
}

/// The kind of workload that the document says. Where it says none, the likeliest, so that the rest can be checked, and the fault.
pub fn kind(document: &ScenarioNode) -> (WorkloadKind, Option<ScenarioDiagnostic>) {
    let names = WorkloadKind::ALL.map(WorkloadKind::name);
    let example = "`kind = \"document_qa\"` (whole documents, then questions), `kind = \"chat\"` (users at a rate), `kind = \"requests\"` (single requests) or `kind = \"sessions\"` (recorded ones)";
    let Some(workload) = document.find(&["workload"]) else {
        let fault = ScenarioDiagnostic::at(document.place, "the scenario has no `[workload]`").hint(format!("add one with {example}"));
        return (WorkloadKind::DocumentQa, Some(fault));
    };
    let Some(table) = workload.as_table() else {
        let fault = ScenarioDiagnostic::at(workload.place, format!("`workload` is a table, not {}", workload.kind()));
        return (WorkloadKind::DocumentQa, Some(fault.hint(format!("write {example} in it"))));
    };
    let Some(kind) = table.get("kind") else {
        let fault = ScenarioDiagnostic::at(workload.place, "`workload` needs `kind`").hint(format!("write {example}"));
        return (likeliest(table), Some(fault));
    };
    let name = kind.as_text().map(|text| text.value.as_str()).unwrap_or_default();
    if let Some(kind) = WorkloadKind::from_name(name) {
        return (kind, None);
    }
    let fault = ScenarioDiagnostic::at(kind.place, format!("`workload.kind` is {}, not `{}`", listed(&names), kind.shown()));
    let meant = closest(name, names);
    let likely = meant.and_then(WorkloadKind::from_name).unwrap_or_else(|| likeliest(table));
    (likely, Some(fault.maybe_hint(meant.map(|name| format!("did you mean `{name}`?")))))
}

/// The kind that has most of these fields.
fn likeliest(table: &ScenarioTable) -> WorkloadKind {
    let known = |kind: &WorkloadKind| {
        let fields = CellFieldSet::of(*kind);
        table.entries.iter().filter(|entry| fields.has("workload", &entry.key)).count()
    };
    // The first of equals.
    WorkloadKind::ALL.into_iter().rev().max_by_key(known).unwrap_or(WorkloadKind::DocumentQa)
}

fn workload(
    document: &ScenarioNode,
    kind: WorkloadKind,
    faults: &mut ScenarioError,
    troubles: &mut Vec<Vec<String>>,
) -> Option<WorkloadSpec> {
    let missing = empty(document);
    let node = document.find(&["workload"]).filter(|node| node.as_table().is_some()).unwrap_or(&missing);
    let context = SectionContext { section: "workload", kind: Some(kind) };
    kind.visit(WorkloadReader { node, context, faults, troubles })
}

/// Reads a workload as the struct of its kind.
struct WorkloadReader<'a> {
    node: &'a ScenarioNode,
    context: SectionContext<'a>,
    faults: &'a mut ScenarioError,
    troubles: &'a mut Vec<Vec<String>>,
}

impl WorkloadKindVisitor for WorkloadReader<'_> {
    type Output = Option<WorkloadSpec>;

    fn visit<T: DeserializeOwned>(self, whole: fn(T) -> WorkloadSpec) -> Option<WorkloadSpec> {
        told(typed::read(self.node, Some("kind")), self.node, self.context, self.faults, self.troubles).map(whole)
    }
}

fn section<T: DeserializeOwned>(
    document: &ScenarioNode,
    which: SectionName,
    faults: &mut ScenarioError,
    troubles: &mut Vec<Vec<String>>,
) -> Option<T> {
    let missing = empty(document);
    let node = document.find(&[which.name()]).unwrap_or(&missing);
    told(typed::read(node, None), node, SectionContext { section: which.name(), kind: None }, faults, troubles)
}

fn empty(document: &ScenarioNode) -> ScenarioNode {
    ScenarioNode { value: ScenarioValue::Table(ScenarioTable::default()), place: document.place }
}

/// Passes on what could be read, and notes what could not: as faults, and as paths.
pub fn told<T>(
    reading: ParsedNode<T>,
    node: &ScenarioNode,
    context: SectionContext<'_>,
    faults: &mut ScenarioError,
    troubles: &mut Vec<Vec<String>>,
) -> Option<T> {
    let section = Some(context.section).filter(|section| !section.is_empty()).map(str::to_owned);
    for trouble in &reading.troubles {
        faults.push(explain::fault(trouble, node, context));
    }
    for path in reading.left_out {
        troubles.push(section.clone().into_iter().chain(path).collect());
    }
    reading.value
}
