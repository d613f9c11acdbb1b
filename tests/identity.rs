//! Tests of JSON Web Tokens: accepted tokens, their lifetime, and the accepted keys (RFC 7519, RFC 8725).

mod invitations;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64URL},
};
use futures_util::future::join_all;
pub use invitations::as_subject;
use poem::{
    Response, Server,
    endpoint::make_sync,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
};
use reqwest::Method;
use serde_json::{Value, json};
use tieline::{
    app::tenancy::members::NewMember,
    domain::{
        ids::UserId,
        tenancy::member::{Member, Role},
    },
};

use crate::support::{Answer, Database, Setup, TestApp};

pub const SECRET: &str = "a secret that has more than 32 bytes in it";
/// Start time of every test.
const NOW: i64 = 1_795_000_000;
const HOUR: i64 = 3600;
const YEAR: i64 = 366 * 24 * HOUR;

/// Key to sign with.
enum Key {
    Hmac(hmac::Algorithm, Vec<u8>),
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    fn shared(secret: impl AsRef<[u8]>) -> Self {
        Self::Hmac(hmac::HMAC_SHA256, secret.as_ref().to_vec())
    }

    /// Generates a key for an algorithm.
    fn fresh(algorithm: &str) -> Self {
        match algorithm {
            "RS256" => Self::Rsa(RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap()),
            "ES256" => Self::Ec(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            "EdDSA" => Self::Ed(Ed25519KeyPair::generate().unwrap()),
            other => panic!("{other} is not tested"),
        }
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Hmac(algorithm, secret) => hmac::sign(&hmac::Key::new(*algorithm, secret), text).as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&signature::RSA_PKCS1_SHA256, &random, text, &mut signature).unwrap();
                signature
            }
            Self::Ec(key) => key.sign(&random, text).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(text).as_ref().to_vec(),
        }
    }

    /// The key as published (RFC 7517).
    fn public(&self, kid: &str) -> Value {
        match self {
            Self::Hmac(_, secret) => json!({"kty": "oct", "kid": kid, "k": BASE64URL.encode(secret)}),
            Self::Rsa(key) => {
                // RFC 8017, A.1.1: for 2048 bits the modulus begins at the tenth byte.
                let der = key.public_key().as_ref();
                assert_eq!(der.len(), 270);
                json!({"kty": "RSA", "kid": kid, "use": "sig", "n": BASE64URL.encode(&der[9..265]), "e": "AQAB"})
            }
            Self::Ec(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                let [x, y] = [x, y].map(|half| BASE64URL.encode(half));
                json!({"kty": "EC", "kid": kid, "crv": "P-256", "x": x, "y": y})
            }
            Self::Ed(key) => {
                json!({"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": BASE64URL.encode(key.public_key().as_ref())})
            }
        }
    }
}

/// A token of exactly this text.
fn signed(key: &Key, header: &str, claims: &str) -> String {
    let text = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims));
    let signature = BASE64URL.encode(key.sign(text.as_bytes()));
    format!("{text}.{signature}")
}

fn mint(key: &Key, header: &Value, claims: &Value) -> String {
    signed(key, &header.to_string(), &claims.to_string())
}

/// Claims of a valid token.
fn claims(subject: impl ToString) -> Value {
    json!({"sub": subject.to_string(), "iss": "tieline", "aud": "tieline", "exp": NOW + HOUR})
}

/// The claims with one of them changed; `null` removes it.
fn but(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    match value {
        Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
        value => claims[name] = value,
    }
    claims
}

async fn with_settings(database: Database, settings: Vec<(&'static str, String)>) -> TestApp {
    TestApp::start_with(database, Setup { settings, ..Setup::default() }).await
}

/// An app that accepts tokens signed with [`SECRET`].
async fn sharing() -> TestApp {
    sharing_on(Database::sqlite()).await
}

async fn sharing_on(database: Database) -> TestApp {
    with_settings(database, vec![("TIELINE_AUTH__JWT__HS256_SECRET", SECRET.into())]).await
}

/// An app that accepts the keys of an issuer.
async fn trusting(keys: &KeyServer, algorithm: &str) -> TestApp {
    let settings =
        vec![("TIELINE_AUTH__JWT__JWKS_URL", keys.url.clone()), ("TIELINE_AUTH__JWT__ALGORITHM", algorithm.to_owned())];
    with_settings(Database::sqlite(), settings).await
}

/// Creates a member.
async fn member(app: &TestApp, slug: &str, user_id: Option<UserId>, subject: Option<&str>) -> Member {
    let subject = subject.map(str::to_owned);
    let new = NewMember { user_id, username: "ada".into(), email: None, subject, role: Role::Member };
    app.app.tenancy.ensure_member_as_operator(slug, new).await.unwrap()
}

async fn ask(app: &TestApp, token: &str) -> Answer {
    app.anon.with_token(token).get("/v1/channels").await
}

/// Asserts that a token is refused with this code, or accepted without one.
async fn demand(app: &TestApp, token: &str, code: Option<&str>, what: &str) {
    let answer = ask(app, token).await;
    match code {
        None => assert_eq!(answer.status, 200, "{what}: {}", answer.text),
        Some(code) => {
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (401, &json!(code)), "{what}");
            assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{what}");
        }
    }
}

const INVALID: Option<&str> = Some("token_invalid");
const EXPIRED: Option<&str> = Some("token_expired");
const OUTSIDER: Option<&str> = Some("not_a_member");

/// Publishes keys on loopback and counts the requests for them.
struct KeyServer {
    url: String,
    published: Arc<Mutex<(StatusCode, String)>>,
    fetches: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl KeyServer {
    async fn start(keys: &[Value]) -> Self {
        let published = Arc::new(Mutex::new((StatusCode::OK, String::new())));
        let fetches = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (published.clone(), fetches.clone());
        let endpoint = make_sync(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            let (status, text) = answers.lock().unwrap().clone();
            Response::builder().status(status).content_type("application/json").body(text)
        });
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
        let server = Server::new_with_acceptor(acceptor).run(endpoint);
        let task = tokio::spawn(async move { server.await.unwrap() });
        let this = Self { url: format!("http://{address}/keys"), published, fetches, task };
        this.publish(keys);
        this
    }

    fn publish(&self, keys: &[Value]) {
        *self.published.lock().unwrap() = (StatusCode::OK, json!({"keys": keys}).to_string());
    }

    /// Answers from now on only that it is down.
    fn break_down(&self) {
        self.published.lock().unwrap().0 = StatusCode::SERVICE_UNAVAILABLE;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn claims_must_say_what_is_expected() {
    let app = sharing().await;
    let ada = member(&app, "acme", None, Some("idp|ada")).await;
    let key = Key::shared(SECRET);
    let good = claims(ada.user_id);
    let globex = app.app.tenancy.create_organisation_as_operator("globex", None).await.unwrap();
    for (name, value, code) in [
        ("exp", json!(NOW + 1), None),
        ("exp", json!(NOW - 30), None),
        ("exp", json!(NOW - 59), None),
        ("exp", json!(NOW - 60), EXPIRED),
        ("exp", json!(NOW - 61), EXPIRED),
        ("exp", json!(0), EXPIRED),
        ("exp", json!(1_795_000_001.5), None),
        ("exp", json!(NOW + YEAR), None),
        ("exp", json!(NOW + YEAR + 1), INVALID),
        ("exp", json!(u64::MAX), INVALID),
        ("exp", json!(8_210_266_876_790_i64), INVALID),
        ("exp", json!(-1), INVALID),
        ("exp", json!((NOW + HOUR).to_string()), INVALID),
        ("exp", json!([NOW + HOUR]), INVALID),
        ("exp", json!(null), INVALID),
        ("nbf", json!(NOW - HOUR), None),
        ("nbf", json!(NOW + 60), None),
        ("nbf", json!(NOW + 61), INVALID),
        ("nbf", json!(NOW + 61_000), INVALID),
        ("nbf", json!(1e300), INVALID),
        ("nbf", json!((NOW - HOUR).to_string()), INVALID),
        ("aud", json!(["tieline"]), None),
        ("aud", json!(["other", "tieline"]), None),
        ("aud", json!(["other"]), INVALID),
        ("aud", json!([]), INVALID),
        ("aud", json!("other"), INVALID),
        ("aud", json!("tieline "), INVALID),
        ("aud", json!(5), INVALID),
        ("aud", json!(null), INVALID),
        ("iss", json!("other"), INVALID),
        ("iss", json!("tieline/"), INVALID),
        ("iss", json!(["tieline"]), INVALID),
        ("iss", json!(5), INVALID),
        ("iss", json!(null), INVALID),
        ("sub", json!("idp|ada"), None),
        ("sub", json!(ada.user_id.0.simple().to_string()), None),
        ("sub", json!("nobody"), OUTSIDER),
        ("sub", json!("0199c1de-0000-7000-8000-00000000dead"), OUTSIDER),
        ("sub", json!("ada"), OUTSIDER),
        ("sub", json!(ada.id.to_string()), OUTSIDER),
        ("sub", json!(""), INVALID),
        ("sub", json!("a\u{0}b"), INVALID),
        ("sub", json!(5), INVALID),
        ("sub", json!(["idp|ada"]), INVALID),
        ("sub", json!(null), INVALID),
        ("organisation_id", json!(ada.organisation_id.to_string()), None),
        ("organisation_id", json!(globex.id.to_string()), OUTSIDER),
        ("organisation_id", json!("acme"), INVALID),
        ("more", json!({"deep": [1, null]}), None),
    ] {
        let what = format!("{name} = {value}");
        demand(&app, &mint(&key, &json!({"alg": "HS256"}), &but(&good, name, value)), code, &what).await;
    }
    let twice = good.to_string().replacen('{', r#"{"sub": "nobody", "#, 1);
    demand(&app, &signed(&key, r#"{"alg": "HS256"}"#, &twice), INVALID, "a claim that is there twice").await;
}

#[tokio::test]
async fn the_algorithm_is_ours_to_choose() {
    let app = sharing().await;
    let ada = member(&app, "acme", None, None).await;
    let good = claims(ada.user_id);
    let shared = Key::shared(SECRET);
    for (header, code) in [
        (json!({"alg": "HS256"}), None),
        (json!({"alg": "HS256", "typ": "JWT", "kid": "any"}), None),
        (json!({"alg": "none"}), INVALID),
        (json!({"alg": "None"}), INVALID),
        (json!({"alg": "HS512"}), INVALID),
        (json!({"alg": "RS256"}), INVALID),
        (json!({"alg": "hs256"}), INVALID),
        (json!({"alg": ""}), INVALID),
        (json!({"alg": null}), INVALID),
        (json!({}), INVALID),
        (json!([]), INVALID),
        (json!({"alg": "HS256", "crit": ["unheard-of"], "unheard-of": true}), INVALID),
    ] {
        demand(&app, &mint(&shared, &header, &good), code, &header.to_string()).await;
    }
    for (algorithm, key) in [
        ("HS512", Key::Hmac(hmac::HMAC_SHA512, SECRET.into())),
        ("HS384", Key::Hmac(hmac::HMAC_SHA384, SECRET.into())),
        ("HS256", Key::shared("another secret that has more than 32 bytes")),
        ("HS256", Key::shared("")),
        ("RS256", Key::fresh("RS256")),
        ("ES256", Key::fresh("ES256")),
        ("EdDSA", Key::fresh("EdDSA")),
    ] {
        demand(&app, &mint(&key, &json!({"alg": algorithm}), &good), INVALID, algorithm).await;
    }
    let none = mint(&shared, &json!({"alg": "none"}), &good);
    let unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
    demand(&app, &unsigned, INVALID, "alg none without a signature").await;
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let app = sharing().await;
    let ada = member(&app, "acme", None, None).await;
    let key = Key::shared(SECRET);
    let good = mint(&key, &json!({"alg": "HS256"}), &claims(ada.user_id));
    demand(&app, &good, None, "the good one").await;
    let parts: Vec<&str> = good.split('.').collect();
    let [header, body, signature] = parts[..] else { panic!("{good}") };
    let other = BASE64URL.encode(claims("somebody-else").to_string());
    for bad in [
        "x".to_owned(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!("{header}.{body}"),
        format!("{header}.{body}."),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("{header}.{other}.{signature}"),
        format!("{header}.{body}.{}", &signature[..signature.len() - 2]),
        format!("{header}.{body}.{signature}AA"),
        format!(".{body}.{signature}"),
        format!("{header}..{signature}"),
        good.to_uppercase(),
        signed(&key, "{\"alg\": \"HS256\"}", "nonsense"),
        signed(&key, "{\"alg\": \"HS256\"}", "[]"),
        signed(&key, "{\"alg\": \"HS256\"}", &"[".repeat(10_000)),
        signed(&key, "nonsense", "{}"),
    ] {
        demand(&app, &bad, INVALID, &bad).await;
    }
}

#[tokio::test]
async fn without_an_issuer_no_token_is_believed() {
    let app = TestApp::start(Database::sqlite()).await;
    let ada = member(&app, "acme", None, None).await;
    for secret in [SECRET, ""] {
        let token = mint(&Key::shared(secret), &json!({"alg": "HS256"}), &claims(ada.user_id));
        demand(&app, &token, INVALID, "nobody's").await;
    }
}

#[tokio::test]
async fn a_caller_who_is_remembered_is_refused_when_the_time_is_up() {
    let app = sharing().await;
    let ada = member(&app, "acme", None, None).await;
    let token = mint(&Key::shared(SECRET), &json!({"alg": "HS256"}), &claims(ada.user_id));
    for (seconds, code) in [(HOUR, None), (59, None), (1, EXPIRED)] {
        demand(&app, &token, None, "still good").await;
        app.advance(Duration::from_secs(seconds.unsigned_abs()));
        demand(&app, &token, code, &format!("after {seconds} s more")).await;
    }
}

#[tokio::test]
async fn a_member_is_known_by_user_id_and_by_subject() {
    for database in [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten() {
        let app = sharing_on(database).await;
        let ada = member(&app, "acme", None, Some("idp|ada")).await;
        let header = json!({"alg": "HS256"});
        for subject in [ada.user_id.to_string(), "idp|ada".to_owned()] {
            let caller = app.anon.with_token(&mint(&Key::shared(SECRET), &header, &claims(&subject)));
            assert_eq!(caller.get("/v1/organisations").await.ok(200)["data"][0]["slug"], "acme", "{subject}");
            caller.post("/v1/channels", &json!({"name": "x"})).await.problem(403, "forbidden");
        }
        for subject in ["idp|eve", "IDP|ADA", "a\u{0}b", "'; --"] {
            let answer = ask(&app, &mint(&Key::shared(SECRET), &header, &claims(subject))).await;
            assert_eq!(answer.status, 401, "{subject:?}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn who_is_in_several_organisations_says_which() {
    let app = sharing().await;
    for slug in ["globex", "initech"] {
        app.app.tenancy.create_organisation_as_operator(slug, None).await.unwrap();
    }
    let ada = member(&app, "acme", None, None).await;
    let also = member(&app, "globex", Some(ada.user_id), None).await;
    let initech = app.caller("initech", "ivan", Role::Owner).await;
    let strange = initech.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let (key, header) = (Key::shared(SECRET), json!({"alg": "HS256"}));
    let caller = app.anon.with_token(&mint(&key, &header, &claims(ada.user_id)));
    let [ours, theirs] = [ada.organisation_id, also.organisation_id].map(|id| id.to_string());
    let in_organisation = async |id: &str, path: &str| {
        caller.send(caller.request(Method::GET, path).header("X-Organisation-Id", id)).await
    };

    let refused = caller.get("/v1/channels").await.problem(400, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "X-Organisation-Id");
    for (id, other) in [(&ours, &theirs), (&theirs, &ours)] {
        let all = in_organisation(id, "/v1/organisations").await.ok(200);
        assert_eq!(all["data"].as_array().unwrap().len(), 2, "a user sees all of theirs");
        in_organisation(id, &format!("/v1/organisations/{id}")).await.ok(200);
        in_organisation(id, &format!("/v1/organisations/{other}")).await.problem(404, "not_found");
    }
    in_organisation(&strange, "/v1/channels").await.problem(401, "not_a_member");
    in_organisation("acme", "/v1/channels").await.problem(400, "invalid_parameter");

    let bound = mint(&key, &header, &but(&claims(ada.user_id), "organisation_id", json!(theirs)));
    let bound = app.anon.with_token(&bound);
    bound.get(&format!("/v1/organisations/{theirs}")).await.ok(200);
    let request = bound.request(Method::GET, "/v1/channels").header("X-Organisation-Id", &ours);
    bound.send(request).await.problem(401, "not_a_member");
}

#[tokio::test]
async fn who_names_a_user_of_others_a_member_learns_nothing_of_them() {
    let app = sharing().await;
    let globex = app.other("globex").await;
    let ada = member(&app, "acme", None, Some("idp|ada")).await;
    let home = globex.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({"username": "mole", "userId": ada.user_id.to_string(), "subject": "idp|mole", "role": "owner"});
    globex.post(&format!("/v1/organisations/{home}/members"), &body).await.ok(201);
    let mole = app.anon.with_token(&mint(&Key::shared(SECRET), &json!({"alg": "HS256"}), &claims("idp|mole")));
    let offered = mole.get("/v1/invitations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    mole.post(&format!("/v1/invitations/{offered}/accept"), &json!({})).await.ok(200);
    let found = mole.get("/v1/organisations").await.ok(200);
    assert_eq!((found["data"].as_array().unwrap().len(), &found["data"][0]["slug"]), (1, &json!("globex")));
    mole.get(&format!("/v1/organisations/{}", ada.organisation_id)).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_token_of_an_issuer_says_nothing_of_permissions() {
    let app = sharing().await;
    let ada = member(&app, "acme", None, None).await;
    let mut wide = claims(ada.user_id);
    wide["role"] = json!("owner");
    wide["permissions"] = json!(["channels:manage"]);
    wide["scope"] = json!("channels:manage");
    let caller = app.anon.with_token(&mint(&Key::shared(SECRET), &json!({"alg": "HS256"}), &wide));
    caller.post("/v1/channels", &json!({"name": "x"})).await.problem(403, "forbidden");
    let place = format!("/v1/organisations/{}/members/{}", ada.organisation_id, ada.user_id);
    app.owner.patch(&place, &json!({"role": "admin"})).await.ok(200);
    caller.post("/v1/channels", &json!({"name": "x"})).await.ok(201);
    app.owner.delete(&place).await.ok(204);
    caller.get("/v1/channels").await.problem(401, "not_a_member");
}

#[tokio::test]
async fn personal_tokens_work_beside_an_issuers() {
    let app = sharing().await;
    app.owner.get("/v1/channels").await.ok(200);
    let ada = member(&app, "acme", None, None).await;
    let caller = app.anon.with_token(&mint(&Key::shared(SECRET), &json!({"alg": "HS256"}), &claims(ada.user_id)));
    let created = caller.post("/v1/tokens", &json!({"name": "own"})).await.ok(201);
    ask(&app, created["secret"].as_str().unwrap()).await.ok(200);
}

#[tokio::test]
async fn an_issuers_published_keys_count_and_no_others() {
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let [key, second, outsider] = [(); 3].map(|()| Key::fresh(algorithm));
        let oct = Key::shared("a published secret that is no secret");
        let server = KeyServer::start(&[key.public("one"), second.public("two"), oct.public("oct")]).await;
        let app = trusting(&server, algorithm).await;
        let ada = member(&app, "acme", None, Some("idp|ada")).await;
        let good = claims(ada.user_id);
        let with = |key: &Key, kid: &str| mint(key, &json!({"alg": algorithm, "kid": kid}), &good);
        demand(&app, &with(&key, "one"), None, algorithm).await;
        demand(&app, &with(&second, "two"), None, algorithm).await;
        let by_subject = mint(&key, &json!({"alg": algorithm, "kid": "one"}), &claims("idp|ada"));
        demand(&app, &by_subject, None, algorithm).await;
        demand(&app, &with(&key, "two"), INVALID, "signed with another key").await;
        demand(&app, &with(&outsider, "one"), INVALID, "signed with a key of somebody's").await;
        demand(&app, &mint(&key, &json!({"alg": algorithm}), &good), INVALID, "which of two keys?").await;
        let hs256 = json!({"alg": "HS256", "kid": "oct"});
        demand(&app, &mint(&oct, &hs256, &good), INVALID, "a published secret").await;
        demand(&app, &with(&key, "one").replace('.', ".."), INVALID, "four parts").await;
        for (name, value, code) in [("exp", json!(NOW - 61), EXPIRED), ("aud", json!("other"), INVALID)] {
            let token = mint(&key, &json!({"alg": algorithm, "kid": "one"}), &but(&good, name, value));
            demand(&app, &token, code, name).await;
        }
    }
}

#[tokio::test]
async fn one_key_needs_no_name() {
    let key = Key::fresh("ES256");
    let server = KeyServer::start(&[key.public("only")]).await;
    let app = trusting(&server, "ES256").await;
    let ada = member(&app, "acme", None, None).await;
    demand(&app, &mint(&key, &json!({"alg": "ES256"}), &claims(ada.user_id)), None, "without a kid").await;
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let key = Key::fresh("RS256");
    let Key::Rsa(pair) = &key else { panic!("not RSA") };
    let spki = AsDer::<PublicKeyX509Der>::as_der(pair.public_key()).unwrap();
    let pem = |der: &[u8]| {
        let text = BASE64_STANDARD.encode(der).into_bytes();
        let lines = text.chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", lines.join("\n"))
    };
    let jwk = key.public("one");
    let server = KeyServer::start(std::slice::from_ref(&jwk)).await;
    let app = trusting(&server, "RS256").await;
    let ada = member(&app, "acme", None, None).await;
    let good = claims(ada.user_id);
    let header = json!({"alg": "RS256", "kid": "one"});
    demand(&app, &mint(&key, &header, &good), None, "the good one").await;
    let secrets: Vec<Vec<u8>> = vec![
        pem(spki.as_ref()).into(),
        format!("{}\n", pem(spki.as_ref())).into(),
        spki.as_ref().to_vec(),
        pair.public_key().as_ref().to_vec(),
        BASE64URL.decode(jwk["n"].as_str().unwrap()).unwrap(),
        jwk["n"].as_str().unwrap().into(),
        jwk.to_string().into(),
    ];
    for secret in secrets {
        let confused = Key::shared(secret);
        for algorithm in ["HS256", "RS256"] {
            let token = mint(&confused, &json!({"alg": algorithm, "kid": "one"}), &good);
            demand(&app, &token, INVALID, algorithm).await;
        }
    }
    for other in ["ES256", "EdDSA"] {
        let token = mint(&Key::fresh(other), &json!({"alg": other, "kid": "one"}), &good);
        demand(&app, &token, INVALID, other).await;
    }
    let none = mint(&key, &json!({"alg": "none", "kid": "one"}), &good);
    demand(&app, &none, INVALID, "alg none").await;
}

#[tokio::test]
async fn a_token_does_not_bring_its_own_key() {
    let (key, own) = (Key::fresh("ES256"), Key::fresh("ES256"));
    let server = KeyServer::start(&[key.public("one")]).await;
    let elsewhere = KeyServer::start(&[own.public("one"), own.public("own")]).await;
    let app = trusting(&server, "ES256").await;
    let ada = member(&app, "acme", None, None).await;
    for kid in ["one", "own", "../own", &elsewhere.url, "' OR 1=1 --"] {
        for (name, value) in
            [("jku", json!(elsewhere.url)), ("x5u", json!(elsewhere.url)), ("jwk", own.public(kid)), ("x", json!(1))]
        {
            let mut header = json!({"alg": "ES256", "kid": kid});
            header[name] = value;
            demand(&app, &mint(&own, &header, &claims(ada.user_id)), INVALID, &header.to_string()).await;
        }
    }
    assert_eq!(elsewhere.fetches(), 0);
}

#[tokio::test]
async fn unknown_keys_are_asked_for_at_most_once_a_minute() {
    let (old, new) = (Key::fresh("ES256"), Key::fresh("ES256"));
    let server = KeyServer::start(&[old.public("old")]).await;
    let app = trusting(&server, "ES256").await;
    let ada = member(&app, "acme", None, None).await;
    let with = |key: &Key, kid: &str, id: usize| {
        let claims = but(&claims(ada.user_id), "jti", json!(id));
        mint(key, &json!({"alg": "ES256", "kid": kid}), &claims)
    };
    assert_eq!(server.fetches(), 0, "not before somebody asks");
    for id in 0..5 {
        demand(&app, &with(&old, "old", id), None, "the first key").await;
    }
    assert_eq!(server.fetches(), 1);

    server.publish(&[old.public("old"), new.public("new")]);
    for id in 0..20 {
        demand(&app, &with(&new, &format!("unknown-{id}"), id), INVALID, "unknown").await;
        demand(&app, &with(&new, "new", id), INVALID, "new, and not known yet").await;
    }
    app.advance(Duration::from_millis(59_999));
    demand(&app, &with(&new, "new", 100), INVALID, "within the minute").await;
    assert_eq!(server.fetches(), 1);
    app.advance(Duration::from_millis(1));
    demand(&app, &with(&new, "new", 101), None, "after it").await;
    assert_eq!(server.fetches(), 2);
    demand(&app, &with(&old, "old", 102), None, "the old one").await;

    server.publish(&[new.public("new")]);
    app.advance(Duration::from_secs(60));
    demand(&app, &with(&old, "gone", 103), INVALID, "unknown").await;
    assert_eq!(server.fetches(), 3);
    demand(&app, &with(&old, "old", 104), INVALID, "taken back").await;
    assert_eq!(server.fetches(), 3);
}

#[tokio::test]
async fn callers_who_come_together_share_the_first_fetch() {
    let key = Key::fresh("ES256");
    let server = KeyServer::start(&[key.public("one")]).await;
    let app = trusting(&server, "ES256").await;
    let ada = member(&app, "acme", None, None).await;
    let tokens: Vec<String> = (0..20)
        .map(|id| mint(&key, &json!({"alg": "ES256", "kid": "one"}), &but(&claims(ada.user_id), "jti", json!(id))))
        .collect();
    for answer in join_all(tokens.iter().map(|token| ask(&app, token))).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(server.fetches(), 1);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_not_the_callers_fault() {
    let key = Key::fresh("ES256");
    let server = KeyServer::start(&[key.public("one")]).await;
    server.break_down();
    let app = trusting(&server, "ES256").await;
    let ada = member(&app, "acme", None, None).await;
    let with = |kid: &str, id: usize| {
        let claims = but(&claims(ada.user_id), "jti", json!(id));
        mint(&key, &json!({"alg": "ES256", "kid": kid}), &claims)
    };
    let demand_unavailable = async |token: String| {
        let answer = ask(&app, &token).await;
        answer.problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "1");
    };
    for id in 0..3 {
        demand_unavailable(with("one", id)).await;
    }
    demand(&app, "a.b.c", INVALID, "garbage stays garbage").await;
    app.owner.get("/v1/channels").await.ok(200);
    assert_eq!(server.fetches(), 1);
    server.publish(&[key.public("one")]);
    app.advance(Duration::from_secs(60));
    demand(&app, &with("one", 3), None, "it is back").await;

    server.break_down();
    app.advance(Duration::from_secs(60));
    demand_unavailable(with("unknown", 4)).await;
    demand(&app, &with("one", 5), None, "known keys stay known").await;
    assert_eq!(server.fetches(), 3);
}

#[tokio::test]
async fn settings_that_mix_two_kinds_of_key_are_refused() {
    for settings in [
        &[("TIELINE_AUTH__JWT__HS256_SECRET", SECRET), ("TIELINE_AUTH__JWT__JWKS_URL", "https://idp.example/keys")][..],
        &[("TIELINE_AUTH__JWT__HS256_SECRET", "short")],
        &[("TIELINE_AUTH__JWT__ALGORITHM", "HS256")],
        &[("TIELINE_AUTH__JWT__ALGORITHM", "none")],
        &[("TIELINE_AUTH__JWT__ISSUER", "")],
        &[("TIELINE_AUTH__JWT__AUDIENCE", "")],
    ] {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert!(tieline::config::Config::load(settings).is_err());
    }
}
