//! Bodies with a wrong signature, as many at the same time as a stranger likes.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Barrier,
};

use super::*;

const CONNECTIONS: usize = 400;
/// The door of GitHub, and those of Slack, in turn; two of them take no body that is this long.
const DOORS: [&str; 4] = [
    "/v1/github/events",
    "/api/v2/integration/slack/events",
    "/api/v2/integration/slack/commands",
    "/api/v2/integration/slack/interactivity",
];
const BODY_BYTES: usize = 1 << 20;
/// As in the default settings.
const BUDGET_BYTES: u64 = 64 << 20;
/// Memory of a connection besides: its task, and what was read of its socket and not handed on.
const CONNECTION_BYTES: u64 = 128 << 10;

/// The head of a forged request, in the name of a client behind a proxy.
#[allow(clippy::disallowed_methods, reason = "the real binary has the machine's clock")]
fn head(number: usize) -> String {
    let (door, client) = (DOORS[number % DOORS.len()], number / 256);
    let media = if number % DOORS.len() < 2 { "application/json" } else { "application/x-www-form-urlencoded" };
    let (forged, now) = ("ab".repeat(32), chrono::Utc::now().timestamp());
    format!(
        "POST {door} HTTP/1.1\r\nHost: tieline\r\nContent-Type: {media}\r\nContent-Length: {BODY_BYTES}\r\n\
         X-Forwarded-For: 203.0.{client}.{}\r\nX-GitHub-Event: push\r\n\
         X-GitHub-Delivery: 0199c1de-0000-7000-8000-00000000dead\r\nX-Hub-Signature-256: sha256={forged}\r\n\
         X-Slack-Request-Timestamp: {now}\r\nX-Slack-Signature: v0={forged}\r\n\r\n",
        number % 256
    )
}

/// Sends all of a forged request but its last byte, waits for the others, and sends that. Tells the status.
async fn forge(address: String, number: usize, others: Arc<Barrier>) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let body = vec![b'x'; BODY_BYTES - 1];
    connection.write_all(head(number).as_bytes()).await.unwrap();
    // One that is refused at once may be closed already.
    let _ = connection.write_all(&body).await;
    others.wait().await;
    let _ = connection.write_all(b"x").await;
    let mut status = [0; 12];
    match connection.read_exact(&mut status).await {
        Ok(_) => String::from_utf8_lossy(&status[9..]).into_owned(),
        Err(_) => "closed".to_owned(),
    }
}

/// Forges so many at the same time, and counts their statuses.
async fn forge_all(process: &Process, count: usize) -> BTreeMap<String, usize> {
    let others = Arc::new(Barrier::new(count));
    let mut under_way = JoinSet::new();
    for number in 0..count {
        under_way.spawn(forge(process.address.clone(), number, others.clone()));
    }
    let statuses = tokio::time::timeout(2 * LIMIT, under_way.join_all()).await.expect("all are answered");
    let mut counts = BTreeMap::new();
    statuses.into_iter().for_each(|status| *counts.entry(status).or_insert(0) += 1);
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_bodies_cost_no_more_memory_than_their_budget() {
    let slack = Slack::start(Options::default()).await;
    let mut deployment = Deployment::new(Database::sqlite(), &slack.base());
    deployment.set("TIELINE_PUBLIC_URL", "http://127.0.0.1").set_all(slack.github_settings());
    let process = deployment.serve("all").await;
    // What an answer touches for the first time is there before anything is measured.
    forge_all(&process, 8).await;
    let before = process.peak_memory();
    for round in 0..3 {
        let counts = forge_all(&process, CONNECTIONS).await;
        eprintln!("forged bodies, round {round}: {counts:?}, {} KiB more", (process.peak_memory() - before) / 1024);
        // Whoever is refused and goes on sending may be cut off.
        assert!(counts.keys().all(|status| ["401", "413", "503", "closed"].contains(&status.as_str())), "{counts:?}");
    }
    let grown = process.peak_memory() - before;
    let most = BUDGET_BYTES + CONNECTIONS as u64 * CONNECTION_BYTES;
    assert!(grown <= most, "{} KiB, where {} KiB are allowed", grown / 1024, most / 1024);
    assert_eq!(process.anon().get("/readyz").await.status, 200);
}
