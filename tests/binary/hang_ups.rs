//! Tests of callers that disconnect in mid-request and retry with the same idempotency key.

use std::{collections::BTreeSet, io::Write, net::TcpStream, time::Instant};

use super::*;

const KEYS: usize = 200;
const CALLERS: usize = 4;
/// One, two or three for each key.
const HANG_UPS: usize = 2 * KEYS;

/// Sends a whole request, waits for a moment, and disconnects without reading the answer.
fn hang_up(address: &str, token: &str, name: &str, moment: Duration) {
    let body = step(name).to_string();
    let request = format!(
        "POST /v1/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {name}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    // Not a wait for anything: the moment itself is under test. Spinning, because a sleep is too coarse for 0.2 ms.
    let begun = Instant::now();
    while begun.elapsed() < moment {
        std::hint::spin_loop();
    }
}

/// Retries until the event is accepted, and returns its id.
async fn retry(client: &Client, name: &str) -> String {
    let begun = Instant::now();
    loop {
        let request = client.request(Method::POST, "/v1/events").header("Idempotency-Key", name).json(&step(name));
        let answer = client.send(request).await;
        match answer.status.as_u16() {
            202 => return answer.json()["id"].as_str().unwrap().to_owned(),
            409 => assert!(begun.elapsed() < LIMIT, "{name} is in flight for too long"),
            _ => panic!("{answer:?}"),
        }
    }
}

both_databases! {
    async fn a_caller_that_disconnects_and_retries_is_served_once(database) {
        let (scene, process) = Scene::start(database, &[]).await;
        let [owner, _] = scene.owners(&process);
        let callers = (0..CALLERS).map(|caller| {
            let (address, token, owner) = (process.address.clone(), scene.tokens[0].clone(), owner.clone());
            tokio::spawn(async move {
                let mut ids = BTreeSet::new();
                for number in 0..KEYS / CALLERS {
                    let name = format!("ev-{caller}-{number}");
                    for _ in 0..=number % 3 {
                        let (address, token, name) = (address.clone(), token.clone(), name.clone());
                        let moment = between(Duration::from_micros(200), Duration::from_millis(6));
                        let hung_up = move || hang_up(&address, &token, &name, moment);
                        tokio::task::spawn_blocking(hung_up).await.unwrap();
                    }
                    let id = retry(&owner, &name).await;
                    assert_eq!(retry(&owner, &name).await, id, "{name}");
                    assert!(ids.insert(id), "{name} has the id of another");
                }
                ids
            })
        });
        let mut ids = BTreeSet::new();
        for caller in callers.collect::<Vec<_>>() {
            ids.extend(caller.await.unwrap());
        }
        assert_eq!(ids.len(), KEYS);
        let names: Vec<String> =
            (0..CALLERS).flat_map(|c| (0..KEYS / CALLERS).map(move |n| format!("ev-{c}-{n}"))).collect();
        scene.all_arrive(&names).await;
        scene.settle(&process).await;
        assert_eq!(scene.repeated().await, []);
        // Otherwise all disconnected too early, and nothing was tested.
        let metrics = process.anon().get("/metrics").await.text;
        let repeated = metrics.lines().find_map(|line| line.strip_prefix("tieline_events_total{outcome=\"repeated\"} "));
        let repeated: usize = repeated.unwrap().parse().unwrap();
        // Each key was sent twice by the callers that waited for the answer.
        eprintln!("of {HANG_UPS} hang-ups, {} came after the event had reached intake", repeated - KEYS);
        assert!(repeated > KEYS + HANG_UPS / 4, "{repeated}");
    }
}
