//! Requests that scripts make: by the parent, through the egress guard, within the bounds of the run.
//!
//! Not in it: the functions that a script calls (`host`, `network.js`).

use std::{
    collections::BTreeMap,
    fmt, io,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

use super::{request::Request, wire::Fetched};
use crate::provider::guard::{Answer, Failure, Guard, HeaderMap, Outgoing};

/// The operator's permission: a client, and the number of requests that one run may make with it.
#[derive(Clone)]
pub(super) struct Fetcher {
    pub(super) guard: Guard,
    pub(super) most: u32,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("most", &self.most).finish_non_exhaustive()
    }
}

/// Requests of one run.
pub(super) struct Fetches<'a> {
    fetcher: Option<&'a Fetcher>,
    made: u32,
}

impl<'a> Fetches<'a> {
    pub(super) fn new(fetcher: Option<&'a Fetcher>) -> Self {
        Self { fetcher, made: 0 }
    }

    /// Returns true once a request was made: the run must not be repeated.
    pub(super) fn any(&self) -> bool {
        self.made > 0
    }

    /// Makes a request, until the deadline of the run at most.
    ///
    /// # Errors
    /// When the process asks for more than it may: it knows the number, so it is no longer ours.
    pub(super) async fn make(&mut self, wanted: &str, deadline: Instant, max_bytes: usize) -> io::Result<Fetched> {
        let fetcher = self.fetcher.filter(|fetcher| self.made < fetcher.most);
        let fetcher = fetcher.ok_or_else(|| io::Error::other("it asks for a request that it may not make"))?;
        self.made += 1;
        Ok(match read(wanted) {
            Ok(request) => fetcher.fetch(request, deadline, max_bytes).await,
            Err(rule) => Fetched::Failure(rule),
        })
    }
}

fn read(wanted: &str) -> Result<Request, String> {
    let wanted: Map<String, Value> = serde_json::from_str(wanted).map_err(|_| "the request is nested too deep")?;
    Request::read(&wanted)?.ok_or_else(|| "a request needs a URL and a method".to_owned())
}

impl Fetcher {
    async fn fetch(&self, request: Request, deadline: Instant, max_bytes: usize) -> Fetched {
        let Request { method, url, headers, body, timeout } = request;
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = timeout.unwrap_or(Duration::MAX).min(left);
        match self.guard.send(Outgoing { method, url, headers, body }, limit, max_bytes).await {
            Ok(Answer { incomplete: Some(reason), .. }) => Fetched::Failure(reason.to_string()),
            Ok(Answer { status, headers, body, .. }) => {
                Fetched::Answer { status, headers: texts(&headers), body: String::from_utf8_lossy(&body).into_owned() }
            }
            Err(Failure::Refused(refusal)) => Fetched::Failure(format!("the URL {refusal}")),
            Err(Failure::Unreachable(reason)) => Fetched::Failure(reason.to_string()),
        }
    }
}

/// Headers by their names; several of one name are one, with commas.
fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let text = texts.entry(name.as_str().to_owned());
        text.and_modify(|text| *text = format!("{text}, {value}")).or_insert_with(|| value.into_owned());
    }
    texts
}
