//! Tests of the known sandbox escapes: each leads nowhere.

use std::sync::Arc;

use serde_json::{Map, json};

use super::{METHOD, engine, fault, returned, run_body, run_text};
use crate::domain::webhooks::script::{ScriptFault, ScriptValue};

#[tokio::test]
async fn there_is_nothing_of_a_host_inside() {
    for name in [
        "process",
        "require",
        "module",
        "exports",
        "global",
        "window",
        "self",
        "std",
        "os",
        "bjson",
        "Deno",
        "Bun",
        "WebAssembly",
        "setTimeout",
        "setInterval",
        "setImmediate",
        "XMLHttpRequest",
        "WebSocket",
        "Worker",
        "importScripts",
        "navigator",
        "performance",
        "Proxy",
        "WeakRef",
        "FinalizationRegistry",
        "SharedArrayBuffer",
        "Atomics",
        "BigInt",
        "BigInt64Array",
        "gc",
        "print",
        "load",
        "scriptArgs",
        "structuredClone",
        "Intl",
        "Livechat",
        "_",
        "moment",
    ] {
        assert_eq!(returned(&format!("return typeof {name}")).await, json!("undefined"), "{name}");
        assert_eq!(returned(&format!("return '{name}' in globalThis")).await, json!(false), "{name}");
    }
}

#[tokio::test]
async fn no_code_is_made_from_text() {
    for body in [
        "return this.constructor.constructor('return process')()",
        "return request.constructor.constructor('return process')()",
        "return (function () {}).constructor('return 1')()",
        "return (async () => {}).constructor('return 1')()",
        "return (function* () {}).constructor('yield 1')()",
        "return (async function* () {}).constructor('yield 1')()",
        "return new Function('a', 'return a')(1)",
        "return Function.prototype.constructor('return 1')()",
        "return Reflect.construct((() => {}).constructor, ['return 1'])()",
        "return Object.getPrototypeOf(async function () {}).constructor('return 1')()",
        "return console.log.constructor('return process')()",
        "return Store.get.constructor('return process')()",
        "return s.constructor('return process')()",
        "return eval('1')",
        "return (0, eval)('1')",
        "return [].constructor.constructor('return process')()",
        "return Function`return process`()",
        "return ((a) => a.constructor)`x`.constructor('return process')()",
        "try { null.x } catch (e) { return e.constructor.constructor('return process')() }",
        "return Error.constructor('return process')()",
    ] {
        let fault = fault(body).await;
        assert!(fault.message.contains("code from text"), "{body}: {fault:?}");
    }
    assert_eq!(returned("return Function('return this')() === globalThis").await, json!(true));
}

#[tokio::test]
async fn nothing_is_loaded() {
    for body in ["return import('fs')", "return import('./x.js')", "return import('data:text/javascript,1')"] {
        let fault = fault(body).await;
        assert!(fault.name == "ReferenceError" || fault.name == "TypeError", "{body}: {fault:?}");
    }
    for text in ["import fs from 'fs'; class Script {}", "export class Script {}", "await null; class Script {}"] {
        assert_eq!(run_text(text, json!({})).await.result.unwrap_err().name, "SyntaxError", "{text}");
    }
    assert_eq!(fault("return import.meta").await.name, "SyntaxError");
    assert_eq!(fault("require('fs')").await.name, "ReferenceError");
}

#[tokio::test]
async fn the_network_is_refused_by_name() {
    for (body, name) in [
        ("serverFetch('https://a.example')", "serverFetch"),
        ("fetch('https://a.example')", "fetch"),
        ("HTTP.get('https://a.example')", "HTTP.get"),
        ("HTTP.call('POST', 'https://a.example')", "HTTP.call"),
        ("HTTP('POST', 'https://a.example')", "HTTP"),
    ] {
        let fault = fault(body).await;
        assert!(fault.message.starts_with(name) && fault.message.contains("no network"), "{body}: {fault:?}");
    }
}

#[tokio::test]
async fn callers_and_stacks_lead_nowhere() {
    for (body, expected) in [
        ("return (function () { return typeof arguments.callee.caller })()", json!("object")),
        ("return (function f() { return String(f.caller) })()", json!("null")),
        ("Error.prepareStackTrace = (e, frames) => frames; return typeof new Error('a').stack", json!("string")),
        ("const o = {}; Error.captureStackTrace(o); return typeof o.stack", json!("string")),
        ("return (function () { return this === globalThis })()", json!(false)),
        ("return (() => { 'use strict'; return (function () { return this })() })() === undefined", json!(true)),
    ] {
        // A class is strict code, where some of these throw; that leads nowhere either.
        match run_body(body, json!({})).await.result {
            Ok(ScriptValue::Json(value)) => assert_eq!(value, expected, "{body}"),
            Ok(other) => panic!("{body}: {other:?}"),
            Err(fault) => assert_eq!(fault.name, "TypeError", "{body}: {fault:?}"),
        }
    }
    // In sloppy code `this` is the script's own global object, and a caller at most a function of its own.
    let text = "function who() { return [this === globalThis, typeof who.caller] } function Script() {}
        Script.prototype.process_incoming_request = function () { return who() }";
    let run = run_text(text, json!({})).await;
    let Ok(ScriptValue::Json(value)) = run.result else { return };
    assert_eq!(value[0], json!(true));
}

#[tokio::test]
async fn what_is_overwritten_is_overwritten_for_the_script_alone() {
    for body in [
        "JSON.stringify = () => '\"lie\"'; JSON.parse = () => 'lie'; return { a: 1 }",
        "Object.prototype.toString = () => 'lie'; Object.keys = () => []; return { a: 1 }",
        "globalThis.Object = 1; globalThis.Array = 2; globalThis.String = 3; return { a: 1 }",
        "Promise.prototype.then = () => 'lie'; globalThis.Promise = 1; return (async () => ({ a: 1 }))()",
        "console = null; Store = null; s = null; return { a: 1 }",
        "Array.prototype[Symbol.iterator] = null; console.log('x'); return { a: 1 }",
        "Object.defineProperty(Object.prototype, 'a', { get() { return 'lie' }, set() {}, configurable: true }); return { b: 1 }",
        "Function.prototype.call = Function.prototype.apply = () => 'lie'; return { a: 1 }",
        "Reflect.apply = () => 'lie'; s.trim(' a '); return { a: 1 }",
        "globalThis.Script = class { process_incoming_request() { return 'lie' } }; return { a: 1 }",
        "for (const k of Object.getOwnPropertyNames(globalThis)) { try { delete globalThis[k] } catch {} } return { a: 1 }",
    ] {
        let value = returned(body).await;
        assert!(value == json!({ "a": 1 }) || value == json!({ "b": 1 }), "{body}: {value}");
    }
    let large = "JSON.stringify = () => '1'; Array.prototype.toJSON = undefined; return 'a'.repeat(2000000)";
    assert_eq!(fault(large).await.name, ScriptFault::OUTPUT);
}

#[tokio::test]
async fn one_run_leaves_nothing_to_the_next() {
    let engine = engine();
    let dirty: Arc<str> = "globalThis.left = 1; Object.prototype.left = 1; Array.prototype.map = null; Store.left = 1;
        String.prototype.trim = () => 'lie'; RegExp.left = 1; Symbol.for('left');
        class Script { process_incoming_request({ request }) {
          this.constructor.count = (this.constructor.count || 0) + 1; request.__proto__.left = 1; console.left = 1;
          Store.set('kept', 1); return Script.count } }"
        .into();
    for _ in 0..3 {
        let run = engine.run(dirty.clone(), METHOD, json!({ "request": {} }), Map::new()).await;
        assert_eq!(run.result.unwrap(), ScriptValue::Json(json!(1)));
        let clean = "class Script { process_incoming_request() {
            return [typeof left, ({}).left, typeof [].map, ' a '.trim(), console.left, Store.left, Store.get('kept')] } }";
        let run = engine.run(clean.into(), METHOD, json!({}), Map::new()).await;
        assert_eq!(
            run.result.unwrap(),
            ScriptValue::Json(json!(["undefined", null, "function", "a", null, null, null]))
        );
    }
}

#[tokio::test]
async fn big_integers_are_refused() {
    for literal in ["10n", "0x1Fn", "1_000n", "0b1n", "0o7n"] {
        let fault = fault(&format!("\nreturn {literal} * {literal}")).await;
        assert!(fault.name == "SyntaxError" && fault.message.contains("line 2"), "{literal}: {fault:?}");
    }
    assert_eq!(returned("const a1n = 1, $2n = 2; return a1n + $2n").await, json!(3));
}
