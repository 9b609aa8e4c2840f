//! A GraphQL document.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| workgraph::fuzzing::document(text));
