//! Tests of SIGTERM, and of a start beside a running process.

use std::{io::Write, net::TcpStream};

use super::*;
use crate::support::Gate;

const CALLERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_process_stops_within_a_second() {
    for role in ["all", "api", "worker"] {
        let deployment = Deployment::new(Database::sqlite(), "http://127.0.0.1:9/slack");
        let mut process = deployment.serve(role).await;
        // Idle open connections: a used one, an unused one, and one that ended in mid-head.
        let client = process.anon();
        assert_eq!(client.get("/healthz").await.status, 200);
        let unused = TcpStream::connect(&process.address).unwrap();
        assert_eq!(client.get("/healthz").await.status, 200, "the one before is accepted by now");
        process.terminate();
        let (status, took) = process.exited(LIMIT).await;
        assert!(status.success(), "{status}");
        assert!(took < Duration::from_secs(1), "{role}: {took:?}");
        drop(unused);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_never_ends_is_waited_for_no_longer_than_the_grace() {
    let mut deployment = Deployment::new(Database::sqlite(), "http://127.0.0.1:9/slack");
    deployment.set("TIELINE_SERVER__SHUTDOWN_GRACE_SECS", "1");
    let token = deployment.owner("acme").await;
    let mut process = deployment.serve("all").await;
    let mut half_a_head = TcpStream::connect(&process.address).unwrap();
    half_a_head.write_all(b"GET /healthz HTTP/1.1\r\nHost:").unwrap();
    let mut half_a_body = TcpStream::connect(&process.address).unwrap();
    let head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n";
    half_a_body.write_all(format!("{head}Authorization: Bearer {token}\r\n\r\n{{\"type\":").as_bytes()).unwrap();
    assert_eq!(process.anon().get("/healthz").await.status, 200);
    process.terminate();
    let (status, took) = process.exited(LIMIT).await;
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_millis(2500), "{took:?}");
}

both_databases! {
    async fn a_busy_process_finishes_what_it_has_begun(database) {
        let (scene, mut process) = Scene::start(database, &[("TIELINE_SERVER__SHUTDOWN_GRACE_SECS", "10")]).await;
        scene.slack.fault(fault_of(PLACES[0].0, json!({"latencyMs": 700}))).await;
        let [owner, _] = scene.owners(&process);
        let flood = Flood::begin(&scene.owners(&process), "s", CALLERS, usize::MAX);
        // A request with an answer that comes only when the process is stopping.
        let before = scene.slack.calls("chat.postMessage").await.len();
        let slow = tokio::spawn(async move { owner.post("/v1/slack-integrations/test", &json!({})).await });
        until("much is under way", LIMIT, async || {
            (scene.slack.calls("chat.postMessage").await.len() > before + 50).then_some(())
        })
        .await;
        process.terminate();
        let (status, took) = process.exited(LIMIT).await;
        assert!(status.success(), "{status}");
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert_eq!(slow.await.unwrap().ok(200)["success"], true);
        let accepted = flood.end().await;
        assert!(!process.output().contains("in flight at the end"), "{}", process.output());

        scene.slack.mend().await;
        let process = scene.deployment.serve("all").await;
        scene.all_arrive(&accepted).await;
        scene.settle(&process).await;
        assert_eq!(scene.repeated().await, [], "everything begun was also recorded");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_port_says_so_and_does_no_harm() {
    let slack = Slack::start(Options::default()).await;
    let gate = Gate::before(slack.base().trim_start_matches("http://").trim_end_matches("/slack")).await;
    let base = format!("http://{}/slack", gate.address);
    let (mut scene, process) = Scene::start_with(slack, &base, Database::sqlite(), &[]).await;
    let [owner, _] = scene.owners(&process);
    scene.slack.fault(fault_of(PLACES[0].0, json!({"latencyMs": 1000}))).await;
    send(&owner, "ev-once").await;
    until("it is being sent", LIMIT, async || gate.seen().contains("ev-once").then_some(())).await;
    scene.deployment.set("TIELINE_LISTEN", &process.address);
    let second = scene.deployment.run(&["serve"]).await;
    let complaint = second.refused();
    assert!(complaint.contains(&format!("cannot listen on {}", process.address)), "{complaint}");
    assert!(complaint.contains("in use"), "{complaint}");
    scene.all_arrive(&["ev-once".to_owned()]).await;
    scene.settle(&process).await;
    assert_eq!(scene.repeated().await, []);
    let tries = gate.seen().matches("POST /slack/api/chat.postMessage").count();
    assert_eq!(tries, 1, "the second one left the first one's lease alone");
}
