//! Patterns with `*`. It stands for any characters, or none, and also for `/`; everything else is literal, such as the
//! brackets of `*[bot]`.
//!
//! Not here: `?`, character classes and escapes, which these patterns do not have.

/// Returns true if `pattern` matches the whole of `text`, letter by letter.
///
/// The pieces between the stars are searched one after the other, each in the rest after the one before, so the time is
/// linear in the length of both: there is no backtracking.
pub fn covers(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = text.strip_prefix(start).and_then(|text| text.strip_suffix(end));
    let Some(mut left) = inner else { return false };
    for piece in middle.split('*') {
        let Some(at) = left.find(piece) else { return false };
        left = &left[at + piece.len()..];
    }
    true
}

/// Returns true if `pattern` matches the whole of `text`, ignoring case.
pub fn covers_in_any_case(pattern: &str, text: &str) -> bool {
    pattern.eq_ignore_ascii_case(text) || covers(&pattern.to_lowercase(), &text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::domain::slack::block_kit::Dice;

    #[test]
    fn a_star_is_anything_and_the_rest_is_itself() {
        for (pattern, text) in [
            ("main", "main"),
            ("*", ""),
            ("*", "a/b"),
            ("release/*", "release/1.2/x"),
            ("release/*", "release/"),
            ("*-fix", "a-fix"),
            ("a*c*e", "abcde"),
            ("a**e", "ae"),
            ("*[bot]", "renovate[bot]"),
            ("a.c", "a.c"),
            ("*ab*ab*", "xabab"),
            ("", ""),
        ] {
            assert!(covers(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("main", "Main"),
            ("main", "main2"),
            ("release/*", "release"),
            ("a*a", "a"),
            ("*ab*ab*", "xaba"),
            ("a*b*a", "aa"),
            ("a.c", "abc"),
            ("", "a"),
            ("*[bot]", "robot"),
        ] {
            assert!(!covers(pattern, text), "{pattern} {text}");
        }
        assert!(covers_in_any_case("ÄPFEL*", "äpfel und Birnen"));
        assert!(covers_in_any_case("Bug", "bUG"));
    }

    #[test]
    fn a_pattern_made_to_take_long_is_quick() {
        let begun = Instant::now();
        let text = "a".repeat(10_000);
        for pattern in ["*a*a*a*a*b".to_owned(), "a*".repeat(5_000) + "b", "*".repeat(10_000) + "b"] {
            assert!(!covers(&pattern, &text));
        }
        assert!(covers(&"a*".repeat(5_000), &text));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }

    /// Matches by definition: slow and simple.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| by_definition(rest, &text[n..])),
            Some((c, rest)) => text.split_first().is_some_and(|(d, text)| c == d && by_definition(rest, text)),
        }
    }

    #[test]
    fn random_patterns_match_by_definition() {
        let mut dice = Dice(7);
        let mut word = |letters: &[char], most: usize| -> Vec<char> {
            (0..dice.roll(most)).map(|_| letters[dice.roll(letters.len())]).collect()
        };
        let mut covered = 0;
        for _ in 0..20_000 {
            let (pattern, text) = (word(&['a', 'b', 'é', '*', '*'], 8), word(&['a', 'b', 'é'], 9));
            let expected = by_definition(&pattern, &text);
            covered += usize::from(expected);
            let (pattern, text): (String, String) = (pattern.iter().collect(), text.iter().collect());
            assert_eq!(covers(&pattern, &text), expected, "{pattern} {text}");
        }
        assert!(covered > 1_000, "{covered}");
    }
}
