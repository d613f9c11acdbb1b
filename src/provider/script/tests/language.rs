//! Tests of the features that scripts in the wild rely on: the language as they know it, and `s`.

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Map, Value, json};

use super::{METHOD, engine, returned};
use crate::domain::webhooks::script::ScriptValue;

#[tokio::test]
async fn guarded_functions_do_what_the_language_says() {
    for (expression, expected) in [
        ("'a-b-c'.split('-')", json!(["a", "b", "c"])),
        ("'a1b2'.split(/\\d/)", json!(["a", "b", ""])),
        ("'abc'.split()", json!(["abc"])),
        ("'abc'.split('')", json!(["a", "b", "c"])),
        ("'a,b,c'.split(',', 2)", json!(["a", "b"])),
        ("'aXbX'.replace('X', '-')", json!("a-bX")),
        ("'aXbX'.replace(/x/gi, (m, at) => at)", json!("a1b3")),
        ("'aXbX'.replaceAll('X', '$&$&')", json!("aXXbXX")),
        ("'aXbX'.replaceAll(/X/g, '')", json!("ab")),
        ("'2024-01'.replace(/(\\d+)-(\\d+)/, '$2/$1')", json!("01/2024")),
        ("'abc'.indexOf('c') + 'abcabc'.lastIndexOf('c') + 'abc'.search(/c/)", json!(9)),
        ("'abc'.includes('b', 2) || 'abc'.startsWith('b', 1) && 'abc'.endsWith('b', 2)", json!(true)),
        ("'null'.indexOf(null)", json!(0)),
        ("'a1b22'.match(/\\d+/g)", json!(["1", "22"])),
        ("[...'a1b22'.matchAll(/\\d+/g)].map((m) => m.index)", json!([1, 3])),
        ("'abc'.slice(-2) + 'abc'.substring(1, 0) + 'abc'.substr(1, 1) + 'é'.normalize('NFD').length", json!("bcab2")),
        ("'b'.localeCompare('a') + 'x'.concat('y', 1)", json!("1xy1")),
        ("[3, 10, 2].sort()", json!([10, 2, 3])),
        ("[3, , undefined, 2].sort().length", json!(4)),
        ("[3, 10, 2].sort((a, b) => a - b)", json!([2, 3, 10])),
        ("['b', 'a'].toSorted()", json!(["a", "b"])),
        ("[1].concat(2, [3, [4]])", json!([1, 2, 3, [4]])),
        ("[1].concat({ length: 1, 0: 2, [Symbol.isConcatSpreadable]: true })", json!([1, 2])),
        ("[].concat([1, , 3]).length", json!(3)),
        ("[[1, [2]], 3].flat(Infinity)", json!([1, 2, 3])),
        ("[[1, [2]], 3].flat()", json!([1, [2], 3])),
        ("[1, 2].flatMap((x) => [x, [x]])", json!([1, [1], 2, [2]])),
        ("[1, null, undefined, [2, 3]].join()", json!("1,,,2,3")),
        ("String([1, [2]]) + [].slice.call('ab') + [].slice.call({ 0: 'c', length: 1 })", json!("1,2a,bc")),
        ("(function () { return [].slice.call(arguments, 1) })(1, 2, 3)", json!([2, 3])),
        (
            "[1, 2, 3].splice(1, 1).concat([1, 2, 3].reverse(), [4].fill(0), [1, 2].includes(2))",
            json!([2, 3, 2, 1, 0, true]),
        ),
        ("[...new Set([1, 1, 2])].concat([...new Map([[1, 2]]).entries()])", json!([1, 2, [1, 2]])),
        ("new RegExp('A', 'i').test('a') && RegExp('a') instanceof RegExp && /a/.constructor === RegExp", json!(true)),
        ("(() => 1) instanceof Function && typeof Function.prototype.bind", json!("function")),
        ("JSON.parse(JSON.stringify({ a: [1, { b: null }] }, null, 2))", json!({ "a": [1, { "b": null }] })),
        ("JSON.stringify({ a: 1, b: 2 }, ['b'])", json!("{\"b\":2}")),
        ("Object.fromEntries(Object.entries({ a: 1 }).map(([k, v]) => [k + k, v]))", json!({ "aa": 1 })),
        ("[...new Uint8Array([3, 1, 2]).sort()]", json!([1, 2, 3])),
        ("decodeURIComponent(encodeURIComponent('ä &')) + escape('ä')", json!("ä &%E4")),
        ("new Date(0).toISOString() + (Date.now() > 1e12)", json!("1970-01-01T00:00:00.000Ztrue")),
        ("(() => { try { 'a'.includes(/a/) } catch (e) { return e.name } })()", json!("TypeError")),
        ("(() => { try { 'a'.replaceAll(/a/, '') } catch (e) { return e.name } })()", json!("TypeError")),
        ("Array.from('ab', (x) => x + x).concat(Array.of(1))", json!(["aa", "bb", 1])),
        ("String.prototype.trim.length + [].indexOf.length + ' a '.trim().padStart(3, '-')", json!("1--a")),
    ] {
        assert_eq!(returned(&format!("return {expression}")).await, expected, "{expression}");
    }
}

#[tokio::test]
async fn s_helps_with_texts() {
    for (expression, expected) in [
        ("s.trim('  a ')", json!("a")),
        ("s.trim('--a-', '-')", json!("a")),
        ("s.ltrim(' a ') + s.rtrim(' b ')", json!("a  b")),
        ("s.contains('abc', 'b') && s.include('abc', 'c') && s('abc').contains('a')", json!(true)),
        ("s.startsWith('abc', 'ab') && s.endsWith('abc', 'bc')", json!(true)),
        ("s.capitalize('foo Bar') + s.capitalize('fOO', true) + s.decapitalize('Foo')", json!("Foo BarFoofoo")),
        ("s.words(' one  two ')", json!(["one", "two"])),
        ("s.words('a,b', ',')", json!(["a", "b"])),
        ("s.lines('a\\r\\nb\\nc')", json!(["a", "b", "c"])),
        ("s.escapeHTML('<a href=\"x\">\\'&')", json!("&lt;a href=&quot;x&quot;&gt;&#39;&amp;")),
        ("s.unescapeHTML('&lt;&#65;&#x42;&apos;&unknown;&constructor;')", json!("<AB'&unknown;&constructor;")),
        ("s.stripTags('a <b>c</b><br/>')", json!("a c")),
        ("s.truncate('Hello world', 5) + s.truncate('abc', 5) + s.truncate('abcd', 2, '!')", json!("Hello...abcab!")),
        ("s.prune('Hello, cruel world', 12) + s.prune('Hello, world', 8)", json!("Hello, cruel...Hello...")),
        ("s.isBlank(' ') && s.isBlank(null) && !s.isBlank('a')", json!(true)),
        (
            "s.camelize('a-b_c d') + s.underscored('MozTransform') + s.dasherize('MozTransform')",
            json!("aBCDmoz_transform-moz-transform"),
        ),
        (
            "s.humanize('author_id') + s.titleize('my name') + s.slugify('Ünlike Those!')",
            json!("AuthorMy Nameunlike-those"),
        ),
        (
            "s.lpad('1', 3, '0') + s.rpad('1', 3, '0') + s.repeat('ab', 2) + s.repeat('a', 2, '-')",
            json!("001100ababa-a"),
        ),
        ("s.count('abab', 'ab') + s.toNumber('2.556', 1)", json!(4.6)),
        (
            "s.replaceAll('a.b.c', '.', '-') + s.insert('ac', 1, 'b') + s.splice('abcd', 1, 2, 'X')",
            json!("a-b-cabcaXd"),
        ),
        (
            "s.strLeft('a-b-c', '-') + s.strRight('a-b-c', '-') + s.strLeftBack('a-b-c', '-') + s.strRightBack('a-b-c', '-')",
            json!("ab-ca-bc"),
        ),
        (
            "s.quote('a') + s.unquote('\"a\"') + s.surround('a', '*') + s.join('-', 1, 2) + s.reverse('abc')",
            json!("\"a\"a*a*1-2cba"),
        ),
        ("s('  some text ').trim().capitalize().value()", json!("Some text")),
        ("s(' a b ').words()", json!(["a", "b"])),
        ("`${s('a').capitalize()}` + s('a').toUpperCase().value() + s(null).trim().value()", json!("AA")),
        ("s.toBoolean('yes') && !s.toBoolean('off') && s.clean(' a   b ')", json!("a b")),
    ] {
        assert_eq!(returned(&format!("return {expression}")).await, expected, "{expression}");
    }
}

fn number() -> impl Strategy<Value = Value> {
    // Whole numbers up to 2^53 are numbers in JavaScript too; only its text distinguishes a fraction.
    let fraction = any::<f64>().prop_filter_map("whole", |number| (number.fract() != 0.0).then(|| json!(number)));
    prop_oneof![(-(1_i64 << 53)..=(1_i64 << 53)).prop_map(|number| json!(number)), fraction]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Runs a check on many inputs: `proptest!` knows no async functions.
fn for_many<S: Strategy>(cases: u32, strategy: &S, check: impl Fn(&tokio::runtime::Runtime, S::Value)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let checked = TestRunner::new(config).run(strategy, |input| {
        check(&runtime, input);
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn every_value_comes_back_as_it_went_in() {
    let text = "class Script { process_incoming_request(a) { Store.set('a', a); return a } }";
    for_many(64, &value(), |runtime, value| {
        let run = runtime.block_on(engine().run(text.into(), METHOD, value.clone(), Map::new()));
        assert_eq!(run.result, Ok(ScriptValue::Json(value.clone())));
        assert_eq!(run.store.unwrap()["a"], value);
    });
}

#[test]
fn every_text_ends_in_a_class_or_a_fault() {
    let words = prop::sample::select(vec![
        "class", "Script", "{", "}", "(", ")", "=>", "async", "await", "yield", "*", "`", "${", "'", "\"", "/", "\\",
        "\n", "//", "/*", "*/", "<!--", "new", "this", "super", "#a", "[", "]", "...", "?.", "??=", "import", "export",
        "let", "var", "function", "of", "in", "static", "get", "0x", "1e", "\u{2028}", "\0", "\u{feff}", "#!", "with",
        "eval", "delete",
    ]);
    let strategy = prop_oneof![any::<String>(), prop::collection::vec(words, 0..24).prop_map(|words| words.join(" "))];
    for_many(96, &strategy, |runtime, text| {
        if let Err(fault) = runtime.block_on(engine().compile(&text)) {
            assert!(!fault.name.is_empty() && !fault.message.is_empty(), "{text:?}: {fault:?}");
        }
    });
}
