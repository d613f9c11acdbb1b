//! The app's RSA key: generated once a process, or stored in a file. GitHub issues PKCS#1, so that is written here;
//! both forms are read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const PKCS1: &str = "RSA PRIVATE KEY";
const PKCS8: &str = "PRIVATE KEY";
const LINE: usize = 64;

/// Generating a key takes a noticeable time, so all stand-ins of a process without a key of their own share one.
static OF_PROCESS: LazyLock<Result<Arc<Key>, Unspecified>> = LazyLock::new(|| Key::generate().map(Arc::new));

/// A private key with its public half.
pub(crate) struct Key {
    pair: KeyPair,
    pkcs8: Vec<u8>,
    pkcs1: Vec<u8>,
}

impl Key {
    /// Loads the key of a file, which is created when it is missing; without a file, the key of this process.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written, or holds no RSA key.
    pub(crate) fn load(path: Option<&Path>) -> io::Result<Arc<Self>> {
        let made = || OF_PROCESS.clone().map_err(|_| io::Error::other("no RSA key could be made"));
        let Some(path) = path else {
            return made();
        };
        match fs::read_to_string(path) {
            Ok(text) => Self::from_pem(&text).map(Arc::new).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} holds no RSA private key", path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = made()?;
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
                file.write_all(key.pem().as_bytes())?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }

    fn generate() -> Result<Self, Unspecified> {
        Self::of(KeyPair::generate(KeySize::Rsa2048)?)
    }

    fn of(pair: KeyPair) -> Result<Self, Unspecified> {
        let pkcs8 = pair.as_der()?.as_ref().to_vec();
        let pkcs1 = pkcs1_within(&pkcs8).ok_or(Unspecified)?.to_vec();
        Ok(Self { pair, pkcs8, pkcs1 })
    }

    fn from_pem(text: &str) -> Option<Self> {
        let pair = match decode(PKCS1, text) {
            Some(der) => KeyPair::from_der(&der).ok()?,
            None => KeyPair::from_pkcs8(&decode(PKCS8, text)?).ok()?,
        };
        Self::of(pair).ok()
    }

    /// Returns the private key as GitHub issues it, `BEGIN RSA PRIVATE KEY`.
    pub(crate) fn pem(&self) -> String {
        encode(PKCS1, &self.pkcs1)
    }

    /// The same key as PKCS#8, `BEGIN PRIVATE KEY`.
    pub(crate) fn pkcs8_pem(&self) -> String {
        encode(PKCS8, &self.pkcs8)
    }

    /// Signs with RS256. Without randomness the signature is empty, which nobody accepts.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let rng = aws_lc_rs::rand::SystemRandom::new();
        match self.pair.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &rng, message, &mut signature) {
            Ok(()) => signature,
            Err(_) => Vec::new(),
        }
    }

    /// Returns the modulus and the exponent of the public key, as a key set has them (RFC 7518, 6.3.1).
    pub(crate) fn public_numbers(&self) -> (Vec<u8>, Vec<u8>) {
        let numbers = public_numbers(self.pair.public_key().as_ref());
        // A leading zero keeps a number positive in DER, and is no part of it here.
        let plain = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect();
        numbers.map(|(modulus, exponent)| (plain(modulus), plain(exponent))).unwrap_or_default()
    }

    /// Verifies an RS256 signature by this key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key()).verify(message, signature).is_ok()
    }
}

/// Extracts the PKCS#1 key from a PKCS#8 one: a sequence of a version, an algorithm, and an octet string that holds it.
fn pkcs1_within(pkcs8: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const OCTETS: u8 = 0x04;
    let (inner, _) = element(pkcs8, SEQUENCE)?;
    let (_, rest) = element(inner, INTEGER)?;
    let (_, rest) = element(rest, SEQUENCE)?;
    element(rest, OCTETS).map(|(key, _)| key)
}

/// Extracts the two numbers of a public key in PKCS#1: a sequence of them.
fn public_numbers(pkcs1: &[u8]) -> Option<(&[u8], &[u8])> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    let (inner, _) = element(pkcs1, SEQUENCE)?;
    let (modulus, rest) = element(inner, INTEGER)?;
    let (exponent, _) = element(rest, INTEGER)?;
    Some((modulus, exponent))
}

/// Splits off the first DER element: its content, and the rest.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
    };
    (first == tag).then_some(())?;
    rest.split_at_checked(length)
}

fn encode(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

fn decode(label: &str, pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (text, _) = rest.split_once(&format!("-----END {label}-----"))?;
    STANDARD.decode(text.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
impl Key {
    /// Generates a key other than the process's.
    pub(crate) fn another() -> Self {
        Self::generate().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_the_same_key() {
        let key = Key::load(None).unwrap();
        assert!(key.pem().starts_with("-----BEGIN RSA PRIVATE KEY-----\nMI"));
        assert!(key.pkcs8_pem().starts_with("-----BEGIN PRIVATE KEY-----\nMI"));
        for pem in [key.pem(), key.pkcs8_pem()] {
            let read = Key::from_pem(&pem).unwrap();
            assert_eq!(read.pem(), key.pem());
            assert!(key.verifies(b"message", &read.sign(b"message")));
            assert!(!key.verifies(b"another", &read.sign(b"message")));
        }
        assert!(Key::from_pem("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n").is_none());
    }
}
