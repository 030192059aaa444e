//! The command line of Viseme.

fn main() {}
