//! Tests of the functions by which scripts make requests, with a parent that answers each with its description.

use serde_json::{Map, Value, json};

use super::METHOD;
use crate::domain::webhooks::script::{ScriptFault, ScriptLimits, ScriptValue};

/// Runs the async body of the method, with up to three requests.
async fn result(body: &str) -> Result<ScriptValue, ScriptFault> {
    let text = format!("class Script {{ async process_incoming_request() {{ {body} }} }}");
    let mut engine = super::engine();
    engine.1 = 3;
    engine.run(text.into(), METHOD, json!({}), Map::new()).await.result
}

/// Value that the body returns.
async fn returned(body: &str) -> Value {
    match result(body).await {
        Ok(ScriptValue::Json(value)) => value,
        other => panic!("{body} gave {other:?}"),
    }
}

#[tokio::test]
async fn server_fetch_describes_its_request_and_reads_the_answer() {
    let body = "const answer = await serverFetch('https://a.example/?x=1', {
            method: 'PUT', headers: {'X-A': 'b'}, params: {'q r': 'ö&'}, body: {n: [1]}, timeout: 50 });
        return [answer.status, answer.ok, answer.headers.get('Content-Type'), answer.headers.get('toString'),
            answer.headers.has('content-type'), await answer.json()]";
    let request = json!({"url": "https://a.example/?x=1&q%20r=%C3%B6%26", "method": "PUT",
        "headers": {"X-A": "b", "content-type": "application/json"}, "data": {"n": [1]}, "timeout": 50});
    assert_eq!(returned(body).await, json!([200, true, "application/json", null, true, request]));
    let text = "return JSON.parse(await (await fetch('https://a.example', { method: 'POST', body: 'ab' })).text())";
    let request = json!({"url": "https://a.example", "method": "POST", "data": "ab",
        "headers": {"content-type": "text/plain;charset=UTF-8"}});
    assert_eq!(returned(text).await, request);
}

#[tokio::test]
async fn http_is_that_of_meteor() {
    let get = "return HTTP('get', 'https://a.example', { params: {a: 1}, auth: 'user:word' })";
    let request = json!({"url": "https://a.example?a=1", "method": "GET", "auth": "user:word"});
    let result = returned(get).await["result"].take();
    assert_eq!((&result["statusCode"], &result["data"]), (&json!(200), &request));
    assert_eq!(serde_json::from_str::<Value>(result["content"].as_str().unwrap()).unwrap(), request);
    let form = "return HTTP.post('https://a.example', { query: 'k=v', params: {a: 'b c'} }).data";
    let request = json!({"url": "https://a.example?k=v", "method": "POST", "data": "a=b%20c",
        "headers": {"content-type": "application/x-www-form-urlencoded"}});
    assert_eq!(returned(form).await, request);
    let text =
        "return HTTP.call('DELETE', 'https://a.example', { content: 'x', headers: {'Content-Type': 'a/b'} }).data";
    let request = json!({"url": "https://a.example", "method": "DELETE", "data": "x",
        "headers": {"Content-Type": "a/b"}});
    assert_eq!(returned(text).await, request);
}

#[tokio::test]
async fn the_number_and_the_size_of_requests_are_bounded() {
    let body = "for (let i = 0; i < 3; i += 1) await serverFetch('https://a.example');
        return [await serverFetch('https://a.example').catch(String), String(HTTP('GET', 'https://a.example').error)]";
    let expected = "a script may make 3 requests in a run (script.fetches)";
    assert_eq!(
        returned(body).await,
        json!([format!("Error: serverFetch: {expected}"), format!("Error: HTTP: {expected}")])
    );
    let limits = ScriptLimits::new(1, std::time::Duration::ZERO);
    let large = format!(
        "return String(HTTP('POST', 'https://a.example', {{ content: 'x'.repeat({}) }}).error)",
        limits.output_bytes
    );
    assert_eq!(returned(&large).await, json!("Error: HTTP: a request has up to 1048576 bytes as JSON"));
}

#[tokio::test]
async fn half_a_character_is_replaced() {
    let body = "return HTTP('POST', 'https://a.example', { data: {text: '\\ud83d'} }).result.data.data";
    assert_eq!(returned(body).await, json!({"text": "\u{fffd}"}));
}

#[tokio::test]
async fn a_run_goes_no_further_once_its_parent_says_that_its_time_is_up() {
    let url = "'https://late.example'";
    for body in [
        format!("await serverFetch({url})"),
        format!("await serverFetch({url}).catch(() => 1); return {{ content: {{}} }}"),
        format!("HTTP('GET', {url})"),
    ] {
        assert_eq!(result(&body).await.unwrap_err().name, ScriptFault::TIMEOUT, "{body}");
    }
}
