//! `${NAME}` in texts: replaced by the environment's value, with the text as written kept beside it for everything that is shown or saved.

use super::diagnostic::{ScenarioDiagnostic, ScenarioError};
use super::document::{ScenarioNode, ScenarioText, ScenarioValue};
use super::secret::EnvironmentSecret;
use super::source::SourceSpan;

/// Looks up an environment variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces `${NAME}` in every text below `node`; `$${` stands for `${` itself. A variable that is not set is a fault.
pub fn expand(node: &mut ScenarioNode, lookup: Lookup<'_>, faults: &mut ScenarioError) {
    match &mut node.value {
        // What is hidden already came from elsewhere, and stands as it is.
        ScenarioValue::Text(text) if text.secret.is_none() && text.value.contains("${") => {
            if let Some(expanded) = expand_text(&text.value, node.place, lookup, faults) {
                *text = expanded;
            }
        }
        ScenarioValue::List(items) => items.iter_mut().for_each(|item| expand(item, lookup, faults)),
        ScenarioValue::Table(table) => table.entries.iter_mut().for_each(|entry| expand(&mut entry.node, lookup, faults)),
        _ => {}
    }
}

/// Finds `${NAME}` where it may not stand: in what is shown and saved by its nature.
pub fn refuse(node: &ScenarioNode, name: &str, faults: &mut ScenarioError) {
    let mut found = false;
    node.texts(&mut Vec::new(), &mut |_, text| found |= text.value.contains("${"));
    if found {
        let message = format!("`{name}` is shown and saved, so nothing from the environment may stand in it");
        faults.push(ScenarioDiagnostic::at(node.place, message));
    }
}

fn expand_text(text: &str, place: SourceSpan, lookup: Lookup<'_>, faults: &mut ScenarioError) -> Option<ScenarioText> {
    let mut value = String::with_capacity(text.len());
    let mut variables = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find("${") {
        if let Some(before) = rest[..dollar].strip_suffix('$') {
            value.push_str(before);
            value.push_str("${");
            rest = &rest[dollar + 2..];
            continue;
        }
        value.push_str(&rest[..dollar]);
        let Some(length) = rest[dollar..].find('}') else {
            faults.push(ScenarioDiagnostic::at(place, "`${` without its `}`").hint("write `$${` for the characters themselves"));
            return None;
        };
        let name = &rest[dollar + 2..dollar + length];
        let found = variable(name, place, lookup, faults)?;
        value.push_str(&found);
        faults.mask(&found, &format!("${{{name}}}"));
        variables.push((found, format!("${{{name}}}")));
        rest = &rest[dollar + length + 1..];
    }
    value.push_str(rest);
    let secret = (!variables.is_empty()).then(|| EnvironmentSecret::new(&value, text, variables));
    Some(ScenarioText { value, secret })
}

fn variable(name: &str, place: SourceSpan, lookup: Lookup<'_>, faults: &mut ScenarioError) -> Option<String> {
    let place = faults.sources.within(place, &format!("${{{name}}}"));
    let mut characters = name.chars();
    let valid = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_');
    if !valid {
        let fault = ScenarioDiagnostic::at(place, format!("`{name}` is no name of an environment variable"));
        faults.push(fault.hint("write `$${` for the characters themselves"));
        return None;
    }
    let found = lookup(name);
    if found.is_none() {
        let fault = ScenarioDiagnostic::at(place, format!("the environment variable `{name}` is not set"));
        faults.push(fault.hint(format!("set it for this command: `{name}=... bench ...`")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<ScenarioText, Vec<String>> {
        let mut faults = ScenarioError::default();
        let place = faults.sources.add("test.toml", text);
        let mut node = ScenarioNode::text(text, place);
        let lookup = |name: &str| (name == "HOST").then(|| "gpu7".to_owned());
        expand(&mut node, &lookup, &mut faults);
        if faults.is_empty() {
            Ok(node.as_text().unwrap().clone())
        } else {
            Err(faults.iter().map(|fault| fault.message.clone()).collect())
        }
    }

    #[test]
    fn a_variable_is_put_in_and_its_text_kept() {
        let text = expanded("http://${HOST}:80/$${HOST}").unwrap();
        assert_eq!(text.value, "http://gpu7:80/${HOST}");
        assert_eq!(text.shown(), "http://${HOST}:80/$${HOST}");
        assert_eq!(expanded("costs $5").unwrap(), ScenarioText::plain("costs $5"));
        assert_eq!(expanded("$${HOST}").unwrap(), ScenarioText::plain("${HOST}"));
    }

    #[test]
    fn no_fault_that_follows_shows_a_value() {
        let mut faults = ScenarioError::default();
        let place = faults.sources.add("test.toml", "${HOST}");
        let mut node = ScenarioNode::text("${HOST}", place);
        expand(&mut node, &|_| Some("s3cr3t".to_owned()), &mut faults);
        faults.push(ScenarioDiagnostic::at(place, "`x2s3cr3t` is no step").hint("not s3cr3t"));
        let told: Vec<_> = faults.iter().map(|fault| (fault.message.as_str(), fault.hint.as_deref())).collect();
        assert_eq!(told, [("`x2${HOST}` is no step", Some("not ${HOST}"))]);
    }

    #[test]
    fn what_is_not_set_not_closed_or_no_name_is_a_fault() {
        assert_eq!(expanded("${NOTHING}").unwrap_err(), ["the environment variable `NOTHING` is not set"]);
        assert_eq!(expanded("${HOST").unwrap_err(), ["`${` without its `}`"]);
        assert_eq!(expanded("${HO ST}").unwrap_err(), ["`HO ST` is no name of an environment variable"]);
    }
}
