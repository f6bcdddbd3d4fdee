//! The disk contract: what was measured, as types and as files, by this program or by others. Here the measuring half and the judging half meet.

pub mod bucket;
pub mod exposition;
pub mod import;
pub mod record;
pub mod store;
