//! `docs/scenario.md` tells of every field of the schema, with its default.

use std::collections::BTreeMap;
use std::path::Path;

use bench::planning::plan::Plan;
use bench::planning::scenario::{ScenarioOverrides, load_text, load_text_with};
use serde_json::Value;

/// The tables of the document: under each heading, the rows by the name in their first column.
fn documented() -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let text = fs_err::read_to_string("docs/scenario.md").unwrap();
    let mut tables: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    let mut heading = String::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix('#') {
            title.trim_start_matches('#').trim().clone_into(&mut heading);
        } else if let Some(row) = line.strip_prefix("| `") {
            let cells: Vec<String> = format!("`{row}").trim_end_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
            let name = cells[0].trim_matches('`').to_owned();
            tables.entry(heading.clone()).or_default().insert(name, cells);
        }
    }
    tables
}

/// The schema's tables by the headings under which they are told.
fn sections(schema: &Value) -> Vec<(&'static str, &Value)> {
    let at = |pointer: &str| schema.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    vec![
        ("The document", at("/properties")),
        ("`[search]`", at("/definitions/SearchSpec/properties")),
        ("`[workload]` of kind `document_qa`", at("/definitions/document_qa/properties")),
        ("`[workload]` of kind `chat`", at("/definitions/chat/properties")),
        ("`[workload]` of kind `requests`", at("/definitions/requests/properties")),
        ("`[workload]` of kind `sessions`", at("/definitions/sessions/properties")),
        ("`[target]`", at("/definitions/TargetSpec/properties")),
        ("`[engine]`", at("/definitions/EngineSpec/properties")),
        ("Cache tiers", at("/definitions/TierSpec/properties")),
        ("Faults on purpose", at("/definitions/FaultSpec/properties")),
        ("`[server]`", at("/definitions/ServerSpec/properties")),
        ("`[[server.before]]`", at("/definitions/ProcessSpec/properties")),
        ("`server.ready`", at("/definitions/ReadySpec/properties")),
        ("`server.stop`", at("/definitions/StopSpec/properties")),
        ("`server.watch`", at("/definitions/WatchSpec/properties")),
        ("`[matrix]`", at("/definitions/Matrix/properties")),
        ("`[[goals]]`", at("/definitions/GoalSpec/properties")),
        ("`[[plots]]`", at("/definitions/PlotSpec/properties")),
    ]
}

/// A default as the document writes it.
fn as_written(default: &Value) -> String {
    match default {
        Value::Object(table) => {
            let fields: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {}", as_written(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => {
            format!("{:.0}", number.as_f64().unwrap_or(0.0))
        }
        other => other.to_string(),
    }
}

#[test]
fn every_field_of_the_schema_is_documented_with_its_default_and_nothing_else_is() {
    let schema = bench::planning::scenario::schema();
    let documented = documented();
    let mut wrong = Vec::new();
    for (heading, properties) in sections(&schema) {
        let Some(rows) = documented.get(heading) else {
            wrong.push(format!("no heading {heading}"));
            continue;
        };
        let mut properties = properties.as_object().unwrap().clone();
        // The axes of a matrix are the fields of the other sections.
        properties.retain(|_, property| property.pointer("/allOf/0/$ref").is_none_or(|target| target != "#/definitions/AxisValues"));
        for (name, property) in &properties {
            let Some(row) = rows.get(name) else {
                wrong.push(format!("{heading}: `{name}` is missing"));
                continue;
            };
            let default = property.get("default").map(|default| format!("`{}`", as_written(default)));
            let expected = default.as_deref().unwrap_or("-");
            if row.len() != 5 || (row[2] != expected && !(expected == "-" && row[2] == "required")) {
                wrong.push(format!("{heading}: `{name}` has the default {expected}, and the row says {row:?}"));
            }
        }
        for name in rows.keys().filter(|name| !properties.contains_key(*name)) {
            wrong.push(format!("{heading}: `{name}` is no field"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_scenario_in_the_document_can_be_planned() {
    let text = fs_err::read_to_string("docs/scenario.md").unwrap();
    let mut blocks = 0;
    for block in text.split("```toml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let workload = if block.contains("[workload]") { "" } else { "workload = { kind = \"document_qa\" }\n" };
        let whole = format!("{workload}{block}");
        let scenario =
            load_text(Path::new("block.toml"), &whole, &ScenarioOverrides::default()).unwrap_or_else(|faults| panic!("{whole}\n{faults}"));
        Plan::new(&scenario).unwrap_or_else(|error| panic!("{whole}\n{error}"));
        blocks += 1;
    }
    assert!(blocks >= 4);
}

#[test]
fn every_example_of_a_field_is_accepted() {
    for (heading, rows) in documented() {
        let Some((section, kind)) = section_of(&heading) else { continue };
        for (name, row) in rows {
            let table = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
            let kind = match kind {
                "kind = \"requests\"\n" if name == "kind" => beside("kind").to_owned(),
                "kind = \"requests\"\n" => format!("{kind}{}", beside(&name)),
                kind => kind.lines().filter(|line| !line.starts_with(&format!("{name} "))).flat_map(|line| [line, "\n"]).collect(),
            };
            let workload = if section == "workload" { "" } else { "workload = { kind = \"document_qa\" }\n" };
            let text = format!("{workload}{table}{kind}{name} = {}\n", row[3].trim_matches('`'));
            let needed = |field: &str, value: &str| {
                if heading == "`[[server.before]]`" && name != field { format!("{field} = {value}\n") } else { String::new() }
            };
            let text = text + &needed("name", "\"cache\"") + &needed("command", "[\"cache\"]");
            let lookup = |_: &str| Some("value".to_owned());
            if let Err(faults) = load_text_with(Path::new("example.toml"), &text, &ScenarioOverrides::default(), &lookup) {
                // Files of examples need not be there.
                let missing = faults.iter().all(|fault| fault.message.contains("there is no") || fault.message.contains("cannot read"));
                assert!(missing, "{text}\n{faults}");
            }
        }
    }
}

#[test]
fn the_schema_refuses_a_zero_wherever_the_reader_does_and_nowhere_else() {
    let schema = bench::planning::scenario::schema();
    let mut wrong = Vec::new();
    for kind in ["document_qa", "chat", "requests"] {
        for (name, field) in schema["definitions"][kind]["properties"].as_object().unwrap() {
            let quantity = field
                .pointer("/allOf/0/$ref")
                .and_then(Value::as_str)
                .is_some_and(|target| target.ends_with("/Tokens") || target.ends_with("/Seconds"));
            let is_number = field["type"] == "integer" || field["type"] == "number" || quantity;
            if !is_number {
                continue;
            }
            let beside = if kind == "requests" { beside(name) } else { "" };
            let others: Vec<&str> = beside.lines().filter(|line| !line.starts_with(&format!("{name} "))).collect();
            let text = format!("[workload]\nkind = \"{kind}\"\n{}\n{name} = 0\n", others.join("\n"));
            let read = load_text(Path::new("zero.toml"), &text, &ScenarioOverrides::default());
            let refused = read.is_err_and(|faults| faults.iter().any(|fault| fault.message.contains(&format!("workload.{name}`"))));
            let in_schema = field["minimum"].as_f64().is_some_and(|least| least > 0.0) || field["exclusiveMinimum"].as_f64() == Some(0.0);
            if refused != in_schema {
                wrong.push(format!("{kind}.{name}: the reader refuses 0: {refused}, the schema: {in_schema}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What single requests need beside this field.
fn beside(name: &str) -> &'static str {
    match name {
        "burstiness" => "arrival = \"gamma\"\nduration = 60\n",
        "trace" => "arrival = \"trace\"\n",
        "repeat_prompts" => "prompts = \"no-such.jsonl\"\nduration = 60\n",
        "trace_unit" | "speed_up" | "block_tokens" => "arrival = \"trace\"\ntrace = \"no-such.jsonl\"\n",
        "concurrency" => "arrival = \"closed\"\nduration = 60\n",
        "think_time" => "arrival = \"closed\"\nconcurrency = 8\nduration = 60\n",
        "duration" => "",
        _ => "duration = 60\n",
    }
}

/// The section whose fields stand under a heading, and what its kind has to be.
fn section_of(heading: &str) -> Option<(&'static str, &'static str)> {
    match heading {
        "`[workload]` of kind `document_qa`" => Some(("workload", "kind = \"document_qa\"\n")),
        "`[workload]` of kind `chat`" => Some(("workload", "kind = \"chat\"\n")),
        "`[workload]` of kind `requests`" => Some(("workload", "kind = \"requests\"\n")),
        "`[workload]` of kind `sessions`" => Some(("workload", "sessions = \"no-such.jsonl\"\nkind = \"sessions\"\n")),
        "`[target]`" => Some(("target", "")),
        "`[engine]`" => Some(("engine", "")),
        "`[server]`" => Some(("server", "command = [\"vllm\"]\n")),
        "`server.ready`" => Some(("server", "command = [\"vllm\"]\n[server.ready]\n")),
        "`server.stop`" => Some(("server", "command = [\"vllm\"]\n[server.stop]\n")),
        "`[[server.before]]`" => Some(("server", "command = [\"vllm\"]\n[[server.before]]\n")),
        _ => None,
    }
}
