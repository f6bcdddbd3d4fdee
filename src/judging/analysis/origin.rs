//! Where numbers come from, as every picture of them says: the sweep's name, how it was made, its seed and repeats.

use crate::records::record::Manifest;

/// A sweep in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SweepOrigin {
    pub name: String,
    /// Made from the simulated engine.
    pub simulated: bool,
    /// The program that measured it, if it was another than this one.
    pub imported: Option<String>,
    pub seed: u64,
    pub repeats: u32,
    /// Cells may have fewer: a search spends repeats where they matter.
    pub searched: bool,
}

impl SweepOrigin {
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            name: manifest.name.clone(),
            simulated: manifest.simulated,
            imported: manifest.imported.as_ref().map(|imported| imported.program.clone()),
            seed: manifest.seed,
            repeats: manifest.repeats,
            searched: manifest.search.is_some(),
        }
    }
}
