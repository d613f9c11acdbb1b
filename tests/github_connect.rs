//! Tests of linking GitHub: its pages, the proofs of authority over an installation, and the owners of a proof or a
//! state.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use tieline::{
    app::tenancy::{members::NewMember, tokens::NewToken},
    domain::tenancy::member::{Member, Role},
};

use crate::support::{Answer, Client, TestApp, browser, card_link, card_state, until};

const CALLBACK: &str = "/v1/github/callback";
const LINK: &str = "/api/v2/integration/github/link";
const UNLINK: &str = "/api/v2/integration/github/unlink";
const INSTALLATION: &str = "/api/v2/integration/github/installation";
const SLACK_STATE: &str = "/v1/slack-integrations/oauth-url";
/// Lifetime of a state and a proof.
const LIFETIME: Duration = Duration::from_secs(600);
/// Time limit of a wait for another task.
const WAIT_LIMIT: Duration = Duration::from_secs(5);

/// Asserts a page of ours: readable, safe in a browser, and without a secret in it.
#[track_caller]
fn page(answer: &Answer, status: u16, location: &Url) -> String {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{answer:?}");
    // A form that is sent under no-referrer has no origin.
    let referrer = if answer.text.contains("<form") { "same-origin" } else { "no-referrer" };
    assert_eq!((answer.header("cache-control"), answer.header("referrer-policy")), ("no-store", referrer));
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{answer:?}");
    assert!(answer.text.contains("<h1>") && !answer.text.contains("<script"), "{}", answer.text);
    let secrets = ["code", "state"].map(|name| said(location, name)).into_iter().flatten();
    for secret in secrets.chain(["ghu_".to_owned(), "ghs_".to_owned()]).filter(|secret| secret.len() > 3) {
        assert!(!format!("{answer:?}").contains(&secret), "{secret} is in {answer:?}");
    }
    answer.text.clone()
}

/// Asserts an error of the Boomerang dialect, and returns its message.
#[track_caller]
fn error(answer: &Answer, status: u16, code: u16, reason: &str) -> String {
    let body = answer.ok(status);
    assert_eq!((&body["code"], &body["reason"]), (&json!(code), &json!(reason)), "{}", answer.text);
    body["message"].as_str().unwrap().to_owned()
}

/// Asserts the answer to a created or removed link.
#[track_caller]
fn done(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
}

/// Returns a query parameter of an address.
fn said(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Returns the address with a query parameter replaced, or removed.
fn saying(url: &Url, name: &str, value: Option<&str>) -> Url {
    let rest: Vec<_> = url.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(rest).extend_pairs(value.map(|value| (name, value)));
    url
}

fn number(location: &Url) -> i64 {
    said(location, "installation_id").unwrap().parse().unwrap()
}

/// `ref` of the team's GitHub card; none where it is not linked.
async fn linked(caller: &Client, team: &str) -> Option<String> {
    let cards = caller.get(&format!("/api/v2/integration?team={team}")).await.ok(200);
    let card = cards.as_array().unwrap().iter().find(|card| card["name"] == "GitHub").unwrap().clone();
    assert_eq!(card["status"], if card.get("ref").is_some() { "linked" } else { "unlinked" });
    card["ref"].as_str().map(str::to_owned)
}

/// Asks for the installation by its number.
async fn look(caller: &Client, id: i64) -> Answer {
    caller.get(&format!("{INSTALLATION}?id={id}")).await
}

/// Counts the requests for a user token at GitHub.
async fn exchanges(app: &TestApp) -> usize {
    app.slack.calls("POST%20/login/oauth/access_token").await.len()
}

/// Address to which the browser comes back from GitHub, signed in as `user`, with a code and this state and number.
async fn signed_in(app: &TestApp, user: &str, state: &str, id: impl ToString) -> Url {
    let authorize = app.app.github.github().unwrap().authorize_url(state);
    let location = app.github.authorize_as(user, authorize.as_str()).await;
    saying(&location, "installation_id", Some(&id.to_string()))
}

/// Comes back from GitHub, and agrees on the consent page.
async fn agreed(app: &TestApp, location: &Url) -> Answer {
    let asked = app.github.come_back(location).await;
    assert!(page(&asked, 200, location).contains("<h1>Link the GitHub account "), "{}", asked.text);
    app.github.confirm(&asked).await
}

/// A request to link, with the values that a page of the product got from GitHub.
fn link_request(team: &str, id: i64, location: &Url) -> Value {
    json!({"ref": id, "team": team, "code": said(location, "code"), "state": said(location, "state")})
}

/// Creates a member with a token of their own; with the user of another member, where one is given.
async fn member(app: &TestApp, slug: &str, username: &str, like: Option<&Member>) -> (Client, Member) {
    let user_id = like.map(|member| member.user_id);
    let new = NewMember { user_id, username: username.into(), email: None, subject: None, role: Role::Admin };
    let member = app.app.tenancy.ensure_member_as_operator(slug, new).await.unwrap();
    let token = NewToken { name: "test".into(), scopes: Default::default(), expires_at: None };
    let (_, text) = app.app.tenancy.create_token_as_operator(&member, token).await.unwrap();
    (app.anon.with_token(text.expose()), member)
}

fn place(member: &Member) -> String {
    format!("/v1/organisations/{}/members/{}", member.organisation_id, member.user_id)
}

both! {
    async fn an_owner_installs_the_app_and_it_is_linked(app) {
        let link = card_link(&app.owner, "acme").await;
        assert!(
            link.as_str().starts_with(&format!(
                "{}/github-apps/tieline/installations/new?",
                app.slack.server().github_web_base()
            ))
        );
        let state = said(&link, "state").unwrap();
        assert!(state.len() >= 43, "at least 256 bits");
        let location = app.github.install_as("ada", "acme", &state).await;
        assert_eq!(said(&location, "setup_action").as_deref(), Some("install"));
        let text = page(&agreed(&app, &location).await, 200, &location);
        assert!(text.contains("<h1>GitHub is connected</h1>"), "{text}");
        assert!(text.contains("The GitHub account acme is linked to Acme."), "{text}");
        let record = linked(&app.owner, "acme").await.unwrap();
        assert_eq!(look(&app.owner, number(&location)).await.ok(200)["orgSlug"], "acme");

        let text = page(&app.github.come_back(&location).await, 400, &location);
        assert!(text.contains("used already"), "{text}");
        assert_eq!(linked(&app.owner, "acme").await, Some(record), "a reload takes nothing back");
        assert_eq!(exchanges(&app).await, 1);
    }

    async fn a_person_links_their_own_account(app) {
        let location = app.github.install_as("max", "max", &card_state(&app.owner, "acme").await).await;
        let text = page(&agreed(&app, &location).await, 200, &location);
        assert!(text.contains("The GitHub account max is linked to Acme."), "{text}");
        assert_eq!(look(&app.owner, number(&location)).await.ok(200)["orgType"], "User");
    }

    async fn a_page_shows_names_as_text(app) {
        let id = app.owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
        app.owner.patch(&format!("/v1/organisations/{id}"), &json!({"name": "<script>A</script> & B"})).await.ok(200);
        for (user, account) in [("max", "acme"), ("ada", "acme")] {
            let location = app.github.install_as(user, account, &card_state(&app.owner, "acme").await).await;
            let text = page(&app.github.come_back(&location).await, 200, &location);
            assert!(text.contains("&lt;script&gt;A&lt;/script&gt; &amp; B"), "{text}");
        }
    }

    async fn a_member_asks_an_owner_first(app) {
        let state = card_state(&app.owner, "acme").await;
        let location = app.github.install_as("max", "acme", &state).await;
        assert_eq!(
            (said(&location, "setup_action").unwrap().as_str(), said(&location, "installation_id")),
            ("request", None)
        );
        let text = page(&app.github.come_back(&location).await, 200, &location);
        assert!(text.contains("<h1>The installation waits for approval</h1>"), "{text}");
        assert!(text.contains("the GitHub card of Acme again"), "{text}");
        page(&app.github.come_back(&location).await, 400, &location);

        // The owner approves on GitHub's own pages: without a state of ours, the organisation is unknown.
        let id = app.github.install("acme").await;
        let approved = signed_in(&app, "ada", "none", id).await;
        let approved = saying(&saying(&approved, "state", None), "setup_action", Some("install"));
        let text = page(&app.github.come_back(&approved).await, 400, &approved);
        assert!(text.contains("open the link of the GitHub card"), "{text}");
        assert_eq!((linked(&app.owner, "acme").await, exchanges(&app).await), (None, 0));
        assert_eq!(app.github.link(&app.owner, "acme", "acme").await, id);
        assert!(linked(&app.owner, "acme").await.is_some());
    }

    async fn who_has_installed_the_app_before_signs_in(app) {
        let id = app.github.install("acme").await;
        let first = app.github.install_as("ada", "acme", &card_state(&app.owner, "acme").await).await;
        assert_eq!((said(&first, "setup_action").unwrap().as_str(), said(&first, "code")), ("update", None));
        let answer = app.github.come_back(&first).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str(), answer.header("cache-control")),
            (302, "", "no-store")
        );
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let authorize = Url::parse(answer.header("location")).unwrap();
        assert!(
            authorize.as_str().starts_with(&format!("{}/login/oauth/authorize?", app.slack.server().github_web_base()))
        );
        assert!(said(&authorize, "redirect_uri").unwrap().ends_with(CALLBACK), "{authorize}");
        assert_ne!(said(&authorize, "state"), said(&first, "state"));
        page(&app.github.come_back(&first).await, 400, &first);
        assert_eq!(linked(&app.owner, "acme").await, None, "nobody has signed in yet");

        let second = app.github.authorize_as("ada", authorize.as_str()).await;
        assert_eq!(said(&second, "installation_id"), None);
        let text = page(&agreed(&app, &second).await, 200, &second);
        assert!(text.contains("The GitHub account acme is linked to Acme."), "{text}");
        assert_eq!(look(&app.owner, id).await.ok(200)["orgSlug"], "acme");
        page(&app.github.come_back(&second).await, 400, &second);
    }

    async fn what_a_state_carries_proves_nothing(app) {
        let (acme, eves) = (app.github.install("acme").await, app.github.install("eve").await);
        let carrying = async |id: i64| {
            let location = Url::parse(&format!("http://x{CALLBACK}?setup_action=update&installation_id={id}")).unwrap();
            let location = saying(&location, "state", Some(&card_state(&app.owner, "acme").await));
            Url::parse(app.github.come_back(&location).await.header("location")).unwrap()
        };
        // The user who signs in is not the administrator of the installation in the state.
        let back = app.github.authorize_as("max", carrying(acme).await.as_str()).await;
        let text = page(&app.github.come_back(&back).await, 400, &back);
        assert!(text.contains("ax does not administer"), "{text}");
        // The number is replaced on the way, in the address or in the state.
        let back = app.github.authorize_as("eve", carrying(eves).await.as_str()).await;
        let other = saying(&back, "installation_id", Some(&acme.to_string()));
        page(&app.github.come_back(&other).await, 400, &other);
        let back = app.github.authorize_as("ada", carrying(eves).await.as_str()).await;
        let state = said(&back, "state").unwrap().replace(&eves.to_string(), &acme.to_string());
        let other = saying(&back, "state", Some(&state));
        let text = page(&app.github.come_back(&other).await, 400, &other);
        assert!(text.contains("not one that was issued"), "{text}");
        page(&app.github.come_back(&back).await, 400, &back);
        assert_eq!(linked(&app.owner, "acme").await, None);
        for id in [0, -1, i64::MAX] {
            let back = app.github.authorize_as("ada", carrying(id).await.as_str()).await;
            page(&app.github.come_back(&back).await, 400, &back);
        }
    }

    async fn a_change_on_githubs_own_pages_is_only_reported(app) {
        let id = app.github.install("acme").await;
        let location = Url::parse(&format!("http://x{CALLBACK}?setup_action=update&installation_id={id}")).unwrap();
        let text = page(&app.github.come_back(&location).await, 200, &location);
        assert!(text.contains("<h1>The installation was changed</h1>"), "{text}");
        assert_eq!((linked(&app.owner, "acme").await, exchanges(&app).await), (None, 0));
    }

    async fn a_link_is_made_once_however_it_is_named(app) {
        let id = app.github.link(&app.owner, "acme", "acme").await;
        let record = linked(&app.owner, "acme").await.unwrap();
        let asked = app.slack.calls("GET%20/user").await.len();
        app.advance(LIFETIME);
        for reference in [json!(record), json!(record.to_uppercase()), json!(id), json!(id.to_string())] {
            done(&app.owner.post(LINK, &json!({"ref": reference, "team": "acme"})).await);
        }
        assert_eq!(linked(&app.owner, "acme").await, Some(record));
        assert_eq!(app.slack.calls("GET%20/user").await.len(), asked, "GitHub is not asked about a linked one");
        for reference in ["", "x", "0", "-1", "1.5", "99999999999999999999", "%00"] {
            let answer = app.owner.post(LINK, &json!({"ref": reference, "team": "acme"})).await;
            assert!(error(&answer, 400, 400, "VALUE_INVALID").contains("/ref"), "{reference}: {}", answer.text);
        }
        error(&app.owner.post(LINK, &json!({"ref": id + 1, "team": "acme"})).await, 404, 1601, "ACTION_INVALID_REF");
    }

    async fn unlinking_is_for_one_team(app) {
        let other = app.other("globex").await;
        let id = app.github.link(&app.owner, "acme", "acme").await;
        assert_eq!(app.github.link(&other, "globex", "acme").await, id, "each by a proof of its own");
        let record = linked(&app.owner, "acme").await;
        assert_eq!(linked(&other, "globex").await, record, "it is one installation");
        let record = record.unwrap();

        // Neither the other team's link nor the other team's name has an effect for another organisation.
        let answer = other.post(UNLINK, &json!({"ref": record, "team": "acme"})).await;
        error(&answer, 400, 1101, "TEAM_INVALID_REF");
        assert!(linked(&app.owner, "acme").await.is_some());

        for reference in [json!(record), json!(id), json!(id.to_string())] {
            for _ in 0..2 {
                done(&app.owner.post(UNLINK, &json!({"ref": reference, "team": "acme"})).await);
                assert_eq!(linked(&app.owner, "acme").await, None, "{reference}");
                assert_eq!(linked(&other, "globex").await.as_deref(), Some(record.as_str()), "{reference}");
            }
            done(&app.owner.post(LINK, &json!({"ref": reference, "team": "acme"})).await);
            assert!(linked(&app.owner, "acme").await.is_some(), "{reference}");
        }
        for reference in [json!(id + 1), json!("0199c1de-0000-7000-8000-00000000dead"), json!("x"), json!("")] {
            done(&app.owner.post(UNLINK, &json!({"ref": reference, "team": "acme"})).await);
        }
        assert!(linked(&app.owner, "acme").await.is_some());
    }

    async fn a_proof_is_good_for_ten_minutes(app) {
        let id = app.github.link(&app.owner, "acme", "acme").await;
        let (unlink, link) = (json!({"ref": id, "team": "acme"}), json!({"ref": id, "team": "acme"}));
        let asked = exchanges(&app).await;
        done(&app.owner.post(UNLINK, &unlink).await);
        app.advance(LIFETIME - Duration::from_secs(1));
        done(&app.owner.post(LINK, &link).await);
        done(&app.owner.post(UNLINK, &unlink).await);
        assert_eq!(exchanges(&app).await, asked, "the proof is enough");
        app.advance(Duration::from_secs(1));
        error(&app.owner.post(LINK, &link).await, 404, 1601, "ACTION_INVALID_REF");
        assert_eq!(linked(&app.owner, "acme").await, None);

        // A page of the product brings a new one.
        app.set_their_clocks().await;
        let back = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
        done(&app.owner.post(LINK, &link_request("acme", id, &back)).await);
        assert!(linked(&app.owner, "acme").await.is_some());
    }

    async fn a_proof_is_its_members_alone(app) {
        let (oda, is_oda) = member(&app, "acme", "oda", None).await;
        let (anna, is_anna) = member(&app, "acme", "anna", None).await;
        app.other("globex").await;
        // The same user, in another organisation.
        let (also_oda, _) = member(&app, "globex", "oda", Some(&is_oda)).await;
        let id = app.github.link(&oda, "acme", "acme").await;
        let record = linked(&oda, "acme").await.unwrap();
        done(&oda.post(UNLINK, &json!({"ref": id, "team": "acme"})).await);
        look(&oda, id).await.ok(200);

        for (caller, team) in [(&anna, "acme"), (&also_oda, "globex")] {
            for reference in [json!(id), json!(record)] {
                let answer = caller.post(LINK, &json!({"ref": reference, "team": team})).await;
                error(&answer, 404, 1601, "ACTION_INVALID_REF");
            }
            error(&look(caller, id).await, 400, 1601, "ACTION_INVALID_REF");
            assert_eq!(linked(caller, team).await, None);
        }
        let (other, _) = member(&app, "acme", "boss", None).await;
        error(&oda.post(LINK, &json!({"ref": id, "team": "globex"})).await, 400, 1101, "TEAM_INVALID_REF");

        // A member who left and came back is another member.
        app.owner.delete(&place(&is_anna)).await.ok(204);
        let (anna, is_anna) = member(&app, "acme", "anna", None).await;
        app.github.link(&anna, "acme", "acme").await;
        done(&other.post(UNLINK, &json!({"ref": id, "team": "acme"})).await);
        app.owner.delete(&place(&is_anna)).await.ok(204);
        let (anna, is_anna) = member(&app, "acme", "anna", Some(&is_anna)).await;
        error(&anna.post(LINK, &json!({"ref": id, "team": "acme"})).await, 404, 1601, "ACTION_INVALID_REF");

        // A member without the permission to manage does not profit from an earlier proof.
        app.owner.patch(&place(&is_oda), &json!({"role": "member"})).await.ok(200);
        error(&oda.post(LINK, &json!({"ref": id, "team": "acme"})).await, 403, 403, "PERMISSION_DENIED");
        app.owner.patch(&place(&is_anna), &json!({"permissions": []})).await.ok(200);
        error(&look(&anna, id).await, 403, 403, "PERMISSION_DENIED");
        assert_eq!(linked(&app.owner, "acme").await, None);
    }

    async fn an_unproved_installation_is_reported_like_an_unknown_one(app) {
        let other = app.other("globex").await;
        let id = app.github.link(&other, "globex", "globex").await;
        let record = linked(&other, "globex").await.unwrap();
        let heard_of = app.github.install("acme").await;
        let reported = async |caller: &Client, reference: &str| {
            let answer = caller.post(LINK, &json!({"ref": reference, "team": "acme"})).await;
            error(&answer, 404, 1601, "ACTION_INVALID_REF").replace(reference, "…")
        };
        let nothing = reported(&app.owner, "0199c1de-0000-7000-8000-00000000dead").await;
        assert_eq!(reported(&app.owner, "404").await, nothing);
        for reference in [record, id.to_string(), heard_of.to_string()] {
            assert_eq!(reported(&app.owner, &reference).await, nothing, "{reference}");
        }
    }

    async fn only_who_administers_the_account_links_it(app) {
        let id = app.github.install("acme").await;
        // Users who see the installation: a member of the organisation, and a collaborator with push access to one
        // repository of it.
        let repository = json!({"name": "shared", "collaborators": ["eve"]});
        app.github.order("accounts", json!({"login": "acme", "repositories": [repository]})).await;
        let maxs = app.github.install("max").await;
        app.github
            .order(
                "accounts",
                json!({"login": "max", "type": "User", "repositories": [{"name": "open", "collaborators": ["ada"]}]}),
            )
            .await;
        for (user, id) in [("max", id), ("eve", id), ("ada", maxs)] {
            let back = signed_in(&app, user, &card_state(&app.owner, "acme").await, id).await;
            let text = page(&app.github.come_back(&back).await, 400, &back);
            assert!(text.contains("GitHub is not connected</h1>"), "{text}");
            assert!(
                text.contains(&format!("does not administer the account of the GitHub installation {id}")),
                "{text}"
            );
            let back = signed_in(&app, user, &card_state(&app.owner, "acme").await, id).await;
            let message =
                error(&app.owner.post(LINK, &link_request("acme", id, &back)).await, 403, 403, "INTEGRATION_UNAUTHORIZED");
            assert!(message.starts_with(&format!("{user} does not administer")), "{message}");
            assert_eq!(linked(&app.owner, "acme").await, None);
            error(&app.owner.post(LINK, &json!({"ref": id, "team": "acme"})).await, 404, 1601, "ACTION_INVALID_REF");
            error(&look(&app.owner, id).await, 400, 1601, "ACTION_INVALID_REF");
        }
    }

    async fn an_outsider_learns_nothing_of_an_installation(app) {
        let id = app.github.install("globex").await;
        let reported = async |id: i64| {
            let back = signed_in(&app, "eve", &card_state(&app.owner, "acme").await, id).await;
            let text = page(&app.github.come_back(&back).await, 400, &back);
            let back = signed_in(&app, "eve", &card_state(&app.owner, "acme").await, id).await;
            let answer = app.owner.post(LINK, &link_request("acme", id, &back)).await;
            (text + &error(&answer, 403, 403, "INTEGRATION_UNAUTHORIZED")).replace(&id.to_string(), "…")
        };
        let there = reported(id).await;
        assert_eq!(there, reported(id + 1000).await, "an existing one is reported like an unknown one");
        assert!(!there.contains("globex"), "{there}");
        assert_eq!(linked(&app.owner, "acme").await, None);
    }

    async fn a_number_that_was_exchanged_is_not_linked(app) {
        let id = app.github.install("acme").await;
        let eve = app.caller("acme", "eve", Role::Admin).await;
        let own = app.github.install_as("eve", "eve", &card_state(&eve, "acme").await).await;
        assert_eq!(said(&own, "setup_action").as_deref(), Some("install"));
        let forged = saying(&own, "installation_id", Some(&id.to_string()));
        page(&app.github.come_back(&forged).await, 400, &forged);
        assert_eq!(linked(&eve, "acme").await, None, "neither the one nor the other");
        for text in ["", "x", "1.5", "99999999999999999999", "1 or 1=1", "<script>"] {
            let back = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, text).await;
            let reported = page(&app.github.come_back(&back).await, 400, &back);
            assert!(reported.contains("The address is not complete"), "{text}: {reported}");
        }
        let none =
            saying(&signed_in(&app, "ada", &card_state(&app.owner, "acme").await, 0).await, "installation_id", None);
        let reported = page(&app.github.come_back(&none).await, 400, &none);
        assert!(reported.contains("nstallation_id"), "{reported}");
        assert_eq!(linked(&app.owner, "acme").await, None);
    }

    async fn an_app_that_may_not_read_members_proves_nobody(app) {
        app.github.order("app", json!({"permissions": {"metadata": "read", "contents": "read"}})).await;
        let location = app.github.install_as("ada", "acme", &card_state(&app.owner, "acme").await).await;
        page(&app.github.come_back(&location).await, 400, &location);
        assert_eq!(linked(&app.owner, "acme").await, None);
    }

    async fn a_suspended_installation_is_not_linked(app) {
        let id = app.github.install("acme").await;
        app.github.order(&format!("installations/{id}/suspend"), json!({})).await;
        let back = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
        let text = page(&app.github.come_back(&back).await, 400, &back);
        assert!(text.contains("suspended"), "{text}");
        let back = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
        let message = error(&app.owner.post(LINK, &link_request("acme", id, &back)).await, 400, 400, "FAILED_PRECONDITION");
        assert!(message.contains("suspended"), "{message}");
        assert_eq!(linked(&app.owner, "acme").await, None);
        app.github.order(&format!("installations/{id}/unsuspend"), json!({})).await;
        app.github.link(&app.owner, "acme", "acme").await;
    }

    async fn an_installation_that_was_deleted_is_not_linked_by_an_old_proof(app) {
        let id = app.github.link(&app.owner, "acme", "acme").await;
        let record = linked(&app.owner, "acme").await.unwrap();
        app.github.order(&format!("installations/{id}/delete"), json!({})).await;
        until("it is unlinked", WAIT_LIMIT, async || linked(&app.owner, "acme").await.is_none().then_some(())).await;
        for reference in [json!(id), json!(record)] {
            error(
                &app.owner.post(LINK, &json!({"ref": reference, "team": "acme"})).await,
                404,
                1601,
                "ACTION_INVALID_REF",
            );
            done(&app.owner.post(UNLINK, &json!({"ref": reference, "team": "acme"})).await);
        }
        let again = app.github.link(&app.owner, "acme", "acme").await;
        assert_ne!((again, linked(&app.owner, "acme").await), (id, Some(record)));
    }

    async fn a_state_is_good_once_for_a_short_time(app) {
        let id = app.github.install("acme").await;
        let old = card_state(&app.owner, "acme").await;
        app.advance(LIFETIME);
        app.set_their_clocks().await;
        for (state, says) in [
            ("forged", "not one that was issued"),
            ("", "not one that was issued"),
            (&old, "too old"),
            (&old, "used already"),
        ] {
            let back = signed_in(&app, "ada", state, id).await;
            let text = page(&app.github.come_back(&saying(&back, "state", Some(state))).await, 400, &back);
            assert!(text.contains("Nothing was connected</h1>") && text.contains(says), "{state}: {text}");
            let answer = app.owner.post(LINK, &link_request("acme", id, &saying(&back, "state", Some(state)))).await;
            error(&answer, 400, 400, "INTEGRATION_INVALID_STATE");
        }
        assert_eq!((linked(&app.owner, "acme").await, exchanges(&app).await), (None, 0), "GitHub is not asked");
        let good = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
        let both = tokio::join!(app.github.come_back(&good), app.github.come_back(&good));
        let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400]);
        let back = signed_in(&app, "ada", &said(&good, "state").unwrap(), id).await;
        page(&app.github.come_back(&back).await, 400, &back);
        assert_eq!(exchanges(&app).await, 1);
    }

    async fn a_state_is_its_members_alone(app) {
        let other = app.other("globex").await;
        let anna = app.caller("acme", "anna", Role::Admin).await;
        let id = app.github.install("acme").await;
        let back = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
        for (thief, team) in [(&anna, "acme"), (&other, "globex")] {
            error(&thief.post(LINK, &link_request(team, id, &back)).await, 400, 400, "INTEGRATION_INVALID_STATE");
            assert_eq!(linked(thief, team).await, None);
        }
        error(&other.post(LINK, &link_request("acme", id, &back)).await, 400, 1101, "TEAM_INVALID_REF");
        error(&app.owner.post(LINK, &link_request("globex", id, &back)).await, 400, 1101, "TEAM_INVALID_REF");
        for without in ["code", "state"] {
            let mut link_request = link_request("acme", id, &back);
            link_request.as_object_mut().unwrap().remove(without);
            error(&app.owner.post(LINK, &link_request).await, 404, 1601, "ACTION_INVALID_REF");
        }
        assert_eq!(exchanges(&app).await, 0, "GitHub is not asked");
        done(&app.owner.post(LINK, &link_request("acme", id, &back)).await);
    }

    async fn two_tabs_work(app) {
        let states = [card_state(&app.owner, "acme").await, card_state(&app.owner, "acme").await];
        for state in states.iter().rev() {
            let mut back = app.github.install_as("ada", "acme", state).await;
            let answer = app.github.come_back(&back).await;
            let asked = if answer.status == 302 {
                back = app.github.authorize_as("ada", answer.header("location")).await;
                app.github.come_back(&back).await
            } else {
                answer
            };
            let answer = app.github.confirm(&asked).await;
            page(&answer, 200, &back);
        }
        assert!(linked(&app.owner, "acme").await.is_some());
    }

    async fn a_cancellation_is_confirmed_without_words_of_others(app) {
        for (word, says) in [
            ("access_denied", "access_denied"),
            ("redirect_uri_mismatch", "redirect_uri_mismatch"),
            ("Call 555-1234 to unlock your account", ""),
            ("<script>alert(1)</script>", ""),
            ("", ""),
        ] {
            let state = card_state(&app.owner, "acme").await;
            let location = Url::parse_with_params(
                &format!("http://x{CALLBACK}"),
                [("error", word), ("state", &state), ("error_description", "Call 555-1234")],
            )
            .unwrap();
            let text = page(&app.github.come_back(&location).await, 400, &location);
            assert!(
                text.contains("GitHub is not connected</h1>") && text.contains("GitHub refused") && text.contains(says),
                "{text}"
            );
            assert!(!text.contains("555-1234") && !text.contains("alert"), "{text}");
            let id = app.github.install("acme").await;
            let back = signed_in(&app, "ada", &state, id).await;
            page(&app.github.come_back(&back).await, 400, &back);
            app.github.order(&format!("installations/{id}/delete"), json!({})).await;
        }
        assert_eq!((linked(&app.owner, "acme").await, exchanges(&app).await), (None, 0));
    }

    async fn a_state_of_one_provider_is_invalid_for_the_other(app) {
        let id = app.github.install("acme").await;
        let slack = app.owner.get(SLACK_STATE).await.ok(200)["oauthUrl"].as_str().unwrap().to_owned();
        let (slacks_code, slacks) = app.slack.allow(&slack, "T0STANDIN").await;
        let install = app.owner.get("/api/v2/integration/slack/install").await;
        let (_, installs) = app.slack.allow(install.header("location"), "T0STANDIN").await;
        for state in [&slacks, &installs] {
            let back = signed_in(&app, "ada", state, id).await;
            page(&app.github.come_back(&back).await, 400, &back);
            error(&app.owner.post(LINK, &link_request("acme", id, &back)).await, 400, 400, "INTEGRATION_INVALID_STATE");
        }
        let githubs = card_state(&app.owner, "acme").await;
        for path in ["/v1/slack/oauth/callback", "/api/v2/integration/slack/auth"] {
            let query = [("code", slacks_code.as_str()), ("state", &githubs)];
            let answer = app.anon.send(app.anon.request(Method::GET, path).query(&query)).await;
            assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        }
        let body = json!({"code": slacks_code, "state": githubs});
        app.owner.post("/v1/slack-integrations/oauth/complete", &body).await.ok(400);
        assert_eq!((exchanges(&app).await, app.slack.calls("oauth.v2.access").await.len()), (0, 0));

        // Another's mistake has not used them up.
        let back = signed_in(&app, "ada", &githubs, id).await;
        page(&app.github.come_back(&back).await, 200, &back);
        let body = json!({"code": slacks_code, "state": slacks});
        app.owner.post("/v1/slack-integrations/oauth/complete", &body).await.ok(200);
    }

    async fn who_may_no_longer_link_does_not(app) {
        let id = app.github.install("acme").await;
        for (username, is_removed) in [("anna", false), ("bert", true)] {
            let (caller, member) = member(&app, "acme", username, None).await;
            let state = || card_state(&caller, "acme");
            let [first, second] = [state().await, state().await];
            let requested = saying(&signed_in(&app, "ada", &first, id).await, "setup_action", Some("request"));
            let backs = [
                signed_in(&app, "ada", &state().await, id).await,
                saying(&signed_in(&app, "ada", &second, id).await, "code", None),
                requested,
            ];
            let link_request = link_request("acme", id, &signed_in(&app, "ada", &state().await, id).await);
            if is_removed {
                app.owner.delete(&place(&member)).await.ok(204);
                error(&caller.post(LINK, &link_request).await, 401, 401, "TOKEN_INVALID");
            } else {
                app.owner.patch(&place(&member), &json!({"role": "member"})).await.ok(200);
                error(&caller.post(LINK, &link_request).await, 403, 403, "PERMISSION_DENIED");
            }
            for back in backs {
                page(&app.github.come_back(&back).await, 400, &back);
            }
        }
        assert_eq!((linked(&app.owner, "acme").await, exchanges(&app).await), (None, 0));
    }

    async fn who_leaves_meanwhile_links_nothing(app) {
        let id = app.github.install("acme").await;
        for (username, is_removed) in [("anna", false), ("bert", true)] {
            let (caller, member) = member(&app, "acme", username, None).await;
            let back = signed_in(&app, "ada", &card_state(&caller, "acme").await, id).await;
            let fault = json!({"method": "GET /installation/repositories", "latencyMs": 300, "times": 1});
            app.github.order("faults", fault).await;
            let leaves = async {
                until("GitHub is asked", WAIT_LIMIT, async || {
                    (app.github.ask("faults").await == json!([])).then_some(())
                })
                .await;
                if is_removed {
                    app.owner.delete(&place(&member)).await.ok(204);
                } else {
                    app.owner.patch(&place(&member), &json!({"role": "member"})).await.ok(200);
                }
            };
            let (answer, ()) = tokio::join!(app.github.come_back(&back), leaves);
            page(&answer, 400, &back);
            assert_eq!(linked(&app.owner, "acme").await, None, "{username}");
        }
    }

    async fn what_is_deleted_meanwhile_is_not_linked(app) {
        let id = app.github.install("acme").await;
        let back = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
        app.github
            .order("faults", json!({"method": "GET /installation/repositories", "latencyMs": 300, "times": 1}))
            .await;
        // The webhook overtakes the requested list.
        let gone = app.github.sign(json!({"event": "installation", "action": "deleted", "installation": id})).await;
        let leaves = async {
            until("GitHub is asked", WAIT_LIMIT, async || (app.github.ask("faults").await == json!([])).then_some(()))
                .await;
            app.github.deliver(&gone).await.ok(202);
        };
        let (asked, ()) = tokio::join!(app.github.come_back(&back), leaves);
        assert!(page(&asked, 400, &back).contains("There is no GitHub installation"), "{}", asked.text);
        assert_eq!(linked(&app.owner, "acme").await, None);

        // The same between the request and the answer.
        let id = app.github.install("eve").await;
        let back = signed_in(&app, "eve", &card_state(&app.owner, "acme").await, id).await;
        let asked = app.github.come_back(&back).await;
        let gone = app.github.sign(json!({"event": "installation", "action": "deleted", "installation": id})).await;
        app.github.deliver(&gone).await.ok(202);
        page(&app.github.confirm(&asked).await, 400, &back);
        assert_eq!(linked(&app.owner, "acme").await, None);
    }

    async fn a_link_from_an_outsider_links_nothing(app) {
        let mallory = app.other("evil").await;
        let id = app.github.install("acme").await;
        // Mallory gets an address at GitHub that carries her state and another's installation, and sends it to Ada,
        // whom GitHub signs in without a question.
        let begun = Url::parse(&format!("http://x{CALLBACK}?setup_action=update&installation_id={id}")).unwrap();
        let begun = saying(&begun, "state", Some(&card_state(&mallory, "evil").await));
        let sent = app.github.come_back(&begun).await.header("location").to_owned();
        let back = app.github.authorize_as("ada", &sent).await;
        let asked = app.github.come_back(&back).await;
        let text = page(&asked, 200, &back);
        assert!(text.contains("<h1>Link the GitHub account acme to evil?</h1>"), "{text}");
        assert!(text.contains("Close this page if that is not what you want."), "{text}");
        assert_eq!(linked(&mallory, "evil").await, None, "Ada has not agreed");
        error(&mallory.post(LINK, &json!({"ref": id, "team": "evil"})).await, 404, 1601, "ACTION_INVALID_REF");
        error(&look(&mallory, id).await, 400, 1601, "ACTION_INVALID_REF");
        let known = said(&begun, "state").into_iter().chain(said(&Url::parse(&sent).unwrap(), "state"));
        for state in known {
            let forged = saying(&saying(&begun, "state", Some(&state)), "setup_action", Some("confirm"));
            page(&app.github.come_back(&forged).await, 400, &forged);
        }
        assert_eq!(linked(&mallory, "evil").await, None, "Mallory's knowledge is not enough");
        page(&app.github.confirm(&asked).await, 200, &back);
        assert!(linked(&mallory, "evil").await.is_some(), "Ada has");
    }

    async fn a_yes_is_good_once_for_a_short_time(app) {
        let id = app.github.install("acme").await;
        let asked = async |caller: &Client| {
            let back = signed_in(&app, "ada", &card_state(caller, "acme").await, id).await;
            (app.github.come_back(&back).await, back)
        };
        let (old, back) = asked(&app.owner).await;
        app.advance(LIFETIME);
        app.set_their_clocks().await;
        let text = page(&app.github.confirm(&old).await, 400, &back);
        assert!(text.contains("too old"), "{text}");
        for is_removed in [false, true] {
            let (anna, member) = member(&app, "acme", "anna", None).await;
            let (asked, back) = asked(&anna).await;
            if is_removed {
                app.owner.delete(&place(&member)).await.ok(204);
            } else {
                app.owner.patch(&place(&member), &json!({"role": "member"})).await.ok(200);
            }
            page(&app.github.confirm(&asked).await, 400, &back);
            app.owner.patch(&place(&member), &json!({"role": "admin"})).await;
        }
        assert_eq!(linked(&app.owner, "acme").await, None);

        let (asked, back) = asked(&app.owner).await;
        let yes = &browser::state(&asked);
        // It is not a valid state for anything else, and needs its number.
        let other = signed_in(&app, "ada", yes, id).await;
        page(&app.github.come_back(&other).await, 400, &other);
        error(&app.owner.post(LINK, &link_request("acme", id, &other)).await, 400, 400, "INTEGRATION_INVALID_STATE");
        for forged in [yes.replace(&id.to_string(), &(id + 1).to_string()), yes.split('.').next().unwrap().to_owned()] {
            let request = browser::button(&app.anon, &asked).form(&[("state", forged)]);
            page(&app.anon.send(request).await, 400, &back);
        }
        let both = tokio::join!(app.github.confirm(&asked), app.github.confirm(&asked));
        let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400]);
        page(&app.github.confirm(&asked).await, 400, &back);
        assert!(linked(&app.owner, "acme").await.is_some());
    }

    async fn a_code_is_good_once(app) {
        let id = app.github.install("acme").await;
        let first = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
        page(&app.github.come_back(&first).await, 200, &first);
        done(&app.owner.post(UNLINK, &json!({"ref": id, "team": "acme"})).await);
        app.advance(LIFETIME);
        app.set_their_clocks().await;
        for code in [said(&first, "code").unwrap().as_str(), "nonsense", ""] {
            let back = saying(&first, "code", Some(code));
            let back = saying(&back, "state", Some(&card_state(&app.owner, "acme").await));
            let text = page(&app.github.come_back(&back).await, 400, &back);
            assert!(text.contains("bad_verification_code"), "{text}");
            let back = saying(&back, "state", Some(&card_state(&app.owner, "acme").await));
            let message = error(&app.owner.post(LINK, &link_request("acme", id, &back)).await, 400, 1601, "ACTION_INVALID_REF");
            assert!(message.contains("bad_verification_code"), "{message}");
        }
        assert_eq!(linked(&app.owner, "acme").await, None);
    }

    async fn a_github_that_does_not_answer_links_nothing(app) {
        let id = app.github.install("acme").await;
        let steps = [
            "POST /login/oauth/access_token",
            "GET /user",
            "GET /user/installations",
            "GET /app/installations/{installation_id}",
            "GET /user/memberships/orgs/{org}",
            "POST /app/installations/{installation_id}/access_tokens",
            "GET /installation/repositories",
        ];
        let everywhere = [
            json!({"status": 500}),
            json!({"status": 502, "body": "<html>Unicorn!</html>"}),
            json!({"body": "<html>maintenance</html>"}),
            json!({"body": "{\"id\":{},\"access_token\":7}"}),
            json!({"retryAfterSecs": 9}),
            json!({"rateLimitResetSecs": 90}),
            json!({"drop": "before"}),
        ];
        let slow = [json!({"latencyMs": 5000}), json!({"hang": "body"}), json!({"endlessBytes": 50_000_000})];
        for step in steps {
            let slow =
                slow.iter().filter(|_| step.starts_with("POST /login") || step == "GET /installation/repositories");
            for fault in everywhere.iter().chain(slow) {
                let mut order = fault.clone();
                order["method"] = json!(step);
                let fails = async || {
                    let back = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
                    app.github.order("faults", order.clone()).await;
                    back
                };
                let back = fails().await;
                let text = page(&app.github.come_back(&back).await, 503, &back);
                assert!(
                    text.contains("GitHub is not connected</h1>") && text.contains("try again later"),
                    "{order}: {text}"
                );
                assert!(!text.contains("Unicorn") && !text.contains("maintenance"), "{order}: {text}");
                app.github.mend().await;
                page(&app.github.come_back(&back).await, 400, &back);
                if ["status", "body", "rateLimitResetSecs"].iter().any(|name| fault.get(name).is_some()) {
                    let back = fails().await;
                    let answer = app.owner.post(LINK, &link_request("acme", id, &back)).await;
                    error(&answer, 400, 1601, "ACTION_INVALID_REF");
                    app.github.mend().await;
                }
                assert_eq!(linked(&app.owner, "acme").await, None, "{order}");
                let answer = app.owner.post(LINK, &json!({"ref": id, "team": "acme"})).await;
                error(&answer, 404, 1601, "ACTION_INVALID_REF");
            }
        }
        let back = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
        page(&app.github.come_back(&back).await, 200, &back);
    }

    async fn a_github_that_refuses_links_nothing(app) {
        let id = app.github.install("acme").await;
        for (step, status) in [
            ("GET /user", 401),
            ("GET /user/installations", 401),
            ("GET /user/installations", 403),
            ("GET /app/installations/{installation_id}", 404),
            ("GET /app/installations/{installation_id}", 401),
            ("GET /user/memberships/orgs/{org}", 403),
            ("GET /user/memberships/orgs/{org}", 404),
            ("POST /app/installations/{installation_id}/access_tokens", 403),
            ("POST /app/installations/{installation_id}/access_tokens", 422),
            ("GET /installation/repositories", 404),
        ] {
            let back = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
            let words = "No <b>way</b>, says the stand-in";
            app.github.order("faults", json!({"method": step, "status": status, "error": words})).await;
            let text = page(&app.github.come_back(&back).await, 400, &back);
            assert!(!text.contains("<b>"), "{step} {status}: {text}");
            app.github.mend().await;
            assert_eq!(linked(&app.owner, "acme").await, None, "{step} {status}");
            error(&app.owner.post(LINK, &json!({"ref": id, "team": "acme"})).await, 404, 1601, "ACTION_INVALID_REF");
        }
    }

    async fn a_membership_that_is_only_offered_proves_nothing(app) {
        let id = app.github.install("acme").await;
        for membership in [
            json!({"state": "pending", "role": "admin"}),
            json!({"state": "active", "role": "member"}),
            json!({"state": "active", "role": "billing_manager"}),
        ] {
            let back = signed_in(&app, "ada", &card_state(&app.owner, "acme").await, id).await;
            let fault =
                json!({"method": "GET /user/memberships/orgs/{org}", "status": 200, "body": membership.to_string()});
            app.github.order("faults", fault).await;
            let text = page(&app.github.come_back(&back).await, 400, &back);
            assert!(text.contains("does not administer"), "{membership}: {text}");
            app.github.mend().await;
        }
        assert_eq!(linked(&app.owner, "acme").await, None);
    }
}
