//! Tests of malicious scripts: each ends in a fault that names its cause, and the process lives.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{InProcess, METHOD, fault, returned, run_body, run_text};
use crate::domain::webhooks::script::{ScriptFault, ScriptLimits, ScriptRun, ScriptValue};

/// A short deadline, and a long tolerance on a busy machine; far less than the duration of the loops.
const SHORT: Duration = Duration::from_millis(150);

async fn briefly(text: &str) -> ScriptRun {
    InProcess::new(8 * 1024 * 1024, SHORT).run(text.into(), METHOD, json!({}), Map::new()).await
}

async fn ends_in_time(body: &str) {
    let run = briefly(&format!("class Script {{ process_incoming_request() {{ {body} }} }}")).await;
    let fault = run.result.expect_err(body);
    assert_eq!(fault.name, ScriptFault::TIMEOUT, "{body}: {fault:?}");
    assert!(fault.message.contains("150 ms"), "{fault:?}");
}

#[tokio::test]
async fn loops_end() {
    for body in [
        "for (;;) {}",
        "for (;;) { try { for (;;) {} } catch (e) {} finally { for (;;) {} } }",
        "try { for (;;) {} } finally { return 1 }",
        "return { get a() { for (;;) {} } }",
        "return { toJSON() { for (;;) {} } }",
        "throw { get message() { for (;;) {} } }",
        "class E extends Error { get name() { for (;;) {} } } throw new E()",
        "Store.set('a', { toJSON() { for (;;) {} } })",
        "console.log({ toJSON() { for (;;) {} } })",
        "[3, 2, 1].sort(() => { for (;;) {} })",
        "const f = () => f(...[]); for (;;) { try { f() } catch {} }",
        "/(a+)+b/.test('a'.repeat(60))",
        "/(?:a|a)*c/.exec('a'.repeat(5000))",
        "/^(\\w+\\s?)*$/.test('word '.repeat(30) + '!')",
        "'a'.repeat(50).replace(/(a*)*$x/g, '')",
        "function* g() { for (;;) yield 1 } for (const x of g()) {}",
        "function* g() { try { for (;;) yield 1 } finally { for (;;) {} } } for (const x of g()) { null.x }",
        "new Set((function* () { for (;;) yield 1 })())",
        "label: for (;;) { continue label }",
        "class A { static { for (;;) {} } }",
        "`${{ toString() { for (;;) {} } }}`",
        "Error.prepareStackTrace = () => { for (;;) {} }; for (;;) {}",
        "Error.stackTraceLimit = { valueOf() { for (;;) {} } }; for (;;) {}",
        "const a = [1]; a.constructor = { get [Symbol.species]() { for (;;) {} } }; a.map((x) => x)",
        "const x = []; for (;;) { try { x.push('a'.repeat(1000) + x.length) } catch (e) { for (;;) {} } }",
    ] {
        ends_in_time(body).await;
    }
}

#[tokio::test]
async fn loops_outside_of_the_class_end_too() {
    for text in [
        "for (;;) {}",
        "class Script { constructor() { for (;;) {} } }",
        "class Script { static x = (() => { for (;;) {} })() }",
    ] {
        assert_eq!(briefly(text).await.result.expect_err(text).name, ScriptFault::TIMEOUT, "{text}");
    }
}

#[tokio::test]
async fn promises_that_go_on_for_ever_end() {
    for body in [
        "for (;;) { await null }",
        "await null; for (;;) {}",
        "const again = () => Promise.resolve().then(again); return again()",
        "const again = () => { queueMicrotask(again) }; again(); return new Promise(() => {})",
        "for (;;) { try { await Promise.reject(1) } catch {} }",
        "return { then(resolve) { for (;;) {} } }",
        "for await (const x of (async function* () { for (;;) yield 1 })()) {}",
        "for await (const x of (async function* () { try { for (;;) {} } finally { for (;;) {} } })()) {}",
    ] {
        let text = format!("class Script {{ async process_incoming_request() {{ {body} }} }}");
        let fault = briefly(&text).await.result.expect_err(body);
        // A promise of a promise is kept, so that memory may be exhausted first; and then all of them are released, so
        // that there is memory again by the time the last one is examined.
        let ended = [ScriptFault::TIMEOUT, ScriptFault::MEMORY].contains(&fault.name.as_str());
        assert!(ended || fault.message.contains("or there was no memory"), "{body}: {fault:?}");
    }
}

/// The engine does not check the clock within its own functions.
#[tokio::test]
async fn functions_of_the_language_are_bounded() {
    for body in [
        "const a = []; a.length = 2 ** 32 - 1; a.join('')",
        "Array.prototype.join.call({ length: 2 ** 53 - 1 }, '')",
        "Array.prototype.reverse.call({ length: 2 ** 53 - 1 })",
        "Array.prototype.sort.call({ length: 2 ** 53 - 1 })",
        "Array.prototype.join.call({ n: 0, get length() { return this.n++ ? 2 ** 53 : 1 } }, '')",
        "const a = []; a.length = 2 ** 32 - 1; a.sort()",
        "const a = []; a.length = 2 ** 32 - 1; JSON.stringify({}, a)",
        "const long = 'a'.repeat(3e6); long.indexOf('a'.repeat(1e6) + 'b')",
        "const long = 'a'.repeat(3e6); long.split({ toString() { return 'a'.repeat(1e6) + 'b' } })",
        "const long = 'a'.repeat(3e6); long.replace('a'.repeat(1e6) + 'b', '')",
        "'\\u0301\\u0323'.repeat(1e6).normalize('NFC')",
    ] {
        // Refused by their size, which on a busy machine may take longer than a short limit.
        let fault = fault(body).await;
        assert!(["RangeError", "TypeError"].contains(&fault.name.as_str()), "{body}: {fault:?}");
    }
    for body in [
        "const a = []; a.length = 2 ** 32 - 1; [].concat(a)",
        "const a = []; a.length = 2 ** 32 - 1; [a].flat()",
        "const o = { length: 2 ** 53 - 1 }; new Set(Array.prototype.values.call(o))",
        "Array.prototype.indexOf.call(new Array(9e6), 1); for (;;) { Array.prototype.indexOf.call(new Array(9e6), 1) }",
        "const text = 'a'.repeat(1e6); for (;;) { try { text.toUpperCase() } catch {} }",
        "const many = JSON.stringify(new Array(100000).fill('a')); for (;;) { try { JSON.parse(many) } catch {} }",
        "const many = new Array(50000).fill(0).map(Math.random); for (;;) { try { many.slice().sort() } catch {} }",
    ] {
        ends_in_time(body).await;
    }
}

#[tokio::test]
async fn memory_ends() {
    for body in [
        "let a = 'a'; for (;;) { a += a + 'b'.repeat(1000); a.trim() }",
        "const a = []; for (;;) a.push(new Array(1000).fill(1))",
        "const a = []; for (;;) a.push({ a })",
        "new Array(1e7).fill(0)",
        "const a = []; for (;;) a.push(new Uint8Array(100000))",
        "new ArrayBuffer(1e9)",
        "'ab'.repeat(1e8)",
        "'a'.padStart(5e8, 'bc')",
        "const m = new Map(); for (let i = 0; ; i += 1) m.set(i, { i })",
        "const s = new Set(); for (let i = 0; ; i += 1) s.add('x' + i)",
        "return Array.from({ length: 1e9 }, () => ({}))",
        "const o = {}; for (let i = 0; ; i += 1) o['k' + i] = i",
        "let f = () => 0; for (;;) { const g = f; f = () => g }",
        "const all = []; for (;;) all.push(new Promise(() => {}))",
        "const a = [...Array(1000).keys()]; let r = [a]; for (;;) r = [...r, ...r]",
        "let a = 'a'; for (let i = 0; i < 29; i += 1) a += a; return a",
        "let x = [1]; for (let i = 0; i < 40; i += 1) x = [x, x]; return x",
        "JSON.stringify('\\u0000'.repeat(2e6))",
        "const a = []; for (;;) a.push(Symbol.for('a' + a.length))",
        "const a = []; for (;;) a.push(/a/ + Math.random())",
    ] {
        let fault = fault(body).await;
        assert!(
            fault.name == ScriptFault::MEMORY
                || fault.message.contains("length")
                || fault.message.contains("no memory"),
            "{body}: {fault:?}"
        );
    }
}

#[tokio::test]
async fn a_script_that_took_all_memory_is_stopped_all_the_same() {
    ends_in_time(
        "const all = []; for (let n = 1 << 20; n > 8; n = n >> 1) { try { for (;;) all.push('x'.repeat(n)) } catch (e) {} }
         let head = null; try { for (;;) head = { head } } catch (e) {}
         for (;;) { try { for (;;) {} } catch (e) {} }",
    )
    .await;
}

/// Memory may be exhausted in any place, also within the engine's own allocations: only the run ends.
#[tokio::test]
async fn memory_may_end_anywhere() {
    let text = "class Script { async process_incoming_request(a) { const all = [];
        for (let i = 0; ; i += 1) { all.push({ i, s: `a${i}`, f: () => i, m: new Map([[i, a]]), r: /x(y)/.exec('xy'), e: new Error('e') });
          await null; Store.set('a', all.length); JSON.parse(JSON.stringify([...'abc'])); class A { #x = i } new A() } } }";
    for kilobytes in (300..2200).step_by(23) {
        let engine = InProcess::new(kilobytes * 1024, Duration::from_secs(10));
        let fault = engine.run(text.into(), METHOD, json!({ "a": [1, 2] }), Map::new()).await.result.unwrap_err();
        assert!(!fault.name.is_empty());
    }
}

#[tokio::test]
async fn recursion_ends() {
    for body in [
        "const f = () => f(); f()",
        "const f = () => [1].map(f); f()",
        "const f = () => `${{ toString: f }}`; f()",
        "const o = {}; o.toString = () => '' + o; '' + o",
        "let a = []; for (let i = 0; i < 20000; i += 1) a = [a]; return a",
        "let a = {}; for (let i = 0; i < 20000; i += 1) a = { a }; throw { name: 'X', message: JSON.stringify(a) }",
        "JSON.parse('['.repeat(100000))",
        "const f = (s) => s.replace(/x/, f); f('x')",
        "class A { get a() { return this.a } } new A().a",
    ] {
        let fault = fault(body).await;
        assert_eq!(fault.name, ScriptFault::STACK, "{body}: {fault:?}");
    }
    for body in ["new RegExp('('.repeat(100000))", "return eval('('.repeat(100000))"] {
        assert!(!fault(body).await.message.is_empty(), "{body}");
    }
    let nested = format!("class Script {{}} {}", "(".repeat(100_000));
    assert!(run_text(&nested, json!({})).await.result.is_err());
    let nested = format!("class Script {{}}; var a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(run_text(&nested, json!({})).await.result.is_err());
}

#[tokio::test]
async fn long_chains_of_values_are_freed() {
    for body in [
        "let a; for (let i = 0; i < 30000; i += 1) a = { a }; return 1",
        "let a = () => 0; for (let i = 0; i < 20000; i += 1) { const b = a; a = () => b } return 1",
        "let p = new Promise(() => {}); for (let i = 0; i < 5000; i += 1) p = p.then((x) => x); return 1",
        "let a; for (let i = 0; i < 20000; i += 1) a = new Map([[a, a]]); return 1",
        "let o = null; for (let i = 0; i < 20000; i += 1) o = Object.create(o); return 1",
        "function* g(x) { yield x } let a = 0; for (let i = 0; i < 5000; i += 1) { a = g(a); a.next() } return 1",
        "let f = () => 0; for (let i = 0; i < 500; i += 1) f = f.bind(null); return 1",
        "let s = ''; for (let i = 0; i < 100000; i += 1) s = s + 'a'; return s.length - 99999",
        "let s = ''; for (let i = 0; i < 100000; i += 1) s = 'a' + s; return s.length - 99999",
    ] {
        assert_eq!(returned(body).await, json!(1), "{body}");
    }
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    for (body, name) in [
        ("const a = {}; a.a = a; return a", "TypeError"),
        ("const a = []; a.push([a]); return a", "TypeError"),
        ("return Symbol('a')", ScriptFault::OUTPUT),
        ("return () => 1", ScriptFault::OUTPUT),
        ("return { toJSON() { return undefined } }", ScriptFault::OUTPUT),
        ("return { toJSON() { throw new RangeError('no') } }", "RangeError"),
        ("return { get a() { throw new RangeError('no') } }", "RangeError"),
        ("return 'a'.repeat(1100000)", ScriptFault::OUTPUT),
        ("let a = []; for (let i = 0; i < 200; i += 1) a = [a]; return a", ScriptFault::OUTPUT),
        ("Store.set('a', 'a'.repeat(70000))", ScriptFault::OUTPUT),
        ("const a = {}; a.a = a; Store.set('a', a)", "TypeError"),
    ] {
        let fault = fault(body).await;
        assert_eq!(fault.name, name, "{body}: {fault:?}");
    }
    assert_eq!(returned("Array.prototype.toJSON = () => 'x'; return { a: [1] }").await, json!({ "a": "x" }));
    assert_eq!(returned("return 'ab😀'.slice(0, 3) + '\\\\ud83d'").await, json!("ab\u{fffd}\\ud83d"));
    assert_eq!(
        returned("return { a: undefined, b: NaN, c: new Date(0) }").await,
        json!({ "b": null, "c": "1970-01-01T00:00:00.000Z" })
    );
}

#[tokio::test]
async fn anything_can_be_thrown() {
    for (body, message) in [
        ("throw 'text'", "text"),
        ("throw 42", "the script threw 42"),
        ("throw null", "the script threw null"),
        ("throw undefined", "the script threw undefined"),
        ("throw true", "the script threw true"),
        ("throw Symbol('a')", "the script threw a symbol"),
        ("throw { a: 1 }", "the script threw {\"a\":1}"),
        ("throw { message: { toString() { throw 1 } } }", "the script threw {\"message\":{}}"),
        (
            "throw { get message() { throw 1 }, get name() { throw 2 }, get stack() { throw 3 } }",
            "the script threw an object",
        ),
        ("const a = { b: 1 }; a.a = a; throw a", "the script threw an object"),
        ("throw () => 1", "the script threw an object"),
        ("throw Object.create(null)", "the script threw {}"),
        ("throw new (class extends Error { constructor() { super('m'); delete this.stack } })()", "m"),
        ("const e = new Error('m'); e.name = { a: 1 }; throw e", "m"),
        ("const e = new Error('m'); Object.defineProperty(e, 'stack', { get() { throw 1 } }); throw e", "m"),
        ("const e = new Error('m'); e.stack = 'x'; throw e", "m"),
        ("throw '😀'.slice(0, 1)", ""),
    ] {
        let fault = fault(body).await;
        assert!(fault.message.starts_with(message), "{body}: {fault:?}");
        assert!(!fault.name.is_empty(), "{body}");
    }
    let long = fault("throw new Error('a'.repeat(1e6))").await;
    assert!(long.message.len() < 3000 && long.stack.len() < 5000);
}

#[tokio::test]
async fn the_console_is_bounded() {
    let run = run_body("for (let i = 0; i < 10000; i += 1) console.log(i)", json!({})).await;
    assert_eq!(run.console.len(), ScriptLimits::CONSOLE_LINES);
    let run = run_body("for (let i = 0; i < 100; i += 1) console.log('é'.repeat(1e5))", json!({})).await;
    let bytes: usize = run.console.iter().map(|line| line.text.len()).sum();
    assert!(bytes <= ScriptLimits::CONSOLE_BYTES + 100, "{bytes}");
    let run =
        run_body("const a = {}; a.a = a; console.log(a, Symbol('b'), null, undefined, '😀'.slice(1))", json!({})).await;
    assert_eq!(run.console[0].text, "[object] Symbol(b) null undefined \u{fffd}");
    assert_eq!(run.result, Ok(ScriptValue::Undefined));
}

#[tokio::test]
async fn a_value_with_a_prototype_key_is_a_value() {
    let argument: Value = serde_json::from_str(
        r#"{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":{"__proto__":{"polluted":1}}}"#,
    )
    .unwrap();
    let body = "return [({}).polluted, Object.keys(request), request.polluted, request.a.polluted, request]";
    let run = run_body(body, argument.clone()).await;
    let keys = json!(["__proto__", "constructor", "a"]);
    assert_eq!(run.result, Ok(ScriptValue::Json(json!([null, keys, null, null, argument]))));
    let store: Map<String, Value> = serde_json::from_str(r#"{"__proto__":{"polluted":1}}"#).unwrap();
    let text = "class Script { process_incoming_request() { Store.set('toString', 1);
        return [({}).polluted, Store.get('__proto__').polluted, Store.get('constructor')] } }";
    let run = super::engine().run(text.into(), METHOD, json!({}), store).await;
    assert_eq!(run.result, Ok(ScriptValue::Json(json!([null, 1, null]))));
    assert_eq!(Value::Object(run.store.unwrap()).to_string(), r#"{"__proto__":{"polluted":1},"toString":1}"#);
}

/// A bomb takes 8 MiB. Other tests run in the same process, so the bound is wide; the leak of a bomb would be wider.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_is_given_back() {
    let resident = || {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    };
    let before = resident();
    for _ in 0..60 {
        let body = "const a = []; try { for (;;) a.push(new Array(100).fill({}), 'x'.repeat(500)) } catch {} return 1";
        assert_eq!(returned(body).await, json!(1));
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 200 * 1024 * 1024, "{grown}");
}
