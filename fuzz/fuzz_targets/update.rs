#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidings_server::fuzzing::update(data));
