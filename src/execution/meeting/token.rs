//! What lets a client in: a text that all clients know. It is never sent, shown or saved; whoever knows it proves so over what the other has just made up.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};

/// Between what it is derived from and anything else that is made of the same text.
const CONTEXT: &str = "bench: meeting of the clients of one load, 1";

/// The key that is made of the token.
#[derive(Clone)]
pub struct MeetingToken([u8; 32]);

/// Who proves that he knows it.
#[derive(Debug, Clone, Copy)]
pub(super) enum ProvingSide {
    Leader,
    Member,
}

impl MeetingToken {
    /// Of a text. An empty one is no secret: it does where nobody but this machine can come.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(blake3::derive_key(CONTEXT, text.trim().as_bytes()))
    }

    /// The proof over what both sides made up, in hexadecimal.
    pub(super) fn proof(&self, side: ProvingSide, leader_nonce: &str, member_nonce: &str) -> String {
        let side = match side {
            ProvingSide::Leader => "leader",
            ProvingSide::Member => "member",
        };
        blake3::keyed_hash(&self.0, format!("{side} {leader_nonce} {member_nonce}").as_bytes()).to_hex().to_string()
    }

    /// Whether that is the proof; it takes as long whatever is wrong with it.
    pub(super) fn is_proof(&self, proof: &str, side: ProvingSide, leader_nonce: &str, member_nonce: &str) -> bool {
        let expected = self.proof(side, leader_nonce, member_nonce);
        // Hashes are compared in constant time.
        blake3::hash(proof.as_bytes()) == blake3::hash(expected.as_bytes())
    }
}

/// Shows nothing of it.
impl fmt::Debug for MeetingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeetingToken(..)")
    }
}

/// A text that nobody has said before.
pub(super) fn nonce() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| std::io::Error::other("the operating system gives no random numbers"))?;
    Ok(blake3::Hash::from_bytes(bytes).to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_token_proves_it_and_each_side_proves_for_itself() {
        let (token, other) = (MeetingToken::new("one\n"), MeetingToken::new("another"));
        let (leader, member) = (nonce().unwrap(), nonce().unwrap());
        assert_ne!(leader, member);
        let proof = MeetingToken::new("one").proof(ProvingSide::Member, &leader, &member);
        assert!(token.is_proof(&proof, ProvingSide::Member, &leader, &member));
        assert!(!token.is_proof(&proof, ProvingSide::Leader, &leader, &member), "what one said does not do for the other");
        assert!(!token.is_proof(&proof, ProvingSide::Member, &member, &leader));
        assert!(
            !other.is_proof(&proof, ProvingSide::Member, &leader, &member) && !token.is_proof("", ProvingSide::Member, &leader, &member)
        );
    }

    #[test]
    fn not_even_a_debugging_line_shows_it() {
        assert_eq!(format!("{:?}", MeetingToken::new("secret")), "MeetingToken(..)");
    }
}
