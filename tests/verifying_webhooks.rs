//! Tests of the guide's receiver in Rust, called by the real binary. Those in other languages are held to the same by
//! `scripts/verify-webhooks`.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, StatusCode};
use poem::{
    Body, Endpoint, Request, Response, Server,
    endpoint::make,
    listener::{Acceptor, Listener, TcpListener},
};
use serde_json::json;
use standardwebhooks::Webhook;

use crate::support::{Client, Database, Deployment, until};

#[path = "webhooks/rust/receiver.rs"]
mod receiver;
use receiver::Receiver;

const LIMIT: Duration = Duration::from_secs(20);

/// A received call, and the status of the answer.
type Taken = (HeaderMap, Vec<u8>, StatusCode);

/// A receiver with its secret, and its calls.
#[derive(Default)]
struct Far {
    receiver: Option<Receiver>,
    taken: Vec<Taken>,
}

impl Far {
    fn receive(&mut self, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        self.receiver.as_mut().unwrap().receive(headers, body)
    }
}

fn serving(far: Arc<Mutex<Far>>) -> impl Endpoint {
    make(move |mut request: Request| {
        let far = far.clone();
        async move {
            let body = request.take_body().into_vec().await?;
            let mut far = far.lock().unwrap();
            let status = far.receive(request.headers(), &body);
            far.taken.push((request.headers().clone(), body, status));
            Ok::<_, poem::Error>(Response::builder().status(status).body(Body::empty()))
        }
    })
}

async fn state(owner: &Client, headers: &HeaderMap) -> Option<String> {
    let id = headers["webhook-id"].to_str().unwrap().strip_prefix("msg_").unwrap();
    let id = uuid::Uuid::parse_str(id).unwrap();
    let state = owner.get(&format!("/v1/deliveries/{id}")).await.ok(200)["state"].as_str().unwrap().to_owned();
    (state != "pending").then_some(state)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_of_the_guide_takes_what_is_sent_and_nothing_else() {
    let far: Arc<Mutex<Far>> = Arc::default();
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let url = format!("http://{}/", acceptor.local_addr()[0].as_socket_addr().unwrap());
    let server = tokio::spawn(Server::new_with_acceptor(acceptor).run(serving(far.clone())));

    let mut deployment = Deployment::new(Database::sqlite(), "http://127.0.0.1:9/slack");
    deployment.set("TIELINE_EGRESS__ALLOW", "127.0.0.0/8");
    let process = deployment.serve("all").await;
    let owner = process.client(&deployment.owner("acme").await);
    let version = json!({"name": "receiver", "version": "1.0.0", "url": url});
    let organisation = owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let create = owner.request(reqwest::Method::POST, "/v1/admin/integrations").header("x-workspace-id", organisation);
    owner.send(create.json(&version)).await.ok(200);
    let installed = owner.post("/v1/apps", &json!({"registryVersion": {"name": "receiver"}})).await.ok(201);
    let id = installed["id"].as_str().unwrap();
    let channel = owner.post("/v1/channels", &json!({"name": "webhooks"})).await.ok(201)["id"].clone();
    let path = format!("/v1/channels/{}/apps/{id}", channel.as_str().unwrap());
    owner.send(owner.request(reqwest::Method::PUT, &path).json(&json!({}))).await.ok(200);
    let signing = format!("/v1/apps/{id}/signing-secret");
    let shown = owner.get(&signing).await.ok(200);
    let secret = shown["secret"].as_str().unwrap();
    far.lock().unwrap().receiver = Some(Receiver::new(secret).unwrap());

    let say = async |text: &str| -> Taken {
        let before = far.lock().unwrap().taken.len();
        let event = json!({"type": "message.posted", "channelId": channel, "data": {"message": text}});
        owner.post("/v1/events", &event).await.ok(202);
        until("the call", LIMIT, async || far.lock().unwrap().taken.get(before).cloned()).await
    };
    let (headers, body, status) = say("hello").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(until("the end", LIMIT, async || state(&owner, &headers).await).await, "delivered");

    let changed = |name: &'static str, value: &str| {
        let mut headers = headers.clone();
        headers.insert(name, HeaderValue::try_from(value).unwrap());
        headers
    };
    let now: i64 = headers["webhook-timestamp"].to_str().unwrap().parse().unwrap();
    let signed = |age: i64| {
        let signature = Webhook::new(secret).unwrap().sign("msg_aged", now - age, &body).unwrap();
        let mut headers = changed("webhook-signature", &signature);
        headers.insert("webhook-id", HeaderValue::from_static("msg_aged"));
        headers.insert("webhook-timestamp", HeaderValue::try_from((now - age).to_string()).unwrap());
        headers
    };
    let again = |headers: &HeaderMap, body: &[u8]| far.lock().unwrap().receive(headers, body);
    let mut longer = body.clone();
    longer.push(b' ');
    assert_eq!(again(&headers, &longer), StatusCode::UNAUTHORIZED, "another body");
    assert_eq!(again(&changed("webhook-id", "msg_other"), &body), StatusCode::UNAUTHORIZED, "another id");
    assert_eq!(
        again(&changed("webhook-signature", "v1,AAAA"), &body),
        StatusCode::UNAUTHORIZED,
        "no signature of ours"
    );
    assert_eq!(again(&HeaderMap::new(), &body), StatusCode::UNAUTHORIZED, "no headers");
    assert_eq!(again(&signed(360), &body), StatusCode::UNAUTHORIZED, "six minutes old");
    assert_eq!(again(&signed(-360), &body), StatusCode::UNAUTHORIZED, "six minutes early");
    assert_eq!(again(&signed(240), &body), StatusCode::NO_CONTENT, "four minutes old");
    assert_eq!(again(&headers, &body), StatusCode::NO_CONTENT, "a repetition");

    let replaced = owner.post(&format!("{signing}/rotate"), &json!({})).await.ok(200);
    assert_eq!(say("by the former secret").await.2, StatusCode::NO_CONTENT);
    far.lock().unwrap().receiver = Some(Receiver::new(replaced["secret"].as_str().unwrap()).unwrap());
    assert_eq!(say("by the new secret").await.2, StatusCode::NO_CONTENT);
    server.abort();
}
