//! The HTML report in a real browser.

mod browser;
mod recorded;

use browser::{Screen, in_chromium};
use edgeproof_report::{Format, Options};
use edgeproof_runner::event::{
    CaseResult, Exchange, Failure, Figure, LogExcerpt, OriginExchange, Payload, PayloadEncoding,
    Verdict,
};
use recorded::{report, report_of, result, run_of};

const SHOWN: &str = "[...document.querySelectorAll('tr.case')].filter(r => r.checkVisibility()).map(r => r.id).join(' ')";
const PANEL: &str = "document.getElementById('panel').innerText";

/// A page without a browser: what stands where.
#[test]
fn figures_follow_the_matrix_and_are_readable() {
    let figure = |unit: &str, value| Figure {
        name: format!("{unit} {value}"),
        value,
        unit: unit.to_owned(),
        samples: vec![value, value * 2.0],
    };
    let mut measured = result(0, "load/a", "nginx", "observe", Verdict::Pass);
    measured.figures =
        vec![figure("µs", 4_517_887.0), figure("µs", 640.0), figure("req/s", 2604.0)];
    let plain = result(1, "load/a", "bare-target", "observe", Verdict::Skip);
    let html = report_of(&run_of([measured, plain]), Format::Html, Options::default());
    let (before, table) = html.split_once("<table class=\"figures\">").expect("figures");
    assert!(before.contains("<section id=\"matrix\""), "the matrix comes first");
    let (table, _) = table.split_once("</table>").expect("its end");
    assert!(!table.contains("bare-target"), "a target without figures has no column");
    for shown in ["4.52 s<", "4.52 s – 9.04 s", "0.64 ms<", "0.64 ms – 1.28 ms", "2,604<"] {
        assert!(table.contains(shown), "{shown} in {table}");
    }
}

#[test]
fn filters_leave_the_cases_that_are_asked_for() {
    let html = report(Format::Html, Options::default());
    in_chromium(&html, Screen::Desktop, |page| async move {
        page.open("").await;
        assert_eq!(page.text("document.getElementById('f-count').textContent").await, "12 cases");
        page.choose("#f-verdict", "known-fail").await;
        assert_eq!(page.text(SHOWN).await, "logs/escaping/quote");
        page.choose("#f-verdict", "fail").await;
        page.choose("#f-target", "nginx").await;
        let failing = "cache/vary/star cache/vary/normalise cache/heuristic/used cache/stale/if-error front/framing/bare-lf";
        assert_eq!(page.text(SHOWN).await, failing);
        page.choose("#f-level", "must").await;
        assert_eq!(page.text(SHOWN).await, "cache/vary/star front/framing/bare-lf");
        page.choose("#f-family", "front").await;
        assert_eq!(page.text(SHOWN).await, "front/framing/bare-lf");
        let others = "[...document.querySelectorAll('td.c-v')].filter(c => c.checkVisibility() && c.dataset.label !== 'nginx').length";
        assert_eq!(page.get(others).await, 0, "the other targets' columns are gone");
        page.click("#f-reset").await;
        page.keys("#f-text", "RFC 9111 vary").await;
        page.until("document.getElementById('f-count').textContent === '2 of 12 cases'").await;
        assert_eq!(page.text(SHOWN).await, "cache/vary/star cache/vary/normalise");
        page.keys("#f-text", " and what is nowhere").await;
        page.until("document.getElementById('empty').checkVisibility()").await;
        page.click("#empty-reset").await;
        page.choose("#f-verdict", "differs").await;
        let differing = page.text(SHOWN).await;
        assert!(
            differing.contains("cache/vary/star") && !differing.contains("load/"),
            "{differing}"
        );
        page.quiet().await;
    });
}

#[test]
fn what_was_played_again_is_seen_without_opening_a_case() {
    let html = report(Format::Html, Options::default());
    in_chromium(&html, Screen::Desktop, |page| async move {
        page.open("").await;
        let again = page.text("document.querySelector('.reasons div').innerText").await;
        for part in ["waf/xss/script#3 on nginx: error, fail, then pass", "error, then fail"] {
            assert!(again.contains(part), "no {part:?} in {again}");
        }
        let cell = "document.querySelector(\"tr[id='waf/xss/script#3'] td[data-label='nginx']\")";
        let cell = page.text(&format!("{cell}.textContent")).await;
        assert!(cell.contains("pass, played again"), "{cell}");
        page.quiet().await;
    });
}

#[test]
fn a_tally_filters_by_its_target_and_verdict() {
    let html = report(Format::Html, Options::default());
    in_chromium(&html, Screen::Desktop, |page| async move {
        page.open("").await;
        page.click(".tallies button[data-target='bare'][data-verdict='error']").await;
        assert_eq!(page.text(SHOWN).await, "front/framing/bare-lf");
        page.quiet().await;
    });
}

#[test]
fn a_case_opens_with_its_exchange_and_closes_again() {
    let html = report(Format::Html, Options::default());
    in_chromium(&html, Screen::Desktop, |page| async move {
        page.open("").await;
        page.click("tr[id='cache/vary/star'] td[data-label='nginx'] a").await;
        page.until("document.getElementById('panel').open").await;
        let text = page.text(PANEL).await;
        for part in [
            "A response with Vary: * is never reused",
            "RFC 9111 §4.1",
            "something outside the request chose this answer",
            "found 1: the stored response was reused",
            "X-Cache: HIT",
            "X-Forwarded-Proto: http",
            "saw nothing",
            "c3.edgeproof.test 127.0.0.1",
            "edgeproof run 'scenarios/cache/vary/star.yaml' --target nginx",
        ] {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
        assert_eq!(page.text("location.hash").await, "#cache/vary/star@nginx");
        page.click("#panel [role=tab]:first-child").await;
        page.until("location.hash === '#cache/vary/star@reference'").await;
        page.keys("#p-name", "j").await;
        page.until("location.hash === '#cache/vary/normalise'").await;
        page.keys("#p-name", "\u{e00c}").await;
        page.until("!document.getElementById('panel').open").await;
        assert_eq!(page.text("location.hash").await, "");
        let focused = "document.activeElement.closest('tr').id";
        assert_eq!(
            page.text(focused).await,
            "cache/vary/normalise",
            "the focus is back in the table"
        );
        page.quiet().await;
    });
}

#[test]
fn a_deep_link_opens_its_case() {
    let html = report(Format::Html, Options::default());
    in_chromium(&html, Screen::Desktop, |page| async move {
        for (fragment, part) in [
            ("#front/framing/bare-lf@nginx", "expected status 400, found 200"),
            ("#cache/stale/if-error", "4 runs, flake rate 25 %"),
            ("#waf/xss/script%233@bare", "<script>window.hacked=true</script>`x`|y"),
            ("#load/cached-page@reference", "26,904"),
            (
                "#waf/xss/script%233@nginx",
                "not believed: the machine stood still for 1.5 s meanwhile",
            ),
            ("#waf/xss/script%233@nginx", "expected status 403, found 504 </script><script>"),
        ] {
            page.open(fragment).await;
            page.until("document.getElementById('panel').open").await;
            let text = page.text(PANEL).await;
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
        page.open("#no/such/case").await;
        assert_eq!(page.get("document.getElementById('panel').open").await, false);
        page.open("#%E0%A4%A").await;
        assert_eq!(page.get("document.getElementById('panel').open").await, false);
        page.quiet().await;
    });
}

#[test]
fn bytes_that_are_no_text_are_shown_as_escapes() {
    let html = report(Format::Html, Options::default());
    in_chromium(&html, Screen::Desktop, |page| async move {
        page.open("#front/framing/bare-lf@nginx").await;
        let escapes = "[...document.querySelectorAll('#panel .hop:first-child pre')][0].querySelectorAll('.esc').length";
        assert_eq!(page.get(escapes).await, 6, "a bare LF, ESC, BEL, NUL, 0xFF and 0xFE");
        page.quiet().await;
    });
}

#[test]
fn a_phone_shows_cards_that_fit() {
    let html = report(Format::Html, Options::default());
    in_chromium(&html, Screen::Phone, |page| async move {
        for fragment in ["", "#front/framing/bare-lf@nginx"] {
            page.open(fragment).await;
            assert_eq!(page.get("innerWidth").await, 390);
            assert_eq!(page.get("document.documentElement.scrollWidth").await, 390, "{fragment}");
        }
        page.open("").await;
        let display = "getComputedStyle(document.querySelector('tr.case')).display";
        assert_eq!(page.text(display).await, "flex");
        let label = "getComputedStyle(document.querySelector('td.c-v a'), '::before').content";
        assert_eq!(page.text(label).await, "\"reference\"", "a card says whose verdict it is");
        page.quiet().await;
    });
}

/// Payloads in every field there is: none may run, and none may add an element to the page.
#[test]
fn hostile_data_is_only_text() {
    let payloads = [
        "</script><script>window.hacked=1</script>",
        "<!--<script>window.hacked=1//",
        "<img src=x onerror=window.hacked=1>",
        "\"><svg onload=window.hacked=1>",
        "'-window.hacked=1-'",
        "]]></style><iframe srcdoc='<script>parent.hacked=1</script>'>",
        "javascript:window.hacked=1",
        "\u{1}\u{2}\u{202e}\u{2028}\\u003cscript>",
        "#/@%00%zz{{7*7}}${window.hacked=1}",
    ];
    let cases = payloads.iter().enumerate().map(|(place, text)| hostile(place, text));
    let html = report_of(&run_of(cases), Format::Html, Options::default());
    in_chromium(&html, Screen::Desktop, move |page| async move {
        page.open("").await;
        let rows = page.get("document.querySelectorAll('tr.case').length").await;
        assert_eq!(rows, payloads.len());
        for (place, payload) in payloads.into_iter().enumerate() {
            page.get(&format!("document.querySelectorAll('tr.case th a')[{place}].click()")).await;
            page.until("document.getElementById('panel').open").await;
            let strange =
                "document.querySelectorAll('img, svg, iframe, object, a[href^=javascript]').length";
            assert_eq!(page.get(strange).await, 0, "{payload}");
            let scripts = "document.querySelectorAll('script:not([type])').length";
            assert_eq!(page.get(scripts).await, 1, "{payload}");
            assert_eq!(page.text("typeof window.hacked").await, "undefined", "{payload}");
            page.get("document.getElementById('panel').close()").await;
            page.until("location.hash === ''").await;
        }
        page.quiet().await;
    });
}

fn hostile(place: usize, text: &str) -> CaseResult {
    let payload =
        || Payload { encoding: PayloadEncoding::Text, data: text.to_owned(), truncated_from: None };
    let exchange = Exchange {
        step: text.to_owned(),
        client: text.to_owned(),
        request: payload(),
        response: Some(payload()),
        note: Some(text.to_owned()),
        duration_us: 1,
        origin: vec![OriginExchange { request: payload(), response: Some(payload()) }],
    };
    let failure = Failure {
        file: text.to_owned(),
        line: 1,
        column: 1,
        path: text.to_owned(),
        message: text.to_owned(),
        expected: text.to_owned(),
        found: text.to_owned(),
        rendered: text.to_owned(),
        exchange: Some(0),
        unanswered: false,
    };
    CaseResult {
        file: text.to_owned(),
        name: text.to_owned(),
        family: text.to_owned(),
        spec: text.to_owned(),
        explain: Some(text.to_owned()),
        tags: vec![text.to_owned()],
        reason: Some(text.to_owned()),
        clock: Some(text.to_owned()),
        failures: vec![failure],
        exchanges: vec![exchange],
        logs: vec![LogExcerpt { log: text.to_owned(), lines: vec![text.to_owned()] }],
        reproduce: text.to_owned(),
        ..result(place, &format!("{place}{text}"), text, "must", Verdict::Fail)
    }
}
