//! Rows brought together by session: rows and their sessions' numbers in, the rows of one session after the other out, run by run, each in
//! the order in which they came. Must not know what rows hold.

use super::number_column::NumberColumn;

/// Rows by session, one session behind the other.
#[derive(Debug, Default)]
pub(super) struct SessionRows {
    rows: Vec<u32>,
    ends: Vec<u32>,
}

impl SessionRows {
    /// Adds the rows of one run, ascending by session, and in each as they come.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sessions are counted from 0, and rows fit into 32 bits")]
    pub fn add(&mut self, rows: impl Iterator<Item = usize> + Clone, sessions: &NumberColumn) {
        let before = self.rows.len();
        let (count, last) = rows.clone().fold((0_usize, 0), |(count, last), row| (count + 1, last.max(sessions.of(row) as u64)));
        if count == 0 {
            return;
        }
        if last < 4 * count as u64 + 1024 {
            self.place(rows, sessions, count, last as usize);
        } else {
            self.rows.extend(rows.map(|row| row as u32));
            self.rows[before..].sort_by_key(|row| sessions.of(*row as usize) as u64);
        }
        let same = |left: &u32, right: &u32| sessions.of(*left as usize).to_bits() == sessions.of(*right as usize).to_bits();
        let mut end = before;
        for session in self.rows[before..].chunk_by(same) {
            end += session.len();
            self.ends.push(end as u32);
        }
    }

    /// By counting, where the numbers of sessions lie close together.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sessions are counted from 0, and rows fit into 32 bits")]
    fn place(&mut self, rows: impl Iterator<Item = usize> + Clone, sessions: &NumberColumn, count: usize, last: usize) {
        let before = self.rows.len();
        let mut next = vec![0_u32; last + 2];
        for row in rows.clone() {
            next[sessions.of(row) as usize + 1] += 1;
        }
        for place in 1..next.len() {
            next[place] += next[place - 1];
        }
        self.rows.resize(before + count, 0);
        for row in rows {
            let place = &mut next[sessions.of(row) as usize];
            self.rows[before + *place as usize] = row as u32;
            *place += 1;
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let mut begin = 0;
        self.ends.iter().map(move |end| {
            let session = &self.rows[begin..*end as usize];
            begin = *end as usize;
            session
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_session_come_together_whether_its_number_is_small_or_large() {
        for offset in [0.0, 1e9] {
            let sessions = NumberColumn::Plain([2.0, 0.0, 2.0, 7.0, 0.0, 1.0].map(|session| session + offset).to_vec());
            let mut grouped = SessionRows::default();
            grouped.add(0..5, &sessions);
            grouped.add(5..6, &sessions);
            grouped.add(6..6, &sessions);
            assert_eq!(grouped.iter().collect::<Vec<_>>(), [&[1_u32, 4][..], &[0, 2], &[3], &[5]]);
        }
    }
}
