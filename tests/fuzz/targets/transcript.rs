//! A transcript, as somebody pastes or uploads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| workgraph::fuzzing::transcript(text));
