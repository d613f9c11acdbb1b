//! A browser that comes back from Slack or GitHub: it is redirected to the consent page, keeps a cookie, and has a
//! button.

use reqwest::{Method, RequestBuilder, header::HeaderName};

use super::http::{Answer, Client};

/// Path of the consent page.
pub const CONSENT: &str = "/v1/consent";

/// Header with the consent page's cookie, in which the test passes it on.
const KEPT: HeaderName = HeaderName::from_static("x-kept-cookie");

/// Follows an answer to the consent page; another answer is the last one.
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

/// Presses the button of a consent page.
pub async fn agree(browser: &Client, page: &Answer) -> Answer {
    browser.send(button(browser, page)).await
}

/// Request of the button of a consent page.
pub fn button(browser: &Client, page: &Answer) -> RequestBuilder {
    let request = browser.request(Method::POST, CONSENT).header("sec-fetch-site", "same-origin");
    request.header("cookie", page.header(KEPT.as_str())).form(&[("state", state(page))])
}

/// Follows the whole flow from an answer: on a consent page, the button is pressed.
pub async fn go_on(browser: &Client, answer: Answer) -> Answer {
    let page = look(browser, answer).await;
    if page.text.contains("<form") { agree(browser, &page).await } else { page }
}

/// Cookie that an answer sets, as it is sent back.
pub fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// State of a consent page.
pub fn state(page: &Answer) -> String {
    let asked = page.text.split_once("name=\"state\" value=\"");
    let (_, rest) = asked.unwrap_or_else(|| panic!("nothing is asked: {} {}", page.status, page.text));
    rest.split_once('"').unwrap().0.to_owned()
}
