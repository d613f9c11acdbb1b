//! A browser that comes back from Slack or GitHub: it is led to the page that asks, keeps a cookie, and has a button.

use reqwest::{Method, RequestBuilder, header::HeaderName};

use super::http::{Answer, Client};

/// Path of the page that asks.
pub const CONSENT: &str = "/v1/consent";

/// The cookie that a page was asked with, where its answer is kept.
const KEPT: HeaderName = HeaderName::from_static("x-kept-cookie");

/// Follows an answer to the page that asks; another answer is the last one.
pub async fn look(browser: &Client, answer: Answer) -> Answer {
    let location = answer.header("location").to_owned();
    if answer.status != 302 || !location.starts_with(CONSENT) {
        return answer;
    }
    let kept = cookie(&answer);
    let mut page = browser.send(browser.request(Method::GET, &location).header("cookie", &kept)).await;
    page.headers.insert(KEPT, kept.parse().unwrap());
    page
}

/// Presses the button of a page that asks.
pub async fn agree(browser: &Client, page: &Answer) -> Answer {
    browser.send(button(browser, page)).await
}

/// The request of the button of a page that asks.
pub fn button(browser: &Client, page: &Answer) -> RequestBuilder {
    let request = browser.request(Method::POST, CONSENT).header("sec-fetch-site", "same-origin");
    request.header("cookie", page.header(KEPT.as_str())).form(&[("state", state(page))])
}

/// Goes the whole way from an answer: where it asks, the button is pressed.
pub async fn go_on(browser: &Client, answer: Answer) -> Answer {
    let page = look(browser, answer).await;
    if page.text.contains("<form") { agree(browser, &page).await } else { page }
}

/// The cookie that an answer sets, as it is sent back.
pub fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// The state of a page that asks.
pub fn state(page: &Answer) -> String {
    let asked = page.text.split_once("name=\"state\" value=\"");
    let (_, rest) = asked.unwrap_or_else(|| panic!("nothing is asked: {} {}", page.status, page.text));
    rest.split_once('"').unwrap().0.to_owned()
}
