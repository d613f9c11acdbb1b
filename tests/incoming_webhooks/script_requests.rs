//! Tests of requests that scripts make: none by default; otherwise within the bounds of the run and of the guard.

use serde_json::{Value, json};

use super::{Hook, done, start};
use crate::support::{Integration, Reply, TestApp};

fn script(body: &str) -> Value {
    let text = format!("class Script {{ async process_incoming_request({{ request }}) {{ {body} }} }}");
    json!({"scriptEnabled": true, "script": text})
}

async fn allowing(fetches: &str, time_ms: &str) -> TestApp {
    start(vec![("TIELINE_SCRIPT__FETCHES", fetches.into()), ("TIELINE_SCRIPT__TIME_MS", time_ms.into())]).await
}

/// Has the script post the result of an expression, with `url` for the address of the upstream.
async fn said(hook: &Hook<'_>, url: &str, expression: &str) -> String {
    hook.update(script(&format!("const url = '{url}'; return {{ content: {{ text: String({expression}) }} }};"))).await;
    done(&hook.post(&json!({"text": "a"})).await);
    hook.texts().await[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_default_scripts_have_no_network() {
    let (app, upstream) = (start(vec![]).await, Integration::start("output", json!([])).await);
    let hook = Hook::new(&app, script(&format!("await serverFetch('{}')", upstream.base()))).await;
    let answer = hook.post(&json!({"text": "a"})).await;
    assert!(answer.ok(400)["error"].as_str().unwrap().contains("serverFetch is not available"), "{}", answer.text);
    assert!(upstream.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_operator_allows_it_scripts_make_requests() {
    let (app, upstream) = (allowing("2", "20000").await, Integration::start("output", json!([])).await);
    let hook = Hook::new(&app, json!({})).await;
    upstream.reply(Reply::Json(json!({"name": "Ada"})));
    let fetch = "(await (await serverFetch(url + '/who', { method: 'POST', headers: {'X-Key': 'k'}, body: {id: 7} })).json()).name";
    assert_eq!(said(&hook, upstream.base(), fetch).await, "Ada");
    let call = upstream.calls().remove(0);
    assert_eq!((call.method.as_str(), call.path.as_str(), &call.body), ("POST", "/who", &json!({"id": 7})));
    assert_eq!((call.header("x-key"), call.header("content-type")), ("k", "application/json"));
    let http = "HTTP('PUT', url, { data: {id: 8}, auth: 'ada:word' }).result.data.name";
    assert_eq!(said(&hook, upstream.base(), http).await, "Ada");
    let call = upstream.calls().remove(1);
    assert_eq!((call.method.as_str(), call.header("authorization")), ("PUT", "Basic YWRhOndvcmQ="));

    upstream.reply(Reply::Text(404, "no such person".into()));
    let failed = "HTTP('POST', url).error.message + HTTP('POST', url).error.response.statusCode";
    assert_eq!(said(&hook, upstream.base(), failed).await, "failed [404] no such person404");
    assert_eq!(said(&hook, upstream.base(), "(await fetch(url, { method: 'POST' })).ok").await, "false");
    let third = "[await fetch(url), await fetch(url), await fetch(url).catch((error) => error.message)][2]";
    assert!(said(&hook, upstream.base(), third).await.contains("a script may make 2 requests in a run"));
    assert_eq!(upstream.calls().len(), 7, "the third one was not made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_go_through_the_guard() {
    let (app, upstream) = (allowing("1", "20000").await, Integration::start("output", json!([])).await);
    let hook = Hook::new(&app, json!({})).await;
    let failure = "await serverFetch(url, { method: 'POST' }).then(({ status }) => status, ({ message }) => message)";
    for url in ["http://169.254.169.254/latest", "http://10.0.0.1/", "file:///etc/passwd"] {
        let said = said(&hook, url, failure).await;
        assert!(said.starts_with("serverFetch: the URL "), "{url}: {said}");
    }
    let host = "await serverFetch(url, { headers: { Host: 'a' } }).catch(({ message }) => message)";
    assert!(said(&hook, upstream.base(), host).await.contains("may not be set"));
    assert!(upstream.calls().is_empty());
    upstream.reply(Reply::Redirect(format!("{}/elsewhere", upstream.base())));
    let status: u16 = said(&hook, upstream.base(), failure).await.parse().unwrap();
    assert!((300..400).contains(&status) && upstream.calls().len() == 1, "it is not followed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_bounded_in_size_and_time() {
    let (app, upstream) = (allowing("1", "20000").await, Integration::start("output", json!([])).await);
    let hook = Hook::new(&app, json!({})).await;
    upstream.reply(Reply::Bytes(300_000));
    let large = "await serverFetch(url, { method: 'POST' }).catch(({ message }) => message)";
    assert_eq!(said(&hook, upstream.base(), large).await, "serverFetch: the answer was too large");
    upstream.reply(Reply::Drip);
    let slow = "await serverFetch(url, { method: 'POST', timeout: 50 }).catch(({ message }) => message)";
    assert_eq!(said(&hook, upstream.base(), slow).await, "serverFetch: no complete answer in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_take_no_longer_than_the_run() {
    let (app, upstream) = (allowing("1", "1000").await, Integration::start("output", json!([])).await);
    upstream.reply(Reply::Drip);
    let body = format!("await fetch('{}', {{ method: 'POST' }}).catch(() => 1)", upstream.base());
    let hook = Hook::new(&app, script(&body)).await;
    let answer = hook.post(&json!({"text": "a"})).await;
    assert!(answer.ok(400)["error"].as_str().unwrap().contains("ScriptTimeout"), "{}", answer.text);
}
