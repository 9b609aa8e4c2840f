//! The body of a request: a document with its variables.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| workgraph::fuzzing::request(body));
