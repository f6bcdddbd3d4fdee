//! Files of other programs: imported together, saved, read back and judged.

use bench::analysis::{SummaryOptions, summarize};
use bench::records::import::{ImportFile, ImportOptions, import};
use bench::records::store::read_sweep;
use jiff::Timestamp;

use super::contract::message;

/// Files have a zero byte between them; every other one is of another variant.
pub fn read(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let source = |(number, text): (usize, &str)| ImportFile {
        name: format!("{}/final_qps_{number}.00.csv", number % 2),
        stem: format!("final_qps_{number}.00"),
        variant: (number % 2).to_string(),
        text: text.to_owned(),
    };
    let sources: Vec<ImportFile> = text.split('\0').take(8).enumerate().map(source).collect();
    let wanted =
        ImportOptions { name: "imported".into(), goals: Vec::new(), created_at: Timestamp::UNIX_EPOCH, bench_version: "0.1.0".into() };
    match import(&sources, &wanted) {
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a fault");
            for fault in &faults {
                message(&fault.to_string());
            }
        }
        Ok(sweep) => {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().join("imported");
            sweep.save(&dir).unwrap();
            let saved = read_sweep(&dir).unwrap();
            assert_eq!(saved.runs.len(), sweep.manifest.runs.len());
            if let Err(fault) = summarize(&saved, &SummaryOptions::default()) {
                message(&fault.to_string());
            }
        }
    }
}
