//! An order of use over numbered slots: a doubly linked list inside one vector, so that moving a slot costs nothing. It must not know
//! what a slot holds.

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct LruLink {
    before: u32,
    behind: u32,
    linked: bool,
}

const UNLINKED: LruLink = LruLink { before: NONE, behind: NONE, linked: false };

/// Slots from the one to be taken first to the one to be taken last.
#[derive(Debug, Clone)]
pub struct LruOrder {
    links: Vec<LruLink>,
    first: u32,
    last: u32,
    length: u32,
}

impl LruOrder {
    #[must_use]
    pub fn new() -> Self {
        Self { links: Vec::new(), first: NONE, last: NONE, length: 0 }
    }

    #[must_use]
    pub fn len(&self) -> u32 {
        self.length
    }

    #[must_use]
    pub fn first(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    /// Puts a slot that is in no place at the end: it is taken last.
    pub fn push_last(&mut self, slot: u32) {
        self.insert(self.last, slot, NONE);
    }

    /// Puts a slot that is in no place at the start: it is taken first.
    pub fn push_first(&mut self, slot: u32) {
        self.insert(NONE, slot, self.first);
    }

    /// Takes a slot out, wherever it is; one that is in no place stays so.
    pub fn remove(&mut self, slot: u32) {
        let Some(link) = self.links.get(slot as usize).copied().filter(|link| link.linked) else { return };
        match self.links.get_mut(link.before as usize) {
            Some(before) => before.behind = link.behind,
            None => self.first = link.behind,
        }
        match self.links.get_mut(link.behind as usize) {
            Some(behind) => behind.before = link.before,
            None => self.last = link.before,
        }
        self.links[slot as usize] = UNLINKED;
        self.length -= 1;
    }

    pub fn pop_first(&mut self) -> Option<u32> {
        let slot = self.first()?;
        self.remove(slot);
        Some(slot)
    }

    fn insert(&mut self, before: u32, slot: u32, behind: u32) {
        if self.links.len() <= slot as usize {
            self.links.resize(slot as usize + 1, UNLINKED);
        }
        debug_assert!(!self.links[slot as usize].linked, "slot {slot} is in a place already");
        self.links[slot as usize] = LruLink { before, behind, linked: true };
        match self.links.get_mut(before as usize) {
            Some(link) => link.behind = slot,
            None => self.first = slot,
        }
        match self.links.get_mut(behind as usize) {
            Some(link) => link.before = slot,
            None => self.last = slot,
        }
        self.length += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(mut order: LruOrder) -> Vec<u32> {
        std::iter::from_fn(|| order.pop_first()).collect()
    }

    #[test]
    fn slots_come_out_in_their_order_of_use() {
        let mut order = LruOrder::new();
        for slot in [3, 1, 4, 0] {
            order.push_last(slot);
        }
        order.remove(1);
        order.push_last(1);
        order.push_first(2);
        order.remove(9);
        assert_eq!(order.len(), 5);
        assert_eq!(drained(order), [2, 3, 4, 0, 1]);
    }
}
