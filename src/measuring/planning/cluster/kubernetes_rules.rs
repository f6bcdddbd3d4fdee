//! What the types of `[kubernetes]` cannot say: what an API server would refuse, and pods that would run as root.

use std::collections::BTreeSet;

use super::names::{is_dns_label, is_dns_name, is_image, is_label_key, is_label_value, is_quantity, is_variable};
use super::spec::{KubernetesSpec, ResourceQuantity, TolerationOperator};
use crate::planning::scenario::SettingsFile;

const DNS_HINT: &str = "lower-case letters, digits and `-`: `team-a`";
const LABEL_HINT: &str = "letters, digits, `-`, `_` and `.`, at most 63";

pub fn check(spec: &KubernetesSpec, file: &mut SettingsFile) {
    named(spec, file);
    placed(spec, file);
    resources(spec, file);
    volumes(spec, file);
    environment(spec, file);
}

fn named(spec: &KubernetesSpec, file: &mut SettingsFile) {
    if let Some(image) = spec.image.as_deref().filter(|image| !is_image(image)) {
        let message = format!("`kubernetes.image` is the name of an image with its tag or digest, not `{image}`");
        file.fault(&["kubernetes", "image"], message, "as `registry.example.com/team/bench-vllm:1.0`");
    }
    if let Some(namespace) = spec.namespace.as_deref().filter(|name| !is_dns_label(name)) {
        file.fault(&["kubernetes", "namespace"], format!("`kubernetes.namespace` cannot be `{namespace}`"), DNS_HINT);
    }
    for (field, value) in [("queue", &spec.queue), ("service_account", &spec.service_account)] {
        if let Some(value) = value.as_deref().filter(|value| !is_dns_name(value)) {
            file.fault(&["kubernetes", field], format!("`kubernetes.{field}` cannot be `{value}`"), DNS_HINT);
        }
    }
    for (field, secrets) in [("pull_secrets", &spec.pull_secrets), ("env_from", &spec.env_from)] {
        for (number, secret) in secrets.iter().enumerate().filter(|(_, secret)| !is_dns_name(secret)) {
            file.fault(&["kubernetes", field, &number.to_string()], format!("no secret is named `{secret}`"), DNS_HINT);
        }
    }
    if spec.program.first().is_none_or(String::is_empty) {
        file.fault(&["kubernetes", "program"], "`kubernetes.program` holds no word that starts a program", "as `[\"bench\"]`");
    }
    for (field, value) in [("working_dir", &spec.working_dir), ("scenario", &spec.scenario)] {
        if let Some(value) = value.as_deref().filter(|value| !value.starts_with('/')) {
            let message = format!("`kubernetes.{field}` is a path in the pods that begins with `/`, not `{value}`");
            file.fault(&["kubernetes", field], message, format!("as `/scenarios/{value}`"));
        }
    }
    if spec.parallelism == Some(0) {
        file.fault(
            &["kubernetes", "parallelism"],
            "`kubernetes.parallelism` is 1 or more, not 0",
            "leave it out to run all blocks at once",
        );
    }
    if spec.user == 0 {
        file.fault(&["kubernetes", "user"], "`kubernetes.user` is never root's 0", "any other number, as 1000");
    }
}

fn placed(spec: &KubernetesSpec, file: &mut SettingsFile) {
    for (key, value) in &spec.node_selector {
        if !is_label_key(key) || !is_label_value(value) {
            let message = format!("`kubernetes.node_selector` holds labels of nodes, and `{key} = {value}` is none");
            file.fault(&["kubernetes", "node_selector", key], message, LABEL_HINT);
        }
    }
    for (number, toleration) in spec.tolerations.iter().enumerate() {
        let place = number.to_string();
        let path = ["kubernetes", "tolerations", place.as_str()];
        match (toleration.operator, &toleration.value) {
            (TolerationOperator::Exists, Some(value)) => {
                file.fault(
                    &path,
                    format!("a toleration with operator `Exists` has no value, and here it is `{value}`"),
                    "write `operator = \"Equal\"`",
                );
            }
            (TolerationOperator::Equal, None) => {
                file.fault(&path, "a toleration with operator `Equal` needs `value`", "or write `operator = \"Exists\"` for any value");
            }
            _ => {}
        }
    }
}

fn resources(spec: &KubernetesSpec, file: &mut SettingsFile) {
    for (name, quantity) in &spec.resources {
        let path = ["kubernetes", "resources", name.as_str()];
        let text = quantity.to_string();
        if !is_label_key(name) {
            file.fault(&path, format!("`{name}` is no resource of a node"), "as `cpu`, `memory` or `\"nvidia.com/gpu\"`");
        } else if name.contains('/') && text.parse::<u64>().is_err() {
            file.fault(&path, format!("`{name}` is given whole, not as `{text}`"), "a whole number, as 1");
        } else if !is_quantity(&text) {
            quantity_fault(file, &path, &text);
        }
    }
    if let Some(ResourceQuantity::Text(text)) = spec.shared_memory.as_ref().filter(|size| !is_quantity(&size.to_string())) {
        quantity_fault(file, &["kubernetes", "shared_memory"], text);
    }
}

fn quantity_fault(file: &mut SettingsFile, path: &[&str], text: &str) {
    file.fault(
        path,
        format!("`{}` is no quantity of Kubernetes: `{text}`", path.join(".")),
        "a number, or one with a unit: `500m`, `64Gi`",
    );
}

fn volumes(spec: &KubernetesSpec, file: &mut SettingsFile) {
    let mut mounts = BTreeSet::new();
    for (number, volume) in spec.volumes.iter().enumerate() {
        let number = number.to_string();
        if !is_dns_name(&volume.claim) {
            let message = format!("no claim of a volume is named `{}`", volume.claim);
            file.fault(&["kubernetes", "volumes", &number, "claim"], message, DNS_HINT);
        }
        let path = ["kubernetes", "volumes", &number, "mount"];
        if !volume.mount.starts_with('/') || volume.mount.contains(':') {
            file.fault(&path, format!("a volume is mounted at a path that begins with `/`, not at `{}`", volume.mount), "as `/results`");
        } else if !mounts.insert(volume.mount.trim_end_matches('/')) {
            file.fault(&path, format!("two volumes are mounted at `{}`", volume.mount), "give each a path of its own");
        }
    }
}

fn environment(spec: &KubernetesSpec, file: &mut SettingsFile) {
    for (section, name) in spec.env.keys().map(|name| ("env", name)).chain(spec.secrets.keys().map(|name| ("secrets", name))) {
        if !is_variable(name) {
            let message = format!("`{name}` cannot name a variable of the environment");
            file.fault(&["kubernetes", section, name], message, "letters, digits and `_`, not beginning with a digit");
        }
    }
    for (name, key) in &spec.secrets {
        if spec.env.contains_key(name) {
            let message = format!("`{name}` is in `kubernetes.env` and in `kubernetes.secrets`");
            file.fault(&["kubernetes", "secrets", name], message, "keep it in one of them; keys belong into secrets");
        }
        if !is_dns_name(&key.secret) {
            let message = format!("no secret is named `{}`", key.secret);
            file.fault(&["kubernetes", "secrets", name, "secret"], message, DNS_HINT);
        }
        if key.key.is_empty() || !is_label_value(&key.key) {
            file.fault(&["kubernetes", "secrets", name, "key"], format!("no key of a secret is named `{}`", key.key), LABEL_HINT);
        }
    }
}
