//! Tests of the Botpress dialect with its published clients: the JavaScript client, the command line, and the SDK with
//! which an integration is written and served, unchanged, against a running server. `tests/clients/botpress/` has them and their driver. They need Node, so
//! `make clients-test` runs this and `make test` does not.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::support::{Database, TestApp};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/botpress");
/// Time limit on a busy machine: the command line builds before it deploys, and starts twelve times.
const LIMIT: Duration = Duration::from_secs(400);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Node: `make clients-test`"]
async fn the_published_clients_work_unchanged() {
    for needed in ["@botpress/client", "@botpress/cli", "botpress-sdk"] {
        let there = Path::new(FOLDER).join("node_modules").join(needed).exists();
        assert!(there, "{needed} is missing: `make clients-test` gets it, by npm");
    }
    let app = TestApp::start(Database::sqlite()).await;
    app.other("globex").await;
    let token =
        async |slug: &str| app.caller(slug, "otto", tieline::domain::tenancy::member::Role::Owner).await.token();
    let mut driver = Command::new("node");
    driver.arg("drive.mjs").current_dir(FOLDER).kill_on_drop(true);
    driver.env("TIELINE_URL", app.anon.url("")).env("TIELINE_WORKSPACE", app.organisation("acme").await.to_string());
    driver.env("TIELINE_TOKEN", token("acme").await).env("TIELINE_OTHER_TOKEN", token("globex").await);
    driver.stdin(Stdio::null());
    let output = tokio::time::timeout(LIMIT, driver.output()).await.expect("the clients are done in time");
    let output = output.expect("node is missing: install Node.js 20 or newer");
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success() && out.contains("the command line: done"), "{out}\n{err}");
}
