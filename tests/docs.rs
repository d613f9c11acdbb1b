//! Runs the guides in `docs/guide/` as their readers would: every block of `sh`, in order, against the real binary
//! beside a stand-in. A command that fails fails the test. [`names`] checks the names in all
//! documents.

mod names;

use std::{path::Path, process::Stdio, time::Duration};

use standin::Options;
use tieline::domain::slack::reason;

use crate::support::{Database, Deployment, Slack};

/// Time limit, as for a reader who types fast.
const LIMIT: Duration = Duration::from_secs(60);

/// Joins the blocks of a language in a page.
fn blocks(page: &str, language: &str) -> String {
    let mut inside = false;
    let mut found = String::new();
    for line in page.lines() {
        match (inside, line.strip_prefix("```")) {
            (false, Some(opened)) => inside = opened == language,
            (true, Some(_)) => inside = false,
            (true, None) => found.extend([line, "\n"]),
            (false, None) => {}
        }
    }
    found
}

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Follows a page beside the processes of `make run`.
async fn follow(name: &str) {
    let slack = Slack::start(Options::default()).await;
    slack.unlimited().await;
    let mut deployment = Deployment::new(Database::sqlite(), &slack.base());
    deployment
        .set("TIELINE_EGRESS__ALLOW", "127.0.0.0/8,::1/128")
        .set("TIELINE_EMAIL__RECIPIENT_DOMAINS", "example.com")
        .set_all(slack.github_settings());
    let process = deployment.serve("all").await;
    let token = deployment.owner("demo").await;
    let environment =
        [("TIELINE", format!("http://{}", process.address)), ("STANDIN", slack.server().origin()), ("TOKEN", token)];
    type_in(name, &deployment.folder, &environment).await;
}

/// Runs every block of `sh` of a page.
async fn type_in(name: &str, folder: &Path, environment: &[(&str, String)]) {
    let text = blocks(&page(name), "sh");
    assert!(!text.is_empty(), "{name} has nothing to run");
    // Processes that the block has started end with it in any case.
    let text = format!("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{text}");
    let mut shell = tokio::process::Command::new("bash");
    shell
        .args(["-xeuo", "pipefail", "-c", &text])
        .current_dir(folder)
        .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, shell.output()).await.unwrap_or_else(|_| panic!("{name} takes too long"));
    let output = output.unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{name}: {}\n{}", said(&output.stdout), said(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quick_start_works_as_it_is_written() {
    follow("quick-start.md").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_portal_is_reached_as_it_is_written() {
    follow("portal.md").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_deliveries_work_as_they_are_written() {
    follow("events-and-deliveries.md").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_are_set_up_as_it_is_written() {
    follow("verifying-webhooks.md").await;
}

#[test]
fn the_receivers_that_are_shown_are_those_that_are_tested() {
    for (language, file) in
        [("ts", "typescript/receiver.ts"), ("python", "python/receiver.py"), ("rust", "rust/receiver.rs")]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks").join(file);
        let tested = std::fs::read_to_string(&path).unwrap();
        assert_eq!(blocks(&page("verifying-webhooks.md"), language), tested, "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_run_as_it_is_written() {
    let Some(database) = Database::empty_postgres().await else { return };
    let deployment = Deployment::bare();
    let binary = Path::new(env!("CARGO_BIN_EXE_tieline")).parent().unwrap().display().to_string();
    let mut environment =
        vec![("DATABASE_URL", database.url.clone()), ("PATH", format!("{binary}:{}", std::env::var("PATH").unwrap()))];
    for name in ["API_LISTEN", "SECOND_API_LISTEN", "WORKER_LISTEN"] {
        // No other process binds it: the kernel gives out other ports until it comes round.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        environment.push((name, free.to_string()));
    }
    type_in("operations.md", &deployment.folder, &environment).await;
}

#[test]
fn the_readme_shows_the_reason_that_is_given() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let reason = reason::TRIGGER_FILTER.text();
    assert!(readme.contains(&format!("\"reason\": \"{reason}\"")), "README.md has to show the reason {reason:?}");
}
