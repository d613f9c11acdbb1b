//! The text of personal access tokens, and of operators' tokens.
//!
//! Not here: their storage and authentication (`tokens`, `identity`, `operators`).
//!
//! `tl_`, or `tlo_` for an operator's, + 22 characters of the token's id + 43 characters of secret + 6 characters of
//! checksum, all base64url. The id finds the row; only the SHA-256 of the secret is stored; the checksum lets a secret
//! scanner recognise a token, and exposes a typo without a database query.

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use uuid::Uuid;

use crate::domain::secret::Secret;

const ID_CHARS: usize = 22;
const SECRET_CHARS: usize = 43;
const CHECKSUM_CHARS: usize = 6;

/// Kind of a token. The prefix tells them apart, and each has a table of its own: the text of one never passes for the
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A personal access token of a member.
    Personal,
    /// A token of an operator.
    Operator,
}

impl Kind {
    /// Returns the prefix of its texts.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Personal => "tl_",
            Self::Operator => "tlo_",
        }
    }

    /// Returns the kind that a text claims to be of.
    pub fn of(text: &str) -> Option<Self> {
        [Self::Personal, Self::Operator].into_iter().find(|kind| text.starts_with(kind.prefix()))
    }
}

/// Parsed text of a token.
#[derive(Debug)]
pub struct Credential {
    /// Kind of the token.
    pub kind: Kind,
    /// Id of the token's row.
    pub id: Uuid,
    secret: Secret,
}

impl Credential {
    /// Returns the text of a token, and the hash to be stored.
    pub fn issue(kind: Kind, id: Uuid, secret: [u8; 32]) -> (Secret, [u8; 32]) {
        let body = format!("{}{}{}", kind.prefix(), BASE64URL.encode(id.as_bytes()), BASE64URL.encode(secret));
        let checksum = checksum(&body);
        (Secret::new(format!("{body}{checksum}")), sha256(BASE64URL.encode(secret).as_bytes()))
    }

    /// Parses a text; `None` if it is not a token of this service.
    pub fn parse(text: &str) -> Option<Self> {
        let kind = Kind::of(text)?;
        let rest = &text[kind.prefix().len()..];
        if rest.len() != ID_CHARS + SECRET_CHARS + CHECKSUM_CHARS || !rest.is_ascii() {
            return None;
        }
        let (body, given) = text.split_at(text.len() - CHECKSUM_CHARS);
        if checksum(body) != given {
            return None;
        }
        let id = BASE64URL.decode(&rest[..ID_CHARS]).ok()?;
        Some(Self {
            kind,
            id: Uuid::from_slice(&id).ok()?,
            secret: Secret::new(&rest[ID_CHARS..ID_CHARS + SECRET_CHARS]),
        })
    }

    /// Compares the secret with a stored hash, in constant time.
    pub fn matches(&self, secret_sha256: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&sha256(self.secret.expose().as_bytes()), secret_sha256).is_ok()
    }
}

/// Returns bytes in lower-case hexadecimal.
pub(in crate::app) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the SHA-256 digest.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

fn checksum(body: &str) -> String {
    BASE64URL.encode(sha256(body.as_bytes()))[..CHECKSUM_CHARS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back() {
        let id = Uuid::from_u128(5);
        for kind in [Kind::Personal, Kind::Operator] {
            let (text, hash) = Credential::issue(kind, id, [9; 32]);
            let credential = Credential::parse(text.expose()).unwrap();
            assert_eq!((credential.kind, credential.id), (kind, id));
            assert!(credential.matches(&hash));
            assert!(!credential.matches(&[0; 32]));
            assert!(!credential.matches(&hash[..31]));
            assert!(!credential.matches(b""));
        }
    }

    #[test]
    fn the_prefix_is_a_part_of_what_is_checked() {
        let (text, _) = Credential::issue(Kind::Personal, Uuid::from_u128(5), [9; 32]);
        assert!(Credential::parse(&text.expose().replace("tl_", "tlo_")).is_none());
        let (text, _) = Credential::issue(Kind::Operator, Uuid::from_u128(5), [9; 32]);
        assert!(Credential::parse(&text.expose().replace("tlo_", "tl_")).is_none());
    }

    #[test]
    fn a_malformed_token_is_recognised_without_a_database() {
        let (text, _) = Credential::issue(Kind::Personal, Uuid::nil(), [1; 32]);
        let text = text.expose();
        let other = if text.ends_with('A') { "B" } else { "A" };
        for bad in [
            "",
            "tl_",
            "tlo_",
            "xoxb-1",
            &text[..text.len() - 1],
            &format!("{text}A"),
            &format!("{}{other}", &text[..text.len() - 1]),
            &text.replace("tl_", "TL_"),
            &"é".repeat(40),
        ] {
            assert!(Credential::parse(bad).is_none(), "{bad}");
        }
    }
}
