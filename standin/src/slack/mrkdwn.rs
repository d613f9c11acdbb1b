//! Slack's own markup as HTML: emphasis, code, quotes, links and mentions. Everything else is text and is escaped.

use super::workspace::Team;
use crate::page::{escape, push_escaped};

/// Maximum nesting of emphasis; deeper marks are shown as they are.
const DEEPEST: usize = 3;
/// Maximum length of emphasised text, which keeps hostile text cheap to draw.
const LONGEST: usize = 2_000;

/// Renders markup as HTML.
pub(super) fn html(text: &str, team: &Team) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut parts = text.split("```");
    if let Some(first) = parts.next() {
        lines(first, team, &mut out);
    }
    while let Some(code) = parts.next() {
        out.push_str("<pre>");
        entities(code.trim_matches('\n'), &mut out);
        out.push_str("</pre>");
        if let Some(after) = parts.next() {
            lines(after.strip_prefix('\n').unwrap_or(after), team, &mut out);
        }
    }
    out
}

/// Renders plain text as HTML, with its line breaks.
pub(super) fn plain(text: &str) -> String {
    escape(text).replace('\n', "<br>")
}

fn lines(text: &str, team: &Team, out: &mut String) {
    for (index, line) in text.split('\n').enumerate() {
        let quoted = line.strip_prefix("&gt;").or_else(|| line.strip_prefix("> "));
        if let Some(quoted) = quoted {
            out.push_str("<blockquote>");
            inline(quoted.trim_start(), team, 0, out);
            out.push_str("</blockquote>");
            continue;
        }
        if index > 0 {
            out.push_str("<br>");
        }
        inline(line, team, 0, out);
    }
}

fn inline(text: &str, team: &Team, depth: usize, out: &mut String) {
    let mut rest = text;
    let mut before = ' ';
    while let Some(character) = rest.chars().next() {
        let tail = &rest[character.len_utf8()..];
        let used = match character {
            '<' => tail.split_once('>').map(|(inside, after)| {
                reference(inside, team, out);
                after
            }),
            '`' => tail.split_once('`').filter(|(inside, _)| !inside.is_empty()).map(|(inside, after)| {
                out.push_str("<code>");
                entities(inside, out);
                out.push_str("</code>");
                after
            }),
            '*' | '_' | '~' if depth < DEEPEST && !before.is_alphanumeric() => {
                emphasised(tail, character).map(|(inside, after)| {
                    let tag = tag_of(character);
                    out.push_str(&format!("<{tag}>"));
                    inline(inside, team, depth + 1, out);
                    out.push_str(&format!("</{tag}>"));
                    after
                })
            }
            _ => None,
        };
        match used {
            Some(after) => rest = after,
            None => {
                entity(rest, character, out);
                rest = tail;
            }
        }
        before = character;
    }
}

fn tag_of(mark: char) -> &'static str {
    match mark {
        '*' => "strong",
        '_' => "em",
        _ => "s",
    }
}

/// Splits text at the mark's partner: the emphasised part, and the rest.
fn emphasised(text: &str, mark: char) -> Option<(&str, &str)> {
    let near = text.char_indices().take(LONGEST).filter(|(_, character)| *character == mark);
    for (end, _) in near {
        let (inside, after) = (&text[..end], &text[end + 1..]);
        let spaced = |edge: Option<char>| edge.is_none_or(char::is_whitespace);
        if spaced(inside.chars().next()) {
            return None;
        }
        if !spaced(inside.chars().next_back()) && !after.starts_with(char::is_alphanumeric) {
            return Some((inside, after));
        }
    }
    None
}

/// Renders the text between angle brackets: a link, a person, a channel, a mention of everybody.
fn reference(inside: &str, team: &Team, out: &mut String) {
    let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    let mention = |text: &str, out: &mut String| {
        out.push_str("<span class=\"mention\">");
        entities(text, out);
        out.push_str("</span>");
    };
    if let Some(id) = target.strip_prefix('@') {
        let name =
            if id == team.bot.user_id { Some(team.bot.name.as_str()) } else { team.user(id).map(|user| user.name) };
        mention(&format!("@{}", label.or(name).unwrap_or(id)), out);
    } else if let Some(id) = target.strip_prefix('#') {
        let channel = team.channel(id);
        let name = label.or(channel.as_ref().map(|channel| channel.name.as_str())).unwrap_or(id);
        mention(&format!("#{name}"), out);
    } else if let Some(command) = target.strip_prefix('!') {
        let word = command.split('^').next().unwrap_or(command);
        mention(&label.map_or_else(|| format!("@{word}"), str::to_owned), out);
    } else if is_link(target) {
        out.push_str("<a rel=\"noreferrer noopener\" href=\"");
        entities(target, out);
        out.push_str("\">");
        entities(label.unwrap_or(target), out);
        out.push_str("</a>");
    } else {
        out.push_str("&lt;");
        entities(inside, out);
        out.push_str("&gt;");
    }
}

/// Accepts an address that is safe to put into a link.
pub(super) fn is_link(target: &str) -> bool {
    ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

fn entities(text: &str, out: &mut String) {
    for (index, character) in text.char_indices() {
        entity(&text[index..], character, out);
    }
}

/// Renders one character. Slack's senders have already escaped three of them, and that must not be done twice.
fn entity(rest: &str, character: char, out: &mut String) {
    if character == '&' && ["&amp;", "&lt;", "&gt;"].iter().any(|known| rest.starts_with(known)) {
        out.push('&');
    } else {
        push_escaped(out, character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let team = Team::new("T0STANDIN", "Acme", "acme", "Tieline");
        assert_eq!(html(text, &team), expected, "{text}");
    }

    #[test]
    fn emphasis_code_and_quotes() {
        check("*bold* _it_ ~gone~ `a<b`", "<strong>bold</strong> <em>it</em> <s>gone</s> <code>a&lt;b</code>");
        check("*a _b_ c*", "<strong>a <em>b</em> c</strong>");
        check("2 * 3 * 4 snake_case_name", "2 * 3 * 4 snake_case_name");
        check("a\nb", "a<br>b");
        check("&gt; said", "<blockquote>said</blockquote>");
        check("x ```let *a* = 1;``` y", "x <pre>let *a* = 1;</pre> y");
    }

    #[test]
    fn links_and_mentions() {
        check(
            "<https://x.example/?a=1&amp;b=2|the *x*>",
            "<a rel=\"noreferrer noopener\" href=\"https://x.example/?a=1&amp;b=2\">the *x*</a>",
        );
        check(
            "<!channel> <@U0STANDINADA>",
            "<span class=\"mention\">@channel</span> <span class=\"mention\">@ada</span>",
        );
        check("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;");
    }

    #[test]
    fn nothing_becomes_markup_that_was_text() {
        check("&lt;b&gt; &amp; &copy; \"'", "&lt;b&gt; &amp; &amp;copy; &quot;&#39;");
        check("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;");
        check(
            "<https://x.example/\" onclick=\"x>",
            "<a rel=\"noreferrer noopener\" href=\"https://x.example/&quot; onclick=&quot;x\">https://x.example/&quot; onclick=&quot;x</a>",
        );
    }
}
