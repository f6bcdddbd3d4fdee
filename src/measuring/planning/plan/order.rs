//! In which order the cells of a variant are run, and the seed of each repeat.

use crate::vocabulary::spec::scenario::RunOrder;
use crate::workloads::workload::seed;

/// Runs that come one after the other on one server: the cells of a variant that need the same server, in one repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunBlock {
    pub repeat: u32,
    /// The first of its cells; the others have the same variant and setting.
    pub like: usize,
}

/// The blocks of all runs, from each cell's variant and the setting of its server. Variants come one after the other, within one the
/// settings as they are first named, and within these the repeats; `abba` goes over variants and settings in each repeat anew, forwards
/// and backwards in turn, so that each turn shares a server.
pub fn blocks<S: PartialEq>(order: RunOrder, repeats: u32, settings: &[(usize, S)]) -> Vec<RunBlock> {
    let mut first: Vec<usize> = Vec::new();
    for (cell, setting) in settings.iter().enumerate() {
        if !first.iter().any(|first| settings[*first] == *setting) {
            first.push(cell);
        }
    }
    // Cells are listed by variant already, and so are the settings.
    let mut blocks = Vec::with_capacity(first.len() * repeats as usize);
    match order {
        RunOrder::Abba => {
            for repeat in 0..repeats {
                blocks.extend(first.iter().map(|like| RunBlock { repeat, like: *like }));
                first.reverse();
            }
        }
        RunOrder::Shuffled | RunOrder::Listed => {
            blocks.extend(first.iter().flat_map(|like| (0..repeats).map(|repeat| RunBlock { repeat, like: *like })));
        }
    }
    blocks
}

/// The order of `cells` cells in one repeat: by the seed, another one for each repeat. The same for every variant: what a cell's place
/// in the order does to it, it does to both sides of a comparison.
pub fn order(order: RunOrder, scenario_seed: u64, repeat: u32, cells: usize) -> Vec<usize> {
    match order {
        RunOrder::Listed => (0..cells).collect(),
        RunOrder::Shuffled | RunOrder::Abba => seed::permutation(scenario_seed, &format!("order of repeat {repeat}"), cells),
    }
}

/// The seed of a run. It depends on the scenario's seed and the repeat alone, so that every variant and every cell gets the same
/// documents in the same order. Below 2^53, so that every reader of JSON holds it exactly.
pub fn run_seed(scenario_seed: u64, repeat: u32) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("bench 1 run seed");
    hasher.update(&scenario_seed.to_le_bytes());
    hasher.update(&repeat.to_le_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes) >> 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_cells_keep_their_order_and_shuffled_ones_get_one_by_seed_and_repeat() {
        assert_eq!(order(RunOrder::Listed, 7, 0, 4), [0, 1, 2, 3]);
        let shuffled = order(RunOrder::Shuffled, 7, 0, 16);
        assert_ne!(shuffled, order(RunOrder::Listed, 7, 0, 16));
        assert_eq!(shuffled, order(RunOrder::Shuffled, 7, 0, 16));
        assert_ne!(shuffled, order(RunOrder::Shuffled, 7, 1, 16));
        assert_ne!(shuffled, order(RunOrder::Shuffled, 8, 0, 16));
    }

    #[test]
    fn repeats_have_seeds_of_their_own_that_json_holds_exactly() {
        assert_ne!(run_seed(7, 0), run_seed(7, 1));
        assert_ne!(run_seed(7, 0), run_seed(8, 0));
        assert!(run_seed(u64::MAX, u32::MAX) < 1 << 53);
    }
}
