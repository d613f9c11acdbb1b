//! Tests of the engine in this process, without its limits on the process: supported features and forbidden ones.

mod hostile;
mod isolation;
mod language;
mod network;

use serde_json::json;

use std::{rc::Rc, sync::Arc};

use tokio::sync::oneshot;

use super::*;
use crate::domain::webhooks::script::{ConsoleLevel, ConsoleLine, ScriptValue};

pub(super) const METHOD: ScriptMethod = ScriptMethod::ProcessIncomingRequest;

/// The engine of a script process, on a thread of the same size as there.
#[derive(Clone)]
pub(super) struct InProcess(ScriptLimits, u32);

impl InProcess {
    pub(super) fn new(memory_bytes: usize, time: Duration) -> Self {
        Self(ScriptLimits::new(memory_bytes, time), 0)
    }

    pub(super) async fn compile(&self, text: &str) -> Result<(), ScriptFault> {
        self.exchange(Job { text: text.to_owned(), call: None, store: "{}".to_owned(), fetches: 0 })
            .await
            .result
            .map(|_| ())
    }

    pub(super) async fn run(
        &self,
        text: Arc<str>,
        method: ScriptMethod,
        argument: Value,
        store: Map<String, Value>,
    ) -> ScriptRun {
        let call = Some((method, argument.to_string()));
        let store = Value::Object(store).to_string();
        self.exchange(Job { text: (*text).to_owned(), call, store, fetches: self.1 }).await
    }

    /// The job and its outcome go through frames, as they do between processes.
    async fn exchange(&self, job: Job) -> ScriptRun {
        let (limits, (done, wait)) = (self.0, oneshot::channel());
        let work = move || {
            let job = wire::content(&wire::frame(&job).unwrap()[wire::HEAD..]).unwrap();
            let _ = done.send(wire::Done::from(run::Engine::new(limits, Rc::new(echo)).run(&job)));
        };
        std::thread::Builder::new().stack_size(limits.stack_bytes + 1024 * 1024).spawn(work).unwrap();
        let frame = wire::frame(&wait.await.unwrap()).unwrap();
        wire::content::<wire::Done>(&frame[wire::HEAD..]).unwrap().try_into().unwrap()
    }
}

/// Answers each request with its description; the time is up at one for `late.example`.
#[allow(clippy::unnecessary_wraps, reason = "the signature of the parent's answer")]
fn echo(wanted: String) -> io::Result<Option<String>> {
    if wanted.contains("late.example") {
        return Ok(None);
    }
    let headers = [("content-type".to_owned(), "application/json".to_owned())].into();
    Ok(Some(json!(wire::Fetched::Answer { status: 200, headers, body: wanted }).to_string()))
}

pub(super) fn engine() -> InProcess {
    InProcess::new(8 * 1024 * 1024, Duration::from_secs(20))
}

/// Runs a whole text.
pub(super) async fn run_text(text: &str, argument: Value) -> ScriptRun {
    engine().run(text.into(), METHOD, argument, Map::new()).await
}

/// Runs the body of the method.
pub(super) async fn run_body(body: &str, argument: Value) -> ScriptRun {
    let text = format!("class Script {{ process_incoming_request({{ request }}) {{ {body} }} }}");
    run_text(&text, json!({ "request": argument })).await
}

/// Value that the body of the method returns.
pub(super) async fn returned(body: &str) -> Value {
    match run_body(body, json!({})).await.result {
        Ok(ScriptValue::Json(value)) => value,
        other => panic!("{body} gave {other:?}"),
    }
}

/// Fault by which the body of the method ends.
pub(super) async fn fault(body: &str) -> ScriptFault {
    run_body(body, json!({})).await.result.expect_err(body)
}

#[tokio::test]
async fn a_script_is_given_the_request_and_returns_what_it_likes() {
    let run =
        run_body("return { content: { text: request.content.text + '!' } }", json!({ "content": { "text": "a" } }));
    assert_eq!(run.await.result, Ok(ScriptValue::Json(json!({ "content": { "text": "a!" } }))));
    assert_eq!(returned("return null").await, Value::Null);
    assert_eq!(returned("return false").await, json!(false));
    assert_eq!(run_body("", json!({})).await.result, Ok(ScriptValue::Undefined));
    assert_eq!(run_text("class Script {}", json!({})).await.result, Ok(ScriptValue::NoMethod));
}

#[tokio::test]
async fn each_method_is_called_by_its_name() {
    let text: Arc<str> =
        "class Script { process_incoming_request() { return 1 } prepare_outgoing_request() { return 2 }
        process_outgoing_response() { return 3 } }"
            .into();
    for (method, expected) in [
        (ScriptMethod::ProcessIncomingRequest, 1),
        (ScriptMethod::PrepareOutgoingRequest, 2),
        (ScriptMethod::ProcessOutgoingResponse, 3),
    ] {
        let run = engine().run(text.clone(), method, json!({}), Map::new()).await;
        assert_eq!(run.result, Ok(ScriptValue::Json(json!(expected))));
    }
}

#[tokio::test]
async fn a_syntax_error_says_where() {
    let fault =
        engine().compile("class Script {\n  process_incoming_request( {\n    return 1 +;\n  }\n}").await.unwrap_err();
    assert_eq!(fault.name, "SyntaxError");
    assert!(fault.message.contains("(line 3, column "), "{fault:?}");
    assert!(fault.stack.contains("script:3"), "{fault:?}");
}

#[tokio::test]
async fn compiling_asks_for_the_class() {
    assert_eq!(engine().compile("class Script {}").await, Ok(()));
    assert_eq!(engine().compile("var Script = function () {}").await, Ok(()));
    for text in ["", "class Skript {}", "var Script = 1", "const Script = () => 1"] {
        let fault = engine().compile(text).await.unwrap_err();
        assert!(fault.message.contains("class Script"), "{text}: {fault:?}");
    }
    assert_eq!(engine().compile("class Script {}\nnull.x").await.unwrap_err().name, "TypeError");
}

#[tokio::test]
async fn an_error_of_the_scripts_own_keeps_its_name_and_place() {
    let fault = fault("class Odd extends Error { get name() { return 'Odd' } }\nthrow new Odd('so')").await;
    assert_eq!((fault.name.as_str(), fault.message.as_str()), ("Odd", "so"));
    assert!(fault.stack.contains("process_incoming_request (script:2"), "{fault:?}");
}

#[tokio::test]
async fn the_console_is_kept_also_where_the_script_fails() {
    let run =
        run_body("console.log('a', 1, { b: [2] }); console.error(new TypeError('c')); throw 'd'", json!({})).await;
    let line = |level, text: &str| ConsoleLine { level, text: text.to_owned() };
    assert_eq!(run.console, [line(ConsoleLevel::Log, "a 1 {\"b\":[2]}"), line(ConsoleLevel::Error, "TypeError: c")]);
    assert_eq!(run.result.unwrap_err().message, "d");
}

#[tokio::test]
async fn the_store_goes_in_and_comes_out() {
    let text: Arc<str> = "class Script { process_incoming_request() {
        const n = (Store.get('n') || 0) + 1; Store.set('n', n); return n } }"
        .into();
    let mut store = Map::new();
    for expected in 1..=3 {
        let run = engine().run(text.clone(), METHOD, json!({}), store).await;
        assert_eq!(run.result, Ok(ScriptValue::Json(json!(expected))));
        store = run.store.unwrap();
        assert_eq!(Value::Object(store.clone()), json!({ "n": expected }));
    }
    let text = "class Script { process_incoming_request() { return Store.get('n') } }";
    let read = engine().run(text.into(), METHOD, json!({}), store).await;
    assert_eq!((read.result, read.store), (Ok(ScriptValue::Json(json!(3))), None));
}

#[tokio::test]
async fn async_methods_are_settled() {
    let text = "class Script { async process_incoming_request({ request }) {
        const all = await Promise.all([1, 2].map(async (n) => (await null, n * request.by))); return { all } } }";
    let run = run_text(text, json!({ "request": { "by": 10 } })).await;
    assert_eq!(run.result, Ok(ScriptValue::Json(json!({ "all": [10, 20] }))));
    let rejects = "class Script { async process_incoming_request() { await null; throw new RangeError('no') } }";
    assert_eq!(run_text(rejects, json!({})).await.result.unwrap_err().name, "RangeError");
    let never = fault("return new Promise(() => {})").await;
    assert!(never.message.contains("nothing settles"), "{never:?}");
}

/// A typical script for Alertmanager: its loops assign names without a declaration.
#[tokio::test]
async fn names_that_are_not_declared_become_globals_also_in_a_class() {
    let text = r#"
        class Script {
            process_incoming_request({ request }) {
                var finColor = "warning";
                var finFields = [];
                for (i = 0; i < request.content.alerts.length; i++) {
                    var endVal = request.content.alerts[i];
                    elem = { title: "alertname: " + endVal.labels.alertname, value: "*instance:* " + endVal.labels.instance, short: false };
                    finFields.push(elem);
                    for (key in endVal.annotations) { last = key }
                }
                return { content: { attachments: [{ color: finColor, fields: finFields, n: i, last }] } };
            }
        }"#;
    let content =
        json!({"alerts": [{"labels": {"alertname": "Down", "instance": "a:9100"}, "annotations": {"summary": "x"}}]});
    let run = run_text(text, json!({"request": {"content": content}})).await;
    let fields = json!([{"title": "alertname: Down", "value": "*instance:* a:9100", "short": false}]);
    let expected =
        json!({"content": {"attachments": [{"color": "warning", "fields": fields, "n": 1, "last": "summary"}]}});
    assert_eq!(run.result, Ok(ScriptValue::Json(expected)));
    let misspelt = run_text("class Script { process_incoming_request() { return misspelt } }", json!({})).await;
    assert_eq!(misspelt.result.unwrap_err().name, "ReferenceError");
    let shadowed =
        "let i = 5; const s = 1; class Script { process_incoming_request() { i = i + 1; JSON = JSON; return i } }";
    assert_eq!(run_text(shadowed, json!({})).await.result, Ok(ScriptValue::Json(json!(6))));
}

#[tokio::test]
async fn sloppy_code_works() {
    let text = "var leaked; function helper(a, a) { undeclared = a; return this === globalThis }
        function Script() {} Script.prototype.process_incoming_request = function (args) {
          with (args.request) { return [helper(1, 2), undeclared, 010, delete args, body] } }";
    let run = run_text(text, json!({ "request": { "body": "b" } })).await;
    assert_eq!(run.result, Ok(ScriptValue::Json(json!([true, 2, 8, false, "b"]))));
}
