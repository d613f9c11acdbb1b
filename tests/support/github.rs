//! The stand-in GitHub for tests: its control API, and the flows through its pages.

use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::{
    browser,
    http::{Answer, Client},
};

/// The GitHub half of a running stand-in.
#[derive(Clone)]
pub struct Github {
    control: Client,
    tieline: Client,
}

/// A delivery of a webhook, signed and not yet sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The bytes that are signed.
    pub body: String,
}

impl Github {
    /// Configures the GitHub of the stand-in at `origin`, which sends webhooks to `tieline`, and browsers to
    /// `callback`.
    pub async fn new(origin: String, tieline: Client, webhook_url: String, callback: &str) -> Self {
        let this = Self { control: Client::new(origin), tieline };
        this.order("app", json!({"webhookUrl": webhook_url, "callbackUrls": [callback]})).await;
        this
    }

    /// Sends an order to the control API.
    pub async fn order(&self, path: &str, body: Value) -> Value {
        let answer = self.control.post(&format!("/control/github/{path}"), &body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json()
    }

    /// Reads from the control API.
    pub async fn ask(&self, path: &str) -> Value {
        self.control.get(&format!("/control/github/{path}")).await.ok(200)
    }

    /// Installs the app in an account without a browser, and returns GitHub's number. The webhook is sent.
    pub async fn install(&self, account: &str) -> i64 {
        self.order("installations", json!({"account": account})).await["id"].as_i64().unwrap()
    }

    /// Goes through the install page as a user, and returns the browser's next address.
    pub async fn install_as(&self, user: &str, account: &str, state: &str) -> Url {
        let order = json!({"account": account, "user": user, "state": state});
        let answer = self.order("install-flow", order).await;
        Url::parse(answer["location"].as_str().unwrap()).unwrap()
    }

    /// Signs in as a user, and returns the browser's next address.
    pub async fn authorize_as(&self, user: &str, authorize_url: &str) -> Url {
        let url = Url::parse(authorize_url).unwrap();
        let query = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let order = json!({
            "user": user, "client_id": query("client_id"), "redirect_uri": query("redirect_uri"), "state": query("state"),
        });
        let answer = self.order("authorize", order).await;
        Url::parse(answer["location"].as_str().unwrap()).unwrap()
    }

    /// Opens the browser's next address at Tieline, and follows it to the consent page.
    pub async fn come_back(&self, location: &Url) -> Answer {
        let query = location.query().map(|query| format!("?{query}")).unwrap_or_default();
        let answer = self.tieline.get(&format!("{}{query}", location.path())).await;
        browser::look(&self.tieline, answer).await
    }

    /// Agrees on the consent page of a link, and returns the answer.
    pub async fn confirm(&self, page: &Answer) -> Answer {
        browser::agree(&self.tieline, page).await
    }

    /// Links an account to the caller's team by the whole flow through the browser, as `ada`, and returns GitHub's
    /// number.
    pub async fn link(&self, caller: &Client, team: &str, account: &str) -> i64 {
        let location = self.install_as("ada", account, &card_state(caller, team).await).await;
        let mut page = self.come_back(&location).await;
        if page.status.as_u16() == 302 {
            let location = self.authorize_as("ada", page.header("location")).await;
            page = self.come_back(&location).await;
        }
        let page = self.confirm(&page).await;
        assert_eq!(page.status.as_u16(), 200, "{}", page.text);
        let id = location.query_pairs().find(|(key, _)| key == "installation_id").unwrap().1.into_owned();
        id.parse().unwrap()
    }

    /// Ends all faults.
    pub async fn mend(&self) {
        let answer = self.control.delete("/control/github/faults").await;
        assert!(answer.status.is_success(), "{}", answer.text);
    }

    /// Sends an event to Tieline, as GitHub does, and returns the answer.
    pub async fn send(&self, order: Value) -> Value {
        self.order("send", order).await
    }

    /// Signs an event without sending it.
    pub async fn sign(&self, mut order: Value) -> Delivery {
        order["dry"] = true.into();
        let signed = self.order("send", order).await;
        let headers = signed["headers"].as_object().unwrap().iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        Delivery { headers, body: signed["body"].as_str().unwrap().to_owned() }
    }

    /// Sends a signed delivery.
    pub async fn deliver(&self, delivery: &Delivery) -> Answer {
        let mut request = self.tieline.request(Method::POST, "/v1/github/events").body(delivery.body.clone());
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        self.tieline.send(request).await
    }
}

/// Link of a team's GitHub card.
pub async fn card_link(caller: &Client, team: &str) -> Url {
    let cards = caller.get(&format!("/api/v2/integration?team={team}")).await.ok(200);
    let card = cards.as_array().unwrap().iter().find(|card| card["name"] == "GitHub").unwrap().clone();
    Url::parse(card["link"].as_str().unwrap()).unwrap()
}

/// The state of that link.
pub async fn card_state(caller: &Client, team: &str) -> String {
    card_link(caller, team).await.query_pairs().find(|(key, _)| key == "state").unwrap().1.into_owned()
}
