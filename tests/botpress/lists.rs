//! Lists: order, filters, search and pages.

use std::{collections::BTreeSet, time::Instant};

use serde_json::{Value, json};

use super::{ALL, create, plain, refused};
use crate::support::{Client, Database, TestApp};

async fn names_of(caller: &Client, query: &str) -> Vec<String> {
    let listed = caller.get(&format!("{ALL}?{query}")).await.ok(200);
    let name = |one: &Value| format!("{} {}", one["name"].as_str().unwrap(), one["version"].as_str().unwrap());
    listed["integrations"].as_array().unwrap().iter().map(name).collect()
}

/// Reads every page to the end.
async fn all(caller: &Client, query: &str) -> Vec<String> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let next = if token.is_empty() { String::new() } else { format!("&nextToken={token}") };
        let page = caller.get(&format!("{ALL}?{query}{next}")).await.ok(200);
        found.extend(page["integrations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["meta"]["nextToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => return found,
        }
    }
}

both! {
    async fn lists_are_sorted_and_filtered(app) {
        let owner = &app.owner;
        for (name, version) in [("beta", "1.0.0"), ("alpha", "1.0.0"), ("beta", "1.1.0")] {
            create(owner, &plain(name, version)).await;
            app.advance(std::time::Duration::from_secs(1));
        }
        let first = owner.get(&format!("{ALL}/beta/1.0.0")).await.ok(200)["integration"]["id"].clone();
        crate::botpress::put(owner, &first, &json!({"title": "Changed"})).await.ok(200);
        assert_eq!(names_of(owner, "").await, ["beta 1.1.0", "alpha 1.0.0", "beta 1.0.0"]);
        assert_eq!(names_of(owner, "dev=false&direction=asc").await, ["beta 1.0.0", "alpha 1.0.0", "beta 1.1.0"]);
        assert_eq!(names_of(owner, "sortBy=name").await, ["alpha 1.0.0", "beta 1.0.0", "beta 1.1.0"]);
        assert_eq!(names_of(owner, "sortBy=updatedAt").await, ["beta 1.0.0", "beta 1.1.0", "alpha 1.0.0"]);
        assert_eq!(names_of(owner, "name=beta&version=1.0.0").await, ["beta 1.0.0"]);
        assert_eq!(names_of(owner, "version=latest").await, ["beta 1.1.0", "alpha 1.0.0"]);
        assert_eq!(names_of(owner, "visibility=private&limit=1").await, ["beta 1.1.0"]);
        for nothing in [
            "visibility=public", "name=bet", "version=9.9.9", "interfaceName=typing", "interfaceId=x", "dev=true",
            "installedByBotId=b", "verificationStatus=approved",
        ] {
            assert_eq!(names_of(owner, nothing).await, [""; 0], "{nothing}");
        }
        for wrong in [
            "limit=0", "limit=many", "version=%5E1.0.0", "sortBy=age", "direction=up", "visibility=secret",
            "nextToken=nonsense", "dev=maybe", "search=%00", "name=%00",
        ] {
            refused(&owner.get(&format!("{ALL}?{wrong}")).await, 400, "InvalidQuery");
        }
        let page = owner.get(&format!("{ALL}?limit=1")).await.ok(200);
        let token = page["meta"]["nextToken"].as_str().unwrap();
        refused(&owner.get(&format!("{ALL}?limit=1&sortBy=name&nextToken={token}")).await, 400, "InvalidQuery");
    }

    async fn a_search_says_where_it_found(app) {
        let owner = &app.owner;
        create(owner, &crate::botpress::full("acme/teams", "1.0.0")).await;
        create(owner, &plain("a_b", "1.0.0")).await;
        create(owner, &plain("axb", "1.0.0")).await;
        let found = owner.get(&format!("{ALL}?search=%20MESSAGE%20")).await.ok(200);
        assert_eq!(found["integrations"].as_array().unwrap().len(), 1);
        let nowhere = json!({"name": false, "title": false, "description": false, "actions": ["sendMessage"], "interfaces": []});
        assert_eq!(found["integrations"][0]["matchedOn"], nowhere);
        assert_eq!(names_of(owner, "search=a_b").await, ["a_b 1.0.0"], "a wildcard of the database is a letter");
        assert_eq!(names_of(owner, "search=%25").await, [""; 0]);
        assert_eq!(names_of(owner, "search=%5C").await, [""; 0]);
        assert_eq!(names_of(owner, "search=%20").await.len(), 3, "nothing is looked for");
        let plain = owner.get(ALL).await.ok(200);
        assert!(plain["integrations"][0].get("matchedOn").is_none());
    }

    async fn pages_lose_nothing_and_repeat_nothing(app) {
        let owner = &app.owner;
        for number in 0..205 {
            create(owner, &plain(&format!("i{}", number % 41), &format!("1.{number}.0"))).await;
        }
        for query in ["", "limit=7", "limit=100&sortBy=name", "pageSize=50&sortBy=updatedAt", "sortBy=popularity&limit=1000"] {
            let found = all(owner, query).await;
            let distinct: BTreeSet<_> = found.iter().collect();
            assert_eq!((found.len(), distinct.len()), (205, 205), "{query}");
        }
        assert_eq!(names_of(owner, "limit=1000").await.len(), 100);
        assert_eq!(names_of(owner, "").await.len(), 20);
        let begun = Instant::now();
        names_of(owner, "limit=100").await;
        assert!(begun.elapsed().as_secs() < 5);
    }
}

/// Lists read none of the definitions, and a page is found by an index: with ten thousand versions, each with a
/// definition of some size, a page takes no longer than with a few.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_versions_are_no_burden() {
    let app = TestApp::start(Database::sqlite()).await;
    let owner = &app.owner;
    let text = "x".repeat(20_000);
    let schema = json!({"schema": {"type": "object", "properties": {"a": {"description": text}}}});
    let first = create(owner, &json!({"name": "first", "version": "1.0.0", "configuration": schema})).await;
    let id = tieline::domain::registry::public_id("intver", first["id"].as_str().unwrap()).unwrap();
    let hex = id.simple().to_string();
    let db = app.app.base.store().writer();
    let copy = |table: &str, columns: &str| {
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)";
        let fresh = format!("substr(unhex('{hex}'), 1, 12) || unhex(printf('%08x', n.i))");
        let values = columns
            .replace("{id}", &fresh)
            .replace("{name}", "'many' || (n.i / 200)")
            .replace("{version}", "'1.' || n.i || '.0'");
        format!("INSERT INTO {table} {numbers} SELECT {values} FROM {table} AS t, n")
    };
    let names = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT 'many' || n.i, organisation_id, \
                 was_published, installs, n.i, created_at, NULL, NULL FROM registry_name AS t, n";
    for sql in [
        format!("INSERT INTO registry_name {names}"),
        copy(
            "integration",
            "{id}, t.organisation_id, t.kind, {name}, {version}, t.active, t.definition, t.created_at, t.updated_at",
        ),
        copy(
            "registry_version",
            "{id}, t.organisation_id, {name}, {version}, t.dev, n.i % 200 = 0, t.latest_published, t.visibility, t.verification, \
             t.lifecycle, t.title, t.description, t.url, t.terms, t.search, NULL, t.code_sha256, t.secret_names, t.secrets, \
             t.signing_secret, NULL, NULL, t.created_at, t.updated_at, t.kind",
        ),
    ] {
        sea_orm::ConnectionTrait::execute_unprepared(db, &sql).await.unwrap();
    }
    for query in
        ["", "limit=100", "sortBy=name&limit=100", "sortBy=popularity", "version=latest", "search=first", "name=many7"]
    {
        names_of(owner, query).await;
        let begun = Instant::now();
        assert!(!names_of(owner, query).await.is_empty(), "{query}");
        let took = begun.elapsed();
        assert!(took.as_millis() < 1000, "{query} took {took:?}");
    }
}
