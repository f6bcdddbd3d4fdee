//! Names and quantities as Slurm and Kubernetes write them: a text in; out, whether it is one, or what it stands for.

/// What may stand in an option of `#SBATCH`: one word that no shell would change.
pub fn is_option_value(text: &str) -> bool {
    let usable = |c: char| c.is_ascii_alphanumeric() || "_.:,=/@%+*&|()[]-".contains(c);
    !text.is_empty() && text.chars().all(usable) && !text.starts_with('-')
}

/// Names of partitions, accounts and their like, separated by commas.
pub fn is_name_list(text: &str) -> bool {
    let name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    text.split(',').all(name) && !text.starts_with('-')
}

/// Memory as Slurm takes it: `64G`.
pub fn is_slurm_memory(text: &str) -> bool {
    let number = text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(text);
    is_number(number)
}

/// The seconds of a time limit as Slurm writes it: minutes, `M:S`, `H:M:S`, `D-H`, `D-H:M` or `D-H:M:S`.
pub fn slurm_seconds(text: &str) -> Option<u64> {
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(number(days)?), rest),
        None => (None, text),
    };
    let parts = rest.split(':').map(number).collect::<Option<Vec<u64>>>()?;
    let (hours, minutes, seconds) = match (days, parts.as_slice()) {
        (None, [minutes]) => (0, *minutes, 0),
        (None, [minutes, seconds]) => (0, *minutes, *seconds),
        (Some(_), [hours]) => (*hours, 0, 0),
        (Some(_), [hours, minutes]) => (*hours, *minutes, 0),
        (_, [hours, minutes, seconds]) => (*hours, *minutes, *seconds),
        _ => return None,
    };
    Some(((days.unwrap_or(0) * 24 + hours) * 60 + minutes) * 60 + seconds)
}

/// A label of DNS, as namespaces are named: `team-a`.
pub fn is_dns_label(text: &str) -> bool {
    let usable = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= 63 && text.chars().all(usable) && begins_and_ends_plain(text)
}

/// Labels of DNS with dots between, as claims and secrets are named.
pub fn is_dns_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// The key of a label or the name of a resource: `nvidia.com/gpu`.
pub fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_name(prefix) && !name.is_empty() && is_label_value(name),
        None => !text.is_empty() && is_label_value(text),
    }
}

/// The value of a label: at most 63 letters, digits, `-`, `_` and `.`.
pub fn is_label_value(text: &str) -> bool {
    let usable = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.is_empty() || text.len() <= 63 && text.chars().all(usable) && begins_and_ends_plain(text)
}

/// A variable of the environment.
pub fn is_variable(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && text.starts_with(|c: char| !c.is_ascii_digit())
}

/// A quantity as Kubernetes writes it: `500m`, `1.5`, `64Gi`.
pub fn is_quantity(text: &str) -> bool {
    let units = ["Ki", "Mi", "Gi", "Ti", "Pi", "m", "k", "M", "G", "T", "P"];
    let amount = units.iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
    match amount.split_once('.') {
        Some((whole, part)) => is_number(whole) && is_number(part),
        None => is_number(amount),
    }
}

/// An image: a name, and a tag or a digest: `registry.example.com:5000/team/bench:1.2`.
pub fn is_image(text: &str) -> bool {
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    let is_digest =
        |digest: &str| digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit()));
    let last = rest.rsplit('/').next().unwrap_or_default();
    let (name, tag) = match last.split_once(':') {
        Some((name, tag)) => (&rest[..rest.len() - last.len() + name.len()], Some(tag)),
        None => (rest, None),
    };
    let is_tag = |tag: &str| !tag.is_empty() && tag.len() <= 128 && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    let mut parts = name.split('/').rev();
    let is_part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
            && begins_and_ends_plain(part)
    };
    let is_host = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".:-".contains(c));
    let is_name = parts.next().is_some_and(is_part) && parts.all(|part| is_part(part) || is_host(part));
    is_name && tag.is_none_or(is_tag) && digest.is_none_or(is_digest)
}

/// What a Kubernetes job may be named after: lower case, at most `longest` characters.
pub fn dns_label_of(text: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let plain: String = text.chars().map(plain).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let label: String = words.join("-").chars().take(longest).collect();
    let label = label.trim_end_matches('-');
    if label.is_empty() { "sweep".to_owned() } else { label.to_owned() }
}

fn begins_and_ends_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(plain) && text.ends_with(plain)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 18 && text.chars().all(|c| c.is_ascii_digit())
}

fn number(text: &str) -> Option<u64> {
    // Far more than any limit, and its seconds are still a number.
    text.parse().ok().filter(|number| is_number(text) && *number <= 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_limits_are_read_in_every_form_that_slurm_takes() {
        let forms = [("90", 5400), ("5:30", 330), ("04:00:00", 14_400), ("1-0", 86_400), ("1-2:30", 95_400), ("2-00:00:01", 172_801)];
        for (text, seconds) in forms {
            assert_eq!(slurm_seconds(text), Some(seconds), "{text}");
        }
        for text in ["", "4h", "1:2:3:4", "-1", "1-", "1.5", "UNLIMITED", "1-2:3:4:5", "99999999999"] {
            assert_eq!(slurm_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn images_have_a_name_and_perhaps_a_tag_or_a_digest() {
        let digest = format!("bench@sha256:{}", "a".repeat(64));
        for image in ["bench", "bench:1.2", "registry.example.com:5000/team/bench:latest", "localhost:5000/bench", digest.as_str()] {
            assert!(is_image(image), "{image}");
        }
        for image in ["", ":latest", "bench:", "Bench", "a b", "bench@sha256:12", "registry.example.com/", "a//b", "bench:a:b"] {
            assert!(!is_image(image), "{image}");
        }
    }

    #[test]
    fn names_and_quantities_are_told_from_what_is_none() {
        assert!(is_name_list("gpu,h200-long") && !is_name_list("gpu h200") && !is_name_list("gpu,,long") && !is_name_list("-gpu"));
        assert!(is_option_value("gpu:h200:2") && is_option_value("[a|b]") && !is_option_value("a b") && !is_option_value("$(id)"));
        assert!(is_slurm_memory("64G") && is_slurm_memory("0") && !is_slurm_memory("64Gi") && !is_slurm_memory("G"));
        assert!(is_dns_label("team-a") && !is_dns_label("Team") && !is_dns_label("-a") && !is_dns_label(""));
        assert!(is_label_key("nvidia.com/gpu.product") && !is_label_key("/gpu") && !is_label_key("a/b/c") && !is_label_key(""));
        assert!(is_label_value("NVIDIA-H200") && is_label_value("") && !is_label_value("a b"));
        assert!(is_quantity("500m") && is_quantity("1.5") && is_quantity("64Gi") && !is_quantity("64GB") && !is_quantity("-1"));
        assert!(is_variable("HF_TOKEN") && !is_variable("1A") && !is_variable("A-B") && !is_variable(""));
        assert_eq!(dns_label_of("Qwen_2.5 night!", 8), "qwen-2-5");
        assert_eq!(dns_label_of("___", 8), "sweep");
    }
}
