//! A cursor, as somebody makes it up.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| workgraph::fuzzing::cursor(text));
