//! The axes of a saved sweep as pictures need them: found by name, values in order, labels, and numbers where these are such.
//!
//! The variant counts as an axis too, so that it can be asked for by its name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::FigureError;
use crate::analysis::{Axes, AxisSummary, CellSummary, SweepSummary, axis_label, short};
use crate::foundation::units::{Bytes, BytesPerSecond, Seconds, Tokens};
use crate::plot::number;

/// The name under which the variants are an axis.
pub const VARIANT: &str = "variant";

/// Fields that are amounts of memory, and the one that is a rate of transfer: their labels carry the unit.
const BYTES: [&str; 2] = ["kv_memory", "capacity"];
const BANDWIDTH: &str = "bandwidth";

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct PlotAxis {
    /// The dotted path, or `variant`.
    pub path: String,
    /// Ascending where they are numbers, else in the scenario's order.
    pub values: Vec<Value>,
    /// The same in the base unit, where all are numbers or quantities of one kind.
    pub numbers: Option<Vec<f64>>,
}

impl PlotAxis {
    pub fn of(axis: &AxisSummary) -> Self {
        let mut values = axis.values.clone();
        let mut numbers = numbers(&values);
        if let Some(known) = &mut numbers {
            let mut order: Vec<usize> = (0..values.len()).collect();
            order.sort_by(|a, b| known[*a].total_cmp(&known[*b]));
            values = order.iter().map(|n| values[*n].clone()).collect();
            known.sort_by(f64::total_cmp);
        }
        Self { path: axis.name.clone(), values, numbers }
    }

    fn of_variants(summary: &SweepSummary) -> Self {
        let values = summary.variants.iter().map(|variant| Value::from(variant.name.as_str())).collect();
        Self { path: VARIANT.to_owned(), values, numbers: None }
    }

    /// This axis' value of a cell.
    pub fn value_of<'a>(&self, variant: &'a Value, cell: &'a CellSummary) -> Option<&'a Value> {
        if self.path == VARIANT { Some(variant) } else { cell.axes.get(&self.path) }
    }

    /// Where a value stands.
    pub fn place(&self, value: &Value) -> Option<usize> {
        self.values.iter().position(|known| known == value)
    }

    pub fn labels(&self) -> Vec<String> {
        self.values.iter().map(|value| self.label(value)).collect()
    }

    /// A value as people write it: `4`, `64GB`, `128k` tokens. Saved quantities are numbers in their base unit.
    pub fn label(&self, value: &Value) -> String {
        label(&self.path, value)
    }

    /// What the axis is called in a picture.
    pub fn name(&self) -> String {
        match short(&self.path) {
            "concurrent" => "concurrent (C)".to_owned(),
            "sequential" => "sequential (S)".to_owned(),
            name => name.to_owned(),
        }
    }

    /// What its numbers count; empty where the labels carry a unit themselves, or have none.
    pub fn unit(&self) -> &'static str {
        if !self.values.iter().all(Value::is_number) {
            return "";
        }
        match short(&self.path) {
            "concurrent" => "groups",
            "sequential" => "sessions per group",
            "users" | "first_user_id" | "concurrency" => "users",
            "rounds" => "rounds",
            "qps" => "requests/s",
            "max_sequences" => "sequences",
            "duration" | "warmup" | "log_interval" | "ramp" | "think_time" => "s",
            name if name.ends_with("_tokens") => "tokens",
            name if name.ends_with("_timeout") => "s",
            _ => "",
        }
    }
}

/// What a value of an axis is called.
fn label(path: &str, value: &Value) -> String {
    let name = short(path);
    match (value, value.as_u64(), value.as_f64()) {
        (Value::String(text), ..) => text.clone(),
        (_, Some(count), _) if name.ends_with("tokens") => Tokens(count).to_string(),
        (_, Some(count), _) if BYTES.contains(&name) => Bytes(count).to_string(),
        (_, _, Some(rate)) if name == BANDWIDTH => BytesPerSecond(rate).to_string(),
        (_, _, Some(number)) => number::short(number),
        (other, ..) => other.to_string(),
    }
}

/// A cell's axes in a few words: `C=2, S=3, kv_memory=12MB`.
pub fn in_words(axes: &Axes) -> String {
    axes.iter().map(|(path, value)| format!("{}={}", axis_label(path), label(path, value))).collect::<Vec<_>>().join(", ")
}

/// All axes of the matrix, in the scenario's order; without the variant.
pub fn of_matrix(summary: &SweepSummary) -> Vec<PlotAxis> {
    summary.axes.iter().map(PlotAxis::of).collect()
}

/// The axis of that dotted path, or the only one whose last part is that name.
pub fn named(summary: &SweepSummary, name: &str) -> Result<PlotAxis, FigureError> {
    if let Some(axis) = summary.axes.iter().find(|axis| axis.name == name) {
        return Ok(PlotAxis::of(axis));
    }
    let fitting: Vec<&AxisSummary> = summary.axes.iter().filter(|axis| short(&axis.name) == name).collect();
    match fitting.as_slice() {
        [only] => Ok(PlotAxis::of(only)),
        [] if name == VARIANT => Ok(PlotAxis::of_variants(summary)),
        [] => Err(FigureError::UnknownAxis { name: name.to_owned(), known: known(summary) }),
        several => {
            let paths = several.iter().map(|axis| format!("`{}`", axis.name)).collect::<Vec<_>>().join(", ");
            Err(FigureError::AmbiguousAxis { name: name.to_owned(), paths })
        }
    }
}

/// All names that `named` takes, for messages.
fn known(summary: &SweepSummary) -> String {
    let names = summary.axes.iter().map(|axis| axis.name.as_str()).chain([VARIANT]);
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The axis along the page where none was asked for: C, else the first of numbers, else the first.
pub fn default_x(summary: &SweepSummary, y: Option<&PlotAxis>) -> Result<PlotAxis, FigureError> {
    preferred(summary, "concurrent", y).ok_or(FigureError::NoAxis)
}

/// The axis up the page where none was asked for: S, else the next of numbers, else the next, else the variants. Axes that go along with
/// `x` step by step would give a diagonal and are passed over.
pub fn default_y(summary: &SweepSummary, x: &PlotAxis) -> PlotAxis {
    preferred(summary, "sequential", Some(x)).unwrap_or_else(|| PlotAxis::of_variants(summary))
}

fn preferred(summary: &SweepSummary, name: &str, taken: Option<&PlotAxis>) -> Option<PlotAxis> {
    let free = |axis: &PlotAxis| taken.is_none_or(|taken| taken.path != axis.path && !goes_along(summary, axis, taken));
    let free: Vec<PlotAxis> = of_matrix(summary).into_iter().filter(free).collect();
    let by_name = free.iter().find(|axis| short(&axis.path) == name);
    by_name.or_else(|| free.iter().find(|axis| axis.numbers.is_some())).or_else(|| free.first()).cloned()
}

/// Whether an axis of several values has one only wherever the other one has one: both are stepped through together.
fn goes_along(summary: &SweepSummary, axis: &PlotAxis, other: &PlotAxis) -> bool {
    let mut seen: BTreeMap<String, Option<&Value>> = BTreeMap::new();
    let cells = summary.variants.iter().flat_map(|variant| &variant.cells);
    axis.values.len() > 1
        && cells.into_iter().all(|cell| {
            let (value, beside) = (cell.axes.get(&axis.path), cell.axes.get(&other.path));
            *seen.entry(beside.map(ToString::to_string).unwrap_or_default()).or_insert(value) == value
        })
}

/// Values as numbers in their base unit, where all can be read as the same kind of quantity.
fn numbers(values: &[Value]) -> Option<Vec<f64>> {
    let texts: Vec<String> = values
        .iter()
        .map(|value| match value {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) => Some(text.clone()),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let all = |read: &dyn Fn(&str) -> Option<f64>| texts.iter().map(|text| read(text)).collect::<Option<Vec<f64>>>();
    all(&|text| text.parse().ok().filter(|value: &f64| value.is_finite()))
        .or_else(|| all(&|text| text.parse::<Tokens>().ok().map(|tokens| as_number(tokens.0))))
        .or_else(|| all(&|text| text.parse::<Seconds>().ok().map(|seconds| seconds.0)))
        .or_else(|| all(&|text| text.parse::<Bytes>().ok().map(|bytes| as_number(bytes.0))))
        .or_else(|| all(&|text| text.parse::<BytesPerSecond>().ok().map(|rate| rate.0)))
}

#[expect(clippy::cast_precision_loss, reason = "quantities are at most 2^53")]
fn as_number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn axis(path: &str, values: &[Value]) -> PlotAxis {
        PlotAxis::of(&AxisSummary { name: path.into(), values: values.to_vec() })
    }

    #[test]
    fn quantities_are_put_in_order_and_keep_their_labels() {
        let memory = axis("engine.kv_memory", &[json!("112GB"), json!("56GB"), json!("64GiB")]);
        assert_eq!(memory.labels(), ["56GB", "64GiB", "112GB"]);
        assert_eq!(memory.numbers.as_deref(), Some([56e9, 68_719_476_736.0, 112e9].as_slice()));
        assert_eq!(memory.unit(), "");
        assert_eq!(axis("engine.kv_memory", &[json!(112_000_000_000_u64), json!(56_000_000_000_u64)]).labels(), ["56GB", "112GB"]);
        assert_eq!(axis("engine.host_tier.bandwidth", &[json!(25e9)]).labels(), ["25GB/s"]);
        let documents = axis("workload.documents.synthetic_tokens", &[json!(131_072), json!("8k"), json!(1000)]);
        assert_eq!(documents.labels(), ["1000", "8k", "128k"]);
        assert_eq!(axis("workload.qps", &[json!(2.0), json!(0.5)]).labels(), ["0.5", "2"]);
    }

    #[test]
    fn cells_are_named_with_their_units() {
        let cell = [("workload.concurrent", json!(2)), ("engine.kv_memory", json!(12_000_000_u64)), ("engine.preset", json!("tiny"))];
        let axes: Axes = cell.into_iter().map(|(path, value)| (path.to_owned(), value)).collect();
        let words = in_words(&axes);
        for part in ["C=2", "kv_memory=12MB", "preset=tiny"] {
            assert!(words.split(", ").any(|word| word == part), "{words}");
        }
    }

    #[test]
    fn words_keep_the_order_of_the_scenario() {
        let preset = axis("engine.preset", &[json!("tiny"), json!("qwen2.5-7b-h200")]);
        assert_eq!((preset.labels(), preset.numbers), (vec!["tiny".to_owned(), "qwen2.5-7b-h200".to_owned()], None));
    }
}
