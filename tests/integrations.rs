//! Tests of a team's connections: its cards, and the details of a GitHub installation, with their readers.

use std::{collections::BTreeSet, time::Duration};

use entity::{channel, installation, integration};
use jsonwebtoken::{EncodingKey, Header};
use reqwest::Url;
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};
use tieline::{
    app::tenancy::members::NewMember,
    domain::tenancy::member::{Member, Role},
};
use uuid::Uuid;

use crate::support::{Answer, Client, Database, Setup, TestApp, browser, card_state};

const INSTALLATION: &str = "/api/v2/integration/github/installation";
const LINK: &str = "/api/v2/integration/github/link";
const UNLINK: &str = "/api/v2/integration/github/unlink";
const INSTALL: &str = "/api/v2/integration/slack/install";
const SLACK: &str = "/v1/slack-integrations";
const TEAM: &str = "T0STANDIN";
const SECRET: &str = "a secret that has more than 32 bytes in it";

/// Asserts an error of the Boomerang dialect, and returns all of it but the time.
#[track_caller]
fn error(answer: &Answer, status: u16, code: u16, reason: &str) -> Value {
    let mut body = answer.ok(status);
    assert_eq!((&body["code"], &body["reason"]), (&json!(code), &json!(reason)), "{}", answer.text);
    body.as_object_mut().unwrap().remove("timestamp");
    body
}

async fn cards(caller: &Client, team: &str) -> Vec<Value> {
    caller.get(&format!("/api/v2/integration?team={team}")).await.ok(200).as_array().unwrap().clone()
}

/// The card of this name.
async fn card(caller: &Client, team: &str, name: &str) -> Value {
    let all = cards(caller, team).await;
    all.iter().find(|card| card["name"] == name).unwrap_or_else(|| panic!("no {name} in {all:?}")).clone()
}

/// Names and statuses of the cards, in order.
async fn statuses(caller: &Client, team: &str) -> Vec<(String, String)> {
    let text = |card: &Value, field: &str| card[field].as_str().unwrap().to_owned();
    cards(caller, team).await.iter().map(|card| (text(card, "name"), text(card, "status"))).collect()
}

async fn look(caller: &Client, query: &str) -> Answer {
    caller.get(&format!("{INSTALLATION}?{query}")).await
}

async fn repositories(caller: &Client, query: &str) -> Vec<String> {
    let reported = look(caller, query).await.ok(200);
    reported["repositories"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

async fn organisation_id(caller: &Client) -> String {
    caller.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned()
}

/// A caller with a token of the owner's with these scopes.
async fn narrow(app: &TestApp, scopes: &[&str]) -> Client {
    let made = app.owner.post("/v1/tokens", &json!({"name": "narrow", "scopes": scopes})).await.ok(201);
    app.anon.with_token(made["secret"].as_str().unwrap())
}

/// Another app that can be connected everywhere, or in one organisation only.
async fn offer(app: &TestApp, id: u128, name: &str, change: impl Fn(&mut integration::ActiveModel)) {
    let about =
        json!({"icon": "cube", "description": "Boxes.", "instructions": "Ask.", "link": "https://cube.example/"});
    let mut row = integration::ActiveModel {
        id: Set(Uuid::from_u128(id)),
        organisation_id: Set(None),
        kind: Set("system".into()),
        name: Set(name.into()),
        version: Set(None),
        active: Set(true),
        definition: Set(about),
        created_at: Set(app.now() - chrono::Duration::seconds(i64::try_from(id).unwrap())),
        updated_at: Set(app.now()),
    };
    change(&mut row);
    integration::Entity::insert(row).exec_without_returning(app.app.base.store().writer()).await.unwrap();
}

/// An organisation's use of it.
async fn install(
    app: &TestApp,
    caller: &Client,
    integration: u128,
    change: impl Fn(&mut installation::ActiveModel),
) -> String {
    let id = Uuid::from_u128(integration + 1000);
    let mut row = installation::ActiveModel {
        id: Set(id),
        organisation_id: Set(organisation_id(caller).await.parse().unwrap()),
        integration_id: Set(Uuid::from_u128(integration)),
        channel_id: Set(None),
        active: Set(true),
        position: Set(0),
        credential: Set(None),
        signing_secret: Set(None),
        former_signing_secret: Set(None),
        former_signs_until: Set(None),
        created_at: Set(app.now()),
        updated_at: Set(app.now()),
    };
    change(&mut row);
    installation::Entity::insert(row).exec_without_returning(app.app.base.store().writer()).await.unwrap();
    id.to_string()
}

both! {
    async fn a_card_says_everything_and_nothing_else(app) {
        let all = cards(&app.owner, "acme").await;
        let names: Vec<_> = all.iter().map(|card| card["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["GitHub", "Slack"]);
        app.github.link(&app.owner, "acme", "acme").await;
        app.slack.install(&app.owner, TEAM).await.ok(200);
        let usual = ["id", "name", "icon", "description", "instructions", "link", "status"];
        for card in &all {
            let fields: BTreeSet<&str> = card.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(fields, BTreeSet::from(usual), "{card}");
            assert!(usual.iter().all(|name| !card[name].as_str().unwrap().is_empty()), "{card}");
            assert_eq!(card["status"], "unlinked");
        }
        for (before, now) in all.iter().zip(cards(&app.owner, "acme").await) {
            assert_eq!(now["status"], "linked");
            assert_eq!(now.as_object().unwrap().len(), usual.len() + 1, "the ref is new: {now}");
            for name in ["id", "name", "icon", "description", "instructions"] {
                assert_eq!(before[name], now[name]);
            }
        }
        let other = app.other("globex").await;
        let ids = |cards: Vec<Value>| cards.iter().map(|card| card["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(cards(&other, "globex").await), ids(all), "the same everywhere");
    }

    async fn each_card_has_the_ref_of_its_own_kind(app) {
        let reported = async || {
            let all = cards(&app.owner, "acme").await;
            [all[0]["ref"].as_str().map(str::to_owned), all[1]["ref"].as_str().map(str::to_owned)]
        };
        assert_eq!(reported().await, [None, None]);
        app.slack.install(&app.owner, TEAM).await.ok(200);
        let slack = app.owner.get(SLACK).await.ok(200)["slackIntegration"]["id"].as_str().map(str::to_owned);
        assert_eq!(reported().await, [None, slack.clone()]);
        let first = app.github.link(&app.owner, "acme", "globex").await;
        let [github, _] = reported().await;
        assert!(github.is_some() && github != slack);
        app.advance(Duration::from_secs(1));
        app.set_their_clocks().await;
        let second = app.github.link(&app.owner, "acme", "acme").await;
        assert_eq!(reported().await, [github.clone(), slack.clone()], "the first stays the first");
        assert_eq!(look(&app.owner, "team=acme").await.ok(200)["installationId"], first);
        let gone = json!({"ref": github, "team": "acme"});
        assert_eq!(app.owner.post(UNLINK, &gone).await.status, 200);
        assert_eq!(look(&app.owner, "team=acme").await.ok(200)["installationId"], second);
        let [another, _] = reported().await;
        assert!(another.is_some() && another != github);
        assert_eq!(app.owner.delete(SLACK).await.status, 200);
        assert_eq!(reported().await, [another, None]);
    }

    async fn slack_is_linked_while_its_token_works(app) {
        app.slack.connect(&app.owner, TEAM, "C0ALERTS").await;
        let status = async || card(&app.owner, "acme", "Slack").await["status"].clone();
        assert_eq!(status().await, "linked");
        app.owner.patch(SLACK, &json!({"status": "SLACK_INTEGRATION_STATUS_PAUSED"})).await.ok(200);
        assert_eq!(status().await, "linked", "a pause takes nothing away");
        app.slack.order("uninstall", json!({"team": TEAM})).await;
        app.owner.get("/v1/slack-integrations/channels").await.ok(502);
        let card = card(&app.owner, "acme", "Slack").await;
        assert_eq!((&card["status"], card.get("ref")), (&json!("unlinked"), None));
    }

    async fn each_link_has_a_state_of_its_own(app) {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for _ in 0..3 {
            for card in cards(&app.owner, "acme").await {
                let link = Url::parse(card["link"].as_str().unwrap()).unwrap();
                let state = link.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
                assert!(state.len() >= 43 && seen.insert(state), "{link}");
                all.push(link);
            }
        }
        let slack = &all[1];
        assert!(slack.as_str().starts_with(&format!("{}/oauth/v2/authorize?", app.slack.base())), "{slack}");
        let scopes = slack.query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned();
        assert!(scopes.split(',').any(|scope| scope == "commands"), "the app's, not those of notifications: {scopes}");
        // Slack's link leads through `slack/auth`; all of them work.
        for link in [&all[5], slack] {
            let (code, state) = app.slack.allow(link.as_str(), TEAM).await;
            let back = app.anon.get(&format!("/api/v2/integration/slack/auth?code={code}&state={state}")).await;
            let back = browser::go_on(&app.anon, back).await;
            assert_eq!(back.status, 200, "{}", back.text);
        }
        assert_eq!(card(&app.owner, "acme", "Slack").await["status"], "linked");
    }

    async fn who_may_not_connect_sees_what_is_connected_and_no_link(app) {
        app.github.link(&app.owner, "acme", "acme").await;
        app.slack.install(&app.owner, TEAM).await.ok(200);
        let max = app.caller("acme", "max", Role::Member).await;
        let links = async |caller: &Client| {
            let all = cards(caller, "acme").await;
            assert!(all.iter().all(|card| card["status"] == "linked" && card.get("ref").is_some()), "{all:?}");
            all.iter().map(|card| card.get("link").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(links(&max).await, [false, false]);
        let read = ["github:read", "slack:read"];
        for (more, expected) in [
            (vec![], [false, false]),
            (vec!["github:manage"], [true, false]),
            (vec!["slack:manage"], [false, true]),
            (vec!["github:manage", "slack:manage"], [true, true]),
        ] {
            let caller = narrow(&app, &[&read[..], &more].concat()).await;
            assert_eq!(links(&caller).await, expected, "{more:?}");
        }
        for (scopes, lacks) in
            [(["github:read", "github:manage"], "slack:read"), (["slack:read", "slack:manage"], "github:read")]
        {
            let answer = narrow(&app, &scopes).await.get("/api/v2/integration?team=acme").await;
            let reported = error(&answer, 403, 403, "PERMISSION_DENIED");
            assert!(reported["message"].as_str().unwrap().contains(lacks), "{reported}");
        }
    }

    async fn a_team_is_named_by_slug_or_id(app) {
        app.github.link(&app.owner, "acme", "acme").await;
        let id = organisation_id(&app.owner).await;
        for team in ["acme", &id, &id.to_uppercase()] {
            assert_eq!(card(&app.owner, team, "GitHub").await["status"], "linked", "{team}");
            look(&app.owner, &format!("team={team}")).await.ok(200);
            assert_eq!(app.owner.post(LINK, &json!({"ref": 1, "team": team})).await.status, 404, "{team}");
            assert_eq!(app.owner.get(&format!("{INSTALL}?team={team}")).await.status, 302, "{team}");
        }
    }

    async fn anothers_team_is_reported_like_an_unknown_one(app) {
        app.github.link(&app.owner, "acme", "acme").await;
        app.slack.install(&app.owner, TEAM).await.ok(200);
        offer(&app, 7, "Cube", |_| {}).await;
        install(&app, &app.owner, 7, |_| {}).await;
        let other = app.other("globex").await;
        let id = organisation_id(&app.owner).await;
        let nothing = other.get("/api/v2/integration?team=nobodys").await;
        assert!(statuses(&other, "nobodys").await.iter().all(|(_, status)| status == "unlinked"));
        for team in
            ["acme", id.as_str(), "0199c1de-0000-7000-8000-00000000dead", "ACME", "", "%C3%A4", "..%2Facme"]
        {
            let answer = other.get(&format!("/api/v2/integration?team={team}")).await;
            assert_eq!((answer.status, &answer.text), (nothing.status, &nothing.text), "{team}");
            assert!(!answer.text.contains("state="), "{}", answer.text);
        }
        for team in ["acme", id.as_str()] {
            let reported =
                |answer: Answer| error(&answer, 400, 1101, "TEAM_INVALID_REF").to_string().replace(team, "nobodys");
            for path in [INSTALLATION, INSTALL] {
                let ours = other.get(&format!("{path}?team={team}")).await;
                let none = other.get(&format!("{path}?team=nobodys")).await;
                assert_eq!(reported(ours), reported(none), "{path}");
            }
            for path in [LINK, UNLINK] {
                let ours = other.post(path, &json!({"ref": "4711", "team": team})).await;
                let none = other.post(path, &json!({"ref": "4711", "team": "nobodys"})).await;
                assert_eq!(reported(ours), reported(none), "{path}");
            }
        }
        assert!(statuses(&app.owner, "acme").await.iter().all(|(_, status)| status == "linked"));
    }

    async fn what_the_operator_offers_has_a_card_too(app) {
        offer(&app, 7, "Cube", |_| {}).await;
        offer(&app, 9, "Older", |row| row.definition = Set(json!({}))).await;
        offer(&app, 10, "Hidden", |row| row.active = Set(false)).await;
        offer(&app, 11, "Of another kind", |row| row.kind = Set("webhook".into())).await;
        let home: Uuid = organisation_id(&app.owner).await.parse().unwrap();
        offer(&app, 12, "Of one organisation", |row| row.organisation_id = Set(Some(home))).await;
        let names = |all: Vec<(String, String)>| all.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(statuses(&app.owner, "acme").await), ["GitHub", "Slack", "Older", "Cube"]);

        let cube = card(&app.owner, "acme", "Cube").await;
        let expected = json!({
            "id": Uuid::from_u128(7), "name": "Cube", "icon": "cube", "description": "Boxes.", "instructions": "Ask.",
            "link": "https://cube.example/", "status": "unlinked",
        });
        assert_eq!(cube, expected);
        let bare = card(&app.owner, "acme", "Older").await;
        assert_eq!((&bare["icon"], bare.get("link")), (&json!(""), None));

        // Elsewhere, switched off, or in one channel only: none of these links the team.
        let other = app.other("globex").await;
        install(&app, &other, 7, |_| {}).await;
        install(&app, &app.owner, 9, |row| row.active = Set(false)).await;
        assert_eq!(card(&app.owner, "acme", "Older").await["status"], "unlinked");
        assert_eq!(card(&app.owner, "acme", "Cube").await["status"], "unlinked");
        assert_eq!(card(&other, "globex", "Cube").await["ref"], json!(Uuid::from_u128(1007)));
        let made = app.owner.post("/v1/channels", &json!({"name": "c"})).await.ok(201);
        let place: Uuid = made["id"].as_str().unwrap().parse().unwrap();
        assert!(channel::Entity::find_by_id(place).one(app.app.base.store().reader()).await.unwrap().is_some());
        install(&app, &app.owner, 7, |row| (row.id, row.channel_id) = (Set(Uuid::from_u128(2)), Set(Some(place))))
            .await;
        assert_eq!(card(&app.owner, "acme", "Cube").await["status"], "unlinked");
        install(&app, &app.owner, 7, |row| row.id = Set(Uuid::from_u128(3))).await;
        let linked = card(&app.owner, "acme", "Cube").await;
        assert_eq!((&linked["status"], &linked["ref"]), (&json!("linked"), &json!(Uuid::from_u128(3))));
        assert_eq!(card(&app.owner, "acme", "GitHub").await.get("ref"), None);
    }

    async fn an_installation_is_shown_in_full(app) {
        let id = app.github.link(&app.owner, "acme", "acme").await;
        let reported = look(&app.owner, &format!("id={id}")).await.ok(200);
        assert_eq!(look(&app.owner, "team=acme").await.ok(200), reported);
        let all = reported["repositories"].as_array().unwrap();
        let names: BTreeSet<&str> = all.iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!((all.len(), names.len()), (133, 133), "every page, and nothing twice");
        let services: Vec<String> = (1..=130).map(|number| format!("service-{number:03}")).collect();
        let expected = ["web", "api", "infra"].into_iter().chain(services.iter().map(String::as_str));
        assert_eq!(names, expected.collect::<BTreeSet<_>>(), "names, without their owner");

        let at_github = app.github.ask(&format!("installations/{id}")).await;
        let mut rest = reported.clone();
        rest.as_object_mut().unwrap().remove("repositories");
        let expected = json!({
            "appId": 4242, "installationId": id, "orgSlug": "acme", "orgUrl": at_github["account"]["html_url"],
            "orgId": 2001, "orgType": "Organization", "events": at_github["events"],
        });
        assert_eq!(rest, expected);
        assert!(!expected["events"].as_array().unwrap().is_empty());

        let max = app.caller("acme", "max", Role::Member).await;
        assert_eq!(look(&max, "team=acme").await.ok(200), reported, "any member with the permission to read");
    }

    async fn an_installation_is_shown_as_it_is_now(app) {
        let id = app.github.link(&app.owner, "acme", "globex").await;
        assert_eq!(repositories(&app.owner, "team=acme").await, ["site", "ledger", "tools"]);
        // There is no webhook: the shown data come from GitHub.
        app.github.order("app", json!({"webhookUrl": ""})).await;
        app.github.order(&format!("installations/{id}/repositories"), json!({"select": ["tools"]})).await;
        app.github.order(&format!("installations/{id}/rename"), json!({"login": "globex-corp"})).await;
        assert_eq!(repositories(&app.owner, "team=acme").await, ["tools"]);
        assert_eq!(look(&app.owner, "team=acme").await.ok(200)["orgSlug"], "globex-corp");
        app.github.order(&format!("installations/{id}/repositories"), json!({"select": "all"})).await;
        assert_eq!(repositories(&app.owner, &format!("id={id}")).await.len(), 3);
    }

    async fn the_number_comes_before_the_team(app) {
        let other = app.other("globex").await;
        let (acmes, globexs) =
            (app.github.link(&app.owner, "acme", "acme").await, app.github.link(&other, "globex", "globex").await);
        for team in ["acme", "globex", "nobodys", ""] {
            assert_eq!(look(&app.owner, &format!("id={acmes}&team={team}")).await.ok(200)["installationId"], acmes);
            error(&look(&app.owner, &format!("id={globexs}&team={team}")).await, 400, 1601, "ACTION_INVALID_REF");
        }
        assert_eq!(look(&other, &format!("team=globex&id={globexs}")).await.ok(200)["orgSlug"], "globex");
    }

    async fn anothers_installation_is_reported_like_an_unknown_one(app) {
        let other = app.other("globex").await;
        let theirs = app.github.link(&other, "globex", "globex").await;
        let nobodys = app.github.install("acme").await;
        let reported = async |query: &str| error(&look(&app.owner, query).await, 400, 1601, "ACTION_INVALID_REF");
        let nothing = reported("id=404").await;
        for query in
            [format!("id={theirs}"), format!("id={nobodys}"), "id=0".into(), "id=-1".into(), format!("id={}", i64::MAX)]
        {
            assert_eq!(reported(&query).await, nothing, "{query}");
        }
        assert_eq!(reported("team=acme").await, nothing, "a team without one");
        assert!(
            app.slack.calls("GET%20/app/installations/%7Binstallation_id%7D").await.len() <= 1,
            "GitHub is not asked"
        );
        app.github.link(&app.owner, "acme", "acme").await;
        assert_eq!(reported(&format!("id={theirs}")).await, nothing);
    }

    async fn what_was_proved_is_shown_for_a_while(app) {
        let id = app.github.link(&app.owner, "acme", "acme").await;
        assert_eq!(app.owner.post(UNLINK, &json!({"ref": id, "team": "acme"})).await.status, 200);
        let query = format!("id={id}");
        look(&app.owner, &query).await.ok(200);
        error(&look(&app.owner, "team=acme").await, 400, 1601, "ACTION_INVALID_REF");
        app.advance(Duration::from_secs(600));
        app.set_their_clocks().await;
        error(&look(&app.owner, &query).await, 400, 1601, "ACTION_INVALID_REF");
    }

    async fn a_suspended_installation_says_so(app) {
        let id = app.github.link(&app.owner, "acme", "acme").await;
        look(&app.owner, "team=acme").await.ok(200);
        app.github.order(&format!("installations/{id}/suspend"), json!({})).await;
        for query in ["team=acme".to_owned(), format!("id={id}")] {
            let reported = error(&look(&app.owner, &query).await, 400, 400, "FAILED_PRECONDITION");
            assert!(reported["message"].as_str().unwrap().contains("suspended"), "{reported}");
        }
        assert_eq!(card(&app.owner, "acme", "GitHub").await["status"], "linked", "it is there, and can be taken away");
        app.github.order(&format!("installations/{id}/unsuspend"), json!({})).await;
        look(&app.owner, "team=acme").await.ok(200);
    }

    async fn an_installation_that_is_gone_can_be_unlinked(app) {
        let id = app.github.link(&app.owner, "acme", "acme").await;
        look(&app.owner, "team=acme").await.ok(200);
        app.github.order("app", json!({"webhookUrl": ""})).await;
        app.github.order(&format!("installations/{id}/delete"), json!({})).await;
        for query in ["team=acme".to_owned(), format!("id={id}")] {
            error(&look(&app.owner, &query).await, 400, 1601, "ACTION_INVALID_REF");
        }
        let record = card(&app.owner, "acme", "GitHub").await["ref"].clone();
        assert_eq!(app.owner.post(UNLINK, &json!({"ref": record, "team": "acme"})).await.status, 200);
        assert_eq!(card(&app.owner, "acme", "GitHub").await.get("ref"), None);
    }

    async fn a_github_that_does_not_answer_is_reported(app) {
        let id = app.github.link(&app.owner, "acme", "acme").await;
        for step in ["GET /app/installations/{installation_id}", "GET /installation/repositories"] {
            for fault in [
                json!({"status": 500}),
                json!({"rateLimitResetSecs": 90}),
                json!({"body": "<html>Unicorn!</html>"}),
                json!({"drop": "before"}),
                json!({"latencyMs": 5000}),
                json!({"status": 403}),
                json!({"status": 404}),
            ] {
                let mut order = fault;
                order["method"] = json!(step);
                app.github.order("faults", order.clone()).await;
                let reported = error(&look(&app.owner, &format!("id={id}")).await, 400, 1601, "ACTION_INVALID_REF");
                assert!(!reported.to_string().contains("Unicorn"), "{order}: {reported}");
                app.github.mend().await;
                assert_eq!(card(&app.owner, "acme", "GitHub").await["status"], "linked", "{order}");
            }
        }
        assert_eq!(repositories(&app.owner, "team=acme").await.len(), 133);
    }
}

/// A caller whom an issuer asserts to be this subject.
fn issued(app: &TestApp, subject: impl ToString) -> Client {
    let claims = json!({
        "sub": subject.to_string(), "iss": "tieline", "aud": "tieline", "exp": app.now().timestamp() + 3600,
    });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    app.anon.with_token(&jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap())
}

async fn member(app: &TestApp, slug: &str, like: Option<&Member>) -> Member {
    let user_id = like.map(|member| member.user_id);
    let new = NewMember { user_id, username: "ada".into(), email: None, subject: None, role: Role::Admin };
    app.app.tenancy.ensure_member_as_operator(slug, new).await.unwrap()
}

/// Runs a scenario of a member of `acme` and `globex`, and not of `initech`, with a JWT.
async fn in_two_teams(story: impl AsyncFn(&TestApp, Client)) {
    for database in [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten() {
        let settings = vec![("TIELINE_AUTH__JWT__HS256_SECRET", SECRET.to_owned())];
        let app = TestApp::start_with(database, Setup { settings, ..Setup::default() }).await;
        for slug in ["globex", "initech"] {
            app.app.tenancy.create_organisation_as_operator(slug, None).await.unwrap();
        }
        let ada = member(&app, "acme", None).await;
        member(&app, "globex", Some(&ada)).await;
        let ada = issued(&app, ada.user_id);
        story(&app, ada).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_in_several_teams_says_which() {
    in_two_teams(async |app, ada| {
        let acmes = app.github.link(&ada, "acme", "acme").await;
        assert_eq!(card(&ada, "acme", "GitHub").await["status"], "linked");
        assert_eq!(card(&ada, "globex", "GitHub").await["status"], "unlinked");
        let globexs = app.github.link(&ada, "globex", "globex").await;
        assert_eq!(look(&ada, "team=acme").await.ok(200)["orgSlug"], "acme");
        assert_eq!(look(&ada, "team=globex").await.ok(200)["orgSlug"], "globex");
        for (id, slug) in [(acmes, "acme"), (globexs, "globex")] {
            assert_eq!(look(&ada, &format!("id={id}")).await.ok(200)["orgSlug"], slug, "whichever team has it");
        }
        // A proof for one team is not valid for another of theirs.
        let answer = ada.post(LINK, &json!({"ref": acmes, "team": "globex"})).await;
        error(&answer, 404, 1601, "ACTION_INVALID_REF");
        let state = card_state(&ada, "acme").await;
        let back =
            app.github.authorize_as("ada", app.app.github.github().unwrap().authorize_url(&state).as_str()).await;
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let link_request = json!({"ref": acmes, "team": "globex", "code": code, "state": state});
        error(&ada.post(LINK, &link_request).await, 400, 400, "INTEGRATION_INVALID_STATE");

        assert_eq!(ada.post(UNLINK, &json!({"ref": acmes, "team": "globex"})).await.status, 200);
        assert_eq!(card(&ada, "acme", "GitHub").await["status"], "linked");
        assert_eq!(ada.post(UNLINK, &json!({"ref": acmes, "team": "acme"})).await.status, 200);
        assert_eq!(card(&ada, "acme", "GitHub").await["status"], "unlinked");

        let initech = app.caller("initech", "ivan", Role::Owner).await;
        let theirs = app.github.link(&initech, "initech", "ada").await;
        assert_eq!(card(&ada, "initech", "GitHub").await["status"], "unlinked");
        error(&look(&ada, "team=initech").await, 400, 1101, "TEAM_INVALID_REF");
        error(&look(&ada, &format!("id={theirs}")).await, 400, 1601, "ACTION_INVALID_REF");
        error(&ada.post(UNLINK, &json!({"ref": theirs, "team": "initech"})).await, 400, 1101, "TEAM_INVALID_REF");
        error(&issued(app, "nobody").get("/api/v2/integration?team=acme").await, 401, 401, "NOT_A_MEMBER");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_in_several_teams_installs_slack_for_the_one_they_named() {
    in_two_teams(async |app, ada| {
        let reported = error(&ada.get(INSTALL).await, 400, 400, "VALUE_INVALID");
        assert!(reported["message"].as_str().unwrap().contains("team"), "{reported}");
        error(&ada.get(&format!("{INSTALL}?team=initech")).await, 400, 1101, "TEAM_INVALID_REF");
        let begun = async |team: &str, workspace: &str| {
            let begun = ada.get(&format!("{INSTALL}?team={team}")).await;
            let (code, state) = app.slack.allow(begun.header("location"), workspace).await;
            format!("/api/v2/integration/slack/auth?code={code}&state={state}")
        };
        // Their credential goes with either.
        for (team, workspace) in [("acme", TEAM), ("globex", "T0SECOND")] {
            let back = ada.get(&begun(team, workspace).await).await;
            assert_eq!(back.status, 302, "{}", back.text);
            assert!(back.header("location").starts_with(&format!("slack://app?team={workspace}&id=")), "{back:?}");
            assert_eq!(card(&ada, team, "Slack").await["status"], "linked");
        }
        // And another's with neither.
        let begun = begun("acme", TEAM).await;
        let outsider = app.caller("initech", "ivan", Role::Owner).await;
        error(&outsider.get(&begun).await, 400, 400, "INTEGRATION_INVALID_STATE");
        error(&app.owner.get(&begun).await, 400, 400, "INTEGRATION_INVALID_STATE");
        assert_eq!(ada.get(&begun).await.status, 302, "nobody's mistake has used it up");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_apps_there_are_cards_and_no_links() {
    let names =
        ["SLACK__CLIENT_ID", "SLACK__CLIENT_SECRET", "GITHUB__APP_ID", "GITHUB__CLIENT_ID", "GITHUB__PRIVATE_KEY"];
    let settings = names.map(|name| (format!("TIELINE_{name}").leak() as &str, String::new())).into();
    let app = TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await;
    for card in cards(&app.owner, "acme").await {
        assert_eq!((&card["status"], card.get("link")), (&json!("unlinked"), None), "{card}");
    }
    error(&app.owner.get(INSTALL).await, 400, 400, "FAILED_PRECONDITION");
    for query in ["id=1", "team=acme"] {
        error(&look(&app.owner, query).await, 400, 1601, "ACTION_INVALID_REF");
    }
    assert_eq!(app.owner.post(UNLINK, &json!({"ref": 1, "team": "acme"})).await.status, 200);
}
