//! `bench compare`: two saved sweeps, or variants of one, against each other, as text and on request as a picture. Exits with 1 where what decides regressed, with 2 where the
//! two sides were not asked to do the same work and nobody said to compare them all the same.

use std::path::Path;

use anyhow::{Context, bail};
use fs_err as fs;

use super::destination::folder_of;
use super::plot::{ImageFormat, all_have_their_own_file, path_of, write};
use super::{ExitReason, stdout};
use crate::analysis::compare::{
    CompareOptions, ComparedMeasure, ComparisonVerdict, GateMeasures, SavedVariant, VariantComparison, compare,
};
use crate::cli::{CompareArgs, CompareFormat, GateArg};
use crate::presentation::plot::{LabelledFigure, of_comparison};
use crate::presentation::report::comparison;
use crate::records::bucket::{AddressError, ResultsAddress};
use crate::records::store::{SavedSweep, read_sweep};
use crate::vocabulary::goal::{Goal, GoalError};

pub fn run(args: &CompareArgs) -> anyhow::Result<ExitReason> {
    if let Some(file) = args.plot.as_ref().filter(|file| ImageFormat::of(file).is_none()) {
        bail!("`{}` ends in neither `.png` nor `.svg`", file.display());
    }
    let options = options(args)?;
    let (base, base_variant) = open(&args.base)?;
    let comparisons = match &args.new {
        Some(new) => {
            let (new, new_variant) = open(new)?;
            let pairs = of_two(&base, base_variant.as_deref(), &new, new_variant.as_deref(), args.variant.as_deref())?;
            compared(&pairs, &base, &new, &options)?
        }
        None => compared(&of_one(&base, base_variant.as_deref(), args.variant.as_deref())?, &base, &base, &options)?,
    };
    if let Some(file) = &args.plot {
        for picture in pictures(args, file, &comparisons)? {
            write(&path_of(file, &picture), &picture)?;
        }
    }
    let text = match args.format {
        CompareFormat::Text => comparison::terminal(&comparisons),
        CompareFormat::Markdown => comparison::markdown(&comparisons),
        CompareFormat::Json => comparison::json(&comparisons),
        CompareFormat::Junit => comparison::junit(&comparisons)?,
    };
    match &args.output {
        Some(file) => fs::write(file, text)?,
        None => stdout::print(&text)?,
    }
    let regressed = comparisons.iter().any(|comparison| comparison.call == ComparisonVerdict::Regressed);
    Ok(if regressed { ExitReason::GoalsMissed } else { ExitReason::Success })
}

fn compared(
    pairs: &[(String, String)],
    base: &SavedSweep,
    new: &SavedSweep,
    options: &CompareOptions,
) -> anyhow::Result<Vec<VariantComparison>> {
    let one = |(left, right): &(String, String)| {
        let (left, right) = (SavedVariant { sweep: base, variant: left }, SavedVariant { sweep: new, variant: right });
        Ok(compare(&left, &right, options)?)
    };
    pairs.iter().map(one).collect()
}

/// What became of one measure in every cell: a picture for each comparison, and for each value of further axes.
fn pictures(args: &CompareArgs, file: &Path, comparisons: &[VariantComparison]) -> anyhow::Result<Vec<LabelledFigure>> {
    let fault = |text: &str, fault: &GoalError| {
        let hint = fault.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        anyhow::anyhow!("`--measure {text}` is no measure: {fault}{hint}")
    };
    let read = |text: &String| text.parse().map_err(|error| fault(text, &error));
    let measure: Option<ComparedMeasure> = args.measure.as_ref().map(read).transpose()?;
    let mut all = Vec::new();
    for comparison in comparisons {
        let measure = measure.as_ref().or_else(|| comparison.primary.first());
        let measure = measure.with_context(|| "nothing decides; name what is drawn with `--measure`")?;
        let of_one = of_comparison(comparison, measure, args.x.as_deref(), args.y.as_deref())?;
        all.extend(of_one.into_iter().map(|picture| LabelledFigure { variant: Some(comparison.new.variant.clone()), ..picture }));
    }
    all_have_their_own_file(file, all).map_err(anyhow::Error::msg)
}

fn options(args: &CompareArgs) -> anyhow::Result<CompareOptions> {
    let read = |text: &String| text.parse::<Goal>().map_err(|fault| anyhow::anyhow!("`{text}` is no goal: {fault}"));
    let goals = args.goals.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let gate = match args.gate {
        GateArg::Goals => GateMeasures::Goals,
        GateArg::All => GateMeasures::All,
    };
    Ok(CompareOptions { margin: margin(&args.margin)?, gate, accept: args.accept.clone(), goals, ..CompareOptions::default() })
}

/// `5%` or `0.05`.
fn margin(text: &str) -> anyhow::Result<f64> {
    let (number, scale) = text.trim().strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let number: f64 = number.trim().parse().with_context(|| format!("`--margin {text}` is no share; write it as `5%`"))?;
    Ok(number / scale)
}

/// Reads the sweep of one side.
fn open(text: &str) -> anyhow::Result<(SavedSweep, Option<String>)> {
    let (address, variant) = side(text)?;
    Ok((read_sweep(&folder_of(&address)?)?, variant))
}

/// `DIR`, `DIR:VARIANT`, and the same of a place in a bucket.
fn side(text: &str) -> Result<(ResultsAddress, Option<String>), AddressError> {
    let scheme = text.find("://").map_or(0, |at| at + 3);
    match text[scheme..].rsplit_once(':') {
        Some((dir, variant)) if scheme > 0 || !Path::new(text).exists() => {
            Ok((text[..scheme + dir.len()].parse()?, Some(variant.to_owned())))
        }
        _ => Ok((text.parse()?, None)),
    }
}

/// The variants of one sweep: the first, or the one that was named, against each other one.
fn of_one(sweep: &SavedSweep, base: Option<&str>, only: Option<&str>) -> anyhow::Result<Vec<(String, String)>> {
    let variants = &sweep.manifest.variants;
    let Some(base) = base.or_else(|| variants.first().map(String::as_str)) else { bail!("the sweep has no variants") };
    let others: Vec<String> =
        only.map_or_else(|| variants.iter().filter(|name| *name != base).cloned().collect(), |only| vec![only.to_owned()]);
    if others.is_empty() {
        bail!("`{}` has no other variant than `{base}`; name a second sweep to compare it with", sweep.dir.display());
    }
    Ok(others.into_iter().map(|other| (base.to_owned(), other)).collect())
}

/// The variants of two sweeps: those named, else all that both have, else the only one of each.
fn of_two(
    base: &SavedSweep,
    base_variant: Option<&str>,
    new: &SavedSweep,
    new_variant: Option<&str>,
    only: Option<&str>,
) -> anyhow::Result<Vec<(String, String)>> {
    let (left, right) = (&base.manifest.variants, &new.manifest.variants);
    let single = |variants: &[String]| if let [one] = variants { Some(one.clone()) } else { None };
    let named = |other: &str, variants: &[String]| {
        variants.iter().find(|name| *name == other).cloned().or_else(|| single(variants)).unwrap_or_else(|| other.to_owned())
    };
    match (base_variant.or(only), new_variant.or(only)) {
        (Some(base), Some(new)) => return Ok(vec![(base.to_owned(), new.to_owned())]),
        (Some(base), None) => return Ok(vec![(base.to_owned(), named(base, right))]),
        (None, Some(new)) => return Ok(vec![(named(new, left), new.to_owned())]),
        (None, None) => {}
    }
    let shared: Vec<(String, String)> = left.iter().filter(|name| right.contains(name)).map(|name| (name.clone(), name.clone())).collect();
    match (shared.is_empty(), single(left), single(right)) {
        (false, ..) => Ok(shared),
        (true, Some(left), Some(right)) => Ok(vec![(left, right)]),
        _ => bail!(
            "the two sweeps share no variant ({} and {}); name one of each: `{}:VARIANT`",
            left.join(", "),
            right.join(", "),
            base.dir.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::sweeps::{cell, sweep, uniform};

    fn of(variants: &[&'static str]) -> SavedSweep {
        sweep(&[], &variants.iter().map(|name| cell(name, 1, 1, uniform(1, 1, 0.5))).collect::<Vec<_>>())
    }

    fn pair(left: &str, right: &str) -> (String, String) {
        (left.to_owned(), right.to_owned())
    }

    #[test]
    fn the_first_variant_is_compared_with_each_other_one_and_two_sweeps_by_name() {
        let (one, two, other) = (of(&["a"]), of(&["a", "b"]), of(&["c"]));
        assert_eq!(of_one(&of(&["a", "b", "c"]), None, None).unwrap(), [pair("a", "b"), pair("a", "c")]);
        assert!(of_one(&one, None, None).is_err());
        assert_eq!(of_two(&two, None, &two, None, None).unwrap(), [pair("a", "a"), pair("b", "b")]);
        assert_eq!(of_two(&one, None, &other, None, None).unwrap(), [pair("a", "c")]);
        assert_eq!(of_two(&two, Some("b"), &other, None, None).unwrap(), [pair("b", "c")]);
        assert!(of_two(&two, None, &other, None, None).is_err());
    }

    #[test]
    fn a_variant_stands_behind_a_folder_or_a_place_in_a_bucket() {
        let parts = |text: &str| side(text).map(|(address, variant)| (address.to_string(), variant)).unwrap();
        assert_eq!(parts("no/such/folder:vllm"), ("no/such/folder".to_owned(), Some("vllm".to_owned())));
        assert_eq!(parts("s3://b/x:vllm"), ("s3://b/x".to_owned(), Some("vllm".to_owned())));
        assert_eq!(parts("s3://b/x"), ("s3://b/x".to_owned(), None));
        assert!(side("ftp://b/x").is_err());
    }

    #[test]
    fn a_margin_is_a_share_in_either_notation() {
        assert!((margin("5%").unwrap() - 0.05).abs() < 1e-12 && (margin("0.1").unwrap() - 0.1).abs() < 1e-12);
        assert!(margin("five").is_err());
    }
}
