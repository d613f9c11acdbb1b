//! Answers of a route, with the headers common to all of them.

use poem::Response;
use poem::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::{Call, header};

const DOCUMENTATION: &str = "https://docs.github.com/rest";
/// Version used when the request names none.
const VERSION: &str = "2022-11-28";
const PER_PAGE: usize = 30;
const MOST_PER_PAGE: usize = 100;
const LIMIT: u32 = 5_000;
/// Remaining requests: only a fault limits the rate, so the number is constant.
const REMAINING: u32 = 4_999;

/// An answer: JSON, a form, or nothing.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Error message for the log.
    pub(super) error: Option<String>,
    content_type: &'static str,
    body: String,
    link: Option<String>,
}

/// A refusal: GitHub's status and message.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
    plain: bool,
}

/// Result of a route.
pub(super) type Outcome = Result<Answer, Refusal>;

impl Answer {
    pub(super) fn json(value: &Value) -> Self {
        Self::with_status(StatusCode::OK, value)
    }

    pub(super) fn with_status(status: StatusCode, value: &Value) -> Self {
        Self { status, error: None, content_type: JSON, body: value.to_string(), link: None }
    }

    pub(super) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, error: None, content_type: "", body: String::new(), link: None }
    }

    /// Answers as OAuth does: JSON or a form, as the caller asks, and always with status 200.
    pub(super) fn oauth(call: &Call, fields: &[(&str, Value)]) -> Self {
        let error = fields.iter().find(|(name, _)| *name == "error").and_then(|(_, word)| word.as_str());
        let (content_type, body) = if call.wants_json {
            let fields: Map<String, Value> =
                fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            (JSON, Value::Object(fields).to_string())
        } else {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in fields {
                form.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
            }
            ("application/x-www-form-urlencoded; charset=utf-8", form.finish())
        };
        Self { status: StatusCode::OK, error: error.map(str::to_owned), content_type, body, link: None }
    }

    /// Answers with one page of a list; with a name, as a member of an object that also has the total.
    pub(super) fn page<T>(call: &Call, name: Option<&str>, all: &[T], show: impl Fn(&T) -> Value) -> Self {
        let number = |name: &str| call.params.number(name).ok().flatten().and_then(|it| usize::try_from(it).ok());
        let per_page = number("per_page").filter(|size| *size > 0).unwrap_or(PER_PAGE).min(MOST_PER_PAGE);
        let page = number("page").filter(|page| *page > 0).unwrap_or(1);
        let shown: Vec<Value> = all.iter().skip((page - 1).saturating_mul(per_page)).take(per_page).map(show).collect();
        let value = match name {
            Some(name) => json!({"total_count": all.len(), name: shown}),
            None => json!(shown),
        };
        let last = all.len().div_ceil(per_page).max(1);
        Self { link: links(call, page, last), ..Self::json(&value) }
    }

    /// Adds a member to an answer that is an object.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        if let Ok(Value::Object(mut body)) = serde_json::from_str(&self.body) {
            body.insert(name.to_owned(), value);
            self.body = Value::Object(body).to_string();
        }
        self
    }

    pub(super) fn into_response(self, call: &Call, asked: &HeaderMap) -> Response {
        let version = Some(header(asked, "x-github-api-version")).filter(|version| !version.is_empty());
        let resets = call.now + 3_600 - call.now.rem_euclid(3_600);
        let mut response = Response::builder()
            .status(self.status)
            .header("server", "github.com")
            .header("x-github-media-type", "github.v3; format=json")
            .header("x-github-api-version-selected", version.unwrap_or(VERSION))
            .header("x-github-request-id", call.github.sender.guid())
            .header("x-ratelimit-limit", LIMIT)
            .header("x-ratelimit-remaining", REMAINING)
            .header("x-ratelimit-used", LIMIT - REMAINING)
            .header("x-ratelimit-reset", resets)
            .header("x-ratelimit-resource", "core");
        if !self.content_type.is_empty() {
            response = response.header("content-type", self.content_type);
        }
        if let Some(link) = self.link {
            response = response.header("link", link);
        }
        response.body(self.body)
    }
}

const JSON: &str = "application/json; charset=utf-8";

/// Rate limits as `GET /rate_limit` reports them.
pub(super) fn rate_limit(call: &Call) -> Value {
    let resets = call.now + 3_600 - call.now.rem_euclid(3_600);
    let rate = json!({"limit": LIMIT, "used": LIMIT - REMAINING, "remaining": REMAINING, "reset": resets});
    let search = json!({"limit": 30, "used": 0, "remaining": 30, "reset": resets});
    json!({"resources": {"core": rate, "search": search, "graphql": rate}, "rate": rate})
}

/// Links to the pages around this one, in GitHub's order.
fn links(call: &Call, page: usize, last: usize) -> Option<String> {
    let to = |page: usize, relation: &str| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(size) = call.params.text("per_page") {
            query.append_pair("per_page", size);
        }
        query.append_pair("page", &page.to_string());
        format!("<{}{}?{}>; rel=\"{relation}\"", call.base, call.path, query.finish())
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(to(page.min(last + 1) - 1, "prev"));
    }
    if page < last {
        links.push(to(page + 1, "next"));
        links.push(to(last, "last"));
    }
    if page > 1 {
        links.push(to(1, "first"));
    }
    (!links.is_empty()).then(|| links.join(", "))
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, message: message.into(), plain: false }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    pub(super) fn bad_credentials() -> Self {
        Self::new(401, "Bad credentials")
    }

    pub(super) fn not_accessible() -> Self {
        Self::new(403, "Resource not accessible by integration")
    }

    pub(super) fn suspended() -> Self {
        Self::new(403, "This installation has been suspended")
    }

    /// Refuses a program without a User-Agent header; GitHub checks it before anything else.
    pub(super) fn no_user_agent() -> Self {
        let message = "\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent \
                       header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). \
                       Check https://developer.github.com for other possible causes.\r\n";
        Self { plain: true, ..Self::new(403, message) }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let body = if refusal.plain { refusal.message.clone() } else { said(refusal.status, &refusal.message) };
        Self {
            status: refusal.status,
            error: Some(refusal.message),
            content_type: if refusal.plain { "text/html; charset=utf-8" } else { JSON },
            body,
            link: None,
        }
    }
}

/// Formats an error as GitHub does.
pub(super) fn said(status: StatusCode, message: &str) -> String {
    json!({"message": message, "documentation_url": DOCUMENTATION, "status": status.as_u16().to_string()}).to_string()
}
