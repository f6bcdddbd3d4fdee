//! Rules of `[workload]`.

use std::path::Path;

use super::{FileLookupCache, RuleReporter, lengths, requests, sessions};
use crate::foundation::named_file::NamedFile;
use crate::vocabulary::spec::workload::{ChatDataset, ChatSpec, DocumentQaSpec, DocumentReuse, DocumentsSpec, LeaveSpec, WorkloadSpec};

pub(super) const WHERE: &str = "paths start at the folder in which the command is given";

pub fn check(spec: &WorkloadSpec, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    if let Some(leave) = spec.leave() {
        leaving(leave, look);
    }
    match spec {
        WorkloadSpec::DocumentQa(spec) => document_qa(spec, disk, look),
        WorkloadSpec::Chat(spec) => chat(spec, disk, look),
        WorkloadSpec::Requests(spec) => requests::check(spec, disk, look),
        WorkloadSpec::Sessions(spec) => sessions::check(spec, disk, look),
    }
}

fn document_qa(spec: &DocumentQaSpec, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    look.at_least_one(&["workload", "concurrent"], spec.concurrent.into());
    look.at_least_one(&["workload", "sequential"], spec.sequential.into());
    look.at_least_one(&["workload", "rounds"], spec.rounds.into());
    lengths::check(&["workload", "answer_tokens"], &spec.answer_tokens, disk, look);
    match &spec.documents {
        DocumentsSpec::Synthetic(documents) => {
            look.at_least_one(&["workload", "documents", "synthetic_tokens"], documents.synthetic_tokens.0);
        }
        DocumentsSpec::Folder(folder) => documents(spec, folder, disk, look),
    }
    if let Some(file) = &spec.questions {
        questions(spec, file, disk, look);
    }
}

fn documents(spec: &DocumentQaSpec, folder: &Path, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    let path = ["workload", "documents"];
    let shown = look.shown(&path);
    match disk.documents(folder) {
        Err(reason) => look.fault(&path, format!("cannot read the folder of documents `{shown}`: {reason}"), WHERE),
        Ok(0) => {
            let hint = "a document is a file that ends in `.txt`; `{ synthetic_tokens = 131072 }` needs no files";
            look.fault(&path, format!("`{shown}` holds no documents"), hint);
        }
        Ok(there) => {
            let sessions = spec.sessions();
            if there < sessions && spec.reuse == DocumentReuse::Refuse {
                let message = format!(
                    "`{shown}` holds {there} documents, fewer than the {sessions} sessions of concurrent {} × sequential {}",
                    spec.concurrent, spec.sequential
                );
                look.fault(&path, message, "add documents, or set `reuse = \"salted\"` so that no two sessions share a cache");
            }
        }
    }
}

fn questions(spec: &DocumentQaSpec, file: &Path, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    let path = ["workload", "questions"];
    let shown = look.shown(&path);
    match disk.questions(file) {
        Err(reason) => look.fault(&path, format!("cannot read the questions `{shown}`: {reason}"), WHERE),
        Ok(there) if there < spec.rounds.into() => {
            let message = format!("`{shown}` has {there} questions, fewer than the {} rounds", spec.rounds);
            look.fault(&path, message, "add questions, one a line, or ask fewer rounds");
        }
        Ok(_) => {}
    }
}

fn chat(spec: &ChatSpec, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    look.at_least_one(&["workload", "users"], spec.users.into());
    look.at_least_one(&["workload", "rounds"], spec.rounds.into());
    lengths::check(&["workload", "answer_tokens"], &spec.answer_tokens, disk, look);
    rate(spec.qps, "requests per second over all users: `qps = 2` or `qps = 0.5`", look);
    if spec.duration.0 <= 0.0 {
        look.fault(&["workload", "duration"], "`workload.duration` is longer than 0", "write `duration = \"60s\"`");
    } else if spec.warmup.0 >= spec.duration.0 {
        let message = format!("the warm-up of {} leaves nothing of the duration of {}", spec.warmup, spec.duration);
        look.fault(&["workload", "warmup"], message, "`duration` includes the warm-up");
    }
    if spec.log_interval.0 <= 0.0 {
        look.fault(&["workload", "log_interval"], "`workload.log_interval` is longer than 0", "write `log_interval = \"30s\"`");
    }
    match &spec.dataset {
        ChatDataset::Synthetic => look.at_least_one(&["workload", "question_tokens"], spec.question_tokens.0),
        ChatDataset::Sharegpt(file) => {
            let path = ["workload", "dataset", "sharegpt"];
            if let Some(reason) = disk.unread(NamedFile::Conversations, file) {
                let message = format!("cannot read the conversations `{}`: {reason}", look.shown(&path));
                look.fault(&path, message, WHERE);
            }
            if look.is_written(&["workload", "question_tokens"]) {
                let message = "`question_tokens` says nothing beside a dataset that has its own questions";
                look.contradiction(&["workload", "question_tokens"], &path, message, "leave one of them out");
            }
        }
    }
}

fn leaving(leave: LeaveSpec, look: &mut RuleReporter<'_>) {
    if !(0.0..=1.0).contains(&leave.share) {
        let message = format!("`workload.leave.share` is a share from 0 to 1, not `{}`", look.shown(&["workload", "leave", "share"]));
        look.fault(&["workload", "leave", "share"], message, "`leave = { share = 0.1, after = \"2s\" }`: one request in ten is left");
    }
    if leave.after.0 <= 0.0 {
        look.fault(&["workload", "leave", "after"], "`workload.leave.after` is longer than 0", "write `after = \"2s\"`");
    }
}

pub(super) fn rate(qps: f64, hint: &str, look: &mut RuleReporter<'_>) {
    if !(qps.is_finite() && qps > 0.0) {
        let message = format!("`workload.qps` is a rate above 0, not `{}`", look.shown(&["workload", "qps"]));
        look.fault(&["workload", "qps"], message, hint);
    }
}
