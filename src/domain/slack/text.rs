//! User text, escaped for Slack's `mrkdwn`, and cut without breaking its entities.
//!
//! Slack reads `&`, `<` and `>` as markup and nothing else needs an entity (Slack: "Formatting text for app surfaces",
//! "Escaping text"). `<!channel>`, `<@U…>`, `<#C…>` and links are all written in angle brackets, so text without a bare
//! `<` can neither ping a user nor hide the target of a link. Not here: the blocks around the text.

use std::borrow::Cow;

use url::Url;

/// Stands in for a backtick, which would open or close code and cannot be escaped.
const GRAVE: char = '\u{2CB}';
/// Separates an emphasis character from its text.
const BREAK: char = '\u{200B}';
/// Marks the end of cut text.
const ELLIPSIS: char = '…';

/// Replaces `&`, `<` and `>` by their entities, and nothing else: any other entity would be shown literally.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_escaped(&mut out, c);
    }
    Cow::Owned(out)
}

/// Returns one line of text for a `mrkdwn` object that shows as it was typed: escaped, without control characters, with
/// emphasis made harmless. At most `max` characters.
pub fn plain(text: &str, max: usize) -> String {
    let line = one_line(text, max);
    let mut out = String::with_capacity(line.len() + 16);
    let mut before = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied();
        match c {
            '`' => out.push(GRAVE),
            // Between two letters, as in `snake_case`, Slack emphasises nothing.
            '*' | '_' | '~' if !(is_word(before) && is_word(after)) => {
                if is_word(before) {
                    out.push(BREAK);
                }
                out.push(c);
                if is_visible(after) {
                    out.push(BREAK);
                }
            }
            _ => push_escaped(&mut out, c),
        }
        before = Some(c);
    }
    truncated(out, max)
}

/// Returns one line of text for a `plain_text` object, which has no emphasis: escaped, without control characters. At
/// most `max` characters.
pub fn title(text: &str, max: usize) -> String {
    let line = one_line(text, max);
    match escape(&line) {
        Cow::Borrowed(_) => truncated(line, max),
        Cow::Owned(escaped) => truncated(escaped, max),
    }
}

/// Returns one line of text between backticks. At most `max` characters, backticks included; empty text gives a dash.
pub fn code(text: &str, max: usize) -> String {
    let line = one_line(text, max);
    if line.is_empty() {
        return "–".to_owned();
    }
    let mut inner = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        push_escaped(&mut inner, if c == '`' { GRAVE } else { c });
    }
    let inner = truncated(inner, max.saturating_sub(2));
    format!("`{inner}`")
}

/// Returns a link to an `http`, `https` or `mailto` address, shown as `label`. `None` for another scheme, for an
/// address with characters that an address must encode, and for a link of more than `max` characters: half of it leads
/// elsewhere.
pub fn link(address: &str, label: &str, max: usize) -> Option<String> {
    let schemed = ["http://", "https://", "mailto:"].iter().any(|scheme| address.starts_with(scheme));
    let raw = |c: char| c.is_whitespace() || is_unseen(c) || "<>|`\"\\^{}".contains(c);
    if !schemed || address.len() > max || address.contains(raw) {
        return None;
    }
    let address = String::from(Url::parse(address).ok()?);
    let label: String = one_line(label, max).chars().map(|c| if c == '|' { '¦' } else { c }).collect();
    let link = format!("<{}|{}>", escape(&address), plain(&label, max));
    (width(&link) <= max).then_some(link)
}

/// Cuts escaped text to at most `max` characters, the last of them an ellipsis. It is never cut within an entity or an
/// angle-bracketed token.
///
/// Slack does not say whether it counts code points or UTF-16 units, so the larger number is kept.
pub fn truncate(text: &str, max: usize) -> Cow<'_, str> {
    match cut_at(text, max) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(truncated(text.to_owned(), max)),
    }
}

/// Returns the largest length of a text that Slack may count.
pub fn width(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

fn truncated(mut text: String, max: usize) -> String {
    if let Some(cut) = cut_at(&text, max) {
        text.truncate(cut);
        if max > 0 {
            text.push(ELLIPSIS);
        }
    }
    text
}

/// Returns the cut position that leaves space for an ellipsis; `None` if the text fits.
fn cut_at(text: &str, max: usize) -> Option<usize> {
    if text.len() <= max || width(text) <= max {
        return None;
    }
    let room = max.saturating_sub(1);
    let (mut used, mut cut) = (0, 0);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let atom = match c {
            '&' => ["&amp;", "&lt;", "&gt;"].into_iter().find(|entity| rest.starts_with(entity)).map_or(1, str::len),
            '<' => rest.find('>').map_or(rest.len(), |end| end + 1),
            _ => c.len_utf8(),
        };
        let (atom, tail) = rest.split_at(atom);
        used += width(atom);
        if used > room {
            break;
        }
        cut += atom.len();
        rest = tail;
    }
    Some(cut)
}

/// Collapses white space of any kind into one space, and removes control and bidirectional-override characters. Reads
/// no more than needed to know that the result is longer than `max`.
fn one_line(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max + 4));
    let mut kept = 0;
    for c in text.trim().chars() {
        if c.is_whitespace() {
            if out.ends_with(' ') {
                continue;
            }
            out.push(' ');
        } else if is_unseen(c) {
            continue;
        } else {
            out.push(c);
        }
        kept += 1;
        if kept > max {
            break;
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Returns true for characters that only change the display of others: controls, and the embeddings, overrides and
/// isolates with which text can pretend to read differently (Unicode TR 36, 2.6).
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        _ => out.push(c),
    }
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

fn is_visible(c: Option<char>) -> bool {
    c.is_some_and(|c| !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_characters_are_escaped_and_the_ampersand_first() {
        assert_eq!(escape("<!channel> & </b>|x>'\""), "&lt;!channel&gt; &amp; &lt;/b&gt;|x&gt;'\"");
        assert_eq!(escape("&lt;"), "&amp;lt;");
        assert!(matches!(escape("nothing to do"), Cow::Borrowed(_)));
    }

    #[test]
    fn emphasis_is_parted_from_its_words_and_snakes_are_left_alone() {
        assert_eq!(plain("*bold* _it_ ~no~", 99), "*\u{200B}bold\u{200B}* _\u{200B}it\u{200B}_ ~\u{200B}no\u{200B}~");
        assert_eq!(plain("snake_case_name 2*3", 99), "snake_case_name 2*3");
        assert_eq!(plain("`rm`", 99), "\u{2CB}rm\u{2CB}");
    }

    #[test]
    fn a_text_is_one_line_without_tricks() {
        assert_eq!(plain("  a\r\n\t b\u{0}\u{7} \u{202E}c\u{2066} ", 99), "a b c");
        assert_eq!(title(" *a*\nb ", 99), "*a* b");
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("a`b <@U1>", 99), "`a\u{2CB}b &lt;@U1&gt;`");
        assert_eq!(code(" \n", 99), "–");
        assert_eq!(code("abcdef", 5), "`ab…`");
    }

    #[test]
    fn links_lead_where_they_say() {
        assert_eq!(link("https://a.example/?x=1&y=2", "see", 99).unwrap(), "<https://a.example/?x=1&amp;y=2|see>");
        assert_eq!(
            link("https://a.example/a", "x|y>\n<!here>", 99).unwrap(),
            "<https://a.example/a|x¦y&gt; &lt;!here&gt;>"
        );
        for bad in [
            "javascript:alert(1)",
            "https://",
            "ftp://a.example",
            "a.example",
            "https://a.example/a|b",
            "https://a.example/<b>",
            "https://a.example/ b",
            "",
        ] {
            assert_eq!(link(bad, "x", 99), None, "{bad}");
        }
        assert_eq!(link("https://a.example/0123456789", "x", 30), None, "half a link is no link");
    }

    #[test]
    fn nothing_is_cut_in_two() {
        assert_eq!(truncate("abc", 3), "abc");
        assert_eq!(truncate("abcd", 3), "ab…");
        assert_eq!(truncate("a&amp;bc", 4), "a…");
        assert_eq!(truncate("a&amp;bc", 7), "a&amp;…");
        assert_eq!(truncate("a <https://x.example|label> b", 12), "a …");
        assert_eq!(truncate("a <never closed", 6), "a …");
        assert_eq!(truncate("&&&&", 3), "&&…", "a bare ampersand is one character");
        assert_eq!(truncate("abc", 0), "");
        assert_eq!(truncate("abc", 1), "…");
    }

    #[test]
    fn characters_outside_the_first_plane_count_twice() {
        assert_eq!(width("a😀"), 3);
        assert_eq!(truncate("😀😀😀", 5), "😀😀…");
        assert_eq!(truncate("😀😀😀", 6), "😀😀😀");
    }
}
