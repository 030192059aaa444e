//! Times and stretches of time.

/// Reads a time: `12.5`, `12.5s`, `1:02.5`, `1:00:00` or `3200ms`, in seconds.
pub(super) fn parse_time(text: &str) -> Result<f64, String> {
    let bad = || format!("'{text}' is not a time: write seconds (12.5, 3200ms) or h:m:s (0:01:02.5)");
    let number = |part: &str| match part.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err(bad()),
    };
    if let Some(milliseconds) = text.strip_suffix("ms") {
        return Ok(number(milliseconds)? / 1000.0);
    }
    let parts: Vec<&str> = text.strip_suffix('s').unwrap_or(text).split(':').collect();
    if parts.len() > 3 {
        return Err(bad());
    }
    parts.iter().try_fold(0.0, |total, part| Ok(total * 60.0 + number(part)?))
}

/// Reads a start and an end, of which one may be left out: `3.2s-7s`, `3.2s`, `3.2s-` or `-7s`.
pub(super) fn parse_span(text: &str) -> Result<(Option<f64>, Option<f64>), String> {
    let (start, end) = text.split_once('-').unwrap_or((text, ""));
    if start.is_empty() && end.is_empty() {
        return Err(format!("'{text}' is no stretch of time: write 3.2s-7s"));
    }
    let time = |text: &str| (!text.is_empty()).then(|| parse_time(text)).transpose();
    Ok((time(start)?, time(end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_clock_times() {
        for (text, seconds) in [
            ("12.5", 12.5),
            ("12.5s", 12.5),
            ("3200ms", 3.2),
            ("1:02.5", 62.5),
            ("1:02.5s", 62.5),
            ("1:00:00", 3600.0),
        ] {
            assert_eq!(parse_time(text), Ok(seconds));
        }
        for bad in ["", "-1", "1:-2", "a", "1:2:3:4", "nan", "inf", "s", "ms", "1:02ms", "3 s"] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_stretch_has_a_start_or_an_end() {
        assert_eq!(parse_span("3.2s-7s"), Ok((Some(3.2), Some(7.0))));
        assert_eq!(parse_span("1:02.5-1:10"), Ok((Some(62.5), Some(70.0))));
        assert_eq!(parse_span("3200ms"), Ok((Some(3.2), None)));
        assert_eq!(parse_span("3-"), Ok((Some(3.0), None)));
        assert_eq!(parse_span("-7s"), Ok((None, Some(7.0))));
        for bad in ["", "-", "1-2-3", "a-b", "--7"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }
}
