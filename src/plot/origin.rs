//! The words above a picture that is made of saved rows: what it shows, and which sweep that comes from.

use super::figure::Caption;
use crate::analysis::Origin;

/// A caption; the variant's name leads the title where the picture is of one.
pub fn caption(origin: &Origin, variant: Option<&str>, title: &str) -> Caption {
    let imported = origin.imported.as_ref().map(|program| format!("imported from {program}"));
    let repeats = (origin.repeats > 1).then(|| format!("{} repeats pooled", origin.repeats));
    let seed = imported.is_none().then(|| format!("seed {}", origin.seed));
    let subtitle = [Some(origin.name.clone()), imported, repeats, seed];
    Caption {
        title: variant.map_or_else(|| title.to_owned(), |variant| format!("{variant}: {title}")),
        subtitle: subtitle.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        simulated: origin.simulated,
    }
}
