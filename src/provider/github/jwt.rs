//! The app's private key, and the tokens with which the app authenticates itself (GitHub: "Generating a JSON Web Token
//! for a GitHub App").

use std::sync::{Mutex, PoisonError};

use chrono::Duration;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::domain::{Error, Result, ambient::Time, secret::Secret};

/// Backdating of a token's time of issue, in case our clock is ahead of GitHub's.
const BACKDATED: Duration = Duration::seconds(60);
/// Lifetime of a token: GitHub accepts none that lasts longer than ten minutes.
const LIFETIME: Duration = Duration::minutes(9);
/// Remaining lifetime below which a token is not used any more.
const MARGIN: Duration = Duration::seconds(60);

/// Signer for the app.
pub(super) struct AppKey {
    key: EncodingKey,
    issuer: String,
    current: Mutex<Option<Current>>,
}

struct Current {
    token: Secret,
    made_at: Time,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
}

impl AppKey {
    /// Parses the key, and signs with it once to validate it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything else than an RSA private key.
    pub(super) fn new(private_key: &Secret, issuer: &str, now: Time) -> Result<Self> {
        let pem = normalised(private_key.expose()).ok_or_else(not_a_key)?;
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| not_a_key())?;
        let key = Self { key, issuer: issuer.to_owned(), current: Mutex::default() };
        key.token(now).map_err(|_| not_a_key())?;
        Ok(key)
    }

    /// Returns a token that is valid for at least another minute.
    pub(super) fn token(&self, now: Time) -> Result<Secret> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Nor one from the future: GitHub refuses it when the clock was set back.
        let good = |made: &&Current| made.made_at <= now && now < made.made_at + LIFETIME - MARGIN;
        if let Some(made) = current.as_ref().filter(good) {
            return Ok(made.token.clone());
        }
        let (iat, exp) = ((now - BACKDATED).timestamp(), (now + LIFETIME).timestamp());
        let claims = Claims { iss: &self.issuer, iat, exp };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map_err(|error| Error::Internal(format!("the app's key at GitHub cannot sign: {error}")))?;
        let token = Secret::new(token);
        *current = Some(Current { token: token.clone(), made_at: now });
        Ok(token)
    }
}

fn not_a_key() -> Error {
    Error::invalid(
        "github.private_key",
        "must be the RSA private key of the GitHub App as PEM, from -----BEGIN RSA PRIVATE KEY----- to \
         -----END RSA PRIVATE KEY-----",
    )
}

/// Extracts the first PEM block and repairs its line breaks: in an environment variable they become spaces, or a
/// backslash and a letter.
fn normalised(text: &str) -> Option<Zeroizing<String>> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, rest) = rest.split_once("-----END ")?;
    let (end, _) = rest.split_once("-----")?;
    if label != end {
        return None;
    }
    let body = Zeroizing::new(body.replace("\\r", "").replace("\\n", ""));
    let body = Zeroizing::new(body.replace(|c: char| c.is_ascii_whitespace() || c == '\\', ""));
    Some(Zeroizing::new(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", *body)))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use aws_lc_rs::{
        encoding::{AsDer, Pkcs8V1Der},
        rsa::{KeyPair, KeySize},
        signature::KeyPair as _,
    };
    use base64::{Engine, prelude::BASE64_STANDARD};
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// Generated anew for every run: scanners find a key in a repository.
    static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

    fn pem(label: &str, der: &[u8]) -> String {
        let text = BASE64_STANDARD.encode(der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    fn pkcs8() -> String {
        pem("PRIVATE KEY", AsDer::<Pkcs8V1Der<'_>>::as_der(&*KEY).unwrap().as_ref())
    }

    /// Returns the key in GitHub's form.
    pub(crate) fn pkcs1() -> String {
        let key = EncodingKey::from_rsa_pem(pkcs8().as_bytes()).unwrap();
        pem("RSA PRIVATE KEY", key.as_bytes())
    }

    /// Returns the claims of a token after a check of its signature by the public key, but not of its times.
    pub(crate) fn claims(token: &str) -> Value {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        let key = DecodingKey::from_rsa_der(KEY.public_key().as_ref());
        jsonwebtoken::decode(token, &key, &validation).unwrap().claims
    }

    fn at(secs: i64) -> Time {
        Time::from_timestamp(NOW + secs, 0).unwrap()
    }

    fn key(pem: &str) -> Result<AppKey> {
        AppKey::new(&Secret::new(pem), "4711", at(0))
    }

    #[test]
    fn a_token_names_the_app_and_lasts_ten_minutes_by_its_own_words() {
        let token = key(&pkcs1()).unwrap().token(at(0)).unwrap();
        assert_eq!(claims(token.expose()), json!({"iss": "4711", "iat": NOW - 60, "exp": NOW + 540}));
        let header = jsonwebtoken::decode_header(token.expose()).unwrap();
        assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::RS256, Some("JWT")));
    }

    #[test]
    fn keys_are_taken_in_every_form_in_which_they_arrive() {
        for pem in [pkcs1(), pkcs8()] {
            for form in [
                pem.clone(),
                pem.trim().into(),
                pem.replace('\n', "\r\n"),
                pem.replace('\n', " "),
                pem.replace('\n', "\\n"),
                pem.replace('\n', "\\r\\n"),
                pem.replace('\n', "\\\\n"),
                pem.replace('\n', ""),
                format!("\"{pem}\""),
                format!("a comment\n{pem}"),
            ] {
                assert_eq!(claims(key(&form).unwrap().token(at(0)).unwrap().expose())["iss"], "4711", "{form}");
            }
        }
    }

    #[test]
    fn what_is_no_private_key_of_rsa_is_refused_by_the_settings_name() {
        let public = pem("RSA PUBLIC KEY", KEY.public_key().as_ref());
        let good = pkcs1();
        for bad in [
            "",
            "hush",
            &public,
            &good[..good.len() / 2],
            &good.replacen("RSA PRIVATE", "PRIVATE", 1),
            &good.replace("RSA PRIVATE", "ENCRYPTED PRIVATE"),
            &good.replace("KEY-----\nMII", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nMII"),
            &pem("RSA PRIVATE KEY", b"nonsense"),
            &pem("PRIVATE KEY", b"nonsense"),
        ] {
            let error = key(bad).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with("github.private_key: must be"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        let key = key(&pkcs1()).unwrap();
        let first = key.token(at(0)).unwrap();
        assert!(key.token(at(479)).unwrap() == first);
        let second = key.token(at(480)).unwrap();
        assert_eq!(claims(second.expose())["exp"], NOW + 480 + 540);
        let set_back = key.token(at(-100)).unwrap();
        assert_eq!(claims(set_back.expose())["iat"], NOW - 160);
    }
}
