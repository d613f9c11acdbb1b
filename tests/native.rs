//! Tests of the native dialect from a client's point of view.

use std::{collections::HashSet, time::Duration};

use chrono::DateTime;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::support::{Answer, Client, TestApp, step};

/// An unknown id.
const NOBODY: &str = "0199c1de-0000-7000-8000-00000000dead";

/// Path of a caller's organisation.
async fn home(caller: &Client) -> String {
    let found = caller.get("/v1/organisations").await.ok(200);
    format!("/v1/organisations/{}", text(&found["data"][0]["id"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Asserts the moment, written in UTC.
#[track_caller]
fn demand_time(value: &Value, expected: &str) {
    let [found, expected] = [text(value), expected].map(|text| DateTime::parse_from_rfc3339(text).unwrap());
    assert_eq!((found, found.offset().local_minus_utc()), (expected, 0));
}

/// Returns a field of every item of a list.
fn each(list: &Value, field: &str) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|item| text(&item[field]).to_owned()).collect()
}

/// Names of a member's or a token's permissions, in order.
fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(text).collect()
}

/// Follows a list to its end and returns a field of all its items, page by page.
async fn pages(caller: &Client, path: &str, limit: u32, field: &str) -> Vec<Vec<String>> {
    let mut parts = Vec::new();
    let mut cursor = String::new();
    loop {
        let part = caller.get(&format!("{path}?limit={limit}{cursor}")).await.ok(200);
        parts.push(each(&part, field));
        match part.get("nextCursor") {
            Some(next) => cursor = format!("&cursor={}", text(next)),
            None => return parts,
        }
    }
}

async fn demand_paging_rules(caller: &Client, path: &str) {
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=251", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
    ] {
        let answer = caller.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.status, 400, "{path}?{query}: {}", answer.text);
        assert_eq!(answer.json()["errors"][0]["pointer"], name, "{path}?{query}: {}", answer.text);
    }
    for limit in [1, 250] {
        caller.get(&format!("{path}?limit={limit}")).await.ok(200);
    }
}

/// Asserts that another organisation's thing is reported like one that does not exist: the bodies differ in the id
/// alone.
fn demand_reported_alike(anothers: &Answer, unknown: &Answer, (id, unknown_id): (&str, &str)) {
    assert_eq!(anothers.problem(404, "not_found").to_string().replace(id, unknown_id), unknown.json().to_string());
}

/// Adds a member through the API and returns their path.
async fn add(caller: &Client, home: &str, username: &str, role: &str) -> String {
    let member = caller.post(&format!("{home}/members"), &json!({"username": username, "role": role})).await.ok(201);
    format!("{home}/members/{}", text(&member["userId"]))
}

/// Creates a token and returns a caller with it.
async fn token(caller: &Client, scopes: &[&str]) -> Client {
    let created = caller.post("/v1/tokens", &json!({"name": "narrow", "scopes": scopes})).await.ok(201);
    caller.with_token(text(&created["secret"]))
}

/// Path of the member of this name, in the caller's organisation.
async fn place_of(caller: &Client, username: &str) -> String {
    let home = home(caller).await;
    let members = caller.get(&format!("{home}/members?limit=250")).await.ok(200);
    let found = members["data"].as_array().unwrap().iter().find(|member| member["username"] == username).unwrap();
    format!("{home}/members/{}", text(&found["userId"]))
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

both! {
    async fn an_organisation_is_created_renamed_and_read(app) {
        let answer =
            app.owner.post("/v1/organisations", &json!({"slug": "initech", "name": " Initech "})).await.ok(201);
        assert_eq!((&answer["slug"], &answer["name"]), (&json!("initech"), &json!("Initech")));
        demand_time(&answer["createdAt"], "2026-11-18T11:06:40Z");
        let nameless = app.owner.post("/v1/organisations", &json!({"slug": "hooli"})).await.ok(201);
        assert_eq!(nameless["name"], "hooli", "its handle until it has a name");

        let home = home(&app.owner).await;
        let before = app.owner.get(&home).await.ok(200);
        let after = app.owner.patch(&home, &json!({"name": "Acme Ltd"})).await.ok(200);
        assert_eq!(
            (&after["name"], &after["id"], &after["slug"]),
            (&json!("Acme Ltd"), &before["id"], &before["slug"])
        );
        assert_eq!(app.owner.get(&home).await.ok(200), after);
        let list = app.owner.get("/v1/organisations").await.ok(200);
        assert_eq!(each(&list, "slug"), ["acme"], "a token lists its own organisation alone");
        assert!(list.get("nextCursor").is_none());
    }

    async fn a_slug_is_taken_once_and_a_bad_one_never(app) {
        let create = async |body: Value| app.owner.post("/v1/organisations", &body).await;
        create(json!({"slug": "acme"})).await.problem(409, "conflict");
        for slug in ["", "-a", "a-", "Acme", "a_b", "a b", "é", "a/b", &"a".repeat(64)] {
            let problem = create(json!({"slug": slug})).await.problem(400, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/slug", "{slug:?}: {problem}");
        }
        for name in ["", "  ", "a\nb", "a\u{0}b", &"n".repeat(101)] {
            let problem = create(json!({"slug": "fine", "name": name})).await.problem(400, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/name", "{name:?}: {problem}");
        }
        create(json!({"slug": "fine"})).await.ok(201);
    }

    async fn an_organisation_of_others_is_not_found(app) {
        let globex = app.other("globex").await;
        let theirs = home(&globex).await;
        let unknown = format!("/v1/organisations/{NOBODY}");
        let ids = (last(&theirs), NOBODY);
        for below in ["", "/members", &format!("/members/{NOBODY}")] {
            let ask = async |home: &str| app.owner.get(&format!("{home}{below}")).await;
            demand_reported_alike(&ask(&theirs).await, &ask(&unknown).await, ids);
        }
        let rename = async |home: &str| app.owner.patch(home, &json!({"name": "Mine"})).await;
        demand_reported_alike(&rename(&theirs).await, &rename(&unknown).await, ids);
        assert_eq!(globex.get(&theirs).await.ok(200)["name"], "globex");
    }

    async fn members_are_added_and_read(app) {
        let home = home(&app.owner).await;
        let body = json!({"username": "ada", "email": "ada@example.org", "subject": "idp|ada", "role": "admin"});
        let ada = app.owner.post(&format!("{home}/members"), &body).await.ok(201);
        for field in ["username", "email", "subject", "role"] {
            assert_eq!(ada[field], body[field]);
        }
        assert_eq!(words(&ada["permissions"]).len(), Role::Admin.implies().len());
        let place = format!("{home}/members/{}", text(&ada["userId"]));
        assert_eq!(app.owner.get(&place).await.ok(200), ada);
        let bob = app.owner.post(&format!("{home}/members"), &json!({"username": "bob"})).await.ok(201);
        assert_eq!(bob["role"], "member", "the default");
        assert!(bob.get("email").is_none() && bob.get("subject").is_none(), "{bob}");

        for (body, status, code) in [
            (json!({"username": "ada"}), 409, "conflict"),
            (json!({"username": "eve", "subject": "idp|ada"}), 409, "conflict"),
            (json!({"username": "eve", "userId": ada["userId"]}), 409, "conflict"),
            (json!({"username": ""}), 400, "invalid"),
            (json!({"username": "a b"}), 400, "invalid"),
            (json!({"username": "eve", "email": "nowhere"}), 400, "invalid"),
            (json!({"username": "eve", "role": "root"}), 400, "invalid"),
            (json!({"username": "eve", "subject": "a\u{0}b"}), 400, "invalid"),
            (json!({"username": "eve", "subject": "s".repeat(256)}), 400, "invalid"),
        ] {
            app.owner.post(&format!("{home}/members"), &body).await.problem(status, code);
        }
        let unknown = app.owner.get(&format!("{home}/members/{NOBODY}")).await;
        unknown.problem(404, "not_found");
    }

    async fn members_come_in_pages(app) {
        let home = home(&app.owner).await;
        let path = format!("{home}/members");
        for name in ["a", "b", "c", "d", "e"] {
            add(&app.owner, &home, name, "member").await;
        }
        assert_eq!(pages(&app.owner, &path, 2, "username").await, [["e", "d"], ["c", "b"], ["a", "olga"]]);
        assert_eq!(pages(&app.owner, &path, 4, "username").await.concat(), ["e", "d", "c", "b", "a", "olga"]);
        let first = app.owner.get(&format!("{path}?limit=2")).await.ok(200);
        add(&app.owner, &home, "f", "member").await;
        let second = format!("{path}?limit=2&cursor={}", text(&first["nextCursor"]));
        assert_eq!(each(&app.owner.get(&second).await.ok(200), "username"), ["c", "b"], "a boundary never moves");
        demand_paging_rules(&app.owner, &path).await;
    }

    async fn a_member_is_changed_piece_by_piece(app) {
        let bob = app.caller("acme", "bob", Role::Member).await;
        let place = place_of(&app.owner, "bob").await;
        bob.get("/v1/channels").await.ok(200);
        let set = json!({"permissions": ["events:write", "deliveries:read"]});
        let changed = app.owner.patch(&place, &set).await.ok(200);
        assert_eq!(
            (words(&changed["permissions"]), &changed["role"]),
            (vec!["events:write", "deliveries:read"], &json!("member"))
        );
        let refused = bob.get("/v1/channels").await.problem(403, "forbidden");
        assert!(text(&refused["detail"]).contains("channels:read"), "{refused}");
        bob.get("/v1/deliveries").await.ok(200);

        let promoted = app.owner.patch(&place, &json!({"role": "admin"})).await.ok(200);
        assert_eq!(words(&promoted["permissions"]).len(), Role::Admin.implies().len(), "a new role brings its own");
        bob.post("/v1/channels", &json!({"name": "bobs"})).await.ok(201);
        let both = json!({"role": "member", "permissions": []});
        let demoted = app.owner.patch(&place, &both).await.ok(200);
        assert_eq!((words(&demoted["permissions"]).len(), &demoted["role"]), (0, &json!("member")));

        let mail = app.owner.patch(&place, &json!({"email": "bob@example.org", "subject": "idp|bob"})).await.ok(200);
        assert_eq!((&mail["email"], &mail["subject"]), (&json!("bob@example.org"), &json!("idp|bob")));
        let same = app.owner.patch(&place, &json!({})).await.ok(200);
        assert_eq!(same, mail, "absent members stay");
        let none = app.owner.patch(&place, &json!({"email": "", "subject": ""})).await.ok(200);
        assert!(none.get("email").is_none() && none.get("subject").is_none(), "{none}");
        let nul = app.owner.patch(&place, &json!({"subject": "a\u{0}b"})).await.problem(400, "invalid");
        assert_eq!(nul["errors"][0]["pointer"], "/subject");
        app.owner
            .patch(&format!("{}/members/{NOBODY}", home(&app.owner).await), &json!({}))
            .await
            .problem(404, "not_found");
    }

    async fn nobody_hands_on_what_they_do_not_hold(app) {
        let home = home(&app.owner).await;
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let olga = place_of(&app.owner, "olga").await;
        let bob = add(&admin, &home, "bob", "member").await;
        let refused = admin.post(&format!("{home}/members"), &json!({"username": "eve", "role": "owner"})).await;
        refused.problem(403, "forbidden");
        for (place, change) in [
            (&bob, json!({"role": "owner"})),
            (&bob, json!({"permissions": ["organisation:manage"]})),
            (&olga, json!({"role": "member"})),
            (&olga, json!({"email": "a@b"})),
            (&place_of(&app.owner, "ada").await, json!({"role": "owner"})),
        ] {
            admin.patch(place, &change).await.problem(403, "forbidden");
        }
        admin.delete(&olga).await.problem(403, "forbidden");
        let narrow = token(&admin, &["members:manage", "members:read"]).await;
        narrow.patch(&bob, &json!({"role": "admin"})).await.problem(403, "forbidden");
        narrow.post(&format!("{home}/members"), &json!({"username": "eve"})).await.problem(403, "forbidden");
        assert_eq!(admin.get(&bob).await.ok(200)["role"], "member", "nothing was changed");
        admin.patch(&bob, &json!({"role": "admin"})).await.ok(200);
    }

    async fn the_last_owner_stays(app) {
        let olga = place_of(&app.owner, "olga").await;
        let refused = app.owner.delete(&olga).await.problem(409, "failed_precondition");
        assert!(text(&refused["detail"]).contains("last owner"), "{refused}");
        app.owner.patch(&olga, &json!({"role": "admin"})).await.problem(409, "failed_precondition");
        app.owner.patch(&olga, &json!({"permissions": []})).await.problem(409, "failed_precondition");
        app.owner.patch(&olga, &json!({"role": "owner"})).await.ok(200);
        let second = app.caller("acme", "omar", Role::Owner).await;
        app.owner.patch(&olga, &json!({"role": "member"})).await.ok(200);
        second.delete(&olga).await.ok(204);
        second.delete(&place_of(&second, "omar").await).await.problem(409, "failed_precondition");
    }

    async fn of_two_owners_who_go_at_once_one_stays(app) {
        for round in 0..5 {
            let username = format!("omar-{round}");
            let omar = app.caller("acme", &username, Role::Owner).await;
            let [olga, omars] = [place_of(&app.owner, "olga").await, place_of(&app.owner, &username).await];
            let demote = json!({"role": "member"});
            tokio::join!(app.owner.patch(&omars, &demote), omar.patch(&olga, &demote));
            let is_owner = async |place: &str| app.owner.get(place).await.ok(200)["role"] == "owner";
            let (olga_is, omar_is) = (is_owner(&olga).await, is_owner(&omars).await);
            assert!(olga_is || omar_is, "nobody is an owner any more");
            if !olga_is {
                omar.patch(&olga, &json!({"role": "owner"})).await.ok(200);
            }
            if omar_is {
                app.owner.patch(&omars, &demote).await.ok(200);
            }
        }
    }

    async fn a_member_who_is_removed_is_out_at_once(app) {
        let bob = app.caller("acme", "bob", Role::Member).await;
        let place = place_of(&app.owner, "bob").await;
        let channel = app.owner.post("/v1/channels", &json!({"name": "secret", "private": true})).await.ok(201);
        let channel = format!("/v1/channels/{}", text(&channel["id"]));
        app.owner.put(&format!("{channel}/members/{}", last(&place))).await.ok(204);
        bob.get(&channel).await.ok(200);
        app.owner.delete(&place).await.ok(204);
        bob.get(&channel).await.problem(401, "token_invalid");
        app.owner.delete(&place).await.problem(404, "not_found");
        app.owner.get(&place).await.problem(404, "not_found");

        let again = json!({"username": "bob", "userId": last(&place)});
        app.owner.post(&format!("{}/members", home(&app.owner).await), &again).await.ok(201);
        let bob = app.caller("acme", "bob", Role::Member).await;
        bob.get(&channel).await.problem(404, "not_found");
    }

    async fn a_tokens_text_is_shown_once(app) {
        let body = json!({"name": "backend", "scopes": ["events:write"]});
        let created = app.owner.post("/v1/tokens", &body).await.ok(201);
        let (secret, id) = (text(&created["secret"]), text(&created["token"]["id"]));
        assert_eq!(
            (&created["token"]["name"], words(&created["token"]["scopes"])),
            (&json!("backend"), vec!["events:write"])
        );
        assert!(created["token"].get("lastUsedAt").is_none(), "{created}");
        let backend = app.anon.with_token(secret);
        backend.post("/v1/events", &json!({"type": "a.b"})).await.ok(202);
        backend.get("/v1/channels").await.problem(403, "forbidden");

        let answer = app.owner.get("/v1/tokens").await;
        let list = answer.ok(200);
        assert_eq!(each(&list, "name"), ["backend", "test"], "newest first");
        assert_eq!(list["data"][0]["id"], id);
        demand_time(&list["data"][0]["lastUsedAt"], "2026-11-18T11:06:40Z");
        assert!(!answer.text.contains(secret) && !answer.text.contains(&secret[25..60]), "{}", answer.text);
        demand_paging_rules(&app.owner, "/v1/tokens").await;
        for (body, pointer) in [
            (json!({"name": ""}), "/name"),
            (json!({"name": "x", "scopes": ["fly"]}), "/scopes/0"),
            (json!({"name": "x", "expiresAt": "2026-11-18T11:06:40Z"}), "/expiresAt"),
            (json!({"name": "x", "expiresAt": "tomorrow"}), "/expiresAt"),
        ] {
            let problem = app.owner.post("/v1/tokens", &body).await.problem(400, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
    }

    async fn a_token_is_never_wider_than_its_maker(app) {
        let bob = app.caller("acme", "bob", Role::Member).await;
        let wide = json!({"name": "wide", "scopes": ["channels:manage"]});
        bob.post("/v1/tokens", &wide).await.problem(403, "forbidden");
        let narrow = token(&app.owner, &["tokens:manage", "channels:read"]).await;
        narrow.post("/v1/tokens", &wide).await.problem(403, "forbidden");
        let child = narrow.post("/v1/tokens", &json!({"name": "child"})).await.ok(201);
        assert_eq!(words(&child["token"]["scopes"]), ["tokens:manage", "channels:read"], "no scopes: no wider");
        let child = narrow.with_token(text(&child["secret"]));
        child.post("/v1/channels", &json!({"name": "x"})).await.problem(403, "forbidden");
        let full = app.owner.post("/v1/tokens", &json!({"name": "full"})).await.ok(201);
        assert_eq!(words(&full["token"]["scopes"]).len(), 0, "everything that the member may, now and later");
        token(&app.owner, &["channels:read"]).await.post("/v1/tokens", &wide).await.problem(403, "forbidden");
    }

    async fn a_token_ends_when_it_said(app) {
        let body = json!({"name": "brief", "expiresAt": "2026-11-18T12:06:40+01:00"});
        app.owner.post("/v1/tokens", &body).await.problem(400, "invalid");
        let body = json!({"name": "brief", "expiresAt": "2026-11-18T12:07:40+01:00"});
        let brief = app.owner.post("/v1/tokens", &body).await.ok(201);
        demand_time(&brief["token"]["expiresAt"], "2026-11-18T11:07:40Z");
        let brief = app.anon.with_token(text(&brief["secret"]));
        brief.get("/v1/channels").await.ok(200);
        app.advance(Duration::from_millis(59_999));
        brief.get("/v1/channels").await.ok(200);
        app.advance(Duration::from_millis(1));
        brief.get("/v1/channels").await.problem(401, "token_expired");
    }

    async fn a_revoked_token_stops_at_once(app) {
        let created = app.owner.post("/v1/tokens", &json!({"name": "lost"})).await.ok(201);
        let (lost, place) =
            (app.anon.with_token(text(&created["secret"])), format!("/v1/tokens/{}", text(&created["token"]["id"])));
        lost.get("/v1/channels").await.ok(200);
        app.owner.delete(&place).await.ok(204);
        lost.get("/v1/channels").await.problem(401, "token_revoked");
        app.owner.delete(&place).await.ok(204);
        let list = app.owner.get("/v1/tokens").await.ok(200);
        demand_time(&list["data"][0]["revokedAt"], "2026-11-18T11:06:40Z");
        app.owner.delete(&format!("/v1/tokens/{NOBODY}")).await.problem(404, "not_found");
    }

    async fn tokens_of_others_are_not_found(app) {
        let bob = app.caller("acme", "bob", Role::Member).await;
        let created = app.owner.post("/v1/tokens", &json!({"name": "olgas"})).await.ok(201);
        let place = format!("/v1/tokens/{}", text(&created["token"]["id"]));
        bob.delete(&place).await.problem(404, "not_found");
        assert_eq!(each(&bob.get("/v1/tokens").await.ok(200), "name"), ["test"]);
        app.other("globex").await.delete(&place).await.problem(404, "not_found");
        let olgas = app.anon.with_token(text(&created["secret"]));
        olgas.get("/v1/tokens").await.ok(200);
        app.caller("acme", "omar", Role::Owner).await.delete(&place).await.ok(204);
        olgas.get("/v1/tokens").await.problem(401, "token_revoked");
    }

    async fn a_channel_has_a_name_of_its_own(app) {
        let create = async |name: &str| app.owner.post("/v1/channels", &json!({"name": name})).await;
        let alerts = create("#alerts").await.ok(201);
        assert_eq!((&alerts["name"], &alerts["private"]), (&json!("alerts"), &json!(false)));
        create("alerts").await.problem(409, "conflict");
        let other = create("störungen-2").await.ok(201);
        for name in ["", "#", "Alerts", "a b", "a/b", "<x>", "a\u{0}", &"n".repeat(81)] {
            let problem = create(name).await.problem(400, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/name", "{name:?}: {problem}");
        }
        let place = format!("/v1/channels/{}", text(&other["id"]));
        app.owner.patch(&place, &json!({"name": "alerts"})).await.problem(409, "conflict");
        app.owner.patch(&place, &json!({"name": "A"})).await.problem(400, "invalid");
        let renamed = app.owner.patch(&place, &json!({"name": "#incidents"})).await.ok(200);
        assert_eq!((&renamed["name"], &renamed["private"]), (&json!("incidents"), &json!(false)));
        let hidden = app.owner.patch(&place, &json!({"private": true})).await.ok(200);
        assert_eq!((&hidden["name"], &hidden["private"]), (&json!("incidents"), &json!(true)), "absent members stay");
        assert_eq!(app.owner.get(&place).await.ok(200), hidden);
        let globex = app.other("globex").await;
        globex.post("/v1/channels", &json!({"name": "alerts"})).await.ok(201);
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let ask = async |id: &str| {
                globex.send(globex.request(method.clone(), &format!("/v1/channels/{id}")).json(&json!({}))).await
            };
            demand_reported_alike(&ask(last(&place)).await, &ask(NOBODY).await, (last(&place), NOBODY));
        }
    }

    async fn a_private_channel_exists_for_those_who_are_in_it(app) {
        let bob = app.caller("acme", "bob", Role::Member).await;
        let eve = app.caller("acme", "eve", Role::Member).await;
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let created = app.owner.post("/v1/channels", &json!({"name": "secret", "private": true})).await.ok(201);
        app.owner.post("/v1/channels", &json!({"name": "open"})).await.ok(201);
        let place = format!("/v1/channels/{}", text(&created["id"]));
        let event = json!({"type": "a.b", "channelId": created["id"]});
        let sent = app.owner.post("/v1/events", &event).await.ok(202);
        let sent = format!("/v1/events/{}", text(&sent["id"]));
        let bobs = format!("{place}/members/{}", last(&place_of(&app.owner, "bob").await));
        app.owner.put(&bobs).await.ok(204);
        for (who, sees) in [(&bob, true), (&eve, false), (&admin, true)] {
            for path in [place.clone(), format!("{place}/messages"), format!("{place}/members"), sent.clone()] {
                assert_eq!(who.get(&path).await.status == 200, sees, "{path}");
            }
            let names = each(&who.get("/v1/channels").await.ok(200), "name");
            assert_eq!(names == ["open", "secret"], sees, "{names:?}");
            assert_eq!(who.post("/v1/events", &event).await.status == 202, sees);
        }
        eve.get(&place).await.problem(404, "not_found");
        eve.post("/v1/events", &event).await.problem(404, "not_found");
        app.owner.delete(&bobs).await.ok(204);
        bob.get(&place).await.problem(404, "not_found");
        app.owner.patch(&place, &json!({"private": false})).await.ok(200);
        eve.get(&place).await.ok(200);
    }

    async fn being_in_a_channel_is_set_and_taken_back(app) {
        let created = app.owner.post("/v1/channels", &json!({"name": "alerts"})).await.ok(201);
        let members = format!("/v1/channels/{}/members", text(&created["id"]));
        let (olga, home) = (place_of(&app.owner, "olga").await, home(&app.owner).await);
        let list = async || each(&app.owner.get(&members).await.ok(200), "userId");
        assert_eq!(list().await, [last(&olga)], "its creator is a member");
        let bob = add(&app.owner, &home, "bob", "member").await;
        let bobs = format!("{members}/{}", last(&bob));
        for _ in 0..2 {
            app.owner.put(&bobs).await.ok(204);
            assert_eq!(list().await, [last(&bob), last(&olga)]);
        }
        assert_eq!(pages(&app.owner, &members, 1, "userId").await, [[last(&bob)], [last(&olga)]]);
        app.owner.delete(&bobs).await.ok(204);
        app.owner.delete(&bobs).await.problem(404, "not_found");
        assert_eq!(list().await, [last(&olga)]);
        app.owner.put(&format!("{members}/{NOBODY}")).await.problem(404, "not_found");
        let globex = app.other("globex").await;
        let outsider = globex.get(&format!("{}/members", self::home(&globex).await)).await.ok(200);
        let outsider = format!("{members}/{}", text(&outsider["data"][0]["userId"]));
        app.owner.put(&outsider).await.problem(404, "not_found");
        demand_paging_rules(&app.owner, &members).await;
    }

    async fn a_channel_lists_what_flowed_through_it(app) {
        let channel = app.owner.post("/v1/channels", &json!({"name": "alerts"})).await.ok(201);
        let place = format!("/v1/channels/{}", text(&channel["id"]));
        app.owner.post("/v1/events", &json!({"type": "elsewhere"})).await.ok(202);
        for number in 0..5 {
            let event = json!({"type": format!("number.{number}"), "channelId": channel["id"]});
            app.owner.post("/v1/events", &event).await.ok(202);
        }
        let messages = format!("{place}/messages");
        let parts = pages(&app.owner, &messages, 2, "type").await;
        assert_eq!(parts.concat(), ["number.4", "number.3", "number.2", "number.1", "number.0"], "newest first");
        assert_eq!(parts.len(), 3);
        demand_paging_rules(&app.owner, &messages).await;
        demand_paging_rules(&app.owner, "/v1/channels").await;
        assert_eq!(pages(&app.owner, "/v1/events", 4, "type").await.concat().len(), 6);

        let bob = app.caller("acme", "bob", Role::Member).await;
        let newest = app.owner.get(&format!("{messages}?limit=1")).await.ok(200);
        let event = format!("/v1/events/{}", text(&newest["data"][0]["id"]));
        bob.get(&event).await.ok(200);
        app.owner.delete(&place).await.ok(204);
        for path in [&place, &messages] {
            app.owner.get(path).await.problem(404, "not_found");
        }
        app.owner.delete(&place).await.problem(404, "not_found");
        assert_eq!(app.owner.get(&event).await.ok(200)["type"], "number.4", "its events stay");
        bob.get(&event).await.problem(404, "not_found");
        app.owner.post("/v1/channels", &json!({"name": "alerts"})).await.ok(201);
    }

    async fn health_is_shown_without_a_token(app) {
        for path in ["/healthz", "/readyz"] {
            assert_eq!(app.anon.get(path).await.ok(200), json!({"status": "ok"}));
        }
        app.owner.post("/v1/events", &json!({"type": "a.b"})).await.ok(202);
        app.anon.get("/v1/slack-integrations").await.ok(401);
        let metrics = app.anon.get("/metrics").await;
        assert_eq!(metrics.status, 200);
        assert!(metrics.header("content-type").starts_with("text/plain"), "{:?}", metrics.headers);
        for line in [
            r#"tieline_http_requests_total{dialect="native",method="POST",status="202"} 1"#,
            r#"tieline_http_requests_total{dialect="linkbreakers",method="GET",status="401"} 1"#,
            r#"tieline_events_total{outcome="accepted"} 1"#,
            "tieline_deliveries_waiting 0",
            "# TYPE tieline_http_request_seconds histogram",
            "# TYPE tieline_events_total counter",
            "tieline_database_up 1",
        ] {
            assert!(metrics.text.lines().any(|found| found == line), "{line} is not in {}", metrics.text);
        }
        let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2";
        let open = app.anon.send(app.anon.request(Method::GET, "/metrics").header("accept", accept)).await;
        assert!(open.header("content-type").starts_with("application/openmetrics-text"), "{:?}", open.headers);
        assert!(open.text.contains("# TYPE tieline_events counter") && open.text.ends_with("# EOF\n"), "{}", open.text);
    }

    async fn every_answer_names_its_request(app) {
        for (path, status) in
            [("/healthz", 200), ("/v1/channels", 200), ("/v1/nothing", 404), ("/v1/slack-integrations", 200)]
        {
            let ask =
                async |id: &str| app.owner.send(app.owner.request(Method::GET, path).header("X-Request-Id", id)).await;
            let answer = ask("trace-7.A_b").await;
            assert_eq!((answer.status.as_u16(), answer.header("x-request-id")), (status, "trace-7.A_b"), "{path}");
            for odd in ["", "a b", "<script>", &"x".repeat(65)] {
                let answer = ask(odd).await;
                let id = answer.header("x-request-id");
                assert!(id != odd && id.len() == 36, "{path}: {odd:?} became {id:?}");
            }
            let [one, other] = [app.owner.get(path).await, app.owner.get(path).await];
            assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
            assert_eq!(one.header("cache-control"), "no-store");
            assert_eq!(one.header("x-content-type-options"), "nosniff");
        }
    }
}

/// Sends an event with an Idempotency-Key.
async fn send(caller: &Client, key: &str, body: &Value) -> Answer {
    caller.send(caller.request(Method::POST, "/v1/events").header("Idempotency-Key", key).json(body)).await
}

fn id(answer: &Value) -> String {
    text(&answer["id"]).to_owned()
}

fn violations(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| text(&error["pointer"])).collect()
}

const CHANNEL: &str = "C0ALERTS";
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn connect(app: &TestApp) {
    app.slack.connect(&app.owner, "T0STANDIN", CHANNEL).await;
}

/// Sends a step that the link's filter skips.
async fn skipped(app: &TestApp) -> String {
    app.owner.patch("/v1/slack-integrations", &json!({"triggers": ["KIND_ENTRY"]})).await.ok(200);
    let event = app.step("kept back").await;
    app.owner.patch("/v1/slack-integrations", &json!({"triggers": []})).await.ok(200);
    event
}

both! {
    async fn an_event_is_accepted_and_read_back(app) {
        let channel = app.owner.post("/v1/channels", &json!({"name": "alerts"})).await.ok(201);
        let data =
            json!({"text": "Zoë \u{7f} \u{1F980}", "deep": {"list": [1, 2.5, -7, true, null, {}]}, "": "empty name"});
        let sent = json!({
            "type": "workflow.step.completed", "channelId": channel["id"], "data": data,
            "attributes": {"linkId": "link-1", "stepKind": "ENTRY", "stepAction": "QR_SCAN", "flight_2": "Zoë \u{1F980}"},
        });
        let answer = app.owner.post("/v1/events", &sent).await;
        let accepted = answer.ok(202);
        assert_eq!(answer.header("idempotent-replayed"), "");
        assert_eq!(accepted.as_object().unwrap().len(), 1, "{accepted}");
        let event = app.owner.get(&format!("/v1/events/{}", id(&accepted))).await.ok(200);
        let mut expected = sent.clone();
        expected["id"] = accepted["id"].clone();
        expected["attributes"]["stepKind"] = "KIND_ENTRY".into();
        expected["source"] = "api".into();
        expected["createdAt"] = event["createdAt"].clone();
        demand_time(&event["createdAt"], "2026-11-18T11:06:40Z");
        expected["decisions"] = json!([]);
        expected["explanation"] = event["explanation"].clone();
        assert!(event["explanation"].as_str().unwrap().contains("create a route"), "{event}");
        assert_eq!(event, expected);

        let least = app.owner.post("/v1/events", &json!({"type": "a", "attributes": {}})).await.ok(202);
        let least = app.owner.get(&format!("/v1/events/{}", id(&least))).await.ok(200);
        let fields: Vec<_> = least.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            ["id", "type", "source", "createdAt", "decisions", "explanation"],
            "absent values are left out"
        );
        for data in [json!("text"), json!(5), json!([]), json!(false), json!({})] {
            let sent = app.owner.post("/v1/events", &json!({"type": "a", "data": data})).await.ok(202);
            assert_eq!(app.owner.get(&format!("/v1/events/{}", id(&sent))).await.ok(200)["data"], data);
        }
        assert_eq!(each(&app.owner.get("/v1/events").await.ok(200), "id").len(), 7);
        demand_paging_rules(&app.owner, "/v1/events").await;
    }

    async fn an_event_is_refused_with_all_of_its_violations(app) {
        let refused = async |body: Value| app.owner.post("/v1/events", &body).await.problem(400, "invalid");
        let shape = refused(
            json!({"type": 5, "channelId": "x", "attributes": {"a": 1}, "stepKind": "KIND_ENTRY", "linkId": "l", "more": 1}),
        )
        .await;
        let mut reported = violations(&shape);
        reported.sort_unstable();
        assert_eq!(reported, ["/attributes/a", "/channelId", "/linkId", "/more", "/stepKind", "/type"], "{shape}");
        let long = "x".repeat(256);
        let wrong = json!({"linkId": "", "stepAction": long, "visitorId": "a\nb", "step-kind": "KIND_ENTRY"});
        let rules = refused(json!({"type": "a b", "attributes": wrong})).await;
        let at = |name: &str| format!("/attributes/{name}");
        let expected = ["/type".into(), at("linkId"), at("step-kind"), at("stepAction"), at("visitorId")];
        assert_eq!(violations(&rules), expected, "{rules}");
        let many: serde_json::Map<_, _> = (0..33).map(|number| (format!("a{number}"), json!("b"))).collect();
        for (body, pointer) in [
            (json!({}), "/type"),
            (json!({"type": ""}), "/type"),
            (json!({"type": "workflow.step.completed"}), "/attributes/stepKind"),
            (json!({"type": "workflow.step.completed", "attributes": {"stepKind": "entry"}}), "/attributes/stepKind"),
            (json!({"type": "a", "attributes": []}), "/attributes"),
            (json!({"type": "a", "attributes": many}), "/attributes"),
            (json!({"type": "a", "attributes": {"branch": null}}), "/attributes/branch"),
        ] {
            assert_eq!(violations(&refused(body.clone()).await), [pointer], "{body}");
        }
        assert_eq!(app.owner.get("/v1/events").await.ok(200)["data"], json!([]), "nothing was accepted");
    }

    async fn an_event_for_a_channel_of_others_is_not_taken(app) {
        let globex = app.other("globex").await;
        let theirs = globex.post("/v1/channels", &json!({"name": "alerts"})).await.ok(201);
        for channel in [text(&theirs["id"]), NOBODY] {
            let problem = app.owner.post("/v1/events", &json!({"type": "a", "channelId": channel})).await;
            problem.problem(404, "not_found");
        }
        let event = id(&globex.post("/v1/events", &json!({"type": "a"})).await.ok(202));
        let ask = async |id: &str| app.owner.get(&format!("/v1/events/{id}")).await;
        demand_reported_alike(&ask(&event).await, &ask(NOBODY).await, (&event, NOBODY));
    }

    async fn a_key_is_good_for_one_event(app) {
        connect(&app).await;
        let (body, other) = (step("once"), step("another"));
        let first = send(&app.owner, "\"order-17\"", &body).await;
        assert_eq!(first.header("idempotent-replayed"), "");
        let first = first.ok(202);
        for key in ["\"order-17\"", "order-17", " order-17 "] {
            let again = send(&app.owner, key, &body).await;
            assert_eq!(again.header("idempotent-replayed"), "true", "{key}");
            assert_eq!(again.ok(202), first, "{key}");
        }
        send(&app.owner, "order-17", &other).await.problem(422, "idempotency_key_reused");
        let bob = app.caller("acme", "bob", Role::Member).await;
        assert_eq!(send(&bob, "order-17", &body).await.ok(202), first, "the key is the organisation's");
        let globex = app.other("globex").await;
        let theirs = send(&globex, "order-17", &other).await;
        assert_eq!(theirs.header("idempotent-replayed"), "");
        assert_ne!(theirs.ok(202), first);
        assert_ne!(send(&app.owner, "order-18", &body).await.ok(202), first);
        assert_ne!(app.owner.post("/v1/events", &body).await.ok(202), first);
        assert_eq!(app.deliveries(&format!("eventId={}", id(&first))).await.len(), 1);

        for key in ["", "\"\"", "a\"b", "a\tb", "\u{e4}", &"k".repeat(256)] {
            let problem = send(&app.owner, key, &body).await.problem(400, "invalid");
            assert_eq!(violations(&problem), ["Idempotency-Key"], "{key:?}: {problem}");
        }
        let twice = app.owner.request(Method::POST, "/v1/events").header("Idempotency-Key", "a");
        let twice = app.owner.send(twice.header("Idempotency-Key", "b").json(&body)).await;
        assert_eq!(violations(&twice.problem(400, "invalid")), ["Idempotency-Key"]);
        send(&app.owner, &"k".repeat(255), &body).await.ok(202);
    }

    async fn a_request_that_was_refused_does_not_use_its_key_up(app) {
        send(&app.owner, "k", &json!({"type": "workflow.step.completed"})).await.problem(400, "invalid");
        send(&app.owner, "k", &json!({"type": "a", "channelId": NOBODY})).await.problem(404, "not_found");
        send(&app.owner, "k", &json!({"type": "a"})).await.ok(202);
    }

    async fn a_key_is_forgotten_after_a_day(app) {
        let first = send(&app.owner, "k", &json!({"type": "a"})).await.ok(202);
        app.advance(DAY - Duration::from_millis(1));
        assert_eq!(send(&app.owner, "k", &json!({"type": "a"})).await.ok(202), first);
        send(&app.owner, "k", &json!({"type": "b"})).await.problem(422, "idempotency_key_reused");
        app.advance(Duration::from_millis(1));
        let second = send(&app.owner, "k", &json!({"type": "b"})).await;
        assert_eq!(second.header("idempotent-replayed"), "");
        let second = second.ok(202);
        assert_ne!(second, first);
        assert_eq!(send(&app.owner, "k", &json!({"type": "b"})).await.ok(202), second);
    }

    async fn of_many_at_once_with_the_same_key_one_is_accepted(app) {
        connect(&app).await;
        let body = step("at once");
        let answers = join_all((0..50).map(|_| send(&app.owner, "storm", &body))).await;
        let ids: HashSet<String> = answers.iter().map(|answer| id(&answer.ok(202))).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        let fresh = answers.iter().filter(|answer| answer.header("idempotent-replayed").is_empty());
        assert_eq!(fresh.count(), 1, "one was the first");
        assert_eq!(each(&app.owner.get("/v1/events").await.ok(200), "id").len(), 1);
        assert_eq!(app.deliveries("").await.len(), 1);
        app.drain().await;
        assert_eq!(app.slack.messages(CHANNEL).await.len(), 1);
    }

    async fn deliveries_are_found_by_what_they_are(app) {
        connect(&app).await;
        let delivered = app.step("delivered").await;
        app.drain().await;
        app.slack.fault(json!({"method": "chat.postMessage", "error": "invalid_blocks", "times": 1})).await;
        let failed = app.step("failed").await;
        app.drain().await;
        let kept = skipped(&app).await;
        let pending = app.step("pending").await;
        for (state, event) in
            [("delivered", &delivered), ("failed", &failed), ("skipped", &kept), ("pending", &pending)]
        {
            for query in
                [format!("state={state}"), format!("eventId={event}"), format!("state={state}&eventId={event}")]
            {
                let found = app.deliveries(&query).await;
                let found: Vec<_> = found.iter().map(|one| (text(&one["state"]), text(&one["eventId"]))).collect();
                assert_eq!(found, [(state, event.as_str())], "{query}");
            }
        }
        assert!(app.deliveries(&format!("state=failed&eventId={delivered}")).await.is_empty());
        let destinations = app.owner.get("/v1/destinations").await.ok(200);
        assert_eq!(app.deliveries(&format!("destinationId={}", id(&destinations["data"][0]))).await.len(), 4);
        for query in ["destinationId", "eventId"] {
            assert!(app.deliveries(&format!("{query}={NOBODY}")).await.is_empty());
        }
        for (query, name) in [("state=lost", "state"), ("eventId=x", "eventId"), ("destinationId=x", "destinationId")] {
            let problem = app.owner.get(&format!("/v1/deliveries?{query}")).await.problem(400, "invalid_parameter");
            assert_eq!(violations(&problem), [name], "{problem}");
        }
        let newest_first = [pending, kept, failed, delivered];
        assert_eq!(pages(&app.owner, "/v1/deliveries", 3, "eventId").await.concat(), newest_first);
        demand_paging_rules(&app.owner, "/v1/deliveries").await;
    }

    async fn a_delivery_shows_every_attempt(app) {
        connect(&app).await;
        app.slack.fault(json!({"method": "chat.postMessage", "status": 503, "times": 1})).await;
        let event = app.step("Ada").await;
        app.drain().await;
        let waiting = app.delivery_of(&event).await;
        assert_eq!((&waiting["state"], &waiting["attemptCount"]), (&json!("pending"), &json!(1)));
        assert!(waiting["nextAttemptAt"].is_string() && waiting.get("completedAt").is_none(), "{waiting}");
        app.run_for(5).await;
        let delivery = app.delivery_of(&event).await;
        assert_eq!((&delivery["state"], &delivery["attemptCount"]), (&json!("delivered"), &json!(2)));
        assert!(delivery["completedAt"].is_string() && delivery.get("nextAttemptAt").is_none(), "{delivery}");
        assert!(delivery.get("reason").is_none(), "{delivery}");
        let tries = delivery["attempts"].as_array().unwrap();
        let reported = |field: &str| tries.iter().map(|one| one[field].clone()).collect::<Vec<_>>();
        assert_eq!(reported("number"), [1, 2]);
        assert_eq!(reported("outcome"), ["retried", "delivered"]);
        assert_eq!(reported("statusCode"), [503, 200]);
        assert_eq!(reported("address"), [CHANNEL, CHANNEL]);
        assert!(tries[0]["reason"].is_string() && tries[1].get("reason").is_none(), "{delivery}");
        for one in tries {
            assert!(text(&one["request"]).contains("Ada") && one["durationMs"].is_u64(), "{one}");
            assert!(!one.to_string().contains("xoxb-"), "a secret is shown: {one}");
        }
    }

    async fn what_is_finished_is_replayed_and_what_is_not_is_not(app) {
        connect(&app).await;
        let replay = async |event: &str| {
            let delivery = id(&app.delivery_of(event).await);
            app.owner.send(app.owner.request(Method::POST, &format!("/v1/deliveries/{delivery}/replay"))).await
        };
        let delivered = app.step("delivered").await;
        replay(&delivered).await.problem(409, "conflict");
        app.drain().await;
        app.slack.fault(json!({"method": "chat.postMessage", "error": "invalid_blocks", "times": 1})).await;
        let failed = app.step("failed").await;
        app.drain().await;
        for event in [&delivered, &failed, &skipped(&app).await] {
            let replayed = replay(event).await.ok(202);
            assert_eq!(replayed["state"], "pending");
            replay(event).await.problem(409, "conflict");
        }
        app.run_for(3).await;
        let all = app.deliveries("").await;
        let delivered_now = all.iter().filter(|one| one["state"] == "delivered").count();
        assert_eq!(delivered_now, 3, "{all:#?}");
        assert_eq!(app.slack.messages(CHANNEL).await.len(), 4, "the delivered one was sent twice");
        app.owner.post(&format!("/v1/deliveries/{NOBODY}/replay"), &json!({})).await.problem(404, "not_found");

        app.owner.delete("/v1/slack-integrations").await.ok(200);
        let refused = replay(&delivered).await.problem(409, "failed_precondition");
        assert!(text(&refused["detail"]).contains("connect Slack again"), "{refused}");
    }

    async fn a_destinations_failures_are_replayed_together(app) {
        connect(&app).await;
        let destination = app.owner.get("/v1/destinations").await.ok(200)["data"][0].clone();
        let body = json!({"destinationId": destination["id"]});
        assert_eq!(app.owner.post("/v1/deliveries/replay", &body).await.ok(202), json!({"count": 0}));
        app.slack.fault(json!({"method": "chat.postMessage", "error": "invalid_blocks", "times": 2})).await;
        for name in ["one", "two", "three"] {
            app.step(name).await;
        }
        app.drain().await;
        assert_eq!(app.owner.post("/v1/deliveries/replay", &body).await.ok(202), json!({"count": 2}));
        app.run_for(3).await;
        assert_eq!(app.deliveries("state=delivered").await.len(), 3);
        let unknown = json!({"destinationId": NOBODY});
        app.owner.post("/v1/deliveries/replay", &unknown).await.problem(404, "not_found");
    }

    async fn a_destination_shows_how_it_is(app) {
        connect(&app).await;
        let list = app.owner.get("/v1/destinations").await.ok(200);
        let place = format!("/v1/destinations/{}", id(&list["data"][0]));
        let fresh = app.owner.get(&place).await.ok(200);
        assert_eq!(fresh, list["data"][0]);
        let reported = |one: &Value| ["kind", "address", "health"].map(|field| text(&one[field]).to_owned());
        assert_eq!(reported(&fresh), ["slack", CHANNEL, "healthy"]);
        assert!(fresh.get("lastSentAt").is_none() && fresh.get("since").is_none(), "{fresh}");
        app.slack.order("archive", json!({"channel": CHANNEL})).await;
        app.step("lost").await;
        app.drain().await;
        let broken = app.owner.get(&place).await.ok(200);
        assert_eq!((&broken["health"], &broken["failureCount"]), (&json!("failing"), &json!(1)));
        assert!(text(&broken["reason"]).contains("is_archived") && broken["since"].is_string(), "{broken}");
        app.owner.delete("/v1/slack-integrations").await.ok(200);
        assert_eq!(app.owner.get(&place).await.ok(200)["health"], "disabled");
        demand_paging_rules(&app.owner, "/v1/destinations").await;
    }

    async fn deliveries_and_destinations_of_others_are_not_found(app) {
        connect(&app).await;
        let event = app.step("ours").await;
        let delivery = app.delivery_of(&event).await;
        let (delivery, destination) = (id(&delivery), text(&delivery["destinationId"]).to_owned());
        let globex = app.other("globex").await;
        let get = async |kind: &str, id: &str| globex.get(&format!("/v1/{kind}/{id}")).await;
        for (kind, ours) in [("deliveries", &delivery), ("destinations", &destination), ("events", &event)] {
            demand_reported_alike(&get(kind, ours).await, &get(kind, NOBODY).await, (ours, NOBODY));
        }
        let replay = async |id: &str| globex.post(&format!("/v1/deliveries/{id}/replay"), &json!({})).await;
        demand_reported_alike(&replay(&delivery).await, &replay(NOBODY).await, (&delivery, NOBODY));
        let all = async |id: &str| globex.post("/v1/deliveries/replay", &json!({"destinationId": id})).await;
        demand_reported_alike(&all(&destination).await, &all(NOBODY).await, (&destination, NOBODY));
        for query in [String::new(), format!("?eventId={event}"), format!("?destinationId={destination}")] {
            let found = globex.get(&format!("/v1/deliveries{query}")).await.ok(200);
            assert_eq!(found, json!({"data": []}), "{query}");
        }
    }
}
