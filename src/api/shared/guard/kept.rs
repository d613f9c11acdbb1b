//! Work that goes on when its caller is gone: it runs in the caller's own task, and moves to one of its own where the
//! caller drops it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Future of such work.
pub(super) struct Kept<T: Send + 'static>(
    /// The work with the tracker's token, until it is done.
    Option<Pin<Box<dyn Future<Output = T> + Send>>>,
);

impl<T: Send + 'static> Kept<T> {
    /// Wraps work that `tasks` is to wait for.
    pub(super) fn new(tasks: &TaskTracker, work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(tasks.track_future(work))))
    }
}

impl<T: Send + 'static> Future for Kept<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Kept<T> {
    fn drop(&mut self) {
        // Without a runtime the process is at its end, and a panic is not to be polled again.
        if let (Some(work), Ok(runtime), false) = (self.0.take(), Handle::try_current(), std::thread::panicking()) {
            runtime.spawn(work);
        }
    }
}
