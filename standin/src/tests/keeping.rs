//! A world that outlives its process.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::support::World;
use crate::Options;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A folder of its own, which is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("standin-{}-{number}", std::process::id())))
    }

    async fn world(&self) -> World {
        World::with(Options { data_dir: Some(self.0.clone()), ..Options::default() }).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn tokens_channels_messages_and_installations_are_there_again() {
    let folder = Folder::new();
    let world = folder.world().await;
    let token = world.install().await;
    world.control("/slack/join", json!({"channel": "C0GENERAL"})).await;
    world.control("/slack/archive", json!({"channel": "C0TEAM001"})).await;
    let posted = world.post(&token, "C0GENERAL", "still here").await;
    assert_eq!(posted["ok"], true, "{posted}");
    let made = world.control("/github/installations", json!({"account": "acme", "webhook": false})).await;
    world.standin.shutdown().await;
    let files: Vec<_> = std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["standin.json"], "nothing half-written is left");

    let world = World { http: world.http, standin: folder.world().await.standin };
    let found = world.look("/slack/messages?channel=C0GENERAL").await;
    assert!(found.to_string().contains("still here"), "{found}");
    let more = world.post(&token, "C0GENERAL", "and more").await;
    assert_eq!(more["ok"], true, "{more}");
    assert!(more["ts"].as_str() > posted["ts"].as_str(), "{more}");
    assert_eq!(world.post(&token, "C0TEAM001", "gone").await["error"], "is_archived");
    let kept = world.look("/github/installations").await;
    assert!(kept.to_string().contains(&format!("\"id\":{}", made["id"])), "{kept}");
    let next = world.control("/github/installations", json!({"account": "globex", "webhook": false})).await;
    assert!(next["id"].as_u64() > made["id"].as_u64(), "an id is not given out twice");

    world.control("/slack/uninstall", json!({"team": "T0STANDIN"})).await;
    world.standin.shutdown().await;
    let world = World { http: world.http, standin: folder.world().await.standin };
    let refused = world.post(&token, "C0GENERAL", "no").await;
    assert_eq!(refused["ok"], false, "an uninstalled app stays so: {refused}");
}

#[tokio::test]
async fn a_damaged_world_is_not_overwritten() {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.0.join("standin.json"), "{").unwrap();
    let refused = crate::Standin::start(Options { data_dir: Some(folder.0.clone()), ..Options::default() }).await;
    assert!(refused.unwrap_err().to_string().contains("standin.json"));
    assert_eq!(std::fs::read_to_string(folder.0.join("standin.json")).unwrap(), "{");
}
