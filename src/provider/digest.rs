//! A SHA-256 digest in the form of a signature header: a prefix and hexadecimal digits.

/// Decodes a digest: `prefix`, 64 lower-case hexadecimal digits, and nothing else.
pub(super) fn decode(prefix: &[u8], text: &[u8]) -> Option<[u8; 32]> {
    let hex = text.strip_prefix(prefix)?;
    if hex.len() != 64 {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(digest)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
