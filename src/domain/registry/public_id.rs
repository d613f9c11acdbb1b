//! Public identifiers: the kind of a resource, and its UUID in 26 characters, as a ULID is written.
//!
//! Not here: the identifiers in the core (`kernel::ids`).

use std::{fmt, str::FromStr};

use uuid::Uuid;

use super::definition::DefinitionKind;

/// Crockford's Base32: no I, L, O and U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

/// An identifier with a prefix, such as `intver_01JVYWESY3BVAM5FR3XT9X813H`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicId {
    /// Kind of the resource.
    pub prefix: &'static str,
    /// Its UUID.
    pub id: Uuid,
}

impl PublicId {
    /// Prefix of a version of an integration.
    pub const VERSION: &'static str = "intver";
    /// Prefix of a version of an interface.
    pub const INTERFACE: &'static str = "ifver";
    /// Prefix of an organisation.
    pub const WORKSPACE: &'static str = "wkspace";
    /// Prefix of an API key of an integration.
    pub const API_KEY: &'static str = "iak";
    /// Prefix of an installation of a version: the product's bot.
    pub const INSTALLATION: &'static str = "bot";
    /// Prefix of an event.
    pub const EVENT: &'static str = "evt";
}

impl DefinitionKind {
    /// Returns the prefix of the identifier of a version.
    pub fn prefix(self) -> &'static str {
        match self {
            DefinitionKind::Integration => PublicId::VERSION,
            DefinitionKind::Interface => PublicId::INTERFACE,
        }
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.id.as_u128();
        write!(f, "{}_", self.prefix)?;
        for place in (0..LENGTH).rev() {
            let digit = (bits >> (5 * place)) & 31;
            write!(f, "{}", char::from(DIGITS[usize::try_from(digit).unwrap_or_default()]))?;
        }
        Ok(())
    }
}

/// Parses an identifier of a kind: with its prefix, or as a UUID. `None` if it is neither.
pub fn public_id(prefix: &str, text: &str) -> Option<Uuid> {
    let Some(digits) = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')) else {
        return Uuid::from_str(text).ok().filter(|_| text.len() == 36);
    };
    let value = |digit: u8| DIGITS.iter().position(|known| *known == digit.to_ascii_uppercase());
    // 26 digits can hold 130 bits.
    if digits.len() != LENGTH || value(digits.as_bytes()[0])? > 7 {
        return None;
    }
    let bits = digits.bytes().try_fold(0_u128, |bits, digit| Some(bits << 5 | value(digit)? as u128))?;
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_comes_back() {
        for bits in [0, 1, u128::MAX, 0x0199_c0de_5a3b_7c41_9e2f_3b1d_5a7c_9e10] {
            let id = Uuid::from_u128(bits);
            let text = PublicId { prefix: PublicId::VERSION, id }.to_string();
            assert_eq!(text.len(), "intver_".len() + 26);
            assert_eq!(public_id("intver", &text), Some(id), "{text}");
            assert_eq!(public_id("intver", &id.to_string()), Some(id));
            assert_eq!(public_id("iak", &text), None);
        }
    }

    #[test]
    fn an_invalid_identifier_is_refused() {
        for text in [
            "",
            "intver_",
            "intver_01JVYWESY3BVAM5FR3XT9X813",
            "intver_81JVYWESY3BVAM5FR3XT9X813H",
            "intver_01JVYWESY3BVAM5FR3XT9X813U",
            "intver_01JVYWESY3BVAM5FR3XT9X81\u{e9}",
            "0199c0de5a3b7c419e2f3b1d5a7c9e10",
            "acme/teams",
        ] {
            assert_eq!(public_id("intver", text), None, "{text:?}");
        }
    }
}
