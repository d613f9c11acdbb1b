//! The engine: what scripts can do, and what they cannot.

mod hostile;
mod isolation;
mod language;

use serde_json::json;

use super::*;
use crate::domain::script::{ConsoleLevel, ConsoleLine, ScriptValue};

pub(super) const METHOD: ScriptMethod = ScriptMethod::ProcessIncomingRequest;

pub(super) fn engine() -> ScriptEngine {
    ScriptEngine::new(ScriptLimits::new(8 * 1024 * 1024, Duration::from_secs(20)), 2)
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

/// What the body of the method returns.
pub(super) async fn returned(body: &str) -> Value {
    match run_body(body, json!({})).await.result {
        Ok(ScriptValue::Json(value)) => value,
        other => panic!("{body} gave {other:?}"),
    }
}

/// Why the body of the method fails.
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

#[tokio::test]
async fn sloppy_code_works() {
    let text = "var leaked; function helper(a, a) { undeclared = a; return this === globalThis }
        function Script() {} Script.prototype.process_incoming_request = function (args) {
          with (args.request) { return [helper(1, 2), undeclared, 010, delete args, body] } }";
    let run = run_text(text, json!({ "request": { "body": "b" } })).await;
    assert_eq!(run.result, Ok(ScriptValue::Json(json!([true, 2, 8, false, "b"]))));
}
