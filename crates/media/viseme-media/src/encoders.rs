//! Which encoders the installed ffmpeg was built with.

use crate::Tools;
use crate::input::strings;
use crate::process::{Running, Wiring};
use std::collections::BTreeSet;
use viseme_core::{Limits, Result};

/// The longest list that we read; ffmpeg's has about 20 kB.
const MAX_LIST_BYTES: u64 = 1 << 20;

impl Tools {
    /// The names of all encoders: "libx264", "aac", …
    ///
    /// # Errors
    /// When ffmpeg cannot be run.
    pub fn encoders(&self) -> Result<BTreeSet<String>> {
        let arguments = strings(&["-hide_banner", "-encoders"]);
        let child = Running::spawn(&self.ffmpeg, &arguments, Wiring::Stdout, &Limits::default())?;
        let list = child.output("list the encoders of ffmpeg", MAX_LIST_BYTES)?;
        // Lines are " V....D libx264   …"; those of the legend have "=" as their second word.
        let text = String::from_utf8_lossy(&list);
        let names = text.lines().filter_map(|line| line.split_whitespace().nth(1));
        Ok(names.filter(|name| *name != "=").map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoders_of_the_default_output_are_found() {
        let encoders = Tools::locate().unwrap().encoders().unwrap();
        assert!(encoders.contains("aac") && encoders.contains("ffv1"));
        assert!(!encoders.contains("="));
    }
}
