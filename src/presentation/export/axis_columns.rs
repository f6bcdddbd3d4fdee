//! The axes of sweeps as typed columns: whole numbers, numbers, booleans or texts, by the values that they have in all of the sweeps.

use polars::prelude::{AnyValue, Column, DataType, Scalar};
use serde_json::Value;

use crate::analysis::{short, show_value};

/// The axes of one or several sweeps, each once.
#[derive(Debug, Default)]
pub struct AxisColumns {
    axes: Vec<AxisColumn>,
}

/// An axis as a column.
#[derive(Debug)]
pub struct AxisColumn {
    /// Dotted, as it is saved.
    path: String,
    /// The last part of its path where nothing else has that name, else the whole path.
    pub name: String,
    pub data_type: DataType,
}

impl AxisColumns {
    /// Of axes with their values, beside columns that have these names.
    pub fn of<'a>(axes: impl IntoIterator<Item = (&'a str, &'a [Value])>, taken: &[String]) -> Self {
        let mut found = Self::default();
        for (path, values) in axes {
            let data_type = values.iter().map(data_type_of).reduce(|one, other| common(one, &other));
            match (found.axes.iter_mut().find(|column| column.path == path), data_type) {
                (Some(column), Some(data_type)) => column.data_type = common(column.data_type.clone(), &data_type),
                (Some(_), None) => {}
                (None, data_type) => {
                    let data_type = data_type.unwrap_or(DataType::String);
                    found.axes.push(AxisColumn { path: path.to_owned(), name: String::new(), data_type });
                }
            }
        }
        found.name_columns(taken);
        found
    }

    fn name_columns(&mut self, taken: &[String]) {
        // Tools that read tables by SQL do not tell upper from lower case.
        let paths: Vec<String> = self.axes.iter().map(|axis| axis.path.clone()).collect();
        let is_taken = |name: &str| taken.iter().any(|other| other.eq_ignore_ascii_case(name));
        let is_shared = |name: &str| paths.iter().filter(|path| short(path).eq_ignore_ascii_case(name)).count() > 1;
        for axis in &mut self.axes {
            let name = short(&axis.path);
            axis.name = if !is_taken(name) && !is_shared(name) {
                name.to_owned()
            } else if is_taken(&axis.path) {
                format!("axis.{}", axis.path)
            } else {
                axis.path.clone()
            };
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &AxisColumn> {
        self.axes.iter()
    }
}

impl AxisColumn {
    /// What a cell with these axes has in this column; null where it lacks the axis.
    pub fn value<'a>(&self, axes: impl IntoIterator<Item = (&'a String, &'a Value)>) -> AnyValue<'static> {
        let value = axes.into_iter().find(|(path, _)| **path == self.path).map(|(_, value)| value);
        value.map_or(AnyValue::Null, |value| typed(value, &self.data_type))
    }

    /// The same value in so many rows.
    pub fn repeated(&self, value: AnyValue<'static>, rows: usize) -> Column {
        Column::new_scalar(self.name.as_str().into(), Scalar::new(self.data_type.clone(), value), rows)
    }
}

fn data_type_of(value: &Value) -> DataType {
    match value {
        Value::Number(number) if number.is_i64() => DataType::Int64,
        Value::Number(_) => DataType::Float64,
        Value::Bool(_) => DataType::Boolean,
        _ => DataType::String,
    }
}

/// The type that holds values of both.
fn common(one: DataType, other: &DataType) -> DataType {
    match (&one, other) {
        _ if one == *other => one,
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => DataType::Float64,
        _ => DataType::String,
    }
}

fn typed(value: &Value, data_type: &DataType) -> AnyValue<'static> {
    let found = match data_type {
        DataType::Int64 => value.as_i64().map(AnyValue::Int64),
        DataType::Float64 => value.as_f64().map(AnyValue::Float64),
        DataType::Boolean => value.as_bool().map(AnyValue::Boolean),
        _ if value.is_null() => None,
        _ => Some(AnyValue::StringOwned(show_value(value).into())),
    };
    found.unwrap_or(AnyValue::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns(axes: &[(&str, Vec<Value>)], taken: &[&str]) -> Vec<(String, DataType)> {
        let taken: Vec<String> = taken.iter().map(|name| (*name).to_owned()).collect();
        let columns = AxisColumns::of(axes.iter().map(|(path, values)| (*path, values.as_slice())), &taken);
        columns.iter().map(|axis| (axis.name.clone(), axis.data_type.clone())).collect()
    }

    #[test]
    fn an_axis_has_the_type_of_all_its_values_in_all_sweeps() {
        let axes = [
            ("workload.concurrent", vec![json!(1), json!(2)]),
            ("workload.qps", vec![json!(1), json!(0.5)]),
            ("server.args.prefix", vec![json!(true), json!(false)]),
            ("target.model", vec![json!("a"), json!(8)]),
            ("workload.concurrent", vec![json!(4)]),
        ];
        let named = |name: &str, data_type| (name.to_owned(), data_type);
        let expected = [
            named("concurrent", DataType::Int64),
            named("qps", DataType::Float64),
            named("prefix", DataType::Boolean),
            named("model", DataType::String),
        ];
        assert_eq!(columns(&axes, &["turn"]), expected);
    }

    #[test]
    fn an_axis_that_ends_like_another_or_like_a_column_has_its_whole_path() {
        let axes = ["server.args.size", "engine.size", "workload.Prompt_tokens", "run"].map(|path| (path, vec![json!(1)]));
        let names: Vec<String> = columns(&axes, &["prompt_tokens", "run"]).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["server.args.size", "engine.size", "workload.Prompt_tokens", "axis.run"]);
    }

    #[test]
    fn a_cell_without_the_axis_has_nothing_there() {
        let values = [json!(1), json!(2.5)];
        let columns = AxisColumns::of([("a.x", &values[..])], &[]);
        let of = |axes: &[(String, Value)]| columns.axes[0].value(axes.iter().map(|(path, value)| (path, value)));
        assert_eq!(of(&[("a.x".to_owned(), json!(1))]), AnyValue::Float64(1.0));
        assert_eq!(of(&[("b.x".to_owned(), json!(1))]), AnyValue::Null);
    }
}
