//! Tests of the native dialect's queries: unknown parameters are refused, everywhere alike.

use serde_json::Value;
use tieline::openapi;

const NOBODY: &str = "0199c1de-0000-7000-8000-00000000dead";

/// Pages of a browser: a provider that leads it there may add parameters of its own (RFC 6749, 4.1.2).
const PAGES: [&str; 4] = ["completeGithubInstall", "completeSlackOAuthInBrowser", "getConsent", "giveConsent"];

/// Lists every native operation: its id, method, path, and the names of its query parameters.
fn operations() -> Vec<(String, String, String, Vec<String>)> {
    let documents = &openapi::documents().unwrap().dialects;
    let native = documents.iter().find(|document| document.name == "native").unwrap();
    let mut found = Vec::new();
    for (path, item) in native.value["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let of_query = parameters.filter(|parameter| parameter["in"] == "query");
            let names = of_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
            let id = operation["operationId"].as_str().unwrap().to_owned();
            found.push((id, method.to_uppercase(), path.clone(), names));
        }
    }
    found
}

both! {
    async fn an_unknown_query_parameter_is_refused(app) {
        let (mut pages, mut refused) = (Vec::new(), 0);
        for (id, method, path, names) in operations() {
            let filled = path.split('/').map(|part| if part.starts_with('{') { NOBODY } else { part });
            let filled = filled.collect::<Vec<_>>().join("/");
            let request = app.owner.request(method.parse().unwrap(), &format!("{filled}?nosuch=1"));
            let answer = app.owner.send(request).await;
            if PAGES.contains(&id.as_str()) {
                assert!(!answer.text.contains("nosuch"), "{id}: {}", answer.text);
                pages.push(id);
                continue;
            }
            let problem = answer.problem(400, "invalid_parameter");
            assert_eq!(problem["errors"][0]["pointer"], "nosuch", "{id}: {problem}");
            let detail = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(names.iter().all(|name| detail.contains(name.as_str())), "{id}: {detail}");
            refused += 1;
        }
        pages.sort();
        assert_eq!(pages, PAGES);
        assert!(refused > 50, "{refused}");
    }

    async fn a_known_query_parameter_is_no_excuse_for_another(app) {
        for query in ["limit=1&nosuch=1", "Limit=1", "limit=1&%6Eosuch", "eventid=x"] {
            app.owner.get(&format!("/v1/deliveries?{query}")).await.problem(400, "invalid_parameter");
        }
        app.owner.get("/v1/deliveries?%6Cimit=1").await.ok(200);
        app.owner.get("/v1/deliveries?").await.ok(200);
        app.owner.get("/v1/nothing?nosuch=1").await.problem(404, "route_not_found");
        // The other dialects go on as their products do.
        app.owner.get("/v1/slack-integrations?nosuch=1").await.ok(200);
        let limit = openapi::documents().unwrap().dialects[0].value["paths"]["/v1/events"]["get"]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .find(|parameter| parameter["name"] == "limit")
            .map(|parameter| parameter["schema"].clone())
            .unwrap_or(Value::Null);
        assert_eq!((&limit["minimum"], &limit["maximum"]), (&1.into(), &250.into()), "{limit}");
    }
}
