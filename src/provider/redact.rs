//! Redaction of secrets in text that is stored or logged, by their form.
//!
//! This is the second line of defence: secrets do not belong into such text in the first place. It knows the tokens of
//! Slack and GitHub, webhook secrets, keys of apps, capability addresses (of Slack, Discord, Zapier, n8n and their like),
//! private keys, `Authorization`, and the secret parameters of addresses and of OAuth.

use std::borrow::Cow;

const REDACTED: &str = "[redacted]";

/// Prefixes of credentials. A credential ends at the first character that none contains.
const TOKENS: &[&str] = &[
    "xoxa-",
    "xoxb-",
    "xoxe-",
    "xoxe.",
    "xoxp-",
    "xoxr-",
    "xoxs-",
    "xapp-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "whsec_",
    "whsk_",
    "tlx_",
];

/// Host of addresses that let any holder post.
const CAPABILITY_HOST: &str = "hooks.slack.com";

/// Names with secret values in every place: a query, a form, a header or JSON.
const NAMES: &[&str] = &[
    "access_token",
    "refresh_token",
    "client_secret",
    "signing_secret",
    "trigger_id",
    "authorization",
    "password",
    "token",
];

/// Names with secret values in a query or a form; elsewhere they are everyday words.
const QUERY_NAMES: &[&str] = &[
    "access_key",
    "accesskey",
    "api-key",
    "api_key",
    "apikey",
    "auth",
    "code",
    "key",
    "secret",
    "sig",
    "signature",
    "state",
];

/// Segments after which the rest of an address's path is a capability in every form.
const CAPABILITIES: &[&str] = &["/hooks/catch/"];

/// Segments after which it is one if it contains something like a secret.
const HOOKS: &[&str] =
    &["/hook/", "/hooks/", "/incomingwebhook/", "/webhook/", "/webhook-test/", "/webhookb2/", "/webhooks/"];

/// Minimum length of a segment that counts as a secret: identifiers and tokens are longer than words.
const SECRET_SEGMENT: usize = 16;

/// Bytes of a path that are searched for one, so that hostile text takes linear time.
const NEAR: usize = 256;

const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";

/// Replaces everything that looks like a credential. Takes time linear in the length of the text.
pub fn redact(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut kept, mut at) = (0, 0);
    while at < bytes.len() {
        match secret_at(text, at) {
            Some((start, end)) => {
                out.push_str(&text[kept..start]);
                out.push_str(REDACTED);
                (kept, at) = (end, end);
            }
            None => at += 1,
        }
    }
    if kept == 0 && out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// Returns the range of the secret announced at `at`. The announcement is ASCII, so both ends are boundaries of
/// characters.
fn secret_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text.as_bytes()[at..];
    match rest[0].to_ascii_lowercase() {
        b'x' | b'g' | b'w' => token_at(rest, at),
        b't' => token_at(rest, at).or_else(|| value_at(text, at)),
        b'h' if starts_with(rest, CAPABILITY_HOST) => {
            let (path, rest) = (at + CAPABILITY_HOST.len(), &rest[CAPABILITY_HOST.len()..]);
            // A slash, one that JSON escapes, or one in a query.
            matches!(rest.first(), Some(b'/' | b'\\' | b'%')).then(|| (path, path + length(rest, is_address)))
        }
        b'-' if starts_with(rest, PEM_BEGIN) => {
            let end = text[at..].find(PEM_END).map_or(text.len(), |foot| {
                let foot = at + foot + PEM_END.len();
                text[foot..].find("-----").map_or(text.len(), |dashes| foot + dashes + 5)
            });
            Some((at, end))
        }
        b'a' | b'c' | b'k' | b'p' | b'r' | b's' => value_at(text, at),
        b'/' => path_at(rest).map(|(start, end)| (at + start, at + end)),
        _ => None,
    }
}

/// Returns the range of the credential that begins at `at`, where `rest` begins.
fn token_at(rest: &[u8], at: usize) -> Option<(usize, usize)> {
    let token = TOKENS.iter().find(|token| starts_with(rest, token))?;
    Some((at, at + token.len() + length(&rest[token.len()..], is_token)))
}

/// Returns the range of the rest of a path that is a capability.
fn path_at(rest: &[u8]) -> Option<(usize, usize)> {
    let after = |names: &[&str]| names.iter().find(|name| starts_with(rest, name)).map(|name| name.len());
    let of = |start: usize| (start, start + length(&rest[start..], is_path));
    if let Some(found) = after(CAPABILITIES).map(of) {
        return Some(found).filter(|(start, end)| start < end);
    }
    let start = after(HOOKS)?;
    let near = &rest[start..rest.len().min(start + NEAR)];
    let secret = |segment: &[u8]| segment.len() >= SECRET_SEGMENT && segment.iter().any(u8::is_ascii_digit);
    near[..length(near, is_path)].split(|&b| b == b'/').any(secret).then(|| of(start))
}

/// Returns the range of the value of the secret name at `at`.
fn value_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let before = at.checked_sub(1).map(|before| bytes[before]);
    if before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }
    let rest = &bytes[at..];
    if let Some(name) = NAMES.iter().find(|name| starts_with(rest, name)) {
        return value_after(bytes, at + name.len(), *name == "authorization");
    }
    if !matches!(before, None | Some(b'?' | b'&')) {
        return None;
    }
    let named = |name: &&&str| starts_with(rest, name) && rest.get(name.len()) == Some(&b'=');
    let start = at + QUERY_NAMES.iter().find(named)?.len() + 1;
    Some((start, start + length(&bytes[start..], is_parameter))).filter(|(start, end)| start < end)
}

/// Returns the range of the value after a name: `=value`, `: value`, or in JSON `": "value"`, with its quotes escaped
/// or not.
fn value_after(bytes: &[u8], name_end: usize, is_header: bool) -> Option<(usize, usize)> {
    let skip = |from: usize, what: fn(u8) -> bool| from + length(&bytes[from..], what);
    let sign = skip(skip(name_end, is_quote), is_blank);
    if !matches!(bytes.get(sign), Some(b'=' | b':')) {
        return None;
    }
    let opening = skip(sign + 1, is_blank);
    let start = skip(opening, is_quote);
    let quoted = start > opening;
    let is_value: fn(u8) -> bool = match (quoted, is_header) {
        (true, _) => |b| !matches!(b, b'"' | b'\\'),
        (false, true) => |b| !matches!(b, b'\r' | b'\n'),
        (false, false) => is_parameter,
    };
    let end = skip(start, is_value);
    (start < end).then_some((start, end))
}

fn starts_with(bytes: &[u8], ascii: &str) -> bool {
    bytes.len() >= ascii.len() && bytes[..ascii.len()].eq_ignore_ascii_case(ascii.as_bytes())
}

fn length(bytes: &[u8], of: fn(u8) -> bool) -> usize {
    bytes.iter().position(|&b| !of(b)).unwrap_or(bytes.len())
}

fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b'+' | b'=')
}

fn is_address(b: u8) -> bool {
    !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'|' | b'&')
}

fn is_path(b: u8) -> bool {
    is_address(b) && !matches!(b, b'?' | b'#' | b',' | b')' | b'\\')
}

fn is_parameter(b: u8) -> bool {
    !b.is_ascii_whitespace() && !matches!(b, b'&' | b'"' | b'\'' | b'<' | b'>' | b'#' | b',' | b'}')
}

fn is_quote(b: u8) -> bool {
    matches!(b, b'"' | b'\\')
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let cases = [
            ("the token xoxb-12-34-aB, and", "the token [redacted], and"),
            ("xoxe.xoxb-1-abc", "[redacted]"),
            ("XOXP-1", "[redacted]"),
            ("ghp_abcDEF012 github_pat_11A_b", "[redacted] [redacted]"),
            ("gho_1,ghu_2;ghs_4711_eyJ0.eyJp.c2ln ghr_4", "[redacted],[redacted];[redacted] [redacted]"),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw/+=", "[redacted]"),
            (r#"{"got": "tlx_aB-_9", "token_count": 1}"#, r#"{"got": "[redacted]", "token_count": 1}"#),
            ("https://hooks.slack.com/services/T0/B0/x y", "https://hooks.slack.com[redacted] y"),
            (r#"{"u":"https:\/\/hooks.slack.com\/commands\/T\/1"}"#, r#"{"u":"https:\/\/hooks.slack.com[redacted]"}"#),
            ("at hooks.slack.com, now", "at hooks.slack.com, now"),
            ("a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", "a [redacted] b"),
            ("a -----BEGIN PRIVATE KEY-----\nMII", "a [redacted]"),
            (r"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n", r"[redacted]\n"),
            ("Authorization: Bearer abc\r\nHost: x", "Authorization: [redacted]\r\nHost: x"),
            (r#"{"authorization": "Basic YTpi", "x": 1}"#, r#"{"authorization": "[redacted]", "x": 1}"#),
            ("/cb?code=12.34&state=s&x=1", "/cb?code=[redacted]&state=[redacted]&x=1"),
            ("code=1&client_secret=2", "code=[redacted]&client_secret=[redacted]"),
            (r#"{"ok":true,"access_token":"abc","team":"T"}"#, r#"{"ok":true,"access_token":"[redacted]","team":"T"}"#),
            (r#""{\"token\":\"abc\",\"a\":1}""#, r#""{\"token\":\"[redacted]\",\"a\":1}""#),
            ("x-access-token: abc", "x-access-token: [redacted]"),
            ("trigger_id=1.2.abc", "trigger_id=[redacted]"),
            (
                "https://a.example/in?secret=s1&x=1&api_key=k",
                "https://a.example/in?secret=[redacted]&x=1&api_key=[redacted]",
            ),
            ("/in?KEY=1&sig=2&signature=3", "/in?KEY=[redacted]&sig=[redacted]&signature=[redacted]"),
            (
                "https://discord.com/api/webhooks/1199999999999999999/aB-c_d3 was called",
                "https://discord.com/api/webhooks/[redacted] was called",
            ),
            (
                "https://hooks.zapier.com/hooks/catch/123/ab4cd/?x=1",
                "https://hooks.zapier.com/hooks/catch/[redacted]?x=1",
            ),
            (
                r#"{"url":"https://n8n.example/webhook/0199c1de-0000-7000-8000-000000000001"}"#,
                r#"{"url":"https://n8n.example/webhook/[redacted]"}"#,
            ),
            (
                "https://a.webhook.office.com/webhookb2/1b2c3d4e-0000-4000@x/IncomingWebhook/abc/def",
                "https://a.webhook.office.com/webhookb2/[redacted]",
            ),
            ("https://chat.example/hooks/64f0a1b2c3d4e5f6a7b8/tok", "https://chat.example/hooks/[redacted]"),
            ("Ünïcode token=ä&ß", "Ünïcode token=[redacted]&ß"),
        ];
        for (text, expected) in cases {
            assert_eq!(redact(text), expected);
        }
    }

    #[test]
    fn everyday_text_is_not_touched() {
        for text in [
            "",
            r#"{"ok":false,"error":"token_expired"}"#,
            r#"{"code":"invalid","state":"open"}"#,
            "the code=1 of state=2",
            "my_token_count=3",
            "a state of mind: code",
            "xox ghp whsec tlx",
            "https://a.example/webhook/orders and /webhooks/v1/orders",
            "https://a.example/keys?keyword=1&author=2&codes=3",
            "the secret=1 of key=2",
            "token: ",
            "日本語",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{text}: {}", redact(text));
        }
    }

    #[test]
    fn redacting_twice_changes_nothing() {
        let once = redact("token=xoxb-1 authorization: x\nhooks.slack.com/services/1").into_owned();
        assert_eq!(redact(&once), once);
    }

    #[test]
    fn hostile_text_takes_linear_time() {
        for piece in [
            "/hook/",
            "/webhook/1",
            "?key=",
            "xoxb-",
            "-----BEGIN ",
            "token\"",
            "hooks.slack.com",
            "authorization:",
            "token=\\\"",
            "token  ",
            "tlx_",
        ] {
            let long = piece.repeat(50_000);
            let _ = redact(&long);
        }
    }
}
