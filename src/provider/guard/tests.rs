//! Tests of the guard against upstreams that must not be reached.

mod servers;

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Mutex,
};

use futures_util::future::BoxFuture;

use super::*;
use crate::provider::test_server::{Answer as Says, TestServer};

/// Long enough on a busy machine.
const LONG_TIMEOUT: Duration = Duration::from_secs(10);
const LIMITS: Limits = Limits { connect: LONG_TIMEOUT, total: LONG_TIMEOUT, max_answer_bytes: 64 * 1024 };
const LOOPBACK: &str = "127.0.0.0/8";

/// A name server with one answer after the other; the last is repeated. It records its queries.
#[derive(Default)]
struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let addresses = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(addresses).collect()), ..Self::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Names {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(name);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no such name")) })
    }
}

/// The default policy, but with `http` and the upstream's port: only the address is left to be refused.
fn policy(server: &TestServer, allow: &[&str]) -> EgressPolicy {
    EgressPolicy {
        allow: allow.iter().map(|network| network.parse().unwrap()).collect(),
        ports: vec![443, port(server)],
        https_only: false,
        own_hosts: vec![],
    }
}

fn guard(policy: EgressPolicy, names: &Arc<Names>) -> Guard {
    Guard::new(policy, names.clone(), LIMITS).unwrap()
}

fn port(server: &TestServer) -> u16 {
    server.url("/").port().unwrap()
}

/// Starts an upstream at every address of this machine, IPv6 included where available.
fn everywhere() -> TestServer {
    let has_v6 = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    let any: IpAddr = if has_v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    TestServer::at(SocketAddr::new(any, 0), vec![Says::json(200, "{}")])
}

/// Starts two upstreams with the same port, at 127.0.0.1 and at 127.0.0.2.
fn neighbours(first: Says, second: Says) -> (TestServer, TestServer) {
    let first = TestServer::answering(vec![first]);
    let second = TestServer::at((Ipv4Addr::new(127, 0, 0, 2), port(&first)).into(), vec![second]);
    (first, second)
}

fn post(url: impl Into<String>) -> Outgoing {
    Outgoing { method: Method::POST, url: url.into(), headers: HeaderMap::new(), body: Bytes::from_static(b"{}") }
}

async fn send(guard: &Guard, url: impl Into<String>) -> Result<Answer, Failure> {
    guard.send(post(url), LONG_TIMEOUT, usize::MAX).await
}

fn refused(answer: Result<Answer, Failure>) -> Refusal {
    match answer {
        Err(Failure::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Known spellings of URLs that lead to loopback.
const LOOPBACK_SPELLINGS: &[&str] = &[
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.0.1.",
    "127.255.255.254",
    "0.0.0.0",
    "0",
    "１２７.０.０.１",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
];

#[tokio::test]
async fn no_spelling_of_loopback_is_connected_to() {
    let server = everywhere();
    let names = Names::new(&[&["127.0.0.1"]]);
    let guard = guard(policy(&server, &[]), &names);
    let port = port(&server);
    for host in LOOPBACK_SPELLINGS {
        let url = format!("http://{host}:{port}/");
        assert_eq!(guard.check(&url).unwrap_err(), Refusal::Address, "{url}");
        assert_eq!(refused(send(&guard, url).await), Refusal::Address, "{host}");
    }
    assert_eq!(server.connections(), 0);
    assert!(names.asked().is_empty());

    // Without the guard, all of them would have led there.
    let unguarded = http::client(&LIMITS).unwrap();
    let has_v6 = server.url("/").host_str() == Some("[::]");
    let spellings = LOOPBACK_SPELLINGS.iter().filter(|host| has_v6 || !host.contains(':'));
    let mut sent = 0;
    for host in spellings {
        unguarded.post(format!("http://{host}:{port}/")).send().await.unwrap_or_else(|error| panic!("{host}: {error}"));
        sent += 1;
    }
    assert_eq!((server.requests().len(), server.connections() > 0), (sent, true));
}

#[tokio::test]
async fn other_ways_inside_are_not_taken_either() {
    let server = everywhere();
    let names = Names::new(&[&["127.0.0.1"]]);
    let guard = guard(policy(&server, &[]), &names);
    let port = port(&server);
    for host in [
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
        "[::127.0.0.1]",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "[fe80::1]",
        "localhost",
        "a.localhost",
        "localhost.",
        "LOCALHOST",
        "user@ok@127.0.0.1",
        "ok.example@127.0.0.1",
        "ok.example\\@127.0.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "metadata.google.internal",
    ] {
        refused(send(&guard, format!("http://{host}:{port}/")).await);
    }
    refused(send(&guard, format!("http://127.0.0.1:{port}#@ok.example/")).await);
    refused(send(&guard, format!("http://{}.example:{port}/", "a".repeat(255))).await);
    for port in [22, 25, 6379] {
        assert_eq!(refused(send(&guard, format!("http://ok.example:{port}/")).await), Refusal::Port { port });
    }
    assert_eq!(server.connections(), 0);
    assert!(names.asked().is_empty(), "{:?}", names.asked());
}

#[tokio::test]
async fn names_that_lead_inside_are_not_connected_to() {
    let server = everywhere();
    let url = format!("http://hook.example:{}/", port(&server));
    for addresses in [
        &["127.0.0.1"][..],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["0.0.0.0"],
        &["169.254.169.254"],
        // Public by IPv4, inside by IPv6, and the other way round.
        &["93.184.215.14", "::1"],
        &["127.0.0.1", "2606:4700::1111"],
        &["93.184.215.14", "93.184.215.15", "127.0.0.1"],
    ] {
        let names = Names::new(&[addresses]);
        let guard = guard(policy(&server, &[]), &names);
        assert!(guard.check(&url).is_ok());
        assert_eq!(refused(send(&guard, &url).await), Refusal::LeadsInside, "{addresses:?}");
        assert_eq!(names.asked(), ["hook.example"]);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_not_followed_inside() {
    // 127.0.0.1 stands for the public address, as far as this guard is concerned.
    let goodbye = Says::with(200, "connection: close\r\n", "{}");
    let (public, private) = neighbours(goodbye.clone(), goodbye);
    let names = Names::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let guard = guard(policy(&public, &["127.0.0.1/32"]), &names);
    let url = format!("http://hook.example:{}/", port(&public));
    assert!(guard.check(&url).is_ok());
    assert_eq!(send(&guard, &url).await.unwrap().status, 200);
    for _ in 0..3 {
        assert_eq!(refused(send(&guard, &url).await), Refusal::LeadsInside);
    }
    assert_eq!((public.connections(), private.connections()), (1, 0));
    assert_eq!(names.asked().len(), 4, "each new connection asks, and nobody asks twice for one");
}

#[tokio::test]
async fn a_kept_connection_leads_where_it_led_when_it_was_checked() {
    let (public, private) = neighbours(Says::json(200, "{}"), Says::json(200, "{}"));
    let names = Names::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let guard = guard(policy(&public, &["127.0.0.1/32"]), &names);
    let url = format!("http://hook.example:{}/", port(&public));
    for _ in 0..5 {
        assert_eq!(send(&guard, &url).await.unwrap().status, 200);
    }
    assert_eq!((public.connections(), private.connections(), names.asked().len()), (1, 0, 1));
}

#[tokio::test]
async fn an_answer_from_an_address_that_was_never_checked_is_dropped() {
    /// Resolver without any check.
    struct Unchecked;

    impl reqwest::dns::Resolve for Unchecked {
        fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            Box::pin(async move { Ok(Box::new(std::iter::once(address)) as reqwest::dns::Addrs) })
        }
    }

    let server = TestServer::answering(vec![Says::json(200, "{}")]);
    let mut guard = guard(policy(&server, &[]), &Names::new(&[]));
    let inner = Arc::get_mut(&mut guard.inner).unwrap();
    inner.anywhere.client = http::guarded_client(&LIMITS, Arc::new(Unchecked)).unwrap();
    let url = format!("http://hook.example:{}/", port(&server));
    assert_eq!(refused(send(&guard, url).await), Refusal::LeadsInside);
    assert_eq!(server.connections(), 1, "this is the second wall");
}

#[tokio::test]
async fn what_the_operator_allows_is_called() {
    let server = everywhere();
    let port = port(&server);
    // As strict as possible, except for the network.
    let strict = EgressPolicy { allow: vec![LOOPBACK.parse().unwrap()], ..EgressPolicy::default() };
    let names = Names::new(&[&["127.0.0.1"]]);
    let guard = guard(strict, &names);
    for (count, host) in ["127.0.0.1", "127.1", "2130706433", "hook.example", "localhost"].iter().enumerate() {
        let url = format!("http://{host}:{port}/hook?a=b");
        assert!(guard.check(&url).is_ok());
        assert_eq!(send(&guard, url).await.unwrap().status, 200, "{host}");
        assert_eq!(server.requests().len(), count + 1);
    }
    assert_eq!(names.asked(), ["hook.example", "localhost"]);
    assert_eq!(refused(send(&guard, format!("http://[::1]:{port}/")).await), Refusal::Address);
    assert_eq!(refused(send(&guard, format!("http://0.0.0.0:{port}/")).await), Refusal::Address);
}

#[tokio::test]
async fn what_is_allowed_only_inside_is_refused_outside_with_its_own_reason() {
    let allow = vec![LOOPBACK.parse().unwrap()];
    for (addresses, url, refusal) in [
        (&["93.184.215.14"][..], "http://hook.example/", Refusal::Scheme),
        (&["93.184.215.14"], "https://hook.example:6379/", Refusal::Port { port: 6379 }),
        (&["93.184.215.14"], "https://hook.internal/", Refusal::PrivateName),
        (&["127.0.0.1", "93.184.215.14"], "http://hook.example/", Refusal::Scheme),
        (&["10.0.0.1"], "https://hook.example/", Refusal::LeadsInside),
    ] {
        let names = Names::new(&[addresses]);
        let guard = guard(EgressPolicy { allow: allow.clone(), ..EgressPolicy::default() }, &names);
        assert!(guard.check(url).is_ok(), "{url}");
        assert_eq!(refused(send(&guard, url).await), refusal, "{url}");
    }
}

#[tokio::test]
async fn names_that_lead_back_to_ourselves_are_refused_before_anything_is_sent() {
    let server = TestServer::answering(vec![Says::json(200, "{}")]);
    let other = TestServer::answering(vec![Says::json(200, "{}")]);
    for own in [format!("127.0.0.1:{}", port(&server)), format!("0.0.0.0:{}", port(&server))] {
        let names = Names::new(&[&["127.0.0.1"]]);
        let guard = guard(EgressPolicy { own_hosts: vec![own], ..policy(&server, &[LOOPBACK]) }, &names);
        let url = format!("http://hook.example:{}/", port(&server));
        assert_eq!(refused(send(&guard, url).await), Refusal::Ourselves);
        assert_eq!(send(&guard, format!("http://hook.example:{}/", port(&other))).await.unwrap().status, 200);
    }
    assert_eq!((server.connections(), other.connections()), (0, 2));
}

#[tokio::test]
async fn the_system_is_asked_and_answers_are_checked() {
    let server = everywhere();
    let system = |allow: &[&str]| Guard::new(policy(&server, allow), Arc::new(SystemResolver), LIMITS).unwrap();
    let url = format!("http://localhost:{}/", port(&server));
    assert_eq!(refused(send(&system(&[]), &url).await), Refusal::PrivateName);
    assert_eq!(refused(send(&system(&["10.0.0.0/8"]), &url).await), Refusal::PrivateName);
    assert_eq!(server.connections(), 0);
    assert_eq!(send(&system(&[LOOPBACK, "::1/128"]), &url).await.unwrap().status, 200);
}

#[test]
fn a_refusal_says_what_to_do_and_not_where_a_name_leads() {
    let refusals = [
        Refusal::NotAUrl,
        Refusal::TooLong,
        Refusal::Scheme,
        Refusal::Userinfo,
        Refusal::Fragment,
        Refusal::BadName,
        Refusal::PrivateName,
        Refusal::Port { port: 22 },
        Refusal::Address,
        Refusal::LeadsInside,
        Refusal::Ourselves,
    ];
    let rules: std::collections::BTreeSet<_> = refusals.iter().map(|refusal| refusal.rule()).collect();
    assert_eq!(rules.len(), refusals.len());
    assert_eq!(
        Refusal::Port { port: 22 }.into_error("/url").to_string(),
        "/url: has the port 22, which is not called; use 443"
    );
    assert!(Refusal::TooLong.to_string().contains(&MAX_URL_BYTES.to_string()));
    let Outcome::AddressRefused { reason } = Failure::Refused(Refusal::LeadsInside).into() else { panic!() };
    assert!(reason.starts_with("the URL has a host whose name leads to a private"), "{reason}");
}
