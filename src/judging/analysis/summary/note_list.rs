//! Remarks in JSON: their words for people, and their figures for programs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Remarks of one kind. In files with the words, as `notes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "SavedNoteList<Note>", into = "SavedNoteList<Note>")]
#[serde(bound(serialize = "Note: Clone + fmt::Display + Serialize", deserialize = "Note: Deserialize<'de>"))]
pub struct NoteList<Note>(pub Vec<Note>);

impl<Note> Default for NoteList<Note> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<Note: fmt::Display> NoteList<Note> {
    /// Each as people read it.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }
}

/// As they stand in JSON.
#[derive(Serialize, Deserialize)]
struct SavedNoteList<Note> {
    /// The words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    note_figures: Vec<Note>,
}

impl<Note> From<SavedNoteList<Note>> for NoteList<Note> {
    fn from(saved: SavedNoteList<Note>) -> Self {
        Self(saved.note_figures)
    }
}

impl<Note: fmt::Display> From<NoteList<Note>> for SavedNoteList<Note> {
    fn from(notes: NoteList<Note>) -> Self {
        Self { notes: notes.words().collect(), note_figures: notes.0 }
    }
}
