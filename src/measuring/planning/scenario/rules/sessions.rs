//! Rules of `[workload]` of kind `sessions`: the file, and what its times are multiplied and cut by.

use super::lengths;
use super::workload::WHERE;
use super::{FileLookupCache, RuleReporter};
use crate::foundation::named_file::NamedFile;
use crate::vocabulary::spec::workload::SessionsSpec;

pub fn check(spec: &SessionsSpec, disk: &mut FileLookupCache, look: &mut RuleReporter<'_>) {
    let path = ["workload", "sessions"];
    if let Some(reason) = disk.unread(NamedFile::Conversations, &spec.sessions) {
        let message = format!("cannot read the recorded sessions `{}`: {reason}", look.shown(&path));
        look.fault(&path, message, WHERE);
    }
    if let Some(users) = spec.concurrency {
        look.at_least_one(&["workload", "concurrency"], users.into());
        if look.is_written(&["workload", "max_sessions"]) {
            let message = "`max_sessions` says nothing beside `concurrency`";
            look.contradiction(
                &["workload", "max_sessions"],
                &["workload", "concurrency"],
                message,
                "leave it out: never more are held than there are users",
            );
        }
    }
    look.at_least_one(&["workload", "max_sessions"], spec.max_sessions.into());
    if let Some(count) = spec.count {
        look.at_least_one(&["workload", "count"], count);
    }
    if let Some(block_tokens) = spec.block_tokens {
        look.at_least_one(&["workload", "block_tokens"], block_tokens.0);
    }
    if !(spec.speed_up.is_finite() && spec.speed_up > 0.0) {
        let message = format!("`workload.speed_up` is a factor above 0, not `{}`", look.shown(&["workload", "speed_up"]));
        look.fault(&["workload", "speed_up"], message, "times and delays of the recording are divided by it: `speed_up = 2`");
    }
    if let Some(duration) = spec.duration {
        if duration.0 <= 0.0 {
            look.fault(&["workload", "duration"], "`workload.duration` is longer than 0", "write `duration = \"60s\"`");
        } else if spec.warmup.0 >= duration.0 {
            let message = format!("the warm-up of {} leaves nothing of the duration of {duration}", spec.warmup);
            look.fault(&["workload", "warmup"], message, "`duration` includes the warm-up");
        }
    }
    lengths::check(&["workload", "answer_tokens"], &spec.answer_tokens, disk, look);
}
