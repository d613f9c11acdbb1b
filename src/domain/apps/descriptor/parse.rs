//! Parses bytes as JSON, and explains syntax errors. Real descriptors are written by hand, and one in twelve is not
//! JSON: each error is explained, with its position.
//!
//! Not here: the content of a descriptor (`lint`).

use serde_json::Value;

use super::{
    finding::{Findings, Place, quoted, rule},
    places::Node,
};

/// Maximum size of a document.
pub const MAX_BYTES: usize = 256 * 1024;
/// Maximum nesting depth of lists and objects.
pub const MAX_DEPTH: usize = 32;

/// A document and its text.
pub(super) struct Parsed<'a> {
    pub(super) value: Value,
    pub(super) text: &'a str,
    pub(super) nodes: Node<'a>,
}

impl Parsed<'_> {
    /// Returns the position of the value at a pointer.
    pub(super) fn place(&self, pointer: &str) -> Place {
        Place::of(self.text, self.nodes.find(pointer))
    }
}

/// Parses a text; on failure, the reason is an error among the findings.
pub(super) fn parse<'a>(body: &'a [u8], findings: &mut Findings) -> Option<Parsed<'a>> {
    let start = Place { line: 1, column: 1 };
    if body.len() > MAX_BYTES {
        let message = format!("has {} bytes; at most {MAX_BYTES} are read", body.len());
        findings.error_at(start, rule::TOO_LARGE, message);
        return None;
    }
    let text = match std::str::from_utf8(body) {
        // RFC 8259, 8.1: a byte order mark must not be written, and a reader may ignore one.
        Ok(text) => text.trim_start_matches('\u{FEFF}'),
        Err(error) => {
            let message = match body {
                [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "is UTF-16; save it as UTF-8".to_owned(),
                _ => format!("the byte 0x{:02x} is not UTF-8; save the file as UTF-8", body[error.valid_up_to()]),
            };
            let before = String::from_utf8_lossy(&body[..error.valid_up_to()]);
            findings.error_at(Place::of(&before, before.len()), rule::ENCODING, message);
            return None;
        }
    };
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            let mistake = mistake(text, &error);
            findings.error_at(Place::of(text, mistake.at), mistake.rule, mistake.message);
            return None;
        }
    };
    let nodes = Node::read(text);
    if depth(&value) > MAX_DEPTH {
        findings.error_at(start, rule::TOO_DEEP, TOO_DEEP);
        return None;
    }
    for (pointer, name, at) in nodes.duplicates() {
        let message = format!("{} comes twice in this object; the last one counts", quoted(name));
        findings.warning_at(|| Place::of(text, at), rule::DUPLICATE_KEY, pointer, message);
    }
    Some(Parsed { value, text, nodes })
}

pub(super) const TOO_DEEP: &str = "lists and objects lie too deep within each other; at most 32 levels are read";

/// Returns the nesting depth of a value. serde_json has refused inputs that would overflow the stack.
pub(super) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

struct Mistake {
    at: usize,
    rule: &'static str,
    message: String,
}

impl Mistake {
    fn new(at: usize, rule: &'static str, message: impl Into<String>) -> Self {
        Self { at, rule, message: message.into() }
    }
}

/// Explains the likely cause of an error of serde_json.
fn mistake(text: &str, error: &serde_json::Error) -> Mistake {
    let first = text.trim_start();
    if first.is_empty() {
        return Mistake::new(0, rule::EMPTY, "there is nothing; a JSON object is expected");
    }
    if first.starts_with('<') {
        return Mistake::new(text.len() - first.len(), rule::HTML, "this is a web page or XML, not JSON");
    }
    let at = offset(text, error);
    let rest = &text[at..];
    let complaint = error.to_string();
    let complaint = complaint.split(" at line ").next().unwrap_or_default();
    if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        return Mistake::new(at, rule::COMMENT, "a comment; JSON has none");
    }
    match complaint {
        "trailing comma" => {
            let at = text[..at].trim_end().len().saturating_sub(1);
            Mistake::new(at, rule::TRAILING_COMMA, "a comma after the last entry; JSON has none there")
        }
        "trailing characters" => after_the_end(at, rest),
        "recursion limit exceeded" => Mistake::new(at, rule::TOO_DEEP, TOO_DEEP),
        "number out of range" => {
            let at = text[..at].trim_end_matches(|c: char| c.is_ascii_digit() || "+-.eE".contains(c)).len();
            Mistake::new(at, rule::NUMBER, "a number that is too large")
        }
        "expected `,` or `}`" | "expected `,` or `]`" => between(text, at),
        _ if error.is_eof() => ended(text),
        _ if complaint.starts_with("control character") => in_text(text, at),
        _ => syntax(at, rest, complaint),
    }
}

/// Returns the offset of the error. serde_json counts columns in bytes and names the byte it has just read, also if
/// that is a line break: column 0 of the next line.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let line = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (line + error.column()).saturating_sub(1).min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn after_the_end(at: usize, rest: &str) -> Mistake {
    let message = match rest.as_bytes().first() {
        Some(b'{' | b'[') => "a second document begins here; there has to be one",
        Some(b'}' | b']') => "a closing bracket too many, or an object that was closed too early",
        _ => "the document is at its end, and here is more",
    };
    Mistake::new(at, rule::TRAILING_TEXT, message)
}

/// Explains an error between two entries, where a comma or the end is due.
fn between(text: &str, at: usize) -> Mistake {
    let rest = &text[at..];
    let next = rest.chars().next().unwrap_or_default();
    if matches!(next, ']' | '}')
        && let Some((bracket, opened)) = lexed(&text[..at]).open.pop()
    {
        let wanted = if bracket == '{' { '}' } else { ']' };
        let line = Place::of(text, opened).line;
        let message = format!("the {bracket} of line {line} is not closed: a {wanted} is missing before this {next}");
        return Mistake::new(at, rule::UNCLOSED, message);
    }
    let begins_value = matches!(next, '"' | '{' | '[' | '-' | '0'..='9');
    if begins_value || ["true", "false", "null"].iter().any(|word| rest.starts_with(word)) {
        return Mistake::new(at, rule::MISSING_COMMA, "a comma is missing before this");
    }
    if text[..at].ends_with('"') {
        let message = "a comma is missing before this, or a quotation mark inside a text, which is written \\\"";
        return Mistake::new(at, rule::MISSING_COMMA, message);
    }
    syntax(at, rest, "a comma or a closing bracket is expected")
}

/// Explains a premature end of the text.
fn ended(text: &str) -> Mistake {
    let lexed = lexed(text);
    let end = text.trim_end().len();
    if let Some(opened) = lexed.quotation {
        let line = Place::of(text, opened).line;
        let message = format!("the text that begins in line {line} is not closed: a \" is missing");
        return Mistake::new(opened, rule::UNCLOSED, message);
    }
    let Some((bracket, opened)) = lexed.open.last() else {
        return Mistake::new(end, rule::SYNTAX, "the document ends too early");
    };
    let missing: String =
        lexed.open.iter().rev().map(|(bracket, _)| if *bracket == '{' { '}' } else { ']' }).take(20).collect();
    let line = Place::of(text, *opened).line;
    let message =
        format!("the document ends too early: the {bracket} of line {line} is not closed; missing: {missing}");
    Mistake::new(end, rule::UNCLOSED, message)
}

/// Explains an error inside a text, at a character that has to be escaped there.
fn in_text(text: &str, at: usize) -> Mistake {
    let line = |offset| Place::of(text, offset).line;
    match (text.as_bytes().get(at), lexed(&text[..at]).quotation) {
        (Some(b'\n' | b'\r'), Some(opened)) => {
            let line = line(opened);
            let message = format!("the text that begins in line {line} is not closed in its line: a \" is missing");
            Mistake::new(opened, rule::UNCLOSED, message)
        }
        (Some(b'\t'), _) => Mistake::new(at, rule::SYNTAX, "a tab inside a text; it is written \\t"),
        _ => Mistake::new(at, rule::SYNTAX, "a control character inside a text; it is written \\u and four digits"),
    }
}

/// Explains any other error.
fn syntax(at: usize, rest: &str, complaint: &str) -> Mistake {
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').take(40).collect();
    let message = match rest.chars().next().unwrap_or_default() {
        '\'' | '`' => "a text and a name stand between double quotation marks".to_owned(),
        '\u{201C}'..='\u{201F}' | '\u{2018}'..='\u{201B}' => {
            "typographic quotation marks; JSON has the plain ones, \"".to_owned()
        }
        ',' => "a comma too many, or something missing before it".to_owned(),
        '}' | ']' => "a value is missing before this".to_owned(),
        _ if matches!(word.as_str(), "True" | "False" | "None" | "undefined" | "NaN" | "Infinity") => {
            format!("{word} is not JSON; it has true, false and null")
        }
        _ if complaint.starts_with("key must") => "a name stands between double quotation marks".to_owned(),
        _ if complaint == "expected `:`" => "a colon is missing between a name and its value".to_owned(),
        _ if complaint == "expected value" && !word.is_empty() => {
            format!("{} is no value; a text stands between double quotation marks", quoted(&word))
        }
        _ => format!("not JSON: {complaint}"),
    };
    Mistake::new(at, rule::SYNTAX, message)
}

/// Open brackets and quotation mark at the end of a text that is well-formed up to there.
#[derive(Default)]
struct Lexed {
    open: Vec<(char, usize)>,
    quotation: Option<usize>,
}

fn lexed(text: &str) -> Lexed {
    let mut lexed = Lexed::default();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (lexed.quotation, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(_), '"') => lexed.quotation = None,
            (Some(_), _) => {}
            (None, '"') => lexed.quotation = Some(at),
            (None, '{' | '[') => lexed.open.push((c, at)),
            (None, '}' | ']') => {
                lexed.open.pop();
            }
            (None, _) => {}
        }
    }
    lexed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_reported_at_its_position() {
        for (text, rule, line, column, says) in [
            ("{\n  \"a\": 1, // one\n  \"b\": 2\n}", rule::COMMENT, 2, 11, "a comment; JSON has none"),
            ("{\"a\": 1 /* one */}", rule::COMMENT, 1, 9, "a comment"),
            ("{\"a\": 1}\n// {\"b\": 2}", rule::COMMENT, 2, 1, "a comment"),
            ("# settings\n{}", rule::COMMENT, 1, 1, "a comment"),
            ("{\n  \"a\": 1\n  \"b\": 2\n}", rule::MISSING_COMMA, 3, 3, "a comma is missing"),
            ("[{} {}]", rule::MISSING_COMMA, 1, 5, "a comma is missing"),
            ("{\"a\": \"x\" true}", rule::MISSING_COMMA, 1, 11, "a comma is missing"),
            ("{\"a\": \"say \"hi\" now\"}", rule::MISSING_COMMA, 1, 13, "inside a text"),
            ("{\n  \"a\": 1,\n}", rule::TRAILING_COMMA, 2, 9, "a comma after the last entry"),
            ("[1, 2 , ]", rule::TRAILING_COMMA, 1, 7, "a comma after the last entry"),
            ("{\"a\": 1}\n{\"b\": 2}", rule::TRAILING_TEXT, 2, 1, "a second document"),
            ("{}}", rule::TRAILING_TEXT, 1, 3, "a closing bracket too many"),
            ("{};", rule::TRAILING_TEXT, 1, 3, "here is more"),
            ("[\n {\"a\": 1\n]", rule::UNCLOSED, 3, 1, "the { of line 2 is not closed: a } is missing before this ]"),
            ("{\"a\": [1}", rule::UNCLOSED, 1, 9, "the [ of line 1 is not closed"),
            ("{\n\"a\": {\n\"b\": [1,\n 2]\n\n", rule::UNCLOSED, 4, 4, "the { of line 2 is not closed; missing: }}"),
            ("{\"a\": \"\u{e4}\u{f6}", rule::UNCLOSED, 1, 7, "the text that begins in line 1"),
            ("{\"a\": \"x\n\"}", rule::UNCLOSED, 1, 7, "a \" is missing"),
            ("{\"\u{e4}\": \"x\ty\"}", rule::SYNTAX, 1, 9, "a tab inside a text"),
            ("{'a': 1}", rule::SYNTAX, 1, 2, "double quotation marks"),
            ("{\"a\": 'x'}", rule::SYNTAX, 1, 7, "double quotation marks"),
            ("{a: 1}", rule::SYNTAX, 1, 2, "a name stands between"),
            ("{\"a\": \u{201C}x\u{201D}}", rule::SYNTAX, 1, 7, "typographic"),
            ("{\"a\": True}", rule::SYNTAX, 1, 7, "True is not JSON"),
            ("{\"a\": yes}", rule::SYNTAX, 1, 7, "\"yes\" is no value"),
            ("{\"a\" 1}", rule::SYNTAX, 1, 6, "a colon is missing"),
            ("{\"a\": , \"b\": 1}", rule::SYNTAX, 1, 7, "a comma too many"),
            ("{\"a\": }", rule::SYNTAX, 1, 7, "a value is missing"),
            ("{\"a\": 1e999}", rule::NUMBER, 1, 7, "too large"),
            ("", rule::EMPTY, 1, 1, "there is nothing"),
            (" \n ", rule::EMPTY, 1, 1, "there is nothing"),
            ("\n<!DOCTYPE html>", rule::HTML, 2, 1, "a web page"),
        ] {
            let mut findings = Findings::default();
            assert!(parse(text.as_bytes(), &mut findings).is_none(), "{text}");
            let found = findings.finish(|_| None).pop().unwrap();
            assert_eq!((found.rule, found.place), (rule, Some(Place { line, column })), "{text}: {found}");
            assert!(found.message.contains(says), "{text}: {found}");
        }
    }

    #[test]
    fn hostile_bytes_are_refused() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let deepish = "[".repeat(33) + &"]".repeat(33);
        let large = format!("\"{}\"", "x".repeat(1 << 20));
        for (body, rule, says) in [
            (&b"{\n\"a\": \"\xC3\xA4\xFF\"}"[..], rule::ENCODING, "line 2, column 8: the byte 0xff is not UTF-8"),
            (b"\xFF\xFE{\0}\0", rule::ENCODING, "is UTF-16"),
            (deep.as_bytes(), rule::TOO_DEEP, "at most 32 levels"),
            (deepish.as_bytes(), rule::TOO_DEEP, "at most 32 levels"),
            (large.as_bytes(), rule::TOO_LARGE, "has 1048578 bytes; at most 262144 are read"),
        ] {
            let mut findings = Findings::default();
            assert!(parse(body, &mut findings).is_none());
            let found = findings.finish(|_| None).pop().unwrap();
            assert_eq!(found.rule, rule, "{found}");
            assert!(found.to_string().contains(says), "{found}");
        }
    }

    #[test]
    fn every_cut_of_a_document_is_refused_without_a_panic() {
        let text = "{\"\u{e4}\\\"b\": [1, {\"c\": \"\u{20AC}\\u00e4\"}], \"d\": -1.5e3, \"e\": null}";
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert!(parse(&text.as_bytes()[..end], &mut Findings::default()).is_none(), "{}", &text[..end]);
            let without = format!("{}{}", &text[..end], text[end..].chars().skip(1).collect::<String>());
            let _ = parse(without.as_bytes(), &mut Findings::default());
        }
        assert!(parse(format!("\u{FEFF}{text}").as_bytes(), &mut Findings::default()).is_some());
    }

    #[test]
    fn a_member_that_comes_twice_is_a_warning_and_the_last_one_counts() {
        let mut findings = Findings::default();
        let parsed = parse(b"{\n\"type\": \"a\",\n\t\"type\": \"b\"\n}", &mut findings).unwrap();
        assert_eq!(parsed.value["type"], "b");
        let found = findings.finish(|_| None).pop().unwrap();
        assert_eq!((found.rule, found.path.as_str()), (rule::DUPLICATE_KEY, "/type"));
        assert_eq!(found.place, Some(Place { line: 3, column: 2 }));
    }

    #[test]
    fn a_hundred_thousand_duplicates_are_a_hundred_findings() {
        let body = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(40_000));
        let mut findings = Findings::default();
        assert!(parse(body.as_bytes(), &mut findings).is_some());
        let found = findings.finish(|_| None);
        assert_eq!(found.len(), 101);
        assert_eq!(found.last().map(|last| last.message.as_str()), Some("39900 more are not listed"));
    }
}
