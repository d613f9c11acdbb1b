//! Tests of the script processes: one organisation's scripts cannot disturb those of others, and a process is confined,
//! killed, replaced and never left behind.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};

use super::{Hook, Manager, changed, channel, done, start};
use crate::support::{Answer, Client, Deployment, Integration, Process, Reply, TestApp, until};

const LIMIT: Duration = Duration::from_secs(60);
/// Compares two texts of half a gigabyte, built from few bytes: the engine does that in one step, and never checks the
/// time.
const ROPES: &str = "let a = 'a', b = 'a'; for (let i = 0; i < 29; i += 1) { a += a; b += b }
    for (let i = 0; i < 1000; i += 1) a === b; return { content: { text: 'never' } };";
const LOOP: &str = "for (;;) {}";
const ECHO: &str = "return { content: { text: request.content.text } };";

fn script(body: &str) -> Value {
    let text = format!("class Script {{ process_incoming_request({{ request }}) {{ {body} }} }}");
    json!({"scriptEnabled": true, "script": text})
}

/// Creates an organisation with a webhook that has this script; returns its path.
async fn hook_of(app: &TestApp, slug: &str, body: &str) -> String {
    let client = app.other(slug).await;
    channel(&client, "general", false).await;
    let manager = Manager::of(app, &client, "otto").await;
    let mut wanted = changed("webhook-incoming", script(body));
    wanted["username"] = "otto".into();
    let made = manager.call(reqwest::Method::POST, "integrations.create", &wanted).await;
    format!("/hooks/{}/{}", made["_id"].as_str().unwrap(), made["token"].as_str().unwrap())
}

fn one_at_a_time(time_ms: &str) -> Vec<(&'static str, String)> {
    vec![("TIELINE_SCRIPT__TIME_MS", time_ms.into()), ("TIELINE_SCRIPT__CONCURRENT", "1".into())]
}

fn flood(client: &Client, path: &str, times: usize) -> JoinSet<Answer> {
    let mut answers = JoinSet::new();
    for n in 0..times {
        let (client, path) = (client.clone(), path.to_owned());
        answers.spawn(async move { client.post(&path, &json!({"text": n})).await });
    }
    answers
}

/// Runs harmful scripts of one organisation, many at once, while another one's answer in time, and in the end its own
/// do.
async fn harm_is_kept_apart(harmful: &str, times: usize) {
    let app = start(vec![("TIELINE_SCRIPT__TIME_MS", "500".into())]).await;
    let hook = Hook::new(&app, script(harmful)).await;
    let other = hook_of(&app, "globex", ECHO).await;
    let mut harm = flood(&app.anon, &hook.path(), times);
    let mut well = 0;
    let mut reported = Vec::new();
    while !harm.is_empty() {
        done(&app.anon.post(&other, &json!({"text": "well"})).await);
        well += 1;
        while let Some(answer) = harm.try_join_next() {
            reported.push(answer.unwrap());
        }
    }
    assert!(well > 1, "others were served while it lasted");
    for answer in &reported {
        match answer.status.as_u16() {
            400 => assert!(answer.text.contains("ScriptTimeout"), "{}", answer.text),
            _ => busy(answer),
        }
    }
    hook.update(script(ECHO)).await;
    done(&hook.post(&json!({"text": "well again"})).await);
    assert_eq!(hook.texts().await, ["well again"]);
}

#[track_caller]
fn busy(answer: &Answer) {
    assert_eq!(answer.ok(503), json!({"success": false, "error": "Service Unavailable"}));
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_that_take_long_hold_up_nobody_else() {
    harm_is_kept_apart(ROPES, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_loops_hold_up_nobody_else() {
    harm_is_kept_apart(LOOP, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy_scripts_are_503_and_come_again() {
    let app = start(one_at_a_time("200")).await;
    let hook = Hook::new(&app, script(ROPES)).await;
    let answers = flood(&app.anon, &hook.path(), 6).join_all().await;
    let (refused, stopped): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 503);
    assert!(!refused.is_empty() && !stopped.is_empty(), "{answers:?}");
    refused.into_iter().for_each(busy);
    // Saving a script needs the engine too: a busy engine is not reported as a script that does not compile.
    hook.update(script(ECHO)).await;
    done(&hook.post(&json!({"text": "a"})).await);
}

/// Keeps the one slot for scripts occupied, until it is aborted.
fn hold_scripts(client: &Client, path: &str) -> JoinHandle<()> {
    let (client, path) = (client.clone(), path.to_owned());
    tokio::spawn(async move {
        for n in 0.. {
            client.post(&path, &json!({"text": format!("hold {n}")})).await;
        }
    })
}

/// A request that finds scripts busy is answered 503 and stored; with or without a retry by the sender, it is posted
/// once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_finds_scripts_busy_is_not_lost() {
    let app = start(one_at_a_time("100")).await;
    let hook = Hook::new(&app, script(ECHO)).await;
    let mut ropes = changed("webhook-incoming", script(ROPES));
    ropes["name"] = "Ropes".into();
    let ropes = hook.manager.call(reqwest::Method::POST, "integrations.create", &ropes).await;
    let ropes = format!("/hooks/{}/{}", ropes["_id"].as_str().unwrap(), ropes["token"].as_str().unwrap());
    let attacker = hold_scripts(&app.anon, &ropes);
    let (mut said, mut n) = (Vec::new(), 0);
    let lost = until("a request finds scripts busy", LIMIT, async || {
        n += 1;
        let text = format!("build {n}");
        let answer = hook.post(&json!({"text": text})).await;
        said.push(text.clone());
        (answer.status == 503).then(|| busy(&answer)).map(|()| text)
    })
    .await;
    done(&hook.post(&json!({"text": lost})).await);
    assert!(!hook.texts().await.contains(&lost), "it was kept, and is not posted yet");
    let events = app.owner.get("/v1/events?limit=250").await;
    assert!(events.text.contains("webhook.received") && !events.text.contains(hook.token()), "{}", events.text);
    attacker.abort();
    until("it is posted all the same", LIMIT, async || {
        app.advance(Duration::from_secs(1));
        app.drain().await;
        hook.texts().await.contains(&lost).then_some(())
    })
    .await;
    let mut texts = hook.texts().await;
    texts.reverse();
    assert_eq!(texts, said, "each once");
    done(&hook.post(&json!({"text": lost})).await);
    assert_eq!(hook.texts().await.len(), said.len() + 1, "the sender has retried, so the next one is another one");
}

/// A stored request that is later refused by the script or the webhook records the reason, and is not retried
/// endlessly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_request_may_be_refused_later() {
    let app = start(one_at_a_time("100")).await;
    let hook = Hook::new(&app, script(ROPES)).await;
    flood(&app.anon, &hook.path(), 4).join_all().await;
    hook.update(script("throw new Error('no such build');")).await;
    app.run_for(5).await;
    let failed = app.deliveries("state=failed").await;
    assert!(!failed.is_empty());
    for delivery in failed {
        assert!(delivery["reason"].as_str().unwrap().contains("no such build"), "{delivery}");
    }
    assert!(app.deliveries("state=pending").await.is_empty());
}

/// A delivery that finds the engine busy is neither failed nor counted as an attempt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outgoing_webhooks_wait_for_scripts() {
    let app = start(one_at_a_time("100")).await;
    let hook = Hook::new(&app, script(ROPES)).await;
    let far = Integration::start("output", json!([])).await;
    let prepare = "class Script { prepare_outgoing_request({ request }) { return request; } }";
    let with =
        json!({"event": "sendMessage", "urls": [far.base()], "token": "t", "scriptEnabled": true, "script": prepare});
    let made =
        hook.manager.call(reqwest::Method::POST, "integrations.create", &changed("webhook-outgoing", with)).await;
    let history = format!("/api/v1/integrations.history?id={}", made["_id"].as_str().unwrap());
    let runs = async || {
        let request = app.anon.request(reqwest::Method::GET, &history);
        let request = request.header("X-Auth-Token", &hook.manager.token).header("X-User-Id", &hook.manager.user_id);
        app.anon.send(request).await.ok(200)["history"].as_array().unwrap().len()
    };
    let attacker = hold_scripts(&app.anon, &hook.path());
    let mut said = 0;
    until("a delivery finds the engine busy", LIMIT, async || {
        let event = json!({"type": "message.posted", "channelId": hook.general, "data": {"message": "a"}});
        app.owner.post("/v1/events", &event).await.ok(202);
        said += 1;
        app.drain().await;
        (runs().await < said).then_some(())
    })
    .await;
    attacker.abort();
    until("it is delivered all the same", LIMIT, async || {
        app.advance(Duration::from_secs(1));
        app.drain().await;
        (runs().await == said).then_some(())
    })
    .await;
    assert_eq!(far.calls().len(), said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_ends_for_one_run_alone() {
    let app = start(vec![]).await;
    let bomb = "const all = []; for (;;) all.push(new Uint8Array(100000).fill(1));";
    let hook = Hook::new(&app, script(bomb)).await;
    let other = hook_of(&app, "globex", ECHO).await;
    for _ in 0..3 {
        let answer = hook.post(&json!({"text": "a"})).await;
        assert!(answer.ok(400)["error"].as_str().unwrap().contains("ScriptMemory"), "{}", answer.text);
        done(&app.anon.post(&other, &json!({"text": "well"})).await);
    }
}

/// The real binary with one webhook, and its path.
struct Served {
    _deployment: Deployment,
    process: Process,
    path: String,
}

impl Served {
    async fn start(body: &str) -> Self {
        let mut deployment = Deployment::bare();
        deployment.set("TIELINE_SCRIPT__TIME_MS", "20000").set("TIELINE_SERVER__SHUTDOWN_GRACE_SECS", "1");
        deployment.set("TIELINE_SCRIPT__FETCHES", "1").set("TIELINE_EGRESS__ALLOW", "127.0.0.0/8");
        let process = deployment.serve("all").await;
        let token = deployment.owner("acme").await;
        let client = process.client(&token);
        channel(&client, "general", false).await;
        let mut wanted = changed("webhook-incoming", script(body));
        wanted["username"] = "olga".into();
        let me = client.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
        let user_id = super::user_id(&client, &me, "olga").await;
        let request = process.anon().request(reqwest::Method::POST, "/api/v1/integrations.create");
        let request = request.header("X-Auth-Token", &token).header("X-User-Id", &user_id).json(&wanted);
        let made = process.anon().send(request).await.ok(200)["integration"].clone();
        let path = format!("/hooks/{}/{}", made["_id"].as_str().unwrap(), made["token"].as_str().unwrap());
        Self { _deployment: deployment, process, path }
    }

    /// The one script process.
    async fn worker(&self) -> u32 {
        until("there is a script process", LIMIT, async || match self.process.children()[..] {
            [one] => Some(one),
            _ => None,
        })
        .await
    }
}

fn kill(pid: u32) {
    assert!(Command::new("/bin/sh").args(["-c", &format!("kill -KILL {pid}")]).status().unwrap().success());
}

fn read(pid: u32, name: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap()
}

/// Processor time of a process.
fn busy_for(pid: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let spent = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap());
    Duration::from_nanos(spent.map(|text| text.split(' ').next().unwrap().parse::<u64>().unwrap()).sum())
}

async fn gone(pids: &[u32]) {
    for pid in pids {
        until("the script process is gone", LIMIT, async || {
            // One that has ended and was not reaped, because its new parent does not reap, is gone too.
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            (status.is_empty() || status.contains("State:\tZ")).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_is_confined() {
    let served = Served::start(ECHO).await;
    done(&served.process.anon().post(&served.path, &json!({"text": "a"})).await);
    let pid = served.worker().await;
    let (status, limits) = (read(pid, "status"), read(pid, "limits"));
    assert!(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "{status}");
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let mut columns = line[name.len()..].split_whitespace();
        let (soft, hard) = (columns.next().unwrap(), columns.next().unwrap());
        assert_eq!(soft, hard, "{line}");
        soft.to_owned()
    };
    assert_eq!(
        (limit("Max core file size"), limit("Max file size"), limit("Max open files")),
        ("0".into(), "0".into(), "8".into())
    );
    assert_eq!(limit("Max cpu time"), "100");
    let space: u64 = limit("Max address space").parse().unwrap();
    assert!(space < 2 << 30, "{space}");
    let environment = read(pid, "environ");
    assert!(!environment.contains("TIELINE") && !environment.contains("PATH"), "{environment}");
    // Descriptors that this test inherited from its parent go on to all children.
    for descriptor in std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        let to = std::fs::read_link(descriptor.unwrap().path()).unwrap().display().to_string();
        assert!(!to.starts_with("socket:") && !to.starts_with("anon_inode:") && !to.contains("tieline.db"), "{to}");
    }
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_str(), Some("/"));
}

/// A confined process tries to open a socket, and reports the result.
#[test]
fn a_process_cannot_open_a_socket() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tieline"));
    command.args(["script-worker", "--memory-bytes", "8388608", "--time-ms", "1000"]).env_clear();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut next = || {
        let mut head = [0; 4];
        output.read_exact(&mut head).unwrap();
        let mut body = vec![0; u32::from_be_bytes(head).try_into().unwrap()];
        output.read_exact(&mut body).unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    assert_eq!(next(), json!({"has_network": false}));
    let text = "class Script { process_incoming_request() { return new Date(0).getTimezoneOffset() } }";
    let job =
        json!({"text": text, "call": ["ProcessIncomingRequest", "null"], "store": "{}", "fetches": 0}).to_string();
    input.write_all(&u32::try_from(job.len()).unwrap().to_be_bytes()).unwrap();
    input.write_all(job.as_bytes()).unwrap();
    assert_eq!(next()["Done"]["result"], json!({"Ok": {"Json": "0"}}));
    drop(input);
    assert!(child.wait().unwrap().success(), "it ends when its input is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_is_kept_and_where_it_was_killed_replaced() {
    let served =
        Served::start("const end = Date.now() + Number(request.content.text); while (Date.now() < end); return;").await;
    let (anon, path) = (served.process.anon(), served.path.clone());
    done(&anon.post(&path, &json!({"text": "0"})).await);
    let first = served.worker().await;
    done(&anon.post(&path, &json!({"text": "0"})).await);
    assert_eq!(served.worker().await, first, "it is kept warm");
    kill(first);
    gone(&[first]).await;
    done(&anon.post(&path, &json!({"text": "0"})).await);
    let second = served.worker().await;
    assert_ne!(second, first);
    let before = busy_for(second);
    let running = tokio::spawn(async move { anon.post(&path, &json!({"text": "2000"})).await });
    until("it runs", LIMIT, async || (busy_for(second) > before + Duration::from_millis(300)).then_some(())).await;
    kill(second);
    done(&running.await.unwrap());
    assert_ne!(served.worker().await, second, "the run was made again by another one");
    assert!(served.process.output().contains("a script process ended in the midst of a run"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_made_a_request_is_not_repeated() {
    let upstream = Integration::start("output", json!([])).await;
    upstream.reply(Reply::Drip);
    let served = Served::start(&format!("HTTP('POST', '{}'); return;", upstream.base())).await;
    let (anon, path) = (served.process.anon(), served.path.clone());
    let running = tokio::spawn(async move { anon.post(&path, &json!({"text": "a"})).await });
    until("the request is made", LIMIT, async || (!upstream.calls().is_empty()).then_some(())).await;
    kill(served.worker().await);
    let answer = running.await.unwrap();
    let error = answer.ok(400)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("ended after the script had made a request"), "{error}");
    assert_eq!(upstream.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_process_outlives_its_parent() {
    for graceful in [true, false] {
        let mut served = Served::start(ROPES).await;
        let (anon, path) = (served.process.anon(), served.path.clone());
        let running = tokio::spawn(async move {
            let _ = anon.request(reqwest::Method::POST, &path).json(&json!({"text": "a"})).send().await;
        });
        let pids = [served.worker().await];
        if graceful {
            served.process.terminate();
            assert!(served.process.exited(LIMIT).await.0.success());
        } else {
            served.process.kill();
        }
        gone(&pids).await;
        running.await.unwrap();
    }
}
