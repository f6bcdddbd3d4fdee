//! Secrets and what they must never be: shown. Credentials are read here, and every text of a server goes through [`SecretValues::plain`]
//! before anybody sees it.

use std::fmt;

use reqwest::Url;

use super::EndpointError;
use crate::foundation::named_file::NamedFile;
use crate::vocabulary::spec::target::TargetSpec;

/// How much of a server's message is kept, in characters.
const SHOWN: usize = 300;
/// Words of header values shorter than this are not taken for secrets: replacing `1` or `true` everywhere would only garble messages.
const LEAST_SECRET: usize = 6;
const MASK: &str = "***";

/// The values that must not be shown, longest first.
#[derive(Clone, Default)]
pub(crate) struct SecretValues(Vec<String>);

impl SecretValues {
    /// Takes a value that is a secret as a whole.
    pub(super) fn add(&mut self, value: &str) {
        if !value.is_empty() {
            self.0.push(value.to_owned());
            self.0.sort_by_key(|value| std::cmp::Reverse(value.len()));
        }
    }

    /// Takes a header's value: the whole, and its words, since `Bearer` and the key are echoed apart.
    pub(super) fn add_header(&mut self, value: &str) {
        for part in std::iter::once(value).chain(value.split_whitespace()).filter(|part| part.len() >= LEAST_SECRET) {
            self.add(part);
        }
    }

    /// Takes what a URL may hold: a password, and keys in its query.
    pub(crate) fn add_url(&mut self, url: &Url) {
        self.add_header(url.password().unwrap_or_default());
        // A version is what everybody may see.
        for (_, value) in url.query_pairs().filter(|(name, _)| name != "api-version") {
            self.add_header(&value);
        }
    }

    /// Each value with what stands for it.
    pub(crate) fn masked(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|value| (value.clone(), MASK.to_owned()))
    }

    /// A text with its secrets masked, and nothing else changed.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, secret| if text.contains(secret.as_str()) { text.replace(secret.as_str(), MASK) } else { text })
    }

    /// The same values as they stand in a text that was turned into lower case.
    pub(crate) fn in_lower_case(&self) -> Self {
        Self(self.0.iter().map(|secret| secret.to_ascii_lowercase()).collect())
    }

    /// A text from outside as it may be shown: secrets masked, white space and control characters collapsed, at most 300 characters.
    pub(crate) fn plain(&self, text: &str) -> String {
        let text = self.hide(text);
        let mut plain = String::new();
        for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
            if !plain.is_empty() {
                plain.push(' ');
            }
            plain.push_str(word);
        }
        match plain.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &plain[..end]),
            None => plain,
        }
    }
}

impl fmt::Debug for SecretValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// The target's API key, trimmed, from where the scenario says it is.
pub(super) fn api_key(spec: &TargetSpec) -> Result<Option<String>, EndpointError> {
    let key = match (&spec.api_key_env, &spec.api_key_file, &spec.api_key_command) {
        (None, None, None) => return Ok(None),
        (Some(name), None, None) => std::env::var(name).map_err(|_| EndpointError::KeyVariable { name: name.clone() })?,
        (None, Some(path), None) => {
            NamedFile::ApiKey.read_text(path).map_err(|error| EndpointError::KeyFile { path: path.clone(), source: error.reason.into() })?
        }
        // It was run before, once, by who holds the sweep: an endpoint starts no programs.
        (None, None, Some(_)) => spec.api_key.as_ref().ok_or(EndpointError::KeyCommand)?.reveal().to_owned(),
        _ => return Err(EndpointError::TwoKeys),
    };
    match key.trim() {
        "" => Err(EndpointError::EmptyKey),
        key => Ok(Some(key.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_before_a_message_is_cut() {
        let mut secrets = SecretValues::default();
        secrets.add("sk-hush");
        secrets.add_header("Basic c2VjcmV0");
        let long = format!("{} sk-hush", "x".repeat(295));
        assert!(!secrets.plain(&long).contains("sk-"));
        assert_eq!(secrets.plain("key sk-hush, header Basic c2VjcmV0, part c2VjcmV0"), "key ***, header ***, part ***");
        assert!(!format!("{secrets:?}").contains("hush"));
    }

    #[test]
    fn short_words_of_headers_stay_readable() {
        let mut secrets = SecretValues::default();
        secrets.add_header("1 true");
        assert_eq!(secrets.plain("1 is true"), "1 is true");
    }

    #[test]
    fn messages_lose_control_characters_and_what_is_too_long() {
        let secrets = SecretValues::default();
        assert_eq!(secrets.plain(" two\r\n\tlines \u{1b}[31mred\0 "), "two lines [31mred");
        let cut = secrets.plain(&"ä".repeat(400));
        assert_eq!(cut.chars().count(), 301);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn a_key_is_read_from_a_file_and_trimmed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " sk-hush\n").unwrap();
        let spec: TargetSpec = serde_json::from_value(serde_json::json!({ "api_key_file": file.path() })).unwrap();
        assert_eq!(api_key(&spec).unwrap().as_deref(), Some("sk-hush"));
        std::fs::write(file.path(), "\n").unwrap();
        assert!(matches!(api_key(&spec), Err(EndpointError::EmptyKey)));
    }

    #[test]
    fn a_key_that_is_not_there_is_an_error_that_names_its_place() {
        let spec = |json| serde_json::from_value::<TargetSpec>(json).unwrap();
        let unset = api_key(&spec(serde_json::json!({ "api_key_env": "BENCH_TEST_NO_SUCH_KEY" }))).unwrap_err();
        assert!(unset.to_string().contains("BENCH_TEST_NO_SUCH_KEY"));
        let missing = api_key(&spec(serde_json::json!({ "api_key_file": "no/such/key" }))).unwrap_err();
        assert!(missing.to_string().contains("no/such/key"));
        let both = spec(serde_json::json!({ "api_key_env": "A", "api_key_file": "b" }));
        assert!(matches!(api_key(&both), Err(EndpointError::TwoKeys)));
        let unrun = spec(serde_json::json!({ "api_key_command": ["touch", "no-such-folder/started"] }));
        assert!(matches!(api_key(&unrun), Err(EndpointError::KeyCommand)));
        let run = TargetSpec { api_key: Some(crate::vocabulary::spec::target::ApiKey::new("sk-hush")), ..unrun };
        assert_eq!(api_key(&run).unwrap().as_deref(), Some("sk-hush"));
        assert!(!format!("{run:?} {}", serde_json::to_string(&run).unwrap()).contains("hush"));
    }
}
