//! What is said where the program is at fault. In: a panic. Out: a line on stderr that names the place, and no value that was found there.
//!
//! A value may be a key, a prompt or what a server said, and nobody masks it on its way into a panic. Who sets `RUST_BACKTRACE` asks for it.

use std::any::Any;
use std::panic::{Location, PanicHookInfo};

/// Libraries that panic over damaged files. We catch that and tell what is wrong with the file; where in their code it was found is of no
/// use to anybody.
const CAUGHT: [&str; 3] = ["/polars-", "/tokenizers-", "/spm_precompiled-"];

/// Has panics told so from here on.
pub fn tell_no_values() {
    let tell_all = std::panic::take_hook();
    let is_asked_for = std::env::var_os("RUST_BACKTRACE").is_some_and(|asked| asked != "0");
    std::panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        let is_caught = panic.location().is_some_and(|place| CAUGHT.iter().any(|library| place.file().contains(library)));
        match (is_caught, is_asked_for) {
            (true, _) => {}
            (false, true) => tell_all(panic),
            (false, false) => eprintln!("{}", words(panic.location(), panic.payload())),
        }
    }));
}

/// Only what stands in the source is said: a message that was put together holds what was found.
fn words(place: Option<&Location<'_>>, payload: &dyn Any) -> String {
    let place = place.map_or_else(|| "a place unknown".to_owned(), ToString::to_string);
    let written = payload.downcast_ref::<&'static str>().map_or_else(String::new, |text| format!(" ({text})"));
    format!(
        "error: `bench` panicked at {place}{written}: a fault of the program, please report it; what is sealed is whole; \
         with `RUST_BACKTRACE=1` it says what it found there, which may be a key or a text"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_its_place_and_by_what_stands_in_the_source() {
        let place = Location::caller();
        let plain = words(Some(place), &"no lane is left");
        assert!(plain.starts_with(&format!("error: `bench` panicked at {}:", place.file())), "{plain}");
        assert!(plain.contains(" (no lane is left): a fault of the program"), "{plain}");
        let held = words(Some(place), &format!("no key but {}", "sk-hush"));
        assert!(!held.contains("hush") && held.contains("RUST_BACKTRACE=1"), "{held}");
        assert!(words(None, &7).contains("at a place unknown: "));
    }
}
