//! Tests of ticks: once in all processes, once over a restart, and by the wall clock.

use std::time::Duration;

use serde_json::json;
use tieline::domain::ambient::Time;

use crate::{
    channel_integrations::{channel, named_channel, put, use_in},
    support::{Database, Integration, Setup, TestApp},
};

const MINUTE: Duration = Duration::from_secs(60);

/// An interval app with this schedule.
async fn clock(interval: &str) -> Integration {
    let settings = json!([{"label": "interval", "type": "text", "required": true, "default": interval}]);
    Integration::start("interval", settings).await
}

both! {
    async fn two_processes_tick_once(app) {
        let integration = clock("* * * * *").await;
        let first = channel(&app).await;
        let id = use_in(&app, &first, &integration).await;
        for number in 1..10 {
            let channel = named_channel(&app, &format!("channel-{number}")).await;
            put(&app, &format!("/v1/channels/{channel}/apps/{id}"), json!({})).await;
        }
        let other = app.twin().await;
        for minute in 1..=5 {
            app.advance(MINUTE);
            let (one, two) = tokio::join!(app.app.apps.tick(100), other.apps.tick(100));
            let (late_one, late_two) = tokio::join!(app.app.apps.tick(100), other.apps.tick(100));
            let all = [one, two, late_one, late_two].map(Result::unwrap);
            assert_eq!(all.iter().sum::<usize>(), 10, "{all:?}");
            app.drain().await;
            assert_eq!(integration.calls().len(), 10 * minute);
        }
    }

    async fn a_restart_does_not_tick_twice(app) {
        let integration = clock("* * * * *").await;
        let channel = channel(&app).await;
        use_in(&app, &channel, &integration).await;
        app.advance(MINUTE);
        assert_eq!(app.app.apps.tick(100).await.unwrap(), 1);
        let again = app.twin().await;
        assert_eq!(again.apps.tick(100).await.unwrap(), 0, "this minute's was made");
        app.advance(120 * MINUTE);
        let later = app.twin().await;
        assert_eq!(later.apps.tick(100).await.unwrap(), 1, "missed ticks are made up for once");
        assert_eq!((again.apps.tick(100).await.unwrap(), app.app.apps.tick(100).await.unwrap()), (0, 0));
        app.drain().await;
        assert_eq!(integration.calls().len(), 2);
    }
}

/// Times of its ticks between two times, checked every ten minutes.
async fn ticks(app: &TestApp, from: &str, to: &str) -> Vec<String> {
    let [from, to] = [from, to].map(|text| text.parse::<Time>().unwrap());
    app.advance((from - app.now()).to_std().unwrap());
    app.app.apps.tick(100).await.unwrap();
    let mut times = Vec::new();
    while app.now() < to {
        app.advance(10 * MINUTE);
        match app.app.apps.tick(100).await.unwrap() {
            0 => {}
            1 => times.push(app.now().format("%m-%dT%H:%M").to_string()),
            more => panic!("{more} at once"),
        }
    }
    times
}

#[tokio::test]
async fn the_configured_time_zone_decides() {
    for (zone, gap, overlap) in [
        ("UTC", ["03-28T02:30", "03-29T02:30"], ["10-31T02:30", "11-01T02:30"]),
        // On 28 March 2027, 02:30 is left out: it ticks when the gap ends, at 03:00, which is 01:00 UTC. On 31 October
        // it comes twice: it ticks the first time, by summer time.
        ("Europe/Berlin", ["03-28T01:00", "03-29T00:30"], ["10-31T00:30", "11-01T01:30"]),
    ] {
        let settings = vec![("TIELINE_SCHEDULE__TIME_ZONE", zone.to_owned())];
        let app = TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await;
        let integration = clock("30 2 * * *").await;
        let channel = channel(&app).await;
        use_in(&app, &channel, &integration).await;
        assert_eq!(ticks(&app, "2027-03-27T12:00:00Z", "2027-03-29T12:00:00Z").await, gap, "{zone}");
        assert_eq!(ticks(&app, "2027-10-30T12:00:00Z", "2027-11-01T12:00:00Z").await, overlap, "{zone}");
    }
}
