//! Tests of invitations: a user or a subject named by another member counts once its holder accepts, or the issuer
//! asserts it.

use super::*;
use crate::support::Client;

fn header() -> Value {
    json!({"alg": "HS256"})
}

/// A caller with a JWT of this subject.
pub fn as_subject(app: &TestApp, sub: impl ToString) -> Client {
    app.anon.with_token(&mint(&Key::shared(SECRET), &header(), &claims(sub)))
}

/// Path of a caller's organisation.
async fn home(caller: &Client) -> String {
    let id = caller.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    format!("/v1/organisations/{id}")
}

async fn invite(admin: &Client, body: Value) -> Value {
    admin.post(&format!("{}/members", home(admin).await), &body).await.ok(201)
}

async fn invitations(who: &Client) -> Vec<Value> {
    who.get("/v1/invitations").await.ok(200)["data"].as_array().unwrap().clone()
}

async fn answer(who: &Client, invitation: &Value, word: &str) -> Answer {
    who.post(&format!("/v1/invitations/{}/{word}", invitation["id"].as_str().unwrap()), &json!({})).await
}

async fn each_database() -> Vec<TestApp> {
    let mut apps = Vec::new();
    for database in [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten() {
        apps.push(sharing_on(database).await);
    }
    apps
}

#[tokio::test]
async fn whoever_claims_a_user_or_a_subject_of_others_changes_nothing_for_them() {
    for app in each_database().await {
        let bob = member(&app, "acme", None, Some("idp|bob")).await;
        let evil = app.other("evil").await;
        invite(&evil, json!({"username": "one", "subject": "idp|bob"})).await;
        invite(&evil, json!({"username": "two", "userId": bob.user_id.to_string()})).await;
        // A subject without an organisation does not land in the first one that names it.
        let made = invite(&evil, json!({"username": "three", "subject": "idp|new"})).await;
        assert_eq!(made["invited"], true, "{made}");
        for sub in ["idp|bob".to_owned(), bob.user_id.to_string()] {
            let bob = as_subject(&app, &sub);
            let found = bob.get("/v1/organisations").await.ok(200);
            assert_eq!((found["data"].as_array().unwrap().len(), &found["data"][0]["slug"]), (1, &json!("acme")));
            bob.get("/v1/channels").await.ok(200);
            let evils = evil.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
            let named = bob.request(Method::GET, "/v1/channels").header("X-Organisation-Id", evils);
            bob.send(named).await.problem(401, "not_a_member");
        }
        as_subject(&app, "idp|new").get("/v1/channels").await.problem(401, "not_a_member");
    }
}

#[tokio::test]
async fn an_invitation_that_is_accepted_makes_a_member() {
    for app in each_database().await {
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let made = invite(&admin, json!({"username": "bob", "subject": "idp|bob"})).await;
        let (bob, eve) = (as_subject(&app, "idp|bob"), as_subject(&app, "idp|eve"));
        let offered = invitations(&bob).await;
        let shown = (&offered[0]["organisation"]["slug"], &offered[0]["username"], &offered[0]["role"]);
        assert_eq!(shown, (&json!("acme"), &json!("bob"), &json!("member")));
        assert!(invitations(&eve).await.is_empty());
        answer(&eve, &offered[0], "accept").await.problem(404, "not_found");
        answer(&eve, &offered[0], "decline").await.problem(404, "not_found");
        bob.get("/v1/channels").await.problem(401, "not_a_member");

        let accepted = answer(&bob, &offered[0], "accept").await.ok(200);
        assert_eq!((&accepted["invited"], &accepted["userId"]), (&json!(false), &made["userId"]));
        bob.get("/v1/channels").await.ok(200);
        assert!(invitations(&bob).await.is_empty());
        answer(&bob, &offered[0], "accept").await.problem(404, "not_found");
        answer(&bob, &offered[0], "decline").await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn an_invitation_that_is_declined_is_gone() {
    for app in each_database().await {
        let made = invite(&app.owner, json!({"username": "bob", "subject": "idp|bob"})).await;
        let bob = as_subject(&app, "idp|bob");
        answer(&bob, &invitations(&bob).await[0], "decline").await.ok(204);
        assert!(invitations(&bob).await.is_empty());
        let place = format!("{}/members/{}", home(&app.owner).await, made["userId"].as_str().unwrap());
        app.owner.get(&place).await.problem(404, "not_found");

        // A member who was given another's subject stays.
        let carl = member(&app, "acme", None, None).await;
        let place = format!("{}/members/{}", home(&app.owner).await, carl.user_id);
        app.owner.patch(&place, &json!({"subject": "idp|bob"})).await.ok(200);
        as_subject(&app, carl.user_id).get("/v1/channels").await.ok(200);
        bob.get("/v1/channels").await.problem(401, "not_a_member");
        answer(&bob, &invitations(&bob).await[0], "decline").await.ok(204);
        let kept = app.owner.get(&place).await.ok(200);
        assert!(kept.get("subject").is_none() && kept["invited"] == false, "{kept}");
    }
}

#[tokio::test]
async fn a_subject_that_takes_a_membership_over_is_no_other_user() {
    for app in each_database().await {
        // An admin gives a member's place to a subject of their own, to act as that user elsewhere.
        let alice = member(&app, "acme", None, None).await;
        let place = format!("{}/members/{}", home(&app.owner).await, alice.user_id);
        app.owner.patch(&place, &json!({"subject": "idp|mole", "role": "owner"})).await.ok(200);
        let mole = as_subject(&app, "idp|mole");
        answer(&mole, &invitations(&mole).await[0], "accept").await.ok(200);
        mole.post("/v1/organisations", &json!({"slug": "trap"})).await.ok(201);
        let token = app.owner.get("/v1/organisations").await.ok(200);
        assert_eq!(token["data"].as_array().unwrap().len(), 1);
        as_subject(&app, alice.user_id).get("/v1/channels").await.problem(401, "not_a_member");
        assert!(invitations(&as_subject(&app, alice.user_id)).await.is_empty());
    }
}

#[tokio::test]
async fn a_personal_token_accepts_nothing() {
    let app = sharing().await;
    app.owner.get("/v1/invitations").await.problem(401, "token_invalid");
    app.anon.get("/v1/invitations").await.problem(401, "unauthenticated");
    app.anon.with_token("tl_nonsense").get("/v1/invitations").await.problem(401, "token_invalid");
}

#[tokio::test]
async fn an_owner_who_is_only_invited_is_not_the_last_one() {
    let app = sharing().await;
    invite(&app.owner, json!({"username": "bob", "subject": "idp|bob", "role": "owner"})).await;
    let members = app.owner.get(&format!("{}/members", home(&app.owner).await)).await.ok(200);
    let olga = members["data"].as_array().unwrap().iter().find(|one| one["username"] == "olga").unwrap().clone();
    let place = format!("{}/members/{}", home(&app.owner).await, olga["userId"].as_str().unwrap());
    app.owner.delete(&place).await.problem(409, "failed_precondition");
    let bob = as_subject(&app, "idp|bob");
    answer(&bob, &invitations(&bob).await[0], "accept").await.ok(200);
    bob.delete(&place).await.ok(204);
}

#[tokio::test]
async fn an_issuer_that_lists_organisations_accepts_for_its_subjects() {
    let settings = vec![
        ("TIELINE_AUTH__JWT__HS256_SECRET", SECRET.into()),
        ("TIELINE_AUTH__JWT__ORGANISATIONS_CLAIM", "orgs".to_owned()),
    ];
    let app = with_settings(Database::sqlite(), settings).await;
    let evil = app.other("evil").await;
    for admin in [&app.owner, &evil] {
        invite(admin, json!({"username": "bob", "subject": "idp|bob"})).await;
    }
    let id = home(&app.owner).await.rsplit_once('/').unwrap().1.to_owned();
    for (listed, status) in [
        (json!(["acme", "other"]), 200),
        (json!("acme"), 200),
        (json!([id]), 200),
        (json!(["other", 7, null, "Not A Slug"]), 401),
        (json!(null), 401),
        (json!({"acme": true}), 401),
    ] {
        let token = mint(&Key::shared(SECRET), &header(), &but(&claims("idp|bob"), "orgs", listed.clone()));
        let answer = app.anon.with_token(&token).get("/v1/organisations").await;
        assert_eq!(answer.status, status, "{listed}: {}", answer.text);
        assert!(status != 200 || answer.ok(200)["data"][0]["slug"] == "acme", "{}", answer.text);
    }
    as_subject(&app, "idp|bob").get("/v1/channels").await.problem(401, "not_a_member");
}

#[tokio::test]
async fn only_owners_act_on_owners() {
    let app = sharing().await;
    let admin = app.caller("acme", "ada", Role::Admin).await;
    let made = app.owner.post("/v1/tokens", &json!({"name": "owners"})).await.ok(201);
    let token = format!("/v1/tokens/{}", made["token"]["id"].as_str().unwrap());
    admin.delete(&token).await.problem(403, "forbidden");
    app.anon.with_token(made["secret"].as_str().unwrap()).get("/v1/channels").await.ok(200);

    // An owner without permissions is still an owner.
    let bob = invite(&app.owner, json!({"username": "bob"})).await;
    let place = format!("{}/members/{}", home(&app.owner).await, bob["userId"].as_str().unwrap());
    admin.patch(&place, &json!({"role": "owner", "permissions": []})).await.problem(403, "forbidden");
    app.owner.patch(&place, &json!({"role": "owner", "permissions": []})).await.ok(200);
    admin.patch(&place, &json!({"role": "member"})).await.problem(403, "forbidden");
    admin.delete(&place).await.problem(403, "forbidden");

    let bobs = app.caller("acme", "carl", Role::Member).await;
    let made = bobs.post("/v1/tokens", &json!({"name": "carls"})).await.ok(201);
    admin.delete(&format!("/v1/tokens/{}", made["token"]["id"].as_str().unwrap())).await.ok(204);
    let other = app.caller("acme", "omar", Role::Owner).await;
    other.delete(&token).await.ok(204);
}
