//! Tests of the log: what it says of deliveries, destinations, connections and requests, and that every line is JSON.

use super::*;

/// Returns the lines of the log, of which each is JSON; the announced addresses are on the standard output.
fn lines(process: &Process) -> Vec<Value> {
    let output = process.output();
    let logged = output.lines().filter(|line| !line.starts_with("tieline listens on "));
    logged.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Waits for a line with this message, and returns it.
async fn line(process: &Process, message: &str) -> Value {
    until(message, LIMIT, async || lines(process).into_iter().find(|line| line["fields"]["message"] == message)).await
}

#[track_caller]
fn says(line: &Value, level: &str, fields: &[(&str, &str)]) {
    assert_eq!(line["level"], level, "{line}");
    for (name, part) in fields {
        let text = line["fields"][*name].as_str().unwrap_or_else(|| panic!("{name}: {line}"));
        assert!(!text.is_empty() && text.contains(part), "{name}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_is_a_line_with_its_ids() {
    let settings = [
        ("TIELINE_LOG__FORMAT", "json"),
        ("TIELINE_LOG__FILTER", "info,tieline=debug"),
        ("TIELINE_DELIVERY__RETRY_SCHEDULE_SECS", "1"),
        ("TIELINE_DELIVERY__FAILING_AFTER_ATTEMPTS", "2"),
    ];
    let (scene, process) = Scene::start(Database::sqlite(), &settings).await;
    let [owner, _] = scene.owners(&process);
    let (team, organisation) = (PLACES[0].0, owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].clone());
    let organisation = organisation.as_str().unwrap();

    scene.slack.fault(fault_of(team, json!({"status": 500}))).await;
    let event = send(&owner, "ev-lost").await;
    let exhausted = line(&process, "delivery exhausted").await;
    let delivery = delivery_of(&owner, &event).await;
    let id = |name: &str| delivery[name].as_str().unwrap().to_owned();
    let of_destination = [("organisation", organisation.to_owned()), ("destination", id("destinationId"))];
    let of_delivery = [("delivery", id("id")), ("event", event.clone())];
    let all: Vec<(&str, &str)> =
        of_destination.iter().chain(&of_delivery).map(|(name, id)| (*name, id.as_str())).collect();
    says(
        &exhausted,
        "WARN",
        &[&all[..], &[("reason", "all 2 attempts failed"), ("event_type", "workflow.step")]].concat(),
    );
    let failing = line(&process, "destination failing").await;
    says(&failing, "WARN", &[&all[..2], &[("reason", "2 attempts in a row failed"), ("since", ":")]].concat());
    let attempted = line(&process, "delivery attempted").await;
    says(&attempted, "DEBUG", &[&all[..], &[("outcome", "retried"), ("reason", "server error")]].concat());
    assert_eq!((&attempted["fields"]["attempt"], &attempted["fields"]["status"]), (&json!(1), &json!(500)));
    assert!(attempted["fields"]["duration_ms"].is_number(), "{attempted}");

    scene.slack.mend().await;
    send(&owner, "ev-well").await;
    says(&line(&process, "destination healthy").await, "INFO", &all[..2]);
    scene.slack.order("uninstall", json!({"team": team})).await;
    send(&owner, "ev-dead").await;
    let lost = line(&process, "connection lost").await;
    says(&lost, "WARN", &[all[0], ("provider", "slack"), ("reason", "Slack")]);
    says(&line(&process, "destination disabled").await, "WARN", &all[..2]);
    scene.slack.connect(&owner, team, PLACES[0].1).await;
    says(&line(&process, "connection restored").await, "INFO", &[all[0], ("provider", "slack")]);

    owner.send(owner.request(Method::GET, "/v1/tokens").header("X-Request-Id", "trace-7.A_b")).await.ok(200);
    let asked = async || lines(&process).into_iter().find(|line| line["fields"]["request_id"] == "trace-7.A_b");
    let asked = until("the request", LIMIT, asked).await;
    says(&asked, "DEBUG", &[("method", "GET"), ("route", "/v1/tokens"), ("message", "request answered")]);
    let metrics = process.anon().get("/metrics").await.text;
    for (name, labels) in
        [("deliveries_exhausted", "kind=\"slack\""), ("destination_health_changes", "health=\"failing\"")]
    {
        assert!(metrics.contains(&format!("tieline_{name}_total{{{labels}}} 1")), "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_fails_is_a_line_of_json_too() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut deployment = Deployment::bare();
    deployment.set("TIELINE_LOG__FORMAT", "json").set("TIELINE_LISTEN", taken.local_addr().unwrap().to_string());
    let ran = deployment.run(&["serve"]).await;
    let refused: Vec<Value> = ran.refused().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    says(refused.last().unwrap(), "ERROR", &[("error", "cannot listen")]);
}
