//! Listens to events: every output format, baselines, the matrix
