//! What servers do whose prefill and decode are apart, by their pages: samples in, a role for each page that tells one.
//!
//! SGLang tells it by a label of all its metrics, Dynamo by the component of its prefill workers, and of vLLM a scenario says it.

use std::collections::BTreeMap;

use crate::analysis::summary::ServerRole;
use crate::records::record::ServerSample;

/// The role of each page, by its source. A page that tells of both, as one of a frontend may, has none.
pub fn roles(samples: &[ServerSample]) -> BTreeMap<&str, ServerRole> {
    let mut told: BTreeMap<&str, Option<ServerRole>> = BTreeMap::new();
    for sample in samples {
        if let Some(role) = role(sample) {
            told.entry(&sample.source).and_modify(|one| *one = one.filter(|one| *one == role)).or_insert(Some(role));
        }
    }
    told.into_iter().filter_map(|(source, role)| Some((source, role?))).collect()
}

/// The role that one sample tells.
fn role(sample: &ServerSample) -> Option<ServerRole> {
    let label = match &*sample.name {
        ServerSample::ROLE => "role",
        name if name.starts_with("sglang:") => "engine_type",
        // Its decode workers are called `backend`, as those are that do both.
        _ => "dynamo_component",
    };
    match &*sample.label(label)? {
        "prefill" => Some(ServerRole::Prefill),
        "decode" => Some(ServerRole::Decode),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(source: &str, name: &str, labels: &str) -> ServerSample {
        ServerSample { source: source.into(), name: name.into(), labels: labels.into(), value: 1.0, ..ServerSample::default() }
    }

    #[test]
    fn each_engine_tells_its_role_by_its_own_label_and_what_tells_of_both_has_none() {
        let told = [
            sample("a", "sglang:num_running_reqs", r#"{engine_type="prefill",tp_rank="0"}"#),
            sample("b", "sglang:num_running_reqs", r#"{engine_type="decode"}"#),
            sample("c", "sglang:num_running_reqs", r#"{engine_type="unified"}"#),
            sample("d", "vllm:num_requests_running", r#"{dynamo_component="prefill",engine="0"}"#),
            sample("e", "vllm:num_requests_running", r#"{dynamo_component="backend",engine="0"}"#),
            sample("f", "server_role", r#"{role="decode"}"#),
            sample("g", "dynamo_component_requests_total", r#"{dynamo_component="prefill"}"#),
            sample("g", "dynamo_component_requests_total", r#"{dynamo_component="decode"}"#),
            sample("h", "vllm:num_requests_running", r#"{engine="0"}"#),
        ];
        let expected = [("a", ServerRole::Prefill), ("b", ServerRole::Decode), ("d", ServerRole::Prefill), ("f", ServerRole::Decode)];
        assert_eq!(roles(&told), BTreeMap::from(expected));
    }
}
