//! Faults in GitHub's format.

use poem::Response;
use poem::http::StatusCode;
use serde_json::json;

use super::answer;
use crate::faults::Fault;

/// Variant of GitHub's two error formats.
pub(super) struct Dialect {
    /// The exchange of tokens: an error code, and status 200.
    pub(super) oauth: bool,
    pub(super) now: i64,
}

impl Dialect {
    pub(super) fn status(&self, fault: &Fault) -> StatusCode {
        let is_error = fault.error.is_some() && fault.body.is_none() && !self.oauth;
        fault.status(if is_error { 500 } else { 200 })
    }

    pub(super) fn say(&self, fault: &Fault) -> Response {
        let status = self.status(fault);
        let mut response = Response::builder().status(status).content_type("application/json; charset=utf-8");
        if let Some(secs) = fault.retry_after_secs {
            response = response.header("retry-after", secs);
        }
        if let Some(secs) = fault.rate_limit_reset_secs {
            response = response
                .header("x-ratelimit-limit", 5_000)
                .header("x-ratelimit-remaining", 0)
                .header("x-ratelimit-used", 5_000)
                .header("x-ratelimit-reset", self.now + secs)
                .header("x-ratelimit-resource", "core");
        }
        response.body(fault.body.clone().unwrap_or_else(|| self.words(fault, status)))
    }

    fn words(&self, fault: &Fault, status: StatusCode) -> String {
        if let (true, Some(error)) = (self.oauth, &fault.error) {
            return json!({"error": error, "error_description": "The stand-in was told to say so."}).to_string();
        }
        let usual = match status.as_u16() {
            _ if fault.rate_limit_reset_secs.is_some() => "API rate limit exceeded for installation.",
            _ if fault.retry_after_secs.is_some() => {
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            }
            401 => "Bad credentials",
            403 => "Resource not accessible by integration",
            404 => "Not Found",
            422 => "Validation Failed",
            503 => "Service unavailable",
            _ => "Server Error",
        };
        answer::said(status, fault.error.as_deref().unwrap_or(usual))
    }
}
