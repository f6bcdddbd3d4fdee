//! Templates of job files: the built-in ones and a site's own. A field that does not exist is a fault of the template.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;

use crate::foundation::sentence::sentence;
use crate::vocabulary::template::quoted;

/// A template with the name under which its faults are told.
#[derive(Debug, Clone, Copy)]
pub struct JobTemplate<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

/// A template that makes no job file.
#[derive(Debug, thiserror::Error)]
#[error("{name}{}: {reason}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct JobTemplateError {
    pub name: String,
    pub line: Option<usize>,
    pub reason: String,
}

impl JobTemplate<'_> {
    /// Fills in the template.
    pub fn render(self, context: &impl Serialize) -> Result<String, JobTemplateError> {
        let text = self.rendered(context).map_err(|error| JobTemplateError {
            name: self.name.to_owned(),
            line: error.line(),
            reason: sentence(&error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)).into_owned(),
        })?;
        Ok(text.trim_end().to_owned() + "\n")
    }

    fn rendered(self, context: &impl Serialize) -> Result<String, Error> {
        let mut environment = Environment::new();
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // Its ending says nothing of how texts are to be escaped: filters do.
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_filter("shell", |text: String| quoted(&text));
        environment.add_filter("json", json);
        environment.add_filter("literal", literal);
        environment.render_named_str(self.name, self.text, minijinja::value::Serde(context))
    }
}

/// A value as JSON, which YAML reads as well.
#[expect(clippy::needless_pass_by_value, reason = "as filters are called")]
fn json(value: Value) -> Result<String, Error> {
    serde_json::to_string(&value).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// A text of several lines as YAML writes it, each line behind so many blanks; as JSON where YAML would change it.
fn literal(text: String, indent: usize) -> Result<String, Error> {
    let is_kept = text.ends_with('\n') && !text.ends_with("\n\n") && !text.starts_with([' ', '\n']) && text.lines().all(is_printable);
    if !is_kept {
        return json(Value::from(text));
    }
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!("{:indent$}{line}", "") });
    Ok(format!("|\n{}", lines.collect::<Vec<_>>().join("\n")))
}

fn is_printable(line: &str) -> bool {
    line.chars().all(|c| !c.is_control() && c != '\u{feff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(text: &str) -> Result<String, JobTemplateError> {
        let context = json!({ "word": "it's", "lines": "a: 1\n\nb: '2'\n", "tab": "a\tb\n", "none": null });
        JobTemplate { name: "site.sbatch", text }.render(&context)
    }

    #[test]
    fn words_are_quoted_for_shells_and_texts_for_yaml() {
        assert_eq!(rendered("{{ word|shell }} {{ word|json }}").unwrap(), "'it'\\''s' \"it's\"\n");
        assert_eq!(rendered("data:\n  x: {{ lines|literal(4) }}").unwrap(), "data:\n  x: |\n    a: 1\n\n    b: '2'\n");
        assert_eq!(rendered("{{ tab|literal(4) }}").unwrap(), "\"a\\tb\\n\"\n");
    }

    #[test]
    fn what_a_site_has_not_said_is_left_out_and_a_field_that_does_not_exist_is_a_fault_with_its_line() {
        assert_eq!(rendered("a\n{% if none %}\nb\n{% endif %}\nc").unwrap(), "a\nc\n");
        let error = rendered("a\n{{ partition }}").unwrap_err();
        assert_eq!((error.name.as_str(), error.line), ("site.sbatch", Some(2)), "{error}");
        assert!(rendered("{% if %}").unwrap_err().to_string().starts_with("site.sbatch:1: "));
    }
}
