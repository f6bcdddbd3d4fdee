//! Randomness that depends on nothing but the seed and what it is for: the same arguments give the same numbers on every machine.
//!
//! In go the seed, a purpose and some numbers; out comes a generator. Knows nothing of texts.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// A generator of its own for every purpose: what one text draws never moves another.
pub fn generator(seed: u64, purpose: &str, numbers: &[u64]) -> Pcg64 {
    let mut hasher = blake3::Hasher::new_derive_key("bench 1 workload texts");
    hasher.update(&seed.to_le_bytes());
    for number in numbers {
        hasher.update(&number.to_le_bytes());
    }
    // The only part of free length stands last, so that no two inputs run together into one.
    hasher.update(&(numbers.len() as u64).to_le_bytes());
    hasher.update(purpose.as_bytes());
    Pcg64::from_seed(*hasher.finalize().as_bytes())
}

/// A number below `bound` (at least 1). Made here because the sampling of `rand` may change between its versions.
#[expect(clippy::cast_possible_truncation, reason = "the product's upper half is below `bound`")]
pub fn below(rng: &mut Pcg64, bound: usize) -> usize {
    // Multiply-shift: the bias is below 2^-40 for anything that fits in memory.
    ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize
}

/// One of `choices`, which must not be empty.
pub fn pick<'a, T: ?Sized>(rng: &mut Pcg64, choices: &[&'a T]) -> &'a T {
    choices[below(rng, choices.len())]
}

/// The numbers `0..length` in seeded order (Fisher and Yates).
pub fn permutation(seed: u64, purpose: &str, length: usize) -> Vec<usize> {
    let mut rng = generator(seed, purpose, &[]);
    let mut order: Vec<usize> = (0..length).collect();
    for last in (1..length).rev() {
        order.swap(last, below(&mut rng, last + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_holds_every_number_once_and_depends_on_the_seed() {
        let order = permutation(7, "documents", 50);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert_eq!(order, permutation(7, "documents", 50));
        assert_ne!(order, permutation(8, "documents", 50));
        assert_eq!(permutation(7, "documents", 0), Vec::<usize>::new());
    }

    #[test]
    fn purposes_and_numbers_have_generators_of_their_own() {
        let first = |purpose, numbers: &[u64]| generator(7, purpose, numbers).next_u64();
        let drawn = [first("a", &[]), first("b", &[]), first("a", &[0]), first("a", &[1]), first("a", &[0, 1]), first("a", &[1, 0])];
        for (place, one) in drawn.iter().enumerate() {
            assert!(!drawn[place + 1..].contains(one));
        }
    }

    #[test]
    fn draws_stay_below_their_bound_and_reach_all_of_it() {
        let mut rng = generator(1, "bound", &[]);
        let mut seen = [0u32; 6];
        for _ in 0..6000 {
            seen[below(&mut rng, 6)] += 1;
        }
        assert!(seen.iter().all(|&times| (800..1200).contains(&times)), "{seen:?}");
    }
}
