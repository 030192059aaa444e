//! Probe, decode, encode and mux through ffmpeg child processes.
