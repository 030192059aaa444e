//! Fakes, golden media and image comparison for the tests of the other crates.
