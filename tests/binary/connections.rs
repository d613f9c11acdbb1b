//! Tests of clients that open connections and send or read little: deadlines, bounds, exhausted files, and HTTP
//! violations.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use std::time::Instant;

use super::*;

const HALF_A_HEAD: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ";
const WHOLE: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

fn deployment(settings: &[(&str, &str)]) -> Deployment {
    let mut deployment = Deployment::new(Database::sqlite(), "http://127.0.0.1:9/slack");
    for (name, value) in settings {
        deployment.set(&format!("TIELINE_SERVER__{name}"), *value);
    }
    deployment
}

/// Opens a connection and sends this text.
async fn sent(process: &Process, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&process.address).await.unwrap();
    // A refused connection may be closed already.
    let _ = stream.write_all(text.as_bytes()).await;
    stream
}

/// The same from another address of this machine.
async fn sent_from(from: &str, process: &Process, text: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(process.address.parse().unwrap()).await.unwrap();
    let _ = stream.write_all(text.as_bytes()).await;
    stream
}

/// Reads everything until the server closes the connection. A reset is an end, too.
async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let reading = async {
        let mut buffer = [0; 1 << 14];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            all.extend_from_slice(&buffer[..read]);
        }
    };
    tokio::time::timeout(LIMIT, reading).await.expect("the connection is closed");
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads the head of one response with a short body.
async fn head(stream: &mut TcpStream) -> String {
    let mut all = String::new();
    let mut buffer = [0; 1 << 14];
    while !all.contains("\r\n\r\n") {
        let read = tokio::time::timeout(LIMIT, stream.read(&mut buffer)).await.expect("an answer").unwrap();
        assert!(read > 0, "closed after {all:?}");
        all.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    all
}

/// Asserts that a line of the log appears at most once in ten seconds.
#[track_caller]
fn is_said_rarely(process: &Process, text: &str, begun: Instant) {
    let (output, most) = (process.output(), 1 + begun.elapsed().as_secs() as usize / 10);
    assert!((1..=most).contains(&output.matches(text).count()), "{output}");
}

async fn closed(client: &Client, reason: &str) -> usize {
    let metrics = client.get("/metrics").await.text;
    let name = format!("tieline_http_connections_closed_total{{reason=\"{reason}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_requests_end_at_the_deadline_while_others_are_served() {
    let process = deployment(&[("HEADER_TIMEOUT_SECS", "1")]).serve("all").await;
    let client = process.anon();
    let mut resting = sent(&process, WHOLE).await;
    assert!(head(&mut resting).await.starts_with("HTTP/1.1 200"));
    let mut halves = vec![sent(&process, "").await];
    for _ in 0..200 {
        halves.push(sent(&process, HALF_A_HEAD).await);
    }
    // The second request on a connection has the same deadline.
    let mut second = sent(&process, WHOLE).await;
    head(&mut second).await;
    second.write_all(HALF_A_HEAD.as_bytes()).await.unwrap();
    halves.push(second);
    // A byte now and then does not help.
    let mut drip = sent(&process, HALF_A_HEAD).await;
    let dripping = async {
        while drip.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert_eq!(client.get("/healthz").await.status, 200);
    tokio::time::timeout(LIMIT, dripping).await.expect("the connection is closed");
    for half in &mut halves {
        assert_eq!(rest(half).await, "");
        assert_eq!(client.get("/healthz").await.status, 200);
    }
    assert_eq!(closed(&client, "header_timeout").await, halves.len() + 1);
    resting.write_all(WHOLE.as_bytes()).await.unwrap();
    assert!(head(&mut resting).await.starts_with("HTTP/1.1 200"), "a connection that rests is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_half_requests_than_files_displace_each_other() {
    let mut deployment = deployment(&[]);
    deployment.limit("-n 160");
    let (mut process, begun) = (deployment.serve("all").await, Instant::now());
    assert!(process.output().contains("server.max_connections is lowered to 80"), "{}", process.output());
    let mut halves = Vec::new();
    for number in 0..600 {
        halves.push(sent(&process, HALF_A_HEAD).await);
        if number % 50 == 0 {
            assert_eq!(process.anon().get("/readyz").await.status, 200, "after {number}");
        }
    }
    assert_eq!(process.anon().get("/readyz").await.status, 200);
    is_said_rarely(&process, "too many connections", begun);
    assert!(closed(&process.anon(), "limit").await >= 520);
    drop(halves);
    assert_eq!(process.anon().get("/readyz").await.status, 200);
    process.terminate();
    assert!(process.exited(LIMIT).await.0.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_run_out_are_waited_for() {
    let mut deployment = deployment(&[]);
    let needed = deployment.serve("worker").await.open_files();
    // Half of these are for connections, and the other half is too little for the process itself.
    deployment.limit(&format!("-n {}", needed + 6));
    let (process, begun) = (deployment.serve("worker").await, Instant::now());
    let mut halves = Vec::new();
    until("no file is left", LIMIT, async || {
        halves.push(sent(&process, HALF_A_HEAD).await);
        process.output().contains("cannot accept connections").then_some(())
    })
    .await;
    assert!(process.output().contains("raise the limit of open files"), "{}", process.output());
    until("others are served", LIMIT, async || {
        let mut polite = sent(&process, WHOLE).await;
        let mut start = [0; 12];
        let read = tokio::time::timeout(Duration::from_secs(5), polite.read_exact(&mut start)).await;
        matches!(read, Ok(Ok(_)) if &start == b"HTTP/1.1 200").then_some(())
    })
    .await;
    drop(halves);
    assert_eq!(process.anon().get("/healthz").await.status, 200);
    is_said_rarely(&process, "cannot accept connections", begun);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_of_files_is_raised() {
    let mut deployment = deployment(&[]);
    deployment.limit("-S -n 100");
    let process = deployment.serve("api").await;
    assert!(process.file_limit() > 100);
}

/// A request with most of its body missing: it keeps its connection busy.
fn half_a_body(path: &str, token: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nX-Workspace-Id: acme\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_so_many_connections_and_another_its_own() {
    let settings = [("TRUSTED_PROXIES", ""), ("MAX_CONNECTIONS_PER_ADDRESS", "8")];
    let deployment = deployment(&settings);
    let token = deployment.owner("acme").await;
    let (process, begun) = (deployment.serve("all").await, Instant::now());
    let mut halves = Vec::new();
    for _ in 0..40 {
        halves.push(sent(&process, HALF_A_HEAD).await);
    }
    for half in &mut halves[..32] {
        assert_eq!(rest(half).await, "", "those that waited longest make room");
    }
    let mut busy = Vec::new();
    let mut ninth = String::new();
    until("all of them are busy", LIMIT, async || {
        busy.push(sent(&process, &half_a_body("/v1/events", &token)).await);
        ninth = rest(&mut sent(&process, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await).await;
        ninth.starts_with("HTTP/1.1 503").then_some(())
    })
    .await;
    assert!(ninth.contains("Retry-After: 1\r\n"), "{ninth}");
    let mut other = sent_from("127.0.0.2", &process, WHOLE).await;
    assert!(head(&mut other).await.starts_with("HTTP/1.1 200"));
    is_said_rarely(&process, "server.max_connections_per_address", begun);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_on_this_machine_has_more_connections_than_one_client() {
    let process = deployment(&[("MAX_CONNECTIONS_PER_ADDRESS", "2")]).serve("api").await;
    let mut connections = Vec::new();
    for _ in 0..20 {
        connections.push(sent(&process, HALF_A_HEAD).await);
    }
    for connection in &mut connections {
        connection.write_all(b"b\r\n\r\n").await.unwrap();
        assert!(head(connection).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_body_is_answered_with_408_in_the_dialects_body() {
    let deployment = deployment(&[("BODY_TIMEOUT_SECS", "1")]);
    let token = deployment.owner("acme").await;
    let process = deployment.serve("all").await;
    for (path, says) in [
        ("/v1/channels", "\"code\":\"body_timeout\""),
        ("/v1/slack-integrations/oauth/complete", "\"codeType\":\"DEADLINE_EXCEEDED\""),
        ("/api/v2/integration/github/link", "\"reason\":\"BODY_TIMEOUT\""),
        ("/organisations/acme/integrations", "\"status_code\":408"),
        ("/api/v1/integrations.create", "\"success\":false"),
        ("/v1/admin/integrations/iaks", "\"type\":\"InvalidPayload\""),
    ] {
        let answer = rest(&mut sent(&process, &half_a_body(path, &token)).await).await;
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{path}: {answer}");
        assert!(answer.contains("connection: close\r\n") && answer.contains(says), "{path}: {answer}");
    }
    // A steady trickle of bytes does not extend the deadline.
    let mut drip = sent(&process, &half_a_body("/v1/events", &token)).await;
    let dripping = async {
        while drip.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LIMIT, dripping).await.expect("the connection is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_read_ends_the_connection() {
    let process = deployment(&[("WRITE_TIMEOUT_SECS", "1")]).serve("api").await;
    let mut deaf = sent(&process, "").await;
    // More answers than any socket holds.
    let request = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50);
    deaf.write_all(request.as_bytes()).await.unwrap();
    let client = process.anon();
    until("it is cut off", LIMIT, async || (closed(&client, "write_timeout").await == 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_http_forbids_is_refused() {
    let process = deployment(&[]).serve("api").await;
    for hosts in ["", "Host: a\r\nHost: b\r\n", "Host: a\r\nHost: a\r\n", "Host: a/b\r\n"] {
        let answer = head(&mut sent(&process, &format!("GET /v1/channels HTTP/1.1\r\n{hosts}\r\n")).await).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{hosts:?}: {answer}");
        assert!(answer.contains("application/problem+json"), "{hosts:?}: {answer}");
    }
    let old = rest(&mut sent(&process, "GET /healthz HTTP/1.0\r\n\r\n").await).await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
    for headers in [format!("X-Long: {}\r\n", "x".repeat(40_000)), "X-Many: 1\r\n".repeat(101)] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let answer = rest(&mut sent(&process, &request).await).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    // Where both lengths are present the chunks count, and nothing behind them is parsed as a request.
    for lengths in
        ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4"]
    {
        let request = format!("POST /v1/nothing HTTP/1.1\r\nHost: x\r\n{lengths}\r\n\r\n0\r\n\r\n{WHOLE}");
        let answer = rest(&mut sent(&process, &request).await).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }
    // HTTP/2 is refused.
    let answer = rest(&mut sent(&process, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await).await;
    assert!(!answer.contains("\0\0"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_checks_and_metrics_have_an_address_of_their_own() {
    let mut deployment = deployment(&[]);
    deployment.set("TIELINE_ADMIN_LISTEN", "127.0.0.1:0");
    let mut process = deployment.serve("all").await;
    let output = process.output();
    let admin =
        output.lines().find_map(|line| line.strip_prefix("tieline serves health checks and metrics on ")).unwrap();
    let admin = Client::new(format!("http://{admin}"));
    let main = Client::new(format!("http://{}", process.address));
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(admin.get(path).await.status, 200, "{path}");
        main.get(path).await.problem(404, "route_not_found");
    }
    assert_eq!(admin.get("/v1/channels").await.status, 404);
    assert_eq!(process.anon().get("/v1/channels").await.status, 401);
    process.terminate();
    assert!(process.exited(LIMIT).await.0.success());

    // A worker listens only there.
    deployment.unset("TIELINE_LISTEN");
    let worker = deployment.serve("worker").await;
    assert!(!worker.address.ends_with(":8080"));
    assert!(worker.anon().get("/metrics").await.text.contains("tieline_http_connections 1"));
}
