//! The guide: `docs/guide/*.md`, which is in the binary, as pages for a browser.
//!
//! Not here: the text. Links between guides are kept; those to other files of the source tree become plain text, since
//! the binary has no such files.

use std::{collections::BTreeMap, sync::LazyLock};

use poem::{Request, Response, Route, endpoint::make_sync, http::StatusCode};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use rust_embed::RustEmbed;

use super::shared::{
    asset::Asset,
    page::{asset, escape, moved},
};

/// The guides.
#[derive(RustEmbed)]
#[folder = "docs/guide"]
struct Sources;

const GUIDE: &str = "/guide/";

/// Guides in the order in which they are read; others follow by their names.
const ORDER: &[&str] = &["quick-start", "portal", "slack-and-github", "events-and-deliveries", "verifying-webhooks"];

/// Pages by their names; the list of them has none. They are made once a process, when the first one is asked for.
static PAGES: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(pages);

/// Returns the routes below `/guide`.
pub fn routes(route: Route) -> Route {
    route.at("/guide", make_sync(|_| moved(GUIDE))).at(GUIDE, make_sync(show)).at("/guide/:name", make_sync(show))
}

#[allow(clippy::needless_pass_by_value, reason = "an endpoint takes its request")]
fn show(request: Request) -> Response {
    match PAGES.get(request.uri().path().strip_prefix(GUIDE).unwrap_or_default()) {
        Some(page) => page.answer(&request),
        None => Response::builder().status(StatusCode::NOT_FOUND).finish(),
    }
}

fn pages() -> BTreeMap<String, Asset> {
    let mut guides: Vec<(String, Guide)> = Sources::iter()
        .filter_map(|file| {
            let text = Sources::get(&file)?.data;
            Some((file.strip_suffix(".md")?.to_owned(), Guide::of(&String::from_utf8_lossy(&text))))
        })
        .collect();
    let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
    guides.sort_by(|(one, _), (other, _)| (place(one), one).cmp(&(place(other), other)));
    let line =
        |(name, guide): &(String, Guide)| format!("<li><a href=\"{GUIDE}{name}\">{}</a></li>", escape(&guide.title));
    let list: String = guides.iter().map(line).collect();
    let index = page("Guide", &format!("<h1>Guide</h1><ul>{list}</ul>"), "<a href=\"/\">Tieline</a>");
    let back = format!("<a href=\"/\">Tieline</a> · <a href=\"{GUIDE}\">Guide</a>");
    let pages = guides.into_iter().map(|(name, guide)| (name, page(&guide.title, &guide.html, &back)));
    pages.chain([(String::new(), index)]).collect()
}

fn page(title: &str, body: &str, above: &str) -> Asset {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{} · Tieline</title><link rel=\"stylesheet\" \
         href=\"/style.css\"><link rel=\"icon\" href=\"/favicon.svg\"></head><body><main \
         class=\"guide\"><nav>{above}</nav>{body}</main></body></html>",
        escape(title),
    );
    asset(html)
}

/// A guide as HTML.
struct Guide {
    title: String,
    html: String,
}

impl Guide {
    fn of(markdown: &str) -> Self {
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        let events: Vec<Event<'_>> = Parser::new_ext(markdown, options).collect();
        let title = heading_text(events.iter().skip_while(|event| !is_heading(event, HeadingLevel::H1)));
        let mut html = String::with_capacity(markdown.len() * 2);
        html::push_html(&mut html, served(events).into_iter());
        Self { title, html }
    }
}

fn is_heading(event: &Event<'_>, wanted: HeadingLevel) -> bool {
    matches!(event, Event::Start(Tag::Heading { level, .. }) if *level == wanted)
}

/// Returns the text of the heading that begins a list of events.
fn heading_text<'a, 'b: 'a>(events: impl Iterator<Item = &'a Event<'b>>) -> String {
    let within = events.take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    let texts = within.filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
        _ => None,
    });
    texts.collect()
}

/// Adapts a guide to the server: headings get the ids that links name, links lead to pages, and links and pictures that
/// the server does not have are left out.
fn served(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut ids = heading_ids(&events).into_iter();
    let (mut kept, mut in_image, mut dropped_links) = (Vec::with_capacity(events.len()), false, 0_usize);
    for event in events {
        match event {
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                kept.push(Event::Start(Tag::Heading { level, id: ids.next(), classes, attrs }));
            }
            Event::Start(Tag::Image { .. }) => in_image = true,
            Event::End(TagEnd::Image) => in_image = false,
            // Nothing of the source is markup for this page.
            Event::Html(_) | Event::InlineHtml(_) => {}
            _ if in_image => {}
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => match destination(&dest_url) {
                Some(to) => kept.push(Event::Start(Tag::Link { link_type, dest_url: to.into(), title, id })),
                None => dropped_links += 1,
            },
            Event::End(TagEnd::Link) if dropped_links > 0 => dropped_links -= 1,
            other => kept.push(other),
        }
    }
    kept
}

/// Returns the id of each heading, in their order.
fn heading_ids<'a>(events: &[Event<'_>]) -> Vec<CowStr<'a>> {
    let starts = (0..events.len()).filter(|index| matches!(events[*index], Event::Start(Tag::Heading { .. })));
    starts.map(|index| slug(&heading_text(events[index..].iter())).into()).collect()
}

/// Returns the address of a link's target here, if it has one.
fn destination(link: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") || link.starts_with('#') {
        return Some(link.to_owned());
    }
    let (file, fragment) = link.split_once('#').map_or((link, String::new()), |(file, at)| (file, format!("#{at}")));
    let name = file.strip_suffix(".md").filter(|_| Sources::get(file).is_some())?;
    Some(format!("{GUIDE}{name}{fragment}"))
}

/// Returns the id of a heading, as GitHub makes it.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::shared::test_client::TestClient;

    async fn get(path: &str) -> (StatusCode, String) {
        let response = TestClient::new(routes(Route::new())).get(path).send().await.0;
        (response.status(), response.into_body().into_string().await.unwrap())
    }

    #[test]
    fn a_guide_is_adapted_to_the_server() {
        let guide = Guide::of(
            "# A `b`, c\n\n## What is kept?\n\n[on](quick-start.md#x) [out](https://a.example) [src](../adr/1.md) \
             ![picture](../images/x.png) <b>bold</b> [up](#what-is-kept)\n\n| a |\n|---|\n| `<i>` |\n",
        );
        assert_eq!(guide.title, "A b, c");
        for shown in [
            "<h1 id=\"a-b-c\">",
            "<h2 id=\"what-is-kept\">",
            "<a href=\"/guide/quick-start#x\">on</a>",
            "<a href=\"https://a.example\">out</a>",
            " src ",
            "<a href=\"#what-is-kept\">up</a>",
            "<td><code>&lt;i&gt;</code></td>",
        ] {
            assert!(guide.html.contains(shown), "{shown} is not in {}", guide.html);
        }
        for left_out in ["<img", "picture", "<b>", "adr"] {
            assert!(!guide.html.contains(left_out), "{left_out} is in {}", guide.html);
        }
    }

    #[tokio::test]
    async fn every_guide_is_a_page_and_its_links_lead_to_pages() {
        let (status, index) = get(GUIDE).await;
        assert_eq!(status, StatusCode::OK);
        for name in PAGES.keys().filter(|name| !name.is_empty()) {
            assert!(index.contains(&format!("href=\"{GUIDE}{name}\"")), "{name} is not listed");
            let (status, page) = get(&format!("{GUIDE}{name}")).await;
            assert!(status == StatusCode::OK && !page.contains("<script") && !page.contains("style="), "{name}");
            for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let (to, fragment) = link.split_once('#').unwrap_or((link, ""));
                let other = to.strip_prefix(GUIDE).map(str::to_owned);
                let target = match other {
                    Some(other) => get(&format!("{GUIDE}{other}")).await.1,
                    None if to.is_empty() => page.clone(),
                    None => continue,
                };
                assert!(fragment.is_empty() || target.contains(&format!(" id=\"{fragment}\"")), "{name}: {link}");
            }
        }
        assert_eq!(get("/guide/nothing").await.0, StatusCode::NOT_FOUND);
        assert_eq!(get("/guide").await.0, StatusCode::PERMANENT_REDIRECT);
    }
}
