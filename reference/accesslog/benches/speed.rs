//! What a line of the access log costs, in CPU time of the whole process: the request's thread and the writer's.
//!
//! `cargo bench -p edgeproof-accesslog` prints a table and ends with exit code 1 where a line in one of the formats
//! that a site has by itself costs 0.5 µs or more, handed over and written. The json preset, whose lines say all that
//! is known and are twice as long, is measured and not judged. Beside it stands what everybody's first access log does: `write!` into a `BufWriter`, nothing
//! escaped, in the request's own time.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use edgeproof_accesslog::{Format, Options, Preset, Record, Writer};

/// Lines in a round: enough for the clock of /proc, which counts in hundredths of a second.
const LINES: u32 = 2_000_000;
const ROUNDS: usize = 5;
/// Nanoseconds that a line may cost.
const AIM: f64 = 500.0;

const FIELDS: &[(&str, &str)] = &[
    ("Host", "www.example.test"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-GB,en;q=0.5"),
    ("Referer", "https://www.example.test/a/page/before.html"),
];

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let noon: jiff::Zoned = "2026-07-16T12:04:07+02:00[Europe/Paris]".parse().expect("a time");
    let record = Record {
        client_ip: Some(b"192.0.2.77"),
        peer_ip: Some(b"192.0.2.77"),
        protocol: Some(b"https"),
        request: Some(b"GET /a/page/of/some/length.html?with=a&query=string HTTP/1.1"),
        request_hostname: Some(b"www.example.test"),
        request_method: Some(b"GET"),
        request_path: Some(b"/a/page/of/some/length.html?with=a&query=string"),
        request_protocol: Some(b"HTTP/1.1"),
        request_fields: &FIELDS,
        duration: Some(Duration::from_micros(134)),
        response_size: Some(10_240),
        status: Some(200),
        ..Record::at(&noon)
    };
    let formats = [
        ("default", Preset::Default, true),
        ("combined", Preset::Combined, true),
        ("json", Preset::Json, false),
    ];
    let plain = best(|| plain(&folder.path().join("plain.log")));
    println!("{:<44} {plain:>7.0} ns", "write! into a BufWriter, nothing escaped");
    let mut worst = 0.0f64;
    for (name, preset, judged) in formats {
        let format = Format::preset(preset);
        let alone = best(|| formatted(&format, &record));
        let whole = best(|| handed_over(&format, &record, &folder.path().join("access.log")));
        let mut line = Vec::new();
        format.write(&record, &mut line);
        let name = format!("{name}, {} octets", line.len());
        println!("{:<44} {alone:>7.0} ns", format!("{name}: formatted and escaped"));
        println!(
            "{:<44} {whole:>7.0} ns  {:.2} of write!",
            format!("{name}: and in the file, all threads"),
            whole / plain
        );
        if judged {
            worst = worst.max(whole);
        }
    }
    match worst < AIM {
        true => ExitCode::SUCCESS,
        false => {
            eprintln!("a line costs {worst:.0} ns; the aim is less than {AIM:.0}");
            ExitCode::FAILURE
        }
    }
}

/// The least of some rounds, in nanoseconds a line: what the machine does beside it only ever adds.
fn best(mut round: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let before = cpu_seconds();
        round();
        least = least.min((cpu_seconds() - before) / f64::from(LINES) * 1e9);
    }
    least
}

/// User and system time of all threads (proc(5): hundredths of a second on every Linux).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("proc(5)");
    let after_name = stat.rsplit(')').next().expect("fields");
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|it| it.parse::<f64>().ok()).expect("a number");
    (ticks() + ticks()) / 100.0
}

fn formatted(format: &Format, record: &Record<'_>) {
    let mut line = Vec::with_capacity(1024);
    for _ in 0..LINES {
        line.clear();
        format.write(std::hint::black_box(record), &mut line);
        std::hint::black_box(&line);
    }
}

fn handed_over(format: &Format, record: &Record<'_>, path: &std::path::Path) {
    let mut options = Options::default();
    // Nothing else happens here than logging: the queue is for the burst, not for two million lines.
    options.queue = 1 << 30;
    let writer = Writer::open(path, options).expect("a log");
    let mut line = Vec::with_capacity(1024);
    for _ in 0..LINES {
        line.clear();
        format.write(std::hint::black_box(record), &mut line);
        writer.write_line(&line);
    }
    assert_eq!(writer.close().written, u64::from(LINES));
    std::fs::remove_file(path).expect("a file");
}

fn plain(path: &std::path::Path) {
    let mut file = BufWriter::with_capacity(64 << 10, File::create(path).expect("a file"));
    let values = std::hint::black_box((
        "www.example.test",
        "192.0.2.77",
        "16/Jul/2026:12:04:07 +0200",
        "GET /a/page/of/some/length.html?with=a&query=string HTTP/1.1",
        200u16,
        10_240u64,
        FIELDS[4].1,
        FIELDS[1].1,
    ));
    for _ in 0..LINES {
        let (host, ip, date, request, status, size, referer, agent) = values;
        writeln!(
            file,
            "{host} {ip} - - [{date}] \"{request}\" {status} {size} \"{referer}\" \"{agent}\""
        )
        .expect("room");
    }
    file.flush().expect("room");
    std::fs::remove_file(path).expect("a file");
}
