//! Distributed traces: the trace context of the work at hand, and the spans of this service, by OpenTelemetry.
//!
//! Where no collector is configured, no span is made, and the context of a caller is passed on as it came. Not here: the
//! export of spans (`provider::otlp`).

use std::{borrow::Cow, future::Future, time::Duration};

use opentelemetry::{
    Context, KeyValue,
    trace::{
        Link, Span as _, SpanBuilder, SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
        TracerProvider as _,
    },
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span as SdkSpan};
use tokio::task;

pub use opentelemetry::trace::SpanKind;

use crate::domain::trace::Traceparent;

/// Time limit for the export of the last spans.
const SHUTDOWN: Duration = Duration::from_secs(5);

tokio::task_local! {
    static CURRENT: Traceparent;
}

/// Returns the trace context of the work at hand.
pub fn current() -> Option<Traceparent> {
    CURRENT.try_with(|context| *context).ok()
}

/// Does work within a trace context. Without one, that of the surrounding work goes on.
pub async fn within<F: Future>(context: Option<Traceparent>, work: F) -> F::Output {
    match context {
        Some(context) => CURRENT.scope(context, work).await,
        None => work.await,
    }
}

/// Starts spans. Cheap to clone; the default one records nothing.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<(SdkTracer, SdkTracerProvider)>);

impl Tracer {
    /// Creates a tracer whose spans go to the exporter of a provider.
    pub fn new(provider: SdkTracerProvider) -> Self {
        Self(Some((provider.tracer(env!("CARGO_PKG_NAME")), provider)))
    }

    /// Starts a span, as a child of `parent` if there is one. It ends when it is dropped.
    pub fn start(&self, name: &'static str, kind: SpanKind, parent: Option<Traceparent>) -> Span {
        let builder = || SpanBuilder::from_name(name).with_kind(kind);
        let recorded = self.0.as_ref().map(|(tracer, _)| builder().start_with_context(tracer, &within_trace(parent)));
        let own = recorded.as_ref().and_then(|span| traceparent(span.span_context()));
        Span { recorded, context: own.or(parent) }
    }

    /// Starts the span of work for several traces at once: it is of a trace of its own, and linked to the others.
    pub fn start_linked(&self, name: &'static str, traces: impl Iterator<Item = Traceparent>) -> Span {
        let Some((tracer, _)) = &self.0 else { return Span { recorded: None, context: None } };
        let links = traces.map(|trace| Link::with_context(span_context(trace))).collect();
        let span = SpanBuilder::from_name(name).with_links(links).start_with_context(tracer, &Context::new());
        let context = traceparent(span.span_context());
        Span { recorded: Some(span), context }
    }

    /// Exports what is left, for a bounded time. Nothing is recorded afterwards.
    pub async fn shut_down(&self) {
        let Some((_, provider)) = self.0.clone() else { return };
        // It waits for the exporter's thread, whose requests this runtime makes.
        let ended = task::spawn_blocking(move || provider.shutdown_with_timeout(SHUTDOWN)).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

/// Span that is being recorded, or only the context that is passed on in its place.
#[derive(Debug)]
pub struct Span {
    recorded: Option<SdkSpan>,
    context: Option<Traceparent>,
}

impl Span {
    /// Returns the context for what happens within it.
    pub fn context(&self) -> Option<Traceparent> {
        self.context
    }

    /// Adds attributes, which are made only if the span is recorded.
    pub fn record<const N: usize>(&mut self, attributes: impl FnOnce() -> [KeyValue; N]) {
        if let Some(span) = self.recorded.as_mut().filter(|span| span.is_recording()) {
            span.set_attributes(attributes());
        }
    }

    /// Names it anew, once more is known.
    pub fn rename(&mut self, name: impl FnOnce() -> Cow<'static, str>) {
        if let Some(span) = self.recorded.as_mut().filter(|span| span.is_recording()) {
            span.update_name(name());
        }
    }

    /// Marks it as failed.
    pub fn fail(&mut self, reason: &str) {
        if let Some(span) = self.recorded.as_mut().filter(|span| span.is_recording()) {
            span.set_status(Status::error(reason.to_owned()));
        }
    }
}

/// Attribute of a span.
pub fn attribute(name: &'static str, value: impl Into<opentelemetry::Value>) -> KeyValue {
    KeyValue::new(name, value)
}

fn within_trace(parent: Option<Traceparent>) -> Context {
    parent.map_or_else(Context::new, |parent| Context::new().with_remote_span_context(span_context(parent)))
}

fn span_context(trace: Traceparent) -> SpanContext {
    let flags = TraceFlags::default().with_sampled(trace.is_sampled);
    let ids = (TraceId::from(trace.trace_id), SpanId::from(trace.span_id));
    SpanContext::new(ids.0, ids.1, flags, true, TraceState::default())
}

fn traceparent(context: &SpanContext) -> Option<Traceparent> {
    let trace_id = u128::from_be_bytes(context.trace_id().to_bytes());
    let span_id = u64::from_be_bytes(context.span_id().to_bytes());
    context.is_valid().then_some(Traceparent { trace_id, span_id, is_sampled: context.is_sampled() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: Traceparent = Traceparent { trace_id: 7, span_id: 8, is_sampled: true };

    #[tokio::test]
    async fn without_a_collector_the_callers_context_goes_on() {
        let span = Tracer::default().start("request", SpanKind::Server, Some(PARENT));
        assert_eq!((span.context(), current()), (Some(PARENT), None));
        assert_eq!(within(span.context(), async { current() }).await, Some(PARENT));
        assert_eq!(Tracer::default().start("request", SpanKind::Server, None).context(), None);
    }

    #[tokio::test]
    async fn a_span_is_a_child_of_its_parent() {
        let tracer = Tracer::new(SdkTracerProvider::builder().build());
        let child = tracer.start("request", SpanKind::Server, Some(PARENT)).context().unwrap();
        assert_eq!((child.trace_id, child.is_sampled), (7, true));
        assert_ne!(child.span_id, 8);
        let other = within(Some(PARENT), async { within(Some(child), async { current() }).await }).await;
        assert_eq!(other, Some(child));
        assert_ne!(tracer.start("request", SpanKind::Server, None).context().unwrap().trace_id, 7);
    }
}
