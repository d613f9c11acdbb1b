//! The stand-in Slack for tests: its control API, and the flow that connects an organisation to it.

use reqwest::{Method, Url};
use serde_json::{Value, json};
use standin::{Options, Standin};

use super::http::{Answer, Client};

/// A running stand-in.
pub struct Slack {
    server: Standin,
    control: Client,
}

impl Slack {
    /// Starts a stand-in.
    pub async fn start(options: Options) -> Self {
        let server = Standin::start(options).await.unwrap();
        let control = Client::new(server.origin());
        Self { server, control }
    }

    /// Slack's web base: the API and hooks are below it.
    pub fn base(&self) -> String {
        self.server.base_url()
    }

    /// Returns the settings of the GitHub App that the stand-in knows.
    pub fn github_settings(&self) -> [(&'static str, String); 8] {
        let (server, options) = (self.server(), Options::default());
        [
            ("TIELINE_GITHUB__APP_ID", options.github_app_id.to_string()),
            ("TIELINE_GITHUB__APP_SLUG", options.github_app_slug),
            ("TIELINE_GITHUB__CLIENT_ID", options.github_client_id),
            ("TIELINE_GITHUB__CLIENT_SECRET", options.github_client_secret),
            ("TIELINE_GITHUB__PRIVATE_KEY", server.github_private_key_pem()),
            ("TIELINE_GITHUB__WEBHOOK_SECRET", options.github_webhook_secret),
            ("TIELINE_GITHUB__WEB_BASE", server.github_web_base()),
            ("TIELINE_GITHUB__API_BASE", server.github_api_base()),
        ]
    }

    /// The stand-in, with its GitHub half.
    pub fn server(&self) -> &Standin {
        &self.server
    }

    /// Sends an order to the control API.
    pub async fn order(&self, path: &str, body: Value) -> Value {
        self.control.post(&format!("/control/slack/{path}"), &body).await.ok(200)
    }

    /// Makes every matching call fail in a way, until [`Slack::mend`].
    pub async fn fault(&self, fault: Value) {
        let answer = self.control.post("/control/slack/faults", &fault).await;
        assert!(answer.status.is_success(), "{}", answer.text);
    }

    /// Ends all faults.
    pub async fn mend(&self) {
        let answer = self.control.delete("/control/slack/faults").await;
        assert!(answer.status.is_success(), "{}", answer.text);
    }

    /// Lifts the rate limits.
    pub async fn unlimited(&self) {
        let answer = self.control.post("/control/slack/ratelimit", &json!({"enabled": false})).await;
        assert!(answer.status.is_success(), "{}", answer.text);
    }

    /// Sets the stand-in's clock, in seconds since 1970. It goes on from there.
    pub async fn set_clock(&self, now: i64) {
        #[allow(clippy::disallowed_methods, reason = "the difference between the machine's clock and the test's")]
        let real = chrono::Utc::now().timestamp();
        self.control.post("/control/clock", &json!({"skewSecs": now - real})).await;
    }

    /// The texts in a channel, oldest first.
    pub async fn texts(&self, channel: &str) -> Vec<String> {
        self.messages(channel).await.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }

    /// The messages in a channel, oldest first.
    pub async fn messages(&self, channel: &str) -> Vec<Value> {
        let answer = self.control.get(&format!("/control/slack/messages?channel={channel}")).await.ok(200);
        answer["messages"].as_array().unwrap().clone()
    }

    /// Returns the calls of a method.
    pub async fn calls(&self, method: &str) -> Vec<Value> {
        self.control.get(&format!("/control/calls?method={method}")).await.ok(200).as_array().unwrap().clone()
    }

    /// Presses Allow for an OAuth URL and returns the code and state that come back.
    pub async fn allow(&self, oauth_url: &str, team: &str) -> (String, String) {
        let url = Url::parse(oauth_url).unwrap();
        let query =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap();
        let order = json!({
            "client_id": query("client_id"), "redirect_uri": query("redirect_uri"), "state": query("state"),
            "scope": query("scope"), "team": team,
        });
        let answer = self.order("authorize", order).await;
        (answer["code"].as_str().unwrap().to_owned(), query("state"))
    }

    /// Connects the caller's organisation to a workspace and returns the answer.
    pub async fn install(&self, caller: &Client, team: &str) -> Answer {
        let url = caller.get("/v1/slack-integrations/oauth-url").await.ok(200);
        let (code, state) = self.allow(url["oauthUrl"].as_str().unwrap(), team).await;
        let body = json!({"code": code, "state": state});
        caller.post("/v1/slack-integrations/oauth/complete", &body).await
    }

    /// Connects the caller's organisation to a workspace and chooses a channel.
    pub async fn connect(&self, caller: &Client, team: &str, channel: &str) {
        self.install(caller, team).await.ok(200);
        caller.patch("/v1/slack-integrations", &json!({"slackChannelId": channel})).await.ok(200);
    }

    /// Installs the app with its commands for a team of the caller's, by way of the browser.
    pub async fn install_app(&self, caller: &Client, slug: &str, team: &str) {
        let answer = caller.get(&format!("/api/v2/integration/slack/install?team={slug}")).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        let (code, state) = self.allow(answer.header("location"), team).await;
        let answer = caller.get(&format!("/api/v2/integration/slack/auth?code={code}&state={state}")).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
    }

    /// Modals that are open in a workspace.
    pub async fn views(&self, team: &str) -> Vec<Value> {
        self.control.get(&format!("/control/slack/views?team={team}")).await.ok(200).as_array().unwrap().clone()
    }

    /// Answers to commands, oldest first.
    pub async fn replies(&self) -> Vec<Value> {
        self.control.get("/control/slack/replies").await.ok(200).as_array().unwrap().clone()
    }

    /// The bot's token in a workspace where the app is installed: without rotation it is always the same.
    pub async fn bot_token(&self, team: &str) -> String {
        let Options { client_id, client_secret, .. } = Options::default();
        let redirect_uri = "http://127.0.0.1/";
        let order = json!({"client_id": client_id, "redirect_uri": redirect_uri, "scope": "chat:write", "team": team});
        let code = self.order("authorize", order).await["code"].as_str().unwrap().to_owned();
        let form = [("code", code.as_str()), ("redirect_uri", redirect_uri)];
        let request = self.control.request(Method::POST, "/slack/api/oauth.v2.access");
        let answer = self.control.send(request.basic_auth(client_id, Some(client_secret)).form(&form)).await.ok(200);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Slack's answer to `auth.test`.
    pub async fn auth_test(&self, token: &str) -> Value {
        self.control.with_token(token).post("/slack/api/auth.test", &json!({})).await.ok(200)
    }

    /// Events that the stand-in has sent, with its attempts.
    pub async fn sent_events(&self) -> Vec<Value> {
        self.control.get("/control/slack/events").await.ok(200).as_array().unwrap().clone()
    }

    /// Reports that a fault is still waiting for its call.
    pub async fn is_fault_waiting(&self) -> bool {
        self.control.get("/control/slack/faults").await.ok(200) != json!([])
    }
}
