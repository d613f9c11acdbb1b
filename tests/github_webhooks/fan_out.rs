//! Tests of fan-out: one delivery, an event for each organisation that linked the installation, and for no other.

use super::*;

const SLUGS: [&str; 3] = ["acme", "globex", "initech"];

/// Three organisations that linked one installation, and its number.
async fn three(app: &TestApp) -> ([Client; 3], i64) {
    let callers = [app.owner.clone(), app.other("globex").await, app.other("initech").await];
    let mut installation = 0;
    for (caller, slug) in callers.iter().zip(SLUGS) {
        installation = app.github.link(caller, slug, "acme").await;
    }
    (callers, installation)
}

async fn counts(callers: &[Client; 3]) -> [usize; 3] {
    let [a, b, c] = callers;
    [events(a).await.len(), events(b).await.len(), events(c).await.len()]
}

both! {
    async fn each_organisation_that_linked_gets_its_own(app) {
        let (callers, installation) = three(&app).await;
        let outsider = app.other("hooli").await;
        let elsewhere = app.other("umbrella").await;
        assert_ne!(app.github.link(&elsewhere, "umbrella", "globex").await, installation);
        let hook = Webhook::new("star", &guid(1), star(installation));
        assert_eq!(hook.send(&app).await.ok(202), acknowledgement(3, 0, false));
        let mut ids = Vec::new();
        for caller in &callers {
            let found = events(caller).await;
            assert_eq!((found.len(), &found[0]["type"]), (1, &json!("github.star")));
            ids.push(found[0]["id"].as_str().unwrap().to_owned());
        }
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
        for caller in [&outsider, &elsewhere] {
            assert_eq!(events(caller).await.len(), 0);
        }
        for (number, id) in ids.iter().enumerate() {
            for caller in [&callers[(number + 1) % 3], &outsider, &elsewhere] {
                caller.get(&format!("/v1/events/{id}")).await.problem(404, "not_found");
            }
        }

        let unlink = json!({"ref": installation.to_string(), "team": "globex"});
        callers[1].post("/api/v2/integration/github/unlink", &unlink).await.ok(200);
        let hook = Webhook::new("star", &guid(2), star(installation));
        assert_eq!(hook.send(&app).await.ok(202), acknowledgement(2, 0, false));
        assert_eq!(counts(&callers).await, [2, 1, 2], "an unlinked organisation gets no more events, and the others still do");
    }

    async fn what_nobody_linked_is_forgotten(app) {
        let installation = app.github.install("acme").await;
        let hook = Webhook::new("star", &guid(1), star(installation));
        let reason = no_event(hook.send(&app).await.ok(202), true);
        assert_eq!(reason, "no organization has linked this installation");
        assert_eq!(app.github.link(&app.owner, "acme", "acme").await, installation);
        assert_eq!(events(&app.owner).await.len(), 0, "events before the link are not delivered later");
        assert_eq!(hook.send(&app).await.ok(202), acknowledgement(1, 0, false), "unless GitHub is asked to deliver it again");
    }

    async fn what_fails_for_one_is_not_lost_for_the_others(app) {
        let (callers, installation) = three(&app).await;
        let globex = app.organisation("globex").await;
        for (number, table) in [(1, "event"), (2, "inbound_receipt")] {
            sabotage::refuse(&app, table, globex).await;
            let hook = Webhook::new("star", &guid(number), star(installation));
            let before = counts(&callers).await;
            for _ in 0..2 {
                let problem = hook.send(&app).await.problem(500, "internal");
                assert!(!problem.to_string().contains("sabotage"), "{problem}");
                assert_eq!(counts(&callers).await, [before[0] + 1, before[1], before[2] + 1], "{table}");
            }
            sabotage::relent(&app, table).await;
            assert_eq!(hook.send(&app).await.ok(202), acknowledgement(1, 2, false), "{table}");
            assert_eq!(hook.send(&app).await.ok(202), acknowledgement(0, 3, false), "{table}");
            assert_eq!(counts(&callers).await, before.map(|count| count + 1), "{table}");
        }
    }

    async fn an_organisation_that_fails_does_not_hold_up_its_neighbours(app) {
        let (callers, installation) = three(&app).await;
        let globex = app.organisation("globex").await;
        sabotage::refuse(&app, "event", globex).await;
        let sent = join_all((0..20).map(|number| {
            let hook = Webhook::new("star", &guid(number), star(installation));
            let app = &app;
            async move { hook.send(app).await.status.as_u16() }
        }));
        assert_eq!(sent.await, [500; 20]);
        assert_eq!(counts(&callers).await, [20, 0, 20]);
        sabotage::relent(&app, "event").await;
        for number in 0..20 {
            let hook = Webhook::new("star", &guid(number), star(installation));
            assert_eq!(hook.send(&app).await.ok(202), acknowledgement(1, 2, false));
        }
        assert_eq!(counts(&callers).await, [20; 3]);
    }
}
