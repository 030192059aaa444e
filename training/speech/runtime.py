"""What the engine does with the net's opening and closure outputs; the Rust twin reads the same constants from shape_space.json."""
import numpy as np

CALIBRATION = {'opening_low': 0.15, 'opening_low_percentile': 30, 'opening_high': 0.7, 'opening_high_percentile': 95, 'opening_limit': 1.25,
               'closure_from': 0.40, 'closure_to': 0.75}


def opening_curve(opening, closure, calibration=CALIBRATION):
    """(n,) raw opening and bilabial closure → (n,) opening in 0..limit, 1 = wide; all of the clip at once for the percentiles."""
    low = min(calibration['opening_low'], np.percentile(opening, calibration['opening_low_percentile']))
    high = max(calibration['opening_high'], np.percentile(opening, calibration['opening_high_percentile']))
    open_ = np.clip((opening - low) / (high - low), 0, calibration['opening_limit'])
    start, end = calibration['closure_from'], calibration['closure_to']
    return open_ * (1 - np.clip((closure - start) / (end - start), 0, 1))
