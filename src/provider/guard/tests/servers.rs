//! Tests of the guard against permitted upstreams that behave well and badly.

use std::time::Instant;

use reqwest::header::HeaderValue;

use super::*;

/// For upstreams that would never answer.
const SHORT_TIMEOUT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn redirects_are_answers() {
    let inside = TestServer::at((Ipv4Addr::new(127, 0, 0, 2), 0).into(), vec![Says::json(200, "{}")]);
    for to in ["http://169.254.169.254/latest/meta-data/".to_owned(), inside.url("/").into(), "/elsewhere".to_owned()] {
        let server = TestServer::answering(vec![Says::with(302, &format!("location: {to}\r\n"), "gone there")]);
        let guard = guard(policy(&server, &[LOOPBACK]), &Names::new(&[]));
        let answer = send(&guard, server.url("/")).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (302, b"gone there".as_slice()));
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_request_has_what_was_given_and_nothing_of_the_connection() {
    let server = TestServer::answering(vec![Says::json(200, "{}")]);
    let guard = guard(policy(&server, &[LOOPBACK]), &Names::new(&[]));
    let mut request = post(server.url("/hook?a=b"));
    for (name, value) in [
        ("authorization", "Bearer theirs"),
        ("x-mine", "1"),
        ("content-type", "application/json"),
        ("host", "admin.internal"),
        ("connection", "close, x-mine"),
        ("transfer-encoding", "chunked"),
        ("content-length", "7"),
        ("expect", "100-continue"),
        ("keep-alive", "1"),
    ] {
        request.headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static(value));
    }
    guard.send(request, LONG_TIMEOUT, 10).await.unwrap();
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.lines().map(str::to_owned).collect();
    lines.sort();
    let mut expected = vec![
        "POST /hook?a=b HTTP/1.1".to_owned(),
        "accept: */*".into(),
        "authorization: Bearer theirs".into(),
        "content-length: 2".into(),
        "content-type: application/json".into(),
        format!("host: 127.0.0.1:{}", port(&server)),
        concat!("user-agent: tieline/", env!("CARGO_PKG_VERSION")).into(),
        "x-mine: 1".into(),
    ];
    expected.sort();
    assert_eq!((lines, body), (expected, "{}"));
    assert!(may_be_set(&header::AUTHORIZATION) && !may_be_set(&header::HOST));
}

#[tokio::test]
async fn servers_that_do_not_answer_in_time_time_out() {
    for (says, status) in [(Says::Silence, None), (Says::HeadersOnly, Some(200))] {
        let server = TestServer::answering(vec![says]);
        let guard = guard(policy(&server, &[LOOPBACK]), &Names::new(&[]));
        let begun = Instant::now();
        let answer = guard.send(post(server.url("/")), SHORT_TIMEOUT, 1024).await;
        assert!(begun.elapsed() < LONG_TIMEOUT);
        match (answer, status) {
            (Err(Failure::Unreachable(Unreachable::Timeout)), None) => {}
            (Ok(answer), Some(status)) => {
                assert_eq!((answer.status, answer.incomplete), (status, Some(Unreachable::Timeout)));
            }
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_body_that_drips_is_left_too() {
    // One byte at a time, each long before any limit between two of them would end.
    let server = TestServer::answering(vec![Says::Drip]);
    let guard = guard(policy(&server, &[LOOPBACK]), &Names::new(&[]));
    let begun = Instant::now();
    let answer = guard.send(post(server.url("/")), SHORT_TIMEOUT, 1024).await.unwrap();
    assert_eq!(answer.incomplete, Some(Unreachable::Timeout));
    assert!(!answer.body.is_empty() && begun.elapsed() < LONG_TIMEOUT);
}

#[tokio::test]
async fn the_guards_limits_are_never_exceeded() {
    let server = TestServer::answering(vec![Says::json(200, &"x".repeat(100)), Says::Silence]);
    let limits = Limits { total: SHORT_TIMEOUT, max_answer_bytes: 10, ..LIMITS };
    let guard = Guard::new(policy(&server, &[LOOPBACK]), Names::new(&[]), limits).unwrap();
    assert_eq!(send(&guard, server.url("/")).await.unwrap().body.len(), 10);
    assert_eq!(send(&guard, server.url("/")).await, Err(Failure::Unreachable(Unreachable::Timeout)));
}

#[tokio::test]
async fn of_a_large_answer_only_the_beginning_is_read() {
    let large = "x".repeat(10 * 1024 * 1024);
    for says in [Says::json(200, &large), Says::Endless] {
        let server = TestServer::answering(vec![says]);
        let guard = guard(policy(&server, &[LOOPBACK]), &Names::new(&[]));
        let answer = guard.send(post(server.url("/")), LONG_TIMEOUT, 1024).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 1024));
        assert_eq!(answer.incomplete, Some(Unreachable::AnswerTooLarge));
        assert!(server.written() < 10 * 1024 * 1024);
    }
}

#[tokio::test]
async fn what_is_compressed_stays_so() {
    // 45 bytes of gzip that inflate to 10,000.
    let bomb = [
        &b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xf7\x4f\x6d"[..],
        b"\x0e\x37\xa0\x00\x00\x00\x00\x00\x00\x00\x00\x00\xe0\xdf\x00\x2e\xca\x3b\x4d\x10\x27\x00\x00",
    ]
    .concat();
    for encoding in ["gzip", "br", "zstd", "deflate", "gzip, gzip"] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n", bomb.len());
        let server = TestServer::answering(vec![Says::Bytes([head.as_bytes(), &bomb].concat())]);
        let guard = guard(policy(&server, &[LOOPBACK]), &Names::new(&[]));
        let answer = send(&guard, server.url("/")).await.unwrap();
        assert_eq!((answer.body, answer.incomplete), (bomb.clone(), None), "{encoding}");
        assert_eq!(answer.headers[header::CONTENT_ENCODING], encoding);
        assert!(!server.requests()[0].to_lowercase().contains("accept-encoding"));
    }
}

#[tokio::test]
async fn other_failures_are_distinguished() {
    let server = TestServer::answering(vec![Says::HangUp]);
    let open = guard(policy(&server, &[LOOPBACK]), &Names::new(&[]));
    assert_eq!(send(&open, server.url("/")).await, Err(Failure::Unreachable(Unreachable::Closed)));
    let nobody = Err(Failure::Unreachable(Unreachable::Connect));
    assert_eq!(send(&open, "http://127.0.0.1:1/").await, nobody);
    assert_eq!(send(&open, "https://no-such-name.example/").await, nobody);
    let empty = guard(policy(&server, &[LOOPBACK]), &Names::new(&[&[]]));
    assert_eq!(send(&empty, "https://no-address.example/").await, nobody);
    let half = TestServer::answering(vec![Says::Half]);
    assert_eq!(send(&open, half.url("/")).await.unwrap().incomplete, Some(Unreachable::Closed));
}

#[tokio::test]
async fn a_name_server_that_does_not_answer_is_not_waited_for() {
    struct Silent;

    impl Resolve for Silent {
        fn resolve(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            Box::pin(std::future::pending())
        }
    }

    let own = EgressPolicy { own_hosts: vec!["0.0.0.0:443".into()], ..EgressPolicy::default() };
    for policy in [EgressPolicy::default(), own] {
        let limits = Limits { connect: SHORT_TIMEOUT, ..LIMITS };
        let guard = Guard::new(policy, Arc::new(Silent), limits).unwrap();
        let begun = Instant::now();
        assert_eq!(send(&guard, "https://hook.example/").await, Err(Failure::Unreachable(Unreachable::Connect)));
        assert!(begun.elapsed() < LONG_TIMEOUT);
    }
}
