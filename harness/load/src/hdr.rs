//! A log that `HdrHistogram`'s own tools read: an interval for each shot, V2 encoding, compressed.

use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::IntervalLogWriterBuilder;

use crate::figures::LoadReport;
use crate::plan::LoadError;

/// Writes a report's latencies, in microseconds, of shots of which the first began at `began`.
///
/// # Errors
/// When a histogram cannot be read or written.
pub fn hdr_log(report: &LoadReport, began: SystemTime) -> Result<Vec<u8>, LoadError> {
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment("[Latencies are in microseconds]")
        .with_start_time(began)
        .begin_log_with(&mut bytes, &mut serializer)?;
    let mut at = Duration::ZERO;
    for shot in &report.shots {
        let lasted = Duration::from_secs_f64(shot.duration_s);
        writer
            .write_histogram(&shot.latencies()?, at, lasted, None)
            .map_err(|error| LoadError::Histogram(format!("{error:?}")))?;
        at += lasted;
    }
    Ok(bytes)
}
