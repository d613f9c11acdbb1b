//! Media types of request bodies, and reading bodies: up to a limit, whole, and unchanged.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use poem::{
    Request, RequestBody,
    http::{HeaderMap, header},
};

use super::{
    budget::Claim,
    fault::{Fault, Protocol},
    guard::Served,
    sender::Sender,
};
use crate::domain::{Error, error::clip};

/// Longest wait for the next bytes of a refused body, and for its end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
const DRAIN: Duration = Duration::from_secs(5);

/// Media type of a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// JSON (RFC 8259).
    Json,
    /// A form as browsers send it.
    Form,
    /// Any media type, or none: the reader treats the body as text.
    Anything,
}

impl Media {
    /// Name of the media type in documents and headers.
    pub const fn name(self) -> &'static str {
        match self {
            Media::Json => "application/json",
            Media::Form => "application/x-www-form-urlencoded",
            Media::Anything => "text/plain",
        }
    }

    /// Returns whether a Content-Type is of this media type, in UTF-8. A type with the suffix `+json` is JSON.
    fn is_meant_by(self, content_type: &str) -> bool {
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let ends_in_json = || essence.len() > 5 && essence.is_char_boundary(essence.len() - 5);
        let named = match self {
            Media::Anything => return true,
            Media::Form => essence.eq_ignore_ascii_case(self.name()),
            Media::Json => {
                essence.eq_ignore_ascii_case(self.name())
                    || (ends_in_json()
                        && essence.contains('/')
                        && essence[essence.len() - 5..].eq_ignore_ascii_case("+json"))
            }
        };
        named && parts.all(is_utf8)
    }
}

/// Returns whether a parameter of a media type is compatible with UTF-8.
fn is_utf8(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            let value = value.trim().trim_matches('"');
            value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
        }
        Some(_) | None => true,
    }
}

/// Joins several media types to a phrase.
pub fn listed(takes: &[Media]) -> String {
    takes.iter().map(|media| media.name()).collect::<Vec<_>>().join(" or ")
}

/// Size of a piece of a long body.
const PIECE_BYTES: usize = 64 << 10;

/// Reads a body that is one of `takes`; `None` if no body was sent. Its bytes are counted in the budget of the sender,
/// as long as the request lives, and passed to `each` as they arrive.
///
/// # Errors
/// [`Protocol::UnsupportedMediaType`], also for compressed bodies; [`Protocol::BodyTooLarge`];
/// [`Protocol::UnreadableBody`], [`Protocol::BodyTimeout`]; [`Error::Unavailable`] if the budget is exhausted.
pub async fn read(
    request: &Request,
    body: &mut RequestBody,
    (takes, limit_bytes): (&[Media], usize),
    mut each: impl FnMut(&[u8]) + Send,
) -> Result<Option<(Media, Sent)>, Fault> {
    let headers = request.headers();
    let body = body.take().map_err(|error| Error::Internal(format!("a body was read twice: {error}")))?;
    if body.is_empty() {
        return Ok(None);
    }
    let media = media_of(headers, takes)?;
    let mut memory = Memory::of(request);
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let mut frames = body.into_bytes_stream();
    if let Some(length) = announced {
        let refused = match length > limit_bytes {
            true => Err(Protocol::BodyTooLarge { limit_bytes }.into()),
            false => memory.demand_room(length).map_err(Fault::from),
        };
        if let Err(fault) = refused {
            // Many clients write everything before they read: if the connection is cut in the middle, they never see
            // the response.
            if length <= limit_bytes.saturating_mul(2) {
                drain(&mut frames).await;
            }
            return Err(fault);
        }
    }
    let mut sent = Sent::default();
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(Protocol::from)?;
        let length = sent.length + frame.len();
        if length > limit_bytes {
            return Err(Protocol::BodyTooLarge { limit_bytes }.into());
        }
        if let Err(error) = memory.grow_to(length) {
            drop((sent, memory));
            drain(&mut frames).await;
            return Err(error.into());
        }
        each(&frame);
        sent.take(frame);
    }
    memory.keep();
    Ok(if sent.length == 0 { None } else { Some((media, sent)) })
}

/// A body as it came. A long one is in pieces of one size until somebody wants the whole: blocks of any size, of bodies that
/// come at the same time and are refused, leave the allocator with several times the memory that any of them had.
#[derive(Default)]
pub struct Sent {
    /// All of it, where it came as one frame: nearly every body does, and is kept without a copy.
    only: Bytes,
    pieces: Vec<BytesMut>,
    length: usize,
}

impl Sent {
    /// The whole in one piece.
    pub fn whole(mut self) -> Bytes {
        match self.pieces.len() {
            0 => self.only,
            1 => self.pieces.remove(0).freeze(),
            _ => {
                let mut whole = BytesMut::with_capacity(self.length);
                for piece in self.pieces {
                    whole.extend_from_slice(&piece);
                }
                whole.freeze()
            }
        }
    }

    fn take(&mut self, frame: Bytes) {
        let is_first = self.length == 0;
        self.length += frame.len();
        if is_first {
            self.only = frame;
            return;
        }
        let first = std::mem::take(&mut self.only);
        self.append(&first);
        self.append(&frame);
    }

    fn append(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.pieces.last_mut() {
                Some(piece) if piece.len() < PIECE_BYTES => {
                    let (now, rest) = bytes.split_at(bytes.len().min(PIECE_BYTES - piece.len()));
                    piece.extend_from_slice(now);
                    bytes = rest;
                }
                _ => self.pieces.push(BytesMut::with_capacity(PIECE_BYTES)),
            }
        }
    }
}

/// Reads the rest of a refused body and keeps nothing of it, for a bounded time.
async fn drain<T>(frames: &mut (impl Stream<Item = Result<Bytes, T>> + Unpin)) {
    let rest = async { while let Ok(Some(Ok(_))) = tokio::time::timeout(DRAIN_TIMEOUT, frames.next()).await {} };
    let _ = tokio::time::timeout(DRAIN, rest).await;
}

/// Memory of a body within the budget of its sender. Outside the guard, as in tests of extractors, there is no budget.
struct Memory<'a>(Option<(&'a Sender, Claim)>);

impl<'a> Memory<'a> {
    fn of(request: &'a Request) -> Self {
        let sender = request.data::<Arc<Sender>>().zip(request.data::<Arc<Served>>());
        Self(sender.map(|(sender, served)| (sender.as_ref(), sender.claim(&served.plumbing.limits))))
    }

    fn demand_room(&self, bytes: usize) -> Result<(), Error> {
        self.0.as_ref().map_or(Ok(()), |(_, claim)| claim.demand_room(bytes))
    }

    fn grow_to(&mut self, bytes: usize) -> Result<(), Error> {
        self.0.as_mut().map_or(Ok(()), |(_, claim)| claim.grow_to(bytes))
    }

    fn keep(self) {
        if let Some((sender, claim)) = self.0 {
            sender.keep(claim);
        }
    }
}

/// Returns the media type of a body by its headers, if it is one of `takes`, in UTF-8 and not compressed.
fn media_of(headers: &HeaderMap, takes: &[Media]) -> Result<Media, Protocol> {
    let refused = |got: Option<String>| Protocol::UnsupportedMediaType { got, supported: listed(takes) };
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    if let Some(encoding) = text(header::CONTENT_ENCODING).filter(|e| !e.trim().eq_ignore_ascii_case("identity")) {
        return Err(refused(Some(format!("in the Content-Encoding {}", clip(&encoding)))));
    }
    let content_type = text(header::CONTENT_TYPE);
    let meant = takes.iter().find(|media| media.is_meant_by(content_type.as_deref().unwrap_or_default()));
    meant.copied().ok_or_else(|| refused(content_type.map(|content_type| clip(&content_type).into_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_whole_again_however_it_came() {
        let body: Vec<u8> = (0..3 * PIECE_BYTES + 7).map(|at| (at % 251) as u8).collect();
        for size in [1000, PIECE_BYTES, body.len() - 1, body.len()] {
            let mut sent = Sent::default();
            for frame in body.chunks(size) {
                sent.take(Bytes::copy_from_slice(frame));
                sent.take(Bytes::new());
            }
            assert!(sent.pieces.iter().all(|piece| piece.capacity() == PIECE_BYTES));
            assert_eq!(sent.whole(), body, "{size}");
        }
        assert!(Sent::default().whole().is_empty());
    }

    #[test]
    fn what_counts_as_json() {
        for yes in
            ["application/json", "Application/JSON; charset=UTF-8", "application/cloudevents+json;charset=\"utf-8\""]
        {
            assert!(Media::Json.is_meant_by(yes), "{yes}");
        }
        for no in ["", "json", "+json", "text/plain", "application/jsonp", "application/json; charset=latin1", "é+jsn"]
        {
            assert!(!Media::Json.is_meant_by(no), "{no}");
        }
    }

    #[test]
    fn anything_is_what_nothing_else_is() {
        let takes = [Media::Json, Media::Anything];
        let media = |content_type: &str| {
            let name = if content_type.is_empty() { header::ACCEPT } else { header::CONTENT_TYPE };
            media_of(&[(name, content_type.parse().unwrap())].into_iter().collect(), &takes)
        };
        assert_eq!(media("application/json"), Ok(Media::Json));
        for other in ["", "text/plain", "application/json; charset=latin1", "application/x-www-form-urlencoded"] {
            assert_eq!(media(other), Ok(Media::Anything), "{other}");
        }
        let none = media_of(&HeaderMap::new(), &[Media::Json]);
        assert!(matches!(none, Err(Protocol::UnsupportedMediaType { got: None, .. })), "{none:?}");
        let compressed = [(header::CONTENT_ENCODING, "gzip".parse().unwrap())].into_iter().collect();
        assert!(media_of(&compressed, &takes).is_err());
    }

    #[test]
    fn what_counts_as_a_form() {
        for yes in ["application/x-www-form-urlencoded", "Application/X-WWW-Form-URLencoded; charset=utf-8"] {
            assert!(Media::Form.is_meant_by(yes), "{yes}");
        }
        for no in ["", "multipart/form-data", "application/x-www-form-urlencoded; charset=latin1", "application/json"] {
            assert!(!Media::Form.is_meant_by(no), "{no}");
        }
    }
}
