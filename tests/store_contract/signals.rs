//! Signals between the processes of one service, on PostgreSQL: SQLite has one process.

use tieline::store::Limits;
use tokio::time::timeout;

use super::*;

/// Limit of the wait for a signal.
const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_signal_reaches_the_service_in_its_own_schema_alone() {
    let Some(database) = Database::empty_postgres().await else { return };
    let neighbour = database.beside().await;
    let own = Store::connect(&database.url, Limits::default()).await.unwrap();
    let other = Store::connect(&neighbour.url, Limits::default()).await.unwrap();
    let mut heard_by_own = own.signals().await.unwrap().unwrap();
    let mut heard_by_other = other.signals().await.unwrap().unwrap();

    let own_are_heard = async {
        for _ in 0..5 {
            own.signal().await.unwrap();
            timeout(LIMIT, heard_by_own.next()).await.unwrap().unwrap();
        }
    };
    tokio::select! {
        biased;
        _ = heard_by_other.next() => panic!("another service's signal was heard"),
        () = own_are_heard => {}
    }
    other.signal().await.unwrap();
    timeout(LIMIT, heard_by_other.next()).await.unwrap().unwrap();
    own.close().await;
    other.close().await;
}
