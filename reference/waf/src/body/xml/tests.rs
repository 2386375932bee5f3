use proptest::prelude::*;

use super::*;

fn values(xml: &Xml, path: &str) -> Vec<String> {
    let path = XPath::parse(path).unwrap();
    path.values(xml).into_iter().map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
}

fn mistake(xml: &Xml) -> Option<Mistake> {
    xml.error().map(|error| error.mistake)
}

/// Body, `/*`, `//@*`.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

/// As libxml2 2.9.14 has them.
const WELL_FORMED: &[Case] = &[
    ("<a x=\"1\">t<b y='2'>u</b>v</a>", &["tuv"], &["1", "2"]),
    ("<a><!-- c -->t<?pi d?><![CDATA[<x>]]></a>", &["t<x>"], &[]),
    ("<a><![CDATA[]]]]><![CDATA[>]]></a>", &["]]>"], &[]),
    ("<a xmlns=\"u\" xmlns:p=\"q\" p:x=\"1\"/>", &[""], &["1"]),
    ("<p:a p:x=\"1\">t</p:a >", &["t"], &["1"]),
    ("<a>&lt;&#65;&#x42;\r\nz\r</a>", &["<AB\nz\n"], &[]),
    ("<a>&#x1F600;&quot;&apos;&gt;&amp;lt;</a>", &["\u{1F600}\"'>&lt;"], &[]),
    ("<a x=\"\t&#10;&lt;b\r\n\"/>", &[""], &[" \n<b "]),
    ("<a x='a &amp;&#38; b'/>", &[""], &["a && b"]),
    ("<a xml:lang=\"en\">t</a>", &["t"], &["en"]),
    ("<?xml version=\"1.0\"?>\n<!-- c --><a>\n</a>\n<!-- d -->\n", &["\n"], &[]),
    ("<!DOCTYPE a PUBLIC \"p[\" 'http://h/x.dtd'><a>t</a>", &["t"], &[]),
    ("\u{FEFF}<a>\u{e9}</a>", &["\u{e9}"], &[]),
    ("<\u{e9}>t</\u{e9}>", &["t"], &[]),
    ("<a\n>a<b/>b</a\t>", &["ab"], &[]),
    ("", &[], &[]),
];

#[test]
fn well_formed_documents() {
    for (body, root, attributes) in WELL_FORMED {
        let xml = Xml::parse(body.as_bytes());
        assert_eq!(xml.error(), None, "{body}");
        assert_eq!(&values(&xml, "/*"), root, "{body}");
        assert_eq!(&values(&xml, "//@*"), attributes, "{body}");
    }
}

#[test]
fn mistakes_hide_nothing() {
    let cases: &[(Mistake, Case)] = &[
        (Mistake::Reference, ("<a x='&foo;'>&foo;t</a>", &["&foo;t"], &["&foo;"])),
        (
            Mistake::Reference,
            ("<a>x & y &#0; &#xD800; &#+65; &#x;</a>", &["x & y &#0; &#xD800; &#+65; &#x;"], &[]),
        ),
        (Mistake::Reference, ("<a x='a & b; &c'>t</a>", &["t"], &["a & b; &c"])),
        (Mistake::EndsEarly, ("<a x='1'>t<b>u", &["tu"], &["1"])),
        (Mistake::EndsEarly, (" ", &[], &[])),
        (Mistake::EndTag, ("<a>t</b>u</a>", &["t", "u"], &[])),
        (Mistake::EndTag, ("<a><b>t</a>u</b>", &["tu"], &[])),
        (Mistake::SeveralRoots, ("<a>t</a><b x='1'>u</b>", &["t", "u"], &["1"])),
        (Mistake::Outside, ("t<a/>", &["", "t"], &[])),
        (Mistake::Outside, ("<a/><![CDATA[t]]>", &["", "t"], &[])),
        (Mistake::Outside, ("a=1&b=2", &["a=1", "&b=2"], &[])),
        (Mistake::Declaration, (" <?xml version='1.0'?><a>t</a>", &["t"], &[])),
        (Mistake::Declaration, ("<?xml encoding='utf-8'?><a>t</a>", &["t"], &[])),
        (Mistake::Declaration, ("<!DOCTYPE a&><a>t</a>", &["t"], &[])),
        (Mistake::Declaration, ("<a>t<?p< x?></a>", &["t"], &[])),
        (Mistake::Declaration, ("<a>t<?XML x?></a>", &["t"], &[])),
        (Mistake::Declaration, ("<a>t</a><!DOCTYPE a>", &["t"], &[])),
        (Mistake::Declaration, ("<!doctype a><a>t</a>", &["t"], &[])),
        (Mistake::Tag, ("<a b=c d>t</a>", &["t", "a b=c d"], &["c", ""])),
        (Mistake::Tag, ("<a b='1'c='2'>t</a>", &["t", "a b='1'c='2'"], &["1", "2"])),
        (Mistake::Tag, ("<a b='<'>t</a>", &["t", "a b='<'"], &["<"])),
        (
            Mistake::Tag,
            (
                "<a <img src=x onerror='alert(1)'>t</a>",
                &["t", "a <img src=x onerror='alert(1)'"],
                &["", "x", "alert(1)"],
            ),
        ),
        (Mistake::Tag, ("<1=1>t</1=1>", &["t", "1=1"], &[])),
        (Mistake::DuplicateAttribute, ("<a b='1' b='2'>t</a>", &["t"], &["1", "2"])),
        (Mistake::Delimiter, ("<a>]]></a>", &["]]>"], &[])),
        (Mistake::Delimiter, ("<a>t<!-- a--b -->u</a>", &["tu"], &[])),
        (Mistake::Character, ("<a>t\u{1}</a>", &["t\u{1}"], &[])),
        (Mistake::Character, ("<a>t\0</a>", &["t\0"], &[])),
        (Mistake::Character, ("<a>\u{FFFF}</a>", &["\u{FFFF}"], &[])),
        (Mistake::Markup, ("<a>t</a", &["t", "</a"], &[])),
        (Mistake::Markup, ("<a>t<b x='1", &["t", "<b x='1"], &[])),
        (Mistake::Markup, ("<a>t<!-- x", &["t", "<!-- x"], &[])),
        (Mistake::Markup, ("<a>t<![CDATA[x]]", &["t", "<![CDATA[x]]"], &[])),
        (Mistake::Markup, ("<a>t<?x", &["t", "<?x"], &[])),
        (Mistake::Markup, ("<a>t<!x>u</a>", &["t", "<!x>u</a>"], &[])),
    ];
    for (wanted, (body, root, attributes)) in cases {
        let xml = Xml::parse(body.as_bytes());
        assert_eq!(mistake(&xml), Some(*wanted), "{body}");
        assert_eq!(&values(&xml, "/*"), root, "{body}");
        assert_eq!(&values(&xml, "//@*"), attributes, "{body}");
    }
    let error = Xml::parse(b"<a>t</b>").error().unwrap().to_string();
    let text =
        "XML parser error: XML: Failed parsing document (an end tag of another element, byte 4).";
    assert_eq!(error, text);
}

#[test]
fn entities_are_shown_and_never_expanded() {
    let body = "<!DOCTYPE a [<!ENTITY e \"' OR 1=1--\"><!ENTITY % f SYSTEM 'file:///etc/passwd'>\
        <!-- \"it's\" --><!ENTITY g \"&#x3c;script>\">%f;]><a x='&e;'>&e;!</a>";
    let xml = Xml::parse(body.as_bytes());
    assert_eq!(mistake(&xml), Some(Mistake::Reference));
    let shown = ["&e;!", "' OR 1=1--", "file:///etc/passwd", "<script>"];
    assert_eq!(values(&xml, "/*"), shown);
    assert_eq!(values(&xml, "//@*"), ["&e;"]);

    let mut laughs = "<!DOCTYPE l [<!ENTITY l0 \"ha\">".to_owned();
    for level in 1..100 {
        laughs += &format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10));
    }
    laughs += "]><l>&l99;</l>";
    let xml = Xml::parse(laughs.as_bytes());
    let size: usize = values(&xml, "/*").iter().map(String::len).sum();
    assert!(size < laughs.len());
}

#[test]
fn encodings() {
    let text = "<a x='\u{e9}'>\u{20ac}</a>";
    let declared = |label: &str| format!("<?xml version=\"1.0\" encoding='{label}'?>");
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    let utf32 = |text: &str, bytes: fn(u32) -> [u8; 4]| -> Vec<u8> {
        text.chars().flat_map(|character| bytes(character.into())).collect()
    };
    let marked = format!("\u{FEFF}{text}");
    let same: Vec<Vec<u8>> = vec![
        text.into(),
        marked.clone().into(),
        format!("{}{text}", declared("UTF-8")).into(),
        utf16(&marked, u16::to_le_bytes),
        utf16(&marked, u16::to_be_bytes),
        utf16(text, u16::to_le_bytes),
        utf16(&format!("{}{text}", declared("utf-16")), u16::to_be_bytes),
        utf32(&marked, u32::to_le_bytes),
        utf32(text, u32::to_be_bytes),
        [declared("windows-1252").as_bytes(), b"<a x='\xE9'>\x80</a>"].concat(),
    ];
    for body in same {
        let xml = Xml::parse(&body);
        assert_eq!(xml.error(), None, "{}", body.escape_ascii());
        assert_eq!(values(&xml, "/*"), ["\u{20ac}"], "{}", body.escape_ascii());
        assert_eq!(values(&xml, "//@*"), ["\u{e9}"], "{}", body.escape_ascii());
    }
    let latin = [declared("ISO-8859-1").as_bytes(), b"<a>\xE9\x80</a>"].concat();
    let xml = Xml::parse(&latin);
    assert_eq!((mistake(&xml), values(&xml, "/*")), (None, vec!["\u{e9}\u{80}".to_owned()]));

    let wrong: [(Vec<u8>, &str); 6] = [
        (b"<a>t\xFF</a>".to_vec(), "t\u{FF}"),
        ([declared("utf-8").as_bytes(), b"<a>\xC0\xAF</a>"].concat(), "\u{C0}\u{AF}"),
        (format!("{}<a>+ADw-t</a>", declared("UTF-7")).into(), "+ADw-t"),
        (format!("{}<a>t</a>", declared("UTF-16")).into(), "t"),
        ([&utf16("<a>t</a>", u16::to_le_bytes)[..], b"x"].concat(), "t"),
        (utf16("<a>t</a>", u16::to_be_bytes).into_iter().chain([0xD8, 0]).collect(), "t"),
    ];
    for (body, text) in wrong {
        let xml = Xml::parse(&body);
        assert_eq!(mistake(&xml), Some(Mistake::Encoding), "{}", body.escape_ascii());
        assert_eq!(values(&xml, "/*")[0], text, "{}", body.escape_ascii());
    }
}

#[test]
fn depth_costs_no_stack() {
    let nested = |depth: usize| format!("{}x{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert_eq!(Xml::parse(nested(257).as_bytes()).error(), None);
    let deep = Xml::parse(nested(100_000).as_bytes());
    assert_eq!(mistake(&deep), Some(Mistake::TooDeep));
    assert_eq!(values(&deep, "/*"), ["x"]);
}

#[test]
fn paths_select_what_they_name() {
    let body = "<s:r xmlns:s='u' id='0'>a<u id='1'>b<n>c</n>d</u>\
        <g><u ID='2' s:id='3'><u>e</u></u></g></s:r>";
    let xml = Xml::parse(body.as_bytes());
    assert_eq!(xml.error(), None);
    let cases: &[(&str, &[&str])] = &[
        ("/*", &["abcde"]),
        ("/r", &["abcde"]),
        ("/s:r", &["abcde"]),
        ("/x:*", &["abcde"]),
        ("/u", &[]),
        ("/R", &[]),
        ("/r/u", &["bcd"]),
        ("/r/*", &["bcd", "e"]),
        ("/*/*/*", &["c", "e"]),
        ("//u", &["bcd", "e", "e"]),
        ("/r//u/u", &["e"]),
        ("//g//u", &["e", "e"]),
        ("//*", &["abcde", "bcd", "c", "e", "e", "e"]),
        ("//@*", &["0", "1", "2", "3"]),
        ("//@id", &["0", "1", "3"]),
        ("//@x:id", &["0", "1", "3"]),
        ("/r/@id", &["0"]),
        ("/@id", &[]),
        ("/r/u/@*", &["1"]),
        ("/r//@id", &["0", "1", "3"]),
        ("//g//@*", &["2", "3"]),
        ("//text()", &["a", "b", "c", "d", "e"]),
        ("/r/u/text()", &["b", "d"]),
        ("//u//text()", &["b", "c", "d", "e"]),
        (" //n ", &["c"]),
    ];
    for (path, wanted) in cases {
        assert_eq!(&values(&xml, path), wanted, "{path}");
    }
}

#[test]
fn text_in_one_piece_is_one_node() {
    let xml = Xml::parse(b"<a>1&amp;2<![CDATA[3]]><!-- c -->4<b/>5</a>");
    assert_eq!(values(&xml, "//text()"), ["1&234", "5"]);
}

#[test]
fn other_paths_are_mistakes() {
    use XPathError as E;
    let cases = [
        ("", E::NotAbsolute),
        ("a/b", E::NotAbsolute),
        ("@*", E::NotAbsolute),
        ("/", E::Step(0)),
        ("//", E::Step(0)),
        ("/a/", E::Step(2)),
        ("///a", E::Step(0)),
        ("/a[1]", E::Step(0)),
        ("/a/b[last()]", E::Step(2)),
        (" /a/..", E::Step(3)),
        ("/a/comment()", E::Step(2)),
        ("/child::a", E::Step(0)),
        ("/a|/b", E::Step(0)),
        ("/@1", E::Step(0)),
        ("/a/@x/b", E::NotLast(5)),
        ("//text()/a", E::NotLast(8)),
    ];
    for (path, error) in cases {
        assert_eq!(XPath::parse(path), Err(error), "{path}");
    }
    assert!(XPath::parse(&"/a".repeat(32)).is_ok());
    assert_eq!(XPath::parse(&"/a".repeat(33)), Err(E::TooLong));
}

#[test]
fn values_of_nested_elements_have_a_budget() {
    let body = format!("{}{}{}", "<a>".repeat(5000), "x".repeat(5000), "</a>".repeat(5000));
    let xml = Xml::parse(body.as_bytes());
    let values = values(&xml, "//a");
    assert_eq!(values[0].len(), 5000);
    let size: usize = values.iter().map(String::len).sum();
    assert!(size <= (64 << 10) + 4 * 5000);
}

/// What documents are made of.
const PIECES: &[&str] = &[
    "<",
    "</",
    "/>",
    ">",
    "<a",
    "</a>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a [",
    "<!ENTITY",
    "]>",
    "<?xml",
    "?>",
    "&",
    "&a;",
    "&#1",
    ";",
    " ",
    "a",
    "=",
    "'",
    "\"",
    "\0",
    "é",
    "\u{FEFF}",
    "\r",
];

fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '<' | '&' | '>' | '"' | '\'' | '\r' | '\n' | '\t' => {
                out += &format!("&#{};", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

proptest! {
    #[test]
    fn texts_come_back(
        texts in prop::collection::vec(
            ("[^\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\u{FFFE}\u{FFFF}]{0,12}", any::<bool>()),
            1..8
        )
    ) {
        let mut body = "<r>".to_owned();
        for (text, as_attribute) in &texts {
            let text = escape(text);
            body += &match as_attribute {
                true => format!("<e a='{text}'/>"),
                false => format!("<e>{text}</e>"),
            };
        }
        body += "</r>";
        let xml = Xml::parse(body.as_bytes());
        prop_assert_eq!(xml.error(), None);
        let pick = |wanted: bool| -> Vec<String> {
            texts.iter().filter(|(_, is)| *is == wanted).map(|(text, _)| text.clone()).collect()
        };
        prop_assert_eq!(values(&xml, "//@*"), pick(true));
        prop_assert_eq!(values(&xml, "/*"), [pick(false).concat()]);
        let elements: Vec<_> =
            texts.iter().map(|(text, is)| if *is { String::new() } else { text.clone() }).collect();
        prop_assert_eq!(values(&xml, "/r/e"), elements);
    }

    #[test]
    fn any_bytes_are_read(body in any::<Vec<u8>>()) {
        let xml = Xml::parse(&body);
        for path in ["/*", "//@*", "//*", "//text()"] {
            values(&xml, path);
        }
    }

    #[test]
    fn near_xml_is_read(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30)
    ) {
        let body = pieces.concat();
        let xml = Xml::parse(body.as_bytes());
        let all = ["/*", "//@*"].map(|path| values(&xml, path).concat());
        let size: usize = all.iter().map(String::len).sum();
        // A stray tag shows its attributes twice.
        prop_assert!(size <= 3 * body.len());
    }
}
