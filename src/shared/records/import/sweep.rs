//! Many files as one sweep: each file a run or several, their cells by what they tell, runs of one cell repeats in the order in which they were named.
//!
//! In: sources. Out: a manifest, the runs with their requests, and a list of the files. Equal files make an equal sweep.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::reading::{ImportFile, ParsedRun, TimestampOrigin};
use super::row::{count_in_flight, in_order};
use super::{ImportError, SourceProgram};
use crate::foundation::clock::Micros;
use crate::records::record::{
    CacheCheck, CacheEvidence, ClientEnvironment, ClientHealth, FailureKind, FormatVersion, ImportOrigin, Manifest, PlannedRun,
    RequestCounts, RequestPhase, RequestRecord, RunHeader, RunOutcome, RunRecord, ServerSample, TokenRule,
};
use crate::records::store::{StoreError, SweepWriter};
use crate::vocabulary::goal::{Goal, SavedGoal};

/// What the files do not tell about the sweep that is to be made of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportOptions {
    pub name: String,
    /// Goal expressions; the program's own where there are none.
    pub goals: Vec<Goal>,
    pub created_at: Timestamp,
    /// The program that imports.
    pub bench_version: String,
}

/// A sweep made of files, not yet saved.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedSweep {
    pub program: SourceProgram,
    pub manifest: Manifest,
    /// How many files it was made of.
    pub files: usize,
    /// In the manifest's order.
    pub runs: Vec<ImportedRun>,
    /// Which file became which run: a line each.
    pub list: String,
}

/// One run, as it will be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedRun {
    pub record: RunRecord,
    pub requests: Vec<RequestRecord>,
    pub samples: Vec<ServerSample>,
}

/// The file in the sweep's folder that stands in for a scenario.
const LIST: &str = "imported.txt";

/// A run with the file that it was read from.
struct ParsedImportFile<'a> {
    source: &'a ImportFile,
    /// Its place among the runs of the file.
    place: usize,
    reading: ParsedRun,
    /// Of the file.
    hash: String,
}

/// Reads all sources, or says all that is wrong with them.
pub fn import(sources: &[ImportFile], wanted: &ImportOptions) -> Result<ImportedSweep, Vec<ImportError>> {
    let (mut reads, mut faults, mut programs) = (Vec::new(), Vec::new(), Vec::<(SourceProgram, &ImportFile)>::new());
    for source in sources {
        let of = |faults: Vec<String>| faults.into_iter().map(|what| ImportError::new(&source.name, what)).collect::<Vec<_>>();
        match SourceProgram::of(&source.text) {
            Ok(program) => {
                programs.push((program, source));
                match program.read(source) {
                    Ok(runs) if runs.is_empty() => faults.extend(of(vec!["holds no run".to_owned()])),
                    Ok(runs) => {
                        let hash = blake3::hash(source.text.as_bytes()).to_hex().to_string();
                        for (place, reading) in runs.into_iter().enumerate() {
                            faults.extend(of(reading.absurdities()));
                            reads.push(ParsedImportFile { source, place, reading, hash: hash.clone() });
                        }
                    }
                    Err(found) => faults.extend(of(found)),
                }
            }
            Err(what) => faults.extend(of(vec![what])),
        }
    }
    faults.extend(mixture(&programs));
    faults.extend(disagreements(&reads));
    match programs.first() {
        Some((program, _)) if faults.is_empty() => Ok(sweep(*program, reads, wanted)),
        None if faults.is_empty() => Err(vec![ImportError::new("-", "there is no file to import")]),
        _ => Err(faults),
    }
}

impl ImportedSweep {
    /// Saves it into a new folder.
    pub fn save(&self, dir: &Path) -> Result<(), StoreError> {
        let writer = SweepWriter::open(dir, &self.manifest, &self.list)?;
        for ImportedRun { record, requests, samples } in &self.runs {
            let mut run = writer.begin(&record.header.id)?;
            for request in requests {
                run.append(request)?;
            }
            run.watched(samples)?;
            run.seal(record)?;
        }
        Ok(())
    }

    /// Requests of all phases.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.runs.iter().map(|run| run.record.counts.requests).sum()
    }

    /// Failures of all phases by kind.
    #[must_use]
    pub fn failures(&self) -> BTreeMap<FailureKind, u64> {
        let mut kinds = BTreeMap::new();
        for (kind, count) in self.runs.iter().flat_map(|run| &run.record.counts.failures) {
            *kinds.entry(*kind).or_default() += count;
        }
        kinds
    }

    /// Cells over all variants; repeats count once.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.manifest.runs.iter().filter(|run| run.repeat == 0).count()
    }
}

/// Files of several programs do not make one sweep.
fn mixture(programs: &[(SourceProgram, &ImportFile)]) -> Option<ImportError> {
    let (first, of) = programs.first()?;
    let (other, source) = programs.iter().find(|(program, _)| program != first)?;
    let what = format!("is of {}, `{}` is of {}: import them into folders of their own", other.words(), of.name, first.words());
    Some(ImportError::new(&source.name, what))
}

/// The same file twice would count its requests twice; files that differ in what makes the work equal are no cells of one sweep.
fn disagreements(reads: &[ParsedImportFile<'_>]) -> Vec<ImportError> {
    let mut faults = Vec::new();
    let mut known: BTreeMap<&str, &ImportFile> = BTreeMap::new();
    for read in reads.iter().filter(|read| read.place == 0) {
        if let Some(other) = known.insert(&read.hash, read.source) {
            faults.push(ImportError::new(&read.source.name, format!("has the same content as `{}`: name it once", other.name)));
        }
    }
    for read in reads {
        let against = |other: &ParsedImportFile<'_>, name: &str, ours: &str, theirs: &str| {
            let what = format!("has `{name}` {ours}, `{}` has {theirs}: import them into folders of their own", other.source.name);
            ImportError::new(&read.source.name, what)
        };
        if let Some(first) = reads.first() {
            let pairs = read.reading.shared.iter().zip(&first.reading.shared).filter(|(ours, theirs)| ours.1 != theirs.1);
            faults.extend(pairs.map(|(ours, theirs)| against(first, ours.0, &ours.1.to_string(), &theirs.1.to_string())));
        }
        let of_variant = reads.iter().find(|other| other.source.variant == read.source.variant);
        if let Some(first) = of_variant.filter(|first| first.reading.model != read.reading.model) {
            let name =
                |read: &ParsedImportFile<'_>| read.reading.model.clone().map_or_else(|| "none".to_owned(), |model| format!("`{model}`"));
            faults.push(against(first, "model", &name(read), &name(first)));
        }
    }
    let named = |read: &ParsedImportFile<'_>| read.reading.settings.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    if let Some((first, other)) = reads.first().and_then(|first| Some((first, reads.iter().find(|read| named(read) != named(first))?))) {
        let what = format!("and `{}`: only one of their names tells a rate (`qps_2.00`); rename them alike", first.source.name);
        faults.push(ImportError::new(&other.source.name, what));
    }
    faults
}

fn sweep(program: SourceProgram, mut reads: Vec<ParsedImportFile<'_>>, wanted: &ImportOptions) -> ImportedSweep {
    let lacks = lacks(program, &reads);
    let files = reads.iter().filter(|read| read.place == 0).count();
    keep_axes(&mut reads);
    let mut variants: Vec<String> = Vec::new();
    let mut axes: Vec<(String, Vec<Value>)> = Vec::new();
    let mut repeats: BTreeMap<String, u32> = BTreeMap::new();
    let mut list = format!("# Imported from {}; there is no scenario. Run, hash of the file (BLAKE3), file.\n", program.words());
    let mut runs = Vec::with_capacity(reads.len());
    for read in reads {
        let header = header(&read, &mut repeats);
        if !variants.contains(&header.variant) {
            variants.push(header.variant.clone());
        }
        for (name, value) in &header.axes {
            match axes.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) if values.contains(value) => {}
                Some((_, values)) => values.push(value.clone()),
                None => axes.push((name.clone(), vec![value.clone()])),
            }
        }
        let _ = writeln!(list, "{} {} {}", header.id, read.hash, plain(&read.source.stem));
        runs.push(run(program, header, read.reading));
    }
    for (_, values) in &mut axes {
        // Numbers ascend; what is no number comes after them, in the order of the files.
        values.sort_by(|left, right| left.as_f64().unwrap_or(f64::INFINITY).total_cmp(&right.as_f64().unwrap_or(f64::INFINITY)));
    }
    let planned = |run: &ImportedRun| PlannedRun {
        id: run.record.header.id.clone(),
        variant: run.record.header.variant.clone(),
        axes: run.record.header.axes.clone(),
        repeat: run.record.header.repeat,
    };
    let goals = if wanted.goals.is_empty() { program.goal().into_iter().collect() } else { wanted.goals.clone() };
    let manifest = Manifest {
        format: FormatVersion::CURRENT,
        name: wanted.name.clone(),
        seed: 0,
        created_at: wanted.created_at,
        simulated: runs.iter().any(|run| run.record.header.simulated),
        scenario_hash: blake3::hash(list.as_bytes()).to_hex()[..32].to_owned(),
        scenario_file: LIST.to_owned(),
        changes: Vec::new(),
        goals: goals.into_iter().map(SavedGoal::Read).collect(),
        plots: Vec::new(),
        variants,
        axes,
        repeats: runs.iter().map(|run| run.record.header.repeat + 1).max().unwrap_or(1),
        runs: runs.iter().map(planned).collect(),
        client: ClientEnvironment { bench_version: wanted.bench_version.clone(), ..ClientEnvironment::default() },
        search: None,
        score: None,
        block: None,
        blocks: Vec::new(),
        keeps_texts: false,
        imported: Some(ImportOrigin { program: program.words().to_owned(), lacks }),
    };
    ImportedSweep { program, manifest, files, runs, list }
}

fn lacks(program: SourceProgram, reads: &[ParsedImportFile<'_>]) -> Vec<String> {
    let mut lacks: Vec<String> = Vec::new();
    let further = reads.iter().flat_map(|read| read.reading.lacks.iter().copied());
    for lack in program.lacks().iter().copied().chain(further) {
        if !lacks.iter().any(|known| known == lack) {
            lacks.push(lack.to_owned());
        }
    }
    lacks
}

/// Of the settings, those that differ between files become axes.
fn keep_axes(reads: &mut [ParsedImportFile<'_>]) {
    let settings = reads.first().map(|first| first.reading.settings.clone()).unwrap_or_default();
    let differs = |place: usize, value: &Value| reads.iter().any(|read| read.reading.settings.get(place).is_some_and(|(_, v)| v != value));
    let kept: Vec<usize> =
        settings.iter().enumerate().filter(|(place, (_, value))| differs(*place, value)).map(|(place, _)| place).collect();
    for ParsedImportFile { reading, .. } in reads {
        reading.axes.extend(kept.iter().filter_map(|place| reading.settings.get(*place).cloned()));
    }
}

fn header(read: &ParsedImportFile<'_>, repeats: &mut BTreeMap<String, u32>) -> RunHeader {
    let ParsedImportFile { source, reading, hash, .. } = read;
    let next = repeats.entry(json!([source.variant, reading.axes]).to_string()).or_insert(0);
    let repeat = *next;
    *next += 1;
    let identity = json!([source.variant, reading.axes, repeat, hash]).to_string();
    let short = |axis: &str| axis.rsplit('.').next().map(str::to_owned).unwrap_or_default();
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let axes = reading.axes.iter().map(|(name, at)| format!("-{}{}", slug(&short(name), 16), slug(&value(at), 16)));
    let mut id = slug(&source.variant, 24) + &axes.collect::<String>();
    id.truncate(120);
    RunHeader {
        id: format!("{}-r{repeat}-{}", id.trim_matches(['-', '.']), &blake3::hash(identity.as_bytes()).to_hex()[..8]),
        variant: source.variant.clone(),
        axes: reading.axes.clone(),
        repeat,
        seed: 0,
        simulated: reading.simulated,
        cell: json!({ "workload": reading.workload, "target": { "model": reading.model } }).into(),
    }
}

/// Lower-case letters, digits and points of a text: what is plain in every file system.
fn slug(text: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '_' };
    text.chars().map(plain).take(longest).collect()
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn run(program: SourceProgram, header: RunHeader, reading: ParsedRun) -> ImportedRun {
    let ParsedRun { times, started_at, offered_qps, mut records, samples, notes, .. } = reading;
    in_order(&mut records);
    if times == TimestampOrigin::Told {
        count_in_flight(&mut records);
    }
    let evidence = CacheEvidence::Imported { program: program.words().to_owned() };
    let record = RunRecord {
        format: FormatVersion::CURRENT,
        header,
        outcome: RunOutcome::Completed,
        started_at: started_at.unwrap_or(Timestamp::UNIX_EPOCH),
        duration_us: records.iter().map(|record| record.done_us).max().unwrap_or_default(),
        token_rule: TokenRule::Server,
        cache_contract: CacheCheck::NotProven(evidence),
        salt: None,
        server: None,
        client: ClientHealth::default(),
        clients: Vec::new(),
        connections: None,
        counts: counts(&records, times),
        offered_qps,
        tables: BTreeMap::new(),
        notes,
    };
    ImportedRun { record, requests: records, samples }
}

/// The measured window is 0 where send times are not known: what goes by it cannot be told.
fn counts(records: &[RequestRecord], times: TimestampOrigin) -> RequestCounts {
    let mut failures = BTreeMap::new();
    for failure in records.iter().filter_map(|record| record.failure.as_ref()) {
        *failures.entry(failure.kind).or_default() += 1;
    }
    let measured = || records.iter().filter(|record| record.phase == RequestPhase::Measure);
    let first = measured().map(|record| record.intended_us).min().unwrap_or_default();
    let last = measured().map(|record| record.done_us).max().unwrap_or_default();
    RequestCounts {
        requests: records.len() as u64,
        measured: measured().count() as u64,
        failed: measured().filter(|record| record.failure.is_some()).count() as u64,
        failures,
        failure_words: BTreeMap::new(),
        measured_window_us: if times == TimestampOrigin::Told { last.since(first) } else { Micros::ZERO },
    }
}
