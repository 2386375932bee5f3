//! Results as one HTML page: the drawings, the figures behind them as a table, and the text for people. It loads
//! nothing and runs nothing.

use std::fmt::Write as _;

use crate::figures::{LoadReport, Shot};
use crate::panel::{Panel, escaped, nice, opening};

const STYLE: &str = "\
:root{color-scheme:light dark;--bg:#f6f6f3;--surface:#fff;--ink:#1b2126;--soft:#58646f;--line:#dfe2df}\
@media(prefers-color-scheme:dark){:root{--bg:#121518;--surface:#1a1f24;--ink:#e6eaed;--soft:#9aa7b2;--line:#2d353c}}\
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\
main{max-width:64rem;margin:auto;padding:2rem clamp(1rem,3vw,2.5rem)}h1{margin:0 0 1rem;line-height:1.2}\
svg,pre,.wide{background:var(--surface);border:1px solid var(--line);border-radius:8px}\
svg{width:100%;max-width:48rem;display:block;margin:1rem 0}svg .back{fill:none}\
.wide,pre{overflow-x:auto;margin:1rem 0;max-width:100%}pre{padding:1rem}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{padding:.35rem .75rem;text-align:right;white-space:nowrap}th{color:var(--soft);font-weight:500}\
tr+tr td,tbody tr td{border-top:1px solid var(--line)}";

/// Makes a page of drawings (SVG), of a table of the shots where there are any, and of the text.
pub fn page(title: &str, charts: &[String], shots: &[Shot], text: &str) -> String {
    let title = escaped(title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<main>\n<h1>{title}</h1>\n"
    );
    for chart in charts {
        out.push_str(chart);
    }
    if !shots.is_empty() {
        table(&mut out, shots);
    }
    let _ = write!(out, "<pre>{}</pre>\n</main>\n</html>\n", lines(text));
    out
}

fn table(out: &mut String, shots: &[Shot]) {
    out.push_str(
        "<div class=\"wide\"><table>\n<thead><tr><th>shot<th>offered /s<th>clients<th>served /s<th>p50 ms<th>p99 ms<th>max ms<th>failed<th>non-2xx<th>server CPU µs</tr></thead>\n<tbody>\n",
    );
    for (place, shot) in shots.iter().enumerate() {
        let ms = |time: u64| time as f64 / 1e3;
        let offered =
            shot.open.as_ref().map_or("–".to_owned(), |o| format!("{:.0}", o.offered_rps));
        let cpu =
            shot.server_cpu_us_per_request().map_or("–".to_owned(), |us| format!("{us:.1}"));
        let latency = &shot.latency_us;
        let _ = writeln!(
            out,
            "<tr><td>{}<td>{offered}<td>{}<td>{:.1}<td>{:.2}<td>{:.2}<td>{:.2}<td>{}<td>{}<td>{cpu}</tr>",
            place + 1,
            shot.clients(),
            shot.rps,
            ms(latency.p50),
            ms(latency.p99),
            ms(latency.max),
            shot.errors,
            shot.non_2xx,
        );
    }
    out.push_str("</tbody></table></div>\n");
}

/// Text with its lines.
fn lines(text: &str) -> String {
    let each: Vec<String> = text.lines().map(escaped).collect();
    each.join("\n")
}

/// Throughput and latency of each second, shot after shot.
pub fn seconds_chart(report: &LoadReport) -> String {
    let all: Vec<(f64, f64)> = report
        .shots
        .iter()
        .flat_map(|shot| &shot.series)
        .map(|second| (second.requests as f64, second.p99_us as f64 / 1e3))
        .collect();
    let most = |of: fn(&(f64, f64)) -> f64| all.iter().map(of).fold(0.0, f64::max);
    let most_x = all.len().max(1).next_multiple_of(4) as f64;
    let upper = Panel { place: 0, most_x, most_y: nice(most(|second| second.0)) };
    let lower = Panel { place: 1, most_x, most_y: nice(most(|second| second.1)) };
    let mut out = opening("Throughput and latency of each second", 2);
    upper.axes(&mut out, "requests in each second", "seconds");
    lower.axes(&mut out, "99th percentile in each second, ms", "seconds");
    for (place, (requests, p99_ms)) in all.iter().enumerate() {
        let x = place as f64 + 0.5;
        upper.named_point(&mut out, x, *requests, &format!("{requests} requests"));
        // Where nobody had an answer there is no latency.
        if *requests > 0.0 {
            lower.named_point(&mut out, x, *p99_ms, &format!("{p99_ms} ms"));
        }
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Fired, Manner, report};
    use crate::series::Second;
    use crate::server::ServerCpu;
    use crate::tally::Tally;

    #[test]
    fn a_second_without_answers_has_no_latency() {
        let second = |second, requests, p99_us| {
            let (errors, p50_us) = (0, p99_us);
            Second { second, requests, errors, p50_us, p99_us, max_us: p99_us }
        };
        let series = vec![second(0, 9, 2000), second(1, 0, 0), second(2, 9, 3000)];
        let (tally, server_cpu) = (Tally::new().unwrap(), ServerCpu::NotAsked);
        let manner = Manner { streams: 1, clients: Some(1), think: std::time::Duration::ZERO };
        let report = report(manner, vec![Fired { tally, series, server_cpu }]).unwrap();
        let drawn = seconds_chart(&report);
        assert!(drawn.contains(">0 requests<") && !drawn.contains(">0 ms<"), "{drawn}");
        assert_eq!(drawn.matches(" ms</title>").count(), 2, "{drawn}");
    }

    #[test]
    fn what_stands_in_a_result_stays_text() {
        let page = page("<script>", &[], &[], "a < b & \"c\"\nnext");
        assert!(page.contains("<h1>&lt;script&gt;</h1>"), "{page}");
        assert!(page.contains("<pre>a &lt; b &amp; &quot;c&quot;\nnext</pre>"), "{page}");
        assert!(!page.contains("<table"));
    }
}
