//! Icons and readmes: pictures without active content, and others.

use super::*;

fn icon(svg: &str) -> Vec<Issue> {
    issues(&with("/icon", json!(STANDARD.encode(svg))))
}

/// Returns a picture with some content.
fn svg(inside: &str) -> String {
    format!(r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{inside}</svg>"#)
}

#[test]
fn pictures_are_taken() {
    for picture in [
        svg(""),
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- made by hand -->\n{}", svg("<g/>")),
        format!("\u{feff}{}", svg("")),
        "<svg viewBox=\"0 0 1 1\"><path d=\"M0 0h1\"/></svg>".to_owned(),
        svg(r##"<defs><linearGradient id="a"/></defs><rect fill="url(#a)" style="fill:url('#a');stroke:#fff"/>"##),
        svg(r##"<use href="#a"/><use xlink:href="#a"/><a href="#b"><text>javascript: a language</text></a>"##),
        svg(r#"<image href="data:image/png;base64,iVBORw0KGgo="/>"#),
        svg("<style>.a{fill:#fff} /* white */ .b{fill:url(#a)}</style>"),
        svg("<g style=\"scroll-behavior:smooth;font-family:'Open Sans'\"/>"),
        svg(r#"<animate attributeName="opacity" from="0" to="1"/>"#),
        svg(r#"<metadata><x:y xmlns:x="urn:x" x:resource="https://x.example"/></metadata>"#),
        svg("<title>&lt;script&gt; &amp; &#x41;</title>"),
        format!(
            "<?xml version=\"1.0\"?>\n<!-- a > b [ -->\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" 'a>[b'>\n{}",
            svg("")
        ),
    ] {
        assert_eq!(icon(&picture), [], "{picture}");
    }
}

#[test]
fn active_content_is_refused() {
    let says = |picture: &str| {
        let issues = icon(picture);
        assert_eq!((issues.len(), issues.first().map(|issue| issue.rule)), (1, Some(Rule::Icon)), "{picture}");
        assert!(!issues[0].message.contains("evil"), "{}", issues[0].message);
        issues[0].message.clone()
    };
    for inside in [
        "<script>evil()</script>",
        "<SCRIPT>evil()</SCRIPT>",
        "<g><script href=\"#a\"/></g>",
        "<x:script xmlns:x=\"http://www.w3.org/2000/svg\">evil()</x:script>",
        "<foreignObject><body xmlns=\"http://www.w3.org/1999/xhtml\"/></foreignObject>",
        "<h:iframe xmlns:h=\"http://www.w3.org/1999/xhtml\" src=\"#evil\"/>",
        "<h:b xmlns:h=\"http://www.w3.org/1999/xhtml\"/>",
        "<rect onload=\"evil()\"/>",
        "<rect OnClick=\"evil()\"/>",
        "<a href=\"javascript:evil()\"/>",
        "<a xlink:href=\" java\tscript:evil()\"/>",
        "<a href=\"java&#10;script:evil()\"/>",
        "<a href=\"&#x6A;avascript:evil()\"/>",
        "<a href=\"https://evil.example\"/>",
        "<a href=\"//evil.example\"/>",
        "<use href=\"evil.svg#a\"/>",
        "<image href=\"https://evil.example/a.png\"/>",
        "<image href=\"data:image/svg+xml;base64,PHN2Zy8+evil\"/>",
        "<use href=\"data:image/png;base64,evil\"/>",
        "<rect fill=\"url(https://evil.example#a)\"/>",
        "<rect fill=\" URL( 'https://evil.example' )\"/>",
        "<rect style=\"background:url(//evil.example)\"/>",
        "<rect style=\"background:u\\72l(//evil.example)\"/>",
        "<rect style=\"background:ur/**/l(//evil.example)\"/>",
        "<style>@import 'https://evil.example'</style>",
        "<style>@im\\port 'https://evil.example'</style>",
        "<style><![CDATA[a{b:url(https://evil.example)}]]></style>",
        "<style>a{b:image-set('https://evil.example' 1x)}</style>",
        "<set attributeName=\"href\" to=\"#evil\"/>",
        "<animate attributeName=\"xlink:href\" values=\"#evil\"/>",
        "<set attributeName=\"onclick\" to=\"evil()\"/>",
        "<animate attributeName=\"x\" to=\"javascript:evil()\"/>",
        "<g xml:base=\"https://evil.example\"/>",
        "<?xml-stylesheet href=\"https://evil.example\"?>",
    ] {
        let message = says(&svg(inside));
        assert!(message.starts_with("request/body/icon must be a picture and nothing else: it has "), "{message}");
    }
    let doctype = "<!DOCTYPE svg [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>";
    assert!(says(&format!("{doctype}{}", svg("&b;"))).ends_with("ends and declares nothing"));
    assert!(says("<html><svg/></html>").ends_with("its outermost element is another one"));
    assert!(says("<svg xmlns=\"http://www.w3.org/1999/xhtml\"/>").ends_with("its outermost element is another one"));
    assert!(says("\n<svg><g></svg>").ends_with("line 2, column 9"), "{}", says("\n<svg><g></svg>"));
    says("<svg>&evil;</svg>");
    says("<svg a='1' a='2'/>");
    says("<svg/><svg/>");
    says("evil");
    let png = issues(&with("/icon", json!(STANDARD.encode(b"\x89PNG\r\n"))));
    assert_eq!(png[0].message, "request/body/icon must be an SVG in UTF-8");
}

#[test]
fn files_are_base64_of_a_limited_size() {
    let readme = |text: Value| issues(&with("/readme", text)).into_iter().map(|issue| issue.rule).collect::<Vec<_>>();
    assert_eq!(readme(json!(STANDARD.encode("# Ä"))), []);
    assert_eq!(readme(json!(STANDARD.encode("# A").trim_end_matches('='))), []);
    assert_eq!(readme(json!(STANDARD.encode("a".repeat(MAX_README)))), []);
    assert_eq!(readme(json!(STANDARD.encode("a".repeat(MAX_README + 3)))), [Rule::Limit]);
    assert_eq!(readme(json!("YQ\n==")), [Rule::Base64]);
    assert_eq!(readme(json!("a-_b")), [Rule::Base64]);
    assert_eq!(readme(json!("# A readme")), [Rule::Base64]);
}

#[test]
fn a_hostile_icon_costs_a_bounded_time() {
    let attributes = |count: usize| (0..count).map(|n| format!(" a{n}=\"\"")).collect::<String>();
    let namespaces = |count: usize| (0..count).map(|n| format!(" xmlns:n{n}=\"u{n}\"")).collect::<String>();
    let start = std::time::Instant::now();
    for picture in [
        svg(&format!("<g{}/>", attributes(80_000))),
        svg(&format!("<g{}/>", namespaces(40_000))),
        svg(&"<g>".repeat(300_000)),
        svg(&format!("{}{}", "<g>".repeat(140_000), "</g>".repeat(140_000))),
        svg(&"<a/>".repeat(200_000)),
        svg(&format!("<style>{}</style>", "/*".repeat(400_000))),
    ] {
        icon(&picture);
    }
    // At the maximum nesting depth it is walked through without a stack overflow.
    assert_eq!(icon(&svg(&format!("{}{}", "<g>".repeat(49_000), "</g>".repeat(49_000)))), []);
    assert_eq!(icon(&svg(&format!("<g{}/>", attributes(900)))), []);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn a_doctype_is_taken_off() {
    let kept = |picture: &str| {
        let (_, enclosures) = accepted(&with("/icon", json!(STANDARD.encode(picture))));
        String::from_utf8(enclosures.icon.unwrap()).unwrap()
    };
    let doctype =
        "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">";
    assert_eq!(kept(&format!("{doctype}\n{}", svg("<g/>"))), svg("<g/>"));
    let xml = "<?xml version=\"1.0\"?>";
    assert_eq!(kept(&format!("{xml}{doctype}{}", svg(""))), format!("{xml}{}", svg("")));
    for picture in [
        format!("{doctype}{doctype}{}", svg("")),
        format!("<!DOCTYPE svg [ ]>{}", svg("")),
        format!("<!DOCTYPE svg \"{}", svg("")),
        format!("{doctype}{}", svg("&b;")),
        format!("{doctype}{}", svg("<script/>")),
        svg(doctype),
    ] {
        assert_eq!(icon(&picture).len(), 1, "{picture}");
    }
}
