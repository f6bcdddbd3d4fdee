//! Which metrics are kept: the patterns of `watch.keep` in, yes or no for a name out.

/// Names with `*` for any characters, also none.
#[derive(Debug, Clone)]
pub struct MetricNameFilter(Vec<String>);

impl MetricNameFilter {
    pub fn new(patterns: &[String]) -> Self {
        Self(patterns.to_vec())
    }

    pub fn keeps(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| fits(pattern, name))
    }
}

/// What stands between the stars must come in its order: the first part at the head, the last at the end.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
    }
    name.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_everything_else_for_itself() {
        for (pattern, name, fitting) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("*", "vllm:x", true),
            ("vllm:num_requests_*", "vllm:num_requests_running", true),
            ("vllm:num_requests_*", "xvllm:num_requests_running", false),
            ("vllm:*kv_cache_usage_perc", "vllm:kv_cache_usage_perc", true),
            ("vllm:*kv_cache_usage_perc", "vllm:gpu_kv_cache_usage_perc", true),
            ("vllm:*prefix_cache_*_total", "vllm:external_prefix_cache_hits_total", true),
            ("vllm:*prefix_cache_*_total", "vllm:prefix_cache_hits_created", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*a", "abba", true),
            ("a**c", "abc", true),
            ("*ab*ab", "ab", false),
            ("[a]?", "[a]?", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, name), fitting, "{pattern} {name}");
        }
    }

    #[test]
    fn one_pattern_that_fits_is_enough() {
        let keep = MetricNameFilter::new(&["a*".into(), "*z".into()]);
        assert!(keep.keeps("ab") && keep.keeps("bz") && !keep.keeps("b"));
        assert!(!MetricNameFilter::new(&[]).keeps("a"));
    }
}
