//! Load generator, latency histograms and their figures
