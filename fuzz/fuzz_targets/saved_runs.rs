#![no_main]

libfuzzer_sys::fuzz_target!(init: bench_fuzz::tell_panics_only(), |data: &[u8]| bench_fuzz::targets::saved_runs(data));
