//! Pending deliveries of a destination, as parts of statements: what waits in its queue, and what waits for a retry.
//!
//! Not here: the loads of a worker (`due`).

/// Returns the deliveries `p` that wait in the queue of a destination `of`, as what follows FROM.
pub(in crate::store::pipeline) fn in_queue(of: &str) -> String {
    format!("delivery p WHERE p.destination_id = {of}.id AND p.seq > {of}.cursor")
}

/// Returns the progress `p` of the deliveries that wait for a retry at a destination `of`, as what follows FROM.
pub(in crate::store::pipeline) fn in_progress(of: &str) -> String {
    format!("delivery_progress p WHERE p.destination_id = {of}.id AND p.state = 'pending'")
}
