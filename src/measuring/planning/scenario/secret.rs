//! What came from the environment: how it is shown instead, and how it is taken out of messages.

use std::sync::Arc;

/// A text with something from the environment in it: as it was written, and what must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvironmentSecret {
    /// `http://${HOST}:8000`.
    pub written: String,
    /// The whole text, and each variable's value, with what stands for it.
    pub(super) values: Vec<(String, String)>,
}

impl EnvironmentSecret {
    /// A text that is a secret as a whole, and what stands for it.
    pub(super) fn whole(value: &str, written: &str) -> Self {
        Self { written: written.to_owned(), values: vec![(value.to_owned(), written.to_owned())] }
    }

    pub(super) fn new(value: &str, written: &str, variables: Vec<(String, String)>) -> Self {
        let whole = (value.to_owned(), written.to_owned());
        Self { written: written.to_owned(), values: std::iter::once(whole).chain(variables).collect() }
    }
}

/// Shows what was written and nothing else.
impl std::fmt::Debug for EnvironmentSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({})", self.written)
    }
}

/// Values shorter than this are not taken out of messages: replacing every `1` would only garble them.
pub(super) const LEAST: usize = 4;

/// Puts `${NAME}` back into messages from elsewhere: errors of the network, answers of servers. Cheap to clone.
#[derive(Clone, Default)]
pub struct EnvironmentRedactor(Arc<[(String, String)]>);

impl EnvironmentRedactor {
    pub(super) fn of<'a>(secrets: impl Iterator<Item = &'a EnvironmentSecret>) -> Self {
        let values = secrets.flat_map(|secret| &secret.values).filter(|(value, _)| value.chars().count() >= LEAST);
        Self::sorted(values.cloned().collect())
    }

    fn sorted(mut values: Vec<(String, String)>) -> Self {
        // The longest first: a URL before the host in it.
        values.sort_by(|one, other| other.0.len().cmp(&one.0.len()).then_with(|| one.cmp(other)));
        values.dedup();
        Self(values.into())
    }

    /// The same with further values: those of keys and headers, of any length.
    #[must_use]
    pub fn and(&self, further: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::sorted(self.0.iter().cloned().chain(further).collect())
    }

    /// The values with what stands for each, the longest first.
    #[must_use]
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The text with every value from the environment replaced by what was written.
    #[must_use]
    pub fn hide(&self, text: String) -> String {
        self.0.iter().fold(text, |text, (value, shown)| if text.contains(value) { text.replace(value, shown) } else { text })
    }
}

/// Shows nothing of what it hides.
impl std::fmt::Debug for EnvironmentRedactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} values)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_whole_and_in_part_and_short_ones_are_left() {
        let variables = vec![("gpu7.lan".to_owned(), "${HOST}".to_owned()), ("80".to_owned(), "${PORT}".to_owned())];
        let secret = EnvironmentSecret::new("http://gpu7.lan:80", "http://${HOST}:${PORT}", variables);
        let mask = EnvironmentRedactor::of(std::iter::once(&secret));
        let text = "no route to gpu7.lan for http://gpu7.lan:80/v1 after 80 ms".to_owned();
        assert_eq!(mask.hide(text), "no route to ${HOST} for http://${HOST}:${PORT}/v1 after 80 ms");
        assert!(!format!("{secret:?} {mask:?}").contains("gpu7"));
        assert_eq!(EnvironmentRedactor::default().hide("as it is".to_owned()), "as it is");
        let joined = mask.and([("gpu7.lan:80/sk".to_owned(), "***".to_owned())]);
        assert_eq!(joined.hide("gpu7.lan:80/sk gpu7.lan".to_owned()), "*** ${HOST}");
    }
}
