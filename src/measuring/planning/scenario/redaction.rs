//! What looks like a secret in a text that is shown beside a fault, replaced by as many stars: a key that was written where none belongs
//! would otherwise end in the log of whoever had it checked. Guesses by names and by looks; it may star out too much.

/// Parts of names whose values are secrets: in front of `=` or `:`.
const NAMES: [&str; 10] =
    ["api_key", "api-key", "apikey", "authorization", "password", "passwd", "secret", "credentials", "cookie", "access_token"];
/// What the keys of well-known services begin with, and what comes before a key in a header.
const BEGINNINGS: [&str; 8] = ["sk-", "hf_", "ghp_", "github_pat_", "glpat-", "xoxb-", "Bearer ", "Basic "];

/// The text with what looks like a secret starred out. As long as it was, in bytes, and with the same lines.
pub fn starred(text: &str) -> String {
    text.split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> String {
    let mut out = line.to_owned();
    if let Some(colon) = line.find("://") {
        let authority = &line[colon + 3..];
        let end = authority.find(|c: char| c.is_whitespace() || "/?#\"'".contains(c)).unwrap_or(authority.len());
        if let Some(at) = authority[..end].rfind('@') {
            star(&mut out, colon + 3, colon + 3 + at);
        }
        let end = authority.find(|c: char| c.is_whitespace() || "\"'".contains(c)).unwrap_or(authority.len());
        if let Some(query) = authority[..end].find('?') {
            star(&mut out, colon + 4 + query, colon + 3 + end);
        }
    }
    let lower = line.to_ascii_lowercase();
    for name in NAMES {
        if let Some(found) = lower.find(name)
            && let Some(sign) = line[found..].find(['=', ':'])
        {
            let key = &lower[found..found + sign];
            let value = found + sign + 1;
            // Of a file or a command the secret is what it holds, and of a variable its name may be shown where it is one.
            let is_place = key.contains("_file") || key.contains("_command") || (key.contains("_env") && is_variable(&line[value..]));
            if !is_place {
                star(&mut out, value, line.len());
            }
        }
    }
    for beginning in BEGINNINGS {
        for (start, _) in line.match_indices(beginning) {
            let is_word = line[..start].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
            let rest = &line[start + beginning.len()..];
            let length = rest.find(|c: char| c.is_whitespace() || "\"',]}".contains(c)).unwrap_or(rest.len());
            if is_word && !rest.starts_with('$') {
                star(&mut out, start, start + beginning.len() + length);
            }
        }
    }
    out
}

/// Whether a value is what names of variables look like: `OPENAI_API_KEY`.
pub fn is_variable(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    value.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') && value.chars().all(is_part)
}

/// Puts stars from one byte to another, but for white space, quotes, braces and what comes from the environment.
fn star(text: &mut String, from: usize, to: usize) {
    let mut starred = String::with_capacity(text.len());
    let mut in_variable = false;
    for (at, character) in text.char_indices() {
        in_variable = (in_variable && character != '}') || text[at..].starts_with("${");
        let is_kept = !(from..to).contains(&at) || in_variable || character.is_whitespace() || "\"'[]{},".contains(character);
        if is_kept { starred.push(character) } else { starred.extend(std::iter::repeat_n('*', character.len_utf8())) }
    }
    *text = starred;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_starred_out_and_all_else_is_left() {
        for (text, expected) in [
            (r#"Authorization = "Bearer sk-12""#, r#"Authorization = "****** *****""#),
            (r#"api_key = "hush""#, r#"api_key = "****""#),
            (r#"api_key_env = "sk-123""#, r#"api_key_env = "******""#),
            (r#"api_key_env = "MY_KEY""#, r#"api_key_env = "MY_KEY""#),
            (r#"api_key_file = "key.txt""#, r#"api_key_file = "key.txt""#),
            (r#"url = "http://me:hush@h:1/v1""#, r#"url = "http://*******@h:1/v1""#),
            ("http://h/v1?key=hush", "http://h/v1?********"),
            (r#"x-note = "sk-hush", y = 1"#, r#"x-note = "*******", y = 1"#),
            (r#"authorization = "Bearer ${KEY}""#, r#"authorization = "****** ${KEY}""#),
            ("  password: höf", "  password: ****"),
            ("tokens = 5 # task-list", "tokens = 5 # task-list"),
        ] {
            assert_eq!(starred(text), expected);
        }
    }

    #[test]
    fn the_text_keeps_its_length_and_its_lines() {
        let text = "a = 1\napi_key = \"häsh\"\r\nb = 2\n";
        let shown = starred(text);
        assert_eq!((shown.len(), shown.matches('\n').count()), (text.len(), 3));
        assert!(shown.starts_with("a = 1\n") && shown.ends_with("b = 2\n") && !shown.contains("sh"), "{shown}");
    }
}
