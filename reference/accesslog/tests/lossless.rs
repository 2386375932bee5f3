//! `parse(format(x)) == x`, for arbitrary bytes in every variable of every format that compiles.

use std::time::Duration;

use edgeproof_accesslog::{Dialect, Format, Preset, Record};
use jiff::{
    Timestamp, Zoned,
    fmt::strtime::{BrokenDownTime, Config, PosixCustom},
    tz::TimeZone,
};
use proptest::{option, prelude::*};

type Bytes = Option<Vec<u8>>;

/// The raw material of a record, owned.
#[derive(Clone, Debug)]
struct Request {
    plain: [Bytes; 9],
    request_fields: Vec<(&'static str, Vec<u8>)>,
    response_fields: Vec<(&'static str, Vec<u8>)>,
    received: Option<Zoned>,
    completion: Zoned,
    duration: Option<Duration>,
    response_size: Option<u64>,
    status: Option<u16>,
}

const PLAIN: [&str; 9] = [
    "client_ip",
    "peer_ip",
    "protocol",
    "ssl_version",
    "request",
    "request_hostname",
    "request_method",
    "request_path",
    "request_protocol",
];

impl Request {
    fn record(&self) -> Record<'_> {
        let plain = |index: usize| self.plain[index].as_deref();
        Record {
            client_ip: plain(0),
            peer_ip: plain(1),
            protocol: plain(2),
            ssl_version: plain(3),
            request: plain(4),
            request_hostname: plain(5),
            request_method: plain(6),
            request_path: plain(7),
            request_protocol: plain(8),
            request_fields: &self.request_fields,
            response_fields: &self.response_fields,
            received: self.received.as_ref().map(Into::into),
            duration: self.duration,
            response_size: self.response_size,
            status: self.status,
            ..Record::at(&self.completion)
        }
    }

    /// What a line must say of a variable, worked out without the crate under test.
    fn expected(&self, name: &str, strftime: &str, decimals: usize) -> Bytes {
        if let Some(index) = PLAIN.iter().position(|plain| *plain == name) {
            return self.plain[index].clone();
        }
        let text = |value: Option<String>| value.map(String::into_bytes);
        match name {
            "default" => None,
            "referer" => joined(&self.request_fields, "referer"),
            "user_agent" => joined(&self.request_fields, "user-agent"),
            "completion_date" => text(Some(date(&self.completion, strftime))),
            "request_time" => text(self.received.as_ref().map(|at| date(at, strftime))),
            "duration" => text(self.duration.map(|d| {
                let all = format!("{}.{:09}", d.as_secs(), d.subsec_nanos());
                all[..all.len() - (9 - decimals)].to_owned()
            })),
            "response_size" => text(self.response_size.map(|n| n.to_string())),
            "status" => text(self.status.map(|n| n.to_string())),
            _ => match name.split_once(':') {
                Some(("request_header", field)) => joined(&self.request_fields, field),
                Some(("response_header", field)) => joined(&self.response_fields, field),
                _ => panic!("{name} is not a variable"),
            },
        }
    }
}

fn date(at: &Zoned, strftime: &str) -> String {
    let posix = Config::new().custom(PosixCustom::new());
    BrokenDownTime::from(at).to_string_with_config(&posix, strftime).unwrap()
}

fn joined(fields: &[(&'static str, Vec<u8>)], name: &str) -> Bytes {
    let lines: Vec<&[u8]> = fields
        .iter()
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
        .collect();
    (!lines.is_empty()).then(|| lines.join(b", ".as_slice()))
}

/// Bytes that are likelier to hurt than random ones.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"-".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\".to_vec()),
        Just(b"\\x41".to_vec()),
        Just(b" ".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"{status}".to_vec()),
        Just("é日\u{202e}\u{9b}\u{1F980}".as_bytes().to_vec()),
        Just(b"null".to_vec()),
        "[ -~]{1,3}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 1..4),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn zoned() -> impl Strategy<Value = Zoned> {
    // 1969 to 2068, which every directive can express.
    let zones = prop_oneof![
        Just("Europe/Paris"),
        Just("UTC"),
        Just("Asia/Kathmandu"),
        Just("America/St_Johns")
    ];
    (0i64..3_000_000_000, 0..1_000_000_000, zones).prop_map(|(second, nanosecond, zone)| {
        Timestamp::new(second, nanosecond).unwrap().to_zoned(TimeZone::get(zone).unwrap())
    })
}

fn fields() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let name =
        prop_oneof![Just("Referer"), Just("user-agent"), Just("X-A"), Just("x-a"), Just("Y")];
    proptest::collection::vec((name, value()), 0..5)
}

prop_compose! {
    fn request()(
        plain in proptest::array::uniform9(option::weighted(0.8, value())),
        request_fields in fields(),
        response_fields in fields(),
        received in option::of(zoned()),
        completion in zoned(),
        duration in option::of(any::<Duration>()),
        response_size in option::of(any::<u64>()),
        status in option::of(any::<u16>()),
    ) -> Request {
        Request {
            plain, request_fields, response_fields, received, completion, duration,
            response_size, status,
        }
    }
}

/// One variable of a format: its name as parsed, and its strftime text if it is a date.
#[derive(Clone, Debug)]
struct Variable {
    name: String,
    strftime: Option<String>,
}

impl Variable {
    fn written(&self, dialect: Dialect) -> String {
        let (name, argument) = match (&self.strftime, self.name.split_once(':')) {
            (Some(strftime), _) => (self.name.as_str(), strftime.as_str()),
            (None, Some(parts)) => parts,
            (None, None) => return format!("{{{}}}", self.name),
        };
        match dialect {
            Dialect::Of2018 => format!("{{{name}:{{{argument}}}}}"),
            Dialect::Current => format!("{{{name}:{argument}}}"),
        }
    }
}

fn variable() -> impl Strategy<Value = Variable> {
    let named = proptest::sample::select(
        [
            &PLAIN[..],
            &["default", "referer", "user_agent", "duration", "response_size", "status"],
            &["request_header:X-A", "response_header:y", "request_header:none"],
        ]
        .concat(),
    )
    .prop_map(|name| Variable { name: name.to_owned(), strftime: None });
    let item = prop_oneof![
        proptest::sample::select(vec![
            "%d", "%b", "%Y", "%H", "%M", "%S", "%z", "%:z", "%Z", "%Q", "%e", "%-d", "%_m", "%^a",
            "%A", "%c", "%r", "%x", "%s", "%f", "%.f", "%3f", "%.6f", "%N", "%n", "%t", "%%", "%j",
            "%F", "%T", "%P", "%u", "%V",
        ])
        .prop_map(str::to_owned),
        "[ -~&&[^{}%]]",
        Just("é".to_owned()),
    ];
    let date = (
        prop_oneof![Just("completion_date"), Just("request_time")],
        proptest::collection::vec(item, 1..5),
    )
        .prop_map(|(name, items)| Variable {
            name: name.to_owned(),
            strftime: Some(items.concat()),
        });
    prop_oneof![3 => named, 1 => date]
}

/// Text between variables: mostly what people write, sometimes what nobody should.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(vec![
            " ", "\" \"", " \"", "\" ", "] [", "|", " - ", "-", "x", "2D", ".", ",", "a b", "\"",
        ]).prop_map(str::to_owned),
        1 => "[ -~é&&[^{}]]{1,3}",
    ]
}

#[derive(Clone, Debug)]
struct Layout {
    dialect: Dialect,
    before: String,
    variables: Vec<(Variable, String)>,
    ends_bare: bool,
}

impl Layout {
    fn text(&self) -> String {
        let last = self.variables.len() - 1;
        let mut text = self.before.clone();
        for (index, (variable, after)) in self.variables.iter().enumerate() {
            text += &variable.written(self.dialect);
            if index < last || !self.ends_bare {
                text += after;
            }
        }
        text
    }
}

prop_compose! {
    fn layout()(
        dialect in prop_oneof![Just(Dialect::Of2018), Just(Dialect::Current)],
        before in prop_oneof![Just(String::new()), literal()],
        variables in proptest::collection::vec((variable(), literal()), 1..6),
        ends_bare in any::<bool>(),
    ) -> Layout {
        Layout { dialect, before, variables, ends_bare }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_global_rejects: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn text_formats(layout in layout(), requests in proptest::collection::vec(request(), 1..4)) {
        let format = Format::compile(&layout.text(), layout.dialect);
        prop_assume!(format.is_ok());
        let format = format.unwrap();
        let decimals = if layout.dialect == Dialect::Of2018 { 3 } else { 6 };
        for request in &requests {
            let mut line = Vec::new();
            format.write(&request.record(), &mut line);
            prop_assert_eq!(line.pop(), Some(b'\n'));
            let literal = layout.text();
            prop_assert!(
                line.iter().all(|b| (0x20..0x7F).contains(b) || literal.as_bytes().contains(b)),
                "not printable: {}", line.escape_ascii()
            );
            let parsed = format.parse(&line);
            prop_assert!(parsed.is_ok(), "{}: {}", parsed.unwrap_err(), line.escape_ascii());
            let parsed = parsed.unwrap();
            let foreign = format.parse_foreign(&line);
            prop_assert_eq!(foreign.as_ref(), Ok(&parsed), "{}", line.escape_ascii());
            let found: Vec<_> = parsed.iter().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect();
            let expected: Vec<_> = layout.variables.iter().map(|(variable, _)| {
                let strftime = variable.strftime.as_deref().unwrap_or_default();
                (variable.name.clone(), request.expected(&variable.name, strftime, decimals))
            }).collect();
            prop_assert_eq!(found, expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn json(requests in proptest::collection::vec(request(), 1..4)) {
        let format = Format::preset(Preset::Json);
        for request in &requests {
            let mut line = Vec::new();
            format.write(&request.record(), &mut line);
            prop_assert_eq!(line.pop(), Some(b'\n'));
            prop_assert!(line.iter().all(|b| (0x20..0x7F).contains(b)));
            let object: serde_json::Value = serde_json::from_slice(&line).unwrap();
            for (name, value) in format.parse(&line).unwrap().iter() {
                let expected = request.expected(name, "%Y-%m-%dT%H:%M:%S%.6f%:z", 6);
                prop_assert_eq!(value, expected.as_deref(), "{}", line.escape_ascii());
                prop_assert_eq!(object[name].is_null(), expected.is_none());
                // Text without escapes of its own reads as itself in any JSON reader.
                if let (Some(text), Some(Ok(expected))) = (object[name].as_str(), expected.map(String::from_utf8))
                    && !expected.contains("\\x")
                {
                    prop_assert_eq!(text, expected);
                }
            }
        }
    }

    #[test]
    fn parse_never_panics(layout in layout(), line in value()) {
        if let Ok(format) = Format::compile(&layout.text(), layout.dialect) {
            let _ = format.parse(&line);
            let _ = format.parse_foreign(&line);
        }
        let _ = Format::preset(Preset::Json).parse(&line);
    }
}
