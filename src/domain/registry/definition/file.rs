//! The files of a definition, in Base64: an icon, which is an SVG, and a readme, which is Markdown.
//!
//! An icon is shown to every user who browses integrations, so it has to be a picture and nothing else: it can run
//! nothing and fetch nothing. Not here: the serving of files.

use std::borrow::Cow;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use roxmltree::{Document, Node, ParsingOptions};

use super::issue::Rule;

/// Maximum size of an icon, in bytes.
pub const MAX_ICON: usize = 1_048_576;
/// Maximum size of a readme, in bytes.
pub const MAX_README: usize = 1_048_576;

/// Maximum number of elements, texts and comments in an icon, together.
const MAX_NODES: u32 = 50_000;
/// Maximum number of attributes of an element: the parser compares each with each.
const MAX_ATTRIBUTES: usize = 1_000;
/// Maximum number of namespace declarations in an icon.
const MAX_NAMESPACES: usize = 100;

const SVG: &str = "http://www.w3.org/2000/svg";
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Elements that execute code, or embed another document.
const FORBIDDEN: [&str; 9] =
    ["script", "foreignobject", "iframe", "embed", "object", "audio", "video", "handler", "listener"];
/// Elements that can change an attribute later on.
const ANIMATIONS: [&str; 4] = ["animate", "set", "animatemotion", "animatetransform"];
/// Prefixes of pictures that may be embedded in an icon.
const PICTURES: [&str; 4] =
    ["data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,"];

/// An error in a file; its text continues after the location.
pub(super) struct FileError {
    pub(super) rule: Rule,
    pub(super) says: String,
}

fn error(rule: Rule, says: impl Into<String>) -> FileError {
    FileError { rule, says: says.into() }
}

/// Decodes an icon. An empty one counts as absent.
pub(super) fn icon(base64: &str) -> Result<Option<Vec<u8>>, FileError> {
    let Some(bytes) = decode(base64, MAX_ICON)? else { return Ok(None) };
    let text = std::str::from_utf8(&bytes).map_err(|_| error(Rule::Icon, "must be an SVG in UTF-8"))?;
    let says = |says: String| error(Rule::Icon, says);
    let text = &without_doctype(text.trim_start_matches('\u{feff}'))?;
    let busiest = text.split('<').map(|element| element.matches('=').count()).max().unwrap_or_default();
    if busiest > MAX_ATTRIBUTES || text.matches("xmlns").count() > MAX_NAMESPACES {
        return Err(says("must be a simpler SVG: it has too many attributes or namespaces".to_owned()));
    }
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|wrong| {
        says(match wrong {
            roxmltree::Error::DtdDetected => "must be an SVG with at most one DOCTYPE, before its root".to_owned(),
            roxmltree::Error::NodesLimitReached => "must be a simpler SVG: it has too many elements".to_owned(),
            wrong => {
                let place = wrong.pos();
                format!("must be an SVG: it is no well-formed XML, see line {}, column {}", place.row, place.col)
            }
        })
    })?;
    let root = document.root_element().tag_name();
    if root.name() != "svg" || !matches!(root.namespace(), None | Some(SVG)) {
        return Err(says("must be an SVG: its outermost element is another one".to_owned()));
    }
    match document.descendants().find_map(danger) {
        Some(danger) => Err(says(format!("must be a picture and nothing else: it has {danger}"))),
        None => Ok(Some(text.as_bytes().to_vec())),
    }
}

/// Returns an SVG without its DOCTYPE, which drawing programs write and nobody needs. One with declarations of its own
/// is refused: they could change what the rest means.
fn without_doctype(text: &str) -> Result<Cow<'_, str>, FileError> {
    let mut rest = text.trim_start();
    while let Some(end) = prolog_end(rest) {
        rest = rest[end..].trim_start();
    }
    let Some(inside) = rest.strip_prefix("<!DOCTYPE") else { return Ok(Cow::Borrowed(text)) };
    let mut quote = None;
    let end = inside.char_indices().find(|(_, c)| match (quote, c) {
        (Some(open), c) => {
            quote = quote.filter(|_| *c != open);
            false
        }
        (None, '"' | '\'') => {
            quote = Some(*c);
            false
        }
        (None, c) => matches!(c, '[' | '>'),
    });
    match end {
        Some((end, '>')) => {
            let before = &text[..text.len() - rest.len()];
            Ok(Cow::Owned(format!("{before}{}", inside[end + 1..].trim_start())))
        }
        _ => Err(error(Rule::Icon, "must be an SVG whose DOCTYPE, if it has one, ends and declares nothing")),
    }
}

/// Returns the end of a declaration, an instruction or a comment at the beginning of a text.
fn prolog_end(text: &str) -> Option<usize> {
    let (start, end) = [("<?", "?>"), ("<!--", "-->")].into_iter().find(|(start, _)| text.starts_with(start))?;
    let length = text.get(start.len()..)?.find(end)?;
    Some(start.len() + length + end.len())
}

/// Decodes a readme. An empty one counts as absent.
pub(super) fn readme(base64: &str) -> Result<Option<String>, FileError> {
    let Some(bytes) = decode(base64, MAX_README)? else { return Ok(None) };
    match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err(error(Rule::Characters, "must NOT contain the character U+0000")),
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(error(Rule::Readme, "must be Markdown in UTF-8")),
    }
}

fn decode(base64: &str, most: usize) -> Result<Option<Vec<u8>>, FileError> {
    if base64.len() / 4 * 3 > most + 2 {
        return Err(error(Rule::Limit, format!("must NOT be larger than {most} bytes")));
    }
    let padding = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&STANDARD, padding)
        .decode(base64)
        .map_err(|_| error(Rule::Base64, "must be Base64 (RFC 4648, section 4), without white space"))?;
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}

/// Describes the danger of a node; `None` for most.
fn danger(node: Node<'_, '_>) -> Option<String> {
    if node.is_pi() {
        return Some("a processing instruction".to_owned());
    }
    if !node.is_element() {
        return None;
    }
    let element = node.tag_name().name().to_ascii_lowercase();
    if FORBIDDEN.contains(&element.as_str()) || node.tag_name().namespace() == Some(XHTML) {
        return Some(format!("an element <{element}>"));
    }
    let css = element == "style" && node.descendants().filter_map(|inner| inner.text()).any(css_fetches);
    if css {
        return Some("a style sheet that fetches something".to_owned());
    }
    node.attributes().find_map(|attribute| {
        let name = attribute.name().to_ascii_lowercase();
        let value = squeezed(attribute.value());
        let is_picture =
            matches!(element.as_str(), "image" | "feimage") && PICTURES.iter().any(|start| value.starts_with(start));
        let is_link = matches!(name.as_str(), "href" | "src" | "base" | "ping" | "action" | "formaction");
        let danger = match name.as_str() {
            name if name.starts_with("on") => "runs something",
            _ if is_link && !is_picture && !value.starts_with('#') => "leads elsewhere",
            "attributename"
                if ANIMATIONS.contains(&element.as_str()) && (value.contains("href") || value.starts_with("on")) =>
            {
                "changes a link"
            }
            "style" if css_fetches(attribute.value()) => "fetches something",
            _ if value.contains("javascript:") || value.contains("vbscript:") => "runs something",
            _ if fetches(&value) => "fetches something",
            _ => return None,
        };
        Some(format!("an attribute {name} of <{element}> that {danger}"))
    })
}

/// Normalises a value as a browser reads an address: without white space and control characters, and in lower case.
fn squeezed(value: &str) -> String {
    value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).flat_map(char::to_lowercase).collect()
}

/// Returns true if a value has a `url(…)` that leaves the picture.
fn fetches(squeezed: &str) -> bool {
    squeezed.split("url(").skip(1).any(|rest| !rest.trim_start_matches(['"', '\'']).starts_with('#'))
}

/// Returns true if a style could fetch a resource. An escape or a comment could hide that, so they are refused, and so
/// are functions that name a source by a bare text.
fn css_fetches(css: &str) -> bool {
    let squeezed = squeezed(css);
    let hides = ["\\", "@import", "image-set(", "image(", "src(", "javascript:"];
    // A comment may split a word, so the style is read both with and without comments.
    let without_comments = without_comments(&squeezed);
    [squeezed.as_str(), &without_comments].iter().any(|css| fetches(css) || hides.iter().any(|word| css.contains(word)))
}

fn without_comments(css: &str) -> String {
    let mut parts = css.split("/*");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once("*/").map_or("", |(_, after)| after));
    }
    text
}
