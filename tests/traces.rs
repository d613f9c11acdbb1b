//! Tests of traces: spans from the request to the attempt at a collector, and the context that callers and upstreams see.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{Span, span::SpanKind},
};
use poem::{
    Body, Request, Response, Server,
    endpoint::make,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
};
use prost::Message;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Database, Deployment, Integration, Reply, Setup, TestApp};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, ExportTraceServiceRequest)>>>);

impl Collector {
    /// Starts it, and returns its address.
    async fn start(&self) -> String {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
        let exports = self.0.clone();
        let endpoint = make(move |request: Request| {
            let exports = exports.clone();
            async move {
                let headers = request.headers();
                let Some(team) = headers.get("x-team") else {
                    return Ok(Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR).finish());
                };
                let head = format!("{} {}", request.uri().path(), team.to_str().unwrap());
                let body = request.into_body().into_bytes().await?;
                exports.lock().unwrap().push((head, ExportTraceServiceRequest::decode(body).unwrap()));
                Ok::<_, poem::Error>(Response::builder().body(Body::empty()))
            }
        });
        tokio::spawn(Server::new_with_acceptor(acceptor).run(endpoint));
        format!("http://{address}/otlp")
    }

    /// The spans by their names, and the names in their order of arrival.
    fn spans(&self) -> HashMap<String, Vec<Span>> {
        let mut spans: HashMap<String, Vec<Span>> = HashMap::new();
        for (head, export) in &*self.0.lock().unwrap() {
            assert_eq!(head, "/otlp/v1/traces a=b");
            for resource in &export.resource_spans {
                let attributes = &resource.resource.as_ref().unwrap().attributes;
                assert!(attributes.iter().any(|attribute| attribute.key == "service.name"), "{attributes:?}");
                for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
                    spans.entry(span.name.clone()).or_default().push(span.clone());
                }
            }
        }
        spans
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, name: &str) -> String {
    let found =
        span.attributes.iter().find(|attribute| attribute.key == name).unwrap_or_else(|| panic!("{name}: {span:?}"));
    format!("{:?}", found.value.as_ref().unwrap().value)
}

/// Has events of every type go to an upstream, and sends one, with or without a context. Returns the event.
async fn send(app: &TestApp, upstream: &Integration, traceparent: Option<&str>) -> Value {
    let route = json!({"name": "all", "types": ["order.*"], "destination": {"kind": "webhook", "url": format!("{}/hook", upstream.base())}});
    app.owner.post("/v1/routes", &route).await.ok(201);
    let mut request = app.owner.request(Method::POST, "/v1/events").json(&json!({"type": "order.created", "data": {}}));
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    let accepted = app.owner.send(request).await.ok(202);
    app.drain().await;
    app.owner.get(&format!("/v1/events/{}", accepted["id"].as_str().unwrap())).await.ok(200)
}

both! {
    async fn the_context_of_a_caller_is_passed_on_where_no_span_is_made(app) {
        let upstream = Integration::start("output", json!([])).await;
        let context = format!("00-{TRACE}-{CALLER}-01");
        let event = send(&app, &upstream, Some(&context)).await;
        assert_eq!(event["traceId"], TRACE);
        assert_eq!(upstream.calls().remove(0).header("traceparent"), context);
    }

    async fn without_a_context_there_is_none(app) {
        let upstream = Integration::start("output", json!([])).await;
        for invalid in [None, Some("00-4BF92F-1-01")] {
            let event = send(&app, &upstream, invalid).await;
            assert_eq!(event.get("traceId"), None);
        }
        assert!(upstream.calls().iter().all(|call| call.header("traceparent").is_empty()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_lead_from_the_request_to_each_attempt() {
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let settings = vec![("TIELINE_TRACES__ENDPOINT", endpoint), ("TIELINE_TRACES__HEADERS", "x-team=a=b".to_owned())];
    let app = TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await;
    let upstream = Integration::start("output", json!([])).await;
    upstream.reply(Reply::Text(503, "not now".into()));
    let event = send(&app, &upstream, Some(&format!("00-{TRACE}-{CALLER}-01"))).await;
    assert_eq!(event["traceId"], TRACE);
    upstream.reply(Reply::Text(204, String::new()));
    app.advance(Duration::from_secs(60));
    app.drain().await;
    app.app.base.tracer().shut_down().await;

    let spans = collector.spans();
    let of = |name: &str| spans.get(name).unwrap_or_else(|| panic!("{name}: {:?}", spans.keys())).clone();
    let [request] = &of("POST /v1/events")[..] else { panic!("one request") };
    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.to_owned(), CALLER.to_owned()));
    assert_eq!(request.kind, SpanKind::Server as i32);
    assert!(attribute(request, "http.response.status_code").contains("202"));
    let [accepted] = &of("accept event")[..] else { panic!("one event") };
    assert_eq!((&accepted.trace_id, &accepted.parent_span_id), (&request.trace_id, &request.span_id));
    let commits = of("group commit");
    assert!(commits.iter().any(|commit| commit.links.iter().any(|link| link.span_id == accepted.span_id)));

    let (dispatches, attempts) = (of("dispatch delivery"), of("attempt"));
    assert_eq!((dispatches.len(), attempts.len()), (2, 2));
    for (dispatch, attempt) in dispatches.iter().zip(&attempts) {
        assert_eq!((&dispatch.trace_id, &dispatch.parent_span_id), (&request.trace_id, &accepted.span_id));
        assert!(attribute(dispatch, "tieline.event.id").contains(event["id"].as_str().unwrap()));
        assert_eq!(attempt.parent_span_id, dispatch.span_id);
        assert!(attribute(attempt, "tieline.destination.kind").contains("webhook"));
    }
    assert!(attribute(&attempts[0], "http.response.status_code").contains("503"));
    let failed = |span: &Span| span.status.as_ref().is_some_and(|status| status.code == 2);
    assert!(failed(&attempts[0]) && !failed(&attempts[1]), "{attempts:?}");
    let headers: Vec<String> = upstream.calls().iter().map(|call| call.header("traceparent").to_owned()).collect();
    let expected = |attempt: &Span| format!("00-{TRACE}-{}-01", hex(&attempt.span_id));
    assert_eq!(headers, attempts.iter().map(expected).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_asks_the_collector() {
    let collector = Collector::default();
    let mut deployment = Deployment::bare();
    let found = async |deployment: &Deployment| {
        let ran = deployment.run(&["doctor"]).await;
        let lines = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let line = lines.into_iter().find(|line| line["check"] == "traces").unwrap();
        (line["state"].as_str().unwrap().to_owned(), line["found"].as_str().unwrap().to_owned())
    };
    assert_eq!(found(&deployment).await.0, "skipped");
    deployment.set("TIELINE_TRACES__ENDPOINT", collector.start().await);
    let (state, said) = found(&deployment).await;
    assert!(state == "failed" && said.contains("500"), "without the team's header: {state}: {said}");
    deployment.set("TIELINE_TRACES__HEADERS", "x-team=a=b");
    assert_eq!(found(&deployment).await.0, "ok");
    assert!(collector.spans().is_empty());
    deployment.set("TIELINE_TRACES__ENDPOINT", "http://127.0.0.1:9");
    let (state, said) = found(&deployment).await;
    assert!(state == "failed" && said.contains("does not answer"), "{state}: {said}");
}
