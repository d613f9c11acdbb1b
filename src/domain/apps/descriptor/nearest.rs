//! The known kind of app that a misspelt one probably means.

use super::KINDS;

/// Maximum number of letters to insert, remove or replace.
const MOST_EDITS: usize = 2;

/// Returns the known kind that the text begins with as a word, or from which it differs by a few letters.
pub(super) fn nearest(text: &str) -> Option<&'static str> {
    let text = text.trim().to_lowercase();
    let first = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    if let Some(kind) = KINDS.into_iter().find(|kind| *kind == first) {
        return Some(kind);
    }
    let by_edits = KINDS.into_iter().map(|kind| (edits(kind, &text).min(edits(kind, first)), kind));
    by_edits.min().filter(|(edits, _)| *edits <= MOST_EDITS).map(|(_, kind)| kind)
}

/// Returns the Levenshtein distance of a short word to a text; of a long text only that it is far.
fn edits(word: &str, text: &str) -> usize {
    let text: Vec<char> = text.chars().take(2 * word.len()).collect();
    let mut row: Vec<usize> = (0..=text.len()).collect();
    for (index, letter) in word.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (at, other) in text.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_kind_is_recognised() {
        for (text, expected) in [
            ("modifer", Some("modifier")),
            ("modifiers", Some("modifier")),
            ("Modifier Integration", Some("modifier")),
            ("interval and monitoring", Some("interval")),
            ("intervall integration", Some("interval")),
            ("outptu", Some("output")),
            ("fitler", Some("filter")),
            ("agent", None),
            ("monitoring", None),
            ("", None),
            ("\u{e4}\u{e4}\u{e4}", None),
        ] {
            assert_eq!(nearest(text), expected, "{text}");
        }
        assert_eq!(nearest(&"modifier".repeat(10_000)), None);
    }
}
