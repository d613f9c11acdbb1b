//! Content that a process keeps compressed and sends as it is to a client that takes gzip (RFC 9110, 8.4 and 12.5.3).

use std::{
    fmt::Write as _,
    io::{self, Read, Write as _},
};

use aws_lc_rs::digest;
use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use poem::{
    Request, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};

/// Compressed content with its entity tag.
#[derive(Clone, Debug)]
pub struct Packed {
    gzip: Bytes,
    /// Entity tag without its quotes, which changes with the content (RFC 9110, 8.8.3).
    tag: String,
}

impl Packed {
    /// Takes content that is compressed already, in the format of gzip.
    pub fn new(gzip: impl Into<Bytes>) -> Self {
        let gzip = gzip.into();
        let digest = digest::digest(&digest::SHA256, &gzip);
        let mut tag = String::new();
        for byte in &digest.as_ref()[..12] {
            _ = write!(tag, "{byte:02x}");
        }
        Self { gzip, tag }
    }

    /// Compresses content.
    ///
    /// # Errors
    /// None in practice: it writes to memory.
    pub fn pack(content: &[u8]) -> io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content)?;
        Ok(Self::new(encoder.finish()?))
    }

    /// Returns the content.
    ///
    /// # Errors
    /// When the compressed bytes are damaged.
    pub fn unpack(&self) -> io::Result<Vec<u8>> {
        let mut content = Vec::with_capacity(self.gzip.len() * 8);
        GzDecoder::new(&self.gzip[..]).read_to_end(&mut content)?;
        Ok(content)
    }

    /// Answers a request with the content: compressed where the client takes that, and 304 where it has it already
    /// (RFC 9110, 13.1.2).
    pub fn response(
        &self,
        request: &Request,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Response {
        let takes_gzip = request.header(header::ACCEPT_ENCODING).is_some_and(takes_gzip);
        let tag = if takes_gzip { format!("\"{}-gzip\"", self.tag) } else { format!("\"{}\"", self.tag) };
        let is_known = request.header(header::IF_NONE_MATCH).is_some_and(|known| self.is_in(known));
        let mut response = match (is_known, takes_gzip) {
            (true, _) => StatusCode::NOT_MODIFIED.into(),
            (false, true) => Response::builder().header(header::CONTENT_ENCODING, "gzip").body(self.gzip.clone()),
            (false, false) => match self.unpack() {
                Ok(content) => Response::builder().body(content),
                Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into(),
            },
        };
        let own = response.headers_mut();
        own.extend(headers);
        own.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        own.extend(HeaderValue::try_from(tag).ok().map(|tag| (header::ETAG, tag)));
        if is_known {
            own.remove(header::CONTENT_TYPE);
        }
        response
    }

    /// Returns whether the tag of either form is in a list; weak comparison.
    fn is_in(&self, known: &str) -> bool {
        known.split(',').map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"')).any(|tag| {
            let ours = tag.strip_suffix("-gzip").unwrap_or(tag);
            tag == "*" || ours == self.tag
        })
    }
}

/// Returns whether an `Accept-Encoding` takes gzip, by its most specific part.
fn takes_gzip(accepted: &str) -> bool {
    let quality = |wanted: &str| {
        accepted.split(',').find_map(|part| {
            let (coding, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = parameters.trim().strip_prefix("q=").map_or(Ok(1.0), |weight| weight.trim().parse::<f32>());
            coding.trim().eq_ignore_ascii_case(wanted).then(|| weight.unwrap_or_default())
        })
    };
    quality("gzip").or_else(|| quality("*")).is_some_and(|quality| quality > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(headers: &[(HeaderName, &str)]) -> Request {
        headers.iter().fold(Request::builder(), |request, (name, value)| request.header(name, *value)).finish()
    }

    #[test]
    fn the_tag_changes_with_the_content() {
        let [one, same, other] = ["1", "1", "2"].map(|content| Packed::pack(content.as_bytes()).unwrap());
        assert_eq!(one.tag, same.tag);
        assert_ne!(one.tag, other.tag);
        assert_eq!(other.unpack().unwrap(), b"2");
    }

    #[tokio::test]
    async fn a_client_gets_what_it_takes() {
        let packed = Packed::pack(b"{}").unwrap();
        let takes = |accepted: &str| {
            let response = packed.response(&asked(&[(header::ACCEPT_ENCODING, accepted)]), []);
            assert_eq!(response.header("vary"), Some("Accept-Encoding"));
            response.header("content-encoding") == Some("gzip")
        };
        for accepted in ["gzip", "br, GZIP;q=0.5", "*", "identity;q=0.1, gzip; q=1"] {
            assert!(takes(accepted), "{accepted}");
        }
        for accepted in ["", "br", "gzip;q=0", "gzip;q=0, *", "*;q=0", "gzip;q=x"] {
            assert!(!takes(accepted), "{accepted}");
        }
        let plain = packed.response(&asked(&[]), [(header::CONTENT_TYPE, HeaderValue::from_static("text/x"))]);
        assert_eq!(plain.header("content-type"), Some("text/x"));
        assert_eq!(plain.into_body().into_string().await.unwrap(), "{}");
    }

    #[test]
    fn a_client_that_has_it_is_told_so() {
        let packed = Packed::pack(b"{}").unwrap();
        let tag = packed.response(&asked(&[]), []).header("etag").unwrap().to_owned();
        let of_gzip =
            packed.response(&asked(&[(header::ACCEPT_ENCODING, "gzip")]), []).header("etag").unwrap().to_owned();
        assert_ne!(tag, of_gzip, "a strong tag is that of one form");
        for known in [tag.clone(), of_gzip, format!("\"x\", W/{tag}"), "*".to_owned()] {
            assert_eq!(packed.response(&asked(&[(header::IF_NONE_MATCH, &known)]), []).status(), 304, "{known}");
        }
        for known in ["\"x\"", ""] {
            assert_eq!(packed.response(&asked(&[(header::IF_NONE_MATCH, known)]), []).status(), 200, "{known}");
        }
    }
}
