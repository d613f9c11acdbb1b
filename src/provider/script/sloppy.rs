//! Finds the names that a script assigns without declaring them, such as `i` in `for (i = 0; …)`.
//!
//! In the product a class becomes functions of sloppy code, where such an assignment makes a global. An engine of the
//! language as it is today takes a class as strict code, where it is a `ReferenceError`. Not in it: the rest of the
//! difference, which `docs/scripts.md` names.

use std::collections::BTreeSet;

/// Maximum number of names searched for: no real script has as many.
const MOST: usize = 1_000;

/// Keywords of a declaration before a name.
const DECLARING: [&str; 5] = ["var", "let", "const", "function", "class"];

/// Returns the names in a position where an assignment may create them. Quoted text and comments are read like code,
/// and names declared elsewhere are among them: a surplus global harms nobody.
pub(super) fn assigned_names(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let (mut before, mut at) = ("", 0);
    while let Some(name) = next_name(text, at) {
        let gap = text[at..name.start].trim();
        let (word, rest) = (&text[name.clone()], text[name.end..].trim_start());
        let declared = gap.is_empty() && DECLARING.contains(&before);
        let is_member = gap.ends_with('.') && !gap.ends_with("...");
        if !declared && !is_member && (is_assigned(rest) || (gap == "(" && is_iterated(before, rest))) {
            names.insert(word);
            if names.len() == MOST {
                break;
            }
        }
        (before, at) = (word, name.end);
    }
    names
}

/// Matches an `=` that is no comparison and no arrow.
fn is_assigned(rest: &str) -> bool {
    rest.strip_prefix('=').is_some_and(|more| !more.starts_with(['=', '>']))
}

/// Matches `for (name of …`, `for (name in …`.
fn is_iterated(before: &str, rest: &str) -> bool {
    let words = |word: &str| rest.strip_prefix(word).is_some_and(|more| !more.starts_with(is_part));
    (before == "for" || before == "await") && (words("of") || words("in"))
}

fn next_name(text: &str, from: usize) -> Option<std::ops::Range<usize>> {
    let mut at = from;
    loop {
        let start = at + text[at..].find(is_part)?;
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
        if !text[start..].starts_with(|c: char| c.is_ascii_digit()) {
            return Some(start..end);
        }
        at = end;
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_assigned_are_found() {
        for (text, expected) in [
            ("for (i = 0; i < n; i++) {}", vec!["i"]),
            ("for (i = 0, j=1; ;) {}", vec!["i", "j"]),
            ("for (key in all) {} for (one of all) {} for await (x of y) {}", vec!["key", "one", "x"]),
            ("for (const key in all) {} for (inner.x of y) {} for (offset; ;) {}", vec![]),
            ("var a = 1; let b = 2\nconst\n c = 3; function d() {}", vec![]),
            ("a.b = 1; a['c'] = 2; a ?. d; a == b; a === b; a => b; a >= b; a != b", vec![]),
            ("a = b = 1; $x_1 = 2; größe = 3", vec!["$x_1", "a", "b", "größe"]),
            ("1e3 = 2; 9a = 1", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(assigned_names(text).into_iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn there_are_not_too_many() {
        let text: String = (0..5_000).map(|n| format!("a{n} = 1;")).collect();
        assert_eq!(assigned_names(&text).len(), MOST);
    }
}
