//! Compiled access-log formats, lossless escaping, the file writer
