//! `docs/cluster.md` tells of every field of a site's file, and the one that ships has no faults.

use bench::planning::cluster::{ClusterSpec, read_cluster};
use std::path::Path;

/// The fields in the table under a heading.
fn documented(section: &str) -> Vec<String> {
    let text = fs_err::read_to_string("docs/cluster.md").unwrap();
    let table = text.split_once(&format!("### `[{section}]`\n")).unwrap().1.split("\n#").next().unwrap().to_owned();
    table.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned())).collect()
}

#[test]
fn every_field_of_a_site_is_in_the_document_in_the_order_of_the_type() {
    let fields = serde_json::to_value(ClusterSpec::default()).unwrap();
    for section in ["slurm", "kubernetes"] {
        let names: Vec<String> = fields[section].as_object().unwrap().keys().cloned().collect();
        let mut documented = documented(section);
        documented.sort();
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(documented, sorted, "{section}");
    }
}

#[test]
fn the_site_that_ships_has_no_faults_and_says_most_there_is() {
    let spec = read_cluster(Path::new("templates/cluster/cluster.toml")).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(spec.slurm.gres.is_some() && spec.kubernetes.image.is_some() && spec.kubernetes.resources.len() == 3);
}
