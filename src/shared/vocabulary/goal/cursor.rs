//! The words of a goal: names, symbols, numbers with their units, and faults that point at what stands there.

use super::ComparisonOperator;
use crate::foundation::sentence::sentence;

/// Why a text is no goal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GoalError {
    pub message: String,
    /// Bytes of the text from which on it went wrong.
    pub offset: usize,
    pub hint: Option<String>,
}

/// A place in a text.
pub(super) struct GoalCursor<'a> {
    pub text: &'a str,
    pub at: usize,
}

impl<'a> GoalCursor<'a> {
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Moves to the next visible character and gives its place.
    pub fn skip_space(&mut self) -> usize {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.at
    }

    pub fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !accept(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    pub fn word(&mut self) -> &'a str {
        self.skip_space();
        self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '.')
    }

    pub fn eat(&mut self, what: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    pub fn eat_word(&mut self, what: &str) -> bool {
        let before = self.at;
        let found = self.word() == what;
        if !found {
            self.at = before;
        }
        found
    }

    pub fn fault(&self, offset: usize, message: impl Into<String>, hint: Option<String>) -> GoalError {
        let plain = |text: String| sentence(&text).into_owned();
        GoalError { message: plain(message.into()), offset: offset.min(self.text.len()), hint: hint.map(plain) }
    }

    /// What stands at the cursor, for a message.
    pub fn found(&mut self) -> String {
        self.skip_space();
        let rest = self.rest();
        let visible = rest.split_whitespace().next().unwrap_or_default();
        if visible.is_empty() { "the text ends".to_owned() } else { format!("found `{visible}`") }
    }

    pub fn expected(&mut self, what: &str) -> GoalError {
        let found = self.found();
        self.fault(self.at, format!("expected {what}: {found}"), None)
    }

    pub fn comparison(&mut self) -> Option<ComparisonOperator> {
        // Longer symbols stand first; a single `=` is taken for `==`.
        let symbol = |comparison: &ComparisonOperator| self.eat(comparison.symbol());
        ComparisonOperator::ALL.into_iter().find(symbol).or_else(|| self.eat("=").then_some(ComparisonOperator::Equal))
    }

    /// A number of zero or more and the unit behind it, which may be empty.
    pub fn quantity(&mut self) -> Result<(f64, &'a str), GoalError> {
        let offset = self.skip_space();
        let mut digits = self.take_while(|c| c.is_ascii_digit() || c == '.' || c == '_').len();
        let exponent = self.rest().strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['-', '+']).unwrap_or(rest));
        if let Some(rest) = exponent.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            self.at += self.rest().len() - rest.len();
            self.take_while(|c| c.is_ascii_digit());
            digits = self.at - offset;
        }
        let number = self.text[offset..offset + digits].replace('_', "");
        let Some(number) = number.parse().ok().filter(|number: &f64| number.is_finite()) else {
            self.at = offset;
            return Err(self.expected("a number of zero or more, with its unit"));
        };
        let end = self.at;
        self.skip_space();
        // A word of the grammar behind a bare value is no unit.
        if ["and", "where", "per"].iter().any(|word| self.rest().starts_with(word)) {
            self.at = end;
            return Ok((number, ""));
        }
        Ok((number, self.take_while(|c| c.is_alphabetic() || c == '%' || c == '/')))
    }

    pub fn end(&mut self) -> Result<(), GoalError> {
        let offset = self.skip_space();
        if self.rest().is_empty() {
            return Ok(());
        }
        let found = self.found();
        Err(self.fault(offset, format!("nothing may follow here, {found}"), None))
    }
}
