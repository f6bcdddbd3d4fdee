//! Ids of runs, which are also their folders' names.

/// An id as older programs wrote it, without underscores: two ids are of the same run where these are equal.
#[must_use]
pub fn plain_run_id(id: &str) -> String {
    id.replace('_', "")
}
