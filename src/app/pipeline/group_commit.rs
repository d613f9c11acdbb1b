//! Group commit: items of concurrent callers are processed together, so that they share one transaction.
//!
//! No caller waits for a batch to fill: while one is being committed, the next one gathers.

use std::future::Future;

use tokio::sync::{mpsc, oneshot};

use crate::domain::{Error, Result, error::StorageFault};

/// Maximum number of tries of a whole batch that collides with other transactions.
const TRIES: usize = 3;

/// Gathers items of concurrent callers and submits them, up to a limit, as one batch.
pub struct GroupCommit<I, O> {
    sender: mpsc::Sender<Handed<I, O>>,
}

enum Handed<I, O> {
    Item(I, oneshot::Sender<Result<O>>),
    /// Marker, notified when every item before it is done.
    Mark(oneshot::Sender<()>),
}

impl<I, O> Clone for GroupCommit<I, O> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone() }
    }
}

impl<I: Clone + Send + Sync + 'static, O: Send + 'static> GroupCommit<I, O> {
    /// Starts the task that processes batches of up to `limit` items. `work` answers each item in its order, or fails
    /// as a whole; then each item is tried alone, so that one bad item cannot fail its neighbours. Where the database
    /// fails, all are refused at once: alone they would fail as well, one after another.
    ///
    /// The task ends when every clone is dropped and every submitted item is answered.
    pub fn start<W, F>(limit: usize, work: W) -> Self
    where
        W: Fn(Vec<I>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Vec<Result<O>>>> + Send,
    {
        let (sender, mut receiver) = mpsc::channel::<Handed<I, O>>(limit * 4);
        tokio::spawn(async move {
            let mut gathered = Vec::with_capacity(limit);
            while receiver.recv_many(&mut gathered, limit).await > 0 {
                let (mut items, mut waiting, mut marks) =
                    (Vec::with_capacity(limit), Vec::with_capacity(limit), vec![]);
                for handed in gathered.drain(..) {
                    match handed {
                        Handed::Item(item, answer) => {
                            items.push(item);
                            waiting.push(answer);
                        }
                        Handed::Mark(mark) => marks.push(mark),
                    }
                }
                if items.is_empty() {
                    marks.into_iter().for_each(tell);
                    continue;
                }
                let answers = answers(&work, items).await;
                for (waiting, answer) in waiting.into_iter().zip(answers) {
                    // The caller may have gone away; the item is committed all the same.
                    let _ = waiting.send(answer);
                }
                marks.into_iter().for_each(tell);
            }
        });
        Self { sender }
    }

    /// Submits an item and waits for its answer. Dropping the future does not withdraw the item.
    ///
    /// # Errors
    /// The error of the work, or [`Error::Unavailable`] when it has been stopped.
    pub async fn submit(&self, item: I) -> Result<O> {
        self.hand_in(item).await?.await
    }

    /// Submits an item, and returns the wait for its answer: items of one caller stay in the order in which they are handed
    /// in.
    ///
    /// # Errors
    /// As [`GroupCommit::submit`].
    pub async fn hand_in(&self, item: I) -> Result<impl Future<Output = Result<O>> + use<I, O>> {
        let (answer, answered) = oneshot::channel();
        let stopped = || Error::Unavailable { what: "this service, which is shutting down," };
        self.sender.send(Handed::Item(item, answer)).await.map_err(|_| stopped())?;
        Ok(async move { answered.await.map_err(|_| stopped())? })
    }

    /// Waits until every item submitted before is done, also those of callers that have gone away since.
    pub async fn settle(&self) {
        let (mark, reached) = oneshot::channel();
        if self.sender.send(Handed::Mark(mark)).await.is_ok() {
            let _ = reached.await;
        }
    }
}

/// Returns one answer for each item.
async fn answers<I: Clone + Sync, O, F>(work: &impl Fn(Vec<I>) -> F, items: Vec<I>) -> Vec<Result<O>>
where
    F: Future<Output = Result<Vec<Result<O>>>>,
{
    let count = items.len();
    match persistently(work, &items).await {
        Ok(answers) => answers,
        Err(error @ (Error::Storage(_) | Error::Unavailable { .. })) => {
            (0..count).map(|_| Err(error.clone())).collect()
        }
        Err(error) if count == 1 => vec![Err(error)],
        Err(error) => {
            tracing::warn!(%error, items = count, "a batch failed; trying its items one by one");
            let mut answers = Vec::with_capacity(count);
            for item in items {
                answers.push(persistently(work, &[item]).await.and_then(first));
            }
            answers
        }
    }
}

/// Processes items as a whole, and retries where they collided with another transaction.
async fn persistently<I: Clone + Sync, O, F>(work: &impl Fn(Vec<I>) -> F, items: &[I]) -> Result<Vec<Result<O>>>
where
    F: Future<Output = Result<Vec<Result<O>>>>,
{
    for _ in 1..TRIES {
        match work(items.to_vec()).await {
            Err(Error::Storage(StorageFault::Contended)) => {
                tracing::debug!(items = items.len(), "a batch collided with another transaction; trying it again");
            }
            done => return done,
        }
    }
    work(items.to_vec()).await
}

/// Notifies a waiting caller, which may have gone away.
fn tell(mark: oneshot::Sender<()>) {
    let _ = mark.send(());
}

fn first<O>(answers: Vec<Result<O>>) -> Result<O> {
    answers.into_iter().next().unwrap_or_else(|| Err(Error::Internal("a batch of one had no answer".into())))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    };

    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn those_who_come_during_a_commit_share_the_next() {
        let batches = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let group_commit = GroupCommit::start(100, {
            let (batches, gate) = (batches.clone(), gate.clone());
            move |items: Vec<u32>| {
                let (batches, gate) = (batches.clone(), gate.clone());
                async move {
                    batches.fetch_add(1, SeqCst);
                    gate.acquire().await.unwrap().forget();
                    Ok(items.into_iter().map(|item| Ok(item * 2)).collect())
                }
            }
        });
        let all = tokio::spawn({
            let group_commit = group_commit.clone();
            async move { join_all((0..50).map(|item| group_commit.submit(item))).await }
        });
        gate.add_permits(50);
        let answers: Vec<u32> = all.await.unwrap().into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, (0..50).map(|item| item * 2).collect::<Vec<_>>());
        assert!(batches.load(SeqCst) <= 3, "{} batches", batches.load(SeqCst));
    }

    #[tokio::test]
    async fn whoever_settles_waits_for_what_others_handed_in() {
        let (gate, done) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let group_commit = GroupCommit::start(100, {
            let (gate, done) = (gate.clone(), done.clone());
            move |items: Vec<u32>| {
                let (gate, done) = (gate.clone(), done.clone());
                async move {
                    gate.acquire().await.unwrap().forget();
                    done.fetch_add(items.len(), SeqCst);
                    Ok(items.into_iter().map(Ok).collect())
                }
            }
        });
        group_commit.settle().await;
        let left = tokio::spawn({
            let group_commit = group_commit.clone();
            async move { group_commit.submit(1).await }
        });
        tokio::task::yield_now().await;
        left.abort();
        let _ = left.await;
        let settled = tokio::spawn({
            let group_commit = group_commit.clone();
            async move { group_commit.settle().await }
        });
        tokio::task::yield_now().await;
        assert!(!settled.is_finished());
        gate.add_permits(1);
        settled.await.unwrap();
        assert_eq!(done.load(SeqCst), 1);
    }

    #[tokio::test]
    async fn a_bad_item_fails_alone() {
        let group_commit = GroupCommit::start(100, |items: Vec<u32>| async move {
            if items.contains(&7) {
                return Err(Error::Internal("seven".into()));
            }
            Ok(items.into_iter().map(Ok).collect())
        });
        let answers = join_all((0..10).map(|item| group_commit.submit(item))).await;
        let bad: Vec<usize> = answers.iter().enumerate().filter(|(_, a)| a.is_err()).map(|(i, _)| i).collect();
        assert_eq!(bad, [7]);
    }

    #[tokio::test]
    async fn a_database_that_fails_ends_a_batch_at_once() {
        let tries = Arc::new(AtomicUsize::new(0));
        let group_commit = GroupCommit::start(100, {
            let tries = tries.clone();
            move |items: Vec<u32>| {
                tries.fetch_add(1, SeqCst);
                async move {
                    tokio::task::yield_now().await;
                    drop(items);
                    Err::<Vec<Result<u32>>, _>(Error::Storage(StorageFault::Unreachable))
                }
            }
        });
        let answers = join_all((0..100).map(|item| group_commit.submit(item))).await;
        assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Storage(StorageFault::Unreachable)))));
        assert!(tries.load(SeqCst) <= 2, "{} tries", tries.load(SeqCst));
    }

    #[tokio::test]
    async fn a_batch_that_collides_is_tried_again_as_a_whole() {
        let tries = Arc::new(AtomicUsize::new(0));
        let group_commit = GroupCommit::start(100, {
            let tries = tries.clone();
            move |items: Vec<u32>| {
                let collides = tries.fetch_add(1, SeqCst) < 2;
                async move {
                    match collides {
                        true => Err(Error::Storage(StorageFault::Contended)),
                        false => Ok(items.into_iter().map(Ok).collect()),
                    }
                }
            }
        });
        assert_eq!(group_commit.submit(7).await.unwrap(), 7);
        assert_eq!(tries.load(SeqCst), 3);
    }

    #[tokio::test]
    async fn an_item_whose_caller_left_is_worked_on() {
        let done = Arc::new(AtomicUsize::new(0));
        let group_commit = GroupCommit::start(1, {
            let done = done.clone();
            move |items: Vec<u32>| {
                let done = done.clone();
                async move {
                    tokio::task::yield_now().await;
                    done.fetch_add(items.len(), SeqCst);
                    Ok(items.into_iter().map(Ok).collect())
                }
            }
        });
        let mut abandoned = Box::pin(group_commit.submit(1));
        assert!(futures_util::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        group_commit.submit(2).await.unwrap();
        assert_eq!(done.load(SeqCst), 2);
    }
}
