//! Tests of `scripts/run`, the demo: started twice, it goes on where it stopped. The stand-in's half of that is tested
//! with the stand-in.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::{Client, browser, terminate};

/// A folder with a program that is built already, and a `cargo` that has nothing left to do.
struct Demo {
    folder: PathBuf,
    address: String,
}

/// A demo that runs.
struct Running {
    process: Child,
    link: String,
    token: String,
}

impl Demo {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("tieline-demo-{}", std::process::id()));
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::create_dir_all(folder.join("target/debug")).unwrap();
        fs::write(folder.join("bin/cargo"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(folder.join("bin/cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink(env!("CARGO_BIN_EXE_tieline"), folder.join("target/debug/tieline")).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        Self { folder, address }
    }

    fn start(&self) -> Running {
        let path = format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/run");
        let mut command = Command::new(script);
        command.env("PATH", path).env("CARGO_TARGET_DIR", self.folder.join("target"));
        command.env("TIELINE_DATA_DIR", self.folder.join("data")).env("TIELINE_LISTEN", &self.address);
        command.env_remove("DATABASE_URL").env_remove("TIELINE_PUBLIC_URL");
        // With apps of its own it needs no stand-in, whose program is another package's.
        for (name, value) in
            [("SLACK__CLIENT_ID", "1.2"), ("SLACK__CLIENT_SECRET", "secret"), ("SLACK__SIGNING_SECRET", "secret")]
        {
            command.env(format!("TIELINE_{name}"), value);
        }
        command.env("TIELINE_GITHUB__APP_ID", "4242").env("TIELINE_GITHUB__PRIVATE_KEY", standin_key());
        for (name, value) in
            [("APP_SLUG", "tieline"), ("CLIENT_ID", "Iv1.x"), ("CLIENT_SECRET", "s"), ("WEBHOOK_SECRET", "s")]
        {
            command.env(format!("TIELINE_GITHUB__{name}"), value);
        }
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let shown: Vec<String> = lines.take_while(|line| !line.contains("Ctrl-C stops it")).collect();
        let field = |name: &str| {
            let line = shown.iter().find_map(|line| line.trim().strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name} is not shown: {shown:?}")).trim().to_owned()
        };
        let (link, token) = (field("Sign in"), field("Access token"));
        Running { process, link, token }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Running {
    fn stop(mut self) {
        terminate(&self.process);
        self.process.wait().unwrap();
    }
}

/// A key of a GitHub App.
fn standin_key() -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let standin = standin::Standin::start(standin::Options::default()).await.unwrap();
        standin.github_private_key_pem()
    })
}

/// Opens the link, and returns the session.
async fn opened(client: &Client, address: &str, link: &str) -> Value {
    let path = link.strip_prefix(&format!("http://{address}")).unwrap();
    let answer = client.get(path).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/portal/"), "{}", answer.text);
    let request = client.request(reqwest::Method::GET, "/v1/session").header("cookie", browser::cookie(&answer));
    client.send(request).await.ok(200)
}

#[test]
fn the_demo_signs_in_and_starts_again_with_the_same_token() {
    let demo = Demo::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Client::new(format!("http://{}", demo.address));
    let first = demo.start();
    let session = runtime.block_on(opened(&client, &demo.address, &first.link));
    assert_eq!((&session["organisation"]["slug"], &session["member"]["role"]), (&"demo".into(), &"owner".into()));
    let (link, token) = (first.link.clone(), first.token.clone());
    first.stop();

    let file = demo.folder.join("data/demo-token");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let second = demo.start();
    assert_eq!(second.token, token);
    assert_ne!(second.link, link);
    let tokens = runtime.block_on(async {
        opened(&client, &demo.address, &second.link).await;
        client.with_token(&token).get("/v1/tokens").await.ok(200)
    });
    assert_eq!(tokens["data"].as_array().unwrap().len(), 1, "no second one was made");
    second.stop();

    fs::write(&file, "tl_gone\n").unwrap();
    let third = demo.start();
    assert_ne!(third.token, "tl_gone", "one that is not good any more is replaced");
    runtime.block_on(opened(&client, &demo.address, &third.link));
    third.stop();
}
