//! The JWT that authenticates the app: RS256 by the app's key, for ten minutes at most. The refusals have GitHub's
//! texts, because clients look for them to find out that their clock is wrong.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::app::App;
use super::key::Key;

/// Maximum lifetime of a token.
const LONGEST_SECS: i64 = 600;

const GARBAGE: Refused = Refused { status: 401, message: "A JSON web token could not be decoded" };

/// Reason for which a token is not accepted.
#[derive(Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) message: &'static str,
}

fn refused(message: &'static str) -> Refused {
    Refused { status: 401, message }
}

/// Accepts a token of the app that is valid now.
pub(crate) fn verify(token: &str, app: &App, key: &Key, now: i64) -> Result<(), Refused> {
    let (signed, signature) = token.rsplit_once('.').ok_or(GARBAGE)?;
    let (header, claims) = signed.split_once('.').ok_or(GARBAGE)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| GARBAGE)?;
    let claims = object(claims).ok_or(GARBAGE)?;
    // The algorithm is fixed here: a token that names another one is not examined.
    if object(header).ok_or(GARBAGE)?.get("alg") != Some(&Value::from("RS256")) {
        return Err(GARBAGE);
    }
    let issuer = match claims.get("iss") {
        Some(Value::String(issuer)) => issuer.clone(),
        Some(Value::Number(issuer)) => issuer.to_string(),
        _ => return Err(refused("Missing 'issuer' claim ('iss') in assertion")),
    };
    if issuer != app.id.to_string() && issuer != app.client_id {
        return Err(Refused { status: 404, message: "Integration not found" });
    }
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(GARBAGE);
    }
    check_times(&claims, now)
}

fn check_times(claims: &Map<String, Value>, now: i64) -> Result<(), Refused> {
    let Some(expires) = claims.get("exp") else {
        return Err(refused("Missing 'expiration time' claim ('exp') in assertion"));
    };
    let now_exact = now as f64;
    match expires.as_f64() {
        Some(at) if at > now_exact + LONGEST_SECS as f64 => {
            return Err(refused("'Expiration time' claim ('exp') is too far in the future"));
        }
        Some(at) if at > now_exact => {}
        _ => {
            return Err(refused(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the \
                 assertion expires",
            ));
        }
    }
    let Some(issued) = claims.get("iat") else {
        return Err(refused("Missing 'issued at' claim ('iat') in assertion"));
    };
    if issued.as_i64().is_some_and(|at| at <= now) {
        return Ok(());
    }
    Err(refused("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"))
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Options;

    const NOW: i64 = 1_800_000_000;

    fn token(header: &Value, claims: &Value, key: &Key) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    #[test]
    fn only_a_fresh_token_of_the_app_is_accepted() {
        let app = App::new(&Options::default());
        let key = Key::load(None).unwrap();
        let rs256 = json!({"alg": "RS256", "typ": "JWT"});
        let good = json!({"iss": app.id, "iat": NOW - 60, "exp": NOW + 540});
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        let without = |name: &str| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(name);
            claims
        };
        for claims in [
            good.clone(),
            with("iss", json!(app.id.to_string())),
            with("iss", json!(app.client_id)),
            with("exp", json!(NOW + 600)),
            with("iat", json!(NOW)),
        ] {
            assert_eq!(verify(&token(&rs256, &claims, &key), &app, &key, NOW), Ok(()), "{claims}");
        }
        let past = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the \
                    assertion expires";
        let issued = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
        for (claims, status, message) in [
            (with("exp", json!(NOW + 601)), 401, "'Expiration time' claim ('exp') is too far in the future"),
            (with("exp", json!(NOW)), 401, past),
            (with("exp", json!("soon")), 401, past),
            (without("exp"), 401, "Missing 'expiration time' claim ('exp') in assertion"),
            (with("iat", json!(NOW + 1)), 401, issued),
            (with("iat", json!("now")), 401, issued),
            (without("iat"), 401, "Missing 'issued at' claim ('iat') in assertion"),
            (without("iss"), 401, "Missing 'issuer' claim ('iss') in assertion"),
            (with("iss", json!(1)), 404, "Integration not found"),
        ] {
            let refusal = verify(&token(&rs256, &claims, &key), &app, &key, NOW);
            assert_eq!(refusal, Err(Refused { status, message }), "{claims}");
        }
        let whole = token(&rs256, &good, &key);
        let (signed, signature) = whole.rsplit_once('.').unwrap();
        for bad in [
            token(&json!({"alg": "none"}), &good, &key),
            token(&json!({"alg": "HS256"}), &good, &key),
            token(&rs256, &good, &Key::another()),
            format!("{signed}."),
            format!("{signed}.{}", signature.to_lowercase()),
            signed.to_owned(),
            "x.y.z".to_owned(),
            "garbage".to_owned(),
            String::new(),
        ] {
            assert_eq!(verify(&bad, &app, &key, NOW), Err(GARBAGE), "{bad}");
        }
    }
}
