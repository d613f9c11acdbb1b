//! Versions of integrations, and queries for one: semantic versions (semver 2.0), and ranges as npm reads them.
//!
//! Not here: the stored versions.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

/// Maximum length of a version, and of a query for one, in bytes.
pub const MAX_VERSION: usize = 200;

/// Rule for a version; its text continues after the location.
pub(super) const VERSION_RULE: &str =
    "must be a semantic version such as \"1.2.0\" or \"2.0.0-beta.1\": no range, no \"v\"";

/// A semantic version, strictly: `1.2.0`, `2.0.0-beta.1`, `1.2.0+build.5`. Build metadata is kept and shown, and does not
/// distinguish versions: two that differ in nothing else are equal, as in every comparison of npm's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(nodejs_semver::Version);

impl Version {
    /// Parses a version. `None` if it is invalid.
    pub fn parse(text: &str) -> Option<Self> {
        let version = nodejs_semver::Version::parse(text).ok().filter(|_| text.len() <= MAX_VERSION)?;
        // The library tolerates common mistakes, such as `v1.2.0`; its own output is strict.
        (version.to_string() == text).then_some(Self(version))
    }

    /// Returns the same version without build metadata.
    pub fn without_build(&self) -> Self {
        let text = self.to_string();
        let plain = text.split('+').next().unwrap_or_default();
        Self::parse(plain).unwrap_or_else(|| self.clone())
    }

    /// Returns its first number.
    pub fn major(&self) -> u64 {
        self.0.major()
    }

    /// Returns true for a pre-release, such as `2.0.0-beta.1`.
    pub fn is_prerelease(&self) -> bool {
        self.0.is_prerelease()
    }

    /// Returns true if both have the same major, within which no dependent may break. Below 1.0.0 the second number
    /// counts as the major, as it does in ranges.
    pub fn same_line(&self, other: &Self) -> bool {
        let line = |version: &Self| match version.0.major() {
            0 => (0, version.0.minor()),
            major => (major, 0),
        };
        line(self) == line(other)
    }

    /// Placeholder in a definition that is never seen, because its own version has issues.
    pub(super) fn unknown() -> Self {
        Self(nodejs_semver::Version::from((0, 0, 0)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("a version {VERSION_RULE}"))
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

/// A query for a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionQuery {
    /// Exactly this version.
    Exact(Version),
    /// The highest within a range.
    Range(VersionRange),
    /// The highest of all.
    Latest,
}

/// A range as npm reads it. A pre-release is within it only if the range names one of the same three numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange(Vec<nodejs_semver::Range>);

impl VersionRange {
    fn parse(text: &str) -> Option<Self> {
        let alternatives = text.split("||").map(|alternative| {
            let range = nodejs_semver::Range::parse(alternative).ok().filter(|_| is_range(alternative))?;
            Some((range, is_contradiction(alternative)))
        });
        let alternatives = alternatives.collect::<Option<Vec<_>>>()?;
        let possible = alternatives.into_iter().filter(|(_, is_contradiction)| !is_contradiction);
        Some(Self(possible.map(|(range, _)| range).collect()))
    }

    fn contains(&self, version: &Version) -> bool {
        self.0.iter().any(|range| range.satisfies(&version.0))
    }
}

/// Returns true if each word could be part of a range. The library ignores other words.
fn is_range(text: &str) -> bool {
    let can_begin = |c: char| c.is_ascii_digit() || "vVxX*><=^~".contains(c);
    text.split_whitespace().all(|word| word == "-" || word.starts_with(can_begin))
}

/// Returns true if no version matches, as in `>=2 <1`. The library takes such words for alternatives.
fn is_contradiction(text: &str) -> bool {
    let mut left: Option<nodejs_semver::Range> = None;
    let mut operator = String::new();
    for word in text.split_whitespace() {
        operator.push_str(word);
        // A single word of `1 - 2` or of `> 1` is inconclusive.
        if word == "-" {
            return false;
        }
        if word.bytes().all(|b| b"<>=^~".contains(&b)) {
            continue;
        }
        let Ok(range) = nodejs_semver::Range::parse(std::mem::take(&mut operator)) else { return false };
        left = match left {
            None => Some(range),
            Some(left) => match left.intersect(&range) {
                None => return true,
                both => both,
            },
        };
    }
    false
}

impl VersionQuery {
    /// Parses a version, a range or the word `latest`. `None` if it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "latest" {
            return Some(Self::Latest);
        }
        if text.trim().is_empty() || text.len() > MAX_VERSION {
            return None;
        }
        match Version::parse(text) {
            Some(version) => Some(Self::Exact(version)),
            None => VersionRange::parse(text).map(Self::Range),
        }
    }

    /// Returns true if a version matches. [`Self::Latest`] matches each.
    pub fn matches(&self, version: &Version) -> bool {
        match self {
            Self::Exact(exact) => exact == version,
            Self::Range(range) => range.contains(version),
            Self::Latest => true,
        }
    }

    /// Returns the highest matching version. The latest one is the highest release, or else the highest pre-release.
    pub fn pick<'a, T>(&self, versions: impl Iterator<Item = (&'a Version, T)>) -> Option<T> {
        let is_latest = matches!(self, Self::Latest);
        let rank = |a: &Version, b: &Version| -> Ordering {
            let released = if is_latest { b.is_prerelease().cmp(&a.is_prerelease()) } else { Ordering::Equal };
            released.then_with(|| a.cmp(b))
        };
        let asked_for = versions.filter(|(version, _)| self.matches(version));
        asked_for.max_by(|(a, _), (b, _)| rank(a, b)).map(|(_, found)| found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_strict() {
        for text in
            ["0.0.0", "1.2.3", "10.20.30", "1.0.0-0", "1.0.0-alpha.1", "1.0.0-x-y.7.z", "1.0.0+build.5", "1.0.0-rc.1+7"]
        {
            assert_eq!(Version::parse(text).map(|version| version.to_string()).as_deref(), Some(text));
        }
        let long = format!("1.0.0-{}", "a".repeat(200));
        let bad = [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            "=1.2.3",
            " 1.2.3",
            "1.2.3 ",
            "01.2.3",
            "1.2.3-01",
            "1.2.x",
            "^1.2.3",
            "latest",
            "*",
            "1.2.3+",
            "1.2.3+a..b",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2.3-é",
            "99999999999999999999.0.0",
            &long,
        ];
        for text in bad {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn versions_have_the_order_of_the_standard() {
        // From semver.org, section 11.
        let ordered = [
            "0.9.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.2.0",
            "1.10.0",
            "2.0.0",
        ]
        .map(|text| Version::parse(text).unwrap());
        assert!(ordered.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn build_metadata_does_not_distinguish() {
        let version = |text: &str| Version::parse(text).unwrap();
        assert_eq!(version("1.0.0+build.5"), version("1.0.0+other"));
        assert_eq!(version("1.0.0+build.5"), version("1.0.0"));
        assert!(version("1.0.0+z") < version("1.0.1+a") && version("1.0.0-rc.1+z") < version("1.0.0"));
        assert_eq!(version("1.0.0-rc.1+7").without_build().to_string(), "1.0.0-rc.1");
        assert!(VersionQuery::parse("^1.0.0").unwrap().matches(&version("1.2.0+build.5")));
        assert!(VersionQuery::parse("1.0.0+build.5").unwrap().matches(&version("1.0.0")));
    }

    #[test]
    fn a_line_is_a_major_and_below_one_a_minor() {
        let same = |a: &str, b: &str| Version::parse(a).unwrap().same_line(&Version::parse(b).unwrap());
        assert!(same("1.0.0", "1.9.3-beta") && same("0.2.0", "0.2.7"));
        assert!(!same("1.0.0", "2.0.0") && !same("0.2.0", "0.3.0") && !same("0.1.0", "1.0.0"));
    }

    #[test]
    fn the_highest_that_is_asked_for_is_picked() {
        let versions =
            ["1.0.0", "1.1.0", "0.2.0", "0.2.9", "0.3.0-beta", "1.1.1-rc.1", "2.0.0-alpha.1", "2.0.0-alpha.3", "0.1.0"];
        let versions = versions.map(|text| (Version::parse(text).unwrap(), text));
        let pick = |query: &str, of: &[(Version, &'static str)]| {
            VersionQuery::parse(query)
                .unwrap_or_else(|| panic!("{query:?}"))
                .pick(of.iter().map(|(version, text)| (version, *text)))
        };
        for (query, expected) in [
            ("latest", Some("1.1.0")),
            ("1.0.0", Some("1.0.0")),
            ("2.0.0-alpha.1", Some("2.0.0-alpha.1")),
            ("3.0.0", None),
            ("*", Some("1.1.0")),
            ("x", Some("1.1.0")),
            ("1", Some("1.1.0")),
            ("1.0.x", Some("1.0.0")),
            ("^0.2.0", Some("0.2.9")),
            (">=0.2.0 <0.3.0-0", Some("0.2.9")),
            ("<0.2.0", Some("0.1.0")),
            ("<0.1.0", None),
            ("~1.1.0", Some("1.1.0")),
            ("0.1.0 - 0.2", Some("0.2.9")),
            ("<0.2.0 || 1.0.0", Some("1.0.0")),
            ("^2.0.0-alpha.1", Some("2.0.0-alpha.3")),
            ("^2.0.0", None),
            (">=1.1.1-rc.0", Some("1.1.1-rc.1")),
            ("v1.0.0", Some("1.0.0")),
            (">=1 <1", None),
            ("^2 ^1", None),
            (">=2 < 1 || 0.1.0", Some("0.1.0")),
            ("> 0.1.0 <1", Some("0.2.9")),
            ("<1 || ", Some("1.1.0")),
        ] {
            assert_eq!(pick(query, &versions), expected, "{query}");
        }
        assert_eq!(pick("latest", &versions[4..8]), Some("2.0.0-alpha.3"));
        assert_eq!(pick("latest", &[]), None);
        for query in ["", "  ", "newest", "1.0.0 and 2", "not a version", "1 || newest", &"1".repeat(201)] {
            assert_eq!(VersionQuery::parse(query), None, "{query:?}");
        }
    }
}
